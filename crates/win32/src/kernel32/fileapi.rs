//! fileapi.h: files and directories. Opening and transfers here, the rest in the files beside.

pub mod info;
pub mod names;
pub mod open;
pub mod path_names;
pub(in crate::kernel32) mod text;
pub mod transfer;
pub mod volume;

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
    full transfer::ReadFileEx;
    full transfer::WriteFileEx;
    full transfer::SetFilePointer;
    full transfer::SetFilePointerEx;
    full transfer::GetFileSize;
    full transfer::GetFileSizeEx;
    full transfer::SetEndOfFile;
    full transfer::FlushFileBuffers;
    full names::DeleteFileW;
    full names::DeleteFileA;
    full names::CreateDirectoryW;
    full names::CreateDirectoryA;
    full names::RemoveDirectoryW;
    full names::RemoveDirectoryA;
    full names::MoveFileW;
    full names::MoveFileA;
    full names::MoveFileExW;
    full names::MoveFileExA;
    full names::CopyFileW;
    full names::CopyFileA;
    full info::GetFileAttributesW;
    full info::GetFileAttributesA;
    full info::GetFileAttributesExW;
    full info::GetFileAttributesExA;
    full info::GetFileInformationByHandle;
    full info::GetFileTime;
    full info::LockFile;
    full info::UnlockFile;
    full info::LockFileEx;
    full info::UnlockFileEx;
    partial info::SetFileAttributesW, "only the attribute READONLY is kept";
    partial info::SetFileAttributesA, "only the attribute READONLY is kept";
    partial info::SetFileTime, "Linux keeps no creation time that could be set";
    partial info::GetFileInformationByHandleEx, "basic, standard, name, attribute tag and identity only";
    partial info::SetFileInformationByHandle, "basic, rename, disposition, allocation and end of file only";
    full path_names::GetFullPathNameW;
    full path_names::GetFullPathNameA;
    full path_names::GetLongPathNameW;
    full path_names::GetShortPathNameW;
    full path_names::GetTempPathW;
    full path_names::GetTempPathA;
    full path_names::GetTempFileNameW;
    full path_names::GetTempFileNameA;
    full path_names::SearchPathW;
    full path_names::SearchPathA;
    partial path_names::GetFinalPathNameByHandleA, "paths with a drive or without, not those of devices or volumes";
    partial path_names::GetFinalPathNameByHandleW, "paths with a drive or without, not those of devices or volumes";
    full volume::GetLogicalDrives;
    full volume::GetLogicalDriveStringsW;
    full volume::GetDriveTypeW;
    full volume::GetDriveTypeA;
    full volume::GetDiskFreeSpaceW;
    full volume::GetDiskFreeSpaceExW;
    full volume::GetVolumeInformationW;
};
