//! sysinfoapi.h, winbase.h: tables and variables of the firmware, of which a program sees none.

use plat_abi::GuestWord;

use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::Bool;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full EnumSystemFirmwareTables;
    full GetFirmwareEnvironmentVariableA;
    full GetFirmwareEnvironmentVariableW;
    full GetSystemFirmwareTable;
    full SetFirmwareEnvironmentVariableW;
};

/// `ERROR_INVALID_FUNCTION`: what a machine with a BIOS of old answers.
const NO_FIRMWARE: Win32Error = Win32Error::INVALID_FUNCTION;

answers! {
    "Says that the firmware has no such tables or variables." -> Result<u32, Win32Error> = Err(NO_FIRMWARE) => {
        "sysinfoapi/nf-sysinfoapi-getsystemfirmwaretable"
        GetSystemFirmwareTable(FirmwareTableProviderSignature: u32, FirmwareTableID: u32, pFirmwareTableBuffer: GuestWord, BufferSize: u32);
        "sysinfoapi/nf-sysinfoapi-enumsystemfirmwaretables"
        EnumSystemFirmwareTables(FirmwareTableProviderSignature: u32, pFirmwareTableEnumBuffer: GuestWord, BufferSize: u32);
        "winbase/nf-winbase-getfirmwareenvironmentvariable"
        GetFirmwareEnvironmentVariableA, GetFirmwareEnvironmentVariableW(lpName: GuestWord, lpGuid: GuestWord, pBuffer: GuestWord, nSize: u32);
    }
    "Refuses to set a variable of the firmware." -> Result<Bool, Win32Error> = Err(NO_FIRMWARE) => {
        "winbase/nf-winbase-setfirmwareenvironmentvariablew"
        SetFirmwareEnvironmentVariableW(lpName: GuestWord, lpGuid: GuestWord, pValue: GuestWord, nSize: u32);
    }
}
