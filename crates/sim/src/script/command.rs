//! One line of a script as a [`Command`]: plat's own words, or a call as in C.

mod words;

use plat_regions::linux::MapFlags;
use plat_regions::windows::{AllocationType, PageProtection};
use plat_regions::{Access, Address};

use crate::event::Pid;
use words::Words;

/// What is wrong with a script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ScriptError {
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// What is wrong, and what would do.
    pub message: String,
}

/// A mapping as a script asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MapWish {
    /// Hint or place; zero for anywhere.
    pub address: Address,
    /// Bytes.
    pub length: u64,
    /// Rights.
    pub access: Access,
    /// `MAP_*`.
    pub flags: MapFlags,
    /// File and offset in bytes.
    pub file: Option<(String, u64)>,
}

/// One line of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Makes a process and speaks for it; with a layout it follows Windows' rules.
    Process {
        /// Its name.
        name: String,
        /// Name of a layout such as `win32`.
        layout: Option<String>,
    },
    /// Speaks for another process from now on.
    Use(Pid),
    /// Makes a file known.
    File {
        /// Its path.
        path: String,
        /// Its size in bytes.
        size: u64,
        /// How it begins.
        text: String,
    },
    /// Maps.
    Map(MapWish),
    /// A memory call that names no file.
    Call(crate::calls::Call),
    /// Grows or shrinks the heap by bytes.
    BrkBy(i64),
    /// Touches a byte; a value is stored.
    Touch {
        /// Where.
        address: Address,
        /// How.
        access: Access,
        /// What is stored.
        value: u8,
    },
    /// `fork`; the parent keeps speaking.
    Fork,
    /// `vfork`; the child speaks until it calls `exec` or `exit`.
    Vfork,
    /// `execve`.
    Exec {
        /// The program.
        path: String,
        /// Its arguments, its name first.
        arguments: Vec<String>,
    },
    /// Ends the process.
    Exit(i32),
    /// Takes the result of a child.
    Wait(Option<Pid>),
    /// Sets `RLIMIT_STACK`, `RLIMIT_AS`, `RLIMIT_DATA`, or `max_map_count`.
    Limit(String, u64),
    /// A call of Windows, on a process (its own without a number).
    Windows(Option<Pid>, WindowsWish),
    /// Cygwin's fork, watched step by step.
    CygwinFork,
    /// Shows something: `maps`, `pages`, `frames`, `tlb`, `processes`, `totals`.
    Show(String),
    /// Shows the walk to an address.
    Walk(Address),
    /// Nothing: an empty line or a remark.
    Nothing,
}

/// A call of Windows as a script asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WindowsWish {
    /// `VirtualAllocEx`.
    Alloc(Address, u64, AllocationType, PageProtection),
    /// `VirtualFreeEx`; true releases.
    Free(Address, u64, bool),
    /// `VirtualProtectEx`.
    Protect(Address, u64, PageProtection),
    /// `MapViewOfFile`.
    View(String, u64, PageProtection),
}

const COMMANDS: &str = "process, use, file, map, unmap, protect, brk, read, write, run, fork, vfork, exec, exit, wait, \
    limit, alloc, free, vprotect, view, cygwin-fork, walk, maps, pages, frames, tlb, processes, totals, \
    or a call such as mmap(0, 4096, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)";

/// Reads one line; `number` counts from 1 and goes into errors.
///
/// # Errors
/// [`ScriptError`] with line and column.
pub fn parse_line(text: &str, number: usize) -> Result<Command, ScriptError> {
    let line = cut_remark(text);
    let fail = |(column, message)| ScriptError { line: number, column, message };
    let start = line.len() - line.trim_start().len();
    let body = line.trim();
    if body.is_empty() {
        return Ok(Command::Nothing);
    }
    let first = body.split_whitespace().next().unwrap_or_default();
    if first.contains('(') {
        return words::c_call(body, start + 1).map_err(fail);
    }
    let mut words = Words::new(body, start + 1).map_err(fail)?;
    let command = parse_words(&mut words).map_err(fail)?;
    words.end().map_err(fail)?;
    Ok(command)
}

/// Cuts a remark off: everything from a `#` that stands at the start or after a blank.
fn cut_remark(text: &str) -> &str {
    let found = text
        .char_indices()
        .find(|&(index, letter)| letter == '#' && (index == 0 || text[..index].ends_with([' ', '\t'])));
    found.map_or(text, |(index, _)| &text[..index])
}

type Parsed<T> = Result<T, (usize, String)>;

fn parse_words(words: &mut Words<'_>) -> Parsed<Command> {
    let (column, name) = words.next("a command")?;
    Ok(match name {
        "process" => {
            let name = words.next("a name")?.1.to_owned();
            let layout = words.take("windows").then(|| words.next("a layout such as win32")).transpose()?;
            Command::Process { name, layout: layout.map(|(_, layout)| layout.to_owned()) }
        }
        "use" => Command::Use(words.number("the number of a process")? as Pid),
        "file" => {
            let path = words.next("a path")?.1.to_owned();
            words.must("size")?;
            let size = words.size()?;
            let text = if words.take("text") { words.next("a text")?.1.to_owned() } else { String::new() };
            Command::File { path, size, text }
        }
        "map" => Command::Map(map_wish(words)?),
        "unmap" => {
            let (address, length) = place(words)?;
            Command::Call(crate::calls::Call::Unmap { address, length })
        }
        "protect" => {
            let (address, length) = place(words)?;
            let access = words.access()?;
            Command::Call(crate::calls::Call::Protect {
                address,
                length,
                access,
                grows: plat_regions::linux::ProtectGrows::empty(),
            })
        }
        "brk" => brk(words)?,
        "read" => touch(words, Access::READ)?,
        "run" => touch(words, Access::EXECUTE)?,
        "write" => touch(words, Access::WRITE)?,
        "fork" => Command::Fork,
        "vfork" => Command::Vfork,
        "exec" => {
            let path = words.next("a path")?.1.to_owned();
            let mut arguments = vec![path.clone()];
            while let Some(argument) = words.peek() {
                arguments.push(argument.to_owned());
                words.next("an argument")?;
            }
            Command::Exec { path, arguments }
        }
        "exit" => Command::Exit(if words.peek().is_some() { words.number("a code")? as i32 } else { 0 }),
        "wait" => {
            let some = words.peek().is_some();
            Command::Wait(if some { Some(words.number("the number of a process")? as Pid) } else { None })
        }
        "limit" => {
            let (column, which) = words.next("stack, memory, data or regions")?;
            if !["stack", "memory", "data", "regions"].contains(&which) {
                return Err((column, format!("{which:?} is no limit: stack, memory, data or regions")));
            }
            Command::Limit(which.to_owned(), words.size()?)
        }
        "alloc" | "free" | "vprotect" | "view" => windows(name, words)?,
        "cygwin-fork" => Command::CygwinFork,
        "walk" => Command::Walk(words.address()?),
        "maps" | "pages" | "frames" | "tlb" | "processes" | "totals" => Command::Show(name.to_owned()),
        _ => return Err((column, format!("{name:?} is no command: {COMMANDS}"))),
    })
}

fn place(words: &mut Words<'_>) -> Parsed<(Address, u64)> {
    let length = words.size()?;
    words.must("at")?;
    Ok((words.address()?, length))
}

fn touch(words: &mut Words<'_>, access: Access) -> Parsed<Command> {
    let address = words.address()?;
    let stores = access.contains(Access::WRITE) && words.peek().is_some();
    let value = if stores { words.number("a byte")? as u8 } else { 1 };
    Ok(Command::Touch { address, access, value })
}

fn brk(words: &mut Words<'_>) -> Parsed<Command> {
    for (sign, way) in [("up", 1), ("down", -1)] {
        if words.take(sign) {
            let size = i64::try_from(words.size()?).unwrap_or(i64::MAX);
            return Ok(Command::BrkBy(size.saturating_mul(way)));
        }
    }
    Ok(Command::Call(crate::calls::Call::Brk { address: words.address()? }))
}

fn map_wish(words: &mut Words<'_>) -> Parsed<MapWish> {
    let mut wish = MapWish { length: words.size()?, access: words.access()?, ..MapWish::default() };
    let mut shared = false;
    while let Some(word) = words.peek() {
        let (column, _) = words.next("an option")?;
        match word {
            "at" => wish.address = words.address()?,
            "fixed" => wish.flags |= MapFlags::FIXED,
            "noreplace" => wish.flags |= MapFlags::FIXED_NOREPLACE,
            "shared" => shared = true,
            "private" => {}
            "growsdown" => wish.flags |= MapFlags::GROWS_DOWN,
            "populate" => wish.flags |= MapFlags::POPULATE,
            "low" => wish.flags |= MapFlags::LOW_2GB,
            "file" => wish.file = Some((words.next("a path")?.1.to_owned(), 0)),
            "offset" => {
                let offset = words.size()?;
                let file = wish.file.as_mut().ok_or((column, "offset comes after file PATH".to_owned()))?;
                file.1 = offset;
            }
            _ => {
                let known =
                    "at ADDRESS, fixed, noreplace, shared, growsdown, populate, low, file PATH, offset SIZE";
                return Err((column, format!("{word:?} is no option of map: {known}")));
            }
        }
    }
    wish.flags |= if shared { MapFlags::SHARED } else { MapFlags::PRIVATE };
    if wish.file.is_none() {
        wish.flags |= MapFlags::ANONYMOUS;
    }
    Ok(wish)
}

fn windows(name: &str, words: &mut Words<'_>) -> Parsed<Command> {
    let mut path = String::new();
    if name == "view" {
        path = words.next("a path")?.1.to_owned();
    }
    let size = if name == "free" && words.peek() == Some("at") { 0 } else { words.size()? };
    let (mut address, mut target) = (Address::ZERO, None);
    let mut kind = AllocationType::empty();
    let mut protection = PageProtection::READWRITE;
    let mut release = true;
    while let Some(word) = words.peek() {
        let (column, _) = words.next("an option")?;
        match word {
            "at" => address = words.address()?,
            "in" => target = Some(words.number("the number of a process")? as Pid),
            "reserve" => kind |= AllocationType::RESERVE,
            "commit" => kind |= AllocationType::COMMIT,
            "top-down" => kind |= AllocationType::TOP_DOWN,
            "decommit" => release = false,
            "release" => release = true,
            _ => protection = words::protection(word).ok_or((column, format!("{word:?}: expected at ADDRESS, in PID, reserve, commit, top-down, release, decommit, or a protection such as readwrite, readonly, noaccess, writecopy, readwrite+guard")))?,
        }
    }
    if kind.is_empty() {
        kind = AllocationType::RESERVE | AllocationType::COMMIT;
    }
    let wish = match name {
        "alloc" => WindowsWish::Alloc(address, size, kind, protection),
        "free" => WindowsWish::Free(address, size, release),
        "vprotect" => WindowsWish::Protect(address, size, protection),
        _ => WindowsWish::View(path, size, protection),
    };
    Ok(Command::Windows(target, wish))
}
