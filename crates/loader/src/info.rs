//! What a program is and needs, without running it: `plat info`.

#[cfg(test)]
mod tests;
mod walk;

use std::path::Path;

use plat_image::{FileKind, PeImage, classify};

use crate::error::LoadError;
use crate::search::{Search, SearchOptions};
use walk::Walk;

/// Where an imported function would come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Supply {
    /// plat's own DLL has it.
    Builtin,
    /// The DLL's file exports it.
    Native,
    /// plat knows it only by name: it ends the program when it is called.
    Stub,
    /// Nothing has it.
    Missing,
}

impl Supply {
    /// Returns the word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Builtin => "builtin",
            Self::Native => "native",
            Self::Stub => "stub",
            Self::Missing => "missing",
        }
    }
}

/// An imported function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedFunction {
    /// Its name, or `#12` for an ordinal.
    pub symbol: String,
    /// Where it would come from.
    pub supply: Supply,
}

/// Whether the imports of a DLL in the tree are shown below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Below {
    /// They are, as far as there are any.
    Shown,
    /// They were shown at its first place in the tree.
    ShownBefore,
    /// It is one of those that lead here.
    Cycle,
    /// The tree was to be no deeper.
    TooDeep,
}

/// A DLL in the tree of imports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportNode {
    /// The DLL's file name, as it is normalised for the search.
    pub name: String,
    /// The DLL that stands behind it, where that has another name (API sets).
    pub host: Option<String>,
    /// `builtin`, a path, or `missing`.
    pub provider: String,
    /// It is loaded when it is first called.
    pub is_delayed: bool,
    /// What is imported from it here, in the order of the table.
    pub functions: Vec<ImportedFunction>,
    /// What it imports itself.
    pub imports: Vec<ImportNode>,
    /// Whether `imports` is all.
    pub below: Below,
}

/// A DLL that a program needs, all its uses taken together.
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
    /// What the file is.
    pub kind: FileKind,
    /// What it imports, and what those DLLs import.
    pub imports: Vec<ImportNode>,
    /// Its DLLs, sorted by name.
    pub dependencies: Vec<Dependency>,
    /// What of the files could not be read, in words.
    pub problems: Vec<String>,
}

/// Reads a program or DLL and follows its imports to `depth` levels. Files that plat cannot run are described too.
///
/// # Errors
/// [`LoadError`] when the file cannot be read, is no image, or its headers are damaged.
pub fn inspect(path: &Path, options: SearchOptions, depth: usize) -> Result<Info, LoadError> {
    if path.is_dir() {
        return Err(LoadError::Directory { path: path.to_path_buf() });
    }
    let bytes = std::fs::read(path).map_err(|source| LoadError::Read { path: path.to_path_buf(), source })?;
    let kind = classify(&bytes);
    match kind {
        FileKind::Pe32 | FileKind::Pe32Plus | FileKind::DotNet => {}
        FileKind::Arm64Pe | FileKind::ArmPe | FileKind::OtherPe(_) => {}
        kind => return Err(LoadError::WrongKind { path: path.to_path_buf(), kind }),
    }
    let (imports, dependencies, problems) = {
        let image = PeImage::parse(&file_name(path), &bytes)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut walk = Walk::new(Search::new(folder, options), folder, image.name(), image.headers().machine);
        let imports = walk.imports_of(&image, depth);
        walk.finish(imports)
    };
    Ok(Info { bytes, kind, imports, dependencies, problems })
}

pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
