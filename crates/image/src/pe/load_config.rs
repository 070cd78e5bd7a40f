//! The load configuration directory: security cookie, safe handlers, control flow guard: [`LoadConfig`].

use super::{DirectoryKind, PeImage};
use crate::{ImageError, Rva};

/// The fields of the load configuration that a loader acts on; absent ones, in older images, are `None` or zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LoadConfig {
    /// The size in bytes that the structure says it has.
    pub size: u32,
    /// The variable that holds the stack cookie, to be filled with a random word.
    pub security_cookie: Option<Rva>,
    /// The sorted table of RVAs of safe exception handlers; 32-bit images only.
    pub handler_table: Option<Rva>,
    /// Its number of entries.
    pub handler_count: u32,
    /// The variable that holds the address of the control-flow check.
    pub guard_check: Option<Rva>,
    /// The variable that holds the address of the checked dispatch; 64-bit images only use it.
    pub guard_dispatch: Option<Rva>,
    /// Flags of control flow guard.
    pub guard_flags: u32,
    /// What makes the image a hybrid one (ARM64EC, ARM64X, CHPE): code for two processors.
    pub hybrid_metadata: Option<Rva>,
    /// The dynamic value relocation table: the number of its section, from 1, and where it begins in there.
    pub dynamic_relocations: Option<(u16, u32)>,
}

impl PeImage<'_> {
    /// Reads the load configuration; `None` when there is none.
    ///
    /// # Errors
    /// When the directory, or an address in it, lies outside the image.
    ///
    /// Source: PE Format, "Load Configuration Layout"; Windows SDK, `winnt.h`, `IMAGE_LOAD_CONFIG_DIRECTORY64`.
    pub fn load_config(&self) -> Result<Option<LoadConfig>, ImageError> {
        let Some(directory) = self.headers.directory(DirectoryKind::LoadConfig) else { return Ok(None) };
        let at = u64::from(directory.rva.get());
        let size = self.u32_at(at, "LoadConfig Size")?;
        let word_bytes = self.word_bytes();
        // A field counts only when the structure's own size covers it: the directory's size is often 64 instead.
        let word = |at32: u64, at64: u64, field| {
            let offset = if word_bytes == 8 { at64 } else { at32 };
            if offset + word_bytes > u64::from(size) { Ok(0) } else { self.word_at(at + offset, field) }
        };
        let address = |at32: u64, at64: u64, field| match word(at32, at64, field)? {
            0 => Ok(None),
            value => {
                self.rva_of_address(at + if word_bytes == 8 { at64 } else { at32 }, field, value).map(Some)
            }
        };
        let flags_at = if word_bytes == 8 { 144 } else { 88 };
        let has_flags = flags_at + 4 <= u64::from(size);
        let dynamic_at = if word_bytes == 8 { 224 } else { 136 };
        let dynamic_relocations = if dynamic_at + 6 <= u64::from(size) {
            let offset = self.u32_at(at + dynamic_at, "LoadConfig DynamicValueRelocTableOffset")?;
            let section = self.u16_at(at + dynamic_at + 4, "LoadConfig DynamicValueRelocTableSection")?;
            (section != 0).then_some((section, offset))
        } else {
            None
        };
        Ok(Some(LoadConfig {
            size,
            security_cookie: address(60, 88, "LoadConfig SecurityCookie")?,
            handler_table: address(64, 96, "LoadConfig SEHandlerTable")?,
            handler_count: word(68, 104, "LoadConfig SEHandlerCount")?.try_into().unwrap_or(u32::MAX),
            guard_check: address(72, 112, "LoadConfig GuardCFCheckFunctionPointer")?,
            guard_dispatch: address(76, 120, "LoadConfig GuardCFDispatchFunctionPointer")?,
            guard_flags: if has_flags { self.u32_at(at + flags_at, "LoadConfig GuardFlags")? } else { 0 },
            hybrid_metadata: address(124, 200, "LoadConfig CHPEMetadataPointer")?,
            dynamic_relocations,
        }))
    }
}
