//! The terminal: its size, and the signals that it and its user send.

use std::arch::naked_asm;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::file::File;
use crate::file_path::Errno;
use crate::terminal;

/// Returns columns and rows.
///
/// # Errors
/// The kernel's errno: ENOTTY when it is no terminal.
pub fn window_size(file: &File) -> Result<(u16, u16), Errno> {
    let size = rustix::termios::tcgetwinsize(file.as_fd())?;
    Ok((size.ws_col, size.ws_row))
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

/// What happens to the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The window has another size: SIGWINCH.
    Size,
    /// The process goes on after it was stopped: SIGCONT. The terminal is again as the process wants it.
    Continued,
}

const STOP_AND_CHANGES: [libc::c_int; 3] = [libc::SIGWINCH, libc::SIGTSTP, libc::SIGCONT];

/// Whom the thread tells.
static INTERRUPTED: OnceLock<fn(Interrupt)> = OnceLock::new();
static CHANGED: OnceLock<fn(Change)> = OnceLock::new();

/// Calls `interrupted` on a thread of its own, outside the guest, for every such signal from now on. The second and
/// later calls do nothing.
///
/// # Errors
/// The kernel's errno.
pub fn watch_interrupts(interrupted: fn(Interrupt)) -> Result<(), Errno> {
    if INTERRUPTED.set(interrupted).is_err() {
        return Ok(());
    }
    start_watch()?;
    SIGNALS.iter().try_for_each(|pair| note(pair.0))
}

/// Calls `changed` on a thread of its own, outside the guest, for every change from now on; when the process is to
/// stop, the terminal is put back before and taken again afterwards. The second and later calls do nothing.
///
/// # Errors
/// The kernel's errno.
pub fn watch_terminal(changed: fn(Change)) -> Result<(), Errno> {
    if CHANGED.set(changed).is_err() {
        return Ok(());
    }
    start_watch()?;
    STOP_AND_CHANGES.into_iter().try_for_each(note)
}

fn start_watch() -> Result<(), Errno> {
    static STARTED: Mutex<bool> = Mutex::new(false);
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if *started {
        return Ok(());
    }
    let (read, write) = File::pipe()?;
    let watch = move || {
        let mut signal = [0];
        while let Ok(1) = read.read(&mut signal, None) {
            tell(libc::c_int::from(signal[0]));
        }
    };
    let thread = std::thread::Builder::new().name("interrupts".into()).stack_size(64 << 10).spawn(watch);
    thread.map_err(|error| Errno(error.raw_os_error().unwrap_or(libc::EAGAIN)))?;
    NOTES.store(write.number(), Ordering::Release);
    // The handler needs it as long as the process lives.
    std::mem::forget(write);
    *started = true;
    Ok(())
}

fn tell(signal: libc::c_int) {
    let changed = |change: Change| {
        if let Some(changed) = CHANGED.get() {
            changed(change);
        }
    };
    match signal {
        libc::SIGWINCH => changed(Change::Size),
        libc::SIGTSTP => {
            terminal::suspended(terminal::stop_as_asked);
            changed(Change::Continued);
        }
        libc::SIGCONT => {
            terminal::take_again(None);
            changed(Change::Continued);
        }
        _ => {
            let found = SIGNALS.iter().find(|pair| pair.0 == signal);
            if let (Some(interrupted), Some(pair)) = (INTERRUPTED.get(), found) {
                interrupted(pair.1);
            }
        }
    }
}

/// Has a signal noted from now on.
fn note(signal: libc::c_int) -> Result<(), Errno> {
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
    Ok(())
}
