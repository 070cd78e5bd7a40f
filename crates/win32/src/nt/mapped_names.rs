//! The files behind addresses: modules and views.

use std::path::Path;
use std::sync::Arc;

use plat_host::maps;
use plat_regions::Address;

use super::process_object::ProcessObject;
use crate::NtStatus;
use crate::logic::object_name;
use crate::process::Process;

/// Returns the path, in the form of a device's, of the file that is mapped at an address of a process; of another process
/// only modules are known.
///
/// # Errors
/// `INVALID_ADDRESS` when none is.
pub fn at(own: &Process, process: &Arc<ProcessObject>, address: u64) -> Result<Vec<u16>, NtStatus> {
    let path = match process.as_other() {
        None => own.loader().module_at(address).map(|module| module.path).or_else(|| view(own, address)),
        Some(_) => {
            let contains = |base: u64, size: u64| (base..base.saturating_add(size)).contains(&address);
            let modules = process.modules()?;
            modules.into_iter().find(|module| contains(module.base, module.size)).map(|module| module.path)
        }
    };
    path.map(|path| object_name::device_path(&path)).ok_or(NtStatus::INVALID_ADDRESS)
}

/// Returns the path of the file of which a view lies at an address of the calling process.
fn view(own: &Process, address: u64) -> Option<Vec<u16>> {
    const DELETED: &str = " (deleted)";
    if !own.memory.usable().contains(Address::new(address)) {
        return None;
    }
    let mappings = maps::read_own().ok()?;
    let mapping = mappings.into_iter().find(|mapping| mapping.range.contains(Address::new(address)))?;
    // Sections of memory have names that are no paths.
    let is_file = mapping.name.starts_with('/') && !mapping.name.starts_with("/memfd:");
    let name = mapping.name.strip_suffix(DELETED).unwrap_or(&mapping.name);
    is_file.then(|| own.files.win32_path(Path::new(name)))
}
