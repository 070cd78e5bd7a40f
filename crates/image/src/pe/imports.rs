//! What an image needs from others: imports, delay-load imports and bound imports.
//!
//! Key types: [`ImportModule`], [`ImportEntry`], [`ImportSymbol`], [`DelayImportModule`], [`BoundImport`].

use std::fmt;

use super::{DirectoryKind, Name, PeImage};
use crate::{ImageError, Rva};

/// What is imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportSymbol<'a> {
    /// A function by its name.
    Name {
        /// Where in the exporter's table of names it is likely to be found.
        hint: u16,
        /// The name.
        name: Name<'a>,
    },
    /// A function by its ordinal.
    Ordinal(u16),
}

impl fmt::Display for ImportSymbol<'_> {
    /// Writes the name, or `#12` for an ordinal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { name, .. } => name.fmt(f),
            Self::Ordinal(ordinal) => write!(f, "#{ordinal}"),
        }
    }
}

/// One imported function and the slot that its address goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportEntry<'a> {
    /// What is imported.
    pub symbol: ImportSymbol<'a>,
    /// The slot in the import address table: 4 bytes in PE32, 8 in PE32+.
    pub slot: Rva,
}

/// A module that must be loaded with the image, and what is imported from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportModule<'a> {
    /// The file name of the module.
    pub name: Name<'a>,
    /// Where the descriptor is.
    pub descriptor: Rva,
    /// Zero when not bound; all ones when bound through the bound-import directory; else the module's timestamp.
    pub timestamp: u32,
    /// The import lookup table, if the linker made one.
    pub lookup_table: Option<Rva>,
    /// The import address table.
    pub address_table: Rva,
    /// The functions, in the table's order.
    pub entries: Vec<ImportEntry<'a>>,
}

/// A module that is loaded when a function of it is first called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DelayImportModule<'a> {
    /// The file name of the module.
    pub name: Name<'a>,
    /// Where the descriptor is.
    pub descriptor: Rva,
    /// Where the loaded module's handle is kept.
    pub module_handle: Rva,
    /// The delay import address table.
    pub address_table: Rva,
    /// The addresses to use if the module is the one that the image was bound to.
    pub bound_table: Option<Rva>,
    /// A copy of the address table, to unload the module again.
    pub unload_table: Option<Rva>,
    /// The timestamp of the module that the image was bound to, or zero.
    pub timestamp: u32,
    /// The descriptor holds RVAs; else, as in linkers before Visual C++ 7, addresses.
    pub is_rva_based: bool,
    /// The functions, in the table's order.
    pub entries: Vec<ImportEntry<'a>>,
}

/// A module that the image was bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundImport<'a> {
    /// The file name of the module.
    pub name: Name<'a>,
    /// Its timestamp.
    pub timestamp: u32,
    /// The modules that functions are forwarded to, with their timestamps.
    pub forwarders: Vec<(Name<'a>, u32)>,
}

/// Counts down the entries and bytes of names that may be read, so that tables which overlap cannot multiply.
struct Budget {
    entries: u64,
    limit: u64,
    name_bytes: u64,
}

impl<'a> PeImage<'a> {
    /// Reads the import directory; the list is empty when there is none.
    ///
    /// As on Windows, the list ends at the first descriptor without a name or without an address table, whatever the
    /// directory's size says, and a missing lookup table is replaced by the address table.
    ///
    /// # Errors
    /// When a table or name lies outside the image, has no end, or more is imported than the file can describe.
    ///
    /// Source: PE Format, "The .idata Section".
    pub fn imports(&self) -> Result<Vec<ImportModule<'a>>, ImageError> {
        let mut modules = Vec::new();
        let Some(directory) = self.headers.directory(DirectoryKind::Import) else { return Ok(modules) };
        let mut budget = self.import_budget();
        let mut at = u64::from(directory.rva.get());
        for _ in 0..self.entries_max(20) {
            let name = self.u32_at(at + 12, "Import Name")?;
            let address_table = self.u32_at(at + 16, "Import FirstThunk")?;
            if name == 0 || address_table == 0 {
                return Ok(modules);
            }
            let lookup_table = self.u32_at(at, "Import OriginalFirstThunk")?;
            // Some old linkers leave rubbish here; a table inside the headers cannot be meant.
            let lookup_table =
                (lookup_table >= self.headers.size_of_headers).then_some(Rva::new(lookup_table));
            let tables = (lookup_table.unwrap_or(Rva::new(address_table)), Rva::new(address_table));
            modules.push(ImportModule {
                name: self.budgeted_name(&mut budget, at + 12, "Import Name", name.into())?,
                descriptor: Rva::new(u32::try_from(at).expect("read at this RVA a moment ago")),
                timestamp: self.u32_at(at + 4, "Import TimeDateStamp")?,
                lookup_table,
                address_table: Rva::new(address_table),
                entries: self.import_entries(&mut budget, tables, 0)?,
            });
            at += 20;
        }
        Err(self.too_many(directory.rva.get().into(), "Import directory", self.entries_max(20)))
    }

    /// Reads the delay-load import directory; the list is empty when there is none.
    ///
    /// # Errors
    /// As [`PeImage::imports`].
    ///
    /// Source: PE Format, "Delay-Load Import Tables"; for addresses instead of RVAs, `delayimp.h` of Visual C++ 6.
    pub fn delay_imports(&self) -> Result<Vec<DelayImportModule<'a>>, ImageError> {
        let mut modules = Vec::new();
        let Some(directory) = self.headers.directory(DirectoryKind::DelayImport) else { return Ok(modules) };
        let mut budget = self.import_budget();
        let mut at = u64::from(directory.rva.get());
        for _ in 0..self.entries_max(32) {
            if self.u32_at(at + 4, "DelayImport DllNameRVA")? == 0 {
                return Ok(modules);
            }
            modules.push(self.delay_import(&mut budget, at)?);
            at += 32;
        }
        Err(self.too_many(directory.rva.get().into(), "DelayImport directory", self.entries_max(32)))
    }

    fn delay_import(&self, budget: &mut Budget, at: u64) -> Result<DelayImportModule<'a>, ImageError> {
        let is_rva_based = self.u32_at(at, "DelayImport Attributes")? & 1 != 0;
        // Descriptors with addresses exist in 32-bit images only: a field has 4 bytes.
        let base = if is_rva_based { 0 } else { self.headers.image_base };
        let rva = |offset: u64, field| -> Result<Option<Rva>, ImageError> {
            match self.u32_at(at + offset, field)? {
                0 => Ok(None),
                value if is_rva_based => Ok(Some(Rva::new(value))),
                address => self.rva_of_address(at + offset, field, address.into()).map(Some),
            }
        };
        let name = rva(4, "DelayImport DllNameRVA")?.unwrap_or_default();
        let address_table = rva(12, "DelayImport ImportAddressTableRVA")?.unwrap_or_default();
        let name_table = rva(16, "DelayImport ImportNameTableRVA")?.unwrap_or_default();
        Ok(DelayImportModule {
            name: self.budgeted_name(budget, at + 4, "DelayImport DllNameRVA", name.get().into())?,
            descriptor: Rva::new(u32::try_from(at).expect("read at this RVA a moment ago")),
            module_handle: rva(8, "DelayImport ModuleHandleRVA")?.unwrap_or_default(),
            address_table,
            bound_table: rva(20, "DelayImport BoundImportAddressTableRVA")?,
            unload_table: rva(24, "DelayImport UnloadInformationTableRVA")?,
            timestamp: self.u32_at(at + 28, "DelayImport TimeDateStamp")?,
            is_rva_based,
            entries: self.import_entries(budget, (name_table, address_table), base)?,
        })
    }

    /// Reads a lookup table up to its zero; `base` is what entries that point at names are relative to.
    fn import_entries(
        &self,
        budget: &mut Budget,
        (names, slots): (Rva, Rva),
        base: u64,
    ) -> Result<Vec<ImportEntry<'a>>, ImageError> {
        const FIELD: &str = "import lookup table entry";
        let ordinal_flag = 1u64 << (self.word_bytes() * 8 - 1);
        let mut entries = Vec::new();
        let mut at = u64::from(names.get());
        let mut slot = u64::from(slots.get());
        loop {
            let word = self.word_at(at, FIELD)?;
            if word == 0 {
                return Ok(entries);
            }
            if budget.entries == 0 {
                return Err(self.too_many(at, "import lookup table", budget.limit));
            }
            budget.entries -= 1;
            let symbol = if word & ordinal_flag != 0 {
                ImportSymbol::Ordinal((word & 0xffff) as u16)
            } else {
                let target = word.wrapping_sub(base);
                let hint = self.view.read(target).ok_or_else(|| self.unmapped(at, FIELD, target))?;
                // The hint was read at `target`, so that the sum stays near 32 bits.
                let name = self.budgeted_name(budget, at, FIELD, target + 2)?;
                ImportSymbol::Name { hint: u16::from_le_bytes(hint), name }
            };
            let here = u32::try_from(slot).map_err(|_| self.unmapped(at, "import address table", slot))?;
            entries.push(ImportEntry { symbol, slot: Rva::new(here) });
            at += self.word_bytes();
            slot += self.word_bytes();
        }
    }

    /// Reads the bound-import directory; the list is empty when there is none.
    ///
    /// # Errors
    /// As [`PeImage::imports`].
    ///
    /// Source: Pietrek, "An In-Depth Look into the Win32 Portable Executable File Format", "Bound Imports".
    pub fn bound_imports(&self) -> Result<Vec<BoundImport<'a>>, ImageError> {
        const FIELD: &str = "BoundImport OffsetModuleName";
        let mut modules = Vec::new();
        let Some(directory) = self.headers.directory(DirectoryKind::BoundImport) else { return Ok(modules) };
        let mut budget = self.import_budget();
        let start = u64::from(directory.rva.get());
        let mut at = start;
        for _ in 0..self.entries_max(8) {
            let timestamp = self.u32_at(at, "BoundImport TimeDateStamp")?;
            let name = self.u16_at(at + 4, FIELD)?;
            if timestamp == 0 && name == 0 {
                return Ok(modules);
            }
            let count = self.u16_at(at + 6, "BoundImport NumberOfModuleForwarderRefs")?;
            let name = self.budgeted_name(&mut budget, at + 4, FIELD, start + u64::from(name))?;
            let mut forwarders = Vec::new();
            for _ in 0..count {
                at += 8;
                let timestamp = self.u32_at(at, "BoundImport forwarder TimeDateStamp")?;
                let name = u64::from(self.u16_at(at + 4, "BoundImport forwarder OffsetModuleName")?);
                forwarders.push((self.budgeted_name(&mut budget, at + 4, FIELD, start + name)?, timestamp));
            }
            modules.push(BoundImport { name, timestamp, forwarders });
            at += 8;
        }
        Err(self.too_many(start, "BoundImport directory", self.entries_max(8)))
    }

    fn import_budget(&self) -> Budget {
        let limit = self.entries_max(self.word_bytes());
        Budget { entries: limit, limit, name_bytes: self.source().len() as u64 * 4 + 4096 }
    }

    fn budgeted_name(
        &self,
        budget: &mut Budget,
        rva: u64,
        field: &'static str,
        target: u64,
    ) -> Result<Name<'a>, ImageError> {
        let name = self.name_at(rva, field, target)?;
        match budget.name_bytes.checked_sub(name.as_bytes().len() as u64 + 1) {
            Some(rest) => budget.name_bytes = rest,
            None => return Err(self.too_many(rva, field, budget.limit)),
        }
        Ok(name)
    }
}
