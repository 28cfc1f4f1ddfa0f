//! The measures of a million people in 300 practices of 40 places, invented: webs of care, diversions, demand and impact.

use riskstrat::disclosure::{AggregateTable, Cell, Rule};

const PRACTICES: usize = 300;
const PLACES: usize = 40;
const LISTS: usize = 16;

/// One of every table that these parts of the page read.
pub fn tables() -> Vec<AggregateTable> {
    let tables = [webs(), hand_offs(), diversions(), charts(), safety(), demand(), risk(), scenario(), impact()];
    tables.into_iter().chain([methods()]).collect()
}

/// A table from lines as they are published: whole numbers are counts, others figures.
fn table(name: &str, header: &str, lines: impl IntoIterator<Item = String>) -> AggregateTable {
    let rule = Rule::Hes2018;
    let cell = |text: &str| match (text.parse::<u64>(), text.parse::<f64>()) {
        (Ok(count), _) => Cell::Count(rule.count(count)),
        (Err(_), Ok(figure)) => Cell::Count(rule.figure(figure, &[])),
        _ if text.is_empty() => Cell::Empty,
        _ => Cell::text(text),
    };
    let mut table = AggregateTable::new(name, header.split(','));
    lines.into_iter().for_each(|line| table.row(line.split(',').map(cell)).unwrap());
    table
}

/// Split, group and how many people.
fn groups() -> Vec<(&'static str, String, usize)> {
    let everyone = [("everyone", "everyone".to_owned(), 1_000_000)];
    let places = (0..PLACES).map(|at| ("place", format!("Place {at}"), 20_000 + 500 * at));
    let practices = (0..PRACTICES).map(|at| ("practice", format!("Y{at:05}"), 2_000 + 10 * at));
    everyone.into_iter().chain(places).chain(practices).collect()
}

fn months() -> impl Iterator<Item = String> + Clone {
    (1..=12).map(|month| format!("2025-{month:02}"))
}

fn places() -> impl Iterator<Item = String> {
    std::iter::once("all places".to_owned()).chain((0..PLACES).map(|at| format!("Place {at}")))
}

fn webs() -> AggregateTable {
    let header = "web,split,group,in_contact,two_or_more_contacts,assessed_again,mean_contacts_a_month,\
                  mean_organisations,mean_teams,mean_settings,mean_hand_offs,mean_usual_provider,mean_bice_boxerman,\
                  mean_sequential,mean_mmci";
    let line = |(split, group, people): (&str, String, usize)| {
        let hand_offs = 2.0 + (people % 70) as f64 / 50.0;
        format!(
            "care,{split},{group},{people},{},{},0.335,2.255,3.137,2.079,{hand_offs:.3},0.542,0.127,0.131,0.256",
            people / 2,
            people / 40
        )
    };
    table("web_fragmentation", header, groups().into_iter().map(line))
}

fn hand_offs() -> AggregateTable {
    let pairs = (0..PLACES).flat_map(|from| (0..PLACES).filter(move |to| *to != from).map(move |to| (from, to)));
    let line = |(from, to)| format!("care,RA{from:02},RB{to:02},{},{}", 100 + from * to, 150 + from * to * 2);
    table("web_edges", "web,from_organisation,to_organisation,people,hand_offs", pairs.map(line))
}

fn diversions() -> AggregateTable {
    let mut lines = Vec::new();
    for place in places() {
        for month in std::iter::once("all months".to_owned()).chain(months()) {
            for (fate, count) in [("bed", 200), ("home", 130), ("neither", 270)] {
                lines.push(format!("home_first,{place},{month},600,{fate},{count},{:.1}", f64::from(count) / 6.0));
            }
        }
    }
    table("diversions", "measure,place,month,emergencies,fate,count,share", lines)
}

fn charts() -> AggregateTable {
    let lines = places().flat_map(|place| {
        months().map(move |month| format!("home_first,{place},{month},33.300,33.100,21.000,45.200,"))
    });
    table("diversion_charts", "measure,place,month,share,mean,low,high,finding", lines)
}

fn safety() -> AggregateTable {
    let mut lines = Vec::new();
    for place in places() {
        for month in std::iter::once("all months".to_owned()).chain(months()) {
            let within = ["7 days", "30 days"].into_iter();
            lines.extend(within.map(|within| format!("home_first,{place},{month},home,130,{within},10,7.7")));
        }
    }
    table("diversion_safety", "measure,place,month,fate,diverted,within,failed,share_failed", lines)
}

const EVENTS: [&str; 3] = ["emergency_admissions", "attendances", "bed_days"];

fn demand() -> AggregateTable {
    let mut lines = Vec::new();
    for event in EVENTS {
        for (split, group, people) in groups() {
            let expected = people as f64 / 1_300.0;
            let weeks = (1..=12).map(|week| (format!("2026-04-{week:02}"), expected));
            for (week, expected) in weeks.chain([("all weeks".to_owned(), 12.0 * expected)]) {
                let (low, high) = (0.8 * expected, 1.25 * expected);
                lines.push(format!("next_weeks,{event},{split},{group},{week},{expected:.3},{low:.3},{high:.3}"));
            }
        }
    }
    table("demand", "measure,event,split,group,week,expected,low,high", lines)
}

fn risk() -> AggregateTable {
    let groups = groups();
    let line = |event: &str, (split, group, people): &(&str, String, usize)| {
        let expected = *people as f64 / 110.0;
        format!("next_weeks,{event},{split},{group},{people},{expected:.3},9.351,{:.3}", *people as f64 / 10_000.0)
    };
    let lines = EVENTS.into_iter().flat_map(|event| groups.iter().map(move |group| line(event, group)));
    table("demand_risk", "measure,event,split,group,people,expected,for_each_1000_people,share", lines)
}

fn scenario() -> AggregateTable {
    let line = |event| format!("next_weeks,{event},1000,23.420,15.000,3.510,An assumption for illustration");
    table("demand_scenario", "measure,event,reached,expected,averts_percent,averted,because", EVENTS.map(line))
}

fn impact() -> AggregateTable {
    let header = "measure,cohort,outcome,method,may_say_caused,listed,others,rate_listed,rate_others,difference,low,high,\
                  for_each_100_reached,low_reached,high_reached,avoided,low_avoided,high_avoided,before,low_before,\
                  high_before,finding,outcome_is,together";
    let figures = "20.100,25.300,-5.200,-8.100,-2.300,-6.100,-9.500,-2.700,104,46,162";
    let mut lines = Vec::new();
    for cohort in std::iter::once("all lists".to_owned()).chain((0..LISTS).map(|at| format!("cohort_{at}"))) {
        for (at, outcome) in EVENTS.iter().enumerate() {
            let rank = if at == 0 { "primary" } else { "secondary" };
            for (method, caused) in
                [("lottery", "yes"), ("discontinuity", "yes"), ("matched", "no"), ("before_after", "no")]
            {
                lines.push(format!("lists,{cohort},{outcome},{method},{caused},2000,2000,{figures},,,,,{rank},2"));
            }
        }
    }
    table("impact", header, lines)
}

fn methods() -> AggregateTable {
    let lines = ["lottery,yes,Chance alone decided who had these places.", "matched,no,No other thing differs."];
    table("impact_methods", "method,may_say_caused,assumes", lines.map(str::to_owned))
}
