//! Contactless readers through PC/SC: one thread, a watchdog, honest outcomes.
