//! How names become addresses: exports, forwarders, and thunks for what nothing provides.

use std::borrow::Cow;
use std::cell::LazyCell;

use plat_image::pe::{ExportTarget, Exports, ForwardedSymbol, ImportEntry, ImportSymbol};
use plat_win32::NtStatus;
use plat_win32::process::{MissingImport, Symbol};

use super::{Graph, ImageBytes};
use crate::builtin::{Builtin, Target};
use crate::error::LoadError;

/// How many forwarders may lead to each other.
const FORWARDERS_MAX: u32 = 16;

/// Bytes of thunk for a missing import.
const THUNK_BYTES: u64 = 32;

/// Size in bytes of a region for thunks of missing imports.
const THUNK_REGION_BYTES: u64 = 0x1_0000;

/// What an export stands for.
enum Meaning {
    /// An address.
    Address(u64),
    /// Another module's export.
    Elsewhere {
        /// The module, without extension.
        dll: String,
        /// The export.
        symbol: OwnedSymbol,
    },
}

/// How an export is asked for, with a name of its own.
enum OwnedSymbol {
    Name(String),
    Ordinal(u16),
}

impl OwnedSymbol {
    fn borrowed(&self) -> Symbol<'_> {
        match self {
            Self::Name(name) => Symbol::Name(name),
            Self::Ordinal(ordinal) => Symbol::Ordinal(*ordinal),
        }
    }
}

impl Graph {
    /// Finds what each import from a DLL means: a function, or a thunk that names it.
    pub(super) fn bind(
        &mut self,
        user: &str,
        dll: &str,
        provider: Option<u64>,
        entries: &[ImportEntry<'_>],
    ) -> Result<Vec<u64>, LoadError> {
        let texts: Vec<Cow<'_, str>> = entries.iter().map(|entry| name_of(&entry.symbol)).collect();
        let symbols: Vec<Symbol<'_>> =
            entries.iter().zip(&texts).map(|(entry, name)| symbol_of(&entry.symbol, name)).collect();
        let meanings = match provider {
            Some(base) => self.meanings(base, &symbols),
            None => symbols.iter().map(|_| None).collect(),
        };
        let mut addresses = Vec::with_capacity(entries.len());
        for (&symbol, meaning) in symbols.iter().zip(meanings) {
            addresses.push(match meaning.and_then(|meaning| self.follow(meaning, 0)) {
                Some(address) => address,
                None => self.missing(user, dll, provider.is_some(), symbol)?,
            });
        }
        Ok(addresses)
    }

    /// Finds an export's address, through forwarders.
    ///
    /// # Errors
    /// `ENTRYPOINT_NOT_FOUND`, `ORDINAL_NOT_FOUND`, or `DLL_NOT_FOUND` when no module lies at `base`.
    pub(crate) fn symbol(&mut self, base: u64, symbol: Symbol<'_>) -> Result<u64, NtStatus> {
        self.at(base).ok_or(NtStatus::DLL_NOT_FOUND)?;
        self.resolve(base, symbol, 0).ok_or(match symbol {
            Symbol::Name(_) => NtStatus::ENTRYPOINT_NOT_FOUND,
            Symbol::Ordinal(_) => NtStatus::ORDINAL_NOT_FOUND,
        })
    }

    /// Finds an export's address; `depth` counts the forwarders on the way.
    fn resolve(&mut self, base: u64, symbol: Symbol<'_>, depth: u32) -> Option<u64> {
        let meaning = self.meanings(base, &[symbol]).pop()??;
        self.follow(meaning, depth)
    }

    fn follow(&mut self, meaning: Meaning, depth: u32) -> Option<u64> {
        match meaning {
            Meaning::Address(address) => Some(address),
            Meaning::Elsewhere { .. } if depth == FORWARDERS_MAX => None,
            Meaning::Elsewhere { dll, symbol } => {
                let provider = self.ensure(&dll, "a forwarder").ok().flatten()?;
                self.resolve(provider, symbol.borrowed(), depth + 1)
            }
        }
    }

    /// Finds what names and ordinals mean in the module at `base`, whose image is read once for all of them.
    fn meanings(&self, base: u64, symbols: &[Symbol<'_>]) -> Vec<Option<Meaning>> {
        let Some(index) = self.at(base) else { return symbols.iter().map(|_| None).collect() };
        let loaded = &self.loaded[index];
        let base = loaded.module.base;
        let image = LazyCell::new(|| loaded.image().ok());
        let exports = LazyCell::new(|| image.as_ref()?.exports().ok()?);
        let meaning = |&symbol: &Symbol<'_>| match (&*loaded.bytes, symbol) {
            (ImageBytes::Builtin(builtin), Symbol::Name(name)) => builtin_meaning(*builtin, base, name),
            _ => export_meaning(exports.as_ref()?, base, symbol),
        };
        symbols.iter().map(meaning).collect()
    }

    /// Makes the thunk of an import that nothing provides.
    fn missing(
        &mut self,
        user: &str,
        dll: &str,
        is_dll_there: bool,
        symbol: Symbol<'_>,
    ) -> Result<u64, LoadError> {
        let symbol = match symbol {
            Symbol::Name(name) => name.to_owned(),
            Symbol::Ordinal(ordinal) => format!("#{ordinal}"),
        };
        let reason = match is_dll_there {
            true => "which this DLL does not export",
            false => "and this DLL is nowhere",
        };
        self.trace(&format!("{user} imports {dll}!{symbol}, {reason}"));
        self.missing_thunk(MissingImport { dll: dll.to_owned(), symbol, reason: reason.to_owned() })
    }

    /// Makes a thunk that ends the program and names the import.
    fn missing_thunk(&mut self, missing: MissingImport) -> Result<u64, LoadError> {
        let setup = |status| LoadError::Setup { what: "thunks of missing imports".to_owned(), status };
        if self.thunks.0 + THUNK_BYTES > self.thunks.1 {
            let base = self
                .process
                .memory
                .allocate_code(THUNK_REGION_BYTES, &[], "missing imports")
                .map_err(setup)?;
            self.thunks = (base, base + THUNK_REGION_BYTES);
        }
        let index = self.process.add_missing(missing);
        let at = self.thunks.0;
        self.thunks.0 += THUNK_BYTES;
        let (code, bytes) = self.entrance.thunk(index);
        self.process.memory.write_code(at, &code[..bytes]).map_err(setup)?;
        Ok(at)
    }
}

fn name_of<'a>(symbol: &ImportSymbol<'a>) -> Cow<'a, str> {
    match symbol {
        ImportSymbol::Name { name, .. } => name.to_text(),
        ImportSymbol::Ordinal(_) => Cow::Borrowed(""),
    }
}

fn symbol_of<'n>(symbol: &ImportSymbol<'_>, name: &'n str) -> Symbol<'n> {
    match symbol {
        ImportSymbol::Name { .. } => Symbol::Name(name),
        ImportSymbol::Ordinal(ordinal) => Symbol::Ordinal(*ordinal),
    }
}

fn builtin_meaning(builtin: Builtin, base: u64, name: &str) -> Option<Meaning> {
    match builtin.by_name(name)? {
        Target::Rva(rva) => Some(Meaning::Address(base + u64::from(rva))),
        Target::Forwarder(to) => {
            let (dll, name) = to.rsplit_once('.')?;
            Some(Meaning::Elsewhere { dll: dll.to_owned(), symbol: OwnedSymbol::Name(name.to_owned()) })
        }
    }
}

fn export_meaning(exports: &Exports<'_, '_>, base: u64, symbol: Symbol<'_>) -> Option<Meaning> {
    let found = match symbol {
        Symbol::Name(name) => exports.by_name(name.as_bytes()),
        Symbol::Ordinal(ordinal) => exports.by_ordinal(u32::from(ordinal)),
    };
    match found.ok()??.target {
        ExportTarget::Rva(rva) => Some(Meaning::Address(base + u64::from(rva.get()))),
        ExportTarget::Forwarder(forwarder) => {
            let (dll, symbol) = forwarder.split()?;
            let symbol = match symbol {
                ForwardedSymbol::Name(name) => OwnedSymbol::Name(name.to_text().into_owned()),
                ForwardedSymbol::Ordinal(ordinal) => OwnedSymbol::Ordinal(ordinal as u16),
            };
            Some(Meaning::Elsewhere { dll: dll.to_text().into_owned(), symbol })
        }
    }
}
