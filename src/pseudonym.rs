//! Tokens that cannot be printed.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;

/// A person's pseudonym. `Debug` and `Display` print `…`; [`Pseudonym::reveal`] is for `person/` outputs and hashing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Pseudonym(Form);

/// A text has one form only.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Form {
    /// 64 hexadecimal digits in lower case, two to a byte: half as long, and in no place of its own.
    Digits([u8; BYTES]),
    Text(Box<str>),
}

const BYTES: usize = 32;

/// A token as text.
pub struct Revealed<'a>(Shown<'a>);

enum Shown<'a> {
    Digits([u8; 2 * BYTES]),
    Text(&'a str),
}

impl Pseudonym {
    pub fn new(token: impl AsRef<str>) -> Self {
        let token = token.as_ref();
        Self(digits(token.as_bytes()).map_or_else(|| Form::Text(token.into()), Form::Digits))
    }

    /// The token itself.
    pub fn reveal(&self) -> Revealed<'_> {
        Revealed(match &self.0 {
            Form::Digits(bytes) => {
                let mut digits = [0; 2 * BYTES];
                for (both, byte) in digits.chunks_exact_mut(2).zip(bytes) {
                    both.copy_from_slice(&[digit(byte >> 4), digit(byte & 0xf)]);
                }
                Shown::Digits(digits)
            }
            Form::Text(text) => Shown::Text(text),
        })
    }
}

fn digits(token: &[u8]) -> Option<[u8; BYTES]> {
    let token: &[u8; 2 * BYTES] = token.try_into().ok()?;
    let mut bytes = [0; BYTES];
    for (byte, both) in bytes.iter_mut().zip(token.chunks_exact(2)) {
        *byte = value(both[0])? << 4 | value(both[1])?;
    }
    Some(bytes)
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

fn digit(value: u8) -> u8 {
    value + if value < 10 { b'0' } else { b'a' - 10 }
}

/// The order of the texts.
impl Ord for Pseudonym {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Form::Digits(mine), Form::Digits(theirs)) => mine.cmp(theirs),
            (Form::Text(mine), Form::Text(theirs)) => mine.cmp(theirs),
            _ => self.reveal().cmp(&*other.reveal()),
        }
    }
}

impl PartialOrd for Pseudonym {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Deref for Revealed<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Shown::Digits(digits) => str::from_utf8(digits).unwrap_or_default(),
            Shown::Text(text) => text,
        }
    }
}

impl AsRef<str> for Revealed<'_> {
    fn as_ref(&self) -> &str {
        self
    }
}

impl fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_what_it_was_and_stands_where_its_text_does() {
        let hash = |first: char| format!("{first}{}", "0123456789abcdef".repeat(4).split_off(1));
        let upper = hash('A').to_uppercase();
        let texts = ["", "7", "a", "zebra", &hash('0'), &hash('9'), &hash('a'), &hash('f'), &hash('g'), &upper];
        let longer = format!("{}0", hash('a'));
        for one in texts.into_iter().chain([longer.as_str(), "é"]) {
            let token = Pseudonym::new(one);
            assert_eq!((&*token.reveal(), format!("{token} {token:?}")), (one, "… …".to_owned()));
            for other in texts {
                assert_eq!(token.cmp(&Pseudonym::new(other)), one.cmp(other), "{one} {other}");
                assert_eq!(token == Pseudonym::new(other), one == other);
            }
        }
        assert!(size_of::<Pseudonym>() <= 40);
    }
}
