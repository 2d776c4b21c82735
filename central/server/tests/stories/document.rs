use std::collections::BTreeSet;

use central_api::ProblemKind;
use serde_json::Value;

const CHECKED_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi.json");

#[test]
fn the_document_checked_in_is_the_one_the_code_makes() {
    let checked_in = std::fs::read_to_string(CHECKED_IN).unwrap();
    let made = central_server::openapi_json();
    assert!(
        checked_in == made,
        "central/openapi.json is out of date: cargo run -p central-server -- openapi > it"
    );
}

#[test]
fn every_error_is_a_problem_and_every_type_is_said_somewhere() {
    let document: Value = serde_json::from_str(&central_server::openapi_json()).unwrap();
    let mut said = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            for (status, response) in operation["responses"].as_object().unwrap() {
                if status.as_str() < "400" {
                    continue;
                }
                let content = response["content"].as_object().unwrap();
                let types: Vec<_> = content.keys().collect();
                assert_eq!(types, ["application/problem+json"], "{method} {path} {status}");
                let description = response["description"].as_str().unwrap();
                said.extend(description.split('`').skip(1).step_by(2).map(str::to_owned));
            }
        }
    }
    // It comes before any operation is known.
    said.insert(ProblemKind::MethodNotAllowed.slug().to_owned());
    let all: BTreeSet<_> = ProblemKind::ALL.iter().map(|kind| kind.slug().to_owned()).collect();
    assert_eq!(said, all);
}
