//! Text and cells to the console. Key type: [`Output`] (the screen buffers).
//!
//! Text goes to the terminal as it comes. Where the cursor is, the terminal is asked when a program first wants to know
//! (`CSI 6 n`: nothing else can tell what a shell or another process left on it), and from then on text is followed; it is asked
//! again when the window or another process may have moved the cursor. A terminal that does not answer within a second is
//! not asked again: the cursor is then said to be in the last row, where a shell that was used for a while has it.
//!
//! Screen buffers beside the first are drawn on the terminal's other screen.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use plat_host::file::File;
use plat_host::terminal::{self, Switch};

use super::super::file::{FileKind, FileObject};
use super::super::path::{lock, status_of};
use super::super::process_object::ProcessObject;
use super::{ConsoleState, check_output, output_mode};
use crate::NtStatus;
use crate::logic::console::paint::colours;
use crate::logic::console::screen::{DEFAULT_ATTRIBUTES, Screen};

/// The number of the screen buffer that there is from the beginning.
const FIRST: u32 = 0;
/// How much is kept of what was written since the last line's end, in bytes.
const TAIL_MAX: usize = 4096;

/// The screen buffers of the process.
#[derive(Default)]
pub struct Output {
    /// Those that are kept in step, by number.
    screens: HashMap<u32, Screen>,
    /// How the cursor of each looks: its size in percent, and whether it is shown.
    looks: HashMap<u32, (u32, bool)>,
    active: u32,
    last: u32,
    /// The colours of a first screen buffer that is not kept in step.
    attributes: Option<u16>,
    /// What was written since the last line's end to a screen that is not kept in step.
    tail: Vec<u8>,
    /// The beginning of a character that was written in pieces.
    cut: Vec<u8>,
    /// Whether the first screen's cursor is where the terminal has it.
    is_known: bool,
    /// Processes that write to the same terminal.
    pub(super) shared_with: Vec<Arc<ProcessObject>>,
}

impl Output {
    /// Returns the cursor's column, as far as what this process wrote tells.
    pub(super) fn column(&self, columns: u16) -> u16 {
        if let Some(screen) = self.screens.get(&self.active) {
            return screen.cursor().0;
        }
        let mut screen = Screen::new(columns, 2);
        screen.follow(&String::from_utf8_lossy(&self.tail));
        screen.cursor().0
    }

    /// Takes note that the terminal's driver went to a new line by itself.
    pub(super) fn note_new_line(&mut self) {
        self.follow(FIRST, b"\n");
        self.is_known = false;
    }

    /// Takes note of what went to the terminal.
    fn follow(&mut self, number: u32, bytes: &[u8]) {
        let Some(screen) = self.screens.get_mut(&number) else {
            match bytes.iter().rposition(|&byte| byte == b'\n') {
                Some(at) => self.tail = bytes[at + 1..].to_vec(),
                None => self.tail.extend_from_slice(bytes),
            }
            let surplus = self.tail.len().saturating_sub(TAIL_MAX);
            self.tail.drain(..surplus);
            return;
        };
        let mut whole = std::mem::take(&mut self.cut);
        whole.extend_from_slice(bytes);
        let end = match str::from_utf8(&whole) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            _ => whole.len(),
        };
        self.cut = whole.split_off(end);
        screen.follow(&String::from_utf8_lossy(&whole));
    }

    /// Says whether another process may have written, and forgets those that ended.
    fn is_shared(&mut self) -> bool {
        let was_shared = !self.shared_with.is_empty();
        self.shared_with.retain(|process| !process.has_ended());
        was_shared
    }
}

fn number_of(file: &FileObject) -> u32 {
    file.transfers.screen.get().copied().unwrap_or(FIRST)
}

impl ConsoleState {
    /// Returns columns and rows of the window.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it is no console's output.
    pub fn window_size(&self, file: &FileObject) -> Result<(u16, u16), NtStatus> {
        check_output(file)?;
        match plat_host::console::window_size(&file.file).map_err(status_of)? {
            // A terminal that does not know its size, as a serial line.
            (0, _) | (_, 0) => Ok((80, 25)),
            size => Ok(size),
        }
    }

    /// Writes UTF-16 to the terminal.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it is no console's output; the terminal's error.
    pub fn write(&self, file: &FileObject, text: &[u16]) -> Result<(), NtStatus> {
        self.send(file, String::from_utf16_lossy(text).as_bytes())
    }

    /// Writes text in the output code page to the terminal.
    ///
    /// # Errors
    /// As for [`ConsoleState::write`].
    pub fn write_bytes(&self, file: &FileObject, text: &[u8]) -> Result<(), NtStatus> {
        if self.output_page.load(Ordering::Relaxed) == 65001 || text.is_ascii() {
            return self.send(file, text);
        }
        let wide = self.code_page(true).decode(text, 0).unwrap_or_default();
        self.write(file, &wide)
    }

    fn send(&self, file: &FileObject, bytes: &[u8]) -> Result<(), NtStatus> {
        check_output(file)?;
        let number = number_of(file);
        let mut output = lock(&self.output);
        let staying;
        let mut bytes = bytes;
        if self.output_mode.load(Ordering::Relaxed) & output_mode::NO_RETURN != 0 && bytes.contains(&b'\n') {
            staying = without_returns(bytes);
            bytes = &staying;
        }
        output.follow(number, bytes);
        if number == output.active { file.write(bytes, None).map(drop) } else { Ok(()) }
    }

    /// Writes what a line being edited looks like.
    pub(super) fn echo(&self, terminal: Option<&File>, text: &str) {
        if let Some(terminal) = terminal.filter(|_| !text.is_empty()) {
            let mut output = lock(&self.output);
            let active = output.active;
            output.follow(active, text.as_bytes());
            // Whoever cannot see the line can still type it.
            let _ = terminal.write(text.as_bytes(), None);
        }
    }

    /// Nobody knows any more where the cursor is.
    pub(super) fn forget_position(&self) {
        lock(&self.output).is_known = false;
    }

    /// Lets `act` look at a screen buffer, or change it, and shows what it changed.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it is no console's output; the terminal's error.
    pub fn with_screen<T>(
        &self,
        file: &FileObject,
        act: impl FnOnce(&mut Screen) -> T,
    ) -> Result<T, NtStatus> {
        self.with_screen_telling(file, |screen| (act(screen), String::new()))
    }

    /// As [`ConsoleState::with_screen`]; `act` returns what the terminal is told before, too.
    ///
    /// # Errors
    /// As for [`ConsoleState::with_screen`].
    pub fn with_screen_telling<T>(
        &self,
        file: &FileObject,
        act: impl FnOnce(&mut Screen) -> (T, String),
    ) -> Result<T, NtStatus> {
        let size = self.window_size(file)?;
        let number = number_of(file);
        let result = {
            let mut output = lock(&self.output);
            self.update(&mut output, file, size);
            let output = &mut *output;
            let active = output.active;
            let Some(screen) = output.screens.get_mut(&number) else { return Err(NtStatus::INVALID_HANDLE) };
            let (result, mut told) = act(screen);
            if number == active {
                let painted = screen.paint();
                if painted.is_empty() && !told.is_empty() {
                    let (column, row) = screen.cursor();
                    told += &colours(screen.attributes);
                    told += &format!("\x1b[{};{}H", row + 1, column + 1);
                }
                told += &painted;
                if !told.is_empty() {
                    file.write(told.as_bytes(), None)?;
                }
            }
            result
        };
        super::input::tell_late_waiters();
        Ok(result)
    }

    /// Brings a screen buffer up to date: its size, and, for the one that is shown, the cursor.
    fn update(&self, output: &mut Output, file: &FileObject, size: (u16, u16)) {
        let number = number_of(file);
        if number == FIRST && !output.screens.contains_key(&FIRST) {
            let mut screen = Screen::new(size.0, size.1);
            screen.attributes = output.attributes.unwrap_or(DEFAULT_ATTRIBUTES);
            screen.set_cursor(output.column(size.0), size.1 - 1);
            output.screens.insert(FIRST, screen);
            output.is_known = false;
        }
        let is_shared = output.is_shared();
        let Some(screen) = output.screens.get_mut(&number) else { return };
        if screen.size() != size || is_shared {
            screen.resize(size.0, size.1);
            output.is_known = false;
        }
        if number == output.active && !output.is_known {
            if let Some((column, row)) = self.ask_position(&file.file) {
                screen.set_cursor(column, row);
            }
            output.is_known = true;
        }
    }

    /// Makes a screen buffer for a file that is the terminal.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it is no console's output, or has a screen buffer.
    pub fn add_screen(&self, file: &FileObject) -> Result<(), NtStatus> {
        let (columns, rows) = self.window_size(file)?;
        let mut output = lock(&self.output);
        output.last += 1;
        let number = output.last;
        let mut screen = Screen::new(columns, rows);
        screen.show_on_cleared();
        screen.attributes =
            output.screens.get(&output.active).map_or(DEFAULT_ATTRIBUTES, |shown| shown.attributes);
        output.screens.insert(number, screen);
        file.transfers.screen.set(number).map_err(|_| NtStatus::INVALID_HANDLE)
    }

    /// Takes note that the last handle of a screen buffer is closed: the first one is shown again if it was shown.
    pub fn remove_screen(&self, file: &FileObject) {
        let Some(&number) = file.transfers.screen.get() else { return };
        let mut output = lock(&self.output);
        output.screens.remove(&number);
        if output.active == number {
            // With the terminal gone there is nothing to show.
            let _ = self.show(&mut output, &file.file, FIRST);
        }
    }

    /// Shows a screen buffer in place of the one that is shown.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it is no console's output; the terminal's error.
    pub fn activate(&self, file: &FileObject) -> Result<(), NtStatus> {
        let size = self.window_size(file)?;
        let mut output = lock(&self.output);
        let number = number_of(file);
        if output.active == number {
            return Ok(());
        }
        if let Some(screen) = output.screens.get_mut(&number)
            && screen.size() != size
        {
            screen.resize(size.0, size.1);
        }
        self.show(&mut output, &file.file, number)
    }

    fn show(&self, output: &mut Output, file: &File, number: u32) -> Result<(), NtStatus> {
        if let Some(hidden) = output.screens.get_mut(&output.active) {
            hidden.set_visible(false);
        }
        output.active = number;
        let mut told = String::new();
        terminal::switch(file, Switch::Alternate, number != FIRST);
        if number != FIRST {
            told.push_str("\x1b[0m\x1b[2J");
        }
        if let Some(screen) = output.screens.get_mut(&number) {
            if number != FIRST {
                screen.show_on_cleared();
            }
            screen.set_visible(true);
            told += &screen.paint();
            let (column, row) = screen.cursor();
            told += &colours(screen.attributes);
            told += &format!("\x1b[{};{}H", row + 1, column + 1);
            terminal::switch(file, Switch::HiddenCursor, !screen.shows_cursor);
            // Here the model says where the cursor is.
            output.is_known = true;
        }
        file.write(told.as_bytes(), None).map_err(status_of)
    }

    /// Moves the cursor.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a place outside; as for [`ConsoleState::write`].
    pub fn set_cursor(&self, file: &FileObject, column: u16, row: u16) -> Result<(), NtStatus> {
        let (columns, rows) = self.window_size(file)?;
        if column >= columns || row >= rows {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        self.send(file, format!("\x1b[{};{}H", row + 1, column + 1).as_bytes())
    }

    /// Sets the colours of text that follows.
    ///
    /// # Errors
    /// As for [`ConsoleState::write`].
    pub fn set_attributes(&self, file: &FileObject, attributes: u16) -> Result<(), NtStatus> {
        self.send(file, colours(attributes).as_bytes())?;
        let mut output = lock(&self.output);
        let number = number_of(file);
        if number == FIRST {
            output.attributes = Some(attributes);
        }
        if let Some(screen) = output.screens.get_mut(&number) {
            screen.attributes = attributes;
        }
        if number == output.active {
            terminal::switch(&file.file, Switch::Colours, attributes != DEFAULT_ATTRIBUTES);
        }
        Ok(())
    }

    /// Shows the cursor or hides it, and keeps its size.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it is no console's output.
    pub fn set_cursor_look(&self, file: &FileObject, size: u32, is_shown: bool) -> Result<(), NtStatus> {
        check_output(file)?;
        let mut output = lock(&self.output);
        let number = number_of(file);
        if number == output.active {
            terminal::switch(&file.file, Switch::HiddenCursor, !is_shown);
        }
        output.looks.insert(number, (size, is_shown));
        if let Some(screen) = output.screens.get_mut(&number) {
            screen.shows_cursor = is_shown;
        }
        Ok(())
    }

    /// Returns the cursor's size in percent, and whether it is shown.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it is no console's output.
    pub fn cursor_look(&self, file: &FileObject) -> Result<(u32, bool), NtStatus> {
        check_output(file)?;
        const USUAL: (u32, bool) = (25, true);
        let (output, number) = (lock(&self.output), number_of(file));
        let (size, is_shown) = output.looks.get(&number).copied().unwrap_or(USUAL);
        Ok((size, output.screens.get(&number).map_or(is_shown, |screen| screen.shows_cursor)))
    }

    /// Gives the terminal the console's title.
    pub fn show_title(&self, file: &FileObject, title: &[u16]) {
        if file.kind != FileKind::ConsoleOutput || terminal::is_dumb() {
            return;
        }
        let title = String::from_utf16_lossy(title);
        let title: String = title.chars().filter(|character| !character.is_control()).collect();
        let _output = lock(&self.output);
        terminal::switch(&file.file, Switch::Title, true);
        // A title that cannot be shown is kept all the same.
        let _ = file.write(format!("\x1b]2;{title}\x07").as_bytes(), None);
    }
}

/// Lets line feeds without a return before them stay in their column, whatever the terminal's driver makes of them.
fn without_returns(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 8);
    for (at, &byte) in bytes.iter().enumerate() {
        if byte == b'\n' && (at == 0 || bytes[at - 1] != b'\r') {
            out.extend_from_slice(b"\x1bD");
        } else {
            out.push(byte);
        }
    }
    out
}
