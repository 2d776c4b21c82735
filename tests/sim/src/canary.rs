//! Planted bugs, each of which the simulator must find: one that finds nothing proves nothing.
//! Those of the shell and of the devices live in the simulator; those of the core are compiled into
//! `kiosk-core` by its feature `canaries` alone.

/// A bug, and where it is planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Canary {
    /// Driver: reports a note as stacked as soon as it is told to stack it.
    CreditBeforeStacked,
    /// Driver: polls instead of holding, so the note goes in by itself.
    PollInsteadOfHold,
    /// Driver: reports a rejected note as stacked.
    CountRejected,
    /// Shell: runs the effects, then commits.
    EffectsBeforeCommit,
    /// Shell: now and then a step's records are not written.
    ForgetToJournal,
    /// Shell: the acknowledgement does not reach the validator.
    DropAck,
    /// Shell: every top-up goes out under the first one's key.
    ReuseKey,
    /// Shell: after a restart open top-ups go out again under new keys.
    NewKeyAfterRestart,
    /// Shell: the last transaction is applied once more at the start.
    DoubleApply,
    /// Shell: no answer is taken for a yes.
    SilenceIsYes,
    /// Shell: central has the journal as soon as it was sent.
    SyncedTooEarly,
    /// Shell: after a restart the terminal gets its open order again.
    PayAgainAfterRestart,
    /// One of the core's own.
    #[cfg(feature = "canaries")]
    Core(kiosk_core::canary::Canary),
}
