use std::fmt;

/// A place that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Relative to the root of the repository, or the name of a crate.
    pub place: String,
    /// From 1; 0 where the place is not a line.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}

impl Finding {
    /// At a line, from 1.
    pub fn at(place: &str, line: usize, what: impl Into<String>) -> Self {
        Self { place: place.to_owned(), line, what: what.into() }
    }

    /// About the whole of it.
    pub fn about(place: &str, what: impl Into<String>) -> Self {
        Self::at(place, 0, what)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.place, self.what),
            line => write!(f, "{}:{line}: {}", self.place, self.what),
        }
    }
}

/// Fails with the rule and every place that breaks it.
///
/// # Panics
/// When there is a finding: that is the failure of the test.
pub fn assert_none(rule: &str, findings: impl IntoIterator<Item = Finding>) {
    let lines: Vec<String> = findings.into_iter().map(|f| format!("  {f}")).collect();
    assert!(lines.is_empty(), "{rule}\n{} place(s):\n{}", lines.len(), lines.join("\n"));
}
