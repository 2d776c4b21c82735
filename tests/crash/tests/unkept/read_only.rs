//! The file system comes back read-only after a power cut, as it does when its check finds
//! something. The customer's credit waits for the technician, and then goes to the wallet.

use std::process::Command;

use e2e::Bench;

use crate::small_disk::{self, disk, move_to};
use crate::{TWENTY, assert_out_of_service};

#[test]
fn the_credit_waits_for_a_disk_that_can_be_written() {
    small_disk::run("read_only::the_child");
}

#[test]
#[ignore = "is what the test above runs on the small disk"]
fn the_child() {
    let bench = Bench::start();
    move_to(&disk(), &bench);
    bench.open_slot("ana");
    bench.count_in(20, 20);
    bench.power("kioskd", false);
    bench.remove_card();
    remount("ro");
    bench.power("kioskd", true);
    assert_out_of_service(&bench, &["look at the disk", "Read-only file system"]);

    remount("rw");
    bench.wait_screen_with("done", &[("done.pending.amount", "2000")]);
    assert!(bench.wait_printed().contains("20,00"));
    bench.leave();
    assert_eq!(bench.audited_money(), TWENTY);
}

fn remount(how: &str) {
    let mut mount = Command::new("mount");
    let done = mount.args(["-o", &format!("remount,{how}")]).arg(disk()).status();
    assert!(done.is_ok_and(|status| status.success()), "remount,{how}");
}
