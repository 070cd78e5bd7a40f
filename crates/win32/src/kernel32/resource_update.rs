//! winbase.h: changing the resources of a file.

use std::sync::Arc;

use plat_abi::{GuestWord, Memory};

use super::resources::name_of;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::handle::HandleFlags;
use crate::nt::resource_update::ResourceUpdate;
use crate::widths::both_widths;

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

both_widths! {
    /// Begins to change the resources of a file.
    "winbase/nf-winbase-beginupdateresource"
    BeginUpdateResourceA, BeginUpdateResourceW(
        guest, width, pFileName: GuestWord, bDeleteExistingResources: Bool
    ) -> Result<GuestWord, Win32Error> {
        let path = width.read_string(guest, pFileName)?;
        begin(guest, &path, bDeleteExistingResources)
    }
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

both_widths! {
    /// Adds, replaces or (without data) removes a resource, in the file once the update ends.
    "winbase/nf-winbase-updateresource"
    UpdateResourceA, UpdateResourceW(
        guest, width, hUpdate: GuestWord, lpType: GuestWord, lpName: GuestWord, wLanguage: u16,
        lpData: GuestWord, cb: u32
    ) -> Result<Bool, Win32Error> {
        let (update, kind, name, language, data, size) = (hUpdate, lpType, lpName, wLanguage, lpData, cb);
        change(guest, &Change { update, kind, name, language, data, size }, width.is_wide())
    }
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

both_widths! {
    /// Ends an update: writes the file, or drops all changes.
    "winbase/nf-winbase-endupdateresource"
    EndUpdateResourceA, EndUpdateResourceW(
        guest, _width, hUpdate: GuestWord, fDiscard: Bool
    ) -> Result<Bool, Win32Error> {
        end(guest, hUpdate, fDiscard)
    }
}
