//! Rules about Rust code, read as syntax: a word in a comment or a test is no finding.

use std::collections::BTreeSet;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::{Finding, SourceFile};

/// What one Rust file names and does outside its tests.
#[derive(Default)]
pub struct Code {
    path: String,
    /// `std::fs::read`, also where it comes by `use std::{fs, net}`.
    names: Vec<(usize, String)>,
    floats: Vec<usize>,
    logged_secrets: Vec<usize>,
}

impl Code {
    /// Reads it.
    ///
    /// # Panics
    /// When it is no Rust: then it would not have compiled.
    pub fn read(file: &SourceFile) -> Self {
        let syntax = syn::parse_file(&file.text)
            .unwrap_or_else(|error| panic!("{} is not Rust: {error}", file.path));
        let mut code = Self { path: file.path.clone(), ..Self::default() };
        code.visit_file(&syntax);
        code
    }

    /// Where it names one of these paths, or something inside one.
    pub fn names(&self, banned: &[&str]) -> Vec<Finding> {
        let is_banned = |name: &str| {
            banned.iter().any(|path| {
                name.strip_prefix(path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
            })
        };
        self.names
            .iter()
            .filter(|(_, name)| is_banned(name))
            .map(|(line, name)| Finding::at(&self.path, *line, format!("names {name}")))
            .collect()
    }

    /// Where it counts with floating point.
    pub fn floats(&self) -> Vec<Finding> {
        self.all(&self.floats, "floating point")
    }

    /// Where the inside of a `Pii` or a `Pin` is given to a macro that logs or prints.
    pub fn logged_secrets(&self) -> Vec<Finding> {
        self.all(&self.logged_secrets, "`.reveal()` in a log or a print")
    }

    fn all(&self, lines: &[usize], what: &str) -> Vec<Finding> {
        let lines: BTreeSet<&usize> = lines.iter().collect();
        lines.into_iter().map(|line| Finding::at(&self.path, *line, what)).collect()
    }

    fn name(&mut self, span: Span, name: String) {
        self.names.push((span.start().line, name));
    }

    fn use_tree(&mut self, before: &str, tree: &syn::UseTree) {
        let join = |ident: &syn::Ident| match before {
            "" => ident.to_string(),
            before => format!("{before}::{ident}"),
        };
        match tree {
            syn::UseTree::Path(path) => self.use_tree(&join(&path.ident), &path.tree),
            syn::UseTree::Name(name) if name.ident == "self" => {
                self.name(name.span(), before.to_owned());
            }
            syn::UseTree::Name(name) => self.name(name.span(), join(&name.ident)),
            syn::UseTree::Rename(rename) => self.name(rename.span(), join(&rename.ident)),
            syn::UseTree::Glob(glob) => self.name(glob.span(), before.to_owned()),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.use_tree(before, tree);
                }
            }
        }
    }

    /// A macro's inside is no syntax yet, so paths are put together from its tokens.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut name = String::new();
        let mut start = Span::call_site();
        // In `pair.0.1` the lexer sees the number 0.1.
        let mut after_dot = false;
        for token in tokens {
            let is_field = std::mem::replace(&mut after_dot, is_dot(&token));
            match token {
                TokenTree::Ident(ident) => {
                    if !name.ends_with("::") {
                        self.token_name(start, &mut name);
                        start = ident.span();
                    }
                    name.push_str(&ident.to_string());
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !name.is_empty() => {
                    name.push(':');
                }
                TokenTree::Group(group) => {
                    self.token_name(start, &mut name);
                    self.tokens(group.stream());
                }
                TokenTree::Literal(literal) => {
                    self.token_name(start, &mut name);
                    let parsed = syn::parse_str(&literal.to_string());
                    if matches!(parsed, Ok(syn::Lit::Float(_))) && !is_field {
                        self.floats.push(literal.span().start().line);
                    }
                }
                TokenTree::Punct(_) => self.token_name(start, &mut name),
            }
        }
        self.token_name(start, &mut name);
    }

    fn token_name(&mut self, start: Span, name: &mut String) {
        let taken = std::mem::take(name);
        let name = taken.trim_end_matches(':');
        if name == "f32" || name == "f64" {
            self.floats.push(start.start().line);
        }
        if !name.is_empty() {
            self.name(start, name.to_owned());
        }
    }
}

impl<'ast> Visit<'ast> for Code {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        if !is_test(&item.attrs) {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.use_tree("", &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if matches!(names.last().map(String::as_str), Some("f32" | "f64")) {
            self.floats.push(path.span().start().line);
        }
        self.name(path.span(), names.join("::"));
        visit::visit_path(self, path);
    }

    fn visit_lit_float(&mut self, literal: &'ast syn::LitFloat) {
        self.floats.push(literal.span().start().line);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        const SPEAKING: [&str; 14] = [
            "trace",
            "debug",
            "info",
            "warn",
            "error",
            "event",
            "span",
            "info_span",
            "debug_span",
            "print",
            "println",
            "eprint",
            "eprintln",
            "panic",
        ];
        let last = mac.path.segments.last().map(|s| s.ident.to_string());
        let speaks = last.is_some_and(|name| SPEAKING.contains(&name.as_str()));
        if speaks && reveals(mac.tokens.clone()) {
            self.logged_secrets.push(mac.span().start().line);
        }
        self.tokens(mac.tokens.clone());
        visit::visit_macro(self, mac);
    }
}

fn reveals(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "reveal",
        TokenTree::Group(group) => reveals(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

fn is_dot(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == '.')
}

/// `#[cfg(test)]` or `#[test]`.
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute
                    .parse_args::<syn::Path>()
                    .is_ok_and(|condition| condition.is_ident("test"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Code {
        Code::read(&SourceFile { path: "a.rs".into(), text: text.into() })
    }

    fn lines(findings: &[Finding]) -> Vec<usize> {
        findings.iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_banned_path_is_found_however_it_is_named() {
        let code = read(
            "use std::{fmt, fs};\n\
             use std::time::{Duration, Instant as Now};\n\
             fn a() { let _ = std::fs::read(\"x\"); }\n\
             fn b() { assert!(std::time::Instant::now() > start); }\n\
             // std::fs\n\
             fn c() -> std::fmt::Result { std::fsx() }\n",
        );
        let found = code.names(&["std::fs", "std::time::Instant"]);
        assert_eq!(lines(&found), [1, 2, 3, 4], "{found:?}");
    }

    #[test]
    fn tests_may_do_what_code_may_not() {
        let code = read(
            "#[cfg(test)]\nmod tests {\n    use std::fs;\n    const A: f64 = 1.5;\n}\n\
             #[test]\nfn a() { std::fs::read(\"x\"); }\n",
        );
        assert_eq!(code.names(&["std::fs"]), []);
        assert_eq!(code.floats(), []);
    }

    #[test]
    fn floating_point_is_found_as_type_as_number_and_in_a_macro() {
        let code = read(
            "struct A { cents: f64 }\nconst B: i64 = (2.5 as i64);\n\
             fn c() { assert!(x < 1e3); }\nfn d(i: i64) { assert!(i.0.1 == 25) }\n",
        );
        assert_eq!(lines(&code.floats()), [1, 2, 3]);
    }

    #[test]
    fn a_secret_in_a_log_is_found() {
        let code = read(
            "fn a(n: Pii<u32>) {\n    tracing::info!(number = %n.reveal(), \"tapped\");\n\
             \n    info!(%n, \"tapped\");\n    show(n.reveal());\n}\n",
        );
        assert_eq!(lines(&code.logged_secrets()), [2]);
    }
}
