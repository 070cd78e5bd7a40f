//! What facets have in common: how they are made, and `ctype`: kinds of characters, their cases, wide and narrow forms.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/ctype-class>; <https://learn.microsoft.com/cpp/standard-library/ctype-char-class>.

use plat_abi::{Fault, GuestWord, Memory};

use super::members::{functions, kinds_of, members, more_names};
use super::names::Kind;
use super::object::{Words, virtual_method};
use super::streambuf::{load_unit, store_unit};
use super::tables::table;
use crate::guest::Guest;
use crate::msvcrt::ctype::is_wide;
use crate::msvcrt::state::{crt, place, variable};

/// What `_Getcat` answers: the category.
pub(super) mod category {
    pub(crate) const CTYPE: u64 = 2;
    pub(crate) const NUMERIC: u64 = 4;
    pub(crate) const TIME: u64 = 5;
}

/// Words of a facet that this DLL makes: enough for any.
const WORDS: u64 = 24;

/// Fills a facet: its table, how many references it has from its start; `ctype<char>` leads to the kinds of characters, a
/// table that begins with the entry for EOF, -1.
pub(super) fn init(
    guest: &Guest,
    this: GuestWord,
    names: [&'static str; 3],
    kind: Kind,
    references: u64,
) -> Result<(), Fault> {
    let word = guest.machine().pointer_size();
    guest.write_word(this.0, table(guest, kind.pick(names)))?;
    guest.write(this.0 + word, &(references as u32))?;
    if names == TABLES && kind.is_narrow() {
        guest.write_word(this.0 + 3 * word, classic(guest))?;
    }
    Ok(())
}

/// Makes a facet if the program has none yet; returns its category.
pub(super) fn make(
    guest: &Guest,
    to: GuestWord,
    names: [&'static str; 3],
    kind: Kind,
    category: u64,
) -> Result<GuestWord, Fault> {
    if to.0 != 0 && guest.read_word(to.0)? == 0 {
        let facet = place(guest, &vec![0; (WORDS * guest.machine().pointer_size()) as usize])?;
        init(guest, GuestWord(facet), names, kind, 0)?;
        guest.write_word(to.0, facet)?;
    }
    Ok(GuestWord(category))
}

/// Where the kinds of the "C" locale's characters are.
fn classic(guest: &Guest) -> u64 {
    variable(guest, "_ctype") + 2
}

/// Defines what all facets of this DLL have: constructors, destructor, `_Init`, `_Getcat`: the modules, the class as names
/// have it, its category, the page, the functions' names.
macro_rules! facet_class {
    ($module:ident, $statics:ident, $class:literal, $category:expr, $page:literal;
        $new:ident $new_info:ident $new_default:ident $end:ident $init:ident $make:ident) => {
        /// The tables of virtual functions.
        const TABLES: [&str; 3] = $crate::msvcp140::names::kinds!(concat!("??_7", $class, "6B@"));

        $crate::msvcp140::members::kinds_of! { CLASS in $module, $page;
            "Makes a facet.", concat!("??0", $class, "Q*A+@~@Z");
            $new(guest, kind, this, references: GuestWord) -> GuestWord {
                $crate::msvcp140::facets::init(guest, this, TABLES, kind, references.0)?;
                Ok(this)
            }

            "Makes a facet for a locale.", concat!("??0", $class, "Q*A+@A*BV_Locinfo@1@~@Z");
            $new_info(guest, kind, this, info: GuestWord, references: GuestWord) -> GuestWord {
                let _ = info;
                $new(guest, kind, this, references)
            }

            "Makes a facet without references.", concat!("??_F", $class, "Q*A+XXZ");
            $new_default(guest, kind, this) -> () { $new(guest, kind, this, GuestWord(0)).map(drop) }

            "Ends a facet, which owns nothing.", concat!("??1", $class, "M*A+@XZ");
            $end(guest, kind, this) -> () {
                let _ = (guest, this);
                Ok(())
            }

            "Takes what a facet needs from a locale: nothing.", concat!("?_Init@", $class, "I*A+XA*BV_Locinfo@2@@Z");
            $init(guest, kind, this, info: GuestWord) -> () {
                let _ = (guest, this, info);
                Ok(())
            }
        }

        $crate::msvcp140::members::kinds_of! { static STATICS in $statics, $page;
            "Makes a facet for programs that have none yet; returns its category.",
            concat!("?_Getcat@", $class, "SA~P*AP*BVfacet@locale@2@P*BV42@@Z");
            $make(guest, kind, to: GuestWord, locale: GuestWord) -> GuestWord {
                let _ = locale;
                $crate::msvcp140::facets::make(guest, to, TABLES, kind, $category)
            }
        }
    };
}
pub(super) use facet_class;

facet_class! { ctype_class, ctype_statics, "?$ctype@#@std@@", category::CTYPE, "ctype-class";
ctype_new ctype_new_info ctype_new_default ctype_end ctype_init ctype_make }

/// Returns the wide form of a byte in the locale.
pub(super) fn widen(guest: &Guest, kind: Kind, byte: u8) -> u16 {
    match kind.is_narrow() {
        true => byte.into(),
        false => crt(guest).locale.widen(&[byte]).first().copied().unwrap_or(u16::MAX),
    }
}

/// Returns the narrow form of a character, where it has one.
pub(super) fn narrow(guest: &Guest, kind: Kind, unit: u16) -> Option<u8> {
    if kind.is_narrow() { Some(unit as u8) } else { crt(guest).locale.narrow_unit(unit) }
}

/// Returns the kinds that a character has: bits as of `ctype_base::mask`.
pub(super) fn class_of(kind: Kind, unit: u16) -> u16 {
    const LETTER: u32 = 0x100;
    if kind.is_narrow() {
        crate::msvcrt::ctype::bits(unit as u8) as u16
    } else {
        is_wide(unit, 0xff | LETTER) as u16
    }
}

/// Returns a character in the other case.
pub(super) fn in_case(guest: &Guest, kind: Kind, unit: u16, is_upper: bool) -> u16 {
    match u8::try_from(unit) {
        Ok(byte) if kind.is_narrow() || byte.is_ascii() => {
            u16::from(if is_upper { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() })
        }
        _ if kind.is_narrow() || crt(guest).locale.page().is_none() => unit,
        _ if is_upper => crate::logic::nls::case::upcase(unit),
        _ => crate::logic::nls::case::downcase(unit),
    }
}

/// A range of characters of the program's.
#[derive(Clone, Copy)]
struct Range {
    kind: Kind,
    first: u64,
    last: u64,
}

impl Range {
    fn new(kind: Kind, first: GuestWord, last: GuestWord) -> Self {
        Self { kind, first: first.0, last: last.0 }
    }

    /// Returns the places of the characters.
    fn places(self) -> impl Iterator<Item = u64> {
        (self.first..self.last).step_by(self.kind.unit() as usize)
    }

    fn change(self, guest: &Guest, is_upper: bool) -> Result<GuestWord, Fault> {
        for at in self.places() {
            let unit = load_unit(guest, self.kind, at)?;
            store_unit(guest, self.kind, at, in_case(guest, self.kind, unit, is_upper))?;
        }
        Ok(GuestWord(self.last))
    }

    /// Finds the first character that has one of some kinds, or has none of them; the end if there is none.
    fn find(self, guest: &Guest, mask: u16, wanted: bool) -> Result<GuestWord, Fault> {
        for at in self.places() {
            if (class_of(self.kind, load_unit(guest, self.kind, at)?) & mask != 0) == wanted {
                return Ok(GuestWord(at));
            }
        }
        Ok(GuestWord(self.last))
    }
}

/// Places of the virtual functions behind those that all facets have; wide characters have four more before.
mod slot {
    pub(super) const LOWER_RANGE: u64 = 3;
    pub(super) const LOWER: u64 = 4;
    pub(super) const UPPER_RANGE: u64 = 5;
    pub(super) const UPPER: u64 = 6;
    pub(super) const WIDEN_RANGE: u64 = 7;
    pub(super) const WIDEN: u64 = 8;
    pub(super) const NARROW_RANGE: u64 = 9;
    pub(super) const NARROW: u64 = 10;
}

/// Calls one of the facet's virtual functions: a program's own facet may have another one.
fn ask(guest: &mut Guest, kind: Kind, this: GuestWord, slot: u64, arguments: &[u64]) -> Result<u64, Fault> {
    const WIDE_ONLY: u64 = 4;
    let words = arguments.iter().fold(Words::new(guest), |words, &argument| words.word(argument));
    let place = if kind.is_narrow() { slot } else { slot + WIDE_ONLY };
    virtual_method(guest, this.0, place, words)
}

kinds_of! { CTYPE in ctype_members, "ctype-class";
    "Makes a character a small letter.", "?tolower@?$ctype@#@std@@Q*B+##@Z";
    ctype_tolower(guest, kind, this, unit: u32) -> u16 { ask(guest, kind, this, slot::LOWER, &[unit.into()]).map(|unit| unit as u16) }

    "Makes characters small letters.", "?tolower@?$ctype@#@std@@Q*B+P*B#P*A#P*B#@Z";
    ctype_tolower_range(guest, kind, this, first: GuestWord, last: GuestWord) -> GuestWord {
        ask(guest, kind, this, slot::LOWER_RANGE, &[first.0, last.0]).map(GuestWord)
    }

    "Makes a character a capital letter.", "?toupper@?$ctype@#@std@@Q*B+##@Z";
    ctype_toupper(guest, kind, this, unit: u32) -> u16 { ask(guest, kind, this, slot::UPPER, &[unit.into()]).map(|unit| unit as u16) }

    "Makes characters capital letters.", "?toupper@?$ctype@#@std@@Q*B+P*B#P*A#P*B#@Z";
    ctype_toupper_range(guest, kind, this, first: GuestWord, last: GuestWord) -> GuestWord {
        ask(guest, kind, this, slot::UPPER_RANGE, &[first.0, last.0]).map(GuestWord)
    }

    "Widens a character.", "?widen@?$ctype@#@std@@Q*B+#D@Z";
    ctype_widen(guest, kind, this, byte: u8) -> u16 { ask(guest, kind, this, slot::WIDEN, &[byte.into()]).map(|unit| unit as u16) }

    "Widens characters.", "?widen@?$ctype@#@std@@Q*B+P*BDP*BD0P*A#@Z";
    ctype_widen_range(guest, kind, this, first: GuestWord, last: GuestWord, to: GuestWord) -> GuestWord {
        ask(guest, kind, this, slot::WIDEN_RANGE, &[first.0, last.0, to.0]).map(GuestWord)
    }

    "Narrows a character.", "?narrow@?$ctype@#@std@@Q*B+D#D@Z";
    ctype_narrow(guest, kind, this, unit: u32, default: u8) -> u8 {
        ask(guest, kind, this, slot::NARROW, &[unit.into(), default.into()]).map(|byte| byte as u8)
    }

    "Narrows characters.", "?narrow@?$ctype@#@std@@Q*B+P*B#P*B#0DP*AD@Z";
    ctype_narrow_range(guest, kind, this, first: GuestWord, last: GuestWord, default: u8, to: GuestWord) -> GuestWord {
        ask(guest, kind, this, slot::NARROW_RANGE, &[first.0, last.0, default.into(), to.0]).map(GuestWord)
    }

    "Says whether a character has one of some kinds.", "?is@?$ctype@#@std@@Q*B+_NF#@Z";
    ctype_is(guest, kind, this, mask: u16, unit: u32) -> u8 {
        let _ = (guest, this);
        Ok(u8::from(class_of(kind, kind.value(unit)) & mask != 0))
    }

    "Stores the kinds of characters.", "?is@?$ctype@#@std@@Q*B+P*B#P*B#0P*AF@Z";
    ctype_is_range(guest, kind, this, first: GuestWord, last: GuestWord, to: GuestWord) -> GuestWord {
        let _ = this;
        for (index, at) in (0..).zip(Range::new(kind, first, last).places()) {
            guest.write(to.0 + 2 * index, &class_of(kind, load_unit(guest, kind, at)?))?;
        }
        Ok(last)
    }

    "Finds the first character that has one of some kinds.", "?scan_is@?$ctype@#@std@@Q*B+P*B#FP*B#0@Z";
    ctype_scan_is(guest, kind, this, mask: u16, first: GuestWord, last: GuestWord) -> GuestWord {
        let _ = this;
        Range::new(kind, first, last).find(guest, mask, true)
    }

    "Finds the first character that has none of some kinds.", "?scan_not@?$ctype@#@std@@Q*B+P*B#FP*B#0@Z";
    ctype_scan_not(guest, kind, this, mask: u16, first: GuestWord, last: GuestWord) -> GuestWord {
        let _ = this;
        Range::new(kind, first, last).find(guest, mask, false)
    }
}

more_names! { wide CTYPE_WIDE of ctype_members;
    "?do_is@?$ctype@#@std@@M*B+_NF#@Z" => ctype_is;
    "?do_is@?$ctype@#@std@@M*B+P*B#P*B#0P*AF@Z" => ctype_is_range;
    "?do_scan_is@?$ctype@#@std@@M*B+P*B#FP*B#0@Z" => ctype_scan_is;
    "?do_scan_not@?$ctype@#@std@@M*B+P*B#FP*B#0@Z" => ctype_scan_not;
}

kinds_of! { CTYPE_VIRTUAL in ctype_virtual, "ctype-class";
    "Makes a character a small letter.", "?do_tolower@?$ctype@#@std@@M*B+##@Z";
    ctype_do_tolower(guest, kind, this, unit: u32) -> u16 {
        let _ = this;
        Ok(in_case(guest, kind, kind.value(unit), false))
    }

    "Makes characters small letters.", "?do_tolower@?$ctype@#@std@@M*B+P*B#P*A#P*B#@Z";
    ctype_do_tolower_range(guest, kind, this, first: GuestWord, last: GuestWord) -> GuestWord {
        let _ = this;
        Range::new(kind, first, last).change(guest, false)
    }

    "Makes a character a capital letter.", "?do_toupper@?$ctype@#@std@@M*B+##@Z";
    ctype_do_toupper(guest, kind, this, unit: u32) -> u16 {
        let _ = this;
        Ok(in_case(guest, kind, kind.value(unit), true))
    }

    "Makes characters capital letters.", "?do_toupper@?$ctype@#@std@@M*B+P*B#P*A#P*B#@Z";
    ctype_do_toupper_range(guest, kind, this, first: GuestWord, last: GuestWord) -> GuestWord {
        let _ = this;
        Range::new(kind, first, last).change(guest, true)
    }

    "Widens a character.", "?do_widen@?$ctype@#@std@@M*B+#D@Z";
    ctype_do_widen(guest, kind, this, byte: u8) -> u16 {
        let _ = this;
        Ok(widen(guest, kind, byte))
    }

    "Widens characters.", "?do_widen@?$ctype@#@std@@M*B+P*BDP*BD0P*A#@Z";
    ctype_do_widen_range(guest, kind, this, first: GuestWord, last: GuestWord, to: GuestWord) -> GuestWord {
        let _ = this;
        for (index, at) in (0..).zip(first.0..last.0) {
            store_unit(guest, kind, to.0 + index * kind.unit(), widen(guest, kind, guest.read(at)?))?;
        }
        Ok(last)
    }

    "Narrows a character.", "?do_narrow@?$ctype@#@std@@M*B+D#D@Z";
    ctype_do_narrow(guest, kind, this, unit: u32, default: u8) -> u8 {
        let _ = this;
        Ok(narrow(guest, kind, kind.value(unit)).unwrap_or(default))
    }

    "Narrows characters.", "?do_narrow@?$ctype@#@std@@M*B+P*B#P*B#0DP*AD@Z";
    ctype_do_narrow_range(guest, kind, this, first: GuestWord, last: GuestWord, default: u8, to: GuestWord) -> GuestWord {
        let _ = this;
        for (index, at) in (0..).zip(Range::new(kind, first, last).places()) {
            let unit = load_unit(guest, kind, at)?;
            guest.write(to.0 + index, &narrow(guest, kind, unit).unwrap_or(default))?;
        }
        Ok(last)
    }
}

more_names! { wide CTYPE_HELPERS of ctype_virtual;
    "?_Dowiden@?$ctype@#@std@@I*B+#D@Z" => ctype_do_widen;
    "?_Donarrow@?$ctype@#@std@@I*B+D#D@Z" => ctype_do_narrow;
}

members! { CTYPE_CHAR, "ctype-char-class";
    "Makes a facet with a table of the program's; null: the \"C\" locale's.", "??0?$ctype@D@std@@Q*A+@P*BF_N~@Z";
    ctype_new_table(guest, this, kinds: GuestWord, owns: u8, references: GuestWord) -> GuestWord {
        let _ = owns;
        ctype_new(guest, Kind::Narrow, this, references)?;
        if !kinds.is_null() {
            guest.write_word(this.0 + 3 * guest.machine().pointer_size(), kinds.0)?;
        }
        Ok(this)
    }

    "Returns the table of kinds.", "?table@?$ctype@D@std@@Q*B+P*BFXZ";
    ctype_table(guest, this) -> GuestWord { guest.read_word(this.0 + 3 * guest.machine().pointer_size()).map(GuestWord) }

    "Gives back what the facet owns: nothing.", "?_Tidy@?$ctype@D@std@@I*A+XXZ";
    ctype_tidy(guest, this) -> () {
        let _ = (guest, this);
        Ok(())
    }
}

functions! { CTYPE_CLASSIC, "ctype-char-class";
    "Returns the \"C\" locale's table of kinds.", "?classic_table@?$ctype@D@std@@SAP*BFXZ";
    ctype_classic_table(guest) -> GuestWord { Ok(GuestWord(classic(guest))) }
}
