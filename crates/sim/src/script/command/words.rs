//! Words of a line with their columns: numbers, sizes, rights; and calls as in C.

use plat_regions::linux::MapFlags;
use plat_regions::windows::{AllocationType, PageProtection};
use plat_regions::{Access, Address, PAGE_SIZE};

use super::{Command, MapWish, Parsed, WindowsWish};
use crate::event::Pid;
use crate::script::c_call;
use crate::script::strace::plain_call;

/// The words of a line.
pub(super) struct Words<'a> {
    words: Vec<(usize, &'a str)>,
    next: usize,
    end: usize,
}

impl<'a> Words<'a> {
    /// Cuts a line; a text in quotes is one word.
    pub(super) fn new(text: &'a str, column: usize) -> Parsed<Self> {
        let mut words = Vec::new();
        let mut rest = text;
        while !rest.trim_start().is_empty() {
            rest = rest.trim_start();
            let at = column + (text.len() - rest.len());
            if let Some(quoted) = rest.strip_prefix('"') {
                let end = quoted.find('"').ok_or((at, "the text has no closing quote".to_owned()))?;
                words.push((at, &quoted[..end]));
                rest = &quoted[end + 1..];
            } else {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                words.push((at, &rest[..end]));
                rest = &rest[end..];
            }
        }
        Ok(Self { words, next: 0, end: column + text.len() })
    }

    pub(super) fn peek(&self) -> Option<&'a str> {
        self.words.get(self.next).map(|(_, word)| *word)
    }

    pub(super) fn next(&mut self, wanted: &str) -> Parsed<(usize, &'a str)> {
        let word = self.words.get(self.next).copied();
        self.next += 1;
        word.ok_or_else(|| (self.end, format!("expected {wanted} here")))
    }

    pub(super) fn take(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        self.next += usize::from(found);
        found
    }

    pub(super) fn must(&mut self, word: &str) -> Parsed<()> {
        let (column, found) = self.next(word)?;
        if found == word { Ok(()) } else { Err((column, format!("expected {word:?}, not {found:?}"))) }
    }

    pub(super) fn number(&mut self, wanted: &str) -> Parsed<u64> {
        let (column, word) = self.next(wanted)?;
        c_call::number(word).ok_or_else(|| (column, format!("expected {wanted}, not {word:?}")))
    }

    pub(super) fn address(&mut self) -> Parsed<Address> {
        self.number("an address such as 0x40000").map(Address::new)
    }

    /// Reads `4 pages`, `8 MiB`, `64KiB`, `4096`.
    pub(super) fn size(&mut self) -> Parsed<u64> {
        let (column, word) = self.next("a size such as 4 pages or 8 MiB")?;
        let digits = if word.starts_with("0x") {
            word.len()
        } else {
            word.find(|letter: char| !letter.is_ascii_digit() && letter != '_').unwrap_or(word.len())
        };
        let wrong = || (column, format!("expected a size such as 4 pages or 8 MiB, not {word:?}"));
        let count = c_call::number(&word[..digits].replace('_', "")).ok_or_else(wrong)?;
        let mut unit = unit_of(&word[digits..]);
        if digits == word.len() {
            unit = Some(1);
            if let Some(named) = self.peek().and_then(unit_of) {
                self.next += 1;
                unit = Some(named);
            }
        }
        unit.and_then(|unit| count.checked_mul(unit)).ok_or_else(wrong)
    }

    /// Reads `rw`, `r-x`, `none`.
    pub(super) fn access(&mut self) -> Parsed<Access> {
        let (column, word) = self.next("rights such as rw or r-x")?;
        let mut access = Access::empty();
        for letter in word.chars().filter(|_| word != "none") {
            access |= match letter {
                'r' => Access::READ,
                'w' => Access::WRITE,
                'x' => Access::EXECUTE,
                '-' => Access::empty(),
                _ => return Err((column, format!("{word:?} are no rights: letters r, w, x, or none"))),
            };
        }
        Ok(access)
    }

    pub(super) fn end(&mut self) -> Parsed<()> {
        match self.words.get(self.next) {
            Some((column, word)) => Err((*column, format!("{word:?} is too much here"))),
            None => Ok(()),
        }
    }
}

fn unit_of(word: &str) -> Option<u64> {
    Some(match word {
        "page" | "pages" => PAGE_SIZE,
        "byte" | "bytes" | "B" => 1,
        "KiB" | "K" | "KB" => 1 << 10,
        "MiB" | "M" | "MB" => 1 << 20,
        "GiB" | "G" | "GB" => 1 << 30,
        "TiB" | "T" => 1 << 40,
        _ => return None,
    })
}

/// Reads a protection of Windows: `readwrite`, `PAGE_READWRITE`, `readwrite+guard`.
pub(super) fn protection(word: &str) -> Option<PageProtection> {
    let mut protection = PageProtection::empty();
    for part in word.split(['+', '|']) {
        let name = part.to_lowercase();
        protection |= match name.strip_prefix("page_").unwrap_or(&name) {
            "noaccess" => PageProtection::NOACCESS,
            "readonly" => PageProtection::READONLY,
            "readwrite" => PageProtection::READWRITE,
            "writecopy" => PageProtection::WRITECOPY,
            "execute" => PageProtection::EXECUTE,
            "execute_read" => PageProtection::EXECUTE_READ,
            "execute_readwrite" => PageProtection::EXECUTE_READWRITE,
            "guard" => PageProtection::GUARD,
            _ => return None,
        };
    }
    Some(protection)
}

/// Reads a call as in C.
pub(super) fn c_call(text: &str, column: usize) -> Parsed<Command> {
    let call = c_call::split(text, column)?;
    if !matches!(call.rest, "" | ";") {
        return Err((column + text.len() - call.rest.len(), format!("{:?} is too much here", call.rest)));
    }
    Ok(match call.name {
        "fork" => Command::Fork,
        "vfork" => Command::Vfork,
        "exit" | "_exit" | "exit_group" => Command::Exit(call.number(0).unwrap_or(0) as i32),
        "wait" => Command::Wait(None),
        "execve" | "execl" => {
            let path = call.text(0)?.to_owned();
            Command::Exec { arguments: vec![path.clone()], path }
        }
        "mmap" => {
            let flags = call.map_flags(3)?;
            let (column, fd) = call.raw(4)?;
            let named = fd.strip_prefix('"').and_then(|fd| fd.strip_suffix('"'));
            let file = match named {
                Some(path) => Some((path.to_owned(), call.number(5)?)),
                None if flags.contains(MapFlags::ANONYMOUS) || fd == "-1" => None,
                None => {
                    return Err((
                        column,
                        "a file is given by its path in quotes, in the place of fd".to_owned(),
                    ));
                }
            };
            let (address, length, access) = (call.address(0)?, call.number(1)?, call.access(2)?.0);
            Command::Map(MapWish { address, length, access, flags, file })
        }
        "VirtualAlloc" | "VirtualAllocEx" => {
            let (target, skip) = target(&call)?;
            let kind = call.flags(skip + 2, allocation)?;
            let protection =
                call.flags(skip + 3, |name| protection(name).map(|bits| u64::from(bits.bits())))?;
            Command::Windows(
                target,
                WindowsWish::Alloc(
                    call.address(skip)?,
                    call.number(skip + 1)?,
                    AllocationType::from_bits_retain(kind as u32),
                    PageProtection::from_bits_retain(protection as u32),
                ),
            )
        }
        "VirtualFree" | "VirtualFreeEx" => {
            let (target, skip) = target(&call)?;
            let kind = call.flags(skip + 2, allocation)?;
            let release = kind & 0x8000 != 0;
            Command::Windows(target, WindowsWish::Free(call.address(skip)?, call.number(skip + 1)?, release))
        }
        "VirtualProtect" | "VirtualProtectEx" => {
            let (target, skip) = target(&call)?;
            let bits = call.flags(skip + 2, |name| protection(name).map(|bits| u64::from(bits.bits())))?;
            let protection = PageProtection::from_bits_retain(bits as u32);
            Command::Windows(
                target,
                WindowsWish::Protect(call.address(skip)?, call.number(skip + 1)?, protection),
            )
        }
        "munmap" | "mprotect" | "mremap" | "madvise" | "brk" | "mlock" | "mlock2" | "munlock"
        | "mlockall" | "munlockall" => Command::Call(plain_call(&call)?),
        name => return Err((column, format!("{name} is no call that is known here"))),
    })
}

/// The Ex forms name the process first.
fn target(call: &c_call::Text<'_>) -> Parsed<(Option<Pid>, usize)> {
    if call.name.ends_with("Ex") { Ok((Some(call.number(0)? as Pid), 1)) } else { Ok((None, 0)) }
}

fn allocation(name: &str) -> Option<u64> {
    Some(match name {
        "MEM_COMMIT" => 0x1000,
        "MEM_RESERVE" => 0x2000,
        "MEM_DECOMMIT" => 0x4000,
        "MEM_RELEASE" => 0x8000,
        "MEM_TOP_DOWN" => 0x10_0000,
        "MEM_RESET" => 0x8_0000,
        "MEM_WRITE_WATCH" => 0x20_0000,
        _ => return None,
    })
}
