//! Calls of window procedures: within a thread, from one thread to another, and with texts of the other width.

use plat_abi::{GuestWord, Memory};

use crate::NtStatus;
use crate::Win32Error;
use crate::guest::Guest;
use crate::nt::object::ObjectRef;
use crate::nt::user::queue::{Message, MessageQueue, QS_ANSWER, QS_SENDMESSAGE, Sent};
use crate::nt::wait::{self, WaitFor};
use crate::widths::Width;

/// `WM_SETTEXT`.
pub(crate) const WM_SETTEXT: u32 = 0xc;
/// `WM_GETTEXT`.
pub(crate) const WM_GETTEXT: u32 = 0xd;
/// `WM_GETTEXTLENGTH`.
pub(crate) const WM_GETTEXTLENGTH: u32 = 0xe;

/// Copies bytes to a block of the guest's heap, for the time of a call.
pub(crate) fn lend(guest: &Guest, bytes: &[u8]) -> Result<u64, Win32Error> {
    let block = guest.process().heaps.allocate(0, bytes.len() as u64, true);
    let block = block.ok_or(Win32Error::NOT_ENOUGH_MEMORY)?;
    guest.write_bytes(block, bytes)?;
    Ok(block)
}

/// Gives such a block back.
pub(crate) fn take_back(guest: &Guest, block: u64) {
    if block != 0 {
        guest.process().heaps.free(0, block);
    }
}

/// Writes a text, cut to `capacity` units with its zero; returns how many units it has without it.
pub(crate) fn put_text(
    guest: &Guest,
    width: Width,
    buffer: u64,
    capacity: usize,
    text: &[u16],
) -> Result<usize, Win32Error> {
    if capacity == 0 {
        return Ok(0);
    }
    let unit = width.unit_bytes();
    let mut bytes = width.bytes(text);
    if bytes.len() > capacity * unit {
        bytes.truncate((capacity - 1) * unit);
        bytes.extend(std::iter::repeat_n(0, unit));
    }
    guest.write_bytes(buffer, &bytes)?;
    Ok(bytes.len() / unit - 1)
}

fn width_of(is_wide: bool) -> Width {
    if is_wide { Width::Wide } else { Width::Narrow }
}

/// Calls a window procedure with texts as it takes them.
pub(crate) fn call_procedure(
    guest: &mut Guest,
    (procedure, takes_wide): (u64, bool),
    is_wide: bool,
    message: Message,
) -> Result<u64, Win32Error> {
    let Message { window, id, wparam, lparam, .. } = message;
    let plain = |guest: &mut Guest, wparam, lparam| -> Result<u64, Win32Error> {
        let result = guest.call(procedure, &[window, id.into(), wparam, lparam])?;
        Ok(if guest.machine().is_64() { result } else { result & 0xffff_ffff })
    };
    if takes_wide == is_wide || lparam == 0 || ![WM_SETTEXT, WM_GETTEXT].contains(&id) {
        return plain(guest, wparam, lparam);
    }
    let (from, to) = (width_of(is_wide), width_of(takes_wide));
    if id == WM_SETTEXT {
        let text = from.read(guest, GuestWord(lparam))?;
        let block = lend(guest, &to.bytes(&text))?;
        let result = plain(guest, wparam, block);
        take_back(guest, block);
        return result;
    }
    // A buffer of the guest's own size was checked by nobody: a title is never longer than this.
    let capacity = wparam.min(0x1_0000);
    let block = lend(guest, &vec![0; capacity as usize * to.unit_bytes()])?;
    plain(guest, capacity, block)?;
    let text = to.read(guest, GuestWord(block))?;
    take_back(guest, block);
    put_text(guest, from, lparam, wparam as usize, &text).map(|length| length as u64)
}

/// Sends a message to a window, whoever's it is, and waits for the answer.
///
/// # Errors
/// `INVALID_WINDOW_HANDLE`; `TIMEOUT` where there is a deadline.
pub(crate) fn send(
    guest: &mut Guest,
    is_wide: bool,
    message: Message,
    deadline: Option<u64>,
) -> Result<u64, Win32Error> {
    let desktop = &guest.process().desktop;
    let (thread, procedure) = {
        let state = desktop.state();
        let window = state.window(message.window)?;
        (window.thread, (window.procedure, window.is_wide))
    };
    // The queue is not held while the guest runs.
    let own = || desktop.queue();
    let own_thread = own().thread();
    if thread == own_thread {
        return call_procedure(guest, procedure, is_wide, message);
    }
    let number = own().expect_answer();
    send_to(guest, thread, Sent { message, is_wide, sender: Some((own_thread, number)) })?;
    loop {
        if let Some(result) = own().take_answer(number) {
            return Ok(result);
        }
        receive(guest)?;
        own().wait_for(QS_SENDMESSAGE | QS_ANSWER, true);
        if wait_for_queue(guest, deadline)? == NtStatus::TIMEOUT {
            own().forget_answer(number);
            return Err(Win32Error::TIMEOUT);
        }
    }
}

/// Hands a message to another thread.
pub(crate) fn send_to(guest: &Guest, thread: u32, sent: Sent) -> Result<(), Win32Error> {
    let desktop = &guest.process().desktop;
    let queue = desktop.queue_of(thread).ok_or(Win32Error::INVALID_WINDOW_HANDLE)?;
    queue.send(sent);
    // A thread that ended meanwhile answers what it found; the rest is answered here.
    if desktop.queue_of(thread).is_none() {
        for sent in queue.take_all_sent() {
            desktop.answer(&sent, 0);
        }
    }
    Ok(())
}

/// Waits until the calling thread's queue has what it was told to wait for.
pub(crate) fn wait_for_queue(guest: &mut Guest, deadline: Option<u64>) -> Result<NtStatus, Win32Error> {
    let queue: ObjectRef = guest.process().desktop.queue();
    let how = WaitFor { all: false, alertable: false, deadline };
    let status = wait::wait(std::slice::from_ref(&queue), how).map_err(NtStatus::to_win32)?;
    drop(queue);
    wait::after_wait(guest, status).map_err(NtStatus::to_win32)
}

/// Calls the procedures that messages of other threads are for.
pub(crate) fn receive(guest: &mut Guest) -> Result<(), Win32Error> {
    let process = guest.process();
    loop {
        // The queue is not held while the guest runs.
        let begun = process.desktop.queue().begin_receive();
        let Some(sent) = begun else { return Ok(()) };
        let procedure = {
            let state = process.desktop.state();
            state.window(sent.message.window).map(|window| (window.procedure, window.is_wide))
        };
        let result = match procedure {
            Ok(procedure) => call_procedure(guest, procedure, sent.is_wide, sent.message),
            Err(_) => Ok(0),
        };
        let unanswered = process.desktop.queue().end_receive();
        if let Some(sent) = unanswered {
            process.desktop.answer(&sent, result.unwrap_or(0));
        }
        result?;
    }
}

/// Answers the message that the calling thread is receiving; says whether another thread waits for it.
pub(crate) fn answer_early(guest: &Guest, queue: &MessageQueue, result: u64) -> bool {
    match queue.answer_early() {
        Some(sent) => {
            guest.process().desktop.answer(&sent, result);
            sent.sender.is_some()
        }
        None => false,
    }
}
