//! Every text of the screens is in every language, whole, and in that language only.
#![allow(clippy::unwrap_used)] // Helpers of tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A text and, where it counts something, its plural.
type Key = (String, Option<String>);

#[test]
fn every_text_is_translated_and_nothing_else() {
    let wanted = texts();
    assert!(wanted.len() > 100, "the screens' texts are not found");
    for lang in LANGS {
        let found: BTreeSet<Key> = catalogue(lang).into_keys().collect();
        let missing: Vec<_> = wanted.difference(&found).collect();
        let unused: Vec<_> = found.difference(&wanted).collect();
        assert!(missing.is_empty() && unused.is_empty(), "{lang}: {missing:?} {unused:?}");
    }
}

#[test]
fn no_translation_is_empty_or_loses_a_value() {
    for lang in LANGS {
        for ((text, plural), translated) in catalogue(lang) {
            assert_eq!(translated.len(), 1 + usize::from(plural.is_some()), "{lang}: {text}");
            for translated in &translated {
                assert!(!translated.trim().is_empty(), "{lang}: {text}");
                assert_eq!(
                    translated.matches("{}").count(),
                    text.matches("{}").count(),
                    "{lang}: {text}"
                );
            }
            if let Some(plural) = &plural {
                let last = translated.last().unwrap();
                assert_eq!(last.contains("{n}"), plural.contains("{n}"), "{lang}: {text}");
            }
        }
    }
}

/// Two languages may say it alike; English may not stand where another should.
#[test]
fn no_language_holds_anothers_text() {
    for lang in LANGS {
        let mut same: Vec<_> = catalogue(lang)
            .into_iter()
            .filter(|((text, _), translated)| translated[0] == *text)
            .map(|((text, _), _)| text)
            .collect();
        same.retain(|text| text != "{}. {}" && !(lang == "fr" && text == "Recharge"));
        assert!(same.is_empty(), "{lang} in English: {same:?}");
    }
    let all = LANGS.map(catalogue);
    for (one, lang) in all.iter().zip(LANGS) {
        for (other, other_lang) in all.iter().zip(LANGS).filter(|(_, other)| *other != lang) {
            let long = one.iter().filter(|(_, translated)| translated[0].len() > 24);
            for (key, translated) in long {
                assert_ne!(translated, &other[key], "{lang} and {other_lang}: {key:?}");
            }
        }
    }
}

/// Words of one language that are none of the other's.
#[test]
fn no_word_strays_in_from_another_language() {
    let own: [(&str, &[&str]); 4] = [
        ("es", &["los", "tarjeta", "billete", "usted", "ñ"]),
        ("ca", &["els", "targeta", "bitllet", "amb"]),
        ("de", &["karte", "schein", "nicht", "und", "ß"]),
        ("fr", &["carte", "billet", "votre", "nous"]),
    ];
    for (lang, words) in own {
        for other in LANGS.into_iter().filter(|other| *other != lang) {
            for (key, translated) in catalogue(other) {
                for text in translated {
                    let lower = text.to_lowercase();
                    let mut found = lower.split(|c: char| !c.is_alphabetic());
                    let stray = found.find(|word| words.contains(word));
                    assert_eq!(stray, None, "{lang} in {other}: {key:?}");
                }
            }
        }
    }
}

#[test]
fn people_are_addressed_formally() {
    let familiar: [(&str, &[&str]); 4] = [
        ("es", &["tu", "tus", "tú", "te", "contigo"]),
        ("ca", &["tu", "teu", "teva", "teus", "et"]),
        ("de", &["du", "dein", "deine", "deinen", "dich", "dir"]),
        ("fr", &["tu", "ton", "ta", "tes", "toi"]),
    ];
    for (lang, words) in familiar {
        for (key, translated) in catalogue(lang) {
            for text in translated {
                let lower = text.to_lowercase();
                let mut found = lower.split(|c: char| !c.is_alphabetic());
                assert!(!found.any(|word| words.contains(&word)), "{lang}: {key:?}");
            }
        }
    }
}

const LANGS: [&str; 4] = ["es", "ca", "de", "fr"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// All `@tr("…")` and `@tr("…" | "…" % n)` of the screens.
fn texts() -> BTreeSet<Key> {
    let mut found = BTreeSet::new();
    let mut dirs = vec![root().join("ui")];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|ext| ext == "slint") {
                let source = fs::read_to_string(path).unwrap();
                found.extend(source.split("@tr(").skip(1).map(key));
            }
        }
    }
    found
}

fn key(after: &str) -> Key {
    let (text, rest) = quoted(after).unwrap_or_else(|| panic!("@tr of no literal: {after:.40}"));
    let plural = rest.trim_start().strip_prefix('|').map(|rest| quoted(rest).unwrap().0);
    (text, plural)
}

/// A literal at the start, and what follows it. None of ours holds an escape.
fn quoted(text: &str) -> Option<(String, &str)> {
    let (literal, rest) = text.trim_start().strip_prefix('"')?.split_once('"')?;
    assert!(!literal.contains('\\'));
    Some((literal.to_owned(), rest))
}

fn catalogue(lang: &str) -> BTreeMap<Key, Vec<String>> {
    let path = root().join(format!("lang/{lang}/LC_MESSAGES/kiosk-ui.po"));
    let text = fs::read_to_string(path).unwrap();
    let entries = text.split("\n\n").skip(1).filter(|entry| !entry.trim().is_empty());
    entries.map(entry).collect()
}

fn entry(entry: &str) -> (Key, Vec<String>) {
    let mut key = (String::new(), None);
    let mut translated = Vec::new();
    for line in entry.lines() {
        let (name, value) = line.split_once(' ').unwrap();
        let (value, _) = quoted(value).unwrap();
        match name {
            "msgid" => key.0 = value,
            "msgid_plural" => key.1 = Some(value),
            _ => translated.push(value),
        }
    }
    (key, translated)
}
