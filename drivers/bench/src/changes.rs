//! One signal for "something on the bench changed", so that pages and waits need not poll.

use std::sync::Arc;

use tokio::sync::watch;

/// Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Changes(Arc<watch::Sender<u64>>);

impl Default for Changes {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(0)))
    }
}

impl Changes {
    /// Something changed.
    pub fn touch(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    /// Sees every change from now on, several at once as one.
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}
