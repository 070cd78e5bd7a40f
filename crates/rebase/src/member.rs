//! What the planner knows of one file of a fleet.

use plat_image::PeImage;
use plat_image::pe::{self, DirectoryKind, DllCharacteristics};
use plat_regions::{Address, AddressRange};

use crate::RebaseError;
use crate::relocate::is_hybrid;

/// BLAKE3 of a file's bytes: four to five times as fast as SHA-256 where it matters, and as hard to forge.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// Stands for bytes that nobody hashed.
    pub const UNKNOWN: Self = Self([0; 32]);

    /// Returns the hash of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(blake3::hash(bytes).into())
    }
}

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
    /// Reads what the planner needs to know from the bytes of a whole file with this hash.
    ///
    /// Import tables that cannot be read count as empty: packed images have such.
    ///
    /// # Errors
    /// [`RebaseError`] when it is no image that Windows would load, or one for another machine.
    pub fn read(path: &str, bytes: &[u8], hash: ContentHash) -> Result<Self, RebaseError> {
        let image = PeImage::parse(path, bytes)?;
        let headers = image.headers();
        let machine = match headers.machine {
            pe::Machine::I386 => Machine::I386,
            pe::Machine::Amd64 => Machine::Amd64,
            pe::Machine::Arm64 => Machine::Arm64,
            other => return Err(RebaseError::Machine { file: path.into(), machine: other.number() }),
        };
        let movable = if is_hybrid(&image) {
            Movable::Hybrid
        } else if !image.is_relocatable() {
            Movable::Stripped
        } else if image.is_managed() {
            Movable::Clr
        } else {
            Movable::Yes
        };
        Ok(Self {
            path: path.into(),
            links: Vec::new(),
            program: !headers.is_dll(),
            hash,
            machine,
            base: Address::new(headers.image_base),
            size: headers.size_of_image.into(),
            movable,
            dynamic_base: headers.dll_characteristics.contains(DllCharacteristics::DYNAMIC_BASE),
            signed: headers.directory(DirectoryKind::Certificate).is_some(),
            imports: import_names(&image),
            constraints: Vec::new(),
        })
    }

    /// Returns the range that the image takes at its present base, rounded up to whole pages; `None` when it would
    /// pass the end of the address space.
    pub fn range(&self) -> Option<AddressRange> {
        AddressRange::sized(self.base, self.size.checked_add(0xfff)? & !0xfff)
    }
}

/// Returns the names of the DLLs that an image imports, in lower case, each once.
fn import_names(image: &PeImage) -> Vec<String> {
    let now = image.imports().unwrap_or_default().into_iter().map(|it| it.name);
    let later = image.delay_imports().unwrap_or_default().into_iter().map(|it| it.name);
    let mut names: Vec<String> = now.chain(later).map(|name| name.to_text().to_lowercase()).collect();
    names.sort_unstable();
    names.dedup();
    names
}
