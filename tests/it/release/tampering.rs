//! A ledger or a file that was changed after it was written is seen, and stops what comes after.

use std::path::{Path, PathBuf};

use riskstrat::release;
use riskstrat::storage::LocalDisk;

use super::world::World;

/// Two releases and a withdrawal.
fn three_events() -> World {
    let world = World::of(8);
    world.run("2026-04-01", "first").unwrap();
    let first = world.release("2026-04-01", "first").unwrap();
    let request = release::WithdrawRequest {
        release: first.entry.id,
        recipients: Vec::new(),
        reason: "a test".into(),
        by: "a tester".into(),
        on: None,
    };
    release::withdraw(&LocalDisk, &world.out(), &request).unwrap();
    world.later("second", "");
    world.release("2026-04-03", "second").unwrap();
    release::verify(&LocalDisk, &world.out()).unwrap();
    world
}

fn ledger(world: &World) -> PathBuf {
    world.out().join("releases/ledger.ndjson")
}

fn event(world: &World, sequence: usize) -> PathBuf {
    let folders = std::fs::read_dir(world.out().join("releases")).unwrap().map(|entry| entry.unwrap().path());
    let begins = format!("{sequence:04}_");
    folders.into_iter().find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&begins)).unwrap()
}

#[test]
fn a_line_that_was_changed_stops_every_command() {
    let world = three_events();
    let whole = std::fs::read_to_string(ledger(&world)).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let joined = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let changed = [
        ("a name", whole.replacen("a tester", "nobody!!", 1)),
        ("a count", whole.replacen("\"listed\":2", "\"listed\":3", 1)),
        ("the last line", joined(&[lines[0], lines[1], &lines[2].replace("a tester", "nobody!!")])),
        ("no first line", joined(&lines[1..])),
        ("no middle line", joined(&[lines[0], lines[2]])),
        ("turned round", joined(&[lines[1], lines[0], lines[2]])),
        ("twice", joined(&[lines[0], lines[1], lines[1], lines[2]])),
        ("cut short", whole[..whole.len() - 5].to_owned()),
        ("spaced", whole.replacen("\"by\":", "\"by\": ", 1)),
        ("no JSON", format!("{whole}and so on\n")),
    ];
    for (case, text) in changed {
        std::fs::write(ledger(&world), text).unwrap();
        let verified = release::verify(&LocalDisk, &world.out()).unwrap_err();
        assert_eq!(verified.exit_code(), 1, "{case}: {verified}");
        assert!(verified.to_string().contains("the ledger was changed"), "{case}: {verified}");
        let code = |error: riskstrat::error::Error| error.exit_code();
        assert_eq!(world.release("2026-04-03", "second").map(|done| done.entry.id).map_err(code), Err(1), "{case}");
        assert_eq!(world.run("2026-04-03", "second").map_err(code), Err(1), "{case}");
    }
    // Without its last line the chain holds, but a folder is left that nobody sent.
    std::fs::write(ledger(&world), joined(&lines[..2])).unwrap();
    let error = release::verify(&LocalDisk, &world.out()).unwrap_err();
    assert!(error.to_string().contains("not in the ledger"), "{error}");
    std::fs::write(ledger(&world), whole).unwrap();
    release::verify(&LocalDisk, &world.out()).unwrap();
}

#[test]
fn a_file_that_was_changed_is_named() {
    let world = three_events();
    let seen = |path: &Path, change: &dyn Fn(&Path), word: &str| {
        let before = std::fs::read(path).ok();
        change(path);
        let error = release::verify(&LocalDisk, &world.out()).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
        match before {
            Some(before) => std::fs::write(path, before).unwrap(),
            None => std::fs::remove_file(path).unwrap(),
        }
        release::verify(&LocalDisk, &world.out()).unwrap();
    };
    let append = |path: &Path| {
        let text = std::fs::read(path).unwrap_or_default();
        std::fs::write(path, [text.as_slice(), b" "].concat()).unwrap();
    };
    let remove = |path: &Path| std::fs::remove_file(path).unwrap();
    seen(&event(&world, 1).join("to/A81001/often.csv"), &append, "often.csv");
    seen(&event(&world, 1).join("to/A81001/often.csv"), &remove, "often.csv is missing");
    seen(&event(&world, 1).join("to/A81001/more.csv"), &append, "more.csv is not in the release");
    seen(&event(&world, 1).join("person/crosswalk.parquet"), &append, "crosswalk.parquet");
    seen(&event(&world, 2).join("to/A81001/withdrawn.md"), &append, "withdrawn.md");
    seen(&event(&world, 2).join("withdrawal.json"), &append, "not the one that the ledger knows");
    seen(&event(&world, 3).join("release.json"), &append, "not the one that the ledger knows");
    std::fs::create_dir(world.out().join("releases/0004_0123456789ab")).unwrap();
    assert!(release::verify(&LocalDisk, &world.out()).unwrap_err().to_string().contains("0004_0123456789ab"));
}
