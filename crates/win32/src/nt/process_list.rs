//! What processes there are and what is in them: for tool help, PSAPI and their like.

use std::sync::Arc;

use plat_host::process::{self as linux, Facts};

use super::path::FileSystem;
use super::process_object::ProcessObject;
use super::remote::RemoteModule;
use crate::NtStatus;
use crate::process::Process;

/// A process of the list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Linux' facts.
    pub facts: Facts,
    /// The program's file name.
    pub name: Vec<u16>,
}

/// Lists the processes that this user may see, by identifier. Windows programs have their own names, not plat's.
pub fn all(files: &FileSystem) -> Vec<Listed> {
    let list = linux::all().into_iter().filter_map(linux::facts);
    list.map(|facts| Listed { name: base_name(&program_of(files, facts.id, &facts.name)), facts }).collect()
}

fn base_name(path: &[u16]) -> Vec<u16> {
    path.rsplit(|&unit| unit == u16::from(b'\\')).next().unwrap_or(path).to_vec()
}

/// Returns a process's program as a Windows path: of a plat process by its arguments, else its executable.
pub fn program_of(files: &FileSystem, id: u32, name: &str) -> Vec<u16> {
    let arguments = linux::arguments(id);
    let is_ours = linux::program(id).is_some() && linux::program(id) == linux::program(own_id());
    let place = match arguments.get(1).and_then(|word| word.to_str()) {
        Some(super::process_create::CHILD_ARGUMENT) => arguments.get(3).cloned(),
        Some("run") => {
            arguments.iter().skip(2).find(|word| !word.to_string_lossy().starts_with("--")).cloned()
        }
        _ => None,
    };
    let path = place.filter(|_| is_ours).map(std::path::PathBuf::from).or_else(|| linux::program(id));
    match path {
        Some(path) => files.win32_path(&path),
        None => name.encode_utf16().collect(),
    }
}

fn own_id() -> u32 {
    plat_host::sysinfo::process_id()
}

/// Returns the full Windows path of a process's program.
///
/// # Errors
/// `PROCESS_IS_TERMINATING` when it has ended.
pub fn program(process: &Process, object: &ProcessObject) -> Result<Vec<u16>, NtStatus> {
    match object.as_other() {
        None => Ok(process.start.program.clone()),
        Some(other) if other.linux.has_ended() => Err(NtStatus::PROCESS_IS_TERMINATING),
        Some(_) => Ok(program_of(&process.files, object.id(), "")),
    }
}

/// Lists the modules of a process in load order.
///
/// # Errors
/// Why another process does not answer.
pub fn modules(process: &Process, object: &Arc<ProcessObject>) -> Result<Vec<RemoteModule>, NtStatus> {
    if object.as_other().is_some() {
        return object.modules();
    }
    let own = process.loader().modules().into_iter().map(|module| RemoteModule {
        base: module.base,
        size: module.size,
        entry_point: module.entry_point,
        name: module.name,
        path: module.path,
    });
    Ok(own.collect())
}

/// Says whether a process has 64-bit code.
///
/// # Errors
/// Why another process does not answer.
pub fn is_64(process: &Process, object: &ProcessObject) -> Result<bool, NtStatus> {
    match object.as_other() {
        None => Ok(process.machine.is_64()),
        // Unix programs are what plat is.
        Some(other) if other.page.is_none() => Ok(true),
        Some(_) => Ok(object.remote_facts()?.is_64),
    }
}
