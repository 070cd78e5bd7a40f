//! The process's own structures: PEB, process parameters, TEB fields, KUSER_SHARED_DATA.
//!
//! Source for offsets: the public symbols of ntdll (`RTL_USER_PROCESS_PARAMETERS`, `KUSER_SHARED_DATA`).

use plat_abi::{Fault, Machine, Memory};
use plat_win32::NtStatus;
use plat_win32::guest::GuestMemory;
use plat_win32::nt::critical_section::CriticalSection;
use plat_win32::nt::current_directory;
use plat_win32::nt::file_standard::{self, Standard};
use plat_win32::process::Process;
use plat_win32::teb::{Field, PEB_SIZE, Peb, standard_handle};

use plat_regions::Use;

/// The version that plat reports: Windows 10, 22H2.
pub(crate) const VERSION: (u32, u32, u32) = (10, 0, 19045);

/// Makes the PEB; returns its address.
pub(crate) fn make_peb(process: &Process) -> Result<u64, NtStatus> {
    let peb = process.memory.allocate_data(PEB_SIZE, Use::Environment, "PEB")?;
    let heap = process.heaps.start().ok_or(NtStatus::NO_MEMORY)?;
    fill_peb(process, peb, heap)?;
    let parameters = make_parameters(process)?;
    word(process, peb, Peb::PROCESS_PARAMETERS, parameters)?;
    // The host's page of shared data is made here because the books place it, and nobody writes it later.
    Ok(peb)
}

fn fill_peb(process: &Process, peb: u64, heap: u64) -> Result<(), Fault> {
    let memory = GuestMemory::of(process.machine);
    let at = |field: Field| peb + field.offset(process.machine);
    word(process, peb, Peb::PROCESS_HEAP, heap)?;
    let processors = plat_host::sysinfo::thread_affinity().count_ones();
    memory.write(at(Peb::NUMBER_OF_PROCESSORS), &processors)?;
    memory.write(at(Peb::OS_MAJOR), &VERSION.0)?;
    memory.write(at(Peb::OS_MINOR), &VERSION.1)?;
    memory.write(at(Peb::OS_BUILD), &(VERSION.2 as u16))?;
    memory.write(at(Peb::OS_PLATFORM), &2_u32)?;
    memory.write(at(Peb::SESSION_ID), &1_u32)?;
    // Traced programs are to call the functions behind the guest code that looks here.
    memory.write(at(Peb::THREADS), &u32::from(process.start.trace.api))?;
    // The two locks lie behind the block, in its page. Programs that speak to ntdll alone take them.
    for (field, place) in [(Peb::FAST_PEB_LOCK, PEB_LOCK_AT), (Peb::LOADER_LOCK, LOADER_LOCK_AT)] {
        CriticalSection::at(process.machine, peb + place).initialize(0)?;
        word(process, peb, field, peb + place)?;
    }
    Ok(())
}

/// Where the lock of the PEB lies in its page, in bytes.
const PEB_LOCK_AT: u64 = 0x800;
/// Where the loader's lock lies in the PEB's page, in bytes.
const LOADER_LOCK_AT: u64 = 0x840;

fn word(process: &Process, base: u64, field: Field, value: u64) -> Result<(), Fault> {
    GuestMemory::of(process.machine).write_word(base + field.offset(process.machine), value)
}

/// Offsets in the process parameters that programs read: flags, strings, environment.
struct Parameters;

impl Parameters {
    const FLAGS: Field = field(0x8, 0x8);
    const IMAGE_PATH: Field = field(0x38, 0x60);
    const COMMAND_LINE: Field = field(0x40, 0x70);
    const ENVIRONMENT: Field = field(0x48, 0x80);
}

const fn field(i386: u64, amd64: u64) -> Field {
    Field { i386, amd64 }
}

/// Bytes of the structure itself, strings after it.
const PARAMETERS_BYTES: u64 = 0x440;

fn make_parameters(process: &Process) -> Result<u64, NtStatus> {
    const NORMALIZED: u32 = 1;
    let start = &process.start;
    let strings =
        [(Parameters::IMAGE_PATH, start.program.as_slice()), (Parameters::COMMAND_LINE, &start.command_line)];
    let environment = environment_block(&start.environment);
    let size: u64 = PARAMETERS_BYTES
        + current_directory::HEAD_BYTES
        + current_directory::PATH_BYTES
        + start.current_directory.len() as u64 * 2
        + 16
        + strings.iter().map(|(_, text)| text.len() as u64 * 2 + 16).sum::<u64>()
        + environment.len() as u64 * 2;
    let base = process.heaps.allocate(0, size, true).ok_or(NtStatus::NO_MEMORY)?;
    let memory = GuestMemory::of(process.machine);
    memory.write(base, &(size as u32))?;
    memory.write(base + 4, &(size as u32))?;
    memory.write(base + Parameters::FLAGS.offset(process.machine), &NORMALIZED)?;
    let mut at = base + PARAMETERS_BYTES;
    for (field, text) in strings {
        at = write_string(process.machine, base + field.offset(process.machine), at, text)?;
    }
    // There is room for another current directory, and before it for what Windows keeps there.
    at += current_directory::HEAD_BYTES;
    let directory = base + current_directory::FIELD.offset(process.machine);
    let path = current_directory::shown(&start.current_directory);
    let room = (path.len() as u64 * 2 + 2).max(current_directory::PATH_BYTES);
    write_string(process.machine, directory, at, &path)?;
    memory.write(directory + 2, &(room.min(0xfffe) as u16))?;
    let handle = current_directory::open(process);
    memory.write_word(directory + 2 * process.machine.pointer_size(), handle)?;
    at = (at + room).next_multiple_of(8);
    memory.write_wide(at, &environment)?;
    word(process, base, Parameters::ENVIRONMENT, at)?;
    for which in [Standard::Input, Standard::Output, Standard::Error] {
        word(process, base, standard_handle(which), file_standard::handle(process, which))?;
    }
    Ok(base)
}

/// Writes a `UNICODE_STRING` whose text lies at `at`; returns where the next text may lie.
pub(crate) fn write_string(machine: Machine, place: u64, at: u64, text: &[u16]) -> Result<u64, Fault> {
    let memory = GuestMemory::of(machine);
    let bytes = (text.len() * 2).min(0xfffc) as u16;
    memory.write(place, &bytes)?;
    memory.write(place + 2, &(bytes + 2))?;
    memory.write_word(place + machine.pointer_size(), at)?;
    memory.write_wide(at, &text[..usize::from(bytes) / 2])?;
    memory.write(at + u64::from(bytes), &0_u16)?;
    Ok((at + u64::from(bytes) + 2).next_multiple_of(8))
}

/// Lays the environment out as Windows does: `NAME=value`, zero, …, zero.
fn environment_block(variables: &[(Vec<u16>, Vec<u16>)]) -> Vec<u16> {
    let mut block = Vec::new();
    for (name, value) in variables {
        block.extend_from_slice(name);
        block.push(u16::from(b'='));
        block.extend_from_slice(value);
        block.push(0);
    }
    block.push(0);
    block
}

/// Fills the shared page: version, root, features. The times come from the host's clock.
///
/// Source: Microsoft, ntddk.h, `KUSER_SHARED_DATA`.
pub(crate) fn shared_data() -> Vec<u8> {
    let mut page = vec![0; 4096];
    let mut put = |at: usize, bytes: &[u8]| page[at..at + bytes.len()].copy_from_slice(bytes);
    // Tick count multiplier: one tick is a millisecond.
    put(0x4, &0x0100_0000_u32.to_le_bytes());
    let root: Vec<u8> = r"C:\windows".encode_utf16().flat_map(u16::to_le_bytes).collect();
    put(0x30, &root);
    put(0x260, &VERSION.2.to_le_bytes());
    // NtProductType: a workstation; the type is valid.
    put(0x264, &1_u32.to_le_bytes());
    put(0x268, &[1]);
    put(0x26c, &VERSION.0.to_le_bytes());
    put(0x270, &VERSION.1.to_le_bytes());
    // Processor features that every x86-64 has: compare-exchange of 8 bytes, MMX, SSE, RDTSC, PAE, SSE2, NX.
    for feature in [2, 3, 6, 8, 9, 10, 12] {
        put(0x274 + feature, &[1]);
    }
    page
}
