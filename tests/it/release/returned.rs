//! What a hub sends back: tokens of its own become people again, or are told apart.

use super::world::{Fate, World, crosswalk};
use crate::runs;

/// Rows that the run of two days after the release sees.
fn returned(world: &World, rows: &str) -> (serde_json::Value, std::path::PathBuf) {
    world.later("second", rows);
    let run = world.run("2026-04-03", "second").unwrap();
    (runs::account(&runs::receipt(&run), "hub_feedback").clone(), run)
}

fn row(token: &str, recipient: &str, outcome: &str) -> String {
    format!("{token},{recipient},often,2026-04-02,nurse,{outcome},,,\n")
}

#[test]
fn a_released_token_is_the_person_again() {
    let world = World::of(8);
    world.run("2026-04-01", "first").unwrap();
    let released = world.release("2026-04-01", "first").unwrap();
    let rows = crosswalk(&released.folder);
    let (called, other) = (&rows[0], &rows[1]);
    let text = row(&called["token"].to_lowercase(), &called["recipient"], "declined")
        + &row(&other["token"], "A81009", "declined");
    let (account, run) = returned(&world, &text);
    assert_eq!((&account["used"], &account["not_linked"], &account["set_aside"]), (&2.into(), &1.into(), &0.into()));
    let listed: Vec<String> = runs::list(&run, &format!("often/{}.csv", called["recipient"]))
        .iter()
        .map(|row| row["person"].clone())
        .collect();
    assert!(!listed.contains(&called["person"]), "who declined is off the list");
    assert!(listed.contains(&other["person"]), "a token of another recipient is nobody's");
}

#[test]
fn a_mistyped_token_is_set_aside_with_its_place() {
    let world = World::of(8);
    world.run("2026-04-01", "first").unwrap();
    let released = world.release("2026-04-01", "first").unwrap();
    let rows = crosswalk(&released.folder);
    let mut mistyped = rows[0]["token"].clone();
    let wrong = if mistyped.ends_with('7') { '8' } else { '7' };
    mistyped.pop();
    mistyped.push(wrong);
    let never = "ROM3C3QGPB2DZL3YS6F3UUEZX2IAU";
    let text = row(&mistyped, &rows[0]["recipient"], "died") + &row(never, &rows[0]["recipient"], "died");
    let (account, run) = returned(&world, &text);
    assert_eq!((&account["set_aside"], &account["not_linked"], &account["used"]), (&1.into(), &1.into(), &1.into()));
    assert!(account["set_aside_reasons"][0]["rule"].as_str().unwrap().starts_with("mistyped token"));
    let set_aside = run.join("person/set_aside/hub_feedback.parquet");
    assert!(set_aside.is_file());
    let log = std::fs::read_to_string(run.join("log.ndjson")).unwrap();
    assert!(!log.contains(&mistyped) && !log.contains(never));
}

#[test]
fn the_releases_are_an_input_of_the_run_that_reads_their_tokens() {
    let world = World::of(8);
    let before = world.run("2026-04-01", "first").unwrap();
    world.release("2026-04-01", "first").unwrap();
    assert_eq!(
        world.run("2026-04-01", "first").unwrap(),
        before,
        "a release of the day of the run is none of its inputs"
    );
    world.later("second", "");
    let after = world.run("2026-04-03", "second").unwrap();
    let receipt = runs::receipt(&after);
    let inputs = receipt["inputs"].as_array().unwrap();
    assert!(inputs.iter().any(|input| input["file"] == "releases/ledger.ndjson"));
}

/// Died and moved: off the spine from whichever source that was known, until a new registration.
#[test]
fn a_hub_knows_of_deaths_and_moves_before_the_registers() {
    for (outcome, fate) in [("died", Fate::DiesSaysTheHub), ("moved", Fate::MovesSaysTheHub)] {
        let world = World::of(8);
        world.run("2026-04-01", "first").unwrap();
        let released = world.release("2026-04-01", "first").unwrap();
        let called = crosswalk(&released.folder).remove(0);
        let (_, run) = returned(&world, &row(&called["token"], &called["recipient"], outcome));
        let people = &runs::receipt(&run)["people"];
        let count = if fate == Fate::DiesSaysTheHub { "died" } else { "left" };
        assert_eq!(people[count], 1, "{outcome}: {people}");
        assert!(!runs::people(&run, "features.parquet").contains_key(&called["person"]));
    }
}

/// `pipelines/feedback.md` against the declaration that it explains.
#[test]
fn the_page_for_hubs_says_what_is_read() {
    let page = std::fs::read_to_string(runs::root().join("pipelines/feedback.md")).unwrap();
    let declared = std::fs::read_to_string(runs::root().join("pipelines/sources/hub_feedback.toml")).unwrap();
    let cells = |line: &str| line.split('|').nth(1).map(|cell| cell.trim().trim_matches('`').to_owned());
    let words: Vec<String> = page.lines().filter(|line| line.starts_with("| `")).filter_map(cells).collect();
    assert_eq!(words.len(), 23, "ten columns, eight outcomes, five reasons");
    for word in words {
        assert!(declared.contains(&format!("\"{word}\"")) || declared.contains(&format!("\\\"{word}\\\"")), "{word}");
    }
    let example = page.split("```csv\n").nth(1).unwrap().split("```").next().unwrap();
    let tokens: Vec<&str> = example.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert!(tokens.len() == 2 && tokens.iter().all(|token| riskstrat::token::is_well_formed(token)));
}
