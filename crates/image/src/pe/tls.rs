//! Thread-local storage that an image declares: [`TlsDirectory`].

use std::ops::Range;

use super::{DirectoryKind, PeImage};
use crate::{ImageError, Rva};

/// The TLS directory, with addresses turned into RVAs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsDirectory {
    /// The bytes that each thread's block starts with.
    pub template: Range<Rva>,
    /// How many zero bytes follow them.
    pub zero_fill_bytes: u32,
    /// The 4-byte variable that receives the module's TLS index; `None` when the image wants none.
    pub index: Option<Rva>,
    /// The functions to call when threads come and go, in order.
    pub callbacks: Vec<Rva>,
    /// The block's alignment in bytes, if the directory asks for one.
    pub alignment: Option<u32>,
}

impl PeImage<'_> {
    /// Reads the TLS directory; `None` when there is none.
    ///
    /// # Errors
    /// When an address lies outside the image, the template ends before it starts, or callbacks have no end.
    ///
    /// Source: PE Format, "The .tls Section".
    pub fn tls(&self) -> Result<Option<TlsDirectory>, ImageError> {
        let Some(directory) = self.headers.directory(DirectoryKind::Tls) else { return Ok(None) };
        let at = u64::from(directory.rva.get());
        let word = self.word_bytes();
        let address = |index: u64, field| -> Result<Option<Rva>, ImageError> {
            match self.word_at(at + index * word, field)? {
                0 => Ok(None),
                address => self.rva_of_address(at + index * word, field, address).map(Some),
            }
        };
        let start = address(0, "TLS RawDataStartVA")?.unwrap_or_default();
        let end = address(1, "TLS RawDataEndVA")?.unwrap_or_default();
        if end < start {
            let expected = format!("at least RawDataStartVA (rva {start})");
            return Err(self.unexpected(at + word, "TLS RawDataEndVA", end.get(), expected));
        }
        let callbacks = match address(3, "TLS AddressOfCallbacks")? {
            Some(list) => self.tls_callbacks(list)?,
            None => Vec::new(),
        };
        let characteristics = self.u32_at(at + word * 4 + 4, "TLS Characteristics")?;
        let alignment_code = characteristics >> 20 & 0xf;
        Ok(Some(TlsDirectory {
            template: start..end,
            zero_fill_bytes: self.u32_at(at + word * 4, "TLS SizeOfZeroFill")?,
            index: address(2, "TLS AddressOfIndex")?,
            callbacks,
            // The codes are those of section flags: 1 is one byte, each further one doubles, 15 is not in use.
            alignment: (1..15).contains(&alignment_code).then(|| 1 << (alignment_code - 1)),
        }))
    }

    fn tls_callbacks(&self, list: Rva) -> Result<Vec<Rva>, ImageError> {
        const FIELD: &str = "TLS callback";
        let mut callbacks = Vec::new();
        let limit = self.entries_max(self.word_bytes());
        for index in 0..limit {
            let at = u64::from(list.get()) + index * self.word_bytes();
            match self.word_at(at, FIELD)? {
                0 => return Ok(callbacks),
                address => callbacks.push(self.rva_of_address(at, FIELD, address)?),
            }
        }
        Err(self.too_many(list.get().into(), "TLS AddressOfCallbacks", limit))
    }
}
