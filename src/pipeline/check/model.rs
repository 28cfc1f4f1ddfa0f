//! Models: card, citation, sign-off, bands.

use arrow::datatypes::Schema;

use super::super::decl::{BandDecl, ModelDecl, ModelKind};
use super::super::document::Document;
use super::super::problem::Problem;
use super::super::table::{Row, Table};
use super::super::{Model, Scoring, Verb};
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
        self.bands(document, &["bands"], &decl.bands);
        if let Some(sql) = &decl.applies_when {
            let schema = Schema::new(self.feature_fields());
            self.predicate(document, &["applies_when"], sql, &schema);
        }
        decl.editions.iter().for_each(|(feature, edition)| self.edition(document, feature, edition));
        self.trained(file);
        self.probability(document, decl);
        let names = ["", "_band", "_change"].map(|of| format!("{}{of}", file.name));
        for what in names.iter().filter_map(|name| self.taken(name)).collect::<Vec<_>>() {
            self.desk.report(document.at_key(&["title"], what).help("the model's folder gives the score its name"));
        }
        for key in foreign(decl) {
            self.desk.report(document.at_key(&[key], format!("a model of this kind has no `{key}`")));
        }
        let kind = match decl.kind {
            ModelKind::Points => self.points(document, decl).map(Scoring::Points),
            ModelKind::Logistic => self.logistic(document, decl).map(Scoring::Logistic),
            ModelKind::Trees => self.trees(document, decl).map(Scoring::Trees),
            ModelKind::Stack => self.stack(document, decl).map(Scoring::Stack),
        };
        match kind {
            Some(kind) => {
                let calibration = self.calibration(document, decl, decl.kind.is_probability());
                let reference = decl.reference.as_ref().and_then(|table| self.reference(document, table));
                self.models.push(Model { name: file.name.clone(), decl: decl.clone(), kind, calibration, reference })
            }
            None => names.into_iter().for_each(|name| {
                self.broken.insert(name);
            }),
        }
    }

    /// The lookup behind a feature must say that it is of this edition.
    fn edition(&mut self, document: &Document, feature: &str, wanted: &str) {
        let path = ["editions", feature];
        let Some(found) = self.feature_named(|message| document.at_key(&path, message), feature) else { return };
        let column = match self.features.get(found).map(|feature| &feature.verb) {
            Some(Verb::Value { source, column }) => self.sources.get(*source).and_then(|of| of.columns.get(*column)),
            _ => None,
        };
        let lookup = column.and_then(|column| self.sources.get(column.lookup.as_ref()?.source));
        let problem = match lookup.map(|lookup| (&lookup.name, &lookup.decl.edition)) {
            Some((_, Some(edition))) if edition == wanted => return,
            Some((name, Some(edition))) => format!("`{feature}` comes from `{name}`, which is \"{edition}\""),
            Some((name, None)) => format!("`{feature}` comes from `{name}`, which declares no `edition`"),
            None => format!("`{feature}` comes from no lookup, so nothing says of which edition it is"),
        };
        let help =
            "coefficients hold for the edition on which they were fitted; on another the score is not calibrated";
        self.desk.report(document.at_value(&path, format!("{problem}; this score needs \"{wanted}\"")).help(help));
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

    /// Names for ranges of a score, which stand at `path`.
    pub(super) fn bands(&mut self, document: &Document, path: &[&str], bands: &[BandDecl]) {
        let mut below = f64::NEG_INFINITY;
        for (at, band) in bands.iter().enumerate() {
            let place = at.to_string();
            let path: Vec<&str> = path.iter().copied().chain([place.as_str()]).collect();
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

    /// A CSV in the model's folder, named under `table`.
    pub(super) fn table(
        &mut self,
        document: &Document,
        table: &str,
        required: &[&str],
    ) -> Option<(String, String, Vec<Row>)> {
        self.table_at(document, &["table"], table, required)
    }

    /// A CSV in the model's folder, named at `path`.
    pub(super) fn table_at(
        &mut self,
        document: &Document,
        path: &[&str],
        table: &str,
        required: &[&str],
    ) -> Option<(String, String, Vec<Row>)> {
        let shown = beside(&document.file, table).and_then(|shown| self.desk.find(&shown));
        let Some(shown) = shown else {
            self.desk.report(document.at_value(path, format!("there is no `{table}` beside the model")));
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

/// What is given that belongs to other kinds of model.
fn foreign(decl: &ModelDecl) -> Vec<&'static str> {
    use ModelKind::{Logistic, Points, Stack, Trees};
    let given: [(&str, bool, &[ModelKind]); 9] = [
        ("table", decl.table.is_some(), &[Points, Logistic, Trees]),
        ("feature", decl.feature.is_some(), &[Points]),
        ("thresholds", !decl.thresholds.is_empty(), &[Points]),
        ("floor", decl.floor.is_some(), &[Points]),
        ("table_sum", !decl.table_sum.is_empty(), &[Points]),
        ("divide_by", decl.divide_by.is_some(), &[Points]),
        ("intercept", decl.intercept.is_some(), &[Logistic, Trees, Stack]),
        ("terms", !decl.terms.is_empty(), &[Logistic]),
        ("bases", !decl.bases.is_empty(), &[Stack]),
    ];
    let foreign = given.into_iter().filter(|(_, given, of)| *given && !of.contains(&decl.kind));
    foreign.map(|(key, ..)| key).collect()
}

/// A file of the same folder.
pub(super) fn beside(file: &str, name: &str) -> Option<String> {
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
