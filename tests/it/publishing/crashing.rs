//! A disk that fails, a process that stops, a machine that loses power: at every call.

use std::path::Path;
use std::sync::atomic::AtomicUsize;

use riskstrat::error::Result;
use riskstrat::publish::{Published, verify};
use riskstrat::storage::{LocalDisk, Storage};

use super::disks::{Failure, Faulty, Memory};
use super::{Small, current, whole};

fn recovers(storage: &dyn Storage, out: &Path, new: &Small, case: &str) {
    new.publish(storage, out).unwrap_or_else(|error| panic!("{case}: the rerun failed: {error}"));
    assert_eq!(current(storage, out).as_deref(), Some(new.id.as_str()), "{case}: after the rerun");
    verify(storage, out, None).unwrap_or_else(|error| panic!("{case}: after the rerun: {error}"));
    for folder in [out.to_owned(), out.join("runs")] {
        let names = storage.list(&folder).unwrap();
        assert!(names.iter().all(|entry| !entry.name.starts_with('.')), "{case}: {names:?} left");
    }
}

/// Publishes on a disk that fails at its n-th call, for every n; `judge` sees each disk afterwards.
fn fail_at_every_call(
    fresh: impl Fn() -> Box<dyn Storage>,
    publish: impl Fn(&dyn Storage) -> Result<Published>,
    kinds: &[(Failure, bool)],
    judge: impl Fn(&dyn Storage, &str),
) {
    for &(failure, stops) in kinds {
        let mut failed = 0;
        for fails_at in 1.. {
            let inner = fresh();
            let faulty = Faulty { inner: inner.as_ref(), fails_at, failure, stops, calls: AtomicUsize::new(0) };
            let case = format!("call {fails_at} fails {failure:?}, then stops: {stops}");
            let outcome = publish(&faulty);
            if faulty.calls.into_inner() < fails_at {
                outcome.unwrap();
                break;
            }
            if let Err(error) = outcome {
                assert_eq!(error.exit_code(), 5, "{case}: {error}");
                failed += 1;
            }
            judge(inner.as_ref(), &case);
        }
        assert!(failed > 20, "only {failed} calls failed: the disk was not in use");
    }
}

const KINDS: [(Failure, bool); 6] = [
    (Failure::Before, false),
    (Failure::After, false),
    (Failure::Torn, false),
    (Failure::Before, true),
    (Failure::After, true),
    (Failure::Torn, true),
];

#[test]
fn every_failing_call_leaves_the_old_run_or_the_new() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let (old, new, next) = (Small::new("old"), Small::new("new"), Small::new("next"));
    for (old, then) in [(None, &new), (Some(&old), &new), (None, &next), (Some(&old), &next)] {
        let fresh = || {
            let disk = Memory::with(out);
            old.inspect(|old| drop(old.publish(&disk, out).unwrap()));
            Box::new(disk) as Box<dyn Storage>
        };
        fail_at_every_call(
            fresh,
            |disk| new.publish(disk, out),
            &KINDS,
            |disk, case| {
                whole(disk, out, old, &new, case);
                recovers(disk, out, then, case);
            },
        );
    }
}

#[test]
fn a_failure_while_recovering_is_recovered_from() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let (old, new) = (Small::new("old"), Small::new("new"));
    for stopped_at in (1..60).step_by(5) {
        let fresh = || {
            let disk = Memory::with(out);
            old.publish(&disk, out).unwrap();
            let calls = AtomicUsize::new(0);
            let stopped = Faulty { inner: &disk, fails_at: stopped_at, failure: Failure::After, stops: true, calls };
            drop(new.publish(&stopped, out));
            Box::new(disk) as Box<dyn Storage>
        };
        for (failure, stops) in [(Failure::Torn, false), (Failure::After, false), (Failure::After, true)] {
            for fails_at in 1..70 {
                let disk = fresh();
                let faulty = Faulty { inner: disk.as_ref(), fails_at, failure, stops, calls: AtomicUsize::new(0) };
                drop(new.publish(&faulty, out));
                let case = format!("stopped at {stopped_at}, then call {fails_at} fails {failure:?}, {stops}");
                whole(disk.as_ref(), out, Some(&old), &new, &case);
                recovers(disk.as_ref(), out, &new, &case);
            }
        }
    }
}

#[test]
fn a_power_cut_at_any_call_leaves_the_old_run_or_the_new() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    let (old, new) = (Small::new("old"), Small::new("new"));
    for cut in 0..8_u64 {
        for fails_at in 1..70 {
            let disk = Memory::with(out);
            old.publish(&disk, out).unwrap();
            let calls = AtomicUsize::new(0);
            drop(new.publish(&Faulty { inner: &disk, fails_at, failure: Failure::After, stops: true, calls }, out));
            // Which of the names not flushed are on the disk is chance: none, all, or some.
            disk.power_cut(|folder| match cut {
                0 => false,
                1 => true,
                _ => (folder as u64 + 1).wrapping_mul(cut.wrapping_mul(0x9e37_79b9_7f4a_7c15)).count_ones() % 2 == 0,
            });
            let case = format!("power cut {cut} after call {fails_at}");
            whole(&disk, out, Some(&old), &new, &case);
            recovers(&disk, out, &new, &case);
        }
    }
}

#[test]
fn what_was_published_outlives_a_power_cut() {
    let folder = tempfile::tempdir().unwrap();
    let disk = Memory::with(folder.path());
    let small = Small::new("new");
    small.publish(&disk, folder.path()).unwrap();
    disk.power_cut(|_| false);
    assert!(verify(&disk, folder.path(), None).unwrap().is_current);
}

#[test]
fn a_local_disk_that_fails_or_stops_is_recovered_from() {
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (Small::new("old"), Small::new("new"));
    for (number, (failure, stops)) in [(Failure::Torn, false), (Failure::After, true)].into_iter().enumerate() {
        for fails_at in (1..60).step_by(3) {
            let out = folder.path().join(format!("{number}-{fails_at}"));
            old.publish(&LocalDisk, &out).unwrap();
            let faulty = Faulty { inner: &LocalDisk, fails_at, failure, stops, calls: AtomicUsize::new(0) };
            drop(new.publish(&faulty, &out));
            let case = format!("call {fails_at} fails {failure:?}, then stops: {stops}");
            whole(&LocalDisk, &out, Some(&old), &new, &case);
            recovers(&LocalDisk, &out, &new, &case);
        }
    }
}

#[test]
fn a_reader_never_sees_a_mix_of_two_runs() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path();
    Small::new("first").publish(&LocalDisk, out).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 0..60 {
                Small::new(&number.to_string()).publish(&LocalDisk, out).unwrap();
            }
        });
        while !writer.is_finished() {
            assert!(verify(&LocalDisk, out, None).is_ok());
        }
    });
}
