//! A token of its own for each recipient: keyed, of no use to anyone else, safe to retype.
//!
//! A token is the letter `R`, 26 characters for 128 bits of `HMAC-SHA-256(key of the recipient, source token)` in base32
//! (RFC 4648: `A` to `Z`, `2` to `7`), and two check characters after ISO 7064 MOD 1271-36. It begins with a letter, and
//! no spreadsheet reads it as a number, a date or a formula.
//!
//! The key of a recipient is `HMAC-SHA-256(master key, "recipient" 0x1F name)`. Without the master key nobody can tell
//! whether tokens of two recipients are one person's. The check characters find every wrong character and every two
//! neighbours that changed places: `36^k × d`, with `0 < d < 36`, and `35 × 36^k × d` are no multiples of 1271 = 31 × 41.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::pseudonym::Pseudonym;

/// Fewer bytes than the hash has would be the weakest part.
const KEY_BYTES: usize = 32;

const FIRST: char = 'R';
const LENGTH: usize = 1 + 26 + 2;
const MODULUS: u32 = 1271;

/// The master key of all recipients' tokens; wiped from memory when dropped, and never printed.
pub struct Key(Zeroizing<Vec<u8>>);

/// The key of one recipient's tokens.
pub struct RecipientKey(Zeroizing<Vec<u8>>);

impl Key {
    /// A key of at least 32 bytes; the end of a line behind it is not part of it.
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Result<Self> {
        let end = bytes.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
        let key = bytes.get(..end).unwrap_or_default();
        if key.len() < KEY_BYTES {
            return Err(Error::Usage(format!(
                "the key has {} bytes, and {KEY_BYTES} are the least: make one with `openssl rand -hex 32`",
                key.len()
            )));
        }
        Ok(Self(Zeroizing::new(key.to_vec())))
    }

    /// What may be written of a key: 8 hex digits of a hash that only its holder can make.
    pub fn id(&self) -> Result<String> {
        let digest = Sha256::digest(hmac(&self.0, &[b"id"])?.as_slice());
        Ok(digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect())
    }

    /// The key that makes the tokens of the recipient of that name.
    pub fn of_recipient(&self, name: &str) -> Result<RecipientKey> {
        Ok(RecipientKey(hmac(&self.0, &[b"recipient", &[0x1f], name.as_bytes()])?))
    }
}

impl RecipientKey {
    /// The person's token for this recipient.
    pub fn token(&self, person: &Pseudonym) -> Result<Pseudonym> {
        let hash = hmac(&self.0, &[person.reveal().as_bytes()])?;
        let mut token = String::from(FIRST);
        token.push_str(&BASE32_NOPAD.encode(hash.get(..16).unwrap_or_default()));
        token.push_str(&check_characters(&token));
        Ok(Pseudonym::new(token))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl fmt::Debug for RecipientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecipientKey(…)")
    }
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| Error::Fault("a key was refused".to_owned()))?;
    parts.iter().for_each(|part| hmac.update(part));
    Ok(Zeroizing::new(hmac.finalize().into_bytes().to_vec()))
}

/// Whether the text can be a token as it was issued: its length, its characters, and what they add up to.
pub fn is_well_formed(token: &str) -> bool {
    token.len() == LENGTH && token.starts_with(FIRST) && sum(token) == Some(1)
}

/// Two characters that make the sum of the whole 1.
fn check_characters(text: &str) -> String {
    let so_far = sum(text).unwrap_or_default() * 36 * 36 % MODULUS;
    let check = (MODULUS + 1 - so_far) % MODULUS;
    [check / 36, check % 36]
        .into_iter()
        .filter_map(|value| char::from_digit(value, 36))
        .collect::<String>()
        .to_uppercase()
}

/// The characters, `0` to `9` and `A` to `Z`, as the digits of a number, modulo 1271.
fn sum(text: &str) -> Option<u32> {
    text.chars().try_fold(0, |sum, character| {
        let value = character.to_digit(36).filter(|_| !character.is_ascii_lowercase())?;
        Some((sum * 36 + value) % MODULUS)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key::new(Zeroizing::new(text.as_bytes().to_vec())).unwrap()
    }

    fn token(key: &Key, recipient: &str, person: &str) -> String {
        key.of_recipient(recipient).unwrap().token(&Pseudonym::new(person)).unwrap().reveal().to_owned()
    }

    const A_KEY: &str = "0123456789abcdef0123456789abcdef";

    /// Worked out by another implementation, from the description alone.
    #[test]
    fn a_token_is_what_the_description_says() {
        let key = key(A_KEY);
        assert_eq!(key.id().unwrap(), "246e5e39");
        assert_eq!(token(&key, "North PCN", "a1f3"), "ROM3C3QGPB2DZL3YS6F3UUEZX2IAU");
    }

    #[test]
    fn every_wrong_character_and_every_transposition_is_found() {
        let characters: Vec<char> = ('0'..='9').chain('A'..='Z').collect();
        for person in 0..40 {
            let token: Vec<char> = token(&key(A_KEY), "North PCN", &format!("p{person}")).chars().collect();
            assert!(is_well_formed(&token.iter().collect::<String>()));
            for at in 0..token.len() {
                for other in characters.iter().filter(|other| **other != token[at]) {
                    let mut wrong = token.clone();
                    wrong[at] = *other;
                    assert!(!is_well_formed(&wrong.iter().collect::<String>()), "place {at}");
                }
                let mut turned = token.clone();
                if at > 0 && turned[at] != turned[at - 1] {
                    turned.swap(at, at - 1);
                    assert!(!is_well_formed(&turned.iter().collect::<String>()), "places {at} and before");
                }
            }
        }
    }

    /// All pairs of characters that can stand beside each other or in each other's place, in every place.
    #[test]
    fn the_check_characters_rest_on_arithmetic() {
        let mut power = 1;
        for _ in 0..LENGTH {
            for difference in 1..36 {
                assert_ne!(power * difference % MODULUS, 0);
                assert_ne!(power * 35 * difference % MODULUS, 0);
            }
            power = power * 36 % MODULUS;
        }
        assert_eq!(check_characters("ISO79"), "3W", "the example of ISO 7064");
    }

    #[test]
    fn recipients_and_keys_share_no_token() {
        let (one, other) = (key(A_KEY), key("another key that is long enough!"));
        let mut seen = std::collections::BTreeSet::new();
        for key in [&one, &other] {
            for recipient in ["North PCN", "South PCN", "", "North"] {
                for person in ["a", "b"] {
                    let token = token(key, recipient, person);
                    assert!(
                        token.len() == LENGTH && token.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
                    );
                    assert!(seen.insert(token));
                }
            }
        }
        assert_ne!(one.id().unwrap(), other.id().unwrap());
    }

    #[test]
    fn a_short_key_is_refused_and_no_key_is_printed() {
        assert!(Key::new(Zeroizing::new(b"short\n".to_vec())).is_err());
        assert!(Key::new(Zeroizing::new([b'\n'; 40].to_vec())).is_err());
        let with_line_end = Key::new(Zeroizing::new(format!("{A_KEY}\n").into_bytes())).unwrap();
        assert_eq!(with_line_end.id().unwrap(), key(A_KEY).id().unwrap());
        assert_eq!(format!("{:?} {:?}", key(A_KEY), key(A_KEY).of_recipient("x").unwrap()), "Key(…) RecipientKey(…)");
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for wrong in [
            "",
            "R",
            "a1f3",
            "RAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            &"9".repeat(29),
            &"R".repeat(30),
            "Rçaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        ] {
            assert!(!is_well_formed(wrong), "{wrong}");
        }
    }
}
