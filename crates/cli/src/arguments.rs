//! What a user may type.

pub(crate) mod rebase;
pub(crate) mod rebase_plan;
pub(crate) mod reg;
pub(crate) mod teach;

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
    /// Simulate address spaces step by step: scripts, straces, what-if questions. See docs/sim.md.
    Sim(Sim),
    /// Plan, write and check base addresses of whole fleets of DLLs.
    Rebase(Box<rebase::Rebase>),
    /// Show or change flags and sizes in the headers of programs and DLLs.
    Flags(rebase::Flags),
    /// Show and change the registry that Windows programs see. See docs/registry.md.
    Reg(reg::Reg),
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
    /// The program and its arguments: everything after PROGRAM belongs to it.
    // One list, because only what follows a list's first word is never taken for plat's own `--help`.
    #[arg(trailing_var_arg = true, required = true, value_names = ["PROGRAM", "ARGUMENTS"])]
    pub(crate) words: Vec<OsString>,
}

/// Reads `plat run PROGRAM …` where no option stands before the program: then there is nothing to parse, and the
/// parser, a third of a short program's run, is not needed. Returns nothing for all else.
pub(crate) fn plain_run(words: &[OsString]) -> Option<Run> {
    let [_, command, words @ ..] = words else { return None };
    let is_option = words.first()?.as_encoded_bytes().first().is_none_or(|&first| first == b'-');
    if command != "run" || is_option {
        return None;
    }
    Some(Run {
        layout: None,
        dll: Vec::new(),
        dll_path: Vec::new(),
        trace: Vec::new(),
        map: None,
        verify: false,
        words: words.to_vec(),
    })
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
    /// Calls of Windows functions, but for those that stay in guest code (memcpy, isalpha, GetLastError and their like).
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

/// `plat sim`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  plat sim                                             type commands, step back, compare states
  plat sim run fork.sim
  plat sim run --policy linux-modern,linux-2.6 fork.sim
  strace -f -y -e trace=memory,process,%file,close -o t bash -c true; plat sim run t
  plat sim place '8 MiB at 0x400000; 3 GiB contiguous below 4G' --policy linux-32,win32-4gb
  plat sim structures t
  plat sim lesson 5 --html -o fork.html
  plat sim quiz --seed 7"
)]
pub(crate) struct Sim {
    #[command(subcommand)]
    pub(crate) command: Option<SimCommand>,
    #[command(flatten)]
    pub(crate) machine: SimMachine,
}

/// What `plat sim` does.
#[derive(Debug, Subcommand)]
pub(crate) enum SimCommand {
    /// Carry out a script or what strace printed; exit code 1 when a replay differs from the recording.
    Run(SimRun),
    /// Read commands from standard input, one at a time (as without a subcommand); with FILE, walk through it.
    Repl(SimRepl),
    /// Tell where pieces of memory would go, whether they fit, and how probable that is.
    Place(SimPlace),
    /// Count what one address space costs in four structures, driven by an strace.
    Structures(SimStructures),
    /// Read a lesson with questions, step by step, or make a page of it.
    Lesson(teach::SimLesson),
    /// Answer questions about a simulated machine; exit code 1 when an answer is wrong.
    Quiz(teach::SimQuiz),
}

/// How the simulated machine is made.
#[derive(Clone, Debug, Args)]
pub(crate) struct SimMachine {
    /// The kernel: linux-modern, linux-modern-legacy, linux-2.6, freebsd, windows, windows-32, win9x, cygwin, wine; several
    /// stand side by side.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', default_value = "linux-modern")]
    pub(crate) policy: Vec<String>,
    /// Where random numbers start; given, programs lie at random addresses.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Form of the page tables.
    #[arg(long, value_enum, default_value = "4")]
    pub(crate) levels: Levels,
    /// Physical memory in frames of 4 KiB.
    #[arg(long, value_name = "N", default_value_t = 1 << 20)]
    pub(crate) frames: u32,
    /// Entries of the translation cache.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(crate) tlb: usize,
    /// Let translations of several processes live side by side.
    #[arg(long)]
    pub(crate) asid: bool,
}

/// Forms of page tables.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Levels {
    /// 32-bit paging.
    #[value(name = "2")]
    Two,
    /// PAE.
    #[value(name = "3")]
    Three,
    /// 64 bits.
    #[value(name = "4")]
    Four,
}

/// `plat sim run`.
#[derive(Debug, Args)]
pub(crate) struct SimRun {
    #[command(flatten)]
    pub(crate) machine: SimMachine,
    /// Stop after this many commands of a script.
    #[arg(long, value_name = "N")]
    pub(crate) until: Option<usize>,
    /// In JSON, add the whole state behind each command: regions, page tables, frames, processes.
    #[arg(long)]
    pub(crate) states: bool,
    /// Show what differs between the states after A and after B commands.
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) diff: Vec<usize>,
    /// For a replay: compare with maps that were recorded (blocks headed `== PID exec` or `== PID exit`).
    #[arg(long, value_name = "FILE")]
    pub(crate) maps: Option<PathBuf>,
    /// For a replay: take sizes and headers of files from this list instead of this machine.
    #[arg(long, value_name = "FILE")]
    pub(crate) files: Option<PathBuf>,
    /// Form of the output: text or json.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// The script, or what strace printed; - is standard input.
    pub(crate) file: PathBuf,
}

/// `plat sim repl`.
#[derive(Debug, Args)]
pub(crate) struct SimRepl {
    #[command(flatten)]
    pub(crate) machine: SimMachine,
    /// For a replay: recorded maps, which tell the random bases.
    #[arg(long, value_name = "FILE")]
    pub(crate) maps: Option<PathBuf>,
    /// Take sizes and headers of files from this list instead of this machine.
    #[arg(long, value_name = "FILE")]
    pub(crate) files: Option<PathBuf>,
    /// A script, or what strace printed, to walk through from its start.
    pub(crate) file: Option<PathBuf>,
}

/// `plat sim place`.
#[derive(Debug, Args)]
pub(crate) struct SimPlace {
    /// `SIZE [at ADDRESS] [contiguous] [below ADDRESS] [above ADDRESS]; ...`
    pub(crate) wishes: String,
    /// Policies; without this, all.
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub(crate) policy: Vec<String>,
    /// How many processes are laid out at random.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(crate) trials: u32,
    /// Where random numbers start.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Nothing is random.
    #[arg(long)]
    pub(crate) fixed: bool,
    /// Form of the output: text or json.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// `plat sim structures`.
#[derive(Debug, Args)]
pub(crate) struct SimStructures {
    /// What strace printed; without it, made-up regions: 10, 100 and 1000.
    pub(crate) trace: Option<PathBuf>,
    /// Take sizes and headers of files from this list instead of this machine.
    #[arg(long, value_name = "FILE")]
    pub(crate) files: Option<PathBuf>,
    /// For made-up regions: percent of the lookups that ask for the same region as the one before.
    #[arg(long, value_name = "PERCENT", default_value_t = 35)]
    pub(crate) locality: u64,
    /// Where random numbers start.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Form of the output: text or json.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(words: &[OsString]) -> Option<Run> {
        match Arguments::try_parse_from(words).ok()?.command {
            Command::Run(run) => Some(run),
            _ => None,
        }
    }

    #[test]
    fn a_plain_run_is_what_the_parser_makes_of_it() {
        let plain = [
            "t",
            "t a",
            "t -x --help --map f",
            "./t --version",
            "t -h",
            "run run",
            "t - -",
            "t -- a",
            "t a -- b",
        ];
        let parsed = ["--map f t", "-- t", "-h", "", "--help", "- a"];
        let split = |text: &str| -> Vec<OsString> {
            ["plat", "run"].into_iter().chain(text.split_whitespace()).map(OsString::from).collect()
        };
        for text in plain {
            let words = split(text);
            let run = plain_run(&words).expect(text);
            assert_eq!(format!("{run:?}"), format!("{:?}", whole(&words).expect(text)), "{text}");
        }
        for text in parsed {
            assert!(plain_run(&split(text)).is_none(), "{text}");
        }
        assert!(plain_run(&["plat", "info", "tool.exe"].map(OsString::from)).is_none());
        let words = ["--verify", "t", "--help", "--", "-x"];
        let run = whole(&split(&words.join(" "))).expect("a run with an option");
        assert_eq!((run.verify, run.words), (true, words[1..].iter().map(OsString::from).collect()));
    }
}
