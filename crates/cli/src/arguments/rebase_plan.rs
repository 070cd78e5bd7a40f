//! What may be typed after `plat rebase plan`, `why` and `db`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Format;

/// `plat rebase plan`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:
  plat rebase plan --layout cygwin64 --root / usr/bin usr/lib -o plan.toml
  plat rebase plan --profile maps.txt --profile imports --slack 20% stage/
  plat rebase plan --db system.toml --db mine.toml lib/ -o plan.toml
  plat rebase plan --share --format html fleet/ >plan.html")]
pub(crate) struct Plan {
    /// Files and folders; folders are searched for images by content, not by suffix.
    #[arg(required_unless_present = "filelist")]
    pub(crate) paths: Vec<PathBuf>,
    /// Read more paths from a file, one a line; - is standard input. May be repeated.
    #[arg(short = 'T', long, value_name = "FILE|-")]
    pub(crate) filelist: Vec<PathBuf>,
    /// The layout whose bands and reserved ranges are kept; without it, what suits the files.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) layout: Option<String>,
    /// What is loaded together: /proc/PID/maps of Linux, Cygwin or MSYS2, a map of plat run, a list of names; the word
    /// imports for what the files import. May be repeated.
    #[arg(long, value_name = "FILE|imports")]
    pub(crate) profile: Vec<PathBuf>,
    /// The database of bases, plat's or Cygwin's; may be repeated, from the system's to the innermost.
    #[arg(long, value_name = "FILE")]
    pub(crate) db: Vec<PathBuf>,
    /// Room for growth, in per cent of each file's size.
    #[arg(long, value_name = "PERCENT", value_parser = parse_percent)]
    pub(crate) slack: Option<u32>,
    /// A wish for one file: PATH=never-move, PATH=fixed 0xBASE, PATH=near OTHER, PATH=group NAME. May be repeated.
    #[arg(long, value_name = "PATH=WISH", value_parser = parse_wish)]
    pub(crate) wish: Vec<(String, plat_rebase::Constraint)>,
    /// Let files that are never loaded together share addresses when nothing else fits.
    #[arg(long)]
    pub(crate) share: bool,
    /// Place every file anew: the best use of space, at the price of moving files that lie well.
    #[arg(long)]
    pub(crate) repack: bool,
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
#[command(after_help = "Examples:
  plat rebase why --db mine.toml --root stage stage/bin/zlib1.dll
  plat rebase why bin/zlib1.dll bin/ lib/")]
pub(crate) struct Why {
    /// The database of bases, plat's or Cygwin's; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) db: Vec<PathBuf>,
    /// The layout; without it, the database's or what suits the file.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) layout: Option<String>,
    /// Paths are relative to this folder in the database.
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// The file.
    pub(crate) file: PathBuf,
    /// The fleet that it is part of: files and folders. Without it, the file's folder.
    pub(crate) paths: Vec<PathBuf>,
}

/// `plat rebase db`.
#[derive(Debug, Args)]
pub(crate) struct Db {
    #[command(subcommand)]
    pub(crate) command: DbCommand,
}

/// The commands of `plat rebase db`.
#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Read Cygwin's rebase.db and write plat's database.
    Import {
        /// The tree's folder: finds Cygwin's usual mounts (usr/bin is bin, usr/lib is lib).
        #[arg(long, value_name = "DIR")]
        root: Option<PathBuf>,
        /// Where to write; standard output if not given.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// The rebase.db.
        file: PathBuf,
    },
    /// Write a database for another tool.
    Export {
        /// For whom.
        #[arg(long, value_enum)]
        emit: Emit,
        /// Where to write; standard output if not given.
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// The databases, from the outermost layer to the innermost.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Take the places of a plan that was applied into a database; the files are read again.
    Record {
        /// The database; made when it is not there.
        #[arg(long, value_name = "FILE")]
        db: PathBuf,
        /// Paths in the plan are relative to this folder.
        #[arg(long, value_name = "DIR")]
        root: Option<PathBuf>,
        /// The plan.
        plan: PathBuf,
    },
}

/// `--emit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Emit {
    /// Cygwin's rebase.db for 32 bits.
    CygwinI386,
    /// Cygwin's rebase.db for 64 bits.
    CygwinX86_64,
    /// A line of GNU ld's options for each file.
    LdFlags,
    /// The file for Microsoft's /BASE:@FILE,KEY.
    Coffbase,
}

fn parse_percent(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix('%').unwrap_or(text);
    number.parse().ok().filter(|&it| it <= 1000).ok_or_else(|| "expected 0% to 1000%".into())
}

fn parse_wish(text: &str) -> Result<(String, plat_rebase::Constraint), String> {
    let expected = "expected PATH=never-move, PATH=fixed 0xBASE, PATH=near OTHER or PATH=group NAME";
    let (path, wish) = text.rsplit_once('=').ok_or(expected)?;
    Ok((path.to_owned(), plat_rebase::database::parse_constraint(wish).ok_or(expected)?))
}
