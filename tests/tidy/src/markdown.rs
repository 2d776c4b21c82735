//! Rules about documents.

use std::collections::BTreeSet;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// What a Markdown page has: its headings and where it points to.
#[derive(Debug, Default)]
pub struct Page {
    /// How many headings of the first level.
    pub titles: usize,
    /// The anchors of its headings, as GitHub makes them.
    pub anchors: BTreeSet<String>,
    /// Targets of links and images, with their lines.
    pub links: Vec<(usize, String)>,
}

impl Page {
    /// Reads it.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the parser's enum, not ours")]
    pub fn read(text: &str) -> Self {
        let mut page = Self::default();
        let mut heading: Option<String> = None;
        for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
            match event {
                Event::Start(Tag::Heading { level, .. }) => {
                    page.titles += usize::from(level == HeadingLevel::H1);
                    heading = Some(String::new());
                }
                Event::End(TagEnd::Heading(_)) => {
                    page.anchors.extend(heading.take().map(|text| anchor(&text)));
                }
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    let line = text[..range.start].matches('\n').count() + 1;
                    page.links.push((line, dest_url.into_string()));
                }
                _ => {}
            }
        }
        page
    }
}

/// Lower case, spaces to hyphens, no other punctuation.
fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read() {
        let page = Page::read(
            "# One\n\n[a](b.md#c)\n\n## `Two`, three\n\n![p](p.png)\n\n```\n# no [x](y)\n```\n",
        );
        assert_eq!(page.titles, 1);
        assert_eq!(page.anchors.iter().collect::<Vec<_>>(), ["one", "two-three"]);
        assert_eq!(page.links, [(3, "b.md#c".into()), (7, "p.png".into())]);
    }
}
