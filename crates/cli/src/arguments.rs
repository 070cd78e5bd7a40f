//! What a user may type.

pub(crate) mod rebase;
pub(crate) mod rebase_plan;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Lays out process address spaces; runs Windows programs on Linux.
#[derive(Debug, Parser)]
#[command(version, disable_help_subcommand = true, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "Examples:
  plat run 7za.exe a backup.7z src        run a Windows program
  plat run --map - tool.exe               run it, then show its address space
  plat info --missing tool.exe            list what it would miss, before it runs
  plat map $$                             show the address space of a running process
  plat apis --dll kernel32                list the Windows functions that plat has";

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a Windows program; its exit code is plat's.
    Run(Run),
    /// Show what a program or DLL is and needs.
    Info(Info),
    /// Show an address space: of a file as it asks to be laid out, or of a running process.
    Map(Map),
    /// List the Windows functions that plat has.
    Apis(Apis),
    /// Plan, write and check base addresses of whole fleets of DLLs.
    Rebase(Box<rebase::Rebase>),
    /// Show or change flags and sizes in the headers of programs and DLLs.
    Flags(rebase::Flags),
    /// Print shell completions.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// `plat run`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plat run 7za.exe a backup.7z src
  plat run --trace api tool.exe 2>trace.txt
  plat run --map map.svg tool.exe
  plat run --layout win32-3gb --dll zlib1.dll=builtin tool.exe --its-own-option")]
pub(crate) struct Run {
    /// Layout of the address space: win32, win32-3gb, win32-4gb, win64, or a TOML file.
    #[arg(long, value_name = "NAME|FILE")]
    pub(crate) layout: Option<String>,
    /// Take a DLL's file (native) or plat's own (builtin); may be repeated.
    #[arg(long, value_name = "NAME=native|builtin", value_parser = parse_choice)]
    pub(crate) dll: Vec<(String, DllChoice)>,
    /// Search this folder for DLLs after the program's own; may be repeated.
    #[arg(long, value_name = "DIR")]
    pub(crate) dll_path: Vec<PathBuf>,
    /// Write what happens to standard error.
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) trace: Vec<TraceKind>,
    /// Write the address space when the program ends: FILE.svg, FILE.html, FILE.json, else text; - is standard error.
    #[arg(long, value_name = "FILE|-")]
    pub(crate) map: Option<PathBuf>,
    /// When the program ends, compare plat's books of the address space with the kernel's maps; exit code 2 when they
    /// differ.
    #[arg(long)]
    pub(crate) verify: bool,
    /// The program.
    pub(crate) program: PathBuf,
    /// Its arguments: everything after PROGRAM belongs to it.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) arguments: Vec<OsString>,
}

/// Where a DLL comes from.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum DllChoice {
    Native,
    Builtin,
}

fn parse_choice(text: &str) -> Result<(String, DllChoice), String> {
    let (name, choice) = text.split_once('=').ok_or("expected NAME=native or NAME=builtin")?;
    let choice = DllChoice::from_str(choice, true).map_err(|_| "expected native or builtin after the =")?;
    let name = name.to_lowercase();
    Ok((if name.contains('.') { name } else { format!("{name}.dll") }, choice))
}

/// What `--trace` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TraceKind {
    /// Every call of a Windows function.
    Api,
    /// What the loader decides.
    Loader,
    /// Every change of the address space.
    Memory,
}

/// Form of what is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Aligned tables.
    #[default]
    Text,
    /// For machines.
    Json,
    /// A picture.
    Svg,
    /// A page with the picture and a table.
    Html,
}

/// How well a function is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Status {
    /// Done.
    Full,
    /// Works within limits.
    Partial,
    /// Stops the program when called.
    Stub,
}

/// `plat info`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plat info tool.exe
  plat info --depth 0 tool.exe            only what the file itself imports
  plat info --missing --dll-path lib tool.exe")]
pub(crate) struct Info {
    /// List only functions that nothing provides; exit code 1 when there are any.
    #[arg(long)]
    pub(crate) missing: bool,
    /// How many levels of DLLs to follow in the tree of imports.
    #[arg(long, value_name = "LEVELS", default_value_t = 16, value_parser = clap::value_parser!(u8).range(..=64))]
    pub(crate) depth: u8,
    /// Search this folder for DLLs after the file's own; may be repeated.
    #[arg(long, value_name = "DIR")]
    pub(crate) dll_path: Vec<PathBuf>,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// The program or DLL.
    pub(crate) file: PathBuf,
}

/// `plat map`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plat map tool.exe
  plat map --format svg tool.exe >map.svg
  plat map $$")]
pub(crate) struct Map {
    /// Form of the output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// A program or DLL, or the number of a running process.
    #[arg(value_name = "FILE|PID")]
    pub(crate) target: OsString,
}

/// `plat apis`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plat apis --dll kernel32
  plat apis --status partial --format json")]
pub(crate) struct Apis {
    /// Only this DLL.
    #[arg(long, value_name = "NAME")]
    pub(crate) dll: Option<String>,
    /// Only functions that are done this well.
    #[arg(long, value_enum)]
    pub(crate) status: Option<Status>,
    /// Print the page docs/coverage.md.
    #[arg(long, hide = true)]
    pub(crate) markdown: bool,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}
