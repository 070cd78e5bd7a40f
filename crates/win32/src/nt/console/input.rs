//! What happens at the terminal becomes input records. Key types: [`Input`] (the records that wait), [`ConsoleInput`]
//! (what threads wait for).
//!
//! Nobody reads the terminal but who wants records, in that thread; the service only tells that there is something. So what is
//! typed stays in the terminal for another process, as a child, until somebody here asks.

use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use plat_host::clock;
use plat_host::console::{self, Change};
use plat_host::file::{File, Open};
use plat_host::service::{self, Interest};
use plat_host::terminal::{self, Available, Keys, Switch};

use super::super::file::{FileKind, FileObject};
use super::super::object::{Object, ObjectKind, ObjectRef};
use super::super::path::{lock, status_of};
use super::super::thread::ThreadObject;
use super::super::wait::{self, WaitFor, Waitable};
use super::{ConsoleState, check_input, input_mode};
use crate::NtStatus;
use crate::logic::console::decode::{Decoded, Decoder, Rules};
use crate::logic::console::record::{Key, Mouse, Record};
use crate::process::Process;

/// How long after an Escape the rest of a sequence may come.
const ESCAPE_NS: u64 = 50_000_000;
/// How long the terminal may take to say where the cursor is.
const ANSWER_MS: u64 = 1000;
/// The most records that wait; what comes then is lost, as keys are that nobody reads.
const RECORDS_MAX: usize = 1 << 16;

/// What was typed and happened, and was not taken yet.
#[derive(Default)]
pub struct Input {
    decoder: Decoder,
    records: VecDeque<Record>,
    /// What is left of a line, or of a character that did not fit.
    pub(super) rest: VecDeque<u16>,
    /// Lines read before, the last one last.
    pub(super) history: Vec<String>,
    /// When an Escape that is held is a key by itself.
    escape_due: Option<u64>,
    /// The terminal, once it was asked for.
    terminal: Option<Arc<File>>,
    /// The window's size when it was last told.
    size: Option<(u16, u16)>,
    /// The terminal is gone.
    is_over: bool,
    /// The service watches for bytes.
    is_watched: bool,
    /// How many of the bytes to come the terminal's driver took for parts of lines.
    typed_ahead: usize,
    /// Whether the terminal did not say where the cursor is.
    is_mute: bool,
}

impl Input {
    /// Takes note of the terminal.
    pub(super) fn attend(&mut self, file: &FileObject) {
        if self.terminal.is_none() {
            self.terminal = file.file.duplicate().ok().map(Arc::new);
        }
    }

    pub(super) fn terminal(&self) -> Option<Arc<File>> {
        self.terminal.clone()
    }

    /// Has the terminal send keys, one at a time.
    pub(super) fn take_keys(&mut self, mode: u32) -> Result<(), NtStatus> {
        let keys = Keys { interrupts: mode & input_mode::PROCESSED != 0, job_control: false };
        self.enter(keys, mode)
    }

    /// Has the terminal send keys for the time in which a line is edited.
    pub(super) fn take_keys_for_line(&mut self, mode: u32) -> Result<(), NtStatus> {
        let interrupts = mode & input_mode::PROCESSED != 0;
        self.enter(Keys { interrupts, job_control: interrupts }, mode)
    }

    fn enter(&mut self, keys: Keys, mode: u32) -> Result<(), NtStatus> {
        let Some(file) = &self.terminal else { return Err(NtStatus::INVALID_HANDLE) };
        self.decoder.rules = Rules {
            passes_sequences: mode & input_mode::TERMINAL_INPUT != 0,
            backspace: terminal::backspace(file),
        };
        if terminal::keys() != Some(keys) {
            // Before anything is changed that a signal would leave so.
            console::watch_interrupts(super::handlers::interrupted).map_err(status_of)?;
            console::watch_terminal(changed).map_err(status_of)?;
            let was_in_lines = terminal::keys().is_none();
            terminal::enter(file, keys).map_err(status_of)?;
            if was_in_lines {
                self.typed_ahead = file.available().unwrap_or(0) as usize;
            }
        }
        let wants_mouse = mode & (input_mode::MOUSE | input_mode::QUICK_EDIT) == input_mode::MOUSE;
        if wants_mouse != terminal::is_on(Switch::Mouse)
            && !keys.job_control
            && let Some(output) = output_of(file)
        {
            terminal::switch(&output, Switch::Mouse, wants_mouse);
        }
        if self.size.is_none() {
            self.size = console::window_size(file).ok();
        }
        Ok(())
    }

    /// Gives the terminal back to its own driver.
    pub(super) fn leave_keys(&mut self) {
        terminal::relax();
        if let Some(file) = &self.terminal {
            terminal::switch(file, Switch::Mouse, false);
        }
    }

    /// Takes what the terminal has, without waiting.
    fn pump(&mut self, mode: u32) {
        let Some(file) = &self.terminal else { return };
        let now = clock::monotonic_nanoseconds();
        let mut decoded = match terminal::read_available(file) {
            Available::Bytes(bytes) if bytes.is_empty() => Vec::new(),
            Available::Bytes(mut bytes) => {
                self.escape_due = Some(now + ESCAPE_NS);
                self.take_back_lines(&mut bytes);
                self.decoder.push(&bytes, now / 1_000_000)
            }
            Available::End => {
                self.is_over = true;
                Vec::new()
            }
        };
        if self.escape_due.is_some_and(|due| due <= now) || self.is_over {
            decoded.extend(self.decoder.flush(now / 1_000_000));
        }
        if !self.decoder.is_waiting() {
            self.escape_due = None;
        }
        self.take_records(decoded, mode);
        self.look_at_size(mode);
    }

    /// Undoes what the terminal's driver made of keys typed before the terminal was taken from it: it took Enter for a
    /// line's end, and keeps a zero for its end of input.
    fn take_back_lines(&mut self, bytes: &mut [u8]) {
        const END_OF_INPUT: u8 = 4;
        let count = self.typed_ahead.min(bytes.len());
        self.typed_ahead -= count;
        for byte in &mut bytes[..count] {
            *byte = match *byte {
                b'\n' => b'\r',
                0 => END_OF_INPUT,
                other => other,
            };
        }
    }

    fn take_records(&mut self, decoded: Vec<Decoded>, mode: u32) -> Option<(u16, u16)> {
        let mut position = None;
        for one in decoded {
            match one {
                Decoded::Position(column, row) => position = Some((column, row)),
                Decoded::Record(Record::Mouse(_)) if mode & input_mode::MOUSE == 0 => {}
                Decoded::Record(record) => self.add(record),
            }
        }
        position
    }

    fn add(&mut self, record: Record) {
        // Windows keeps one movement of the mouse, the last.
        let moves = |record: &Record| matches!(record, Record::Mouse(Mouse { flags: 1, .. }));
        if moves(&record) && self.records.back().is_some_and(moves) {
            self.records.pop_back();
        }
        if self.records.len() < RECORDS_MAX {
            self.records.push_back(record);
        }
    }

    /// Makes a record of a new size of the window.
    fn look_at_size(&mut self, mode: u32) {
        let Some(size) = self.terminal.as_deref().and_then(|file| console::window_size(file).ok()) else {
            return;
        };
        if self.size.replace(size).is_some_and(|before| before != size) && mode & input_mode::WINDOW != 0 {
            self.add(Record::Size(size.0, size.1));
        }
    }

    fn has_any(&self) -> bool {
        !self.records.is_empty() || self.is_over
    }
}

/// Opens the terminal for writing: through what keys are read from, where that may be written to.
pub(super) fn output_of(file: &File) -> Option<File> {
    match file.access() {
        Ok((_, true)) => file.duplicate().ok(),
        _ => open_terminal(false, true),
    }
}

/// Opens the process's terminal.
fn open_terminal(read: bool, write: bool) -> Option<File> {
    File::open(std::path::Path::new("/dev/tty"), Open { read, write, ..Open::default() }).ok()
}

/// What threads wait for: signalled while there are records.
pub struct ConsoleInput {
    /// Waiters know objects by address: it must have one.
    _place: u8,
}

impl Object for ConsoleInput {
    fn kind(&self) -> ObjectKind {
        ObjectKind::File
    }
    fn waitable(&self) -> Option<&dyn Waitable> {
        Some(self)
    }
}

impl Waitable for ConsoleInput {
    fn is_signalled(&self, _: &ThreadObject) -> bool {
        Process::current().is_some_and(|process| process.files.console.has_records())
    }

    fn due(&self) -> Option<u64> {
        lock(&Process::current()?.files.console.input).escape_due
    }
}

/// Returns the console's input as an object; there is one.
fn object() -> &'static Arc<ConsoleInput> {
    static OBJECT: OnceLock<Arc<ConsoleInput>> = OnceLock::new();
    OBJECT.get_or_init(|| Arc::new(ConsoleInput { _place: 0 }))
}

/// Returns the waiting side of a file that is the console's input.
pub fn waitable(file: &FileObject) -> &'static dyn Waitable {
    if let Some(process) = Process::current() {
        lock(&process.files.console.input).attend(file);
    }
    &**object()
}

/// Lets those who wait look again.
fn tell_waiters() {
    let mut queues = wait::lock();
    queues.release(&**object());
    queues.reconsider(&**object());
}

/// What the host calls when the window or the process's place at the terminal changed.
fn changed(change: Change) {
    let Some(process) = Process::current() else { return };
    process.files.console.note_change(change);
    tell_waiters();
}

impl ConsoleState {
    /// Says whether records wait, and has the service watch for the next bytes if none do. Called with the dispatcher's
    /// lock.
    fn has_records(&self) -> bool {
        let mode = self.input_mode.load(Ordering::Relaxed);
        let mut input = lock(&self.input);
        let Some(file) = input.terminal() else { return false };
        if !input.has_any() && terminal::is_foreground(&file) && !is_editing() {
            let _ = input.take_keys(mode);
        }
        input.pump(mode);
        if !input.has_any() && !input.is_watched {
            let watch = service::when_ready(file.as_fd(), Interest::Read, || {
                if let Some(process) = Process::current() {
                    lock(&process.files.console.input).is_watched = false;
                    tell_waiters();
                }
            });
            input.is_watched = watch.is_ok();
        }
        input.has_any()
    }

    /// Looks at the first records without taking them; none when there are none.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it is no console's input.
    pub fn peek_records(&self, file: &FileObject, count: usize) -> Result<Vec<Record>, NtStatus> {
        check_input(file)?;
        let mode = self.input_mode.load(Ordering::Relaxed);
        let mut input = lock(&self.input);
        input.attend(file);
        if terminal::is_foreground(&file.file) {
            input.take_keys(mode)?;
            input.pump(mode);
        }
        Ok(input.records.iter().take(count).copied().collect())
    }

    /// Returns how many records wait.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it is no console's input.
    pub fn count_records(&self, file: &FileObject) -> Result<usize, NtStatus> {
        self.peek_records(file, usize::MAX).map(|records| records.len())
    }

    /// Takes up to `count` records; waits for the first one if `waits`. None come when the terminal is gone.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it is no console's input; `CANCELLED` when the thread is to end.
    pub fn take_records(
        &self,
        file: &FileObject,
        count: usize,
        waits: bool,
    ) -> Result<Vec<Record>, NtStatus> {
        check_input(file)?;
        let mode = self.input_mode.load(Ordering::Relaxed);
        lock(&self.input).attend(file);
        if waits || terminal::is_foreground(&file.file) {
            lock(&self.input).take_keys(mode)?;
        }
        loop {
            {
                let mut input = lock(&self.input);
                input.pump(mode);
                if input.has_any() || !waits || count == 0 {
                    let count = count.min(input.records.len());
                    return Ok(input.records.drain(..count).collect());
                }
            }
            wait_for_records()?;
        }
    }

    /// Has Ctrl-C come as a key; returns whether it was a signal before.
    pub fn without_processing(&self) -> bool {
        let before = self.input_mode.fetch_and(!input_mode::PROCESSED, Ordering::Relaxed);
        before & input_mode::PROCESSED != 0
    }

    /// Puts back what [`ConsoleState::without_processing`] changed. Keys are not shown by the terminal from here on: who
    /// reads some will read more.
    pub fn set_processing(&self, file: &FileObject, is_on: bool) {
        if is_on {
            let mode = self.input_mode.fetch_or(input_mode::PROCESSED, Ordering::Relaxed);
            if terminal::is_foreground(&file.file) {
                // The terminal took keys a moment ago.
                let _ = lock(&self.input).take_keys(mode | input_mode::PROCESSED);
            }
        }
    }

    /// Puts records behind those that wait, as if they had happened.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it is no console's input.
    pub fn put_records(&self, file: &FileObject, records: &[Record]) -> Result<(), NtStatus> {
        check_input(file)?;
        {
            let mut input = lock(&self.input);
            input.attend(file);
            records.iter().for_each(|&record| input.add(record));
        }
        tell_waiters();
        Ok(())
    }

    /// Puts a record before those that wait.
    pub fn put_back(&self, record: Record) {
        lock(&self.input).records.push_front(record);
    }

    /// Throws away what was typed and not yet read.
    ///
    /// # Errors
    /// `INVALID_HANDLE` when it is no console's input; what the terminal answers.
    pub fn flush_input(&self, file: &FileObject) -> Result<(), NtStatus> {
        check_input(file)?;
        let mut input = lock(&self.input);
        input.records.clear();
        input.rest.clear();
        input.decoder.clear();
        if terminal::is_foreground(&file.file) {
            console::flush_input(&file.file).map_err(status_of)?;
        }
        Ok(())
    }

    /// Takes the first key that goes down; other records before it are dropped, as a read of text drops them.
    pub(super) fn next_key(&self) -> Option<Key> {
        let mode = self.input_mode.load(Ordering::Relaxed);
        let mut input = lock(&self.input);
        if input.records.is_empty() {
            input.pump(mode);
        }
        while let Some(record) = input.records.pop_front() {
            if let Some(key) = record.pressed() {
                return Some(*key);
            }
        }
        None
    }

    /// Says whether the terminal is gone.
    pub(super) fn input_is_over(&self) -> bool {
        lock(&self.input).is_over
    }

    /// Takes note of a change: the size of the window is looked at, and nobody knows any more where the cursor is.
    fn note_change(&self, change: Change) {
        self.forget_position();
        match change {
            Change::Size => {
                let mode = self.input_mode.load(Ordering::Relaxed);
                lock(&self.input).look_at_size(mode);
            }
            Change::Continued => self.wake_line(),
        }
    }

    /// Has whoever edits a line look at it again.
    pub(super) fn wake_line(&self) {
        if is_editing() {
            self.line_calls.fetch_add(1, Ordering::Relaxed);
            // A record that no line takes note of.
            lock(&self.input).add(Record::Focus(true));
            tell_waiters();
        }
    }

    /// Asks the terminal where the cursor is: column and row from 0. Nothing when there is nobody to ask, or no answer.
    pub(super) fn ask_position(&self, output: &File) -> Option<(u16, u16)> {
        let mode = self.input_mode.load(Ordering::Relaxed);
        let mut input = lock(&self.input);
        if input.terminal.is_none() {
            input.terminal = terminal_of(output).map(Arc::new);
        }
        let file = input.terminal()?;
        if input.is_mute || terminal::is_dumb() || !terminal::is_foreground(&file) {
            return None;
        }
        let before = terminal::keys();
        if before.is_none() {
            input.take_keys_for_line(mode).ok()?;
        }
        input.decoder.awaits_position = true;
        let position = output.write(b"\x1b[6n", None).ok().and_then(|()| input.await_position(&file, mode));
        input.decoder.awaits_position = false;
        input.is_mute = position.is_none();
        if before.is_none() {
            terminal::relax();
        }
        let has_records = !input.records.is_empty();
        drop(input);
        if has_records {
            WAITERS_ARE_LATE.store(true, Ordering::Relaxed);
        }
        position
    }
}

/// The terminal's answer came with keys: who waits for them was not told, since that needs another lock.
static WAITERS_ARE_LATE: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Tells those who wait of keys that came with an answer of the terminal's. Called without any lock.
pub(super) fn tell_late_waiters() {
    if WAITERS_ARE_LATE.swap(false, Ordering::Relaxed) {
        tell_waiters();
    }
}

impl Input {
    fn await_position(&mut self, file: &File, mode: u32) -> Option<(u16, u16)> {
        let begin = clock::monotonic_nanoseconds();
        loop {
            let passed = clock::monotonic_nanoseconds().saturating_sub(begin) / 1_000_000;
            let left = ANSWER_MS.checked_sub(passed).filter(|&left| left > 0)?;
            if !terminal::wait_readable(file, Duration::from_millis(left)) {
                return None;
            }
            let Available::Bytes(mut bytes) = terminal::read_available(file) else { return None };
            self.take_back_lines(&mut bytes);
            let now = clock::monotonic_nanoseconds();
            let decoded = self.decoder.push(&bytes, now / 1_000_000);
            self.escape_due = self.decoder.is_waiting().then_some(now + ESCAPE_NS);
            if let Some(position) = self.take_records(decoded, mode) {
                return Some(position);
            }
        }
    }
}

/// Finds what keys of the terminal behind an output are read from.
fn terminal_of(output: &File) -> Option<File> {
    match output.access() {
        Ok((true, _)) => output.duplicate().ok(),
        _ => open_terminal(true, false),
    }
}

/// Waits until there are records.
///
/// # Errors
/// `CANCELLED` when the thread is to end.
pub(super) fn wait_for_records() -> Result<(), NtStatus> {
    let input: ObjectRef = Arc::clone(object()) as ObjectRef;
    let how = WaitFor { all: false, alertable: false, deadline: None };
    match wait::wait(&[input], how)? {
        NtStatus::THREAD_IS_TERMINATING => Err(NtStatus::CANCELLED),
        _ => Ok(()),
    }
}

/// Says whether a line is being edited: then the keys belong to that.
fn is_editing() -> bool {
    terminal::keys().is_some_and(|keys| keys.job_control)
}

/// Says whether a file is the console's input.
pub fn is_input(file: &FileObject) -> bool {
    file.kind == FileKind::ConsoleInput
}
