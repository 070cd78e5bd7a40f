//! consoleapi2.h: characters and colours of cells.

use plat_abi::{GuestWord, Memory, winapi};

use super::{console_output, place_of, rectangle, tell, told_unit, unit_of};
use crate::Win32Error;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::console::screen::{Cell, LEADING_HALF, Rectangle, TRAILING_HALF, places};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full FillConsoleOutputCharacterA;
    full FillConsoleOutputCharacterW;
    full FillConsoleOutputAttribute;
    full WriteConsoleOutputA;
    full WriteConsoleOutputW;
    full WriteConsoleOutputCharacterA;
    full WriteConsoleOutputCharacterW;
    full WriteConsoleOutputAttribute;
    partial ReadConsoleOutputA, "blanks where the terminal shows what this process did not write";
    partial ReadConsoleOutputW, "blanks where the terminal shows what this process did not write";
    partial ReadConsoleOutputCharacterA, "blanks where the terminal shows what this process did not write";
    partial ReadConsoleOutputCharacterW, "blanks where the terminal shows what this process did not write";
    partial ReadConsoleOutputAttribute, "grey on black where the terminal shows what this process did not write";
    full ScrollConsoleScreenBufferA;
    full ScrollConsoleScreenBufferW;
};

/// Bytes of a `CHAR_INFO`.
const CELL_BYTES: u64 = 4;
/// The most cells that one call moves: more than any screen has.
const CELLS_MAX: u64 = 1 << 24;

both_widths! { console
    /// Writes characters into cells; their colours stay.
    "writeconsoleoutputcharacter"
    WriteConsoleOutputCharacterA, WriteConsoleOutputCharacterW(
        guest, width, hConsoleOutput: GuestWord, lpCharacter: GuestWord, nLength: u32, dwWriteCoord: u32,
        lpNumberOfCharsWritten: GuestWord
    ) -> Result<Bool, Win32Error> {
        let file = console_output(guest, hConsoleOutput)?;
        let console = &guest.process().files.console;
        let units = match width {
            Width::Wide => guest.read_wide(lpCharacter.0, u64::from(nLength))?,
            Width::Narrow => {
                let bytes = guest.read_vec(lpCharacter.0, u64::from(nLength))?;
                console.code_page(true).decode(&bytes, 0)?
            }
        };
        let place = place_of(dwWriteCoord);
        let written = console.with_screen(&file, |screen| screen.write_units(&units, place))?;
        tell(guest, lpNumberOfCharsWritten, written.unwrap_or(0) as u32)
    }

    /// Reads the characters of cells.
    "readconsoleoutputcharacter"
    ReadConsoleOutputCharacterA, ReadConsoleOutputCharacterW(
        guest, width, hConsoleOutput: GuestWord, lpCharacter: GuestWord, nLength: u32, dwReadCoord: u32,
        lpNumberOfCharsRead: GuestWord
    ) -> Result<Bool, Win32Error> {
        let cells = read_cells(guest, hConsoleOutput, nLength, dwReadCoord)?;
        let cells = cells.iter().filter(|cell| cell.attributes & TRAILING_HALF == 0);
        let units: Vec<u16> = cells.map(|cell| told_unit(guest, width, true, cell.unit)).collect();
        match width {
            Width::Wide => guest.write_wide(lpCharacter.0, &units)?,
            Width::Narrow => {
                guest.write_bytes(lpCharacter.0, &units.iter().map(|&unit| unit as u8).collect::<Vec<u8>>())?;
            }
        }
        tell(guest, lpNumberOfCharsRead, units.len() as u32)
    }

    /// Writes a rectangle of cells.
    "writeconsoleoutput"
    WriteConsoleOutputA, WriteConsoleOutputW(
        guest, width, hConsoleOutput: GuestWord, lpBuffer: GuestWord, dwBufferSize: u32, dwBufferCoord: u32,
        lpWriteRegion: GuestWord
    ) -> Result<Bool, Win32Error> {
        let file = console_output(guest, hConsoleOutput)?;
        let block = Block::new(guest, lpBuffer, dwBufferSize, dwBufferCoord, lpWriteRegion)?;
        let bytes = guest.read_vec(lpBuffer.0, block.cells() * CELL_BYTES)?;
        let cell = |(column, row): (i32, i32)| {
            let at = block.offset(column, row)?;
            let bytes = bytes.get(at..at + CELL_BYTES as usize)?;
            let unit = u16::from_le_bytes([bytes[0], bytes[1]]);
            Some((unit_of(guest, width, true, unit), u16::from_le_bytes([bytes[2], bytes[3]])))
        };
        let done = guest.process().files.console.with_screen(&file, |screen| {
            let area = block.area(screen.bounds())?;
            for (column, row) in places(area) {
                if let Some((unit, attributes)) = cell((column, row)) {
                    screen.put(column, row, unit, attributes);
                }
            }
            Some(area)
        })?;
        block.tell(guest, lpWriteRegion, done)
    }

    /// Reads a rectangle of cells.
    "readconsoleoutput"
    ReadConsoleOutputA, ReadConsoleOutputW(
        guest, width, hConsoleOutput: GuestWord, lpBuffer: GuestWord, dwBufferSize: u32, dwBufferCoord: u32,
        lpReadRegion: GuestWord
    ) -> Result<Bool, Win32Error> {
        let file = console_output(guest, hConsoleOutput)?;
        let block = Block::new(guest, lpBuffer, dwBufferSize, dwBufferCoord, lpReadRegion)?;
        let read = guest.process().files.console.with_screen(&file, |screen| {
            let area = block.area(screen.bounds())?;
            let cells = places(area).map(|(column, row)| (column, row, screen.cell(column, row)));
            Some((area, cells.collect::<Vec<_>>()))
        })?;
        let (area, cells) = read.unzip();
        for (column, row, cell) in cells.into_iter().flatten() {
            if let (Some(at), Some(cell)) = (block.offset(column, row), cell) {
                let halves = [told_unit(guest, width, true, cell.unit), cell.attributes];
                let bytes: Vec<u8> = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
                guest.write_bytes(lpBuffer.0 + at as u64, &bytes)?;
            }
        }
        block.tell(guest, lpReadRegion, area)
    }

    /// Moves a rectangle of cells and fills what it leaves.
    "scrollconsolescreenbuffer"
    ScrollConsoleScreenBufferA, ScrollConsoleScreenBufferW(
        guest, width, hConsoleOutput: GuestWord, lpScrollRectangle: GuestWord, lpClipRectangle: GuestWord,
        dwDestinationOrigin: u32, lpFill: GuestWord
    ) -> Result<Bool, Win32Error> {
        let file = console_output(guest, hConsoleOutput)?;
        let from = rectangle(guest, lpScrollRectangle)?;
        let clip = if lpClipRectangle.is_null() { None } else { Some(rectangle(guest, lpClipRectangle)?) };
        let fill = guest.read_u32(lpFill.0)?;
        let fill = Cell::new(unit_of(guest, width, true, fill as u16), (fill >> 16) as u16);
        let signed = |half: u32| i32::from(half as u16 as i16);
        let to = (signed(dwDestinationOrigin), signed(dwDestinationOrigin >> 16));
        guest.process().files.console.with_screen_telling(&file, |screen| {
            let clip = clip.unwrap_or(screen.bounds());
            ((), screen.scroll(from, clip, to, fill))
        })?;
        Ok(TRUE)
    }
}

/// A rectangle of cells in the guest's memory, and the one on the screen that it is for.
struct Block {
    columns: u64,
    rows: u64,
    /// Where in the guest's the first cell is.
    first: (u64, u64),
    region: Rectangle,
}

impl Block {
    fn new(
        guest: &Guest,
        buffer: GuestWord,
        size: u32,
        first: u32,
        region: GuestWord,
    ) -> Result<Self, Win32Error> {
        let half = |both: u32| (u64::from(both & 0xffff), u64::from(both >> 16));
        let ((columns, rows), first) = (half(size), half(first));
        let region = rectangle(guest, region)?;
        if buffer.is_null() || columns * rows > CELLS_MAX {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        Ok(Self { columns, rows, first, region })
    }

    fn cells(&self) -> u64 {
        self.columns * self.rows
    }

    /// Returns what is both on the screen and in the guest's memory.
    fn area(&self, bounds: Rectangle) -> Option<Rectangle> {
        let left = |all: u64, from: u64| i32::try_from(all.saturating_sub(from)).unwrap_or(i32::MAX);
        let held = Rectangle {
            left: self.region.left,
            top: self.region.top,
            right: self.region.left + left(self.columns, self.first.0) - 1,
            bottom: self.region.top + left(self.rows, self.first.1) - 1,
        };
        self.region.common(bounds)?.common(held)
    }

    /// Returns where in the guest's memory the cell of a place on the screen is, in bytes.
    fn offset(&self, column: i32, row: i32) -> Option<usize> {
        let column = u64::try_from(column - self.region.left).ok()? + self.first.0;
        let row = u64::try_from(row - self.region.top).ok()? + self.first.1;
        usize::try_from((row * self.columns + column) * CELL_BYTES).ok()
    }

    /// Stores which rectangle was moved: one without cells for none.
    fn tell(&self, guest: &mut Guest, place: GuestWord, area: Option<Rectangle>) -> Result<Bool, Win32Error> {
        let none = Rectangle { right: self.region.left - 1, bottom: self.region.top - 1, ..self.region };
        let area = area.unwrap_or(none);
        let sides = [area.left, area.top, area.right, area.bottom];
        let bytes: Vec<u8> = sides.iter().flat_map(|&side| (side as i16).to_le_bytes()).collect();
        guest.write_bytes(place.0, &bytes)?;
        Ok(TRUE)
    }
}

fn fill(
    guest: &mut Guest,
    handle: GuestWord,
    unit: u16,
    (count, place): (u32, u32),
    written: GuestWord,
) -> Result<Bool, Win32Error> {
    let file = console_output(guest, handle)?;
    let place = place_of(place);
    let console = &guest.process().files.console;
    let done = console.with_screen(&file, |screen| screen.fill_units(unit, count as usize, place))?;
    tell(guest, written, done.unwrap_or(0) as u32)
}

/// Writes a character of the output code page into many cells; their colours stay.
///
/// Source: <https://learn.microsoft.com/windows/console/fillconsoleoutputcharacter>
#[winapi]
pub fn FillConsoleOutputCharacterA(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    cCharacter: u8,
    nLength: u32,
    dwWriteCoord: u32,
    lpNumberOfCharsWritten: GuestWord,
) -> Result<Bool, Win32Error> {
    let unit = unit_of(guest, Width::Narrow, true, u16::from(cCharacter));
    fill(guest, hConsoleOutput, unit, (nLength, dwWriteCoord), lpNumberOfCharsWritten)
}

/// Writes a character into many cells; their colours stay.
///
/// Source: <https://learn.microsoft.com/windows/console/fillconsoleoutputcharacter>
#[winapi]
pub fn FillConsoleOutputCharacterW(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    cCharacter: u16,
    nLength: u32,
    dwWriteCoord: u32,
    lpNumberOfCharsWritten: GuestWord,
) -> Result<Bool, Win32Error> {
    fill(guest, hConsoleOutput, cCharacter, (nLength, dwWriteCoord), lpNumberOfCharsWritten)
}

fn read_cells(guest: &Guest, handle: GuestWord, count: u32, place: u32) -> Result<Vec<Cell>, Win32Error> {
    let file = console_output(guest, handle)?;
    let place = place_of(place);
    let cells = guest
        .process()
        .files
        .console
        .with_screen(&file, |screen| screen.read(count as usize, place).map(<[Cell]>::to_vec))?;
    Ok(cells.unwrap_or_default())
}

/// Gives many cells the same colours; their characters stay.
///
/// Source: <https://learn.microsoft.com/windows/console/fillconsoleoutputattribute>
#[winapi]
pub fn FillConsoleOutputAttribute(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    wAttribute: u16,
    nLength: u32,
    dwWriteCoord: u32,
    lpNumberOfAttrsWritten: GuestWord,
) -> Result<Bool, Win32Error> {
    let file = console_output(guest, hConsoleOutput)?;
    let (colours, place) = (wAttribute & !(LEADING_HALF | TRAILING_HALF), place_of(dwWriteCoord));
    let console = &guest.process().files.console;
    let fill = |screen: &mut crate::logic::console::screen::Screen| {
        screen.fill_attributes(colours, nLength as usize, place)
    };
    let written = console.with_screen(&file, fill)?;
    tell(guest, lpNumberOfAttrsWritten, written.unwrap_or(0) as u32)
}

/// Gives cells colours; their characters stay.
///
/// Source: <https://learn.microsoft.com/windows/console/writeconsoleoutputattribute>
#[winapi]
pub fn WriteConsoleOutputAttribute(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    lpAttribute: GuestWord,
    nLength: u32,
    dwWriteCoord: u32,
    lpNumberOfAttrsWritten: GuestWord,
) -> Result<Bool, Win32Error> {
    let file = console_output(guest, hConsoleOutput)?;
    let colours = guest.read_wide(lpAttribute.0, u64::from(nLength))?;
    let place = place_of(dwWriteCoord);
    let console = &guest.process().files.console;
    let written = console.with_screen(&file, |screen| screen.write_attributes(&colours, place))?;
    tell(guest, lpNumberOfAttrsWritten, written.unwrap_or(0) as u32)
}

/// Reads the colours of cells.
///
/// Source: <https://learn.microsoft.com/windows/console/readconsoleoutputattribute>
#[winapi]
pub fn ReadConsoleOutputAttribute(
    guest: &mut Guest,
    hConsoleOutput: GuestWord,
    lpAttribute: GuestWord,
    nLength: u32,
    dwReadCoord: u32,
    lpNumberOfAttrsRead: GuestWord,
) -> Result<Bool, Win32Error> {
    let cells = read_cells(guest, hConsoleOutput, nLength, dwReadCoord)?;
    let colours: Vec<u16> = cells.iter().map(|cell| cell.attributes).collect();
    guest.write_wide(lpAttribute.0, &colours)?;
    tell(guest, lpNumberOfAttrsRead, colours.len() as u32)
}
