//! A small language for the tests of Linux's rules: one call per line, addresses in pages.

use std::fmt::Write;
use std::sync::Arc;

use crate::linux::*;
use crate::{Access, Address, AddressRange, PAGE_SIZE};

/// Page 0 of the scripts.
const BASE: u64 = 0x10_0000_0000;

/// A process and what it printed.
pub(super) struct Script {
    pub(super) space: LinuxSpace,
    out: String,
    /// Whether reasons are printed.
    reasons: bool,
}

/// Runs a script under `linux-modern` and returns what each failing call said, and the map at its end.
pub(super) fn run(text: &str) -> String {
    run_with(text, "linux-modern", false)
}

/// Runs a script as [`run`] does, and prints every step's reason.
pub(super) fn explain(text: &str) -> String {
    run_with(text, "linux-modern", true)
}

pub(super) fn run_with(text: &str, policy: &str, reasons: bool) -> String {
    let policy = Policy::builtin(policy).expect("a built-in policy");
    let mut space = LinuxSpace::new(policy, Limits::default());
    space.set_heap(page(4096), 0);
    let mut script = Script { space, out: String::new(), reasons };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        script.line(line);
    }
    let vmas: Vec<_> = script.space.vmas().map(|(range, vma)| (range, vma.clone())).collect();
    for (range, vma) in vmas {
        script.show(range, &vma);
    }
    script.out
}

fn page(number: u64) -> Address {
    Address::new(BASE + number * PAGE_SIZE)
}

fn number(word: &str) -> u64 {
    word.parse().unwrap_or_else(|_| panic!("a number, not {word}"))
}

/// Reads `N+L`: first page and number of pages.
fn range_of(word: &str) -> (Address, u64) {
    let (first, count) = word.split_once('+').expect("first page + number of pages");
    let start = if first == "top" { Address::ZERO } else { page(number(first)) };
    (start, number(count) * PAGE_SIZE)
}

fn access_of(word: &str) -> Access {
    let mut access = Access::empty();
    access.set(Access::READ, word.contains('r'));
    access.set(Access::WRITE, word.contains('w'));
    access.set(Access::EXECUTE, word.contains('x'));
    access
}

/// Reads `file:ID:PAGE`, a file of 16 pages; an odd ID is not opened for writing, one with `!` is sealed against it.
fn file_of(word: &str) -> Option<Source> {
    let (id, first) = word.strip_prefix("file:")?.split_once(':')?;
    let (id, seals_writes) = id.strip_suffix('!').map_or((id, false), |id| (id, true));
    let id = number(id);
    let file = OpenFile {
        id,
        inode: id,
        readable: true,
        writable: id.is_multiple_of(2),
        size_bytes: 16 * PAGE_SIZE,
        aligns_huge: false,
        seals_writes,
        name: "/file".into(),
    };
    Some(Source::File { file: Arc::new(file), offset: number(first) * PAGE_SIZE })
}

impl Script {
    fn line(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (range, rest) = match words.get(1) {
            Some(word) if word.contains('+') => (range_of(word), &words[2..]),
            _ => ((Address::ZERO, 0), &words[1..]),
        };
        let (start, length) = range;
        let first = rest.first().copied().unwrap_or("");
        match words[0] {
            "map" => self.map(line, start, length, rest),
            "unmap" => {
                let outcome = self.space.unmap(start, length);
                self.tell(line, outcome);
            }
            "protect" => {
                let grows = rest[1..].iter().map(|word| match *word {
                    "down" => ProtectGrows::DOWN,
                    "up" => ProtectGrows::UP,
                    other => panic!("{other} is no way to grow"),
                });
                let outcome = self.space.protect_growing(start, length, access_of(first), grows.collect());
                self.tell(line, outcome);
            }
            "remap" => self.remap(line, start, length, rest),
            "advise" => {
                let advice = Advice::from_name(first).expect("a name of madvise's");
                let outcome = self.space.advise(start, length, advice);
                self.tell(line, outcome);
            }
            "lock" => {
                let outcome = self.space.lock(start, length, first == "onfault");
                self.tell(line, outcome);
            }
            "unlock" => {
                let outcome = self.space.unlock(start, length);
                self.tell(line, outcome);
            }
            "lockall" => {
                let names = rest
                    .iter()
                    .map(|word| LockAllFlags::from_name(&word.to_uppercase()).expect("a flag of mlockall's"));
                let outcome = self.space.lock_all(names.collect());
                self.tell(line, outcome);
            }
            "unlockall" => {
                let outcome = self.space.unlock_all();
                self.tell(line, Ok(outcome));
            }
            "resize" => {
                let outcome = self.space.resize_file(number(first), number(rest[1]) * PAGE_SIZE);
                self.tell(line, Ok(outcome));
            }
            "brk" => {
                let end = self.space.heap().start.get() + number(first) * PAGE_SIZE;
                let outcome = self.space.brk(Address::new(end));
                self.tell(line, Ok(outcome));
            }
            "write" | "read" | "run" => self.touch(line, words[0], number(first)),
            "limit" => self.limit(first, number(rest[1])),
            "fork" => {
                let child = self.space.fork().expect("memory is promised");
                self.space = child.value.clone();
                self.tell(line, Ok(Outcome { value: (), steps: child.steps }));
            }
            other => panic!("{other} is no call"),
        }
    }

    fn map(&mut self, line: &str, address: Address, length: u64, rest: &[&str]) {
        let mut flags = MapFlags::PRIVATE;
        let mut source = Source::Anonymous;
        for word in &rest[1..] {
            match *word {
                "fixed" => flags |= MapFlags::FIXED,
                "noreplace" => flags |= MapFlags::FIXED_NOREPLACE,
                "shared" => flags ^= MapFlags::PRIVATE | MapFlags::SHARED,
                "down" => flags |= MapFlags::GROWS_DOWN,
                "noreserve" => flags |= MapFlags::NO_RESERVE,
                "locked" => flags |= MapFlags::LOCKED,
                "populate" => flags |= MapFlags::POPULATE,
                "low" => flags |= MapFlags::LOW_2GB,
                word => source = file_of(word).unwrap_or_else(|| panic!("{word} is no flag")),
            }
        }
        let request = MapRequest { address, length, access: access_of(rest[0]), flags, source };
        let outcome = self.space.map(&request);
        self.tell(line, outcome);
    }

    fn remap(&mut self, line: &str, address: Address, old_length: u64, rest: &[&str]) {
        let mut request = RemapRequest { address, old_length, ..RemapRequest::default() };
        request.new_length = number(rest[0]) * PAGE_SIZE;
        let mut words = rest[1..].iter();
        while let Some(word) = words.next() {
            match *word {
                "move" => request.flags |= RemapFlags::MAY_MOVE,
                "keep" => request.flags |= RemapFlags::DONT_UNMAP,
                "to" => {
                    request.flags |= RemapFlags::FIXED | RemapFlags::MAY_MOVE;
                    request.new_address = page(number(words.next().expect("a page after `to`")));
                }
                word => panic!("{word} is no flag"),
            }
        }
        let outcome = self.space.remap(&request);
        self.tell(line, outcome);
    }

    fn touch(&mut self, line: &str, verb: &str, at: u64) {
        let access = match verb {
            "write" => FaultAccess::Write,
            "read" => FaultAccess::Read,
            _ => FaultAccess::Execute,
        };
        let outcome = self.space.fault(page(at), access);
        if let Fault::Killed(signal) = outcome.value {
            let reason = outcome.steps.last().map(|step| step.reason.to_string()).unwrap_or_default();
            writeln!(self.out, "{line}: {signal:?}: {reason}").expect("a string takes all");
        }
        self.tell(line, Ok(outcome));
    }

    fn limit(&mut self, name: &str, pages: u64) {
        let mut limits = *self.space.limits();
        let bytes = pages * PAGE_SIZE;
        match name {
            "as" => limits.address_space = bytes,
            "data" => limits.data = bytes,
            "stack" => limits.stack = bytes,
            "locked" => limits.locked = bytes,
            "maps" => limits.mappings = pages as usize,
            "commit" => limits.overcommit = Overcommit::Never { limit_pages: pages },
            "guess" => limits.overcommit = Overcommit::Guess { machine_pages: pages },
            other => panic!("{other} is no limit"),
        }
        self.space.set_limits(limits);
    }

    fn tell<T>(&mut self, line: &str, outcome: Result<Outcome<T>, Failure>) {
        let steps = match outcome {
            Ok(outcome) => outcome.steps,
            Err(failure) => {
                writeln!(self.out, "{line}: {failure}").expect("a string takes all");
                failure.steps
            }
        };
        if self.reasons {
            for step in steps {
                let text = step.to_string();
                let (_, words) = text.split_once(' ').unwrap_or_default();
                writeln!(self.out, "  {} {words}", self.place(step.range)).expect("a string takes all");
            }
        }
    }

    fn place(&self, range: AddressRange) -> String {
        let top = self.space.policy().layout.top_base;
        let name = |address: Address| match address.get() {
            at if (BASE..BASE + 8192 * PAGE_SIZE).contains(&at) => ((at - BASE) / PAGE_SIZE).to_string(),
            at if at <= top.get() && top.get() - at < 0x1_0000_0000 => {
                format!("top-{}", (top.get() - at) / PAGE_SIZE)
            }
            at => format!("{at:#x}"),
        };
        format!("[{}, {})", name(range.start), name(range.end))
    }

    fn show(&mut self, range: AddressRange, vma: &Vma) {
        let place = self.place(range);
        let kind = if vma.is_shared() { 's' } else { 'p' };
        write!(self.out, "{place} {}{kind}", vma.access).expect("a string takes all");
        if vma.file().is_some() {
            write!(self.out, " file+{}", vma.page_offset).expect("a string takes all");
        }
        if let Some(anon) = vma.anon {
            let forked = if anon.forked { " (forked)" } else { "" };
            write!(self.out, " anon {}{forked}", anon.id).expect("a string takes all");
        }
        let hidden = VmFlags::MAY_ALL | VmFlags::ACCOUNT | VmFlags::SHARED | VmFlags::MAY_SHARE;
        for (name, _) in vma.flags.difference(hidden).iter_names() {
            write!(self.out, " {name}").expect("a string takes all");
        }
        self.out.push('\n');
    }
}
