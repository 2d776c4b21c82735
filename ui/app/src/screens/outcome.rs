use domain::{Amount, Lang};
use qrcode::{Color, QrCode};
use slint::{ComponentHandle, Image, Rgb8Pixel, SharedPixelBuffer};
use ui_proto::{DoneKind, ReceiptState};

use super::or_empty;
use crate::generated::{Done, Goodbye, KioskWindow, Outcome, Receipt};

pub(super) fn done(window: &KioskWindow, lang: Lang, kind: &DoneKind, receipt: &ReceiptState) {
    let done = window.global::<Done>();
    match kind {
        DoneKind::Credited { amount, balance } => {
            done.set_outcome(Outcome::Credited);
            done.set_amount(lang.amount(*amount).into());
            done.set_balance(lang.amount(*balance).into());
        }
        DoneKind::Pending { amount, number } => {
            done.set_outcome(Outcome::Pending);
            done.set_amount(lang.amount(*amount).into());
            done.set_number(number.as_str().into());
        }
        DoneKind::Claim { amount, number } => {
            done.set_outcome(Outcome::Claim);
            done.set_amount(lang.amount(*amount).into());
            done.set_number(number.as_str().into());
        }
        DoneKind::GivenBack { amount, number } => {
            done.set_outcome(Outcome::GivenBack);
            done.set_amount(lang.amount(*amount).into());
            done.set_number(number.as_str().into());
        }
        DoneKind::PaymentInDoubt { amount, number } => {
            done.set_outcome(Outcome::PaymentInDoubt);
            done.set_amount(lang.amount(*amount).into());
            done.set_number(number.as_str().into());
        }
        DoneKind::InDoubt { amount, credited, number } => {
            done.set_outcome(Outcome::InDoubt);
            done.set_amount(lang.note(*amount).into());
            let credited = (!credited.is_zero()).then(|| lang.amount(*credited));
            done.set_credited(or_empty(credited));
            done.set_number(number.as_str().into());
        }
    }
    let (state, text) = match receipt {
        ReceiptState::Offer { can_print } => {
            done.set_can_print(*can_print);
            (Receipt::Offer, "")
        }
        ReceiptState::Printing => (Receipt::Printing, ""),
        ReceiptState::Take => (Receipt::Take, ""),
        ReceiptState::NotPrinted { text } => (Receipt::NotPrinted, text.as_str()),
        ReceiptState::OnScreen { text } => (Receipt::OnScreen, text.as_str()),
    };
    done.set_receipt(state);
    done.set_text(text.into());
    done.set_qr(qr(text));
}

pub(super) fn goodbye(window: &KioskWindow, lang: Lang, returned: Option<Amount>, timed_out: bool) {
    let goodbye = window.global::<Goodbye>();
    goodbye.set_returned(or_empty(returned.map(|value| lang.note(value))));
    goodbye.set_timed_out(timed_out);
}

/// One pixel per module, with the quiet zone of 4 modules [ISO/IEC 18004 §5.3.8]; no picture for
/// no text, or for more text than a code holds: the text stands beside it.
fn qr(text: &str) -> Image {
    const QUIET: usize = 4;
    let Some(code) = (!text.is_empty()).then(|| QrCode::new(text).ok()).flatten() else {
        return Image::default();
    };
    let modules = code.width();
    let side = modules + 2 * QUIET;
    let Ok(side_px) = u32::try_from(side) else {
        return Image::default();
    };
    let mut picture = SharedPixelBuffer::<Rgb8Pixel>::new(side_px, side_px);
    let pixels = picture.make_mut_slice();
    pixels.fill(Rgb8Pixel::new(255, 255, 255));
    for (index, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            let (x, y) = (index % modules + QUIET, index / modules + QUIET);
            pixels[y * side + x] = Rgb8Pixel::new(0, 0, 0);
        }
    }
    Image::from_rgb8(picture)
}
