//! What Windows maps of an image, and which images it refuses: [`Segment`].
//!
//! Sections must follow one another in memory in the table's order, without holes. File contents are taken in whole
//! sectors: `PointerToRawData` is rounded down to 512. An image whose sections are aligned to less than a page is
//! mapped flat instead, in one piece that may be read, written and executed.
//!
//! Source: corkami, "PE", <http://corkami.blogspot.com/p/pe.html> (high and low alignment); PE Format, "Section Table".

use std::borrow::Cow;
use std::ops::Range;

use plat_regions::Access;

use super::PAGE;
use super::headers::{Fields, Headers};
use super::sections::{Section, SectionFlags};
use super::view::Piece;
use crate::{FileOffset, ImageError, Rva};

/// Contents of files are taken from whole sectors of this many bytes.
const SECTOR: u64 = 512;

/// A run of pages of the image with one origin and one access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The section's name, or `headers`, or `flat` for an image of low alignment.
    pub name: String,
    /// The index of the section in [`super::PeImage::sections`].
    pub section: Option<usize>,
    /// The pages: both ends are multiples of 4 KiB.
    pub rvas: Range<Rva>,
    /// The bytes that come from the file, from the first page's start on; what remains of the pages is zero.
    /// Empty for an image that is mapped already.
    pub file: Range<FileOffset>,
    /// What may be done with the pages once relocations are applied.
    pub access: Access,
    /// Writes are seen by all processes that load the image; else the pages are private copies.
    pub shared: bool,
    /// The pages may be dropped once the image is loaded.
    pub discardable: bool,
}

impl Segment {
    /// Returns the size in memory in bytes, a multiple of 4 KiB.
    pub fn memory_bytes(&self) -> u32 {
        self.rvas.end.get() - self.rvas.start.get()
    }

    /// Returns how many bytes come from the file.
    pub fn file_bytes(&self) -> u64 {
        self.file.end.get() - self.file.start.get()
    }

    /// Returns how many bytes behind the file's are zero.
    pub fn zero_bytes(&self) -> u64 {
        u64::from(self.memory_bytes()) - self.file_bytes()
    }

    /// Says whether an operating system could map the file's pages as they are: they start at a page of the file.
    ///
    /// The last page may hold more of the file than belongs to the segment: those bytes are to be zeroed.
    pub fn is_file_mappable(&self) -> bool {
        self.file_bytes() > 0 && self.file.start.is_aligned(PAGE)
    }

    /// Says whether a store makes a private copy of the page: writable, and not shared.
    pub fn is_copy_on_write(&self) -> bool {
        self.access.contains(Access::WRITE) && !self.shared
    }

    /// Returns the segment in the form that [`super::view::View`] reads through.
    pub(super) fn piece(&self) -> Piece {
        let index =
            |offset: FileOffset| usize::try_from(offset.get()).expect("plan() keeps ranges inside the file");
        Piece {
            start: self.rvas.start.get().into(),
            end: self.rvas.end.get().into(),
            source_start: index(self.file.start),
            source_end: index(self.file.end),
        }
    }
}

/// Decides what is mapped of a file of `file_bytes` bytes.
pub(super) fn plan(
    name: &str,
    file_bytes: u64,
    headers: &Headers,
    sections: &[Section],
) -> Result<Vec<Segment>, ImageError> {
    let planner = Planner { name, file_bytes, headers };
    if headers.is_low_alignment() {
        return planner.flat(sections);
    }
    let headers_in_file = u64::from(headers.size_of_headers).min(file_bytes);
    let alignment = u64::from(headers.section_alignment);
    let mut next = u64::from(headers.size_of_headers).next_multiple_of(alignment);
    let mut segments = Vec::with_capacity(sections.len() + 1);
    segments.push(headers_segment(headers, headers_in_file));
    let last_in_file = sections.iter().map(|section| section.raw_pointer).max();
    for (index, section) in sections.iter().enumerate() {
        planner.check_placement(index, section, next)?;
        planner.check_size(index, section, next)?;
        let is_last = Some(section.raw_pointer) == last_in_file;
        let file = planner.file_range(index, section, is_last)?;
        segments.push(section_segment(index, section, file));
        next = (next + u64::from(section.mapped_bytes())).next_multiple_of(alignment);
    }
    Ok(segments)
}

/// Describes the segments of an image that is mapped already, as far as its section table is sensible.
pub(super) fn plan_mapped(headers: &Headers, sections: &[Section]) -> Vec<Segment> {
    if headers.is_low_alignment() {
        return vec![flat_segment(headers, 0)];
    }
    let mut segments = vec![headers_segment(headers, 0)];
    let image_end = u64::from(headers.size_of_image).next_multiple_of(PAGE);
    for (index, section) in sections.iter().enumerate() {
        let start = u64::from(section.virtual_address.get());
        let end = (start + u64::from(section.mapped_bytes())).next_multiple_of(PAGE);
        let previous = segments.last().map_or(0, |segment| u64::from(segment.rvas.end.get()));
        if start % PAGE == 0 && start >= previous && start < end && end <= image_end {
            segments.push(section_segment(index, section, FileOffset::new(0)..FileOffset::new(0)));
        }
    }
    segments
}

fn pages(start: u64, bytes: u64) -> Range<Rva> {
    let rva = |value: u64| Rva::new(u32::try_from(value).expect("plan() keeps ends within SizeOfImage"));
    rva(start)..rva((start + bytes).next_multiple_of(PAGE))
}

fn headers_segment(headers: &Headers, file_bytes: u64) -> Segment {
    Segment {
        name: "headers".into(),
        section: None,
        rvas: pages(0, u64::from(headers.size_of_headers).min(headers.size_of_image.into())),
        file: FileOffset::new(0)..FileOffset::new(file_bytes),
        access: Access::READ,
        shared: false,
        discardable: false,
    }
}

fn section_segment(index: usize, section: &Section, file: Range<FileOffset>) -> Segment {
    Segment {
        name: section.name(),
        section: Some(index),
        rvas: pages(section.virtual_address.get().into(), section.mapped_bytes().into()),
        file,
        access: section.access(),
        shared: section.flags.contains(SectionFlags::MEM_SHARED),
        discardable: section.flags.contains(SectionFlags::MEM_DISCARDABLE),
    }
}

/// Describes the one piece of an image of low alignment.
fn flat_segment(headers: &Headers, file_bytes: u64) -> Segment {
    let rvas = pages(0, headers.size_of_image.into());
    let file_end = file_bytes.min(rvas.end.get().into());
    Segment {
        name: "flat".into(),
        section: None,
        rvas,
        file: FileOffset::new(0)..FileOffset::new(file_end),
        access: Access::READ | Access::WRITE | Access::EXECUTE,
        shared: false,
        discardable: false,
    }
}

struct Planner<'b> {
    name: &'b str,
    file_bytes: u64,
    headers: &'b Headers,
}

impl Planner<'_> {
    fn unexpected(
        &self,
        (index, section): (usize, &Section),
        (at, field): (u64, &str),
        found: u64,
        expected: impl Into<Cow<'static, str>>,
    ) -> ImageError {
        let fields =
            Fields { name: self.name, bytes: &[], mapped: self.headers.mapped, zero_past_end: false };
        let field = format!("{field} of section {index} ({})", section.name());
        fields.unexpected(section.entry_offset + at, field, found, expected)
    }

    fn past_end(&self, (index, section): (usize, &Section), target: u64) -> ImageError {
        let fields =
            Fields { name: self.name, bytes: &[], mapped: self.headers.mapped, zero_past_end: false };
        let field = format!("PointerToRawData of section {index} ({})", section.name());
        let mut error = fields.past_end(section.entry_offset + 20, field, target);
        if let ImageError::PastEnd { file_bytes, .. } = &mut error {
            *file_bytes = self.file_bytes;
        }
        error
    }

    /// Refuses a section that does not begin where the one before it ended, or that is empty.
    fn check_placement(&self, index: usize, section: &Section, next: u64) -> Result<(), ImageError> {
        let found = u64::from(section.virtual_address.get());
        if section.mapped_bytes() == 0 {
            return Err(self.unexpected(
                (index, section),
                (8, "VirtualSize"),
                0,
                "a size, or one in SizeOfRawData",
            ));
        }
        if found != next {
            let problem = if found < next { "overlaps what is before it" } else { "leaves a hole before it" };
            let expected =
                format!("{next:#x}: Windows wants sections in order without holes, and this one {problem}");
            return Err(self.unexpected((index, section), (12, "VirtualAddress"), found, expected));
        }
        Ok(())
    }

    /// Refuses a section that ends behind the image.
    fn check_size(&self, index: usize, section: &Section, start: u64) -> Result<(), ImageError> {
        let end = (start + u64::from(section.mapped_bytes())).next_multiple_of(PAGE);
        let limit = u64::from(self.headers.size_of_image).next_multiple_of(PAGE);
        if end <= limit {
            return Ok(());
        }
        let found = section.mapped_bytes().into();
        let expected = format!("an end within SizeOfImage ({limit:#x}), it would be {end:#x}");
        Err(self.unexpected((index, section), (8, "VirtualSize"), found, expected))
    }

    /// Returns which bytes of the file a section is filled from.
    fn file_range(
        &self,
        index: usize,
        section: &Section,
        is_last: bool,
    ) -> Result<Range<FileOffset>, ImageError> {
        let bytes = section.file_bytes();
        let pointer = section.raw_pointer.get();
        let start = pointer - pointer % SECTOR;
        if bytes == 0 {
            return Ok(FileOffset::new(0)..FileOffset::new(0));
        }
        // Linkers leave out the padding of the last section; more may not be missing.
        let slack = if is_last { u64::from(self.headers.file_alignment).clamp(SECTOR, PAGE) - 1 } else { 0 };
        let end = start + bytes;
        if end > self.file_bytes + slack || start >= self.file_bytes {
            return Err(self.past_end((index, section), end));
        }
        Ok(FileOffset::new(start)..FileOffset::new(end.min(self.file_bytes)))
    }

    /// Plans an image of low alignment: the whole file in one piece, each section where it lies in the file.
    fn flat(&self, sections: &[Section]) -> Result<Vec<Segment>, ImageError> {
        for (index, section) in sections.iter().enumerate() {
            let address = u64::from(section.virtual_address.get());
            if section.raw_pointer.get() != address && section.raw_pointer.get() != 0 {
                let expected =
                    format!("{address:#x}, the VirtualAddress, since SectionAlignment is below a page");
                let found = section.raw_pointer.get();
                return Err(self.unexpected((index, section), (20, "PointerToRawData"), found, expected));
            }
            if section.virtual_size > section.raw_size {
                let found = section.virtual_size.into();
                let expected = format!(
                    "at most {:#x}, the SizeOfRawData, since SectionAlignment is below a page",
                    section.raw_size
                );
                return Err(self.unexpected((index, section), (8, "VirtualSize"), found, expected));
            }
        }
        Ok(vec![flat_segment(self.headers, self.file_bytes)])
    }
}
