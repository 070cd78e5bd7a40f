//! The namespace of named objects: all plat processes of a user have it together; names are compared without regard to
//! case.
//!
//! A name is an abstract socket that listens, and every process that has the object has that very socket: as long as one
//! of them lives, however the others ended, it answers who asks for the name with the object's descriptors, the socket's
//! among them. When the last one is gone the kernel forgets the name; there is nothing to clean up.
//!
//! Key types: [`Names`], [`LeaseCell`] (an object's part in keeping its name).

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, OnceLock, Weak};

use plat_host::pipe::{self, Form, Listener};
use plat_host::service::{self, Interest, Ticket};

use super::control::{MESSAGE_MAX, Passed};
use super::inherit;
use super::object::{Object, ObjectKind, ObjectRef, downcast};
use super::object_directory;
use super::path::lock;
use super::start_record::HandleRecord;
use crate::NtStatus;
use crate::logic::object_name;
use crate::logic::record::{Reader, Writer};
use crate::process::Process;

/// How often to look again for a name that somebody has and nobody answers for yet, and how long to wait between.
const ATTEMPTS: u32 = 2_000;
const ATTEMPT_NANOSECONDS: u64 = 1_000_000;

/// What keeps an object's name: empty for one without.
#[derive(Debug, Default)]
pub struct LeaseCell(OnceLock<Lease>);

#[derive(Debug)]
struct Lease {
    /// The name's key with the capitals that it was made with.
    spelled: Vec<u16>,
    listener: Arc<Listener>,
    ticket: Mutex<Option<Ticket>>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(ticket) = lock(&self.ticket).take() {
            service::cancel(ticket);
        }
    }
}

impl LeaseCell {
    /// Returns the name and its socket's two descriptors.
    pub fn parts(&self) -> Option<(&[u16], [std::os::fd::BorrowedFd<'_>; 2])> {
        self.0.get().map(|lease| (lease.spelled.as_slice(), lease.listener.parts()))
    }
}

/// The named objects that this process has.
#[derive(Default)]
pub struct Names {
    objects: Mutex<Known>,
}

type Known = HashMap<Vec<u16>, Weak<dyn Object>>;

impl Names {
    /// Returns the object of this name, or makes one; says whether it existed.
    ///
    /// # Errors
    /// `OBJECT_TYPE_MISMATCH` when the name belongs to an object of another kind, `OBJECT_PATH_NOT_FOUND` for a name in a
    /// directory that there is not, and `make`'s own.
    pub fn open_or_create<T: Object>(
        &self,
        process: &Process,
        name: &[u16],
        make: impl FnOnce() -> Result<Arc<T>, NtStatus>,
    ) -> Result<(Arc<T>, bool), NtStatus> {
        self.open_or_create_at(process, &key_of_win32(name), make)
    }

    /// As [`Names::open_or_create`], by the key as [`object_name::spelled`] gives it; an empty one is no name.
    ///
    /// # Errors
    /// As there.
    pub fn open_or_create_at<T: Object>(
        &self,
        process: &Process,
        spelled: &[u16],
        make: impl FnOnce() -> Result<Arc<T>, NtStatus>,
    ) -> Result<(Arc<T>, bool), NtStatus> {
        if spelled.is_empty() {
            return Ok((make()?, false));
        }
        let key = &object_name::upcase(spelled)[..];
        let mut known = lock(&self.objects);
        check_directory(&mut known, process, key)?;
        for _ in 0..ATTEMPTS {
            if let Some(found) = find(&mut known, process, key)? {
                return downcast(found).map(|object| (object, true)).ok_or(NtStatus::OBJECT_TYPE_MISMATCH);
            }
            match Listener::bind_shared(&socket_name(key), Form::Messages) {
                Err(errno) if is_taken(errno) => plat_host::thread::sleep(ATTEMPT_NANOSECONDS),
                // Where there are no such sockets, names are this process's.
                listener => {
                    let object = make()?;
                    keep(&mut known, object.clone(), spelled.to_vec(), listener.ok());
                    return Ok((object, false));
                }
            }
        }
        Err(NtStatus::TIMEOUT)
    }

    /// Returns the object of this name.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND` when there is none, `OBJECT_TYPE_MISMATCH` when it is of another kind.
    pub fn open<T: Object>(&self, process: &Process, name: &[u16]) -> Result<Arc<T>, NtStatus> {
        self.open_at(process, &object_name::upcase(&key_of_win32(name)))
    }

    /// As [`Names::open`], by the key of [`object_name::key`].
    ///
    /// # Errors
    /// As there, and `OBJECT_PATH_NOT_FOUND`.
    pub fn open_at<T: Object>(&self, process: &Process, key: &[u16]) -> Result<Arc<T>, NtStatus> {
        let mut known = lock(&self.objects);
        let found = find(&mut known, process, key)?;
        if found.is_none() {
            check_directory(&mut known, process, key)?;
        }
        downcast(found.ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?).ok_or(NtStatus::OBJECT_TYPE_MISMATCH)
    }

    /// Finds the object of a key, of whatever kind.
    ///
    /// # Errors
    /// What making it of another process' answer says.
    pub fn find_any(&self, process: &Process, key: &[u16]) -> Result<Option<ObjectRef>, NtStatus> {
        find(&mut lock(&self.objects), process, key)
    }

    /// Returns the keys that processes of this user have now; very long ones are not among them.
    pub fn known_keys(&self) -> Vec<Vec<u16>> {
        let names = pipe::listening_names(SOCKET_PREFIX);
        names.iter().map(|name| name.encode_utf16().collect()).collect()
    }

    /// Takes over an object that came from another process with its name; returns the one that this process has of
    /// that name already, if any.
    pub fn adopt(&self, object: ObjectRef, key: Vec<u16>, listener: Listener) -> ObjectRef {
        adopt(&mut lock(&self.objects), object, key, listener)
    }
}

fn is_taken(errno: plat_host::file_path::Errno) -> bool {
    NtStatus::from_errno(errno.0) == NtStatus::from_errno(ADDRESS_IN_USE)
}

/// `EADDRINUSE`.
const ADDRESS_IN_USE: i32 = 98;

/// Finds an object in this process, or asks those who have its name.
fn find(known: &mut Known, process: &Process, key: &[u16]) -> Result<Option<ObjectRef>, NtStatus> {
    if let Some(found) = known.get(key).and_then(Weak::upgrade) {
        return Ok(Some(found));
    }
    let Some((answer, descriptors)) = ask(&socket_name(key)) else { return Ok(None) };
    let mut reader = Reader::new(&answer);
    let record = HandleRecord::decode(&mut reader)?;
    let mut passed = Passed::read(&mut reader, descriptors)?;
    let object = inherit::object_of(process, &record.object, &mut passed)?;
    match inherit::name_of(&record, &mut passed) {
        Some((named, listener)) if object_name::upcase(&named) == key => {
            Ok(Some(adopt(known, object, named, listener)))
        }
        // A name so long that its socket has another one's, or one of an object that has lost its name.
        _ => Ok(None),
    }
}

/// Asks for a name until somebody answers or nobody has it any more.
///
/// Who ends just after it took the question leaves it without an answer: others may have the name, so it is asked again.
fn ask(socket: &str) -> Option<(Vec<u8>, Vec<OwnedFd>)> {
    for _ in 0..ATTEMPTS {
        let file = pipe::connect_for_messages(socket).ok()?;
        match pipe::receive_with(&file, MESSAGE_MAX) {
            Ok((answer, descriptors)) if !answer.is_empty() => return Some((answer, descriptors)),
            _ => plat_host::thread::sleep(ATTEMPT_NANOSECONDS),
        }
    }
    None
}

fn adopt(known: &mut Known, object: ObjectRef, spelled: Vec<u16>, listener: Listener) -> ObjectRef {
    let key = object_name::upcase(&spelled);
    if let Some(found) = known.get(&key).and_then(Weak::upgrade).filter(|found| found.kind() == object.kind())
    {
        return found;
    }
    keep(known, Arc::clone(&object), spelled, Some(listener));
    object
}

/// Notes an object under a name and begins to answer for it.
fn keep(known: &mut Known, object: ObjectRef, spelled: Vec<u16>, listener: Option<Listener>) {
    known.retain(|_, object| object.strong_count() > 0);
    let weak = Arc::downgrade(&object);
    known.insert(object_name::upcase(&spelled), Weak::clone(&weak));
    let (Some(cell), Some(listener)) = (object.lease(), listener.map(Arc::new)) else { return };
    let lease = Lease { spelled, listener: Arc::clone(&listener), ticket: Mutex::default() };
    if cell.0.set(lease).is_ok() {
        listen(weak, listener);
    }
}

/// Answers the next one who asks, and so on as long as the object is there.
fn listen(object: Weak<dyn Object>, listener: Arc<Listener>) {
    let Some(strong) = object.upgrade() else { return };
    let Some(lease) = strong.lease().and_then(|cell| cell.0.get()) else { return };
    let mut ticket = lock(&lease.ticket);
    let own = Arc::clone(&listener);
    let then = move || {
        // Another process that has the object may have been faster.
        if let (Ok(file), Some(strong)) = (own.accept(), object.upgrade()) {
            answer(&strong, &file);
        }
        listen(object, own);
    };
    *ticket = service::when_ready(std::os::fd::AsFd::as_fd(&*listener), Interest::Read, then).ok();
}

fn answer(object: &ObjectRef, file: &plat_host::file::File) {
    let mut given = Vec::new();
    let Some(record) = inherit::record(object, &mut given) else { return };
    let mut body = Writer::default();
    record.encode(&mut body);
    Passed::write(&mut body, &given);
    let given: Vec<_> = given.iter().map(std::os::fd::AsFd::as_fd).collect();
    // Who asked and went away need not know.
    let _ = pipe::send_with(file, &body.finish(), &given);
}

const SOCKET_PREFIX: &str = "object/";

fn socket_name(key: &[u16]) -> String {
    format!("{SOCKET_PREFIX}{}", String::from_utf16_lossy(key))
}

/// Checks that the directory of a name is one.
fn check_directory(known: &mut Known, process: &Process, key: &[u16]) -> Result<(), NtStatus> {
    let path = object_directory::path_of_key(key);
    let Some(directory) = object_name::parent(&path) else { return Ok(()) };
    if object_name::system_kind(directory) == Some(object_name::DIRECTORY) {
        return Ok(());
    }
    match find(known, process, &object_name::key(directory))? {
        Some(found) if found.kind() == ObjectKind::ObjectDirectory => Ok(()),
        _ => Err(NtStatus::OBJECT_PATH_NOT_FOUND),
    }
}

/// `Local\` is where names without a prefix live; `Global\` is another place.
fn key_of_win32(name: &[u16]) -> Vec<u16> {
    if name.is_empty() {
        return Vec::new();
    }
    object_name::canonical(&object_name::of_win32(name))
        .map(|path| object_name::spelled(&path))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_without_an_answer_is_asked_again() {
        let name = format!("object/A QUESTION {}", std::process::id());
        let listener = Listener::bind_shared(&name, Form::Messages).expect("nobody has the name");
        let asked = std::thread::spawn({
            let name = name.clone();
            move || ask(&name)
        });
        let mut questions = 0;
        while questions < 3 {
            match listener.accept() {
                Ok(_who_ends_here) => questions += 1,
                Err(_nobody_asked) => std::thread::yield_now(),
            }
        }
        let answered = loop {
            match listener.accept() {
                Ok(file) => break file,
                Err(_nobody_asked) => std::thread::yield_now(),
            }
        };
        pipe::send_with(&answered, b"an answer", &[]).expect("it waits");
        let (answer, _) = asked.join().expect("it ends").expect("somebody answered");
        assert_eq!(answer, b"an answer");
        drop(listener);
        assert!(ask(&name).is_none(), "the name is gone");
    }
}
