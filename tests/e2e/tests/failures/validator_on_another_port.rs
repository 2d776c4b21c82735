//! The validator's cable is pulled mid-visit, and it comes back as another serial device.
//! Screen: what was counted can be credited; the next customer's slot opens again.
//! Paper: the receipt. Books: every note once. kioskd finds the device by the link that udev keeps
//! (`/dev/pauseplus/validator` in the field).

use e2e::{Bench, Money};

#[test]
fn kioskd_finds_it_by_its_link() {
    let bench = Bench::start();
    let link = bench.dir().join("dev/validator");
    let device = || std::fs::read_link(&link).ok();
    let before = device().expect("it is plugged in");
    bench.open_slot("ana");
    bench.count_in(20, 20);
    bench.fault("validator", "unplugged", true);
    bench.wait_screen("review");
    bench.fault("validator", "unplugged", false);
    bench.credit(20);
    let receipt = bench.print();
    assert!(receipt.contains("20,00"), "{receipt}");
    bench.leave();

    bench.open_slot("joan");
    assert_ne!(device().expect("it is back"), before);
    bench.count_in(10, 10);
    bench.finish();
    bench.credit(10);
    let both = Money { boxed: 3000, credited: 3000, ..Money::default() };
    assert_eq!(bench.audited_money(), both);
}
