//! libloaderapi.h: modules and resources.

use plat_abi::{GuestWord, Memory, winapi};

use super::fileapi::path_names;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::process::{Module, Symbol};
use crate::widths::{Width, both_widths};
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full LoadLibraryA;
    full LoadLibraryW;
    partial LoadLibraryExA, "LOAD_LIBRARY_AS_IMAGE_RESOURCE is as LOAD_LIBRARY_AS_DATAFILE";
    partial LoadLibraryExW, "LOAD_LIBRARY_AS_IMAGE_RESOURCE is as LOAD_LIBRARY_AS_DATAFILE";
    full FreeLibrary;
    full FreeLibraryAndExitThread;
    full GetProcAddress;
    full GetModuleHandleA;
    full GetModuleHandleW;
    full GetModuleHandleExA;
    full GetModuleHandleExW;
    full GetModuleFileNameA;
    full GetModuleFileNameW;
    partial DisableThreadLibraryCalls, "DllMain is told of threads all the same";
};

/// `LOAD_LIBRARY_AS_DATAFILE`, `LOAD_LIBRARY_AS_DATAFILE_EXCLUSIVE`, `LOAD_LIBRARY_AS_IMAGE_RESOURCE`.
const AS_DATA: u32 = 0x2 | 0x40 | 0x20;

/// Finds the file of a module that is only looked at.
///
/// # Errors
/// `FILE_NOT_FOUND`: it may be a builtin DLL.
pub(crate) fn search_module(guest: &Guest, name: &[u16]) -> Result<Vec<u16>, Win32Error> {
    let extension: Vec<u16> = ".dll".encode_utf16().collect();
    path_names::search(guest, &path_names::search_directories(guest), name, &extension)
}

fn load(guest: &mut Guest, name: &[u16], flags: u32) -> Result<GuestWord, Win32Error> {
    if name.is_empty() {
        return Err(Win32Error::MOD_NOT_FOUND);
    }
    let process = guest.process();
    if flags & AS_DATA != 0
        && let Ok(path) = search_module(guest, name)
    {
        return process.data_files.load(process, &path).map(GuestWord);
    }
    process.loader().load(guest, name, flags).map(GuestWord).map_err(NtStatus::to_win32)
}

both_widths! {
    /// Loads a DLL.
    "libloaderapi/nf-libloaderapi-loadlibrary"
    LoadLibraryA, LoadLibraryW(guest, width, lpLibFileName: GuestWord) -> Result<GuestWord, Win32Error> {
        let name = width.read_string(guest, lpLibFileName)?;
        load(guest, &name, 0)
    }

    /// Loads a DLL with flags.
    "libloaderapi/nf-libloaderapi-loadlibraryex"
    LoadLibraryExA, LoadLibraryExW(
        guest, width, lpLibFileName: GuestWord, hFile: GuestWord, dwFlags: u32
    ) -> Result<GuestWord, Win32Error> {
        let _ = hFile;
        let name = width.read_string(guest, lpLibFileName)?;
        load(guest, &name, dwFlags)
    }
}

/// Gives up a reference to a DLL; the last one unloads it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-freelibrary>
#[winapi]
pub fn FreeLibrary(guest: &mut Guest, hLibModule: GuestWord) -> Result<Bool, Win32Error> {
    let process = guest.process();
    if process.data_files.unload(process, hLibModule.get()) {
        return Ok(TRUE);
    }
    process.loader().unload(guest, hLibModule.get()).map_err(|_| Win32Error::MOD_NOT_FOUND)?;
    Ok(TRUE)
}

/// Gives a module up and ends the thread, so that a thread can unload the DLL whose code it runs.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-freelibraryandexitthread>
#[winapi]
pub fn FreeLibraryAndExitThread(guest: &mut Guest, hLibModule: GuestWord, dwExitCode: u32) {
    let loader = guest.process().loader();
    // The thread ends whether or not there was such a module.
    let _ = loader.unload(guest, hLibModule.get());
    crate::nt::thread_start::end_current(guest, dwExitCode)
}

/// Says whether the call comes from the code that UPX puts before a program: it binds the program's imports, so that what
/// is missing must be found missing when it is called, as for other programs.
///
/// Source: <https://github.com/upx/upx/blob/devel/src/stub/src/i386-win32.pe.S>
fn is_unpacking(guest: &Guest) -> bool {
    /// Bytes that hold the headers of a packed program.
    const HEADERS: u64 = 0x400;
    let Some(registers) = guest.caller_registers() else { return false };
    let Some(module) = guest.process().loader().module_at(registers.rip) else { return false };
    let headers = guest.read_vec(module.base, HEADERS).unwrap_or_default();
    headers.windows(5).any(|name| name == b"UPX1\0")
}

/// Finds an export by name, or by ordinal when the "pointer" is below 64 KiB.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-getprocaddress>
#[winapi]
pub fn GetProcAddress(
    guest: &mut Guest,
    hModule: GuestWord,
    lpProcName: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let loader = guest.process().loader();
    let name;
    let symbol = match u16::try_from(lpProcName.get()) {
        Ok(ordinal) => Symbol::Ordinal(ordinal),
        Err(_) => {
            let bytes = guest.read_c_string(lpProcName.get())?;
            name = String::from_utf8_lossy(&bytes).into_owned();
            Symbol::Name(&name)
        }
    };
    let mut found = loader.symbol(guest, hModule.get(), symbol);
    if found.is_err() && is_unpacking(guest) {
        found = loader.import(hModule.get(), symbol);
    }
    found.map(GuestWord).map_err(|status| match status {
        NtStatus::DLL_NOT_FOUND => Win32Error::MOD_NOT_FOUND,
        _ => Win32Error::PROC_NOT_FOUND,
    })
}

fn named(guest: &Guest, name: &[u16]) -> Result<Module, Win32Error> {
    guest.process().loader().module_named(name).ok_or(Win32Error::MOD_NOT_FOUND)
}

both_widths! {
    /// Returns a loaded module's base; the program's for a null name.
    "libloaderapi/nf-libloaderapi-getmodulehandle"
    GetModuleHandleA, GetModuleHandleW(
        guest, width, lpModuleName: GuestWord
    ) -> Result<GuestWord, Win32Error> {
        let name = width.read(guest, lpModuleName)?;
        named(guest, &name).map(|module| GuestWord(module.base))
    }
}

/// `GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT`.
const UNCHANGED_REFCOUNT: u32 = 2;
/// `GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS`.
const FROM_ADDRESS: u32 = 4;

fn handle_ex(
    guest: &mut Guest,
    flags: u32,
    name: GuestWord,
    result: GuestWord,
    width: Width,
) -> Result<Bool, Win32Error> {
    let module = if flags & FROM_ADDRESS != 0 {
        guest.process().loader().module_at(name.get()).ok_or(Win32Error::MOD_NOT_FOUND)
    } else if name.is_null() {
        named(guest, &[])
    } else {
        let name = width.read_string(guest, name)?;
        named(guest, &name)
    };
    let base = module.as_ref().map_or(0, |module| module.base);
    guest.write_word(result.get(), base)?;
    let module = module?;
    if flags & UNCHANGED_REFCOUNT == 0 {
        guest.process().loader().hold(module.base);
    }
    Ok(TRUE)
}

both_widths! {
    /// Returns a loaded module's base, by name or by an address inside, and holds it unless told not to.
    "libloaderapi/nf-libloaderapi-getmodulehandleex"
    GetModuleHandleExA, GetModuleHandleExW(
        guest, width, dwFlags: u32, lpModuleName: GuestWord, phModule: GuestWord
    ) -> Result<Bool, Win32Error> {
        handle_ex(guest, dwFlags, lpModuleName, phModule, width)
    }
}

fn file_name(guest: &Guest, module: GuestWord) -> Result<Vec<u16>, Win32Error> {
    if module.is_null() {
        return named(guest, &[]).map(|module| module.path);
    }
    let found = guest.process().loader().module_at(module.get()).filter(|found| found.base == module.get());
    found.map(|found| found.path).ok_or(Win32Error::MOD_NOT_FOUND)
}

both_widths! {
    /// Writes a module's path; cut short and `ERROR_INSUFFICIENT_BUFFER` when there is no room.
    "libloaderapi/nf-libloaderapi-getmodulefilename"
    GetModuleFileNameA, GetModuleFileNameW(
        guest, width, hModule: GuestWord, lpFilename: GuestWord, nSize: u32
    ) -> Result<u32, Win32Error> {
        let path = file_name(guest, hModule)?;
        let units = width.bytes(&path).len() / width.unit_bytes();
        if units <= nSize as usize {
            width.write(guest, lpFilename, &path)?;
            guest.set_last_error(Win32Error::SUCCESS);
            return Ok(units as u32 - 1);
        }
        guest.set_last_error(Win32Error::INSUFFICIENT_BUFFER);
        if nSize > 0 {
            guest.write_bytes(lpFilename.get(), &width.cut(&path, nSize as usize))?;
        }
        Ok(nSize)
    }
}

/// Asks that a DLL is not told of threads.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-disablethreadlibrarycalls>
#[winapi]
pub fn DisableThreadLibraryCalls(guest: &mut Guest, hLibModule: GuestWord) -> Result<Bool, Win32Error> {
    file_name(guest, hLibModule)?;
    Ok(TRUE)
}
