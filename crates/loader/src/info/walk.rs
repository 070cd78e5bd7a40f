//! Follows imports from file to file: [`Walk`].

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use plat_image::PeImage;
use plat_image::pe::{ImportEntry, ImportSymbol, Machine};
use plat_win32::export::{Body, Dll};

use super::{Below, Dependency, ImportNode, ImportedFunction, Supply, file_name};
use crate::search::{Found, Search, normal_name};

/// What was learnt on the way through a tree of imports.
pub(super) struct Walk<'s> {
    search: Search,
    folder: &'s Path,
    machine: Machine,
    files: HashMap<PathBuf, Rc<[u8]>>,
    shown: HashSet<String>,
    /// The program, and the DLLs from it to the one at work.
    way: Vec<String>,
    dependencies: BTreeMap<String, (String, BTreeMap<String, Supply>)>,
    problems: Vec<String>,
}

impl<'s> Walk<'s> {
    /// Prepares the walk from the file `name` in `folder`.
    pub(super) fn new(search: Search, folder: &'s Path, name: &str, machine: Machine) -> Self {
        Self {
            search,
            folder,
            machine,
            files: HashMap::new(),
            shown: HashSet::new(),
            way: vec![normal_name(name)],
            dependencies: BTreeMap::new(),
            problems: Vec::new(),
        }
    }

    pub(super) fn finish(self, imports: Vec<ImportNode>) -> (Vec<ImportNode>, Vec<Dependency>, Vec<String>) {
        let dependencies = self.dependencies.into_iter().map(|(name, (provider, symbols))| Dependency {
            name,
            provider,
            imported: symbols.len(),
            missing: symbols
                .into_iter()
                .filter(|(_, supply)| matches!(supply, Supply::Stub | Supply::Missing))
                .map(|(symbol, _)| symbol)
                .collect(),
        });
        (imports, dependencies.collect(), self.problems)
    }

    /// Describes what an image imports, delayed imports last.
    pub(super) fn imports_of(&mut self, image: &PeImage<'_>, depth: usize) -> Vec<ImportNode> {
        let imports = image.imports().unwrap_or_else(|error| self.problem(error.to_string()));
        let delayed = image.delay_imports().unwrap_or_else(|error| self.problem(error.to_string()));
        let imports = imports.into_iter().map(|it| (it.name, it.entries, false));
        let delayed = delayed.into_iter().map(|it| (it.name, it.entries, true));
        let all: Vec<_> = imports.chain(delayed).collect();
        all.into_iter()
            .map(|(dll, entries, is_delayed)| {
                let node = self.node(normal_name(&dll.to_text()), &entries, depth);
                ImportNode { is_delayed, ..node }
            })
            .collect()
    }

    fn problem<T>(&mut self, words: String) -> Vec<T> {
        if !self.problems.contains(&words) {
            self.problems.push(words);
        }
        Vec::new()
    }

    fn node(&mut self, name: String, entries: &[ImportEntry<'_>], depth: usize) -> ImportNode {
        let host = crate::api_sets::host(&name).to_owned();
        let symbols: Vec<String> = entries.iter().map(symbol).collect();
        let found = self.search.find(None, &host);
        let (provider, supplies, file) = match found {
            Some(Found::Builtin(dll)) if matches!(self.machine, Machine::I386 | Machine::Amd64) => {
                ("builtin".to_owned(), of_builtin(dll, &symbols), None)
            }
            Some(Found::File(path)) => {
                let (note, supplies) = self.of_file(&path, &symbols);
                let shown = path.strip_prefix(self.folder).unwrap_or(&path).display();
                (format!("{shown}{note}"), supplies, Some(path))
            }
            Some(Found::Builtin(_)) | None => {
                ("missing".to_owned(), vec![Supply::Missing; symbols.len()], None)
            }
        };
        let functions: Vec<_> = symbols
            .into_iter()
            .zip(supplies)
            .map(|(symbol, supply)| ImportedFunction { symbol, supply })
            .collect();
        let entry =
            self.dependencies.entry(name.clone()).or_insert_with(|| (provider.clone(), BTreeMap::new()));
        entry.1.extend(functions.iter().map(|it| (it.symbol.clone(), it.supply)));
        let (imports, below) = match file {
            Some(path) => self.below(&name, &path, depth),
            None => (Vec::new(), Below::Shown),
        };
        let host = (host != name).then_some(host);
        ImportNode { name, host, provider, is_delayed: false, functions, imports, below }
    }

    /// Describes the imports of a DLL's file, once.
    fn below(&mut self, name: &str, path: &Path, depth: usize) -> (Vec<ImportNode>, Below) {
        if self.way.iter().any(|other| other == name) {
            return (Vec::new(), Below::Cycle);
        }
        if self.shown.contains(name) {
            return (Vec::new(), Below::ShownBefore);
        }
        if depth == 0 {
            return (Vec::new(), Below::TooDeep);
        }
        self.shown.insert(name.to_owned());
        let Some(bytes) = self.read(path) else { return (Vec::new(), Below::Shown) };
        match PeImage::parse(&file_name(path), &bytes) {
            Ok(image) => {
                self.way.push(name.to_owned());
                let imports = self.imports_of(&image, depth - 1);
                self.way.pop();
                (imports, Below::Shown)
            }
            Err(error) => (self.problem(error.to_string()), Below::Shown),
        }
    }

    fn read(&mut self, path: &Path) -> Option<Rc<[u8]>> {
        if let Some(bytes) = self.files.get(path) {
            return Some(Rc::clone(bytes));
        }
        match std::fs::read(path) {
            Ok(bytes) => {
                let bytes: Rc<[u8]> = bytes.into();
                self.files.insert(path.to_path_buf(), Rc::clone(&bytes));
                Some(bytes)
            }
            Err(error) => {
                let _: Vec<()> = self.problem(format!("cannot read {}: {error}", path.display()));
                None
            }
        }
    }

    /// Looks symbols up in a DLL's file; the note says when the file does not fit.
    fn of_file(&mut self, path: &Path, symbols: &[String]) -> (String, Vec<Supply>) {
        let nothing = vec![Supply::Missing; symbols.len()];
        let Some(bytes) = self.read(path) else { return (" (unreadable)".to_owned(), nothing) };
        let image = match PeImage::parse(&file_name(path), &bytes) {
            Ok(image) => image,
            Err(error) => {
                let _: Vec<()> = self.problem(error.to_string());
                return (" (no usable image)".to_owned(), nothing);
            }
        };
        if image.headers().machine != self.machine {
            return (" (for another processor)".to_owned(), nothing);
        }
        match image.exports() {
            Ok(Some(exports)) => {
                let has = |symbol: &String| match symbol.strip_prefix('#').and_then(|it| it.parse().ok()) {
                    Some(ordinal) => matches!(exports.by_ordinal(ordinal), Ok(Some(_))),
                    None => matches!(exports.by_name(symbol.as_bytes()), Ok(Some(_))),
                };
                let supply = |symbol| if has(symbol) { Supply::Native } else { Supply::Missing };
                (String::new(), symbols.iter().map(supply).collect())
            }
            Ok(None) => (String::new(), nothing),
            Err(error) => {
                let _: Vec<()> = self.problem(error.to_string());
                (String::new(), nothing)
            }
        }
    }
}

fn symbol(entry: &ImportEntry<'_>) -> String {
    match entry.symbol {
        ImportSymbol::Name { name, .. } => name.to_text().into_owned(),
        ImportSymbol::Ordinal(ordinal) => format!("#{ordinal}"),
    }
}

fn of_builtin(dll: &Dll, symbols: &[String]) -> Vec<Supply> {
    let supply = |symbol: &String| {
        let ordinal: Option<u16> = symbol.strip_prefix('#').and_then(|it| it.parse().ok());
        let fits =
            |name: &str, number: Option<u16>| name == symbol || (ordinal.is_some() && number == ordinal);
        match dll.exports().find(|export| fits(export.name, export.ordinal)) {
            Some(export) if matches!(export.body, Body::Stub) => Supply::Stub,
            Some(_) => Supply::Builtin,
            None => Supply::Missing,
        }
    };
    symbols.iter().map(supply).collect()
}
