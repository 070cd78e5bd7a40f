//! consoleapi.h: input records.

use plat_abi::{GuestWord, Memory, winapi};

use super::{console_input, told_unit, unit_of};
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::console::record::{Key, RECORD_BYTES, Record};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full ReadConsoleInputW;
    partial ReadConsoleInputA, "a character of several bytes comes as a question mark";
    full PeekConsoleInputW;
    partial PeekConsoleInputA, "a character of several bytes comes as a question mark";
    full ReadConsoleInputExW;
    partial ReadConsoleInputExA, "a character of several bytes comes as a question mark";
    full WriteConsoleInputW;
    full WriteConsoleInputA;
    full GetNumberOfConsoleInputEvents;
    full FlushConsoleInputBuffer;
};

/// `CONSOLE_READ_NOREMOVE`.
const NO_REMOVE: u16 = 1;
/// `CONSOLE_READ_NOWAIT`.
const NO_WAIT: u16 = 2;

/// Returns a record whose character, if it has one, is changed.
fn with_unit(record: Record, change: impl Fn(u16) -> u16) -> Record {
    match record {
        Record::Key(key) => Record::Key(Key { unit: change(key.unit), ..key }),
        other => other,
    }
}

/// Takes input records, or looks at them, and waits, or does not, as the flags say; stores them in a form.
fn read(
    guest: &mut Guest,
    width: Width,
    handle: GuestWord,
    (buffer, room): (GuestWord, u32),
    count: GuestWord,
    flags: u16,
) -> Result<Bool, Win32Error> {
    let file = console_input(guest, handle)?;
    let console = &guest.process().files.console;
    let mut records = if flags & NO_REMOVE != 0 {
        console.peek_records(&file, room as usize)?
    } else {
        console.take_records(&file, room as usize, flags & NO_WAIT == 0)?
    };
    if records.is_empty() && flags == NO_REMOVE && room > 0 {
        // To wait without taking is to take and to put back.
        let first = console.take_records(&file, 1, true)?;
        first.iter().for_each(|&record| console.put_back(record));
        records = console.peek_records(&file, room as usize)?;
    }
    let told = |&record: &Record| with_unit(record, |unit| told_unit(guest, width, false, unit)).encode();
    let bytes: Vec<u8> = records.iter().flat_map(told).collect();
    guest.write_bytes(buffer.0, &bytes)?;
    guest.write_bytes(count.0, &(records.len() as u32).to_le_bytes())?;
    Ok(TRUE)
}

both_widths! { console
    /// Takes input records out of the console, and waits for the first one.
    "readconsoleinput"
    ReadConsoleInputA, ReadConsoleInputW(
        guest, width, hConsoleInput: GuestWord, lpBuffer: GuestWord, nLength: u32, lpNumberOfEventsRead: GuestWord
    ) -> Result<Bool, Win32Error> {
        read(guest, width, hConsoleInput, (lpBuffer, nLength), lpNumberOfEventsRead, 0)
    }

    /// Looks at input records without taking them, and does not wait.
    "peekconsoleinput"
    PeekConsoleInputA, PeekConsoleInputW(
        guest, width, hConsoleInput: GuestWord, lpBuffer: GuestWord, nLength: u32, lpNumberOfEventsRead: GuestWord
    ) -> Result<Bool, Win32Error> {
        read(guest, width, hConsoleInput, (lpBuffer, nLength), lpNumberOfEventsRead, NO_REMOVE | NO_WAIT)
    }

    /// Takes input records, or looks at them, and waits, or does not: bits 0 and 1 of `wFlags`.
    "readconsoleinputex"
    ReadConsoleInputExA, ReadConsoleInputExW(
        guest, width, hConsoleInput: GuestWord, lpBuffer: GuestWord, nLength: u32, lpNumberOfEventsRead: GuestWord,
        wFlags: u16
    ) -> Result<Bool, Win32Error> {
        if wFlags & !(NO_REMOVE | NO_WAIT) != 0 {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        read(guest, width, hConsoleInput, (lpBuffer, nLength), lpNumberOfEventsRead, wFlags)
    }

    /// Puts input records behind those that wait.
    "writeconsoleinput"
    WriteConsoleInputA, WriteConsoleInputW(
        guest, width, hConsoleInput: GuestWord, lpBuffer: GuestWord, nLength: u32, lpNumberOfEventsWritten: GuestWord
    ) -> Result<Bool, Win32Error> {
        let file = console_input(guest, hConsoleInput)?;
        let console = &guest.process().files.console;
        let bytes = guest.read_vec(lpBuffer.0, u64::from(nLength) * RECORD_BYTES as u64)?;
        let (all, _) = bytes.as_chunks::<RECORD_BYTES>();
        let records: Option<Vec<Record>> = all.iter().map(Record::decode).collect();
        let mut records = records.ok_or(Win32Error::INVALID_PARAMETER)?;
        for record in &mut records {
            *record = with_unit(*record, |unit| unit_of(guest, width, false, unit));
        }
        console.put_records(&file, &records)?;
        guest.write_bytes(lpNumberOfEventsWritten.0, &nLength.to_le_bytes())?;
        Ok(TRUE)
    }
}

/// Stores how many input records wait.
///
/// Source: <https://learn.microsoft.com/windows/console/getnumberofconsoleinputevents>
#[winapi]
pub fn GetNumberOfConsoleInputEvents(
    guest: &mut Guest,
    hConsoleInput: GuestWord,
    lpNumberOfEvents: GuestWord,
) -> Result<Bool, Win32Error> {
    let file = console_input(guest, hConsoleInput)?;
    let waiting = guest.process().files.console.count_records(&file)?;
    guest.write_bytes(lpNumberOfEvents.0, &(waiting as u32).to_le_bytes())?;
    Ok(TRUE)
}

/// Throws away what was typed and not yet read.
///
/// Source: <https://learn.microsoft.com/windows/console/flushconsoleinputbuffer>
#[winapi]
pub fn FlushConsoleInputBuffer(guest: &mut Guest, hConsoleInput: GuestWord) -> Result<Bool, Win32Error> {
    let file = console_input(guest, hConsoleInput)?;
    guest.process().files.console.flush_input(&file)?;
    Ok(TRUE)
}
