//! `time_put`: dates and times as text.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/time-put-class>.

use plat_abi::{Fault, GuestWord};

use super::facets::{category, facet_class};
use super::iterators::Output;
use super::members::{kinds_of, more_names};
use super::streambuf::load_unit;
use crate::guest::Guest;
use crate::msvcrt::time::{Style, format_guest};

facet_class! { time_put_class, time_put_statics, "?$time_put@#V?$ostreambuf_iterator@^@std@@", category::TIME, "time-put-class";
time_put_new time_put_new_info time_put_new_default time_put_end time_put_init time_put_make }

/// Writes one field of a date: its letter, and the letter before it, if any.
fn field(
    guest: &mut Guest,
    output: &mut Output,
    time: GuestWord,
    letter: u8,
    modifier: u8,
) -> Result<(), Fault> {
    let modifier = if modifier == 0 { String::new() } else { char::from(modifier).to_string() };
    let pattern = format!("%{modifier}{}", char::from(letter));
    let text = format_guest(guest, time.0, &pattern, Style::Ucrt)?;
    output.write_text(guest, &text.unwrap_or_default())
}

kinds_of! { PUT in time_put_members, "time-put-class";
    "Writes one field of a date.",
    "?put@?$time_put@#V?$ostreambuf_iterator@^@std@@Q*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#P*BUtm@@DD@Z";
    time_put_field(guest, kind, this, to: GuestWord, output: u64, base: GuestWord, fill: u32, time: GuestWord, letter: u8, modifier: u8) -> GuestWord {
        let _ = (this, base, fill);
        let mut output = Output::of(guest, kind, output)?;
        field(guest, &mut output, time, letter, modifier)?;
        output.store(guest, to)
    }

    "Writes a date by a pattern.", "__plat_time_put_pattern#*";
    time_put_pattern(guest, kind, this, to: GuestWord, output: u64, base: GuestWord, fill: u32, time: GuestWord, first: GuestWord, last: GuestWord) -> GuestWord {
        let _ = (this, base, fill);
        let mut output = Output::of(guest, kind, output)?;
        let mut units = Vec::new();
        for at in (first.0..last.0).step_by(kind.unit() as usize) {
            units.push(load_unit(guest, kind, at)?);
        }
        let mut rest = units.as_slice();
        while let Some((&unit, tail)) = rest.split_first() {
            rest = tail;
            let narrow = |at: usize| tail.get(at).and_then(|&unit| u8::try_from(unit).ok());
            let (modifier, letter) = match (narrow(0), narrow(1)) {
                (Some(modifier @ (b'E' | b'O' | b'#')), Some(letter)) => (modifier, Some(letter)),
                (letter, _) => (0, letter),
            };
            match letter {
                Some(letter) if unit == u16::from(b'%') => {
                    rest = &tail[1 + usize::from(modifier != 0)..];
                    field(guest, &mut output, time, letter, modifier)?;
                }
                _ => output.write(guest, &[unit])?,
            }
        }
        output.store(guest, to)
    }
}

more_names! { MORE of time_put_members;
    "?do_put@?$time_put@#V?$ostreambuf_iterator@^@std@@M*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#P*BUtm@@DD@Z" => time_put_field;
    "?put@?$time_put@#V?$ostreambuf_iterator@^@std@@Q*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#P*BUtm@@P*B#3@Z" => time_put_pattern;
    // `wchar_t`'s two letters count as one more type in the name.
    "?put@?$time_put@#V?$ostreambuf_iterator@^@std@@Q*B+?AV?$ostreambuf_iterator@#U?$char_traits@#@std@@@2@V32@A*AVios_base@2@#P*BUtm@@P*B#4@Z" => time_put_pattern;
}
