//! The registry's file: read when it is first asked for, replaced as a whole by each change. Key type: [`Store`].
//!
//! Every change takes the file's lock, reads what others wrote since, changes that, and writes it before it returns:
//! of two processes nobody loses anything, and whoever is killed leaves the file of before or of after. A file that
//! cannot be read or is damaged is left as it is, and the process works in memory only.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use plat_host::change_watch::{ChangeWatch, Wanted};
use plat_host::directory;
use plat_host::locked_file::{self, Content};
use plat_host::service::{self, Interest};

use super::event::Event;
use super::nls;
use super::registry::Key;
use super::registry_known::{add_zones, well_known};
use super::registry_notify::{Filter, Watchers};
use super::registry_tree::Node;
use crate::Win32Error;
use crate::logic::reg_file::{Change, Writer, encode, parse};

/// The variable that names the file, or says `none`.
pub const VARIABLE: &str = "PLAT_REGISTRY";

/// The tree and its file.
#[derive(Default)]
pub struct Store {
    /// The file that was asked for; by default that of the environment.
    choice: Option<Option<PathBuf>>,
    state: Mutex<Option<State>>,
    /// Whether somebody waits for changes.
    is_watched: AtomicBool,
}

struct State {
    /// Nothing: in memory only.
    file: Option<PathBuf>,
    /// The well-known keys: what differs from them is in the file.
    base: Node,
    root: Node,
    /// The world's time zones are among them.
    has_zones: bool,
    /// What the tree was read from or written to.
    content: Option<Content>,
    /// Who waits for changes.
    watchers: Watchers,
    /// Hears of other processes that replace the file.
    news: Option<ChangeWatch>,
}

/// Returns the user's registry file: what `PLAT_REGISTRY` says, else `plat/registry.reg` in the user's data directory.
pub fn user_file() -> Option<PathBuf> {
    match plat_host::environment::variable(VARIABLE) {
        Some(choice) if choice == "none" => None,
        Some(choice) if !choice.is_empty() => Some(PathBuf::from(choice)),
        _ => plat_host::environment::data_directory().map(|directory| directory.join("plat/registry.reg")),
    }
}

impl Store {
    /// Makes a store with this file, or none.
    pub fn new(file: Option<PathBuf>) -> Self {
        Self { choice: Some(file), ..Self::default() }
    }

    /// Returns the file that is asked for.
    pub fn file(&self) -> Option<PathBuf> {
        self.choice.clone().unwrap_or_else(user_file)
    }

    fn lock(&self) -> MutexGuard<'_, Option<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn first(&self) -> State {
        let (base, root) = (well_known(), Node::new(&[], false));
        let (content, watchers, news) = (None, Watchers::default(), None);
        let mut state = State { file: self.file(), base, root, has_zones: false, content, watchers, news };
        state.root = state.base.clone();
        state.file = state.file.and_then(|file| std::path::absolute(file).ok());
        state.reload();
        state
    }

    /// Puts the world's time zones among the well-known keys: a program is on its way there.
    pub(super) fn want_zones(&self) {
        let mut state = self.lock();
        let state = state.get_or_insert_with(|| self.first());
        if std::mem::replace(&mut state.has_zones, true) {
            return;
        }
        add_zones(&mut state.base);
        // What the program changed in memory stays; what the file says of zones is read with them.
        match state.file {
            Some(_) => state.reload(),
            None => add_zones(&mut state.root),
        }
    }

    /// Looks at the tree as it is now.
    ///
    /// # Errors
    /// Those of `look`.
    pub fn read<R>(&self, look: impl FnOnce(&Node) -> Result<R, Win32Error>) -> Result<R, Win32Error> {
        let mut state = self.lock();
        let state = state.get_or_insert_with(|| self.first());
        state.refresh();
        look(&state.root)
    }

    /// Changes the tree and writes it. `change` changes nothing when it fails.
    ///
    /// # Errors
    /// Those of `change`; `REGISTRY_IO_FAILED` when the file could not be written.
    pub fn change<R>(
        &self,
        change: impl FnOnce(&mut Node) -> Result<R, Win32Error>,
    ) -> Result<R, Win32Error> {
        let result = self.change_alone(change);
        self.wake();
        result
    }

    fn change_alone<R>(
        &self,
        change: impl FnOnce(&mut Node) -> Result<R, Win32Error>,
    ) -> Result<R, Win32Error> {
        let mut state = self.lock();
        let state = state.get_or_insert_with(|| self.first());
        let lock = match state.file.as_deref().map(locked_file::lock) {
            Some(Err(error)) => {
                state.give_up(&format!("cannot be locked: {error}"));
                None
            }
            Some(Ok(lock)) => Some(lock),
            None => None,
        };
        state.refresh();
        let result = change(&mut state.root)?;
        let (Some(lock), Some(_)) = (lock, &state.file) else { return Ok(result) };
        let bytes = encode(&state.text());
        if state.content.as_ref().is_some_and(|content| content.bytes == bytes) {
            return Ok(result);
        }
        match lock.replace(bytes) {
            Ok(content) => state.content = Some(content),
            Err(error) => state.give_up(&format!("cannot be written: {error}")),
        }
        Ok(result)
    }

    /// Has an event set by the next change of the key at a path that a filter sees, whoever makes it, and by the end of
    /// `key`.
    ///
    /// # Errors
    /// `KEY_DELETED`.
    pub fn watch(
        self: &Arc<Self>,
        path: Vec<Vec<u16>>,
        key: Option<Weak<Key>>,
        filter: Filter,
        event: Arc<Event>,
    ) -> Result<(), Win32Error> {
        let mut state = self.lock();
        let state = state.get_or_insert_with(|| self.first());
        state.refresh();
        let node = state.root.find(&path).ok_or(Win32Error::KEY_DELETED)?;
        state.watchers.add(path.clone(), key, node, filter, event);
        self.is_watched.store(true, Ordering::Release);
        if state.news.is_none() {
            state.news = self.listen(state.file.as_deref());
        }
        Ok(())
    }

    /// Hears of the file's changes; nothing where there is none to hear of.
    fn listen(self: &Arc<Self>, file: Option<&Path>) -> Option<ChangeWatch> {
        let directory = file?.parent()?;
        directory::create_private(directory).ok()?;
        let news = ChangeWatch::new().ok()?;
        news.watch(directory, Wanted::default()).ok()?;
        self.await_news(&news);
        Some(news)
    }

    fn await_news(self: &Arc<Self>, news: &ChangeWatch) {
        let store = Arc::downgrade(self);
        let heard = move || {
            if let Some(store) = store.upgrade() {
                store.hear();
            }
        };
        // Without it, what other processes do is seen with the next change of this one.
        let _ = service::when_ready(news.as_fd(), Interest::Read, heard);
    }

    /// Something happened beside the file: looks at it again.
    fn hear(self: &Arc<Self>) {
        let mut guard = self.lock();
        if let Some(state) = guard.as_mut() {
            if let Some(news) = &state.news {
                let _ = news.changes();
            }
            state.refresh();
            match &state.news {
                Some(_) if state.watchers.is_empty() => state.news = None,
                Some(news) => self.await_news(news),
                None => {}
            }
        }
        drop(guard);
        self.wake();
    }

    /// Sets the events of those who see a change.
    pub fn wake(&self) {
        if !self.is_watched.load(Ordering::Acquire) {
            return;
        }
        let mut state = self.lock();
        let Some(state_of) = state.as_mut() else { return };
        let woken = state_of.watchers.take_woken(&state_of.root);
        self.is_watched.store(!state_of.watchers.is_empty(), Ordering::Release);
        drop(state);
        for event in woken {
            event.set();
        }
    }

    /// Writes the file out to the disk.
    ///
    /// # Errors
    /// `REGISTRY_IO_FAILED`.
    pub fn flush(&self) -> Result<(), Win32Error> {
        let state = self.lock();
        let file = state.as_ref().and_then(|state| state.file.as_deref());
        file.map_or(Ok(()), locked_file::flush).map_err(|_| Win32Error(1016))
    }
}

impl State {
    /// Works in memory from here on, and says so.
    fn give_up(&mut self, reason: &str) {
        if let Some(file) = self.file.take() {
            eprintln!(
                "plat: registry file {} {reason}; what the program changes is not kept",
                file.display()
            );
        }
    }

    /// Reads the file again when another process replaced it.
    fn refresh(&mut self) {
        let Some(file) = &self.file else { return };
        if !locked_file::is_current(file, self.content.as_ref()) {
            self.reload();
        }
    }

    fn reload(&mut self) {
        let Some(file) = &self.file else { return };
        match load(file) {
            Ok((changes, content)) => {
                let mut root = self.base.clone();
                root.apply(&changes);
                let before = std::mem::replace(&mut self.root, Node::new(&[], false));
                root.inherit(before);
                self.root = root;
                self.content = content;
            }
            Err(reason) => self.give_up(&reason),
        }
    }

    /// Returns the text of the file: what differs from the well-known keys.
    fn text(&self) -> Vec<u16> {
        let mut writer = Writer::new("\n");
        for change in self.root.difference(Some(&self.base)) {
            writer.push(&change);
        }
        writer.finish()
    }
}

fn load(file: &Path) -> Result<(Vec<Change>, Option<Content>), String> {
    let content = locked_file::read(file).map_err(|error| format!("cannot be read: {error}"))?;
    let Some(content) = content else { return Ok((Vec::new(), None)) };
    match parse(&content.bytes, nls::widen) {
        Ok(changes) => Ok((changes, Some(content))),
        Err(error) => Err(format!("is damaged, {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::reg_file::Value;
    use crate::nt::registry::Registry;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn file(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("plat-registry-{name}-{}.reg", std::process::id()))
    }

    /// Each writer has a store of its own, as a process has.
    #[test]
    fn writers_at_once_lose_nothing() {
        let path = file("writers");
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let path = path.clone();
                scope.spawn(move || {
                    let root = Registry::in_file(Some(path)).open(&wide("HKCU")).expect("a root");
                    let (key, _) = root.create(&wide("Shared"), false).expect("made");
                    for index in 0..25 {
                        let name = wide(&format!("{writer} {index}"));
                        key.set_value(&name, Value::number(index)).expect("set");
                    }
                });
            }
        });
        let key = Registry::in_file(Some(path.clone())).open(&wide(r"HKCU\Shared")).expect("kept");
        assert_eq!(key.info().expect("there").values, 100);
        std::fs::remove_file(&path).expect("removed");
    }

    #[test]
    fn a_damaged_file_is_left_alone() {
        let path = file("damaged");
        std::fs::write(&path, "not a registry").expect("written");
        let registry = Registry::in_file(Some(path.clone()));
        let key: Arc<_> = registry.open(&wide("HKCU")).expect("a root");
        key.set_value(&wide("x"), Value::number(1)).expect("in memory");
        assert_eq!(std::fs::read(&path).expect("there"), b"not a registry");
        std::fs::remove_file(&path).expect("removed");
    }

    #[test]
    fn whoever_waits_hears_of_other_processes() {
        let path = file("waits");
        let open = || Registry::in_file(Some(path.clone())).open(&wide("HKCU")).expect("a root");
        let (key, _) = open().create(&wide("Watched"), false).expect("made");
        let event = Event::new(true, false);
        let filter = Filter::of(4, false).expect("known bits");
        key.watch(filter, Arc::clone(&event), true).expect("there");
        open().create(&wide("Elsewhere"), false).expect("made");
        // A store of its own, as another process has.
        let (other, _) = open().create(&wide("Watched"), false).expect("there");
        other.set_value(&wide("x"), Value::number(1)).expect("set");
        for _ in 0..200 {
            if event.state().1 {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert!(event.state().1, "the change of another process was heard");
        let end = Event::new(true, false);
        key.watch(filter, Arc::clone(&end), true).expect("there");
        assert!(!end.state().1);
        drop(key);
        assert!(end.state().1, "the end of the key was heard");
        std::fs::remove_file(&path).expect("removed");
    }
}
