//! Keyed events: a thread that waits for a key and one that releases it go on together. Event loops made of the
//! sockets' driver park threads with them.
//!
//! Source: wepoll's documentation, <https://github.com/piscisaureus/wepoll>; Windows Internals, 6th edition, part 1,
//! chapter 3, "Keyed Events"

use std::sync::{Arc, Mutex, PoisonError};

use plat_abi::{GuestWord, Memory, winapi};

use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::event::Event;
use crate::nt::handle::HandleFlags;
use crate::nt::object::{Object, ObjectKind, ObjectRef};
use crate::nt::wait;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial NtCreateKeyedEvent, "without a name";
    full NtReleaseKeyedEvent;
    full NtWaitForKeyedEvent;
};

/// A thread that is there first.
struct Parked {
    key: u64,
    /// Whether it waits, rather than releases.
    waits: bool,
    /// Set when the other has come.
    met: Arc<Event>,
}

/// A keyed event.
#[derive(Default)]
struct KeyedEvent {
    parked: Mutex<Vec<Parked>>,
}

impl Object for KeyedEvent {
    fn kind(&self) -> ObjectKind {
        ObjectKind::KeyedEvent
    }
}

impl KeyedEvent {
    /// Wakes a thread that came for the other part, or parks.
    fn meet(&self, key: u64, waits: bool) -> Option<Arc<Event>> {
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = parked.iter().position(|other| other.key == key && other.waits != waits) {
            parked.remove(index).met.set();
            return None;
        }
        let met = Event::new(true, false);
        parked.push(Parked { key, waits, met: Arc::clone(&met) });
        Some(met)
    }

    /// Takes a thread back that does not wait any longer; says whether nobody had met it.
    fn leave(&self, met: &Arc<Event>) -> bool {
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        let before = parked.len();
        parked.retain(|other| !Arc::ptr_eq(&other.met, met));
        parked.len() != before
    }
}

/// Makes a keyed event.
///
/// Source: Windows Internals, 6th edition, part 1, chapter 3, "Keyed Events"
#[winapi]
pub fn NtCreateKeyedEvent(
    guest: &mut Guest,
    KeyedEventHandle: GuestWord,
    DesiredAccess: u32,
    ObjectAttributes: GuestWord,
    Flags: u32,
) -> Result<(), NtStatus> {
    if Flags != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let name = guest.machine().pointer_size() * 2;
    if !ObjectAttributes.is_null() && guest.read_word(ObjectAttributes.get() + name)? != 0 {
        return Err(NtStatus::NOT_SUPPORTED);
    }
    let handle =
        guest.process().handles.insert(Arc::new(KeyedEvent::default()), DesiredAccess, HandleFlags::empty());
    Ok(guest.write_word(KeyedEventHandle.get(), handle)?)
}

/// Comes for one of the two parts, and waits for the other.
fn come(
    guest: &mut Guest,
    handle: GuestWord,
    key: GuestWord,
    alertable: u8,
    timeout: GuestWord,
    waits: bool,
) -> Result<NtStatus, NtStatus> {
    // The lowest bit of a key is the system's own.
    if key.get() & 1 != 0 {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let deadline = match timeout.is_null() {
        true => None,
        false => Some(wait::deadline_of_units(guest.read(timeout.get())?)),
    };
    let event = guest.process().object_as::<KeyedEvent>(handle.get())?;
    let Some(met) = event.meet(key.get(), waits) else { return Ok(NtStatus::SUCCESS) };
    let object: ObjectRef = Arc::clone(&met) as ObjectRef;
    let how = wait::WaitFor { all: false, alertable: alertable != 0, deadline };
    let status = wait::wait(&[object], how)?;
    if status != NtStatus::SUCCESS && !event.leave(&met) {
        // The other came at the last moment.
        return Ok(NtStatus::SUCCESS);
    }
    wait::after_wait(guest, status)
}

/// Waits until a thread releases the key.
///
/// Source: Windows Internals, 6th edition, part 1, chapter 3, "Keyed Events"
#[winapi]
pub fn NtWaitForKeyedEvent(
    guest: &mut Guest,
    KeyedEventHandle: GuestWord,
    Key: GuestWord,
    Alertable: u8,
    Timeout: GuestWord,
) -> NtStatus {
    come(guest, KeyedEventHandle, Key, Alertable, Timeout, true).unwrap_or_else(|error| error)
}

/// Releases a thread that waits for the key, or waits for one.
///
/// Source: Windows Internals, 6th edition, part 1, chapter 3, "Keyed Events"
#[winapi]
pub fn NtReleaseKeyedEvent(
    guest: &mut Guest,
    KeyedEventHandle: GuestWord,
    Key: GuestWord,
    Alertable: u8,
    Timeout: GuestWord,
) -> NtStatus {
    come(guest, KeyedEventHandle, Key, Alertable, Timeout, false).unwrap_or_else(|error| error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_threads_meet_by_key_and_part() {
        let event = KeyedEvent::default();
        let first = event.meet(8, true).expect("parks");
        assert!(event.meet(16, false).is_some(), "another key");
        assert!(event.meet(8, true).is_some(), "the same part");
        assert!(event.meet(8, false).is_none(), "the other part of the first");
        assert!(!event.leave(&first), "was met");
    }

    #[test]
    fn who_leaves_is_not_met() {
        let event = KeyedEvent::default();
        let first = event.meet(8, true).expect("parks");
        assert!(event.leave(&first));
        assert!(event.meet(8, false).is_some());
    }
}
