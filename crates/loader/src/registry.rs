//! The user's registry for commands: where it is, its keys and values, `.reg` files. Key type: [`Registry`].

pub use plat_win32::Win32Error;
pub use plat_win32::cmd::reg::{KINDS, export_bytes, kind_name, long_path, read_data, show_data};
pub use plat_win32::logic::reg_file::{RegError, Value};
pub use plat_win32::nt::registry::{Key, Registry};
pub use plat_win32::nt::registry_tree::Node;

/// Reads a `.reg` file's bytes and makes its changes, all or none; returns how many.
///
/// # Errors
/// [`ImportError`].
pub fn import(registry: &Registry, bytes: &[u8]) -> Result<usize, ImportError> {
    let changes = plat_win32::logic::reg_file::parse(bytes, plat_win32::nt::nls::widen)?;
    registry.import(&changes).map_err(ImportError::Refused)?;
    Ok(changes.len())
}

/// Why a file was not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It is no `.reg` file.
    #[error(transparent)]
    Damaged(#[from] RegError),
    /// A key has a root that there is not, or the registry's file could not be written.
    #[error("the registry refuses it: {0}")]
    Refused(Win32Error),
}
