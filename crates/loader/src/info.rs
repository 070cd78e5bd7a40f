//! What a program is and needs, without running it: `plat info`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use plat_image::pe::ImportSymbol;
use plat_image::{FileKind, PeImage, classify};
use plat_win32::export::Body;

use crate::error::LoadError;
use crate::search::{Found, Search, SearchOptions, find_in, normal_name};

/// A DLL in the tree of imports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// The DLL's file name.
    pub name: String,
    /// `builtin`, a path, or `missing`.
    pub provider: String,
    /// How many functions the program and its DLLs import from it.
    pub imported: usize,
    /// Functions that nothing provides, or that plat has as a stub.
    pub missing: Vec<String>,
}

/// All about a file.
#[derive(Debug)]
pub struct Info {
    /// The file's bytes: parse them with [`PeImage::parse`] for the headers.
    pub bytes: Vec<u8>,
    /// Its DLLs, sorted by name.
    pub dependencies: Vec<Dependency>,
}

/// Reads a program or DLL and follows its imports.
///
/// # Errors
/// [`LoadError`] when the file is no image or is damaged.
pub fn inspect(path: &Path, options: SearchOptions) -> Result<Info, LoadError> {
    if path.is_dir() {
        return Err(LoadError::Directory { path: path.to_path_buf() });
    }
    let bytes = std::fs::read(path).map_err(|source| LoadError::Read { path: path.to_path_buf(), source })?;
    match classify(&bytes) {
        FileKind::Pe32 | FileKind::Pe32Plus | FileKind::DotNet => {}
        kind => return Err(LoadError::WrongKind { path: path.to_path_buf(), kind }),
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let search = Search::new(folder, options);
    let mut wanted: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut queue: Vec<PathBuf> = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    collect(path, &bytes, &mut wanted)?;
    loop {
        let next = wanted.keys().find(|name| !seen.contains(name)).cloned();
        let Some(name) = next else { break };
        seen.push(name.clone());
        if let Some(Found::File(file)) = search.find(&name) {
            let bytes =
                std::fs::read(&file).map_err(|source| LoadError::Read { path: file.clone(), source })?;
            collect(&file, &bytes, &mut wanted)?;
            queue.push(file);
        }
    }
    let dependencies =
        wanted.into_iter().map(|(name, symbols)| describe(&search, folder, name, symbols)).collect();
    Ok(Info { bytes, dependencies })
}

/// Adds an image's imports, delayed ones included, to what is wanted.
fn collect(path: &Path, bytes: &[u8], wanted: &mut BTreeMap<String, Vec<String>>) -> Result<(), LoadError> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let image = PeImage::parse(&name, bytes)?;
    let delayed = image.delay_imports()?;
    let modules = image.imports()?.into_iter().map(|module| (module.name, module.entries));
    let modules = modules.chain(delayed.into_iter().map(|module| (module.name, module.entries)));
    for (dll, entries) in modules {
        let list = wanted.entry(normal_name(&dll.to_text())).or_default();
        for entry in entries {
            let symbol = match entry.symbol {
                ImportSymbol::Name { name, .. } => name.to_text().into_owned(),
                ImportSymbol::Ordinal(ordinal) => format!("#{ordinal}"),
            };
            if !list.contains(&symbol) {
                list.push(symbol);
            }
        }
    }
    Ok(())
}

fn describe(search: &Search, folder: &Path, name: String, symbols: Vec<String>) -> Dependency {
    let imported = symbols.len();
    let (provider, missing) = match search.find(crate::graph::api_set_host(&name)) {
        Some(Found::Builtin(dll)) => {
            let lacks = |symbol: &String| {
                !dll.exports().any(|export| {
                    let by_ordinal = export.ordinal.is_some_and(|ordinal| *symbol == format!("#{ordinal}"));
                    (export.name == symbol || by_ordinal) && !matches!(export.body, Body::Stub)
                })
            };
            ("builtin".to_owned(), symbols.into_iter().filter(lacks).collect())
        }
        Some(Found::File(path)) => {
            let missing = missing_in_file(&path, symbols);
            (path.strip_prefix(folder).unwrap_or(&path).display().to_string(), missing)
        }
        None => ("missing".to_owned(), symbols),
    };
    debug_assert!(provider != "missing" || find_in(folder, &name).is_none());
    Dependency { name, provider, imported, missing }
}

/// Lists which symbols a DLL's file does not export.
fn missing_in_file(path: &Path, symbols: Vec<String>) -> Vec<String> {
    let Ok(bytes) = std::fs::read(path) else { return symbols };
    let name = path.display().to_string();
    let Ok(image) = PeImage::parse(&name, &bytes) else { return symbols };
    let Ok(Some(exports)) = image.exports() else { return symbols };
    let lacks = |symbol: &String| {
        let found = match symbol.strip_prefix('#').and_then(|ordinal| ordinal.parse().ok()) {
            Some(ordinal) => exports.by_ordinal(ordinal),
            None => exports.by_name(symbol.as_bytes()),
        };
        !matches!(found, Ok(Some(_)))
    };
    symbols.into_iter().filter(lacks).collect()
}
