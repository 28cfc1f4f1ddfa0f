//! Who was sent what, and when: one line an event, each holding the hash of the line before.
//!
//! An event is in force when it is in `releases/ledger.ndjson`, and only then:
//!
//! 1. its folder is written, flushed and read back as `releases/.staging-<id>`;
//! 2. the ledger with its line is flushed as `.ledger-<id>`, and renamed to `ledger.ndjson`;
//! 3. the folder is renamed to `releases/<id>`.
//!
//! So nothing can be sent that the ledger does not know. The next holder of the lock removes what 1 left, or does 3 if 2
//! was reached. The chain shows a line that was changed, taken out or put in; that lines are missing at the end shows
//! by the folders that no line names, and by the head that every command prints.

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::publish::{Draft, Lock, sha256, whole};
use crate::receipt::Output;
use crate::storage::{EntryKind, Storage};

/// The folder of all releases and withdrawals.
pub const RELEASES: &str = "releases";

/// The ledger's name in it.
pub const LEDGER: &str = "ledger.ndjson";

const STAGING: &str = ".staging-";
const REPLACEMENT: &str = ".ledger-";

/// What stands before the first line.
const NOTHING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// From 1, without a gap.
    pub sequence: u64,
    /// The event's folder.
    pub id: String,
    /// As given with the command; never before that of the line above.
    pub on: Date,
    pub by: String,
    pub event: Event,
    /// All that was sent: the files below `to/`.
    pub files: Vec<Sent>,
    /// Of `release.json` or `withdrawal.json`.
    pub page_sha256: String,
    /// SHA-256 of the line before, without its line end.
    pub previous: String,
    /// SHA-256 of this line with an empty `hash`.
    pub hash: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    Release(Release),
    Withdrawal(Withdrawal),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    pub run: String,
    pub key_id: String,
    /// What the release was made from: the same again is no second release.
    pub made_from: String,
    pub lists: Vec<ListSent>,
    /// People on the run's lists whose recipient is not recorded: they were sent to nobody.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub without_recipient: u64,
}

/// People of one list, counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListSent {
    pub cohort: String,
    pub recipient: String,
    pub listed: u64,
    pub reserve: u64,
    pub removed: u64,
    /// The last day on which the list holds, where it is limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Date>,
}

/// For lines that say nothing of it, as those of earlier versions.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    pub release: String,
    pub recipients: Vec<String>,
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    pub path: String,
    pub sha256: String,
}

impl Event {
    /// The page of the event's folder.
    pub fn page(&self) -> &'static str {
        match self {
            Self::Release(_) => "release.json",
            Self::Withdrawal(_) => "withdrawal.json",
        }
    }
}

/// `<sequence>_<12 hex digits>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventId(String);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The events so far, their chain checked.
#[derive(Debug)]
pub struct Ledger {
    folder: PathBuf,
    entries: Vec<Entry>,
    text: String,
}

impl Ledger {
    /// Reads the ledger of an output folder; none is an empty one. A chain that is broken is an error.
    pub fn read(storage: &dyn Storage, out: &Path) -> Result<Self> {
        let folder = out.join(RELEASES);
        let path = folder.join(LEDGER);
        let bytes = match storage.read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(Error::storage("cannot read", &path, &error)),
        };
        let broken = |why: String| {
            let path = path.display();
            Error::Check(format!(
                "{path}: {why}: the ledger was changed after it was written; nothing is done before someone has found out why"
            ))
        };
        let text = String::from_utf8(bytes).map_err(|_| broken("it is not text".to_owned()))?;
        let mut entries: Vec<Entry> = Vec::new();
        let mut previous = NOTHING.to_owned();
        for (line, number) in text.split_inclusive('\n').zip(1_u64..) {
            let at = |why: &str| broken(format!("line {number} {why}"));
            let line = line.strip_suffix('\n').ok_or_else(|| at("is cut short"))?;
            let entry: Entry = serde_json::from_str(line).map_err(|_| at("is no entry of this version"))?;
            let on_time = entries.last().is_none_or(|before| before.on <= entry.on);
            if entry.sequence != number || entry.previous != previous || !on_time {
                return Err(at("does not follow the one before"));
            }
            if entry.hash != entry.own_hash()? || entry.line()? != line {
                return Err(at("does not have the hash that it states"));
            }
            previous = sha256(line.as_bytes());
            entries.push(entry);
        }
        Ok(Self { folder, entries, text })
    }

    /// Reads the ledger for someone who holds the lock, and first ends what an interrupted command began.
    pub fn open(storage: &dyn Storage, lock: &Lock) -> Result<Self> {
        let ledger = Self::read(storage, lock.out())?;
        match storage.create_dir(&ledger.folder) {
            Ok(()) => whole::sync_dir(storage, lock.out())?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::storage("cannot make", &ledger.folder, &error)),
        }
        for name in whole::names(storage, &ledger.folder, EntryKind::File, REPLACEMENT)? {
            let path = ledger.folder.join(name);
            storage.remove_file(&path).map_err(|error| Error::storage("cannot remove", &path, &error))?;
        }
        for name in whole::names(storage, &ledger.folder, EntryKind::Folder, STAGING)? {
            let staging = ledger.folder.join(&name);
            match ledger.entries.last().filter(|entry| name.strip_prefix(STAGING) == Some(&entry.id)) {
                Some(entry) => {
                    tracing::warn!(event = entry.id, "naming the folder of an event that was interrupted");
                    ledger.name(storage, &entry.id)?;
                }
                None => {
                    tracing::warn!(folder = %staging.display(), "removing what an interrupted command left");
                    storage
                        .remove_dir_all(&staging)
                        .map_err(|error| Error::storage("cannot remove", &staging, &error))?;
                }
            }
        }
        Ok(ledger)
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// SHA-256 of the last line: who notes it elsewhere can tell later whether lines are missing.
    pub fn head(&self) -> String {
        self.text.lines().last().map_or_else(|| NOTHING.to_owned(), |line| sha256(line.as_bytes()))
    }

    /// Events before this date; their last line's SHA-256 and their length in bytes, if there are any.
    pub fn before(&self, date: Date) -> (&[Entry], Option<(String, u64)>) {
        let count = self.entries.partition_point(|entry| entry.on < date);
        let lines: Vec<&str> = self.text.lines().take(count).collect();
        let bytes = lines.iter().map(|line| line.len() as u64 + 1).sum();
        let head = lines.last().map(|line| (sha256(line.as_bytes()), bytes));
        (self.entries.get(..count).unwrap_or_default(), head)
    }

    /// Where an event's files are, though its command was interrupted before it had named them.
    pub fn folder_of(&self, storage: &dyn Storage, entry: &Entry) -> PathBuf {
        let named = self.folder.join(&entry.id);
        match storage.list(&named) {
            Err(error) if error.kind() == ErrorKind::NotFound => self.folder.join(format!("{STAGING}{}", entry.id)),
            _ => named,
        }
    }

    /// An event may not be dated before the last one.
    pub fn must_follow(&self, on: Date) -> Result<()> {
        match self.entries.last().filter(|last| on < last.on) {
            Some(last) => {
                Err(Error::Usage(format!("{on} is before {}, the date of {}, the last event", last.on, last.id)))
            }
            None => Ok(()),
        }
    }

    /// The id that an event made from `made_from` will have.
    pub fn next_id(&self, made_from: &str) -> EventId {
        let hash = sha256(format!("{}\n{made_from}", self.head()).as_bytes());
        EventId(format!("{:04}_{}", self.entries.len() + 1, hash.get(..12).unwrap_or_default()))
    }

    /// Puts an event in force, with its folder: all of it or nothing. The draft's files and this page make the folder.
    pub fn append(
        &mut self,
        storage: &dyn Storage,
        id: &EventId,
        (on, by, event): (Date, &str, Event),
        draft: &Draft,
        page: &[u8],
    ) -> Result<&Entry> {
        let sent = draft.outputs().into_iter().filter(|output| output.path.starts_with("to/"));
        let mut entry = Entry {
            sequence: self.entries.len() as u64 + 1,
            id: id.to_string(),
            on,
            by: by.to_owned(),
            files: sent.map(|Output { path, sha256, .. }| Sent { path, sha256 }).collect(),
            page_sha256: sha256(page),
            event,
            previous: self.head(),
            hash: String::new(),
        };
        entry.hash = entry.own_hash()?;
        let staging = self.folder.join(format!("{STAGING}{id}"));
        whole::write_beside(storage, &staging, draft, (entry.event.page(), page))?;
        whole::sync_dir(storage, &self.folder)?;
        let text = format!("{}{}\n", self.text, entry.line()?);
        let replacement = self.folder.join(format!("{REPLACEMENT}{id}"));
        whole::write_new(storage, &replacement, text.as_bytes())?;
        let path = self.folder.join(LEDGER);
        storage.rename(&replacement, &path).map_err(|error| Error::storage("cannot replace", &path, &error))?;
        whole::sync_dir(storage, &self.folder)?;
        self.text = text;
        self.entries.push(entry);
        self.name(storage, &id.0)?;
        self.entries.last().ok_or_else(|| Error::Fault("an event was lost".to_owned()))
    }

    /// The folder of an event gets its name.
    fn name(&self, storage: &dyn Storage, id: &str) -> Result<()> {
        let (staging, folder) = (self.folder.join(format!("{STAGING}{id}")), self.folder.join(id));
        storage.rename(&staging, &folder).map_err(|error| Error::storage("cannot name", &folder, &error))?;
        whole::sync_dir(storage, &self.folder)
    }

    /// Folders that stand beside those of the events.
    pub(super) fn strangers(&self, storage: &dyn Storage) -> Result<Vec<String>> {
        let names = match storage.list(&self.folder) {
            Ok(entries) => entries.into_iter().map(|entry| entry.name),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::storage("cannot list", &self.folder, &error)),
        };
        let known = |name: &String| *name == LEDGER || self.entries.iter().any(|entry| entry.id == *name);
        Ok(names.filter(|name| !name.starts_with('.') && !known(name)).collect())
    }
}

impl Entry {
    fn own_hash(&self) -> Result<String> {
        Ok(sha256(Self { hash: String::new(), ..self.clone() }.line()?.as_bytes()))
    }

    fn line(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|_| Error::Fault("an event cannot be written".to_owned()))
    }
}
