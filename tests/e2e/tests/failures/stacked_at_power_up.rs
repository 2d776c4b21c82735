//! The whole kiosk loses its power while a note is on its way into the cash box; at power-up the
//! validator stacks it and says which note it was.
//! Screen: after the start, what was in goes to the wallet. Paper: a receipt that says so, by
//! itself. Books: stacked as reported, once, and credited once.

use e2e::{Bench, Money};
use kiosk_records::{Evidence, Record};

/// The power goes with the note half-way and comes back; the evidence the kiosk wrote down.
pub(crate) fn power_cut_half_way(bench: &Bench) -> Evidence {
    bench.open_slot("ana");
    bench.fault("validator", "stalled", true);
    bench.insert(20);
    bench.wait_slot("20 € stacking");
    bench.power("kiosk", false);
    bench.fault("validator", "stalled", false);
    bench.power("kiosk", true);
    bench.wait_screen_with("done", &[("done.pending.amount", "2000")]);
    let receipt = bench.wait_printed();
    assert!(receipt.contains("20,00") && receipt.contains("K0001-"), "{receipt}");
    bench.leave();
    let twenty = Money { boxed: 2000, credited: 2000, ..Money::default() };
    assert_eq!(bench.audited_money(), twenty);
    let records = bench.records();
    let mut stacked = records.iter().filter_map(|(_, record)| evidence_of(record));
    let evidence = stacked.next().expect("it is stacked");
    assert_eq!(stacked.next(), None, "once");
    evidence
}

fn evidence_of(record: &Record) -> Option<Evidence> {
    let Record::Stacked { evidence, .. } = record else { return None };
    Some(*evidence)
}

#[test]
fn the_note_is_credited_as_reported() {
    let bench = Bench::start();
    assert_eq!(power_cut_half_way(&bench), Evidence::Reported);
}
