//! Executable images: bytes become checked headers, segments, imports, exports, relocations and more.
//!
//! Pure values: no I/O, no unsafe. Start with [`PeImage::parse`] for a file, [`PeImage::parse_mapped`] for an
//! image that already lies in memory, [`classify()`] for bytes that may be anything, and [`ImageBuilder`] to make one
//! ([`generated`] when the compiler is to make it).
//! No input makes this crate panic, loop without end, or allocate more than a small multiple of its own size.
#![forbid(unsafe_code)]

mod address;
mod classify;
pub mod elf;
mod error;
pub mod generated;
pub mod pe;
mod writer;

pub use address::{FileOffset, Rva};
pub use classify::{FileKind, classify};
pub use elf::ElfImage;
pub use error::{ImageError, Place};
pub use pe::PeImage;
pub use writer::{BuildError, BuiltImage, ExportValue, ImageBuilder, Spot};
