//! House style that no formatter knows.

use tidy::{Code, SourceFile, assert_none, files, mentions, too_long, unfinished, wide_lines};

const CODE: [&str; 8] = [".rs", ".slint", ".sql", ".toml", ".py", ".sh", ".js", ".css"];

/// Where amounts of money are worked with.
const MONEY: [&str; 3] = ["domain/", "kiosk/", "central/"];

/// And the one place there that measures time, in the seconds that Prometheus wants.
const SECONDS: &str = "central/server/src/metrics.rs";

fn is_code(file: &SourceFile) -> bool {
    file.is(&CODE) || file.path == "dev" || file.path == ".ci/run"
}

fn code() -> Vec<SourceFile> {
    files().into_iter().filter(is_code).collect()
}

fn rust() -> Vec<SourceFile> {
    files().into_iter().filter(|file| file.is(&[".rs"])).collect()
}

#[test]
fn a_line_fits_100_columns() {
    let findings = code().into_iter().flat_map(|file| {
        // What a screen says is one string, and a key of its translations: it cannot be broken.
        let says: Vec<bool> = file.text.lines().map(|line| line.contains("@tr(")).collect();
        let mut wide = wide_lines(&file, 100);
        wide.retain(|finding| !says[finding.line - 1]);
        wide
    });
    assert_none("A line fits 100 columns", findings);
}

#[test]
fn a_file_has_one_idea() {
    let findings = rust().into_iter().filter_map(|file| too_long(&file, 700));
    assert_none("A file of more than 700 lines has more than one idea", findings);
}

#[test]
fn nothing_is_left_open() {
    let findings = code().into_iter().flat_map(|file| unfinished(&file));
    assert_none("What is not done is an issue, not a mark in the code", findings);
}

#[test]
fn money_is_counted_in_integers() {
    let findings = rust()
        .into_iter()
        .filter(|file| file.is_in(&MONEY) && !file.path.contains("/tests/") && file.path != SECONDS)
        .flat_map(|file| Code::read(&file).floats());
    assert_none("No floating point near money (ADR 0007)", findings);
}

#[test]
fn personal_data_stays_out_of_logs() {
    let findings = rust().into_iter().flat_map(|file| Code::read(&file).logged_secrets());
    assert_none("What is in a Pii or a Pin is not logged", findings);
}

/// The tree builds anywhere: it names no directory of one machine and no package registry, which
/// are the machine's own configuration.
#[test]
fn no_machine_and_no_registry_is_named() {
    const PLACES: [&str; 11] = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/opt/", "wheels"),
        concat!("index.", "crates.io"),
        concat!("static.", "crates.io"),
        concat!("pypi", ".org"),
        concat!("pythonhosted", ".org"),
        concat!("registry.", "npmjs"),
        concat!("deb.", "debian.org"),
        concat!("arti", "factory"),
    ];
    let findings = files().into_iter().flat_map(|file| mentions(&file, &PLACES));
    assert_none("No machine paths, no registry hosts", findings);
}
