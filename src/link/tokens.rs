//! Many tokens, one after the other.

/// As much of memory as a processor fetches at once.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Line([u8; 64]);

/// Tokens, numbered from 1.
#[derive(Debug)]
pub(super) enum Tokens {
    /// All of one length, none across two lines.
    Even { lines: Vec<Line>, length: usize, to_a_line: usize },
    /// Of any length: the text, where each begins, and where the last one ends.
    Any { text: String, starts: Vec<usize> },
}

impl Default for Tokens {
    fn default() -> Self {
        Self::of(&[])
    }
}

impl Tokens {
    pub fn of(tokens: &[&str]) -> Self {
        let length = tokens.first().map_or(0, |token| token.len());
        if (1..=64).contains(&length) && tokens.iter().all(|token| token.len() == length) {
            let to_a_line = 64 / length.next_power_of_two();
            let line = |tokens: &[&str]| {
                let mut line = Line([0; 64]);
                let places = line.0.chunks_exact_mut(64 / to_a_line);
                places.zip(tokens).for_each(|(place, token)| place[..length].copy_from_slice(token.as_bytes()));
                line
            };
            return Self::Even { lines: tokens.chunks(to_a_line).map(line).collect(), length, to_a_line };
        }
        let ends = tokens.iter().scan(0, |end, token| {
            *end += token.len();
            Some(*end)
        });
        Self::Any { starts: [0].into_iter().chain(ends).collect(), text: tokens.concat() }
    }

    /// The token of a number that is one.
    pub fn get(&self, number: u32) -> &str {
        let at = number as usize - 1;
        match self {
            Self::Even { lines, length, to_a_line } => {
                let line = &lines[at / to_a_line].0[at % to_a_line * (64 / to_a_line)..];
                str::from_utf8(&line[..*length]).unwrap_or_default()
            }
            Self::Any { text, starts } => &text[starts[at]..starts[at + 1]],
        }
    }

    /// Whether this is the token of a number that is one.
    pub fn is(&self, number: u32, token: &str) -> bool {
        let at = number as usize - 1;
        match self {
            // As most tokens are: compared without a call.
            Self::Even { lines, length: 64, .. } => {
                <[u8; 64]>::try_from(token.as_bytes()).is_ok_and(|token| lines[at].0 == token)
            }
            Self::Even { lines, length, to_a_line } => {
                let line = &lines[at / to_a_line].0[at % to_a_line * (64 / to_a_line)..];
                line[..*length] == *token.as_bytes()
            }
            Self::Any { text, starts } => text[starts[at]..starts[at + 1]] == *token,
        }
    }

    /// None for the number of no token.
    pub fn first_byte(&self, number: u32) -> Option<u8> {
        let at = (number as usize).checked_sub(1)?;
        match self {
            Self::Even { lines, to_a_line, .. } => {
                Some(lines.get(at / to_a_line)?.0[at % to_a_line * (64 / to_a_line)])
            }
            Self::Any { text, starts } => text.as_bytes().get(*starts.get(at)?).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_any_length_are_kept() {
        let of_length = |length: usize| (0..50).map(|n| format!("{n:0length$}")).collect::<Vec<_>>();
        let odd = ["", "a", "é", "a longer one", ""].map(str::to_owned).to_vec();
        for tokens in [1, 2, 10, 31, 32, 33, 63, 64, 65, 200].map(of_length).into_iter().chain([odd]) {
            let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
            let kept = Tokens::of(&tokens);
            for (number, token) in (1..).zip(&tokens) {
                assert_eq!(kept.get(number), *token);
                assert!(kept.is(number, token) && !kept.is(number, &format!("{token}x")));
                assert!(tokens.iter().all(|other| kept.is(number, other) == (other == token)));
            }
        }
    }
}
