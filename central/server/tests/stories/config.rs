//! A configuration that cannot be meant is refused at the start, with what is wrong about it.

use central_server::config::Config;
use central_server::demo;
use domain::Amount;

use crate::rig;

#[tokio::test]
async fn the_demo_town_takes_cash_and_bank_cards() {
    let dir = tempfile::tempdir().unwrap();
    demo::make_town(&rig::options(dir.path())).await.unwrap();
    let rules = Config::load(&dir.path().join("central.toml")).unwrap().recharge;
    assert_eq!((rules.min, rules.max), (Amount::euro(5), Amount::euro(150)));
    assert_eq!((rules.card.min, rules.card.max), (Amount::euro(10), Amount::euro(150)));
    let amounts: Vec<_> = rules.card.amounts.into_iter().collect();
    assert_eq!(amounts, [10, 20, 30, 50, 100].map(Amount::euro));
}

#[tokio::test]
async fn limits_that_contradict_each_other_are_named() {
    let dir = tempfile::tempdir().unwrap();
    demo::make_town(&rig::options(dir.path())).await.unwrap();
    let file = dir.path().join("central.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    let cash = "min = 500\nmax = 15000\nwallet_max = 15000\n";
    let card =
        "[recharge.card]\nmin = 1000\nmax = 15000\namounts = [1000, 2000, 3000, 5000, 10000]\n";
    assert!(good.contains(cash) && good.contains(card));
    let with_card = |text: &str| good.replace(card, &format!("[recharge.card]\n{text}\n"));
    for (text, fault) in [
        (good.replace("min = 500\nmax = 15000", "min = 500\nmax = 400"), "recharge.min is above"),
        (good.replace("wallet_max = 15000", "wallet_max = 14999"), "recharge.max is above"),
        (with_card("min = 0\nmax = 15000\namounts = [1000]"), "recharge.card.min: not zero"),
        (with_card("min = 2000\nmax = 1000\namounts = [1000]"), "recharge.card.min is above"),
        (with_card("min = 1000\nmax = 15001\namounts = [1000]"), "recharge.card.max is above"),
        (with_card("min = 1000\nmax = 2000\namounts = []"), "recharge.card.amounts: at least one"),
        (with_card("min = 1000\nmax = 2000\namounts = [999]"), "recharge.card.amounts: within"),
        (with_card("min = 1000\nmax = 2000\namounts = [1000, 2001]"), "amounts: within"),
    ] {
        assert_ne!(text, good);
        std::fs::write(&file, text).unwrap();
        let error = Config::load(&file).unwrap_err().to_string();
        assert!(error.contains(fault), "{fault}: {error}");
    }
    // Without a word about cards it is not known whether they are taken.
    std::fs::write(&file, good.replace(card, "")).unwrap();
    assert!(Config::load(&file).is_err());
}
