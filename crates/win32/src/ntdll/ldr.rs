//! Ldr functions: DLLs and their exports, for programs that speak to ntdll alone.

use plat_abi::{GuestWord, Memory, winapi};

use super::attributes::counted_string;
use crate::NtStatus;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::process::Symbol;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full LdrGetDllHandle;
    full LdrGetProcedureAddress;
    partial LdrLoadDll, "the path to search is not used";
    full LdrUnloadDll;
};

/// Loads a DLL and stores its base.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-loadlibraryexw>
#[winapi]
pub fn LdrLoadDll(
    guest: &mut Guest,
    DllPath: GuestWord,
    DllCharacteristics: GuestWord,
    DllName: GuestWord,
    DllHandle: GuestWord,
) -> Result<(), NtStatus> {
    let _ = DllPath;
    let flags = if DllCharacteristics.is_null() { 0 } else { guest.read_u32(DllCharacteristics.get())? };
    let name = counted_string(guest, DllName)?;
    let base = guest.process().loader().load(guest, &name, flags)?;
    guest.write_word(DllHandle.get(), base)?;
    Ok(())
}

/// Gives up a reference to a DLL; the last one unloads it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-freelibrary>
#[winapi]
pub fn LdrUnloadDll(guest: &mut Guest, DllHandle: GuestWord) -> Result<(), NtStatus> {
    guest.process().loader().unload(guest, DllHandle.get())
}

/// Stores the base of a DLL that is loaded; it is not held.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-getmodulehandlew>
#[winapi]
pub fn LdrGetDllHandle(
    guest: &mut Guest,
    DllPath: GuestWord,
    DllCharacteristics: GuestWord,
    DllName: GuestWord,
    DllHandle: GuestWord,
) -> Result<(), NtStatus> {
    let _ = (DllPath, DllCharacteristics);
    let name = counted_string(guest, DllName)?;
    let module = guest.process().loader().module_named(&name).ok_or(NtStatus::DLL_NOT_FOUND)?;
    guest.write_word(DllHandle.get(), module.base)?;
    Ok(())
}

/// Stores the address of an export, by name, or without a name by ordinal.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-getprocaddress>
#[winapi]
pub fn LdrGetProcedureAddress(
    guest: &mut Guest,
    DllHandle: GuestWord,
    ProcedureName: GuestWord,
    ProcedureNumber: u32,
    ProcedureAddress: GuestWord,
) -> Result<(), NtStatus> {
    let loader = guest.process().loader();
    let address = if ProcedureName.is_null() {
        let ordinal = u16::try_from(ProcedureNumber).map_err(|_| NtStatus::INVALID_PARAMETER)?;
        loader.symbol(guest, DllHandle.get(), Symbol::Ordinal(ordinal))
    } else {
        // An ANSI_STRING: length, room, then the address of the bytes.
        let length: u16 = guest.read(ProcedureName.get())?;
        let text = guest.read_word(ProcedureName.get() + guest.machine().pointer_size())?;
        let bytes = guest.read_vec(text, u64::from(length))?;
        loader.symbol(guest, DllHandle.get(), Symbol::Name(&String::from_utf8_lossy(&bytes)))
    };
    let address = address.map_err(|status| match status {
        NtStatus::ENTRYPOINT_NOT_FOUND => NtStatus::PROCEDURE_NOT_FOUND,
        other => other,
    })?;
    guest.write_word(ProcedureAddress.get(), address)?;
    Ok(())
}
