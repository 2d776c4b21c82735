//! A recharge in cash: its stages, and which code answers in each.

use domain::{Amount, RechargeRefusal};
use kiosk_records::{Disposition, Seq};
use ui_proto::NoteNews;

use super::{Flow, Input, Visit, credit, insert};
use crate::context::Context;

/// Recharging: who, and how far.
pub(crate) struct TopUp {
    pub(crate) visit: Visit,
    pub(crate) stage: Stage,
}

/// How far the recharge is.
#[derive(Clone, Debug)]
pub(crate) enum Stage {
    /// The slot is open, nothing is in escrow.
    Inserting { news: Option<NoteNews>, wish: Option<Wish> },
    /// A note goes back from escrow.
    Returning { value: Amount, why: RechargeRefusal, wish: Option<Wish> },
    /// A note is ordered into the cash unit.
    Stacking { intent: Seq, value: Amount, wish: Option<Wish> },
    /// The slot is closed; a note that was on its way in is coming back.
    Emptying { wish: Wish, returned: Option<Amount> },
    /// Stacked notes cannot come back: sure?
    ConfirmCancel,
    /// Last look.
    Review,
    /// Central is to credit.
    Crediting { intent: Seq, disposition: Disposition },
    /// Where a note is, is not known; its device is waited for.
    CheckingNote { intent: Seq, value: Amount },
}

/// What the customer asked for while a note was moving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Finish,
    Cancel,
    Leave(Disposition),
}

impl Stage {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Inserting { .. } => "inserting",
            Self::Returning { .. } => "returning",
            Self::Stacking { .. } => "stacking",
            Self::Emptying { .. } => "emptying",
            Self::ConfirmCancel => "confirm_cancel",
            Self::Review => "review",
            Self::Crediting { .. } => "crediting",
            Self::CheckingNote { .. } => "checking_note",
        }
    }
}
impl TopUp {
    pub(super) fn waits_for_customer(&self) -> bool {
        match self.stage {
            Stage::Inserting { .. } | Stage::ConfirmCancel | Stage::Review => true,
            Stage::Returning { .. }
            | Stage::Stacking { .. }
            | Stage::Emptying { .. }
            | Stage::Crediting { .. }
            | Stage::CheckingNote { .. } => false,
        }
    }

    pub(super) fn step(self, input: Input, cx: &mut Context) -> Flow {
        let Self { visit, stage } = self;
        match stage {
            Stage::Inserting { news, wish } => insert::inserting(visit, news, wish, input, cx),
            Stage::Returning { value, why, wish } => {
                insert::returning(visit, value, why, wish, input, cx)
            }
            Stage::Stacking { intent, value, wish } => {
                insert::stacking(visit, (intent, value), wish, input, cx)
            }
            Stage::Emptying { wish, returned } => {
                insert::emptying(visit, wish, returned, input, cx)
            }
            Stage::ConfirmCancel => credit::confirm_cancel(visit, input, cx),
            Stage::Review => credit::review(visit, input, cx),
            Stage::Crediting { intent, disposition } => {
                credit::crediting(visit, intent, disposition, input, cx)
            }
            Stage::CheckingNote { intent, value } => {
                insert::checking_note(visit, intent, value, input, cx)
            }
        }
    }
}
pub(super) fn stay(visit: Visit, stage: Stage) -> Flow {
    Flow::TopUp(TopUp { visit, stage })
}
