//! One run at a time; a dead one stops nobody.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use riskstrat::error::Error;
use riskstrat::publish::{Lock, already, verify};
use riskstrat::storage::LocalDisk;

use super::{CHILD, Small};

#[test]
fn a_held_lock_names_its_holder_and_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut lock = Lock::take(&LocalDisk, folder.path()).unwrap();
    assert_eq!(lock.taken_over(), None);
    let small = Small::new("1");
    lock.name_run(&small.id).unwrap();
    let error = small.publish(&LocalDisk, folder.path()).unwrap_err();
    assert_eq!(error.exit_code(), 4);
    let text = error.to_string();
    assert!(text.contains(&format!("process {}", std::process::id())) && text.contains(small.id.as_str()), "{text}");
    assert_eq!(already(&LocalDisk, &lock, &small.id).unwrap(), None);
    drop(lock);
    assert_eq!(Lock::take(&LocalDisk, folder.path()).unwrap().taken_over(), None);
}

#[test]
fn of_two_runs_at_once_one_publishes_or_both_in_turn() {
    let folder = tempfile::tempdir().unwrap();
    for trial in 0..50 {
        let out = folder.path().join(trial.to_string());
        let small = [Small::new("1"), Small::new(if trial % 2 == 0 { "1" } else { "2" })];
        let ends = std::thread::scope(|scope| {
            small.each_ref().map(|small| scope.spawn(|| small.publish(&LocalDisk, &out))).map(|run| run.join().unwrap())
        });
        assert!(ends.iter().any(Result::is_ok), "trial {trial}");
        let codes = ends.iter().filter_map(|end| end.as_ref().err()).map(Error::exit_code);
        assert!(codes.into_iter().all(|code| code == 4), "trial {trial}");
        assert!(verify(&LocalDisk, &out, None).unwrap().is_current);
    }
}

#[test]
fn a_note_cut_short_by_a_crash_does_not_stop_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lock"), "{\"pid\": 12").unwrap();
    let lock = Lock::take(&LocalDisk, folder.path()).unwrap();
    assert!(lock.taken_over().unwrap().contains("cannot be read"));
}

#[test]
fn child_that_holds_the_lock() {
    if let Some(out) = std::env::var_os(CHILD) {
        let _lock = Lock::take(&LocalDisk, Path::new(&out)).unwrap();
        fs::write(Path::new(&out).join("held"), "").unwrap();
        std::thread::sleep(std::time::Duration::from_secs(60));
    }
}

#[test]
fn the_lock_of_a_killed_process_is_taken_over_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["publishing::locking::child_that_holds_the_lock", "--exact"])
        .env(CHILD, folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while !folder.path().join("held").exists() {
        assert_eq!(child.try_wait().unwrap(), None);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let held = Lock::take(&LocalDisk, folder.path()).unwrap_err();
    assert!(matches!(&held, Error::Locked(text) if text.contains(&format!("process {}", child.id()))), "{held}");
    child.kill().unwrap();
    child.wait().unwrap();
    let lock = Lock::take(&LocalDisk, folder.path()).unwrap();
    assert!(lock.taken_over().unwrap().contains(&format!("process {}", child.id())));
}
