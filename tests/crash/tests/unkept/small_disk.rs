//! A disk of its own for the kiosk's data, small and easily spoilt: a tmpfs in a mount namespace
//! of its own, in which the test runs itself a second time.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use e2e::Bench;

/// Runs the ignored test `child` on a disk of 24 MiB; says SKIPPED where the kernel allows none.
pub(crate) fn run(child: &str) {
    let place = tempfile::tempdir().expect("a folder");
    let namespace = |way: &[&str], script: &str| {
        let mut unshare = Command::new("unshare");
        let me = std::env::current_exe().expect("a test has a path");
        let script = format!("mount -t tmpfs -o size=24m tmpfs \"$1\"; {script}");
        unshare.args(way).args(["sh", "-ec", &script, "sh"]).arg(place.path()).arg(me).arg(child);
        unshare.env(DISK, place.path());
        unshare
    };
    let is_allowed = |way: &&&[&str]| {
        let mut tried = namespace(way, "true");
        tried.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    let Some(way) = WAYS.iter().find(is_allowed) else {
        // Past the test harness, which would hide it.
        let word = format!("SKIPPED: {child} (no mount namespace here)\n");
        std::io::stderr().write_all(word.as_bytes()).expect("stderr");
        return;
    };
    let script = "exec \"$2\" --exact \"$3\" --ignored --nocapture";
    let done = namespace(way, script).output().expect("it ran before");
    let said = String::from_utf8_lossy(&done.stdout);
    let complained = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.contains("1 passed"), "{said}{complained}");
}

/// As root; then as anybody, who is root over a namespace of their own.
const WAYS: [&[&str]; 2] = [&["--mount"], &["--map-root-user", "--mount"]];

const DISK: &str = "SMALL_DISK_OF_THE_CHILD";

/// Where the small disk is mounted. Only for what [`run`] runs.
pub(crate) fn disk() -> PathBuf {
    std::env::var_os(DISK).expect("small_disk::run says where").into()
}

/// Moves the kiosk's data to the small disk, while kioskd is switched off.
pub(crate) fn move_to(disk: &Path, bench: &Bench) {
    bench.power("kioskd", false);
    let (from, to) = (bench.dir().join("kiosk"), disk.join("kiosk"));
    fs::create_dir(&to).expect("it is writable");
    for file in fs::read_dir(&from).expect("the kiosk has data") {
        let file = file.expect("it reads");
        fs::copy(file.path(), to.join(file.file_name())).expect("it fits");
    }
    fs::remove_dir_all(&from).expect("it is ours");
    std::os::unix::fs::symlink(&to, &from).expect("it is writable");
    bench.power("kioskd", true);
    bench.wait_screen("attract");
}
