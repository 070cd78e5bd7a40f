//! Text from the console: a line that the user edits, or keys as they come. Key items: [`ConsoleState::read`],
//! [`ConsoleState::read_bytes`].
//!
//! A line is edited here rather than by the terminal's driver, which knows no arrows and no lines before. Where the terminal
//! cannot do what that takes, or another process has it, the driver does it.

use std::sync::atomic::Ordering;

use plat_host::file::File;
use plat_host::terminal;

use super::super::file::FileObject;
use super::super::path::lock;
use super::input::{output_of, wait_for_records};
use super::{ConsoleState, check_input, input_mode};
use crate::NtStatus;
use crate::logic::console::line::{Line, LineRules, Next};

/// How many lines are kept to be recalled.
pub const HISTORY_MAX: usize = 50;

/// `CONSOLE_READCONSOLE_CONTROL`, what goes in.
#[derive(Clone, Debug, Default)]
pub struct Control {
    /// What stands in the buffer, and on the screen, already.
    pub initial: Vec<u16>,
    /// Which control characters end the read.
    pub wakeup: u32,
}

/// What a read of text returns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed<T> {
    /// The text; none at the end of input.
    pub text: Vec<T>,
    /// The modifiers held with the control character that ended it.
    pub state: u32,
    /// Ctrl-C ended it: there is no text.
    pub is_interrupted: bool,
}

/// How a line ended.
enum Ended {
    Line,
    Woken(u32),
    Interrupted,
}

impl ConsoleState {
    /// Reads UTF-16: at most `length` units, at most one line. Nothing means that input ended.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it is no console's input; the terminal's error; `CANCELLED` when the thread is to end.
    pub fn read(&self, file: &FileObject, length: usize, control: &Control) -> Result<Typed<u16>, NtStatus> {
        let mut typed = self.fill_rest(file, control)?;
        let mut input = lock(&self.input);
        // A character of two units is not cut, unless there is room for no other.
        let mut count = length.min(input.rest.len());
        if count > 1 && (0xd800..0xdc00).contains(&input.rest[count - 1]) && input.rest.len() > count {
            count -= 1;
        }
        typed.text.extend(input.rest.drain(..count));
        Ok(typed)
    }

    /// Reads text in the input code page: at most `length` bytes, at most one line. Nothing means that input ended.
    ///
    /// # Errors
    /// As for [`ConsoleState::read`].
    pub fn read_bytes(
        &self,
        file: &FileObject,
        length: usize,
        control: &Control,
    ) -> Result<Typed<u8>, NtStatus> {
        let ended = self.fill_rest(file, control)?;
        let page = self.code_page(false);
        let mut typed = Typed { text: Vec::new(), state: ended.state, is_interrupted: ended.is_interrupted };
        let mut input = lock(&self.input);
        while let Some(&first) = input.rest.front() {
            let is_pair = (0xd800..0xdc00).contains(&first) && input.rest.len() > 1;
            let units: Vec<u16> = input.rest.iter().copied().take(if is_pair { 2 } else { 1 }).collect();
            let bytes = page.encode(&units, 0, None, false).map(|encoded| encoded.bytes).unwrap_or_default();
            if typed.text.len() + bytes.len() > length {
                break;
            }
            typed.text.extend(bytes);
            input.rest.drain(..units.len());
        }
        Ok(typed)
    }

    /// Makes sure that there is text to give, unless input ended.
    fn fill_rest(&self, file: &FileObject, control: &Control) -> Result<Typed<u16>, NtStatus> {
        check_input(file)?;
        let mut typed = Typed::default();
        let mode = self.input_mode.load(Ordering::Relaxed);
        lock(&self.input).attend(file);
        if !lock(&self.input).rest.is_empty() {
            return Ok(typed);
        }
        if mode & input_mode::LINE == 0 {
            self.read_keys(mode)?;
        } else if terminal::is_dumb() || !terminal::is_foreground(&file.file) {
            self.read_drivers_line(file)?;
        } else {
            match self.edit_line(file, mode, control)? {
                Ended::Line => {}
                Ended::Woken(state) => typed.state = state,
                Ended::Interrupted => typed.is_interrupted = true,
            }
        }
        Ok(typed)
    }

    /// Waits for characters and takes those that there are.
    fn read_keys(&self, mode: u32) -> Result<(), NtStatus> {
        lock(&self.input).take_keys(mode)?;
        loop {
            while let Some(key) = self.next_key() {
                if key.unit != 0 {
                    let mut input = lock(&self.input);
                    (0..key.count.max(1)).for_each(|_| input.rest.push_back(key.unit));
                }
            }
            if !lock(&self.input).rest.is_empty() || self.input_is_over() {
                return Ok(());
            }
            wait_for_records()?;
        }
    }

    /// Reads a line that the terminal's driver lets the user edit.
    fn read_drivers_line(&self, file: &FileObject) -> Result<(), NtStatus> {
        lock(&self.input).leave_keys();
        let mut typed = vec![0; 4096];
        let read = file.read(&mut typed, None)? as usize;
        // Windows ends a line with both; the terminal only with the second.
        let text = String::from_utf8_lossy(&typed[..read]).replace('\n', "\r\n");
        lock(&self.input).rest.extend(text.encode_utf16());
        lock(&self.output).note_new_line();
        Ok(())
    }

    fn edit_line(&self, file: &FileObject, mode: u32, control: &Control) -> Result<Ended, NtStatus> {
        let columns = plat_host::console::window_size(&file.file).map_or(80, |size| size.0);
        let rules = LineRules {
            echoes: mode & input_mode::ECHO != 0,
            wakeup: control.wakeup,
            columns,
            start: lock(&self.output).column(columns),
        };
        let shown = output_of(&file.file);
        let mut line = Line::new(rules, &control.initial);
        let had_keys = terminal::keys().is_some();
        let ended = self.take_line(&mut line, mode, shown.as_ref());
        let mut input = lock(&self.input);
        if had_keys {
            input.take_keys(mode)?;
        } else {
            input.leave_keys();
        }
        let ended = ended?;
        let text = line.text();
        if !matches!(ended, Ended::Interrupted) {
            input.rest.extend(text.encode_utf16());
        }
        let is_new = !text.is_empty() && input.history.last() != Some(&text);
        if matches!(ended, Ended::Line) {
            input.rest.extend("\r\n".encode_utf16());
            if is_new && rules.echoes {
                input.history.push(text);
                let surplus = input.history.len().saturating_sub(HISTORY_MAX);
                input.history.drain(..surplus);
            }
        }
        Ok(ended)
    }

    /// Feeds keys to a line until it ends.
    fn take_line(&self, line: &mut Line, mode: u32, shown: Option<&File>) -> Result<Ended, NtStatus> {
        let calls = || self.line_calls.load(Ordering::Relaxed);
        let interrupts = || self.line_interrupts.load(Ordering::Relaxed);
        let (mut seen_calls, seen_interrupts) = (calls(), interrupts());
        let history = lock(&self.input).history.clone();
        loop {
            lock(&self.input).take_keys_for_line(mode)?;
            while let Some(key) = self.next_key() {
                let (next, out) = line.press(&key, &history);
                self.echo(shown, &out);
                match next {
                    Next::More => {}
                    Next::Done => return Ok(Ended::Line),
                    Next::Woken(state) => return Ok(Ended::Woken(state)),
                    // Nothing was typed, and nothing follows it.
                    Next::End => return Ok(Ended::Woken(0)),
                }
            }
            if interrupts() != seen_interrupts {
                return Ok(Ended::Interrupted);
            }
            if calls() != seen_calls {
                seen_calls = calls();
                let start = lock(&self.output).column(u16::MAX);
                let out = line.draw_again(start);
                self.echo(shown, &out);
            }
            if self.input_is_over() {
                return Ok(Ended::Woken(0));
            }
            wait_for_records()?;
        }
    }

    /// Ends the read of a line, since the user pressed Ctrl-C.
    pub(super) fn interrupt_line(&self) {
        self.line_interrupts.fetch_add(1, Ordering::Relaxed);
        self.wake_line();
    }

    /// Returns the lines that can be recalled, the last one last.
    pub fn history(&self) -> Vec<String> {
        lock(&self.input).history.clone()
    }
}
