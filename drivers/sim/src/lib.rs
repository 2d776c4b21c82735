//! Firmware models of the devices that speak their byte protocols, with faults.
