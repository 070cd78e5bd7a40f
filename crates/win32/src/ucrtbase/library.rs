//! What Microsoft's own msvcp140.dll asks of the Universal CRT: programs often bring it along.
//!
//! Source: names and arguments as in the public headers of the Universal CRT and of Microsoft's C++ library.

use plat_abi::{GuestWord, Memory};

use crate::dll;
use crate::export::Export;
use crate::msvcrt::define::define;
use crate::msvcrt::malloc::_set_new_handler;
use crate::msvcrt::state::{place_narrow, place_wide, variable};
use crate::msvcrt::time::{strftime, wcsftime};
use crate::msvcrt::{locks, malloc};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _lock_locales; full _unlock_locales; full _set_new_handler;
};

/// What old runtimes have, too, msvcrt.dll among them.
pub const OLD_EXPORTS: &[Export] = dll! {
    full __pctype_func; full __strncnt; full __wcsncnt;
    full _Getdays; full _Getmonths; full _W_Getdays; full _W_Getmonths; full _Gettnames; full _W_Gettnames;
    full _Strftime; full _Wcsftime;
};

/// The lock of locales.
const LOCALE_LOCK: i32 = 4;

/// Names of days in the "C" locale, short and long, each after a colon.
pub(crate) const DAYS: &str =
    ":Sun:Sunday:Mon:Monday:Tue:Tuesday:Wed:Wednesday:Thu:Thursday:Fri:Friday:Sat:Saturday";
/// Names of months, as [`DAYS`].
pub(crate) const MONTHS: &str = ":Jan:January:Feb:February:Mar:March:Apr:April:May:May:Jun:June\
    :Jul:July:Aug:August:Sep:September:Oct:October:Nov:November:Dec:December";

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

define! {
    "Takes the lock of locales.", "locale";
    _lock_locales(guest) -> () {
        locks::_lock(guest, LOCALE_LOCK);
        Ok(())
    }

    "Gives the lock of locales back.", "locale";
    _unlock_locales(guest) -> () {
        locks::_unlock(guest, LOCALE_LOCK);
        Ok(())
    }

    "Returns the table of kinds of characters.", "pctype-func";
    __pctype_func(guest) -> GuestWord { guest.read_word(variable(guest, "_pctype")).map(GuestWord) }

    "Returns how many characters of at most so many come before the terminator.", "strnlen-strnlen-s";
    __strncnt(guest, string: GuestWord, count: GuestWord) -> GuestWord {
        let mut length = 0;
        while length < count.0 && guest.read::<u8>(string.0 + length)? != 0 {
            length += 1;
        }
        Ok(GuestWord(length))
    }

    "Returns how many wide characters of at most so many come before the terminator.", "strnlen-strnlen-s";
    __wcsncnt(guest, string: GuestWord, count: GuestWord) -> GuestWord {
        let mut length = 0;
        while length < count.0 && guest.read::<u16>(string.0 + 2 * length)? != 0 {
            length += 1;
        }
        Ok(GuestWord(length))
    }

    "Returns the names of days, which the caller frees.", "strftime-wcsftime-strftime-l-wcsftime-l";
    _Getdays(guest) -> GuestWord { place_narrow(guest, DAYS.as_bytes()).map(GuestWord) }

    "Returns the names of months, which the caller frees.", "strftime-wcsftime-strftime-l-wcsftime-l";
    _Getmonths(guest) -> GuestWord { place_narrow(guest, MONTHS.as_bytes()).map(GuestWord) }

    "Returns the names of days, which the caller frees.", "strftime-wcsftime-strftime-l-wcsftime-l";
    _W_Getdays(guest) -> GuestWord { place_wide(guest, &units(DAYS)).map(GuestWord) }

    "Returns the names of months, which the caller frees.", "strftime-wcsftime-strftime-l-wcsftime-l";
    _W_Getmonths(guest) -> GuestWord { place_wide(guest, &units(MONTHS)).map(GuestWord) }

    "Returns how dates are written, for `_Strftime`, which knows it; the caller frees it.", "strftime-wcsftime-strftime-l-wcsftime-l";
    _Gettnames(guest) -> GuestWord { malloc::malloc(guest, GuestWord(1)) }

    "Returns how dates are written, for `_Wcsftime`, which knows it; the caller frees it.", "strftime-wcsftime-strftime-l-wcsftime-l";
    _W_Gettnames(guest) -> GuestWord { malloc::malloc(guest, GuestWord(1)) }

    "Formats fields; returns the length, or 0 when it does not fit.", "strftime-wcsftime-strftime-l-wcsftime-l";
    _Strftime(guest, strDest: GuestWord, maxsize: GuestWord, format: GuestWord, timeptr: GuestWord, names: GuestWord) -> GuestWord {
        let _ = names;
        strftime(guest, strDest, maxsize, format, timeptr)
    }

    "Formats fields as wide text; returns the length, or 0 when it does not fit.", "strftime-wcsftime-strftime-l-wcsftime-l";
    _Wcsftime(guest, strDest: GuestWord, maxsize: GuestWord, format: GuestWord, timeptr: GuestWord, names: GuestWord) -> GuestWord {
        let _ = names;
        wcsftime(guest, strDest, maxsize, format, timeptr)
    }
}
