//! wow64apiset.h: 32-bit programs on a 64-bit system: who is one, and that other folders are shown to none.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::thread::ProcessObject;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full IsWow64Process;
    full IsWow64Process2;
    full Wow64DisableWow64FsRedirection;
    full Wow64EnableWow64FsRedirection;
    full Wow64RevertWow64FsRedirection;
};

/// Says whether a 32-bit process runs on a 64-bit system: every 32-bit one does here.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wow64apiset/nf-wow64apiset-iswow64process>
#[winapi]
pub fn IsWow64Process(
    guest: &mut Guest,
    hProcess: GuestWord,
    Wow64Process: GuestWord,
) -> Result<Bool, Win32Error> {
    guest.object::<ProcessObject>(hProcess)?;
    guest.write(Wow64Process.get(), &u32::from(!guest.process().machine.is_64()))?;
    Ok(TRUE)
}

/// Says for what machine a process was made, and what machine this is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wow64apiset/nf-wow64apiset-iswow64process2>
#[winapi]
pub fn IsWow64Process2(
    guest: &mut Guest,
    hProcess: GuestWord,
    pProcessMachine: GuestWord,
    pNativeMachine: GuestWord,
) -> Result<Bool, Win32Error> {
    /// `IMAGE_FILE_MACHINE_I386` and `IMAGE_FILE_MACHINE_AMD64`; a process of the machine's own kind has 0.
    const I386: u16 = 0x14c;
    const AMD64: u16 = 0x8664;
    guest.object::<ProcessObject>(hProcess)?;
    guest.write(pProcessMachine.get(), &if guest.machine().is_64() { 0 } else { I386 })?;
    if !pNativeMachine.is_null() {
        guest.write(pNativeMachine.get(), &AMD64)?;
    }
    Ok(TRUE)
}

/// Refuses 64-bit programs, to which no other folders are ever shown.
fn only_32_bits(guest: &Guest) -> Result<(), Win32Error> {
    if guest.machine().is_64() { Err(Win32Error::INVALID_FUNCTION) } else { Ok(()) }
}

/// Stops showing a 32-bit program other folders than it names: none are shown.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wow64apiset/nf-wow64apiset-wow64disablewow64fsredirection>
#[winapi]
pub fn Wow64DisableWow64FsRedirection(guest: &mut Guest, OldValue: GuestWord) -> Result<Bool, Win32Error> {
    only_32_bits(guest)?;
    guest.write_word(OldValue.get(), 0)?;
    Ok(TRUE)
}

/// Ends what `Wow64DisableWow64FsRedirection` began.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wow64apiset/nf-wow64apiset-wow64revertwow64fsredirection>
#[winapi]
pub fn Wow64RevertWow64FsRedirection(guest: &mut Guest, OlValue: GuestWord) -> Result<Bool, Win32Error> {
    let _ = OlValue;
    only_32_bits(guest).map(|()| TRUE)
}

/// Says whether other folders may be shown to a 32-bit program.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-wow64enablewow64fsredirection>
#[winapi]
pub fn Wow64EnableWow64FsRedirection(guest: &mut Guest, Wow64FsEnableRedirection: u8) -> u8 {
    let _ = Wow64FsEnableRedirection;
    u8::from(only_32_bits(guest).is_ok())
}
