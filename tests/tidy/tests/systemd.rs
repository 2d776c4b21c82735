//! The units of the appliance, held against systemd's own tools in a root made for it. Where they
//! are missing the test says `SKIPPED`.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that meets the unexpected shall fail there, and say what it skips"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const UNITS: &str = "etc/systemd/system";

/// Worst exposure each service may have, as `systemd-analyze security` counts: tenths, 100 = bare.
const EXPOSURE_TENTHS_MAX: [(&str, &str); 2] =
    [("kioskd.service", "13"), ("kiosk-ui.service", "9")];

/// A root with our units, and programs that only exist.
fn installed() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    copy(&ours(""), &root.join(UNITS));
    for kind in ["sysusers.d", "tmpfiles.d"] {
        copy(&ours(kind), &root.join("usr/lib").join(kind));
    }
    for program in ["kioskd", "kiosk-ui"] {
        let path = root.join("usr/bin").join(program);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    // What every unit stands on, and the socket that ours is a drop-in of.
    for (name, text) in [
        ("basic.target", "[Unit]\n"),
        ("shutdown.target", "[Unit]\n"),
        ("sysinit.target", "[Unit]\n"),
        ("sockets.target", "[Unit]\n"),
        ("pcscd.socket", "[Socket]\nListenStream=/run/pcscd/pcscd.comm\n"),
        ("pcscd.service", "[Service]\nExecStart=/usr/bin/kioskd\n"),
    ] {
        fs::write(root.join(UNITS).join(name), text).unwrap();
    }
    fs::write(root.join("etc/passwd"), "root:x:0:0::/root:/bin/sh\n").unwrap();
    let groups = ["root:x:0:\n", "video:x:44:\n", "dialout:x:20:\n"].concat();
    fs::write(root.join("etc/group"), groups).unwrap();
    dir
}

fn ours(kind: &str) -> PathBuf {
    tidy::root().join("systemd").join(kind)
}

/// The files of one folder and its drop-ins, as they are.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        if path.is_file() {
            fs::copy(&path, to.join(name)).unwrap();
        } else if name.to_string_lossy().ends_with(".socket.d") {
            copy(&path, &to.join(name));
        }
    }
}

/// What the tool says, or `None` if there is no such tool.
fn asked(tool: &str, root: &Path, args: &[&str]) -> Option<Output> {
    let mut command = Command::new(tool);
    command.arg(format!("--root={}", root.display())).args(args);
    let output = command.output().ok();
    if output.is_none() {
        println!("SKIPPED: {tool} is not installed");
    }
    output
}

fn assert_silent_success(output: &Output) {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    assert!(!complaint.contains("/systemd/"), "{complaint}");
}

#[test]
fn the_units_are_understood() {
    let dir = installed();
    let at = |unit: &str| format!("{}/{UNITS}/{unit}", dir.path().display());
    let services = [at("kioskd.service"), at("kiosk-ui.service")];
    let args = ["verify", &services[0], &services[1], &at("pcscd.socket")];
    if let Some(output) = asked("systemd-analyze", dir.path(), &args) {
        assert_silent_success(&output);
    }
}

#[test]
fn the_services_are_not_more_exposed_than_they_were() {
    let dir = installed();
    for (unit, worst) in EXPOSURE_TENTHS_MAX {
        let threshold = format!("--threshold={worst}");
        let args = ["security", "--offline=true", &threshold, unit];
        if let Some(output) = asked("systemd-analyze", dir.path(), &args) {
            assert!(output.status.success(), "{unit} is exposed more than {worst}/100");
        }
    }
}

#[test]
fn users_and_folders_are_made() {
    let dir = installed();
    let Some(output) = asked("systemd-sysusers", dir.path(), &[]) else {
        return;
    };
    assert_silent_success(&output);
    let users = fs::read_to_string(dir.path().join("etc/passwd")).unwrap();
    assert!(users.contains("\nkioskd:") && users.contains("\nkiosk-ui:"), "{users}");
    let groups = fs::read_to_string(dir.path().join("etc/group")).unwrap();
    assert!(
        groups.lines().any(|line| line.starts_with("kiosk-link:") && line.ends_with(":kiosk-ui"))
    );

    if !is_root() {
        println!("SKIPPED: giving folders to users takes root");
        return;
    }
    let args = ["--create", "pauseplus.conf"];
    if let Some(output) = asked("systemd-tmpfiles", dir.path(), &args) {
        assert_silent_success(&output);
        let link = fs::metadata(dir.path().join("run/kioskd")).unwrap();
        assert_eq!(link.permissions().mode() & 0o7777, 0o2750);
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
