//! The module graph: loads an image with all that it needs, binds its imports, and notes the order of initialisation.
//!
//! Key type: [`Graph`]. An import that nothing provides becomes a thunk that names itself when it is called.

mod binding;

use std::path::Path;
use std::sync::Arc;

use plat_abi::Machine;
use plat_host::file_image::FileImage;
use plat_host::memory;
use plat_image::pe::{SectionFlags, TlsDirectory};
use plat_image::{FileKind, PeImage, classify};
use plat_win32::export::Dll;
use plat_win32::nt::dll_folders::SearchPlan;
use plat_win32::process::{Module, Process};

use crate::api_sets;
use crate::builtin::{Builtin, Entrance};
use crate::error::LoadError;
use crate::place::{Placed, place};
use crate::references::Wanted;
use crate::search::{Found, Search, normal_name};

/// Where an image's bytes are.
#[derive(Debug)]
pub(crate) enum ImageBytes {
    /// In a file.
    File(FileImage),
    /// In plat itself.
    Builtin(Builtin),
}

impl std::ops::Deref for ImageBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::File(file) => file,
            Self::Builtin(builtin) => builtin.image(),
        }
    }
}

/// One loaded module with what the loader needs to know about it.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// What the rest of plat sees.
    pub(crate) module: Module,
    /// The image: a file's bytes, or mapped layout for a builtin. Shared, because binding one module reads others.
    pub(crate) bytes: Arc<ImageBytes>,
    /// How often it was asked for; the program and static imports never reach zero.
    pub(crate) references: u32,
    /// Whether it may never be unloaded.
    pub(crate) pinned: bool,
    /// Whether its last reference was given up: it is being told so.
    pub(crate) is_ending: bool,
    /// Bases of the modules it imports from.
    pub(crate) needs: Vec<u64>,
    /// Its static thread-local data.
    pub(crate) tls: Option<TlsDirectory>,
    /// Its index among the modules with static thread-local data.
    pub(crate) tls_index: u32,
    /// Whether its entry point was called for process attach.
    pub(crate) attached: Attached,
    /// Address of its entry in the guest's module lists.
    pub(crate) ldr_entry: u64,
}

impl Loaded {
    /// Parses the image again: borrowed views are not kept.
    ///
    /// # Errors
    /// Only for a directory that was not looked at when the module was loaded.
    pub(crate) fn image(&self) -> Result<PeImage<'_>, plat_image::ImageError> {
        if self.module.is_builtin {
            PeImage::parse_mapped(&self.module.name, &self.bytes)
        } else {
            PeImage::parse(&self.module.name, &self.bytes)
        }
    }
}

/// All modules of the process.
pub(crate) struct Graph {
    process: &'static Process,
    search: Search,
    entrance: Entrance,
    /// Modules in load order.
    pub(crate) loaded: Vec<Loaded>,
    /// Bases in the order of initialisation: what a module needs comes before it.
    pub(crate) order: Vec<u64>,
    next_tls_index: u32,
    /// Page of thunks for missing imports: next free address and end.
    thunks: (u64, u64),
    /// DLLs that are nowhere, each behind a module that imports from it.
    missing: Vec<(String, String)>,
}

/// How far a module is initialised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attached {
    No,
    /// Its entry point was called, and has perhaps not returned.
    Begun,
    /// Its entry point said that it cannot begin.
    Refused,
    Wholly,
}

/// What becomes of a DLL's imports and its `DllMain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum References {
    /// Imports are bound, and it is initialised.
    Resolve,
    /// It is mapped and relocated, no more.
    Leave,
}

impl Graph {
    pub(crate) fn new(process: &'static Process, search: Search, entrance: Entrance) -> Self {
        Self {
            process,
            search,
            entrance,
            loaded: Vec::new(),
            order: Vec::new(),
            next_tls_index: 0,
            thunks: (0, 0),
            missing: Vec::new(),
        }
    }

    /// Returns the DLLs that are nowhere, each behind a module that imports from it.
    pub(crate) fn missing_dlls(&self) -> &[(String, String)] {
        &self.missing
    }

    /// Loads the program itself and everything it imports; returns its base.
    ///
    /// # Errors
    /// [`LoadError`] when an image is damaged or fits nowhere.
    pub(crate) fn load_program(&mut self, path: &Path, bytes: ImageBytes) -> Result<u64, LoadError> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let base = self.add_file(&name, path, bytes, true)?;
        // Every process has these two, imported or not.
        self.ensure("ntdll.dll", &name)?;
        self.ensure("kernel32.dll", &name)?;
        self.complete(base)?;
        Ok(base)
    }

    /// Loads a DLL by name or path; returns its base and whether it is new. Without its references, its imports stay
    /// unbound and it is never initialised.
    ///
    /// # Errors
    /// [`LoadError`] when it is nowhere, damaged, or fits nowhere.
    pub(crate) fn load(&mut self, wanted: &Wanted<'_>) -> Result<(u64, bool), LoadError> {
        self.search.follow(wanted.plan.clone());
        let outcome = self.load_planned(wanted.name, wanted.path.as_deref(), wanted.references);
        self.search.follow(SearchPlan::default());
        outcome
    }

    fn load_planned(
        &mut self,
        name: &str,
        path: Option<&Path>,
        references: References,
    ) -> Result<(u64, bool), LoadError> {
        let already = match path {
            Some(path) => self.by_path(path).or_else(|| self.builtin_by_name(name)),
            None => self.by_name(name),
        };
        if let Some(index) = already {
            self.loaded[index].references = self.loaded[index].references.saturating_add(1);
            return Ok((self.loaded[index].module.base, false));
        }
        let base = match path {
            Some(path) => {
                let bytes = read(path)?;
                self.add_file(&normal_name(name), path, bytes, false)?
            }
            None => match self.search.find(Some(self.process), api_sets::resolve(name, &normal_name(name))) {
                Some(Found::Builtin(dll)) => self.add_builtin(dll)?,
                Some(Found::File(path)) => {
                    let bytes = read(&path)?;
                    self.add_file(&normal_name(name), &path, bytes, false)?
                }
                None => return Err(self.not_found(name, "the program")),
            },
        };
        match references {
            References::Resolve => self.complete(base)?,
            References::Leave => self.protect(base)?,
        }
        Ok((base, true))
    }

    /// Protects the pages of a module whose imports stay unbound.
    fn protect(&self, base: u64) -> Result<(), LoadError> {
        let loaded = &self.loaded[self.index_of(base)];
        if loaded.module.is_builtin {
            return Ok(());
        }
        crate::place::protect(self.process, &loaded.image()?, base)
    }

    /// Finds a loaded module by its file name.
    pub(crate) fn by_name(&self, name: &str) -> Option<usize> {
        let name = api_sets::host(&normal_name(name)).to_owned();
        self.loaded.iter().position(|loaded| loaded.module.name.eq_ignore_ascii_case(&name))
    }

    /// Finds a loaded builtin DLL: it stands for every file of its name.
    fn builtin_by_name(&self, name: &str) -> Option<usize> {
        self.by_name(name).filter(|&index| self.loaded[index].module.is_builtin)
    }

    /// Finds the module of a file: files of one name in several folders are several modules.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-loadlibraryexw>
    fn by_path(&self, path: &Path) -> Option<usize> {
        let of = |path: &Path| {
            let windows = to_windows_path(path);
            self.loaded.iter().position(|loaded| loaded.module.path == windows)
        };
        // The same file may have been found by a link or with `..` in its path.
        of(path).or_else(|| of(&std::fs::canonicalize(path).ok()?))
    }

    /// Finds the module in which an address lies.
    pub(crate) fn at(&self, address: u64) -> Option<usize> {
        self.loaded.iter().position(|loaded| {
            let module = &loaded.module;
            (module.base..module.base + module.size).contains(&address)
        })
    }

    /// Loads a DLL that `needed_by` imports, unless it is there; `None` when it is nowhere.
    fn ensure(&mut self, name: &str, needed_by: &str) -> Result<Option<u64>, LoadError> {
        let normal = normal_name(name);
        let host = api_sets::host(&normal);
        if let Some(index) = self.by_name(host) {
            self.loaded[index].references = self.loaded[index].references.saturating_add(1);
            return Ok(Some(self.loaded[index].module.base));
        }
        match self.search.find(Some(self.process), host) {
            Some(Found::Builtin(dll)) => self.add_builtin(dll).map(Some),
            Some(Found::File(path)) => {
                let bytes = read(&path)?;
                self.add_file(&normal, &path, bytes, false).map(Some)
            }
            None => {
                self.trace(&format!(
                    "{needed_by} needs {name}, which is nowhere: its functions name themselves"
                ));
                self.missing.push((needed_by.to_owned(), name.to_owned()));
                Ok(None)
            }
        }
    }

    /// Places a builtin DLL, after the one that keeps its state. It imports nothing.
    fn add_builtin(&mut self, dll: &'static Dll) -> Result<u64, LoadError> {
        if let Some(companion) = plat_win32::companion(dll.name) {
            self.ensure(companion, dll.name)?;
        }
        let builtin = Builtin::new(dll, self.process.machine);
        let image = PeImage::parse_mapped(dll.name, builtin.image())?;
        let placed = place(self.process, &image, dll.name, true)?;
        for (rva, bytes) in builtin.changes(self.entrance) {
            memory::write(placed.base + u64::from(rva), &bytes).expect("the image was just copied there");
        }
        for (name, rva) in builtin.places() {
            self.process.add_data(dll.name, name, placed.base + u64::from(rva));
        }
        let mut path: Vec<u16> = r"C:\windows\system32\".encode_utf16().collect();
        path.extend(dll.name.encode_utf16());
        let module = describe(&image, dll.name, path, &placed, true, false);
        crate::place::protect(self.process, &image, placed.base)?;
        self.add(module, ImageBytes::Builtin(builtin), &placed, None, true);
        Ok(placed.base)
    }

    fn add_file(
        &mut self,
        name: &str,
        path: &Path,
        bytes: ImageBytes,
        is_program: bool,
    ) -> Result<u64, LoadError> {
        let image = parse_for(self.process.machine, path, &bytes, is_program)?;
        let placed = place(self.process, &image, name, false)?;
        let module = describe(&image, name, to_windows_path(path), &placed, false, is_program);
        let tls = image.tls()?;
        self.add(module, bytes, &placed, tls, is_program);
        Ok(placed.base)
    }

    fn add(
        &mut self,
        module: Module,
        bytes: ImageBytes,
        placed: &Placed,
        tls: Option<TlsDirectory>,
        pinned: bool,
    ) {
        self.trace(&format!("{} at {:#x}: {}", module.name, module.base, placed.reason));
        let tls_index = self.next_tls_index;
        self.next_tls_index += u32::from(tls.is_some());
        self.loaded.push(Loaded {
            module,
            bytes: Arc::new(bytes),
            references: 1,
            pinned,
            needs: Vec::new(),
            tls,
            tls_index,
            attached: Attached::No,
            is_ending: false,
            ldr_entry: 0,
        });
    }

    /// Loads what the module at `base` needs, binds its imports, protects its pages, and appends it to the order.
    fn complete(&mut self, base: u64) -> Result<(), LoadError> {
        let bytes = Arc::clone(&self.loaded[self.index_of(base)].bytes);
        self.complete_with(base, &bytes)?;
        // Builtins import nothing, so they come before their users.
        let builtins: Vec<u64> = self.loaded.iter().map(|loaded| loaded.module.base).collect();
        for other in builtins {
            if self.loaded[self.index_of(other)].module.is_builtin && !self.order.contains(&other) {
                self.order.push(other);
            }
        }
        if !self.order.contains(&base) {
            self.order.push(base);
        }
        Ok(())
    }

    fn complete_with(&mut self, base: u64, bytes: &[u8]) -> Result<(), LoadError> {
        let index = self.index_of(base);
        let (name, is_builtin) =
            (self.loaded[index].module.name.clone(), self.loaded[index].module.is_builtin);
        if is_builtin {
            return Ok(());
        }
        let image = PeImage::parse(&name, bytes)?;
        let imports = if is_managed_alone(&image) { Vec::new() } else { image.imports()? };
        for import in imports {
            let before = self.loaded.len();
            let from = import.name.to_text().into_owned();
            let provider = self.ensure(&from, &name)?;
            if let Some(provider) = provider {
                let index = self.index_of(base);
                self.loaded[index].needs.push(provider);
                if self.loaded.len() > before {
                    self.complete(provider)?;
                }
            }
            let addresses = self.bind(&name, &from, provider, &import.entries)?;
            for (entry, address) in import.entries.iter().zip(addresses) {
                write_word(self.process.machine, base + u64::from(entry.slot.get()), address);
            }
        }
        crate::place::protect(self.process, &image, base)
    }

    /// Returns a module and all that it needs, directly or not.
    pub(crate) fn closure(&self, root: u64) -> Vec<u64> {
        let mut found = vec![root];
        let mut next = 0;
        while let Some(&base) = found.get(next) {
            next += 1;
            for &needed in &self.loaded[self.index_of(base)].needs {
                if !found.contains(&needed) {
                    found.push(needed);
                }
            }
        }
        found
    }

    /// Returns the place of a module by its base.
    pub(crate) fn index_of(&self, base: u64) -> usize {
        let index = self.loaded.iter().position(|loaded| loaded.module.base == base);
        index.expect("bases of modules come from this list")
    }

    fn not_found(&self, dll: &str, needed_by: &str) -> LoadError {
        let folders = self.search.folders(Some(self.process));
        let folders: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        LoadError::DllNotFound {
            dll: dll.to_owned(),
            needed_by: needed_by.to_owned(),
            looked: folders.join(", "),
        }
    }

    fn trace(&self, line: &str) {
        if self.process.start.trace.loader {
            crate::modules::trace_line(line);
        }
    }
}

/// Opens an image's file.
///
/// # Errors
/// [`LoadError::Read`] when it cannot be read.
pub(crate) fn read(path: &Path) -> Result<ImageBytes, LoadError> {
    let image = FileImage::open(path);
    image.map(ImageBytes::File).map_err(|source| LoadError::Read { path: path.to_path_buf(), source })
}

/// Parses a file that must be an image for `machine`.
fn parse_for<'a>(
    machine: Machine,
    path: &Path,
    bytes: &'a [u8],
    is_program: bool,
) -> Result<PeImage<'a>, LoadError> {
    let kind = classify(bytes);
    // A runtime loads libraries of managed code; a program of it would need one that is there before it.
    let is_ours = match kind {
        FileKind::Pe32 | FileKind::Pe32Plus => true,
        FileKind::DotNet => !is_program,
        _ => false,
    };
    if !is_ours {
        return Err(LoadError::WrongKind { path: path.to_path_buf(), kind });
    }
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let image = PeImage::parse(&name, bytes)?;
    // A DLL of data alone is nobody's code: ICU's comes for one machine and serves all.
    if image.headers().is_64 != machine.is_64() && !is_data(&image) {
        let machine = if image.headers().is_64 { "x86-64" } else { "x86" };
        return Err(LoadError::WrongMachine { path: path.to_path_buf(), machine: machine.to_owned() });
    }
    Ok(image)
}

/// Says whether an image holds nothing that runs: no entry point, no code, no imports.
fn is_data(image: &PeImage<'_>) -> bool {
    let runs = image.sections().iter().any(|section| section.flags.contains(SectionFlags::MEM_EXECUTE));
    let imports = image.imports().is_ok_and(|imports| imports.is_empty());
    image.headers().entry_point.get() == 0 && !runs && imports
}

/// Says whether an image holds managed code alone: all that it asks of Windows is to be given to the runtime's `mscoree.dll`.
fn is_managed_alone(image: &PeImage<'_>) -> bool {
    let is_runtime = |name: &str| name.eq_ignore_ascii_case("mscoree.dll");
    let imports = || image.imports().is_ok_and(|all| all.iter().all(|one| is_runtime(&one.name.to_text())));
    image.is_managed() && imports()
}

/// Describes a placed image to the rest of plat.
fn describe(
    image: &PeImage<'_>,
    name: &str,
    path: Vec<u16>,
    placed: &Placed,
    is_builtin: bool,
    is_program: bool,
) -> Module {
    let headers = image.headers();
    let table = headers.directory(plat_image::pe::DirectoryKind::Exception);
    let entry = if is_managed_alone(image) { 0 } else { headers.entry_point.get() };
    Module {
        base: placed.base,
        size: u64::from(headers.size_of_image),
        entry_point: if entry == 0 { 0 } else { placed.base + u64::from(entry) },
        name: name.to_owned(),
        path,
        is_builtin,
        is_program,
        exception_table: table
            .map_or((0, 0), |table| (placed.base + u64::from(table.rva.get()), u64::from(table.size))),
    }
}

/// Writes a pointer into an image that is still writable.
fn write_word(machine: Machine, address: u64, value: u64) {
    // The slot lies in the image, which is mapped writable until it is complete; parse() checked its bounds.
    let written = match machine {
        Machine::I386 => memory::write_u32(address, value as u32),
        Machine::Amd64 => memory::write_u64(address, value),
    };
    debug_assert!(written.is_ok(), "import slots lie in the image");
}

/// Returns the Windows path of a Unix path.
pub(crate) fn to_windows_path(path: &Path) -> Vec<u16> {
    plat_win32::logic::path::unix_to_win32(path, &plat_win32::logic::path::Drives { c: None })
}
