//! The terminal's state: how it treats what is typed, and what was switched on in it. Whatever is changed is put back
//! when the process ends, stops, or crashes.
//!
//! Key items: [`enter`], [`relax`], [`restore`], [`Switch`].

use std::os::fd::AsFd;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, SpecialCodeIndex, SpecialCodes, Termios, tcgetattr, tcsetattr,
};

use crate::file::File;
use crate::file_path::Errno;

/// How keys are read: one at a time, not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keys {
    /// Ctrl-C is a signal.
    pub interrupts: bool,
    /// Ctrl-Z and Ctrl-\ are signals, too.
    pub job_control: bool,
}

/// What a program switches on in the terminal, and what switches it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// Reports of the mouse and of the focus.
    Mouse,
    /// The other screen.
    Alternate,
    /// Text is cut at the last column.
    Cut,
    /// No cursor.
    HiddenCursor,
    /// Other colours.
    Colours,
    /// Another title.
    Title,
}

const SWITCHES: usize = 6;

impl Switch {
    /// Source: "XTerm Control Sequences", DECSET; SGR of ECMA-48.
    fn sequences(self) -> [&'static str; 2] {
        match self {
            Self::Mouse => ["\x1b[?1003h\x1b[?1006h\x1b[?1004h", "\x1b[?1004l\x1b[?1006l\x1b[?1003l"],
            Self::Alternate => ["\x1b[?1049h\x1b[H", "\x1b[?1049l"],
            Self::Cut => ["\x1b[?7l", "\x1b[?7h"],
            Self::HiddenCursor => ["\x1b[?25l", "\x1b[?25h"],
            // The colours themselves are the caller's to write.
            Self::Colours => ["", "\x1b[0m"],
            // The terminal keeps the title that it has, and takes it out again.
            Self::Title => ["\x1b[22;2t", "\x1b[23;2t"],
        }
    }
}

const ALL: [Switch; SWITCHES] =
    [Switch::Mouse, Switch::Cut, Switch::HiddenCursor, Switch::Colours, Switch::Title, Switch::Alternate];

struct State {
    /// What is read from.
    input: Option<File>,
    /// What sequences are written to.
    output: Option<File>,
    /// How the terminal was before.
    found: Option<Termios>,
    keys: Option<Keys>,
    is_on: [bool; SWITCHES],
}

static STATE: Mutex<State> =
    Mutex::new(State { input: None, output: None, found: None, keys: None, is_on: [false; SWITCHES] });

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says whether this process may change the terminal: it is of the group in the foreground.
pub fn is_foreground(file: &File) -> bool {
    rustix::termios::tcgetpgrp(file.as_fd()).is_ok_and(|group| group == rustix::process::getpgrp())
}

/// Says whether the terminal has no sequences, or nobody says what it is.
///
/// Source: The Open Group Base Specifications, issue 7, section 8.3, `TERM`; terminfo(5), the entry `dumb`.
pub fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|name| name.is_empty() || name == "dumb")
}

/// Returns the byte that the terminal sends for Backspace.
pub fn backspace(file: &File) -> u8 {
    const USUAL: u8 = 0x7f;
    let found = state().found.as_ref().map(|found| found.special_codes[SpecialCodeIndex::VERASE]);
    let code = found.or_else(|| Some(tcgetattr(file.as_fd()).ok()?.special_codes[SpecialCodeIndex::VERASE]));
    code.filter(|&code| matches!(code, 0x08 | 0x7f)).unwrap_or(USUAL)
}

/// Has keys read one at a time from now on.
///
/// # Errors
/// The kernel's errno: ENOTTY when it is no terminal.
pub fn enter(file: &File, keys: Keys) -> Result<(), Errno> {
    let mut state = state();
    if state.keys == Some(keys) {
        return Ok(());
    }
    if state.found.is_none() {
        state.found = Some(tcgetattr(file.as_fd())?);
        state.input = Some(file.duplicate()?);
        put_back_at_any_end();
    }
    let Some(found) = &state.found else { return Ok(()) };
    let raw = raw_modes(found.clone(), keys);
    tcsetattr(file.as_fd(), OptionalActions::Now, &raw)?;
    state.keys = Some(keys);
    Ok(())
}

fn raw_modes(mut modes: Termios, keys: Keys) -> Termios {
    const NO_KEY: u8 = 0;
    modes.input_modes.remove(
        InputModes::ICRNL | InputModes::INLCR | InputModes::IGNCR | InputModes::IXON | InputModes::ISTRIP,
    );
    modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::IEXTEN);
    modes.local_modes.set(LocalModes::ISIG, keys.interrupts || keys.job_control);
    let codes: &mut SpecialCodes = &mut modes.special_codes;
    // A read never waits: who waits asks with `poll`, and another process may have been faster.
    codes[SpecialCodeIndex::VMIN] = 0;
    codes[SpecialCodeIndex::VTIME] = 0;
    if !keys.interrupts {
        codes[SpecialCodeIndex::VINTR] = NO_KEY;
    }
    if !keys.job_control {
        codes[SpecialCodeIndex::VSUSP] = NO_KEY;
        codes[SpecialCodeIndex::VQUIT] = NO_KEY;
    }
    modes
}

/// Returns how keys are read, if they are read one at a time.
pub fn keys() -> Option<Keys> {
    state().keys
}

/// Lets the terminal treat what is typed as it did before. What is switched on stays.
pub fn relax() {
    state().relax();
}

impl State {
    fn relax(&mut self) {
        // A process in the background must not change the terminal: the one in the foreground has it now.
        if self.keys.take().is_some()
            && let (Some(file), Some(found)) = (&self.input, &self.found)
            && is_foreground(file)
        {
            let _ = tcsetattr(file.as_fd(), OptionalActions::Now, found);
        }
    }

    fn write(&self, text: &str) {
        if let Some(output) = &self.output {
            // Who cannot be written to shows nothing that would have to be put back.
            let _ = output.write(text.as_bytes(), None);
        }
    }

    fn switch_off(&self) {
        let off: String = ALL
            .iter()
            .filter(|&&switch| self.is_on[switch as usize])
            .map(|switch| switch.sequences()[1])
            .collect();
        if !off.is_empty() && self.output.as_ref().is_some_and(is_foreground) {
            self.write(&off);
        }
    }
}

/// Switches something on or off in the terminal behind `output`; it is off again when the process ends.
pub fn switch(output: &File, which: Switch, is_on: bool) {
    let mut state = state();
    if state.is_on[which as usize] == is_on {
        return;
    }
    if state.output.is_none() {
        state.output = output.duplicate().ok();
        put_back_at_any_end();
    }
    state.is_on[which as usize] = is_on;
    state.write(which.sequences()[usize::from(!is_on)]);
}

/// Says whether something is switched on.
pub fn is_on(which: Switch) -> bool {
    state().is_on[which as usize]
}

/// Puts everything back: for the process's end. A lock that a crash left behind is not waited for long.
pub fn restore() {
    const TRIES: usize = 50;
    let patient = |try_number: usize| {
        if try_number > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        STATE.try_lock().ok()
    };
    let Some(mut state) = (0..TRIES).find_map(patient) else { return };
    state.relax();
    state.switch_off();
    state.is_on = [false; SWITCHES];
}

/// Puts everything back while `act` runs, which stops the process, and makes it as it was afterwards.
pub fn suspended(act: impl FnOnce()) {
    let keys = {
        let mut state = state();
        let keys = state.keys;
        state.relax();
        state.switch_off();
        keys
    };
    act();
    take_again(keys);
}

/// Makes the terminal as it is to be, after somebody else had it.
pub fn take_again(keys: Option<Keys>) {
    let mut state = state();
    let keys = keys.or(state.keys);
    if let (Some(keys), Some(file), Some(found)) = (keys, &state.input, &state.found)
        && is_foreground(file)
    {
        let raw = raw_modes(found.clone(), keys);
        let outcome = tcsetattr(file.as_fd(), OptionalActions::Now, &raw);
        state.keys = outcome.is_ok().then_some(keys);
    }
    if state.output.as_ref().is_some_and(is_foreground) {
        for switch in ALL.iter().rev().filter(|&&switch| state.is_on[switch as usize]) {
            state.write(switch.sequences()[0]);
        }
    }
}

/// A panic's message comes to a terminal that shows it, and an end by the C library's `exit` puts it back, too.
fn put_back_at_any_end() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            before(panic);
        }));
        extern "C" fn at_exit() {
            restore();
        }
        // SAFETY: 1. the function lives as long as the process. Without room for it `exit_process` does it all the same.
        unsafe { libc::atexit(at_exit) };
    });
}

/// Waits until there is something to read, or the time is over; says whether there is.
pub fn wait_readable(file: &File, time: Duration) -> bool {
    let mut question = [PollFd::new(file, PollFlags::IN)];
    let time = Timespec { tv_sec: time.as_secs() as i64, tv_nsec: i64::from(time.subsec_nanos()) };
    rustix::event::poll(&mut question, Some(&time)).is_ok_and(|ready| ready > 0)
}

/// What a terminal has to read now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Available {
    /// Bytes; none when there are none yet.
    Bytes(Vec<u8>),
    /// The terminal is gone.
    End,
}

/// Reads what is there, without waiting.
pub fn read_available(file: &File) -> Available {
    let mut bytes = Vec::new();
    while wait_readable(file, Duration::ZERO) {
        let mut piece = [0; 1024];
        match file.read(&mut piece, None) {
            Ok(0) | Err(_) if bytes.is_empty() && file.is_hung_up() => return Available::End,
            Ok(0) | Err(_) => break,
            Ok(read) => bytes.extend_from_slice(&piece[..read]),
        }
    }
    Available::Bytes(bytes)
}

/// Stops the process as the terminal's stop key does without plat; returns when it goes on.
pub(crate) fn stop_as_asked() {
    // SAFETY: 1. all zeros is a valid sigaction.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: 1. as above.
    let mut before: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = libc::SIG_DFL;
    // SAFETY: 1. both are valid; the default action is always allowed.
    unsafe { libc::sigaction(libc::SIGTSTP, &raw const action, &raw mut before) };
    // SAFETY: 1. the signal goes to this thread; its default action stops the whole process before this returns.
    unsafe { libc::raise(libc::SIGTSTP) };
    // SAFETY: 1. `before` is what the kernel gave.
    unsafe { libc::sigaction(libc::SIGTSTP, &raw const before, std::ptr::null_mut()) };
}
