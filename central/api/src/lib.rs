//! Types of central's API and the client kioskd uses.
