//! `OBJECT_ATTRIBUTES`: how Nt functions name objects, and what they have in common when they make or open one.

use std::sync::Arc;

use plat_abi::{GuestStruct, GuestWord, Memory};

use crate::NtStatus;
use crate::guest::Guest;
use crate::logic::object_name;
use crate::nt::handle::HandleFlags;
use crate::nt::object::Object;
use crate::nt::object_directory::ObjectDirectory;

/// Names an object.
#[derive(GuestStruct, Clone, Copy, Default)]
#[allow(non_camel_case_types, non_snake_case)]
pub(super) struct OBJECT_ATTRIBUTES {
    pub(super) Length: u32,
    pub(super) RootDirectory: GuestWord,
    pub(super) ObjectName: GuestWord,
    pub(super) Attributes: u32,
    pub(super) SecurityDescriptor: GuestWord,
    pub(super) SecurityQualityOfService: GuestWord,
}

/// A counted string.
#[derive(GuestStruct, Clone, Copy, Default)]
#[allow(non_camel_case_types, non_snake_case)]
pub(super) struct UNICODE_STRING {
    pub(super) Length: u16,
    pub(super) MaximumLength: u16,
    pub(super) Buffer: GuestWord,
}

const OBJ_INHERIT: u32 = 2;
/// Open an object that is there already.
const OBJ_OPENIF: u32 = 0x80;

impl OBJECT_ATTRIBUTES {
    /// Reads them; null is an object without name.
    pub(super) fn read(guest: &Guest, address: GuestWord) -> Result<Self, NtStatus> {
        if address.is_null() {
            return Ok(Self::default());
        }
        let attributes: Self = guest.read(address.0)?;
        if u64::from(attributes.Length) != Self::size(guest.machine()) {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        Ok(attributes)
    }

    /// Returns the flags of the handle that is wanted.
    pub(super) fn handle_flags(&self) -> HandleFlags {
        if self.Attributes & OBJ_INHERIT != 0 { HandleFlags::INHERIT } else { HandleFlags::empty() }
    }

    /// Returns the name as it stands.
    pub(super) fn name(&self, guest: &Guest) -> Result<Vec<u16>, NtStatus> {
        counted_string(guest, self.ObjectName)
    }

    /// Returns the canonical path of the name in the tree of objects; empty where there is none.
    pub(super) fn object_path(&self, guest: &Guest) -> Result<Vec<u16>, NtStatus> {
        let name = self.name(guest)?;
        let is_absolute = name.first() == Some(&u16::from(b'\\'));
        if self.RootDirectory.is_null() {
            let missing =
                if name.is_empty() { Ok(name.clone()) } else { Err(NtStatus::OBJECT_PATH_SYNTAX_BAD) };
            return if is_absolute { Ok(object_name::canonical(&name).unwrap_or_default()) } else { missing };
        }
        let root = guest.process().handles.get::<ObjectDirectory>(self.RootDirectory.0)?;
        if is_absolute {
            return Err(NtStatus::OBJECT_PATH_SYNTAX_BAD);
        }
        if name.is_empty() {
            return Ok(root.path().to_vec());
        }
        let path = object_name::child(root.path(), &name);
        object_name::canonical(&path).ok_or(NtStatus::OBJECT_PATH_SYNTAX_BAD)
    }
}

/// Reads a counted string; null is an empty one.
pub(super) fn counted_string(guest: &Guest, address: GuestWord) -> Result<Vec<u16>, NtStatus> {
    if address.is_null() {
        return Ok(Vec::new());
    }
    let string: UNICODE_STRING = guest.read(address.0)?;
    Ok(guest.read_wide(string.Buffer.0, u64::from(string.Length / 2))?)
}

/// Makes a named object, or opens it if that is allowed, and gives out a handle. `make` gets the canonical path.
///
/// # Errors
/// `OBJECT_NAME_COLLISION` when it is there and may not be opened; `OBJECT_NAME_EXISTS`, with a handle, when it may.
pub(super) fn create<T: Object>(
    guest: &Guest,
    (handle, access): (GuestWord, u32),
    attributes: GuestWord,
    make: impl FnOnce(&[u16]) -> Result<Arc<T>, NtStatus>,
) -> Result<(), NtStatus> {
    let attributes = OBJECT_ATTRIBUTES::read(guest, attributes)?;
    // The place for the handle is looked at before anything is made.
    guest.write_word(handle.0, 0)?;
    let path = attributes.object_path(guest)?;
    let process = guest.process();
    let may_open = attributes.Attributes & OBJ_OPENIF != 0;
    if object_name::system_kind(&path).is_some() {
        let made = make(&path)?;
        if !may_open {
            return Err(NtStatus::OBJECT_NAME_COLLISION);
        }
        let given = process.handles.insert(made, access, attributes.handle_flags());
        guest.write_word(handle.0, given)?;
        return Err(NtStatus::OBJECT_NAME_EXISTS);
    }
    let spelled = object_name::spelled(&path);
    let (object, existed) = process.names.open_or_create_at(process, &spelled, || make(&path))?;
    if existed && !may_open {
        return Err(NtStatus::OBJECT_NAME_COLLISION);
    }
    let given = process.handles.insert(object, access, attributes.handle_flags());
    guest.write_word(handle.0, given)?;
    if existed { Err(NtStatus::OBJECT_NAME_EXISTS) } else { Ok(()) }
}

/// Opens a named object and gives out a handle.
///
/// # Errors
/// `OBJECT_NAME_NOT_FOUND`, `OBJECT_PATH_NOT_FOUND`, `OBJECT_TYPE_MISMATCH`, `OBJECT_PATH_SYNTAX_BAD` without a name.
pub(super) fn open<T: Object>(
    guest: &Guest,
    (handle, access): (GuestWord, u32),
    attributes: GuestWord,
) -> Result<(), NtStatus> {
    if attributes.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let attributes = OBJECT_ATTRIBUTES::read(guest, attributes)?;
    guest.write_word(handle.0, 0)?;
    let path = attributes.object_path(guest)?;
    if path.is_empty() {
        return Err(NtStatus::OBJECT_PATH_SYNTAX_BAD);
    }
    let process = guest.process();
    let object = process.names.open_at::<T>(process, &object_name::key(&path))?;
    let given = process.handles.insert(object, access, attributes.handle_flags());
    Ok(guest.write_word(handle.0, given)?)
}
