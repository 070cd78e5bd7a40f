//! werapi.h: what Windows Error Reporting may do for a process. There is no such service: the flags are kept, and nothing
//! is reported.

use std::sync::atomic::{AtomicU32, Ordering};

use plat_abi::{GuestWord, Memory, winapi};

use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full WerGetFlags;
    full WerSetFlags;
    full WerRegisterMemoryBlock;
    full WerUnregisterMemoryBlock;
    full WerRegisterFile;
    full WerUnregisterFile;
    full WerRegisterRuntimeExceptionModule;
    full WerUnregisterRuntimeExceptionModule;
};

/// The flags of this process.
#[derive(Default)]
pub(crate) struct ErrorReporting {
    flags: AtomicU32,
    /// What was registered: its kind and its name or address.
    registered: std::sync::Mutex<Vec<(Kind, Vec<u16>, u64)>>,
}

/// `E_INVALIDARG`.
const INVALID_ARGUMENT: i32 = 0x8007_0057_u32 as i32;
/// The flags that there are: no heap, queue, no thread suspension, queue upload, always show UI, no UI, no heap on queue,
/// show no UI on crash.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/werapi/nf-werapi-wersetflags>
const FLAGS: u32 = 0xff;

/// Stores the flags of a process; an `HRESULT`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/werapi/nf-werapi-wergetflags>
#[winapi]
pub fn WerGetFlags(guest: &mut Guest, hProcess: GuestWord, pdwFlags: GuestWord) -> i32 {
    let _ = hProcess;
    let flags = guest.process().error_reporting.flags.load(Ordering::Relaxed);
    if guest.write(pdwFlags.get(), &flags).is_ok() { 0 } else { INVALID_ARGUMENT }
}

/// Sets the flags of the calling process; an `HRESULT`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/werapi/nf-werapi-wersetflags>
#[winapi]
pub fn WerSetFlags(guest: &mut Guest, dwFlags: u32) -> i32 {
    if dwFlags & !FLAGS != 0 {
        return INVALID_ARGUMENT;
    }
    guest.process().error_reporting.flags.store(dwFlags, Ordering::Relaxed);
    0
}

/// What a program registers for reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Memory,
    File,
    Module,
}

/// `HRESULT_FROM_WIN32(ERROR_NOT_FOUND)`.
const NOT_FOUND: i32 = 0x8007_0490_u32 as i32;

impl ErrorReporting {
    fn list(&self) -> std::sync::MutexGuard<'_, Vec<(Kind, Vec<u16>, u64)>> {
        self.registered.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn register(&self, kind: Kind, name: Vec<u16>, number: u64) -> i32 {
        self.list().push((kind, name, number));
        0
    }

    fn unregister(&self, kind: Kind, name: &[u16], number: u64) -> i32 {
        let mut list = self.list();
        let found = list.iter().position(|(other, text, value)| {
            *other == kind && text == name && (kind == Kind::File || *value == number)
        });
        found.map_or(NOT_FOUND, |index| {
            list.remove(index);
            0
        })
    }
}

/// Registers or takes back what has a name.
fn named(guest: &Guest, name: GuestWord, act: impl FnOnce(&ErrorReporting, Vec<u16>) -> i32) -> i32 {
    match guest.read_wide_string(name.get()) {
        Ok(name) if !name.is_empty() => act(&guest.process().error_reporting, name),
        _ => INVALID_ARGUMENT,
    }
}

/// Registers memory for reports; an `HRESULT`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/werapi/nf-werapi-werregistermemoryblock>
#[winapi]
pub fn WerRegisterMemoryBlock(guest: &mut Guest, pvAddress: GuestWord, dwSize: u32) -> i32 {
    if pvAddress.is_null() || dwSize == 0 {
        return INVALID_ARGUMENT;
    }
    guest.process().error_reporting.register(Kind::Memory, Vec::new(), pvAddress.get())
}

/// Takes registered memory back; an `HRESULT`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/werapi/nf-werapi-werunregistermemoryblock>
#[winapi]
pub fn WerUnregisterMemoryBlock(guest: &mut Guest, pvAddress: GuestWord) -> i32 {
    guest.process().error_reporting.unregister(Kind::Memory, &[], pvAddress.get())
}

/// Registers a file for reports; an `HRESULT`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/werapi/nf-werapi-werregisterfile>
#[winapi]
pub fn WerRegisterFile(guest: &mut Guest, pwzFile: GuestWord, regFileType: u32, dwFlags: u32) -> i32 {
    let _ = dwFlags;
    named(guest, pwzFile, |reports, name| reports.register(Kind::File, name, regFileType.into()))
}

/// Takes a registered file back; an `HRESULT`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/werapi/nf-werapi-werunregisterfile>
#[winapi]
pub fn WerUnregisterFile(guest: &mut Guest, pwzFilePath: GuestWord) -> i32 {
    named(guest, pwzFilePath, |reports, name| reports.unregister(Kind::File, &name, 0))
}

/// Registers a DLL that describes the exceptions of a run-time system; an `HRESULT`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/werapi/nf-werapi-werregisterruntimeexceptionmodule>
#[winapi]
pub fn WerRegisterRuntimeExceptionModule(
    guest: &mut Guest,
    pwszOutOfProcessCallbackDll: GuestWord,
    pContext: GuestWord,
) -> i32 {
    named(guest, pwszOutOfProcessCallbackDll, |reports, name| {
        reports.register(Kind::Module, name, pContext.get())
    })
}

/// Takes a registered DLL back; an `HRESULT`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/werapi/nf-werapi-werunregisterruntimeexceptionmodule>
#[winapi]
pub fn WerUnregisterRuntimeExceptionModule(
    guest: &mut Guest,
    pwszOutOfProcessCallbackDll: GuestWord,
    pContext: GuestWord,
) -> i32 {
    named(guest, pwszOutOfProcessCallbackDll, |reports, name| {
        reports.unregister(Kind::Module, &name, pContext.get())
    })
}
