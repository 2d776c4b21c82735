//! central: cards, PINs, accounts in double entry, journals of the fleet.
