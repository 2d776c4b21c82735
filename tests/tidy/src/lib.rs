//! The repository's own lint, as tests.
