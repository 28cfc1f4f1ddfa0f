//! Disks that fail, stop, lie or lose power.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Component, Path};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use riskstrat::storage::{Entry, EntryKind, Storage};

/// How the n-th call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Nothing was done.
    Before,
    /// All was done, but an error came back.
    After,
    /// Half of the bytes were written; other calls fail before.
    Torn,
}

/// A disk of which the n-th call fails, and with `stops` every later one too.
pub struct Faulty<'a> {
    pub inner: &'a dyn Storage,
    pub fails_at: usize,
    pub failure: Failure,
    pub stops: bool,
    pub calls: AtomicUsize,
}

impl Faulty<'_> {
    fn call<T>(&self, torn: impl FnOnce(), whole: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let error = || Err(io::Error::from(ErrorKind::StorageFull));
        if call > self.fails_at && self.stops {
            return error();
        }
        if call != self.fails_at {
            return whole();
        }
        match self.failure {
            Failure::Before => {}
            Failure::After => drop(whole()),
            Failure::Torn => torn(),
        }
        error()
    }
}

impl Storage for Faulty<'_> {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.call(|| {}, || self.inner.create_dir(path))
    }

    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let half = &bytes[..bytes.len() / 2];
        self.call(|| drop(self.inner.write_new(path, half)), || self.inner.write_new(path, bytes))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.call(|| {}, || self.inner.sync_dir(path))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.call(|| {}, || self.inner.read(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(|| {}, || self.inner.rename(from, to))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.call(|| {}, || self.inner.remove_file(path))
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.call(|| {}, || self.inner.remove_dir_all(path))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.call(|| {}, || self.inner.list(path))
    }
}

/// A file system in memory that knows which names would outlive a power cut.
pub struct Memory(Mutex<Vec<Node>>);

enum Node {
    File(Vec<u8>),
    Folder { names: BTreeMap<String, usize>, lasting: BTreeMap<String, usize> },
}

impl Node {
    fn folder() -> Self {
        Self::Folder { names: BTreeMap::new(), lasting: BTreeMap::new() }
    }

    fn names(&mut self) -> io::Result<&mut BTreeMap<String, usize>> {
        match self {
            Self::Folder { names, .. } => Ok(names),
            Self::File(_) => Err(ErrorKind::NotADirectory.into()),
        }
    }
}

impl Memory {
    /// With this folder, which lasts.
    pub fn with(folder: &Path) -> Self {
        let memory = Self(Mutex::new(vec![Node::folder()]));
        for folder in folder.ancestors().collect::<Vec<_>>().into_iter().rev().skip(1) {
            memory.create_dir(folder).unwrap();
        }
        memory.power_cut(|_| true);
        memory
    }

    /// Every folder is as it was when last flushed, unless its latest names happened to reach the disk.
    pub fn power_cut(&self, mut happens_to_last: impl FnMut(usize) -> bool) {
        for (number, node) in self.0.lock().unwrap().iter_mut().enumerate() {
            if let Node::Folder { names, lasting } = node {
                if happens_to_last(number) {
                    lasting.clone_from(names);
                } else {
                    names.clone_from(lasting);
                }
            }
        }
    }

    /// Runs `change` on the nodes, the number of the parent folder, and the last name of the path.
    fn at<T>(&self, path: &Path, change: impl FnOnce(&mut Vec<Node>, usize, &str) -> io::Result<T>) -> io::Result<T> {
        let mut nodes = self.0.lock().unwrap();
        let parent = find(&mut nodes, path.parent().unwrap())?;
        change(&mut nodes, parent, path.file_name().unwrap().to_str().unwrap())
    }

    fn add(&self, path: &Path, node: Node) -> io::Result<()> {
        self.at(path, |nodes, parent, name| {
            let number = nodes.len();
            let names = nodes[parent].names()?;
            if names.contains_key(name) {
                return Err(ErrorKind::AlreadyExists.into());
            }
            names.insert(name.to_owned(), number);
            nodes.push(node);
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<usize> {
        self.at(path, |nodes, parent, name| nodes[parent].names()?.remove(name).ok_or(ErrorKind::NotFound.into()))
    }
}

fn find(nodes: &mut [Node], path: &Path) -> io::Result<usize> {
    let mut number = 0;
    for part in path.components() {
        if let Component::Normal(name) = part {
            let names = nodes[number].names()?;
            number = *names.get(name.to_str().unwrap()).ok_or(ErrorKind::NotFound)?;
        }
    }
    Ok(number)
}

impl Storage for Memory {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        self.add(path, Node::folder())
    }

    fn write_new(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.add(path, Node::File(bytes.to_vec()))
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut nodes = self.0.lock().unwrap();
        let number = find(&mut nodes, path)?;
        match &mut nodes[number] {
            Node::Folder { names, lasting } => lasting.clone_from(names),
            Node::File(_) => return Err(ErrorKind::NotADirectory.into()),
        }
        Ok(())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut nodes = self.0.lock().unwrap();
        let number = find(&mut nodes, path)?;
        match &nodes[number] {
            Node::File(bytes) => Ok(bytes.clone()),
            Node::Folder { .. } => Err(ErrorKind::IsADirectory.into()),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        assert_eq!(from.parent(), to.parent(), "only a rename within one folder is one step");
        self.at(from, |nodes, parent, name| {
            let to = to.file_name().unwrap().to_str().unwrap();
            let number = *nodes[parent].names()?.get(name).ok_or(ErrorKind::NotFound)?;
            let replaced = nodes[parent].names()?.get(to).copied();
            if replaced.is_some_and(|replaced| matches!(nodes[replaced], Node::Folder { .. })) {
                return Err(ErrorKind::DirectoryNotEmpty.into());
            }
            let names = nodes[parent].names()?;
            names.remove(name);
            names.insert(to.to_owned(), number);
            Ok(())
        })
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.remove(path).map(drop)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        self.remove(path).map(drop)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let mut nodes = self.0.lock().unwrap();
        let number = find(&mut nodes, path)?;
        let names = nodes[number].names()?.clone();
        let kind = |number: usize| match &nodes[number] {
            Node::File(_) => EntryKind::File,
            Node::Folder { .. } => EntryKind::Folder,
        };
        Ok(names.into_iter().map(|(name, number)| Entry { name, kind: kind(number) }).collect())
    }
}
