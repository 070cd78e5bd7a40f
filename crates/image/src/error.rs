//! What can be wrong with an image: [`ImageError`], and [`Place`], which says where.

use std::borrow::Cow;
use std::fmt;

use crate::{FileKind, FileOffset, Rva};

/// Where in which file a value was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The name that the image was parsed under.
    pub file: Box<str>,
    /// The position in the file, where the value comes from a file.
    pub offset: Option<FileOffset>,
    /// The position in the mapped image, where the value was found through one; wider than an [`Rva`], since a wrong
    /// directory can lead past the end of 32 bits.
    pub rva: Option<u64>,
    /// The field's name as in the PE specification, with the section or entry it belongs to.
    pub field: Cow<'static, str>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file)?;
        match (self.offset, self.rva) {
            (Some(offset), None) => write!(f, "offset {offset}, ")?,
            (Some(offset), Some(rva)) => write!(f, "offset {offset} (rva {rva:#x}), ")?,
            (None, Some(rva)) => write!(f, "rva {rva:#x}, ")?,
            (None, None) => {}
        }
        write!(f, "field {}", self.field)
    }
}

/// Why bytes are not an image that Windows would load, or why a part of an image cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// The bytes are something else than a PE image.
    #[error("{file}: {kind}")]
    WrongKind {
        /// The name that the image was parsed under.
        file: Box<str>,
        /// What the bytes are instead.
        kind: FileKind,
    },
    /// A field, or what it points at, lies behind the end of the file.
    #[error("{place}: points at {target:#x} but the file has {file_bytes} bytes; the file may be truncated")]
    PastEnd {
        /// The field that points too far, or that is itself missing.
        place: Place,
        /// The first byte, or the end of the bytes, that would be needed.
        target: u64,
        /// The size of the file in bytes.
        file_bytes: u64,
    },
    /// A field points at an RVA that nothing is mapped at.
    #[error(
        "{place}: points at rva {target:#x}, outside the image of {image_bytes:#x} bytes or in a hole of it"
    )]
    Unmapped {
        /// The field that points there, or that would lie there.
        place: Place,
        /// Where it points.
        target: u64,
        /// The image's size in memory, in bytes.
        image_bytes: u64,
    },
    /// A field has a value that Windows refuses.
    #[error("{place}: is {found:#x}, expected {expected}")]
    Unexpected {
        /// The field.
        place: Place,
        /// Its value.
        found: u64,
        /// Which values are possible.
        expected: Cow<'static, str>,
    },
    /// A table claims, or turns out, to be longer than anything that this file could hold.
    #[error("{place}: holds more than {limit} entries, the most that a file of this size can describe")]
    TooMany {
        /// The table or its counter.
        place: Place,
        /// The most entries that are read.
        limit: u64,
    },
    /// A text does not end where it should.
    #[error("{place}: the text at rva {target} has no end within {limit} bytes")]
    Unterminated {
        /// The field that points at the text.
        place: Place,
        /// Where the text begins.
        target: Rva,
        /// The most bytes that are read.
        limit: u64,
    },
}
