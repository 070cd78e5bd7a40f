//! What may be typed after `plat rebase plan`, `why` and `db`.

use std::path::PathBuf;

use clap::Args;

use super::Format;

/// `plat rebase plan`.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// Files and folders; folders are searched for images by content, not by suffix.
    #[arg(required_unless_present = "filelist")]
    pub(crate) paths: Vec<PathBuf>,
    /// Read more paths from a file, one a line; - is standard input. May be repeated.
    #[arg(short = 'T', long, value_name = "FILE|-")]
    pub(crate) filelist: Vec<PathBuf>,
    /// The layout whose bands and reserved ranges are kept.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) layout: Option<String>,
    /// A profile of what is loaded together; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) profile: Vec<PathBuf>,
    /// The database of bases; may be repeated, from the system's to the innermost, which is written.
    #[arg(long, value_name = "FILE")]
    pub(crate) db: Vec<PathBuf>,
    /// Room for growth, in per cent of each file's size.
    #[arg(long, value_name = "PERCENT")]
    pub(crate) slack: Option<u32>,
    /// Paths are recorded relative to this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Write the plan here.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Form of the report.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// `plat rebase why`.
#[derive(Debug, Args)]
pub(crate) struct Why {
    /// The database of bases; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) db: Vec<PathBuf>,
    /// The file.
    pub(crate) file: PathBuf,
}

/// `plat rebase db`.
#[derive(Debug, Args)]
pub(crate) struct Db {
    /// The database of bases; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) db: Vec<PathBuf>,
}
