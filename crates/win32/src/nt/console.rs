//! The console: modes, code pages, title, handlers of Ctrl-C, and text to and from the terminal.
//!
//! Key type: [`ConsoleState`]. There is one console, the terminal behind standard input and output.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use plat_host::console::{self, InputMode, Interrupt};

use super::file::{FileKind, FileObject};
use super::path::{lock, status_of};
use super::thread_start::{self, ThreadPlan};
use crate::guest::Guest;
use crate::logic::nls::code_page::CodePage;
use crate::process::Process;
use crate::{NtStatus, Win32Error};

/// `ENABLE_PROCESSED_INPUT`.
pub const PROCESSED_INPUT: u32 = 1;
/// `ENABLE_LINE_INPUT`.
pub const LINE_INPUT: u32 = 2;
/// `ENABLE_ECHO_INPUT`.
pub const ECHO_INPUT: u32 = 4;

/// `ENABLE_PROCESSED_OUTPUT | ENABLE_WRAP_AT_EOL_OUTPUT`.
const OUTPUT_DEFAULT: u32 = 3;
/// What a fresh console has for its input.
const INPUT_DEFAULT: u32 = 0x1f7;

/// Who is asked when a user wants the program to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handler {
    /// A function of the guest's, by its address.
    Guest(u64),
    /// The C runtime, for those who called `signal`.
    Crt,
}

/// The console of the process.
pub struct ConsoleState {
    input_mode: AtomicU32,
    output_mode: AtomicU32,
    /// The input code page's number.
    pub input_page: AtomicU32,
    /// The output code page's number.
    pub output_page: AtomicU32,
    /// Colours of text: `FOREGROUND_…`.
    pub attributes: AtomicU32,
    /// The title.
    pub title: Mutex<Vec<u16>>,
    /// The handlers, the last one first to be called.
    handlers: Mutex<Vec<Handler>>,
    /// Whether Ctrl-C is ignored.
    ignores_interrupt: AtomicBool,
    /// What was typed and not yet read, in UTF-8 with Windows' line ends.
    pending: Mutex<Vec<u8>>,
    page: Mutex<Option<(u32, CodePage)>>,
}

impl Default for ConsoleState {
    fn default() -> Self {
        let oem = super::nls::default_pages().oem;
        Self {
            input_mode: AtomicU32::new(INPUT_DEFAULT),
            output_mode: AtomicU32::new(OUTPUT_DEFAULT),
            input_page: AtomicU32::new(oem),
            output_page: AtomicU32::new(oem),
            attributes: AtomicU32::new(7),
            title: Mutex::default(),
            handlers: Mutex::default(),
            ignores_interrupt: AtomicBool::new(false),
            pending: Mutex::default(),
            page: Mutex::default(),
        }
    }
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

    /// Sets the mode of a console handle; line, echo and signals reach the terminal.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it is no console; `INVALID_PARAMETER` for echo without lines.
    pub fn set_mode(&self, file: &FileObject, mode: u32) -> Result<(), NtStatus> {
        match file.kind {
            FileKind::ConsoleOutput => {
                self.output_mode.store(mode, Ordering::Relaxed);
                return Ok(());
            }
            FileKind::ConsoleInput => {}
            _ => return Err(NtStatus::INVALID_HANDLE),
        }
        if mode & (LINE_INPUT | ECHO_INPUT) == ECHO_INPUT {
            return Err(NtStatus::INVALID_PARAMETER);
        }
        let wanted = InputMode {
            line: mode & LINE_INPUT != 0,
            echo: mode & ECHO_INPUT != 0,
            signals: mode & PROCESSED_INPUT != 0,
        };
        if console::input_mode(&file.file).map_err(status_of)? != wanted {
            console::set_input_mode(&file.file, wanted).map_err(status_of)?;
        }
        self.input_mode.store(mode, Ordering::Relaxed);
        Ok(())
    }

    /// Returns columns and rows of the window.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it is no console's output.
    pub fn window_size(&self, file: &FileObject) -> Result<(u16, u16), NtStatus> {
        if file.kind != FileKind::ConsoleOutput {
            return Err(NtStatus::INVALID_HANDLE);
        }
        match console::window_size(&file.file).map_err(status_of)? {
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
        if file.kind != FileKind::ConsoleOutput {
            return Err(NtStatus::INVALID_HANDLE);
        }
        file.write(String::from_utf16_lossy(text).as_bytes(), None).map(drop)
    }

    /// Writes text in the output code page to the terminal.
    ///
    /// # Errors
    /// As for [`ConsoleState::write`].
    pub fn write_bytes(&self, file: &FileObject, text: &[u8]) -> Result<(), NtStatus> {
        if file.kind != FileKind::ConsoleOutput {
            return Err(NtStatus::INVALID_HANDLE);
        }
        let page = self.output_page.load(Ordering::Relaxed);
        if page == 65001 || text.is_ascii() {
            return file.write(text, None).map(drop);
        }
        let wide = self.page(page).decode(text, 0).unwrap_or_default();
        self.write(file, &wide)
    }

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

    /// Reads text in the input code page: at most `length` bytes, at most one line. Nothing means that input ended.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it is no console's input; the terminal's error.
    pub fn read_bytes(&self, file: &FileObject, length: usize) -> Result<Vec<u8>, NtStatus> {
        let page = self.page(self.input_page.load(Ordering::Relaxed));
        let mut text = Vec::new();
        while let Some(character) = self.next_character(file, text.is_empty())? {
            let wide: Vec<u16> = character.encode_utf16(&mut [0; 2]).to_vec();
            let bytes = page.encode(&wide, 0, None, false).map(|encoded| encoded.bytes).unwrap_or_default();
            if text.len() + bytes.len() > length {
                self.put_back(character);
                break;
            }
            text.extend(bytes);
            if character == '\n' || text.len() == length {
                break;
            }
        }
        Ok(text)
    }

    /// Reads UTF-16: at most `length` units, at most one line. Nothing means that input ended.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it is no console's input; the terminal's error.
    pub fn read(&self, file: &FileObject, length: usize) -> Result<Vec<u16>, NtStatus> {
        let mut text = Vec::new();
        while let Some(character) = self.next_character(file, text.is_empty())? {
            if text.len() + character.len_utf16() > length {
                self.put_back(character);
                break;
            }
            text.extend_from_slice(character.encode_utf16(&mut [0; 2]));
            if character == '\n' || text.len() == length {
                break;
            }
        }
        Ok(text)
    }

    /// Takes one character; asks the terminal for more only when `may_wait`.
    fn next_character(&self, file: &FileObject, may_wait: bool) -> Result<Option<char>, NtStatus> {
        if file.kind != FileKind::ConsoleInput {
            return Err(NtStatus::INVALID_HANDLE);
        }
        if lock(&self.pending).is_empty() {
            if !may_wait {
                return Ok(None);
            }
            let mut typed = vec![0; 4096];
            let read = file.read(&mut typed, None)? as usize;
            let lines = self.input_mode.load(Ordering::Relaxed) & LINE_INPUT != 0;
            let mut pending = lock(&self.pending);
            for &byte in &typed[..read] {
                // Windows ends a line with both; the terminal only with the second.
                if byte == b'\n' && lines {
                    pending.push(b'\r');
                }
                pending.push(byte);
            }
        }
        let mut pending = lock(&self.pending);
        let size = pending
            .utf8_chunks()
            .next()
            .map_or(0, |chunk| chunk.valid().chars().next().map_or(chunk.invalid().len(), char::len_utf8));
        let bytes: Vec<u8> = pending.drain(..size).collect();
        Ok(String::from_utf8_lossy(&bytes).chars().next())
    }

    fn put_back(&self, character: char) {
        let mut bytes = [0; 4];
        lock(&self.pending).splice(0..0, character.encode_utf8(&mut bytes).bytes());
    }

    /// Returns how many bytes wait to be read.
    pub fn pending_input(&self, file: &FileObject) -> u64 {
        lock(&self.pending).len() as u64 + file.available().unwrap_or(0)
    }

    /// Throws away what waits to be read.
    ///
    /// # Errors
    /// What the terminal answers.
    pub fn flush_input(&self, file: &FileObject) -> Result<(), NtStatus> {
        lock(&self.pending).clear();
        console::flush_input(&file.file).map_err(status_of)
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
}

/// `CTRL_C_EVENT`.
pub const CTRL_C_EVENT: u32 = 0;
/// `CTRL_BREAK_EVENT`.
pub const CTRL_BREAK_EVENT: u32 = 1;
/// `CTRL_CLOSE_EVENT`.
pub const CTRL_CLOSE_EVENT: u32 = 2;

fn event_of(interrupt: Interrupt) -> u32 {
    match interrupt {
        Interrupt::Interrupt => CTRL_C_EVENT,
        Interrupt::Quit | Interrupt::Terminate => CTRL_BREAK_EVENT,
        Interrupt::HangUp => CTRL_CLOSE_EVENT,
    }
}

impl ConsoleState {
    /// Adds a handler of Ctrl-C and its like; the first one makes the process watch for them.
    ///
    /// # Errors
    /// What the kernel answers.
    pub fn add_handler(&self, handler: u64) -> Result<(), NtStatus> {
        console::watch_interrupts(interrupted).map_err(status_of)?;
        lock(&self.handlers).push(Handler::Guest(handler));
        Ok(())
    }

    /// Adds the C runtime's handler, unless it is there: what `signal` does the first time.
    ///
    /// # Errors
    /// What the kernel answers.
    pub fn add_crt_handler(&self) -> Result<(), NtStatus> {
        console::watch_interrupts(interrupted).map_err(status_of)?;
        let mut handlers = lock(&self.handlers);
        if !handlers.contains(&Handler::Crt) {
            handlers.push(Handler::Crt);
        }
        Ok(())
    }

    /// Removes a handler; says whether it was there.
    pub fn remove_handler(&self, handler: u64) -> bool {
        let mut handlers = lock(&self.handlers);
        let at = handlers.iter().rposition(|&known| known == Handler::Guest(handler));
        at.map(|at| handlers.remove(at)).is_some()
    }

    /// Ignores Ctrl-C, or ends that.
    ///
    /// # Errors
    /// What the kernel answers.
    pub fn ignore_interrupt(&self, ignore: bool) -> Result<(), NtStatus> {
        if ignore {
            console::watch_interrupts(interrupted).map_err(status_of)?;
        }
        self.ignores_interrupt.store(ignore, Ordering::Relaxed);
        Ok(())
    }
}

/// Carries out an event that a user or a program sent: the handlers are called on a thread of their own; without one
/// the process ends with `exit_status`.
pub fn send_event(process: &'static Process, event: u32, exit_status: i32) {
    let console = &process.files.console;
    if event == CTRL_C_EVENT && console.ignores_interrupt.load(Ordering::Relaxed) {
        return;
    }
    let has_handlers = !lock(&console.handlers).is_empty();
    let run = move |guest: &mut Guest| run_ctrl_handlers(guest, event, exit_status);
    // A process that cannot start a thread any more is at its end anyway.
    if !has_handlers || thread_start::create_with(process, ThreadPlan::default(), run).is_err() {
        super::process_object::leave_with(NtStatus::CONTROL_C_EXIT.0, exit_status);
    }
}

/// What the host calls for a signal, on a thread of its own.
fn interrupted(interrupt: Interrupt) {
    if let Some(process) = Process::current() {
        send_event(process, event_of(interrupt), interrupt.exit_status());
    }
}

/// Calls the handlers, the last one first, until one returns TRUE; ends the process when none does, and always when
/// the console is gone. Returns the thread's exit code.
///
/// Source: <https://learn.microsoft.com/windows/console/handlerroutine>
fn run_ctrl_handlers(guest: &mut Guest, event: u32, exit_status: i32) -> u32 {
    guest.process().loader().attach_thread(guest);
    let handlers = lock(&guest.process().files.console.handlers).clone();
    for handler in handlers.into_iter().rev() {
        let is_handled = match handler {
            Handler::Guest(address) => {
                guest.call(address, &[u64::from(event)]).map(|answer| answer as u32 != 0)
            }
            Handler::Crt => crate::msvcrt::signal::on_console_event(guest, event != CTRL_C_EVENT),
        };
        // A handler whose stack is gone has not handled anything.
        if is_handled.unwrap_or(false) {
            if event == CTRL_CLOSE_EVENT {
                break;
            }
            return 0;
        }
    }
    // What Windows' own handler, the last, does: `ExitProcess`, here with what a shell expects.
    crate::kernel32::process::exit_with_status(guest, NtStatus::CONTROL_C_EXIT.0, exit_status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlers_are_removed_one_at_a_time() {
        let console = ConsoleState::default();
        lock(&console.handlers).extend([Handler::Guest(1), Handler::Crt, Handler::Guest(1)]);
        assert!(console.remove_handler(1));
        assert_eq!(*lock(&console.handlers), [Handler::Guest(1), Handler::Crt]);
        assert!(!console.remove_handler(7));
    }

    #[test]
    fn unknown_code_pages_are_refused() {
        let console = ConsoleState::default();
        assert_eq!(console.set_code_page(true, 4), Err(Win32Error::INVALID_PARAMETER));
        assert_eq!(console.set_code_page(true, 65001), Ok(()));
        assert_eq!(console.output_page.load(Ordering::Relaxed), 65001);
    }
}
