//! Webs of care: people whose contacts are written down here, with the web worked out by hand; and the second
//! implementation over invented ones.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::civil::date;
use riskstrat::pipeline::decl::SelfCheckDecl;
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::synth::{self, Format, SynthOptions};

use crate::runs::{self, ENGINE, declare_source, write};

const SIGNED: &str = "[signed_off]\nby = \"nobody, it is a test\"\non = 2024-01-01\nreview_by = 2099-01-01\n";

const DEFINITION: &str = "definition = { title = \"t\", version = \"1\", says = \"s\", caveats = [\"c\"] }\n";

/// One source of contacts with a time, one with days alone, two webs that share a watch.
fn declare(folder: &Path) {
    let source = |name, rest, columns: &str| declare_source(folder, name, rest, columns);
    let names = "organisation = { from = \"org\", type = \"text\", optional = true }\nteam = { from = \"team\", type = \"text\", optional = true }\n";
    source("people", "role = \"register\"\n", "death_date = { from = \"died\", type = \"date\", optional = true }\n");
    source("visits", "setting = \"community\"\n", &format!("date = {{ from = \"at\", type = \"datetime\" }}\n{names}"));
    source("clinics", "setting = \"acute\"\n", &format!("date = {{ from = \"at\", type = \"date\" }}\n{names}"));
    let web = |name: &str, within: &str, provider: &str| {
        format!(
            "[webs.{name}]\nwithin = \"{within}\"\nprovider = \"{provider}\"\n{DEFINITION}\
             [[webs.{name}.contacts]]\nof = \"visits\"\norganisation = \"organisation\"\nteam = \"team\"\n\
             [[webs.{name}.contacts]]\nof = \"clinics\"\nwhere = \"team is null or team <> 'none'\"\norganisation = \"organisation\"\nteam = \"team\"\n\
             [webs.{name}.assessments]\nagain_within = \"30 days\"\n\
             [[webs.{name}.assessments.rows]]\nof = \"visits\"\nwhere = \"team = 'assess'\"\norganisation = \"organisation\"\nteam = \"team\"\n"
        )
    };
    write(
        &folder.join("measures/care.toml"),
        &format!(
            "title = \"Care\"\n{}{}{SIGNED}",
            web("year", "12 months", "team"),
            web("month", "1 month", "organisation")
        ),
    );
    let figures = [
        "contacts",
        "contacts_a_month",
        "organisations",
        "teams",
        "settings",
        "hand_offs",
        "usual_provider",
        "bice_boxerman",
        "sequential_continuity",
        "mmci",
        "repeated_assessments",
    ];
    let features: String = ["year", "month"]
        .iter()
        .flat_map(|web| {
            figures.map(|figure| {
                format!("[{web}_{figure}]\nlabel = \"l\"\nweb = {{ of = \"{web}\", figure = \"{figure}\" }}\n")
            })
        })
        .collect();
    write(&folder.join("features/webs.toml"), &features);
    write(
        &folder.join("run.toml"),
        "title = \"t\"\ndeliveries = \"deliveries\"\nas_of = 2026-04-01\nsources = [\"people\", \"visits\", \"clinics\"]\n\
         measures = [\"care\"]\nfeatures = [\"webs\"]\n[self_check]\none_in = 1\n",
    );
}

#[test]
fn webs_are_as_worked_out_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    declare(folder);
    write(&folder.join("deliveries/people.csv"), "id,died\nANNA0001,\nBERT0001,\nCORA0001,\nDEAN0001,2026-03-01\n");
    // Anna: nurse of A, nurse of B (another provider), again, then clinic of A on the day of a visit, without a time: first.
    write(
        &folder.join("deliveries/visits.csv"),
        "id,at,org,team\nANNA0001,2025-04-01T09:00:00,A,nurse\nANNA0001,2025-05-01T09:00:00,B,nurse\n\
         ANNA0001,2025-05-01T08:00:00,B,nurse\nANNA0001,2026-03-20T09:00:00,B,assess\nANNA0001,2026-03-31T23:59:59,A,assess\n\
         ANNA0001,2025-03-31T09:00:00,Z,old\nANNA0001,2026-04-01T00:00:00,Z,future\nBERT0001,2026-03-02T09:00:00,A,nurse\n\
         DEAN0001,2026-02-02T09:00:00,A,nurse\n",
    );
    write(
        &folder.join("deliveries/clinics.csv"),
        "id,at,org,team\nANNA0001,2026-03-20,A,clinic\nANNA0001,2026-03-21,A,\nANNA0001,2026-03-22,A,none\n",
    );
    let run = runs::run(&folder.join("run.toml"), &LoadOptions::default(), &folder.join("runs"), ENGINE).unwrap();
    let people = runs::people(&run, "features.parquet");
    let of = |person: &str, feature: &str| people[person][feature].clone();
    let number = |person: &str, feature: &str| of(person, feature).parse::<f64>().unwrap();
    // In order: A nurse, B nurse, B nurse, A clinic, B assess, (A without team), A assess.
    assert_eq!(of("ANNA0001", "year_contacts"), "7");
    assert_eq!(number("ANNA0001", "year_contacts_a_month"), 7.0 / 12.0);
    assert_eq!(
        [of("ANNA0001", "year_organisations"), of("ANNA0001", "year_teams"), of("ANNA0001", "year_settings")],
        ["2", "5", "2"]
    );
    assert_eq!(of("ANNA0001", "year_hand_offs"), "4");
    assert!((number("ANNA0001", "year_usual_provider") - 2.0 / 6.0).abs() < 1e-12);
    assert!((number("ANNA0001", "year_bice_boxerman") - (8.0 - 6.0) / 30.0).abs() < 1e-12);
    assert!((number("ANNA0001", "year_sequential_continuity") - 0.2).abs() < 1e-12);
    assert!((number("ANNA0001", "year_mmci") - (1.0 - 5.0 / 6.1) / (1.0 - 1.0 / 6.1)).abs() < 1e-12);
    assert_eq!(of("ANNA0001", "year_repeated_assessments"), "1");
    // The last month, by organisation: A (clinic), B, A (no team), A; the shared watch looks back a year.
    assert_eq!([of("ANNA0001", "month_contacts"), of("ANNA0001", "month_hand_offs")], ["4", "2"]);
    assert_eq!(of("BERT0001", "year_usual_provider"), "1.0");
    for undefined in ["year_bice_boxerman", "year_sequential_continuity", "year_mmci"] {
        assert_eq!(of("BERT0001", undefined), "", "one contact is no sequence");
    }
    assert_eq!([of("CORA0001", "year_contacts"), of("CORA0001", "year_usual_provider")], ["0", ""]);
    assert!(!people.contains_key("DEAN0001"));
    let nodes = runs::people(&run, "webs/year_nodes.parquet");
    assert_eq!(nodes["BERT0001"]["contacts"], "1");
    assert_eq!([&nodes["BERT0001"]["setting"], &nodes["BERT0001"]["team"]], ["community", "nurse"]);
}

/// The engine and the second implementation agree on everyone, and what is published of webs is of people in contact.
#[test]
fn invented_webs_are_the_same_twice() {
    let folder = tempfile::tempdir().unwrap();
    let deliveries = folder.path().join("deliveries");
    let seed = 77;
    println!("seed {seed}");
    let as_of = date(2026, 4, 1);
    let options =
        SynthOptions { persons: 400, seed, as_of, out: deliveries.clone(), format: Format::Parquet, clean: false };
    synth::write(&options, &mut |_| {}).unwrap();
    let options = LoadOptions { as_of: Some(as_of), deliveries: Some(deliveries) };
    let run_file = runs::root().join("pipelines/demo.toml");
    let mut pipeline = parse::load(&run_file, &options).unwrap();
    pipeline.decl.self_check = Some(SelfCheckDecl { one_in: 1 });
    let folder = runs::run_loaded(&pipeline, &folder.path().join("runs"), ENGINE).unwrap();
    let receipt = runs::receipt(&folder);
    let warnings = receipt["warnings"].to_string();
    assert!(!warnings.contains("web_"), "{warnings}");
    let people = runs::people(&folder, "features.parquet");
    let tangled = people.values().filter(|person| person["web_hand_offs"].parse::<u32>().unwrap() > 2).count();
    assert!(tangled > 20, "{tangled}");
    let again = people.values().filter(|person| person["web_repeated_assessments"] != "0").count();
    assert!(again > 0);
    named_by_the_value_set(&folder);
    let fragmentation = std::fs::read_to_string(folder.join("aggregate/web_fragmentation.csv")).unwrap();
    assert!(fragmentation.contains("care,everyone,everyone,"), "{fragmentation}");
}

/// Clinics are delivered as codes, and shown by the names of the Data Dictionary; teams that have a name keep it.
fn named_by_the_value_set(run: &Path) {
    let nodes = runs::people(run, "webs/care_nodes.parquet");
    let named: BTreeSet<[&str; 3]> =
        nodes.values().map(|node| ["setting", "team", "team_name"].map(|column| node[column].as_str())).collect();
    let is_clinic = |team: &str| team.parse::<u32>().is_ok();
    assert!(named.contains(&["acute", "320", "Cardiology"]), "{named:?}");
    assert!(named.iter().all(|[_, team, name]| is_clinic(team) != name.is_empty()), "{named:?}");
}
