//! Directories of named objects, and links between names.
//!
//! Both live as all named objects do ([`super::names`]): as long as a process has a handle.

use super::names::{LeaseCell, Names};
use super::object::{Object, ObjectKind, ObjectRef};
use crate::NtStatus;
use crate::logic::object_name;
use crate::process::Process;

/// A directory of named objects.
#[derive(Debug)]
pub struct ObjectDirectory {
    path: Vec<u16>,
    lease: LeaseCell,
}

impl ObjectDirectory {
    /// Makes the directory of a canonical path.
    pub fn new(path: Vec<u16>) -> Self {
        Self { path, lease: LeaseCell::default() }
    }

    /// Returns its path.
    pub fn path(&self) -> &[u16] {
        &self.path
    }
}

impl Object for ObjectDirectory {
    fn kind(&self) -> ObjectKind {
        ObjectKind::ObjectDirectory
    }
    fn lease(&self) -> Option<&LeaseCell> {
        Some(&self.lease)
    }
}

/// A name that leads to another.
#[derive(Debug)]
pub struct ObjectLink {
    target: Vec<u16>,
    lease: LeaseCell,
}

impl ObjectLink {
    /// Makes a link to a path.
    pub fn new(target: Vec<u16>) -> Self {
        Self { target, lease: LeaseCell::default() }
    }

    /// Returns where it leads, as it was given.
    pub fn target(&self) -> &[u16] {
        &self.target
    }
}

impl Object for ObjectLink {
    fn kind(&self) -> ObjectKind {
        ObjectKind::ObjectLink
    }
    fn lease(&self) -> Option<&LeaseCell> {
        Some(&self.lease)
    }
}

/// Returns the name of an object's type, as `NtQueryObject` tells it.
pub fn type_name(object: &ObjectRef) -> &'static str {
    match object.kind() {
        ObjectKind::CompletionPort => "IoCompletion",
        ObjectKind::Job => "Job",
        ObjectKind::Section => "Section",
        ObjectKind::Event | ObjectKind::MemoryNotice => "Event",
        ObjectKind::KeyedEvent => "KeyedEvent",
        ObjectKind::PowerRequest => "PowerRequest",
        ObjectKind::Mutant => "Mutant",
        ObjectKind::Semaphore => "Semaphore",
        ObjectKind::Timer => "Timer",
        ObjectKind::Process => "Process",
        ObjectKind::Thread => "Thread",
        ObjectKind::Key => "Key",
        ObjectKind::Token => "Token",
        ObjectKind::ObjectDirectory => object_name::DIRECTORY,
        ObjectKind::ObjectLink => object_name::LINK,
        ObjectKind::File
        | ObjectKind::Directory
        | ObjectKind::Find
        | ObjectKind::Snapshot
        | ObjectKind::PseudoConsole
        | ObjectKind::Policy
        | ObjectKind::EventLog
        | ObjectKind::ChangeNotification
        | ObjectKind::ResourceUpdate => "File",
    }
}

impl Names {
    /// Lists a directory: names with their types, in order.
    ///
    /// # Errors
    /// What looking for the names' objects answers.
    pub fn list(&self, process: &Process, directory: &[u16]) -> Result<Vec<(Vec<u16>, String)>, NtStatus> {
        let inside = |path: &[u16]| {
            let is_here = object_name::parent(path).is_some_and(|parent| same(parent, directory));
            is_here.then(|| {
                path[path.iter().rposition(|&unit| unit == SEPARATOR).map_or(0, |at| at + 1)..].to_vec()
            })
        };
        let mut found: Vec<(Vec<u16>, String)> = Vec::new();
        for (path, kind) in object_name::SYSTEM {
            let path: Vec<u16> = path.encode_utf16().collect();
            found.extend(inside(&path).map(|name| (name, (*kind).to_owned())));
        }
        for key in self.known_keys() {
            if inside(&path_of_key(&key)).is_none() {
                continue;
            }
            let Ok(Some(object)) = self.find_any(process, &key) else { continue };
            let spelled = object.lease().and_then(LeaseCell::parts).map(|(spelled, _)| path_of_key(spelled));
            let name = spelled.and_then(|path| inside(&path));
            found.extend(name.map(|name| (name, type_name(&object).to_owned())));
        }
        found.sort();
        found.dedup();
        Ok(found)
    }
}

const SEPARATOR: u16 = b'\\' as u16;

fn same(a: &[u16], b: &[u16]) -> bool {
    object_name::key(a) == object_name::key(b)
}

/// Returns the path that a key stands for.
pub fn path_of_key(key: &[u16]) -> Vec<u16> {
    let global: Vec<u16> = r"GLOBAL\".encode_utf16().collect();
    let wide = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
    match key {
        [SEPARATOR, ..] => key.to_vec(),
        _ => match key.strip_prefix(global.as_slice()) {
            Some(rest) => object_name::child(&wide(object_name::GLOBAL_DIRECTORY), rest),
            None => object_name::child(&wide(object_name::SESSION_DIRECTORY), key),
        },
    }
}
