//! The system's code pages, and strings in guest memory converted with them: what every `…A` function does first.
//!
//! Key functions: [`ansi`], [`page`], [`read_ansi`], [`narrow`], [`read_counted`].

use std::borrow::Cow;
use std::sync::OnceLock;

use plat_abi::{Fault, GuestWord, Memory};

use crate::Win32Error;
use crate::guest::Guest;
use crate::logic::nls::code_page::{CodePage, DefaultPages};
use crate::logic::nls::locale::{self, Locale};
use crate::logic::nls::locale_names;

/// The environment variable of plat that names the locale of the system and the user, as in `ja-JP`.
pub const VARIABLE: &str = "PLAT_LOCALE";

/// Returns the locale of the system and of every user: what `PLAT_LOCALE` names, else English (United States). The
/// variables of Linux do not count, so that a program writes the same everywhere unless it is asked not to.
pub fn user_locale() -> &'static Locale {
    static USER: OnceLock<&'static Locale> = OnceLock::new();
    USER.get_or_init(|| {
        let name = std::env::var(VARIABLE).unwrap_or_default();
        let number = locale_names::number_of(name.trim()).filter(|_| !name.trim().is_empty());
        let number = number.and_then(locale_names::specific);
        number.and_then(|number| locale::of_number(number.into())).unwrap_or(&locale::EN_US)
    })
}

/// Returns the ANSI and OEM pages of the system: those of the user's locale; UTF-8 where it has none.
pub fn default_pages() -> DefaultPages {
    let usual = DefaultPages::default();
    let locale = user_locale();
    let page = |kind, usual| match locale.number(kind) {
        0 | 1 => 65001,
        number if CodePage::new(number, DefaultPages::default()).is_ok() => number,
        _ => usual,
    };
    DefaultPages { ansi: page(locale::ANSI_PAGE, usual.ansi), oem: page(locale::OEM_PAGE, usual.oem) }
}

/// The identifier of the OEM code page.
pub const CP_OEMCP: u32 = 1;

static ANSI: OnceLock<CodePage> = OnceLock::new();
static OEM: OnceLock<CodePage> = OnceLock::new();

/// Returns the ANSI code page: windows-1252, or that of `PLAT_LOCALE`.
pub fn ansi() -> &'static CodePage {
    ANSI.get_or_init(|| built_in(0))
}

/// Returns the OEM code page: 437, or that of `PLAT_LOCALE`.
pub fn oem() -> &'static CodePage {
    OEM.get_or_init(|| built_in(CP_OEMCP))
}

fn built_in(identifier: u32) -> CodePage {
    CodePage::new(identifier, default_pages()).expect("the default pages are in the tables")
}

/// Returns the code page of an identifier; `CP_ACP`, `CP_OEMCP` and `CP_THREAD_ACP` are resolved.
///
/// # Errors
/// `INVALID_PARAMETER` for a page that plat does not have.
pub fn page(identifier: u32) -> Result<Cow<'static, CodePage>, Win32Error> {
    match identifier {
        0 | 3 => Ok(Cow::Borrowed(ansi())),
        CP_OEMCP => Ok(Cow::Borrowed(oem())),
        // Tables of other pages are made anew each time; what nearly all ask for is made already.
        number if number == ansi().number() => Ok(Cow::Borrowed(ansi())),
        number if number == oem().number() => Ok(Cow::Borrowed(oem())),
        _ => CodePage::new(identifier, DefaultPages::default()).map(Cow::Owned),
    }
}

/// Converts ANSI text; bytes without a character become `?`.
pub fn widen(text: &[u8]) -> Vec<u16> {
    // Without flags no page refuses anything.
    ansi().decode(text, 0).unwrap_or_default()
}

/// Converts to ANSI text; characters that the page lacks become `?` or a look-alike.
pub fn narrow(text: &[u16]) -> Vec<u8> {
    ansi().encode(text, 0, None, false).map(|encoded| encoded.bytes).unwrap_or_default()
}

/// Reads an ANSI string that ends with a zero.
///
/// # Errors
/// [`Fault`] when memory ends before the string does.
pub fn read_ansi(guest: &Guest, address: u64) -> Result<Vec<u16>, Fault> {
    Ok(widen(&guest.read_c_string(address)?))
}

/// Reads UTF-16 text of `length` units; with a negative length up to and including its zero.
///
/// # Errors
/// [`Fault`] when it cannot be read.
pub fn read_counted_wide(guest: &Guest, address: GuestWord, length: i32) -> Result<Vec<u16>, Fault> {
    match u64::try_from(length) {
        Ok(length) => guest.read_wide(address.get(), length),
        Err(_) => {
            let mut text = guest.read_wide_string(address.get())?;
            text.push(0);
            Ok(text)
        }
    }
}

/// Reads `length` bytes of text; with a negative length up to and including its zero.
///
/// # Errors
/// [`Fault`] when it cannot be read.
pub fn read_counted(guest: &Guest, address: GuestWord, length: i32) -> Result<Vec<u8>, Fault> {
    match u64::try_from(length) {
        Ok(length) => guest.read_vec(address.get(), length),
        Err(_) => {
            let mut text = guest.read_c_string(address.get())?;
            text.push(0);
            Ok(text)
        }
    }
}

/// Hands UTF-16 text to a buffer of `capacity` units and returns its length; a capacity of 0 asks for the length.
///
/// # Errors
/// `INSUFFICIENT_BUFFER` after what fits was written, `INVALID_PARAMETER` for a negative capacity, `NOACCESS`.
pub fn put_wide(guest: &Guest, buffer: GuestWord, capacity: i32, text: &[u16]) -> Result<i32, Win32Error> {
    let capacity = usize::try_from(capacity).map_err(|_| Win32Error::INVALID_PARAMETER)?;
    let length = i32::try_from(text.len()).map_err(|_| Win32Error::INVALID_PARAMETER)?;
    if capacity == 0 {
        return Ok(length);
    }
    guest.write_wide(buffer.get(), &text[..text.len().min(capacity)])?;
    if text.len() > capacity { Err(Win32Error::INSUFFICIENT_BUFFER) } else { Ok(length) }
}

/// Hands bytes to a buffer of `capacity` bytes and returns their number; a capacity of 0 asks for it.
///
/// # Errors
/// As [`put_wide`].
pub fn put_bytes(guest: &Guest, buffer: GuestWord, capacity: i32, text: &[u8]) -> Result<i32, Win32Error> {
    let capacity = usize::try_from(capacity).map_err(|_| Win32Error::INVALID_PARAMETER)?;
    let length = i32::try_from(text.len()).map_err(|_| Win32Error::INVALID_PARAMETER)?;
    if capacity == 0 {
        return Ok(length);
    }
    guest.write_bytes(buffer.get(), &text[..text.len().min(capacity)])?;
    if text.len() > capacity { Err(Win32Error::INSUFFICIENT_BUFFER) } else { Ok(length) }
}
