//! Hard links and symbolic links.

use std::path::{Path, PathBuf};

use plat_abi::GuestWord;
use plat_host::file_path::{self, Status};

use super::text::path;
use crate::Win32Error;
use crate::guest::{Bool, Guest, TRUE};
use crate::logic::path::Target;
use crate::nt::path::status_of;
use crate::widths::both_widths;

/// Fails when something of this name is there, a link that leads nowhere too.
fn check_free(path: &Path) -> Result<(), Win32Error> {
    if Status::of_path(path, false).is_ok() { Err(Win32Error::ALREADY_EXISTS) } else { Ok(()) }
}

fn link(guest: &Guest, new: &[u16], existing: &[u16]) -> Result<Bool, Win32Error> {
    let files = &guest.process().files;
    let (new, existing) = (files.locate(new)?, files.locate(existing)?);
    check_free(&new)?;
    file_path::link(&existing, &new).map_err(status_of)?;
    Ok(TRUE)
}

/// Returns what a symbolic link says: a relative target stays relative.
fn link_text(guest: &Guest, target: &[u16]) -> Result<PathBuf, Win32Error> {
    let is_rooted = |text: &str| text.starts_with(['\\', '/']) || text.get(1..2) == Some(":");
    let text = String::from_utf16_lossy(target);
    if !is_rooted(&text) {
        return Ok(PathBuf::from(text.replace('\\', "/")));
    }
    match guest.process().files.resolve(target)? {
        Target::File { unix, .. } => Ok(unix),
        Target::Device(_) => Err(Win32Error::INVALID_NAME),
    }
}

fn symbolic_link(guest: &Guest, new: &[u16], target: &[u16]) -> Result<(), Win32Error> {
    let place = guest.process().files.locate(new)?;
    let text = link_text(guest, target)?;
    check_free(&place)?;
    file_path::symlink(&text, &place).map_err(status_of)?;
    Ok(())
}

both_widths! {
    /// Gives a file a second name.
    "winbase/nf-winbase-createhardlink"
    CreateHardLinkA, CreateHardLinkW(
        guest, width, lpFileName: GuestWord, lpExistingFileName: GuestWord, lpSecurityAttributes: GuestWord
    ) -> Result<Bool, Win32Error> {
        let _ = lpSecurityAttributes;
        let (new, existing) = (path(guest, width, lpFileName)?, path(guest, width, lpExistingFileName)?);
        link(guest, &new, &existing)
    }

    /// Makes a symbolic link. Links of Linux do not say whether they lead to a file or a directory.
    "winbase/nf-winbase-createsymboliclink"
    CreateSymbolicLinkA, CreateSymbolicLinkW(
        guest, width, lpSymlinkFileName: GuestWord, lpTargetFileName: GuestWord, dwFlags: u32
    ) -> Result<u8, Win32Error> {
        /// `SYMBOLIC_LINK_FLAG_DIRECTORY | SYMBOLIC_LINK_FLAG_ALLOW_UNPRIVILEGED_CREATE`.
        const KNOWN_FLAGS: u32 = 3;
        if dwFlags & !KNOWN_FLAGS != 0 {
            return Err(Win32Error::INVALID_PARAMETER);
        }
        let (new, target) = (path(guest, width, lpSymlinkFileName)?, path(guest, width, lpTargetFileName)?);
        symbolic_link(guest, &new, &target)?;
        Ok(1)
    }
}
