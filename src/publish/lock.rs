//! One run at a time.
//!
//! The kernel holds the lock (`flock` on `<out>/lock`), so it ends with its process, however that ends. What is written
//! in the file is for people: who holds it. A clean end empties the file; text in a file that nobody holds was left by
//! a process that died.

use std::fmt;
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::RunId;
use crate::error::{Error, Result};
use crate::storage::Storage;

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    pub host: String,
    /// Not known before the deliveries have been hashed.
    pub run_id: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} on {}", self.pid, self.host)?;
        match &self.run_id {
            Some(run_id) => write!(f, " (run {run_id})"),
            None => Ok(()),
        }
    }
}

/// The right to change what is published in a folder; ends when dropped.
#[derive(Debug)]
pub struct Lock {
    out: PathBuf,
    file: File,
    holder: Holder,
    taken_over: Option<String>,
}

impl Lock {
    /// Takes the lock of an output folder, made if missing; a live holder is [`Error::Locked`].
    pub fn take(storage: &dyn Storage, out: &Path) -> Result<Self> {
        create_dirs(storage, out)?;
        let path = out.join("lock");
        let failed = |doing: &str, error: &io::Error| Error::storage(doing, &path, error);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|error| failed("cannot open", &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = read_holder(&mut file).unwrap_or_else(|| "another run".to_owned());
                return Err(Error::Locked(format!("{} is held by {holder}", path.display())));
            }
            Err(TryLockError::Error(error)) => return Err(failed("cannot lock", &error)),
        }
        let taken_over =
            read_holder(&mut file).map(|left| format!("the lock was left by {left}, which ended without releasing it"));
        if let Some(reason) = &taken_over {
            tracing::warn!(lock = %path.display(), "taking over: {reason}");
        }
        let holder = Holder { pid: std::process::id(), host: host(), run_id: None };
        let mut lock = Self { out: out.to_owned(), file, holder, taken_over };
        lock.file.set_permissions(Permissions::from_mode(0o600)).map_err(|error| failed("cannot write", &error))?;
        lock.write_holder().map_err(|error| failed("cannot write", &error))?;
        Ok(lock)
    }

    /// Says in the lock file which run holds it.
    pub fn name_run(&mut self, id: &RunId) -> Result<()> {
        self.holder.run_id = Some(id.to_string());
        self.write_holder().map_err(|error| Error::storage("cannot write", &self.out.join("lock"), &error))
    }

    /// The output folder that is locked.
    pub fn out(&self) -> &Path {
        &self.out
    }

    /// Why this lock was taken from a dead process; none if it was free.
    pub fn taken_over(&self) -> Option<&str> {
        self.taken_over.as_deref()
    }

    fn write_holder(&mut self) -> io::Result<()> {
        let text = serde_json::to_vec(&self.holder)?;
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&text)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // If this fails the next run only sees a holder that is gone.
        if let Err(error) = self.file.set_len(0) {
            tracing::warn!("the lock file could not be emptied: {}", error.kind());
        }
    }
}

/// What the lock file says; its text may be cut short, as its writer may have died at any point.
fn read_holder(file: &mut File) -> Option<String> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(4096).read_to_string(&mut text).ok()?;
    if text.is_empty() {
        return None;
    }
    let holder: Option<Holder> = serde_json::from_str(&text).ok();
    Some(holder.map_or_else(|| "a process whose note cannot be read".to_owned(), |holder| holder.to_string()))
}

fn host() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "an unnamed host".to_owned() } else { name.to_owned() }
}

/// Makes a folder and those above it that are missing.
fn create_dirs(storage: &dyn Storage, path: &Path) -> Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let parent = path.parent().unwrap_or(path);
    create_dirs(storage, parent)?;
    match storage.create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(Error::storage("cannot make", path, &error));
        }
        _ => {}
    }
    let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    storage.sync_dir(parent).map_err(|error| Error::storage("cannot flush", parent, &error))
}
