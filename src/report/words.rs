//! Numbers and codes as the page says them.

use super::table::Shown;

/// What stands in a table for a number that may not be shown; the page says above what it means.
pub(super) const HIDDEN: &str = "hidden";

/// `1,250`.
pub(super) fn count(shown: Shown) -> String {
    in_words(shown, |number| grouped(&format!("{number:.0}")))
}

/// `12.5%`.
pub(super) fn percent(shown: Shown) -> String {
    in_words(shown, |number| format!("{number:.1}%"))
}

/// `0.731`, without zeros at the end.
pub(super) fn figure(shown: Shown) -> String {
    in_words(shown, plain)
}

fn in_words(shown: Shown, number: impl Fn(f64) -> String) -> String {
    match shown {
        Shown::Number(value) => number(value),
        Shown::Hidden => HIDDEN.to_owned(),
        Shown::Nothing => "–".to_owned(),
    }
}

/// `2.7`: what people say of a mean or of an expected number.
pub(super) fn tenth(shown: Shown) -> String {
    in_words(shown, |number| plain((number * 10.0).round() / 10.0))
}

/// At most three decimals, thousands parted by commas.
pub(super) fn plain(number: f64) -> String {
    let text = format!("{number:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    let (whole, rest) = text.split_once('.').map_or((text, ""), |(whole, _)| (whole, &text[whole.len()..]));
    let whole = if whole == "-0" && rest.is_empty() { "0" } else { whole };
    format!("{}{rest}", grouped(whole))
}

fn grouped(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("−", digits));
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{sign}{text}")
}

/// A code as words: `score_movement` as "Score movement".
pub(super) fn spaced(code: &str) -> String {
    capital(&code.replace('_', " "))
}

/// Within a sentence: the first letter small, but for an abbreviation or a code.
pub(super) fn lower(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain(text.chars().skip(1)).collect()
        }
        _ => text.to_owned(),
    }
}

/// With a capital letter first.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(count(Shown::Number(1_234_565.0)), "1,234,565");
        assert_eq!(count(Shown::Number(0.0)), "0");
        assert_eq!(count(Shown::Hidden), "hidden");
        assert_eq!(percent(Shown::Number(12.5)), "12.5%");
        assert_eq!(percent(Shown::Nothing), "–");
        for (number, text) in [(0.731, "0.731"), (12.0, "12"), (-1234.5, "−1,234.5"), (0.0, "0"), (-0.0001, "0")] {
            assert_eq!(plain(number), text);
        }
        assert_eq!(spaced("score_movement"), "Score movement");
        assert_eq!([lower("Ethnicity"), lower("IMD decile"), lower("A code")], ["ethnicity", "IMD decile", "a code"]);
    }
}
