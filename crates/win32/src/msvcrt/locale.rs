//! locale.h: the locales "C" and "" (the user's), and conversions between narrow and wide text by them.

use std::sync::atomic::{AtomicU32, Ordering};

use plat_abi::{Fault, GuestStruct, GuestWord, Memory, winapi};

use super::state::{crt, place, place_narrow, variable};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::nls::code_page::{CodePage, DefaultPages};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial setlocale, "the locales \"C\" and \"\" (English, code page 1252); the decimal point is always a full stop";
    full localeconv;
    full ___lc_codepage_func;
    full ___lc_handle_func;
    full ___mb_cur_max_func;
    full _getmbcp;
    full _setmbcp;
};

/// The number of `LC_` categories.
const CATEGORIES: u32 = 6;
/// `LC_ALL` and `LC_CTYPE`.
const ALL: u32 = 0;
const CTYPE: u32 = 2;
const USER_LOCALE: &str = "English_United States.1252";

/// The locale in force: a bit for each category that is the user's rather than "C".
#[derive(Default)]
pub(crate) struct Locale {
    user: AtomicU32,
}

impl Locale {
    fn is_user(&self, category: u32) -> bool {
        self.user.load(Ordering::Relaxed) & (1 << category) != 0
    }

    /// Returns the code page of LC_CTYPE, `None` for "C".
    pub(crate) fn page(&self) -> Option<CodePage> {
        if !self.is_user(CTYPE) {
            return None;
        }
        CodePage::new(0, DefaultPages::default()).ok()
    }

    /// Converts bytes to UTF-16; in "C" each byte is its own unit.
    pub(crate) fn widen(&self, text: &[u8]) -> Vec<u16> {
        match self.page() {
            Some(page) => page.decode(text, 0).unwrap_or_default(),
            None => text.iter().map(|&byte| u16::from(byte)).collect(),
        }
    }

    /// Converts UTF-16 to bytes; what has no counterpart becomes `?`.
    pub(crate) fn narrow(&self, text: &[u16]) -> Vec<u8> {
        match self.page() {
            Some(page) => page.encode(text, 0, None, false).map(|encoded| encoded.bytes).unwrap_or_default(),
            None => text.iter().map(|&unit| u8::try_from(unit).unwrap_or(b'?')).collect(),
        }
    }

    /// Converts one unit to a byte, if the locale has it.
    pub(crate) fn narrow_unit(&self, unit: u16) -> Option<u8> {
        match self.page() {
            Some(page) => {
                let encoded = page.encode(&[unit], 0, None, true).ok()?;
                if encoded.used_default { None } else { encoded.bytes.first().copied() }
            }
            None => u8::try_from(unit).ok(),
        }
    }
}

/// `struct lconv`: ten strings and eight bytes.
#[derive(GuestStruct, Default)]
struct Lconv {
    strings: [GuestWord; 10],
    numbers: [u8; 8],
}

/// Makes the structure that `localeconv` returns, and the names of the locales.
pub(crate) fn attach(guest: &mut Guest) -> Result<(), Fault> {
    let (point, empty) = (place_narrow(guest, b".")?, place_narrow(guest, b"")?);
    let mut strings = [GuestWord(empty); 10];
    strings[0] = GuestWord(point);
    // CHAR_MAX: the "C" locale says nothing of money.
    let lconv = Lconv { strings, numbers: [127; 8] };
    let address = place(guest, &vec![0; Lconv::size(guest.machine()) as usize])?;
    guest.write(address, &lconv)?;
    guest.write_word(variable(guest, "__lconv"), address)?;
    let mut tables = crt(guest).tables.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    tables.push(("C", place_narrow(guest, b"C")?));
    tables.push(("user", place_narrow(guest, USER_LOCALE.as_bytes())?));
    Ok(())
}

fn table(guest: &Guest, name: &str) -> u64 {
    let tables = crt(guest).tables.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    tables.iter().find(|table| table.0 == name).map_or(0, |table| table.1)
}

/// Returns how numbers are written.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/localeconv>
#[winapi(cdecl)]
pub fn localeconv(guest: &mut Guest) -> Result<GuestWord, Fault> {
    guest.read_word(variable(guest, "__lconv")).map(GuestWord)
}

/// Sets or asks for the locale of a category; null for one that does not exist.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/setlocale-wsetlocale>
#[winapi(cdecl)]
pub fn setlocale(guest: &mut Guest, category: i32, locale: GuestWord) -> Result<GuestWord, Fault> {
    let Some(category) = u32::try_from(category).ok().filter(|&category| category < CATEGORIES) else {
        return Ok(GuestWord::NULL);
    };
    let state = &crt(guest).locale;
    if !locale.is_null() {
        let name = guest.read_c_string(locale.0)?;
        let user = match name.as_slice() {
            b"C" | b"POSIX" => false,
            b"" | b".1252" | b".ACP" | b"English" | b"english" => true,
            other if other == USER_LOCALE.as_bytes() => true,
            _ => return Ok(GuestWord::NULL),
        };
        let mask = if category == ALL { (1 << CATEGORIES) - 1 } else { 1 << category };
        if user {
            state.user.fetch_or(mask, Ordering::Relaxed);
        } else {
            state.user.fetch_and(!mask, Ordering::Relaxed);
        }
    }
    let asked = if category == ALL { CTYPE } else { category };
    Ok(GuestWord(table(guest, if state.is_user(asked) { "user" } else { "C" })))
}

/// Returns the code page of the locale, 0 for "C".
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/lc-codepage-func>
#[winapi(cdecl)]
pub fn ___lc_codepage_func(guest: &mut Guest) -> u32 {
    crt(guest).locale.page().map_or(0, |page| page.number())
}

/// Returns the address of the locale identifiers of the six categories: zeros, as for "C".
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/internal-crt-globals-and-functions>
#[winapi(cdecl)]
pub fn ___lc_handle_func(guest: &mut Guest) -> Result<GuestWord, Fault> {
    let known = table(guest, "handles");
    if known != 0 {
        return Ok(GuestWord(known));
    }
    let address = place(guest, &[0; 4 * CATEGORIES as usize])?;
    let mut tables = crt(guest).tables.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    tables.push(("handles", address));
    Ok(GuestWord(address))
}

/// Returns the most bytes that a character takes in the locale.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/mb-cur-max-func-mb-cur-max-l-func-p-mb-cur-max-mb-cur-max>
#[winapi(cdecl)]
pub fn ___mb_cur_max_func(guest: &mut Guest) -> u32 {
    crt(guest).locale.page().map_or(1, |page| page.max_character_size())
}

/// Returns the multibyte code page: 0, since the ANSI page is a single-byte one.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/getmbcp>
#[winapi(cdecl)]
pub fn _getmbcp(guest: &mut Guest) -> i32 {
    let _ = guest;
    0
}

/// Sets the multibyte code page: only single-byte ones exist, so only those succeed. Returns 0, or -1.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/setmbcp>
#[winapi(cdecl)]
pub fn _setmbcp(guest: &mut Guest, codepage: i32) -> i32 {
    let _ = guest;
    match codepage {
        // _MB_CP_SBCS, _MB_CP_OEM, _MB_CP_ANSI, _MB_CP_LOCALE.
        0 | -2 | -3 | -4 => 0,
        other => CodePage::new(other as u32, DefaultPages::default())
            .map_or(-1, |page| if page.max_character_size() == 1 { 0 } else { -1 }),
    }
}
