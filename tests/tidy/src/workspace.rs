//! Which crate depends on which.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand, Package, PackageId};

use crate::root;

/// The crates of the workspace and everything they stand on, for Linux on x86-64.
pub struct Workspace {
    metadata: Metadata,
}

impl Workspace {
    /// Asks cargo. `Cargo.lock` must be up to date.
    ///
    /// # Panics
    /// When cargo does not answer.
    pub fn load() -> Self {
        let metadata = MetadataCommand::new()
            .manifest_path(root().join("Cargo.toml"))
            .features(CargoOpt::AllFeatures)
            .other_options(vec![
                "--locked".into(),
                "--filter-platform=x86_64-unknown-linux-gnu".into(),
            ])
            .exec()
            .expect("`cargo metadata --locked` works where `cargo build` does");
        Self { metadata }
    }

    /// Our crates.
    pub fn members(&self) -> Vec<&Package> {
        self.metadata.workspace_packages()
    }

    /// Everyone else's.
    pub fn foreign(&self) -> Vec<&Package> {
        let ours = &self.metadata.workspace_members;
        let all = self.metadata.packages.iter();
        all.filter(|package| !ours.contains(&package.id)).collect()
    }

    /// For each of our crates, which of our crates its programs are built from: normal and build
    /// dependencies, and the dependencies of its tests where `with_tests`.
    pub fn arrows(&self, with_tests: bool) -> BTreeMap<&str, BTreeSet<&str>> {
        let ours = self.members();
        let names: BTreeSet<&str> = ours.iter().map(|package| package.name.as_str()).collect();
        ours.iter()
            .map(|package| {
                let to = package
                    .dependencies
                    .iter()
                    .filter(|to| with_tests || to.kind != DependencyKind::Development)
                    .filter_map(|to| names.get(to.name.as_str()).copied())
                    .collect();
                (package.name.as_str(), to)
            })
            .collect()
    }

    /// Every crate, ours and others', that goes into the programs of `member`.
    ///
    /// # Panics
    /// When there is no such member.
    pub fn goes_into(&self, member: &str) -> BTreeSet<&str> {
        let nodes = self.nodes();
        let members = self.members();
        let start = members
            .iter()
            .find(|package| package.name.as_str() == member)
            .unwrap_or_else(|| panic!("no crate {member} in the workspace"));
        let mut seen = BTreeSet::new();
        let mut open = vec![&start.id];
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(nodes.get(id).into_iter().flatten());
            }
        }
        seen.into_iter().map(|id| self.metadata[id].name.as_str()).collect()
    }

    /// As [`Workspace::goes_into`], but with only the features that `member` itself asks for, as
    /// `cargo tree` resolves them.
    ///
    /// # Panics
    /// When cargo does not answer.
    pub fn stands_on(member: &str) -> BTreeSet<String> {
        let output = Command::new(env!("CARGO"))
            .args(["tree", "--locked", "-p", member, "-e", "normal"])
            .args(["--prefix", "none", "--format", "{p}"])
            .current_dir(root())
            .output()
            .expect("cargo runs: it runs this test");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        text.lines()
            .filter_map(|line| line.split(' ').next())
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// What each crate is built from: normal and build dependencies.
    fn nodes(&self) -> BTreeMap<&PackageId, Vec<&PackageId>> {
        let resolve = self.metadata.resolve.as_ref();
        let nodes = &resolve.expect("asked with dependencies").nodes;
        nodes
            .iter()
            .map(|node| {
                let built_from = node.deps.iter().filter(|dep| {
                    let kinds = &dep.dep_kinds;
                    kinds.iter().any(|k| k.kind != DependencyKind::Development)
                });
                (&node.id, built_from.map(|dep| &dep.pkg).collect())
            })
            .collect()
    }
}
