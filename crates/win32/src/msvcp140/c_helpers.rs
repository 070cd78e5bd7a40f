//! C functions of msvcp140.dll behind inline functions of the headers: characters and collation of a locale, numbers from
//! text, properties of fractions, threads.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/locale>; declarations of the public headers `xlocinfo.h`,
//! `xmath.h`, `xthreads.h` (<https://github.com/microsoft/STL>).

use plat_abi::{Fault, GuestWord, Memory};

use super::codecvt::put_conversion;
use super::errors::result::{ERROR, SUCCESS};
use super::facets::{class_of, ctype_classic_table, in_case, narrow, widen};
use super::members::{plain, row};
use super::names::Kind;
use super::streambuf::load_unit;
use crate::dll;
use crate::export::{Body, Data, DataSize, Export};
use crate::guest::Guest;
use crate::logic::number::{read_float_c99, read_integer};

/// Reads the characters between two places.
fn range(guest: &Guest, kind: Kind, first: GuestWord, last: GuestWord) -> Result<Vec<u16>, Fault> {
    (first.0..last.0).step_by(kind.unit() as usize).map(|at| load_unit(guest, kind, at)).collect()
}

/// Compares texts by their characters.
fn compare(guest: &Guest, kind: Kind, one: [GuestWord; 2], other: [GuestWord; 2]) -> Result<i32, Fault> {
    Ok(range(guest, kind, one[0], one[1])?.cmp(&range(guest, kind, other[0], other[1])?) as i32)
}

/// Copies a text as its own key; returns its length.
fn transform(
    guest: &Guest,
    kind: Kind,
    to: [GuestWord; 2],
    from: [GuestWord; 2],
) -> Result<GuestWord, Fault> {
    let bytes = guest.read_vec(from[0].0, from[1].0.saturating_sub(from[0].0))?;
    if bytes.len() as u64 <= to[1].0.saturating_sub(to[0].0) {
        guest.write_bytes(to[0].0, &bytes)?;
    }
    Ok(GuestWord(bytes.len() as u64 / kind.unit()))
}

plain! { TEXT, "locale";
    "Compares texts by their bytes.";
    _Strcoll(guest, first: GuestWord, first_end: GuestWord, second: GuestWord, second_end: GuestWord, how: GuestWord) -> i32 {
        let _ = how;
        compare(guest, Kind::Narrow, [first, first_end], [second, second_end])
    }

    "Compares wide texts by their characters.";
    _Wcscoll(guest, first: GuestWord, first_end: GuestWord, second: GuestWord, second_end: GuestWord, how: GuestWord) -> i32 {
        let _ = how;
        compare(guest, Kind::Wide, [first, first_end], [second, second_end])
    }

    "Makes a key by which texts compare as by `_Strcoll`: the text itself.";
    _Strxfrm(guest, to: GuestWord, to_end: GuestWord, first: GuestWord, last: GuestWord, how: GuestWord) -> GuestWord {
        let _ = how;
        transform(guest, Kind::Narrow, [to, to_end], [first, last])
    }

    "The same for wide texts.";
    _Wcsxfrm(guest, to: GuestWord, to_end: GuestWord, first: GuestWord, last: GuestWord, how: GuestWord) -> GuestWord {
        let _ = how;
        transform(guest, Kind::Wide, [to, to_end], [first, last])
    }

    "Makes a character a small letter."; _Tolower(guest, byte: i32, how: GuestWord) -> i32 {
        let _ = how;
        Ok(u8::try_from(byte).map_or(byte, |byte| in_case(guest, Kind::Narrow, byte.into(), false).into()))
    }

    "Makes a character a capital letter."; _Toupper(guest, byte: i32, how: GuestWord) -> i32 {
        let _ = how;
        Ok(u8::try_from(byte).map_or(byte, |byte| in_case(guest, Kind::Narrow, byte.into(), true).into()))
    }

    "Makes a wide character a small letter."; _Towlower(guest, unit: u16, how: GuestWord) -> u16 {
        let _ = how;
        Ok(in_case(guest, Kind::Wide, unit, false))
    }

    "Makes a wide character a capital letter."; _Towupper(guest, unit: u16, how: GuestWord) -> u16 {
        let _ = how;
        Ok(in_case(guest, Kind::Wide, unit, true))
    }

    "Returns the kinds that a wide character has."; _Getwctype(guest, unit: u16, how: GuestWord) -> u16 {
        let _ = (guest, how);
        Ok(class_of(Kind::Wide, unit))
    }

    "Stores the kinds of wide characters."; _Getwctypes(guest, first: GuestWord, last: GuestWord, to: GuestWord, how: GuestWord) -> GuestWord {
        let _ = how;
        for (index, unit) in (0..).zip(range(guest, Kind::Wide, first, last)?) {
            guest.write(to.0 + 2 * index, &class_of(Kind::Wide, unit))?;
        }
        Ok(last)
    }

    "Converts a character's bytes; returns how many, 0 for the end of a text, -1 for what is none.";
    _Mbrtowc(guest, to: GuestWord, from: GuestWord, count: GuestWord, state: GuestWord, how: GuestWord) -> i32 {
        const INCOMPLETE: i32 = -2;
        let _ = (state, how);
        if from.is_null() || count.is_null() {
            return Ok(if from.is_null() { 0 } else { INCOMPLETE });
        }
        let byte: u8 = guest.read(from.0)?;
        if !to.is_null() {
            guest.write(to.0, &widen(guest, Kind::Wide, byte))?;
        }
        Ok(i32::from(byte != 0))
    }

    "Converts a character to bytes; returns how many, -1 where there are none.";
    _Wcrtomb(guest, to: GuestWord, unit: u16, state: GuestWord, how: GuestWord) -> i32 {
        let _ = (state, how);
        match narrow(guest, Kind::Wide, unit) {
            Some(byte) => guest.write(to.0, &byte).map(|()| 1),
            None => Ok(-1),
        }
    }

    "Returns how text is converted: one byte per character."; _Getcvt(guest, to: GuestWord) -> GuestWord {
        put_conversion(guest, to.0)?;
        Ok(to)
    }

    "Returns how text is compared: by its bytes. In 32-bit programs the answer is two zeros in registers.";
    _Getcoll(guest, to: GuestWord) -> u64 {
        if !guest.machine().is_64() {
            return Ok(0);
        }
        guest.write_bytes(to.0, &[0; 16])?;
        Ok(to.0)
    }

    "Returns where the kinds of characters are."; _Getctype(guest, to: GuestWord) -> GuestWord {
        let word = guest.machine().pointer_size();
        let table = ctype_classic_table(guest)?;
        guest.write_bytes(to.0, &vec![0; 4 * word as usize])?;
        guest.write_word(to.0 + word, table.0)?;
        Ok(to)
    }

    "Returns the order of dates: month, day, year."; _Getdateorder(guest) -> i32 {
        const MONTH_FIRST: i32 = 2;
        let _ = guest;
        Ok(MONTH_FIRST)
    }
}

/// Reads a fraction from text and multiplies it by a power of ten; stores where the number ends.
fn fraction(guest: &Guest, kind: Kind, text: GuestWord, end: GuestWord, power: i32) -> Result<f64, Fault> {
    let bytes = if kind.is_narrow() {
        guest.read_c_string(text.0)?
    } else {
        guest.read_wide_string(text.0)?.into_iter().map(|unit| u8::try_from(unit).unwrap_or(0)).collect()
    };
    let read = read_float_c99(&bytes);
    if !end.is_null() {
        guest.write_word(end.0, text.0 + read.length as u64 * kind.unit())?;
    }
    Ok(if power == 0 { read.value } else { read.value * 10_f64.powi(power) })
}

/// Reads a whole number from text; stores where it ends and whether it was out of range.
fn whole(
    guest: &Guest,
    text: GuestWord,
    end: GuestWord,
    base: i32,
    bits: u32,
    is_signed: bool,
) -> Result<(u64, bool), Fault> {
    let bytes = guest.read_c_string(text.0)?;
    let read = read_integer(&bytes, base as u32, bits, is_signed);
    if !end.is_null() {
        guest.write_word(end.0, text.0 + read.map_or(0, |read| read.length as u64))?;
    }
    Ok(read.map_or((0, true), |read| (read.value as u64, read.out_of_range)))
}

/// Defines readers of fractions: with and without a place for an error, which only whole numbers have.
macro_rules! fractions {
    ($($name:ident $checked:ident $kind:ident $type:ty;)*) => {
        plain! { FRACTIONS, "string-functions"; $(
            "Reads a fraction from text, times a power of ten.";
            $name(guest, text: GuestWord, end: GuestWord, power: i32) -> $type {
                fraction(guest, Kind::$kind, text, end, power).map(|value| value as $type)
            }

            "Reads a fraction from text, times a power of ten; says that there was no error.";
            $checked(guest, text: GuestWord, end: GuestWord, power: i32, error: GuestWord) -> $type {
                if !error.is_null() {
                    guest.write(error.0, &0_u32)?;
                }
                $name(guest, text, end, power)
            }
        )* }
    };
}
fractions! {
    _Stod _Stodx Narrow f64; _Stof _Stofx Narrow f32; _Stold _Stoldx Narrow f64;
    _WStod _WStodx Wide f64; _WStof _WStofx Wide f32; _WStold _WStoldx Wide f64;
}

/// Defines readers of whole numbers that say whether the number was out of range.
macro_rules! wholes {
    ($($name:ident $type:ty, $bits:literal $signed:literal;)*) => {
        plain! { WHOLES, "string-functions"; $(
            "Reads a whole number from text; stores whether it was out of range.";
            $name(guest, text: GuestWord, end: GuestWord, base: i32, error: GuestWord) -> $type {
                let (value, is_wrong) = whole(guest, text, end, base, $bits, $signed)?;
                if !error.is_null() {
                    guest.write(error.0, &u32::from(is_wrong))?;
                }
                Ok(value as $type)
            }
        )* }
    };
}
wholes! { _Stolx i32, 32 true; _Stoulx u32, 32 false; _Stollx i64, 64 true; _Stoullx u64, 64 false; }

plain! { WHOLES_PLAIN, "string-functions";
    "Reads a whole number from text."; _Stoul(guest, text: GuestWord, end: GuestWord, base: i32) -> u32 {
        _Stoulx(guest, text, end, base, GuestWord::NULL)
    }

    "Reads a whole number from text."; _Stoll(guest, text: GuestWord, end: GuestWord, base: i32) -> i64 {
        _Stollx(guest, text, end, base, GuestWord::NULL)
    }

    "Reads a whole number from text."; _Stoull(guest, text: GuestWord, end: GuestWord, base: i32) -> u64 {
        _Stoullx(guest, text, end, base, GuestWord::NULL)
    }
}

/// Says what a fraction is: 0, -1 a common one, -2 one too small to be common, 1 infinite, 2 none.
fn class(value: f64, is_small: bool) -> i32 {
    match () {
        () if value.is_nan() => 2,
        () if value.is_infinite() => 1,
        () if value == 0.0 => 0,
        () if is_small => -2,
        () => -1,
    }
}

/// Defines what fractions of one type have: class, hyperbolic functions times a factor, exponential function.
macro_rules! of_fractions {
    ($table:ident $type:ty; $test:ident $cosh:ident $sinh:ident $exp:ident) => {
        plain! { $table, "complex-functions";
            "Says what a fraction is."; $test(guest, at: GuestWord) -> i32 {
                let value: $type = guest.read(at.0)?;
                Ok(class(value.into(), value.is_subnormal()))
            }

            "Returns the hyperbolic cosine times a factor."; $cosh(guest, x: $type, factor: $type) -> $type {
                let _ = guest;
                Ok(if factor == 0.0 { factor } else { x.cosh() * factor })
            }

            "Returns the hyperbolic sine times a factor."; $sinh(guest, x: $type, factor: $type) -> $type {
                let _ = guest;
                Ok(if factor == 0.0 { factor } else { x.sinh() * factor })
            }

            "Replaces a fraction by its exponential function, times a factor and a power of two; says what it is then.";
            $exp(guest, at: GuestWord, factor: $type, power: i16) -> i32 {
                let value: $type = guest.read(at.0)?;
                let result = if factor == 0.0 { 0.0 } else { value.exp() * factor * <$type>::powi(2.0, power.into()) };
                guest.write(at.0, &result)?;
                $test(guest, at)
            }
        }
    };
}
of_fractions! { DOUBLES f64; _Dtest _Cosh _Sinh _Exp }
of_fractions! { FLOATS f32; _FDtest _FCosh _FSinh _FExp }

/// The same for `long double`, which is `double`.
pub const LONG_DOUBLES: &[Export] =
    dll! { full "_LDtest" = _Dtest; full "_LCosh" = _Cosh; full "_LSinh" = _Sinh; full "_LExp" = _Exp; };

/// Defines constants of eight or of four bytes.
macro_rules! constants {
    ($($data:ident $value:expr => $($name:literal)*;)*) => {
        $(static $data: Data = Data { size: DataSize::bytes(size_of_val(&$value) as u32), initial: |_| $value.to_le_bytes().to_vec() };)*
        /// Fractions that are special.
        pub const CONSTANTS: &[Export] = &[$($(row($name, Body::Data(&$data)),)*)*];
    };
}
constants! {
    INFINITY f64::INFINITY => "_Inf" "_LInf" "_Hugeval";
    NO_NUMBER f64::NAN => "_Nan" "_LNan";
    SIGNALLING f64::from_bits(0x7ff0_0000_0000_0001) => "_Snan" "_LSnan";
    SMALLEST f64::from_bits(1) => "_Denorm" "_LDenorm";
    INFINITY_F f32::INFINITY => "_FInf";
    NO_NUMBER_F f32::NAN => "_FNan";
    SIGNALLING_F f32::from_bits(0x7f80_0001) => "_FSnan";
    SMALLEST_F f32::from_bits(1) => "_FDenorm";
}

/// Starts a thread; stores its handle and number.
fn start(
    guest: &mut Guest,
    thread: GuestWord,
    function: GuestWord,
    argument: GuestWord,
) -> Result<i32, Fault> {
    let (null, id) = (GuestWord::NULL, GuestWord(thread.0 + guest.machine().pointer_size()));
    match crate::kernel32::processthreadsapi::CreateThread(guest, null, null, function, argument, 0, id) {
        Ok(handle) => guest.write_word(thread.0, handle.0).map(|()| SUCCESS),
        Err(_) => Ok(ERROR),
    }
}

plain! { THREADS, "thread-class";
    "Starts a thread; stores its handle and number."; _Thrd_start(guest, thread: GuestWord, function: GuestWord, argument: GuestWord) -> i32 {
        start(guest, thread, function, argument)
    }

    "Starts a thread; stores its handle and number."; _Thrd_create(guest, thread: GuestWord, function: GuestWord, argument: GuestWord) -> i32 {
        start(guest, thread, function, argument)
    }

    "Ends the thread."; _Thrd_exit(guest, result: i32) -> () { crate::msvcrt::threads::_endthreadex(guest, result as u32) }

    "Returns the thread's number with no handle; in 32-bit programs in registers."; _Thrd_current(guest, to: GuestWord) -> u64 {
        let id = super::threads::_Thrd_id(guest)?;
        if !guest.machine().is_64() {
            return Ok(u64::from(id) << 32);
        }
        guest.write(to.0, &[0, u64::from(id)])?;
        Ok(to.0)
    }

    "Returns how many milliseconds there are from one time to another, 0 at least.";
    _Xtime_diff_to_millis2(guest, later: GuestWord, earlier: GuestWord) -> i32 {
        let read = |at: GuestWord| -> Result<i64, Fault> {
            let (seconds, nanoseconds): (i64, i32) = (guest.read(at.0)?, guest.read(at.0 + 8)?);
            Ok(seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds.into()))
        };
        let left = read(later)?.saturating_sub(read(earlier)?).max(0);
        Ok(i32::try_from((left + 999_999) / 1_000_000).unwrap_or(i32::MAX))
    }

    "Locks what `shared_ptr` guards."; _Lock_shared_ptr_spin_lock(guest) -> () { super::threads::lock_library(guest, true) }

    "Unlocks it."; _Unlock_shared_ptr_spin_lock(guest) -> () { super::threads::lock_library(guest, false) }

    "Makes a lock."; _Mtxinit(guest, lock: GuestWord) -> () { guest.critical_section(lock.0).initialize(0) }

    "Ends a lock."; _Mtxdst(guest, lock: GuestWord) -> () { guest.critical_section(lock.0).delete() }

    "Locks a lock."; _Mtxlock(guest, lock: GuestWord) -> () { guest.critical_section(lock.0).enter(guest.thread_id()) }

    "Unlocks a lock."; _Mtxunlock(guest, lock: GuestWord) -> () { guest.critical_section(lock.0).leave() }
}
