//! winbase.h: names of accounts: of SIDs, of users.

use plat_abi::{GuestWord, Memory};

use super::sid::put_sid;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::security_memory::read_sid;
use crate::nt::{account, nls};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial LookupAccountSidA, "other machines are not asked";
    partial LookupAccountSidW, "other machines are not asked";
    partial LookupAccountNameA, "other machines are not asked";
    partial LookupAccountNameW, "other machines are not asked";
    full GetUserNameA;
    full GetUserNameW;
};

/// A text in a form, with its zero.
pub(crate) enum Text {
    /// Bytes.
    Narrow(Vec<u8>),
    /// Units.
    Wide(Vec<u16>),
}

impl Text {
    /// Makes one.
    pub(crate) fn new(width: Width, text: &str) -> Self {
        let units: Vec<u16> = text.encode_utf16().chain([0]).collect();
        match width {
            Width::Narrow => Self::Narrow(nls::narrow(&units)),
            Width::Wide => Self::Wide(units),
        }
    }

    /// Returns the length in characters, with the zero.
    pub(crate) fn length(&self) -> u32 {
        match self {
            Self::Narrow(bytes) => bytes.len() as u32,
            Self::Wide(units) => units.len() as u32,
        }
    }

    /// Writes it.
    pub(crate) fn write(&self, guest: &Guest, target: GuestWord) -> Result<(), Win32Error> {
        match self {
            Self::Narrow(bytes) => guest.write_bytes(target.get(), bytes)?,
            Self::Wide(units) => guest.write_wide(target.get(), units)?,
        }
        Ok(())
    }

    /// Says whether it fits where `size` says how much room there is.
    fn fits(&self, guest: &Guest, size: GuestWord) -> Result<bool, Win32Error> {
        Ok(self.length() <= guest.read_u32(size.get())?)
    }
}

/// Stores name and domain where both fit; else the room that each needs, zero included.
fn put_names(
    guest: &Guest,
    names: &[(Text, GuestWord, GuestWord)],
    others_fit: bool,
) -> Result<(), Win32Error> {
    let mut fit = others_fit;
    for (text, _, size) in names {
        fit &= text.fits(guest, *size)?;
    }
    for (text, target, size) in names {
        // The length on success is without the zero.
        guest.write(size.get(), &(text.length() - u32::from(fit)))?;
        if fit {
            text.write(guest, *target)?;
        }
    }
    if fit { Ok(()) } else { Err(Win32Error::INSUFFICIENT_BUFFER) }
}

/// Refuses names of other machines.
fn check_system(guest: &Guest, width: Width, system: GuestWord) -> Result<(), Win32Error> {
    let name = width.read(guest, system)?;
    let bare = name.iter().skip_while(|&&unit| unit == u16::from(b'\\'));
    let is_own = account::is_own_machine(&name) || bare.eq(&[u16::from(b'.')]);
    if is_own { Ok(()) } else { Err(Win32Error::RPC_S_SERVER_UNAVAILABLE) }
}

fn user_name(guest: &Guest, width: Width, buffer: GuestWord, size: GuestWord) -> Result<Bool, Win32Error> {
    let token = guest.process().tokens.effective();
    let name = account::by_sid(&token.user.sid).map(|account| account.name);
    let text = Text::new(width, &name.unwrap_or_else(|| account::own_name(guest.process())));
    let room = guest.read_u32(size.get())?;
    guest.write(size.get(), &text.length())?;
    if text.length() > room {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    text.write(guest, buffer)?;
    Ok(TRUE)
}

both_widths! {
    /// Returns name, domain and kind of a SID.
    "winbase/nf-winbase-lookupaccountsid"
    LookupAccountSidA, LookupAccountSidW(
        guest, width, lpSystemName: GuestWord, Sid: GuestWord, Name: GuestWord, cchName: GuestWord,
        ReferencedDomainName: GuestWord, cchReferencedDomainName: GuestWord, peUse: GuestWord
    ) -> Result<Bool, Win32Error> {
        check_system(guest, width, lpSystemName)?;
        let account = account::by_sid(&read_sid(guest, Sid.get())?).ok_or(Win32Error::NONE_MAPPED)?;
        let names = [
            (Text::new(width, &account.name), Name, cchName),
            (Text::new(width, &account.domain), ReferencedDomainName, cchReferencedDomainName),
        ];
        put_names(guest, &names, true)?;
        guest.write(peUse.get(), &(account.usage as u32))?;
        Ok(TRUE)
    }

    /// Returns SID, domain and kind of a name.
    "winbase/nf-winbase-lookupaccountname"
    LookupAccountNameA, LookupAccountNameW(
        guest, width, lpSystemName: GuestWord, lpAccountName: GuestWord, Sid: GuestWord, cbSid: GuestWord,
        ReferencedDomainName: GuestWord, cchReferencedDomainName: GuestWord, peUse: GuestWord
    ) -> Result<Bool, Win32Error> {
        check_system(guest, width, lpSystemName)?;
        let name = match lpAccountName.is_null() {
            true => account::computer_name(),
            false => String::from_utf16_lossy(&width.read(guest, lpAccountName)?),
        };
        let account = account::by_name(&name).ok_or(Win32Error::NONE_MAPPED)?;
        let domain = Text::new(width, &account.domain);
        let sid = put_sid(guest, &account.sid, Sid, cbSid);
        put_names(guest, &[(domain, ReferencedDomainName, cchReferencedDomainName)], sid.is_ok())?;
        guest.write(peUse.get(), &(account.usage as u32))?;
        Ok(TRUE)
    }

    /// Returns the user's name.
    "winbase/nf-winbase-getusername"
    GetUserNameA, GetUserNameW(
        guest, width, lpBuffer: GuestWord, pcbBuffer: GuestWord
    ) -> Result<Bool, Win32Error> {
        user_name(guest, width, lpBuffer, pcbBuffer)
    }
}
