//! consoleapi.h: input records.

use plat_abi::{GuestWord, Memory, winapi};

use super::console_input;
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::console::record::{RECORD_BYTES, Record};
use crate::logic::nls::code_page::CodePage;
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

/// Returns a record with its character as the form has it.
fn in_form(record: Record, width: Width, page: &CodePage) -> Record {
    match record {
        Record::Key(mut key) if width == Width::Narrow && key.unit >= 0x80 => {
            let encoded = page.encode(&[key.unit], 0, None, false).map(|encoded| encoded.bytes);
            key.unit = match encoded.as_deref() {
                Ok([byte]) => u16::from(*byte),
                _ => u16::from(b'?'),
            };
            Record::Key(key)
        }
        other => other,
    }
}

/// Returns a record whose character is a unit of UTF-16.
fn from_form(record: Record, width: Width, page: &CodePage) -> Record {
    match record {
        Record::Key(mut key) if width == Width::Narrow => {
            let byte = key.unit as u8;
            key.unit =
                page.decode(&[byte], 0).ok().and_then(|wide| wide.first().copied()).unwrap_or(byte.into());
            Record::Key(key)
        }
        other => other,
    }
}

fn give(
    guest: &mut Guest,
    width: Width,
    records: &[Record],
    buffer: GuestWord,
    count: GuestWord,
) -> Result<Bool, Win32Error> {
    let page = guest.process().files.console.code_page(false);
    let bytes: Vec<u8> = records.iter().flat_map(|&record| in_form(record, width, &page).encode()).collect();
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
        let file = console_input(guest, hConsoleInput)?;
        let records = guest.process().files.console.take_records(&file, nLength as usize, true)?;
        give(guest, width, &records, lpBuffer, lpNumberOfEventsRead)
    }

    /// Looks at input records without taking them, and does not wait.
    "peekconsoleinput"
    PeekConsoleInputA, PeekConsoleInputW(
        guest, width, hConsoleInput: GuestWord, lpBuffer: GuestWord, nLength: u32, lpNumberOfEventsRead: GuestWord
    ) -> Result<Bool, Win32Error> {
        let file = console_input(guest, hConsoleInput)?;
        let records = guest.process().files.console.peek_records(&file, nLength as usize)?;
        give(guest, width, &records, lpBuffer, lpNumberOfEventsRead)
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
        let file = console_input(guest, hConsoleInput)?;
        let console = &guest.process().files.console;
        let mut records = if wFlags & NO_REMOVE != 0 {
            console.peek_records(&file, nLength as usize)?
        } else {
            console.take_records(&file, nLength as usize, wFlags & NO_WAIT == 0)?
        };
        if records.is_empty() && wFlags == NO_REMOVE && nLength > 0 {
            // To wait without taking is to take and to put back.
            let first = console.take_records(&file, 1, true)?;
            first.iter().for_each(|&record| console.put_back(record));
            records = console.peek_records(&file, nLength as usize)?;
        }
        give(guest, width, &records, lpBuffer, lpNumberOfEventsRead)
    }

    /// Puts input records behind those that wait.
    "writeconsoleinput"
    WriteConsoleInputA, WriteConsoleInputW(
        guest, width, hConsoleInput: GuestWord, lpBuffer: GuestWord, nLength: u32, lpNumberOfEventsWritten: GuestWord
    ) -> Result<Bool, Win32Error> {
        let file = console_input(guest, hConsoleInput)?;
        let console = &guest.process().files.console;
        let page = console.code_page(false);
        let bytes = guest.read_vec(lpBuffer.0, u64::from(nLength) * RECORD_BYTES as u64)?;
        let (all, _) = bytes.as_chunks::<RECORD_BYTES>();
        let records: Option<Vec<Record>> =
            all.iter().map(|bytes| Some(from_form(Record::decode(bytes)?, width, &page))).collect();
        console.put_records(&file, &records.ok_or(Win32Error::INVALID_PARAMETER)?)?;
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
