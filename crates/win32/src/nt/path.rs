//! Paths of the process: current directory, drives, and the look-up of what is really on the disk.
//!
//! Key type: [`FileSystem`], the state that all functions of files share. The rules are in [`crate::logic::path`].

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use plat_host::{directory, environment, file_path};

use super::console::ConsoleState;
use super::file_lock::LockTable;
use super::file_share::ShareTable;
use super::name_cache::NameCache;
use crate::logic::nls::code_page::CodePage;
use crate::logic::path::{self, DirectorySource, Drives, Found, PathContext, Target};
use crate::{NtStatus, Win32Error};

const SLASH: u16 = b'/' as u16;

/// Locks a mutex; a thread that panicked while holding it ended the process, so there is no poison to see.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What all file functions of the process share.
#[derive(Default)]
pub struct FileSystem {
    current: OnceLock<Mutex<Vec<u16>>>,
    drives: OnceLock<Drives>,
    c_is_made: OnceLock<()>,
    ansi: OnceLock<CodePage>,
    oem: OnceLock<CodePage>,
    /// Whether `...A` functions of files take the OEM code page.
    pub uses_oem: AtomicBool,
    /// Who has which file open, and how.
    pub shares: Arc<ShareTable>,
    /// Which byte ranges are locked.
    pub locks: Arc<LockTable>,
    /// The console.
    pub console: ConsoleState,
    /// Names of directories.
    remembered: NameCache,
    /// The handles of standard input, output and error, once somebody asked.
    pub(crate) standard: Mutex<[Option<u64>; 3]>,
}

/// The disk, as the case-insensitive look-up asks for it.
struct Disk<'a>(&'a NameCache);

impl DirectorySource for Disk<'_> {
    fn exists(&self, path: &Path) -> bool {
        file_path::exists(path)
    }
    fn names(&self, directory: &Path) -> Vec<OsString> {
        directory::names(directory).unwrap_or_default()
    }
    fn find_name(&self, directory: &Path, wanted: &OsStr) -> Option<OsString> {
        self.0.find(directory, wanted)
    }
}

impl PathContext for FileSystem {
    fn current_directory(&self) -> Vec<u16> {
        lock(self.current()).clone()
    }
}

impl FileSystem {
    fn current(&self) -> &Mutex<Vec<u16>> {
        self.current.get_or_init(|| {
            let unix = environment::current_directory().unwrap_or_else(|_| PathBuf::from("/"));
            Mutex::new(path::unix_to_win32(&unix, self.drives()))
        })
    }

    /// Returns where the drives lead. `C:\` is a folder of the user's, made when a path first names it.
    pub fn drives(&self) -> &Drives {
        self.drives.get_or_init(|| {
            let c = environment::data_directory().map(|data| data.join("plat/drive_c"));
            Drives { c }
        })
    }

    /// Resolves a Win32 path to a device or to a Unix path in the spelling given.
    ///
    /// # Errors
    /// Those of [`path::resolve`]. Paths may be as long as Linux allows, as with long paths enabled in Windows.
    pub fn resolve(&self, path: &[u16]) -> Result<Target, Win32Error> {
        // Under `\\?\` only a backslash ends the drive's name: `Z:/x` is one name, which no object has.
        if let [_, _, _, _, _, _, SLASH, ..] = path
            && path::form(path) == path::PathForm::Verbatim
        {
            return Err(Win32Error::FILE_NOT_FOUND);
        }
        let target = path::resolve(path, self, self.drives(), false)?;
        if let Target::File { full, .. } = &target
            && full.first().is_some_and(|&letter| letter | 0x20 == u16::from(b'c'))
        {
            self.make_c();
        }
        Ok(target)
    }

    fn make_c(&self) {
        self.c_is_made.get_or_init(|| {
            if let Some(c) = &self.drives().c {
                // Where it cannot be made, the path's own look-up reports what is missing.
                let system = c.join("windows/system32");
                let _ = directory::create_private(&system);
                make_builtins(&system);
            }
        });
    }

    /// Resolves a Win32 path that must name a file or directory, existing or not.
    ///
    /// # Errors
    /// Those of [`FileSystem::resolve`]; `INVALID_NAME` for a device.
    pub fn resolve_file(&self, path: &[u16]) -> Result<PathBuf, Win32Error> {
        match self.resolve(path)? {
            Target::File { unix, .. } => Ok(unix),
            Target::Device(_) => Err(Win32Error::INVALID_NAME),
        }
    }

    /// Finds what a Unix path in any case names on the disk.
    pub fn find(&self, unix: &Path) -> Found {
        path::find(unix, &Disk(&self.remembered))
    }

    /// Finds an existing file or directory in the spelling on the disk.
    ///
    /// # Errors
    /// `OBJECT_NAME_NOT_FOUND` when only the last name is missing, else `OBJECT_PATH_NOT_FOUND`.
    pub fn find_existing(&self, unix: &Path) -> Result<PathBuf, NtStatus> {
        match self.find(unix) {
            Found::Exists(path) => Ok(path),
            Found::NameMissing(path) => Err(missing_status(&path)),
            Found::DirectoryMissing(_) => Err(NtStatus::OBJECT_PATH_NOT_FOUND),
        }
    }

    /// Resolves a Win32 path and finds it on the disk.
    ///
    /// # Errors
    /// Those of [`FileSystem::resolve_file`] and [`FileSystem::find_existing`], as Win32 errors.
    pub fn locate(&self, path: &[u16]) -> Result<PathBuf, Win32Error> {
        Ok(self.find_existing(&self.resolve_file(path)?)?)
    }

    /// Returns the full path (`GetFullPathNameW`).
    ///
    /// # Errors
    /// `INVALID_NAME` for an empty path.
    pub fn full_path(&self, path: &[u16]) -> Result<Vec<u16>, Win32Error> {
        path::full_path(path, self)
    }

    /// Returns the Win32 path of a Unix path.
    pub fn win32_path(&self, unix: &Path) -> Vec<u16> {
        path::unix_to_win32(unix, self.drives())
    }

    /// Changes the current directory.
    ///
    /// # Errors
    /// `FILE_NOT_FOUND`, `PATH_NOT_FOUND`, `DIRECTORY` when it is a file.
    pub fn set_current_directory(&self, path: &[u16]) -> Result<(), Win32Error> {
        let Target::File { mut full, unix, .. } = self.resolve(path)? else {
            return Err(Win32Error::INVALID_NAME);
        };
        let found = self.find_existing(&unix)?;
        let status = file_path::Status::of_path(&found, true).map_err(status_of)?;
        if status.kind != file_path::Kind::Directory {
            return Err(Win32Error::DIRECTORY);
        }
        // Children of the process begin where it stands.
        environment::set_current_directory(&found).map_err(status_of)?;
        while full.len() > 3 && full.last() == Some(&u16::from(b'\\')) {
            full.pop();
        }
        *lock(self.current()) = full;
        Ok(())
    }

    /// Returns the code page that `...A` functions of files take.
    pub fn code_page(&self) -> &CodePage {
        let page =
            |number| move || CodePage::new(number, super::nls::default_pages()).unwrap_or(CodePage::Utf8);
        if self.uses_oem.load(Ordering::Relaxed) {
            self.oem.get_or_init(page(1))
        } else {
            self.ansi.get_or_init(page(0))
        }
    }

    /// Converts text of a `...A` function to UTF-16; bytes without a character become `?`.
    pub fn widen(&self, text: &[u8]) -> Vec<u16> {
        self.code_page().decode(text, 0).unwrap_or_default()
    }

    /// Converts UTF-16 to text of a `...A` function; characters without a byte become `?`.
    pub fn narrow(&self, text: &[u16]) -> Vec<u8> {
        self.code_page().encode(text, 0, None, false).map(|encoded| encoded.bytes).unwrap_or_default()
    }
}

/// Makes the files that stand for the builtin programs, where there are none yet.
fn make_builtins(system: &Path) {
    use crate::cmd::tools::{NEWEST_FILE, file_names};
    make_builtin(&system.join("cmd.exe"));
    if !file_path::exists(&system.join(NEWEST_FILE)) {
        // The newest is made last: where it is, all are.
        for name in file_names().filter(|name| name != NEWEST_FILE).chain([NEWEST_FILE.to_owned()]) {
            make_builtin(&system.join(name));
        }
    }
}

/// Makes the file that stands for a builtin program.
fn make_builtin(path: &Path) {
    use plat_host::file::{File, Open};
    if file_path::exists(path) {
        return;
    }
    let how = Open { write: true, create: true, exclusive: true, mode: 0o755, ..Open::default() };
    if let Ok(file) = File::open(path, how) {
        // Without it programs do not find the interpreter, and say so.
        let _ = file.write(&crate::logic::program_search::interpreter_file(), None);
    }
}

/// Returns the current directory as a full Windows path.
pub(crate) fn current(files: &FileSystem) -> Vec<u16> {
    files.current_directory()
}

/// Translates an errno of the host.
pub(crate) fn status_of(errno: file_path::Errno) -> NtStatus {
    match errno {
        // Some directory on the way is a file.
        file_path::Errno::NOT_A_DIRECTORY => NtStatus::OBJECT_PATH_NOT_FOUND,
        file_path::Errno(number) => NtStatus::from_errno(number),
    }
}

/// The last name is missing: is its directory one?
fn missing_status(path: &Path) -> NtStatus {
    let parent = path.parent().unwrap_or(Path::new("/"));
    match file_path::Status::of_path(parent, true) {
        Ok(status) if status.kind == file_path::Kind::Directory => NtStatus::OBJECT_NAME_NOT_FOUND,
        _ => NtStatus::OBJECT_PATH_NOT_FOUND,
    }
}
