//! What is published stays as it was, is what its receipt says, and is seen when it is not.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use riskstrat::disclosure::{AggregateTable, Cell, Label};
use riskstrat::error::Error;
use riskstrat::publish::{Published, list, verify};
use riskstrat::receipt::{ItemAccount, SourceAccount, StateCount};
use riskstrat::storage::{LocalDisk, Storage};

use crate::runs;
use riskstrat::pipeline::parse::LoadOptions;

use super::{CHILD, Small, TOKENS, current, whole};

#[test]
fn the_same_run_again_is_already_done() {
    let folder = tempfile::tempdir().unwrap();
    let (out, first, second) = (folder.path(), Small::new("1"), Small::new("2"));
    let disk = LocalDisk;
    let in_folder = |small: &Small| out.join("runs").join(small.id.as_str());
    assert_eq!(first.publish(&disk, out).unwrap(), Published::Now { folder: in_folder(&first), is_current: true });
    let receipt = fs::read(in_folder(&first).join("receipt.json")).unwrap();
    let again = Published::Already { folder: in_folder(&first), is_current: true };
    assert_eq!(first.publish(&disk, out).unwrap(), again);
    assert_eq!(fs::read(in_folder(&first).join("receipt.json")).unwrap(), receipt);

    // A later run stays current when an earlier one is asked for again.
    second.publish(&disk, out).unwrap();
    let not_current = Published::Already { folder: in_folder(&first), is_current: false };
    assert_eq!(first.publish(&disk, out).unwrap(), not_current);
    assert_eq!(current(&disk, out).as_deref(), Some(second.id.as_str()));

    // Unless there is no current run to stay.
    for broken in [None, Some("2026-01-01_000000000000\n"), Some("no run")] {
        fs::remove_file(out.join("current")).unwrap();
        broken.inspect(|text| fs::write(out.join("current"), text).unwrap());
        assert!(verify(&disk, out, None).is_err());
        assert_eq!(first.publish(&disk, out).unwrap(), again);
        assert_eq!(current(&disk, out).as_deref(), Some(first.id.as_str()));
    }
    let runs = list(&disk, out).unwrap();
    let titles: Vec<_> = runs.iter().map(|run| (run.id.clone(), run.is_current, run.lists.clone())).collect();
    let lists = vec![("frail".to_owned(), 2)];
    let mut expected = vec![(first.id.clone(), true, lists.clone()), (second.id.clone(), false, lists)];
    expected.sort();
    assert_eq!(titles, expected);
}

#[test]
fn a_published_run_that_was_altered_is_seen_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let small = Small::new("1");
    type Alter = fn(&Path);
    let alterations: [(&str, Alter); 6] = [
        ("other bytes", |run| {
            fs::write(run.join("aggregate/recording_gaps.csv"), "item,people\nethnicity,15\n").unwrap()
        }),
        ("bytes long", |run| fs::write(run.join("person/scores.parquet"), "").unwrap()),
        ("missing", |run| fs::remove_file(run.join("person/scores.parquet")).unwrap()),
        ("not in the receipt", |run| fs::write(run.join("person/extra.csv"), "").unwrap()),
        ("receipt.json is missing", |run| fs::remove_file(run.join("receipt.json")).unwrap()),
        ("neither a file", |run| std::os::unix::fs::symlink("/", run.join("person/link")).unwrap()),
    ];
    for (number, (says, alter)) in alterations.into_iter().enumerate() {
        let out = folder.path().join(number.to_string());
        small.publish(&LocalDisk, &out).unwrap();
        alter(&out.join("runs").join(small.id.as_str()));
        for error in [verify(&LocalDisk, &out, None).unwrap_err(), small.publish(&LocalDisk, &out).unwrap_err()] {
            assert!(matches!(error, Error::Check(_)) && error.to_string().contains(says), "{error}");
        }
    }
}

#[test]
fn a_receipt_of_other_inputs_or_sums_does_not_verify() {
    let folder = tempfile::tempdir().unwrap();
    let small = Small::new("abc");
    for (number, (from, to)) in
        [("\"sha256\": \"abc\"", "\"sha256\": \"abd\""), ("\"reserve\": 1", "\"reserve\": 2")].into_iter().enumerate()
    {
        let out = folder.path().join(number.to_string());
        small.publish(&LocalDisk, &out).unwrap();
        let path = out.join("runs").join(small.id.as_str()).join("receipt.json");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(&path, text.replace(from, to)).unwrap();
        assert!(matches!(verify(&LocalDisk, &out, None), Err(Error::Check(_))), "{from}");
    }
}

#[test]
fn verify_says_when_there_is_no_such_run() {
    let folder = tempfile::tempdir().unwrap();
    assert!(list(&LocalDisk, folder.path()).unwrap().is_empty());
    assert!(matches!(verify(&LocalDisk, folder.path(), None), Err(Error::Check(_))));
    for id in ["../..", "2026-04-01_000000000000"] {
        assert!(matches!(verify(&LocalDisk, folder.path(), Some(id)), Err(Error::Usage(_))));
    }
}

/// A disk that hands back other bytes than it was given, for one file.
struct Lying(&'static str);

impl Storage for Lying {
    fn create_dir(&self, path: &Path) -> std::io::Result<()> {
        LocalDisk.create_dir(path)
    }
    fn write_new(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        let mut bytes = bytes.to_vec();
        if path.ends_with(self.0) {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }
        LocalDisk.write_new(path, &bytes)
    }
    fn sync_dir(&self, path: &Path) -> std::io::Result<()> {
        LocalDisk.sync_dir(path)
    }
    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        LocalDisk.read(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> std::io::Result<()> {
        LocalDisk.rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> std::io::Result<()> {
        LocalDisk.remove_file(path)
    }
    fn remove_dir_all(&self, path: &Path) -> std::io::Result<()> {
        LocalDisk.remove_dir_all(path)
    }
    fn list(&self, path: &Path) -> std::io::Result<Vec<riskstrat::storage::Entry>> {
        LocalDisk.list(path)
    }
}

#[test]
fn a_disk_that_alters_a_file_is_caught_before_current_moves() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let (old, new) = (Small::new("old"), Small::new("new"));
    old.publish(&LocalDisk, out).unwrap();
    for file in ["North~20PCN.csv", "scores.parquet", "recording_gaps.csv", "receipt.json"] {
        let error = new.publish(&Lying(file), out).unwrap_err();
        assert!(matches!(&error, Error::Check(text) if text.contains("read back")), "{error}");
        whole(&LocalDisk, out, Some(&old), &old, file);
        assert_eq!(LocalDisk.list(&out.join("runs")).unwrap().len(), 1);
    }
}

#[test]
fn the_gate_moves_nothing() {
    type Spoil = fn(&mut Small);
    let spoilt: [(&str, Spoil); 8] = [
        ("people in the registers", |small| small.receipt.people.died = 1),
        ("source people: rows delivered: 3, but 2", |small| {
            small.receipt.sources.push(SourceAccount {
                source: "people".into(),
                rows: 3,
                used: 2,
                ..Default::default()
            });
        }),
        ("source people: rows set aside: 1, but 0", |small| {
            let account =
                SourceAccount { source: "people".into(), rows: 3, used: 2, set_aside: 1, ..Default::default() };
            small.receipt.sources.push(account);
        }),
        ("item sex: people on the spine: 3, but 2", |small| {
            let states = vec![StateCount { state: "known".into(), people: 2 }];
            small.receipt.demographics.push(ItemAccount { item: "sex".into(), states });
        }),
        ("cohort frail: people scored", |small| small.receipt.cohorts[0].below_the_cut = 1),
        ("cohort frail: people listed, in csv", |small| {
            small.receipt.cohorts[0].listed = 2;
            small.receipt.cohorts[0].not_included = 0;
        }),
        ("check `one row a person`", |small| small.receipt.checks[0].passed = false),
        ("holds a person's token", |small| {
            let mut table = AggregateTable::new("where", ["practice", "people"]);
            table.row([Cell::Text(Label::new(format!("of {}", TOKENS[1]))), Cell::Empty]).unwrap();
            small.draft.aggregate(&table).unwrap();
        }),
    ];
    for (says, spoil) in spoilt {
        let folder = tempfile::tempdir().unwrap();
        let mut small = Small::new("1");
        spoil(&mut small);
        let error = small.publish(&LocalDisk, folder.path()).unwrap_err();
        assert!(matches!(&error, Error::Check(text) if text.contains(says)), "{error}");
        assert!(TOKENS.iter().all(|token| !error.to_string().contains(token)));
        assert!(LocalDisk.list(&folder.path().join("runs")).unwrap().is_empty());
        assert_eq!(current(&LocalDisk, folder.path()), None);
    }
}

#[test]
fn child_that_publishes() {
    if let Some(out) = std::env::var_os(CHILD) {
        Small::new("1").publish(&LocalDisk, &Path::new(&out).join("new/out")).unwrap();
    }
}

#[test]
fn only_the_owner_reads_a_run_whatever_the_umask() {
    for umask in ["000", "277"] {
        let folder = tempfile::tempdir().unwrap();
        let test = std::env::current_exe().unwrap();
        let script = format!("umask {umask} && exec \"$0\" publishing::runs::child_that_publishes --exact");
        let mut child = Command::new("sh")
            .args(["-c", &script])
            .arg(test)
            .env(CHILD, folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output: Vec<_> = BufReader::new(child.stdout.take().unwrap()).lines().collect();
        assert!(child.wait().unwrap().success(), "{output:?}");
        let mut files = 0;
        let mut folders = vec![folder.path().join("new")];
        while let Some(folder) = folders.pop() {
            assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700, "{}", folder.display());
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files += 1;
                    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", path.display());
                }
            }
        }
        assert_eq!(files, 6, "three outputs, a receipt, current and the lock");
    }
}

/// A back-dated run is published, and readers stay where they are; a later one takes them on.
#[test]
fn readers_are_never_sent_back_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    runs::copy(&runs::root().join("fixtures/starter"), &home);
    let out = folder.path().join("out");
    let run = |as_of: &str| {
        let options = LoadOptions { as_of: Some(as_of.parse().unwrap()), deliveries: None };
        let run = runs::run(&home.join("run.toml"), &options, &out, runs::ENGINE).unwrap();
        run.file_name().unwrap().to_str().unwrap().to_owned()
    };
    let now = || std::fs::read_to_string(out.join("current")).unwrap().trim().to_owned();
    let april = run("2026-04-01");
    assert_eq!(now(), april);
    let january = run("2026-01-05");
    assert_eq!(now(), april);
    assert!(out.join("runs").join(january).is_dir());
    let may = run("2026-05-01");
    assert_eq!(now(), may);
    assert_eq!(run("2026-04-01"), april);
    assert_eq!(now(), may);
}
