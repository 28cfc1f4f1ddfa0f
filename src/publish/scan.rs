//! The search for tokens in what may leave the building.
//!
//! Types keep rows out of `aggregate/`; this is the second lock on the same door, over the bytes themselves.

use std::collections::HashSet;

use crate::pseudonym::Pseudonym;

/// From this length on a token is found inside other text too; a shorter one only as a whole word.
const LENGTH_FOUND_ANYWHERE: usize = 8;

/// The tokens of a run, ready to be looked for.
pub(crate) struct Tokens<'a> {
    tokens: HashSet<&'a [u8]>,
    /// Of tokens found anywhere, ascending.
    lengths: Vec<usize>,
    /// Short and all digits: a category or a year looks the same.
    pub(crate) not_searchable: usize,
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(tokens: &'a [Pseudonym]) -> Self {
        let is_searchable = |token: &&[u8]| {
            token.len() >= LENGTH_FOUND_ANYWHERE || token.iter().any(|byte| !byte.is_ascii_digit()) && !token.is_empty()
        };
        let not_searchable = tokens.iter().filter(|token| !is_searchable(&token.reveal().as_bytes())).count();
        let tokens: HashSet<&[u8]> =
            tokens.iter().map(|token| token.reveal().as_bytes()).filter(is_searchable).collect();
        let long = tokens.iter().map(|token| token.len()).filter(|length| *length >= LENGTH_FOUND_ANYWHERE);
        let mut lengths: Vec<usize> = long.collect::<HashSet<_>>().into_iter().collect();
        lengths.sort_unstable();
        Self { tokens, lengths, not_searchable }
    }

    /// Whether any token stands in the text.
    pub(crate) fn any_in(&self, text: &[u8]) -> bool {
        let is_token = |part: &[u8]| self.tokens.contains(part);
        let anywhere = self.lengths.iter().any(|length| text.windows(*length).any(is_token));
        // A short token may hold dashes and the like: a word ends where a cell or a sentence would.
        anywhere || text.split(|byte| b",;\"'\n\r\t ".contains(byte)).any(is_token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(tokens: &[&str], text: &str) -> bool {
        let tokens: Vec<Pseudonym> = tokens.iter().map(|token| Pseudonym::new(*token)).collect();
        Tokens::new(&tokens).any_in(text.as_bytes())
    }

    #[test]
    fn a_token_is_found_wherever_it_stands() {
        let uuid = "0f8fad5b-d9cd-469f-a165-70867728950e";
        assert!(finds(&[uuid], &format!("practice,people\nx{uuid}y,10\n")));
        assert!(finds(&["P7", uuid], "practice,people\nP7,10\n"));
        assert!(finds(&["P-7"], "\"seen by P-7\",10\n"));
        assert!(finds(&["12345678"], "a,12345678\n"));
        assert!(!finds(&["P7", uuid], "practice,people\nP78,10\n"));
        assert!(!finds(&[], "practice,people\nP7,10\n"));
    }

    #[test]
    fn a_short_number_is_no_proof_of_a_person() {
        assert!(!finds(&["10"], "decile,people\n10,10\n"));
        let tokens = [Pseudonym::new("10"), Pseudonym::new("P10")];
        assert_eq!(Tokens::new(&tokens).not_searchable, 1);
    }
}
