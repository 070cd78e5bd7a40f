//! Why a program could not be started: what failed, where, why, what to try.

use std::path::PathBuf;

use plat_host::arena::ArenaError;
use plat_host::gate::Unsupported;
use plat_image::{FileKind, ImageError};
use plat_regions::{AddressRange, LayoutError};
use plat_win32::NtStatus;

/// The reason why a program did not start.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file could not be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
    /// The path leads to a directory.
    #[error("{path} is a directory, not a program; name the .exe file in it", path = path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// The file is something else than a program that plat runs.
    #[error("{path}: {kind}; plat runs Windows programs for x86 and x86-64 (PE32, PE32+)", path = path.display())]
    WrongKind {
        /// The file.
        path: PathBuf,
        /// What it is.
        kind: FileKind,
    },
    /// The file is a DLL.
    #[error("{path} is a DLL: it has no program of its own to run; run the .exe that uses it", path = path.display())]
    IsDll {
        /// The file.
        path: PathBuf,
    },
    /// The record of a parent process cannot be read.
    #[error(
        "descriptor {descriptor} holds no record of a parent process; only plat itself passes this argument"
    )]
    Record {
        /// The descriptor.
        descriptor: i32,
    },
    /// The file is damaged.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The layout is not one.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The layout is for the other machine.
    #[error("layout {layout} is for {layout_bits}-bit programs, and {path} is a {bits}-bit one", path = path.display())]
    WrongLayout {
        /// The layout's name.
        layout: String,
        /// The width it is for.
        layout_bits: u32,
        /// The program.
        path: PathBuf,
        /// The program's width.
        bits: u32,
    },
    /// The address space could not be laid out.
    #[error(transparent)]
    Arena(#[from] ArenaError),
    /// The processor or the kernel lacks what plat needs.
    #[error(transparent)]
    Machine(#[from] Unsupported),
    /// An image fits nowhere.
    #[error("{name} needs {size} bytes and fits nowhere: {reason}")]
    NoPlace {
        /// The module.
        name: String,
        /// Its size in bytes.
        size: u64,
        /// Why not.
        reason: String,
    },
    /// An image must lie where something else lies.
    #[error("{name} has no relocations and must lie at {range}, but {reason}")]
    Fixed {
        /// The module.
        name: String,
        /// Its preferred range.
        range: AddressRange,
        /// Who lies there.
        reason: String,
    },
    /// A DLL that the program needs is nowhere.
    #[error(
        "{needed_by} needs {dll}, which is neither beside the program, nor in --dll-path, nor built in; \
             looked in {looked}"
    )]
    DllNotFound {
        /// The DLL.
        dll: String,
        /// Who needs it.
        needed_by: String,
        /// Where it was looked for.
        looked: String,
    },
    /// A DLL is for the other machine.
    #[error("{path} is for {machine}, and the program is not", path = path.display())]
    WrongMachine {
        /// The DLL.
        path: PathBuf,
        /// Its machine.
        machine: String,
    },
    /// A DLL's `DllMain` said no.
    #[error("{dll}: DllMain returned FALSE: the DLL refuses to start")]
    DllRefused {
        /// The DLL.
        dll: String,
    },
    /// A DLL's `DllMain` raised an exception and did not handle it.
    ///
    /// Source: <https://support.microsoft.com/kb/196069>
    #[error("{dll}: DllMain raised {status}")]
    DllFaulted {
        /// The DLL.
        dll: String,
        /// The exception's code.
        status: NtStatus,
    },
    /// Memory for the guest could not be had.
    #[error("cannot set up {what}: {status}")]
    Setup {
        /// What was to be set up.
        what: String,
        /// The status.
        status: NtStatus,
    },
}

impl LoadError {
    /// Returns the status that `LdrLoadDll` gives for it.
    pub fn status(&self) -> NtStatus {
        match self {
            Self::Read { .. } | Self::DllNotFound { .. } | Self::Directory { .. } => NtStatus::DLL_NOT_FOUND,
            Self::WrongMachine { .. } | Self::WrongKind { .. } | Self::Image(_) => {
                NtStatus::INVALID_IMAGE_FORMAT
            }
            Self::DllRefused { .. } => NtStatus::DLL_INIT_FAILED,
            Self::DllFaulted { status, .. } | Self::Setup { status, .. } => *status,
            _ => NtStatus::NO_MEMORY,
        }
    }
}
