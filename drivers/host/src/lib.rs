//! The one tokio loop that runs any wire protocol over a transport.
