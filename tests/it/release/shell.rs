//! Releases as a shell sees them: keys, exit codes, what is said and what is not.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output};

use riskstrat::publish::Lock;
use riskstrat::storage::LocalDisk;
use sha2::{Digest, Sha256};

use super::world::{Fate, KEY, World, crosswalk};
use crate::runs;

fn riskstrat(world: &World, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_riskstrat"));
    command.args(arguments).current_dir(world.path("."));
    command.env("TEST_KEY", KEY).env("SHORT_KEY", "short").env("RISKSTRAT_LOG", "trace").output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn world() -> World {
    let mut world = World::of(8);
    world.run("2026-04-01", "first").unwrap();
    let canary = world.people[1].token.clone();
    world.set(&canary, Fate::OptsOut);
    world.later("second", "");
    world
}

const RELEASE: [&str; 9] =
    ["release", "run.toml", "--out", "out", "--as-of", "2026-04-03", "--deliveries", "second", "--by"];

#[test]
fn a_release_from_key_to_withdrawal() {
    let world = world();
    std::fs::write(world.path("key"), format!("{KEY}\n")).unwrap();
    let go = |more: &[&str]| riskstrat(&world, &[RELEASE.as_slice(), &["A N Officer"], more].concat());
    let code = |more: &[&str]| go(more).status.code();
    assert_eq!(code(&[]), Some(2), "no key");
    assert_eq!(code(&["--key-file", "key", "--key-env", "TEST_KEY"]), Some(2), "two keys");
    assert_eq!(code(&["--key-env", "NO_SUCH_KEY"]), Some(2));
    assert_eq!(code(&["--key-env", "SHORT_KEY"]), Some(2));
    std::fs::set_permissions(world.path("key"), std::fs::Permissions::from_mode(0o640)).unwrap();
    let open = go(&["--key-file", "key"]);
    assert!(open.status.code() == Some(2) && said(&open).contains("0600"), "{}", said(&open));
    std::fs::set_permissions(world.path("key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let lock = Lock::take(&LocalDisk, &world.out()).unwrap();
    assert_eq!(code(&["--key-file", "key"]), Some(4), "runs and releases share one lock");
    drop(lock);
    let first = go(&["--key-file", "key", "--cohort", "often"]);
    assert!(first.status.success(), "{}", said(&first));
    let told = String::from_utf8_lossy(&first.stdout).into_owned();
    assert!(told.contains("4 listed, 3 in reserve, 1 removed, to 2 recipients"), "{told}");
    let again = go(&["--key-env", "TEST_KEY", "--cohort", "often"]);
    assert!(said(&again).contains("already done"), "{}", said(&again));
    let id = told.split_whitespace().next().unwrap();
    let listed = riskstrat(&world, &["list", "--out", "out"]);
    assert!(said(&listed).contains(id) && said(&listed).contains("by A N Officer"), "{}", said(&listed));
    let verified = riskstrat(&world, &["verify", "--out", "out"]);
    assert!(said(&verified).contains("the ledger is whole: 1 events"), "{}", said(&verified));
    let withdrawn = riskstrat(
        &world,
        &["withdraw", id, "--out", "out", "--reason", "a test", "--by", "A N Officer", "--on", "2026-04-04"],
    );
    assert!(said(&withdrawn).contains("withdrawn from 2 recipients"), "{}", said(&withdrawn));
    let rows = crosswalk(&world.out().join("releases").join(id));
    for output in [first, again, listed, verified, withdrawn, go(&["--key-env", "TEST_KEY"])] {
        let text = said(&output);
        assert!(!text.contains("canary") && !text.contains(KEY), "{text}");
        assert!(rows.iter().all(|row| !text.contains(&row["token"])), "no token is said");
    }
    for (path, bytes) in runs::files(&world.out()) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(!text.contains(KEY), "{path} holds the key");
        assert!(path.contains("/person/") || path.starts_with("runs/") || !text.contains("canary"), "{path}");
    }
    assert_eq!(
        riskstrat(&world, &["withdraw", "0009_000000000000", "--out", "out", "--reason", "x", "--by", "y"])
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn a_list_past_its_day_and_a_stale_feed_are_exit_3() {
    let world = world();
    let stale = riskstrat(
        &world,
        &[
            "release",
            "run.toml",
            "--out",
            "out",
            "--as-of",
            "2026-06-03",
            "--deliveries",
            "second",
            "--by",
            "x",
            "--key-env",
            "TEST_KEY",
        ],
    );
    assert_eq!(stale.status.code(), Some(3), "{}", said(&stale));
    assert!(said(&stale).contains("source opt_outs is stale"), "{}", said(&stale));
}

/// The documented script of a week, with this build.
#[test]
fn a_hubs_week() {
    let folder = tempfile::tempdir().unwrap();
    let week = Command::new("bash")
        .arg(runs::root().join("tests/hub-week"))
        .arg(folder.path().join("week"))
        .env("RISKSTRAT", env!("CARGO_BIN_EXE_riskstrat"))
        .output()
        .unwrap();
    assert!(week.status.success(), "{}", said(&week));
}

/// K8 through the whole program: a source of NHS numbers, or of plain hashes of them, stops the run.
#[test]
fn k8_nhs_numbers_as_tokens_are_refused() {
    let numbers = ["4857773457", "9434765919", "4010232137", "9990000018", "9990000026"];
    let hash = |text: &str| Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let hashes: Vec<String> = numbers.iter().map(|number| hash(number)).collect();
    for (case, tokens) in [("valid NHS numbers", numbers.map(str::to_owned).to_vec()), ("plain SHA-256", hashes)] {
        for file in ["people", "visits"] {
            let folder = tempfile::tempdir().unwrap();
            runs::copy(&runs::root().join("fixtures/starter"), folder.path());
            let rows: String = match file {
                "people" => tokens.iter().map(|token| format!("{token},1950-01-01,A81001,1\n")).collect(),
                _ => tokens.iter().map(|token| format!("{token},{token},01/02/2026,walk-in\n")).collect(),
            };
            let path = folder.path().join(format!("deliveries/{file}.csv"));
            let text = std::fs::read_to_string(&path).unwrap();
            let header = text.lines().next().unwrap();
            // Of visits the others are there too: their people are in the register.
            let rest = if file == "people" { "" } else { text.split_once('\n').unwrap().1 };
            std::fs::write(&path, format!("{header}\n{rows}{rest}")).unwrap();
            let output = Command::new(env!("CARGO_BIN_EXE_riskstrat"))
                .args(["run", "run.toml"])
                .current_dir(folder.path())
                .output()
                .unwrap();
            let text = said(&output);
            assert_eq!(output.status.code(), Some(1), "{case} in {file}: {text}");
            assert!(text.contains(case) && text.contains(&format!("source {file}")), "{case} in {file}: {text}");
            assert!(tokens.iter().all(|token| !text.contains(token)), "{case} in {file}: no token is shown");
            assert!(!folder.path().join("runs/current").exists());
        }
    }
}
