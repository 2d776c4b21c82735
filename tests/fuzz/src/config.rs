//! `kioskd.toml` and the file of card keys, as a technician may have left them.

use driver_mifare::CardKeys;
use kiosk_daemon::config::Config;

/// Was it a configuration?
pub(crate) fn run(input: &[u8]) -> bool {
    if let Ok(keys) = serde_json::from_slice::<CardKeys>(input) {
        let once = serde_json::to_vec(&keys).expect("keys can be written");
        assert_eq!(serde_json::from_slice::<CardKeys>(&once).expect("and read"), keys);
    }
    let Ok(text) = std::str::from_utf8(input) else { return false };
    match toml::from_str::<Config>(text) {
        Ok(config) => config.core().kiosk == config.kiosk.id,
        Err(error) => {
            assert!(!error.message().is_empty(), "an error says what is wrong");
            false
        }
    }
}
