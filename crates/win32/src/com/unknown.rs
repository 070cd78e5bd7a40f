//! unknwn.h: `IUnknown`, the same for every object that plat makes.

use plat_abi::{GuestWord, Memory, winapi};

use super::{ComError, Guid, Methods, fail, guid, result};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The methods of `IUnknown`.
pub const ROWS: &[Export] = dll! {
    full IUnknown_QueryInterface;
    full IUnknown_AddRef;
    full IUnknown_Release;
};

/// The first part of each virtual function table.
pub static METHODS: Methods = Methods { dll: "ole32.dll", rows: ROWS };

/// The interface that all objects have.
pub const IID_IUNKNOWN: Guid = guid(0, 0, 0, 0xc000_0000_0000_0046);

/// Gives another interface of the object: the same address, since each interface of a class continues the one before.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/unknwn/nf-unknwn-iunknown-queryinterface(refiid_void)>
#[winapi]
pub fn IUnknown_QueryInterface(
    guest: &mut Guest,
    This: GuestWord,
    riid: GuestWord,
    ppvObject: GuestWord,
) -> Result<(), ComError> {
    if ppvObject.is_null() {
        return fail(result::BAD_POINTER);
    }
    let wanted: Guid = guest.read(riid.get())?;
    guest.write_word(ppvObject.get(), 0)?;
    let components = &guest.process().components;
    let Some(component) = components.find(This.get()) else { return fail(result::INVALID_ARGUMENT) };
    if wanted != IID_IUNKNOWN && !component.class().interfaces.contains(&wanted) {
        return fail(result::NO_INTERFACE);
    }
    components.add_reference(This.get());
    Ok(guest.write_word(ppvObject.get(), This.get())?)
}

/// Counts one more reference; returns how many there are.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/unknwn/nf-unknwn-iunknown-addref>
#[winapi]
pub fn IUnknown_AddRef(guest: &mut Guest, This: GuestWord) -> u32 {
    guest.process().components.add_reference(This.get())
}

/// Counts one reference less; the last one ends the object. Returns how many are left.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/unknwn/nf-unknwn-iunknown-release>
#[winapi]
pub fn IUnknown_Release(guest: &mut Guest, This: GuestWord) -> u32 {
    let (left, component) = guest.process().components.remove_reference(This.get());
    if let Some(component) = component {
        guest.process().heaps.free(0, This.get());
        component.end(guest);
    }
    left
}
