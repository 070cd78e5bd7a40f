//! A thread's own store of free blocks of the process heap, in guest memory. Key functions: [`allocate`],
//! [`make_room`], [`release`].
//!
//! Crossing the gate takes longer than finding a block. So the functions that allocate and free begin in guest code
//! (`kernel32::heap_leaves`), which takes blocks of up to 1 KiB from this store and puts them back; the functions here
//! fill it when it is empty and empty it when it is full. Marks (`logic::heap::marks`) tell both sides what is in use.
//! The host believes nothing that it reads here: a block must be one of the heap's that waits in a cache.
//!
//! The store's address is in the TEB. Its layout, which the guest code knows: the process heap's handle at 0, the table
//! of chunks at 8, the first chunk in it at 16, their number at 24, at 32 a byte per size in units of the granularity:
//! its class; at 256 a record of 256 bytes per class: how many blocks it has, the block size plus one, how many blocks
//! it can have, and at 16 their addresses. A chunk's byte in the table is its class plus one, 0 for all other memory.

use plat_abi::Machine;
use plat_host::memory;

use super::heap::Heaps;
use crate::guest::Guest;
use crate::logic::heap::{MARKED_SIZE_MAX, MarkedClass};
use crate::process::Process;
use crate::teb::{Field, Teb};

/// Where a TEB keeps the store's address, beyond all that Windows defines.
const STORE: Field = Field { i386: 0x1fe8, amd64: 0x1fe8 };
/// Where it counts the allocations before there is a store.
const COUNTER: u64 = 0x1fe0;
/// A thread has a store once it allocated this often: a short program's few blocks are cheaper without.
const ALLOCATIONS_BEFORE: u32 = 64;

const CLASS_BY_UNITS: usize = 32;
const RECORDS: u64 = 256;
const RECORD_BYTES: u64 = 256;
const BLOCK_SIZE: u64 = 4;
const BLOCKS_MAX: u64 = 8;
const BLOCKS: u64 = 16;
/// The most blocks that a record has room for, those of 32-bit programs.
const RECORD_BLOCKS: usize = (RECORD_BYTES - BLOCKS) as usize / 4;

/// Bytes of one class that a store may hold, within 4 to 30 blocks.
const CLASS_BYTES_MAX: u64 = 8 * 1024;

/// Allocates from the process heap, when a thread's store has no such block, and fills the store.
pub fn allocate(guest: &Guest, size: u64) -> Option<u64> {
    let heaps = &guest.process().heaps;
    if size <= MARKED_SIZE_MAX {
        // A store that cannot be filled is as good as none.
        let _ = fill(guest, heaps, size);
    }
    heaps.allocate(0, size, false)
}

/// Makes room in the store for a block that is about to be freed, if its class has none left.
pub fn make_room(guest: &Guest, address: u64) {
    let process = guest.process();
    let Some(class) = process.heaps.cached_class(address) else { return };
    let Some(store) = store_of(guest.teb()) else { return };
    let record = Record::of(store, class, process.machine);
    let Some((count, most)) = record.state().filter(|(count, most)| count >= most) else { return };
    let keep = most / 2;
    let blocks = record.blocks(count);
    let (old, recent) = blocks[..count as usize].split_at((count - keep) as usize);
    record.put(recent);
    process.heaps.return_from_cache(old);
}

/// Gives a thread's store back to the heap when the thread has ended.
pub fn release(process: &'static Process, teb: Teb) {
    let Some(store) = store_of(teb) else { return };
    // Nothing runs on the TEB any more; it is released next.
    let _ = teb.set(STORE, 0);
    for class in 0..process.heaps.marked_classes().len() {
        let record = Record::of(store, class, process.machine);
        if let Some((count, _)) = record.state() {
            process.heaps.return_from_cache(&record.blocks(count)[..count as usize]);
        }
    }
    process.heaps.free(0, store);
}

fn store_of(teb: Teb) -> Option<u64> {
    teb.get(STORE).ok().filter(|&store| store != 0)
}

/// Fills the record of a size when it is empty, with half of what it can have.
fn fill(guest: &Guest, heaps: &Heaps, size: u64) -> Option<()> {
    let store = match store_of(guest.teb()) {
        Some(store) => store,
        None => make(guest, heaps)?,
    };
    let classes = heaps.marked_classes();
    let class = classes.iter().position(|class| size <= class.size)?;
    let record = Record::of(store, class, guest.process().machine);
    let (count, most) = record.state()?;
    if count == 0 {
        let mut blocks = [0; RECORD_BLOCKS];
        let taken = heaps.take_for_cache(classes[class], &mut blocks[..most as usize / 2]);
        record.put(&blocks[..taken]);
    }
    Some(())
}

/// Makes a thread's store, once the thread allocates often. Traced programs have none: they would skip the trace.
fn make(guest: &Guest, heaps: &Heaps) -> Option<u64> {
    let teb = guest.teb();
    let before = memory::read_u32(teb.address + COUNTER).ok()?;
    if before < ALLOCATIONS_BEFORE || guest.process().start.trace.api {
        memory::write_u32(teb.address + COUNTER, before.saturating_add(1)).ok()?;
        return None;
    }
    let image = first_image(heaps, guest.process().machine)?;
    let store = heaps.allocate(0, image.len() as u64, false)?;
    memory::write(store, &image).ok()?;
    teb.set(STORE, store).ok()?;
    Some(store)
}

/// Returns the contents of an empty store.
fn first_image(heaps: &Heaps, machine: Machine) -> Option<Vec<u8>> {
    let classes = heaps.marked_classes();
    let table = heaps.chunk_table()?;
    let mut image = vec![0; (RECORDS + classes.len() as u64 * RECORD_BYTES) as usize];
    let mut put = |at: u64, value: u64, bytes: usize| {
        image[at as usize..at as usize + bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
    };
    put(0, heaps.start()?, 8);
    put(8, table.address, 8);
    put(16, table.first, 8);
    put(24, table.chunks, 8);
    for (index, &MarkedClass { size, .. }) in classes.iter().enumerate() {
        let record = RECORDS + index as u64 * RECORD_BYTES;
        put(record + BLOCK_SIZE, size + 1, 4);
        put(record + BLOCKS_MAX, blocks_max(size), 4);
    }
    let granularity = match machine {
        Machine::I386 => 8,
        Machine::Amd64 => 16,
    };
    for units in 0..=MARKED_SIZE_MAX / granularity {
        let class = classes.iter().position(|class| units * granularity <= class.size)?;
        image[CLASS_BY_UNITS + units as usize] = class as u8;
    }
    Some(image)
}

/// Returns how many blocks of a size a store may hold.
fn blocks_max(size: u64) -> u64 {
    (CLASS_BYTES_MAX / size).clamp(4, (RECORD_BYTES - BLOCKS) / 8)
}

/// The record of a class in a store.
struct Record {
    address: u64,
    pointer_bytes: u64,
}

impl Record {
    fn of(store: u64, class: usize, machine: Machine) -> Self {
        let address = store + RECORDS + class as u64 * RECORD_BYTES;
        Self { address, pointer_bytes: machine.pointer_size() }
    }

    /// Returns how many blocks there are, and how many there can be; nothing when the guest has overwritten them.
    fn state(&self) -> Option<(u64, u64)> {
        let count = u64::from(memory::read_u32(self.address).ok()?);
        let most = u64::from(memory::read_u32(self.address + BLOCKS_MAX).ok()?);
        let room = (RECORD_BYTES - BLOCKS) / self.pointer_bytes;
        (count <= most && most <= room).then_some((count, most))
    }

    /// Returns the first `count` blocks, at most all that a record has room for; zeros when they cannot be read.
    fn blocks(&self, count: u64) -> [u64; RECORD_BLOCKS] {
        let mut blocks = [0; RECORD_BLOCKS];
        let mut bytes = [0; (RECORD_BYTES - BLOCKS) as usize];
        let used = &mut bytes[..(count * self.pointer_bytes) as usize];
        if memory::read(self.address + BLOCKS, used).is_ok() {
            let words = used.chunks_exact(self.pointer_bytes as usize);
            blocks.iter_mut().zip(words).for_each(|(block, word)| {
                let mut wide = [0; 8];
                wide[..word.len()].copy_from_slice(word);
                *block = u64::from_le_bytes(wide);
            });
        }
        blocks
    }

    /// Stores blocks in place of those that were there.
    fn put(&self, blocks: &[u64]) {
        let mut bytes = [0; (RECORD_BYTES - BLOCKS) as usize];
        let width = self.pointer_bytes as usize;
        for (place, block) in bytes.chunks_exact_mut(width).zip(blocks) {
            place.copy_from_slice(&block.to_le_bytes()[..width]);
        }
        let bytes = &bytes[..blocks.len() * width];
        // The store is the heap's own block: it can be written unless the guest protected it, and then it stays empty.
        if memory::write(self.address + BLOCKS, bytes).is_ok() {
            let _ = memory::write_u32(self.address, blocks.len() as u32);
        }
    }
}
