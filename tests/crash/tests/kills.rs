//! The short run of `./dev soak`: each named point, and what one seed makes of the rest.

#[test]
fn twenty_kills_lose_not_one_cent() {
    crash::soak(20_261_121, 20, |line| eprintln!("{line}"));
}
