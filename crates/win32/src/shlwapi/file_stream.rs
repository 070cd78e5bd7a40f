//! shlwapi.h: a stream over a file.

use plat_abi::{GuestWord, Memory};

use crate::com::{self, ComError, fail, result};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::file::{FileObject, access};
use crate::nt::file_open::{CreateOptions, Disposition, Request};
use crate::ole32::stream::{Backing, Stream};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial SHCreateStreamOnFileA, "sharing modes but for those of CreateFile's usual opening are not told apart";
    partial SHCreateStreamOnFileW, "sharing modes but for those of CreateFile's usual opening are not told apart";
};

/// `STGM_WRITE` and `STGM_READWRITE`.
const WRITES: u32 = 3;
/// `STGM_CREATE`.
const CREATE: u32 = 0x1000;
/// `FILE_ATTRIBUTE_NORMAL`.
const NORMAL: u32 = 0x80;

/// Opens the file of a stream by `STGM_…` flags.
///
/// # Errors
/// The file's error as an `HRESULT`.
pub fn open(guest: &Guest, path: &[u16], mode: u32) -> Result<FileObject, ComError> {
    const SHARE_ALL: u32 = 7;
    let files = &guest.process().files;
    let write = if mode & WRITES == 0 { 0 } else { access::FILE_WRITE };
    let request = Request {
        access: access::FILE_READ | write,
        share: SHARE_ALL,
        disposition: if mode & CREATE == 0 { Disposition::Open } else { Disposition::OverwriteIf },
        options: CreateOptions::NON_DIRECTORY_FILE,
        attributes: NORMAL,
        mode: None,
    };
    let (file, _) = files.open(files.resolve_file(path)?, &request).map_err(|status| status.to_win32())?;
    Ok(file)
}

/// Makes a stream over a file.
fn create(guest: &mut Guest, path: &[u16], mode: u32, into: GuestWord) -> Result<(), ComError> {
    if into.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    guest.write_word(into.get(), 0)?;
    let file = open(guest, path, mode)?;
    com::give(guest, Stream::new(Backing::File(Box::new(file)), 0), into)
}

both_widths! {
    /// Opens or makes a file as a stream.
    "shlwapi/nf-shlwapi-shcreatestreamonfile"
    SHCreateStreamOnFileA, SHCreateStreamOnFileW(
        guest, width, pszFile: GuestWord, grfMode: u32, ppstm: GuestWord
    ) -> Result<(), ComError> {
        let path = match width {
            Width::Narrow => guest.process().files.widen(&guest.read_c_string(pszFile.get())?),
            Width::Wide => guest.read_wide_string(pszFile.get())?,
        };
        create(guest, &path, grfMode, ppstm)
    }
}
