//! Why a request is refused, each reason with its exact NTSTATUS.

use crate::windows::{AllocationType, PageProtection};
use crate::{Address, AddressRange};

/// Why Windows refuses a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The size is zero or does not fit in the address space.
    #[error("size {size:#x} is zero or does not fit in the address space")]
    BadSize {
        /// The size in bytes.
        size: u64,
        /// Number of the parameter in the NT call, counted from 1.
        parameter: u32,
    },
    /// The range reaches below the lowest or above the highest address of the program, or wraps around.
    #[error("{size:#x} bytes at {base:#x} are not all inside the program's part of the address space")]
    OutOfBounds {
        /// Where the range starts.
        base: u64,
        /// Its size in bytes.
        size: u64,
    },
    /// `zero_bits` is between 22 and 31, where it means nothing.
    #[error("{zero_bits} zero bits mean nothing: 0 to 21, or a mask from 32 up")]
    BadZeroBits {
        /// The value.
        zero_bits: u64,
    },
    /// The address limits or the alignment make no sense.
    #[error("alignment {alignment:#x} or highest address {highest:#x} makes no sense")]
    BadRequirements {
        /// The alignment in bytes.
        alignment: u64,
        /// The highest address, inclusive; 0 for none.
        highest: u64,
    },
    /// The kind of allocation is no combination that Windows knows.
    #[error("{kind:?} is no combination of allocation types")]
    BadType {
        /// What was asked for.
        kind: AllocationType,
        /// Number of the parameter in the NT call, counted from 1; 0 for no number.
        parameter: u32,
    },
    /// The protection is no combination that Windows knows, or not one for this kind of memory.
    #[error("{protection:?} is no protection for this memory")]
    BadProtection {
        /// What was asked for.
        protection: PageProtection,
    },
    /// The protection gives rights that the view was not mapped with.
    #[error("{protection:?} gives rights that the view, mapped with {mapped_with:?}, does not have")]
    SectionProtection {
        /// What was asked for.
        protection: PageProtection,
        /// What the view was mapped with.
        mapped_with: PageProtection,
    },
    /// The range is taken, or lies not in one allocation.
    #[error("{wanted} is taken, or not inside one allocation: {held_by}")]
    Conflict {
        /// What was asked for.
        wanted: AddressRange,
        /// Who is in the way.
        held_by: String,
    },
    /// No free range is large enough.
    #[error("no free range of {size:#x} bytes within {window}")]
    NoRoom {
        /// Size in bytes.
        size: u64,
        /// Where a range was looked for.
        window: AddressRange,
    },
    /// Some page of the range is not committed.
    #[error("page {page} is not committed")]
    NotCommitted {
        /// The first such page.
        page: Address,
    },
    /// Nothing is allocated at the address.
    #[error("nothing is allocated at {address}")]
    NotAllocated {
        /// The address.
        address: Address,
    },
    /// The range to free reaches past the end of its allocation.
    #[error("{range} reaches past the end of its allocation {allocation}")]
    TooLongToFree {
        /// What was to be freed.
        range: AddressRange,
        /// The allocation that contains its start.
        allocation: AddressRange,
    },
    /// Size 0 means the whole allocation, but the address is not its base.
    #[error("{address} is not the base of its allocation {allocation}")]
    NotAtBase {
        /// The address.
        address: Address,
        /// The allocation that contains it.
        allocation: AddressRange,
    },
    /// The range belongs to the system and stays as it is.
    #[error("{range} belongs to the system: {owner}")]
    SystemOwned {
        /// The allocation.
        range: AddressRange,
        /// Whose it is.
        owner: String,
    },
    /// The allocation is a view, which is unmapped rather than freed.
    #[error("{range} is a view: it can be unmapped, not freed")]
    IsView {
        /// The view.
        range: AddressRange,
    },
    /// The pages of a view are committed already.
    #[error("{range} is a view: its pages are committed already")]
    AlreadyCommitted {
        /// The view.
        range: AddressRange,
    },
    /// No view is mapped at the address.
    #[error("no view is mapped at {address}")]
    NotAView {
        /// The address.
        address: Address,
    },
    /// The pages of a view do not fit its size, or overlap.
    #[error("segment {index} of the view is not made of whole pages inside it, or overlaps the one before")]
    BadSegment {
        /// Which segment, from zero.
        index: usize,
    },
    /// The memory was not reserved with write watch.
    #[error("{range} is not inside an allocation with write watch")]
    NotWatched {
        /// The range.
        range: AddressRange,
    },
    /// The page is no guard page.
    #[error("page {page} is no guard page")]
    NotGuarded {
        /// The page.
        page: Address,
    },
    /// The image cannot be moved, and its base is not to be had.
    #[error("the image cannot be moved, and its base {wanted} is {held_by}")]
    NotAtPreferredBase {
        /// The base that it was linked for.
        wanted: Address,
        /// What is in the way, such as `taken by heap 1`.
        held_by: String,
    },
    /// A view was asked for at an address or offset that is no multiple of 64 KiB.
    #[error("{value:#x} is not a multiple of 64 KiB, as a view's address and offset are")]
    Misaligned {
        /// The address or the offset.
        value: u64,
    },
    /// Large pages or physical pages were asked for, which plat does not offer.
    #[error("{kind:?}: large and physical pages need a privilege that the program does not hold")]
    PrivilegeNotHeld {
        /// What was asked for.
        kind: AllocationType,
    },
}

impl RuleError {
    /// Returns the exact NTSTATUS.
    ///
    /// Source: Microsoft, [MS-ERREF] "NTSTATUS Values".
    pub const fn status(&self) -> u32 {
        const INVALID_PARAMETER: u32 = 0xc000_000d;
        // STATUS_INVALID_PARAMETER_1 to _12 are consecutive.
        const INVALID_PARAMETER_1: u32 = 0xc000_00ef;
        match self {
            Self::BadSize { parameter: 0, .. } | Self::BadType { parameter: 0, .. } => INVALID_PARAMETER,
            Self::BadSize { parameter, .. } | Self::BadType { parameter, .. } => {
                INVALID_PARAMETER_1 + *parameter - 1
            }
            Self::BadZeroBits { .. } => INVALID_PARAMETER_1 + 2,
            Self::OutOfBounds { .. }
            | Self::BadRequirements { .. }
            | Self::BadSegment { .. }
            | Self::NotWatched { .. } => INVALID_PARAMETER,
            Self::BadProtection { .. } | Self::SystemOwned { .. } => 0xc000_0045,
            Self::SectionProtection { .. } => 0xc000_004e,
            Self::Conflict { .. } | Self::NotAtPreferredBase { .. } => 0xc000_0018,
            Self::NoRoom { .. } => 0xc000_0017,
            Self::NotCommitted { .. } => 0xc000_002d,
            Self::NotAllocated { .. } => 0xc000_00a0,
            Self::TooLongToFree { .. } => 0xc000_001a,
            Self::NotAtBase { .. } => 0xc000_009f,
            Self::IsView { .. } => 0xc000_001b,
            Self::AlreadyCommitted { .. } => 0xc000_0021,
            Self::NotAView { .. } => 0xc000_0019,
            Self::Misaligned { .. } => 0xc000_0220,
            Self::NotGuarded { .. } => 0xc000_0005,
            Self::PrivilegeNotHeld { .. } => 0xc000_0061,
        }
    }
}
