//! NHS numbers where there should be pseudonyms.
//!
//! Two things are refused. Tokens most of which are valid NHS numbers: ten digits, not all the same, the last one by
//! modulus 11. One random number in eleven passes that check, so that a few prove nothing. And tokens of which a single
//! one is the plain SHA-256 of a valid NHS number (ten digits or spaced 3-3-4, alone or with one of a few usual salts in
//! front or behind): there are fewer than 10^9 of those, and a table of them gives every person's number back.
//!
//! Hashes are looked for by hashing [`TRIED`] numbers, drawn evenly from those in issue (first digit 4, 6 or 7), and the
//! first of the test range 999. What that finds is proof; what it misses is chance: the tokens of 100,000 people, hashed
//! so, escape once in a million times, those of 10,000 people one time in five, those of 1,000 mostly. A salt that
//! is not on the list, another hash (MD5, SHA-1) or a hash written in other ways than hex is not found.

use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Numbers hashed for each source whose tokens look like SHA-256.
const TRIED: u64 = 45_000;

/// Numbers of the range for tests (`999…`) that are hashed, too.
const TRIED_TEST_NUMBERS: u64 = 100;

/// Fewer valid numbers than this prove nothing.
const ENOUGH: usize = 4;

const SALTS: [&str; 5] = ["salt", "nhs", "NHS", "pseudo", "secret"];

/// Refuses a source whose distinct `tokens` are NHS numbers or plain hashes of them; the error shows none of them.
pub fn refuse(source: &str, column: &str, tokens: impl IntoIterator<Item: AsRef<str>>) -> Result<()> {
    let (mut all, mut valid, mut is_hash) = (0_usize, 0_usize, false);
    for token in tokens {
        let token = token.as_ref();
        all += 1;
        valid += usize::from(is_valid(token));
        is_hash |= bytes(token).is_some_and(|bytes| Hashes::get().hold(&bytes));
    }
    let place = format!("source {source}, column {column}");
    let remedy =
        "ask the sender for pseudonyms made with a secret key (HMAC) that the sender keeps, and delete this delivery";
    if valid >= ENOUGH && valid * 2 > all {
        return Err(Error::Check(format!(
            "{place}: {valid} of {all} tokens are valid NHS numbers, which name people: {remedy}"
        )));
    }
    if is_hash {
        return Err(Error::Check(format!(
            "{place}: tokens are plain SHA-256 hashes of NHS numbers, which a table of all numbers turns back: {remedy}"
        )));
    }
    Ok(())
}

/// Ten digits, not all the same, whose last one is the check digit (NHS Data Dictionary, NHS NUMBER).
pub fn is_valid(token: &str) -> bool {
    let digits = token.as_bytes();
    let same = digits.windows(2).all(|pair| pair.first() == pair.last());
    let Some((last, nine)) = digits.split_last() else { return false };
    nine.len() == 9 && !same && digits.iter().all(u8::is_ascii_digit) && check_digit(nine) == Some(*last)
}

/// Weights from 10 down to 2, modulus 11; none for the one in eleven that has no check digit.
fn check_digit(nine: &[u8]) -> Option<u8> {
    let weighted: u32 = (2..=10).rev().zip(nine).map(|(weight, digit)| weight * u32::from(digit - b'0')).sum();
    let check = (11 - weighted % 11) % 11;
    u8::try_from(check).ok().filter(|check| *check < 10).map(|check| check + b'0')
}

/// What a token says that looks like SHA-256: 64 hexadecimal digits.
fn bytes(token: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if token.len() != bytes.len() * 2 {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(token.as_bytes().chunks_exact(2)) {
        let digit = |at: usize| char::from(digits[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? << 4 | digit(1)?).ok()?;
    }
    Some(bytes)
}

/// Hashes of the numbers that are tried, in each of the ways in which they are written; the same for every source.
struct Hashes {
    sorted: Vec<[u8; 32]>,
    /// A bit for each beginning of [`BEGINNING`] bits: whether a hash begins so.
    begun: Vec<u64>,
}

/// So many of the first bits of a hash tell most tokens from all that were tried.
const BEGINNING: u32 = 24;

impl Hashes {
    fn get() -> &'static Self {
        static HASHES: OnceLock<Hashes> = OnceLock::new();
        HASHES.get_or_init(|| {
            let in_issue = (0..TRIED).map(|n| {
                // Nine digits of a number in issue; a hash stands for chance, the same in every run.
                let drawn =
                    Sha256::digest(n.to_le_bytes()).iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
                [400_000_000, 600_000_000, 700_000_000].get((drawn % 3) as usize).unwrap_or(&0)
                    + drawn / 3 % 100_000_000
            });
            let for_tests = 999_000_000..999_000_000 + TRIED_TEST_NUMBERS;
            let numbers = for_tests.chain(in_issue).filter_map(with_check_digit);
            let mut sorted: Vec<[u8; 32]> = numbers.flat_map(|number| written(&number)).collect();
            sorted.sort_unstable();
            let mut begun = vec![0; 1 << (BEGINNING - u64::BITS.ilog2())];
            for (word, bit) in sorted.iter().map(Self::beginning) {
                begun[word] |= bit;
            }
            Self { sorted, begun }
        })
    }

    fn hold(&self, hash: &[u8; 32]) -> bool {
        let (word, bit) = Self::beginning(hash);
        self.begun[word] & bit != 0 && self.sorted.binary_search(hash).is_ok()
    }

    /// Where the bit of a hash's beginning is: the word, and the bit in it.
    fn beginning([first, second, third, ..]: &[u8; 32]) -> (usize, u64) {
        let beginning = u32::from_be_bytes([0, *first, *second, *third]);
        ((beginning / u64::BITS) as usize, 1 << (beginning % u64::BITS))
    }
}

fn written(number: &str) -> Vec<[u8; 32]> {
    let (first, second, third) = (&number[..3], &number[3..6], &number[6..]);
    let hash = |parts: &[&str]| {
        let hasher = parts.iter().fold(Sha256::new(), |hasher, part| hasher.chain_update(part));
        hasher.finalize().into()
    };
    let salted = SALTS.iter().flat_map(|salt| [hash(&[salt, number]), hash(&[number, salt])]);
    [hash(&[number]), hash(&[first, " ", second, " ", third])].into_iter().chain(salted).collect()
}

fn with_check_digit(nine: u64) -> Option<String> {
    let mut number = format!("{nine:09}");
    number.push(char::from(check_digit(number.as_bytes())?));
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(tokens: impl IntoIterator<Item = String>) -> Option<String> {
        let tokens: Vec<String> = tokens.into_iter().collect();
        refuse("people", "person", &tokens).err().map(|error| error.to_string())
    }

    fn sha256(text: &str) -> String {
        Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Published examples and numbers worked out by hand.
    #[test]
    fn the_check_digit_decides() {
        for valid in ["9434765919", "4010232137", "9990000018", "9990000026", "1234567881", "9876544322", "4857773457"]
        {
            assert!(is_valid(valid), "{valid}");
        }
        let wrong =
            ["4857773456", "9434765910", "4010232138", "1234567890", "123456789", "94347659199", "943 476 5919"];
        for wrong in wrong.into_iter().chain(["0000000000", "1111111111", "", "943476591x", "９434765919"]) {
            assert!(!is_valid(wrong), "{wrong}");
        }
    }

    #[test]
    fn a_source_of_nhs_numbers_is_refused_and_one_of_random_numbers_is_not() {
        let numbers: Vec<String> = (450_000_000..450_000_050).filter_map(with_check_digit).collect();
        let said = refused(numbers.clone()).unwrap();
        assert!(said.contains("source people, column person") && said.contains("HMAC"), "{said}");
        assert!(numbers.iter().all(|number| !said.contains(number)), "no token is shown");
        assert!(
            refused((4_500_000_000_u64..4_500_001_000).map(|number| number.to_string())).is_none(),
            "one in eleven"
        );
        assert!(refused(numbers.into_iter().take(ENOUGH - 1)).is_none(), "too few to prove anything");
    }

    #[test]
    fn one_plain_hash_of_a_number_is_proof() {
        let test_number = with_check_digit(999_000_001).unwrap();
        let others = || {
            (0..500).map(|n| sha256(&format!("keyed {n}"))).chain([sha256(&format!("{test_number}a salt of theirs"))])
        };
        assert!(refused(others()).is_none(), "no hash of a number alone, and a salt that is not known");
        let spaced = format!("{} {} {}", &test_number[..3], &test_number[3..6], &test_number[6..]);
        for text in [test_number.clone(), spaced, format!("nhs{test_number}"), format!("{test_number}salt")] {
            assert!(refused(others().chain([sha256(&text)])).is_some(), "{text}");
            assert!(refused([sha256(&text).to_uppercase()]).is_some(), "{text}, in capitals");
        }
    }
}
