//! The commands as a shell sees them: stdout is data, stderr is messages, the exit code explains itself.

use std::path::Path;
use std::process::{Command, Output};

use riskstrat::publish::Lock;
use riskstrat::storage::LocalDisk;
use serde_json::Value;

use crate::runs;

fn riskstrat(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_riskstrat")).args(arguments).current_dir(folder).output().unwrap()
}

fn starter() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    runs::copy(&runs::root().join("fixtures/starter"), folder.path());
    folder
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn results_for_machines_are_json_on_stdout() {
    let folder = starter();
    let run = riskstrat(folder.path(), &["--json", "run", "run.toml"]);
    assert!(run.status.success());
    let told = json(&run);
    assert_eq!(told["state"], "published");
    assert!(folder.path().join(told["receipt"].as_str().unwrap()).is_file());
    assert!(run.stderr.is_empty());
    let listed = json(&riskstrat(folder.path(), &["--json", "list"]));
    assert_eq!((&listed[0]["run"], &listed[0]["current"]), (&told["run"], &true.into()));
    let verified = json(&riskstrat(folder.path(), &["--json", "verify"]));
    assert_eq!(verified["run"], told["run"]);
    let checked = json(&riskstrat(folder.path(), &["--json", "check", "run.toml", "--headers"]));
    assert_eq!((&checked["files"], &checked["sources"]), (&2.into(), &2.into()));
    let schema = json(&riskstrat(folder.path(), &["schema", "source"]));
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn a_run_that_is_kept_to_one_processor_says_nothing_on_stderr() {
    // One of those that this process may use.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let first = allowed.and_then(|list| list.trim().split(['-', ',']).next()).unwrap_or("0");
    // Without and with a limit on memory, under which the allocator is asked to do otherwise.
    for limit in [&[][..], &["--memory-limit", "4 GiB"]] {
        let folder = starter();
        let mut command = Command::new("taskset");
        command.args(["-c", first, env!("CARGO_BIN_EXE_riskstrat"), "--json", "run", "run.toml"]).args(limit);
        let Ok(output) = command.current_dir(folder.path()).output() else {
            println!("skipped: there is no taskset here");
            return;
        };
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert!(output.status.success() && json(&output)["state"] == "published");
    }
}

#[test]
fn a_list_row_is_explained_down_to_file_and_row() {
    let folder = starter();
    assert!(riskstrat(folder.path(), &["run", "run.toml"]).status.success());
    let told = json(&riskstrat(folder.path(), &["--json", "explain", "current", "a1f3", "--pipeline", "run.toml"]));
    assert_eq!(told["features"]["visits_12m"], "3");
    assert!(told["lists"][0]["row"]["reasons"].as_str().unwrap().starts_with("Visits in the last 12 months: 3"));
    let rows = told["rows"].as_array().unwrap();
    let visits: Vec<u64> = rows
        .iter()
        .filter(|row| row["source"] == "visits" && row["counts_in"].to_string().contains("\"visits_90d\""))
        .map(|row| row["row"].as_u64().unwrap())
        .collect();
    assert_eq!(visits, [2, 3], "the third visit lies before the last 90 days");
    let stranger = riskstrat(folder.path(), &["explain", "current", "CANARY7Q"]);
    assert_eq!(stranger.status.code(), Some(1));
    assert!(!String::from_utf8_lossy(&stranger.stderr).contains("CANARY7Q"));
    std::fs::write(folder.path().join("deliveries/visits.csv"), "token,visit,date,arrived_by\na1f3,v1,03/02/2026,x\n")
        .unwrap();
    let changed = riskstrat(folder.path(), &["explain", "current", "a1f3", "--pipeline", "run.toml"]);
    assert_eq!(changed.status.code(), Some(1), "other deliveries are not what the run was made from");
}

#[test]
fn the_exit_code_says_what_went_wrong() {
    let folder = starter();
    let code = |arguments: &[&str]| riskstrat(folder.path(), arguments).status.code();
    assert_eq!(code(&["run"]), Some(2));
    assert_eq!(code(&["run", "nowhere.toml"]), Some(2));
    assert_eq!(code(&["verify"]), Some(1));
    assert_eq!(code(&["run", "run.toml", "--deliveries", "nowhere"]), Some(3));
    let lock = Lock::take(&LocalDisk, &folder.path().join("runs")).unwrap();
    assert_eq!(code(&["run", "run.toml"]), Some(4));
    drop(lock);
    assert_eq!(code(&["run", "run.toml", "--out", "/dev/full/x"]), Some(5));
    assert_eq!(code(&["run", "run.toml"]), Some(0));
    assert_eq!(code(&["run", "run.toml"]), Some(0));
    let broken = riskstrat(folder.path(), &["--json", "check", "features/basic.toml"]);
    assert_eq!(broken.status.code(), Some(2));
    let told: Value = serde_json::from_slice(&broken.stderr).unwrap();
    let problems = told["problems"].as_array().unwrap();
    assert!(
        problems.iter().any(|problem| problem["line"].is_u64() && problem["file"] == "features/basic.toml"),
        "{told}"
    );
}

#[test]
fn a_plan_says_what_a_run_would_read_and_hold() {
    let tiny = runs::root().join("fixtures/tiny");
    let told = riskstrat(&tiny, &["--json", "explain-plan", "run.toml", "--partitions", "3"]);
    let told = json(&told);
    let sources = told["sources"].as_array().unwrap();
    let of = |name: &str| sources.iter().find(|source| source["source"] == name).unwrap();
    let pipeline = riskstrat::pipeline::parse::load(&tiny.join("run.toml"), &Default::default()).unwrap();
    assert_eq!(sources.len(), pipeline.sources.len());
    for source in &pipeline.sources {
        let told = of(&source.name);
        let columns = told["columns"].as_array().unwrap();
        let named = source.columns.iter().filter_map(|column| column.decl.from.as_ref());
        let named = named.flat_map(|from| from.as_slice()).filter(|name| !name.contains('*'));
        assert!(named.clone().all(|name| columns.iter().any(|column| column == name)), "{}", source.name);
        let features = pipeline.features.iter().filter(|feature| {
            matches!(&feature.verb, riskstrat::pipeline::Verb::Events(events) if pipeline.sources[events.source].name == source.name)
        });
        let features: Vec<_> = features.collect();
        assert_eq!(told["features"], features.len());
        assert!(told["hears"].as_array().unwrap().len() >= source.demographics.len(), "{}", source.name);
        assert_eq!(told["state_bytes_a_person"].as_u64().unwrap() > 0, !features.is_empty(), "{}", source.name);
    }
    assert_eq!((&told["workers"], &told["buckets"]), (&3.into(), &1.into()));
    let demo = runs::root().join("pipelines");
    let little = json(&riskstrat(
        &demo,
        &["--json", "explain-plan", "demo.toml", "--partitions", "2", "--memory-limit", "1 MiB"],
    ));
    let buckets = |source: &Value| source["buckets"].as_u64().unwrap();
    let each = little["sources"].as_array().unwrap();
    assert!(
        each.iter().any(|source| buckets(source) > 1) && each.iter().all(|source| buckets(source).is_power_of_two())
    );
    assert!(each.iter().all(|source| source["held"] == true || buckets(source) == 1));
    assert_eq!(little["buckets"].as_u64(), each.iter().map(buckets).max());
    let text = riskstrat(&tiny, &["explain-plan", "run.toml"]);
    assert!(text.status.success() && String::from_utf8(text.stdout).unwrap().contains("bytes a person"));
}

#[test]
fn shells_and_man_know_every_command() {
    let folder = starter();
    for shell in ["bash", "zsh", "fish"] {
        let script = riskstrat(folder.path(), &["completions", shell]);
        let script = String::from_utf8(script.stdout).unwrap();
        assert!(
            [
                "run",
                "check",
                "synth",
                "list",
                "schema",
                "init",
                "verify",
                "explain",
                "explain-plan",
                "release",
                "withdraw"
            ]
            .iter()
            .all(|command| script.contains(command))
        );
    }
    assert!(riskstrat(folder.path(), &["man", "man"]).status.success());
    for page in ["riskstrat.1", "riskstrat-run.1", "riskstrat-explain.1"] {
        assert!(folder.path().join("man").join(page).is_file(), "{page}");
    }
}

#[test]
fn a_line_a_stage_where_there_is_no_terminal() {
    let folder = starter();
    let run = riskstrat(folder.path(), &["run", "run.toml"]);
    let said = String::from_utf8(run.stderr).unwrap();
    for stage in ["source", "link", "features", "score", "cohort"] {
        assert!(said.lines().any(|line| line.trim_start().starts_with(stage)), "{stage}");
    }
    assert!(!said.contains('\u{1b}'), "no colours in a log");
    let log = std::fs::read_dir(folder.path().join("runs/runs")).unwrap().next().unwrap().unwrap().path();
    let log = std::fs::read_to_string(log.join("log.ndjson")).unwrap();
    assert!(log.lines().count() > 5 && log.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    assert!(["a1f3", "c9d4", "1941"].iter().all(|value| !log.contains(value) && !said.contains(value)));
}

/// Memory is watched where the system tells of it, which is where such runs happen.
#[test]
fn a_run_beyond_its_memory_stops_by_itself() {
    let folder = starter();
    let over = riskstrat(folder.path(), &["run", "run.toml", "--memory-limit", "1 MiB"]);
    let said = String::from_utf8(over.stderr).unwrap();
    if cfg!(target_os = "linux") {
        assert_eq!(over.status.code(), Some(5), "{said}");
        assert!(said.contains("1 MiB are allowed") && said.contains("--memory-limit"), "{said}");
        assert!(!folder.path().join("runs/current").exists(), "nothing is published");
    }
    let declared = std::fs::read_to_string(folder.path().join("run.toml")).unwrap();
    std::fs::write(folder.path().join("run.toml"), format!("memory_limit = \"much\"\n{declared}")).unwrap();
    let refused = riskstrat(folder.path(), &["check", "run.toml"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(2) && said.contains("not a size") && said.contains("run.toml"), "{said}");
    std::fs::write(folder.path().join("run.toml"), format!("memory_limit = \"1 MiB\"\n{declared}")).unwrap();
    let declared = riskstrat(folder.path(), &["run", "run.toml"]);
    assert_eq!(declared.status.code(), cfg!(target_os = "linux").then_some(5).or(Some(0)));
    let in_its_place = riskstrat(folder.path(), &["run", "run.toml", "--memory-limit", "64GiB"]);
    assert!(in_its_place.status.success(), "the command line stands over the run file");
}
