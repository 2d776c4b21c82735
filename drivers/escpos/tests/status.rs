//! What printers say, byte by byte.

use domain::Mono;
use driver_api::printer::{Command, Document, JobId, Line};
use driver_api::{FaultKind, Link, Protocol};
use driver_escpos::{Answer, Config, Parser, Printer, Query, Status};
use proptest::prelude::*;

fn parsed(bytes: &[u8]) -> Vec<Answer> {
    let mut parser = Parser::default();
    bytes.iter().filter_map(|byte| parser.push(*byte)).collect()
}

fn asked(query: Query, answer: u8) -> Status {
    let mut status = Status::default();
    status.add(query, answer);
    status
}

#[test]
fn each_bit_of_the_real_time_answers() {
    let all_good = Status::default();
    for query in [Query::Printer, Query::OfflineCause, Query::ErrorCause, Query::Paper] {
        assert_eq!(asked(query, 0x12), all_good);
    }
    // The drawer's pin and the feed button are nobody's fault.
    assert_eq!(asked(Query::Printer, 0x12 | 0x04 | 0x20 | 0x40), all_good);
    assert!(asked(Query::Printer, 0x1A).offline);
    assert!(asked(Query::OfflineCause, 0x16).cover_open);
    assert!(asked(Query::OfflineCause, 0x32).paper_end);
    assert!(asked(Query::ErrorCause, 0x16).recoverable);
    assert!(asked(Query::ErrorCause, 0x1A).cutter);
    assert!(asked(Query::ErrorCause, 0x32).unrecoverable);
    assert!(asked(Query::ErrorCause, 0x52).passing);
    assert!(asked(Query::Paper, 0x1E).paper_low && !asked(Query::Paper, 0x1E).paper_end);
    assert!(asked(Query::Paper, 0x72).paper_end);
}

#[test]
fn each_bit_of_the_unasked_status() {
    let of = |bytes: [u8; 4]| match parsed(&bytes).as_slice() {
        [Answer::Unasked(status)] => *status,
        other => panic!("{other:?}"),
    };
    assert_eq!(of([0x10, 0, 0, 0]), Status::default());
    assert_eq!(of([0x14, 0, 0, 0x0F]), Status::default(), "drawer pin");
    assert!(of([0x18, 0, 0, 0]).offline);
    assert!(of([0x30, 0, 0, 0]).cover_open);
    assert!(of([0x10, 0x04, 0, 0]).recoverable);
    assert!(of([0x10, 0x08, 0, 0]).cutter);
    assert!(of([0x10, 0x20, 0, 0]).unrecoverable);
    assert!(of([0x10, 0x40, 0, 0]).passing);
    assert!(of([0x10, 0, 0x03, 0]).paper_low);
    assert!(of([0x10, 0, 0x0C, 0]).paper_end);
}

#[test]
fn faults_are_named_gravest_first() {
    let everything = Status {
        offline: true,
        cover_open: true,
        paper_end: true,
        cutter: true,
        unrecoverable: true,
        ..Status::default()
    };
    let kinds: Vec<FaultKind> = everything.faults().map(|fault| fault.kind).collect();
    let expected =
        [FaultKind::CoverOpen, FaultKind::Cutter, FaultKind::Defective, FaultKind::PaperEnd];
    assert_eq!(kinds, expected);
    assert_eq!(everything.faults().next().map(|fault| fault.vendor.0), Some(0b11_0111));
    let little_paper = Status { paper_low: true, ..Status::default() };
    assert_eq!(little_paper.faults().count(), 0);
}

#[test]
fn flow_control_and_line_noise_say_nothing() {
    assert_eq!(parsed(&[0x11, 0x13, 0x80, 0xFF, 0x90]), []);
    assert_eq!(parsed(b"\x37\x22AB\0\x37\x25\0\x12"), [Answer::RealTime(0x12)]);
    assert_eq!(parsed(b"\x37\x220042\0"), [Answer::Process(*b"0042")]);
}

/// What a printer says at one moment.
#[derive(Clone, Debug)]
enum Said {
    RealTime(u8),
    Unasked([u8; 4]),
}

fn real_time() -> impl Strategy<Value = u8> {
    any::<u8>().prop_map(|bits| bits & 0x6C | 0x12)
}

fn unasked() -> impl Strategy<Value = [u8; 4]> {
    any::<[u8; 4]>().prop_map(|[a, b, c, d]| [a & 0x6C | 0x10, b & 0x6F, c & 0x6F, d & 0x6F])
}

proptest! {
    #[test]
    fn real_time_answers_amid_unasked_status_change_neither(
        said in prop::collection::vec(
            prop_oneof![
                real_time().prop_map(Said::RealTime),
                unasked().prop_map(Said::Unasked),
            ],
            0..20,
        ),
        inside in prop::collection::vec((real_time(), 1_usize..4), 0..20),
    ) {
        let mut plain = Vec::new();
        let mut mixed = Vec::new();
        let mut inside = inside.into_iter();
        for said in &said {
            match said {
                Said::RealTime(byte) => {
                    plain.push(*byte);
                    mixed.push(*byte);
                }
                Said::Unasked(bytes) => {
                    let mut torn = bytes.to_vec();
                    if let Some((byte, at)) = inside.next() {
                        plain.push(byte);
                        torn.insert(at, byte);
                    }
                    plain.extend(bytes);
                    mixed.extend(torn);
                }
            }
        }
        prop_assert_eq!(parsed(&mixed), parsed(&plain));
        let unasked = said.iter().filter(|said| matches!(said, Said::Unasked(_))).count();
        let heard = parsed(&mixed);
        let statuses = heard.iter().filter(|answer| matches!(answer, Answer::Unasked(_)));
        prop_assert_eq!(statuses.count(), unasked);
    }

    #[test]
    fn no_bytes_panic_it_and_no_job_ends_twice(
        noise in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..40),
        text in ".{0,200}",
    ) {
        let mut printer = Printer::new(Config::default());
        let mut now = Mono(0);
        printer.handle_link(now, Link::Up);
        let document = Document {
            lines: vec![
                Line::Title(text.clone()),
                Line::Pair(text.clone(), text.clone()),
                Line::Qr(text.clone()),
                Line::Barcode(text),
            ],
        };
        let job = JobId(9);
        let taken = printer.handle_command(now, Command::Print { job, document });
        prop_assert!(taken.is_ok());
        let mut sent = 0;
        let mut ends = 0;
        for bytes in noise {
            printer.handle_bytes(now, &bytes);
            if let Some((until, _)) = printer.poll_timeout() {
                now = now.max(until);
                printer.handle_timeout(now);
            }
            while let Some(frame) = printer.poll_write() {
                sent += usize::from(frame.secret);
            }
            while let Some(event) = printer.poll_event() {
                use driver_api::printer::Event::{NotPrinted, Printed};
                ends += usize::from(matches!(event, Printed(_) | NotPrinted(_, _)));
            }
        }
        prop_assert!(ends <= 1, "{} ends", ends);
        prop_assert!(sent <= 10, "{} chunks of a short document", sent);
    }
}
