//! The disk fills up while a customer is there: the visit is written to its end on the reserve,
//! the next one waits until there is room.

use std::fs;
use std::io::Write;
use std::path::Path;

use e2e::Bench;

use crate::small_disk::{self, disk, move_to};
use crate::{TWENTY, assert_out_of_service};

#[test]
fn the_visit_ends_in_order_and_no_other_begins() {
    small_disk::run("disk_full::the_child");
}

#[test]
#[ignore = "is what the test above runs on the small disk"]
fn the_child() {
    let bench = Bench::start();
    move_to(&disk(), &bench);
    bench.open_slot("ana");
    let others = disk().join("others.log");
    fill(&others);
    bench.count_in(20, 20);
    bench.finish();
    bench.credit(20);
    assert!(bench.print().contains("20,00"));
    bench.leave_to("out_of_service");
    assert_out_of_service(&bench, &["the disk is nearly full", "8 MiB"]);

    fs::remove_file(others).expect("it is ours");
    bench.wait_screen("attract");
    assert_eq!(bench.audited_money(), TWENTY);
    bench.open_slot("joan");
}

/// Somebody's log files eat the disk: writes until nothing more fits.
fn fill(path: &Path) {
    let mut file = fs::File::create(path).expect("it is writable");
    for chunk in [65_536, 4_096, 1] {
        let zeros = vec![0; chunk];
        while file.write_all(&zeros).is_ok() {}
    }
}
