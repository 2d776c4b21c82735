//! Where the picture goes and the touches come from. One binary, three back ends.

use std::sync::Arc;

use ui_headless::{Headless, Picture};

use crate::Config;

/// A back end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Backend {
    /// A window on a desktop; needs the feature `window`.
    Window,
    /// The appliance's own screen, without X or Wayland; needs the feature `kms`.
    Kms,
    /// No screen: the picture is for `--remote`.
    Headless,
}

impl Backend {
    /// Makes it this thread's; the picture of a headless one is shared.
    ///
    /// # Errors
    /// It is not in this binary, or it found no screen.
    pub fn select(self, config: &Config) -> Result<Option<Arc<Picture>>, slint::PlatformError> {
        match self {
            Self::Window => software("winit").select()?,
            Self::Kms => {
                turn(config.panel.rotation_deg);
                software("linuxkms").select()?;
            }
            Self::Headless => return Ok(Some(Headless::install(config.panel.size())?.picture())),
        }
        Ok(None)
    }
}

fn software(backend: &str) -> slint::BackendSelector {
    slint::BackendSelector::new().backend_name(backend.into()).renderer_name("software".into())
}

#[allow(unsafe_code)]
fn turn(rotation_deg: u16) {
    if rotation_deg != 0 {
        // SAFETY: `main` selects the back end before there are other threads.
        unsafe { std::env::set_var("SLINT_KMS_ROTATION", rotation_deg.to_string()) };
    }
}
