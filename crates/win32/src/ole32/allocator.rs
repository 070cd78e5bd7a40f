//! objidl.h: `IMalloc`, the allocator of task memory as an object.

use plat_abi::{GuestWord, winapi};

use super::task_memory::{CoTaskMemAlloc, CoTaskMemFree, CoTaskMemRealloc};
use crate::com::{self, Class, ComError, Component, Guid, Methods, fail, guid, result};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CoGetMalloc;
};

/// The methods.
pub const ROWS: &[Export] = dll! {
    full IMalloc_Alloc; full IMalloc_Realloc; full IMalloc_Free; full IMalloc_GetSize; full IMalloc_DidAlloc;
    full IMalloc_HeapMinimize;
};

const IID_IMALLOC: Guid = guid(0x0000_0002, 0, 0, 0xc000_0000_0000_0046);

static ALLOCATOR: Class = Class {
    name: "Allocator",
    interfaces: &[IID_IMALLOC],
    methods: &[Methods { dll: "ole32.dll", rows: ROWS }],
};

/// The object.
#[derive(Debug)]
pub struct Allocator;

impl Component for Allocator {
    fn class(&self) -> &'static Class {
        &ALLOCATOR
    }
}

/// Stores the allocator of task memory.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/combaseapi/nf-combaseapi-cogetmalloc>
#[winapi]
pub fn CoGetMalloc(guest: &mut Guest, dwMemContext: u32, ppMalloc: GuestWord) -> Result<(), ComError> {
    /// `MEMCTX_TASK`.
    const TASK: u32 = 1;
    if dwMemContext != TASK {
        return fail(result::INVALID_ARGUMENT);
    }
    com::give(guest, Allocator, ppMalloc)
}

/// Allocates memory.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/objidl/nf-objidl-imalloc-alloc>
#[winapi]
pub fn IMalloc_Alloc(guest: &mut Guest, This: GuestWord, cb: GuestWord) -> GuestWord {
    let _ = This;
    CoTaskMemAlloc(guest, cb)
}

/// Changes the size of a block.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/objidl/nf-objidl-imalloc-realloc>
#[winapi]
pub fn IMalloc_Realloc(guest: &mut Guest, This: GuestWord, pv: GuestWord, cb: GuestWord) -> GuestWord {
    let _ = This;
    CoTaskMemRealloc(guest, pv, cb)
}

/// Frees a block.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/objidl/nf-objidl-imalloc-free>
#[winapi]
pub fn IMalloc_Free(guest: &mut Guest, This: GuestWord, pv: GuestWord) {
    let _ = This;
    CoTaskMemFree(guest, pv);
}

/// Returns the size of a block, in bytes; all ones for what is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/objidl/nf-objidl-imalloc-getsize>
#[winapi]
pub fn IMalloc_GetSize(guest: &mut Guest, This: GuestWord, pv: GuestWord) -> GuestWord {
    let _ = This;
    GuestWord(guest.process().heaps.size(0, pv.get()).unwrap_or(u64::MAX))
}

/// Says whether a block is this allocator's: 1, 0, or -1 for null.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/objidl/nf-objidl-imalloc-didalloc>
#[winapi]
pub fn IMalloc_DidAlloc(guest: &mut Guest, This: GuestWord, pv: GuestWord) -> i32 {
    let _ = This;
    match pv.is_null() {
        true => -1,
        false => i32::from(guest.process().heaps.size(0, pv.get()).is_some()),
    }
}

/// Gives unused memory back to the system: nothing is kept that long.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/objidl/nf-objidl-imalloc-heapminimize>
#[winapi]
pub fn IMalloc_HeapMinimize(guest: &mut Guest, This: GuestWord) {
    let _ = (guest, This);
}
