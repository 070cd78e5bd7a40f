//! `rebase` and `rebaseall`: bases for the files of a list, one after the other from an address on.
//!
//! Other than the original: an image's headers may lie anywhere (it looks at a fixed offset, and refuses a third of all
//! DLLs); relocations end where their directory ends; unknown ones are an error; `-n` works on files that stay; nothing
//! is placed below the floor or at an address that Windows cannot use; files are replaced whole; checksums are renewed,
//! timestamps kept; and a file that could not be changed gives exit code 2.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use plat_rebase::apply::{
    ApplyOptions, ApplyReport, Disk, Durability, HardLinks, Outcome, ScanOptions, apply, read_list, scan,
};
use plat_rebase::{Machine, Member, Movable, Move, Options, Plan, PlanReport, Reason, SignaturePolicy};
use plat_regions::{ALLOCATION_GRANULARITY, Address};

use super::database;
use super::getopt::{self, Spec, Value};
use crate::commands::flags::parse_number;

const SPECS: &[Spec] = &[
    ('4', "32", Value::None),
    ('8', "64", Value::None),
    ('b', "base", Value::Required),
    ('s', "database", Value::None),
    ('O', "oblivious", Value::None),
    ('M', "merge-files", Value::None),
    ('i', "info", Value::None),
    ('d', "down", Value::None),
    ('n', "no-dynamicbase", Value::None),
    ('o', "offset", Value::Required),
    ('t', "touch", Value::None),
    ('T', "filelist", Value::Required),
    ('q', "quiet", Value::None),
    ('v', "verbose", Value::None),
    ('V', "version", Value::None),
    ('h', "help", Value::None),
    ('h', "usage", Value::None),
    // Not in the original: where the installation is.
    ('R', "root", Value::Required),
];

const USAGE: &str = "usage: rebase [-b BaseAddress] [-o Offset] [-48dOsvV] [-T [FileList | -]] Files...
       rebase -i [-48Os] [-T [FileList | -]] Files...
       rebase --help or --usage for full help text
";

const HELP: &str = "Usage: rebase [OPTIONS] [FILE]...
Gives PE files, usually DLLs, base addresses one after the other.

  -4, --32                only 32-bit files
  -8, --64                only 64-bit files (the default)
  -b, --base=ADDRESS      where to begin
  -d, --down              go down from ADDRESS
  -o, --offset=BYTES      leave this much between files
  -s, --database          keep bases in the database etc/rebase.db.{i386,x86_64}; -b makes it, or places all files anew
  -O, --oblivious         as -s, without changing files in the database, or the database
  -M, --merge-files       as -s, only recording the bases that the files have
  -R, --root=DIR          the folder of the installation (not in the original)
  -i, --info              only print base and size of the files, by address; * marks those that overlap others
  -n, --no-dynamicbase    clear the flag dynamicbase
  -t, --touch             give changed files the present time
  -T, --filelist=FILE     read more names from FILE, one a line; - is standard input; may be repeated
  -q, --quiet  -v, --verbose  -V, --version  -h, --help
";

/// What was asked for.
#[derive(Default)]
pub(super) struct Wish {
    pub(super) is_32: bool,
    pub(super) base: Option<u64>,
    pub(super) offset: u64,
    down: bool,
    pub(super) info: bool,
    database: bool,
    /// `-O`: entries of the database are not touched.
    pub(super) oblivious: bool,
    /// `-M`: present bases are recorded.
    pub(super) merge: bool,
    pub(super) no_dynamic_base: bool,
    touch: bool,
    pub(super) quiet: bool,
    verbose: bool,
    pub(super) root: Option<PathBuf>,
    pub(super) files: Vec<PathBuf>,
}

/// Runs `rebase`.
pub(super) fn rebase(arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    let parsed = match getopt::parse(arguments, SPECS) {
        Ok(parsed) => parsed,
        Err(error) => return usage_error(&format!("rebase: {error}\n")),
    };
    let has = |letter| parsed.options.iter().any(|(it, _)| *it == letter);
    if has('h') {
        print!("{HELP}");
        return Ok(ExitCode::from(1));
    }
    if has('V') {
        println!("rebase of plat {}", env!("CARGO_PKG_VERSION"));
        return Ok(ExitCode::from(1));
    }
    let wish = match wish(parsed) {
        Ok(wish) => wish,
        Err(error) => return usage_error(&error),
    };
    if wish.database {
        return database::run(&wish);
    }
    let fleet = fleet(&wish);
    if wish.info {
        std::io::stdout().lock().write_all(info(&fleet, wish.is_32).as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let Some(base) = wish.base else { return usage_error("") };
    match moves(fleet, base, &wish) {
        Ok(moves) => replace(moves, &wish),
        Err(error) => {
            eprintln!("{error}");
            Ok(ExitCode::from(2))
        }
    }
}

/// Runs `rebaseall`.
pub(super) fn rebaseall(arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    const USAGE: &str = "usage: rebaseall [-b BaseAddress] [-o Offset] [-s DllSuffix] [-T FileList | -] [-4|-8] [-p] [-t] [-v]\n";
    const SPECS: &[Spec] = &[
        ('4', "32", Value::None),
        ('8', "64", Value::None),
        ('b', "base", Value::Required),
        ('o', "offset", Value::Required),
        ('s', "suffix", Value::Required),
        ('T', "filelist", Value::Required),
        // The original refuses while other programs of Cygwin run, unless this is given; here they are no trouble.
        ('p', "no-process-check", Value::None),
        ('t', "touch", Value::None),
        ('v', "verbose", Value::None),
        ('R', "root", Value::Required),
    ];
    let parsed = match getopt::parse(arguments, SPECS) {
        Ok(parsed) if parsed.operands.is_empty() => parsed,
        _ => {
            eprint!("{USAGE}");
            return Ok(ExitCode::from(1));
        }
    };
    let mut suffixes: Vec<String> = ["dll", "so", "oct"].map(String::from).to_vec();
    let mut rest = getopt::Parsed::default();
    for (letter, value) in parsed.options {
        match letter {
            's' => {
                suffixes.extend(value.map(|it| it.to_string_lossy().trim_start_matches('.').to_lowercase()))
            }
            'p' => {}
            _ => rest.options.push((letter, value)),
        }
    }
    match wish_of(rest) {
        Ok(wish) => database::all(wish, &suffixes),
        Err(error) => {
            eprint!("{error}{USAGE}");
            Ok(ExitCode::from(1))
        }
    }
}

pub(super) fn usage_error(message: &str) -> anyhow::Result<ExitCode> {
    eprint!("{message}{USAGE}");
    Ok(ExitCode::from(1))
}

fn wish(parsed: getopt::Parsed) -> Result<Wish, String> {
    let wish = wish_of(parsed)?;
    // A database has files of its own to show, or to move to a new base.
    let needs_files = !wish.database || !wish.info && wish.base.is_none();
    if wish.files.is_empty() && needs_files || wish.info && wish.base.is_some() {
        return Err(String::new());
    }
    Ok(wish)
}

fn wish_of(parsed: getopt::Parsed) -> Result<Wish, String> {
    let mut wish = Wish::default();
    let number = |value: &Option<OsString>| value.as_ref().and_then(|it| parse_number(it.to_str()?));
    for (letter, value) in &parsed.options {
        match letter {
            '4' => wish.is_32 = true,
            '8' => wish.is_32 = false,
            'b' => wish.base = Some(number(value).filter(|base| *base != 0).ok_or_else(String::new)?),
            'o' => wish.offset = number(value).ok_or_else(String::new)?,
            's' => wish.database = true,
            'O' => (wish.database, wish.oblivious) = (true, true),
            'M' => (wish.database, wish.merge) = (true, true),
            'R' => wish.root = value.clone().map(PathBuf::from),
            'd' => wish.down = true,
            'i' => wish.info = true,
            'n' => wish.no_dynamic_base = true,
            't' => wish.touch = true,
            'q' => wish.quiet = true,
            'v' => wish.verbose = true,
            _ => {
                let list = PathBuf::from(value.clone().unwrap_or_default());
                let files = read_list(&list).map_err(|error| format!("{}: {error}\n", list.display()))?;
                wish.files.extend(files);
            }
        }
    }
    wish.files.extend(parsed.operands.into_iter().map(PathBuf::from));
    if let Some(base) = wish.base {
        if wish.is_32 && base > u64::from(u32::MAX) {
            return Err(format!(
                "Invalid Baseaddress {base:#x}, must be > 0x0 and < 0xffffffff for 32-bit files\n"
            ));
        }
        if !base.is_multiple_of(ALLOCATION_GRANULARITY) {
            return Err(format!("Invalid Baseaddress {base:#x}, must be a multiple of 0x10000\n"));
        }
    }
    Ok(wish)
}

/// Reads the files in the order of the command line; says which are passed over.
fn fleet(wish: &Wish) -> Vec<(Member, Option<plat_rebase::apply::Stat>)> {
    let say = |name: &str, why: &str| {
        if !wish.quiet {
            eprintln!("{name}: skipped because {why}");
        }
    };
    let mut fleet = Vec::new();
    for path in &wish.files {
        let name = path.display().to_string();
        if !path.exists() {
            say(&name, "nonexistent.");
            continue;
        }
        let mut found = scan(std::slice::from_ref(path), &ScanOptions::default());
        for skipped in &found.skipped {
            say(&skipped.path, &skipped.why);
        }
        for member in found.members {
            if (member.machine == Machine::I386) == wish.is_32 {
                let stat = found.seen.remove(&member.path);
                fleet.push((member, stat));
            } else {
                say(&member.path, "wrong machine type.");
            }
        }
    }
    // A file named twice, or by two names, is moved once.
    let mut seen = std::collections::HashSet::new();
    fleet.retain(|(member, stat)| match stat.and_then(|stat| stat.id) {
        Some(id) => seen.insert((id, String::new())),
        None => seen.insert(((0, 0), member.path.clone())),
    });
    fleet
}

/// Writes name, base and size of each file by address, with a star where it overlaps another.
pub(super) fn info(fleet: &[(Member, Option<plat_rebase::apply::Stat>)], is_32: bool) -> String {
    let mut members: Vec<&Member> = fleet.iter().map(|(member, _)| member).collect();
    members.sort_by(|a, b| a.base.cmp(&b.base).then(a.path.cmp(&b.path)));
    let width = if is_32 { 10 } else { 14 };
    let line = |member: &&Member| {
        let overlaps = |other: &&&Member| {
            other.path != member.path && member.range().zip(other.range()).is_some_and(|(a, b)| a.overlaps(b))
        };
        let star = if members.iter().any(|other| overlaps(&other)) { '*' } else { ' ' };
        let (base, size) = (member.base.get(), member.size);
        format!("{:<41} base {base:#0width$x} size {size:#010x} {star}\n", member.path)
    };
    members.iter().map(line).collect()
}

/// Gives each file its base; the error says where room ended.
fn moves(
    fleet: Vec<(Member, Option<plat_rebase::apply::Stat>)>,
    base: u64,
    wish: &Wish,
) -> Result<Vec<(Move, Option<plat_rebase::apply::Stat>)>, String> {
    let limit = if wish.is_32 { 1u64 << 32 } else { 1 << 47 };
    let mut at = base;
    let mut moves = Vec::new();
    for (member, stat) in fleet {
        if matches!(member.movable, Movable::Obstacle(_)) {
            // It takes no place in the row: replace() finds out again, and says so.
            let to = member.base;
            moves.push((row(member, to.get(), 0), stat));
            continue;
        }
        if !matches!(member.movable, Movable::Yes | Movable::Clr) {
            if !wish.quiet {
                eprintln!("{}: skipped because not rebaseable", member.path);
            }
            continue;
        }
        let slot = member.size.next_multiple_of(ALLOCATION_GRANULARITY);
        let room = || format!("{}: no room left for {slot:#x} bytes at {at:#x}", member.path);
        let to = if wish.down {
            let to = at.checked_sub(slot).filter(|to| *to >= ALLOCATION_GRANULARITY).ok_or_else(room)?;
            at = to.saturating_sub(wish.offset.next_multiple_of(ALLOCATION_GRANULARITY));
            to
        } else {
            let end = at.checked_add(slot).filter(|end| *end <= limit).ok_or_else(room)?;
            let to = at;
            at = end.saturating_add(wish.offset.next_multiple_of(ALLOCATION_GRANULARITY));
            to
        };
        moves.push((row(member, to, slot), stat));
    }
    Ok(moves)
}

/// Makes one entry of the plan.
fn row(member: Member, to: u64, slot: u64) -> Move {
    Move {
        path: member.path,
        links: member.links,
        hash: member.hash,
        machine: member.machine,
        from: member.base,
        to: Address::new(to),
        size: member.size,
        slot,
        reason: Reason::Constraint("the command line".into()),
        uses: 0,
    }
}

/// Moves the files; says what became of each, as the original does.
fn replace(moves: Vec<(Move, Option<plat_rebase::apply::Stat>)>, wish: &Wish) -> anyhow::Result<ExitCode> {
    let folder = std::env::temp_dir();
    // The original keeps no record either; each file is replaced in one step all the same.
    let journal = folder.join(format!("plat-rebase-{}.journal", std::process::id()));
    let mut options = options(wish, journal.clone());
    options.seen = moves.iter().filter_map(|(it, stat)| Some((it.path.clone(), (*stat)?))).collect();
    let plan = Plan {
        layout: "compat".into(),
        moves: moves.into_iter().map(|(it, _)| it).collect(),
        obstacles: Vec::new(),
        shared: Vec::new(),
        report: PlanReport::default(),
    };
    let report = apply(&Disk, &plan, &options);
    let _ = std::fs::remove_file(&journal);
    let _ = std::fs::remove_file(crate::commands::rebase_apply::with_suffix(&journal, ".lock"));
    let report = report?;
    tell(&plan, &report, wish)?;
    let all_tried = plan.moves.iter().all(|it| it.slot != 0);
    Ok(ExitCode::from(if report.is_complete() && all_tried { 0 } else { 2 }))
}

/// How files are changed: as the original does, signed ones and .NET included.
pub(super) fn options(wish: &Wish, journal: PathBuf) -> ApplyOptions {
    ApplyOptions {
        image: Options {
            signature: SignaturePolicy::Keep,
            clr: true,
            dynamic_base: wish.no_dynamic_base.then_some(false),
            ..Options::default()
        },
        durability: Durability::File,
        hard_links: HardLinks::Refuse,
        touch: wish.touch,
        wait: true,
        journal,
        ..ApplyOptions::default()
    }
}

/// Says what became of each file, as the original does.
pub(super) fn tell(plan: &Plan, report: &ApplyReport, wish: &Wish) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for (it, file) in plan.moves.iter().zip(&report.files) {
        match &file.outcome {
            Outcome::Moved if wish.verbose => {
                writeln!(out, "{}: new base = {:x}, new size = {:x}", it.path, it.to.get(), it.slot)?;
            }
            _ if it.slot == 0 => eprintln!("{}: skipped because not writable", it.path),
            Outcome::Obstacle(why) | Outcome::Refused(why) | Outcome::Failed(why) => {
                let why = why.strip_prefix(&format!("{}: ", it.path)).unwrap_or(why);
                eprintln!("{}: skipped because {why}", it.path);
            }
            _ => {}
        }
        for warning in file.warnings.iter().filter(|_| !wish.quiet) {
            eprintln!("{}: {warning}", it.path);
        }
    }
    Ok(())
}
