//! Standard input, output and error as handles; what kernel32 and the C runtime start with.

use std::sync::Arc;

use plat_host::file::File;

use super::file::{FileObject, access};
use super::handle::HandleFlags;
use super::path::lock;
use crate::NtStatus;
use crate::process::Process;

/// Which of the standard handles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standard {
    /// Standard input.
    Input = 0,
    /// Standard output.
    Output = 1,
    /// Standard error.
    Error = 2,
}

impl Standard {
    /// Returns what `GetStdHandle`'s number means: -10, -11, -12.
    pub fn from_number(number: u32) -> Option<Self> {
        match number as i32 {
            -10 => Some(Self::Input),
            -11 => Some(Self::Output),
            -12 => Some(Self::Error),
            _ => None,
        }
    }
}

/// Returns a standard handle, 0 where the process was started without one.
pub fn handle(process: &Process, which: Standard) -> u64 {
    let mut handles = lock(&process.files.standard);
    if let Some(handle) = handles[which as usize] {
        return handle;
    }
    let handle = make(process, which).unwrap_or(0);
    handles[which as usize] = Some(handle);
    handle
}

/// Replaces a standard handle.
pub fn set_handle(process: &Process, which: Standard, handle: u64) {
    lock(&process.files.standard)[which as usize] = Some(handle);
}

/// Takes the standard handles' numbers that a parent gave; `None` leaves one to be made of its descriptor.
pub fn preset(process: &Process, numbers: [Option<u64>; 3]) {
    *lock(&process.files.standard) = numbers;
}

/// Closes a handle. Where it was a standard handle and nothing else has its object, the descriptor of that number ends, too:
/// who reads the other end of a pipe waits for it.
///
/// # Errors
/// Those of [`super::handle::HandleTable::close`].
pub fn close(process: &Process, number: u64) -> Result<(), NtStatus> {
    let object = process.handles.close(number)?;
    if object.kind() != super::object::ObjectKind::File {
        return Ok(());
    }
    let left = Arc::downgrade(&object);
    drop(object);
    if left.strong_count() == 0 {
        let numbers = *lock(&process.files.standard);
        let same = (0..).zip(numbers).filter(|(_, known)| *known == Some(number));
        same.for_each(|(descriptor, _)| drop(File::standard(descriptor)));
    }
    Ok(())
}

fn make(process: &Process, which: Standard) -> Option<u64> {
    let file = File::standard(which as u8)?;
    let (may_read, may_write) = file.access().ok()?;
    let mut granted = access::SYNCHRONIZE;
    if may_read {
        granted |= access::FILE_READ;
    }
    if may_write {
        granted |= access::FILE_WRITE;
    }
    let object = FileObject::of_descriptor(file).ok()?;
    Some(process.handles.insert(Arc::new(object), granted, HandleFlags::INHERIT))
}

/// Returns the file behind a handle if the handle has one of the rights in `needed` (0: none is needed).
/// The numbers of `GetStdHandle` count as the handles they stand for, as in Windows.
///
/// # Errors
/// `INVALID_HANDLE`, `OBJECT_TYPE_MISMATCH`, `ACCESS_DENIED`.
pub fn file(process: &Process, number: u64, needed: u32) -> Result<Arc<FileObject>, NtStatus> {
    let entry = match process.handles.entry(number) {
        Err(_) if let Some(which) = Standard::from_number(number as u32) => {
            process.handles.entry(handle(process, which))
        }
        other => other,
    }?;
    if needed != 0 && entry.access & needed == 0 {
        // The kind comes first: an event's rights mean other things.
        let is_file = entry.object.kind() == super::object::ObjectKind::File;
        return Err(if is_file { NtStatus::ACCESS_DENIED } else { NtStatus::OBJECT_TYPE_MISMATCH });
    }
    super::object::downcast(entry.object).ok_or(NtStatus::OBJECT_TYPE_MISMATCH)
}
