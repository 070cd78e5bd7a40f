//! `num_put` and `num_get`: numbers as text and back.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/num-put-class>; <https://learn.microsoft.com/cpp/standard-library/num-get-class>.

use plat_abi::{Fault, GuestWord, Memory};

use super::facets::{category, facet_class};
use super::ios::{Stream, state};
use super::iterators::{Input, Output};
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

    /// Calls the virtual function behind one: a program's own facet may have another.
    fn ask(
        guest: &mut Guest,
        this: GuestWord,
        place: u64,
        (to, output, base, fill): (GuestWord, u64, GuestWord, u32),
        value: Words,
    ) -> Result<GuestWord, Fault> {
        let words = Words::new(guest).word(to.0).long(output).word(base.0).word(fill.into()).and(value);
        virtual_method(guest, this.0, place, words).map(GuestWord)
    }

    kinds_of! { PUT in put_members, "num-put-class";
        "Writes a number.", "?put@?$num_put@#V?$ostreambuf_iterator@^@std@@Q*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#_N@Z";
        num_put_bool(guest, kind, this, to: GuestWord, output: u64, base: GuestWord, fill: u32, value: u8) -> GuestWord {
            let _ = kind;
            let value = Words::new(guest).word(value.into());
            ask(guest, this, 10, (to, output, base, fill), value)
        }

        "Writes a number.", "?put@?$num_put@#V?$ostreambuf_iterator@^@std@@Q*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#J@Z";
        num_put_long(guest, kind, this, to: GuestWord, output: u64, base: GuestWord, fill: u32, value: i32) -> GuestWord {
            let _ = kind;
            let value = Words::new(guest).word(value as u32 as u64);
            ask(guest, this, 9, (to, output, base, fill), value)
        }

        "Writes a number.", "?put@?$num_put@#V?$ostreambuf_iterator@^@std@@Q*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#K@Z";
        num_put_ulong(guest, kind, this, to: GuestWord, output: u64, base: GuestWord, fill: u32, value: u32) -> GuestWord {
            let _ = kind;
            let value = Words::new(guest).word(value.into());
            ask(guest, this, 8, (to, output, base, fill), value)
        }

        "Writes a number.", "?put@?$num_put@#V?$ostreambuf_iterator@^@std@@Q*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#_J@Z";
        num_put_i64(guest, kind, this, to: GuestWord, output: u64, base: GuestWord, fill: u32, value: i64) -> GuestWord {
            let _ = kind;
            let value = Words::new(guest).long(value as u64);
            ask(guest, this, 7, (to, output, base, fill), value)
        }

        "Writes a number.", "?put@?$num_put@#V?$ostreambuf_iterator@^@std@@Q*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#_K@Z";
        num_put_u64(guest, kind, this, to: GuestWord, output: u64, base: GuestWord, fill: u32, value: u64) -> GuestWord {
            let _ = kind;
            let value = Words::new(guest).long(value);
            ask(guest, this, 6, (to, output, base, fill), value)
        }

        "Writes a number.", "?put@?$num_put@#V?$ostreambuf_iterator@^@std@@Q*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#N@Z";
        num_put_double(guest, kind, this, to: GuestWord, output: u64, base: GuestWord, fill: u32, value: f64) -> GuestWord {
            let _ = kind;
            let value = Words::new(guest).long(value.to_bits());
            ask(guest, this, 5, (to, output, base, fill), value)
        }

        "Writes a number.", "?put@?$num_put@#V?$ostreambuf_iterator@^@std@@Q*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#O@Z";
        num_put_long_double(guest, kind, this, to: GuestWord, output: u64, base: GuestWord, fill: u32, value: f64) -> GuestWord {
            let _ = kind;
            let value = Words::new(guest).long(value.to_bits());
            ask(guest, this, 4, (to, output, base, fill), value)
        }

        "Writes a number.", "?put@?$num_put@#V?$ostreambuf_iterator@^@std@@Q*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#P*BX@Z";
        num_put_pointer(guest, kind, this, to: GuestWord, output: u64, base: GuestWord, fill: u32, value: GuestWord) -> GuestWord {
            let _ = kind;
            let value = Words::new(guest).word(value.0);
            ask(guest, this, 3, (to, output, base, fill), value)
        }
    }

    kinds_of! { VIRTUAL in put_virtual, "num-put-class";
        "Writes a number.", "?do_put@?$num_put@#V?$ostreambuf_iterator@^@std@@M*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#_N@Z";
        num_put_do_bool(guest, kind, this, to: GuestWord, output: u64, base: GuestWord, fill: u32, value: u8) -> GuestWord {
            let _ = this;
            write(guest, kind, to, (output, base, fill), Number::Bool(value != 0))
        }

        "Writes a number.", "?do_put@?$num_put@#V?$ostreambuf_iterator@^@std@@M*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#J@Z";
        num_put_do_long(guest, kind, this, to: GuestWord, output: u64, base: GuestWord, fill: u32, value: i32) -> GuestWord {
            let _ = this;
            write(guest, kind, to, (output, base, fill), Number::Signed(value.into(), 32))
        }

        "Writes a number.", "?do_put@?$num_put@#V?$ostreambuf_iterator@^@std@@M*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#K@Z";
        num_put_do_ulong(guest, kind, this, to: GuestWord, output: u64, base: GuestWord, fill: u32, value: u32) -> GuestWord {
            let _ = this;
            write(guest, kind, to, (output, base, fill), Number::Unsigned(value.into()))
        }

        "Writes a number.", "?do_put@?$num_put@#V?$ostreambuf_iterator@^@std@@M*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#_J@Z";
        num_put_do_i64(guest, kind, this, to: GuestWord, output: u64, base: GuestWord, fill: u32, value: i64) -> GuestWord {
            let _ = this;
            write(guest, kind, to, (output, base, fill), Number::Signed(value, 64))
        }

        "Writes a number.", "?do_put@?$num_put@#V?$ostreambuf_iterator@^@std@@M*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#_K@Z";
        num_put_do_u64(guest, kind, this, to: GuestWord, output: u64, base: GuestWord, fill: u32, value: u64) -> GuestWord {
            let _ = this;
            write(guest, kind, to, (output, base, fill), Number::Unsigned(value))
        }

        "Writes a number.", "?do_put@?$num_put@#V?$ostreambuf_iterator@^@std@@M*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#N@Z";
        num_put_do_double(guest, kind, this, to: GuestWord, output: u64, base: GuestWord, fill: u32, value: f64) -> GuestWord {
            let _ = this;
            write(guest, kind, to, (output, base, fill), Number::Float(value))
        }

        "Writes a number.", "?do_put@?$num_put@#V?$ostreambuf_iterator@^@std@@M*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#O@Z";
        num_put_do_long_double(guest, kind, this, to: GuestWord, output: u64, base: GuestWord, fill: u32, value: f64) -> GuestWord {
            let _ = this;
            write(guest, kind, to, (output, base, fill), Number::Float(value))
        }

        "Writes a number.", "?do_put@?$num_put@#V?$ostreambuf_iterator@^@std@@M*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#P*BX@Z";
        num_put_do_pointer(guest, kind, this, to: GuestWord, output: u64, base: GuestWord, fill: u32, value: GuestWord) -> GuestWord {
            let _ = this;
            write(guest, kind, to, (output, base, fill), Number::Pointer(value.0))
        }
    }
}

/// `num_get`.
pub mod get {
    use super::*;

    facet_class! { get_class, get_statics, "?$num_get@#V?$istreambuf_iterator@^@std@@", category::NUMERIC, "num-get-class";
    num_get_new num_get_new_info num_get_new_default num_get_end num_get_init num_get_make }

    /// What all of these functions have: the result, the two iterators, the stream, its state, the value.
    type Arguments = (GuestWord, u64, u64, GuestWord, GuestWord, GuestWord);

    /// Reads a number; returns its bits where there was something to read.
    fn read(
        guest: &mut Guest,
        kind: Kind,
        (to, first, _, base, outcome, _): Arguments,
        wanted: Wanted,
    ) -> Result<u64, Fault> {
        let input = Input::of(guest, kind, first)?;
        let flags = Stream::new(guest, kind, base.0).flags(guest)?;
        let (bits, found) = match input.buffer() {
            Some(buffer) => {
                let read = read_number(guest, buffer, flags, wanted)?;
                (read.bits, read.outcome)
            }
            None => (0, state::EOF | state::FAIL),
        };
        let old = guest.read_u32(outcome.0)?;
        guest.write(outcome.0, &(old | found))?;
        input.store(guest, to)?;
        Ok(bits)
    }

    /// Calls the virtual function behind one: a program's own facet may have another.
    fn ask(
        guest: &mut Guest,
        this: GuestWord,
        place: u64,
        (to, first, last, base, outcome, value): Arguments,
    ) -> Result<GuestWord, Fault> {
        let words = Words::new(guest).word(to.0).long(first).long(last);
        let words = words.word(base.0).word(outcome.0).word(value.0);
        virtual_method(guest, this.0, place, words).map(GuestWord)
    }

    kinds_of! { GET in get_members, "num-get-class";
        "Reads a number.", "?get@?$num_get@#V?$istreambuf_iterator@^@std@@Q*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*A_N@Z";
        num_get_bool(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = kind;
            ask(guest, this, 13, (to, first, last, base, outcome, value))
        }

        "Reads a number.", "?get@?$num_get@#V?$istreambuf_iterator@^@std@@Q*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AG@Z";
        num_get_u16(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = kind;
            ask(guest, this, 12, (to, first, last, base, outcome, value))
        }

        "Reads a number.", "?get@?$num_get@#V?$istreambuf_iterator@^@std@@Q*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AI@Z";
        num_get_u32(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = kind;
            ask(guest, this, 11, (to, first, last, base, outcome, value))
        }

        "Reads a number.", "?get@?$num_get@#V?$istreambuf_iterator@^@std@@Q*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AJ@Z";
        num_get_long(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = kind;
            ask(guest, this, 10, (to, first, last, base, outcome, value))
        }

        "Reads a number.", "?get@?$num_get@#V?$istreambuf_iterator@^@std@@Q*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AK@Z";
        num_get_ulong(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = kind;
            ask(guest, this, 9, (to, first, last, base, outcome, value))
        }

        "Reads a number.", "?get@?$num_get@#V?$istreambuf_iterator@^@std@@Q*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*A_J@Z";
        num_get_i64(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = kind;
            ask(guest, this, 8, (to, first, last, base, outcome, value))
        }

        "Reads a number.", "?get@?$num_get@#V?$istreambuf_iterator@^@std@@Q*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*A_K@Z";
        num_get_u64(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = kind;
            ask(guest, this, 7, (to, first, last, base, outcome, value))
        }

        "Reads a number.", "?get@?$num_get@#V?$istreambuf_iterator@^@std@@Q*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AM@Z";
        num_get_float(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = kind;
            ask(guest, this, 6, (to, first, last, base, outcome, value))
        }

        "Reads a number.", "?get@?$num_get@#V?$istreambuf_iterator@^@std@@Q*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AN@Z";
        num_get_double(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = kind;
            ask(guest, this, 5, (to, first, last, base, outcome, value))
        }

        "Reads a number.", "?get@?$num_get@#V?$istreambuf_iterator@^@std@@Q*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AO@Z";
        num_get_long_double(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = kind;
            ask(guest, this, 4, (to, first, last, base, outcome, value))
        }

        "Reads a number.", "?get@?$num_get@#V?$istreambuf_iterator@^@std@@Q*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AP*AX@Z";
        num_get_pointer(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = kind;
            ask(guest, this, 3, (to, first, last, base, outcome, value))
        }
    }

    kinds_of! { VIRTUAL in get_virtual, "num-get-class";
        "Reads a number.", "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*A_N@Z";
        num_get_do_bool(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = this;
            let bits = read(guest, kind, (to, first, last, base, outcome, value), Wanted::Bool)?;
            guest.write(value.0, &(bits as u8))?;
            Ok(to)
        }

        "Reads a number.", "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AG@Z";
        num_get_do_u16(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = this;
            let bits = read(guest, kind, (to, first, last, base, outcome, value), Wanted::Unsigned(16))?;
            guest.write(value.0, &(bits as u16))?;
            Ok(to)
        }

        "Reads a number.", "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AI@Z";
        num_get_do_u32(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = this;
            let bits = read(guest, kind, (to, first, last, base, outcome, value), Wanted::Unsigned(32))?;
            guest.write(value.0, &(bits as u32))?;
            Ok(to)
        }

        "Reads a number.", "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AJ@Z";
        num_get_do_long(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = this;
            let bits = read(guest, kind, (to, first, last, base, outcome, value), Wanted::Signed(32))?;
            guest.write(value.0, &(bits as u32))?;
            Ok(to)
        }

        "Reads a number.", "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AK@Z";
        num_get_do_ulong(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = this;
            let bits = read(guest, kind, (to, first, last, base, outcome, value), Wanted::Unsigned(32))?;
            guest.write(value.0, &(bits as u32))?;
            Ok(to)
        }

        "Reads a number.", "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*A_J@Z";
        num_get_do_i64(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = this;
            let bits = read(guest, kind, (to, first, last, base, outcome, value), Wanted::Signed(64))?;
            guest.write(value.0, &bits)?;
            Ok(to)
        }

        "Reads a number.", "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*A_K@Z";
        num_get_do_u64(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = this;
            let bits = read(guest, kind, (to, first, last, base, outcome, value), Wanted::Unsigned(64))?;
            guest.write(value.0, &bits)?;
            Ok(to)
        }

        "Reads a number.", "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AM@Z";
        num_get_do_float(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = this;
            let bits = read(guest, kind, (to, first, last, base, outcome, value), Wanted::Float32)?;
            guest.write(value.0, &(bits as u32))?;
            Ok(to)
        }

        "Reads a number.", "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AN@Z";
        num_get_do_double(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = this;
            let bits = read(guest, kind, (to, first, last, base, outcome, value), Wanted::Float64)?;
            guest.write(value.0, &bits)?;
            Ok(to)
        }

        "Reads a number.", "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AO@Z";
        num_get_do_long_double(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = this;
            let bits = read(guest, kind, (to, first, last, base, outcome, value), Wanted::Float64)?;
            guest.write(value.0, &bits)?;
            Ok(to)
        }

        "Reads a number.", "?do_get@?$num_get@#V?$istreambuf_iterator@^@std@@M*B+?AV?$istreambuf_iterator@#U?$char_traits@#@std@@@2@V32@0A*AVios_base@2@A*AHA*AP*AX@Z";
        num_get_do_pointer(guest, kind, this, to: GuestWord, first: u64, last: u64, base: GuestWord, outcome: GuestWord, value: GuestWord) -> GuestWord {
            let _ = this;
            let bits = read(guest, kind, (to, first, last, base, outcome, value), Wanted::Pointer)?;
            guest.write_word(value.0, bits)?;
            Ok(to)
        }
    }
}
