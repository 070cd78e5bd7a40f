//! The terminal: size, line mode and echo, and signals that a user sends by key.

use std::arch::naked_asm;
use std::os::fd::AsFd;
use std::sync::Once;
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::termios::{LocalModes, OptionalActions};

use crate::file::File;
use crate::file_path::Errno;

/// Returns columns and rows.
///
/// # Errors
/// The kernel's errno: ENOTTY when it is no terminal.
pub fn window_size(file: &File) -> Result<(u16, u16), Errno> {
    let size = rustix::termios::tcgetwinsize(file.as_fd())?;
    Ok((size.ws_col, size.ws_row))
}

/// How a terminal treats what is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputMode {
    /// A line at a time, editable.
    pub line: bool,
    /// Shown while it is typed.
    pub echo: bool,
    /// Ctrl-C and its like are signals.
    pub signals: bool,
}

/// Returns how the terminal treats what is typed.
///
/// # Errors
/// The kernel's errno.
pub fn input_mode(file: &File) -> Result<InputMode, Errno> {
    let modes = rustix::termios::tcgetattr(file.as_fd())?.local_modes;
    Ok(InputMode {
        line: modes.contains(LocalModes::ICANON),
        echo: modes.contains(LocalModes::ECHO),
        signals: modes.contains(LocalModes::ISIG),
    })
}

/// Changes how the terminal treats what is typed.
///
/// # Errors
/// The kernel's errno.
pub fn set_input_mode(file: &File, mode: InputMode) -> Result<(), Errno> {
    let mut state = rustix::termios::tcgetattr(file.as_fd())?;
    state.local_modes.set(LocalModes::ICANON, mode.line);
    state.local_modes.set(LocalModes::ECHO, mode.echo);
    state.local_modes.set(LocalModes::ISIG, mode.signals);
    Ok(rustix::termios::tcsetattr(file.as_fd(), OptionalActions::Now, &state)?)
}

/// Throws away what was typed and not yet read.
///
/// # Errors
/// The kernel's errno.
pub fn flush_input(file: &File) -> Result<(), Errno> {
    Ok(rustix::termios::tcflush(file.as_fd(), rustix::termios::QueueSelector::IFlush)?)
}

/// The end of the pipe into which [`note_signal`] writes; -1 before there is one.
static NOTES: AtomicI32 = AtomicI32::new(-1);

/// Writes the signal's number into a pipe and touches nothing else: the signal may come while guest code runs, when
/// FS does not lead to this thread's own data, so that neither `errno` nor anything of Rust's may be used.
#[unsafe(naked)]
unsafe extern "C" fn note_signal(signal: libc::c_int) {
    naked_asm!(
        "push rdi",
        "mov rsi, rsp",
        "mov edi, dword ptr [rip + {notes}]",
        "mov edx, 1",
        "mov eax, 1",
        "syscall",
        "pop rdi",
        "ret",
        notes = sym NOTES,
    )
}

/// A signal that a terminal or the system sends to end a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupt {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGQUIT: Ctrl-\.
    Quit,
    /// SIGHUP: the terminal is gone.
    HangUp,
    /// SIGTERM: somebody asks for an end.
    Terminate,
}

const SIGNALS: [(libc::c_int, Interrupt); 4] = [
    (libc::SIGINT, Interrupt::Interrupt),
    (libc::SIGQUIT, Interrupt::Quit),
    (libc::SIGHUP, Interrupt::HangUp),
    (libc::SIGTERM, Interrupt::Terminate),
];

impl Interrupt {
    /// Returns the exit status with which a shell reports a program that the signal ended: 128 and its number.
    pub fn exit_status(self) -> i32 {
        SIGNALS.iter().find(|pair| pair.1 == self).map_or(1, |pair| 128 + pair.0)
    }
}

/// Calls `interrupted` on a thread of its own, outside the guest, for every such signal from now on. The second and
/// later calls do nothing.
///
/// # Errors
/// The kernel's errno.
pub fn watch_interrupts(interrupted: fn(Interrupt)) -> Result<(), Errno> {
    static WATCH: Once = Once::new();
    let mut outcome = Ok(());
    WATCH.call_once(|| outcome = start_watch(interrupted));
    outcome
}

fn start_watch(interrupted: fn(Interrupt)) -> Result<(), Errno> {
    let (read, write) = File::pipe()?;
    NOTES.store(write.number(), Ordering::Release);
    // The handler needs it as long as the process lives.
    std::mem::forget(write);
    let watch = move || {
        let mut signal = [0];
        while let Ok(1) = read.read(&mut signal, None) {
            if let Some(pair) = SIGNALS.iter().find(|pair| pair.0 == libc::c_int::from(signal[0])) {
                interrupted(pair.1);
            }
        }
    };
    let started = std::thread::Builder::new().name("interrupts".into()).stack_size(64 << 10).spawn(watch);
    started.map_err(|error| Errno(error.raw_os_error().unwrap_or(libc::EAGAIN)))?;
    for (signal, _) in SIGNALS {
        let handler = note_signal as unsafe extern "C" fn(libc::c_int);
        // SAFETY: 1. all zeros is a valid sigaction.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = handler as usize;
        action.sa_flags = libc::SA_ONSTACK | libc::SA_RESTART;
        // SAFETY: 1. all zeros is a valid sigaction.
        let mut before: libc::sigaction = unsafe { std::mem::zeroed() };
        // SAFETY: 1. the action is initialised. 2. the handler is async-signal-safe.
        if unsafe { libc::sigaction(signal, &raw const action, &raw mut before) } != 0 {
            return Err(Errno(std::io::Error::last_os_error().raw_os_error().unwrap_or(0)));
        }
        // Whoever started us asked for it to be ignored: nohup, a shell's background job.
        if before.sa_sigaction == libc::SIG_IGN {
            // SAFETY: 1. `before` is what the kernel just gave.
            unsafe { libc::sigaction(signal, &raw const before, std::ptr::null_mut()) };
        }
    }
    Ok(())
}
