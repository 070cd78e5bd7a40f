//! secur32.dll: names of the user and the machine in several forms. The table of contents and its functions.

pub mod packages;

use plat_abi::{GuestWord, Memory, winapi};

use crate::advapi32::account::Text;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::Guest;
use crate::logic::crypto::layout::{Item, Laid};
use crate::nt::account::{self, Unix};
use crate::nt::security_memory::allocate;
use crate::nt::token::logon_id;
use crate::widths::both_widths;
use crate::{NtStatus, Win32Error};

/// The DLL.
pub const DLL: Dll = Dll {
    name: "secur32.dll",
    description: "Security Support Provider Interface",
    tables: &[EXPORTS, packages::EXPORTS],
    methods: &[],
};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial GetUserNameExA, "names of a directory service: ERROR_NONE_MAPPED";
    partial GetUserNameExW, "names of a directory service: ERROR_NONE_MAPPED";
    partial TranslateNameA, "always ERROR_CANT_ACCESS_DOMAIN_INFO: the machine is in no domain";
    partial TranslateNameW, "always ERROR_CANT_ACCESS_DOMAIN_INFO: the machine is in no domain";
    partial LsaEnumerateLogonSessions, "the caller's own session";
    partial LsaGetLogonSessionData, "the caller's own session";
    full LsaFreeReturnBuffer;
    partial GetComputerObjectNameA, "always ERROR_CANT_ACCESS_DOMAIN_INFO: the machine is in no domain";
    partial GetComputerObjectNameW, "always ERROR_CANT_ACCESS_DOMAIN_INFO: the machine is in no domain";
};

/// `NameSamCompatible`.
const SAM_COMPATIBLE: u32 = 2;
/// `NameDisplay`.
const DISPLAY: u32 = 3;
/// The formats that there are: 1 to 13.
const FORMATS: std::ops::RangeInclusive<u32> = 1..=13;

/// Returns the user's name in a form (`EXTENDED_NAME_FORMAT`).
fn name(guest: &Guest, form: u32) -> Result<String, Win32Error> {
    let sid = guest.process().tokens.effective().user.sid.clone();
    let name = account::by_sid(&sid).map(|account| account.name);
    let name = name.unwrap_or_else(|| account::own_name(guest.process()));
    match form {
        SAM_COMPATIBLE => Ok(format!("{}\\{name}", account::computer_name())),
        DISPLAY => {
            let full = match Unix::of(&sid) {
                Some(Unix::User(id)) => account::user(id).map(|user| user.full_name),
                _ => None,
            };
            full.filter(|full| !full.is_empty()).ok_or(Win32Error::NONE_MAPPED)
        }
        form if FORMATS.contains(&form) => Err(Win32Error::NONE_MAPPED),
        _ => Err(Win32Error::INVALID_PARAMETER),
    }
}

both_widths! {
    /// Returns the user's name in a form; without room, how much is needed.
    "secext/nf-secext-getusernameex"
    GetUserNameExA, GetUserNameExW(
        guest, width, NameFormat: u32, lpNameBuffer: GuestWord, nSize: GuestWord
    ) -> Result<u8, Win32Error> {
        let text = Text::new(width, &name(guest, NameFormat)?);
        let room = guest.read_u32(nSize.get())?;
        if text.length() > room || lpNameBuffer.is_null() {
            guest.write(nSize.get(), &text.length())?;
            return Err(Win32Error::MORE_DATA);
        }
        guest.write(nSize.get(), &(text.length() - 1))?;
        text.write(guest, lpNameBuffer)?;
        Ok(1)
    }

    /// Refuses: the machine is in no domain, whose controller translates names.
    "secext/nf-secext-translatename"
    TranslateNameA, TranslateNameW(
        guest, width, lpAccountName: GuestWord, AccountNameFormat: u32, DesiredNameFormat: u32,
        lpTranslatedName: GuestWord, nSize: GuestWord
    ) -> Result<u8, Win32Error> {
        let _ = (guest, width, DesiredNameFormat, lpTranslatedName);
        if lpAccountName.is_null() || nSize.is_null() || !FORMATS.contains(&AccountNameFormat) {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        Err(Win32Error::CANT_ACCESS_DOMAIN_INFO)
    }

    /// Refuses: the machine is in no domain.
    "secext/nf-secext-getcomputerobjectname"
    GetComputerObjectNameA, GetComputerObjectNameW(
        guest, width, NameFormat: u32, lpNameBuffer: GuestWord, nSize: GuestWord
    ) -> Result<u8, Win32Error> {
        let _ = (guest, width, NameFormat, lpNameBuffer, nSize);
        Err(Win32Error::CANT_ACCESS_DOMAIN_INFO)
    }
}

/// Returns the number of the caller's logon session.
fn own_session(guest: &Guest) -> u64 {
    logon_id(&guest.process().tokens.effective().user.sid).into()
}

/// Lists the logon sessions that the caller may see: his own.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ntsecapi/nf-ntsecapi-lsaenumeratelogonsessions>
#[winapi]
pub fn LsaEnumerateLogonSessions(
    guest: &mut Guest,
    LogonSessionCount: GuestWord,
    LogonSessionList: GuestWord,
) -> Result<(), NtStatus> {
    let list = allocate(guest, &own_session(guest).to_le_bytes())?;
    guest.write(LogonSessionCount.get(), &1_u32)?;
    Ok(guest.write_word(LogonSessionList.get(), list)?)
}

/// Lays out `SECURITY_LOGON_SESSION_DATA`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ntsecapi/ns-ntsecapi-security_logon_session_data>
fn session_items(session: u64, sid: &[u8], texts: [&str; 4]) -> Vec<Item> {
    /// `Interactive`.
    const INTERACTIVE: u32 = 2;
    const NEVER: u64 = i64::MAX as u64;
    let text = |text: &str| {
        let length = text.encode_utf16().count() as u32 * 2;
        Item::Inner(vec![Item::Number(length | (length + 2) << 16), Item::to_wide(text)])
    };
    let time = |time: u64| Item::Bytes(time.to_le_bytes().to_vec());
    let [user, domain, package, server] = texts;
    let mut items = vec![
        Item::Number(0),
        Item::Number(session as u32),
        Item::Number((session >> 32) as u32),
        text(user),
        text(domain),
        text(package),
        Item::Number(INTERACTIVE),
        Item::Number(1),
        Item::to_bytes(sid),
    ];
    // The logon's time stands at a multiple of 8 in both forms.
    items.extend([time(0), text(server), text(""), text(""), Item::Number(0), Item::Number(0)]);
    items.extend([time(0), time(0), Item::Number(0), Item::Number(0)]);
    items.extend([text(""), text(""), text(""), text("")]);
    items.extend([NEVER, NEVER, 0, 0, NEVER].map(time));
    items
}

/// Describes a logon session.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ntsecapi/nf-ntsecapi-lsagetlogonsessiondata>
#[winapi]
pub fn LsaGetLogonSessionData(
    guest: &mut Guest,
    LogonId: GuestWord,
    ppLogonSessionData: GuestWord,
) -> Result<(), NtStatus> {
    if LogonId.is_null() || ppLogonSessionData.is_null() {
        return Err(NtStatus::INVALID_PARAMETER);
    }
    let session = own_session(guest);
    if guest.read::<u64>(LogonId.get())? != session {
        return Err(NtStatus::NO_SUCH_LOGON_SESSION);
    }
    let sid = guest.process().tokens.effective().user.sid.clone();
    let (name, machine) = (account::own_name(guest.process()), account::computer_name());
    let items = session_items(session, &sid.to_bytes(), [&name, &machine, "NTLM", &machine]);
    let laid = Laid::new(&items, guest.machine());
    let place = allocate(guest, &vec![0; laid.len()])?;
    let mut bytes = laid.at(place, guest.machine());
    let size: u32 = if guest.machine().is_64() { 0x110 } else { 0xb8 };
    bytes[..4].copy_from_slice(&size.to_le_bytes());
    guest.write_bytes(place, &bytes)?;
    Ok(guest.write_word(ppLogonSessionData.get(), place)?)
}

/// Frees what the two functions above gave.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/ntsecapi/nf-ntsecapi-lsafreereturnbuffer>
#[winapi]
pub fn LsaFreeReturnBuffer(guest: &mut Guest, Buffer: GuestWord) -> Result<(), NtStatus> {
    match Buffer.is_null() || guest.process().heaps.free(0, Buffer.get()) {
        true => Ok(()),
        false => Err(NtStatus::INVALID_PARAMETER),
    }
}
