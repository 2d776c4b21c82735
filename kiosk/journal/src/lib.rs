//! Append-only, hash-chained journal on SQLite. One writer.
