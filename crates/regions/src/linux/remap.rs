//! `mremap`.
//!
//! Source: Linux, mm/mremap.c, and mm/vma.c, `copy_vma` and `vma_merge_extend`.

use crate::linux::place::Wish;
use crate::linux::space::{Answer, round_up};
use crate::linux::{
    Action, Backing, Failure, LinuxError, LinuxSpace, MapFlags, Outcome, Reason, VmFlags, Vma,
};
use crate::{Address, AddressRange, PAGE_SIZE};

bitflags::bitflags! {
    /// The flags of `mremap`, with Linux's values.
    ///
    /// Source: Linux, include/uapi/linux/mman.h.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct RemapFlags: u32 {
        /// `MREMAP_MAYMOVE`.
        const MAY_MOVE = 1;
        /// `MREMAP_FIXED`.
        const FIXED = 2;
        /// `MREMAP_DONTUNMAP` (Linux 5.7).
        const DONT_UNMAP = 4;
    }
}

/// The arguments of `mremap`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemapRequest {
    /// Start of the old range.
    pub address: Address,
    /// Bytes of the old range; 0 maps a shared object a second time.
    pub old_length: u64,
    /// Bytes of the new range.
    pub new_length: u64,
    /// `MREMAP_*`.
    pub flags: RemapFlags,
    /// Where to, for `FIXED`; a hint for `DONT_UNMAP`.
    pub new_address: Address,
}

fn fail<T>(error: LinuxError, reason: Reason) -> Answer<T> {
    Err(Failure::new(error, reason))
}

impl LinuxSpace {
    /// Resizes or moves a mapping; returns its new address.
    ///
    /// # Errors
    /// As `mremap`: `EINVAL`, `EFAULT`, `ENOMEM`, `EAGAIN`, `EPERM`. What `FIXED` removed at the new place stays removed.
    pub fn remap(&mut self, request: &RemapRequest) -> Result<Outcome<Address>, Failure> {
        let answer = self.do_remap(*request);
        self.finish(answer)
    }

    fn do_remap(&mut self, request: RemapRequest) -> Answer<Address> {
        // Rounding up past the end gives 0, as it does in the kernel.
        let old_length = round_up(request.old_length).unwrap_or(0);
        let new_length = round_up(request.new_length).unwrap_or(0);
        let request = RemapRequest { old_length, new_length, ..request };
        self.check_remap(request)?;
        let fixed = request.flags.contains(RemapFlags::FIXED);
        if fixed && old_length == new_length && self.policy.remap_moves_many {
            return self.move_many(request);
        }
        self.remap_one(request)
    }

    fn remap_one(&mut self, request: RemapRequest) -> Answer<Address> {
        self.check_source(request)?;
        if request.flags.intersects(RemapFlags::FIXED | RemapFlags::DONT_UNMAP) {
            return self.remap_to(request);
        }
        if request.old_length == request.new_length {
            return Ok(request.address);
        }
        if request.old_length > request.new_length {
            self.shrink(request)?;
            return Ok(request.address);
        }
        self.expand(request)
    }

    fn check_remap(&self, request: RemapRequest) -> Answer<()> {
        let (flags, task_end) = (request.flags, self.policy.layout.task_end);
        if flags.bits() & !RemapFlags::all().bits() != 0 {
            return fail(LinuxError::Einval, Reason::BadFlags);
        }
        if !request.address.is_page_aligned() {
            return fail(LinuxError::Einval, Reason::NotAligned);
        }
        if request.new_length == 0 {
            return fail(LinuxError::Einval, Reason::ZeroLength);
        }
        if request.new_length > task_end.get() {
            return fail(LinuxError::Einval, Reason::BeyondEnd);
        }
        if !flags.intersects(RemapFlags::FIXED | RemapFlags::DONT_UNMAP) {
            return Ok(());
        }
        if request.new_address.get() > task_end.get() - request.new_length {
            return fail(LinuxError::Einval, Reason::BeyondEnd);
        }
        if !request.new_address.is_page_aligned() {
            return fail(LinuxError::Einval, Reason::NotAligned);
        }
        let resizes = request.old_length != request.new_length;
        if !flags.contains(RemapFlags::MAY_MOVE) || flags.contains(RemapFlags::DONT_UNMAP) && resizes {
            return fail(LinuxError::Einval, Reason::BadFlags);
        }
        let ends = [
            request.address.get().wrapping_add(request.old_length),
            request.new_address.get() + request.new_length,
        ];
        if ends[0] > request.new_address.get() && ends[1] > request.address.get() {
            return fail(LinuxError::Einval, Reason::Overlaps);
        }
        // The old and the new place may each be cut twice.
        if self.len() + 2 >= self.limits.mappings.saturating_sub(3) {
            return fail(LinuxError::Enomem, Reason::MapCountLimit);
        }
        Ok(())
    }

    /// Says whether the old range may be changed so.
    fn check_source(&self, request: RemapRequest) -> Answer<()> {
        let Some((range, vma)) = self.vmas.get(request.address) else {
            return fail(LinuxError::Efault, Reason::NotMapped);
        };
        if vma.flags.contains(VmFlags::SEALED) {
            return fail(LinuxError::Eperm, Reason::Sealed);
        }
        let moves = request.flags.intersects(RemapFlags::FIXED | RemapFlags::DONT_UNMAP);
        if request.new_length <= request.old_length && !moves {
            return Ok(());
        }
        if request.old_length == 0 && !vma.is_shared() {
            return fail(LinuxError::Einval, Reason::NotForThisKind);
        }
        let fixed_size = vma.flags.intersects(VmFlags::DONT_EXPAND | VmFlags::SPECIAL);
        if request.flags.contains(RemapFlags::DONT_UNMAP) && fixed_size {
            return fail(LinuxError::Einval, Reason::NotForThisKind);
        }
        // What shrinks is cut first: its tail may lie in other regions.
        let kept = request.old_length.min(request.new_length);
        if kept > range.end.get() - request.address.get() {
            return fail(LinuxError::Efault, Reason::AcrossRegions);
        }
        if request.new_length <= request.old_length {
            return Ok(());
        }
        if vma.page_at(range.start, request.address).checked_add(request.new_length / PAGE_SIZE).is_none() {
            return fail(LinuxError::Einval, Reason::Wraps);
        }
        if fixed_size {
            return fail(LinuxError::Efault, Reason::NotForThisKind);
        }
        let more = request.new_length.abs_diff(request.old_length);
        if vma.flags.contains(VmFlags::LOCKED) {
            self.check_locked(more)?;
        }
        self.check_expansion(vma, more / PAGE_SIZE)
    }

    /// Moves every region of the range and keeps the holes between them (Linux 6.17).
    fn move_many(&mut self, request: RemapRequest) -> Answer<Address> {
        let range = AddressRange::sized(request.address, request.old_length);
        let Some(range) = range else { return fail(LinuxError::Efault, Reason::Wraps) };
        let pieces: Vec<AddressRange> =
            self.vmas.overlapping(range).filter_map(|(at, _)| at.intersection(range)).collect();
        if pieces.first().is_none_or(|first| first.start > range.start) {
            return fail(LinuxError::Efault, Reason::NotMapped);
        }
        for piece in pieces {
            let inset = piece.start.get() - range.start.get();
            let to = Address::new(request.new_address.get() + inset);
            let (address, size) = (piece.start, piece.size());
            let part =
                RemapRequest { address, old_length: size, new_length: size, new_address: to, ..request };
            self.check_source(part)?;
            self.remap_to(part)?;
        }
        Ok(request.new_address)
    }

    fn remap_to(&mut self, mut request: RemapRequest) -> Answer<Address> {
        if request.flags.contains(RemapFlags::FIXED) {
            let target = self.checked_range(request.new_address, request.new_length)?;
            self.check_removal(target)?;
            self.remove(target, Reason::Replaced);
        }
        let change = request.new_length.abs_diff(request.old_length);
        if request.new_length < request.old_length {
            self.shrink(request)?;
            request.old_length = request.new_length;
        }
        if request.flags.contains(RemapFlags::DONT_UNMAP)
            && let Some((_, vma)) = self.vmas.get(request.address)
        {
            self.check_expansion(vma, request.old_length / PAGE_SIZE)?;
        }
        self.move_to_place(request, change)
    }

    fn shrink(&mut self, request: RemapRequest) -> Answer<()> {
        let start = Address::new(request.address.get().saturating_add(request.new_length));
        let tail = self.checked_range(start, request.old_length - request.new_length)?;
        self.check_removal(tail)?;
        self.remove(tail, Reason::ShrunkTail);
        Ok(())
    }

    fn expand(&mut self, request: RemapRequest) -> Answer<Address> {
        let Some((range, vma)) = self.vmas.get(request.address) else {
            return fail(LinuxError::Efault, Reason::NotMapped);
        };
        let vma = vma.clone();
        let more = request.new_length - request.old_length;
        let whole_tail = range.end.get() - request.address.get() == request.old_length;
        let grown = AddressRange::sized(range.end, more).filter(|grown| {
            whole_tail && grown.end <= self.policy.layout.task_end && self.vmas.is_free(*grown)
        });
        if let Some(grown) = grown {
            return self.grow_in_place(range, &vma, grown).map(|()| request.address);
        }
        if !request.flags.contains(RemapFlags::MAY_MOVE) {
            return fail(LinuxError::Enomem, Reason::CannotMove);
        }
        self.move_to_place(RemapRequest { new_address: Address::ZERO, ..request }, more)
    }

    fn grow_in_place(&mut self, range: AddressRange, vma: &Vma, grown: AddressRange) -> Answer<()> {
        if vma.flags.contains(VmFlags::ACCOUNT) {
            self.check_commit(grown.size() / PAGE_SIZE)?;
        }
        if vma.flags.contains(VmFlags::SPECIAL) {
            return fail(LinuxError::Enomem, Reason::NotForThisKind);
        }
        self.step(grown, Action::Grow, Reason::GrownInPlace);
        let page_offset = vma.page_at(range.start, range.end);
        self.insert_copied(grown, Vma { page_offset, ..vma.clone() });
        if vma.flags.contains(VmFlags::LOCKED) && !vma.flags.contains(VmFlags::LOCK_ON_FAULT) {
            self.populate(grown);
        }
        Ok(())
    }

    /// Finds the new place and moves there; `change` is the difference of the two lengths that were asked for.
    fn move_to_place(&mut self, request: RemapRequest, change: u64) -> Answer<Address> {
        let Some((range, vma)) = self.vmas.get(request.address) else {
            return fail(LinuxError::Efault, Reason::NotMapped);
        };
        let vma = vma.clone();
        let page_offset = vma.page_at(range.start, request.address);
        let mut flags = MapFlags::empty();
        flags.set(MapFlags::FIXED, request.flags.contains(RemapFlags::FIXED));
        let file = vma.file().is_some();
        let start = self.place(Wish {
            address: request.new_address,
            length: request.new_length,
            flags,
            offset: if file { page_offset.wrapping_mul(PAGE_SIZE) } else { 0 },
            backing: &vma.backing,
        })?;
        if self.len() >= self.limits.mappings.saturating_sub(3) {
            return fail(LinuxError::Enomem, Reason::MapCountLimit);
        }
        if vma.flags.contains(VmFlags::ACCOUNT) {
            let keeps = request.flags.contains(RemapFlags::DONT_UNMAP);
            // Also a range that shrinks is checked so: Linux 6.18 takes the difference, whichever way.
            let more = if keeps { request.new_length } else { change };
            self.check_commit(more / PAGE_SIZE)?;
        }
        self.carry(request, Vma { page_offset, ..vma }, start);
        Ok(start)
    }

    /// Makes the new region, moves the pages, and removes the old range or leaves it empty.
    fn carry(&mut self, request: RemapRequest, mut vma: Vma, start: Address) {
        let target = AddressRange { start, end: Address::new(start.get() + request.new_length) };
        let source_end = Address::new(request.address.get() + request.old_length);
        let source = AddressRange { start: request.address, end: source_end };
        if vma.backing == Backing::Anonymous && vma.anon.is_none() {
            // Nothing was written yet: the pages may be numbered anew, which lets them merge at the new place.
            vma.page_offset = start.get() / PAGE_SIZE;
        }
        let (flags, locked) = (vma.flags, vma.flags.contains(VmFlags::LOCKED));
        let reason = if source.is_empty() { Reason::Duplicated } else { Reason::Moved };
        let whole = self.insert_copied(target, vma);
        let moved = AddressRange { end: Address::new(start.get() + request.old_length), ..target };
        self.step(moved, Action::Move { from: request.address }, reason);
        if request.flags.contains(RemapFlags::DONT_UNMAP) {
            self.step(source, Action::Discard, Reason::KeptSource);
            self.empty_source(source, whole);
        } else if !source.is_empty() {
            self.remove(source, Reason::Moved);
        }
        if locked && !flags.contains(VmFlags::LOCK_ON_FAULT) && request.new_length > request.old_length {
            let more = Address::new(start.get() + request.old_length);
            self.populate(AddressRange { start: more, end: target.end });
        }
    }

    /// Leaves the old range mapped: its region is no longer locked and, when all of it moved, has no owner.
    fn empty_source(&mut self, source: AddressRange, moved_to: AddressRange) {
        let Some((range, vma)) = self.vmas.get(source.start) else { return };
        let (mut vma, locked) = (vma.clone(), self.totals.locked);
        vma.flags.remove(VmFlags::LOCKED | VmFlags::LOCK_ON_FAULT);
        if range == source && moved_to != range {
            vma.anon = None;
        }
        self.replace(range.start, range, vma);
        // Linux 6.18 does not take the pages that are no longer locked off the count of locked ones.
        self.totals.locked = locked;
    }

    fn insert_copied(&mut self, range: AddressRange, vma: Vma) -> AddressRange {
        self.insert_merged(range, vma, Reason::Moved)
    }
}
