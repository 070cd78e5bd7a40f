//! mmeapi.h, mmsystem.h: what the numbers of errors mean.

use plat_abi::{GuestWord, Memory};

use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial waveOutGetErrorTextA, "texts of its own words"; partial waveOutGetErrorTextW, "texts of its own words";
    partial waveInGetErrorTextA, "texts of its own words"; partial waveInGetErrorTextW, "texts of its own words";
    partial midiOutGetErrorTextA, "texts of its own words"; partial midiOutGetErrorTextW, "texts of its own words";
    partial midiInGetErrorTextA, "texts of its own words"; partial midiInGetErrorTextW, "texts of its own words";
    partial mciGetErrorStringA, "texts of its own words"; partial mciGetErrorStringW, "texts of its own words";
};

/// `MMSYSERR_BADERRNUM`.
const BAD_NUMBER: u32 = 9;
/// `MMSYSERR_INVALPARAM`.
const INVALID_PARAMETER: u32 = 11;

/// `MMSYSERR_*`.
const COMMON: [(u32, &str); 12] = [
    (0, "No error."),
    (1, "An error without a name."),
    (2, "There is no device of this number."),
    (3, "The driver is not enabled."),
    (4, "The device is in use."),
    (5, "The handle is no open device's."),
    (6, "No driver is installed."),
    (7, "There is not enough memory."),
    (8, "The function is not supported."),
    (9, "The number is no error's."),
    (10, "A flag is not valid."),
    (11, "A parameter is not valid."),
];
/// `WAVERR_*`.
const WAVE: [(u32, &str); 4] = [
    (32, "The format is not supported."),
    (33, "The device is still playing."),
    (34, "The header is not prepared."),
    (35, "The device works with WAVE_ALLOWSYNC only."),
];
/// `MIDIERR_*`.
const MIDI: [(u32, &str); 6] = [
    (64, "The header is not prepared."),
    (65, "The device is still playing."),
    (66, "There is no map."),
    (67, "The port is sending."),
    (68, "The map names a device that is not installed."),
    (69, "The map is damaged."),
];
/// `MCIERR_*`.
const MCI: [(u32, &str); 18] = [
    (257, "There is no open device of this number."),
    (259, "The command has no such keyword."),
    (261, "There is no such command."),
    (262, "The device does not work."),
    (263, "The device is not open, or there is none of this name."),
    (264, "There is not enough memory."),
    (265, "The name is in use already."),
    (266, "The driver cannot be loaded."),
    (267, "There is no command."),
    (268, "The buffer is too small for the answer."),
    (269, "The command needs a text."),
    (270, "The number is not valid."),
    (273, "The command lacks a parameter."),
    (274, "The device does not have this function."),
    (275, "The file is not found."),
    (276, "The device is not ready."),
    (277, "The interface cannot be started."),
    (306, "The device is not installed."),
];

/// Finds a text.
fn text(tables: &[&[(u32, &str)]], number: u32) -> Option<Vec<u16>> {
    let rows = tables.iter().flat_map(|table| table.iter());
    rows.into_iter().find(|row| row.0 == number).map(|row| row.1.encode_utf16().collect())
}

/// Stores a text, cut to the buffer.
fn give(
    guest: &Guest,
    width: Width,
    table: &[(u32, &str)],
    number: u32,
    (buffer, room): (GuestWord, u32),
) -> Result<u32, Win32Error> {
    if buffer.is_null() {
        return Ok(INVALID_PARAMETER);
    }
    let Some(text) = text(&[&COMMON, table], number) else { return Ok(BAD_NUMBER) };
    guest.write_bytes(buffer.get(), &width.cut(&text, room as usize))?;
    Ok(0)
}

both_widths! {
    /// Stores the text of an error.
    "mmeapi/nf-mmeapi-waveoutgeterrortext"
    waveOutGetErrorTextA, waveOutGetErrorTextW(
        guest, width, mmrError: u32, pszText: GuestWord, cchText: u32
    ) -> Result<u32, Win32Error> {
        give(guest, width, &WAVE, mmrError, (pszText, cchText))
    }

    /// Stores the text of an error.
    "mmeapi/nf-mmeapi-waveingeterrortext"
    waveInGetErrorTextA, waveInGetErrorTextW(
        guest, width, mmrError: u32, pszText: GuestWord, cchText: u32
    ) -> Result<u32, Win32Error> {
        give(guest, width, &WAVE, mmrError, (pszText, cchText))
    }

    /// Stores the text of an error.
    "mmeapi/nf-mmeapi-midioutgeterrortext"
    midiOutGetErrorTextA, midiOutGetErrorTextW(
        guest, width, mmrError: u32, pszText: GuestWord, cchText: u32
    ) -> Result<u32, Win32Error> {
        give(guest, width, &MIDI, mmrError, (pszText, cchText))
    }

    /// Stores the text of an error.
    "mmeapi/nf-mmeapi-midiingeterrortext"
    midiInGetErrorTextA, midiInGetErrorTextW(
        guest, width, mmrError: u32, pszText: GuestWord, cchText: u32
    ) -> Result<u32, Win32Error> {
        give(guest, width, &MIDI, mmrError, (pszText, cchText))
    }

    /// Stores the text of an error of the media control interface; says whether there is one.
    "mmsystem/nf-mmsystem-mcigeterrorstring"
    mciGetErrorStringA, mciGetErrorStringW(
        guest, width, mcierr: u32, pszText: GuestWord, cchText: u32
    ) -> Result<Bool, Win32Error> {
        let found = text(&[&COMMON[..1], &MCI], mcierr & 0xffff);
        let Some(found) = found.filter(|_| !pszText.is_null() && cchText > 0) else { return Ok(FALSE) };
        guest.write_bytes(pszText.get(), &width.cut(&found, cchText as usize))?;
        Ok(TRUE)
    }
}
