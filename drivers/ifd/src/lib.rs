//! A pcsc-lite IFD handler: a virtual contactless reader behind the real pcscd.
