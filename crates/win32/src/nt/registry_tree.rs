//! The registry's tree as plain data: nodes, changes applied to it, the differences of two trees. Key type: [`Node`].

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::logic::nls::case::upcase_string;
use crate::logic::reg_file::{Change, Value};

/// A path as upper-cased names from the top.
pub type Path = Vec<Vec<u16>>;

/// A key: what lies in it by upper-cased name, which is its order, with the spelling it was made with.
#[derive(Clone, Debug)]
pub struct Node {
    /// Tells a key from another that was made under the same name later.
    pub id: u64,
    /// The spelling of its name.
    pub name: Vec<u16>,
    /// Whether it is never written to a file (`REG_OPTION_VOLATILE`).
    pub is_volatile: bool,
    /// Keys below.
    pub keys: BTreeMap<Vec<u16>, Self>,
    /// Values: spelling and content.
    pub values: BTreeMap<Vec<u16>, (Vec<u16>, Value)>,
}

/// Splits a path at its backslashes; doubled and trailing ones count for nothing.
pub fn names(path: &[u16]) -> impl Iterator<Item = &[u16]> {
    path.split(|&unit| unit == u16::from(b'\\')).filter(|name| !name.is_empty())
}

impl Node {
    /// Makes an empty key.
    pub fn new(name: &[u16], is_volatile: bool) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { id, name: name.to_vec(), is_volatile, keys: BTreeMap::new(), values: BTreeMap::new() }
    }

    /// Returns the key at a path of upper-cased names.
    pub fn find(&self, path: &[Vec<u16>]) -> Option<&Self> {
        path.iter().try_fold(self, |node, name| node.keys.get(name))
    }

    /// Returns the key at a path of upper-cased names.
    pub fn find_mut(&mut self, path: &[Vec<u16>]) -> Option<&mut Self> {
        path.iter().try_fold(self, |node, name| node.keys.get_mut(name))
    }

    /// Returns the key of this name below, made where there is none; says whether it is new. A key below a volatile
    /// one is volatile.
    pub fn child(&mut self, name: &[u16], is_volatile: bool) -> (&mut Self, bool) {
        let is_volatile = is_volatile || self.is_volatile;
        let mut is_new = false;
        let child = self.keys.entry(upcase_string(name)).or_insert_with(|| {
            is_new = true;
            Self::new(name, is_volatile)
        });
        (child, is_new)
    }

    /// Returns the key at a path, made with all on the way where there is none.
    pub fn make(&mut self, path: &[u16]) -> &mut Self {
        names(path).fold(self, |node, name| node.child(name, false).0)
    }

    /// Sets a value; one that was there keeps the spelling of its name.
    pub fn set(&mut self, name: &[u16], value: Value) {
        let fresh = || (name.to_vec(), Value::default());
        self.values.entry(upcase_string(name)).or_insert_with(fresh).1 = value;
    }

    /// Makes the changes of a file. A path is looked for as it stands: see [`super::registry::full_path`].
    pub fn apply(&mut self, changes: &[Change]) {
        let mut at: &[u16] = &[];
        for change in changes {
            match change {
                Change::Key(path) => {
                    at = path;
                    self.make(path);
                }
                Change::DeleteKey(path) => {
                    let way: Path = names(path).map(upcase_string).collect();
                    if let Some((last, way)) = way.split_last()
                        && let Some(parent) = self.find_mut(way)
                    {
                        parent.keys.remove(last);
                    }
                }
                Change::Set(name, value) => self.make(at).set(name, value.clone()),
                Change::Delete(name) => {
                    self.make(at).values.remove(&upcase_string(name));
                }
            }
        }
    }

    /// Returns the changes that make this key's part of a tree out of `base`'s; volatile keys are left out.
    pub fn difference(&self, base: Option<&Self>) -> Vec<Change> {
        let mut changes = Vec::new();
        for key in self.keys.values() {
            key.add_difference(
                base.and_then(|base| base.keys.get(&upcase_string(&key.name))),
                &[],
                &mut changes,
            );
        }
        changes
    }

    /// Returns the changes that make this key, found at `path`, and all below it out of nothing.
    pub fn describe(&self, path: &[u16]) -> Vec<Change> {
        let mut changes = Vec::new();
        let parent =
            path.iter().rposition(|&unit| unit == u16::from(b'\\')).map_or(&[][..], |end| &path[..end]);
        self.add_difference(None, parent, &mut changes);
        changes
    }

    fn add_difference(&self, base: Option<&Self>, parent: &[u16], changes: &mut Vec<Change>) {
        if self.is_volatile {
            return;
        }
        let below = |name: &[u16]| {
            let separator = (!parent.is_empty()).then_some(u16::from(b'\\'));
            parent.iter().copied().chain(separator).chain(name.iter().copied()).collect::<Vec<u16>>()
        };
        let path = below(&self.name);
        let start = changes.len();
        changes.push(Change::Key(path.clone()));
        for (key, (name, value)) in &self.values {
            let before = base.and_then(|base| base.values.get(key));
            if before.is_none_or(|before| before.1 != *value) {
                changes.push(Change::Set(name.clone(), value.clone()));
            }
        }
        let gone = base.into_iter().flat_map(|base| &base.values);
        let gone = gone.filter(|(key, _)| !self.values.contains_key(*key));
        changes.extend(gone.map(|(_, (name, _))| Change::Delete(name.clone())));
        if base.is_some() && changes.len() == start + 1 {
            changes.truncate(start);
        }
        for (key, node) in base.into_iter().flat_map(|base| &base.keys) {
            if !self.keys.contains_key(key) {
                let name = path.iter().copied().chain([u16::from(b'\\')]).chain(node.name.iter().copied());
                changes.push(Change::DeleteKey(name.collect()));
            }
        }
        for (key, node) in &self.keys {
            node.add_difference(base.and_then(|base| base.keys.get(key)), &path, changes);
        }
    }

    /// Returns this key as it looks with another over it: names of keys and values of both; the other's values count.
    pub fn with_over(&self, over: &Self) -> Self {
        let children =
            self.keys.iter().chain(&over.keys).map(|(key, node)| (key.clone(), node.clone_alone()));
        let values = self.values.iter().chain(&over.values).map(|(key, value)| (key.clone(), value.clone()));
        Self { keys: children.collect(), values: values.collect(), ..self.clone_alone() }
    }

    /// As [`Node::with_over`], with all that is below.
    pub fn with_all_over(&self, over: &Self) -> Self {
        let mut whole = self.with_over(over);
        for (key, child) in &mut whole.keys {
            match (self.keys.get(key), over.keys.get(key)) {
                (Some(below), Some(above)) => *child = below.with_all_over(above),
                (Some(only), None) | (None, Some(only)) => *child = only.clone(),
                (None, None) => {}
            }
        }
        whole
    }

    /// Returns a copy without what is in it.
    fn clone_alone(&self) -> Self {
        let (id, name, is_volatile) = (self.id, self.name.clone(), self.is_volatile);
        Self { id, name, is_volatile, keys: BTreeMap::new(), values: BTreeMap::new() }
    }

    /// Takes over from the tree of before what no file knows: the identity of keys, and volatile keys.
    pub fn inherit(&mut self, before: Self) {
        self.id = before.id;
        for (key, old) in before.keys {
            if let Some(node) = self.keys.get_mut(&key) {
                node.inherit(old);
            } else if old.is_volatile {
                self.keys.insert(key, old);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn tree(changes: &[Change]) -> Node {
        let mut node = Node::new(&[], false);
        node.apply(changes);
        node
    }

    #[test]
    fn a_difference_makes_one_tree_out_of_the_other() {
        let set = |name: &str, number| Change::Set(wide(name), Value::number(number));
        let base = vec![
            Change::Key(wide("R\\Kept")),
            set("same", 1),
            set("other", 2),
            set("gone", 3),
            Change::Key(wide("R\\Gone\\Deep")),
            set("x", 4),
        ];
        let mut now = tree(&base);
        let changes = vec![
            Change::Key(wide("r\\kept")),
            set("OTHER", 5),
            set("new", 6),
            Change::Delete(wide("Gone")),
            Change::DeleteKey(wide("r\\gone")),
            Change::Key(wide("R\\Made\\Deep")),
        ];
        now.apply(&changes);
        let difference = now.difference(Some(&tree(&base)));
        let expected = vec![
            Change::DeleteKey(wide("R\\Gone")),
            Change::Key(wide("R\\Kept")),
            set("new", 6),
            set("other", 5),
            Change::Delete(wide("gone")),
            Change::Key(wide("R\\Made")),
            Change::Key(wide("R\\Made\\Deep")),
        ];
        assert_eq!(difference, expected);
        let mut again = tree(&base);
        again.apply(&difference);
        assert_eq!(again.difference(Some(&now)), vec![]);
        assert_eq!(now.difference(Some(&now)), vec![]);
    }

    #[test]
    fn volatile_keys_are_not_written_and_outlive_a_reload() {
        let mut node = tree(&[Change::Key(wide("R"))]);
        node.make(&wide("R")).child(&wide("V"), true).0.child(&wide("Below"), false);
        assert_eq!(node.difference(None), vec![Change::Key(wide("R"))]);
        let id = node.keys[&wide("R")].id;
        let mut fresh = tree(&[Change::Key(wide("R"))]);
        fresh.inherit(node);
        assert_eq!(fresh.keys[&wide("R")].id, id);
        assert!(fresh.find(&[wide("R"), wide("V"), wide("BELOW")]).is_some_and(|below| below.is_volatile));
    }
}
