//! What names of objects mean to the functions of files: paths of Win32's, devices, the driver of sockets.

use plat_abi::{GuestWord, Memory};

use super::attributes::OBJECT_ATTRIBUTES;
use crate::NtStatus;
use crate::guest::Guest;
use crate::logic::nls::case;
use crate::logic::object_name;
use crate::logic::path::{Device, Target};
use crate::nt::afd;
use crate::nt::file_standard;
use crate::nt::handle::HandleFlags;
use crate::nt::object_directory::ObjectDirectory;

/// What an object's attributes may name.
pub(super) enum Named {
    /// A file or a device of Win32's.
    Target(Target),
    /// The driver of sockets.
    SocketDriver,
}

const BACKSLASH: u16 = b'\\' as u16;

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// Returns the rest of a path after a prefix in any case, without the backslash between them.
fn after<'a>(path: &'a [u16], prefix: &str) -> Option<&'a [u16]> {
    let prefix = wide(prefix);
    let head = path.get(..prefix.len())?;
    let rest = &path[prefix.len()..];
    let is_same = case::equal_ignore_case(head, &prefix);
    (is_same && matches!(rest.first(), None | Some(&BACKSLASH)))
        .then(|| rest.strip_prefix(&[BACKSLASH]).unwrap_or(rest))
}

/// Returns the full path that attributes name: from the root of names, or from a directory, whose path is taken as it
/// stands.
fn full_path(guest: &Guest, attributes: &OBJECT_ATTRIBUTES) -> Result<Vec<u16>, NtStatus> {
    let name = attributes.name(guest)?;
    if attributes.RootDirectory.is_null() {
        return if name.first() == Some(&BACKSLASH) {
            Ok(name)
        } else {
            Err(NtStatus::OBJECT_PATH_SYNTAX_BAD)
        };
    }
    let process = guest.process();
    if let Ok(directory) = process.handles.get::<ObjectDirectory>(attributes.RootDirectory.0) {
        return Ok(object_name::child(directory.path(), &name));
    }
    let root = file_standard::file(process, attributes.RootDirectory.0, 0)?;
    let path = process.files.win32_path(&root.unix_path().ok_or(NtStatus::OBJECT_TYPE_MISMATCH)?);
    let mut path = [wide(r"\??\"), path].concat();
    if !name.is_empty() {
        path.push(BACKSLASH);
        path.extend(name);
    }
    Ok(path)
}

/// Finds out what a full path names.
fn parse(guest: &Guest, path: &[u16]) -> Result<Named, NtStatus> {
    let files = &guest.process().files;
    if afd::is_device(path) {
        return Ok(Named::SocketDriver);
    }
    let local = [r"\??", r"\DosDevices", r"\GLOBAL??"].iter().find_map(|prefix| after(path, prefix));
    if after(path, r"\Device\Null").is_some() {
        return Ok(Named::Target(Target::Device(Device::Null)));
    }
    let path = match (object_name::path_of_device(path), local) {
        (Some(path), _) => [wide(r"\??\"), path].concat(),
        (None, Some(local)) => [wide(r"\??\").as_slice(), local].concat(),
        (None, None) => path.to_vec(),
    };
    let target = files.resolve(&path).map_err(|error| match error {
        crate::Win32Error::INVALID_NAME => NtStatus::OBJECT_NAME_INVALID,
        crate::Win32Error::PATH_NOT_FOUND => NtStatus::OBJECT_PATH_NOT_FOUND,
        other => NtStatus::from_win32(other),
    })?;
    Ok(Named::Target(target))
}

/// Returns what an object's attributes name, and the flags of its handle.
pub(super) fn named(guest: &Guest, address: GuestWord) -> Result<(Named, HandleFlags), NtStatus> {
    let attributes: OBJECT_ATTRIBUTES = guest.read(address.0)?;
    let path = full_path(guest, &attributes)?;
    Ok((parse(guest, &path)?, attributes.handle_flags()))
}
