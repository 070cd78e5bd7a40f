//! Resources of a module: the tree, string tables, message tables; read where the module lies in guest memory, or in a
//! file.
//!
//! A base with the lowest bit set is a file as it is, a data file's handle; else the sections lie where they run.
//! Key types: [`ResourceName`], [`Resource`]. Source: PE Format, "The .rsrc Section".

use plat_abi::{Fault, FaultKind, Memory};
use plat_regions::Address;

use crate::NtStatus;
use crate::logic::nls::case;
pub use crate::logic::resource_tree::ResourceName;
use crate::logic::resource_tree::{Content, ResourceTree};

/// `RT_STRING`.
pub const RT_STRING: u16 = 6;
/// `RT_MESSAGETABLE`.
pub const RT_MESSAGETABLE: u16 = 11;

/// Where a resource's bytes lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The address of its `IMAGE_RESOURCE_DATA_ENTRY`, which is what an `HRSRC` is.
    pub entry: u64,
    /// The address of its first byte.
    pub address: u64,
    /// Its size in bytes.
    pub size: u32,
}

/// The mark of an offset that leads to another directory, or of a name that is text.
const HIGH_BIT: u32 = 0x8000_0000;

/// The bit of a base that means a file as it is.
const FLAT: u64 = 1;
/// The bits of a handle that say how a module was loaded.
const HOW: u64 = 3;

/// Returns where the headers begin, behind the DOS program.
fn header<M: Memory>(memory: &M, base: u64) -> Result<u64, Fault> {
    let start = base & !HOW;
    Ok(start + u64::from(memory.read_u32(start + 0x3c)?))
}

/// Returns the address of an RVA of the module at `base`.
///
/// # Errors
/// [`Fault`] when the headers cannot be read, or when no section of a file has the RVA.
pub fn at_rva<M: Memory>(memory: &M, base: u64, rva: u32) -> Result<u64, Fault> {
    let start = base & !HOW;
    if base & FLAT == 0 {
        return Ok(start + u64::from(rva));
    }
    let header = header(memory, base)?;
    let count = u64::from(memory.read::<u16>(header + 6)?);
    let table = header + 24 + u64::from(memory.read::<u16>(header + 20)?);
    for section in (0..count).map(|index| table + 40 * index) {
        let (address, size) = (memory.read_u32(section + 12)?, memory.read_u32(section + 16)?);
        if rva >= address && rva - address < size {
            let raw = memory.read_u32(section + 20)?;
            return Ok(start + u64::from(raw) + u64::from(rva - address));
        }
    }
    Err(Fault { address: Address::new(start + u64::from(rva)), kind: FaultKind::Read })
}

/// Returns the address of the root directory, if the module at `base` has resources.
fn root<M: Memory>(memory: &M, base: u64) -> Result<Option<u64>, Fault> {
    let header = header(memory, base)?;
    let is_64 = memory.read::<u16>(header + 0x18)? == 0x20b;
    let directories = header + if is_64 { 0x88 } else { 0x78 };
    let count = memory.read_u32(directories - 4)?;
    // The third directory, index 2, holds the resources.
    let rva = if count > 2 { memory.read_u32(directories + 16)? } else { 0 };
    if rva == 0 { Ok(None) } else { at_rva(memory, base, rva).map(Some) }
}

/// Returns the entries of a directory: name field and offset field.
fn entries<M: Memory>(memory: &M, directory: u64) -> Result<Vec<(u32, u32)>, Fault> {
    let named = memory.read::<u16>(directory + 12)?;
    let numbered = memory.read::<u16>(directory + 14)?;
    let count = u64::from(named) + u64::from(numbered);
    (0..count)
        .map(|index| {
            let at = directory + 16 + 8 * index;
            Ok((memory.read_u32(at)?, memory.read_u32(at + 4)?))
        })
        .collect()
}

/// Says whether a name field means `wanted`.
fn is_called<M: Memory>(memory: &M, root: u64, field: u32, wanted: &ResourceName) -> Result<bool, Fault> {
    match wanted {
        ResourceName::Id(id) => Ok(field == u32::from(*id)),
        ResourceName::Name(name) if field & HIGH_BIT != 0 => {
            let at = root + u64::from(field & !HIGH_BIT);
            let length = memory.read::<u16>(at)?;
            Ok(case::equal_ignore_case(&memory.read_wide(at + 2, u64::from(length))?, name))
        }
        ResourceName::Name(_) => Ok(false),
    }
}

/// Returns the directory below an entry of this name.
fn below<M: Memory>(
    memory: &M,
    root: u64,
    directory: u64,
    name: &ResourceName,
) -> Result<Option<u64>, Fault> {
    for (field, offset) in entries(memory, directory)? {
        if offset & HIGH_BIT != 0 && is_called(memory, root, field, name)? {
            return Ok(Some(root + u64::from(offset & !HIGH_BIT)));
        }
    }
    Ok(None)
}

/// Finds the directory at the end of a path of names; an empty path is the root.
fn walk<M: Memory>(memory: &M, base: u64, path: &[ResourceName]) -> Result<(u64, u64), NtStatus> {
    const LEVELS: [NtStatus; 2] = [NtStatus::RESOURCE_TYPE_NOT_FOUND, NtStatus::RESOURCE_NAME_NOT_FOUND];
    let root = root(memory, base)?.ok_or(NtStatus::RESOURCE_DATA_NOT_FOUND)?;
    let mut directory = root;
    for (name, missing) in path.iter().zip(LEVELS) {
        directory = below(memory, root, directory, name)?.ok_or(missing)?;
    }
    Ok((root, directory))
}

/// One entry of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed(ResourceName);

impl Listed {
    /// Returns what it is called; a language is called by its number.
    pub fn name(self) -> ResourceName {
        self.0
    }
}

/// Lists what lies below a path: types, resources of a type, or languages of a resource.
///
/// # Errors
/// As [`find`].
pub fn list<M: Memory>(memory: &M, base: u64, path: &[ResourceName]) -> Result<Vec<Listed>, NtStatus> {
    let (root, directory) = walk(memory, base, path)?;
    let named = |(field, _): (u32, u32)| {
        if field & HIGH_BIT == 0 {
            return Ok(Listed(ResourceName::Id(field as u16)));
        }
        let at = root + u64::from(field & !HIGH_BIT);
        let length = memory.read::<u16>(at)?;
        Ok(Listed(ResourceName::Name(memory.read_wide(at + 2, u64::from(length))?)))
    };
    entries(memory, directory)?.into_iter().map(named).collect()
}

/// The languages that are tried for a wanted one, in this order; neutral (0) means the user's, US English, and takes
/// any at last.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/libloaderapi/nf-libloaderapi-findresourceexw>, "Remarks".
fn languages_for(wanted: u16) -> [u16; 3] {
    /// The bits of the primary language.
    const PRIMARY: u16 = 0x3ff;
    const ENGLISH: u16 = 9;
    const ENGLISH_US: u16 = 0x409;
    if wanted == 0 { [0, ENGLISH_US, ENGLISH] } else { [wanted, wanted & PRIMARY, 0] }
}

/// Finds a resource of the module at `base` in a language, or in one that is taken for it.
///
/// # Errors
/// - `RESOURCE_DATA_NOT_FOUND`: the module has no resources
/// - `RESOURCE_TYPE_NOT_FOUND`, `RESOURCE_NAME_NOT_FOUND`, `RESOURCE_LANG_NOT_FOUND`
/// - `ACCESS_VIOLATION`: the tree leads out of memory
pub fn find<M: Memory>(
    memory: &M,
    base: u64,
    kind: &ResourceName,
    name: &ResourceName,
    language: u16,
) -> Result<Resource, NtStatus> {
    let (root, directory) = walk(memory, base, &[kind.clone(), name.clone()])?;
    let leaves = entries(memory, directory)?.into_iter().filter(|(_, offset)| offset & HIGH_BIT == 0);
    let leaves: Vec<(u32, u32)> = leaves.collect();
    let with = |wanted: u16| leaves.iter().find(|(field, _)| *field == u32::from(wanted));
    let any = || if language == 0 { leaves.first() } else { None };
    let leaf = languages_for(language).into_iter().find_map(with).or_else(any);
    let entry = root + u64::from(leaf.ok_or(NtStatus::RESOURCE_LANG_NOT_FOUND)?.1);
    let address = at_rva(memory, base, memory.read_u32(entry)?)?;
    Ok(Resource { entry, address, size: memory.read_u32(entry + 4)? })
}

/// Reads all resources of a module; one without any has an empty tree.
///
/// # Errors
/// `ACCESS_VIOLATION` when the tree or the data lead out of the module.
pub fn read_all<M: Memory>(memory: &M, base: u64) -> Result<ResourceTree, NtStatus> {
    let mut tree = ResourceTree::default();
    if root(memory, base)?.is_none() {
        return Ok(tree);
    }
    for kind in list(memory, base, &[])?.into_iter().map(Listed::name) {
        for name in list(memory, base, std::slice::from_ref(&kind))?.into_iter().map(Listed::name) {
            for language in list(memory, base, &[kind.clone(), name.clone()])? {
                let ResourceName::Id(language) = language.name() else { continue };
                let found = find(memory, base, &kind, &name, language)?;
                let bytes = memory.read_vec(found.address, u64::from(found.size))?;
                let code_page = memory.read_u32(found.entry + 8)?;
                tree.insert(kind.clone(), name.clone(), language, Content { bytes, code_page });
            }
        }
    }
    Ok(tree)
}

/// Returns where string `id` of the module's string tables lies, and its length in units; `None` when it is not there.
///
/// # Errors
/// As [`find`].
pub fn string<M: Memory>(memory: &M, base: u64, id: u16) -> Result<Option<(u64, u16)>, NtStatus> {
    // Sixteen strings make a block; blocks are numbered from 1.
    let block = ResourceName::Id((id >> 4) + 1);
    let table = find(memory, base, &ResourceName::Id(RT_STRING), &block, 0)?;
    let mut at = table.address;
    for _ in 0..id & 15 {
        at += 2 + 2 * u64::from(memory.read::<u16>(at)?);
        if at + 2 > table.address + u64::from(table.size) {
            return Ok(None);
        }
    }
    let length = memory.read::<u16>(at)?;
    Ok((length != 0).then_some((at + 2, length)))
}

/// Returns the text of message `id` of the module's message table; `None` when there is no table or no such message.
///
/// # Errors
/// `ACCESS_VIOLATION` as a [`Fault`] when the table leads out of memory.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winuser/ns-winuser-message_resource_data>
pub fn message<M: Memory>(memory: &M, base: u64, id: u32, language: u16) -> Result<Option<Vec<u16>>, Fault> {
    let (kind, name) = (ResourceName::Id(RT_MESSAGETABLE), ResourceName::Id(1));
    let Ok(table) = find(memory, base, &kind, &name, language) else { return Ok(None) };
    let blocks = memory.read_u32(table.address)?;
    for index in 0..u64::from(blocks).min(u64::from(table.size) / 12) {
        let block = table.address + 4 + 12 * index;
        let (low, high) = (memory.read_u32(block)?, memory.read_u32(block + 4)?);
        if (low..=high).contains(&id) {
            let first = table.address + u64::from(memory.read_u32(block + 8)?);
            return message_entry(memory, first, id - low).map(Some);
        }
    }
    Ok(None)
}

/// Reads the `index`th entry of a block of messages: length, flags (1: UTF-16), text padded with zeros.
fn message_entry<M: Memory>(memory: &M, mut at: u64, index: u32) -> Result<Vec<u16>, Fault> {
    for _ in 0..index {
        // A length of 0 would be an endless table: the smallest entry is its own header.
        at += u64::from(memory.read::<u16>(at)?.max(4));
    }
    let length = u64::from(memory.read::<u16>(at)?).saturating_sub(4);
    let is_wide = memory.read::<u16>(at + 2)? & 1 != 0;
    let mut text = match is_wide {
        true => memory.read_wide(at + 4, length / 2)?,
        false => super::nls::widen(&memory.read_vec(at + 4, length)?),
    };
    text.truncate(text.iter().position(|&unit| unit == 0).unwrap_or(text.len()));
    Ok(text)
}
