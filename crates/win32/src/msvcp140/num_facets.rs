//! `num_put` and `num_get`: numbers as text and back.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/num-put-class>; <https://learn.microsoft.com/cpp/standard-library/num-get-class>.

use plat_abi::{Fault, GuestWord, Memory};

use super::facets::{category, facet_class};
use super::ios::Stream;
use super::iterators::{Output, Reading, readers};
use super::members::kinds_of;
use super::names::Kind;
use super::numbers::{Number, write_filled};
use super::object::{Words, virtual_method};
use super::reading::{Wanted, read_number};
use crate::guest::Guest;

/// `num_put`.
pub mod put {
    use super::*;

    facet_class! { put_class, put_statics, "?$num_put@#V?$ostreambuf_iterator@^@std@@", category::NUMERIC, "num-put-class";
    num_put_new num_put_new_info num_put_new_default num_put_end num_put_init num_put_make }

    /// Writes a number: where to, the stream whose format counts, what fills.
    fn write(
        guest: &mut Guest,
        kind: Kind,
        to: GuestWord,
        (output, base, fill): (u64, GuestWord, u32),
        value: Number,
    ) -> Result<GuestWord, Fault> {
        let mut output = Output::of(guest, kind, output)?;
        let stream = Stream::new(guest, kind, base.0);
        let units = write_filled(guest, stream, value, kind.value(fill))?;
        output.write(guest, &units)?;
        output.store(guest, to)
    }

    /// Defines pairs of functions that write a number, one that asks the object's table and the virtual one: the type in their
    /// names, the place in the table, both functions, the parameter, how it is passed on, what is written.
    macro_rules! writers {
        ($($type:literal $place:literal $name:ident $virtual:ident($value:ident: $value_type:ty) $push:ident($pushed:expr), $number:expr;)*) => {
            kinds_of! { PUT in put_members, "num-put-class"; $(
                "Writes a number.", pattern!("?put@", "Q", $type);
                $name(guest, kind, this, to: GuestWord, output: u64, base: GuestWord, fill: u32, $value: $value_type) -> GuestWord {
                    let words = Words::new(guest).word(to.0).long(output).word(base.0).word(fill.into()).$push($pushed);
                    virtual_method(guest, this.0, $place, words).map(GuestWord)
                }
            )* }
            kinds_of! { VIRTUAL in put_virtual, "num-put-class"; $(
                "Writes a number.", pattern!("?do_put@", "M", $type);
                $virtual(guest, kind, this, to: GuestWord, output: u64, base: GuestWord, fill: u32, $value: $value_type) -> GuestWord {
                    let _ = this;
                    write(guest, kind, to, (output, base, fill), $number)
                }
            )* }
        };
    }
    /// The name of a function: its beginning, its access, the type of the number.
    macro_rules! pattern {
        ($name:literal, $access:literal, $type:literal) => {
            concat!(
                $name,
                "?$num_put@#V?$ostreambuf_iterator@^@std@@",
                $access,
                "*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#",
                $type,
                "@Z"
            )
        };
    }

    writers! {
        "_N" 10 num_put_bool num_put_do_bool(value: u8) word(value.into()), Number::Bool(value != 0);
        "J" 9 num_put_long num_put_do_long(value: i32) word(value as u32 as u64), Number::Signed(value.into(), 32);
        "K" 8 num_put_ulong num_put_do_ulong(value: u32) word(value.into()), Number::Unsigned(value.into());
        "_J" 7 num_put_i64 num_put_do_i64(value: i64) long(value as u64), Number::Signed(value, 64);
        "_K" 6 num_put_u64 num_put_do_u64(value: u64) long(value), Number::Unsigned(value);
        "N" 5 num_put_double num_put_do_double(value: f64) long(value.to_bits()), Number::Float(value);
        "O" 4 num_put_long_double num_put_do_long_double(value: f64) long(value.to_bits()), Number::Float(value);
        "P*BX" 3 num_put_pointer num_put_do_pointer(value: GuestWord) word(value.0), Number::Pointer(value.0);
    }
}

/// `num_get`.
pub mod get {
    use super::*;

    facet_class! { get_class, get_statics, "?$num_get@#V?$istreambuf_iterator@^@std@@", category::NUMERIC, "num-get-class";
    num_get_new num_get_new_info num_get_new_default num_get_end num_get_init num_get_make }

    /// Reads a number and stores it; 0 where there is none.
    fn read(guest: &mut Guest, kind: Kind, reading: Reading, wanted: Wanted) -> Result<GuestWord, Fault> {
        let flags = Stream::new(guest, kind, reading.base.0).flags(guest)?;
        let mut bits = 0;
        let to = reading.run(guest, kind, |guest, buffer| {
            let read = read_number(guest, buffer, flags, wanted)?;
            bits = read.bits;
            Ok(read.outcome)
        })?;
        let at = reading.value.0;
        match wanted {
            Wanted::Bool => guest.write(at, &(bits as u8))?,
            Wanted::Unsigned(16) => guest.write(at, &(bits as u16))?,
            Wanted::Signed(32) | Wanted::Unsigned(32) | Wanted::Float32 => guest.write(at, &(bits as u32))?,
            Wanted::Pointer => guest.write_word(at, bits)?,
            Wanted::Signed(_) | Wanted::Unsigned(_) | Wanted::Float64 => guest.write(at, &bits)?,
        }
        Ok(to)
    }

    readers! { "num-get-class", "?$num_get@#V?$istreambuf_iterator@^@std@@", get_members, get_virtual, read;
        "Reads a number.", "get", "A*A_N" 13 num_get_bool num_get_do_bool Wanted::Bool;
        "Reads a number.", "get", "A*AG" 12 num_get_u16 num_get_do_u16 Wanted::Unsigned(16);
        "Reads a number.", "get", "A*AI" 11 num_get_u32 num_get_do_u32 Wanted::Unsigned(32);
        "Reads a number.", "get", "A*AJ" 10 num_get_long num_get_do_long Wanted::Signed(32);
        "Reads a number.", "get", "A*AK" 9 num_get_ulong num_get_do_ulong Wanted::Unsigned(32);
        "Reads a number.", "get", "A*A_J" 8 num_get_i64 num_get_do_i64 Wanted::Signed(64);
        "Reads a number.", "get", "A*A_K" 7 num_get_u64 num_get_do_u64 Wanted::Unsigned(64);
        "Reads a number.", "get", "A*AM" 6 num_get_float num_get_do_float Wanted::Float32;
        "Reads a number.", "get", "A*AN" 5 num_get_double num_get_do_double Wanted::Float64;
        "Reads a number.", "get", "A*AO" 4 num_get_long_double num_get_do_long_double Wanted::Float64;
        "Reads a number.", "get", "A*AP*AX" 3 num_get_pointer num_get_do_pointer Wanted::Pointer;
    }
}
