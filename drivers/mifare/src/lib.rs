//! The citizen card on MIFARE Classic: layout, signature, card dialogue, sans-IO. Pure.
