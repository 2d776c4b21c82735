//! Rules about lines of text.

use crate::{Finding, SourceFile};

/// Lines of more than `columns` characters.
pub fn wide_lines(file: &SourceFile, columns: usize) -> Vec<Finding> {
    lines_where(file, |line| {
        let width = line.chars().count();
        (width > columns).then(|| format!("{width} columns"))
    })
}

/// More lines than one idea needs.
pub fn too_long(file: &SourceFile, lines_max: usize) -> Option<Finding> {
    let lines = file.text.lines().count();
    (lines > lines_max).then(|| Finding::about(&file.path, format!("{lines} lines")))
}

/// Marks that someone left something open. Built from halves, so that this file has none.
pub fn unfinished(file: &SourceFile) -> Vec<Finding> {
    const MARKS: [&str; 6] = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("dbg", "!("),
    ];
    mentions(file, &MARKS)
}

/// Lines with one of these texts in them.
pub fn mentions(file: &SourceFile, texts: &[&str]) -> Vec<Finding> {
    lines_where(file, |line| {
        let text = texts.iter().find(|text| line.contains(**text))?;
        Some(format!("says {text:?}"))
    })
}

fn lines_where(file: &SourceFile, what: impl Fn(&str) -> Option<String>) -> Vec<Finding> {
    (1..)
        .zip(file.text.lines())
        .filter_map(|(number, line)| Some(Finding::at(&file.path, number, what(line)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> SourceFile {
        SourceFile { path: "a.rs".into(), text: text.into() }
    }

    #[test]
    fn a_wide_line_is_found_and_counted_in_characters() {
        let text = format!("{}\n{}\n", "ñ".repeat(100), "ñ".repeat(101));
        assert_eq!(wide_lines(&file(&text), 100), [Finding::at("a.rs", 2, "101 columns")]);
    }

    #[test]
    fn what_was_left_open_is_found() {
        let text = concat!("fn a() {\n    // TO", "DO later\n    todo", "!()\n}\n");
        let lines: Vec<usize> = unfinished(&file(text)).iter().map(|f| f.line).collect();
        assert_eq!(lines, [2, 3]);
    }

    #[test]
    fn a_long_file_is_found() {
        assert_eq!(too_long(&file("a\nb\n"), 2), None);
        assert_eq!(too_long(&file("a\nb\nc\n"), 2), Some(Finding::about("a.rs", "3 lines")));
    }
}
