//! What can be wrong with an ELF file: [`ElfError`].

/// Why a kernel would not load an ELF file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ElfError {
    /// The file does not begin with the four bytes of ELF.
    #[error("{file}: does not begin with 7f 45 4c 46 (ELF)")]
    NotElf {
        /// The name that the file was parsed under.
        file: Box<str>,
    },
    /// A field has a value that cannot be loaded here.
    #[error("{file}: offset {offset:#x}, field {field}: is {found:#x}, expected {expected}")]
    Unexpected {
        /// The name that the file was parsed under.
        file: Box<str>,
        /// Where the field stands, in bytes from the start of the file.
        offset: u64,
        /// The field's name in the specification.
        field: &'static str,
        /// Its value.
        found: u64,
        /// What would be possible.
        expected: &'static str,
    },
    /// A table or text lies behind the end of the file.
    #[error("{file}: {field} needs bytes up to {end:#x} but the file has {file_bytes:#x}")]
    PastEnd {
        /// The name that the file was parsed under.
        file: Box<str>,
        /// What lies there.
        field: &'static str,
        /// The first byte behind it.
        end: u64,
        /// How many bytes there are.
        file_bytes: u64,
    },
}
