//! Facets that this DLL makes: kinds of characters (`ctype<char>`), conversion of bytes (`codecvt<char, char>`), dates.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/ctype-char-class>; <https://learn.microsoft.com/cpp/standard-library/codecvt-class>;
//! <https://learn.microsoft.com/cpp/standard-library/time-put-class>.

use plat_abi::{Fault, GuestWord, Memory};

use super::members::{functions, members, plain};
use super::tables::table;
use crate::guest::Guest;
use crate::msvcrt::state::{place, variable};

/// What `_Getcat` answers: the category.
mod category {
    pub(super) const CTYPE: u64 = 2;
    pub(super) const TIME: u64 = 5;
}

/// What a conversion answers when it does nothing.
const NO_CONVERSION: i32 = 3;

/// Makes a facet of a number of words, if the program has none yet; returns its category.
fn make(
    guest: &Guest,
    to: GuestWord,
    table_name: &'static str,
    words: u64,
    category: u64,
) -> Result<GuestWord, Fault> {
    if to.0 != 0 && guest.read_word(to.0)? == 0 {
        let facet = place(guest, &vec![0; (words * guest.machine().pointer_size()) as usize])?;
        guest.write_word(facet, table(guest, table_name))?;
        if category == category::CTYPE && words == CTYPE_WORDS {
            let word = guest.machine().pointer_size();
            // The table begins with the entry for EOF, -1.
            guest.write_word(facet + 3 * word, variable(guest, "_ctype") + 2)?;
        }
        guest.write_word(to.0, facet)?;
    }
    Ok(GuestWord(category))
}

/// Words of `ctype<char>`: the facet, then code page, table, whose the table is, name of the locale.
const CTYPE_WORDS: u64 = 6;

/// Writes how text is converted in the "C" locale: one byte per character.
///
/// # Errors
/// [`Fault`] when it cannot be written.
pub(super) fn put_conversion(guest: &Guest, at: u64) -> Result<(), Fault> {
    guest.write_bytes(at, &[0; 44])?;
    guest.write(at + 4, &[1_u32, 1])
}

functions! { FUNCTIONS, "locale";
    "Makes `ctype<char>`.", "?_Getcat@?$ctype@D@std@@SAIPAPBVfacet@locale@2@PBV42@@Z" / "?_Getcat@?$ctype@D@std@@SA_KPEAPEBVfacet@locale@2@PEBV42@@Z";
    ctype_make(guest, to: GuestWord, locale: GuestWord) -> GuestWord {
        let _ = locale;
        make(guest, to, "??_7?$ctype@D@std@@6B@", CTYPE_WORDS, category::CTYPE)
    }

    "Makes `codecvt<char, char>`.", "?_Getcat@?$codecvt@DDU_Mbstatet@@@std@@SAIPAPBVfacet@locale@2@PBV42@@Z" / "?_Getcat@?$codecvt@DDU_Mbstatet@@@std@@SA_KPEAPEBVfacet@locale@2@PEBV42@@Z";
    codecvt_make(guest, to: GuestWord, locale: GuestWord) -> GuestWord {
        let _ = locale;
        make(guest, to, "??_7?$codecvt@DDU_Mbstatet@@@std@@6B@", 2, category::CTYPE)
    }

    "Makes `time_put<char>`.", "?_Getcat@?$time_put@DV?$ostreambuf_iterator@DU?$char_traits@D@std@@@std@@@std@@SAIPAPBVfacet@locale@2@PBV42@@Z" / "?_Getcat@?$time_put@DV?$ostreambuf_iterator@DU?$char_traits@D@std@@@std@@@std@@SA_KPEAPEBVfacet@locale@2@PEBV42@@Z";
    time_put_make(guest, to: GuestWord, locale: GuestWord) -> GuestWord {
        let _ = locale;
        make(guest, to, "??_7?$time_put@DV?$ostreambuf_iterator@DU?$char_traits@D@std@@@std@@@std@@6B@", 16, category::TIME)
    }
}

fn lower(byte: u8) -> u8 {
    byte.to_ascii_lowercase()
}

fn upper(byte: u8) -> u8 {
    byte.to_ascii_uppercase()
}

/// Changes a range of characters in place; returns its end.
fn change(guest: &Guest, first: GuestWord, last: GuestWord, by: fn(u8) -> u8) -> Result<GuestWord, Fault> {
    let bytes = guest.read_vec(first.0, last.0.saturating_sub(first.0))?;
    guest.write_bytes(first.0, &bytes.into_iter().map(by).collect::<Vec<u8>>())?;
    Ok(last)
}

/// Copies a range of characters; returns its end.
fn copy(guest: &Guest, first: GuestWord, last: GuestWord, to: GuestWord) -> Result<GuestWord, Fault> {
    let bytes = guest.read_vec(first.0, last.0.saturating_sub(first.0))?;
    guest.write_bytes(to.0, &bytes)?;
    Ok(last)
}

/// Defines functions of a facet under their public name and that of the virtual function behind it.
macro_rules! twice {
    ($table:ident, $virtual:ident, $page:literal; $($doc:literal, $x86:literal / $x64:literal, $virtual86:literal / $virtual64:literal;
        $name:ident($guest:ident, $this:ident $(, $param:ident: $type:ty)*) -> $result:ty $body:block)*) => {
        members! { $table, $page; $($doc, $x86 / $x64; $name($guest, $this $(, $param: $type)*) -> $result $body)* }
        /// The exports: the virtual functions.
        pub const $virtual: &[crate::export::Export] = crate::dll! { $(member $virtual86 / $virtual64 = $name;)* };
    };
}

twice! { CTYPE, CTYPE_VIRTUAL, "ctype-char-class";
    "Makes a character a small letter.", "?tolower@?$ctype@D@std@@QBEDD@Z" / "?tolower@?$ctype@D@std@@QEBADD@Z", "?do_tolower@?$ctype@D@std@@MBEDD@Z" / "?do_tolower@?$ctype@D@std@@MEBADD@Z";
    ctype_tolower(guest, this, byte: u8) -> u8 {
        let _ = (guest, this);
        Ok(lower(byte))
    }

    "Makes characters small letters.", "?tolower@?$ctype@D@std@@QBEPBDPADPBD@Z" / "?tolower@?$ctype@D@std@@QEBAPEBDPEADPEBD@Z", "?do_tolower@?$ctype@D@std@@MBEPBDPADPBD@Z" / "?do_tolower@?$ctype@D@std@@MEBAPEBDPEADPEBD@Z";
    ctype_tolower_range(guest, this, first: GuestWord, last: GuestWord) -> GuestWord {
        let _ = this;
        change(guest, first, last, lower)
    }

    "Makes a character a capital letter.", "?toupper@?$ctype@D@std@@QBEDD@Z" / "?toupper@?$ctype@D@std@@QEBADD@Z", "?do_toupper@?$ctype@D@std@@MBEDD@Z" / "?do_toupper@?$ctype@D@std@@MEBADD@Z";
    ctype_toupper(guest, this, byte: u8) -> u8 {
        let _ = (guest, this);
        Ok(upper(byte))
    }

    "Makes characters capital letters.", "?toupper@?$ctype@D@std@@QBEPBDPADPBD@Z" / "?toupper@?$ctype@D@std@@QEBAPEBDPEADPEBD@Z", "?do_toupper@?$ctype@D@std@@MBEPBDPADPBD@Z" / "?do_toupper@?$ctype@D@std@@MEBAPEBDPEADPEBD@Z";
    ctype_toupper_range(guest, this, first: GuestWord, last: GuestWord) -> GuestWord {
        let _ = this;
        change(guest, first, last, upper)
    }

    "Widens a character, which stays.", "?widen@?$ctype@D@std@@QBEDD@Z" / "?widen@?$ctype@D@std@@QEBADD@Z", "?do_widen@?$ctype@D@std@@MBEDD@Z" / "?do_widen@?$ctype@D@std@@MEBADD@Z";
    ctype_widen(guest, this, byte: u8) -> u8 {
        let _ = (guest, this);
        Ok(byte)
    }

    "Widens characters, which stay.", "?widen@?$ctype@D@std@@QBEPBDPBD0PAD@Z" / "?widen@?$ctype@D@std@@QEBAPEBDPEBD0PEAD@Z", "?do_widen@?$ctype@D@std@@MBEPBDPBD0PAD@Z" / "?do_widen@?$ctype@D@std@@MEBAPEBDPEBD0PEAD@Z";
    ctype_widen_range(guest, this, first: GuestWord, last: GuestWord, to: GuestWord) -> GuestWord {
        let _ = this;
        copy(guest, first, last, to)
    }

    "Narrows a character, which stays.", "?narrow@?$ctype@D@std@@QBEDDD@Z" / "?narrow@?$ctype@D@std@@QEBADDD@Z", "?do_narrow@?$ctype@D@std@@MBEDDD@Z" / "?do_narrow@?$ctype@D@std@@MEBADDD@Z";
    ctype_narrow(guest, this, byte: u8, default: u8) -> u8 {
        let _ = (guest, this, default);
        Ok(byte)
    }

    "Narrows characters, which stay.", "?narrow@?$ctype@D@std@@QBEPBDPBD0DPAD@Z" / "?narrow@?$ctype@D@std@@QEBAPEBDPEBD0DPEAD@Z", "?do_narrow@?$ctype@D@std@@MBEPBDPBD0DPAD@Z" / "?do_narrow@?$ctype@D@std@@MEBAPEBDPEBD0DPEAD@Z";
    ctype_narrow_range(guest, this, first: GuestWord, last: GuestWord, default: u8, to: GuestWord) -> GuestWord {
        let _ = (this, default);
        copy(guest, first, last, to)
    }
}

twice! { CODECVT, CODECVT_VIRTUAL, "codecvt-class";
    "Converts nothing: the characters are bytes.",
    "?in@?$codecvt@DDU_Mbstatet@@@std@@QBEHAAU_Mbstatet@@PBD1AAPBDPAD3AAPAD@Z" / "?in@?$codecvt@DDU_Mbstatet@@@std@@QEBAHAEAU_Mbstatet@@PEBD1AEAPEBDPEAD3AEAPEAD@Z",
    "?do_in@?$codecvt@DDU_Mbstatet@@@std@@MBEHAAU_Mbstatet@@PBD1AAPBDPAD3AAPAD@Z" / "?do_in@?$codecvt@DDU_Mbstatet@@@std@@MEBAHAEAU_Mbstatet@@PEBD1AEAPEBDPEAD3AEAPEAD@Z";
    codecvt_in(guest, this, state: GuestWord, first: GuestWord, last: GuestWord, next: GuestWord,
        to_first: GuestWord, to_last: GuestWord, to_next: GuestWord) -> i32 {
        let _ = (this, state, last, to_last);
        guest.write_word(next.0, first.0)?;
        guest.write_word(to_next.0, to_first.0)?;
        Ok(NO_CONVERSION)
    }

    "Converts nothing: the characters are bytes.",
    "?out@?$codecvt@DDU_Mbstatet@@@std@@QBEHAAU_Mbstatet@@PBD1AAPBDPAD3AAPAD@Z" / "?out@?$codecvt@DDU_Mbstatet@@@std@@QEBAHAEAU_Mbstatet@@PEBD1AEAPEBDPEAD3AEAPEAD@Z",
    "?do_out@?$codecvt@DDU_Mbstatet@@@std@@MBEHAAU_Mbstatet@@PBD1AAPBDPAD3AAPAD@Z" / "?do_out@?$codecvt@DDU_Mbstatet@@@std@@MEBAHAEAU_Mbstatet@@PEBD1AEAPEBDPEAD3AEAPEAD@Z";
    codecvt_out(guest, this, state: GuestWord, first: GuestWord, last: GuestWord, next: GuestWord,
        to_first: GuestWord, to_last: GuestWord, to_next: GuestWord) -> i32 {
        codecvt_in(guest, this, state, first, last, next, to_first, to_last, to_next)
    }

    "Ends no conversion.",
    "?unshift@?$codecvt@DDU_Mbstatet@@@std@@QBEHAAU_Mbstatet@@PAD1AAPAD@Z" / "?unshift@?$codecvt@DDU_Mbstatet@@@std@@QEBAHAEAU_Mbstatet@@PEAD1AEAPEAD@Z",
    "?do_unshift@?$codecvt@DDU_Mbstatet@@@std@@MBEHAAU_Mbstatet@@PAD1AAPAD@Z" / "?do_unshift@?$codecvt@DDU_Mbstatet@@@std@@MEBAHAEAU_Mbstatet@@PEAD1AEAPEAD@Z";
    codecvt_unshift(guest, this, state: GuestWord, to_first: GuestWord, to_last: GuestWord, to_next: GuestWord) -> i32 {
        let _ = (this, state, to_last);
        guest.write_word(to_next.0, to_first.0)?;
        Ok(NO_CONVERSION)
    }

    "Returns how many bytes make so many characters.",
    "?length@?$codecvt@DDU_Mbstatet@@@std@@QBEHAAU_Mbstatet@@PBD1I@Z" / "?length@?$codecvt@DDU_Mbstatet@@@std@@QEBAHAEAU_Mbstatet@@PEBD1_K@Z",
    "?do_length@?$codecvt@DDU_Mbstatet@@@std@@MBEHAAU_Mbstatet@@PBD1I@Z" / "?do_length@?$codecvt@DDU_Mbstatet@@@std@@MEBAHAEAU_Mbstatet@@PEBD1_K@Z";
    codecvt_length(guest, this, state: GuestWord, first: GuestWord, last: GuestWord, most: GuestWord) -> i32 {
        let _ = (guest, this, state);
        Ok(last.0.saturating_sub(first.0).min(most.0) as i32)
    }
}

members! { CODECVT_BASE, "codecvt-base-class";
    "Says whether bytes and characters are the same: they are, in `codecvt<char, char>`.", "?do_always_noconv@?$codecvt@DDU_Mbstatet@@@std@@MBE_NXZ" / "?do_always_noconv@?$codecvt@DDU_Mbstatet@@@std@@MEBA_NXZ";
    codecvt_noconv(guest, this) -> u8 {
        let _ = (guest, this);
        Ok(1)
    }

    "Asks the facet whether bytes and characters are the same.", "?always_noconv@codecvt_base@std@@QBE_NXZ" / "?always_noconv@codecvt_base@std@@QEBA_NXZ";
    codecvt_always_noconv(guest, this) -> u8 {
        const ALWAYS_NOCONV: u64 = 3;
        let words = super::object::Words::new(guest);
        super::object::virtual_method(guest, this.0, ALWAYS_NOCONV, words).map(|answer| answer as u8)
    }

    "Returns how many bytes a character has.", "?do_encoding@codecvt_base@std@@MBEHXZ" / "?do_encoding@codecvt_base@std@@MEBAHXZ";
    codecvt_encoding(guest, this) -> i32 {
        let _ = (guest, this);
        Ok(1)
    }

    "Returns how many bytes a character has at most.", "?do_max_length@codecvt_base@std@@MBEHXZ" / "?do_max_length@codecvt_base@std@@MEBAHXZ";
    codecvt_max_length(guest, this) -> i32 { codecvt_encoding(guest, this) }
}

plain! { PLAIN, "locale";
    "Compares texts by their bytes.";
    _Strcoll(guest, first: GuestWord, first_end: GuestWord, second: GuestWord, second_end: GuestWord, how: GuestWord) -> i32 {
        let _ = how;
        let one = guest.read_vec(first.0, first_end.0.saturating_sub(first.0))?;
        let other = guest.read_vec(second.0, second_end.0.saturating_sub(second.0))?;
        Ok(one.cmp(&other) as i32)
    }

    "Makes a key by which texts compare as by `_Strcoll`: the text itself.";
    _Strxfrm(guest, to: GuestWord, to_end: GuestWord, first: GuestWord, last: GuestWord, how: GuestWord) -> GuestWord {
        let _ = how;
        let bytes = guest.read_vec(first.0, last.0.saturating_sub(first.0))?;
        if bytes.len() as u64 <= to_end.0.saturating_sub(to.0) {
            guest.write_bytes(to.0, &bytes)?;
        }
        Ok(GuestWord(bytes.len() as u64))
    }

    "Makes a character a small letter."; _Tolower(guest, byte: i32, how: GuestWord) -> i32 {
        let _ = (guest, how);
        Ok(u8::try_from(byte).map_or(byte, |byte| lower(byte).into()))
    }

    "Makes a character a capital letter."; _Toupper(guest, byte: i32, how: GuestWord) -> i32 {
        let _ = (guest, how);
        Ok(u8::try_from(byte).map_or(byte, |byte| upper(byte).into()))
    }
}
