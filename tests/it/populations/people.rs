//! Who there is and what was recorded about them, dirt included.

use jiff::civil::{Date, date};
use jiff::{Span, ToSpan};
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use riskstrat::calendar::Window;

use super::declare::Declarations;
use super::layout::{Delivered, Stored, Table};

/// Draws dates and cells for one population.
struct Draw<'a> {
    random: ChaCha8Rng,
    declarations: &'a Declarations,
    prefix: &'a str,
    people: u32,
}

pub fn tables(declarations: &Declarations, seed: u64, prefix: &str) -> Vec<Table> {
    let mut random = super::random(seed, 2);
    let people = random.random_range(5..=60);
    let mut draw = Draw { random, declarations, prefix, people };
    vec![
        draw.superseded(),
        practices(seed),
        draw.register(),
        draw.housing(),
        draw.spells(),
        draw.practice_events(),
        draw.contacts(),
        draw.opt_outs(),
        draw.feedback(),
    ]
}

fn table(name: &'static str, about_people: bool, columns: &[(&'static str, Stored)], rows: Vec<Vec<String>>) -> Table {
    let columns = columns.iter().map(|(name, stored)| Delivered { name, stored: *stored }).collect();
    Table { name, columns, rows, about_people }
}

fn practices(seed: u64) -> Table {
    let mut rows = Vec::new();
    for practice in 0..4 {
        let pcn = if practice == 3 { String::new() } else { format!("U{}", practice % 2) };
        rows.push(vec![format!("A8100{practice}"), pcn, (seed % 10 + 1).to_string()]);
    }
    table("practices", false, &[("PRACTICE", Stored::Text), ("PCN", Stored::Text), ("DECILE", Stored::Integer)], rows)
}

impl Draw<'_> {
    /// A token that is none.
    fn nobody(&mut self) -> String {
        self.of(&["", "NULL", "0000000000", "  ", "null"]).to_owned()
    }

    /// The last row again, all but what it says about ethnicity and postcode, which stand at `at`.
    fn say_again(&mut self, rows: &mut Vec<Vec<String>>, at: usize) {
        let mut row = rows.last().unwrap().clone();
        row[at] = self.ethnicity();
        row[at + 1] = self.postcode();
        rows.push(row);
    }

    fn chance(&mut self, share: f64) -> bool {
        self.random.random_bool(share)
    }

    fn of<'b>(&mut self, all: &[&'b str]) -> &'b str {
        all.choose(&mut self.random).copied().unwrap()
    }

    /// A token, now and then dirty, unknown or superseded.
    fn token(&mut self) -> String {
        let number = self.random.random_range(0..self.people);
        let prefix = self.prefix;
        match self.random.random_range(0..60) {
            0 => self.nobody(),
            1 => format!("{prefix} {number}"),
            2 => format!("{prefix}-nobody-{number}"),
            3 => format!("  {prefix}-{number:03} "),
            4..=6 => format!("{prefix}-old-{number:03}"),
            7 => format!("{prefix}-older-{number:03}"),
            _ => format!("{prefix}-{number:03}"),
        }
    }

    /// A day on or beside a window's edge, a leap day, or any of the last four years.
    fn day(&mut self) -> Date {
        let as_of = self.declarations.as_of;
        let beside = |day: Date, random: &mut ChaCha8Rng| day + Span::new().days(random.random_range(-1..=1));
        match self.random.random_range(0..12) {
            0..=4 => {
                let window = Window::parse(self.declarations.windows.choose(&mut self.random).unwrap()).unwrap();
                beside(window.first_day(as_of).unwrap_or(as_of), &mut self.random)
            }
            5 => beside(as_of, &mut self.random),
            6 => *[date(2024, 2, 29), date(2023, 2, 28), date(2020, 2, 29)].choose(&mut self.random).unwrap(),
            _ => as_of - Span::new().days(self.random.random_range(1..1500)),
        }
    }

    /// A cell with some dirt in place of it.
    fn dirty(&mut self, cell: String, share: f64) -> String {
        if !self.chance(share) {
            return cell;
        }
        self.of(&["", "", "NULL", " ", "-", "n/k", "?!", "1900-01-01", "9999-12-31", "2026-02-30"]).to_owned()
    }

    fn maybe_day(&mut self, share: f64) -> String {
        if self.chance(share) { self.day().to_string() } else { String::new() }
    }

    fn recorded(&mut self, after: Date) -> String {
        if self.chance(0.2) {
            return String::new();
        }
        (after + self.random.random_range(0..40).days()).to_string()
    }

    fn ethnicity(&mut self) -> String {
        self.of(&["A", "a ", "B", "M", "K", "Z", "99", "U", "0", "", "NULL", "Q", "X", "A", "B"]).to_owned()
    }

    fn postcode(&mut self) -> String {
        self.of(&["AB1", "AB2", "CD3", "AB1", "ZZ9", "", "ab1", "AB12", " AB2"]).to_owned()
    }

    fn register(&mut self) -> Table {
        let mut rows = Vec::new();
        for person in 0..self.people {
            let born = self.birth_date();
            for _ in 0..self.random.random_range(0..4) {
                let updated = self.day();
                let start =
                    if self.chance(0.1) { self.day() } else { updated - self.random.random_range(0..900).days() };
                let end = if self.chance(0.12) { self.maybe_day(1.0) } else { String::new() };
                let died = if self.chance(0.06) { self.maybe_day(1.0) } else { String::new() };
                let born = self.dirty(born.to_string(), 0.06);
                let practice = format!("A8100{}", self.random.random_range(0..6));
                let old = if self.chance(0.05) { "old-" } else { "" };
                let token = format!("{}-{old}{person:03}", self.prefix);
                rows.push(vec![
                    if self.chance(0.02) { self.nobody() } else { token },
                    self.dirty(updated.to_string(), 0.03),
                    self.recorded(updated),
                    start.to_string(),
                    end,
                    born,
                    died,
                    self.dirty(practice, 0.05),
                    self.ethnicity(),
                    self.postcode(),
                ]);
                if self.chance(0.15) {
                    self.say_again(&mut rows, 8);
                }
            }
        }
        let text = Stored::Text;
        let columns = [
            ("TOKEN", text),
            ("UPDATED", text),
            ("RECORDED", Stored::Day),
            ("START", Stored::Day),
            ("END", Stored::Day),
            ("BORN", text),
            ("DIED", Stored::Day),
            ("PRACTICE", text),
            ("ETHNICITY", text),
            ("POSTCODE", text),
        ];
        table("people", true, &columns, rows)
    }

    /// Birthdays beside the limits of age bands, leap days among them, and some babies.
    fn birth_date(&mut self) -> Date {
        let as_of = self.declarations.as_of;
        let years = *[0, 1, 17, 18, 40, 64, 65, 74, 75, 90].choose(&mut self.random).unwrap();
        match self.random.random_range(0..4) {
            0 => *[date(2004, 2, 29), date(1960, 2, 29), date(2008, 2, 29)].choose(&mut self.random).unwrap(),
            1 => as_of - Span::new().days(self.random.random_range(0..600)),
            _ => (as_of - Span::new().years(years)) + Span::new().days(self.random.random_range(-1..=1)),
        }
    }

    fn housing(&mut self) -> Table {
        let mut rows = Vec::new();
        for _ in 0..self.people / 3 {
            let rooms = self.random.random_range(0..11).to_string();
            let born = if self.chance(0.5) { self.birth_date().to_string() } else { String::new() };
            rows.push(vec![self.token(), self.day().to_string(), self.maybe_day(0.3), rooms, born, self.postcode()]);
        }
        let columns = [
            ("TOKEN", Stored::Text),
            ("START", Stored::Day),
            ("END", Stored::Day),
            ("ROOMS", Stored::Integer),
            ("BORN", Stored::Text),
            ("POSTCODE", Stored::Text),
        ];
        table("housing", true, &columns, rows)
    }

    fn spells(&mut self) -> Table {
        let mut rows: Vec<Vec<String>> = Vec::new();
        for number in 0..self.random.random_range(0..self.people * 4) {
            let day = self.day();
            let admitted = if self.chance(0.5) { day.strftime("%d/%m/%Y").to_string() } else { day.to_string() };
            let stay = self.random.random_range(-2..40);
            let end = if self.chance(0.8) { (day + stay.days()).to_string() } else { String::new() };
            let codes =
                ["F00", "F00.1", "F019", "I50X", "i50.0 ", "I50.0D", "I501", "J44", "W19", "R54", "", "", "12", "NULL"];
            let cost = ["", "0", "10", "99.5", "99.505", "99.515", "100.5", "1e2", "-3.255", "NaN", "7.", "250.25"];
            let spell = if self.chance(0.05) { String::new() } else { format!("{}-{number}", self.prefix) };
            let mut row = vec![
                self.token(),
                spell,
                self.dirty(admitted, 0.05),
                self.dirty(end, 0.03),
                self.recorded(day),
                self.of(&["21", "2A", "11", "31", " 21", "", "NULL", "2a"]).to_owned(),
                self.of(&codes).to_owned(),
                self.of(&codes).to_owned(),
                self.of(&codes).to_owned(),
                self.of(&["RXX01", "RXX02", "RYY", "", "RXX_2"]).to_owned(),
                self.of(&cost).to_owned(),
                self.of(&["0", "1", "2", "15", "", " 3", "x", "-1"]).to_owned(),
                if self.chance(0.02) { self.maybe_day(1.0) } else { String::new() },
                self.ethnicity(),
                self.postcode(),
                self.of(&["0", "1", "2", "7", "14", " 3", "x", "1", "2", "30"]).to_owned(),
                self.birth_date().to_string(),
            ];
            row[16] = self.dirty(row[16].clone(), 0.15);
            if self.chance(0.1) && !rows.is_empty() {
                // The same spell again: changed, recorded on another day, or tied on it.
                row = rows[self.random.random_range(0..rows.len())].clone();
                if self.chance(0.7) {
                    row[5] = self.of(&["21", "11", "31"]).to_owned();
                }
                if self.chance(0.5) {
                    row[4] = self.recorded(day);
                }
                if self.chance(0.2) {
                    row[0] = self.token();
                }
                if self.chance(0.3) {
                    row[2] = (self.declarations.as_of + self.random.random_range(0..90).days()).to_string();
                }
            }
            rows.push(row);
            if self.chance(0.05) {
                self.say_again(&mut rows, 13);
            }
        }
        let text = Stored::Text;
        let columns = [
            ("TOKEN", text),
            ("SPELL", text),
            ("ADMIDATE", text),
            ("DISDATE", text),
            ("RECORDED", Stored::Day),
            ("METHOD", text),
            ("DIAG_1", text),
            ("DIAG_2", text),
            ("DIAG_10", text),
            ("PROVIDER", text),
            ("COST", text),
            ("STAY", text),
            ("DIED", Stored::Day),
            ("ETHNICITY", text),
            ("POSTCODE", text),
            ("NIGHTS", text),
            ("BORN", text),
        ];
        table("spells", true, &columns, rows)
    }

    fn practice_events(&mut self) -> Table {
        let mut rows = Vec::new();
        for _ in 0..self.random.random_range(0..self.people * 4) {
            let day = self.day();
            let time = self.of(&["T00:00:00", "T23:30:00Z", "T23:59:59", " 08:15:00", "T23:30:00+01:00", "T00:15:00Z"]);
            let when = self.dirty(format!("{day}{time}"), 0.03);
            let code =
                self.of(&["44054006", "84114007", "13645005", "72313002", "44054007", "044054006", "", "44054006"]);
            let value = self.of(&["120", "120.05", "120.15", "300", "300.1", "", "-1", "abc"]).to_owned();
            let level = self.of(&["0.00035", "0.00045", "0.1", "3", "-12", "16777.25", "120.05", "", "0.3"]).to_owned();
            rows.push(vec![self.token(), when, code.to_owned(), value, level]);
        }
        let text = Stored::Text;
        let columns = [("TOKEN", text), ("WHEN", text), ("CODE", text), ("VALUE", text), ("LEVEL", Stored::Short)];
        table("practice_events", true, &columns, rows)
    }

    fn contacts(&mut self) -> Table {
        let mut rows = Vec::new();
        for _ in 0..self.random.random_range(0..self.people * 3) {
            let day = self.day();
            let at = self.of(&["", "", "", "T23:30:00+0000", "T00:15:00+0100", "T23:59:59-0100", "T12:00:00+0000"]);
            let minutes = *[0, 5, 15, 16, 20, 25, 30, 31, 1440, 1441, -1].choose(&mut self.random).unwrap();
            let minutes = if self.chance(0.1) { String::new() } else { minutes.to_string() };
            rows.push(vec![
                self.token(),
                self.dirty(format!("{day}{at}"), 0.04),
                self.recorded(day),
                minutes,
                self.of(&["N", "T", "P", "X", "", "n"]).to_owned(),
                self.of(&["1", "0", "Y", "no", "TRUE", "f", "", "maybe"]).to_owned(),
                self.of(&["A", "B", "", "M"]).to_owned(),
            ]);
        }
        let columns = [
            ("TOKEN", Stored::Text),
            ("DAY", Stored::Text),
            ("RECORDED", Stored::Day),
            ("MINUTES", Stored::Integer),
            ("TEAM", Stored::Text),
            ("URGENT", Stored::Text),
            ("ETHNICITY", Stored::Text),
        ];
        table("contacts", true, &columns, rows)
    }

    fn opt_outs(&mut self) -> Table {
        let mut rows = Vec::new();
        for _ in 0..self.people / 8 {
            let from = self.maybe_day(0.6);
            rows.push(vec![
                self.token(),
                self.dirty(from, 0.08),
                self.maybe_day(0.3),
                self.maybe_day(0.5),
                self.of(&["A", "O", "A", "O", "A", "O", "", "?"]).to_owned(),
            ]);
            if self.chance(0.3) {
                // The same person again, from tomorrow on.
                let mut later = rows.last().unwrap().clone();
                later[1] = (self.declarations.as_of + self.random.random_range(1..60).days()).to_string();
                rows.push(later);
            }
        }
        let columns = [
            ("TOKEN", Stored::Text),
            ("FROM", Stored::Text),
            ("UNTIL", Stored::Day),
            ("RECORDED", Stored::Day),
            ("WHY", Stored::Text),
        ];
        table("opt_outs", true, &columns, rows)
    }

    fn feedback(&mut self) -> Table {
        let mut rows = Vec::new();
        for _ in 0..self.people / 2 {
            let outcome = self.of(&["spoke", "no answer", "", "spoke"]).to_owned();
            rows.push(vec![self.token(), self.day().to_string(), outcome]);
        }
        table("feedback", true, &[("TOKEN", Stored::Text), ("CALLED", Stored::Day), ("OUTCOME", Stored::Text)], rows)
    }

    /// `older` became `old` became today's token, for a few people.
    fn superseded(&mut self) -> Table {
        let mut rows = Vec::new();
        let prefix = self.prefix;
        for person in 0..self.people {
            if self.chance(0.5) {
                rows.push(vec![format!("{prefix}-old-{person:03}"), format!("{prefix}-{person:03}")]);
                if self.chance(0.5) {
                    rows.push(vec![format!("{prefix}-older-{person:03}"), format!("{prefix}-old-{person:03}")]);
                }
            }
        }
        for _ in 0..self.random.random_range(0..3) {
            // A step from or to nobody leads nowhere.
            let token = format!("{prefix}-{:03}", self.random.random_range(0..self.people));
            rows.push(if self.chance(0.5) { vec![token, self.nobody()] } else { vec![self.nobody(), token] });
        }
        table("superseded", true, &[("OLD", Stored::Text), ("NEW", Stored::Text)], rows)
    }
}
