//! What lists may show, to whom.

use super::Folder;

const RUN: &str = "pipelines/small.toml";
const COHORT: &str = "pipelines/cohorts/frail.toml";
const RISK: &str = "models/risk/model.toml";

/// The folder with a role that sees `may_see` and reads the cohort's lists.
fn read_by(may_see: &str) -> Folder {
    let folder = Folder::new();
    folder.add(RUN, &format!("\n[roles.nurse]\ntitle = \"Nurse\"\nmay_see = {may_see}\n"));
    folder.edit(COHORT, "title = \"Frail\"\n", "title = \"Frail\"\nrole = \"nurse\"\n");
    folder
}

#[test]
fn a_role_is_shown_what_it_may_see() {
    assert!(read_by("[\"age\", \"risk\", \"points\"]").load().is_ok());
    let problems = read_by("[\"age\"]").places();
    assert_eq!(
        problems,
        ["pipelines/cohorts/frail.toml:4: `risk` is not for the eyes of a nurse @ \"risk\"]"]
            .map(|place| place.trim_start_matches("pipelines/").to_owned())
    );
}

#[test]
fn a_criterion_that_a_role_may_not_see_is_not_told() {
    let told = |may_see: &str| {
        let pipeline = read_by(may_see).load().unwrap();
        pipeline.cohorts[0].include[0].iter().map(|criterion| criterion.told).collect::<Vec<_>>()
    };
    assert_eq!(told("[\"age\", \"risk\", \"points\", \"admissions_*\"]"), [true, true]);
    assert_eq!(told("[\"age\", \"risk\", \"points\"]"), [true, false]);
    assert_eq!(told("[\"age\", \"risk\"]"), [false, false]);
}

#[test]
fn each_fault_is_said_at_its_place() {
    let first = |folder: Folder| folder.problems().first().map(|problem| problem.message.clone()).unwrap_or_default();
    assert_eq!(first(read_by("[\"age\", \"risk\", \"agee\"]")), "no feature, score or item is called `agee`");
    let nobody = read_by("[\"age\", \"risk\"]");
    nobody.edit(COHORT, "role = \"nurse\"\n", "");
    assert_eq!(first(nobody), "the run has roles: whose list is this?");
    let other = read_by("[\"age\", \"risk\"]");
    other.edit(COHORT, "role = \"nurse\"", "role = \"nurs\"");
    assert_eq!(first(other), "the run has no role `nurs`");
    let action = read_by("[\"age\", \"risk\"]");
    action.edit(COHORT, "[rank]", "[[actions]]\nwhen = \"points > 1\"\ndo = \"Ring\"\n[rank]");
    assert_eq!(first(action), "`points` is not for the eyes of a nurse");
    let fhir = Folder::new();
    fhir.add(RUN, "\n[publish]\nformats = [\"fhir\"]\n");
    assert_eq!(first(fhir), "FHIR needs the system that tokens belong to");
    let before = Folder::new();
    before.edit(COHORT, "[signed_off]", "before_calling = [\"points\"]\n[signed_off]");
    assert_eq!(first(before), "`points` is not in `show`");
    for (calibrated, message) in [
        ("[0.1, 0.5]", ""),
        ("[0.11, 0.5]", "a list has no words for these ends"),
        ("[0.5, 0.1]", "a list has no words for these ends"),
    ] {
        let risk = Folder::new();
        risk.add(
            RISK,
            &format!("[probability]\nof = \"an admission\"\nwithin = \"12 months\"\ncalibrated = {calibrated}\n"),
        );
        match message {
            "" => assert!(risk.load().is_ok()),
            _ => assert_eq!(first(risk), message),
        }
    }
    let points = Folder::new();
    points.add("models/points/model.toml", "[probability]\nof = \"a fall\"\nwithin = \"12 months\"\n");
    assert_eq!(first(points), "points are no probability");
}
