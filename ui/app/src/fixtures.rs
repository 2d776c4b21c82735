//! Every screen with data in it, by name: for component tests, golden pictures and whoever wants
//! to look at one. Nobody of these exists.

use domain::Wall;
use domain::{Amount, Lang, MovementKind, RechargeRefusal, WalletMovement};
use ui_proto::{
    ByCard, ByCardOff, CardHint, CardRefusal, ChooseAmount, DoneKind, Home, Inserting, NoteNews,
    OutReason, PaymentRefusal, PinError, Prefs, ReceiptState, RechargeOff, Review, Screen, View,
};

/// A view of `screen` without preferences or a warning.
pub fn view(lang: Lang, screen: Screen) -> View {
    View { lang, prefs: Prefs::default(), ends_in_s: None, screen }
}

/// All screens and their variants. Names are unique and fit a file name.
pub fn screens() -> Vec<(&'static str, Screen)> {
    let mut all = vec![
        ("starting", Screen::Starting),
        ("attract", Screen::Attract { limited: false }),
        ("attract_limited", Screen::Attract { limited: true }),
        ("present_card", Screen::PresentCard),
        ("reading_card", Screen::ReadingCard),
        ("checking_pin", Screen::CheckingPin),
        ("offline_home", offline_home(None)),
        ("offline_home_no_acceptor", offline_home(Some(RechargeOff::Acceptor))),
        ("confirm_cancel", Screen::ConfirmCancel { inserted: Amount::euro(30) }),
        ("review", Screen::Review(review(Some(cents(1_238))))),
        ("review_offline", Screen::Review(review(None))),
        ("crediting", Screen::Crediting { amount: Amount::euro(30) }),
        ("checking_note", Screen::CheckingNote { value: Amount::euro(20) }),
        ("goodbye", Screen::Goodbye { returned: None, timed_out: false }),
        ("goodbye_note", Screen::Goodbye { returned: Some(Amount::euro(20)), timed_out: false }),
        ("goodbye_timeout", Screen::Goodbye { returned: None, timed_out: true }),
    ];
    all.extend(out_of_service());
    all.extend(refusals());
    all.extend(pins());
    all.extend(homes());
    all.extend(inserting());
    all.extend(paying());
    all.extend(declined());
    all.extend(done());
    all
}

/// One of [`screens`].
pub fn screen(name: &str) -> Option<Screen> {
    screens().into_iter().find(|(known, _)| *known == name).map(|(_, screen)| screen)
}

fn out_of_service() -> [(&'static str, Screen); 5] {
    [
        ("out_card_reader", OutReason::CardReader),
        ("out_acceptor", OutReason::Acceptor),
        ("out_books", OutReason::Books),
        ("out_attendant", OutReason::Attendant),
        ("out_central", OutReason::Central),
    ]
    .map(|(name, reason)| (name, Screen::OutOfService { reason }))
}

fn refusals() -> [(&'static str, Screen); 10] {
    [
        ("refused_torn", CardRefusal::Torn),
        ("refused_foreign", CardRefusal::Foreign),
        ("refused_not_genuine", CardRefusal::NotGenuine),
        ("refused_several", CardRefusal::Several),
        ("refused_expired", CardRefusal::Expired),
        ("refused_blocked", CardRefusal::Blocked),
        ("refused_suspended", CardRefusal::Suspended),
        ("refused_pin_locked", CardRefusal::PinLocked { retry_min: Some(15) }),
        ("refused_pin_locked_office", CardRefusal::PinLocked { retry_min: None }),
        ("refused_central_away", CardRefusal::CentralAway),
    ]
    .map(|(name, reason)| (name, Screen::CardRefused { reason }))
}

fn pins() -> [(&'static str, Screen); 5] {
    let pin = |digits, digits_max, error| Screen::Pin { digits, digits_min: 4, digits_max, error };
    [
        ("pin", pin(0, 4, None)),
        ("pin_typed", pin(4, 4, None)),
        ("pin_wrong", pin(0, 4, Some(PinError::Wrong { tries_left: 2 }))),
        ("pin_no_answer", pin(0, 4, Some(PinError::NoAnswer))),
        ("pin_long", pin(3, 6, Some(PinError::Wrong { tries_left: 1 }))),
    ]
}

fn homes() -> [(&'static str, Screen); 12] {
    let (full, acceptor) = (Some(RechargeOff::WalletFull), Some(RechargeOff::Acceptor));
    [
        ("home", None, ByCard::NotHere),
        ("home_wallet_full", full, ByCard::NotHere),
        ("home_no_acceptor", acceptor, ByCard::NotHere),
        ("home_by_card", None, ByCard::Open),
        ("home_by_card_only", acceptor, ByCard::Open),
        ("home_no_terminal", None, ByCard::Off(ByCardOff::Terminal)),
        ("home_no_note_fits", full, ByCard::Open),
        ("home_no_card_fits", None, ByCard::Off(ByCardOff::WalletFull)),
        ("home_checking", None, ByCard::Off(ByCardOff::Checking)),
        ("home_neither", acceptor, ByCard::Off(ByCardOff::Checking)),
        ("home_full_for_all", full, ByCard::Off(ByCardOff::WalletFull)),
        ("home_nothing_works", acceptor, ByCard::Off(ByCardOff::Terminal)),
    ]
    .map(|(name, cash, card)| (name, Screen::Home(home(cash, card))))
}

fn inserting() -> Vec<(&'static str, Screen)> {
    let value = Amount::euro(50);
    let returned = |why| Some(NoteNews::Returned { value, why });
    let all = [
        ("inserting", 0, None),
        ("inserting_reading", 20, Some(NoteNews::Reading)),
        ("inserting_counted", 30, Some(NoteNews::Counted { value: Amount::euro(10) })),
        ("inserting_over_max", 120, returned(RechargeRefusal::OverMax)),
        ("inserting_over_wallet", 120, returned(RechargeRefusal::OverWalletMax)),
        ("inserting_over_offline", 40, returned(RechargeRefusal::OverOfflineMax)),
        ("inserting_not_taken_here", 20, returned(RechargeRefusal::NoteNotTaken)),
        ("inserting_under_min", 0, returned(RechargeRefusal::UnderMin)),
        ("inserting_not_recognised", 20, Some(NoteNews::NotRecognised)),
        ("inserting_not_taken", 20, Some(NoteNews::NotTaken)),
        ("inserting_given_back", 20, Some(NoteNews::GivenBack { value })),
    ];
    let mut all = all.map(|(name, inserted, news)| (name, inserting_with(inserted, news))).to_vec();
    all.push(("inserting_full", Screen::Inserting(Inserting { notes: vec![], ..cash(135) })));
    all.push((
        "inserting_escrowed",
        Screen::Inserting(Inserting {
            escrowed: Some(Amount::euro(20)),
            news: Some(NoteNews::Reading),
            ..cash(0)
        }),
    ));
    all
}

fn inserting_with(inserted: u16, news: Option<NoteNews>) -> Screen {
    let offline =
        matches!(news, Some(NoteNews::Returned { why: RechargeRefusal::OverOfflineMax, .. }));
    let mut data = Inserting { news, ..cash(inserted) };
    if offline {
        data.balance = None;
        data.max = Amount::euro(50);
    }
    Screen::Inserting(data)
}

fn cash(inserted: u16) -> Inserting {
    let balance = cents(1_238);
    let room = 137u16.saturating_sub(inserted);
    Inserting {
        inserted: Amount::euro(inserted),
        escrowed: None,
        balance: Some(balance),
        notes: [5, 10, 20, 50].into_iter().filter(|note| *note <= room).map(Amount::euro).collect(),
        news: None,
        can_finish: inserted >= 5,
        min: Amount::euro(5),
        max: Amount::euro(150),
    }
}

fn paying() -> Vec<(&'static str, Screen)> {
    let amount = Amount::euro(20);
    let choose = |amounts: &[u16]| {
        Screen::ChooseAmount(ChooseAmount {
            amounts: amounts.iter().copied().map(Amount::euro).collect(),
            balance: cents(1_238),
            wallet_max: Amount::euro(150),
        })
    };
    let mut all = vec![
        ("choose_amount", choose(&[5, 10, 20, 30, 50, 100])),
        ("choose_amount_few", choose(&[5, 10, 20])),
        ("choose_amount_many", choose(&[5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 90, 100])),
        ("checking_payment", Screen::CheckingPayment { amount }),
        ("giving_back", Screen::GivingBack { amount }),
    ];
    let hints = [
        ("pay_present_card", CardHint::PresentCard, true),
        ("pay_insert_card", CardHint::InsertCard, true),
        ("pay_try_again", CardHint::TryAgain, true),
        ("pay_use_pin_pad", CardHint::UsePinPad, true),
        ("pay_wrong_pin", CardHint::WrongPin, true),
        ("pay_asking_bank", CardHint::AskingBank, false),
        ("pay_remove_card", CardHint::RemoveCard, false),
        ("pay_wait", CardHint::Wait, false),
    ];
    all.extend(hints.map(|(name, hint, can_cancel)| {
        (name, Screen::PayAtTerminal { amount, hint, can_cancel })
    }));
    all
}

/// Name, reason, and whether another try with a card, and cash, are possible.
fn declined() -> [(&'static str, Screen); 10] {
    let amount = Amount::euro(20);
    [
        ("declined_bank", PaymentRefusal::Bank, true, true),
        ("declined_funds", PaymentRefusal::Funds, true, true),
        ("declined_pin", PaymentRefusal::Pin, true, true),
        ("declined_card", PaymentRefusal::Card, true, true),
        ("declined_not_accepted", PaymentRefusal::NotAccepted, true, true),
        ("declined_unreadable", PaymentRefusal::Unreadable, true, true),
        ("declined_cancelled", PaymentRefusal::Cancelled, true, false),
        ("declined_no_host", PaymentRefusal::NoHost, false, true),
        ("declined_terminal", PaymentRefusal::Terminal, false, true),
        ("declined_for_good", PaymentRefusal::Terminal, false, false),
    ]
    .map(|(name, reason, can_retry, can_pay_cash)| {
        (name, Screen::PaymentDeclined { amount, reason, can_retry, can_pay_cash })
    })
}

fn done() -> Vec<(&'static str, Screen)> {
    let amount = Amount::euro(30);
    let number = || "K0001-000127".to_owned();
    let text = || RECEIPT.to_owned();
    let credited = || DoneKind::Credited { amount, balance: cents(4_238) };
    let pending = || DoneKind::Pending { amount, number: number() };
    let claim = || DoneKind::Claim { amount, number: number() };
    let in_doubt =
        |credited| DoneKind::InDoubt { amount: Amount::euro(20), credited, number: number() };
    let bank = Amount::euro(20);
    let given_back = || DoneKind::GivenBack { amount: bank, number: number() };
    let unpaid = || DoneKind::PaymentInDoubt { amount: bank, number: number() };
    let offer = || ReceiptState::Offer { can_print: true };
    [
        ("done_credited", credited(), offer()),
        ("done_no_printer", credited(), ReceiptState::Offer { can_print: false }),
        ("done_printing", credited(), ReceiptState::Printing),
        ("done_take", credited(), ReceiptState::Take),
        ("done_not_printed", credited(), ReceiptState::NotPrinted { text: text() }),
        ("done_on_screen", credited(), ReceiptState::OnScreen { text: text() }),
        ("done_pending", pending(), offer()),
        ("done_pending_on_screen", pending(), ReceiptState::OnScreen { text: text() }),
        ("done_claim", claim(), offer()),
        ("done_claim_not_printed", claim(), ReceiptState::NotPrinted { text: text() }),
        ("done_in_doubt", in_doubt(Amount::euro(10)), offer()),
        ("done_in_doubt_alone", in_doubt(Amount::ZERO), ReceiptState::Take),
        (
            "done_in_doubt_on_screen",
            in_doubt(Amount::ZERO),
            ReceiptState::OnScreen { text: text() },
        ),
        ("done_given_back", given_back(), offer()),
        ("done_given_back_not_printed", given_back(), ReceiptState::NotPrinted { text: text() }),
        ("done_payment_in_doubt", unpaid(), offer()),
        ("done_payment_in_doubt_take", unpaid(), ReceiptState::Take),
        ("done_payment_in_doubt_not_printed", unpaid(), ReceiptState::NotPrinted { text: text() }),
    ]
    .map(|(name, done, receipt)| (name, Screen::Done { done, receipt }))
    .to_vec()
}

fn home(recharge_off: Option<RechargeOff>, by_card: ByCard) -> Home {
    let line = |day: i64, kind, cents| WalletMovement {
        at: Wall { utc_ms: 1_795_240_920_000 - day * 86_400_000, offset_min: 60 },
        kind,
        cents,
    };
    // Where cards are not taken, none has been.
    let top_up = match by_card {
        ByCard::NotHere => MovementKind::CashTopUp,
        ByCard::Off(_) | ByCard::Open => MovementKind::CardTopUp,
    };
    Home {
        holder: "Ana G.".to_owned(),
        card: "•••• ••78 97".to_owned(),
        balance: cents(1_238),
        movements: vec![
            line(1, MovementKind::Purchase, -350),
            line(4, top_up, 2_000),
            line(9, MovementKind::Refund, 480),
            line(12, MovementKind::OtherTopUp, 1_500),
        ],
        recharge_off,
        by_card,
    }
}

fn offline_home(recharge_off: Option<RechargeOff>) -> Screen {
    Screen::OfflineHome {
        card: "•••• ••78 97".to_owned(), max: Amount::euro(50), recharge_off
    }
}

fn review(balance: Option<Amount>) -> Review {
    let amount = Amount::euro(30);
    Review {
        amount,
        balance,
        balance_after: balance.and_then(|balance| balance.checked_add(amount)),
        can_add: true,
    }
}

fn cents(cents: i64) -> Amount {
    Amount::from_cents(cents).expect("the fixtures' amounts are amounts")
}

const RECEIPT: &str = "K0001-000127\n21/11/2026 12:42\n+30,00 €\n•••• ••78 97";
