//! What may be typed after `plat rebase` and `plat flags`; `plan`, `why` and `db` are in `rebase_plan`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Format;
use super::rebase_plan::{Db, Plan, Why};

/// `plat rebase`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:
  plat rebase plan --layout cygwin64 usr/bin usr/lib -o plan.toml
  plat rebase apply plan.toml
  plat rebase check --layout cygwin64 usr/bin
  plat rebase --layout cygwin64 usr/bin usr/lib          plan and apply in one go
  plat rebase --compat -s -b 0x400000000 -T list.txt     with the options of Cygwin's rebase"
)]
pub(crate) struct Rebase {
    #[command(subcommand)]
    pub(crate) command: Option<RebaseCommand>,
    /// Without a subcommand: what to plan for, then to apply.
    #[command(flatten)]
    pub(crate) plan: Option<Plan>,
    #[command(flatten)]
    pub(crate) how: How,
}

/// The commands of `plat rebase`.
#[derive(Debug, Subcommand)]
pub(crate) enum RebaseCommand {
    /// Give every file of a fleet a base address of its own.
    Plan(Plan),
    /// Write the bases of a plan into its files, each atomically.
    Apply(Apply),
    /// Look for overlaps, wrong checksums and the like; exit code 1 when there are any.
    Check(Check),
    /// Say who is at a file's addresses, and what depends on it.
    Why(Why),
    /// Show, import or export a database of bases.
    Db(Db),
}

/// How files are changed: `plat rebase apply` and `plat rebase` without a subcommand.
#[derive(Debug, Default, Args)]
pub(crate) struct How {
    /// Say what would be done, change nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Remove Authenticode signatures, which a new base makes invalid.
    #[arg(long, conflicts_with = "keep_signature")]
    pub(crate) strip_signature: bool,
    /// Leave Authenticode signatures in place, although they are invalid afterwards.
    #[arg(long)]
    pub(crate) keep_signature: bool,
    /// Move .NET images too.
    #[arg(long)]
    pub(crate) clr: bool,
    /// Set or clear DYNAMIC_BASE, on files that stay too.
    #[arg(long, value_name = "yes|no", num_args = 0..=1, default_missing_value = "yes", value_parser = parse_yes, require_equals = true)]
    pub(crate) dynamicbase: Option<bool>,
    /// Clear DYNAMIC_BASE, on files that stay too.
    #[arg(long, conflicts_with = "dynamicbase")]
    pub(crate) no_dynamicbase: bool,
    /// Set or clear HIGH_ENTROPY_VA, on files that stay too.
    #[arg(long, value_name = "yes|no", num_args = 0..=1, default_missing_value = "yes", value_parser = parse_yes, require_equals = true)]
    pub(crate) high_entropy: Option<bool>,
    /// Write this TimeDateStamp, in seconds since 1970 or `now`; without it the old one is kept.
    #[arg(long, value_name = "SECONDS|now")]
    pub(crate) timestamp: Option<String>,
    /// Write checksums into files that had none, too.
    #[arg(long)]
    pub(crate) checksum_always: bool,
    /// Give the files the present time as their modification time.
    #[arg(long)]
    pub(crate) touch: bool,
    /// What to do with a file that has hard links outside the plan.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) hard_links: HardLinks,
    /// When to wait for the disk: `file` after each file, `off` never (a power cut may then lose files).
    #[arg(long, value_enum, default_value_t)]
    pub(crate) durability: Durability,
    /// The record of what was done, for `--undo` and for a run after a crash; beside the plan or database if not given.
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    /// Fail at once when another plat is at work on the same journal, rather than wait.
    #[arg(long)]
    pub(crate) no_wait: bool,
}

/// `--hard-links`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum HardLinks {
    /// Leave the file alone and report it.
    #[default]
    Refuse,
    /// Change the names in the plan only; the others keep the old bytes.
    Break,
}

/// `--durability`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Durability {
    /// Each file is on disk before it takes the old one's name.
    #[default]
    File,
    /// The system writes when it likes.
    Off,
}

/// `plat rebase apply`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plat rebase apply plan.toml
  plat rebase apply --dry-run plan.toml
  plat rebase apply --verify plan.toml
  plat rebase apply --undo plan.toml")]
pub(crate) struct Apply {
    /// The plan; to undo, the journal is enough.
    #[arg(required_unless_present_all = ["undo", "journal"])]
    pub(crate) plan: Option<PathBuf>,
    /// Give the files of the last run back their old bytes.
    #[arg(long, conflicts_with = "verify")]
    pub(crate) undo: bool,
    /// Compare the files with the plan and the journal; exit code 1 when they differ.
    #[arg(long)]
    pub(crate) verify: bool,
    /// Paths in the plan are relative to this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) how: How,
}

/// `plat rebase check`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plat rebase check usr/bin usr/lib
  plat rebase check --layout cygwin64 --format json stage/")]
pub(crate) struct Check {
    /// Files and folders; folders are searched for images by content, not by suffix.
    #[arg(required_unless_present = "filelist")]
    pub(crate) paths: Vec<PathBuf>,
    /// Read more paths from a file, one a line; - is standard input. May be repeated.
    #[arg(short = 'T', long, value_name = "FILE|-")]
    pub(crate) filelist: Vec<PathBuf>,
    /// Also hold bases against this layout's reserved ranges and bands.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) layout: Option<String>,
    /// Require that DYNAMIC_BASE is set (yes) or clear (no).
    #[arg(long, value_name = "yes|no", value_parser = parse_yes)]
    pub(crate) dynamicbase: Option<bool>,
    /// Do not report this kind of finding; may be repeated.
    #[arg(long, value_name = "KIND")]
    pub(crate) allow: Vec<String>,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// `plat flags`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plat flags bash.exe
  plat flags --set dynamicbase,nxcompat --clear tsaware *.dll
  plat flags --size stack-reserve=8388608 --size cygwin-heap=1024 app.exe")]
pub(crate) struct Flags {
    /// Set these flags; see the names in the output without options.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) set: Vec<String>,
    /// Clear these flags.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) clear: Vec<String>,
    /// Set stack-reserve, stack-commit, heap-reserve, heap-commit (in bytes) or cygwin-heap (in MiB).
    #[arg(long, value_name = "NAME=NUMBER")]
    pub(crate) size: Vec<String>,
    /// Read more paths from a file, one a line; - is standard input. May be repeated.
    #[arg(short = 'T', long, value_name = "FILE|-")]
    pub(crate) filelist: Vec<PathBuf>,
    /// Change files that carry an Authenticode signature, which is invalid afterwards; they are left alone otherwise.
    #[arg(long)]
    pub(crate) keep_signature: bool,
    /// When to wait for the disk.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) durability: Durability,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// The files.
    #[arg(required_unless_present = "filelist")]
    pub(crate) files: Vec<PathBuf>,
}

fn parse_yes(text: &str) -> Result<bool, String> {
    match text {
        "yes" | "true" | "on" | "1" => Ok(true),
        "no" | "false" | "off" | "0" => Ok(false),
        _ => Err("expected yes or no".into()),
    }
}
