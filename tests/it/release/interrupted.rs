//! A release or a withdrawal is in force or was never made, whatever call fails and whenever it is killed (trust row G7).

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use riskstrat::error::Result;
use riskstrat::release::{self, Done, Ledger, WithdrawRequest};
use riskstrat::storage::{LocalDisk, Storage};

use super::world::{KEY, World};
use crate::kills::Failing;
use crate::runs;

/// The number of events in force, each of them whole.
fn events(out: &Path, case: &str) -> usize {
    release::verify(&LocalDisk, out).unwrap_or_else(|error| panic!("{case}: {error}")).events
}

fn nothing_is_left(out: &Path, case: &str) {
    let names = LocalDisk.list(&out.join("releases")).unwrap();
    assert!(names.iter().all(|entry| !entry.name.starts_with('.')), "{case}: {names:?}");
}

/// Every call in the long figures, every fourth otherwise.
fn step() -> usize {
    if std::env::var("RISKSTRAT_KILLS").is_ok() { 1 } else { 4 }
}

/// Does `go` on disks that fail at each call; then on a good one.
fn at_every_call(world: &World, before: usize, go: impl Fn(&dyn Storage) -> Result<Done>) {
    let start = world.path("start");
    runs::copy(&world.out(), &start);
    for dead in [false, true] {
        for fails_at in (1..).step_by(step()) {
            let case = format!("call {fails_at} fails, dead: {dead}");
            std::fs::remove_dir_all(world.out()).unwrap();
            runs::copy(&start, &world.out());
            let disk = Failing::new(fails_at, dead);
            let tried = go(&disk);
            let reached = disk.calls() >= fails_at;
            let found = events(&world.out(), &case);
            assert!(found == before || found == before + 1, "{case}: {found} events");
            assert!(tried.is_err() || found == before + 1, "{case}: what was reported is in force");
            let done = go(&LocalDisk).unwrap_or_else(|error| panic!("{case}: the rerun: {error}"));
            assert_eq!(done.already, found == before + 1, "{case}");
            assert_eq!(events(&world.out(), &case), before + 1, "{case}: once, not twice");
            nothing_is_left(&world.out(), &case);
            if !reached {
                assert!(tried.is_ok() && fails_at > 20, "{fails_at} calls");
                break;
            }
        }
    }
}

fn withdrawal(release: &str) -> WithdrawRequest {
    WithdrawRequest {
        release: release.to_owned(),
        recipients: Vec::new(),
        reason: "a test".to_owned(),
        by: "a tester".to_owned(),
        on: None,
    }
}

#[test]
fn g7_a_failure_at_every_storage_call_leaves_either_state() {
    let world = World::of(4);
    world.run("2026-04-01", "first").unwrap();
    // No folder of releases yet: an interrupted first release must not leave half of one.
    at_every_call(&world, 0, |disk| world.release_with("2026-04-01", "first", KEY, disk, |_| {}));
    let release = Ledger::read(&LocalDisk, &world.out()).unwrap().entries()[0].id.clone();
    std::fs::remove_dir_all(world.path("start")).unwrap();
    at_every_call(&world, 1, |disk| release::withdraw(disk, &world.out(), &withdrawal(&release)));
}

#[test]
fn g7_a_kill_at_any_moment_leaves_either_state() {
    let kills: u32 = std::env::var("RISKSTRAT_KILLS").map_or(4, |kills| kills.parse().unwrap());
    let seed: u64 = std::env::var("RISKSTRAT_SEED").map_or(20_260_402, |seed| seed.parse().unwrap());
    println!("seed {seed}, {kills} kills");
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let world = World::of(8);
    world.run("2026-04-01", "first").unwrap();
    world.later("second", "");
    let release = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_riskstrat"));
        command.arg("release").arg(world.path("run.toml")).arg("--out").arg(world.out());
        command.args(["--as-of", "2026-04-03", "--by", "a tester", "--key-env", "TEST_KEY", "--deliveries"]);
        command.arg(world.path("second")).env("TEST_KEY", KEY).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let withdraw = |id: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_riskstrat"));
        command.args(["withdraw", id, "--reason", "a test", "--by", "a tester", "--out"]).arg(world.out());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let start = world.path("start");
    runs::copy(&world.out(), &start);
    let started = Instant::now();
    assert!(release().status().unwrap().success());
    let whole = started.elapsed().as_secs_f64();
    for kill in 0..kills {
        std::fs::remove_dir_all(world.out()).unwrap();
        runs::copy(&start, &world.out());
        let mut at_random = |mut command: Command, longest: f64| {
            let mut child = command.spawn().unwrap();
            std::thread::sleep(Duration::from_secs_f64(longest * random.random_range(0.0..1.2)));
            // The child may be done: then there is nobody to kill.
            let _ = child.kill();
            child.wait().unwrap();
        };
        at_random(release(), whole);
        assert!(events(&world.out(), &format!("kill {kill}")) <= 1);
        assert!(release().status().unwrap().success(), "the release after kill {kill}");
        assert_eq!(events(&world.out(), &format!("after kill {kill}")), 1);
        let id = Ledger::read(&LocalDisk, &world.out()).unwrap().entries()[0].id.clone();
        at_random(withdraw(&id), 0.03);
        assert!((1..=2).contains(&events(&world.out(), &format!("kill {kill} of the withdrawal"))));
        assert!(withdraw(&id).status().unwrap().success(), "the withdrawal after kill {kill}");
        assert_eq!(events(&world.out(), &format!("after kill {kill} of the withdrawal")), 2);
        nothing_is_left(&world.out(), &format!("kill {kill}"));
    }
}
