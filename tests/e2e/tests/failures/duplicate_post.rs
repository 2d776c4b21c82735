//! The same post reaches central more than once, whoever repeats it.
//! Screen: credited. Paper: one receipt. Books: central answers every repetition with the transfer
//! it made for the first; under a key that is used nothing else can be posted.

use central_api::{Client, ClientConfig, ClientError, ProblemKind, TopUpAnswer, TopUpRequest};
use domain::{Amount, Tender};
use e2e::{Bench, Money};
use kiosk_records::{IntentId, Record};

#[test]
fn central_books_it_once() {
    let bench = Bench::start();
    bench.open_slot("ana");
    bench.count_in(20, 20);
    bench.finish();
    bench.credit(20);
    bench.print();
    let (key, request) = post_of(&bench);
    let post = |request: &TopUpRequest| in_runtime(as_the_kiosk(&bench).top_up(&key, request));

    let first = accepted(post(&request).expect("central answers"));
    let again = accepted(post(&request).expect("central answers"));
    assert_eq!(first, again);
    assert_eq!(again.1, 3240, "Ana had 12.40");
    let more = TopUpRequest { amount: Amount::euro(50), ..request };
    let refused = post(&more);
    assert!(
        matches!(&refused, Err(ClientError::Refused(problem))
            if problem.kind == ProblemKind::KeyReused),
        "{refused:?}"
    );

    assert_eq!(bench.receipt_count(), 1);
    let twenty = Money { boxed: 2000, credited: 2000, ..Money::default() };
    assert_eq!(bench.audited_money(), twenty);
}

/// The key and the request of the only top-up, from the journal.
fn post_of(bench: &Bench) -> (IntentId, TopUpRequest) {
    let ordered = bench.records().into_iter().find_map(|(seq, record)| {
        let Record::TopUpOrdered { card_ref, amount, offline, at, .. } = record else {
            return None;
        };
        Some((
            seq,
            TopUpRequest { card_ref, amount, tender: Tender::Cash, offline, ordered_at: at },
        ))
    });
    let (seq, request) = ordered.expect("it was ordered");
    (IntentId { kiosk: "K0001".parse().expect("a kiosk id"), seq }, request)
}

fn accepted(answer: TopUpAnswer) -> (String, i64) {
    match answer {
        TopUpAnswer::Accepted { ledger_ref, balance } => (ledger_ref, balance.cents()),
        TopUpAnswer::Refused { reason } => panic!("refused: {reason:?}"),
    }
}

/// With the kiosk's own certificate, over its own line.
fn as_the_kiosk(bench: &Bench) -> Client {
    let read = |name: &str| std::fs::read(bench.dir().join(name)).expect("the town has it");
    let config = String::from_utf8(read("kioskd.toml")).expect("it is text");
    let url = config.lines().find_map(|line| line.strip_prefix("url = "));
    let config = ClientConfig {
        url: url.expect("kioskd calls central").trim_matches('"').to_owned(),
        ca_pem: read("ca.pem"),
        certificate_pem: read("K0001.pem"),
        key_pem: read("K0001.key"),
        connect_timeout: ClientConfig::CONNECT_TIMEOUT,
        timeout: ClientConfig::TIMEOUT,
    };
    Client::new(&config).expect("the kiosk's certificate is sound")
}

fn in_runtime<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}
