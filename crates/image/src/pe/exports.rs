//! What an image offers to others: [`Exports`], looked up by name or ordinal.

use std::cell::OnceCell;
use std::fmt;

use super::{DirectoryEntry, DirectoryKind, Name, PeImage};
use crate::{ImageError, Rva};

/// What an export stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportTarget<'a> {
    /// A function or variable in the image.
    Rva(Rva),
    /// An export of another module.
    Forwarder(Forwarder<'a>),
}

/// The text `MODULE.Name` or `MODULE.#12` that stands in for an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forwarder<'a>(Name<'a>);

/// What a forwarder wants of its module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardedSymbol<'a> {
    /// An export by name.
    Name(Name<'a>),
    /// An export by ordinal.
    Ordinal(u32),
}

impl<'a> Forwarder<'a> {
    /// Returns the whole text.
    pub fn text(self) -> Name<'a> {
        self.0
    }

    /// Splits the text at its last dot into the module, without extension, and the symbol; `None` without a dot.
    pub fn split(self) -> Option<(Name<'a>, ForwardedSymbol<'a>)> {
        let bytes = self.0.as_bytes();
        let dot = bytes.iter().rposition(|&byte| byte == b'.')?;
        let (module, symbol) = (Name(&bytes[..dot]), &bytes[dot + 1..]);
        let ordinal =
            symbol.strip_prefix(b"#").and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        Some((module, ordinal.map_or(ForwardedSymbol::Name(Name(symbol)), ForwardedSymbol::Ordinal)))
    }
}

impl fmt::Display for Forwarder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One entry of the export table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Export<'a> {
    /// The name, if it has one; an entry with several names is listed once for each.
    pub name: Option<Name<'a>>,
    /// The ordinal, base included.
    pub ordinal: u32,
    /// What it stands for.
    pub target: ExportTarget<'a>,
}

/// The export directory, read entry by entry when asked.
#[derive(Debug)]
pub struct Exports<'i, 'a> {
    image: &'i PeImage<'a>,
    directory: DirectoryEntry,
    /// The module's own name for itself.
    pub module: Name<'a>,
    /// The ordinal of the first address.
    pub ordinal_base: u32,
    /// The number of addresses.
    pub function_count: u32,
    /// The number of names.
    pub name_count: u32,
    functions: u64,
    names: u64,
    ordinals: u64,
    is_sorted: OnceCell<bool>,
}

impl<'a> PeImage<'a> {
    /// Reads the export directory; `None` when there is none.
    ///
    /// # Errors
    /// When the directory lies outside the image or counts more than the file can hold.
    ///
    /// Source: PE Format, "The .edata Section".
    pub fn exports(&self) -> Result<Option<Exports<'_, 'a>>, ImageError> {
        let Some(directory) = self.headers.directory(DirectoryKind::Export) else { return Ok(None) };
        let at = u64::from(directory.rva.get());
        let count = |offset, field, bytes| {
            let count = self.u32_at(at + offset, field)?;
            let limit = self.entries_max(bytes);
            if u64::from(count) > limit { Err(self.too_many(at + offset, field, limit)) } else { Ok(count) }
        };
        let name = self.u32_at(at + 12, "Export Name")?;
        Ok(Some(Exports {
            image: self,
            directory,
            module: if name == 0 { Name(b"") } else { self.name_at(at + 12, "Export Name", name.into())? },
            ordinal_base: self.u32_at(at + 16, "Export Base")?,
            function_count: count(20, "Export NumberOfFunctions", 4)?,
            // A name may share its text with another, but not its 4 bytes in the table and 2 in the ordinals.
            name_count: count(24, "Export NumberOfNames", 6)?,
            functions: self.u32_at(at + 28, "Export AddressOfFunctions")?.into(),
            names: self.u32_at(at + 32, "Export AddressOfNames")?.into(),
            ordinals: self.u32_at(at + 36, "Export AddressOfNameOrdinals")?.into(),
            is_sorted: OnceCell::new(),
        }))
    }
}

impl<'a> Exports<'_, 'a> {
    /// Finds an export by its exact name; `None` when there is none, or only an empty slot.
    ///
    /// # Errors
    /// When a table or name on the way lies outside the image.
    pub fn by_name(&self, name: &[u8]) -> Result<Option<Export<'a>>, ImageError> {
        self.by_name_hinted(name, 0)
    }

    /// Finds an export by its exact name, first where `hint` says.
    ///
    /// The table should be sorted by name; a search through all names follows where it is not.
    ///
    /// # Errors
    /// As [`Exports::by_name`].
    pub fn by_name_hinted(&self, name: &[u8], hint: u16) -> Result<Option<Export<'a>>, ImageError> {
        let hint = u32::from(hint);
        if hint < self.name_count && self.name(hint)?.as_bytes() == name {
            return self.named(hint);
        }
        let (mut low, mut high) = (0, self.name_count);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.name(middle)?.as_bytes().cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return self.named(middle),
            }
        }
        if self.is_sorted()? {
            return Ok(None);
        }
        for index in 0..self.name_count {
            // Comparing instead of reading keeps this linear where many entries point into one long text.
            let target = u64::from(
                self.image.u32_at(self.names + u64::from(index) * 4, "Export AddressOfNames entry")?,
            );
            let tail = self.image.view.tail(target).unwrap_or_default();
            if tail.strip_prefix(name).is_some_and(|rest| rest.first().copied().unwrap_or(0) == 0) {
                return self.named(index);
            }
        }
        Ok(None)
    }

    /// Finds an export by its ordinal, base included; `None` when there is none, or only an empty slot.
    ///
    /// # Errors
    /// When the table lies outside the image.
    pub fn by_ordinal(&self, ordinal: u32) -> Result<Option<Export<'a>>, ImageError> {
        match ordinal.checked_sub(self.ordinal_base) {
            Some(index) if index < self.function_count => self.entry(None, index),
            _ => Ok(None),
        }
    }

    /// Returns all names in the table's order, each with what it stands for; empty slots are left out.
    pub fn named_entries(&self) -> impl Iterator<Item = Result<Export<'a>, ImageError>> {
        (0..self.name_count).filter_map(|index| self.named(index).transpose())
    }

    /// Returns all addresses in the order of their ordinals, without names; empty slots are left out.
    pub fn entries(&self) -> impl Iterator<Item = Result<Export<'a>, ImageError>> {
        (0..self.function_count).filter_map(|index| self.entry(None, index).transpose())
    }

    fn is_sorted(&self) -> Result<bool, ImageError> {
        if let Some(known) = self.is_sorted.get() {
            return Ok(*known);
        }
        let mut sorted = true;
        let mut previous = Name(b"");
        let mut name_bytes = self.image.source().len() * 4;
        for index in 0..self.name_count {
            let name = self.name(index)?;
            name_bytes = name_bytes.saturating_sub(name.as_bytes().len());
            // Names that add up to more than the file overlap: no linker sorted them.
            sorted &= previous <= name && name_bytes > 0;
            if !sorted {
                break;
            }
            previous = name;
        }
        Ok(*self.is_sorted.get_or_init(|| sorted))
    }

    fn name(&self, index: u32) -> Result<Name<'a>, ImageError> {
        const FIELD: &str = "Export AddressOfNames entry";
        let at = self.names + u64::from(index) * 4;
        let target = self.image.u32_at(at, FIELD)?;
        self.image.name_at(at, FIELD, target.into())
    }

    fn named(&self, index: u32) -> Result<Option<Export<'a>>, ImageError> {
        let at = self.ordinals + u64::from(index) * 2;
        let function = self.image.u16_at(at, "Export AddressOfNameOrdinals entry")?;
        if u32::from(function) >= self.function_count {
            let expected = format!("less than NumberOfFunctions ({:#x})", self.function_count);
            return Err(self.image.unexpected(at, "Export AddressOfNameOrdinals entry", function, expected));
        }
        self.entry(Some(self.name(index)?), function.into())
    }

    fn entry(&self, name: Option<Name<'a>>, index: u32) -> Result<Option<Export<'a>>, ImageError> {
        const FIELD: &str = "Export AddressOfFunctions entry";
        let at = self.functions + u64::from(index) * 4;
        let rva = self.image.u32_at(at, FIELD)?;
        if rva == 0 {
            return Ok(None);
        }
        // What points back into the directory is the text of a forwarder, not code.
        let is_forwarder =
            rva.checked_sub(self.directory.rva.get()).is_some_and(|into| into < self.directory.size);
        let target = if is_forwarder {
            ExportTarget::Forwarder(Forwarder(self.image.name_at(at, FIELD, rva.into())?))
        } else {
            ExportTarget::Rva(Rva::new(rva))
        };
        Ok(Some(Export { name, ordinal: self.ordinal_base.wrapping_add(index), target }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forwarders_split_at_the_last_dot() {
        let split = |text: &'static str| Forwarder(Name(text.as_bytes())).split();
        let name = |text: &'static str| Name(text.as_bytes());
        assert_eq!(split("NTDLL.RtlX"), Some((name("NTDLL"), ForwardedSymbol::Name(name("RtlX")))));
        assert_eq!(split("a.b.#12"), Some((name("a.b"), ForwardedSymbol::Ordinal(12))));
        assert_eq!(split("a.#x"), Some((name("a"), ForwardedSymbol::Name(name("#x")))));
        assert_eq!(split("nothing"), None);
    }
}
