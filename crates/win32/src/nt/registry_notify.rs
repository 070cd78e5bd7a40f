//! Changes of keys that a program waits for. Key types: [`Filter`], [`Watchers`].
//!
//! A watcher keeps what the key looked like. After each change of this process, and when the registry's file was replaced by
//! another one, each watcher's key is compared; whoever sees a difference has its event set, once.

use std::sync::{Arc, Weak};

use super::event::Event;
use super::registry::Key;
use super::registry_tree::{Node, Path};

/// `REG_NOTIFY_CHANGE_NAME`.
const NAME: u32 = 1;
/// `REG_NOTIFY_CHANGE_LAST_SET`.
const LAST_SET: u32 = 4;
/// All that may be asked for: attributes and security too, and `REG_NOTIFY_THREAD_AGNOSTIC`.
const ALL: u32 = 0x1000_000f;

/// Which changes are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Keys that come and go.
    names: bool,
    /// Values.
    values: bool,
    /// Those of keys below too.
    subtree: bool,
}

impl Filter {
    /// Reads `REG_NOTIFY_…` bits; nothing for none, or for unknown ones.
    pub fn of(bits: u32, subtree: bool) -> Option<Self> {
        let is_known = bits & !ALL == 0 && bits & 0xf != 0;
        is_known.then_some(Self { names: bits & NAME != 0, values: bits & LAST_SET != 0, subtree })
    }

    /// Says whether a key changed in a way that is wanted.
    pub fn sees(self, before: &Node, now: &Node) -> bool {
        let names = self.names && !before.keys.keys().eq(now.keys.keys());
        if names || (self.values && before.values != now.values) {
            return true;
        }
        // A key that was made anew has another number.
        let mut pairs = before.keys.iter().filter_map(|(name, old)| Some((old, now.keys.get(name)?)));
        self.subtree && pairs.any(|(old, new)| self.sees(old, new))
    }

    /// Returns what must be kept of a key to see its changes.
    fn keep(self, node: &Node) -> Node {
        if self.subtree { node.clone() } else { node.with_over(node) }
    }
}

/// Who waits for changes of one key.
struct Watcher {
    /// The key whose end it hears of.
    key: Option<Weak<Key>>,
    path: Path,
    filter: Filter,
    before: Node,
    event: Arc<Event>,
}

/// All who wait.
#[derive(Default)]
pub struct Watchers {
    list: Vec<Watcher>,
}

impl Watchers {
    /// Adds one, for the key of a path that looks like this now, and for the end of `key`.
    pub fn add(
        &mut self,
        path: Path,
        key: Option<Weak<Key>>,
        node: &Node,
        filter: Filter,
        event: Arc<Event>,
    ) {
        self.list.push(Watcher { key, path, filter, before: filter.keep(node), event });
    }

    /// Says whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Takes out those who see a change, whose key is gone or was closed; their events are to be set without a lock.
    pub fn take_woken(&mut self, root: &Node) -> Vec<Arc<Event>> {
        let is_closed = |watcher: &Watcher| watcher.key.as_ref().is_some_and(|key| key.strong_count() == 0);
        let sees = |watcher: &Watcher| {
            let now = root.find(&watcher.path);
            is_closed(watcher) || now.is_none_or(|now| watcher.filter.sees(&watcher.before, now))
        };
        let (woken, rest) = std::mem::take(&mut self.list).into_iter().partition(sees);
        self.list = rest;
        let woken: Vec<Watcher> = woken;
        woken.into_iter().map(|watcher| watcher.event).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::reg_file::Value;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn a_filter_sees_what_it_asks_for() {
        let mut before = Node::new(&[], false);
        before.make(&wide("A\\B"));
        let mut value = before.clone();
        value.set(&wide("x"), Value::number(1));
        let mut below = before.clone();
        below.make(&wide("A\\B")).set(&wide("x"), Value::number(1));
        let mut name = before.clone();
        name.make(&wide("C"));
        let filter = |bits, subtree| Filter::of(bits, subtree).expect("known bits");
        for (now, bits, subtree, expected) in [
            (&value, LAST_SET, false, true),
            (&value, NAME, true, false),
            (&below, LAST_SET, false, false),
            (&below, LAST_SET, true, true),
            (&name, NAME, false, true),
            (&name, LAST_SET, true, false),
            (&before, NAME | LAST_SET, true, false),
        ] {
            assert_eq!(filter(bits, subtree).sees(&before, now), expected, "{bits} {subtree}");
        }
        assert_eq!(Filter::of(0, false), None);
        assert_eq!(Filter::of(0x100, false), None);
    }
}
