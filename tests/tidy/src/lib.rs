//! The repository's own lint: what neither the compiler nor clippy can know about this house.
//! The rules live here, each with a test that it catches what it is for; `tests/` holds them
//! against the whole repository.

mod code;
mod files;
mod finding;
mod markdown;
mod text;
mod workspace;

pub use code::Code;
pub use files::{SourceFile, files, root};
pub use finding::{Finding, assert_none};
pub use markdown::Page;
pub use text::{mentions, too_long, unfinished, wide_lines};
pub use workspace::Workspace;
