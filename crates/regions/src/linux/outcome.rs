//! What an operation did and why: [`Outcome`], [`Step`], [`Reason`]; or why it was refused: [`Failure`].

use std::fmt;

use crate::linux::LinuxError;
use crate::{Access, Address, AddressRange};

/// Why two neighbours stay two mappings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Their access differs.
    Access,
    /// Their flags differ.
    Flags,
    /// Only one counts against the commit limit.
    Account,
    /// They show different objects.
    Backing,
    /// Their page numbers do not continue each other.
    Offset,
    /// Both have an owner of anonymous pages, and not the same.
    Anon,
    /// Only one has an owner of anonymous pages, which came from a fork.
    AnonForked,
    /// It is the kernel's own.
    Special,
}

impl Refusal {
    /// Returns the reason as words that follow "not merged with the next region:".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Access => "their access differs",
            Self::Flags => "their flags differ",
            Self::Account => "only one of them counts against the commit limit",
            Self::Backing => "they show different files",
            Self::Offset => "their page offsets are not contiguous",
            Self::Anon => "their anon_vma differ",
            Self::AnonForked => "one has an anon_vma that came from a fork, the other has none",
            Self::Special => "one is the kernel's own mapping",
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $code:literal: $words:literal,)*) => {
        /// Why a step was taken or a call refused: a code for programs and a sentence for people.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $(#[doc = $words] $name,)*
            /// Not merged with the region below.
            NotMergedBelow(Refusal),
            /// Not merged with the region above.
            NotMergedAbove(Refusal),
        }

        impl Reason {
            /// Returns a short name that never changes, such as `hint-busy`.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                    Self::NotMergedBelow(_) => "not-merged-below",
                    Self::NotMergedAbove(_) => "not-merged-above",
                }
            }
        }

        impl fmt::Display for Reason {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name => f.write_str($words),)*
                    Self::NotMergedBelow(why) => write!(f, "not merged with the previous region: {}", why.words()),
                    Self::NotMergedAbove(why) => write!(f, "not merged with the next region: {}", why.words()),
                }
            }
        }
    };
}

reasons! {
    Asked = "asked": "the call asks for it",
    Fixed = "fixed": "MAP_FIXED takes exactly the address given",
    HintFree = "hint-free": "the hint is free, so it is taken",
    HintRounded = "hint-rounded": "the hint is rounded to a page",
    HintRaised = "hint-raised": "the hint lies below the lowest address that may be mapped, and is raised to it",
    HintBusy = "hint-busy": "hint busy; Linux forgets it and searches from the start",
    HintInvalid = "hint-invalid": "the hint does not fit below the end of the address space; Linux forgets it",
    NextAboveHint = "next-above-hint": "hint busy; the next higher gap that is large enough",
    HighestGap = "highest-gap": "the highest gap below mmap_base that is large enough",
    LowestGap = "lowest-gap": "the lowest gap above the base that is large enough",
    LowBand = "low-band": "MAP_32BIT searches 1 to 2 GiB from the bottom",
    FellBack = "fell-back": "nothing fits below mmap_base; Linux searches from the bottom",
    HugeAligned = "huge-aligned": "a multiple of 2 MiB is placed at a multiple of 2 MiB for huge pages",
    FreeAreaCache = "free-area-cache": "the search continues where the last one ended",
    NewRegion = "new-region": "a new region",
    MergedBelow = "merged-below": "merged with the previous region: same access, flags, object and owner",
    MergedAbove = "merged-above": "merged with the next region: same access, flags, object and owner",
    MergedBoth = "merged-both": "fills the hole between two equal regions: all three become one",
    Replaced = "replaced": "MAP_FIXED removes what was mapped there",
    SplitAtStart = "split-at-start": "the region is cut where the change starts",
    SplitAtEnd = "split-at-end": "the region is cut where the change ends",
    Unmapped = "unmapped": "munmap removes it",
    NothingMapped = "nothing-mapped": "nothing is mapped there: munmap succeeds all the same",
    Unchanged = "unchanged": "it is so already",
    HoleInRange = "hole-in-range": "part of the range is not mapped",
    PartlyDone = "partly-done": "the parts below the hole stay changed",
    MayNot = "may-not": "the mapping's object was opened without the right",
    ShrunkTail = "shrunk-tail": "the part beyond the new size is unmapped",
    GrownInPlace = "grown-in-place": "the hole above is large enough to grow into",
    Moved = "moved": "the pages move to the new place",
    KeptSource = "kept-source": "MREMAP_DONTUNMAP leaves the old range mapped and empty",
    Duplicated = "duplicated": "an old size of 0 maps the shared object a second time",
    CannotMove = "cannot-move": "there is no room to grow in place, and MREMAP_MAYMOVE is not given",
    AcrossRegions = "across-regions": "the old range crosses the end of its region",
    Overlaps = "overlaps": "the old and the new range overlap",
    Discarded = "discarded": "the pages are dropped: the next touch finds zeros or the file",
    LockedPages = "locked-pages": "the pages are locked in memory",
    BrkGrown = "brk-grown": "the heap grows",
    BrkShrunk = "brk-shrunk": "the heap shrinks",
    BrkBelowStart = "brk-below-start": "the break never goes below the start of the heap",
    BrkBlocked = "brk-blocked": "another region, or its guard gap, is in the way of the heap",
    StackGrown = "stack-grown": "touched below a region that grows down: it grows to the page",
    StackGuard = "stack-guard": "growing would come closer than the guard gap to the region below",
    StackLimit = "stack-limit": "the region would exceed RLIMIT_STACK",
    NotMapped = "not-mapped": "no region holds the address",
    NoAccess = "no-access": "the region's access does not allow it",
    BeyondFile = "beyond-file": "the page lies wholly beyond the end of the file",
    FirstAnon = "first-anon": "the first private page of the region: it gets its own anon_vma",
    SharedAnon = "shared-anon": "the first private page of the region: it takes a neighbour's anon_vma, so that they can merge",
    ForkCopied = "fork-copied": "copied to the child; private pages are shared until one side writes",
    ForkDropped = "fork-dropped": "MADV_DONTFORK: not in the child",
    ForkWiped = "fork-wiped": "MADV_WIPEONFORK: empty in the child",
    ExecReplaced = "exec-replaced": "exec starts with an empty address space",
    ZeroLength = "zero-length": "the length is 0",
    NotAligned = "not-aligned": "the address is not a multiple of the page size",
    BadFlags = "bad-flags": "the flags do not go together or are not known",
    Wraps = "wraps": "the range passes the end of the address space",
    BeyondEnd = "beyond-end": "the range passes the end of what programs may use",
    BelowMinimum = "below-minimum": "the address lies below vm.mmap_min_addr",
    NoRoom = "no-room": "no gap is large enough",
    AlreadyMapped = "already-mapped": "MAP_FIXED_NOREPLACE refuses to replace a region",
    AddressSpaceLimit = "address-space-limit": "the process would exceed RLIMIT_AS",
    DataLimit = "data-limit": "the process would exceed RLIMIT_DATA",
    LockLimit = "lock-limit": "the process would exceed RLIMIT_MEMLOCK",
    LockForbidden = "lock-forbidden": "RLIMIT_MEMLOCK is 0, so nothing may be locked",
    CommitLimit = "commit-limit": "the kernel does not promise so much memory",
    NoHugePages = "no-huge-pages": "no page is in the pool of huge pages (vm.nr_hugepages), or the file is not of it",
    MapCountLimit = "map-count-limit": "the process would exceed vm.max_map_count regions",
    NotReadable = "not-readable": "the file was not opened for reading",
    NotWritable = "not-writable": "the file was not opened for writing",
    FileShrunk = "file-shrunk": "the file was cut short: its pages behind the end are gone, private copies too",
    WriteSealed = "write-sealed": "the file is sealed: nobody maps it to write so that all see it",
    Sealed = "sealed": "the region is sealed: nobody changes it",
    NotForThisKind = "not-for-this-kind": "this kind of region does not allow it",
    Inaccessible = "inaccessible": "the region's access does not let the kernel fetch its pages",
}

/// What happened to a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A decision or a remark; no region changed.
    Note,
    /// The range became mapped.
    Map,
    /// The range is no longer mapped; its pages are gone.
    Unmap,
    /// A region was cut at the start of the range.
    Split,
    /// Regions became one, which is the range.
    Merge,
    /// The access of the range changed.
    Protect {
        /// The new access.
        access: Access,
    },
    /// The flags of the range changed.
    Flags,
    /// A region grew by the range.
    Grow,
    /// The pages of the range came from elsewhere.
    Move {
        /// Where they were.
        from: Address,
    },
    /// The pages of the range were dropped; it stays mapped.
    Discard,
    /// The region, which is the range, got an owner of anonymous pages.
    Anon {
        /// Number of the owner.
        id: u64,
    },
    /// The pages of the range are to be fetched now (`MAP_POPULATE`, locked memory).
    Populate,
}

/// One step of an operation, with its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which addresses.
    pub range: AddressRange,
    /// What happened.
    pub action: Action,
    /// Why.
    pub reason: Reason,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.range)?;
        match self.action {
            Action::Note => {}
            Action::Map => f.write_str("map: ")?,
            Action::Unmap => f.write_str("unmap: ")?,
            Action::Split => f.write_str("split: ")?,
            Action::Merge => f.write_str("merge: ")?,
            Action::Protect { access } => write!(f, "protect {access}: ")?,
            Action::Flags => f.write_str("flags: ")?,
            Action::Grow => f.write_str("grow: ")?,
            Action::Move { from } => write!(f, "move from {from}: ")?,
            Action::Discard => f.write_str("discard: ")?,
            Action::Anon { id } => write!(f, "anon_vma {id}: ")?,
            Action::Populate => f.write_str("populate: ")?,
        }
        write!(f, "{}", self.reason)
    }
}

/// What an operation returned, and the steps it took, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome<T> {
    /// What the call returns.
    pub value: T,
    /// What was done and why.
    pub steps: Vec<Step>,
}

/// A refused call: its errno, the reason, and the steps that were taken before and stay.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}: {reason}")]
pub struct Failure {
    /// The errno.
    pub error: LinuxError,
    /// Why.
    pub reason: Reason,
    /// What was done before and is not taken back.
    pub steps: Vec<Step>,
}

impl Failure {
    pub(super) fn new(error: LinuxError, reason: Reason) -> Self {
        Self { error, reason, steps: Vec::new() }
    }
}
