//! Books that cannot be kept: what the customer sees, what the technician is told, and that not a
//! byte of the journal changes until somebody has mended it. Then the kiosk is back by itself.

mod damaged;
mod disk_full;
mod read_only;
mod small_disk;

use e2e::{Bench, Money};

/// Twenty euro have gone their way.
const TWENTY: Money = Money {
    boxed: 2000,
    collected: 0,
    charged: 0,
    credited: 2000,
    queued: 0,
    claimed: 0,
    unexplained: 0,
};

/// A whole visit that leaves [`TWENTY`].
fn visit(bench: &Bench, id: &str) {
    bench.open_slot(id);
    bench.count_in(20, 20);
    bench.finish();
    bench.credit(20);
    bench.leave();
}

/// The screen says that it stopped to keep money safe and where help is; nothing is taken in; and
/// the log says who must do something: all of `words`.
fn assert_out_of_service(bench: &Bench, words: &[&str]) {
    bench.wait_screen_with("out_of_service", &[("reason", "books")]);
    bench.wait_text("La máquina se ha detenido para proteger su dinero.");
    bench.wait_text("OAC, Plaça Major 1");
    bench.tap(&bench.card("joan"));
    // A slot that was open closes by itself when its host is silent.
    bench.wait_slot("closed");
    let (status, _) = bench.try_post("api/acceptor/insert", &serde_json::json!({"cents": 500}));
    assert_eq!(status, 409, "a note is drawn in that cannot be written down");
    assert_eq!(bench.screen()["name"], "out_of_service");
    bench.remove_card();
    let log = bench.get_text("api/log?lines=400");
    for word in ["out of service:", "technician:"].iter().chain(words) {
        assert!(log.contains(word), "{word:?} is not in the log");
    }
}
