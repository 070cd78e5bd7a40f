//! The registry: a tree of keys with values, and the file in which what the user changes is kept.
//! Key types: [`Registry`], [`Key`], [`KeyInfo`].
//!
//! The tree is the well-known keys (`registry_known`) and, on them, the changes in the file (`registry_store`).
//! A [`Key`] is a place in the tree: each call looks it up there, so that it sees what other processes did.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use plat_host::accounts;

use super::account::Unix;
use super::event::Event;
use super::object::{Object, ObjectKind};
use super::registry_known::TIME_ZONES;
use super::registry_notify::Filter;
use super::registry_store::Store;
use super::registry_tree::{Node, Path, names};
use super::registry_view::alias;
use crate::Win32Error;
use crate::logic::nls::case::{equal_ignore_case, upcase_string};
pub use crate::logic::reg_file::{
    Change, REG_BINARY, REG_DWORD, REG_EXPAND_SZ, REG_MULTI_SZ, REG_QWORD, REG_SZ, Value,
};

/// The longest name of a key in units.
const KEY_NAME_MAX: usize = 255;
/// The longest name of a value in units.
const VALUE_NAME_MAX: usize = 16383;

/// The predefined keys, by the low byte of their handles: the name, the short name, and where in the tree they are.
const ROOTS: [(&str, &str, &str); 7] = [
    ("HKEY_CLASSES_ROOT", "HKCR", r"HKEY_LOCAL_MACHINE\Software\Classes"),
    ("HKEY_CURRENT_USER", "HKCU", "HKEY_CURRENT_USER"),
    ("HKEY_LOCAL_MACHINE", "HKLM", "HKEY_LOCAL_MACHINE"),
    ("HKEY_USERS", "HKU", "HKEY_USERS"),
    ("HKEY_PERFORMANCE_DATA", "HKPD", "HKEY_PERFORMANCE_DATA"),
    ("HKEY_CURRENT_CONFIG", "HKCC", r"HKEY_LOCAL_MACHINE\System\CurrentControlSet\Hardware Profiles\Current"),
    ("HKEY_DYN_DATA", "HKDD", "HKEY_DYN_DATA"),
];

/// The name of the key in which users' keys are, in capitals as all names of paths.
const USERS: &str = "HKEY_USERS";
/// The user's own classes, which lie over the machine's in `HKEY_CLASSES_ROOT`.
const USER_CLASSES: &str = r"HKEY_CURRENT_USER\Software\Classes";

/// Returns the SID under which the user's key is known.
pub fn own_sid() -> &'static str {
    static SID: OnceLock<String> = OnceLock::new();
    SID.get_or_init(|| Unix::User(accounts::own_identity().user).sid().to_string())
}

/// Replaces the root that a path begins with, long or short, by where that is in the tree; nothing for other paths.
pub fn full_path(path: &[u16]) -> Option<Vec<u16>> {
    let full = rooted_path(path)?;
    let all: Vec<&[u16]> = names(&full).collect();
    let target = match all[..] {
        [root, user, ..] if equal_ignore_case(root, &wide(USERS)) => alias(user, own_sid()),
        _ => None,
    };
    let Some(target) = target else { return Some(full) };
    let target = wide(target);
    Some([&[target.as_slice()], &all[2..]].concat().join(&u16::from(b'\\')))
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// As [`full_path`], without looking for a user's key.
fn rooted_path(path: &[u16]) -> Option<Vec<u16>> {
    let mut rest = names(path);
    let first = rest.next()?;
    let is_called = |name: &str| equal_ignore_case(&name.encode_utf16().collect::<Vec<u16>>(), first);
    let (_, _, place) = ROOTS.iter().find(|(long, short, _)| is_called(long) || is_called(short))?;
    let mut full: Vec<u16> = place.encode_utf16().collect();
    for name in rest {
        full.push(u16::from(b'\\'));
        full.extend(name);
    }
    Some(full)
}

/// A key; several handles may lead to one.
pub struct Key {
    store: Arc<Store>,
    path: Path,
    id: u64,
    /// Where the user's part of it is, which lies over it: below `HKEY_CLASSES_ROOT`.
    over: Option<Path>,
}

/// Counts and longest names, as `RegQueryInfoKey` returns them, in units and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyInfo {
    /// Number of keys below.
    pub keys: u32,
    /// The longest name of those.
    pub key_name_max: u32,
    /// Number of values.
    pub values: u32,
    /// The longest name of those.
    pub value_name_max: u32,
    /// The longest value in bytes.
    pub data_max: u32,
}

impl Object for Key {
    fn kind(&self) -> ObjectKind {
        ObjectKind::Key
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.store.wake();
    }
}

impl Key {
    /// Looks at the key, if it is still there.
    fn look<R>(&self, look: impl FnOnce(&Node) -> Result<R, Win32Error>) -> Result<R, Win32Error> {
        self.store.read(|root| {
            let Some(over) = &self.over else {
                let node = root.find(&self.path).filter(|node| node.id == self.id);
                return look(node.ok_or(Win32Error::KEY_DELETED)?);
            };
            match (root.find(&self.path), root.find(over)) {
                (Some(below), Some(above)) => look(&below.with_over(above)),
                (Some(only), None) | (None, Some(only)) => look(only),
                (None, None) => Err(Win32Error::KEY_DELETED),
            }
        })
    }

    /// Changes the key, if it is still there: the user's part, if there is one. `change` changes nothing when it fails.
    fn change<R>(&self, change: impl FnOnce(&mut Node) -> Result<R, Win32Error>) -> Result<R, Win32Error> {
        self.store.change(|root| {
            if let Some(over) = self.over.as_ref().filter(|over| root.find(over).is_some()) {
                return change(root.find_mut(over).ok_or(Win32Error::KEY_DELETED)?);
            }
            let is_it = |node: &&mut Node| self.over.is_some() || node.id == self.id;
            let node = root.find_mut(&self.path).filter(is_it);
            change(node.ok_or(Win32Error::KEY_DELETED)?)
        })
    }

    fn below(&self, path: &[&[u16]], id: u64) -> Arc<Self> {
        let add =
            |base: &Path| base.iter().cloned().chain(path.iter().map(|name| upcase_string(name))).collect();
        let over = self.over.as_ref().map(add);
        Arc::new(Self { store: Arc::clone(&self.store), path: add(&self.path), id, over })
    }

    /// Has an event set by the next change that a filter sees, and by the end of this key if that is asked for.
    ///
    /// # Errors
    /// `KEY_DELETED`.
    pub fn watch(
        self: &Arc<Self>,
        filter: Filter,
        event: Arc<Event>,
        with_end: bool,
    ) -> Result<(), Win32Error> {
        let key = with_end.then(|| Arc::downgrade(self));
        self.store.watch(self.path.clone(), key, filter, event)
    }

    /// Returns the names that lead to it from the top, in capitals.
    pub fn path(&self) -> &[Vec<u16>] {
        &self.path
    }

    /// Returns the name that the kernel has for it, as `\REGISTRY\MACHINE\Software`.
    ///
    /// # Errors
    /// `KEY_DELETED`.
    pub fn kernel_name(&self) -> Result<Vec<u16>, Win32Error> {
        self.look(|_| Ok(()))?;
        let (root, rest) = self.path.split_first().ok_or(Win32Error::KEY_DELETED)?;
        let mut name = wide(r"\REGISTRY\");
        name.extend(match String::from_utf16_lossy(root).as_str() {
            "HKEY_LOCAL_MACHINE" => wide("MACHINE"),
            "HKEY_CURRENT_USER" => wide(&format!(r"USER\{}", own_sid())),
            "HKEY_USERS" => wide("USER"),
            other => wide(other),
        });
        self.store.read(|tree| {
            let mut node = tree.keys.get(root);
            for part in rest {
                node = node.and_then(|node| node.keys.get(part));
                name.push(u16::from(b'\\'));
                name.extend(node.map_or(part, |node| &node.name));
            }
            Ok(())
        })?;
        Ok(name)
    }

    /// Gives the key another name; handles to it and to what is below it end.
    ///
    /// # Errors
    /// `KEY_DELETED`, `INVALID_PARAMETER` for a name that is none, `ACCESS_DENIED` where one of that name is, and for
    /// keys that have no other above them.
    pub fn rename(&self, name: &[u16]) -> Result<(), Win32Error> {
        let is_bad = |&unit: &u16| unit == u16::from(b'\\') || unit == 10 || unit == 13;
        if name.is_empty() || name.len() > KEY_NAME_MAX || name.iter().any(is_bad) {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let (last, way) = self.path.split_last().ok_or(Win32Error::ACCESS_DENIED)?;
        if way.is_empty() || self.over.is_some() {
            return Err(Win32Error::ACCESS_DENIED);
        }
        self.store.change(|root| {
            let parent = root.find_mut(way).ok_or(Win32Error::KEY_DELETED)?;
            parent.keys.get(last).filter(|node| node.id == self.id).ok_or(Win32Error::KEY_DELETED)?;
            let upcased = upcase_string(name);
            if upcased != *last && parent.keys.contains_key(&upcased) {
                return Err(Win32Error::ACCESS_DENIED);
            }
            if let Some(mut node) = parent.keys.remove(last) {
                node.name = name.to_vec();
                parent.keys.insert(upcased, node);
            }
            Ok(())
        })
    }

    /// Puts all values and keys of a copy into this one, over what is there.
    ///
    /// # Errors
    /// `KEY_DELETED`.
    pub fn take_over(&self, from: &Node) -> Result<(), Win32Error> {
        self.change(|node| {
            merge(node, from);
            Ok(())
        })
    }

    /// Returns the key from which a path leads, and the rest of the path: below `HKEY_USERS`, the user's own key.
    fn start<'a>(self: &Arc<Self>, path: &'a [u16]) -> Result<(Arc<Self>, Vec<&'a [u16]>), Win32Error> {
        let path = relative(path)?;
        if let ([root], [user, rest @ ..]) = (&self.path[..], &path[..])
            && *root == wide(USERS)
            && let Some(target) = alias(user, own_sid())
        {
            return Ok((open_in(&self.store, &wide(target))?, rest.to_vec()));
        }
        Ok((Arc::clone(self), path))
    }

    /// Opens the key at `path` below this one.
    ///
    /// # Errors
    /// `FILE_NOT_FOUND`, `KEY_DELETED`, `BAD_PATHNAME` for a path that begins with a backslash.
    pub fn open(self: &Arc<Self>, path: &[u16]) -> Result<Arc<Self>, Win32Error> {
        let (base, path) = self.start(path)?;
        let way: Path = path.iter().map(|name| upcase_string(name)).collect();
        base.want_zones(&path);
        let Some(over) = &base.over else {
            let find = |node: &Node| node.find(&way).map(|node| node.id).ok_or(Win32Error::FILE_NOT_FOUND);
            return Ok(base.below(&path, base.look(find)?));
        };
        let id = base.store.read(|root| {
            let at = |base: &Path| root.find(&[base.as_slice(), &way].concat());
            at(over).or_else(|| at(&base.path)).map(|node| node.id).ok_or(Win32Error::FILE_NOT_FOUND)
        })?;
        Ok(base.below(&path, id))
    }

    /// Has the time zones put in where a path leads to them.
    fn want_zones(&self, path: &[&[u16]]) {
        if path.iter().any(|name| equal_ignore_case(name, &wide(TIME_ZONES))) {
            self.store.want_zones();
        }
    }

    /// Opens or makes the key at `path` with all keys on the way; says whether the last one is new. A volatile key
    /// is not kept after the process.
    ///
    /// # Errors
    /// `KEY_DELETED`, `BAD_PATHNAME`, `INVALID_PARAMETER` for a name that is too long or has several lines,
    /// `CHILD_MUST_BE_VOLATILE` for another key below a volatile one.
    pub fn create(
        self: &Arc<Self>,
        path: &[u16],
        is_volatile: bool,
    ) -> Result<(Arc<Self>, bool), Win32Error> {
        let (base, path) = self.start(path)?;
        if let Ok(key) = base.open_names(&path) {
            return Ok((key, false));
        }
        // A line break cannot stand in the name of a key in a file.
        let is_bad =
            |name: &&[u16]| name.len() > KEY_NAME_MAX || name.iter().any(|&unit| unit == 10 || unit == 13);
        if path.iter().any(is_bad) {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        // A new class is the machine's.
        let plain = Self { store: Arc::clone(&base.store), path: base.path.clone(), id: base.id, over: None };
        let plain =
            if base.over.is_some() { open_path(&base.store, &base.path).unwrap_or(plain) } else { plain };
        let (id, is_new) = plain.change(|node| {
            let mut place = &*node;
            for name in &path {
                match place.keys.get(&upcase_string(name)) {
                    Some(next) => place = next,
                    None if place.is_volatile && !is_volatile => return Err(CHILD_MUST_BE_VOLATILE),
                    None => break,
                }
            }
            let mut last = (node, false);
            for name in &path {
                last = last.0.child(name, is_volatile);
            }
            Ok((last.0.id, last.1))
        })?;
        Ok((base.below(&path, id), is_new))
    }

    fn open_names(self: &Arc<Self>, path: &[&[u16]]) -> Result<Arc<Self>, Win32Error> {
        self.open(&path.join(&u16::from(b'\\')))
    }

    /// Deletes the key at `path`, which must have no keys below it; handles to it stay, but see `KEY_DELETED`.
    ///
    /// # Errors
    /// `FILE_NOT_FOUND`, `ACCESS_DENIED` for a key with keys below it, and as [`Key::open`].
    pub fn delete(self: &Arc<Self>, path: &[u16]) -> Result<(), Win32Error> {
        let (base, path) = self.start(path)?;
        let Some((last, way)) = path.split_last() else { return base.delete_itself() };
        let parent = base.open_names(way)?;
        parent.change(|node| {
            let name = upcase_string(last);
            let doomed = node.keys.get(&name).ok_or(Win32Error::FILE_NOT_FOUND)?;
            if !doomed.keys.is_empty() {
                return Err(Win32Error::ACCESS_DENIED);
            }
            node.keys.remove(&name);
            Ok(())
        })
    }

    /// Deletes the key that a handle leads to, as an empty path asks for.
    fn delete_itself(&self) -> Result<(), Win32Error> {
        let (last, way) = self.path.split_last().ok_or(Win32Error::ACCESS_DENIED)?;
        if way.is_empty() {
            return Err(Win32Error::ACCESS_DENIED);
        }
        self.store.change(|root| {
            let over = self.over.as_ref().filter(|over| root.find(over).is_some());
            let way = over.and_then(|over| over.split_last()).map_or(way, |(_, above)| above);
            let parent = root.find_mut(way).ok_or(Win32Error::KEY_DELETED)?;
            let doomed = parent.keys.get(last).filter(|node| self.over.is_some() || node.id == self.id);
            if !doomed.ok_or(Win32Error::KEY_DELETED)?.keys.is_empty() {
                return Err(Win32Error::ACCESS_DENIED);
            }
            parent.keys.remove(last);
            Ok(())
        })
    }

    /// Deletes all keys and values below this one.
    ///
    /// # Errors
    /// `KEY_DELETED`.
    pub fn clear(&self) -> Result<(), Win32Error> {
        self.change(|node| {
            node.keys.clear();
            node.values.clear();
            Ok(())
        })
    }

    /// Returns a value by name; the empty name is the default value.
    ///
    /// # Errors
    /// `FILE_NOT_FOUND`, `KEY_DELETED`.
    pub fn value(&self, name: &[u16]) -> Result<Value, Win32Error> {
        self.look(|node| {
            let found = node.values.get(&upcase_string(name));
            found.map(|(_, value)| value.clone()).ok_or(Win32Error::FILE_NOT_FOUND)
        })
    }

    /// Sets a value.
    ///
    /// # Errors
    /// `KEY_DELETED`, `INVALID_PARAMETER` for a name that is too long.
    pub fn set_value(&self, name: &[u16], value: Value) -> Result<(), Win32Error> {
        if name.len() > VALUE_NAME_MAX {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        self.change(|node| {
            node.set(name, value);
            Ok(())
        })
    }

    /// Deletes a value.
    ///
    /// # Errors
    /// `FILE_NOT_FOUND`, `KEY_DELETED`.
    pub fn delete_value(&self, name: &[u16]) -> Result<(), Win32Error> {
        self.change(|node| {
            let removed = node.values.remove(&upcase_string(name));
            removed.map(drop).ok_or(Win32Error::FILE_NOT_FOUND)
        })
    }

    /// Returns the name of the key below at `index`.
    ///
    /// # Errors
    /// `NO_MORE_ITEMS`, `KEY_DELETED`.
    pub fn key_name(&self, index: u32) -> Result<Vec<u16>, Win32Error> {
        self.look(|node| {
            let found = node.keys.values().nth(index as usize);
            found.map(|key| key.name.clone()).ok_or(Win32Error::NO_MORE_ITEMS)
        })
    }

    /// Returns name and content of the value at `index`.
    ///
    /// # Errors
    /// `NO_MORE_ITEMS`, `KEY_DELETED`.
    pub fn value_at(&self, index: u32) -> Result<(Vec<u16>, Value), Win32Error> {
        self.look(|node| node.values.values().nth(index as usize).cloned().ok_or(Win32Error::NO_MORE_ITEMS))
    }

    /// Returns counts and longest names.
    ///
    /// # Errors
    /// `KEY_DELETED`.
    pub fn info(&self) -> Result<KeyInfo, Win32Error> {
        let longest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0) as u32;
        self.look(|node| {
            Ok(KeyInfo {
                keys: node.keys.len() as u32,
                key_name_max: longest(&mut node.keys.keys().map(Vec::len)),
                values: node.values.len() as u32,
                value_name_max: longest(&mut node.values.keys().map(Vec::len)),
                data_max: longest(&mut node.values.values().map(|(_, value)| value.data.len())),
            })
        })
    }

    /// Returns the changes that make this key and all below it; `path` is how the key is to be called.
    ///
    /// # Errors
    /// `KEY_DELETED`.
    pub fn describe(&self, path: &[u16]) -> Result<Vec<Change>, Win32Error> {
        self.copy().map(|node| node.describe(path))
    }

    /// Returns a copy of it with all that is below.
    ///
    /// # Errors
    /// `KEY_DELETED`.
    pub fn copy(&self) -> Result<Node, Win32Error> {
        let Some(over) = &self.over else { return self.look(|node| Ok(node.clone())) };
        self.store.read(|root| match (root.find(&self.path), root.find(over)) {
            (Some(below), Some(above)) => Ok(below.with_all_over(above)),
            (Some(only), None) | (None, Some(only)) => Ok(only.clone()),
            (None, None) => Err(Win32Error::KEY_DELETED),
        })
    }
}

/// Copies values and keys into a node.
fn merge(into: &mut Node, from: &Node) {
    for (name, value) in from.values.values() {
        into.set(name, value.clone());
    }
    for below in from.keys.values() {
        let is_volatile = into.is_volatile;
        merge(into.child(&below.name, is_volatile).0, below);
    }
}

/// `ERROR_CHILD_MUST_BE_VOLATILE`.
const CHILD_MUST_BE_VOLATILE: Win32Error = Win32Error(1021);

/// Splits a path into names.
fn relative(path: &[u16]) -> Result<Vec<&[u16]>, Win32Error> {
    if path.first() == Some(&u16::from(b'\\')) {
        return Err(Win32Error::BAD_PATHNAME);
    }
    Ok(names(path).collect())
}

/// Opens the key of a path in capitals.
fn open_path(store: &Arc<Store>, path: &[Vec<u16>]) -> Result<Key, Win32Error> {
    let id = store.read(|root| root.find(path).map(|node| node.id).ok_or(Win32Error::FILE_NOT_FOUND))?;
    Ok(Key { store: Arc::clone(store), path: path.to_vec(), id, over: None })
}

/// Opens a key by its full path.
fn open_in(store: &Arc<Store>, path: &[u16]) -> Result<Arc<Key>, Win32Error> {
    let full = full_path(path).ok_or(Win32Error::FILE_NOT_FOUND)?;
    let upcased: Path = names(&full).map(upcase_string).collect();
    if names(&full).any(|name| equal_ignore_case(name, &wide(TIME_ZONES))) {
        store.want_zones();
    }
    let is_classes = |root: &[u16]| {
        let (long, short, _) = ROOTS[0];
        [long, short].iter().any(|name| equal_ignore_case(&wide(name), root))
    };
    if !names(path).next().is_some_and(is_classes) {
        return open_path(store, &upcased).map(Arc::new);
    }
    let mut classes = open_path(store, &upcased[..CLASSES_DEPTH])?;
    classes.over = Some(names(&wide(USER_CLASSES)).map(upcase_string).collect());
    let classes = Arc::new(classes);
    let rest: Vec<&[u16]> = names(path).skip(1).collect();
    classes.open_names(&rest)
}

/// How many names lead to the machine's classes.
const CLASSES_DEPTH: usize = 3;

/// The whole registry. Nothing is read before something is asked for.
#[derive(Default)]
pub struct Registry {
    store: Arc<Store>,
}

impl Registry {
    /// Makes a registry that is kept in a file; in memory only where there is none.
    pub fn in_file(path: Option<PathBuf>) -> Self {
        Self { store: Arc::new(Store::new(path)) }
    }

    /// Returns the file in which it is kept, if it is.
    pub fn file(&self) -> Option<PathBuf> {
        self.store.file()
    }

    /// Makes the changes of a `.reg` file, all or none.
    ///
    /// # Errors
    /// `FILE_NOT_FOUND` for a root that does not exist.
    pub fn import(&self, changes: &[Change]) -> Result<(), Win32Error> {
        let full = |path: &[u16]| full_path(path).ok_or(Win32Error::FILE_NOT_FOUND);
        let changes: Result<Vec<Change>, Win32Error> = changes
            .iter()
            .map(|change| match change {
                Change::Key(path) => full(path).map(Change::Key),
                Change::DeleteKey(path) => full(path).map(Change::DeleteKey),
                other => Ok(other.clone()),
            })
            .collect();
        let changes = changes?;
        self.store.change(|root| {
            root.apply(&changes);
            Ok(())
        })
    }

    /// Opens a key by its full path, as `HKCU\Software`.
    ///
    /// # Errors
    /// `FILE_NOT_FOUND`.
    pub fn open(&self, path: &[u16]) -> Result<Arc<Key>, Win32Error> {
        open_in(&self.store, path)
    }

    /// Writes the file out to the disk.
    ///
    /// # Errors
    /// `REGISTRY_IO_FAILED`.
    pub fn flush(&self) -> Result<(), Win32Error> {
        self.store.flush()
    }

    /// Returns the key of a predefined handle (`HKEY_LOCAL_MACHINE`), if it is one. The upper half of a 64-bit
    /// handle is the sign of the lower half, or zero.
    pub fn predefined(&self, handle: u64) -> Option<Arc<Key>> {
        let upper = handle >> 32;
        let low = handle as u32;
        if (upper != 0 && upper != 0xffff_ffff) || low & 0xffff_ff00 != 0x8000_0000 {
            return None;
        }
        let (name, ..) = ROOTS.get((low & 0xff) as usize)?;
        let name: Vec<u16> = name.encode_utf16().collect();
        self.open(&name).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Arc<Key> {
        Registry::in_file(None).predefined(0xffff_ffff_8000_0002).expect("HKEY_LOCAL_MACHINE")
    }

    #[test]
    fn names_are_found_in_any_case_and_keep_their_spelling() {
        let key = machine();
        let (made, is_new) = key.create(&wide(r"Software\Vendor\Tool"), false).unwrap();
        assert!(is_new);
        let (again, is_new) = key.create(&wide(r"SOFTWARE\\vendor\TOOL\"), false).unwrap();
        assert!(!is_new && made.id == again.id);
        let software = key.open(&wide("software")).unwrap();
        let names = (0..).map_while(|index| software.key_name(index).ok());
        let names: Vec<String> = names.map(|name| String::from_utf16_lossy(&name)).collect();
        assert_eq!(names, ["Classes", "Microsoft", "Vendor", "Wow6432Node"]);
        assert_eq!(software.key_name(4), Err(Win32Error::NO_MORE_ITEMS));
        assert_eq!(key.open(&wide(r"\Software")).err(), Some(Win32Error::BAD_PATHNAME));
        assert_eq!(key.open(&wide("Nowhere")).err(), Some(Win32Error::FILE_NOT_FOUND));
    }

    #[test]
    fn values_are_set_replaced_and_deleted() {
        let (key, _) = machine().create(&wide("Test"), false).unwrap();
        key.set_value(&wide("Name"), Value::text("one")).unwrap();
        key.set_value(&wide("NAME"), Value::text("three")).unwrap();
        assert_eq!(key.value_at(0), Ok((wide("Name"), Value::text("three"))));
        let info = KeyInfo { values: 1, value_name_max: 4, data_max: 12, ..KeyInfo::default() };
        assert_eq!(key.info(), Ok(info));
        assert_eq!(key.delete_value(&wide("name")), Ok(()));
        assert_eq!(key.value(&wide("name")), Err(Win32Error::FILE_NOT_FOUND));
    }

    #[test]
    fn deleted_keys_say_so_and_parents_are_protected() {
        let key = machine();
        let (inner, _) = key.create(&wide(r"A\B"), false).unwrap();
        assert_eq!(key.delete(&wide("A")), Err(Win32Error::ACCESS_DENIED));
        assert_eq!(key.delete(&wide(r"A\B")), Ok(()));
        assert_eq!(inner.value(&[]), Err(Win32Error::KEY_DELETED));
        assert_eq!(key.delete(&wide("A")), Ok(()));
        assert_eq!(key.delete(&wide("A")), Err(Win32Error::FILE_NOT_FOUND));
    }

    #[test]
    fn well_known_values_are_there() {
        let key = machine().open(&wide(r"SOFTWARE\Microsoft\Windows NT\CurrentVersion")).unwrap();
        assert_eq!(key.value(&wide("currentbuild")), Ok(Value::text("19045")));
    }

    #[test]
    fn only_predefined_handles_are_roots() {
        let registry = Registry::in_file(None);
        let found = [0x8000_0000, 0x8000_0001, 0xffff_ffff_8000_0005, 0x8000_0007, 0x1_8000_0002, 4]
            .map(|handle| registry.predefined(handle).is_some());
        assert_eq!(found, [true, true, true, false, false, false]);
    }

    #[test]
    fn the_users_key_is_his_sids_key() {
        let registry = Registry::in_file(None);
        let mine = registry.open(&wide("HKCU")).unwrap();
        let (made, _) = mine.create(&wide(r"Software\Mine"), false).unwrap();
        made.set_value(&wide("x"), Value::number(1)).unwrap();
        let users = registry.predefined(0x8000_0003).unwrap();
        let by_sid = users.open(&wide(&format!(r"{}\Software\Mine", own_sid()))).unwrap();
        assert_eq!(by_sid.value(&wide("x")), Ok(Value::number(1)));
        let path = wide(&format!(r"HKEY_USERS\{}\Software\Mine", own_sid().to_lowercase()));
        assert!(registry.open(&path).is_ok());
        let listed: Vec<String> = (0..)
            .map_while(|index| users.key_name(index).ok())
            .map(|name| String::from_utf16_lossy(&name))
            .collect();
        assert_eq!(listed, [".DEFAULT", "S-1-5-18", own_sid()]);
    }

    #[test]
    fn the_users_classes_lie_over_the_machines() {
        let registry = Registry::in_file(None);
        let make = |path: &str, text: &str| {
            let (key, _) = registry.open(&wide("HKLM")).unwrap().create(&wide(path), false).unwrap();
            key.set_value(&[], Value::text(text)).unwrap();
        };
        make(r"Software\Classes\.a", "machine");
        make(r"Software\Classes\.b", "machine");
        let mine = registry.open(&wide(r"HKCU\Software\Classes")).unwrap();
        mine.create(&wide(".a"), false).unwrap().0.set_value(&[], Value::text("user")).unwrap();
        mine.create(&wide(r".c\shell"), false).unwrap();
        let classes = registry.predefined(0x8000_0000).unwrap();
        let text = |name: &str| classes.open(&wide(name)).and_then(|key| key.value(&[]));
        assert_eq!(text(".a"), Ok(Value::text("user")));
        assert_eq!(text(".b"), Ok(Value::text("machine")));
        assert!(classes.open(&wide(r".c\shell")).is_ok());
        assert_eq!(classes.info().unwrap().keys, 3);
        // What is there in the user's part is changed there, what is new is the machine's.
        classes.open(&wide(".a")).unwrap().set_value(&wide("n"), Value::number(1)).unwrap();
        assert!(mine.open(&wide(".a")).unwrap().value(&wide("n")).is_ok());
        classes.create(&wide(r".d\x"), false).unwrap();
        assert!(registry.open(&wide(r"HKLM\Software\Classes\.d\x")).is_ok());
        assert_eq!(classes.delete(&wide(".a")), Ok(()));
        assert_eq!(text(".a"), Ok(Value::text("machine")));
        assert_eq!(classes.copy().unwrap().keys.len(), 4);
    }
}
