//! Handlers of Ctrl-C and its like: who is asked when a user wants the program to end. Key item: [`send_event`].

use std::sync::atomic::Ordering;

use plat_host::console::{self, Interrupt};

use super::super::path::{lock, status_of};
use super::super::thread_start::{self, ThreadPlan};
use super::ConsoleState;
use crate::NtStatus;
use crate::guest::Guest;
use crate::process::Process;

/// Who is asked when a user wants the program to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Handler {
    /// A function of the guest's, by its address.
    Guest(u64),
    /// The C runtime, for those who called `signal`.
    Crt,
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
    console.interrupt_line();
    let has_handlers = !lock(&console.handlers).is_empty();
    let run = move |guest: &mut Guest| run_ctrl_handlers(guest, event, exit_status);
    // A process that cannot start a thread any more is at its end anyway.
    if !has_handlers || thread_start::create_with(process, ThreadPlan::default(), run).is_err() {
        super::super::process_object::leave_with(NtStatus::CONTROL_C_EXIT.0, exit_status);
    }
}

/// What the host calls for a signal, on a thread of its own.
pub(super) fn interrupted(interrupt: Interrupt) {
    let Some(process) = Process::current() else { return };
    let console = &process.files.console;
    let (event, status) = (event_of(interrupt), interrupt.exit_status());
    let is_ignored = event == CTRL_C_EVENT && console.ignores_interrupt.load(Ordering::Relaxed);
    if !is_ignored && lock(&console.handlers).is_empty() {
        // The signal is watched only for the terminal's sake: a shell is to see how the program really ended.
        super::super::process_object::leave_as_signalled(NtStatus::CONTROL_C_EXIT.0, status);
    }
    send_event(process, event, status);
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
}
