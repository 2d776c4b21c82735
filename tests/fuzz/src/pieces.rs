//! An input as a conversation: pieces of a kind, a length and so many bytes. What is cut short is
//! a shorter last piece, so that every input means something.

pub(crate) struct Pieces<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Pieces<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, rest) = self.0.split_first()?;
        let (length, rest) = rest.split_first().unwrap_or((&0, rest));
        let (piece, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        self.0 = rest;
        Some((*kind, piece))
    }
}

/// Appends a piece, of at most 255 bytes, to an input.
pub(crate) fn write(input: &mut Vec<u8>, kind: u8, piece: &[u8]) {
    input.push(kind);
    input.extend(u8::try_from(piece.len()));
    input.extend(piece);
}
