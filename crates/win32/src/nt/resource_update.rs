//! `UpdateResource`: changes of a file's resources, collected and then written at once.
//!
//! Key type: [`ResourceUpdate`].

use std::path::PathBuf;
use std::sync::Mutex;

use plat_host::file_path::{self, Status};

use super::data_file::{self, FileImage};
use super::file::access;
use super::file_open::{CreateOptions, Disposition, Request};
use super::object::{Object, ObjectKind};
use super::path::{lock, status_of};
use super::resource::{self, ResourceName};
use crate::Win32Error;
use crate::logic::resource_image;
use crate::logic::resource_tree::{Content, ResourceTree};
use crate::process::Process;

/// How many names are tried for the new file.
const TRIES_MAX: u32 = 100;

/// An update on its way.
pub struct ResourceUpdate {
    path: Vec<u16>,
    tree: Mutex<ResourceTree>,
}

impl Object for ResourceUpdate {
    fn kind(&self) -> ObjectKind {
        ObjectKind::ResourceUpdate
    }
}

impl ResourceUpdate {
    /// Reads a file's resources, or begins with none.
    ///
    /// # Errors
    /// - those of opening the file
    /// - `BAD_EXE_FORMAT` when it is no PE image, or when its tree is damaged
    pub fn begin(process: &Process, path: &[u16], empty: bool) -> Result<Self, Win32Error> {
        let path = process.files.full_path(path)?;
        let image = FileImage::open(process, &path)?;
        if !image.is_pe() {
            return Err(Win32Error::BAD_EXE_FORMAT);
        }
        let tree =
            if empty { Ok(ResourceTree::default()) } else { resource::read_all(&image, FileImage::BASE) };
        let tree = tree.map_err(|_| Win32Error::BAD_EXE_FORMAT)?;
        Ok(Self { path, tree: Mutex::new(tree) })
    }

    /// Sets a resource; without bytes takes it away.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` when what is to go is not there.
    pub fn set(
        &self,
        kind: ResourceName,
        name: ResourceName,
        language: u16,
        bytes: Option<Vec<u8>>,
    ) -> Result<(), Win32Error> {
        let (kind, name) = (kind.upcased(), name.upcased());
        let mut tree = lock(&self.tree);
        match bytes {
            Some(bytes) => tree.insert(kind, name, language, Content { bytes, code_page: 0 }),
            None if tree.remove(&kind, &name, language) => {}
            None => return Err(Win32Error::INVALID_PARAMETER),
        }
        Ok(())
    }

    /// Writes the file anew: under another name beside it first, which then takes its place.
    ///
    /// # Errors
    /// Those of the file; `BAD_EXE_FORMAT` when the image cannot take the resources.
    pub fn commit(&self, process: &Process) -> Result<(), Win32Error> {
        let (unix, old) = {
            let file = data_file::open(process, &self.path)?;
            let mut bytes =
                vec![0; usize::try_from(file.size()?).map_err(|_| Win32Error::NOT_ENOUGH_MEMORY)?];
            let mut done = 0;
            while done < bytes.len() {
                match file.read(&mut bytes[done..], Some(done as u64))? {
                    0 => return Err(Win32Error::BAD_EXE_FORMAT),
                    read => done += read as usize,
                }
            }
            (process.files.locate(&self.path)?, bytes)
        };
        let new = resource_image::with_resources(&old, &lock(&self.tree))?;
        let beside = write_beside(process, &unix, &new)?;
        let replaced = process.files.rename(&beside, &unix, true, false);
        if replaced.is_err() {
            // The file stays as it was; what could not take its place goes.
            let _ = file_path::remove_file(&beside);
        }
        Ok(replaced?)
    }
}

/// Writes a new file beside `unix`, with its permissions.
fn write_beside(process: &Process, unix: &std::path::Path, bytes: &[u8]) -> Result<PathBuf, Win32Error> {
    let mode = Status::of_path(unix, true).map_err(status_of)?.mode;
    let request = Request {
        access: access::FILE_WRITE,
        share: 0,
        disposition: Disposition::Create,
        options: CreateOptions::NON_DIRECTORY_FILE,
        attributes: 0,
        mode: None,
    };
    for number in 0..TRIES_MAX {
        let beside = unix.with_file_name(format!("RCX{:X}{number:X}.tmp", std::process::id()));
        let Ok((file, _)) = process.files.open(beside.clone(), &request) else { continue };
        let written = file.write(bytes, Some(0)).map(|_| ());
        drop(file);
        let written = written.and_then(|()| file_path::set_mode(&beside, mode & 0o7777).map_err(status_of));
        if let Err(error) = written {
            let _ = file_path::remove_file(&beside);
            return Err(error.into());
        }
        return Ok(beside);
    }
    Err(Win32Error::ACCESS_DENIED)
}
