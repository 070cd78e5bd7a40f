//! Where heaps get their pages: segments of several chunks, taken from the address space in one step.
//!
//! A small program touches a dozen size classes; a mapping for each would be a dozen system calls at every start.

use plat_abi::Machine;
use plat_host::memory;
use plat_regions::windows::{AllocationType, FreeKind, PageProtection, Request};
use plat_regions::{Address, Use};

use crate::logic::heap::{CHUNK_SIZE, FREE_MARK, PageSource};
use crate::process::Process;

/// Chunks in a segment of the process heap: 1 MiB, as Windows' heaps reserve at first.
pub(super) const PROCESS_HEAP_CHUNKS: u32 = 16;

/// Chunks in a segment of any other heap.
pub(super) const OTHER_HEAP_CHUNKS: u32 = 4;

/// A source of pages for one heap.
#[derive(Debug)]
pub(super) struct Pages {
    /// Chunks in a segment, at most 32.
    chunks: u32,
    segments: Vec<Segment>,
    /// Where guest code looks up chunks with marks; only the process heap has any.
    table: Option<ChunkTable>,
    /// What may be done with the pages.
    protection: PageProtection,
}

/// A byte in guest memory for each chunk of a part of the address space; see [`super::thread_cache`].
#[derive(Clone, Copy, Debug)]
pub(super) struct ChunkTable {
    /// Where the bytes are.
    pub(super) address: u64,
    /// The first chunk: its address in chunks.
    pub(super) first: u64,
    /// How many chunks there are.
    pub(super) chunks: u64,
}

impl ChunkTable {
    /// Makes the table for the part of the address space around a heap: all of it, or 64 GiB.
    pub(super) fn around(heap: u64, machine: Machine) -> Option<Self> {
        let chunks: u64 = match machine {
            Machine::I386 => 1 << 16,
            Machine::Amd64 => 1 << 20,
        };
        let first = heap / CHUNK_SIZE / chunks * chunks;
        Some(Self { address: reserve_and_commit(chunks)?, first, chunks })
    }

    /// Returns where the byte of an address's chunk is.
    fn entry(&self, address: u64) -> Option<u64> {
        let chunk = (address / CHUNK_SIZE).checked_sub(self.first)?;
        (chunk < self.chunks).then_some(self.address + chunk)
    }

    /// Returns the class whose blocks lie in an address's chunk, if they have marks.
    pub(super) fn class(&self, address: u64) -> Option<usize> {
        let mut byte = [0];
        memory::read(self.entry(address)?, &mut byte).ok()?;
        usize::from(byte[0]).checked_sub(1)
    }
}

/// A range of the address space that is given out chunk by chunk.
#[derive(Debug)]
struct Segment {
    base: u64,
    /// A bit per chunk: given out.
    used: u32,
    /// A bit per chunk: its pages are committed, and zero unless it is given out.
    committed: u32,
}

impl Pages {
    /// Makes a source whose segments have this many chunks, at most 32.
    pub(super) fn new(chunks: u32) -> Self {
        let protection = PageProtection::READWRITE;
        Self { chunks: chunks.min(32), segments: Vec::new(), table: None, protection }
    }

    /// Lets code run in the pages.
    pub(super) fn executable(self) -> Self {
        Self { protection: PageProtection::EXECUTE_READWRITE, ..self }
    }

    /// Lets the heap's slabs have marks.
    pub(super) fn with_table(self, table: Option<ChunkTable>) -> Self {
        Self { table, ..self }
    }

    /// Returns the table of chunks with marks.
    pub(super) fn table(&self) -> Option<ChunkTable> {
        self.table
    }

    /// Gives back what no heap uses any more.
    pub(super) fn release_all(&mut self) {
        for segment in self.segments.drain(..) {
            release(segment.base);
        }
    }

    fn all(&self) -> u32 {
        u32::MAX >> (32 - self.chunks)
    }

    /// Takes a chunk out of a segment that has one, or out of a new one.
    fn take_chunk(&mut self) -> Option<u64> {
        let all = self.all();
        if let Some(segment) = self.segments.iter_mut().find(|segment| segment.used != all) {
            let chunk = segment.used.trailing_ones();
            let base = segment.base + u64::from(chunk) * CHUNK_SIZE;
            if segment.committed & 1 << chunk == 0 {
                commit(Some(base), CHUNK_SIZE, self.protection)?;
                segment.committed |= 1 << chunk;
            }
            segment.used |= 1 << chunk;
            return Some(base);
        }
        // Where no whole segment fits, a chunk still may.
        let Some(base) = commit(None, u64::from(self.chunks) * CHUNK_SIZE, self.protection) else {
            return commit(None, CHUNK_SIZE, self.protection);
        };
        self.segments.push(Segment { base, used: 1, committed: all });
        Some(base)
    }

    /// Takes a chunk back; says whether it came from a segment.
    fn return_chunk(&mut self, base: u64) -> bool {
        let bytes = u64::from(self.chunks) * CHUNK_SIZE;
        let Some(at) = self.segments.iter().position(|s| (s.base..s.base + bytes).contains(&base)) else {
            return false;
        };
        let segment = &mut self.segments[at];
        let bit = 1 << ((base - segment.base) / CHUNK_SIZE);
        segment.used &= !bit;
        if segment.used == 0 && at > 0 {
            release(self.segments.swap_remove(at).base);
        } else {
            segment.committed &= !bit;
            change(base, CHUNK_SIZE, FreeKind::Decommit);
        }
        true
    }
}

impl PageSource for Pages {
    fn allocate(&mut self, size: u64) -> Option<u64> {
        if size == CHUNK_SIZE { self.take_chunk() } else { commit(None, size, self.protection) }
    }

    fn free(&mut self, base: u64, size: u64) {
        if size != CHUNK_SIZE || !self.return_chunk(base) {
            release(base);
        }
    }

    fn mark(&self, address: u64) -> u8 {
        let mut mark = [FREE_MARK];
        // A guest that gave the pages up has no block there.
        let _ = memory::read(address, &mut mark);
        mark[0]
    }

    fn set_mark(&mut self, address: u64, mark: u8) {
        // As above: then nobody reads the mark either.
        let _ = memory::write(address, &[mark]);
    }

    fn announce(&mut self, base: u64, class: Option<u8>) {
        if let Some(entry) = self.table.and_then(|table| table.entry(base)) {
            // Where it cannot be written, guest code finds the chunk unknown and asks the host.
            let _ = memory::write(entry, &[class.map_or(0, |class| class + 1)]);
        }
    }

    fn can_mark(&self, base: u64) -> bool {
        self.table.is_some_and(|table| table.entry(base).is_some())
    }
}

/// Reserves and commits pages for data.
pub(super) fn reserve_and_commit(size: u64) -> Option<u64> {
    commit(None, size, PageProtection::READWRITE)
}

/// Commits pages: those at `at`, which are reserved, or new ones.
fn commit(at: Option<u64>, size: u64, protection: PageProtection) -> Option<u64> {
    let kind = match at {
        Some(_) => AllocationType::COMMIT,
        None => AllocationType::RESERVE | AllocationType::COMMIT,
    };
    let mut request = Request::new(size, kind, protection).purpose(Use::Heap).owner("heap");
    if let Some(at) = at {
        request = request.at(Address::new(at));
    }
    let range = Process::current()?.memory.allocate(&request).ok()?;
    Some(range.start.get())
}

/// Gives an allocation back.
pub(super) fn release(base: u64) {
    change(base, 0, FreeKind::Release);
}

fn change(base: u64, size: u64, kind: FreeKind) {
    if let Some(process) = Process::current() {
        // A block that the books do not know was already given up by a guest's VirtualFree.
        let _ = process.memory.change(|books| books.free(Address::new(base), size, kind));
    }
}
