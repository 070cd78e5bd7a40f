//! The handle table: small multiples of four that name objects, with access rights and flags.
//!
//! Key types: [`HandleTable`], [`HandleFlags`].

use std::sync::{Arc, Mutex, MutexGuard};

use bitflags::bitflags;

use super::object::{Object, ObjectKind, ObjectRef, downcast};
use crate::NtStatus;

bitflags! {
    /// What `SetHandleInformation` sets.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct HandleFlags: u32 {
        /// `HANDLE_FLAG_INHERIT`.
        const INHERIT = 1;
        /// `HANDLE_FLAG_PROTECT_FROM_CLOSE`.
        const PROTECT_FROM_CLOSE = 2;
    }
}

/// What a handle stands for.
#[derive(Clone)]
pub struct HandleEntry {
    /// The object.
    pub object: ObjectRef,
    /// The access that was granted.
    pub access: u32,
    /// Its flags.
    pub flags: HandleFlags,
}

/// All handles of the process.
#[derive(Default)]
pub struct HandleTable {
    entries: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    slots: Vec<Option<HandleEntry>>,
    free: Vec<usize>,
}

impl HandleTable {
    /// Makes a handle: the lowest that was freed last, else a new one.
    pub fn insert(&self, object: ObjectRef, access: u32, flags: HandleFlags) -> u64 {
        let mut table = self.lock();
        let entry = Some(HandleEntry { object, access, flags });
        let index = match table.free.pop() {
            Some(index) => {
                table.slots[index] = entry;
                index
            }
            None => {
                table.slots.push(entry);
                table.slots.len() - 1
            }
        };
        (index as u64 + 1) * 4
    }

    /// Makes a handle of a given number, as an inherited one has; whatever it stood for goes.
    pub fn insert_at(&self, handle: u64, entry: HandleEntry) {
        let Some(index) = slot(handle).filter(|&index| index < INHERITED_MAX) else { return };
        let mut table = self.lock();
        while table.slots.len() <= index {
            let fresh = table.slots.len();
            table.slots.push(None);
            table.free.push(fresh);
        }
        table.free.retain(|&free| free != index);
        // The lowest free one is given out first.
        table.free.sort_unstable_by(|a, b| b.cmp(a));
        let before = table.slots[index].replace(entry);
        drop(table);
        drop(before);
    }

    /// Returns all handles and what they stand for.
    pub fn all(&self) -> Vec<(u64, HandleEntry)> {
        let table = self.lock();
        let number = |index: usize| (index as u64 + 1) * 4;
        let open = table.slots.iter().enumerate();
        open.filter_map(|(index, entry)| Some((number(index), entry.clone()?))).collect()
    }

    /// Returns what a handle stands for.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it stands for nothing.
    pub fn entry(&self, handle: u64) -> Result<HandleEntry, NtStatus> {
        let table = self.lock();
        slot(handle).and_then(|index| table.slots.get(index)?.clone()).ok_or(NtStatus::INVALID_HANDLE)
    }

    /// Returns a handle's object as its own type.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it stands for nothing, `OBJECT_TYPE_MISMATCH` when for another kind.
    pub fn get<T: Object>(&self, handle: u64) -> Result<Arc<T>, NtStatus> {
        downcast(self.entry(handle)?.object).ok_or(NtStatus::OBJECT_TYPE_MISMATCH)
    }

    /// Changes the flags selected by `mask`.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when the handle stands for nothing.
    pub fn set_flags(&self, handle: u64, mask: HandleFlags, flags: HandleFlags) -> Result<(), NtStatus> {
        let mut table = self.lock();
        let entry = slot(handle).and_then(|index| table.slots.get_mut(index)?.as_mut());
        let entry = entry.ok_or(NtStatus::INVALID_HANDLE)?;
        entry.flags = entry.flags.difference(mask) | flags.intersection(mask);
        Ok(())
    }

    /// Says whether a handle stands for this very object.
    pub(super) fn is_of<T: Object>(&self, handle: u64, object: &T) -> bool {
        let table = self.lock();
        let entry = slot(handle).and_then(|index| table.slots.get(index)?.as_ref());
        entry.is_some_and(|entry| std::ptr::addr_eq(Arc::as_ptr(&entry.object), object))
    }

    /// Closes a handle; the object is returned so that it is dropped without the table's lock.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it stands for nothing, `HANDLE_NOT_CLOSABLE` when it is protected.
    pub fn close(&self, handle: u64) -> Result<ObjectRef, NtStatus> {
        let mut table = self.lock();
        let index = slot(handle).ok_or(NtStatus::INVALID_HANDLE)?;
        let place = table.slots.get_mut(index).ok_or(NtStatus::INVALID_HANDLE)?;
        let entry = place.as_ref().ok_or(NtStatus::INVALID_HANDLE)?;
        if entry.flags.contains(HandleFlags::PROTECT_FROM_CLOSE) {
            return Err(NtStatus::HANDLE_NOT_CLOSABLE);
        }
        let entry = place.take().expect("it was just looked at");
        if entry.object.kind() == ObjectKind::Event {
            // The number is given out again only when the event has let it go.
            drop(table);
            entry.object.handle_closes(plain(handle));
            table = self.lock();
        }
        table.free.push(index);
        drop(table);
        entry.object.settle();
        Ok(entry.object)
    }

    /// Returns how many handles are open.
    pub fn count(&self) -> usize {
        let table = self.lock();
        table.slots.len() - table.free.len()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // A thread that panicked aborted the process; there is no poisoned table to see.
        self.entries.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The highest inherited handle has this index: a record of another process must not fill the memory.
const INHERITED_MAX: usize = 1 << 22;

/// Returns a handle without the two bits that Windows ignores.
pub(super) fn plain(handle: u64) -> u64 {
    handle & !3
}

/// Windows ignores the low two bits of a handle.
fn slot(handle: u64) -> Option<usize> {
    usize::try_from((handle >> 2).checked_sub(1)?).ok()
}
