//! What once was worth keeping is tried again on every run, whole, cut short anywhere, and with
//! each of its first bytes changed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fuzz_targets::TARGETS;

/// How many messages there are between kiosks and central that hold no PIN.
const MESSAGES: usize = 10;

/// Longer inputs are changed at the beginning only.
const CHANGED_MAX: usize = 256;

#[test]
fn every_input_kept_is_harmless() {
    for (name, run) in TARGETS {
        let mut understood = Vec::new();
        for path in inputs(name) {
            let input = fs::read(&path).expect("an input of the corpus");
            let quiet = std::panic::catch_unwind(|| {
                if is_named(&path) {
                    variants(&input).for_each(|near| _ = run(&near));
                }
                run(&input)
            });
            let shown = path.display();
            understood
                .extend(quiet.unwrap_or_else(|_| panic!("{shown}, or near it")).then_some(()));
        }
        let wanted = if name == "central" { MESSAGES } else { 1 };
        assert!(understood.len() >= wanted, "{name} is never understood: the corpus is outdated");
    }
}

#[test]
fn the_corpus_has_no_folder_without_a_target() {
    let folders = fs::read_dir(corpus()).expect("a corpus");
    let folders: BTreeSet<_> = folders
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(folders, TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect());
}

#[test]
fn the_models_speak_as_the_corpus_does() {
    for (name, input) in [
        ("card/genuine", fuzz_targets::card::genuine()),
        ("acceptor/one_note", fuzz_targets::acceptor::one_note()),
        ("nexo/one_payment", fuzz_targets::nexo::one_payment()),
        ("printer/one_receipt", fuzz_targets::printer::one_receipt()),
        ("zvt/one_payment", fuzz_targets::zvt::one_payment()),
    ] {
        let path = corpus().join(name);
        if std::env::var_os("UPDATE_CORPUS").is_some() {
            fs::write(&path, &input).expect("the corpus can be written");
        }
        assert_eq!(fs::read(&path).expect("it was kept"), input, "{name}: UPDATE_CORPUS=1");
    }
}

/// By a person; a fuzzer names an input by its hash, and has tried what is near it already.
fn is_named(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.len() != 40 || !name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn variants(input: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let cut = (0..=input.len()).map(|length| input[..length].to_vec());
    let changed = (0..input.len().min(CHANGED_MAX)).flat_map(move |at| {
        [0x01, 0x80, 0xFF].map(|bits| {
            let mut input = input.to_vec();
            input[at] ^= bits;
            input
        })
    });
    cut.chain(changed)
}

fn inputs(name: &str) -> BTreeSet<PathBuf> {
    let folder = fs::read_dir(corpus().join(name)).expect("a folder for each target");
    folder.map(|entry| entry.expect("an entry").path()).collect()
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}
