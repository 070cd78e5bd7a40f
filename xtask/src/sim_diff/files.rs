//! The files that operations map: two in memory, each opened for writing and for reading only; their sizes and seals.

use plat_host::kernel_lab::memory_file;
use plat_regions::Label;
use plat_regions::linux::{LinuxSpace, OpenFile, Step};
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// `F_SEAL_*`. Source: Linux, include/uapi/linux/fcntl.h.
const SEAL: u32 = 1;
const SEAL_SHRINK: u32 = 2;
const SEAL_GROW: u32 = 4;
const SEAL_WRITE: u32 = 8;
const SEAL_FUTURE_WRITE: u32 = 16;
/// Errnos. Source: Linux, include/uapi/asm-generic/errno-base.h.
const EPERM: i64 = -1;
const EBUSY: i64 = -16;
const EINVAL: i64 = -22;

/// Sizes of the files in bytes.
const SIZES: [u64; 2] = [8 * 4096, 3 * 4096 + 100];

/// The files as the simulator sees them.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    /// The first for writing, the first for reading only, the second for writing, and so on.
    open: Vec<Arc<OpenFile>>,
    memory: [MemoryFile; 2],
}

/// A file in memory.
#[derive(Clone, Copy, Debug, Default)]
struct MemoryFile {
    seals: u32,
    /// Mappings of processes that wait for their children which may write so that all see it.
    parents_writers: usize,
}

impl Files {
    /// Makes the files; the descriptors are in the order of the indices.
    pub(crate) fn new() -> std::io::Result<(Self, Vec<OwnedFd>)> {
        let mut descriptors = Vec::new();
        for size in SIZES {
            let (writer, reader) = memory_file(size)?;
            descriptors.extend([writer, reader]);
        }
        let open = (0..2 * SIZES.len()).map(|index| {
            Arc::new(OpenFile {
                id: 1 + index as u64,
                inode: inode(index),
                readable: true,
                writable: index % 2 == 0,
                size_bytes: SIZES[index / 2],
                aligns_huge: false,
                seals_writes: false,
                name: Label::fixed("/memfd:plat-lab-file (deleted)"),
            })
        });
        Ok((Self { open: open.collect(), memory: [MemoryFile::default(); 2] }, descriptors))
    }

    /// Returns the open file of an index.
    pub(crate) fn get(&self, index: usize) -> Option<&Arc<OpenFile>> {
        self.open.get(index)
    }

    /// Does `ftruncate`. Source: Linux, fs/open.c, `do_ftruncate`, and mm/shmem.c, `shmem_setattr`.
    pub(crate) fn resize(&mut self, index: usize, bytes: u64, space: &mut LinuxSpace) -> (i64, Vec<Step>) {
        let (file, state) = (&self.open[index], self.memory[index / 2]);
        let refused = match bytes.cmp(&file.size_bytes) {
            _ if !file.writable => EINVAL,
            std::cmp::Ordering::Less if state.seals & SEAL_SHRINK != 0 => EPERM,
            std::cmp::Ordering::Greater if state.seals & SEAL_GROW != 0 => EPERM,
            _ => 0,
        };
        if refused != 0 {
            return (refused, Vec::new());
        }
        self.change(index, |file| file.size_bytes = bytes);
        (0, space.resize_file(inode(index), bytes).steps)
    }

    /// Does `fcntl(F_ADD_SEALS)`. Source: Linux, mm/memfd.c, `memfd_add_seals`.
    pub(crate) fn seal(&mut self, index: usize, seals: u32, space: &mut LinuxSpace) -> i64 {
        let state = &mut self.memory[index / 2];
        if !self.open[index].writable || state.seals & SEAL != 0 {
            return EPERM;
        }
        let denies = seals & SEAL_WRITE != 0 && state.seals & SEAL_WRITE == 0;
        if denies && state.parents_writers + space.shared_writers(inode(index)) > 0 {
            return EBUSY;
        }
        state.seals |= seals;
        if seals & (SEAL_WRITE | SEAL_FUTURE_WRITE) != 0 {
            self.change(index, |file| file.seals_writes = true);
            space.seal_file_writes(inode(index));
        }
        0
    }

    /// Notes that a process waits for its child, with all that it has mapped.
    pub(crate) fn forked(&mut self, parent: &LinuxSpace) {
        for (index, file) in self.memory.iter_mut().enumerate() {
            file.parents_writers += parent.shared_writers(inode(2 * index));
        }
    }

    fn change(&mut self, index: usize, change: impl Fn(&mut OpenFile)) {
        let pair = index - index % 2;
        self.open[pair..pair + 2].iter_mut().for_each(|file| change(Arc::make_mut(file)));
    }
}

fn inode(index: usize) -> u64 {
    1 + index as u64 / 2
}
