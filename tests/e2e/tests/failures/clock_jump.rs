//! The kiosk's wall clock jumps in the middle of a visit, forwards and back.
//! Screen: the visit goes on; no deadline goes by the wall clock. Paper: the receipt.
//! Books: the jump is on record, and the money is where it was.

use std::fs;
use std::io::Write;
use std::path::Path;

use e2e::{Bench, Money};
use kiosk_records::Record;

/// Debian's `libfaketime` stands between kioskd and the clock.
const LIBRARIES: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
];

#[test]
fn the_visit_does_not_mind() {
    let Some(library) = LIBRARIES.into_iter().find(|path| Path::new(path).exists()) else {
        // Past the test harness, which would hide it.
        let word = b"SKIPPED: a clock that jumps (no libfaketime)\n";
        std::io::stderr().write_all(word).expect("stderr");
        return;
    };
    let dir = tempfile::tempdir().expect("a folder");
    let clock = dir.path().join("clock");
    let set = |offset: &str| {
        // In one step: the clock is read at any time.
        fs::write(dir.path().join("new"), offset).expect("it is writable");
        fs::rename(dir.path().join("new"), &clock).expect("it is writable");
    };
    set("+0");
    let env = [
        format!("LD_PRELOAD={library}"),
        format!("FAKETIME_TIMESTAMP_FILE={}", clock.display()),
        "FAKETIME_NO_CACHE=1".to_owned(),
        "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
    ];
    let env = env.iter().flat_map(|variable| ["--kioskd-env", variable]);
    let bench = Bench::start_with(["--speed", "10"].into_iter().chain(env));
    bench.open_slot("ana");
    bench.count_in(20, 20);
    set("+3h");
    bench.count_in(10, 30);
    set("-20m");
    bench.count_in(5, 35);
    bench.finish();
    bench.credit(35);
    let receipt = bench.print();
    assert!(receipt.contains("35,00"), "{receipt}");
    bench.leave();

    let records = bench.records();
    let jumps = records.iter().filter_map(|(_, record)| minutes_of(record));
    assert_eq!(jumps.collect::<Vec<_>>(), [180, -200]);
    let all = Money { boxed: 3500, credited: 3500, ..Money::default() };
    assert_eq!(bench.audited_money(), all);
}

fn minutes_of(record: &Record) -> Option<i64> {
    let Record::ClockStepped { by_ms } = record else { return None };
    Some((by_ms + 30_000).div_euclid(60_000))
}
