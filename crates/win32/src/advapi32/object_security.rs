//! aclapi.h and securitybaseapi.h: the security descriptors of files, keys and other objects.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use super::registry::LStatus;
use super::sid::done;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::security::SecurityDescriptor;
use crate::logic::security::descriptor::{
    DACL_INFORMATION, DACL_PRESENT, GROUP_INFORMATION, OWNER_INFORMATION, SACL_INFORMATION, SACL_PRESENT,
};
use crate::nt::object::ObjectRef;
use crate::nt::registry::Key;
use crate::nt::security;
use crate::nt::security_memory::{
    Fields, Part, allocate, put_descriptor, read_descriptor, read_optional_acl, read_optional_sid,
};
use crate::ntdll::security as native;
use crate::widths::{Width, both_widths};
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetFileSecurityA;
    full GetFileSecurityW;
    partial SetFileSecurityA, "the permission bits that come closest; audits and labels are not kept";
    partial SetFileSecurityW, "the permission bits that come closest; audits and labels are not kept";
    partial GetNamedSecurityInfoA, "files and keys";
    partial GetNamedSecurityInfoW, "files and keys";
    partial SetNamedSecurityInfoA, "files take the permission bits that come closest; keys are refused";
    partial SetNamedSecurityInfoW, "files take the permission bits that come closest; keys are refused";
    full GetSecurityInfo;
    partial SetSecurityInfo, "files take the permission bits that come closest; other objects keep what they get for this process";
    full GetKernelObjectSecurity;
    partial SetKernelObjectSecurity, "files take the permission bits that come closest; other objects keep what they get for this process";
    full RegGetKeySecurity;
    partial RegSetKeySecurity, "the handle keeps it for this process";
};

/// `SE_FILE_OBJECT`.
const FILE_OBJECT: u32 = 1;
/// `SE_REGISTRY_KEY`.
const REGISTRY_KEY: u32 = 4;
/// `SE_REGISTRY_WOW64_32KEY`.
const REGISTRY_32KEY: u32 = 12;
/// `SE_REGISTRY_WOW64_64KEY`.
const REGISTRY_64KEY: u32 = 13;

fn file_security(
    guest: &Guest,
    width: Width,
    name: GuestWord,
    information: u32,
) -> Result<SecurityDescriptor, Win32Error> {
    let process = guest.process();
    process.check_information(information)?;
    let path = process.files.locate(&read_path(guest, width, name)?)?;
    Ok(security::of_path(&path)?.only(information))
}

fn set_file_security(
    guest: &Guest,
    width: Width,
    name: GuestWord,
    descriptor: &SecurityDescriptor,
    information: u32,
) -> Result<(), Win32Error> {
    let process = guest.process();
    process.check_information(information)?;
    let path = process.files.locate(&read_path(guest, width, name)?)?;
    Ok(security::set_on_path(&path, descriptor, information)?)
}

/// Reads a path; null is an invalid one.
fn read_path(guest: &Guest, width: Width, name: GuestWord) -> Result<Vec<u16>, Win32Error> {
    match (name.is_null(), width) {
        (true, _) => Err(Win32Error::INVALID_PARAMETER),
        (_, Width::Wide) => Ok(guest.read_wide_string(name.get())?),
        (_, Width::Narrow) => Ok(guest.process().files.widen(&guest.read_c_string(name.get())?)),
    }
}

/// Opens the key of a name as `MACHINE\Software`.
fn named_key(guest: &Guest, width: Width, name: GuestWord) -> Result<Arc<Key>, Win32Error> {
    const ROOTS: [(&str, &str); 4] =
        [("CLASSES_ROOT", "HKCR"), ("CURRENT_USER", "HKCU"), ("MACHINE", "HKLM"), ("USERS", "HKU")];
    let name = String::from_utf16_lossy(&width.read(guest, name)?);
    let (root, rest) = name.split_once('\\').unwrap_or((&name, ""));
    let short = ROOTS.iter().find(|row| row.0.eq_ignore_ascii_case(root)).map(|row| row.1);
    let path = format!("{}\\{rest}", short.ok_or(Win32Error::INVALID_PARAMETER)?);
    guest.process().registry.open(&path.encode_utf16().collect::<Vec<u16>>())
}

/// Where the parts of a descriptor are to be told, and where the whole.
struct Places {
    owner: GuestWord,
    group: GuestWord,
    dacl: GuestWord,
    sacl: GuestWord,
    whole: GuestWord,
}

impl Places {
    /// Allocates a descriptor and tells where its parts lie..
    fn put(
        &self,
        guest: &Guest,
        descriptor: &SecurityDescriptor,
        information: u32,
    ) -> Result<(), Win32Error> {
        let places = [
            (self.owner, OWNER_INFORMATION, Part::Owner),
            (self.group, GROUP_INFORMATION, Part::Group),
            (self.dacl, DACL_INFORMATION, Part::Dacl),
            (self.sacl, SACL_INFORMATION, Part::Sacl),
        ];
        let asked = |&(place, bit, _): &(GuestWord, u32, Part)| !place.is_null() && information & bit != 0;
        if self.whole.is_null() && places.iter().any(asked) {
            // Nobody could free what the parts lie in.
            return Err(Win32Error::INVALID_PARAMETER);
        }
        if self.whole.is_null() {
            return Ok(());
        }
        let address = allocate(guest, &descriptor.to_bytes())?;
        let fields = Fields::read(guest, address)?;
        for (place, _, part) in places.into_iter().filter(|place| asked(place)) {
            guest.write_word(place.get(), fields.part(guest, part)?)?;
        }
        Ok(guest.write_word(self.whole.get(), address)?)
    }
}

/// Makes a descriptor of parts in guest memory.
fn assemble(
    guest: &Guest,
    information: u32,
    (owner, group): (GuestWord, GuestWord),
    (dacl, sacl): (GuestWord, GuestWord),
) -> Result<SecurityDescriptor, NtStatus> {
    let asks = |bit| information & bit != 0;
    let present = |bit, flag| if asks(bit) { flag } else { 0 };
    let sid = |bit, at: GuestWord| if asks(bit) { read_optional_sid(guest, at.get()) } else { Ok(None) };
    let list = |bit, at: GuestWord| if asks(bit) { read_optional_acl(guest, at.get()) } else { Ok(None) };
    Ok(SecurityDescriptor {
        control: present(DACL_INFORMATION, DACL_PRESENT) | present(SACL_INFORMATION, SACL_PRESENT),
        resource: 0,
        owner: sid(OWNER_INFORMATION, owner)?,
        group: sid(GROUP_INFORMATION, group)?,
        dacl: list(DACL_INFORMATION, dacl)?,
        sacl: list(SACL_INFORMATION, sacl)?,
    })
}

both_widths! {
    /// Returns parts of a file's descriptor.
    "securitybaseapi/nf-securitybaseapi-getfilesecurity"
    GetFileSecurityA, GetFileSecurityW(
        guest, width, lpFileName: GuestWord, RequestedInformation: u32, pSecurityDescriptor: GuestWord, nLength: u32,
        lpnLengthNeeded: GuestWord
    ) -> Result<Bool, Win32Error> {
        let descriptor = file_security(guest, width, lpFileName, RequestedInformation)?;
        let target = (pSecurityDescriptor.get(), nLength);
        done(put_descriptor(guest, &descriptor, target, lpnLengthNeeded.get()))
    }

    /// Sets parts of a file's descriptor.
    "securitybaseapi/nf-securitybaseapi-setfilesecurity"
    SetFileSecurityA, SetFileSecurityW(
        guest, width, lpFileName: GuestWord, SecurityInformation: u32, pSecurityDescriptor: GuestWord
    ) -> Result<Bool, Win32Error> {
        let descriptor = read_descriptor(guest, pSecurityDescriptor.get())?;
        set_file_security(guest, width, lpFileName, &descriptor, SecurityInformation)?;
        Ok(TRUE)
    }

    /// Returns parts of a named object's descriptor in memory that `LocalFree` frees.
    "aclapi/nf-aclapi-getnamedsecurityinfo"
    GetNamedSecurityInfoA, GetNamedSecurityInfoW(
        guest, width, pObjectName: GuestWord, ObjectType: u32, SecurityInfo: u32, ppsidOwner: GuestWord,
        ppsidGroup: GuestWord, ppDacl: GuestWord, ppSacl: GuestWord, ppSecurityDescriptor: GuestWord
    ) -> LStatus {
        let descriptor = match ObjectType {
            FILE_OBJECT => file_security(guest, width, pObjectName, SecurityInfo),
            REGISTRY_KEY | REGISTRY_32KEY | REGISTRY_64KEY => named_key(guest, width, pObjectName).and_then(|key| {
                let object: ObjectRef = key;
                Ok(guest.process().object_security(&object, SecurityInfo)?)
            }),
            _ => Err(Win32Error::NOT_SUPPORTED),
        };
        let places = Places {
            owner: ppsidOwner, group: ppsidGroup, dacl: ppDacl, sacl: ppSacl, whole: ppSecurityDescriptor,
        };
        LStatus(descriptor.and_then(|descriptor| places.put(guest, &descriptor, SecurityInfo)))
    }

    /// Sets parts of a named object's descriptor.
    "aclapi/nf-aclapi-setnamedsecurityinfo"
    SetNamedSecurityInfoA, SetNamedSecurityInfoW(
        guest, width, pObjectName: GuestWord, ObjectType: u32, SecurityInfo: u32, psidOwner: GuestWord,
        psidGroup: GuestWord, pDacl: GuestWord, pSacl: GuestWord
    ) -> LStatus {
        if ObjectType != FILE_OBJECT {
            return LStatus(Err(Win32Error::NOT_SUPPORTED));
        }
        let descriptor = assemble(guest, SecurityInfo, (psidOwner, psidGroup), (pDacl, pSacl));
        let descriptor = descriptor.map_err(Win32Error::from);
        LStatus(descriptor.and_then(|descriptor| {
            set_file_security(guest, width, pObjectName, &descriptor, SecurityInfo)
        }))
    }
}

/// Returns the object of a handle, that of a predefined key too.
fn object(guest: &Guest, handle: GuestWord, kind: u32) -> Result<ObjectRef, Win32Error> {
    if kind == REGISTRY_KEY {
        return Ok(super::registry::key(guest, handle)?);
    }
    Ok(guest.process().object(handle.get())?)
}

/// Returns parts of an object's descriptor in memory that `LocalFree` frees.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/aclapi/nf-aclapi-getsecurityinfo>
#[winapi]
pub fn GetSecurityInfo(
    guest: &mut Guest,
    handle: GuestWord,
    ObjectType: u32,
    SecurityInfo: u32,
    ppsidOwner: GuestWord,
    ppsidGroup: GuestWord,
    ppDacl: GuestWord,
    ppSacl: GuestWord,
    ppSecurityDescriptor: GuestWord,
) -> LStatus {
    let (owner, group, dacl, sacl, whole) = (ppsidOwner, ppsidGroup, ppDacl, ppSacl, ppSecurityDescriptor);
    let places = Places { owner, group, dacl, sacl, whole };
    let told = object(guest, handle, ObjectType).and_then(|object| {
        let descriptor = guest.process().object_security(&object, SecurityInfo)?;
        places.put(guest, &descriptor, SecurityInfo)
    });
    LStatus(told)
}

/// Sets parts of an object's descriptor.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/aclapi/nf-aclapi-setsecurityinfo>
#[winapi]
pub fn SetSecurityInfo(
    guest: &mut Guest,
    handle: GuestWord,
    ObjectType: u32,
    SecurityInfo: u32,
    psidOwner: GuestWord,
    psidGroup: GuestWord,
    pDacl: GuestWord,
    pSacl: GuestWord,
) -> LStatus {
    LStatus(object(guest, handle, ObjectType).and_then(|object| {
        let descriptor = assemble(guest, SecurityInfo, (psidOwner, psidGroup), (pDacl, pSacl))?;
        Ok(guest.process().set_object_security(&object, &descriptor, SecurityInfo)?)
    }))
}

/// Returns parts of an object's descriptor.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-getkernelobjectsecurity>
#[winapi]
pub fn GetKernelObjectSecurity(
    guest: &mut Guest,
    Handle: GuestWord,
    RequestedInformation: u32,
    pSecurityDescriptor: GuestWord,
    nLength: u32,
    lpnLengthNeeded: GuestWord,
) -> Result<Bool, Win32Error> {
    done(native::query(guest, Handle, RequestedInformation, (pSecurityDescriptor, nLength), lpnLengthNeeded))
}

/// Sets parts of an object's descriptor.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-setkernelobjectsecurity>
#[winapi]
pub fn SetKernelObjectSecurity(
    guest: &mut Guest,
    Handle: GuestWord,
    SecurityInformation: u32,
    SecurityDescriptor: GuestWord,
) -> Result<Bool, Win32Error> {
    done(native::set(guest, Handle, SecurityInformation, SecurityDescriptor))
}

fn key_security(guest: &Guest, hKey: GuestWord, information: u32) -> Result<SecurityDescriptor, Win32Error> {
    let object = object(guest, hKey, REGISTRY_KEY)?;
    Ok(guest.process().object_security(&object, information)?)
}

/// Returns parts of a key's descriptor.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-reggetkeysecurity>
#[winapi]
pub fn RegGetKeySecurity(
    guest: &mut Guest,
    hKey: GuestWord,
    SecurityInformation: u32,
    pSecurityDescriptor: GuestWord,
    lpcbSecurityDescriptor: GuestWord,
) -> LStatus {
    LStatus(key_security(guest, hKey, SecurityInformation).and_then(|descriptor| {
        let room = guest.read_u32(lpcbSecurityDescriptor.get())?;
        let target = (pSecurityDescriptor.get(), room);
        Ok(put_descriptor(guest, &descriptor, target, lpcbSecurityDescriptor.get())?)
    }))
}

/// Sets parts of a key's descriptor.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regsetkeysecurity>
#[winapi]
pub fn RegSetKeySecurity(
    guest: &mut Guest,
    hKey: GuestWord,
    SecurityInformation: u32,
    pSecurityDescriptor: GuestWord,
) -> LStatus {
    LStatus(object(guest, hKey, REGISTRY_KEY).and_then(|object| {
        let descriptor = read_descriptor(guest, pSecurityDescriptor.get())?;
        Ok(guest.process().set_object_security(&object, &descriptor, SecurityInformation)?)
    }))
}
