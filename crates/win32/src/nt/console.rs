//! The console: modes, code pages, title. There is one console, the terminal behind standard input and output.
//!
//! Key type: [`ConsoleState`]. `input` takes keys and events from the terminal, `lines` reads lines, `output` writes text
//! and keeps screen buffers, `handlers` is about Ctrl-C.
//!
//! The terminal is left as it was found, with lines read by the terminal's own driver, until a program wants keys: it
//! switches lines or echo off, reads or looks for input events, or waits for the console's handle. Text is written to it
//! as it comes. A grid of cells is kept only for programs that ask for cells or for the cursor.

pub mod handlers;
pub mod input;
pub mod lines;
pub mod output;
pub mod pseudo;

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use plat_host::terminal::{self, Switch};

use super::file::{FileKind, FileObject};
use super::path::lock;
use super::process_object::ProcessObject;
use crate::logic::nls::code_page::CodePage;
use crate::{NtStatus, Win32Error};

pub use handlers::{CTRL_BREAK_EVENT, CTRL_C_EVENT, CTRL_CLOSE_EVENT, send_event};

/// Bits of an input's mode.
///
/// Source: <https://learn.microsoft.com/windows/console/setconsolemode>
pub mod input_mode {
    /// `ENABLE_PROCESSED_INPUT`.
    pub const PROCESSED: u32 = 1;
    /// `ENABLE_LINE_INPUT`.
    pub const LINE: u32 = 2;
    /// `ENABLE_ECHO_INPUT`.
    pub const ECHO: u32 = 4;
    /// `ENABLE_WINDOW_INPUT`.
    pub const WINDOW: u32 = 8;
    /// `ENABLE_MOUSE_INPUT`.
    pub const MOUSE: u32 = 0x10;
    /// `ENABLE_QUICK_EDIT_MODE`: the mouse selects text, and the program does not see it.
    pub const QUICK_EDIT: u32 = 0x40;
    /// `ENABLE_VIRTUAL_TERMINAL_INPUT`.
    pub const TERMINAL_INPUT: u32 = 0x200;
    /// What a fresh console has.
    pub const DEFAULT: u32 = 0x1f7;
    /// All that there are.
    pub const ALL: u32 = 0x3ff;
}

/// Bits of an output's mode.
///
/// Source: <https://learn.microsoft.com/windows/console/setconsolemode>
pub mod output_mode {
    /// `ENABLE_PROCESSED_OUTPUT`.
    pub const PROCESSED: u32 = 1;
    /// `ENABLE_WRAP_AT_EOL_OUTPUT`.
    pub const WRAP: u32 = 2;
    /// `ENABLE_VIRTUAL_TERMINAL_PROCESSING`.
    pub const TERMINAL: u32 = 4;
    /// `DISABLE_NEWLINE_AUTO_RETURN`.
    pub const NO_RETURN: u32 = 8;
    /// What a fresh console has.
    pub const DEFAULT: u32 = PROCESSED | WRAP;
    /// All that there are.
    pub const ALL: u32 = 0x1f;
}

/// Whether the process has a console.
const ATTACHED_AS_BORN: u8 = 0;
const ATTACHED: u8 = 1;
const DETACHED: u8 = 2;

/// The console of the process.
pub struct ConsoleState {
    input_mode: AtomicU32,
    output_mode: AtomicU32,
    /// The input code page's number.
    pub input_page: AtomicU32,
    /// The output code page's number.
    pub output_page: AtomicU32,
    /// The title.
    pub title: Mutex<Vec<u16>>,
    /// The handlers, the last one first to be called.
    handlers: Mutex<Vec<handlers::Handler>>,
    /// Whether Ctrl-C is ignored.
    ignores_interrupt: AtomicBool,
    attachment: AtomicU8,
    /// How often whoever edits a line was called, and how often to give it up.
    line_calls: AtomicU32,
    line_interrupts: AtomicU32,
    pub(super) input: Mutex<input::Input>,
    pub(super) output: Mutex<output::Output>,
    page: Mutex<Option<(u32, CodePage)>>,
}

impl Default for ConsoleState {
    fn default() -> Self {
        let oem = super::nls::default_pages().oem;
        Self {
            input_mode: AtomicU32::new(input_mode::DEFAULT),
            output_mode: AtomicU32::new(output_mode::DEFAULT),
            input_page: AtomicU32::new(oem),
            output_page: AtomicU32::new(oem),
            title: Mutex::default(),
            handlers: Mutex::default(),
            ignores_interrupt: AtomicBool::new(false),
            attachment: AtomicU8::new(ATTACHED_AS_BORN),
            line_calls: AtomicU32::new(0),
            line_interrupts: AtomicU32::new(0),
            input: Mutex::default(),
            output: Mutex::default(),
            page: Mutex::default(),
        }
    }
}

/// Lets only a console's input through.
///
/// # Errors
/// `INVALID_HANDLE` for anything else.
pub fn check_input(file: &FileObject) -> Result<(), NtStatus> {
    if file.kind == FileKind::ConsoleInput { Ok(()) } else { Err(NtStatus::INVALID_HANDLE) }
}

/// Lets only a console's output through.
///
/// # Errors
/// `INVALID_HANDLE` for anything else.
pub fn check_output(file: &FileObject) -> Result<(), NtStatus> {
    if file.kind == FileKind::ConsoleOutput { Ok(()) } else { Err(NtStatus::INVALID_HANDLE) }
}

impl ConsoleState {
    /// Returns the mode of a console handle.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it is no console.
    pub fn mode(&self, file: &FileObject) -> Result<u32, NtStatus> {
        match file.kind {
            FileKind::ConsoleInput => Ok(self.input_mode.load(Ordering::Relaxed)),
            FileKind::ConsoleOutput => Ok(self.output_mode.load(Ordering::Relaxed)),
            _ => Err(NtStatus::INVALID_HANDLE),
        }
    }

    /// Sets the mode of a console handle; the terminal follows at once, so that what is typed before the program reads is
    /// treated as it is to be.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it is no console; `INVALID_PARAMETER` for echo without lines, and for unknown bits.
    pub fn set_mode(&self, file: &FileObject, mode: u32) -> Result<(), NtStatus> {
        match file.kind {
            FileKind::ConsoleOutput => self.set_output_mode(file, mode),
            FileKind::ConsoleInput => self.set_input_mode(file, mode),
            _ => Err(NtStatus::INVALID_HANDLE),
        }
    }

    fn set_output_mode(&self, file: &FileObject, mode: u32) -> Result<(), NtStatus> {
        if mode & !output_mode::ALL != 0 {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        self.output_mode.store(mode, Ordering::Relaxed);
        terminal::switch(&file.file, Switch::Cut, mode & output_mode::WRAP == 0);
        Ok(())
    }

    fn set_input_mode(&self, file: &FileObject, mode: u32) -> Result<(), NtStatus> {
        use input_mode::{ALL, ECHO, LINE, PROCESSED};
        if mode & !ALL != 0 || mode & (LINE | ECHO) == ECHO {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        self.input_mode.store(mode, Ordering::Relaxed);
        let mut input = lock(&self.input);
        input.attend(file);
        if mode & (LINE | ECHO | PROCESSED) == LINE | ECHO | PROCESSED {
            input.leave_keys();
        } else if terminal::is_foreground(&file.file) {
            // Who is in the background gets the keys when it reads them.
            input.take_keys(mode)?;
        }
        Ok(())
    }

    /// Returns a code page, the one asked for last without making it again.
    fn page(&self, number: u32) -> CodePage {
        let mut kept = lock(&self.page);
        if let Some((of, page)) = &*kept
            && *of == number
        {
            return page.clone();
        }
        let page = CodePage::new(number, super::nls::default_pages()).unwrap_or(CodePage::Utf8);
        *kept = Some((number, page.clone()));
        page
    }

    /// Returns the code page of one direction.
    pub fn code_page(&self, is_output: bool) -> CodePage {
        let page = if is_output { &self.output_page } else { &self.input_page };
        self.page(page.load(Ordering::Relaxed))
    }

    /// Sets a code page.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for an unknown one.
    pub fn set_code_page(&self, is_output: bool, number: u32) -> Result<(), Win32Error> {
        CodePage::new(number, super::nls::default_pages())?;
        let page = if is_output { &self.output_page } else { &self.input_page };
        page.store(number, Ordering::Relaxed);
        Ok(())
    }

    /// Says whether the process has a console: one made for the console is born with it.
    pub fn is_attached(&self, is_born_with: bool) -> bool {
        match self.attachment.load(Ordering::Relaxed) {
            ATTACHED_AS_BORN => is_born_with,
            attachment => attachment == ATTACHED,
        }
    }

    /// Says whether the process gave its console up.
    pub fn is_given_up(&self) -> bool {
        self.attachment.load(Ordering::Relaxed) == DETACHED
    }

    /// Gives the process the console, or takes it away.
    pub fn attach(&self, is_attached: bool) {
        self.attachment.store(if is_attached { ATTACHED } else { DETACHED }, Ordering::Relaxed);
    }

    /// Takes note that a process was started that writes to the console, too.
    pub fn share(&self, with: &Arc<ProcessObject>) {
        lock(&self.output).shared_with.push(Arc::clone(with));
    }

    /// Lets a process that is about to be started find the terminal as this one did, until this one takes keys again.
    pub fn lend_terminal(&self) {
        lock(&self.input).leave_keys();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_code_pages_are_refused() {
        let console = ConsoleState::default();
        assert_eq!(console.set_code_page(true, 4), Err(Win32Error::INVALID_PARAMETER));
        assert_eq!(console.set_code_page(true, 65001), Ok(()));
        assert_eq!(console.output_page.load(Ordering::Relaxed), 65001);
    }

    #[test]
    fn a_console_is_had_from_the_beginning_or_later() {
        let console = ConsoleState::default();
        assert_eq!([console.is_attached(true), console.is_attached(false)], [true, false]);
        console.attach(true);
        assert!(console.is_attached(false));
        console.attach(false);
        assert!(!console.is_attached(true));
    }
}
