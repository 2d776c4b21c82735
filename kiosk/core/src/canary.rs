//! Planted bugs: the simulator (tests/sim) must find each of them, or it proves nothing. They exist
//! under the feature `canaries` alone; without it none is ever planted, and all this compiles to
//! nothing.

/// A bug that can be planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Canary {
    /// A note in doubt is not claimed for.
    ForgetDoubt,
    /// A note is ordered into the cash unit without a record.
    StackWithoutIntent,
    /// A note that comes back is credited all the same.
    GiveBackAndCredit,
    /// Who cancels leaves, and the credit stays.
    LeaveWithCredit,
    /// A terminal that does not know is taken for one that has declined.
    UnknownIsDeclined,
    /// What turns out to be paid when the customer has gone is credited to nobody.
    LateIsForgotten,
    /// What central refuses stays charged.
    NeverGivenBack,
    /// Once in the product: a note that comes out closes the order of an older one in doubt.
    ClaimEndsWithAnyNote,
    /// Once in the product: a note stuck in the unit counts as given back.
    JamIsGivenBack,
    /// Once in the product: a note found by the life counter is counted again.
    CounterCountsTwice,
    /// Once in the product: the count before a doubt is believed after it.
    CounterOutlivesDoubt,
    /// Once in the product: a late answer about a PIN opens the visit of whoever asks next.
    LateAnswerOpens,
}

#[cfg(feature = "canaries")]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Canary>> = const { std::cell::Cell::new(None) };
}

/// Plants one in this thread, or digs it out.
#[cfg(feature = "canaries")]
pub fn plant(canary: Option<Canary>) {
    PLANTED.set(canary);
}

/// Is it planted?
#[cfg(feature = "canaries")]
pub(crate) fn planted(canary: Canary) -> bool {
    PLANTED.get() == Some(canary)
}

/// Never.
#[cfg(not(feature = "canaries"))]
pub(crate) const fn planted(_: Canary) -> bool {
    false
}
