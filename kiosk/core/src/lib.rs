//! The kiosk as one deterministic state machine. Pure.
