//! Names at which named pipes are served: who connects is given an instance that is free, in whatever process it is.
//!
//! All processes that serve a name listen at one socket. Who accepts a client and has no instance for him hands him over to
//! a process that has one, as their table tells ([`PipeTable`]). A listening instance that several processes have is given a
//! client where somebody waits for one; until then he is kept waiting.
//!
//! Key types: [`PipeNames`] (the names that this process serves), [`PipeName`].

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, Weak};

use plat_host::file::File;
use plat_host::file_path::Errno;
use plat_host::pipe::{self, Form, Listener};
use plat_host::service::{self, Interest, Ticket};

use super::control::{self, MESSAGE_MAX, Passed, Wish};
use super::file::FileObject;
use super::path::{lock, status_of};
use super::pipe::{ASK, BUSY, CONNECT, PipeEnd, PipeTraits, SERVE, State, YES, ask, object, socket_name};
use super::pipe_record::PipeRecord;
use super::pipe_table::{Counts, PipeTable};
use crate::NtStatus;
use crate::logic::nls::case::upcase_string;
use crate::logic::record::{Reader, Writer};
use crate::process::Process;

/// A name that this process serves.
pub struct PipeName {
    /// As it was first spelled.
    pub text: Vec<u16>,
    /// The socket that clients connect to.
    pub listener: Listener,
    /// How the first instance was made.
    pub traits: PipeTraits,
    instances: Mutex<Vec<Weak<FileObject>>>,
    /// Instances that count against the most.
    pub count: AtomicU32,
    /// The service's wish: it keeps the socket open as long as it is not taken back.
    ticket: Mutex<Option<Ticket>>,
    /// The processes that serve the name, once there is more than this one.
    table: OnceLock<PipeTable>,
    changes: AtomicU64,
}

impl Drop for PipeName {
    fn drop(&mut self) {
        if let Some(ticket) = lock(&self.ticket).take() {
            service::cancel(ticket);
        }
    }
}

/// The names that this process serves.
#[derive(Default)]
pub struct PipeNames {
    names: Mutex<HashMap<Vec<u16>, Weak<PipeName>>>,
}

fn form_of(messages: bool) -> Form {
    if messages { Form::Messages } else { Form::Bytes }
}

/// `EADDRINUSE`.
const ADDRESS_IN_USE: Errno = Errno(98);

impl PipeNames {
    /// Makes an instance of a named pipe.
    ///
    /// # Errors
    /// `INSTANCE_NOT_AVAILABLE` beyond the limit, `ACCESS_DENIED` when the first instance is wanted and there is one, or
    /// the pipe has another form.
    pub fn create(
        &self,
        name: &[u16],
        traits: PipeTraits,
        overlapped: bool,
        is_first: bool,
    ) -> Result<Arc<FileObject>, NtStatus> {
        let (served, is_new) = self.serve(name, traits, is_first)?;
        if is_first && !is_new {
            return Err(NtStatus::ACCESS_DENIED);
        }
        if served.traits.messages != traits.messages || served.traits.access != traits.access {
            return Err(NtStatus::ACCESS_DENIED);
        }
        let most = served.traits.instances_max;
        if most < 255 && served.all_instances() >= most {
            return Err(NtStatus::INSTANCE_NOT_AVAILABLE);
        }
        let end = PipeEnd::new(traits, true, State::Listening, Some(Arc::clone(&served)), true);
        let instance = Arc::new(object(super::pipe::placeholder()?, overlapped, end));
        served.add(&instance);
        Ok(instance)
    }

    /// Returns a name that this process serves from now on, and whether it is the first to do so.
    fn serve(
        &self,
        name: &[u16],
        traits: PipeTraits,
        is_first: bool,
    ) -> Result<(Arc<PipeName>, bool), NtStatus> {
        const ATTEMPTS: u32 = 100;
        for _ in 0..ATTEMPTS {
            let key = upcase_string(name);
            let mut names = lock(&self.names);
            if let Some(served) = names.get(&key).and_then(Weak::upgrade) {
                return Ok((served, false));
            }
            match Listener::bind_shared(&socket_name(name), form_of(traits.messages)) {
                Ok(listener) => {
                    let served = PipeName::new(name.to_vec(), listener, traits, None);
                    names.insert(key, Arc::downgrade(&served));
                    listen(&served)?;
                    return Ok((served, true));
                }
                Err(ADDRESS_IN_USE) if !is_first => drop(names),
                Err(_) => return Err(NtStatus::ACCESS_DENIED),
            }
            // Nobody is asked under the lock. Who served the name may be gone now.
            if let Some((mut passed, record)) = ask_to_serve(name)? {
                return Ok((self.adopt(&record, &mut passed)?, false));
            }
            plat_host::thread::sleep(1_000_000);
        }
        Err(NtStatus::ACCESS_DENIED)
    }

    /// Serves the name of an instance that another process has, or had, together with that process.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when the descriptors are not there.
    pub fn adopt(&self, record: &PipeRecord, from: &mut Passed) -> Result<Arc<PipeName>, NtStatus> {
        let mut take = |number: i32| -> Result<OwnedFd, NtStatus> {
            super::inherit::Descriptors::take(from, number).ok_or(NtStatus::INVALID_HANDLE)
        };
        self.adopt_parts(record, &mut take)
    }

    /// As [`PipeNames::adopt`], with descriptors from wherever they come.
    ///
    /// # Errors
    /// As there.
    pub fn adopt_parts(
        &self,
        record: &PipeRecord,
        take: &mut dyn FnMut(i32) -> Result<OwnedFd, NtStatus>,
    ) -> Result<Arc<PipeName>, NtStatus> {
        let [socket, other, table] = record.descriptors;
        let (socket, other, table) = (take(socket)?, take(other)?, take(table)?);
        let mut names = lock(&self.names);
        let key = upcase_string(&record.name);
        if let Some(served) = names.get(&key).and_then(Weak::upgrade) {
            return Ok(served);
        }
        let table = PipeTable::join(table)?;
        let listener = Listener::from_parts(socket, other);
        let served = PipeName::new(record.name.clone(), listener, record.traits, Some(table));
        names.insert(key, Arc::downgrade(&served));
        listen(&served)?;
        Ok(served)
    }

    /// Takes over a client whom another process has no instance for.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND` when the name is not served here any more; `INVALID_PARAMETER` for a damaged request.
    pub fn take_over(&self, reader: &mut Reader<'_>, client: Option<OwnedFd>) -> Result<(), NtStatus> {
        let (name, hops) = (reader.wide()?, reader.u32()?);
        let client = Arc::new(File::from(client.ok_or(NtStatus::INVALID_HANDLE)?));
        let served = lock(&self.names).get(&upcase_string(&name)).and_then(Weak::upgrade);
        settle(&served.ok_or(NtStatus::OBJECT_NAME_NOT_FOUND)?, &client, CONNECT, hops);
        Ok(())
    }
}

/// Asks a process that serves a name to let this one serve it, too; nothing when nobody answers.
fn ask_to_serve(name: &[u16]) -> Result<Option<(Passed, PipeRecord)>, NtStatus> {
    let Ok((file, _)) = pipe::connect(&socket_name(name)) else { return Ok(None) };
    if pipe::send_now(&file, &[SERVE]).is_err() {
        return Ok(None);
    }
    let Ok((answer, descriptors)) = pipe::receive_with(&file, MESSAGE_MAX) else { return Ok(None) };
    if answer.is_empty() {
        return Ok(None);
    }
    let mut reader = Reader::new(&answer);
    let record = PipeRecord::decode(&mut reader)?;
    Ok(Some((Passed::read(&mut reader, descriptors)?, record)))
}

impl PipeName {
    fn new(text: Vec<u16>, listener: Listener, traits: PipeTraits, table: Option<PipeTable>) -> Arc<Self> {
        let cell = OnceLock::new();
        if let Some(table) = table {
            let _ = cell.set(table);
        }
        Arc::new(Self {
            text,
            listener,
            traits,
            instances: Mutex::default(),
            count: AtomicU32::new(0),
            ticket: Mutex::default(),
            table: cell,
            changes: AtomicU64::new(0),
        })
    }

    /// Notes an instance of this process.
    pub fn add(&self, instance: &Arc<FileObject>) {
        let mut instances = lock(&self.instances);
        instances.retain(|instance| instance.strong_count() > 0);
        instances.push(Arc::downgrade(instance));
        drop(instances);
        self.publish();
    }

    fn living(&self) -> Vec<Arc<FileObject>> {
        // The last of an instance may go with this list: not under the lock.
        lock(&self.instances).iter().filter_map(Weak::upgrade).collect()
    }

    /// Returns the table, from now on shared with other processes.
    ///
    /// # Errors
    /// `NO_MEMORY` and its like.
    pub fn share(&self) -> Result<&PipeTable, NtStatus> {
        if self.table.get().is_none() {
            let _ = self.table.set(PipeTable::create()?);
            if let Some(process) = Process::current() {
                control::listen_to_others(process);
            }
            self.publish();
        }
        self.table.get().ok_or(NtStatus::INSUFFICIENT_RESOURCES)
    }

    /// Tells the others what this process has.
    pub fn publish(&self) {
        let Some(table) = self.table.get() else { return };
        loop {
            let before = self.changes.fetch_add(1, Ordering::AcqRel) + 1;
            table.publish(self.counts());
            // Who counted at the same time may have published what was before.
            if self.changes.load(Ordering::Acquire) == before {
                return;
            }
        }
    }

    fn counts(&self) -> Counts {
        let living = self.living();
        let ends = living.iter().filter_map(|instance| instance.transfers.pipe.get());
        let mut counts = Counts { instances: self.count.load(Ordering::Relaxed), ..Counts::default() };
        for end in ends {
            counts.free += u32::from(end.is_free());
            counts.dormant += u32::from(end.is_dormant());
        }
        counts
    }

    fn others(&self) -> Vec<(u32, Counts)> {
        self.table.get().map(PipeTable::others).unwrap_or_default()
    }

    /// Returns how many instances there are in all processes.
    pub fn all_instances(&self) -> u32 {
        let others = self.others().iter().map(|other| other.1.instances).sum::<u32>();
        self.count.load(Ordering::Relaxed) + others
    }
}

fn listen(name: &Arc<PipeName>) -> Result<(), NtStatus> {
    let weak = Arc::downgrade(name);
    let then = move || {
        let Some(name) = weak.upgrade() else { return };
        // Another process that serves the name may have been faster.
        if let Ok(client) = name.listener.accept() {
            greet(&name, client);
        }
        // A name that cannot be listened at any more is as good as busy.
        let _ = listen(&name);
    };
    let ticket = service::when_ready(name.listener.as_fd(), Interest::Read, then).map_err(status_of)?;
    *lock(&name.ticket) = Some(ticket);
    Ok(())
}

/// Answers one who has connected, once he says what he wants.
fn greet(name: &Arc<PipeName>, client: File) {
    let (client, name) = (Arc::new(client), Arc::downgrade(name));
    let same = Arc::clone(&client);
    let _ = service::when_ready(client.as_fd(), Interest::Read, move || {
        let Some(name) = name.upgrade() else { return };
        if let Ok(Some(wish)) = pipe::receive_now(&same, 1, false)
            && let [wish] = wish[..]
        {
            settle(&name, &same, wish, 0);
        }
    });
}

/// Gives a client what he wants, or sees to it that he gets it.
fn settle(name: &Arc<PipeName>, client: &Arc<File>, wish: u8, hops: u32) {
    if wish == SERVE {
        return let_serve(name, client);
    }
    let instances = name.living();
    let is_free =
        |instance: &&Arc<FileObject>| instance.transfers.pipe.get().is_some_and(|end| end.is_free());
    let free = instances.iter().find(is_free);
    let yes = [YES, name.traits.access as u8];
    match (wish, free) {
        (CONNECT, Some(instance)) => return instance.take_client(client, &yes),
        (CONNECT, None) if hops < HOPS_MAX && hand_over(name, client, hops) => return,
        _ => {}
    }
    let others = name.others();
    let sleeps = name.counts().dormant > 0 || others.iter().any(|other| other.1.dormant > 0);
    let answer = match wish {
        ASK if free.is_some() || sleeps || others.iter().any(|other| other.1.free > 0) => YES,
        CONNECT if sleeps => return keep_waiting(name, client),
        _ => BUSY,
    };
    // Who is gone already needs no answer.
    let _ = pipe::send_now(client, &[answer, yes[1]]);
}

/// How often a client is handed over: who was free may not be so any more when the client comes.
const HOPS_MAX: u32 = 8;

/// Hands a client over to a process that has an instance for him; says whether that was done.
fn hand_over(name: &Arc<PipeName>, client: &Arc<File>, hops: u32) -> bool {
    name.others().into_iter().filter(|other| other.1.free > 0).any(|(id, _)| {
        let mut request = super::remote::request(Wish::TakeClient);
        request.wide(&name.text).u32(hops + 1);
        let Ok(line) = pipe::connect_for_messages(&control::name_of(id)) else { return false };
        // Nobody waits for the answer: two processes may do this to each other.
        pipe::send_with(&line, &request.finish(), &[client.as_fd()]).is_ok()
    })
}

/// Looks again a little later whether somebody waits for a client.
fn keep_waiting(name: &Arc<PipeName>, client: &Arc<File>) {
    const PAUSE: u64 = 2_000_000;
    if matches!(pipe::receive_now(client, 1, true), Ok(Some(end)) if end.is_empty()) {
        return;
    }
    let (name, client) = (Arc::downgrade(name), Arc::clone(client));
    let _ = service::after(PAUSE, move || {
        if let Some(name) = name.upgrade() {
            settle(&name, &client, CONNECT, 0);
        }
    });
}

/// Lets another process serve the name, too.
fn let_serve(name: &Arc<PipeName>, client: &File) {
    let mut given = Vec::new();
    let Some(record) = PipeRecord::of_name(name, &mut given) else { return };
    let mut body = Writer::default();
    record.encode(&mut body);
    Passed::write(&mut body, &given);
    let given: Vec<_> = given.iter().map(AsFd::as_fd).collect();
    let _ = pipe::send_with(client, &body.finish(), &given);
}

/// Asks whether an instance is free.
///
/// # Errors
/// `OBJECT_NAME_NOT_FOUND` when nobody serves the name, `PIPE_NOT_AVAILABLE` when no instance is free.
pub fn is_free(name: &[u16]) -> Result<(), NtStatus> {
    ask(name, ASK).map(drop)
}
