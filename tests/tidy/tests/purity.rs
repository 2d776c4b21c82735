//! The pure crates do no I/O, read no clock, ask nobody for randomness and iterate no `HashMap`:
//! that is why the same core and the same protocols run in the daemon, in the simulator and in a
//! test with a clock of its own.

use std::path::Path;
use std::process::Command;

use tidy::{Code, Finding, Workspace, assert_none, files, root};

/// Crate and its sources.
const PURE: [(&str, &str); 10] = [
    ("domain", "domain/src/"),
    ("kiosk-records", "kiosk/records/src/"),
    ("kiosk-core", "kiosk/core/src/"),
    ("driver-api", "drivers/api/src/"),
    ("driver-ssp", "drivers/ssp/src/"),
    ("driver-mifare", "drivers/mifare/src/"),
    ("driver-escpos", "drivers/escpos/src/"),
    ("driver-zvt", "drivers/zvt/src/"),
    ("driver-nexo", "drivers/nexo/src/"),
    ("ui-proto", "ui/proto/src/"),
];

/// Crates that do what a pure crate does not, and which everything that does it stands on.
const IMPURE: [&str; 16] = [
    "async-io",
    "async-std",
    "getrandom",
    "hyper",
    "libsqlite3-sys",
    "mio",
    "nix",
    "polling",
    "rand",
    "reqwest",
    "rusqlite",
    "rustix",
    "socket2",
    "sqlx",
    "tokio",
    "tracing-subscriber",
];

/// Parts of the standard library that reach the world, or whose order is random.
const WORLD: [&str; 15] = [
    "std::collections::HashMap",
    "std::collections::HashSet",
    "std::collections::hash_map",
    "std::env",
    "std::fs",
    "std::hash::RandomState",
    "std::io::stderr",
    "std::io::stdin",
    "std::io::stdout",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::Instant",
    "std::time::SystemTime",
];

#[test]
fn pure_crates_stand_on_nothing_that_touches_the_world() {
    let findings = PURE.iter().flat_map(|(name, _)| {
        Workspace::stands_on(name)
            .into_iter()
            .filter(|dependency| IMPURE.contains(&dependency.as_str()))
            .map(|dependency| Finding::about(name, format!("stands on {dependency}")))
            .collect::<Vec<_>>()
    });
    assert_none("Pure crates: no I/O, clock or randomness below them", findings);
}

#[test]
fn pure_crates_name_nothing_that_touches_the_world() {
    let sources: Vec<&str> = PURE.iter().map(|(_, sources)| *sources).collect();
    let files = files();
    let findings = files
        .iter()
        .filter(|file| file.is(&[".rs"]) && file.is_in(&sources))
        .flat_map(|file| Code::read(file).names(&WORLD));
    assert_none("Pure crates: no I/O, clock or randomness in them", findings);
}

/// The strictest proof, where the machine has the standard library for WebAssembly: there is no
/// world to touch there. Without it the two tests above are the proof.
#[test]
fn pure_crates_compile_where_there_is_no_system() {
    const TARGET: &str = "wasm32-unknown-unknown";
    let rustc = Path::new(env!("CARGO")).with_file_name("rustc");
    let libdir = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .expect("rustc lies beside cargo");
    let libdir = String::from_utf8_lossy(&libdir.stdout);
    if !Path::new(libdir.trim()).is_dir() {
        println!("No standard library for {TARGET} here: the deny lists are the proof of purity.");
        return;
    }
    let check = Command::new(env!("CARGO"))
        .args(["check", "--locked", "--target", TARGET, "--target-dir", "target/wasm"])
        .args(PURE.iter().flat_map(|(name, _)| ["-p", name]))
        .current_dir(root())
        .output()
        .expect("cargo runs: it runs this test");
    let errors = String::from_utf8_lossy(&check.stderr);
    assert!(check.status.success(), "{errors}");
}
