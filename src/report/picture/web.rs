//! One person's web of care: the person in the middle, providers around, and the ways on which care changed hands.

use std::f64::consts::TAU;

use super::canvas::{Anchor, Canvas, LINE, Picture, WIDTH, cut};

/// A provider in contact with a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// The team, or what is known of the provider.
    pub name: String,
    /// Empty where it is not recorded, or is the name.
    pub organisation: String,
    /// How the provider's setting is called.
    pub setting: String,
    pub contacts: u64,
}

/// Contacts that came after one with another provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandOff {
    /// Indices into the providers.
    pub from: usize,
    pub to: usize,
    pub times: u64,
}

/// More than so many providers nobody can tell apart: those with most contacts are drawn.
pub const MOST: usize = 12;

const MIDDLE: (f64, f64) = (WIDTH / 2.0, 215.0);
const RADIUS: (f64, f64) = (80.0, 150.0);

/// Providers in the order in which they stand around the person, from the top clockwise.
pub fn web(providers: &[Provider], hand_offs: &[HandOff]) -> Picture {
    let mut canvas = Canvas::default();
    canvas.key(LINE, "care changed hands, and how often", |canvas, x, y| {
        canvas.line("thread", [(x - 12.0, y), (x + 12.0, y)])
    });
    let shown = providers.len().min(MOST);
    let place = |at: usize| {
        let turn = TAU * (at as f64 + 0.5) / shown.max(1) as f64;
        (MIDDLE.0 + RADIUS.0 * turn.sin(), MIDDLE.1 - RADIUS.1 * turn.cos())
    };
    (0..shown).for_each(|at| canvas.line("grid", [MIDDLE, place(at)]));
    for HandOff { from, to, times } in hand_offs.iter().filter(|way| way.from < shown && way.to < shown) {
        let (start, end) = (place(*from), place(*to));
        // Bent towards the middle, a little more one way than back, so that both ways can be seen.
        let bend = if from < to { 0.25 } else { 0.4 };
        let between = |a: f64, b: f64, middle: f64| f64::midpoint(a, b) + bend * (middle - f64::midpoint(a, b));
        let way = (between(start.0, end.0, MIDDLE.0), between(start.1, end.1, MIDDLE.1));
        canvas.line("thread", [start, way, end]);
        if *times > 1 {
            canvas.text("small", way, Anchor::Middle, &times.to_string());
        }
    }
    canvas.dot("point", MIDDLE.0, MIDDLE.1);
    canvas.text("label", (MIDDLE.0, MIDDLE.1 + LINE), Anchor::Middle, "the person");
    for (at, provider) in providers.iter().take(shown).enumerate() {
        let (x, y) = place(at);
        canvas.dot("place", x, y);
        let right = x >= MIDDLE.0;
        let (anchor, x) = if right { (Anchor::Start, x + 8.0) } else { (Anchor::End, x - 8.0) };
        let room = if right { WIDTH - x } else { x };
        canvas.text("label", (x, y), anchor, &cut(&provider.name, room));
        let contacts = if provider.contacts == 1 { "contact" } else { "contacts" };
        let of = if provider.organisation.is_empty() { String::new() } else { format!("{}, ", provider.organisation) };
        canvas.text("small", (x, y + 13.0), anchor, &cut(&format!("{of}{} {contacts}", provider.contacts), room));
    }
    let bottom = MIDDLE.1 + RADIUS.1 + 2.0 * LINE;
    if providers.len() > shown {
        let rest = format!("and {} more, with fewer contacts", providers.len() - shown);
        canvas.text("small", (0.0, bottom), Anchor::Start, &rest);
    }
    let named: Vec<String> = providers
        .iter()
        .map(|provider| format!("{} {} ({})", provider.name, provider.organisation, provider.setting))
        .collect();
    let description = format!("The person in the middle, and around them: {}.", named.join("; "));
    canvas.finish("Web of care", &description, bottom + LINE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_of_a_full_web_is_on_the_sheet() {
        let providers: Vec<Provider> = (0..20)
            .map(|at| Provider {
                name: format!("a rather long name of team {at}"),
                organisation: "RZ1".to_owned(),
                setting: "acute".to_owned(),
                contacts: 20 - at,
            })
            .collect();
        let hand_offs: Vec<HandOff> = (0..19).map(|at| HandOff { from: at, to: at + 1, times: 2 }).collect();
        let picture = web(&providers, &hand_offs);
        picture.assert_within();
        assert!(picture.svg("w").contains("and 8 more"));
        web(&[], &[]).assert_within();
        web(&providers[..1], &[]).assert_within();
    }
}
