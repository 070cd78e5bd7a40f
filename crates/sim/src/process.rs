//! Processes and the memory that they see: [`Process`], [`Memory`], [`Rules`].

use plat_regions::linux::LinuxSpace;
use plat_regions::windows::WindowsSpace;
use plat_regions::{Address, AddressRange};
use serde::Serialize;

use crate::event::Pid;
use crate::frames::ObjectId;
use crate::paging::PageTables;

/// The number of an address space; processes that share memory share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct MemoryId(pub u32);

/// How a process stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It runs.
    Running,
    /// It waits until its `vfork` child calls `exec` or `exit`.
    WaitsForVfork {
        /// The child.
        child: Pid,
    },
    /// It ended and its parent has not asked for its result.
    Zombie {
        /// The exit code.
        code: i32,
    },
    /// A signal, or an exception of Windows, ended it.
    Killed {
        /// `SIGSEGV`, `SIGBUS` or `STATUS_ACCESS_VIOLATION`.
        by: &'static str,
    },
}

/// What a process has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Faults that needed no file to be read.
    pub minor_faults: u64,
    /// Faults that read a page of a file.
    pub major_faults: u64,
    /// Pages copied because they were shared.
    pub copies: u64,
}

/// A process.
#[derive(Clone, Debug)]
pub struct Process {
    /// Who made it.
    pub parent: Option<Pid>,
    /// The program's name.
    pub name: String,
    /// What it sees.
    pub memory: MemoryId,
    /// How it stands.
    pub state: State,
    /// Whether its memory is its parent's, lent until `exec` or `exit`.
    pub borrows: bool,
    /// What it has counted.
    pub counters: Counters,
}

/// A view of a section in a Windows process: where, of what, from which byte.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Where.
    pub range: AddressRange,
    /// Of what.
    pub object: ObjectId,
    /// From which byte on.
    pub offset: u64,
    /// Whether stores make a private copy.
    pub is_private: bool,
}

/// Whose rules hold.
#[derive(Clone, Debug)]
pub enum Rules {
    /// Linux's.
    Linux(Box<LinuxSpace>),
    /// Windows', and the views that are mapped.
    Windows(Box<WindowsSpace>, Vec<View>),
}

/// One address space: the books, and the page tables that hold what is in memory.
#[derive(Clone, Debug)]
pub struct Memory {
    /// The books.
    pub rules: Rules,
    /// The page tables.
    pub tables: PageTables,
    /// How many processes see it.
    pub users: u32,
}

impl Memory {
    /// Returns the books of Linux, if they are.
    pub fn linux(&self) -> Option<&LinuxSpace> {
        match &self.rules {
            Rules::Linux(space) => Some(space),
            Rules::Windows(..) => None,
        }
    }

    /// Returns the books of Windows, if they are.
    pub fn windows(&self) -> Option<&WindowsSpace> {
        match &self.rules {
            Rules::Windows(space, _) => Some(space),
            Rules::Linux(_) => None,
        }
    }

    /// Returns how many pages are in memory, those of page tables left out.
    pub fn resident_pages(&self) -> usize {
        self.tables.all_pages().len()
    }

    /// Says whether an object is mapped here.
    pub fn maps(&self, object: ObjectId) -> bool {
        match &self.rules {
            Rules::Linux(space) => space.vmas().any(|(_, vma)| object_of(vma) == Some(object)),
            Rules::Windows(_, views) => views.iter().any(|view| view.object == object),
        }
    }

    /// Returns the view that contains `address`.
    pub fn view_at(&self, address: Address) -> Option<View> {
        match &self.rules {
            Rules::Windows(_, views) => views.iter().find(|view| view.range.contains(address)).copied(),
            Rules::Linux(_) => None,
        }
    }
}

/// Returns the object that a mapping shows: its inode is the object's number.
pub(crate) fn object_of(vma: &plat_regions::linux::Vma) -> Option<ObjectId> {
    vma.file().and_then(|file| u32::try_from(file.inode).ok()).map(ObjectId)
}
