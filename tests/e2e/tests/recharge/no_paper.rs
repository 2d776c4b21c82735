use e2e::Bench;

use crate::{count_in, open_the_slot};

fn credited(bench: &Bench) {
    open_the_slot(bench, "ana");
    count_in(bench, 20, 20);
    bench.press("Finalizar");
    bench.wait_screen("review");
    bench.press("Abonar");
    bench.wait_screen("done");
}

#[test]
fn before_the_receipt_offers_it_on_the_screen() {
    let bench = Bench::start();
    bench.fault("printer", "paper_end", true);
    credited(&bench);
    bench.wait_screen_with("done", &[("receipt.offer.can_print", "false")]);
    bench.press("Recibo en pantalla");
    bench.wait_screen_until("done", |screen| screen["receipt"]["on_screen"].is_object());
    assert_eq!(bench.receipt_count(), 0);
}

#[test]
fn in_the_middle_of_the_receipt_does_not_call_it_printed() {
    let bench = Bench::start();
    credited(&bench);
    bench.fault("printer", "paper_end_mid_job", true);
    bench.press("Imprimir recibo");
    let screen =
        bench.wait_screen_until("done", |screen| screen["receipt"]["not_printed"].is_object());
    let text = screen["receipt"]["not_printed"]["text"].as_str().unwrap_or_default();
    assert!(text.contains("K0001-") && text.contains("20.00 EUR"), "{text}");
}
