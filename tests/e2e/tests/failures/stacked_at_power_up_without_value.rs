//! As in `stacked_at_power_up`, but the validator does not know any more which note it found.
//! Screen and paper: the same. Books: only one note was on its way, so it is that one, and the
//! record says that its value was not reported.

use e2e::Bench;
use kiosk_records::Evidence;

use crate::stacked_at_power_up::power_cut_half_way;

#[test]
fn the_one_note_that_was_on_its_way_is_meant() {
    let bench = Bench::start();
    bench.fault("validator", "forgets_value", true);
    assert_eq!(power_cut_half_way(&bench), Evidence::ReportedWithoutValue);
}
