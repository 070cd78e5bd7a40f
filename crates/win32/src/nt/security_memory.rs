//! Security data in guest memory: SIDs, lists, descriptors of both forms. Key items: [`read_sid`], [`Fields`].

use plat_abi::{Fault, Memory};

use crate::NtStatus;
use crate::guest::Guest;
use crate::logic::security::acl::{self, Acl};
use crate::logic::security::descriptor::{self, DACL_PRESENT, SACL_PRESENT, SELF_RELATIVE};
use crate::logic::security::{SecurityDescriptor, Sid, sid};

/// Reads a SID.
///
/// # Errors
/// `INVALID_SID`, `ACCESS_VIOLATION`.
pub fn read_sid(guest: &Guest, address: u64) -> Result<Sid, NtStatus> {
    let count = guest.read::<[u8; 2]>(address)?[1];
    if usize::from(count) > sid::PARTS_MAX {
        return Err(NtStatus::INVALID_SID);
    }
    let bytes = guest.read_vec(address, (sid::HEADER + 4 * usize::from(count)) as u64)?;
    Sid::parse(&bytes).ok_or(NtStatus::INVALID_SID)
}

/// Reads an optional SID: null is none.
///
/// # Errors
/// Those of [`read_sid`].
pub fn read_optional_sid(guest: &Guest, address: u64) -> Result<Option<Sid>, NtStatus> {
    if address == 0 { Ok(None) } else { read_sid(guest, address).map(Some) }
}

/// Reads a list, free room included.
///
/// # Errors
/// `INVALID_ACL`, `ACCESS_VIOLATION`.
pub fn read_acl(guest: &Guest, address: u64) -> Result<Acl, NtStatus> {
    let size = Acl::size_in(guest.read::<[u8; acl::HEADER]>(address)?);
    let bytes = guest.read_vec(address, size as u64)?;
    Acl::parse(&bytes).ok_or(NtStatus::INVALID_ACL)
}

/// Reads an optional list: null is none.
///
/// # Errors
/// Those of [`read_acl`].
pub fn read_optional_acl(guest: &Guest, address: u64) -> Result<Option<Acl>, NtStatus> {
    if address == 0 { Ok(None) } else { read_acl(guest, address).map(Some) }
}

/// Allocates memory that `LocalFree` frees and fills it.
///
/// # Errors
/// `NO_MEMORY`.
pub fn allocate(guest: &Guest, bytes: &[u8]) -> Result<u64, NtStatus> {
    let place = guest.process().heaps.allocate(0, bytes.len() as u64, false).ok_or(NtStatus::NO_MEMORY)?;
    guest.write_bytes(place, bytes)?;
    Ok(place)
}

/// A part of a descriptor, by the place of its pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The owner.
    Owner,
    /// The primary group.
    Group,
    /// The list of audits.
    Sacl,
    /// The list of access.
    Dacl,
}

/// A descriptor's header in guest memory.
#[derive(Clone, Copy, Debug)]
pub struct Fields {
    address: u64,
    /// `SE_…` bits.
    pub control: u16,
    /// The resource manager's byte.
    pub resource: u8,
    word: u64,
}

impl Fields {
    /// Reads the header of a descriptor of either form.
    ///
    /// # Errors
    /// `INVALID_SECURITY_DESCR`, `UNKNOWN_REVISION`, `ACCESS_VIOLATION`.
    pub fn read(guest: &Guest, address: u64) -> Result<Self, NtStatus> {
        if address == 0 {
            return Err(NtStatus::INVALID_SECURITY_DESCR);
        }
        let [revision, resource] = guest.read::<[u8; 2]>(address)?;
        if revision != descriptor::REVISION {
            return Err(NtStatus::UNKNOWN_REVISION);
        }
        let control = guest.read::<u16>(address + 2)?;
        Ok(Self { address, control, resource, word: guest.machine().pointer_size() })
    }

    /// Says whether its parts lie behind it.
    pub fn is_relative(&self) -> bool {
        self.control & SELF_RELATIVE != 0
    }

    fn place(&self, part: Part) -> u64 {
        match self.is_relative() {
            true => self.address + 4 + 4 * part as u64,
            // Revision, byte and control in one word.
            false => self.address + self.word.max(4) + self.word * part as u64,
        }
    }

    /// Returns where a part lies; 0 for one that is not there.
    ///
    /// # Errors
    /// `ACCESS_VIOLATION`.
    pub fn part(&self, guest: &Guest, part: Part) -> Result<u64, Fault> {
        if self.is_relative() {
            let offset = u64::from(guest.read_u32(self.place(part))?);
            return Ok(if offset == 0 { 0 } else { self.address + offset });
        }
        guest.read_word(self.place(part))
    }

    /// Sets where a part of an absolute descriptor lies, and bits of the control word out of `mask`.
    ///
    /// # Errors
    /// `INVALID_SECURITY_DESCR` for a self-relative one, `ACCESS_VIOLATION`.
    pub fn set(&self, guest: &Guest, part: Part, target: u64, mask: u16, bits: u16) -> Result<(), NtStatus> {
        if self.is_relative() {
            return Err(NtStatus::INVALID_SECURITY_DESCR);
        }
        guest.write(self.address + 2, &(self.control & !mask | bits))?;
        Ok(guest.write_word(self.place(part), target)?)
    }
}

/// Returns the size of an absolute descriptor in bytes.
pub fn absolute_size(guest: &Guest) -> u64 {
    if guest.machine().is_64() { 40 } else { 20 }
}

/// Reads a descriptor of either form, with all its parts.
///
/// # Errors
/// `INVALID_SECURITY_DESCR`, `UNKNOWN_REVISION`, `INVALID_SID`, `INVALID_ACL`, `ACCESS_VIOLATION`.
pub fn read_descriptor(guest: &Guest, address: u64) -> Result<SecurityDescriptor, NtStatus> {
    let fields = Fields::read(guest, address)?;
    let list = |part, present| match fields.control & present {
        0 => Ok(None),
        _ => read_optional_acl(guest, fields.part(guest, part)?),
    };
    Ok(SecurityDescriptor {
        control: fields.control & !SELF_RELATIVE,
        resource: fields.resource,
        owner: read_optional_sid(guest, fields.part(guest, Part::Owner)?)?,
        group: read_optional_sid(guest, fields.part(guest, Part::Group)?)?,
        sacl: list(Part::Sacl, SACL_PRESENT)?,
        dacl: list(Part::Dacl, DACL_PRESENT)?,
    })
}

/// Reads the descriptor of a `SECURITY_ATTRIBUTES`; nothing where there is none.
///
/// # Errors
/// Those of [`read_descriptor`].
pub fn read_attributes(guest: &Guest, attributes: u64) -> Result<Option<SecurityDescriptor>, NtStatus> {
    if attributes == 0 {
        return Ok(None);
    }
    let descriptor = guest.read_word(attributes + guest.machine().pointer_size())?;
    if descriptor == 0 { Ok(None) } else { read_descriptor(guest, descriptor).map(Some) }
}

/// Stores a descriptor in its self-relative form, and how many bytes it has.
///
/// # Errors
/// `BUFFER_TOO_SMALL` when it does not fit, `ACCESS_VIOLATION`.
pub fn put_descriptor(
    guest: &Guest,
    descriptor: &SecurityDescriptor,
    (address, room): (u64, u32),
    needed: u64,
) -> Result<(), NtStatus> {
    let bytes = descriptor.to_bytes();
    guest.write(needed, &(bytes.len() as u32))?;
    if bytes.len() > room as usize {
        return Err(NtStatus::BUFFER_TOO_SMALL);
    }
    Ok(guest.write_bytes(address, &bytes)?)
}
