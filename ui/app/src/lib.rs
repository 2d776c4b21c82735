//! kiosk-ui: the screen of the kiosk, in Slint. Decides nothing.
