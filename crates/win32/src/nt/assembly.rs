//! Side-by-side assemblies: which DLLs the manifests of the program, of its DLLs and of activation contexts provide.
//!
//! Nothing is loaded by them here; Visual C++ 2005's and 2008's runtimes ask whether a manifest is why they were.
//! Source: <https://learn.microsoft.com/windows/win32/sbscs/assembly-searching-sequence>

use plat_abi::Memory;

use super::data_file::{self, FileImage};
use super::resource::{self, ResourceName};
use crate::guest::Guest;
use crate::logic::assembly_manifest::{AssemblyManifest, installed_has};
use crate::process::{Module, Process};

/// `RT_MANIFEST`.
const RT_MANIFEST: ResourceName = ResourceName::Id(24);
/// `CREATEPROCESS_MANIFEST_RESOURCE_ID`.
const OF_PROGRAM: u16 = 1;
/// `ISOLATIONAWARE_MANIFEST_RESOURCE_ID`.
const OF_DLL: u16 = 2;
/// No manifest is read beyond this.
const MOST: u32 = 1 << 18;

/// A manifest, and the folder in which the assemblies are that only it uses.
#[derive(Clone, Debug)]
pub struct Source {
    manifest: AssemblyManifest,
    folder: Vec<u16>,
}

/// Returns the folder of a path, with its last backslash.
fn folder_of(path: &[u16]) -> Vec<u16> {
    let end = path.iter().rposition(|&unit| unit == u16::from(b'\\')).map_or(0, |place| place + 1);
    path[..end].to_vec()
}

fn read_file(process: &Process, path: &[u16]) -> Option<AssemblyManifest> {
    let file = data_file::open(process, path).ok()?;
    let mut bytes = vec![0; MOST as usize];
    let length = file.read(&mut bytes, Some(0)).ok()?;
    AssemblyManifest::read(&bytes[..length as usize])
}

fn read_resource<M: Memory>(memory: &M, base: u64, number: u16) -> Option<AssemblyManifest> {
    let found = resource::find(memory, base, &RT_MANIFEST, &ResourceName::Id(number), 0).ok()?;
    let mut bytes = vec![0; found.size.min(MOST) as usize];
    memory.read_bytes(found.address, &mut bytes).ok()?;
    AssemblyManifest::read(&bytes)
}

impl Source {
    /// Reads the manifest that a module has among its resources; a program's may lie in a file beside it.
    pub fn of_module(guest: &Guest, module: &Module) -> Option<Self> {
        let number = if module.is_program { OF_PROGRAM } else { OF_DLL };
        let beside = || {
            let name: Vec<u16> = module.path.iter().copied().chain(".manifest".encode_utf16()).collect();
            module.is_program.then(|| read_file(guest.process(), &name)).flatten()
        };
        let manifest = read_resource(guest, module.base, number).or_else(beside)?;
        Some(Self { manifest, folder: folder_of(&module.path) })
    }

    /// Reads a manifest's file.
    pub fn of_file(process: &Process, path: &[u16]) -> Option<Self> {
        Some(Self { manifest: read_file(process, path)?, folder: folder_of(path) })
    }

    /// Reads the manifest among the resources of an image's file.
    pub fn of_image_file(process: &Process, path: &[u16], number: u16) -> Option<Self> {
        let image = FileImage::open(process, path).ok()?;
        let manifest = read_resource(&image, FileImage::BASE, number)?;
        Some(Self { manifest, folder: folder_of(path) })
    }

    /// Returns it with another folder for its own assemblies.
    #[must_use]
    pub fn in_folder(mut self, mut folder: Vec<u16>) -> Self {
        if folder.last() != Some(&u16::from(b'\\')) {
            folder.push(u16::from(b'\\'));
        }
        self.folder = folder;
        self
    }

    /// Says whether a file comes from one of the manifest's assemblies, or is its own.
    pub fn provides(&self, process: &Process, file: &str) -> bool {
        let from = |assembly: &String| {
            installed_has(assembly, file) || self.private(process, assembly).is_some_and(|it| it.has(file))
        };
        self.manifest.has(file) || self.manifest.dependencies.iter().any(from)
    }

    /// Reads the manifest of an assembly that lies in the folder, or in a folder of its name there.
    fn private(&self, process: &Process, assembly: &str) -> Option<AssemblyManifest> {
        let read = |name: String| {
            let path: Vec<u16> = self.folder.iter().copied().chain(name.encode_utf16()).collect();
            read_file(process, &path)
        };
        read(format!("{assembly}.manifest")).or_else(|| read(format!("{assembly}\\{assembly}.manifest")))
    }
}

/// Says whether the program's manifest provides a file, or that of a DLL that is loaded.
///
/// Windows takes a DLL's manifest for what that DLL loads only.
pub fn process_provides(guest: &Guest, file: &str) -> bool {
    let process = guest.process();
    let mut modules = process.loader().modules();
    modules.sort_by_key(|module| !module.is_program);
    let mut sources = modules.iter().filter(|module| !module.is_builtin);
    sources
        .any(|module| Source::of_module(guest, module).is_some_and(|source| source.provides(process, file)))
}
