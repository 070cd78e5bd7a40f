//! The registry: a tree of keys with values, in memory only. Key types: [`Registry`], [`Key`], [`Value`].
//!
//! Nothing is kept after the process: each starts with the keys of `WELL_KNOWN`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::object::{Object, ObjectKind};
use crate::Win32Error;
use crate::logic::nls::case::upcase_string;

/// `REG_SZ`.
pub const REG_SZ: u32 = 1;
/// `REG_EXPAND_SZ`.
pub const REG_EXPAND_SZ: u32 = 2;
/// `REG_BINARY`.
pub const REG_BINARY: u32 = 3;
/// `REG_DWORD`.
pub const REG_DWORD: u32 = 4;
/// `REG_MULTI_SZ`.
pub const REG_MULTI_SZ: u32 = 7;
/// `REG_QWORD`.
pub const REG_QWORD: u32 = 11;

/// The longest name of a key in units.
const KEY_NAME_MAX: usize = 255;
/// The longest name of a value in units.
const VALUE_NAME_MAX: usize = 16383;

const CURRENT_VERSION: &str = r"MACHINE\Software\Microsoft\Windows NT\CurrentVersion";
const SYSTEM_ENVIRONMENT: &str = r"MACHINE\System\CurrentControlSet\Control\Session Manager\Environment";
const PROCESSOR: &str = r"MACHINE\Hardware\Description\System\CentralProcessor\0";

/// What a well-known value holds.
#[derive(Clone, Copy, Debug)]
enum Known {
    Text(&'static str),
    Number(u32),
}

/// The keys and values that programs ask for: key, name, value. They say what plat's version functions say.
const WELL_KNOWN: &[(&str, &str, Known)] = &[
    (CURRENT_VERSION, "ProductName", Known::Text("Windows 10 Pro")),
    (CURRENT_VERSION, "CurrentVersion", Known::Text("6.3")),
    (CURRENT_VERSION, "CurrentBuild", Known::Text("19045")),
    (CURRENT_VERSION, "CurrentBuildNumber", Known::Text("19045")),
    (CURRENT_VERSION, "CurrentMajorVersionNumber", Known::Number(10)),
    (CURRENT_VERSION, "CurrentMinorVersionNumber", Known::Number(0)),
    (CURRENT_VERSION, "SystemRoot", Known::Text(r"C:\Windows")),
    (SYSTEM_ENVIRONMENT, "OS", Known::Text("Windows_NT")),
    (PROCESSOR, "Identifier", Known::Text("Intel64 Family 6")),
    (r"MACHINE\System\CurrentControlSet\Control\FileSystem", "LongPathsEnabled", Known::Number(1)),
    (r"MACHINE\System\CurrentControlSet\Control\Nls\CodePage", "ACP", Known::Text("1252")),
    (r"MACHINE\System\CurrentControlSet\Control\Nls\CodePage", "OEMCP", Known::Text("437")),
    (r"USER\Software", "", Known::Text("")),
    (r"USER\Control Panel\International", "LocaleName", Known::Text("en-US")),
    (r"CLASSES", "", Known::Text("")),
    (r"USERS", "", Known::Text("")),
    (r"CONFIG", "", Known::Text("")),
];

/// A value's type and bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Value {
    /// `REG_SZ` and so on.
    pub kind: u32,
    /// Its bytes; texts are UTF-16, usually with their zero.
    pub data: Vec<u8>,
}

impl Value {
    /// Makes a text with its zero.
    pub fn text(text: &str) -> Self {
        let data = text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
        Self { kind: REG_SZ, data }
    }

    /// Says whether the bytes are UTF-16.
    pub fn is_text(&self) -> bool {
        matches!(self.kind, REG_SZ | REG_EXPAND_SZ | REG_MULTI_SZ)
    }
}

/// A key; handles share it.
#[derive(Default)]
pub struct Key {
    state: Mutex<State>,
}

/// Names as upper-cased, which is their order, with the spelling that they were made with.
#[derive(Default)]
struct State {
    keys: BTreeMap<Vec<u16>, (Vec<u16>, Arc<Key>)>,
    values: BTreeMap<Vec<u16>, (Vec<u16>, Value)>,
    is_deleted: bool,
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
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks a key that is still there.
    fn live(&self) -> Result<MutexGuard<'_, State>, Win32Error> {
        let state = self.lock();
        if state.is_deleted { Err(Win32Error::KEY_DELETED) } else { Ok(state) }
    }

    fn child(&self, name: &[u16]) -> Result<Option<Arc<Self>>, Win32Error> {
        Ok(self.live()?.keys.get(&upcase_string(name)).map(|(_, key)| Arc::clone(key)))
    }

    /// Opens the key at `path` below this one.
    ///
    /// # Errors
    /// `FILE_NOT_FOUND`, `KEY_DELETED`, `BAD_PATHNAME` for a path that begins with a backslash.
    pub fn open(self: &Arc<Self>, path: &[u16]) -> Result<Arc<Self>, Win32Error> {
        let mut key = Arc::clone(self);
        for name in names(path)? {
            key = key.child(name)?.ok_or(Win32Error::FILE_NOT_FOUND)?;
        }
        Ok(key)
    }

    /// Opens or makes the key at `path` with all keys on the way; says whether the last one is new.
    ///
    /// # Errors
    /// `KEY_DELETED`, `BAD_PATHNAME`, `INVALID_PARAMETER` for a name that is too long.
    pub fn create(self: &Arc<Self>, path: &[u16]) -> Result<(Arc<Self>, bool), Win32Error> {
        let mut key = Arc::clone(self);
        let mut is_new = false;
        for name in names(path)? {
            if name.len() > KEY_NAME_MAX {
                return Err(Win32Error::INVALID_PARAMETER);
            }
            let mut state = key.live()?;
            let before = state.keys.len();
            let (_, child) =
                state.keys.entry(upcase_string(name)).or_insert_with(|| (name.to_vec(), Arc::default()));
            let child = Arc::clone(child);
            is_new = state.keys.len() > before;
            drop(state);
            key = child;
        }
        Ok((key, is_new))
    }

    /// Deletes the key at `path`, which must have no keys below it; handles to it stay, but see `KEY_DELETED`.
    ///
    /// # Errors
    /// `FILE_NOT_FOUND`, `ACCESS_DENIED` for a key with keys below it, and as [`Key::open`].
    pub fn delete(self: &Arc<Self>, path: &[u16]) -> Result<(), Win32Error> {
        let path = names(path)?;
        let (last, way) = path.split_last().ok_or(Win32Error::INVALID_PARAMETER)?;
        let parent = self.open(&way.join(&u16::from(b'\\')))?;
        let mut state = parent.live()?;
        let name = upcase_string(last);
        let (_, key) = state.keys.get(&name).ok_or(Win32Error::FILE_NOT_FOUND)?;
        let mut doomed = key.lock();
        if !doomed.keys.is_empty() {
            return Err(Win32Error::ACCESS_DENIED);
        }
        doomed.is_deleted = true;
        drop(doomed);
        state.keys.remove(&name);
        Ok(())
    }

    /// Deletes all keys and values below this one.
    pub fn clear(&self) {
        let mut state = self.lock();
        state.values.clear();
        let keys = std::mem::take(&mut state.keys);
        drop(state);
        for (_, key) in keys.values() {
            key.clear();
            key.lock().is_deleted = true;
        }
    }

    /// Returns a value by name; the empty name is the default value.
    ///
    /// # Errors
    /// `FILE_NOT_FOUND`, `KEY_DELETED`.
    pub fn value(&self, name: &[u16]) -> Result<Value, Win32Error> {
        let state = self.live()?;
        let found = state.values.get(&upcase_string(name));
        found.map(|(_, value)| value.clone()).ok_or(Win32Error::FILE_NOT_FOUND)
    }

    /// Sets a value.
    ///
    /// # Errors
    /// `KEY_DELETED`, `INVALID_PARAMETER` for a name that is too long.
    pub fn set_value(&self, name: &[u16], value: Value) -> Result<(), Win32Error> {
        if name.len() > VALUE_NAME_MAX {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let mut state = self.live()?;
        // A value that was there keeps the spelling of its name.
        state.values.entry(upcase_string(name)).or_insert_with(|| (name.to_vec(), Value::default())).1 =
            value;
        Ok(())
    }

    /// Deletes a value.
    ///
    /// # Errors
    /// `FILE_NOT_FOUND`, `KEY_DELETED`.
    pub fn delete_value(&self, name: &[u16]) -> Result<(), Win32Error> {
        let removed = self.live()?.values.remove(&upcase_string(name));
        removed.map(drop).ok_or(Win32Error::FILE_NOT_FOUND)
    }

    /// Returns the name of the key below at `index`.
    ///
    /// # Errors
    /// `NO_MORE_ITEMS`, `KEY_DELETED`.
    pub fn key_name(&self, index: u32) -> Result<Vec<u16>, Win32Error> {
        let state = self.live()?;
        let found = state.keys.values().nth(index as usize);
        found.map(|(name, _)| name.clone()).ok_or(Win32Error::NO_MORE_ITEMS)
    }

    /// Returns name and content of the value at `index`.
    ///
    /// # Errors
    /// `NO_MORE_ITEMS`, `KEY_DELETED`.
    pub fn value_at(&self, index: u32) -> Result<(Vec<u16>, Value), Win32Error> {
        let state = self.live()?;
        state.values.values().nth(index as usize).cloned().ok_or(Win32Error::NO_MORE_ITEMS)
    }

    /// Returns counts and longest names.
    ///
    /// # Errors
    /// `KEY_DELETED`.
    pub fn info(&self) -> Result<KeyInfo, Win32Error> {
        let state = self.live()?;
        let longest = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or(0) as u32;
        Ok(KeyInfo {
            keys: state.keys.len() as u32,
            key_name_max: longest(&mut state.keys.keys().map(Vec::len)),
            values: state.values.len() as u32,
            value_name_max: longest(&mut state.values.keys().map(Vec::len)),
            data_max: longest(&mut state.values.values().map(|(_, value)| value.data.len())),
        })
    }
}

/// Splits a path into names; doubled and trailing backslashes count for nothing.
fn names(path: &[u16]) -> Result<Vec<&[u16]>, Win32Error> {
    if path.first() == Some(&u16::from(b'\\')) {
        return Err(Win32Error::BAD_PATHNAME);
    }
    Ok(path.split(|&unit| unit == u16::from(b'\\')).filter(|name| !name.is_empty()).collect())
}

/// The predefined keys, by the low byte of their handles.
const ROOTS: [&str; 7] = [
    "CLASSES",
    "USER",
    "MACHINE",
    "USERS", // HKEY_PERFORMANCE_DATA has no keys.
    "PERFORMANCE",
    "CONFIG",
    "DYNAMIC",
];

/// The whole registry.
pub struct Registry {
    root: Arc<Key>,
}

impl Default for Registry {
    fn default() -> Self {
        let root = Arc::<Key>::default();
        for (path, name, known) in WELL_KNOWN {
            let wide: Vec<u16> = path.encode_utf16().collect();
            let Ok((key, _)) = root.create(&wide) else { continue };
            let value = match known {
                Known::Text("") => continue,
                Known::Text(text) => Value::text(text),
                Known::Number(number) => Value { kind: REG_DWORD, data: number.to_le_bytes().to_vec() },
            };
            let name: Vec<u16> = name.encode_utf16().collect();
            key.set_value(&name, value).expect("the key was just made and the name is short");
        }
        Self { root }
    }
}

impl Registry {
    /// Returns the key of a predefined handle (`HKEY_LOCAL_MACHINE`), if it is one. The upper half of a 64-bit
    /// handle is the sign of the lower half, or zero.
    pub fn predefined(&self, handle: u64) -> Option<Arc<Key>> {
        let upper = handle >> 32;
        let low = handle as u32;
        if (upper != 0 && upper != 0xffff_ffff) || low & 0xffff_ff00 != 0x8000_0000 {
            return None;
        }
        let name: Vec<u16> = ROOTS.get((low & 0xff) as usize)?.encode_utf16().collect();
        self.root.create(&name).ok().map(|(key, _)| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn machine() -> Arc<Key> {
        Registry::default().predefined(0xffff_ffff_8000_0002).expect("HKEY_LOCAL_MACHINE")
    }

    #[test]
    fn names_are_found_in_any_case_and_keep_their_spelling() {
        let key = machine();
        let (made, is_new) = key.create(&wide(r"Software\Vendor\Tool")).unwrap();
        assert!(is_new);
        let (again, is_new) = key.create(&wide(r"SOFTWARE\\vendor\TOOL\")).unwrap();
        assert!(!is_new && Arc::ptr_eq(&made, &again));
        let software = key.open(&wide("software")).unwrap();
        assert_eq!(software.key_name(0), Ok(wide("Microsoft")));
        assert_eq!(software.key_name(1), Ok(wide("Vendor")));
        assert_eq!(software.key_name(2), Err(Win32Error::NO_MORE_ITEMS));
        assert_eq!(key.open(&wide(r"\Software")).err(), Some(Win32Error::BAD_PATHNAME));
        assert_eq!(key.open(&wide("Nowhere")).err(), Some(Win32Error::FILE_NOT_FOUND));
    }

    #[test]
    fn values_are_set_replaced_and_deleted() {
        let (key, _) = machine().create(&wide("Test")).unwrap();
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
        let (inner, _) = key.create(&wide(r"A\B")).unwrap();
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
        let registry = Registry::default();
        let found = [0x8000_0000, 0x8000_0001, 0xffff_ffff_8000_0005, 0x8000_0007, 0x1_8000_0002, 4]
            .map(|handle| registry.predefined(handle).is_some());
        assert_eq!(found, [true, true, true, false, false, false]);
    }
}
