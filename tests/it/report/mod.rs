//! The page for the auditor and the board: of a run, of an evaluation, of a million people.

mod browser;
mod invented;
mod services;

use std::path::{Path, PathBuf};

use riskstrat::disclosure::AggregateTable;
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::receipt::Receipt;
use riskstrat::report::{self, Facts};

use crate::runs::{self, ENGINE};

const SEED: u64 = 20_260_401;

/// The facts of the demo's declarations, with the deliveries of the ledger of twelve.
fn facts(out: &Path) -> Facts {
    let demo = runs::root().join("pipelines/demo.toml");
    let mut pipeline = parse::load(&demo, &LoadOptions::default()).unwrap();
    // The measures of the demo, and those of impact that only the weekly run asks for.
    let weekly = runs::root().join("pipelines/nhs-weekly.toml");
    let options = LoadOptions { as_of: Some(pipeline.as_of), deliveries: Some(runs::root().join("fixtures/demo")) };
    pipeline.measures.impacts = parse::load(&weekly, &options).unwrap().measures.impacts;
    let run = tiny(out);
    let receipt: Receipt = serde_json::from_slice(&std::fs::read(run.join("receipt.json")).unwrap()).unwrap();
    Facts::of(&pipeline, &receipt)
}

fn tiny(out: &Path) -> PathBuf {
    runs::run(&runs::root().join("fixtures/tiny/run.toml"), &LoadOptions::default(), out, ENGINE).unwrap()
}

fn large() -> (Facts, Vec<AggregateTable>) {
    println!("seed {SEED}");
    let out = tempfile::tempdir().unwrap();
    (facts(out.path()), invented::tables(SEED).into_iter().chain(services::tables()).collect())
}

#[test]
fn the_page_of_a_million_people_is_small_and_whole() {
    let (facts, tables) = large();
    let page = report::page(&facts, &tables).unwrap();
    let html = page.html();
    assert!(html.len() < 3_000_000, "{} bytes", html.len());
    println!("{} bytes", html.len());
    for section in [
        "glance",
        "gaps",
        "evidence",
        "hidden",
        "inequality",
        "providers",
        "trend",
        "lists",
        "webs",
        "diversions",
        "demand",
        "impact",
        "models",
        "definitions",
    ] {
        assert!(html.contains(&format!("<h2 id=\"{section}\">")), "{section}");
    }
    // Every table that is read says where all of its rows are, and the page links to nothing else.
    for table in &tables {
        let named = html.contains(&format!("<code>{}.csv</code>", table.name()));
        let with_another = ["bounds", "diversion_charts", "demand_risk"].contains(&table.name());
        assert!(named || with_another, "{}", table.name());
    }
    assert!(html.contains("more rows are in the file"));
}

#[test]
fn the_order_of_tables_changes_no_byte() {
    let (facts, mut tables) = large();
    let page = report::page(&facts, &tables).unwrap();
    tables.reverse();
    assert_eq!(page, report::page(&facts, &tables).unwrap());
}

/// A picture is one image with a name and a description, and its ids are its own.
#[test]
fn every_picture_has_a_name_a_description_and_a_table() {
    let (facts, tables) = large();
    let page = report::page(&facts, &tables).unwrap();
    let pictures: Vec<&str> = page.html().split("<svg role=\"img\"").skip(1).collect();
    assert!(pictures.len() > 30, "{}", pictures.len());
    for (number, picture) in pictures.iter().enumerate() {
        let id = format!("picture-{}", number + 1);
        assert!(picture.starts_with(&format!(" aria-labelledby=\"{id}-title {id}-desc\"")));
        for element in ["title", "desc"] {
            let text = picture.split(&format!("<{element} id=\"{id}-{element}\">")).nth(1).unwrap();
            assert!(text.find("</").is_some_and(|end| end > 8), "{element} of {id}");
        }
        let after = picture.split("</svg>").nth(1).unwrap();
        assert!(after.split("<div class=\"panel").next().unwrap().contains("<table"), "{id} has no table beneath");
    }
}

#[test]
fn those_not_recorded_are_a_group_of_every_split() {
    let (facts, tables) = large();
    let page = report::page(&facts, &tables).unwrap();
    let captions = ["By ethnicity", "By sex", "By imd decile"];
    let captions = captions.map(|caption| caption.to_lowercase());
    let mut seen = 0;
    for panel in page.html().split("<div class=\"panel").skip(1) {
        let title =
            panel.split("<h4>").nth(1).and_then(|rest| rest.split("</h4>").next()).unwrap_or_default().to_lowercase();
        if captions.contains(&title) || title.starts_with("by ") && panel.contains("<svg") {
            assert!(panel.contains("Not recorded"), "{title}");
            seen += 1;
        }
    }
    assert!(seen >= 18, "{seen}");
}

/// Of twelve people every count is small: none is on the page, none is drawn, and it is said that they are hidden.
#[test]
fn nothing_small_is_written_or_drawn() {
    let out = tempfile::tempdir().unwrap();
    let run = tiny(out.path());
    let page = std::fs::read_to_string(run.join("aggregate/report.html")).unwrap();
    assert!(page.contains("fewer than 8"));
    assert!(page.contains("not shown: fewer than 8"));
    for table in page.split("<tbody>").skip(1).map(|rest| rest.split("</tbody>").next().unwrap()) {
        for cell in table.split("<td class=\"number\">").skip(1).map(|rest| rest.split('<').next().unwrap()) {
            let small = cell.trim_end_matches('%').parse::<f64>().is_ok_and(|number| number > 0.0 && number < 8.0);
            assert!(!small, "{cell}");
        }
    }
    let receipt = runs::receipt(&run);
    let outputs = receipt["outputs"].as_array().unwrap();
    assert!(outputs.iter().any(|output| output["path"] == "aggregate/report.html" && output["rows"].is_null()));
}

/// Nobody with a gap in ethnicity is among those whose ethnicity is known: that is no finding.
#[test]
fn a_figure_of_the_known_is_not_held_against_the_unknown() {
    let (facts, tables) = large();
    let page = report::page(&facts, &tables).unwrap();
    let hidden = page.html().split("<h2 id=\"hidden\">").nth(1).unwrap().split("<h2").next().unwrap();
    let caption = |figure: &str| format!("{figure}, by whether the item is recorded</span></caption>");
    let of = |figure: &str| hidden.split(&caption(figure)).nth(1).unwrap().split("</table>").next().unwrap().to_owned();
    let rows = |figure: &str| of(figure).matches("<tr>").count();
    assert_eq!(rows("Ethnicity recorded") + 1, rows("Emergency admission"));
    assert!(!of("Ethnicity recorded").contains(">Ethnicity</th>"));
}

#[test]
fn the_page_loads_nothing_and_runs_nothing() {
    let (facts, tables) = large();
    let page = report::page(&facts, &tables).unwrap();
    let html = page.html();
    for banned in ["<script", "http://", "https://", " style=\"", "url(http", "src=", "onclick"] {
        assert!(!html.contains(banned), "{banned}");
    }
    assert!(html.contains("default-src 'none'"));
}
