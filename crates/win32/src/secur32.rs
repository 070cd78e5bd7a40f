//! secur32.dll: names of the user and the machine in several forms. The table of contents and its functions.

pub mod packages;

use plat_abi::{GuestWord, Memory};

use crate::Win32Error;
use crate::advapi32::account::Text;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::Guest;
use crate::nt::account::{self, Unix};
use crate::widths::both_widths;

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

    /// Refuses: the machine is in no domain.
    "secext/nf-secext-getcomputerobjectname"
    GetComputerObjectNameA, GetComputerObjectNameW(
        guest, width, NameFormat: u32, lpNameBuffer: GuestWord, nSize: GuestWord
    ) -> Result<u8, Win32Error> {
        let _ = (guest, width, NameFormat, lpNameBuffer, nSize);
        Err(Win32Error::CANT_ACCESS_DOMAIN_INFO)
    }
}
