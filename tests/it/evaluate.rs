//! Judging scores end to end: from deliveries and declarations to the table, the files and the exit code.

use std::fmt::Write as _;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Output};

use arrow::array::ArrayRef;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use riskstrat::drift::{self, Observed, reference};
use riskstrat::error::Result;
use riskstrat::pipeline::lock::ModelLock;
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::publish::read_csv;
use riskstrat::receipt::{CodeListCount, SourceAccount};
use serde_json::Value;

use crate::runs::{self, ENGINE};

const SEED: u64 = 20_260_401;
const PEOPLE: u32 = 3000;

/// A population whose risk is known: logit = -3 + 0.8 × visits in the year before, capped at 4, + 0.7 for men.
///
/// Visits of everyone of group Z are recorded half as often, and a third of people have no group recorded.
fn write(folder: &Path, models: &[(&str, &str)]) {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut people = "id,sex,group,practice\n".to_owned();
    let mut visits = "id,date\n".to_owned();
    let mut admissions = "id,date\nP0,2024-12-30\n".to_owned();
    for person in 0..PEOPLE {
        let man = random.random_bool(0.5);
        let group = ["A", "A", "B", "Z", "", ""][random.random_range(0..6)];
        let practice = if random.random_bool(0.8) { "large" } else { "small" };
        writeln!(people, "P{person},{},{group},{practice}", if man { "1" } else { "2" }).unwrap();
        let needed: u32 = random.random_range(0..5);
        for visit in 0..needed {
            if group != "Z" || visit % 2 == 0 {
                writeln!(visits, "P{person},2023-{:02}-15", random.random_range(1..13)).unwrap();
            }
        }
        let logit = -3.0 + 0.8 * f64::from(needed.min(4)) + if man { 0.7 } else { 0.0 };
        if random.random_bool(1.0 / (1.0 + (-logit).exp())) {
            writeln!(admissions, "P{person},2024-{:02}-10", random.random_range(1..13)).unwrap();
        }
    }
    let save = |path: &str, text: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    save("deliveries/people.csv", &people);
    save("deliveries/visits.csv", &visits);
    save("deliveries/admissions.csv", &admissions);
    let head = |name: &str| {
        format!("title = \"{name}\"\none_row_is = \"one\"\nlegal_basis = \"invented\"\nfiles = \"{name}.csv\"\n")
    };
    let person = "[columns]\nperson = { from = \"id\", type = \"pseudonym\" }\n";
    let text = |name: &str| format!("{name} = {{ from = \"{name}\", type = \"text\", optional = true }}\n");
    let columns = ["sex", "group", "practice"]
        .map(|name| {
            if name == "group" {
                "ethnic_group = { from = \"group\", type = \"text\", optional = true }\n".to_owned()
            } else {
                text(name)
            }
        })
        .concat();
    save("sources/people.toml", &format!("{}role = \"register\"\n{person}{columns}", head("people")));
    for source in ["visits", "admissions"] {
        save(
            &format!("sources/{source}.toml"),
            &format!("{}{person}date = {{ from = \"date\", type = \"date\" }}\n", head(source)),
        );
    }
    let value =
        |name: &str| format!("[{name}]\nlabel = \"{name}\"\nvalue = {{ of = \"people\", column = \"{name}\" }}\n");
    let features = ["sex", "ethnic_group", "practice"].map(value).concat();
    save(
        "features/all.toml",
        &format!(
            "{features}[man]\nlabel = \"Man\"\nderived = {{ sql = \"sex = '1'\" }}\n\
             [visits]\nlabel = \"Visits\"\nwindows = [\"12 months\"]\ncount = {{ of = \"visits\" }}\n"
        ),
    );
    let run = "title = \"Invented\"\npopulation = \"Nowhere\"\ndeliveries = \"deliveries\"\nsources = [\"people\", \"visits\", \"admissions\"]\n\
               features = [\"all\"]\nopt_outs = { none_because = \"invented people\" }\n";
    save("run.toml", run);
    save(
        "study.toml",
        "title = \"Admissions\"\nrun = \"run.toml\"\nas_of = [2024-01-01]\ndeaths = \"excluded\"\ninputs = [\"visits_12m\"]\n\
         groups = [\"sex\", \"ethnic_group\"]\n\
         [outcome]\nlabel = \"Admission\"\nwithin = \"12 months\"\nexists = { of = \"admissions\" }\n\
         [split]\nhold_out = 0.0\nkey = \"k\"\n\
         [signed_off]\nby = \"nobody\"\non = 2024-01-01\nreview_by = 2030-01-01\n\
         [evaluate]\nintersections = [[\"sex\", \"ethnic_group\"]]\nneed = [\"visits_12m\"]\nreplicates = 40\ntop = [100, 0.1]\n\
         list = { per = \"practice\", take = 150 }\n[[evaluate.by_size]]\nof = \"practice\"\nfrom = [1000]\n",
    );
    for (name, text) in models {
        save(&format!("models/{name}/model.toml"), text);
        save(&format!("models/{name}/card.md"), "Invented.\n");
    }
}

fn model(kind: &str, rest: &str) -> String {
    format!(
        "title = \"Invented\"\nkind = \"{kind}\"\nversion = \"1\"\npredicts = \"admission\"\npopulation = \"nobody\"\n\
         citation = \"none\"\ncard = \"card.md\"\n{rest}"
    )
}

const SIGNED: &str = "[signed_off]\nby = \"nobody\"\non = 2024-01-01\nreview_by = 2030-01-01\n";

/// The truth, but for the visits of group Z that were not recorded.
fn truth(intercept: &str) -> String {
    let terms =
        "[[terms]]\nfeature = \"visits_12m\"\ncoefficient = 0.8\n[[terms]]\nfeature = \"man\"\ncoefficient = 0.7\n";
    model("logistic", &format!("intercept = {intercept}\n{SIGNED}{terms}"))
}

fn visits_only() -> String {
    model("points", &format!("{SIGNED}[[thresholds]]\nfeature = \"visits_12m\"\nat_least = 2\npoints = 1\n"))
}

fn riskstrat(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_riskstrat")).args(arguments).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn models_are_judged_head_to_head_on_the_same_people_for_every_group() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("truth", &truth("-3.0")), ("points", &visits_only())]);
    let told = riskstrat(
        folder.path(),
        &["evaluate", "study.toml", "--model", "truth", "--model", "points", "--out", "judged"],
    );
    println!("{}{}", text(&told.stdout), text(&told.stderr));
    let judged: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("judged/evaluation.json")).unwrap()).unwrap();
    let [truth, points] = [0, 1].map(|model| &judged["models"][model]);
    assert_eq!(truth["everyone"]["rows"], PEOPLE);
    assert_eq!(truth["everyone"]["events"], points["everyone"]["events"]);
    let auroc = |model: &Value| model["everyone"]["auroc"]["value"].as_f64().unwrap();
    assert!(auroc(truth) > auroc(points) && auroc(points) > 0.6, "{} {}", auroc(truth), auroc(points));
    assert!(judged["differences"][0]["difference"]["p"].as_f64().unwrap() < 0.001);
    assert!(points["everyone"]["probability"].is_null(), "points are no probability");
    // The list takes 150 of each of two practices, whatever the score.
    for model in [truth, points] {
        assert_eq!(model["list"]["cut"]["flagged"], 300.0);
    }
    // Group Z is sicker than recorded: more happens to it than expected, and the check at equal score shows it.
    let group = |split: &str, name: &str| {
        let groups = truth["groups"].as_array().unwrap();
        groups
            .iter()
            .find(|group| group["split"] == split && group["group"] == name)
            .unwrap_or_else(|| panic!("{split} {name}"))
            .clone()
    };
    let expected = |name: &str| {
        group("ethnic_group", name)["measures"]["probability"]["observed_expected"]["value"].as_f64().unwrap()
    };
    assert!(expected("Z") > 1.2 && (0.85..1.15).contains(&expected("A")), "Z {} A {}", expected("Z"), expected("A"));
    assert!(group("ethnic_group", "not recorded")["rows"].as_u64().unwrap() > 900);
    assert_eq!(
        group("size of practice", "1000 people or more")["rows"].as_u64().unwrap()
            + group("size of practice", "0 to 999 people")["rows"].as_u64().unwrap(),
        u64::from(PEOPLE)
    );
    // Everyone is in one group of each split, in every table.
    for split in ["sex", "ethnic_group", "size of practice", "sex and ethnic_group"] {
        let groups = truth["groups"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|group| group["split"] == split && group["group"] != "smaller groups together");
        let need = truth["need"].as_array().unwrap().iter().filter(|need| need["split"] == split);
        for rows in [
            groups.map(|group| group["rows"].as_u64().unwrap()).sum::<u64>(),
            need.map(|need| need["rows"].as_u64().unwrap()).sum(),
        ] {
            assert_eq!(rows, u64::from(PEOPLE), "{split}");
        }
    }
    for table in ["model_performance", "model_calibration", "need_at_equal_score"] {
        let rows = read_csv(&std::fs::read(folder.path().join(format!("judged/aggregate/{table}.csv"))).unwrap());
        assert!(
            rows.iter().any(|row| row[0] == "truth" && row.contains(&"not recorded".to_owned())),
            "{table} drops people"
        );
        assert_eq!(rows.iter().any(|row| row[0] == "points"), table != "model_calibration");
    }
    assert!(text(&told.stdout).contains("not recorded"));
    // The same again, to the byte.
    let again =
        riskstrat(folder.path(), &["--json", "evaluate", "study.toml", "--model", "truth", "--model", "points"]);
    assert_eq!(serde_json::from_slice::<Value>(&again.stdout).unwrap(), judged);
}

/// Trust row L3.
#[test]
fn l3_a_model_that_is_off_here_is_not_let_pass_but_by_name() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("off", &truth("-2.0")), ("truth", &truth("-3.0"))]);
    let off = riskstrat(folder.path(), &["evaluate", "study.toml", "--model", "off"]);
    assert_eq!(off.status.code(), Some(1));
    let why = text(&off.stderr);
    assert!(why.contains("model off: observed over expected is 0."), "{why}");
    assert!(text(&off.stdout).contains("off by ethnic_group"), "what was found is shown all the same");
    let accepted = "models = [\"off\"]\n[[limits.models.accepted]]\nmodel = \"off\"\nby = \"Dr A. Nother\"\non = 2025-01-01\nwhy = \"for ranking only\"\n";
    let run = std::fs::read_to_string(folder.path().join("run.toml")).unwrap();
    std::fs::write(folder.path().join("run.toml"), format!("{run}{accepted}")).unwrap();
    assert_eq!(riskstrat(folder.path(), &["evaluate", "study.toml", "--model", "off"]).status.code(), Some(0));
}

/// A column of a table that a run published.
fn published(run: &Path, file: &str, column: &str) -> ArrayRef {
    let file = File::open(run.join("person").join(file)).unwrap();
    let mut batches = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().with_batch_size(100_000).build().unwrap();
    batches.next().unwrap().unwrap().column_by_name(column).unwrap().clone()
}

fn run(folder: &Path, as_of: &str) -> Result<std::path::PathBuf> {
    let options = LoadOptions { as_of: Some(as_of.parse().unwrap()), deliveries: None };
    runs::run(&folder.join("run.toml"), &options, &folder.join("runs"), ENGINE)
}

fn append(path: &Path, text: &str) {
    let so_far = std::fs::read_to_string(path).unwrap();
    std::fs::write(path, format!("{so_far}{text}")).unwrap();
}

/// Trust row L6.
#[test]
fn l6_people_who_are_no_longer_those_of_training_stop_the_run() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("truth", &truth("-3.0"))]);
    let path = |file: &str| folder.path().join(file);
    append(&path("run.toml"), "models = [\"truth\"]\n");
    let training = run(folder.path(), "2024-01-01").unwrap();
    let [visits, sex] = ["visits_12m", "sex"].map(|name| published(&training, "features.parquet", name));
    let score = published(&training, "scores.parquet", "truth");
    let inputs = [
        Observed { input: "sex", importance: 0.2, column: &*sex },
        Observed { input: "visits_12m", importance: 1.1, column: &*visits },
    ];
    std::fs::write(path("models/truth/reference.csv"), reference(&*score, &inputs).unwrap()).unwrap();
    let model = std::fs::read_to_string(path("models/truth/model.toml")).unwrap();
    std::fs::write(path("models/truth/model.toml"), format!("reference = \"reference.csv\"\n{model}")).unwrap();
    let same = runs::receipt(&run(folder.path(), "2024-01-01").unwrap());
    let told: Vec<(&str, u64)> = same["drift"]
        .as_array()
        .unwrap()
        .iter()
        .map(|drift| (drift["input"].as_str().unwrap(), drift["psi_thousandths"].as_u64().unwrap()))
        .collect();
    assert_eq!(told, [("(score)", 0), ("visits_12m", 0), ("sex", 0)]);
    // A year on, nobody has a visit in the last 12 months: the source has dried up.
    let error = run(folder.path(), "2025-01-01").unwrap_err();
    assert_eq!(error.exit_code(), 1);
    let why = error.to_string();
    assert!(
        why.contains("model truth: (score) has drifted") && why.contains("model truth: visits_12m has drifted"),
        "{why}"
    );
    assert!(!why.contains("sex has drifted"), "{why}");
    let accepted =
        "[[limits.models.accepted]]\nmodel = \"truth\"\nby = \"Dr A. Nother\"\non = 2025-01-01\nwhy = \"known\"\n";
    append(&path("run.toml"), accepted);
    let receipt = runs::receipt(&run(folder.path(), "2025-01-01").unwrap());
    assert!(receipt["warnings"].to_string().contains("Dr A. Nother answers"), "{}", receipt["warnings"]);
}

#[test]
fn a_reference_that_cannot_be_used_is_refused_before_any_record_is_read() {
    for (csv, why) in [
        ("input,bin,share\n(score),-inf,0.5\n(score),missing,0.2\n", "do not add up to 1"),
        ("input,bin,share\n(score),0.1,1\n", "begin at -inf"),
        ("input,bin,share\nvisits_13m,-inf,1\n", "visits_13m"),
        ("input,bin,share\nsex,-inf,1\n", "texts have bins by text"),
        ("input,bin,share\n(score),NaN,1\n", "`bin` is a number"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &[("truth", &format!("reference = \"reference.csv\"\n{}", truth("-3.0")))]);
        append(&folder.path().join("run.toml"), "models = [\"truth\"]\n");
        std::fs::write(folder.path().join("models/truth/reference.csv"), csv).unwrap();
        let error = run(folder.path(), "2024-01-01").unwrap_err();
        assert!(error.exit_code() == 2 && error.to_string().contains(why), "{csv}: {error}");
    }
}

/// Trust row C4.
#[test]
fn c4_a_code_list_that_loses_its_hold_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[]);
    let pipeline = parse::load(
        &folder.path().join("run.toml"),
        &LoadOptions { as_of: Some("2024-01-01".parse().unwrap()), deliveries: None },
    )
    .unwrap();
    let source = |on_list| SourceAccount {
        source: "gp_events".to_owned(),
        code_lists: vec![CodeListCount {
            column: "code".to_owned(),
            codelist: "conditions".to_owned(),
            events: 1000,
            on_list,
        }],
        ..SourceAccount::default()
    };
    assert!(drift::mapped(&pipeline, &[source(380)], &[source(400)]).is_ok(), "2 points are within the limit");
    assert!(drift::mapped(&pipeline, &[source(600)], &[source(400)]).is_ok());
    let error = drift::mapped(&pipeline, &[source(379)], &[source(400)]).unwrap_err();
    assert_eq!(error.exit_code(), 1);
    assert!(
        error
            .to_string()
            .starts_with("source gp_events: 37.9 % of events with a code are on code list conditions, and 40.0 %"),
        "{error}"
    );
    let gone = SourceAccount {
        code_lists: vec![CodeListCount { events: 0, on_list: 0, ..source(0).code_lists[0].clone() }],
        ..source(0)
    };
    assert!(drift::mapped(&pipeline, &[gone], &[source(400)]).is_err(), "no event with a code at all");
}

#[test]
fn a_step_by_group_mends_what_is_off_in_one_group_and_is_seen_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("truth", &truth("-3.6"))]);
    let recalibrate = |method: &str, out: &str| {
        let mut arguments = vec![
            "recalibrate",
            "study.toml",
            "--model",
            "truth",
            "--method",
            method,
            "--by",
            "Dr A. Nother",
            "--on",
            "2025-02-01",
            "--out",
            out,
        ];
        arguments.extend(if method == "by_group" { ["--group", "sex"].as_slice() } else { &[] });
        riskstrat(folder.path(), &arguments)
    };
    for method in ["in_the_large", "slope", "isotonic", "by_group"] {
        let out = format!("models/{method}");
        let told = recalibrate(method, &out);
        assert!(told.status.success(), "{method}: {}", text(&told.stderr));
        assert!(text(&told.stdout).contains("truth before"), "{}", text(&told.stdout));
        let step = std::fs::read_to_string(folder.path().join(&out).join("model.toml")).unwrap();
        assert!(
            step.contains(&format!("[[calibration]]\n{method} = "))
                && step.contains("by = \"Dr A. Nother\"\non = 2025-02-01"),
            "{step}"
        );
        // The new model is read again from its folder, and is right in the large on those it was fitted on.
        let again = riskstrat(folder.path(), &["--json", "evaluate", "study.toml", "--model", method]);
        let judged: Value = serde_json::from_slice(&again.stdout).unwrap();
        let off = judged["models"][0]["everyone"]["probability"]["observed_expected"]["value"].as_f64().unwrap();
        assert!((off - 1.0).abs() < 0.01, "{method}: {off}");
    }
    assert_eq!(recalibrate("slope", "models/slope").status.code(), Some(5), "a model is never written over");
    assert_eq!(
        riskstrat(
            folder.path(),
            &[
                "recalibrate",
                "study.toml",
                "--model",
                "truth",
                "--method",
                "by_group",
                "--by",
                "x",
                "--on",
                "2025-02-01",
                "--out",
                "models/x"
            ]
        )
        .status
        .code(),
        Some(2)
    );
}

#[test]
fn a_trained_model_that_was_off_here_is_not_used_but_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let trained = "[trained]\nformat = 1\nstudy = \"s\"\nstudy_sha256 = \"0\"\noutcome_id = \"x\"\nauroc_in_training = 0.7\nrows = 9\nevents = 3\n";
    let model = format!("{}{trained}", truth("-3.0"));
    write(folder.path(), &[("truth", &model)]);
    let finding = "{\"what\":\"calibration slope\",\"group\":null,\"value\":1.5,\"range\":[0.8,1.2]}";
    let evaluation = |findings: &str| {
        format!("{{\"population\":\"Nowhere\",\"outcome_id\":\"x\",\"models\":[{{\"findings\":[{findings}]}}]}}")
    };
    let seal = |findings: &str| {
        let files = [
            ("model.toml", model.clone()),
            ("card.md", "Invented.\n".to_owned()),
            ("evaluation.json", evaluation(findings)),
        ];
        let files = files.map(|(name, text)| (name.to_owned(), text)).into();
        let place = folder.path().join("models/truth");
        std::fs::write(place.join("evaluation.json"), evaluation(findings)).unwrap();
        std::fs::write(place.join("model.lock"), ModelLock::of(&files).unwrap().text()).unwrap();
    };
    append(&folder.path().join("run.toml"), "models = [\"truth\"]\n");
    seal("");
    run(folder.path(), "2024-01-01").unwrap();
    seal(finding);
    let why = run(folder.path(), "2024-01-01").unwrap_err().to_string();
    assert!(why.contains("calibration slope is 1.50, outside 0.8 to 1.2"), "{why}");
    let accepted = "[[limits.models.accepted]]\nmodel = \"truth\"\nby = \"Dr A. Nother\"\non = 2025-01-01\nwhy = \"for ranking\"\n";
    append(&folder.path().join("run.toml"), accepted);
    run(folder.path(), "2024-01-01").unwrap();
}
