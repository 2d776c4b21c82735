//! The workbench: simulated devices, a page to operate them, the live screen.
