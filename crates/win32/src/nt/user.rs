//! The window station's side: message queues, windows that are never shown, classes, atoms, the clipboard.
//!
//! There is no screen: a window is an object that gets messages. Key types: [`Desktop`] (the state), [`queue::MessageQueue`],
//! [`window::Window`], [`class::Class`].

pub mod atom;
pub mod class;
pub mod clipboard;
pub mod menu;
pub mod queue;
pub mod window;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use atom::Atoms;
use class::Class;
use clipboard::Clipboard;
use queue::MessageQueue;
use window::{DESKTOP_WINDOW, Window};

use super::thread;
use crate::Win32Error;

/// What is guarded by one lock.
#[derive(Default)]
pub struct State {
    /// The registered classes.
    pub classes: Vec<Arc<Class>>,
    /// The windows by handle.
    pub windows: HashMap<u64, Window>,
    /// Handles of the windows from the highest to the lowest.
    pub order: Vec<u64>,
    /// How many windows were made.
    pub made: u64,
    /// Names of messages, clipboard formats and classes.
    pub names: Atoms,
    /// The program's own atoms, and those that it shares.
    atoms: [Atoms; 2],
    /// What was copied.
    pub clipboard: Clipboard,
    /// How many icons and cursors were handed out.
    pub pictures: HashMap<(u64, u64), u64>,
    /// The keys of threads that set them: 0x80 for down, 1 for switched on.
    pub keys: HashMap<u32, [u8; 256]>,
    /// Keys that are to be told of, by owner and number: what is held, and the key.
    pub hot_keys: HashMap<(u64, i32), (u32, u32)>,
    /// The window that the mouse is tied to, by thread.
    pub captures: HashMap<u32, u64>,
    /// How many wanted to hear of devices, and the handles of those that still do.
    pub device_listeners: (u64, HashSet<u64>),
    /// Menus.
    pub menus: menu::Menus,
}

/// Which table of atoms a function is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtomScope {
    /// `AddAtom` and its family.
    Local,
    /// `GlobalAddAtom` and its family.
    Global,
}

impl State {
    /// Returns a table of atoms.
    pub fn atoms_mut(&mut self, scope: AtomScope) -> &mut Atoms {
        &mut self.atoms[scope as usize]
    }
}

/// The state of user32 in a process.
#[derive(Default)]
pub struct Desktop {
    state: Mutex<State>,
    queues: Mutex<HashMap<u32, Arc<MessageQueue>>>,
    /// Whether it was said that windows are not shown.
    pub has_warned: std::sync::atomic::AtomicBool,
}

impl Desktop {
    /// Takes the lock of the state. No guest code may run while it is held.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<u32, Arc<MessageQueue>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the calling thread's queue, which the first use makes.
    pub fn queue(&self) -> Arc<MessageQueue> {
        let id = thread::with_current(thread::ThreadObject::id);
        Arc::clone(self.queues().entry(id).or_insert_with(|| MessageQueue::new(id)))
    }

    /// Returns the queue of a thread, if it has one.
    pub fn queue_of(&self, thread: u32) -> Option<Arc<MessageQueue>> {
        self.queues().get(&thread).cloned()
    }

    /// Forgets a thread that ends: its windows, its timers, and who waits for its answers.
    pub fn end_thread(&self, thread: u32) {
        let Some(queue) = self.queues().remove(&thread) else { return };
        let ended: Vec<u64> = {
            let state = self.state();
            let own = state.windows.values().filter(|window| window.thread == thread);
            own.map(|window| window.handle).collect()
        };
        for handle in ended {
            self.state().remove_window(handle);
        }
        for sent in queue.take_all_sent() {
            self.answer(&sent, 0);
        }
    }

    /// Tells the sender of a message its result.
    pub fn answer(&self, sent: &queue::Sent, result: u64) {
        if let Some((thread, number)) = sent.sender
            && let Some(queue) = self.queue_of(thread)
        {
            queue.reply(number, result);
        }
    }
}

impl State {
    /// Returns a window.
    ///
    /// # Errors
    /// `INVALID_WINDOW_HANDLE` when the handle is none's.
    pub fn window(&self, handle: u64) -> Result<&Window, Win32Error> {
        self.windows.get(&handle).ok_or(Win32Error::INVALID_WINDOW_HANDLE)
    }

    /// Returns a window for changes.
    ///
    /// # Errors
    /// As [`State::window`].
    pub fn window_mut(&mut self, handle: u64) -> Result<&mut Window, Win32Error> {
        self.windows.get_mut(&handle).ok_or(Win32Error::INVALID_WINDOW_HANDLE)
    }

    /// Adds a window above the others and gives it its handle: an index below, a count of uses above, as Windows'.
    pub fn add_window(&mut self, mut window: Window) -> u64 {
        self.made += 1;
        let handle = ((1 + (self.made >> 14)) << 16) | (((self.made & 0x3fff) << 1) + 0x20);
        window.handle = handle;
        self.order.insert(0, handle);
        self.windows.insert(handle, window);
        handle
    }

    /// Forgets a window.
    pub fn remove_window(&mut self, handle: u64) -> Option<Window> {
        self.order.retain(|&other| other != handle);
        self.hot_keys.retain(|&(owner, _), _| owner != handle);
        self.windows.remove(&handle)
    }

    /// Returns a window's children from the highest to the lowest; those of the desktop are the top-level windows.
    pub fn children(&self, parent: u64) -> Vec<u64> {
        let is_child = |handle: &&u64| self.windows.get(handle).is_some_and(|window| window.parent == parent);
        self.order.iter().filter(is_child).copied().collect()
    }

    /// Says whether a window lies below another, at any depth.
    pub fn is_below(&self, window: u64, above: u64) -> bool {
        let mut at = self.windows.get(&window);
        while let Some(window) = at {
            if window.parent == above {
                return true;
            }
            at = self.windows.get(&window.parent);
        }
        false
    }

    /// Returns whether a handle is a window's or the desktop's.
    pub fn is_window(&self, handle: u64) -> bool {
        handle == DESKTOP_WINDOW || self.windows.contains_key(&handle)
    }
}
