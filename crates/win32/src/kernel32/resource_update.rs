//! winbase.h: changing the resources of a file.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory, winapi};

use super::resources::name_of;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::handle::HandleFlags;
use crate::nt::nls;
use crate::nt::resource_update::ResourceUpdate;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full BeginUpdateResourceA;
    full BeginUpdateResourceW;
    full UpdateResourceA;
    full UpdateResourceW;
    full EndUpdateResourceA;
    full EndUpdateResourceW;
};

fn begin(guest: &Guest, path: &[u16], empty: Bool) -> Result<GuestWord, Win32Error> {
    let process = guest.process();
    let update = ResourceUpdate::begin(process, path, empty.0)?;
    Ok(GuestWord(process.handles.insert(Arc::new(update), 0, HandleFlags::empty())))
}

/// Begins to change the resources of a file.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-beginupdateresourcea>
#[winapi]
pub fn BeginUpdateResourceA(
    guest: &mut Guest,
    pFileName: GuestWord,
    bDeleteExistingResources: Bool,
) -> Result<GuestWord, Win32Error> {
    let path = nls::read_ansi(guest, pFileName.0)?;
    begin(guest, &path, bDeleteExistingResources)
}

/// Begins to change the resources of a file.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-beginupdateresourcew>
#[winapi]
pub fn BeginUpdateResourceW(
    guest: &mut Guest,
    pFileName: GuestWord,
    bDeleteExistingResources: Bool,
) -> Result<GuestWord, Win32Error> {
    let path = guest.read_wide_string(pFileName.0)?;
    begin(guest, &path, bDeleteExistingResources)
}

/// A change as the guest states it.
struct Change {
    update: GuestWord,
    kind: GuestWord,
    name: GuestWord,
    language: u16,
    data: GuestWord,
    size: u32,
}

fn change(guest: &Guest, change: &Change, is_wide: bool) -> Result<Bool, Win32Error> {
    let update = guest.process().handles.get::<ResourceUpdate>(change.update.0)?;
    let kind = name_of(guest, change.kind, is_wide)?;
    let name = name_of(guest, change.name, is_wide)?;
    let bytes = match change.size {
        0 if change.data.is_null() => None,
        size => Some(guest.read_vec(change.data.0, u64::from(size))?),
    };
    update.set(kind, name, change.language, bytes)?;
    Ok(TRUE)
}

/// Adds, replaces or (without data) removes a resource, in the file once the update ends.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-updateresourcea>
#[winapi]
pub fn UpdateResourceA(
    guest: &mut Guest,
    hUpdate: GuestWord,
    lpType: GuestWord,
    lpName: GuestWord,
    wLanguage: u16,
    lpData: GuestWord,
    cb: u32,
) -> Result<Bool, Win32Error> {
    let (update, kind, name, language, data, size) = (hUpdate, lpType, lpName, wLanguage, lpData, cb);
    change(guest, &Change { update, kind, name, language, data, size }, false)
}

/// Adds, replaces or (without data) removes a resource, in the file once the update ends.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-updateresourcew>
#[winapi]
pub fn UpdateResourceW(
    guest: &mut Guest,
    hUpdate: GuestWord,
    lpType: GuestWord,
    lpName: GuestWord,
    wLanguage: u16,
    lpData: GuestWord,
    cb: u32,
) -> Result<Bool, Win32Error> {
    let (update, kind, name, language, data, size) = (hUpdate, lpType, lpName, wLanguage, lpData, cb);
    change(guest, &Change { update, kind, name, language, data, size }, true)
}

fn end(guest: &Guest, handle: GuestWord, discard: Bool) -> Result<Bool, Win32Error> {
    let process = guest.process();
    let update = process.handles.get::<ResourceUpdate>(handle.0)?;
    process.handles.close(handle.0)?;
    if !discard.0 {
        update.commit(process)?;
    }
    Ok(TRUE)
}

/// Ends an update: writes the file, or drops all changes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-endupdateresourcea>
#[winapi]
pub fn EndUpdateResourceA(guest: &mut Guest, hUpdate: GuestWord, fDiscard: Bool) -> Result<Bool, Win32Error> {
    end(guest, hUpdate, fDiscard)
}

/// Ends an update: writes the file, or drops all changes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-endupdateresourcew>
#[winapi]
pub fn EndUpdateResourceW(guest: &mut Guest, hUpdate: GuestWord, fDiscard: Bool) -> Result<Bool, Win32Error> {
    end(guest, hUpdate, fDiscard)
}
