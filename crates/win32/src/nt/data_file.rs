//! Modules that are only looked at: files in guest memory as they are (`LOAD_LIBRARY_AS_DATAFILE`), and files read where
//! they lie on the disk.
//!
//! Key types: [`DataFiles`], [`FileImage`].

use std::collections::BTreeSet;
use std::sync::Mutex;

use plat_abi::{Fault, FaultKind, Machine, Memory};
use plat_regions::{Address, Use};

use super::file::{FileObject, access};
use super::file_open::{CreateOptions, Disposition, Request};
use super::path::lock;
use crate::process::Process;
use crate::{NtStatus, Win32Error};

/// `FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE`.
const SHARE_ALL: u32 = 7;
/// What is read at once.
const PIECE: u64 = 1 << 20;

/// Opens a file to be looked at, which keeps nobody from using it.
///
/// # Errors
/// Those of [`super::path::FileSystem::open`] and of a malformed path.
pub fn open(process: &Process, path: &[u16]) -> Result<FileObject, Win32Error> {
    let request = Request {
        access: access::FILE_READ,
        share: SHARE_ALL,
        disposition: Disposition::Open,
        options: CreateOptions::NON_DIRECTORY_FILE,
        attributes: 0,
        mode: None,
    };
    let unix = process.files.resolve_file(path)?;
    Ok(process.files.open(unix, &request)?.0)
}

/// A file as memory that begins at address 0: [`super::resource`] reads it with [`FileImage::BASE`] for the base.
pub struct FileImage(FileObject);

impl FileImage {
    /// The base of a file as it is.
    pub const BASE: u64 = 1;

    /// Opens the file of a path.
    ///
    /// # Errors
    /// As [`open`].
    pub fn open(process: &Process, path: &[u16]) -> Result<Self, Win32Error> {
        open(process, path).map(Self)
    }

    /// Says whether the file begins as a PE image does.
    pub fn is_pe(&self) -> bool {
        let header = || {
            let magic = self.read::<u16>(0)?;
            let at = self.read_u32(0x3c)?;
            Ok::<_, Fault>(magic == 0x5a4d && self.read_u32(u64::from(at))? == 0x4550)
        };
        header().unwrap_or(false)
    }

    /// Says whether a PE image has a table of certificates.
    pub fn has_signature(&self) -> bool {
        let size = || {
            let optional = u64::from(self.read_u32(0x3c)?) + 24;
            let directories = optional + if self.read::<u16>(optional)? == 0x20b { 112 } else { 96 };
            self.read_u32(directories + 4 * 8 + 4)
        };
        size().is_ok_and(|size: u32| size > 0)
    }
}

impl Memory for FileImage {
    fn machine(&self) -> Machine {
        // Nothing of a file's width depends on it.
        Machine::Amd64
    }

    fn read_bytes(&self, address: u64, into: &mut [u8]) -> Result<(), Fault> {
        let mut done = 0;
        while done < into.len() {
            let at = address.wrapping_add(done as u64);
            match self.0.read(&mut into[done..], Some(at)) {
                Ok(read) if read > 0 => done += read as usize,
                _ => return Err(Fault { address: Address::new(at), kind: FaultKind::Read }),
            }
        }
        Ok(())
    }

    fn write_bytes(&self, address: u64, _: &[u8]) -> Result<(), Fault> {
        Err(Fault { address: Address::new(address), kind: FaultKind::Write })
    }
}

/// The files that were loaded as data.
#[derive(Default)]
pub struct DataFiles {
    bases: Mutex<BTreeSet<u64>>,
}

impl DataFiles {
    /// Reads a file into guest memory; returns its handle, the address with the lowest bit set.
    ///
    /// # Errors
    /// - `BAD_EXE_FORMAT` when it is no PE image
    /// - those of opening it; `NOT_ENOUGH_MEMORY`
    pub fn load(&self, process: &Process, path: &[u16]) -> Result<u64, Win32Error> {
        let image = FileImage::open(process, path)?;
        if !image.is_pe() {
            return Err(Win32Error::BAD_EXE_FORMAT);
        }
        let size = image.0.size()?;
        let base = process.memory.allocate_data(size, Use::Private, "data file")?;
        let mut done = 0;
        while done < size {
            let read = image.0.read_to_guest(base + done, PIECE.min(size - done), Some(done));
            match read {
                Ok(read) if read > 0 => done += read,
                other => {
                    process.memory.release(base);
                    return Err(other.err().unwrap_or(NtStatus::INVALID_IMAGE_FORMAT).into());
                }
            }
        }
        lock(&self.bases).insert(base);
        Ok(base | FileImage::BASE)
    }

    /// Gives a file up; says whether the handle was one.
    pub fn unload(&self, process: &Process, handle: u64) -> bool {
        let base = handle & !FileImage::BASE;
        let was_there = handle != base && lock(&self.bases).remove(&base);
        if was_there {
            process.memory.release(base);
        }
        was_there
    }
}
