//! Models: card, citation, sign-off, bands.

use super::super::decl::{BandDecl, ModelDecl, ModelKind};
use super::super::document::Document;
use super::super::problem::Problem;
use super::super::table::{Row, Table};
use super::super::{Model, Scoring};
use super::Checker;
use super::desk::Loaded;

impl Checker {
    pub(super) fn model(&mut self, file: &Loaded<ModelDecl>) {
        let (document, decl) = (&file.document, &file.decl);
        for (key, text) in [
            ("citation", &decl.citation),
            ("predicts", &decl.predicts),
            ("population", &decl.population),
            ("version", &decl.version),
        ] {
            self.not_blank(document, &[key], text);
        }
        self.signed_off(document, &format!("model {}", file.name), &decl.signed_off);
        self.card(document, &decl.card);
        self.bands(document, &decl.bands);
        let names = [file.name.clone(), format!("{}_band", file.name)];
        for what in names.iter().filter_map(|name| self.taken(name)).collect::<Vec<_>>() {
            self.desk.report(document.at_key(&["title"], what).help("the model's folder gives the score its name"));
        }
        let foreign: &[(&str, bool)] = match decl.kind {
            ModelKind::Points => &[("intercept", decl.intercept.is_some()), ("terms", !decl.terms.is_empty())],
            ModelKind::Logistic => &[
                ("feature", decl.feature.is_some()),
                ("thresholds", !decl.thresholds.is_empty()),
                ("floor", decl.floor.is_some()),
            ],
        };
        for (key, _) in foreign.iter().filter(|(_, given)| *given) {
            self.desk.report(document.at_key(&[key], format!("a model of this kind has no `{key}`")));
        }
        let kind = match decl.kind {
            ModelKind::Points => self.points(document, decl).map(Scoring::Points),
            ModelKind::Logistic => self.logistic(document, decl).map(Scoring::Logistic),
        };
        match kind {
            Some(kind) => self.models.push(Model { name: file.name.clone(), decl: decl.clone(), kind }),
            None => names.into_iter().for_each(|name| {
                self.broken.insert(name);
            }),
        }
    }

    fn card(&mut self, document: &Document, card: &str) {
        let help = "a model is refused without a page that says what it claims, for whom, and where it fails";
        let Some(shown) = beside(&document.file, card) else {
            self.desk.report(document.at_value(&["card"], "the card stands in the model's folder").help(help));
            return;
        };
        match self.desk.find(&shown) {
            None => self
                .desk
                .report(document.at_value(&["card"], format!("there is no `{card}` beside the model")).help(help)),
            Some(_) => {
                if self.desk.read(&shown).is_some_and(|text| text.trim().is_empty()) {
                    self.desk.report(document.at_value(&["card"], format!("`{card}` is empty")).help(help));
                }
            }
        }
    }

    fn bands(&mut self, document: &Document, bands: &[BandDecl]) {
        let mut below = f64::NEG_INFINITY;
        for (at, band) in bands.iter().enumerate() {
            let place = at.to_string();
            let path = ["bands", place.as_str()];
            let last = at + 1 == bands.len();
            if band.name.trim().is_empty() || bands.iter().take(at).any(|other| other.name == band.name) {
                self.desk.report(document.at_value(&path, "each band has a name of its own"));
            }
            match band.below {
                Some(_) if last => {
                    self.desk.report(document.at_value(&path, "the last band has no `below`: it takes the rest"))
                }
                None if !last => self.desk.report(document.at_value(&path, "only the last band has no `below`")),
                Some(end) if end <= below => {
                    self.desk.report(document.at_value(&path, "bands stand from the lowest to the highest"))
                }
                Some(end) => below = end,
                None => {}
            }
        }
    }

    /// A CSV in the model's folder.
    pub(super) fn table(
        &mut self,
        document: &Document,
        table: &str,
        required: &[&str],
    ) -> Option<(String, String, Vec<Row>)> {
        let shown = beside(&document.file, table).and_then(|shown| self.desk.find(&shown));
        let Some(shown) = shown else {
            self.desk.report(document.at_value(&["table"], format!("there is no `{table}` beside the model")));
            return None;
        };
        let text = self.desk.read(&shown)?;
        match Table::read(&text, required) {
            Ok(read) if read.rows.is_empty() => {
                self.desk.report(Problem::new(&shown, "the table has no rows"));
                None
            }
            Ok(read) => Some((shown, text, read.rows)),
            Err(problems) => {
                problems.iter().for_each(|problem| self.desk.report(problem.located(&shown, &text)));
                None
            }
        }
    }
}

/// A file of the same folder.
fn beside(file: &str, name: &str) -> Option<String> {
    let plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':']);
    let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
    plain.then(|| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stand_beside_the_model() {
        assert_eq!(beside("models/x/model.toml", "card.md").as_deref(), Some("models/x/card.md"));
        for name in ["../card.md", "/etc/passwd", "", ".", "C:x", "a\\b"] {
            assert_eq!(beside("models/x/model.toml", name), None, "{name}");
        }
    }
}
