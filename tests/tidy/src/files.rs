use std::fs;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;

/// A text file of the repository.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Relative to the root, with `/`.
    pub path: String,
    /// All of it.
    pub text: String,
}

impl SourceFile {
    /// Does its name end in one of these, for instance `.rs`?
    pub fn is(&self, endings: &[&str]) -> bool {
        endings.iter().any(|ending| self.path.ends_with(ending))
    }

    /// Is it in one of these directories (relative to the root, with a `/` at the end)?
    pub fn is_in(&self, directories: &[&str]) -> bool {
        directories.iter().any(|dir| self.path.starts_with(dir))
    }
}

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every text file that git tracks or would: `.gitignore` is obeyed, with or without a `.git`.
///
/// # Panics
/// When the repository cannot be read.
pub fn files() -> Vec<SourceFile> {
    let root = root();
    let mut files: Vec<SourceFile> = WalkBuilder::new(&root)
        .hidden(false)
        .require_git(false)
        .git_global(false)
        .filter_entry(|entry| entry.file_name() != ".git")
        .build()
        .map(|entry| entry.expect("the repository is readable").into_path())
        .filter(|path| path.is_file())
        .filter_map(|path| {
            // What is not UTF-8 is a picture or a font. A file may vanish while we walk: editors.
            let text = fs::read_to_string(&path).ok()?;
            let relative = path.strip_prefix(&root).expect("the walk starts there");
            let path = relative.to_string_lossy().replace('\\', "/");
            Some(SourceFile { path, text })
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}
