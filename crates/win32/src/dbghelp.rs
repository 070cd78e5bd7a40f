//! dbghelp.dll and imagehlp.dll: headers of images in memory, names. There are no symbols: what asks for one is told so.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::alike::alike;
use crate::answers::answers;
use crate::crypto_objects::lock;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::nls;
use crate::widths::Width;
use std::sync::Mutex;

/// dbghelp.dll.
pub const DLL: Dll =
    Dll { name: "dbghelp.dll", description: "Windows Image Helper", tables: &[EXPORTS], methods: &[] };

/// imagehlp.dll.
pub const IMAGEHLP: Dll = Dll {
    name: "imagehlp.dll",
    description: "Windows NT Image Helper",
    tables: &[IMAGEHLP_EXPORTS],
    methods: &[],
};

/// The exports of dbghelp.dll.
pub const EXPORTS: &[Export] = dll! {
    partial SymInitialize, "no symbols: only notes that the process was named";
    partial SymInitializeW, "no symbols: only notes that the process was named";
    partial SymCleanup, "no symbols";
    partial SymSetOptions, "no symbols: options are not kept";
    partial SymGetOptions, "no symbols: 0";
    partial SymRefreshModuleList, "no symbols";
    partial SymFromAddr, "no symbols: fails with ERROR_MOD_NOT_FOUND";
    partial SymFromAddrW, "no symbols: fails with ERROR_MOD_NOT_FOUND";
    partial SymGetSymFromAddr64, "no symbols: fails with ERROR_MOD_NOT_FOUND";
    partial SymGetLineFromAddr64, "no symbols: fails with ERROR_MOD_NOT_FOUND";
    partial SymGetLineFromAddrW64, "no symbols: fails with ERROR_MOD_NOT_FOUND";
    partial SymLoadModule64, "no symbols: fails with ERROR_MOD_NOT_FOUND";
    partial SymLoadModuleExW, "no symbols: fails with ERROR_MOD_NOT_FOUND";
    partial SymGetModuleInfo64, "no symbols: fails with ERROR_MOD_NOT_FOUND";
    partial SymGetModuleInfoW64, "no symbols: fails with ERROR_MOD_NOT_FOUND";
    full SymGetModuleBase64;
    full SymSetSearchPath;
    full SymSetSearchPathW;
    full SymGetSearchPath;
    full SymGetSearchPathW;
    partial SymFunctionTableAccess64, "64-bit programs";
    partial StackWalk64, "walks nothing: fails";
    partial MiniDumpWriteDump, "writes no dump: fails with ERROR_CALL_NOT_IMPLEMENTED";
    partial UnDecorateSymbolName, "names of types; others stay as they are";
    full ImageNtHeader;
    full ImageDirectoryEntryToData;
    full ImageRvaToVa;
};

/// The exports of imagehlp.dll.
const IMAGEHLP_EXPORTS: &[Export] = dll! {
    forward ImageNtHeader => "dbghelp.ImageNtHeader";
    forward ImageDirectoryEntryToData => "dbghelp.ImageDirectoryEntryToData";
    forward ImageRvaToVa => "dbghelp.ImageRvaToVa";
    forward SymInitialize => "dbghelp.SymInitialize";
    forward SymCleanup => "dbghelp.SymCleanup";
    forward SymSetOptions => "dbghelp.SymSetOptions";
    forward SymGetOptions => "dbghelp.SymGetOptions";
    forward SymSetSearchPath => "dbghelp.SymSetSearchPath";
    forward SymGetSearchPath => "dbghelp.SymGetSearchPath";
    forward SymFromAddr => "dbghelp.SymFromAddr";
    forward SymGetSymFromAddr64 => "dbghelp.SymGetSymFromAddr64";
    forward SymGetLineFromAddr64 => "dbghelp.SymGetLineFromAddr64";
    forward SymGetModuleBase64 => "dbghelp.SymGetModuleBase64";
    forward SymGetModuleInfo64 => "dbghelp.SymGetModuleInfo64";
    forward SymLoadModule64 => "dbghelp.SymLoadModule64";
    forward SymFunctionTableAccess64 => "dbghelp.SymFunctionTableAccess64";
    forward StackWalk64 => "dbghelp.StackWalk64";
    forward UnDecorateSymbolName => "dbghelp.UnDecorateSymbolName";
    full CheckSumMappedFile;
    stub MapFileAndCheckSumA;
    stub MapFileAndCheckSumW;
    stub MapAndLoad;
    stub UnMapAndLoad;
};

alike! {
    fn(guest; hProcess: GuestWord, UserSearchPath: GuestWord, fInvadeProcess: Bool) -> Bool {
        let _ = (guest, hProcess, UserSearchPath, fInvadeProcess);
        TRUE
    }

    /// Begins to look for symbols of a process.
    "dbghelp/nf-dbghelp-syminitialize"
    SymInitialize;

    /// Begins to look for symbols of a process.
    "dbghelp/nf-dbghelp-syminitializew"
    SymInitializeW;
}

/// Where symbols are looked for, as a program said it.
static SEARCH_PATH: Mutex<Option<Vec<u16>>> = Mutex::new(None);

/// Returns where symbols are looked for: as the program said it, else what the environment says, else here.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/dbghelp/nf-dbghelp-syminitialize>
fn search_path(guest: &Guest) -> Vec<u16> {
    if let Some(path) = lock(&SEARCH_PATH).clone() {
        return path;
    }
    let value = |name: &str| {
        let name: Vec<u16> = name.encode_utf16().collect();
        guest.process().environment.get(guest.process(), &name)
    };
    let named = ["_NT_SYMBOL_PATH", "_NT_ALTERNATE_SYMBOL_PATH"].map(value);
    let parts: Vec<Vec<u16>> = [Some(vec![u16::from(b'.')])].into_iter().chain(named).flatten().collect();
    parts.join(&u16::from(b';'))
}

/// Sets where symbols are looked for; null is what the environment says.
fn set_search_path(guest: &Guest, width: Width, path: GuestWord) -> Result<Bool, Win32Error> {
    let path = if path.is_null() { None } else { Some(width.read(guest, path)?) };
    *lock(&SEARCH_PATH) = path;
    Ok(TRUE)
}

/// Returns where symbols are looked for, cut to its place.
fn get_search_path(guest: &Guest, width: Width, into: GuestWord, length: u32) -> Result<Bool, Win32Error> {
    if into.is_null() || length == 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.write_bytes(into.get(), &width.cut(&search_path(guest), length as usize))?;
    Ok(TRUE)
}

alike! {
    fn(guest, width; hProcess: GuestWord, SearchPathA: GuestWord) -> Result<Bool, Win32Error> {
        let _ = hProcess;
        set_search_path(guest, width, SearchPathA)
    }

    /// Sets where symbols are looked for.
    "dbghelp/nf-dbghelp-symsetsearchpath"
    SymSetSearchPath = Width::Narrow;

    /// Sets where symbols are looked for.
    "dbghelp/nf-dbghelp-symsetsearchpathw"
    SymSetSearchPathW = Width::Wide;
}

alike! {
    fn(guest, width;
        hProcess: GuestWord, SearchPathA: GuestWord, SearchPathLength: u32
    ) -> Result<Bool, Win32Error> {
        let _ = hProcess;
        get_search_path(guest, width, SearchPathA, SearchPathLength)
    }

    /// Returns where symbols are looked for.
    "dbghelp/nf-dbghelp-symgetsearchpath"
    SymGetSearchPath = Width::Narrow;

    /// Returns where symbols are looked for.
    "dbghelp/nf-dbghelp-symgetsearchpathw"
    SymGetSearchPathW = Width::Wide;
}

answers! {
    "Ends looking for symbols of a process.", "dbghelp/nf-dbghelp-symcleanup";
    SymCleanup(hProcess: GuestWord) -> Bool = TRUE;
    "Returns the options.", "dbghelp/nf-dbghelp-symgetoptions";
    SymGetOptions() -> u32 = 0;
    "Looks which modules there are.", "dbghelp/nf-dbghelp-symrefreshmodulelist";
    SymRefreshModuleList(hProcess: GuestWord) -> Bool = TRUE;
    "Reads the symbols of a module: there are none.", "dbghelp/nf-dbghelp-symloadmodule64";
    SymLoadModule64(
        hProcess: GuestWord, hFile: GuestWord, ImageName: GuestWord, ModuleName: GuestWord, BaseOfDll: u64,
        SizeOfDll: u32
    ) -> Result<GuestWord, Win32Error> = Err(Win32Error::MOD_NOT_FOUND);
    "Reads the symbols of a module: there are none.", "dbghelp/nf-dbghelp-symloadmoduleexw";
    SymLoadModuleExW(
        hProcess: GuestWord, hFile: GuestWord, ImageName: GuestWord, ModuleName: GuestWord, BaseOfDll: u64,
        DllSize: u32, Data: GuestWord, Flags: u32
    ) -> Result<GuestWord, Win32Error> = Err(Win32Error::MOD_NOT_FOUND);
    "Writes what a process is doing into a file: nothing is written.", "minidumpapiset/nf-minidumpapiset-minidumpwritedump";
    MiniDumpWriteDump(
        hProcess: GuestWord, ProcessId: u32, hFile: GuestWord, DumpType: i32, ExceptionParam: GuestWord,
        UserStreamParam: GuestWord, CallbackParam: GuestWord
    ) -> Result<Bool, Win32Error> = Err(Win32Error::CALL_NOT_IMPLEMENTED);
}

/// Sets options; returns them.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/dbghelp/nf-dbghelp-symsetoptions>
#[winapi]
pub fn SymSetOptions(guest: &mut Guest, SymOptions: u32) -> u32 {
    let _ = guest;
    SymOptions
}

alike! {
    fn(guest;
        hProcess: GuestWord, Address: u64, Displacement: GuestWord, Symbol: GuestWord
    ) -> Result<Bool, Win32Error> {
        let _ = (guest, hProcess, Address, Displacement, Symbol);
        Err(Win32Error::MOD_NOT_FOUND)
    }

    /// Finds the symbol at an address: there are none.
    "dbghelp/nf-dbghelp-symfromaddr"
    SymFromAddr;

    /// Finds the symbol at an address: there are none.
    "dbghelp/nf-dbghelp-symfromaddrw"
    SymFromAddrW;

    /// Finds the symbol at an address: there are none.
    "dbghelp/nf-dbghelp-symgetsymfromaddr64"
    SymGetSymFromAddr64(hProcess, qwAddr, pdwDisplacement, Symbol);

    /// Finds the line at an address: there are none.
    "dbghelp/nf-dbghelp-symgetlinefromaddr64"
    SymGetLineFromAddr64(hProcess, qwAddr, pdwDisplacement, Line64);

    /// Finds the line at an address: there are none.
    "dbghelp/nf-dbghelp-symgetlinefromaddrw64"
    SymGetLineFromAddrW64(hProcess, dwAddr, pdwDisplacement, Line);
}

alike! {
    fn(guest; hProcess: GuestWord, qwAddr: u64, ModuleInfo: GuestWord) -> Result<Bool, Win32Error> {
        let _ = (guest, hProcess, qwAddr, ModuleInfo);
        Err(Win32Error::MOD_NOT_FOUND)
    }

    /// Describes the symbols of a module: there are none.
    "dbghelp/nf-dbghelp-symgetmoduleinfo64"
    SymGetModuleInfo64;

    /// Describes the symbols of a module: there are none.
    "dbghelp/nf-dbghelp-symgetmoduleinfow64"
    SymGetModuleInfoW64;
}

/// Returns the base of the module in which an address lies.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/dbghelp/nf-dbghelp-symgetmodulebase64>
#[winapi]
pub fn SymGetModuleBase64(guest: &mut Guest, hProcess: GuestWord, qwAddr: u64) -> u64 {
    let _ = hProcess;
    guest.process().loader().module_at(qwAddr).map_or(0, |module| module.base)
}

/// Returns the entry for an address in its module's exception table.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/dbghelp/nf-dbghelp-symfunctiontableaccess64>
#[winapi]
pub fn SymFunctionTableAccess64(
    guest: &mut Guest,
    hProcess: GuestWord,
    AddrBase: u64,
) -> Result<GuestWord, Win32Error> {
    let _ = hProcess;
    let module = guest.process().loader().module_at(AddrBase).ok_or(Win32Error::MOD_NOT_FOUND)?;
    let (table, size) = module.exception_table;
    let offset = AddrBase - module.base;
    for entry in (table..table + size).step_by(12) {
        let [start, end] = [guest.read_u32(entry)?, guest.read_u32(entry + 4)?].map(u64::from);
        if (start..end).contains(&offset) {
            return Ok(GuestWord(entry));
        }
    }
    Err(Win32Error::INVALID_ADDRESS)
}

/// Goes to the next frame of a stack: none is found.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/dbghelp/nf-dbghelp-stackwalk64>
#[winapi]
pub fn StackWalk64(
    guest: &mut Guest,
    MachineType: u32,
    hProcess: GuestWord,
    hThread: GuestWord,
    StackFrame: GuestWord,
    ContextRecord: GuestWord,
    ReadMemoryRoutine: GuestWord,
    FunctionTableAccessRoutine: GuestWord,
    GetModuleBaseRoutine: GuestWord,
    TranslateAddress: GuestWord,
) -> Result<Bool, Win32Error> {
    let _ = (
        guest,
        MachineType,
        hProcess,
        hThread,
        StackFrame,
        ContextRecord,
        ReadMemoryRoutine,
        FunctionTableAccessRoutine,
        GetModuleBaseRoutine,
        TranslateAddress,
    );
    Err(Win32Error::CALL_NOT_IMPLEMENTED)
}

/// Turns a decorated name into what C++ writes; returns the length.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/dbghelp/nf-dbghelp-undecoratesymbolname>
#[winapi]
pub fn UnDecorateSymbolName(
    guest: &mut Guest,
    name: GuestWord,
    outputString: GuestWord,
    maxStringLength: u32,
    flags: u32,
) -> Result<u32, Win32Error> {
    let _ = flags;
    let decorated = String::from_utf16_lossy(&nls::read_ansi(guest, name.get())?);
    let mut text = crate::logic::undecorate::undecorate_type(&decorated).into_bytes();
    let room = (maxStringLength as usize).checked_sub(1).ok_or(Win32Error::INVALID_PARAMETER)?;
    text.truncate(room);
    let length = text.len() as u32;
    text.push(0);
    guest.write_bytes(outputString.get(), &text)?;
    Ok(length)
}

/// Finds an image's header.
fn header(guest: &Guest, base: u64) -> Result<u64, Win32Error> {
    let mut mark = [0; 2];
    guest.read_bytes(base, &mut mark)?;
    let at = base + u64::from(guest.read_u32(base + 0x3c)?);
    if mark != *b"MZ" || guest.read_u32(at)? != 0x4550 {
        return Err(Win32Error::BAD_EXE_FORMAT);
    }
    Ok(at)
}

/// Returns where an image's header lies.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/dbghelp/nf-dbghelp-imagentheader>
#[winapi]
pub fn ImageNtHeader(guest: &mut Guest, Base: GuestWord) -> Result<GuestWord, Win32Error> {
    header(guest, Base.get()).map(GuestWord)
}

/// Finds the section with an address of the image, and returns where it lies in the image's file.
fn in_file(guest: &Guest, header: u64, rva: u32) -> Result<u64, Win32Error> {
    let sections = u64::from(guest.read::<u16>(header + 6)?);
    let first = header + 24 + u64::from(guest.read::<u16>(header + 20)?);
    for section in (0..sections).map(|number| first + 40 * number) {
        let [size, start, bytes, place] = [8, 12, 16, 20].map(|field| guest.read_u32(section + field));
        let (size, start, bytes, place) = (size?, start?, bytes?, place?);
        if (start..start.saturating_add(size.max(bytes))).contains(&rva) {
            return Ok(u64::from(rva - start) + u64::from(place));
        }
    }
    Err(Win32Error::INVALID_PARAMETER)
}

/// Returns where a part of an image lies that a directory entry names, and its size.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/dbghelp/nf-dbghelp-imagedirectoryentrytodata>
#[winapi]
pub fn ImageDirectoryEntryToData(
    guest: &mut Guest,
    Base: GuestWord,
    MappedAsImage: u8,
    DirectoryEntry: u16,
    Size: GuestWord,
) -> Result<GuestWord, Win32Error> {
    // A set lowest bit of the base marks an image that is mapped as data.
    let base = Base.get() & !3;
    let header = header(guest, base)?;
    // The optional header's magic number decides where its directories begin.
    let directories = header + 24 + if guest.read::<u16>(header + 24)? == 0x20b { 112 } else { 96 };
    let count = guest.read_u32(directories - 4)?;
    if u32::from(DirectoryEntry) >= count {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let entry = directories + 8 * u64::from(DirectoryEntry);
    let (rva, size) = (guest.read_u32(entry)?, guest.read_u32(entry + 4)?);
    guest.write(Size.get(), &size)?;
    if rva == 0 {
        return Ok(GuestWord::NULL);
    }
    let is_image = MappedAsImage != 0 && Base.get() & 1 == 0;
    let offset = if is_image { rva.into() } else { in_file(guest, header, rva)? };
    Ok(GuestWord(base + offset))
}

/// Returns where an address of an image lies in the image's file, which is mapped as data.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/dbghelp/nf-dbghelp-imagervatova>
#[winapi]
pub fn ImageRvaToVa(
    guest: &mut Guest,
    NtHeaders: GuestWord,
    Base: GuestWord,
    Rva: u32,
    LastRvaSection: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let _ = LastRvaSection;
    Ok(GuestWord(Base.get() + in_file(guest, NtHeaders.get(), Rva)?))
}

/// Adds up a file: words with their carries, then the length.
///
/// Source: <https://learn.microsoft.com/windows/win32/debug/pe-format>
fn sum(bytes: &[u8], skip: usize) -> u32 {
    let mut sum = 0_u32;
    for (at, pair) in bytes.chunks(2).enumerate() {
        if (skip..skip + 4).contains(&(2 * at)) {
            continue;
        }
        sum += u32::from(u16::from_le_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum + bytes.len() as u32
}

/// Adds up an image's file; returns its header, the sum in it, and the sum that it should have.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/imagehlp/nf-imagehlp-checksummappedfile>
#[winapi]
pub fn CheckSumMappedFile(
    guest: &mut Guest,
    BaseAddress: GuestWord,
    FileLength: u32,
    HeaderSum: GuestWord,
    CheckSum: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let header = header(guest, BaseAddress.get())?;
    let place = header + 24 + 64;
    guest.write(HeaderSum.get(), &guest.read_u32(place)?)?;
    let bytes = guest.read_vec(BaseAddress.get(), FileLength.into())?;
    guest.write(CheckSum.get(), &sum(&bytes, (place - BaseAddress.get()) as usize))?;
    Ok(GuestWord(header))
}

#[cfg(test)]
mod tests {
    use super::sum;

    #[test]
    fn sums_carry_and_leave_themselves_out() {
        assert_eq!(sum(&[1, 0, 2, 0], 100), 3 + 4);
        assert_eq!(sum(&[0xff, 0xff, 2, 0, 7], 100), 2 + 7 + 5);
        assert_eq!(sum(&[1, 0, 9, 9, 9, 9, 2, 0], 2), 3 + 8);
    }
}
