//! What the planner knows of one file of a fleet.

use plat_regions::{Address, AddressRange};

/// SHA-256 of a file's bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ContentHash(pub [u8; 32]);

/// The machines whose images can be rebased; their base relocations have one format.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Machine {
    /// 32-bit x86.
    I386,
    /// 64-bit x86.
    Amd64,
    /// 64-bit ARM, not the hybrid images (ARM64X, ARM64EC).
    Arm64,
}

/// Whether an image can be given another base, and why not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Movable {
    /// It can.
    Yes,
    /// Its relocations were stripped when it was linked.
    Stripped,
    /// A .NET image: the runtime maps it by its own rules; left alone unless asked.
    Clr,
    /// A hybrid ARM64X or ARM64EC image, which carries relocations of a second kind.
    Hybrid,
    /// The file cannot be written or is in use; the text says which.
    Obstacle(String),
}

/// A user's or the layout's wish for one file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Constraint {
    /// Stays where it is.
    NeverMove,
    /// Goes to this base and nowhere else.
    Fixed(Address),
    /// Lies within 2 GiB of the file of this path.
    Near(String),
    /// Is placed together with the others of this group, side by side.
    Group(String),
}

/// One file of a fleet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// The path as the user or the database names it, with `/` between folders.
    pub path: String,
    /// Other names of the same file (hard links) among those that were scanned; they move with it.
    pub links: Vec<String>,
    /// A program rather than a library: it is not moved, but its imports say what is loaded together.
    pub program: bool,
    /// The hash of its bytes as they are on disk.
    pub hash: ContentHash,
    /// The machine it is for.
    pub machine: Machine,
    /// The preferred base in its header now.
    pub base: Address,
    /// `SizeOfImage` in bytes, as the header says.
    pub size: u64,
    /// Whether it can be moved.
    pub movable: Movable,
    /// Whether `DYNAMIC_BASE` is set in its `DllCharacteristics`.
    pub dynamic_base: bool,
    /// Whether it carries an Authenticode certificate table.
    pub signed: bool,
    /// The DLLs that it imports, delay-loaded ones too, in lower case.
    pub imports: Vec<String>,
    /// The wishes for it.
    pub constraints: Vec<Constraint>,
}

impl Member {
    /// Returns the range that the image takes at its present base, rounded up to whole pages; `None` when it would
    /// pass the end of the address space.
    pub fn range(&self) -> Option<AddressRange> {
        AddressRange::sized(self.base, self.size.checked_add(0xfff)? & !0xfff)
    }
}
