//! The registry: a tree of keys with values, and the file in which what the user changes is kept.
//! Key types: [`Registry`], [`Key`], [`KeyInfo`].
//!
//! The tree is the well-known keys (`registry_known`) and, on them, the changes in the file (`registry_store`).
//! A [`Key`] is a place in the tree: each call looks it up there, so that it sees what other processes did.

use std::path::PathBuf;
use std::sync::Arc;

use super::object::{Object, ObjectKind};
use super::registry_store::Store;
use super::registry_tree::{Node, Path, names};
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

/// Replaces the root that a path begins with, long or short, by where that is in the tree; nothing for other paths.
pub fn full_path(path: &[u16]) -> Option<Vec<u16>> {
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

impl Key {
    /// Looks at the key, if it is still there.
    fn look<R>(&self, look: impl FnOnce(&Node) -> Result<R, Win32Error>) -> Result<R, Win32Error> {
        self.store.read(|root| {
            let node = root.find(&self.path).filter(|node| node.id == self.id);
            look(node.ok_or(Win32Error::KEY_DELETED)?)
        })
    }

    /// Changes the key, if it is still there. `change` changes nothing when it fails.
    fn change<R>(&self, change: impl FnOnce(&mut Node) -> Result<R, Win32Error>) -> Result<R, Win32Error> {
        self.store.change(|root| {
            let node = root.find_mut(&self.path).filter(|node| node.id == self.id);
            change(node.ok_or(Win32Error::KEY_DELETED)?)
        })
    }

    fn below(&self, path: &[&[u16]], id: u64) -> Arc<Self> {
        let path = self.path.iter().cloned().chain(path.iter().map(|name| upcase_string(name))).collect();
        Arc::new(Self { store: Arc::clone(&self.store), path, id })
    }

    /// Opens the key at `path` below this one.
    ///
    /// # Errors
    /// `FILE_NOT_FOUND`, `KEY_DELETED`, `BAD_PATHNAME` for a path that begins with a backslash.
    pub fn open(self: &Arc<Self>, path: &[u16]) -> Result<Arc<Self>, Win32Error> {
        let path = relative(path)?;
        let way: Path = path.iter().map(|name| upcase_string(name)).collect();
        let id = self.look(|node| node.find(&way).map(|node| node.id).ok_or(Win32Error::FILE_NOT_FOUND))?;
        Ok(self.below(&path, id))
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
        let path = relative(path)?;
        if let Ok(key) = self.open_names(&path) {
            return Ok((key, false));
        }
        // A line break cannot stand in the name of a key in a file.
        let is_bad =
            |name: &&[u16]| name.len() > KEY_NAME_MAX || name.iter().any(|&unit| unit == 10 || unit == 13);
        if path.iter().any(is_bad) {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let (id, is_new) = self.change(|node| {
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
        Ok((self.below(&path, id), is_new))
    }

    fn open_names(self: &Arc<Self>, path: &[&[u16]]) -> Result<Arc<Self>, Win32Error> {
        self.open(&path.join(&u16::from(b'\\')))
    }

    /// Deletes the key at `path`, which must have no keys below it; handles to it stay, but see `KEY_DELETED`.
    ///
    /// # Errors
    /// `FILE_NOT_FOUND`, `ACCESS_DENIED` for a key with keys below it, and as [`Key::open`].
    pub fn delete(self: &Arc<Self>, path: &[u16]) -> Result<(), Win32Error> {
        let path = relative(path)?;
        let Some((last, way)) = path.split_last() else { return self.delete_itself() };
        let parent = self.open_names(way)?;
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
            let parent = root.find_mut(way).ok_or(Win32Error::KEY_DELETED)?;
            let doomed = parent.keys.get(last).filter(|node| node.id == self.id);
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
        self.look(|node| Ok(node.describe(path)))
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
        let full = full_path(path).ok_or(Win32Error::FILE_NOT_FOUND)?;
        let path: Path = names(&full).map(upcase_string).collect();
        let id =
            self.store.read(|root| root.find(&path).map(|node| node.id).ok_or(Win32Error::FILE_NOT_FOUND))?;
        Ok(Arc::new(Key { store: Arc::clone(&self.store), path, id }))
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

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

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
        assert_eq!(names, ["Classes", "Microsoft", "Vendor"]);
        assert_eq!(software.key_name(3), Err(Win32Error::NO_MORE_ITEMS));
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
}
