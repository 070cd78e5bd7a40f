//! Which private pages are in memory: what the kernel's `PAGEMAP_SCAN` tells must be the same.
//!
//! Pages of files are left out: the kernel maps neighbours of a touched page as it likes.

use super::operation::Operation;
use plat_host::kernel_lab::{PAGE_PRESENT, PAGE_ZERO};
use plat_regions::linux::{Action, Advice, LinuxSpace, Reason, Step, VmFlags, Vma};
use plat_regions::{Access, Address, AddressRange, PAGE_SIZE};
use std::collections::BTreeMap;

/// The private pages in memory, by number; true is the shared page of zeros.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pages {
    pages: BTreeMap<u64, bool>,
}

/// Says whether an operation may have brought pages into memory or taken them out.
pub(crate) fn may_change(operation: &Operation, steps: &[Step]) -> bool {
    let moves_pages = |step: &Step| {
        matches!(step.action, Action::Unmap | Action::Discard | Action::Move { .. } | Action::Populate)
    };
    match operation {
        Operation::Load { .. } | Operation::Store { .. } | Operation::Advise { .. } | Operation::Fork => true,
        _ => steps.iter().any(moves_pages),
    }
}

fn numbers(range: AddressRange) -> std::ops::Range<u64> {
    range.start.get() / PAGE_SIZE..range.end.get() / PAGE_SIZE
}

impl Pages {
    /// Follows an operation that the simulator has done.
    pub(crate) fn follow(&mut self, operation: &Operation, value: i64, steps: &[Step], space: &LinuxSpace) {
        if *operation == Operation::Fork {
            return self.fork(value, steps, space);
        }
        let lazily = matches!(operation, Operation::Advise { advice: Advice::Free, .. });
        for step in steps {
            match step.action {
                Action::Unmap => self.drop_all(step.range),
                Action::Discard if !lazily && step.reason != Reason::KeptSource => self.drop_all(step.range),
                Action::Move { from } => self.carry(step.range, from),
                Action::Populate => self.populate(operation, step.range, space),
                _ => {}
            }
        }
        match *operation {
            Operation::Load { address } if value == 0 => self.touch(address, false, space),
            Operation::Store { address } if value == 0 => self.touch(address, true, space),
            _ => {}
        }
    }

    fn drop_all(&mut self, range: AddressRange) {
        let gone: Vec<u64> = self.pages.range(numbers(range)).map(|(page, _)| *page).collect();
        for page in gone {
            self.pages.remove(&page);
        }
    }

    fn carry(&mut self, to: AddressRange, from: Address) {
        let source = AddressRange::sized(from, to.size()).unwrap_or_default();
        let moved: Vec<(u64, bool)> =
            self.pages.range(numbers(source)).map(|(page, zero)| (*page, *zero)).collect();
        for (page, zero) in moved {
            self.pages.remove(&page);
            self.pages.insert(page - from.get() / PAGE_SIZE + to.start.get() / PAGE_SIZE, zero);
        }
    }

    fn populate(&mut self, operation: &Operation, range: AddressRange, space: &LinuxSpace) {
        let reads = matches!(operation, Operation::Advise { advice: Advice::PopulateRead, .. });
        for (at, vma) in space.overlapping(range) {
            let Some(part) = at.intersection(range) else { continue };
            let write = vma.access.contains(Access::WRITE) && !reads;
            for page in numbers(part) {
                let address = Address::new(page * PAGE_SIZE);
                let end = Address::new((page + 1) * PAGE_SIZE);
                if vma.is_beyond_file(at.start, end) {
                    break;
                }
                self.fetch(vma, address, write);
            }
        }
    }

    fn touch(&mut self, address: u64, write: bool, space: &LinuxSpace) {
        if let Some((_, vma)) = space.vma_at(Address::new(address)) {
            self.fetch(vma, Address::new(address), write);
        }
    }

    fn fetch(&mut self, vma: &Vma, address: Address, write: bool) {
        let page = address.get() / PAGE_SIZE;
        if vma.flags.contains(VmFlags::MAY_SHARE) {
            return;
        }
        if write {
            self.pages.insert(page, false);
        } else if vma.is_anonymous() {
            self.pages.entry(page).or_insert(true);
        }
    }

    /// A child has the parent's private pages; page tables of regions without an owner are not copied.
    fn fork(&mut self, value: i64, steps: &[Step], space: &LinuxSpace) {
        if value != 0 {
            return;
        }
        for step in steps.iter().filter(|step| matches!(step.action, Action::Unmap | Action::Discard)) {
            self.drop_all(step.range);
        }
        let empty: Vec<_> =
            space.vmas().filter(|(_, vma)| vma.anon.is_none()).map(|(range, _)| range).collect();
        for range in empty {
            self.drop_all(range);
        }
    }

    /// Adds the runs inside a window as `PAGEMAP_SCAN` tells them, at most `most`: start, end, categories; returns their number.
    pub(crate) fn runs(&self, window: AddressRange, most: usize, words: &mut Vec<u64>) -> usize {
        let head = words.len();
        for (page, zero) in self.pages.range(numbers(window)) {
            let (start, kind) = (page * PAGE_SIZE, PAGE_PRESENT | if *zero { PAGE_ZERO } else { 0 });
            match &mut words[head..] {
                [.., end, last] if *end == start && *last == kind => *end += PAGE_SIZE,
                runs if runs.len() == 3 * most => break,
                _ => words.extend([start, start + PAGE_SIZE, kind]),
            }
        }
        (words.len() - head) / 3
    }
}
