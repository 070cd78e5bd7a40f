//! `codecvt`: bytes of files and characters of the program, for `char`, `wchar_t`, `char16_t` and `char32_t`.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/codecvt-class>; <https://learn.microsoft.com/cpp/standard-library/codecvt-base-class>.

use plat_abi::{Fault, GuestWord, Memory};

use super::facets::{category, facet_class, narrow, widen};
use super::members::{kinds_of, members};
use super::object::{Words, virtual_method};
use super::streambuf::{load_unit, store_unit};
use crate::guest::Guest;

/// What a conversion answers.
pub(super) mod result {
    pub(crate) const OK: i32 = 0;
    pub(crate) const PARTIAL: i32 = 1;
    pub(crate) const ERROR: i32 = 2;
    /// Nothing is to be converted.
    pub(crate) const NONE: i32 = 3;
}

/// Places of the virtual functions.
mod slot {
    pub(super) const ALWAYS_NOCONV: u64 = 3;
    pub(super) const MAX_LENGTH: u64 = 4;
    pub(super) const ENCODING: u64 = 5;
    pub(super) const IN: u64 = 6;
    pub(super) const OUT: u64 = 7;
    pub(super) const UNSHIFT: u64 = 8;
    pub(super) const LENGTH: u64 = 9;
}

/// Writes how text is converted in the "C" locale: one byte per character.
///
/// # Errors
/// [`Fault`] when it cannot be written.
pub(super) fn put_conversion(guest: &Guest, at: u64) -> Result<(), Fault> {
    guest.write_bytes(at, &[0; 44])?;
    guest.write(at + 4, &[1_u32, 1])
}

facet_class! { codecvt_class, codecvt_statics, "?$codecvt@#DU_Mbstatet@@@std@@", category::CTYPE, "codecvt-class";
codecvt_new codecvt_new_info codecvt_new_default codecvt_end codecvt_init codecvt_make }

/// The arguments of a conversion: from, its end, where it stopped, to, its end, where that stopped.
type Conversion = [GuestWord; 6];

/// Converts one by one until one of the ranges ends; `step` reads at an address and writes at another, or says that
/// it cannot.
fn convert(
    guest: &mut Guest,
    [first, last, next, to, to_last, to_next]: Conversion,
    [from_bytes, to_bytes]: [u64; 2],
    step: impl Fn(&Guest, u64, u64) -> Result<bool, Fault>,
) -> Result<i32, Fault> {
    let (mut from, mut to) = (first.0, to.0);
    let mut is_wrong = false;
    while from < last.0 && to < to_last.0 && !is_wrong {
        if step(guest, from, to)? {
            (from, to) = (from + from_bytes, to + to_bytes);
        } else {
            is_wrong = true;
        }
    }
    let answer = match () {
        () if is_wrong => result::ERROR,
        () if from < last.0 => result::PARTIAL,
        () => result::OK,
    };
    guest.write_word(next.0, from)?;
    guest.write_word(to_next.0, to)?;
    Ok(answer)
}

/// Calls one of the facet's virtual functions with up to seven words: only 64-bit calls have so many in registers.
fn ask(guest: &mut Guest, this: GuestWord, place: u64, arguments: &[GuestWord]) -> Result<i32, Fault> {
    let words = arguments.iter().fold(Words::new(guest), |words, argument| words.word(argument.0));
    virtual_method(guest, this.0, place, words).map(|answer| answer as i32)
}

kinds_of! { CODECVT in codecvt_members, "codecvt-class";
    "Converts bytes to characters.", "?in@?$codecvt@#DU_Mbstatet@@@std@@Q*B+HA*AU_Mbstatet@@P*BD1A*AP*BDP*A#3A*AP*A#@Z";
    codecvt_in(guest, kind, this, state: GuestWord, first: GuestWord, last: GuestWord, next: GuestWord,
        to: GuestWord, to_last: GuestWord, to_next: GuestWord) -> i32 {
        ask(guest, this, slot::IN, &[state, first, last, next, to, to_last, to_next])
    }

    "Converts characters to bytes.", "?out@?$codecvt@#DU_Mbstatet@@@std@@Q*B+HA*AU_Mbstatet@@P*B#1A*AP*B#P*AD3A*AP*AD@Z";
    codecvt_out(guest, kind, this, state: GuestWord, first: GuestWord, last: GuestWord, next: GuestWord,
        to: GuestWord, to_last: GuestWord, to_next: GuestWord) -> i32 {
        ask(guest, this, slot::OUT, &[state, first, last, next, to, to_last, to_next])
    }

    "Ends a conversion.", "?unshift@?$codecvt@#DU_Mbstatet@@@std@@Q*B+HA*AU_Mbstatet@@P*AD1A*AP*AD@Z";
    codecvt_unshift(guest, kind, this, state: GuestWord, to: GuestWord, to_last: GuestWord, to_next: GuestWord) -> i32 {
        ask(guest, this, slot::UNSHIFT, &[state, to, to_last, to_next])
    }

    "Returns how many bytes make so many characters.", "?length@?$codecvt@#DU_Mbstatet@@@std@@Q*B+HA*AU_Mbstatet@@P*BD1~@Z";
    codecvt_length(guest, kind, this, state: GuestWord, first: GuestWord, last: GuestWord, most: GuestWord) -> i32 {
        ask(guest, this, slot::LENGTH, &[state, first, last, most])
    }
}

kinds_of! { CODECVT_VIRTUAL in codecvt_virtual, "codecvt-class";
    "Converts bytes to characters by the locale; `codecvt<char, char>` has nothing to do.",
    "?do_in@?$codecvt@#DU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*BD1A*AP*BDP*A#3A*AP*A#@Z";
    codecvt_do_in(guest, kind, this, state: GuestWord, first: GuestWord, last: GuestWord, next: GuestWord,
        to: GuestWord, to_last: GuestWord, to_next: GuestWord) -> i32 {
        let _ = (this, state);
        if kind.is_narrow() {
            return nothing(guest, first, next, to, to_next);
        }
        convert(guest, [first, last, next, to, to_last, to_next], [1, 2], |guest, from, to| {
            store_unit(guest, kind, to, widen(guest, kind, guest.read(from)?)).map(|()| true)
        })
    }

    "Converts characters to bytes by the locale.",
    "?do_out@?$codecvt@#DU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*B#1A*AP*B#P*AD3A*AP*AD@Z";
    codecvt_do_out(guest, kind, this, state: GuestWord, first: GuestWord, last: GuestWord, next: GuestWord,
        to: GuestWord, to_last: GuestWord, to_next: GuestWord) -> i32 {
        let _ = (this, state);
        if kind.is_narrow() {
            return nothing(guest, first, next, to, to_next);
        }
        convert(guest, [first, last, next, to, to_last, to_next], [2, 1], |guest, from, to| {
            match narrow(guest, kind, load_unit(guest, kind, from)?) {
                Some(byte) => guest.write(to, &byte).map(|()| true),
                None => Ok(false),
            }
        })
    }

    "Ends a conversion: there is nothing between two characters.",
    "?do_unshift@?$codecvt@#DU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*AD1A*AP*AD@Z";
    codecvt_do_unshift(guest, kind, this, state: GuestWord, to: GuestWord, to_last: GuestWord, to_next: GuestWord) -> i32 {
        let _ = (this, state, to_last);
        guest.write_word(to_next.0, to.0)?;
        Ok(if kind.is_narrow() { result::NONE } else { result::OK })
    }

    "Returns how many bytes make so many characters.",
    "?do_length@?$codecvt@#DU_Mbstatet@@@std@@M*B+HA*AU_Mbstatet@@P*BD1~@Z";
    codecvt_do_length(guest, kind, this, state: GuestWord, first: GuestWord, last: GuestWord, most: GuestWord) -> i32 {
        let _ = (guest, this, state);
        Ok(last.0.saturating_sub(first.0).min(most.0) as i32)
    }

    "Says whether bytes and characters are the same: they are, in `codecvt<char, char>`.",
    "?do_always_noconv@?$codecvt@#DU_Mbstatet@@@std@@M*B+_NXZ";
    codecvt_do_always_noconv(guest, kind, this) -> u8 {
        let _ = (guest, this);
        Ok(u8::from(kind.is_narrow()))
    }
}

/// Says that nothing is to be converted.
fn nothing(
    guest: &Guest,
    first: GuestWord,
    next: GuestWord,
    to: GuestWord,
    to_next: GuestWord,
) -> Result<i32, Fault> {
    guest.write_word(next.0, first.0)?;
    guest.write_word(to_next.0, to.0)?;
    Ok(result::NONE)
}

kinds_of! { LENGTHS in codecvt_lengths, "codecvt-class";
    "Returns how many bytes a character has at most: the locales that there are have code pages of single bytes.",
    "?do_max_length@?$codecvt@#DU_Mbstatet@@@std@@M*B+HXZ";
    codecvt_do_max_length(guest, kind, this) -> i32 {
        let _ = (guest, this);
        Ok(1)
    }

    "Returns how many bytes each character has.", "?do_encoding@?$codecvt@#DU_Mbstatet@@@std@@M*B+HXZ";
    codecvt_do_encoding(guest, kind, this) -> i32 { codecvt_do_max_length(guest, kind, this) }
}

members! { BASE, "codecvt-base-class";
    "Asks the facet whether bytes and characters are the same.", "?always_noconv@codecvt_base@std@@Q*B+_NXZ";
    codecvt_always_noconv(guest, this) -> u8 { ask(guest, this, slot::ALWAYS_NOCONV, &[]).map(|answer| answer as u8) }

    "Asks the facet how many bytes a character has at most.", "?max_length@codecvt_base@std@@Q*B+HXZ";
    codecvt_max_length(guest, this) -> i32 { ask(guest, this, slot::MAX_LENGTH, &[]) }

    "Asks the facet how many bytes each character has.", "?encoding@codecvt_base@std@@Q*B+HXZ";
    codecvt_encoding(guest, this) -> i32 { ask(guest, this, slot::ENCODING, &[]) }

    "Says that bytes and characters are the same.", "?do_always_noconv@codecvt_base@std@@M*B+_NXZ";
    codecvt_base_always_noconv(guest, this) -> u8 {
        let _ = (guest, this);
        Ok(1)
    }

    "Returns how many bytes each character has.", "?do_encoding@codecvt_base@std@@M*B+HXZ";
    codecvt_base_encoding(guest, this) -> i32 {
        let _ = (guest, this);
        Ok(1)
    }

    "Returns how many bytes a character has at most.", "?do_max_length@codecvt_base@std@@M*B+HXZ";
    codecvt_base_max_length(guest, this) -> i32 { codecvt_base_encoding(guest, this) }
}
