//! What happens to mappings when their file changes: its size, and what it may be mapped for.
//!
//! Source: Linux, mm/shmem.c, `shmem_setattr`, mm/memory.c, `unmap_mapping_range`, and mm/memfd.c.

use std::sync::Arc;

use crate::linux::{Action, Backing, LinuxSpace, OpenFile, Outcome, Reason, VmFlags, Vma};
use crate::{Address, AddressRange, PAGE_SIZE};

impl LinuxSpace {
    /// Gives the file with this inode a new size (`ftruncate`): pages wholly beyond it go, private copies with them.
    pub fn resize_file(&mut self, inode: u64, size_bytes: u64) -> Outcome<()> {
        self.change_file(inode, |file| file.size_bytes = size_bytes);
        let first_gone = size_bytes.div_ceil(PAGE_SIZE);
        for (range, vma) in self.mapped(inode) {
            let kept = first_gone.saturating_sub(vma.page_offset).saturating_mul(PAGE_SIZE);
            let start = Address::new(range.start.get().saturating_add(kept));
            if start < range.end {
                self.step(AddressRange { start, ..range }, Action::Discard, Reason::FileShrunk);
            }
        }
        Outcome { value: (), steps: std::mem::take(&mut self.steps) }
    }

    /// Lets nobody map the file with this inode so that all see its writes, from now on (`F_SEAL_WRITE`, `F_SEAL_FUTURE_WRITE`).
    pub fn seal_file_writes(&mut self, inode: u64) {
        self.change_file(inode, |file| file.seals_writes = true);
    }

    /// Returns how many mappings show the file with this inode, and may write so that all see it.
    ///
    /// `F_SEAL_WRITE` is refused while there are any, in any process.
    pub fn shared_writers(&self, inode: u64) -> usize {
        let writes = VmFlags::SHARED | VmFlags::MAY_WRITE;
        self.mapped(inode).iter().filter(|(_, vma)| vma.flags.contains(writes)).count()
    }

    fn mapped(&self, inode: u64) -> Vec<(AddressRange, Vma)> {
        let shows = |vma: &Vma| vma.file().is_some_and(|file| file.inode == inode);
        self.vmas.iter().filter(|(_, vma)| shows(vma)).map(|(range, vma)| (range, vma.clone())).collect()
    }

    fn change_file(&mut self, inode: u64, change: impl Fn(&mut OpenFile)) {
        for (range, vma) in self.mapped(inode) {
            let Some(file) = vma.file() else { continue };
            let mut file = file.clone();
            change(&mut file);
            self.replace(range.start, range, Vma { backing: Backing::File(Arc::new(file)), ..vma });
        }
    }
}
