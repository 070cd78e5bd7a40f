//! Why an image is not changed: [`RebaseError`].

use plat_image::ImageError;
use plat_regions::Address;

/// Why an image was left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RebaseError {
    /// It is no image that Windows would load, or its relocations are wrong; the error has the place.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The new base is none that the image could have.
    #[error("{file}: base {base} {why}")]
    BadBase {
        /// The image's name.
        file: String,
        /// The base that was asked for.
        base: Address,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It is for a machine whose relocations are not known.
    #[error("{file}: machine {machine:#06x}: only i386, x86-64 and ARM64 images can be moved")]
    Machine {
        /// The image's name.
        file: String,
        /// The machine's number in the file header.
        machine: u16,
    },
    /// Its relocations were stripped.
    #[error("{file}: has no relocations (linked with /FIXED, or stripped), so it must stay at {base}")]
    Stripped {
        /// The image's name.
        file: String,
        /// Where it must stay.
        base: Address,
    },
    /// It is a .NET image.
    #[error("{file}: is a .NET image, which its runtime places; --clr moves it all the same")]
    Managed {
        /// The image's name.
        file: String,
    },
    /// It is an ARM64X, ARM64EC or CHPE image.
    #[error(
        "{file}: is a hybrid image (ARM64X, ARM64EC or CHPE), whose second kind of relocations is not handled"
    )]
    Hybrid {
        /// The image's name.
        file: String,
    },
    /// It is signed, and a change makes the signature invalid.
    #[error(
        "{file}: is signed (Authenticode, {bytes} bytes at offset {offset:#x}); --strip-signature removes the signature, \
         --keep-signature leaves it, invalid"
    )]
    Signed {
        /// The image's name.
        file: String,
        /// Where the certificate table begins in the file.
        offset: u64,
        /// Its size in bytes.
        bytes: u64,
    },
    /// The certificate table overlaps what is mapped, so it cannot be taken away.
    #[error("{file}: the certificate table at offset {offset:#x} overlaps a section or the headers")]
    SignatureInImage {
        /// The image's name.
        file: String,
        /// Where the certificate table begins in the file.
        offset: u64,
    },
    /// A change of a header's field would change a section's, too.
    #[error(
        "{file}: the section table lies in the optional header (SizeOfOptionalHeader is too small), so nothing can be changed"
    )]
    HeadersOverlap {
        /// The image's name.
        file: String,
    },
    /// A field of the headers that would change is not in the file.
    #[error(
        "{file}: the header field at offset {offset:#x} lies behind the end of the file, so it cannot be changed"
    )]
    BehindEnd {
        /// The image's name.
        file: String,
        /// Where the field would be.
        offset: u64,
    },
    /// A relocated word is zero fill, or a part of it is: the file has no bytes to hold the new value.
    #[error("{file}: the word to relocate at rva {rva:#x} lies in memory that the file does not fill")]
    ZeroFill {
        /// The image's name.
        file: String,
        /// The word's place.
        rva: u32,
    },
    /// A relocated word lies where a change would break the file: headers, relocations, bytes mapped twice.
    #[error("{file}: the word to relocate at rva {rva:#x} (offset {offset:#x}) lies in {what}")]
    WordIn {
        /// The image's name.
        file: String,
        /// The word's place in memory.
        rva: u32,
        /// The word's place in the file.
        offset: u64,
        /// What lies there.
        what: &'static str,
    },
    /// The file is larger than any image that could be loaded.
    #[error("{file}: has {bytes} bytes, more than an image can have")]
    TooLarge {
        /// The image's name.
        file: String,
        /// Its size in bytes.
        bytes: u64,
    },
    /// The recorded old bytes do not fit the file.
    #[error("{file}: cannot be taken back: {why}")]
    Undo {
        /// The image's name.
        file: String,
        /// What does not fit.
        why: String,
    },
    /// A flag or size does not fit the image.
    #[error("{file}: {what}")]
    Flag {
        /// The image's name.
        file: String,
        /// What does not fit.
        what: String,
    },
}
