//! PE32 and PE32+ images, loaded by the rules of Windows: [`PeImage`], and one file for each part of it.
//!
//! `headers` reads the fixed part, `sections` the section table, `segments` decides what is mapped where. Each data
//! directory has its own file and is read only when asked for.

mod checksum;
mod debug;
mod exceptions;
mod exports;
mod fields;
mod headers;
mod imports;
mod load_config;
mod manifest;
mod relocations;
mod resources;
mod sections;
mod segments;
mod tls;
mod version;
mod view;

pub use checksum::checksum;
pub use debug::{Database, DebugEntry};
pub use exceptions::RuntimeFunction;
pub use exports::{Export, ExportTarget, Exports, ForwardedSymbol, Forwarder};
pub use fields::Field;
pub use headers::{Characteristics, DirectoryEntry, DirectoryKind, DllCharacteristics, Headers, Machine};
pub use imports::{BoundImport, DelayImportModule, ImportEntry, ImportModule, ImportSymbol};
pub use load_config::LoadConfig;
pub use manifest::{Manifest, RT_MANIFEST};
pub use relocations::{Relocation, RelocationBlock, RelocationBlocks, RelocationKind, Relocations};
pub use resources::{RT_VERSION, Resource, ResourceId};
pub use sections::{Section, SectionFlags};
pub use segments::Segment;
pub use tls::TlsDirectory;
pub use version::{FixedVersion, VersionInfo, VersionTable};

use std::borrow::Cow;
use std::fmt;

use crate::{FileOffset, ImageError, Place, Rva, classify};
use view::View;

/// A page of memory in bytes, as the fields of a PE count.
const PAGE: u64 = plat_regions::PAGE_SIZE;

/// The longest name of a module or function that is read, in bytes; C++ names beyond 4 KiB have been met.
const NAME_BYTES_MAX: usize = 0x4000;

/// A PE image whose headers and section table have been checked as Windows checks them.
#[derive(Debug, Clone)]
pub struct PeImage<'a> {
    name: Box<str>,
    view: View<'a>,
    headers: Headers,
    sections: Vec<Section>,
    segments: Vec<Segment>,
}

impl<'a> PeImage<'a> {
    /// Parses a whole file. `name` is for error messages.
    ///
    /// Machines that cannot run here parse too: ask [`Headers::machine`] and [`PeImage::is_managed`].
    ///
    /// # Errors
    /// [`ImageError::WrongKind`] when the file is no PE; else the first field that Windows would refuse.
    pub fn parse(name: &str, bytes: &'a [u8]) -> Result<Self, ImageError> {
        let headers = Headers::read(name, bytes, false)?;
        let sections = sections::read(name, bytes, &headers)?;
        let segments = segments::plan(name, bytes.len() as u64, &headers, &sections)?;
        let pieces = segments.iter().map(Segment::piece).collect();
        Ok(Self { name: name.into(), view: View::of_file(bytes, pieces), headers, sections, segments })
    }

    /// Reads the headers from the first bytes of a file, without its sections: 4 KiB are enough for most files.
    ///
    /// # Errors
    /// As [`PeImage::parse`], for the headers alone.
    pub fn peek(name: &str, head: &[u8]) -> Result<Headers, ImageError> {
        Headers::read(name, head, false)
    }

    /// Parses an image that is mapped already: the byte at index n is the byte at RVA n.
    ///
    /// The rules about file offsets and raw sizes are not applied, since the file is not there. Addresses in
    /// directories are taken relative to the `ImageBase` in these headers, which a loader updates when it relocates.
    ///
    /// # Errors
    /// As [`PeImage::parse`].
    pub fn parse_mapped(name: &str, bytes_by_rva: &'a [u8]) -> Result<Self, ImageError> {
        let headers = Headers::read(name, bytes_by_rva, true)?;
        let sections = sections::read(name, bytes_by_rva, &headers)?;
        let segments = segments::plan_mapped(&headers, &sections);
        Ok(Self { name: name.into(), view: View::of_memory(bytes_by_rva), headers, sections, segments })
    }

    /// Returns the name given at parsing.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the fields of the file header and the optional header.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Returns the section table.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// Returns what to map, in ascending order and without overlap: the headers first, then the sections.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Returns the section that covers `rva`, if any.
    pub fn section_at(&self, rva: Rva) -> Option<&Section> {
        let inside = |section: &&Section| {
            let start = u64::from(section.virtual_address.get());
            (start..start + u64::from(section.mapped_bytes())).contains(&u64::from(rva.get()))
        };
        self.sections.iter().find(inside)
    }

    /// Says whether the image holds managed (.NET) code: it has a CLR header.
    ///
    /// Source: ECMA-335, II.25.3.3 "CLI header".
    pub fn is_managed(&self) -> bool {
        self.headers.directory(DirectoryKind::ClrRuntimeHeader).is_some()
    }

    /// Says whether this was parsed from memory rather than from a file.
    pub fn is_mapped(&self) -> bool {
        self.view.is_mapped()
    }

    /// Returns the bytes that the image was parsed from.
    pub fn source(&self) -> &'a [u8] {
        self.view.bytes()
    }

    /// Returns `length` bytes at `rva` in one slice; `None` where some of them are zero fill or not mapped.
    pub fn slice(&self, rva: Rva, length: u32) -> Option<&'a [u8]> {
        self.view.slice(u64::from(rva.get()), u64::from(length))
    }

    /// Returns the position in the file of the byte at `rva`, if it comes from one.
    pub fn file_offset(&self, rva: Rva) -> Option<FileOffset> {
        self.view.file_offset(u64::from(rva.get()))
    }

    /// Lays the image out as Windows does: a buffer of `SizeOfImage` bytes, sections copied, the rest zero.
    ///
    /// For tools and tests; a loader maps [`PeImage::segments`] instead. The buffer's size comes from a field of
    /// the file, so the result is `None` when it exceeds `bytes_max`.
    pub fn to_mapped(&self, bytes_max: u64) -> Option<Vec<u8>> {
        let size = u64::from(self.headers.size_of_image).next_multiple_of(PAGE);
        if size > bytes_max {
            return None;
        }
        let mut mapped = vec![0; usize::try_from(size).ok()?];
        for piece in self.segments.iter().map(Segment::piece) {
            let source = self.view.bytes().get(piece.source_start..piece.source_end)?;
            let start = usize::try_from(piece.start).ok()?;
            mapped.get_mut(start..start + source.len())?.copy_from_slice(source);
        }
        Some(mapped)
    }

    // The readers that all directories share. RVAs are 64 bits wide here so that sums cannot overflow.

    fn place(&self, rva: u64, field: impl Into<Cow<'static, str>>) -> Place {
        Place {
            file: self.name.clone(),
            offset: self.view.file_offset(rva),
            rva: Some(rva),
            field: field.into(),
        }
    }

    fn unmapped(&self, rva: u64, field: impl Into<Cow<'static, str>>, target: u64) -> ImageError {
        let image_bytes = u64::from(self.headers.size_of_image);
        ImageError::Unmapped { place: self.place(rva, field), target, image_bytes }
    }

    fn unexpected(
        &self,
        rva: u64,
        field: impl Into<Cow<'static, str>>,
        found: impl Into<u64>,
        expected: impl Into<Cow<'static, str>>,
    ) -> ImageError {
        ImageError::Unexpected {
            place: self.place(rva, field),
            found: found.into(),
            expected: expected.into(),
        }
    }

    fn too_many(&self, rva: u64, field: impl Into<Cow<'static, str>>, limit: u64) -> ImageError {
        ImageError::TooMany { place: self.place(rva, field), limit }
    }

    fn u16_at(&self, rva: u64, field: &'static str) -> Result<u16, ImageError> {
        self.view.read(rva).map(u16::from_le_bytes).ok_or_else(|| self.unmapped(rva, field, rva))
    }

    fn u32_at(&self, rva: u64, field: &'static str) -> Result<u32, ImageError> {
        self.view.read(rva).map(u32::from_le_bytes).ok_or_else(|| self.unmapped(rva, field, rva))
    }

    fn u64_at(&self, rva: u64, field: &'static str) -> Result<u64, ImageError> {
        self.view.read(rva).map(u64::from_le_bytes).ok_or_else(|| self.unmapped(rva, field, rva))
    }

    /// Reads a pointer-sized word: 4 bytes in PE32, 8 in PE32+.
    fn word_at(&self, rva: u64, field: &'static str) -> Result<u64, ImageError> {
        if self.headers.is_64 { self.u64_at(rva, field) } else { self.u32_at(rva, field).map(u64::from) }
    }

    fn word_bytes(&self) -> u64 {
        if self.headers.is_64 { 8 } else { 4 }
    }

    /// Turns an absolute address, as TLS and load config directories hold, into an RVA.
    fn rva_of_address(&self, rva: u64, field: &'static str, address: u64) -> Result<Rva, ImageError> {
        let target = address.wrapping_sub(self.headers.image_base);
        match u32::try_from(target) {
            Ok(target) if target <= self.headers.size_of_image => Ok(Rva::new(target)),
            _ => Err(self.unmapped(rva, field, target)),
        }
    }

    /// Reads the name at `target`, which `field` at `rva` points at.
    fn name_at(&self, rva: u64, field: &'static str, target: u64) -> Result<Name<'a>, ImageError> {
        match self.view.text(target, NAME_BYTES_MAX) {
            Some(Some(bytes)) => Ok(Name(bytes)),
            Some(None) => Err(ImageError::Unterminated {
                place: self.place(rva, field),
                target: Rva::new(u32::try_from(target).unwrap_or(u32::MAX)),
                limit: NAME_BYTES_MAX as u64,
            }),
            None => Err(self.unmapped(rva, field, target)),
        }
    }

    /// Returns how many entries of `entry_bytes` the source could hold at most: the bound of every loop.
    fn entries_max(&self, entry_bytes: u64) -> u64 {
        self.view.bytes().len() as u64 / entry_bytes + 1
    }
}

/// A name in an image: bytes without a NUL, in practice ASCII.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name<'a>(&'a [u8]);

impl<'a> Name<'a> {
    /// Returns the bytes as they are in the image.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Returns the name as text; bytes that are not UTF-8 become U+FFFD.
    pub fn to_text(self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.0)
    }
}

impl fmt::Display for Name<'_> {
    /// Writes the name with every byte outside printable ASCII as `\xNN`, so that no file can garble a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl PartialEq<str> for Name<'_> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Name<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

/// Makes the error of something that is no PE at all.
fn wrong_kind(name: &str, bytes: &[u8]) -> ImageError {
    ImageError::WrongKind { file: name.into(), kind: classify(bytes) }
}
