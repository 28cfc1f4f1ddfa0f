//! Tokens in half a line of a processor's memory.

use std::hash::{Hash, Hasher};

/// A token, or where it is too long for that, what most likely only that token has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Packed([u64; 4]);

impl Hash for Packed {
    /// Number by number: as bytes they would be gone through as a text.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.iter().for_each(|word| state.write_u64(*word));
    }
}

/// How the tokens of the registers are packed: as short as all of them can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Packing {
    /// 64 hexadecimal digits in lower case, two to a byte.
    Digits,
    /// Up to 32 bytes, none of them 0, as they are.
    #[default]
    Short,
    /// Its ends: another token can have the same.
    Ends,
}

const LOW_BITS: u64 = 0x0101_0101_0101_0101;

impl Packing {
    pub fn of<'a>(tokens: impl Iterator<Item = &'a str> + Clone) -> Self {
        let fit = |packing: &Self| tokens.clone().all(|token| packing.pack(token).is_some());
        [Self::Digits, Self::Short].into_iter().find(fit).unwrap_or(Self::Ends)
    }

    /// Whether no two tokens have the same.
    pub fn is_exact(self) -> bool {
        self != Self::Ends
    }

    /// Nothing where a token cannot be one of those that are packed so.
    #[inline]
    pub fn pack(self, token: &str) -> Option<Packed> {
        match self {
            Self::Digits => pack_digits(token.as_bytes()),
            Self::Short => pack_short(token.as_bytes()),
            Self::Ends => Some(pack_ends(token.as_bytes())),
        }
    }

    /// The token, where it is exact.
    pub fn unpack(self, packed: &Packed) -> String {
        let bytes = match self {
            Self::Digits => {
                let both = packed.0.iter().flat_map(|both| [both & (0xf * LOW_BITS), both >> 4 & (0xf * LOW_BITS)]);
                both.flat_map(|values| digits(values).to_le_bytes()).collect()
            }
            Self::Short | Self::Ends => {
                packed.0.iter().flat_map(|word| word.to_le_bytes()).filter(|byte| *byte != 0).collect()
            }
        };
        String::from_utf8(bytes).unwrap_or_default()
    }
}

/// Eight digits at once, a byte each: 8 of them in the low half of a word's bytes, the next 8 in the high one.
fn pack_digits(token: &[u8]) -> Option<Packed> {
    let token: &[u8; 64] = token.try_into().ok()?;
    let mut packed = Packed::default();
    let mut wrong = 0;
    for (packed, sixteen) in packed.0.iter_mut().zip(token.chunks_exact(16)) {
        let value = |at: usize, wrong: &mut u64| {
            let eight = sixteen[at..at + 8].try_into().map_or(0, u64::from_le_bytes);
            let letters = eight >> 6 & LOW_BITS;
            let low = eight & (0xf * LOW_BITS);
            let value = low + 9 * letters;
            // 0x30 to 0x3f or 0x60 to 0x6f; a letter is 10 to 15, anything else less.
            *wrong |= eight ^ (low + 0x30 * LOW_BITS + 0x30 * letters);
            *wrong |= (value + 6 * LOW_BITS) & (0x10 * LOW_BITS) ^ (letters << 4);
            *wrong |= value & (0x10 * LOW_BITS);
            value
        };
        *packed = value(0, &mut wrong) | value(8, &mut wrong) << 4;
    }
    (wrong == 0).then_some(packed)
}

/// The digits of eight values.
fn digits(values: u64) -> u64 {
    let letters = (values + 6 * LOW_BITS) >> 4 & LOW_BITS;
    values + 0x30 * LOW_BITS + 0x27 * letters
}

fn pack_short(token: &[u8]) -> Option<Packed> {
    if token.len() > 32 || token.contains(&0) {
        return None;
    }
    let mut bytes = [0; 32];
    bytes[..token.len()].copy_from_slice(token);
    let mut packed = Packed::default();
    let words = packed.0.iter_mut().zip(bytes.chunks_exact(8));
    words.for_each(|(word, bytes)| *word = bytes.try_into().map_or(0, u64::from_le_bytes));
    Some(packed)
}

fn pack_ends(token: &[u8]) -> Packed {
    let end = |bytes: &[u8]| bytes.iter().fold(0, |word: u64, byte| word << 8 | u64::from(*byte));
    let middle = &token[token.len() / 2..];
    let (first, last) = (token.len().min(8), token.len().saturating_sub(8));
    Packed([end(&token[..first]), end(&token[last..]), end(&middle[..middle.len().min(8)]), token.len() as u64])
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn only_digits_are_packed_as_digits() {
        let good = "0123456789abcdef".repeat(4);
        assert_eq!(Packing::Digits.pack(&good).map(|packed| Packing::Digits.unpack(&packed)), Some(good.clone()));
        for at in [0, 7, 8, 31, 63] {
            for byte in 0..128_u8 {
                let mut token = good.clone().into_bytes();
                token[at] = byte;
                let token = String::from_utf8(token).unwrap();
                let packed = Packing::Digits.pack(&token);
                assert_eq!(packed.is_some(), matches!(byte, b'0'..=b'9' | b'a'..=b'f'), "{byte} at {at}");
                assert!(packed.is_none_or(|packed| Packing::Digits.unpack(&packed) == token));
            }
        }
        assert!(
            ["", "0", &good[1..], &format!("{good}0"), &"é".repeat(32)]
                .iter()
                .all(|token| pack_digits(token.as_bytes()).is_none())
        );
    }

    #[test]
    fn tokens_are_packed_as_short_as_all_can_be() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let hex = |length: usize, random: &mut ChaCha8Rng| -> String {
            (0..length).filter_map(|_| char::from_digit(random.random_range(0..16), 16)).collect()
        };
        let long = hex(64, &mut random);
        let all = |tokens: &[&str]| {
            let packing = Packing::of(tokens.iter().copied());
            if packing.is_exact() {
                assert!(tokens.iter().all(|token| packing.unpack(&packing.pack(token).unwrap()) == *token));
            }
            packing
        };
        assert_eq!(all(&[&long, &hex(64, &mut random)]), Packing::Digits);
        assert_eq!(all(&["", "a", "é", &long[..31], &long[..32]]), Packing::Short);
        assert_eq!(all(&[&long, "a"]), Packing::Ends);
        assert_eq!(all(&[&long.to_uppercase()]), Packing::Ends);
        assert_eq!(all(&["a\0"]), Packing::Ends);
        assert_eq!(Packing::Short.pack("a\0"), None);
    }
}
