//! winuser.h: a thread's message queue. Messages that are posted, sent from other threads, and made by timers; there is
//! no keyboard and no mouse.

use plat_abi::{GuestStruct, GuestWord, Memory, winapi};

use super::calls;
use crate::NtStatus;
use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, OrMinusOne, TRUE};
use crate::kernel32::synchapi;
use crate::nt::object::ObjectRef;
use crate::nt::time::tick_count;
use crate::nt::user::queue::{Filter, Message, QS_ANY, QS_SENDMESSAGE, Sent, WM_TIMER};
use crate::nt::user::window::DESKTOP_WINDOW;
use crate::nt::wait;
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetMessageA;
    full GetMessageW;
    full CallMsgFilterA;
    full CallMsgFilterW;
    full PeekMessageA;
    full PeekMessageW;
    full WaitMessage;
    partial TranslateMessage, "no keyboard: posts no characters";
    full DispatchMessageA;
    full DispatchMessageW;
    full PostQuitMessage;
    full PostThreadMessageA;
    full PostThreadMessageW;
    full PostMessageA;
    full PostMessageW;
    full SendMessageA;
    full SendMessageW;
    full SendMessageTimeoutA;
    full SendMessageTimeoutW;
    full SendNotifyMessageA;
    full SendNotifyMessageW;
    full ReplyMessage;
    full InSendMessage;
    full InSendMessageEx;
    full GetMessageTime;
    partial GetMessagePos, "no mouse: 0";
    full GetMessageExtraInfo;
    full SetMessageExtraInfo;
    full GetQueueStatus;
    partial GetInputState, "no keyboard, no mouse: nothing waits";
    full MsgWaitForMultipleObjects;
    full MsgWaitForMultipleObjectsEx;
    full SetTimer;
    partial SetCoalescableTimer, "as SetTimer";
    full KillTimer;
    partial SetMessageQueue, "the queue has no size of its own";
    partial WaitForInputIdle, "a program counts as idle once it runs";
    full IsGUIThread;
    partial AttachThreadInput, "no input to share: fails";
    partial GetGUIThreadInfo, "no window has the focus";
};

/// `PM_REMOVE`.
const PM_REMOVE: u32 = 1;
/// The handle that means all top-level windows.
const HWND_BROADCAST: u64 = 0xffff;
/// The highest number of a message.
const ID_MAX: u32 = 0xffff;

/// `MSG`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/ns-winuser-msg>
#[derive(GuestStruct, Default)]
struct Msg {
    hwnd: GuestWord,
    message: u32,
    wParam: GuestWord,
    lParam: GuestWord,
    time: u32,
    pt: [i32; 2],
}

impl Msg {
    fn of(message: Message) -> Self {
        let Message { window, id, wparam, lparam, time } = message;
        Self {
            hwnd: GuestWord(window),
            message: id,
            wParam: GuestWord(wparam),
            lParam: GuestWord(lparam),
            time,
            pt: [0; 2],
        }
    }
}

/// Returns a signed handle: 32-bit programs pass -1 as 0xffffffff.
pub(crate) fn signed(guest: &Guest, handle: GuestWord) -> i64 {
    if guest.machine().is_64() { handle.get() as i64 } else { i64::from(handle.get() as u32 as i32) }
}

fn filter(guest: &Guest, window: GuestWord, ids: (u32, u32), kinds: u32) -> Result<Filter, Win32Error> {
    let windows = match signed(guest, window) {
        0 => None,
        -1 => Some(Vec::new()),
        _ => {
            let state = guest.process().desktop.state();
            state.window(window.get())?;
            let below = state.order.iter().filter(|&&other| state.is_below(other, window.get()));
            Some(below.copied().chain([window.get()]).collect())
        }
    };
    Ok(Filter { windows, ids, kinds })
}

fn get_message(
    guest: &mut Guest,
    to: GuestWord,
    window: GuestWord,
    ids: (u32, u32),
) -> Result<i32, Win32Error> {
    let filter = filter(guest, window, ids, 0)?;
    loop {
        calls::receive(guest)?;
        let queue = guest.process().desktop.queue();
        if let Some(message) = queue.peek(&filter, true) {
            guest.write(to.get(), &Msg::of(message))?;
            return Ok(i32::from(message.id != crate::nt::user::queue::WM_QUIT));
        }
        queue.wait_for(QS_ANY, false);
        drop(queue);
        calls::wait_for_queue(guest, None)?;
    }
}

both_widths! {
    /// Takes the next message of the calling thread, for which it waits; 0 for `WM_QUIT`, -1 for a wrong window.
    "winuser/nf-winuser-getmessage"
    GetMessageA, GetMessageW(guest, width, lpMsg: GuestWord, hWnd: GuestWord, wMsgFilterMin: u32, wMsgFilterMax: u32) -> Result<OrMinusOne, Win32Error> {
        let _ = width;
        let got = get_message(guest, lpMsg, hWnd, (wMsgFilterMin, wMsgFilterMax))?;
        Ok(OrMinusOne(got as u32))
    }

    /// Looks for a message of the calling thread, and takes it out if that is asked for.
    "winuser/nf-winuser-peekmessage"
    PeekMessageA, PeekMessageW(guest, width, lpMsg: GuestWord, hWnd: GuestWord, wMsgFilterMin: u32, wMsgFilterMax: u32, wRemoveMsg: u32) -> Result<Bool, Win32Error> {
        let _ = width;
        let filter = filter(guest, hWnd, (wMsgFilterMin, wMsgFilterMax), wRemoveMsg >> 16)?;
        if filter.kinds == 0 || filter.kinds & QS_SENDMESSAGE != 0 {
            calls::receive(guest)?;
        }
        let Some(message) = guest.process().desktop.queue().peek(&filter, wRemoveMsg & PM_REMOVE != 0) else {
            return Ok(FALSE);
        };
        guest.write(lpMsg.get(), &Msg::of(message))?;
        Ok(TRUE)
    }

    /// Calls the procedure that a message is for: a window's, or a timer's.
    "winuser/nf-winuser-dispatchmessage"
    DispatchMessageA, DispatchMessageW(guest, width, lpMsg: GuestWord) -> Result<GuestWord, Win32Error> {
        let message: Msg = guest.read(lpMsg.get())?;
        dispatch(guest, width == Width::Wide, &message).map(GuestWord)
    }

    /// Posts a message to a thread.
    "winuser/nf-winuser-postthreadmessage"
    PostThreadMessageA, PostThreadMessageW(guest, width, idThread: u32, Msg: u32, wParam: GuestWord, lParam: GuestWord) -> Result<Bool, Win32Error> {
        let _ = width;
        check_id(Msg)?;
        let queue = guest.process().desktop.queue_of(idThread).ok_or(Win32Error::INVALID_THREAD_ID)?;
        let (wparam, lparam) = (wParam.get(), lParam.get());
        queue.post(Message { id: Msg, wparam, lparam, ..Message::default() })?;
        Ok(TRUE)
    }

    /// Posts a message to a window, or to the calling thread where there is none.
    "winuser/nf-winuser-postmessage"
    PostMessageA, PostMessageW(guest, width, hWnd: GuestWord, Msg: u32, wParam: GuestWord, lParam: GuestWord) -> Result<Bool, Win32Error> {
        let _ = width;
        check_id(Msg)?;
        let (wparam, lparam) = (wParam.get(), lParam.get());
        for window in receivers(guest, hWnd)? {
            post(guest, Message { window, id: Msg, wparam, lparam, time: 0 })?;
        }
        Ok(TRUE)
    }

    /// Sends a message to a window and returns what its procedure answers.
    "winuser/nf-winuser-sendmessage"
    SendMessageA, SendMessageW(guest, width, hWnd: GuestWord, Msg: u32, wParam: GuestWord, lParam: GuestWord) -> Result<GuestWord, Win32Error> {
        let (wparam, lparam) = (wParam.get(), lParam.get());
        let is_broadcast = hWnd.get() == HWND_BROADCAST;
        let mut result = u64::from(is_broadcast);
        for window in receivers(guest, hWnd)? {
            let message = Message { window, id: Msg, wparam, lparam, time: tick_count() as u32 };
            let answer = calls::send(guest, width == Width::Wide, message, None)?;
            result = if is_broadcast { 1 } else { answer };
        }
        Ok(GuestWord(result))
    }

    /// Sends a message to a window and waits for the answer for a time.
    "winuser/nf-winuser-sendmessagetimeout"
    SendMessageTimeoutA, SendMessageTimeoutW(guest, width, hWnd: GuestWord, Msg: u32, wParam: GuestWord, lParam: GuestWord, fuFlags: u32, uTimeout: u32, lpdwResult: GuestWord) -> Result<GuestWord, Win32Error> {
        let _ = fuFlags;
        let (wparam, lparam) = (wParam.get(), lParam.get());
        let deadline = wait::deadline_of_milliseconds(uTimeout);
        for window in receivers(guest, hWnd)? {
            let message = Message { window, id: Msg, wparam, lparam, time: tick_count() as u32 };
            let result = calls::send(guest, width == Width::Wide, message, deadline)?;
            if !lpdwResult.is_null() {
                guest.write_word(lpdwResult.get(), result)?;
            }
        }
        Ok(GuestWord(1))
    }

    /// Sends a message to a window; does not wait for another thread's answer.
    "winuser/nf-winuser-sendnotifymessage"
    SendNotifyMessageA, SendNotifyMessageW(guest, width, hWnd: GuestWord, Msg: u32, wParam: GuestWord, lParam: GuestWord) -> Result<Bool, Win32Error> {
        let (wparam, lparam) = (wParam.get(), lParam.get());
        for window in receivers(guest, hWnd)? {
            let message = Message { window, id: Msg, wparam, lparam, time: tick_count() as u32 };
            let thread = guest.process().desktop.state().window(window)?.thread;
            let is_wide = width == Width::Wide;
            if thread == guest.process().desktop.queue().thread() {
                calls::send(guest, is_wide, message, None)?;
            } else {
                calls::send_to(guest, thread, Sent { message, is_wide, sender: None })?;
            }
        }
        Ok(TRUE)
    }
}

fn check_id(id: u32) -> Result<(), Win32Error> {
    if id <= ID_MAX { Ok(()) } else { Err(Win32Error::INVALID_PARAMETER) }
}

/// Returns the windows that a message is for: one, none for the calling thread (0), all top-level ones.
fn receivers(guest: &Guest, window: GuestWord) -> Result<Vec<u64>, Win32Error> {
    match window.get() {
        HWND_BROADCAST => Ok(guest.process().desktop.state().children(DESKTOP_WINDOW)),
        one => Ok(vec![one]),
    }
}

/// Posts a message to the thread of its window.
fn post(guest: &Guest, message: Message) -> Result<(), Win32Error> {
    let desktop = &guest.process().desktop;
    if message.window == 0 {
        return desktop.queue().post(message);
    }
    let thread = desktop.state().window(message.window)?.thread;
    desktop.queue_of(thread).ok_or(Win32Error::INVALID_WINDOW_HANDLE)?.post(message)
}

fn dispatch(guest: &mut Guest, is_wide: bool, message: &Msg) -> Result<u64, Win32Error> {
    let (window, id) = (message.hwnd.get(), message.message);
    if id == WM_TIMER && !message.lParam.is_null() {
        let arguments = [window, id.into(), message.wParam.get(), u64::from(tick_count() as u32)];
        return Ok(guest.call(message.lParam.get(), &arguments)?);
    }
    if window == 0 {
        return Ok(0);
    }
    let procedure = {
        let state = guest.process().desktop.state();
        state.window(window).map(|window| (window.procedure, window.is_wide))?
    };
    let (wparam, lparam) = (message.wParam.get(), message.lParam.get());
    calls::call_procedure(
        guest,
        procedure,
        is_wide,
        Message { window, id, wparam, lparam, time: message.time },
    )
}

/// Waits until something comes that nobody has looked at.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-waitmessage>
#[winapi]
pub fn WaitMessage(guest: &mut Guest) -> Result<Bool, Win32Error> {
    guest.process().desktop.queue().wait_for(QS_ANY, false);
    calls::wait_for_queue(guest, None)?;
    Ok(TRUE)
}

/// Says whether a message is a key's.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-translatemessage>
#[winapi]
pub fn TranslateMessage(guest: &mut Guest, lpMsg: GuestWord) -> Result<Bool, Win32Error> {
    let message: Msg = guest.read(lpMsg.get())?;
    // WM_KEYDOWN, WM_KEYUP, WM_SYSKEYDOWN, WM_SYSKEYUP
    Ok(Bool([0x100, 0x101, 0x104, 0x105].contains(&message.message)))
}

/// Makes the calling thread's loop end, once it took all that was posted.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-postquitmessage>
#[winapi]
pub fn PostQuitMessage(guest: &mut Guest, nExitCode: i32) {
    guest.process().desktop.queue().post_quit(nExitCode as u32);
}

/// Answers the message that the calling thread is handling; says whether another thread sent it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-replymessage>
#[winapi]
pub fn ReplyMessage(guest: &mut Guest, lResult: GuestWord) -> Bool {
    let queue = guest.process().desktop.queue();
    Bool(calls::answer_early(guest, &queue, lResult.get()))
}

/// Says whether the calling thread handles a message that another thread sent.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-insendmessage>
#[winapi]
pub fn InSendMessage(guest: &mut Guest) -> Bool {
    Bool(guest.process().desktop.queue().receiving().is_some())
}

/// Says how the message was sent that the calling thread handles: `ISMEX_*` flags.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-insendmessageex>
#[winapi]
pub fn InSendMessageEx(guest: &mut Guest, lpReserved: GuestWord) -> u32 {
    let _ = lpReserved;
    match guest.process().desktop.queue().receiving() {
        None => 0,
        // ISMEX_SEND or ISMEX_NOTIFY, ISMEX_REPLIED
        Some((sent, was_answered)) => {
            (if sent.sender.is_some() { 1 } else { 2 }) | if was_answered { 8 } else { 0 }
        }
    }
}

/// Returns when the last message was posted, in milliseconds since the start of the system.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getmessagetime>
#[winapi]
pub fn GetMessageTime(guest: &mut Guest) -> i32 {
    guest.process().desktop.queue().last().time as i32
}

answers! {
    "Returns where the mouse was at the last message: nowhere.", "winuser/nf-winuser-getmessagepos";
    GetMessagePos() -> u32 = 0;
    "Says whether a key or a click waits: none does.", "winuser/nf-winuser-getinputstate";
    GetInputState() -> Bool = FALSE;
    "Did set the size of the queue, long ago.", "winuser/nf-winuser-setmessagequeue";
    SetMessageQueue(cMessagesMax: i32) -> Bool = TRUE;
    "Waits until a program has started: it counts as idle at once.", "winuser/nf-winuser-waitforinputidle";
    WaitForInputIdle(hProcess: GuestWord, dwMilliseconds: u32) -> u32 = 0;
    "Shares the input of two threads: there is none.", "winuser/nf-winuser-attachthreadinput";
    AttachThreadInput(
        idAttach: u32, idAttachTo: u32, fAttach: Bool
    ) -> Result<Bool, Win32Error> = Err(Win32Error::INVALID_PARAMETER);
    "Shows a message to the filters that hooks are; there are none, so that it goes on.", "winuser/nf-winuser-callmsgfilter";
    CallMsgFilterA, CallMsgFilterW(lpMsg: GuestWord, nCode: u32) -> Bool = FALSE;
}

/// Returns the extra word of the last message.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getmessageextrainfo>
#[winapi]
pub fn GetMessageExtraInfo(guest: &mut Guest) -> GuestWord {
    GuestWord(guest.process().desktop.queue().extra_info())
}

/// Sets the extra word of the last message; returns the former.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setmessageextrainfo>
#[winapi]
pub fn SetMessageExtraInfo(guest: &mut Guest, lParam: GuestWord) -> GuestWord {
    GuestWord(guest.process().desktop.queue().set_extra_info(lParam.get()))
}

/// Returns the kinds of messages that wait (upper half) and those that nobody has looked at (lower half).
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getqueuestatus>
#[winapi]
pub fn GetQueueStatus(guest: &mut Guest, flags: u32) -> Result<u32, Win32Error> {
    if flags & !QS_ANY != 0 {
        return Err(Win32Error::INVALID_FLAGS);
    }
    let (present, changed) = guest.process().desktop.queue().status(flags);
    Ok(present << 16 | changed)
}

/// `MWMO_WAITALL`.
const MWMO_WAITALL: u32 = 1;
/// `MWMO_ALERTABLE`.
const MWMO_ALERTABLE: u32 = 2;
/// `MWMO_INPUTAVAILABLE`.
const MWMO_INPUTAVAILABLE: u32 = 4;

/// Waits for objects or messages.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-msgwaitformultipleobjects>
#[winapi]
pub fn MsgWaitForMultipleObjects(
    guest: &mut Guest,
    nCount: u32,
    pHandles: GuestWord,
    fWaitAll: Bool,
    dwMilliseconds: u32,
    dwWakeMask: u32,
) -> Result<OrMinusOne, Win32Error> {
    let flags = if fWaitAll.0 { MWMO_WAITALL } else { 0 };
    MsgWaitForMultipleObjectsEx(guest, nCount, pHandles, dwMilliseconds, dwWakeMask, flags)
}

/// Waits for objects, messages or queued calls.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-msgwaitformultipleobjectsex>
#[winapi]
pub fn MsgWaitForMultipleObjectsEx(
    guest: &mut Guest,
    nCount: u32,
    pHandles: GuestWord,
    dwMilliseconds: u32,
    dwWakeMask: u32,
    dwFlags: u32,
) -> Result<OrMinusOne, Win32Error> {
    if nCount as usize >= wait::WAIT_OBJECTS_MAX || dwFlags & !7 != 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    let process = guest.process();
    let mut objects = synchapi::objects_at(guest, nCount, pHandles)?;
    let queue = process.desktop.queue();
    queue.wait_for(dwWakeMask, dwFlags & MWMO_INPUTAVAILABLE != 0);
    objects.push(queue as ObjectRef);
    let how = wait::WaitFor {
        all: dwFlags & MWMO_WAITALL != 0,
        alertable: dwFlags & MWMO_ALERTABLE != 0,
        deadline: wait::deadline_of_milliseconds(dwMilliseconds),
    };
    let status = wait::wait(&objects, how).map_err(NtStatus::to_win32)?;
    drop(objects);
    Ok(synchapi::wait_result(wait::after_wait(guest, status).map_err(NtStatus::to_win32)?))
}

/// Starts a timer that posts `WM_TIMER`; returns its number.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-settimer>
#[winapi]
pub fn SetTimer(
    guest: &mut Guest,
    hWnd: GuestWord,
    nIDEvent: GuestWord,
    uElapse: u32,
    lpTimerFunc: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let desktop = &guest.process().desktop;
    let own = desktop.queue();
    if hWnd.is_null() {
        return Ok(GuestWord(own.set_timer(0, nIDEvent.get(), uElapse, lpTimerFunc.get())));
    }
    let thread = desktop.state().window(hWnd.get())?.thread;
    let queue = desktop.queue_of(thread).ok_or(Win32Error::INVALID_WINDOW_HANDLE)?;
    queue.set_timer(hWnd.get(), nIDEvent.get(), uElapse, lpTimerFunc.get());
    // A window's timer may have the number 0; the answer is still no failure.
    Ok(GuestWord(nIDEvent.get().max(1)))
}

/// Starts a timer whose time may be stretched.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-setcoalescabletimer>
#[winapi]
pub fn SetCoalescableTimer(
    guest: &mut Guest,
    hWnd: GuestWord,
    nIDEvent: GuestWord,
    uElapse: u32,
    lpTimerFunc: GuestWord,
    uToleranceDelay: u32,
) -> Result<GuestWord, Win32Error> {
    let _ = uToleranceDelay;
    SetTimer(guest, hWnd, nIDEvent, uElapse, lpTimerFunc)
}

/// Stops a timer.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-killtimer>
#[winapi]
pub fn KillTimer(guest: &mut Guest, hWnd: GuestWord, uIDEvent: GuestWord) -> Result<Bool, Win32Error> {
    let desktop = &guest.process().desktop;
    let thread = match hWnd.get() {
        0 => desktop.queue().thread(),
        window => desktop.state().window(window)?.thread,
    };
    let queue = desktop.queue_of(thread).ok_or(Win32Error::INVALID_WINDOW_HANDLE)?;
    if queue.kill_timer(hWnd.get(), uIDEvent.get()) { Ok(TRUE) } else { Err(Win32Error::INVALID_PARAMETER) }
}

/// Says whether the calling thread has a message queue; makes one if that is asked for.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-isguithread>
#[winapi]
pub fn IsGUIThread(guest: &mut Guest, bConvert: Bool) -> Bool {
    let desktop = &guest.process().desktop;
    let id = crate::nt::thread::with_current(crate::nt::thread::ThreadObject::id);
    if bConvert.0 {
        desktop.queue();
    }
    Bool(desktop.queue_of(id).is_some())
}

/// Tells which windows of a thread have the focus: none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-getguithreadinfo>
#[winapi]
pub fn GetGUIThreadInfo(guest: &mut Guest, idThread: u32, pgui: GuestWord) -> Result<Bool, Win32Error> {
    let _ = idThread;
    let size = u64::from(guest.read_u32(pgui.get())?);
    let width = guest.machine().pointer_size();
    // cbSize, flags, six windows, a rectangle
    if size != 8 + 6 * width + 16 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.write_bytes(pgui.get() + 4, &vec![0; size as usize - 4])?;
    Ok(TRUE)
}
