//! What of an evaluation may leave the building: three tables, every number through disclosure control.

use super::cut::Rates;
use super::interval::{Estimate, wilson};
use super::judge::{Evaluation, Group, Judged};
use super::measures::{Measures, Probability};
use crate::disclosure::{self, AggregateTable, Before, Cell, Disclosed, Label, Rule, Whole};
use crate::error::Result;

/// Stands for all groups of a split.
const EVERYONE: &str = "everyone";

/// `model_performance`, `model_calibration` and `need_at_equal_score`.
pub fn tables(evaluation: &Evaluation, rule: Rule) -> Result<[AggregateTable; 3]> {
    let header = ["model", "split", "group", "people", "with_outcome", "measure", "value", "low", "high"];
    let everyone = Whole::Row(&[("split", EVERYONE), ("group", EVERYONE)]);
    let mut performance = AggregateTable::new("model_performance", header)
        .counts("people", "people", &["model", "split", "group"])
        .counts("with_outcome", "with the outcome", &["model", "split", "group"])
        .sums("people", "group", everyone)
        .sums("with_outcome", "group", everyone)
        .part_of("with_outcome", "people");
    let header = ["model", "split", "group", "people", "predicted", "with_outcome", "observed"];
    let mut calibration = AggregateTable::new("model_calibration", header);
    let header = ["model", "split", "group", "score_tenth", "people", "measure", "value"];
    let mut need = AggregateTable::new("need_at_equal_score", header);
    for model in &evaluation.models {
        of_everyone(rule, model, &mut performance, &mut calibration)?;
        for group in &model.groups {
            of_group(rule, model, group, &mut performance, &mut calibration)?;
        }
        at_equal_score(rule, model, &mut need)?;
    }
    let mut tables = [performance, calibration, need];
    disclosure::release(rule, &mut tables, &Before::default());
    Ok(tables)
}

/// The rows of one group of people in `model_performance`.
struct Writer<'a> {
    rule: Rule,
    model: &'a str,
    split: &'a str,
    group: &'a str,
    rows: u64,
    events: u64,
    table: &'a mut AggregateTable,
}

impl Writer<'_> {
    fn row(&mut self, measure: &str, cells: [Cell; 3]) -> Result<()> {
        let [value, low, high] = cells;
        self.table.row([
            text(self.model),
            text(self.split),
            text(self.group),
            Cell::Count(self.rule.count(self.rows)),
            Cell::Count(self.rule.part(self.events, self.rows)),
            text(measure),
            value,
            low,
            high,
        ])
    }

    /// A figure of everyone in the group.
    fn figure(&mut self, measure: &str, estimate: Option<Estimate>, behind: &[u64]) -> Result<()> {
        let behind: Vec<u64> =
            [self.rows, self.events, self.rows - self.events].into_iter().chain(behind.iter().copied()).collect();
        let shown =
            |value: Option<f64>| value.map_or(Cell::Empty, |value| Cell::Count(self.rule.figure(value, &behind)));
        let interval = estimate.and_then(|estimate| estimate.interval);
        let cells = [estimate.map(|it| it.value), interval.map(|it| it.low), interval.map(|it| it.high)].map(shown);
        self.row(measure, cells)
    }

    /// A share of counts that could be told from it: it is of the counts as they are shown, and so is its interval.
    fn share(&mut self, measure: &str, part: f64, whole: f64) -> Result<()> {
        let [part, whole] = [part, whole].map(|count| count.round() as u64);
        let cells = match (self.rule.rounded(part), self.rule.rounded(whole)) {
            (Some(_), Some(0)) => [Cell::Empty, Cell::Empty, Cell::Empty],
            (Some(shown), Some(of)) => {
                let interval = wilson(shown.min(of) as f64, of as f64);
                [shown as f64 / of as f64, interval.low, interval.high]
                    .map(|share| Cell::Count(self.rule.figure(share, &[part, whole])))
            }
            _ => [self.suppressed(), self.suppressed(), self.suppressed()],
        };
        self.row(measure, cells)
    }

    /// The asterisk.
    fn suppressed(&self) -> Cell {
        Cell::Count(self.rule.count(1))
    }

    fn rates(&mut self, at: &str, rates: &Rates) -> Result<()> {
        let cut = rates.cut;
        let missed = cut.events - cut.found;
        self.share(&format!("PPV {at}"), cut.found, cut.flagged)?;
        self.share(&format!("sensitivity {at}"), cut.found, cut.events)?;
        self.share(&format!("false negative rate {at}"), missed, cut.events)?;
        self.share(&format!("false omission rate {at}"), missed, cut.people - cut.flagged)?;
        let counts =
            [cut.found, cut.flagged, cut.events, cut.people].map(|count| self.rule.rounded(count.round() as u64));
        let [Some(found), Some(flagged), Some(events), Some(people)] =
            counts.map(|count| count.map(|count| count as f64))
        else {
            return self.row(&format!("lift {at}"), [self.suppressed(), self.suppressed(), self.suppressed()]);
        };
        let lift = found / flagged / (events / people);
        self.row(&format!("lift {at}"), [Cell::Count(self.rule.figure(lift, &[])), Cell::Empty, Cell::Empty])
    }

    fn measures(&mut self, measures: &Measures) -> Result<()> {
        self.figure("AUROC", measures.auroc, &[])?;
        self.figure("average precision", measures.average_precision, &[])?;
        match &measures.probability {
            Some(probability) => self.probability(probability),
            None => Ok(()),
        }
    }

    fn probability(&mut self, of: &Probability) -> Result<()> {
        for (name, estimate) in [
            ("Brier score", of.brier),
            ("scaled Brier score", of.scaled_brier),
            ("log loss", of.log_loss),
            ("calibration in the large", of.in_the_large),
            ("calibration intercept", of.intercept),
            ("calibration slope", of.slope),
            ("observed over expected", of.observed_expected),
            ("integrated calibration index", of.ici),
            ("expected calibration error", of.ece),
        ] {
            self.figure(name, estimate, &[])?;
        }
        for benefit in &of.net_benefit {
            self.figure(&format!("net benefit at {}", benefit.threshold), benefit.model, &[])?;
        }
        Ok(())
    }
}

fn of_everyone(
    rule: Rule,
    model: &Judged,
    performance: &mut AggregateTable,
    calibration: &mut AggregateTable,
) -> Result<()> {
    let measures = &model.everyone;
    let mut writer = Writer {
        rule,
        model: &model.name,
        split: EVERYONE,
        group: EVERYONE,
        rows: measures.rows,
        events: measures.events,
        table: performance,
    };
    writer.measures(measures)?;
    for top in &measures.top {
        writer.rates(&format!("of the top {}", top.places), &top.rates)?;
    }
    if let Some(list) = &model.list {
        writer.rates("of the lists", list)?;
    }
    tenths(rule, &model.name, EVERYONE, EVERYONE, measures, calibration)
}

/// Of a group too small to say anything of, that it is there.
fn of_group(
    rule: Rule,
    model: &Judged,
    group: &Group,
    performance: &mut AggregateTable,
    calibration: &mut AggregateTable,
) -> Result<()> {
    let (split, name) = (group.split.as_str(), group.group.as_str());
    let mut writer = Writer {
        rule,
        model: &model.name,
        split,
        group: name,
        rows: group.rows,
        events: group.events,
        table: performance,
    };
    let Some(measures) = &group.measures else {
        return writer.row("too few to say", [Cell::Empty, Cell::Empty, Cell::Empty]);
    };
    writer.measures(measures)?;
    if let Some(list) = &group.list {
        writer.rates("of the lists", list)?;
    }
    tenths(rule, &model.name, split, name, measures, calibration)
}

fn tenths(
    rule: Rule,
    model: &str,
    split: &str,
    group: &str,
    measures: &Measures,
    table: &mut AggregateTable,
) -> Result<()> {
    for tenth in measures.probability.iter().flat_map(|probability| &probability.tenths) {
        let [people, events] = [tenth.people, tenth.events].map(|count| count.round() as u64);
        table.row([
            text(model),
            text(split),
            text(group),
            Cell::Count(rule.count(people)),
            Cell::Count(rule.figure(tenth.predicted, &[people])),
            Cell::Count(rule.part(events, people)),
            Cell::Count(percent(rule, events, people)),
        ])?;
    }
    Ok(())
}

fn at_equal_score(rule: Rule, model: &Judged, table: &mut AggregateTable) -> Result<()> {
    for need in &model.need {
        let mut row = |measure: &str, value: Cell| {
            table.row([
                text(&model.name),
                text(&need.split),
                text(&need.group),
                text(&need.tenth.to_string()),
                Cell::Count(rule.count(need.rows)),
                text(measure),
                value,
            ])
        };
        row("percent with the outcome", Cell::Count(percent(rule, need.events, need.rows)))?;
        for mean in &need.means {
            let value = mean.mean.map_or(Cell::Empty, |value| Cell::Count(rule.figure(value, &[need.rows, mean.rows])));
            row(&format!("mean {}", mean.feature), value)?;
        }
    }
    Ok(())
}

fn percent(rule: Rule, part: u64, whole: u64) -> Disclosed {
    rule.share(part, whole)
}

fn text(text: &str) -> Cell {
    Cell::Text(Label::new(text))
}
