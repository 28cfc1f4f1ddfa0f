//! A run that is killed, or whose storage fails at any call, leaves the last run as it was (trust row G1).

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use riskstrat::journal::Journal;
use riskstrat::pipeline::parse::{self, LoadOptions};
use riskstrat::publish;
use riskstrat::run::{self, Options};
use riskstrat::storage::{Entry, LocalDisk, Storage};

use crate::runs;

/// A disk whose n-th call fails, and every later one too when `dead`.
pub struct Failing {
    calls: AtomicUsize,
    fails_at: usize,
    dead: bool,
}

impl Failing {
    pub fn new(fails_at: usize, dead: bool) -> Self {
        Self { calls: AtomicUsize::new(0), fails_at, dead }
    }

    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn call(&self) -> io::Result<()> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let fails = if self.dead { call >= self.fails_at } else { call == self.fails_at };
        if fails { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(()) }
    }
}

impl Storage for Failing {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.call()?;
        LocalDisk.create_dir(path)
    }
    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.call() {
            // Half a file is what a full disk leaves.
            let _ = std::fs::write(path, bytes.get(..bytes.len() / 2).unwrap_or_default());
            return Err(error);
        }
        LocalDisk.write_new(path, bytes)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.call()?;
        LocalDisk.sync_dir(path)
    }
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.call()?;
        LocalDisk.read(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call()?;
        LocalDisk.rename(from, to)
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.call()?;
        LocalDisk.remove_file(path)
    }
    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.call()?;
        LocalDisk.remove_dir_all(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.call()?;
        LocalDisk.list(path)
    }
}

/// The starter in a folder of its own, and the same people with one visit more.
fn two_weeks(folder: &Path) -> [std::path::PathBuf; 2] {
    ["first", "second"].map(|week| {
        let home = folder.join(week);
        runs::copy(&runs::root().join("fixtures/starter"), &home);
        if week == "second" {
            let visits = home.join("deliveries/visits.csv");
            let text = std::fs::read_to_string(&visits).unwrap();
            std::fs::write(visits, text + "e6b8,v13,30/03/2026,walk-in\n").unwrap();
        }
        home.join("run.toml")
    })
}

/// What a reader who follows `current` finds: a whole run.
fn current(out: &Path) -> String {
    let verified = publish::verify(&LocalDisk, out, None).unwrap();
    verified.id.as_str().to_owned()
}

#[test]
fn a_failure_at_every_storage_call_leaves_a_whole_run() {
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = two_weeks(folder.path());
    let go = |week: &Path, out: &Path, storage: &dyn Storage| {
        let pipeline = parse::load(week, &LoadOptions::default()).unwrap();
        run::run(
            &pipeline,
            &Options { out: out.to_owned(), engine: runs::ENGINE, consent: Default::default() },
            storage,
            &Journal::default(),
        )
    };
    for dead in [false, true] {
        for fails_at in 1.. {
            let out = folder.path().join(format!("out-{dead}-{fails_at}"));
            let (old, _) = go(&first, &out, &LocalDisk).unwrap();
            let disk = Failing::new(fails_at, dead);
            let tried = go(&second, &out, &disk);
            let reached = disk.calls() >= fails_at;
            let found = current(&out);
            let (new, _) = go(&second, &out, &LocalDisk).unwrap();
            assert!(found == old.as_str() || found == new.as_str(), "call {fails_at}");
            assert_eq!(current(&out), new.as_str(), "the rerun needs no cleaning up, call {fails_at}");
            let left = std::fs::read_dir(out.join("runs")).unwrap().count();
            assert_eq!(left, 2, "nothing is left beside the two runs, call {fails_at}");
            std::fs::remove_dir_all(&out).unwrap();
            if !reached {
                assert!(tried.is_ok() && fails_at > 20, "{fails_at} calls");
                break;
            }
        }
    }
}

#[test]
fn a_kill_at_any_moment_leaves_a_whole_run() {
    let kills: u32 = std::env::var("RISKSTRAT_KILLS").map_or(6, |kills| kills.parse().unwrap());
    let seed: u64 = std::env::var("RISKSTRAT_SEED").map_or(20_260_401, |seed| seed.parse().unwrap());
    println!("seed {seed}, {kills} kills");
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = two_weeks(folder.path());
    let command = |week: &Path, out: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_riskstrat"));
        command.arg("run").arg(week).arg("--out").arg(out).stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let scratch = folder.path().join("scratch");
    let started = Instant::now();
    assert!(command(&first, &scratch).status().unwrap().success());
    let whole = started.elapsed();
    for kill in 0..kills {
        let out = folder.path().join(format!("out-{kill}"));
        assert!(command(&first, &out).status().unwrap().success());
        let old = current(&out);
        let mut child = command(&second, &out).spawn().unwrap();
        std::thread::sleep(Duration::from_secs_f64(whole.as_secs_f64() * random.random_range(0.0..1.2)));
        // The child may be done: then there is nobody to kill.
        let _ = child.kill();
        child.wait().unwrap();
        let found = current(&out);
        assert!(command(&second, &out).status().unwrap().success(), "the rerun after kill {kill}");
        let new = current(&out);
        assert_ne!(old, new);
        assert!(found == old || found == new, "kill {kill}");
    }
}
