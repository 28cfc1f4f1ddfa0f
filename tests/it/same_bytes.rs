//! The same input gives the same bytes, however the work is cut and wherever it is done (trust rows F1 to F3).

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::Path;
use std::process::Command;

use riskstrat::conform::Engine;
use riskstrat::pipeline::parse::LoadOptions;

use crate::runs;

/// Everything published but what names the deliveries' files; what names the run, without its name.
fn about_people(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let id = run.file_name().unwrap().to_str().unwrap();
    let named = |name: &str| ["receipt.json", "log.ndjson"].contains(&name) || name.contains("set_aside/");
    let files = runs::files(run).into_iter().filter(|(name, _)| !named(name));
    let without_id = |(name, bytes): (String, Vec<u8>)| match name.as_str() {
        "aggregate/about.csv" | "aggregate/report.html" => {
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.contains(id), "{name} names the run");
            (name, text.replace(id, "the run").into_bytes())
        }
        _ => (name, bytes),
    };
    files.map(without_id).collect()
}

/// The same files with the same bytes; a difference names the file and shows nothing of it.
fn same(one: &BTreeMap<String, Vec<u8>>, other: &BTreeMap<String, Vec<u8>>) {
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    let differs = one.iter().filter(|(name, bytes)| **bytes != other[*name]).map(|(name, _)| name.as_str());
    assert_eq!(differs.collect::<Vec<_>>(), [""; 0]);
}

fn demo(out: &Path, deliveries: Option<&Path>, engine: Engine) -> std::path::PathBuf {
    let options = LoadOptions { as_of: None, deliveries: deliveries.map(Path::to_owned) };
    runs::run(&runs::root().join("pipelines/demo.toml"), &options, out, engine).unwrap()
}

#[test]
fn threads_batches_and_buckets_change_nothing() {
    let out = tempfile::tempdir().unwrap();
    let cut = |engine: Engine, name: &str| runs::files(&demo(&out.path().join(name), None, engine));
    let one = cut(Engine::of(1, 8192), "one");
    assert!(one.len() > 10);
    for (partitions, batch_rows, buckets) in [(2, 8192, 1), (8, 8192, 1), (2, 97, 1), (2, 8192, 4), (3, 97, 64)] {
        let name = format!("{partitions}-{batch_rows}-{buckets}");
        let engine = Engine { buckets: NonZero::new(buckets), ..Engine::of(partitions, batch_rows) };
        same(&cut(engine, &name), &one);
    }
}

/// The tiny ledger with each delivery's rows turned round and cut in two files of other names.
fn shuffled(folder: &Path) {
    runs::copy(&runs::root().join("fixtures/tiny"), folder);
    for source in ["people", "admissions", "gp_events", "hub_feedback"] {
        let path = folder.join(format!("deliveries/{source}.csv"));
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines = text.lines();
        let header = lines.next().unwrap();
        let rows: Vec<&str> = lines.rev().collect();
        let (first, second) = rows.split_at(rows.len() / 3);
        let whole = |rows: &[&str]| format!("{header}\r\n{}\r\n", rows.join("\r\n"));
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(folder.join(format!("deliveries/{source}"))).unwrap();
        std::fs::write(folder.join(format!("deliveries/{source}/z.csv")), whole(first)).unwrap();
        std::fs::write(folder.join(format!("deliveries/{source}/a.csv")), whole(second)).unwrap();
        let toml = folder.join(format!("sources/{source}.toml"));
        let text = std::fs::read_to_string(&toml).unwrap();
        std::fs::write(&toml, text.replace(&format!("\"{source}.csv\""), &format!("\"{source}\""))).unwrap();
    }
}

#[test]
fn shuffled_rows_and_split_files_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let plain = runs::root().join("fixtures/tiny/run.toml");
    let plain = runs::run(&plain, &LoadOptions::default(), &folder.path().join("a"), runs::ENGINE).unwrap();
    shuffled(&folder.path().join("tiny/shuffled"));
    std::fs::create_dir(folder.path().join("tiny/models")).unwrap();
    runs::copy(&runs::root().join("models"), &folder.path().join("tiny/models"));
    let other = folder.path().join("tiny/shuffled/run.toml");
    let other = runs::run(&other, &LoadOptions::default(), &folder.path().join("b"), runs::ENGINE).unwrap();
    assert_ne!(runs::receipt(&plain)["run_id"], runs::receipt(&other)["run_id"], "the deliveries are others");
    same(&about_people(&plain), &about_people(&other));
}

#[test]
fn zone_language_folder_and_name_change_nothing() {
    let out = tempfile::tempdir().unwrap();
    let command = |name: &str, environment: &[(&str, &str)], folder: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_riskstrat"));
        let to = out.path().join(name);
        command.arg("run").arg(runs::root().join("fixtures/tiny/run.toml")).arg("--out").arg(&to).current_dir(folder);
        let done = command.envs(environment.iter().copied()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        runs::files(&to).into_iter().filter(|(name, _)| name != "lock").collect::<BTreeMap<_, _>>()
    };
    let here = command("here", &[("TZ", "Europe/London"), ("LANG", "en_GB.UTF-8")], &runs::root());
    let there =
        command("a b/c", &[("TZ", "Pacific/Auckland"), ("LANG", "tr_TR.UTF-8"), ("HOME", "/nowhere")], Path::new("/"));
    same(&here, &there);
}

/// Rows on or after the as-of date change no published byte (invariant 3).
#[test]
fn the_future_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let tiny = folder.path().join("tiny/later");
    runs::copy(&runs::root().join("fixtures/tiny"), &tiny);
    runs::copy(&runs::root().join("models"), &folder.path().join("tiny/models"));
    let run =
        |out: &str| runs::run(&tiny.join("run.toml"), &LoadOptions::default(), &folder.path().join(out), runs::ENGINE);
    let before = about_people(&run("before").unwrap());
    let append = |file: &str, rows: &str| {
        let path = tiny.join("deliveries").join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text + rows).unwrap();
    };
    append(
        "admissions.csv",
        "t-agnes,f1,01/03/2026,,21,F001,,2026-03-01,B\nt-george,f2,28/02/2027,,21,F001,,2026-01-01,B\n",
    );
    append("gp_events.csv", "t-agnes,2026-03-01T00:00:00Z,44054006,\n");
    append("people.csv", "t-agnes,2026-03-01,2001-05-14,2026-03-02,1951-07-19,2026-03-03,A81009,N\n");
    append("hub_feedback.csv", "t-agnes,2026-03-01,declined\n");
    let after = about_people(&run("after").unwrap());
    same(&before, &after);
}
