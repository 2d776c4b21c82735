use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use anyhow::{Context, Result, bail};
use driver_mifare::{CardKeys, NetworkCode};
use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use super::write_private;

/// The municipality's id.
pub(crate) const TOWN: &str = "vallserena";
/// The network its cards belong to.
pub(crate) const NETWORK: NetworkCode = NetworkCode(46);
/// Of the one signing key it has so far.
pub(crate) const KEY_VERSION: u8 = 1;

/// Keys from the system's randomness: they are as secret here as anywhere.
pub(crate) fn write_keys(dir: &Path) -> Result<()> {
    let signing = random::<32>()?;
    let public = SigningKey::from_bytes(&signing).verifying_key();
    let card_keys = CardKeys::new(NETWORK, BTreeMap::from([(KEY_VERSION, public)]));
    let card_keys = serde_json::to_string_pretty(&card_keys)?;
    write_private(&dir.join("card_keys.json"), format!("{card_keys}\n").as_bytes())?;
    write_hex(dir, "card_signing.key", &signing)?;
    write_hex(dir, "card_master.key", &random::<16>()?)?;
    write_hex(dir, "card_ref.key", &random::<32>()?)?;
    write_hex(dir, "pepper.key", &random::<32>()?)
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut_slice()).context("the system's randomness")?;
    Ok(bytes)
}

fn write_hex<const N: usize>(dir: &Path, file: &str, key: &Zeroizing<[u8; N]>) -> Result<()> {
    let hex = Zeroizing::new(format!("{}\n", hex::encode(key.as_slice())));
    write_private(&dir.join(file), hex.as_bytes())
}

/// `central.toml`.
pub(crate) fn toml(port: Option<u16>) -> Result<String> {
    let [free, ops_port] = free_ports()?;
    let port = port.unwrap_or(free);
    Ok(format!(
        r#"# Central of a demo town, made by `central demo-town`. Amounts are euro cents.

time_zone = "Europe/Madrid"

[server]
listen = "127.0.0.1:{port}"
ops_listen = "127.0.0.1:{ops_port}"
database = "central.db"
certificate = "central.pem"
key = "central.key"
client_ca = "ca.pem"

{REST}"#
    ))
}

/// Two ports that nobody listens on at this moment. Not from the range out of which the system
/// lends ports to clients: central must find them free at its next start too. By chance, so that
/// towns made at the same time get different ones.
fn free_ports() -> Result<[u16; 2]> {
    let mut held = Vec::new();
    for _ in 0..PORT_TRIES {
        let [a, b] = *random::<2>()?;
        let port = 10_000 + u16::from_be_bytes([a, b]) % 22_000;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if let Ok(listener) = TcpListener::bind(address) {
            held.push((port, listener));
        }
        if let [(one, _), (other, _)] = held[..] {
            return Ok([one, other]);
        }
    }
    bail!("no free ports between 10000 and 32000")
}

const PORT_TRIES: u32 = 200;

const REST: &str = r#"[municipality]
id = "vallserena"

[municipality.names]
es = "Ayuntamiento de Vallserena de Mar"
ca = "Ajuntament de Vallserena de Mar"

# In cash.
[recharge]
min = 500
max = 15000
wallet_max = 15000
notes = [500, 1000, 2000, 5000]

[recharge.card]
min = 1000
max = 15000
amounts = [1000, 2000, 3000, 5000, 10000]

[recharge.offline]
max_per_visit = 5000
max_queued = 100000
hotlist_age_max_h = 48

# 5 wrong PINs in a row lock a card for 15 minutes, 10 until the office unlocks it.
[pin.policy]
tries = 5
lock_min = 15
office_after = 10

# Modest: OWASP's least for argon2id is 19456 KiB and 2 passes.
[pin.hash]
memory_kib = 19456
passes = 2

# Of one certificate.
[limits]
requests_per_s = 50
burst = 200
pins_per_min = 60

[keys]
card_ref = "card_ref.key"
pepper = "pepper.key"
card_keys = "card_keys.json"
card_signing = "card_signing.key"
card_master = "card_master.key"
"#;
