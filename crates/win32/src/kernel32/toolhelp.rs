//! tlhelp32.h: snapshots of processes, threads and modules.

use std::sync::atomic::{AtomicUsize, Ordering};

use plat_abi::{GuestWord, Memory, winapi};

use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, HandleOrInvalid, TRUE};
use crate::nt::handle::HandleFlags;
use crate::nt::object::{Object, ObjectKind};
use crate::nt::process_list::{self, Listed};
use crate::nt::remote::RemoteModule;
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial CreateToolhelp32Snapshot, "heaps of this process only";
    full Process32First;
    full Process32FirstW;
    full Process32Next;
    full Process32NextW;
    full Module32First;
    full Module32FirstW;
    full Module32Next;
    full Module32NextW;
    full Thread32First;
    full Thread32Next;
    full Heap32ListFirst;
    full Heap32ListNext;
    partial Heap32First, "the blocks of no heap";
    partial Heap32Next, "the blocks of no heap";
};

const SNAP_HEAPS: u32 = 1;
const SNAP_PROCESS: u32 = 2;
const SNAP_THREAD: u32 = 4;
const SNAP_MODULE: u32 = 8;
const SNAP_MODULE32: u32 = 0x10;

/// A snapshot.
struct Snapshot {
    processes: Vec<Listed>,
    /// Thread and process identifiers.
    threads: Vec<(u32, u32)>,
    modules: Vec<RemoteModule>,
    heaps: Vec<u64>,
    /// Whose modules and heaps.
    owner: u32,
    next: [AtomicUsize; 4],
}

impl Object for Snapshot {
    fn kind(&self) -> ObjectKind {
        ObjectKind::Snapshot
    }
}

/// Takes a snapshot of processes, threads (all processes'), or the modules of one process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/tlhelp32/nf-tlhelp32-createtoolhelp32snapshot>
#[winapi]
pub fn CreateToolhelp32Snapshot(
    guest: &mut Guest,
    dwFlags: u32,
    th32ProcessID: u32,
) -> Result<HandleOrInvalid, Win32Error> {
    let process = guest.process();
    let own = process.threads.this_process();
    let owner = if th32ProcessID == 0 { own.id() } else { th32ProcessID };
    let processes = if dwFlags & SNAP_PROCESS != 0 { process_list::all(&process.files) } else { Vec::new() };
    let modules = if dwFlags & (SNAP_MODULE | SNAP_MODULE32) != 0 {
        let object = if owner == own.id() { own.clone() } else { process.children.open(owner)? };
        process_list::modules(process, &object)?
    } else {
        Vec::new()
    };
    let has_heaps = dwFlags & SNAP_HEAPS != 0 && owner == own.id();
    let heaps = if has_heaps { process.heaps.handles() } else { Vec::new() };
    let mut threads = Vec::new();
    if dwFlags & SNAP_THREAD != 0 {
        threads.extend(process.threads.all().iter().map(|thread| (thread.id(), own.id())));
        threads.sort_unstable();
        for id in plat_host::process::all().into_iter().filter(|&id| id != own.id()) {
            threads.extend(plat_host::process::threads(id).into_iter().map(|thread| (thread, id)));
        }
    }
    let next = Default::default();
    let snapshot = Snapshot { processes, threads, modules, heaps, owner, next };
    let handle = process.handles.insert(std::sync::Arc::new(snapshot), 0, HandleFlags::empty());
    Ok(HandleOrInvalid(handle))
}

/// Takes the next of a list (or the first) and has it written.
fn step(
    guest: &Guest,
    handle: GuestWord,
    which: usize,
    is_first: bool,
    write: impl FnOnce(&Guest, &Snapshot, usize) -> Result<bool, Win32Error>,
) -> Result<Bool, Win32Error> {
    let snapshot = guest.process().handles.get::<Snapshot>(handle.0).map_err(NtStatus::to_win32)?;
    if is_first {
        snapshot.next[which].store(0, Ordering::Relaxed);
    }
    let index = snapshot.next[which].fetch_add(1, Ordering::Relaxed);
    if write(guest, &snapshot, index)? { Ok(TRUE) } else { Err(Win32Error::NO_MORE_FILES) }
}

/// Lays fields in a row with the alignment of C.
struct Fields {
    bytes: Vec<u8>,
    word: usize,
}

impl Fields {
    fn new(guest: &Guest) -> Self {
        Self { bytes: Vec::new(), word: guest.machine().pointer_size() as usize }
    }

    fn u32(&mut self, value: u32) {
        self.bytes.extend(value.to_le_bytes());
    }

    fn word(&mut self, value: u64) {
        self.bytes.resize(self.bytes.len().next_multiple_of(self.word), 0);
        self.bytes.extend(&value.to_le_bytes()[..self.word]);
    }

    fn text(&mut self, guest: &Guest, text: &[u16], units: usize, is_wide: bool) {
        let (mut bytes, unit) = if is_wide {
            (text.iter().flat_map(|unit| unit.to_le_bytes()).collect(), 2)
        } else {
            (guest.process().files.narrow(text), 1)
        };
        bytes.truncate((units - 1) * unit);
        bytes.resize(units * unit, 0);
        self.bytes.extend(bytes);
    }

    /// Writes all; the caller's first field must hold the structure's size.
    fn write(mut self, guest: &Guest, place: GuestWord) -> Result<bool, Win32Error> {
        self.bytes.resize(self.bytes.len().next_multiple_of(self.word), 0);
        if (guest.read_u32(place.0)? as usize) < self.bytes.len() {
            return Err(Win32Error::BAD_LENGTH);
        }
        guest.write_bytes(place.0 + 4, &self.bytes[4..])?;
        Ok(true)
    }
}

const MAX_PATH: usize = 260;

fn process_step(
    guest: &Guest,
    handle: GuestWord,
    place: GuestWord,
    how: (bool, bool),
) -> Result<Bool, Win32Error> {
    const NORMAL_PRIORITY: u32 = 8;
    let (is_first, is_wide) = how;
    step(guest, handle, 0, is_first, |guest, snapshot, index| {
        let Some(listed) = snapshot.processes.get(index) else { return Ok(false) };
        let mut fields = Fields::new(guest);
        fields.u32(0);
        fields.u32(0);
        fields.u32(listed.facts.id);
        fields.word(0);
        fields.u32(0);
        fields.u32(listed.facts.threads);
        fields.u32(listed.facts.parent);
        fields.u32(NORMAL_PRIORITY);
        fields.u32(0);
        fields.text(guest, &listed.name, MAX_PATH, is_wide);
        fields.write(guest, place)
    })
}

fn module_step(
    guest: &Guest,
    handle: GuestWord,
    place: GuestWord,
    how: (bool, bool),
) -> Result<Bool, Win32Error> {
    const MAX_MODULE_NAME: usize = 256;
    let (is_first, is_wide) = how;
    step(guest, handle, 1, is_first, |guest, snapshot, index| {
        let Some(module) = snapshot.modules.get(index) else { return Ok(false) };
        let mut fields = Fields::new(guest);
        for value in [0, 1, snapshot.owner, 0xffff, 0xffff] {
            fields.u32(value);
        }
        fields.word(module.base);
        fields.u32(module.size as u32);
        fields.word(module.base);
        let name: Vec<u16> = module.name.encode_utf16().collect();
        fields.text(guest, &name, MAX_MODULE_NAME, is_wide);
        fields.text(guest, &module.path, MAX_PATH, is_wide);
        fields.write(guest, place)
    })
}

fn thread_step(
    guest: &Guest,
    handle: GuestWord,
    place: GuestWord,
    is_first: bool,
) -> Result<Bool, Win32Error> {
    const NORMAL_PRIORITY: u32 = 8;
    step(guest, handle, 2, is_first, |guest, snapshot, index| {
        let Some(&(thread, owner)) = snapshot.threads.get(index) else { return Ok(false) };
        // THREADENTRY32 has no pointers: seven words.
        if guest.read_u32(place.0)? < 28 {
            return Err(Win32Error::BAD_LENGTH);
        }
        for (at, value) in [0, thread, owner, NORMAL_PRIORITY, 0, 0].into_iter().enumerate() {
            guest.write(place.0 + 4 + at as u64 * 4, &value)?;
        }
        Ok(true)
    })
}

fn heap_step(guest: &Guest, handle: GuestWord, place: GuestWord, is_first: bool) -> Result<Bool, Win32Error> {
    /// `HF32_DEFAULT`: the process heap.
    const DEFAULT: u32 = 1;
    step(guest, handle, 3, is_first, |guest, snapshot, index| {
        let Some(&heap) = snapshot.heaps.get(index) else { return Ok(false) };
        let mut fields = Fields::new(guest);
        fields.word(0);
        fields.u32(snapshot.owner);
        fields.word(heap);
        fields.u32(if index == 0 { DEFAULT } else { 0 });
        fields.write(guest, place)
    })
}

answers! {
    "Stores the first block of a heap: they are not listed.", "tlhelp32/nf-tlhelp32-heap32first";
    Heap32First(
        lphe: GuestWord, th32ProcessID: u32, th32HeapID: GuestWord
    ) -> Result<Bool, Win32Error> = Err(Win32Error::NO_MORE_FILES);
    "Stores the next block of a heap: they are not listed.", "tlhelp32/nf-tlhelp32-heap32next";
    Heap32Next(lphe: GuestWord) -> Result<Bool, Win32Error> = Err(Win32Error::NO_MORE_FILES);
}

/// Declares a step through a snapshot.
macro_rules! steps {
    ($($name:ident($field:ident) $run:ident $how:expr, $text:literal, $page:literal;)*) => {$(
        #[doc = $text]
        ///
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/win32/api/tlhelp32/nf-tlhelp32-", $page, ">")]
        #[winapi]
        pub fn $name(guest: &mut Guest, hSnapshot: GuestWord, $field: GuestWord) -> Result<Bool, Win32Error> {
            $run(guest, hSnapshot, $field, $how)
        }
    )*};
}

steps! {
    Process32First(lppe) process_step (true, false), "Stores the first process.", "process32first";
    Process32FirstW(lppe) process_step (true, true), "Stores the first process.", "process32firstw";
    Process32Next(lppe) process_step (false, false), "Stores the next process.", "process32next";
    Process32NextW(lppe) process_step (false, true), "Stores the next process.", "process32nextw";
    Module32First(lpme) module_step (true, false), "Stores the first module.", "module32first";
    Module32FirstW(lpme) module_step (true, true), "Stores the first module.", "module32firstw";
    Module32Next(lpme) module_step (false, false), "Stores the next module.", "module32next";
    Module32NextW(lpme) module_step (false, true), "Stores the next module.", "module32nextw";
    Thread32First(lpte) thread_step true, "Stores the first thread.", "thread32first";
    Thread32Next(lpte) thread_step false, "Stores the next thread.", "thread32next";
    Heap32ListFirst(lphl) heap_step true, "Stores the first heap.", "heap32listfirst";
    Heap32ListNext(lphl) heap_step false, "Stores the next heap.", "heap32listnext";
}
