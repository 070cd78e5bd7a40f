//! The exception directory of x86-64 images: [`RuntimeFunction`]. What it points at is the unwinder's matter.

use super::{DirectoryKind, Machine, PeImage};
use crate::{ImageError, Rva};

/// A function and where its unwind information is.
///
/// Source: Microsoft, "x64 exception handling", "struct RUNTIME_FUNCTION".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuntimeFunction {
    /// The function's first byte.
    pub begin: Rva,
    /// The first byte after it.
    pub end: Rva,
    /// Its UNWIND_INFO; where the lowest bit is set, another entry of this table.
    pub unwind_info: Rva,
}

impl PeImage<'_> {
    /// Returns how many entries the exception directory has; zero on machines other than x86-64.
    pub fn runtime_function_count(&self) -> u32 {
        match self.headers.directory(DirectoryKind::Exception) {
            Some(directory) if self.headers.machine == Machine::Amd64 => {
                u64::from(directory.size / 12).min(self.entries_max(12)) as u32
            }
            _ => 0,
        }
    }

    /// Reads the entry at `index` of the exception directory; `None` behind its end.
    ///
    /// # Errors
    /// When the entry lies outside the image.
    pub fn runtime_function(&self, index: u32) -> Result<Option<RuntimeFunction>, ImageError> {
        let Some(directory) = self.headers.directory(DirectoryKind::Exception) else { return Ok(None) };
        if index >= self.runtime_function_count() {
            return Ok(None);
        }
        let at = u64::from(directory.rva.get()) + u64::from(index) * 12;
        Ok(Some(RuntimeFunction {
            begin: Rva::new(self.u32_at(at, "RUNTIME_FUNCTION BeginAddress")?),
            end: Rva::new(self.u32_at(at + 4, "RUNTIME_FUNCTION EndAddress")?),
            unwind_info: Rva::new(self.u32_at(at + 8, "RUNTIME_FUNCTION UnwindInfoAddress")?),
        }))
    }

    /// Returns the entry of the function around `rva`, by a binary search as on Windows; `None` for a leaf function.
    ///
    /// # Errors
    /// As [`PeImage::runtime_function`].
    pub fn runtime_function_at(&self, rva: Rva) -> Result<Option<RuntimeFunction>, ImageError> {
        let (mut low, mut high) = (0, self.runtime_function_count());
        while low < high {
            let middle = low + (high - low) / 2;
            let Some(function) = self.runtime_function(middle)? else { return Ok(None) };
            if rva < function.begin {
                high = middle;
            } else if rva >= function.end {
                low = middle + 1;
            } else {
                return Ok(Some(function));
            }
        }
        Ok(None)
    }
}
