//! combaseapi.h: memory that passes between components: the process heap.

use plat_abi::{GuestWord, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CoTaskMemAlloc;
    full CoTaskMemRealloc;
    full CoTaskMemFree;
};

/// Allocates memory; null when there is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-cotaskmemalloc>
#[winapi]
pub fn CoTaskMemAlloc(guest: &mut Guest, cb: GuestWord) -> GuestWord {
    GuestWord(guest.process().heaps.allocate(0, cb.get(), false).unwrap_or(0))
}

/// Changes the size of memory: null allocates, size 0 frees.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-cotaskmemrealloc>
#[winapi]
pub fn CoTaskMemRealloc(guest: &mut Guest, pv: GuestWord, cb: GuestWord) -> GuestWord {
    let heaps = &guest.process().heaps;
    if pv.is_null() {
        return CoTaskMemAlloc(guest, cb);
    }
    if cb.get() == 0 {
        heaps.free(0, pv.get());
        return GuestWord::NULL;
    }
    GuestWord(heaps.reallocate(0, pv.get(), cb.get(), false, false).unwrap_or(0))
}

/// Frees memory; null is nothing.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-cotaskmemfree>
#[winapi]
pub fn CoTaskMemFree(guest: &mut Guest, pv: GuestWord) {
    if !pv.is_null() {
        guest.process().heaps.free(0, pv.get());
    }
}
