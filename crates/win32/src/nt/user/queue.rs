//! A thread's message queue: posted messages, messages that other threads sent, timers, the wish to end.
//!
//! Key type: [`MessageQueue`], a [`Waitable`] that is signalled by what `MsgWaitForMultipleObjects` waits for.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plat_host::clock;

use crate::Win32Error;
use crate::nt::object::{Object, ObjectKind};
use crate::nt::thread::ThreadObject;
use crate::nt::wait::{self, Waitable};

/// `QS_POSTMESSAGE` and `QS_ALLPOSTMESSAGE`.
pub const QS_POSTED: u32 = 0x108;
/// `QS_TIMER`.
pub const QS_TIMER: u32 = 0x10;
/// `QS_SENDMESSAGE`.
pub const QS_SENDMESSAGE: u32 = 0x40;
/// `QS_ALLINPUT` and `QS_ALLPOSTMESSAGE`.
pub const QS_ANY: u32 = 0x1fff;
/// An answer to a message that this thread sent.
pub const QS_ANSWER: u32 = 0x1_0000;

/// `WM_QUIT`.
pub const WM_QUIT: u32 = 0x12;
/// `WM_TIMER`.
pub const WM_TIMER: u32 = 0x113;

/// The most messages that wait in a queue.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-postmessagew>
const POSTED_MAX: usize = 10_000;

/// A message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The window it is for; 0 for the thread's own.
    pub window: u64,
    /// What it is.
    pub id: u32,
    /// Its first parameter.
    pub wparam: u64,
    /// Its second parameter.
    pub lparam: u64,
    /// When it was posted, in milliseconds since the start of the system.
    pub time: u32,
}

/// A message that another thread sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The message.
    pub message: Message,
    /// Whether its texts are UTF-16.
    pub is_wide: bool,
    /// The thread that waits for an answer, and the number it gave the message.
    pub sender: Option<(u32, u64)>,
}

#[derive(Clone, Copy, Debug)]
struct UserTimer {
    window: u64,
    id: u64,
    procedure: u64,
    /// Nanoseconds.
    period: u64,
    due: u64,
    is_pending: bool,
}

/// Which messages are asked for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The windows; `None` for all, empty for messages without a window.
    pub windows: Option<Vec<u64>>,
    /// The lowest and the highest number; both 0 for all.
    pub ids: (u32, u32),
    /// `QS_*` kinds; 0 for all.
    pub kinds: u32,
}

impl Filter {
    fn takes(&self, window: u64, id: u32) -> bool {
        let of_window = match &self.windows {
            None => true,
            Some(windows) if windows.is_empty() => window == 0,
            Some(windows) => windows.contains(&window),
        };
        of_window && (self.ids == (0, 0) || (self.ids.0..=self.ids.1).contains(&id))
    }

    fn takes_kind(&self, kind: u32) -> bool {
        self.kinds == 0 || self.kinds & kind != 0
    }
}

#[derive(Debug, Default)]
struct State {
    posted: VecDeque<Message>,
    sent: VecDeque<Sent>,
    timers: Vec<UserTimer>,
    quit: Option<u32>,
    /// Kinds that came since somebody looked.
    changed: u32,
    /// The kinds that the thread waits for now, and whether old ones count.
    mask: u32,
    takes_old: bool,
    /// Answers to messages that this thread sent: `None` while they are awaited.
    answers: HashMap<u64, Option<u64>>,
    next_number: u64,
    next_timer: u64,
    /// Messages of other threads whose procedures run, and whether they were answered.
    receiving: Vec<(Sent, bool)>,
    /// The last message that was taken.
    last: Message,
    extra_info: u64,
}

impl State {
    fn present(&self) -> u32 {
        let mut kinds = 0;
        if !self.posted.is_empty() || self.quit.is_some() {
            kinds |= QS_POSTED;
        }
        if !self.sent.is_empty() {
            kinds |= QS_SENDMESSAGE;
        }
        if self.timers.iter().any(|timer| timer.is_pending) {
            kinds |= QS_TIMER;
        }
        if self.answers.values().any(Option::is_some) {
            kinds |= QS_ANSWER;
        }
        kinds
    }

    /// Brings the timers up to the clock.
    fn advance(&mut self) {
        let now = clock::monotonic_nanoseconds();
        for timer in self.timers.iter_mut().filter(|timer| timer.due <= now) {
            timer.due = now + timer.period - (now - timer.due) % timer.period;
            if !timer.is_pending {
                timer.is_pending = true;
                self.changed |= QS_TIMER;
            }
        }
    }
}

/// A thread's message queue.
#[derive(Debug)]
pub struct MessageQueue {
    thread: u32,
    state: Mutex<State>,
}

impl MessageQueue {
    /// Makes the queue of a thread.
    pub fn new(thread: u32) -> Arc<Self> {
        Arc::new(Self { thread, state: Mutex::default() })
    }

    /// Returns the thread's identifier.
    pub fn thread(&self) -> u32 {
        self.thread
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, kind: u32, change: impl FnOnce(&mut State)) {
        let mut queues = wait::lock();
        {
            let mut state = self.state();
            change(&mut state);
            state.changed |= kind;
        }
        queues.release(self);
    }

    /// Puts a message behind the others.
    ///
    /// # Errors
    /// `NOT_ENOUGH_QUOTA` when 10,000 wait already.
    pub fn post(&self, mut message: Message) -> Result<(), Win32Error> {
        if self.state().posted.len() >= POSTED_MAX {
            return Err(Win32Error::NOT_ENOUGH_QUOTA);
        }
        message.time = crate::nt::time::tick_count() as u32;
        self.change(QS_POSTED, |state| state.posted.push_back(message));
        Ok(())
    }

    /// Asks the thread to end its loop: `WM_QUIT` comes when no posted message is left.
    pub fn post_quit(&self, code: u32) {
        self.change(QS_POSTED, |state| state.quit = Some(code));
    }

    /// Hands over a message that another thread sent.
    pub fn send(&self, sent: Sent) {
        self.change(QS_SENDMESSAGE, |state| state.sent.push_back(sent));
    }

    /// Begins to wait for an answer; returns the number of the message.
    pub fn expect_answer(&self) -> u64 {
        let mut state = self.state();
        state.next_number += 1;
        let number = state.next_number;
        state.answers.insert(number, None);
        number
    }

    /// Answers a message that this thread sent.
    pub fn reply(&self, number: u64, result: u64) {
        self.change(QS_ANSWER, |state| {
            if let Some(answer) = state.answers.get_mut(&number) {
                *answer = Some(result);
            }
        });
    }

    /// Takes the answer to a message, if it came.
    pub fn take_answer(&self, number: u64) -> Option<u64> {
        let mut state = self.state();
        state.changed &= !QS_ANSWER;
        let answer = state.answers.get(&number).copied().flatten()?;
        state.answers.remove(&number);
        Some(answer)
    }

    /// Stops waiting for an answer.
    pub fn forget_answer(&self, number: u64) {
        self.state().answers.remove(&number);
    }

    /// Begins to receive the first of the sent messages.
    pub fn begin_receive(&self) -> Option<Sent> {
        let mut state = self.state();
        let Some(sent) = state.sent.pop_front() else {
            state.changed &= !QS_SENDMESSAGE;
            return None;
        };
        state.receiving.push((sent.clone(), false));
        Some(sent)
    }

    /// Ends what [`MessageQueue::begin_receive`] began; returns the message if it was not answered meanwhile.
    pub fn end_receive(&self) -> Option<Sent> {
        let (sent, was_answered) = self.state().receiving.pop()?;
        (!was_answered).then_some(sent)
    }

    /// Marks the message that is being received as answered, and returns it; `None` when there is none or it was.
    pub fn answer_early(&self) -> Option<Sent> {
        let mut state = self.state();
        let (sent, was_answered) = state.receiving.last_mut()?;
        (!std::mem::replace(was_answered, true)).then(|| sent.clone())
    }

    /// Returns what is being received: the message, and whether it was answered.
    pub fn receiving(&self) -> Option<(Sent, bool)> {
        self.state().receiving.last().cloned()
    }

    /// Takes all messages that were sent and not answered, since the thread ends.
    pub fn take_all_sent(&self) -> Vec<Sent> {
        let mut state = self.state();
        let open = std::mem::take(&mut state.receiving).into_iter().filter(|row| !row.1).map(|row| row.0);
        let open: Vec<Sent> = open.collect();
        open.into_iter().chain(std::mem::take(&mut state.sent)).collect()
    }

    /// Looks for a message: posted ones, the wish to end, timers; `removes` takes it out.
    pub fn peek(&self, filter: &Filter, removes: bool) -> Option<Message> {
        let mut state = self.state();
        state.advance();
        state.changed &= !(if filter.kinds == 0 { QS_ANY } else { filter.kinds });
        let found = Self::find(&mut state, filter, removes)?;
        state.last = found;
        Some(found)
    }

    fn find(state: &mut State, filter: &Filter, removes: bool) -> Option<Message> {
        if filter.takes_kind(QS_POSTED) {
            let place = state.posted.iter().position(|message| filter.takes(message.window, message.id));
            if let Some(place) = place {
                return if removes { state.posted.remove(place) } else { state.posted.get(place).copied() };
            }
            if let Some(code) = state.quit {
                if removes {
                    state.quit = None;
                }
                let time = crate::nt::time::tick_count() as u32;
                return Some(Message { id: WM_QUIT, wparam: code.into(), time, ..Message::default() });
            }
        }
        if !filter.takes_kind(QS_TIMER) {
            return None;
        }
        let is_wanted = |timer: &UserTimer| timer.is_pending && filter.takes(timer.window, WM_TIMER);
        let place = state.timers.iter().position(is_wanted)?;
        let timer = state.timers[place];
        if removes {
            // The next look begins with the others.
            let mut timer = state.timers.remove(place);
            timer.is_pending = false;
            state.timers.push(timer);
        }
        let time = crate::nt::time::tick_count() as u32;
        let (window, wparam, lparam) = (timer.window, timer.id, timer.procedure);
        Some(Message { window, id: WM_TIMER, wparam, lparam, time })
    }

    /// Returns the last message that was found.
    pub fn last(&self) -> Message {
        self.state().last
    }

    /// Exchanges the extra word that belongs to the last message.
    pub fn set_extra_info(&self, value: u64) -> u64 {
        std::mem::replace(&mut self.state().extra_info, value)
    }

    /// Returns the extra word that belongs to the last message.
    pub fn extra_info(&self) -> u64 {
        self.state().extra_info
    }

    /// Returns the kinds that are there and those that came since somebody looked, which are forgotten.
    pub fn status(&self, kinds: u32) -> (u32, u32) {
        let mut state = self.state();
        state.advance();
        let (present, changed) = (state.present() & kinds, state.changed & kinds);
        state.changed &= !kinds;
        (present, changed)
    }

    /// Says what the next wait for the queue waits for; `takes_old` counts what somebody has looked at.
    pub fn wait_for(&self, kinds: u32, takes_old: bool) {
        let mut state = self.state();
        (state.mask, state.takes_old) = (kinds, takes_old);
    }

    /// Starts a timer, or starts it anew; returns its number. Without a window and a known number it gets one.
    pub fn set_timer(&self, window: u64, id: u64, milliseconds: u32, procedure: u64) -> u64 {
        // Source: <https://learn.microsoft.com/windows/win32/api/winuser/nf-winuser-settimer>
        let period = u64::from(milliseconds.clamp(10, 0x7fff_ffff)) * 1_000_000;
        let due = clock::monotonic_nanoseconds() + period;
        let mut queues = wait::lock();
        let mut state = self.state();
        let known = state.timers.iter().position(|timer| (timer.window, timer.id) == (window, id));
        let id = match known {
            None if window == 0 => {
                state.next_timer += 1;
                // Windows counts such timers from a high number, too.
                0x7fff - state.next_timer % 0x7f00
            }
            _ => id,
        };
        if let Some(place) = known {
            state.timers.remove(place);
        }
        state.timers.push(UserTimer { window, id, procedure, period, due, is_pending: false });
        drop(state);
        queues.reconsider(self);
        id
    }

    /// Stops a timer; says whether there was one.
    pub fn kill_timer(&self, window: u64, id: u64) -> bool {
        let mut state = self.state();
        let before = state.timers.len();
        state.timers.retain(|timer| (timer.window, timer.id) != (window, id));
        state.timers.len() < before
    }

    /// Forgets what was posted to a window that is gone, and its timers.
    pub fn forget_window(&self, window: u64) {
        let mut state = self.state();
        state.posted.retain(|message| message.window != window);
        state.timers.retain(|timer| timer.window != window);
    }
}

impl Object for MessageQueue {
    fn kind(&self) -> ObjectKind {
        ObjectKind::Event
    }
    fn waitable(&self) -> Option<&dyn Waitable> {
        Some(self)
    }
}

impl Waitable for MessageQueue {
    fn is_signalled(&self, _: &ThreadObject) -> bool {
        let mut state = self.state();
        state.advance();
        let old = if state.takes_old { state.present() } else { 0 };
        (state.changed | old) & state.mask != 0
    }

    fn due(&self) -> Option<u64> {
        let mut state = self.state();
        state.advance();
        if state.mask & QS_TIMER == 0 {
            return None;
        }
        state.timers.iter().filter(|timer| !timer.is_pending).map(|timer| timer.due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NtStatus;
    use crate::nt::object::ObjectRef;
    use crate::nt::wait::WaitFor;

    fn message(window: u64, id: u32) -> Message {
        Message { window, id, ..Message::default() }
    }

    #[test]
    fn posted_messages_come_in_order_and_the_end_comes_last() {
        let queue = MessageQueue::new(1);
        queue.post_quit(7);
        for (window, id) in [(0, 0x400), (5, 0x401), (0, 0x402)] {
            queue.post(message(window, id)).expect("there is room");
        }
        let of = |windows: Option<Vec<u64>>, ids| Filter { windows, ids, kinds: 0 };
        assert_eq!(queue.peek(&of(Some(vec![5]), (0, 0)), false).map(|found| found.id), Some(0x401));
        assert_eq!(queue.peek(&of(None, (0x402, 0x500)), true).map(|found| found.id), Some(0x402));
        assert_eq!(queue.peek(&of(Some(vec![]), (0, 0)), true).map(|found| found.id), Some(0x400));
        assert_eq!(
            queue.peek(&of(Some(vec![]), (1, 2)), true).map(|found| (found.id, found.wparam)),
            Some((WM_QUIT, 7))
        );
        assert_eq!(queue.peek(&Filter::default(), true).map(|found| found.id), Some(0x401));
        assert_eq!(queue.peek(&Filter::default(), true), None);
    }

    #[test]
    fn a_queue_is_full_at_ten_thousand() {
        let queue = MessageQueue::new(1);
        for _ in 0..POSTED_MAX {
            queue.post(message(0, 1)).expect("there is room");
        }
        assert_eq!(queue.post(message(0, 1)), Err(Win32Error::NOT_ENOUGH_QUOTA));
    }

    #[test]
    fn waits_see_what_is_new_and_on_demand_what_is_old() {
        let queue = MessageQueue::new(1);
        let object: ObjectRef = queue.clone();
        let look = || {
            let now = WaitFor { all: false, alertable: false, deadline: Some(0) };
            wait::wait(std::slice::from_ref(&object), now).expect("it can be waited for") == NtStatus::SUCCESS
        };
        queue.post(message(0, 1)).expect("there is room");
        queue.wait_for(QS_TIMER, false);
        assert!(!look());
        queue.wait_for(QS_ANY, false);
        assert!(look());
        queue.peek(&Filter::default(), false);
        assert!(!look(), "it was looked at");
        queue.wait_for(QS_ANY, true);
        assert!(look());
        assert_eq!(queue.status(QS_ANY), (QS_POSTED, 0));
    }

    #[test]
    fn a_timer_wakes_a_wait_and_comes_once() {
        let queue = MessageQueue::new(1);
        let object: ObjectRef = queue.clone();
        let id = queue.set_timer(0, 0, 1, 0x1234);
        queue.wait_for(QS_ANY, false);
        let forever = WaitFor { all: false, alertable: false, deadline: None };
        assert_eq!(wait::wait(&[object], forever), Ok(NtStatus::SUCCESS));
        let found = queue.peek(&Filter::default(), true).expect("it is due");
        assert_eq!((found.id, found.wparam, found.lparam), (WM_TIMER, id, 0x1234));
        assert!(queue.kill_timer(0, id) && !queue.kill_timer(0, id));
        assert_eq!(queue.peek(&Filter::default(), true), None);
    }
}
