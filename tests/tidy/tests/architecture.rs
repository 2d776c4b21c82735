//! The dependency rule of ARCHITECTURE.md: contracts at the bottom, pure logic in the middle,
//! shells on top; arrows only downwards, and no driver knows another.

use tidy::{Finding, Workspace, assert_none};

/// Every crate and the crates of ours it may be built from. A new arrow is a change of this table,
/// and so of the architecture: ARCHITECTURE.md has to say why.
const ARROWS: [(&str, &[&str]); 27] = [
    // Contracts.
    ("domain", &[]),
    ("driver-api", &["domain"]),
    ("ui-proto", &["domain"]),
    ("kiosk-records", &["domain", "driver-api"]),
    // It tells kiosks the public keys of the town's cards, in the words of who checks cards.
    ("central-api", &["domain", "driver-mifare", "kiosk-records"]),
    // Pure logic.
    ("kiosk-core", &["domain", "driver-api", "kiosk-records", "ui-proto"]),
    ("driver-ssp", &["domain", "driver-api"]),
    ("driver-mifare", &["domain", "driver-api"]),
    ("driver-escpos", &["domain", "driver-api"]),
    ("driver-zvt", &["domain", "driver-api"]),
    ("driver-nexo", &["domain", "driver-api"]),
    // Shells.
    ("driver-host", &["domain", "driver-api"]),
    ("driver-pcsc", &["domain", "driver-api", "driver-mifare"]),
    ("driver-sim", &["domain", "driver-api", "driver-mifare"]),
    ("ifd-virtual", &[]),
    ("kiosk-journal", &["domain", "kiosk-records"]),
    ("central-server", &["central-api", "domain", "driver-mifare", "kiosk-records"]),
    // Programs.
    (
        "kioskd",
        &[
            "central-api",
            "domain",
            "driver-api",
            "driver-escpos",
            "driver-host",
            "driver-mifare",
            "driver-nexo",
            "driver-pcsc",
            "driver-ssp",
            "driver-zvt",
            "kiosk-core",
            "kiosk-journal",
            "kiosk-records",
            "ui-proto",
        ],
    ),
    ("ui-headless", &[]),
    ("kiosk-ui", &["domain", "ui-headless", "ui-proto"]),
    (
        "workbench",
        &["central-api", "domain", "driver-api", "driver-sim", "kiosk-records", "ui-proto"],
    ),
    // Tests.
    (
        "benches",
        &[
            "central-api",
            "domain",
            "driver-api",
            "driver-sim",
            "kiosk-core",
            "kiosk-journal",
            "kiosk-records",
            "kioskd",
            "ui-proto",
        ],
    ),
    ("crash", &["e2e", "kiosk-journal", "kiosk-records"]),
    ("e2e", &["central-api", "domain", "kiosk-journal", "kiosk-records", "ui-proto"]),
    (
        "fuzz-targets",
        &[
            "central-api",
            "domain",
            "driver-api",
            "driver-escpos",
            "driver-mifare",
            "driver-nexo",
            "driver-sim",
            "driver-ssp",
            "driver-zvt",
            "kiosk-core",
            "kiosk-records",
            "kioskd",
            "ui-proto",
        ],
    ),
    (
        "sim",
        &[
            "domain",
            "driver-api",
            "driver-escpos",
            "driver-mifare",
            "driver-nexo",
            "driver-sim",
            "driver-ssp",
            "driver-zvt",
            "kiosk-core",
            "kiosk-records",
            "ui-proto",
        ],
    ),
    ("tidy", &[]),
];

#[test]
fn arrows_point_only_where_the_architecture_lets_them() {
    let workspace = Workspace::load();
    let findings = workspace.arrows(false).into_iter().flat_map(|(from, to)| {
        let allowed = ARROWS.iter().find(|(name, _)| *name == from);
        let allowed = allowed.map(|(_, allowed)| *allowed);
        let unknown = allowed.is_none().then(|| Finding::about(from, "is not in the table"));
        let wrong: Vec<Finding> = to
            .into_iter()
            .filter(|to| !allowed.unwrap_or_default().contains(to))
            .map(|to| Finding::about(from, format!("must not depend on {to}")))
            .collect();
        unknown.into_iter().chain(wrong)
    });
    assert_none("The dependency rule (the table in this test)", findings);
}

#[test]
fn who_audits_the_kiosk_shares_no_code_with_its_core() {
    let workspace = Workspace::load();
    let arrows = workspace.arrows(true);
    let independent = ["central-api", "central-server", "kiosk-ui", "ui-proto", "workbench"];
    let findings = independent
        .into_iter()
        .filter(|name| arrows[name].contains("kiosk-core"))
        .map(|name| Finding::about(name, "depends on kiosk-core, if only in its tests"));
    assert_none("central and the screen stay independent of kiosk-core", findings);
}

#[test]
fn every_crate_inherits_the_lints_of_the_workspace() {
    let workspace = Workspace::load();
    let findings = workspace.members().into_iter().filter_map(|package| {
        let text = std::fs::read_to_string(&package.manifest_path).expect("cargo has read it");
        let manifest: toml::Table = text.parse().expect("cargo has parsed it");
        let inherits = manifest
            .get("lints")
            .and_then(|lints| lints.get("workspace"))
            .and_then(toml::Value::as_bool);
        (inherits != Some(true)).then(|| Finding::about(&package.name, "lacks lints.workspace"))
    });
    assert_none("Every Cargo.toml says `[lints] workspace = true`", findings);
}
