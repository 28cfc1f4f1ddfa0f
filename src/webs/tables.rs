//! What is published of webs: nodes and edges of each person, hand-offs between organisations, fragmentation by group.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;

use super::{Edge, PersonWeb, Place, Webs};
use crate::audit::groups::{self, EVERYONE, Split};
use crate::disclosure::{AggregateTable, Cell, Rule, Whole};
use crate::error::Result;
use crate::features::Features;
use crate::link::People;
use crate::pipeline::Pipeline;
use crate::pipeline::decl::Setting;
use crate::pipeline::measures::{Web, WebFigure};
use crate::publish::Draft;

/// Means over everyone in contact; those of indices over everyone of whom the index is defined.
const MEANS: [(&str, WebFigure); 9] = [
    ("mean_contacts_a_month", WebFigure::ContactsAMonth),
    ("mean_organisations", WebFigure::Organisations),
    ("mean_teams", WebFigure::Teams),
    ("mean_settings", WebFigure::Settings),
    ("mean_hand_offs", WebFigure::HandOffs),
    ("mean_usual_provider", WebFigure::UsualProvider),
    ("mean_bice_boxerman", WebFigure::BiceBoxerman),
    ("mean_sequential", WebFigure::SequentialContinuity),
    ("mean_mmci", WebFigure::Mmci),
];

/// Writes `person/webs/<web>_nodes.parquet` and `…_edges.parquet`, `aggregate/web_fragmentation.csv` and `web_edges.csv`.
pub fn write(pipeline: &Pipeline, people: &People, features: &Features, draft: &mut Draft) -> Result<()> {
    if pipeline.measures.webs.is_empty() {
        return Ok(());
    }
    let rule = pipeline.disclosure;
    let mut fragmentation = fragmentation_table();
    let mut between = between_table();
    for (web, made) in pipeline.measures.webs.iter().zip(&features.webs) {
        draft.person_parquet(
            &format!("webs/{}_nodes.parquet", web.name),
            &nodes(pipeline, people, features, web, made)?,
        )?;
        draft.person_parquet(&format!("webs/{}_edges.parquet", web.name), &edges(people, features, made)?)?;
        for split in groups::with_everyone(pipeline, features, &web.by)? {
            fragmentation_rows(rule, web, made, &split, &mut fragmentation)?;
        }
        between_rows(rule, web, features, made, &mut between)?;
    }
    draft.aggregate(&fragmentation)?;
    draft.aggregate(&between)
}

fn fragmentation_table() -> AggregateTable {
    let counts = ["web", "split", "group", "in_contact", "two_or_more_contacts", "assessed_again"];
    let everyone = Whole::Row(&[("split", EVERYONE), ("group", EVERYONE)]);
    let mut table = AggregateTable::new("web_fragmentation", counts.into_iter().chain(MEANS.map(|(name, _)| name)));
    for column in ["in_contact", "two_or_more_contacts", "assessed_again"] {
        table = table.sums(column, "group", everyone);
    }
    table.part_of("two_or_more_contacts", "in_contact").part_of("assessed_again", "in_contact")
}

fn fragmentation_rows(rule: Rule, web: &Web, made: &Webs, split: &Split, table: &mut AggregateTable) -> Result<()> {
    let mut groups: Vec<Vec<&PersonWeb>> = vec![Vec::new(); split.names.len()];
    for (person, group) in made.people.iter().zip(split.of.iter()) {
        groups.get_mut(*group as usize).into_iter().for_each(|group| group.push(person));
    }
    for (name, people) in split.names.iter().zip(groups) {
        let of = |holds: &dyn Fn(&PersonWeb) -> bool| people.iter().filter(|person| holds(person)).count() as u64;
        let in_contact = of(&|person| person.contacts > 0);
        let two = of(&|person| person.continuity.bice_boxerman.is_some());
        let again = of(&|person| person.contacts > 0 && person.repeated_assessments > 0);
        let texts = [Cell::text(&web.name), Cell::text(&split.name), Cell::text(name)];
        let counts = [rule.count(in_contact), rule.part(two, in_contact), rule.part(again, in_contact)];
        let means = MEANS.map(|(_, figure)| mean(rule, &people, figure));
        table.row(texts.into_iter().chain(counts.map(Cell::Count)).chain(means))?;
    }
    Ok(())
}

/// The mean over those in contact of whom the figure is defined.
fn mean(rule: Rule, people: &[&PersonWeb], figure: WebFigure) -> Cell {
    let values = people.iter().filter(|person| person.contacts > 0).filter_map(|person| person.number(figure));
    let (sum, count) = values.fold((0.0, 0_u64), |(sum, count), value| (sum + value, count + 1));
    match count {
        0 => Cell::Empty,
        count => Cell::Count(rule.figure(sum / count as f64, &[count])),
    }
}

fn between_table() -> AggregateTable {
    AggregateTable::new("web_edges", ["web", "from_organisation", "to_organisation", "people", "hand_offs"])
}

/// Hand-offs between organisations, where enough people had one; which others there are is not told.
fn between_rows(rule: Rule, web: &Web, features: &Features, made: &Webs, table: &mut AggregateTable) -> Result<()> {
    let mut pairs: BTreeMap<(u32, u32), (u64, u64)> = BTreeMap::new();
    let mut last: BTreeMap<(u32, u32), u32> = BTreeMap::new();
    for Edge { person, from, to, hand_offs } in &made.edges {
        let pair = (from.1[0], to.1[0]);
        if pair.0 == pair.1 || pair.0 == 0 || pair.1 == 0 {
            continue;
        }
        let (people, all) = pairs.entry(pair).or_default();
        *people += u64::from(last.insert(pair, *person) != Some(*person));
        *all += u64::from(*hand_offs);
    }
    let name = |label| Cell::text(features.kept.name(label).unwrap_or_default());
    for ((from, to), (people, hand_offs)) in pairs {
        let shown = rule.count(people);
        if !shown.is_suppressed() {
            let hand_offs = Cell::Count(rule.part(hand_offs, people));
            table.row([Cell::text(&web.name), name(from), name(to), Cell::Count(shown), hand_offs])?;
        }
    }
    Ok(())
}

fn nodes(pipeline: &Pipeline, people: &People, features: &Features, web: &Web, made: &Webs) -> Result<RecordBatch> {
    let persons = made.nodes.iter().map(|node| node.person);
    let places: Vec<Place> = made.nodes.iter().map(|node| node.place).collect();
    let days = |of: fn(&super::Node) -> i32| -> ArrayRef {
        Arc::new(made.nodes.iter().map(|node| Some(of(node))).collect::<Date32Array>())
    };
    let contacts: Int64Array = made.nodes.iter().map(|node| Some(i64::from(node.contacts))).collect();
    let mut columns = vec![("person".to_owned(), tokens(people, persons))];
    columns.extend(place_columns("", &places, features));
    let named = places.iter().map(|place| team_name(pipeline, web, place.0, features.kept.name(place.1[1])?));
    columns.extend([
        ("team_name".to_owned(), Arc::new(named.collect::<StringArray>()) as ArrayRef),
        ("contacts".to_owned(), Arc::new(contacts) as ArrayRef),
        ("first".to_owned(), days(|node| node.first)),
        ("last".to_owned(), days(|node| node.last)),
    ]);
    Ok(RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))?)
}

/// What a declared value set calls a team of this setting.
fn team_name<'a>(pipeline: &'a Pipeline, web: &Web, setting: Setting, team: &str) -> Option<&'a str> {
    let declared = web.contacts.iter().zip(&web.decl.contacts).filter(|(contact, _)| contact.setting == setting);
    let mut sets = declared.filter_map(|(_, decl)| pipeline.value_sets.get(decl.team_names.as_ref()?));
    sets.find_map(|set| Some(set.state(team).1?.label.as_str()))
}

fn edges(people: &People, features: &Features, made: &Webs) -> Result<RecordBatch> {
    let ends = |of: fn(&Edge) -> Place| -> Vec<Place> { made.edges.iter().map(of).collect() };
    let hand_offs: Int64Array = made.edges.iter().map(|edge| Some(i64::from(edge.hand_offs))).collect();
    let mut columns = vec![("person".to_owned(), tokens(people, made.edges.iter().map(|edge| edge.person)))];
    columns.extend(place_columns("from_", &ends(|edge| edge.from), features));
    columns.extend(place_columns("to_", &ends(|edge| edge.to), features));
    columns.push(("hand_offs".to_owned(), Arc::new(hand_offs)));
    Ok(RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))?)
}

fn tokens(people: &People, persons: impl Iterator<Item = u32>) -> ArrayRef {
    let token = |person: u32| people.tokens.get(person as usize).map(|token| token.reveal());
    Arc::new(persons.map(token).collect::<StringArray>())
}

fn place_columns<'f>(before: &str, places: &[Place], features: &'f Features) -> [(String, ArrayRef); 3] {
    let text = |of: &dyn Fn(&Place) -> Option<&'f str>| -> ArrayRef {
        Arc::new(places.iter().map(of).collect::<StringArray>())
    };
    let label = |at: usize| move |place: &Place| features.kept.name(place.1[at]);
    [
        (format!("{before}setting"), text(&|place| Some(setting(place.0)))),
        (format!("{before}organisation"), text(&label(0))),
        (format!("{before}team"), text(&label(1))),
    ]
}

/// As declarations name it.
fn setting(setting: Setting) -> &'static str {
    match setting {
        Setting::Primary => "primary",
        Setting::Acute => "acute",
        Setting::Urgent => "urgent",
        Setting::Community => "community",
        Setting::MentalHealth => "mental_health",
        Setting::Social => "social",
        Setting::Hub => "hub",
    }
}
