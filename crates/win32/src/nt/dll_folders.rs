//! Which folders are searched for a DLL: what the program said with `SetDllDirectory`, `AddDllDirectory` and
//! `SetDefaultDllDirectories`, and with the flags of one load. Key types: [`DllFolders`], [`SearchPlan`].
//!
//! Source: <https://learn.microsoft.com/windows/win32/dlls/dynamic-link-library-search-order>

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::Win32Error;

/// `LOAD_WITH_ALTERED_SEARCH_PATH`.
pub const ALTERED_PATH: u32 = 0x8;
/// `LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR`.
pub const OWN_FOLDER: u32 = 0x100;
/// `LOAD_LIBRARY_SEARCH_APPLICATION_DIR`.
pub const PROGRAM_FOLDER: u32 = 0x200;
/// `LOAD_LIBRARY_SEARCH_USER_DIRS`.
pub const USER_FOLDERS: u32 = 0x400;
/// `LOAD_LIBRARY_SEARCH_SYSTEM32`.
pub const SYSTEM: u32 = 0x800;
/// `LOAD_LIBRARY_SEARCH_DEFAULT_DIRS`.
pub const DEFAULT: u32 = 0x1000;
/// All flags that name folders.
const SEARCH: u32 = OWN_FOLDER | PROGRAM_FOLDER | USER_FOLDERS | SYSTEM | DEFAULT;

/// The folders of one load, in the order in which they are searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchPlan {
    /// The folder of the DLL itself, before all others.
    pub own: Option<Vec<u16>>,
    /// Whether the program's folder is searched.
    pub program: bool,
    /// Folders that the program added.
    pub users: Vec<Vec<u16>>,
    /// Whether the system's DLLs are found.
    pub system: bool,
    /// Whether the current directory is searched.
    pub current: bool,
    /// Whether the folders of `PATH` are searched.
    pub variable: bool,
}

impl Default for SearchPlan {
    /// The standard order.
    fn default() -> Self {
        Self { own: None, program: true, users: Vec::new(), system: true, current: true, variable: true }
    }
}

#[derive(Debug, Default)]
struct State {
    /// What `SetDllDirectory` set: an empty text takes the current directory out of the search.
    set: Option<Vec<u16>>,
    /// What `AddDllDirectory` added, by its cookie.
    added: Vec<(u64, Vec<u16>)>,
    cookies: u64,
    /// What `SetDefaultDllDirectories` set.
    default: u32,
}

/// What the program said about all loads.
#[derive(Debug, Default)]
pub struct DllFolders {
    state: Mutex<State>,
}

impl DllFolders {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the folder that stands in the place of the current directory; `None` goes back to the standard.
    pub fn set(&self, folder: Option<Vec<u16>>) {
        self.state().set = folder;
    }

    /// Returns the folder that was set, if one was.
    pub fn get(&self) -> Option<Vec<u16>> {
        self.state().set.clone()
    }

    /// Adds a folder; returns the cookie that takes it away again.
    pub fn add(&self, folder: Vec<u16>) -> u64 {
        let mut state = self.state();
        state.cookies += 1;
        let cookie = state.cookies;
        state.added.push((cookie, folder));
        cookie
    }

    /// Takes an added folder away; says whether it was there.
    pub fn remove(&self, cookie: u64) -> bool {
        let mut state = self.state();
        let before = state.added.len();
        state.added.retain(|(other, _)| *other != cookie);
        state.added.len() != before
    }

    /// Sets what loads without flags of their own search.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for no flags, others, or that of the DLL's own folder.
    pub fn set_default(&self, flags: u32) -> Result<(), Win32Error> {
        if flags == 0 || flags & !(SEARCH & !OWN_FOLDER) != 0 {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        self.state().default = flags;
        Ok(())
    }

    /// Returns what a load with `flags` searches; `own` is the folder of a DLL that is named by its full path.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for flags that exclude each other, or that want the DLL's own folder where there is none.
    pub fn plan(&self, flags: u32, own: Option<Vec<u16>>) -> Result<SearchPlan, Win32Error> {
        let named = flags & SEARCH;
        let altered = flags & ALTERED_PATH != 0;
        if altered && named != 0 || named & OWN_FOLDER != 0 && own.is_none() {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let state = self.state();
        let wanted = if named != 0 || altered { named } else { state.default };
        let set = state.set.clone().filter(|folder| !folder.is_empty());
        if wanted == 0 {
            return Ok(SearchPlan {
                program: !altered || own.is_none(),
                own: own.filter(|_| altered),
                users: set.into_iter().collect(),
                current: state.set.is_none(),
                ..SearchPlan::default()
            });
        }
        let has = |flag| wanted & (flag | DEFAULT) != 0;
        let added = state.added.iter().rev().map(|(_, folder)| folder.clone());
        let users = if has(USER_FOLDERS) { added.chain(set).collect() } else { Vec::new() };
        Ok(SearchPlan {
            own: own.filter(|_| wanted & OWN_FOLDER != 0),
            program: has(PROGRAM_FOLDER),
            users,
            system: has(SYSTEM),
            current: false,
            variable: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn a_folder_that_is_set_takes_the_place_of_the_current_directory() {
        let folders = DllFolders::default();
        folders.set(Some(wide("x")));
        let plan = folders.plan(0, None).expect("a plan");
        assert_eq!(
            (plan.users.as_slice(), plan.current, plan.variable),
            ([wide("x")].as_slice(), false, true)
        );
        folders.set(Some(Vec::new()));
        let plan = folders.plan(0, None).expect("a plan");
        assert_eq!((plan.users.len(), plan.current), (0, false));
        folders.set(None);
        assert_eq!(folders.plan(0, None), Ok(SearchPlan::default()));
    }

    #[test]
    fn flags_name_folders_and_exclude_the_rest() {
        let folders = DllFolders::default();
        let cookie = folders.add(wide("a"));
        folders.add(wide("b"));
        let plan = folders.plan(USER_FOLDERS, None).expect("a plan");
        assert_eq!(plan.users, [wide("b"), wide("a")]);
        assert!(!plan.program && !plan.system && !plan.variable);
        assert!(folders.remove(cookie) && !folders.remove(cookie));
        let plan = folders.plan(DEFAULT | OWN_FOLDER, Some(wide("own"))).expect("a plan");
        assert_eq!((plan.own, plan.users.len()), (Some(wide("own")), 1));
        assert!(plan.program && plan.system && !plan.current);
    }

    #[test]
    fn wrong_flags_are_refused() {
        let folders = DllFolders::default();
        assert_eq!(folders.plan(ALTERED_PATH | SYSTEM, Some(wide("x"))), Err(Win32Error::INVALID_PARAMETER));
        assert_eq!(folders.plan(OWN_FOLDER, None), Err(Win32Error::INVALID_PARAMETER));
        assert_eq!(folders.set_default(OWN_FOLDER), Err(Win32Error::INVALID_PARAMETER));
        assert_eq!(folders.set_default(0), Err(Win32Error::INVALID_PARAMETER));
    }

    #[test]
    fn loads_without_flags_take_the_default() {
        let folders = DllFolders::default();
        folders.set_default(DEFAULT).expect("good flags");
        assert!(!folders.plan(0, None).expect("a plan").current);
        let altered = folders.plan(ALTERED_PATH, Some(wide("own"))).expect("a plan");
        assert!(altered.current && !altered.program && altered.own.is_some());
    }
}
