//! Page protections and kinds of allocation, with Windows' own numbers.

use crate::Access;

bitflags::bitflags! {
    /// What a program may do with a page, in Windows' numbers.
    ///
    /// Source: Microsoft, "Memory Protection Constants".
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct PageProtection: u32 {
        /// No access.
        const NOACCESS = 0x1;
        /// Loads.
        const READONLY = 0x2;
        /// Loads and stores.
        const READWRITE = 0x4;
        /// Loads; a store makes a private copy.
        const WRITECOPY = 0x8;
        /// Instruction fetches.
        const EXECUTE = 0x10;
        /// Instruction fetches and loads.
        const EXECUTE_READ = 0x20;
        /// Everything.
        const EXECUTE_READWRITE = 0x40;
        /// Instruction fetches and loads; a store makes a private copy.
        const EXECUTE_WRITECOPY = 0x80;
        /// The first access raises an exception and removes this flag.
        const GUARD = 0x100;
        /// Not cached.
        const NOCACHE = 0x200;
        /// Stores are combined.
        const WRITECOMBINE = 0x400;
        // Whatever else a program passes is kept, so that it can be refused.
        const _ = !0;
    }
}

impl PageProtection {
    const MODIFIERS: Self = Self::GUARD.union(Self::NOCACHE).union(Self::WRITECOMBINE);

    /// `PAGE_TARGETS_INVALID` when pages are made, `PAGE_TARGETS_NO_UPDATE` when they change: which addresses Control Flow
    /// Guard lets be called.
    const TARGETS: u32 = 0x4000_0000;

    /// Takes what a program passes. Marks for Control Flow Guard, which only executable pages can have, are dropped:
    /// every address may be called.
    ///
    /// Source: Microsoft, "Memory Protection Constants".
    pub const fn of_program(bits: u32) -> Self {
        const EXECUTABLE: u32 = 0xf0;
        Self::from_bits_retain(if bits & EXECUTABLE != 0 { bits & !Self::TARGETS } else { bits })
    }

    /// Returns the protection without its modifiers (guard, no cache, write combine).
    pub const fn base(self) -> Self {
        self.difference(Self::MODIFIERS)
    }

    /// Says whether Windows knows the combination: exactly one of the eight rights, with modifiers that agree.
    ///
    /// Source: Microsoft, "Memory Protection Constants": the modifiers exclude `PAGE_NOACCESS`, and
    /// no caching excludes write combining.
    pub const fn is_valid(self) -> bool {
        let base = self.base().bits();
        let modifiers = self.intersection(Self::MODIFIERS);
        let both = Self::NOCACHE.union(Self::WRITECOMBINE);
        base.is_power_of_two()
            && base <= 0x80
            && (base != Self::NOACCESS.bits() || modifiers.is_empty())
            && !modifiers.contains(both)
    }

    /// Says whether a store would make a private copy, which only views can have.
    pub const fn is_write_copy(self) -> bool {
        self.intersects(Self::WRITECOPY.union(Self::EXECUTE_WRITECOPY))
    }

    /// Returns the protection as it is kept for a page of an image: stores always make a private copy.
    pub const fn with_write_copy(self) -> Self {
        let modifiers = self.intersection(Self::MODIFIERS);
        match self.base() {
            base if base.bits() == Self::READWRITE.bits() => Self::WRITECOPY.union(modifiers),
            base if base.bits() == Self::EXECUTE_READWRITE.bits() => Self::EXECUTE_WRITECOPY.union(modifiers),
            _ => self,
        }
    }

    /// Says whether pages of a view that was mapped with `self` may be given `wanted`: no right may be new.
    ///
    /// Source: Microsoft, "VirtualProtect function": the value must be compatible with the access of the view.
    pub fn allows_in_view(self, wanted: Self) -> bool {
        let (held, asked) = (self.base().access(), wanted.base().access());
        let copies = self.is_write_copy();
        // A view of copies has no right to write to the section, and one that writes to the section has all rights.
        let writes = asked.contains(Access::WRITE) && !wanted.is_write_copy();
        held.contains(asked - Access::WRITE) && (!writes || held.contains(Access::WRITE) && !copies)
    }

    /// Returns what the processor may be allowed to do: nothing while the page is a guard page.
    pub fn access(self) -> Access {
        if self.contains(Self::GUARD) {
            return Access::empty();
        }
        let base = self.base();
        if base == Self::READONLY {
            Access::READ
        } else if base == Self::READWRITE || base == Self::WRITECOPY {
            Access::READ | Access::WRITE
        } else if base == Self::EXECUTE {
            Access::EXECUTE
        } else if base == Self::EXECUTE_READ {
            Access::READ | Access::EXECUTE
        } else if base == Self::EXECUTE_READWRITE || base == Self::EXECUTE_WRITECOPY {
            Access::all()
        } else {
            Access::empty()
        }
    }
}

bitflags::bitflags! {
    /// What `VirtualAlloc`, `VirtualFree` and their NT forms are asked for, in Windows' numbers.
    ///
    /// [`AllocationType::DECOMMIT`] and [`AllocationType::REPLACE_PLACEHOLDER`] share one number:
    /// the first is for freeing, the second for allocating.
    ///
    /// Source: Microsoft, "VirtualAlloc2 function", "VirtualFree function".
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct AllocationType: u32 {
        /// Freeing: joins placeholders.
        const COALESCE_PLACEHOLDERS = 0x1;
        /// Freeing: turns a range back into a placeholder, or cuts one.
        const PRESERVE_PLACEHOLDER = 0x2;
        /// Gives pages contents.
        const COMMIT = 0x1000;
        /// Takes a range of addresses.
        const RESERVE = 0x2000;
        /// Freeing: drops contents and keeps the range.
        const DECOMMIT = 0x4000;
        /// Allocating: takes the place of a placeholder.
        const REPLACE_PLACEHOLDER = 0x4000;
        /// Freeing: gives the range back.
        const RELEASE = 0x8000;
        /// Allocating: takes a range as a placeholder.
        const RESERVE_PLACEHOLDER = 0x4_0000;
        /// Contents are no longer of interest.
        const RESET = 0x8_0000;
        /// Takes the highest free addresses.
        const TOP_DOWN = 0x10_0000;
        /// Remembers which pages were written.
        const WRITE_WATCH = 0x20_0000;
        /// Address windowing.
        const PHYSICAL = 0x40_0000;
        /// Contents are of interest again.
        const RESET_UNDO = 0x100_0000;
        /// Large pages.
        const LARGE_PAGES = 0x2000_0000;
        // Whatever else a program passes is kept, so that it can be refused.
        const _ = !0;
    }
}
