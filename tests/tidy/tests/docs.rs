//! The documents: one title each, and every link leads somewhere.

use std::fs;
use std::path::Path;

use tidy::{Finding, Page, SourceFile, assert_none, files, root};

fn pages() -> Vec<SourceFile> {
    files().into_iter().filter(|file| file.is(&[".md"])).collect()
}

#[test]
fn every_page_has_one_title() {
    let findings = pages().into_iter().filter_map(|file| {
        let titles = Page::read(&file.text).titles;
        (titles != 1).then(|| Finding::about(&file.path, format!("{titles} headings `#`")))
    });
    assert_none("A Markdown page has one title", findings);
}

#[test]
fn every_link_leads_somewhere() {
    let findings = pages().into_iter().flat_map(|file| {
        let links = Page::read(&file.text).links;
        links
            .into_iter()
            .filter(|(_, target)| !target.contains("://") && !target.starts_with("mailto:"))
            .filter(|(_, target)| !leads_somewhere(&file, target))
            .map(|(line, target)| Finding::at(&file.path, line, format!("{target:?} is not there")))
            .collect::<Vec<_>>()
    });
    assert_none("Links inside the repository resolve", findings);
}

#[test]
fn every_decision_is_in_the_index() {
    let index = fs::read_to_string(root().join("docs/adr/README.md")).expect("the index is there");
    let findings = pages()
        .into_iter()
        .filter_map(|file| Some(file.path.strip_prefix("docs/adr/")?.to_owned()))
        .filter(|name| name != "README.md" && !index.contains(name))
        .map(|name| Finding::about(&name, "is not in docs/adr/README.md"));
    assert_none("The index of decisions is complete", findings);
}

fn leads_somewhere(from: &SourceFile, target: &str) -> bool {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let from = root().join(&from.path);
    let to = match path {
        "" => from,
        path => from.parent().unwrap_or(Path::new("")).join(path),
    };
    match fs::read_to_string(&to) {
        Ok(text) => anchor.is_empty() || Page::read(&text).anchors.contains(anchor),
        // A directory or a picture.
        Err(_) => anchor.is_empty() && to.exists(),
    }
}
