//! Who may use what: the drivers and the vocabulary are for everybody, what links Slint is GPL, and
//! nothing enters the tree under a licence that deny.toml does not name.

use std::fs;

use spdx::{Expression, Licensee, ParseMode};
use tidy::{Finding, Workspace, assert_none, root};

const OPEN: &str = "MIT OR Apache-2.0";
const COPYLEFT: &str = "GPL-3.0-only";

/// Vocabulary and drivers are for others to build on; the rest is the kiosk and its server.
fn decided(member: &str) -> &'static str {
    let open = matches!(
        member,
        "domain" | "kiosk-records" | "ui-proto" | "central-api" | "ifd-virtual" | "workbench"
    ) || member.starts_with("driver-");
    if open { OPEN } else { COPYLEFT }
}

#[test]
fn every_crate_has_the_licence_decided_for_it() {
    let workspace = Workspace::load();
    let findings = workspace.members().into_iter().filter_map(|package| {
        let wanted = decided(&package.name);
        let has = package.license.as_deref().unwrap_or("none");
        (has != wanted).then(|| Finding::about(&package.name, format!("{has}, not {wanted}")))
    });
    assert_none("LICENSE says which part has which licence", findings);
}

#[test]
fn what_is_for_everybody_contains_nothing_under_the_gpl() {
    let workspace = Workspace::load();
    let rules = Rules::read();
    let members = workspace.members();
    let open = members.iter().filter(|package| decided(&package.name) == OPEN);
    let findings = open.flat_map(|package| {
        let parts = workspace.goes_into(&package.name);
        parts
            .into_iter()
            .filter(|part| {
                is_ours(&workspace, part) && decided(part) == COPYLEFT || rules.is_exception(part)
            })
            .map(|part| Finding::about(&package.name, format!("contains {part}")))
            .collect::<Vec<_>>()
    });
    assert_none("MIT OR Apache-2.0 crates contain no GPL crate", findings);
}

#[test]
fn only_the_screen_links_slint() {
    let workspace = Workspace::load();
    let rules = Rules::read();
    let findings = workspace
        .members()
        .into_iter()
        .filter(|package| !matches!(package.name.as_str(), "kiosk-ui" | "ui-headless"))
        .flat_map(|package| {
            let parts = workspace.goes_into(&package.name);
            let gpl = parts.into_iter().filter(|part| rules.is_exception(part));
            gpl.map(|part| Finding::about(&package.name, format!("contains {part}")))
                .collect::<Vec<_>>()
        });
    assert_none("Crates that deny.toml excepts are for the screen alone", findings);
}

#[test]
fn every_dependency_has_a_licence_that_deny_toml_allows() {
    let rules = Rules::read();
    let workspace = Workspace::load();
    let findings = workspace.foreign().into_iter().filter_map(|package| {
        let licence = package.license.as_deref().unwrap_or("");
        let verdict = rules.judge(&package.name, licence);
        verdict.map(|why| Finding::about(&package.name, why))
    });
    assert_none("deny.toml [licenses]", findings);
}

#[test]
fn a_licence_that_is_not_allowed_is_noticed() {
    let rules = Rules::read();
    assert_eq!(rules.judge("any", "MIT/Apache-2.0"), None);
    assert!(rules.judge("any", "AGPL-3.0-only").is_some());
    assert!(rules.judge("any", "MIT AND SSPL-1.0").is_some());
    assert!(rules.judge("any", "").is_some());
    assert_eq!(rules.judge("slint", "GPL-3.0-only OR LicenseRef-X"), None);
}

fn is_ours(workspace: &Workspace, name: &str) -> bool {
    let members = workspace.members();
    members.iter().any(|package| package.name.as_str() == name)
}

/// `[licenses]` of deny.toml: the same list that cargo-deny reads.
struct Rules {
    allow: Vec<Licensee>,
    exceptions: Vec<(String, Vec<Licensee>)>,
}

impl Rules {
    fn read() -> Self {
        let text = fs::read_to_string(root().join("deny.toml")).expect("deny.toml is there");
        let deny: toml::Table = text.parse().expect("deny.toml is TOML");
        let licenses = &deny["licenses"];
        let exceptions = licenses["exceptions"].as_array().expect("a list");
        Self {
            allow: licensees(&licenses["allow"]),
            exceptions: exceptions
                .iter()
                .map(|exception| {
                    let name = exception["crate"].as_str().expect("a crate's name");
                    (name.to_owned(), licensees(&exception["allow"]))
                })
                .collect(),
        }
    }

    fn is_exception(&self, name: &str) -> bool {
        self.exceptions.iter().any(|(excepted, _)| excepted == name)
    }

    /// Why a crate with this licence may not be used.
    fn judge(&self, name: &str, licence: &str) -> Option<String> {
        // LAX: some crates still write `MIT/Apache-2.0`.
        let Ok(expression) = Expression::parse_mode(licence, ParseMode::LAX) else {
            return Some(format!("licence {licence:?} cannot be read"));
        };
        let excepted = self.exceptions.iter().filter(|(excepted, _)| excepted == name);
        let excepted = excepted.flat_map(|(_, allow)| allow);
        let allowed: Vec<&Licensee> = self.allow.iter().chain(excepted).collect();
        let fits = expression.evaluate(|wanted| allowed.iter().any(|one| one.satisfies(wanted)));
        (!fits).then(|| format!("licence {licence:?} is not allowed"))
    }
}

fn licensees(list: &toml::Value) -> Vec<Licensee> {
    let list = list.as_array().expect("a list of licences").iter();
    list.map(|licence| {
        let licence = licence.as_str().expect("a licence's SPDX name");
        Licensee::parse(licence).unwrap_or_else(|error| panic!("{licence}: {error}"))
    })
    .collect()
}
