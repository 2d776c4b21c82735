//! kioskd: owns the devices, the core, the journal and the link to central.
