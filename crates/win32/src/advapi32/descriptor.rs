//! securitybaseapi.h and sddl.h: security descriptors in memory of the caller's, and their text form.

use plat_abi::{GuestWord, Memory, winapi};

use super::sid::{allocate_text, done};
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::security::Acl;
use crate::logic::security::descriptor::{
    DACL_DEFAULTED, DACL_PRESENT, GROUP_DEFAULTED, OWNER_DEFAULTED, REVISION, SACL_DEFAULTED, SACL_PRESENT,
    SELF_RELATIVE,
};
use crate::logic::security::sddl;
use crate::nt::account::machine_domain;
use crate::nt::security_memory::{Fields, Part, absolute_size, allocate, put_descriptor, read_descriptor};
use crate::widths::{Width, both_widths};
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full InitializeSecurityDescriptor;
    full GetSecurityDescriptorDacl;
    full SetSecurityDescriptorDacl;
    full GetSecurityDescriptorSacl;
    full SetSecurityDescriptorSacl;
    full GetSecurityDescriptorOwner;
    full SetSecurityDescriptorOwner;
    full GetSecurityDescriptorGroup;
    full SetSecurityDescriptorGroup;
    full GetSecurityDescriptorControl;
    full SetSecurityDescriptorControl;
    full GetSecurityDescriptorLength;
    full MakeSelfRelativeSD;
    full MakeAbsoluteSD;
    full IsValidSecurityDescriptor;
    partial ConvertStringSecurityDescriptorToSecurityDescriptorA, "conditional entries (XA) and resource attributes are refused";
    partial ConvertStringSecurityDescriptorToSecurityDescriptorW, "conditional entries (XA) and resource attributes are refused";
    partial ConvertSecurityDescriptorToStringSecurityDescriptorA, "conditional entries (XA) and resource attributes are refused";
    partial ConvertSecurityDescriptorToStringSecurityDescriptorW, "conditional entries (XA) and resource attributes are refused";
};

/// `SDDL_REVISION_1`.
const SDDL_REVISION: u32 = 1;
/// `SE_DACL_AUTO_INHERIT_REQ` to `SE_SACL_PROTECTED`: what `SetSecurityDescriptorControl` may change.
const CHANGEABLE: u16 = 0x3f00;

/// Makes an empty absolute descriptor, for `RtlCreateSecurityDescriptor` too.
pub(crate) fn create(guest: &Guest, address: GuestWord, revision: u32) -> Result<(), NtStatus> {
    if revision != u32::from(REVISION) {
        return Err(NtStatus::UNKNOWN_REVISION);
    }
    guest.write_bytes(address.get(), &vec![0; absolute_size(guest) as usize])?;
    Ok(guest.write(address.get(), &REVISION)?)
}

/// The bits of the control word that say whether a list is there and by whom it was given.
#[derive(Clone, Copy)]
pub(crate) struct ListBits {
    part: Part,
    present: u16,
    defaulted: u16,
}

/// Those of the list of access.
pub(crate) const DACL: ListBits =
    ListBits { part: Part::Dacl, present: DACL_PRESENT, defaulted: DACL_DEFAULTED };
/// Those of the list of audits.
const SACL: ListBits = ListBits { part: Part::Sacl, present: SACL_PRESENT, defaulted: SACL_DEFAULTED };

/// Tells whether there is a list, where, and whether it was a default.
pub(crate) fn get_list(
    guest: &Guest,
    descriptor: GuestWord,
    bits: ListBits,
    present: GuestWord,
    list: GuestWord,
    defaulted: GuestWord,
    put_flag: impl Fn(GuestWord, bool) -> Result<(), NtStatus>,
) -> Result<(), NtStatus> {
    let fields = Fields::read(guest, descriptor.get())?;
    let is_present = fields.control & bits.present != 0;
    put_flag(present, is_present)?;
    if is_present {
        guest.write_word(list.get(), fields.part(guest, bits.part)?)?;
        put_flag(defaulted, fields.control & bits.defaulted != 0)?;
    }
    Ok(())
}

/// Sets or takes away a list.
pub(crate) fn set_list(
    guest: &Guest,
    descriptor: GuestWord,
    bits: ListBits,
    list: Option<GuestWord>,
    is_default: bool,
) -> Result<(), NtStatus> {
    let fields = Fields::read(guest, descriptor.get())?;
    let mask = bits.present | bits.defaulted;
    let defaulted = if is_default { bits.defaulted } else { 0 };
    match list {
        Some(list) => fields.set(guest, bits.part, list.get(), mask, bits.present | defaulted),
        None => fields.set(guest, bits.part, 0, mask, 0),
    }
}

/// Tells where the owner or the group lies, and whether it was a default.
pub(crate) fn get_sid(
    guest: &Guest,
    descriptor: GuestWord,
    (part, defaulted): (Part, u16),
    target: GuestWord,
    put_flag: impl FnOnce(bool) -> Result<(), NtStatus>,
) -> Result<(), NtStatus> {
    let fields = Fields::read(guest, descriptor.get())?;
    guest.write_word(target.get(), fields.part(guest, part)?)?;
    put_flag(fields.control & defaulted != 0)
}

/// Sets the owner or the group.
pub(crate) fn set_sid(
    guest: &Guest,
    descriptor: GuestWord,
    (part, defaulted): (Part, u16),
    sid: GuestWord,
    is_default: bool,
) -> Result<(), NtStatus> {
    let fields = Fields::read(guest, descriptor.get())?;
    fields.set(guest, part, sid.get(), defaulted, if is_default { defaulted } else { 0 })
}

/// The owner's part and its bit.
pub(crate) const OWNER: (Part, u16) = (Part::Owner, OWNER_DEFAULTED);
/// The group's part and its bit.
pub(crate) const GROUP: (Part, u16) = (Part::Group, GROUP_DEFAULTED);

/// Stores a `BOOL`.
fn put_bool(guest: &Guest, target: GuestWord, value: bool) -> Result<(), NtStatus> {
    Ok(guest.write(target.get(), &u32::from(value))?)
}

/// Makes an empty absolute security descriptor.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-initializesecuritydescriptor>
#[winapi]
pub fn InitializeSecurityDescriptor(
    guest: &mut Guest,
    pSecurityDescriptor: GuestWord,
    dwRevision: u32,
) -> Result<Bool, Win32Error> {
    done(create(guest, pSecurityDescriptor, dwRevision))
}

alike! {
    fn(guest, part;
        pSecurityDescriptor: GuestWord, present: GuestWord, list: GuestWord, defaulted: GuestWord
    ) -> Result<Bool, Win32Error> {
        let put = |target, value| put_bool(guest, target, value);
        done(get_list(guest, pSecurityDescriptor, part, present, list, defaulted, put))
    }

    /// Returns the list of access.
    "securitybaseapi/nf-securitybaseapi-getsecuritydescriptordacl"
    GetSecurityDescriptorDacl(pSecurityDescriptor, lpbDaclPresent, pDacl, lpbDaclDefaulted) = DACL;

    /// Returns the list of audits.
    "securitybaseapi/nf-securitybaseapi-getsecuritydescriptorsacl"
    GetSecurityDescriptorSacl(pSecurityDescriptor, lpbSaclPresent, pSacl, lpbSaclDefaulted) = SACL;
}

alike! {
    fn(guest, part;
        pSecurityDescriptor: GuestWord, present: Bool, list: GuestWord, defaulted: Bool
    ) -> Result<Bool, Win32Error> {
        done(set_list(guest, pSecurityDescriptor, part, present.0.then_some(list), defaulted.0))
    }

    /// Sets the list of access of an absolute descriptor.
    "securitybaseapi/nf-securitybaseapi-setsecuritydescriptordacl"
    SetSecurityDescriptorDacl(pSecurityDescriptor, bDaclPresent, pDacl, bDaclDefaulted) = DACL;

    /// Sets the list of audits of an absolute descriptor.
    "securitybaseapi/nf-securitybaseapi-setsecuritydescriptorsacl"
    SetSecurityDescriptorSacl(pSecurityDescriptor, bSaclPresent, pSacl, bSaclDefaulted) = SACL;
}

alike! {
    fn(guest, part;
        pSecurityDescriptor: GuestWord, sid: GuestWord, defaulted: GuestWord
    ) -> Result<Bool, Win32Error> {
        done(get_sid(guest, pSecurityDescriptor, part, sid, |value| put_bool(guest, defaulted, value)))
    }

    /// Returns the owner.
    "securitybaseapi/nf-securitybaseapi-getsecuritydescriptorowner"
    GetSecurityDescriptorOwner(pSecurityDescriptor, pOwner, lpbOwnerDefaulted) = OWNER;

    /// Returns the primary group.
    "securitybaseapi/nf-securitybaseapi-getsecuritydescriptorgroup"
    GetSecurityDescriptorGroup(pSecurityDescriptor, pGroup, lpbGroupDefaulted) = GROUP;
}

alike! {
    fn(guest, part;
        pSecurityDescriptor: GuestWord, sid: GuestWord, defaulted: Bool
    ) -> Result<Bool, Win32Error> {
        done(set_sid(guest, pSecurityDescriptor, part, sid, defaulted.0))
    }

    /// Sets the owner of an absolute descriptor.
    "securitybaseapi/nf-securitybaseapi-setsecuritydescriptorowner"
    SetSecurityDescriptorOwner(pSecurityDescriptor, pOwner, bOwnerDefaulted) = OWNER;

    /// Sets the primary group of an absolute descriptor.
    "securitybaseapi/nf-securitybaseapi-setsecuritydescriptorgroup"
    SetSecurityDescriptorGroup(pSecurityDescriptor, pGroup, bGroupDefaulted) = GROUP;
}

/// Returns the control word and the revision.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-getsecuritydescriptorcontrol>
#[winapi]
pub fn GetSecurityDescriptorControl(
    guest: &mut Guest,
    pSecurityDescriptor: GuestWord,
    pControl: GuestWord,
    lpdwRevision: GuestWord,
) -> Result<Bool, Win32Error> {
    let fields = Fields::read(guest, pSecurityDescriptor.get())?;
    guest.write(lpdwRevision.get(), &u32::from(REVISION))?;
    guest.write(pControl.get(), &fields.control)?;
    Ok(TRUE)
}

/// Sets the bits of the control word that are about inheritance.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-setsecuritydescriptorcontrol>
#[winapi]
pub fn SetSecurityDescriptorControl(
    guest: &mut Guest,
    pSecurityDescriptor: GuestWord,
    ControlBitsOfInterest: u16,
    ControlBitsToSet: u16,
) -> Result<Bool, Win32Error> {
    let fields = Fields::read(guest, pSecurityDescriptor.get())?;
    if (ControlBitsOfInterest | ControlBitsToSet) & !CHANGEABLE != 0
        || ControlBitsToSet & !ControlBitsOfInterest != 0
    {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let control = fields.control & !ControlBitsOfInterest | ControlBitsToSet;
    guest.write(pSecurityDescriptor.get() + 2, &control)?;
    Ok(TRUE)
}

/// Returns the size of a descriptor with all its parts, as if they lay behind it without gaps.
pub(crate) fn length(guest: &Guest, address: GuestWord) -> Result<u32, NtStatus> {
    let descriptor = read_descriptor(guest, address.get())?;
    let is_relative = Fields::read(guest, address.get())?.is_relative();
    let header = if is_relative { 20 } else { absolute_size(guest) as usize };
    Ok((descriptor.size() - 20 + header) as u32)
}

/// Returns the size of a descriptor with all its parts in bytes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-getsecuritydescriptorlength>
#[winapi]
pub fn GetSecurityDescriptorLength(guest: &mut Guest, pSecurityDescriptor: GuestWord) -> u32 {
    length(guest, pSecurityDescriptor).unwrap_or(0)
}

/// Writes an absolute descriptor in the self-relative form.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-makeselfrelativesd>
#[winapi]
pub fn MakeSelfRelativeSD(
    guest: &mut Guest,
    pAbsoluteSecurityDescriptor: GuestWord,
    pSelfRelativeSecurityDescriptor: GuestWord,
    lpdwBufferLength: GuestWord,
) -> Result<Bool, Win32Error> {
    if Fields::read(guest, pAbsoluteSecurityDescriptor.get())?.is_relative() {
        return Err(Win32Error::BAD_DESCRIPTOR_FORMAT);
    }
    done(make_relative(guest, pAbsoluteSecurityDescriptor, pSelfRelativeSecurityDescriptor, lpdwBufferLength))
}

/// Writes a descriptor in the self-relative form.
pub(crate) fn make_relative(
    guest: &Guest,
    from: GuestWord,
    to: GuestWord,
    length: GuestWord,
) -> Result<(), NtStatus> {
    let descriptor = read_descriptor(guest, from.get())?;
    let room = guest.read_u32(length.get())?;
    put_descriptor(guest, &descriptor, (to.get(), room), length.get())
}

/// Writes a self-relative descriptor in the absolute form, its parts each to a place of its own.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-makeabsolutesd>
#[winapi]
pub fn MakeAbsoluteSD(
    guest: &mut Guest,
    pSelfRelativeSecurityDescriptor: GuestWord,
    pAbsoluteSecurityDescriptor: GuestWord,
    lpdwAbsoluteSecurityDescriptorSize: GuestWord,
    pDacl: GuestWord,
    lpdwDaclSize: GuestWord,
    pSacl: GuestWord,
    lpdwSaclSize: GuestWord,
    pOwner: GuestWord,
    lpdwOwnerSize: GuestWord,
    pPrimaryGroup: GuestWord,
    lpdwPrimaryGroupSize: GuestWord,
) -> Result<Bool, Win32Error> {
    if !Fields::read(guest, pSelfRelativeSecurityDescriptor.get())?.is_relative() {
        return Err(Win32Error::BAD_DESCRIPTOR_FORMAT);
    }
    let descriptor = read_descriptor(guest, pSelfRelativeSecurityDescriptor.get())?;
    let list = |list: &Option<Acl>| list.as_ref().map(|list| list.bytes().to_vec());
    let parts = [
        (Part::Dacl, list(&descriptor.dacl), pDacl, lpdwDaclSize),
        (Part::Sacl, list(&descriptor.sacl), pSacl, lpdwSaclSize),
        (Part::Owner, descriptor.owner.as_ref().map(|sid| sid.to_bytes()), pOwner, lpdwOwnerSize),
        (
            Part::Group,
            descriptor.group.as_ref().map(|sid| sid.to_bytes()),
            pPrimaryGroup,
            lpdwPrimaryGroupSize,
        ),
    ];
    let absolute = absolute_size(guest) as u32;
    let mut fit = guest.read_u32(lpdwAbsoluteSecurityDescriptorSize.get())? >= absolute;
    guest.write(lpdwAbsoluteSecurityDescriptorSize.get(), &absolute)?;
    for (_, bytes, _, size) in &parts {
        let needed = bytes.as_ref().map_or(0, Vec::len) as u32;
        let room = if size.is_null() { 0 } else { guest.read_u32(size.get())? };
        fit &= room >= needed;
        if !size.is_null() {
            guest.write(size.get(), &needed)?;
        }
    }
    if !fit {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    create(guest, pAbsoluteSecurityDescriptor, REVISION.into())?;
    for (part, bytes, target, _) in parts {
        let Some(bytes) = bytes else { continue };
        guest.write_bytes(target.get(), &bytes)?;
        let fields = Fields::read(guest, pAbsoluteSecurityDescriptor.get())?;
        fields.set(guest, part, target.get(), 0, 0)?;
    }
    guest.write(pAbsoluteSecurityDescriptor.get() + 2, &(descriptor.control & !SELF_RELATIVE))?;
    Ok(TRUE)
}

/// Says whether a descriptor is sound.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-isvalidsecuritydescriptor>
#[winapi]
pub fn IsValidSecurityDescriptor(
    guest: &mut Guest,
    pSecurityDescriptor: GuestWord,
) -> Result<Bool, Win32Error> {
    let valid = read_descriptor(guest, pSecurityDescriptor.get());
    valid.map(|_| TRUE).map_err(|_| Win32Error::INVALID_SECURITY_DESCR)
}

fn from_text(
    guest: &Guest,
    width: Width,
    text: GuestWord,
    revision: u32,
    target: GuestWord,
    size: GuestWord,
) -> Result<Bool, Win32Error> {
    if text.is_null() || target.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    if revision != SDDL_REVISION {
        return Err(Win32Error::UNKNOWN_REVISION);
    }
    let text = String::from_utf16_lossy(&width.read(guest, text)?);
    let bytes = sddl::parse(&text, machine_domain())?.to_bytes();
    guest.write_word(target.get(), allocate(guest, &bytes)?)?;
    if !size.is_null() {
        guest.write(size.get(), &(bytes.len() as u32))?;
    }
    Ok(TRUE)
}

fn to_text(
    guest: &Guest,
    width: Width,
    (descriptor, revision, information): (GuestWord, u32, u32),
    target: GuestWord,
    length: GuestWord,
) -> Result<Bool, Win32Error> {
    if revision != SDDL_REVISION {
        return Err(Win32Error::UNKNOWN_REVISION);
    }
    let descriptor = read_descriptor(guest, descriptor.get())?.only(information);
    let text = sddl::write(&descriptor, machine_domain()).ok_or(Win32Error::INVALID_ACL)?;
    let (address, units) = allocate_text(guest, width, &text)?;
    guest.write_word(target.get(), address)?;
    if !length.is_null() {
        guest.write(length.get(), &units)?;
    }
    Ok(TRUE)
}

both_widths! {
    /// Reads SDDL into memory that `LocalFree` frees.
    "sddl/nf-sddl-convertstringsecuritydescriptortosecuritydescriptor"
    ConvertStringSecurityDescriptorToSecurityDescriptorA, ConvertStringSecurityDescriptorToSecurityDescriptorW(
        guest, width, StringSecurityDescriptor: GuestWord, StringSDRevision: u32, SecurityDescriptor: GuestWord,
        SecurityDescriptorSize: GuestWord
    ) -> Result<Bool, Win32Error> {
        from_text(guest, width, StringSecurityDescriptor, StringSDRevision, SecurityDescriptor, SecurityDescriptorSize)
    }

    /// Writes SDDL into memory that `LocalFree` frees.
    "sddl/nf-sddl-convertsecuritydescriptortostringsecuritydescriptor"
    ConvertSecurityDescriptorToStringSecurityDescriptorA, ConvertSecurityDescriptorToStringSecurityDescriptorW(
        guest, width, SecurityDescriptor: GuestWord, RequestedStringSDRevision: u32, SecurityInformation: u32,
        StringSecurityDescriptor: GuestWord, StringSecurityDescriptorLen: GuestWord
    ) -> Result<Bool, Win32Error> {
        let asked = (SecurityDescriptor, RequestedStringSDRevision, SecurityInformation);
        to_text(guest, width, asked, StringSecurityDescriptor, StringSecurityDescriptorLen)
    }
}
