//! winnls.h: the languages in which programs are asked to speak: the user's one.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::nt::nls;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial GetThreadPreferredUILanguages, "the user's language only";
    partial GetUserPreferredUILanguages, "the user's language only";
    partial GetSystemPreferredUILanguages, "the user's language only";
    partial GetProcessPreferredUILanguages, "none are ever set";
    partial SetThreadPreferredUILanguages, "accepted and not kept";
    partial SetProcessPreferredUILanguages, "accepted and not kept";
};

/// `MUI_LANGUAGE_ID`: hexadecimal numbers instead of names.
const LANGUAGE_ID: u32 = 4;

/// Returns the list: the languages with a zero behind each, and one more.
fn languages(flags: u32) -> Vec<u16> {
    let locale = nls::user_locale();
    let name =
        if flags & LANGUAGE_ID != 0 { format!("{:04X}", locale.number) } else { locale.name.to_owned() };
    name.encode_utf16().chain([0, 0]).collect()
}

/// Stores a list: how many languages, how many units, and the list where there is room for it.
fn deliver(
    guest: &Guest,
    list: &[u16],
    count: u32,
    number: GuestWord,
    buffer: GuestWord,
    size: GuestWord,
) -> Result<Bool, Win32Error> {
    if size.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let room = guest.read_u32(size.get())? as usize;
    if !number.is_null() {
        guest.write(number.get(), &count)?;
    }
    guest.write(size.get(), &(list.len() as u32))?;
    if buffer.is_null() {
        return if room == 0 { Ok(TRUE) } else { Err(Win32Error::INVALID_PARAMETER) };
    }
    if room < list.len() {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    guest.write_wide(buffer.get(), list)?;
    Ok(TRUE)
}

/// Defines functions that list languages: what one lists, its page, its name, the list and its length by the flags.
macro_rules! listers {
    ($($(#[doc = $what:literal])+ $page:literal $name:ident = $list:expr, $count:literal;)*) => {$(
        $(#[doc = $what])+
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/win32/api/winnls/nf-winnls-", $page, ">")]
        #[winapi]
        pub fn $name(
            guest: &mut Guest,
            dwFlags: u32,
            pulNumLanguages: GuestWord,
            pwszLanguagesBuffer: GuestWord,
            pcchLanguagesBuffer: GuestWord,
        ) -> Result<Bool, Win32Error> {
            let list: fn(u32) -> Vec<u16> = $list;
            deliver(guest, &list(dwFlags), $count, pulNumLanguages, pwszLanguagesBuffer, pcchLanguagesBuffer)
        }
    )*};
}

listers! {
    /// Lists the thread's languages, those of the user and the system behind them.
    "getthreadpreferreduilanguages" GetThreadPreferredUILanguages = languages, 1;
    /// Lists the user's languages.
    "getuserpreferreduilanguages" GetUserPreferredUILanguages = languages, 1;
    /// Lists the system's languages.
    "getsystempreferreduilanguages" GetSystemPreferredUILanguages = languages, 1;
    /// Lists the languages that the process set: none.
    "getprocesspreferreduilanguages" GetProcessPreferredUILanguages = |_| vec![0, 0], 0;
}

alike! {
    fn(guest;
        dwFlags: u32, pwszLanguagesBuffer: GuestWord, pulNumLanguages: GuestWord
    ) -> Result<Bool, Win32Error> {
        let _ = (dwFlags, pwszLanguagesBuffer);
        if !pulNumLanguages.is_null() {
            guest.write(pulNumLanguages.get(), &1u32)?;
        }
        Ok(TRUE)
    }

    /// Sets the thread's languages: there is one language only.
    "winnls/nf-winnls-setthreadpreferreduilanguages"
    SetThreadPreferredUILanguages;

    /// Sets the process's languages: there is one language only.
    "winnls/nf-winnls-setprocesspreferreduilanguages"
    SetProcessPreferredUILanguages;
}
