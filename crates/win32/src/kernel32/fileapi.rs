//! fileapi.h: files and directories. Opening and transfers here, the rest in the files beside.

mod info;
mod names;
mod open;
mod path_names;
mod text;
mod transfer;
mod volume;

pub(super) use open::file;
pub(super) use text::{ansi, put_ansi, put_wide, wide};

use crate::dll;
use crate::export::Export;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full open::CreateFileW;
    full open::CreateFileA;
    full open::GetFileType;
    full transfer::ReadFile;
    full transfer::WriteFile;
    full transfer::SetFilePointer;
    full transfer::SetFilePointerEx;
    full transfer::GetFileSize;
    full transfer::GetFileSizeEx;
    full transfer::SetEndOfFile;
    full transfer::FlushFileBuffers;
};
