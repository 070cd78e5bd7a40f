//! One line of a trace, carried out: memory calls, processes, open files, page faults.

use std::borrow::Cow;
use std::sync::Arc;

use plat_regions::linux::{MapFlags, OpenFile};
use plat_regions::{Access, Address, PAGE_SIZE};

use super::{Descriptors, Replay, ReplayError};
use crate::cache::FileContents;
use crate::calls::Call;
use crate::event::Pid;
use crate::exec::Exec;
use crate::process::State;
use crate::script::c_call::{self, Text};
use crate::script::run::Outside;
use crate::structures::{Operation, Span};

impl Replay {
    pub(super) fn call(
        &mut self,
        pid: Pid,
        column: usize,
        text: &str,
        outside: &mut dyn Outside,
    ) -> Result<(), ReplayError> {
        let call = c_call::split(text, column).map_err(|(column, message)| self.wrong(column, message))?;
        let result = call.rest.trim_start_matches('=').trim();
        let failed = result.starts_with("-1");
        self.appear(pid)?;
        self.judge_touches(pid, result);
        match call.name {
            "execve" | "execveat" if !failed => self.execve(pid, &call, outside)?,
            "fork" | "vfork" | "clone" | "clone3" if !failed => {
                let child = result.split([' ', '<']).next().and_then(|number| number.parse().ok());
                if let Some(child) = child {
                    if !self.machine.processes.contains_key(&child) {
                        self.begin(pid, child, text)?;
                    }
                    self.released(child, outside)?;
                }
            }
            "exit_group" | "exit" => {
                self.compare_maps(pid, false);
                if self.machine.running(pid).is_ok() {
                    let code = call.number(0).unwrap_or(0) as i32;
                    self.machine.exit(pid, code).map_err(|error| self.cannot(error))?;
                }
            }
            "prlimit64" | "setrlimit" if !failed => self.limit(pid, &call),
            _ if self.machine.running(pid).is_err() => {}
            "open" | "openat" if !failed => self.open(pid, &call, result, outside),
            "unlink" | "unlinkat" | "rename" | "renameat" | "renameat2" | "link" | "linkat" if !failed => {
                self.name_call(&call);
            }
            "close" if !failed => {
                if let Ok((fd, _)) = call.descriptor(0) {
                    self.descriptors(pid).remove(&fd);
                }
            }
            "dup" | "dup2" | "dup3" | "fcntl" | "fcntl64" if !failed => self.duplicate(pid, &call, result),
            "shmget" if !failed => self.shared_get(&call, result),
            "shmat" | "shmdt" if !failed => {
                let known = match call.name {
                    "shmat" => self.shared_attach(&call, result),
                    _ => self.shared_detach(&call),
                };
                if let Some(known) = known {
                    self.compare(pid, &known, result, text)?;
                }
            }
            "mmap" | "mmap2" | "munmap" | "mprotect" | "mremap" | "madvise" | "brk" | "mlock" | "mlock2"
            | "munlock" | "mlockall" | "munlockall" => {
                self.memory_call(pid, &call, result, text, outside)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Holds what the model refused the kernel on behalf of a call against what that call returned.
    fn judge_touches(&mut self, pid: Pid, result: &str) {
        let refused = self.touching.remove(&pid).unwrap_or(0);
        if result.starts_with("-1 EFAULT") {
            self.bad_addresses.insert(pid);
            self.refused_touches += refused;
        } else {
            self.bad_addresses.remove(&pid);
            self.refused_faults += refused;
        }
    }

    /// Makes sure that a process of this number is there: the first one, or the child of a call that has not returned yet.
    fn appear(&mut self, pid: Pid) -> Result<(), ReplayError> {
        if self.machine.processes.contains_key(&pid) {
            return Ok(());
        }
        if let Some((parent, text)) = self.parent_of(pid) {
            return self.begin(parent, pid, &text);
        }
        self.machine.set_next_pid(pid);
        self.machine.spawn("traced").map_err(|error| self.cannot(error))?;
        Ok(())
    }

    /// Returns who is in the call that makes this process, and that call; of several, the one that will return its number.
    fn parent_of(&self, child: Pid) -> Option<(Pid, String)> {
        let forks =
            |text: &str| ["fork(", "vfork(", "clone(", "clone3("].iter().any(|name| text.starts_with(name));
        let makers: Vec<_> = self.halves.iter().filter(|(_, text)| forks(text)).collect();
        let result = format!("= {child}");
        let returns =
            |pid: Pid| self.completed(pid).is_some_and(|(_, text)| text.trim_end().ends_with(&result));
        let found = makers.iter().find(|(pid, _)| returns(**pid)).or(makers.first());
        found.map(|(pid, text)| (**pid, (*text).clone()))
    }

    /// Ends the execve that a child is in when the call that made it has returned: of vfork, that is why it has.
    fn released(&mut self, child: Pid, outside: &mut dyn Outside) -> Result<(), ReplayError> {
        let starts = self.halves.get(&child).is_some_and(|half| half.starts_with("execve("));
        if starts && let Some((line, _)) = self.completed(child) {
            self.early.insert(line);
            let text = self.lines.get(line - 1).cloned().unwrap_or_default();
            self.one(&text, outside)?;
        }
        Ok(())
    }

    fn begin(&mut self, parent: Pid, child: Pid, text: &str) -> Result<(), ReplayError> {
        self.machine.set_next_pid(child);
        let vfork = text.starts_with("vfork") || text.contains("CLONE_VFORK");
        let done = if vfork {
            self.machine.vfork(parent).map(|_| ())
        } else if text.contains("CLONE_VM") {
            self.machine.clone_with_memory(parent).map(|_| ())
        } else {
            self.machine.fork(parent).map(|_| ())
        };
        done.map_err(|error| self.cannot(error))?;
        if text.contains("CLONE_FILES") {
            let owner = self.files_of.get(&parent).copied().unwrap_or(parent);
            self.files_of.insert(child, owner);
        } else {
            let files = self.descriptors(parent).clone();
            self.files.insert(child, files);
        }
        if let Some(program) = self.programs.get(&parent).cloned() {
            self.programs.insert(child, program);
        }
        let spans = self.spans(child);
        if !vfork {
            self.operations.insert(child, spans.iter().copied().map(Operation::Insert).collect());
            self.known.insert(child, spans);
        }
        Ok(())
    }

    fn execve(&mut self, pid: Pid, call: &Text<'_>, outside: &mut dyn Outside) -> Result<(), ReplayError> {
        let wrong = |(column, message): (usize, String)| (column, message);
        let path = call.text(0).map_err(wrong).map_err(|(column, message)| self.wrong(column, message))?;
        // A program that starts itself again.
        let own = self.programs.get(&pid).filter(|_| path == "/proc/self/exe").cloned();
        let list = call.raw(1).map_or("", |(_, text)| text);
        let arguments =
            list.trim_matches(['[', ']']).split(", ").map(|text| text.trim_matches('"').to_owned());
        let given = own.as_deref().unwrap_or(path).to_owned();
        let (path, arguments) = self.follow_scripts(given, arguments.collect(), outside);
        let path = &*path;
        self.programs.insert(pid, path.to_owned());
        let interpreter = self.machine.cache.find(path).and_then(|id| self.machine.cache.get(id)?.elf().ok());
        if let Some(interpreter) = interpreter.and_then(|image| image.interpreter) {
            self.fetch(&interpreter, outside);
        }
        let bases = self.bases(pid, path);
        let exec = Exec { path: path.to_owned(), arguments, environment: Vec::new(), bases };
        self.machine.exec(pid, &exec).map_err(|error| self.cannot(error))?;
        let operations = self.operations.entry(pid).or_default();
        operations.push(Operation::Clear);
        let spans = self.spans(pid);
        self.operations.entry(pid).or_default().extend(spans.iter().copied().map(Operation::Insert));
        self.known.insert(pid, spans);
        for pages in self.waiting.remove(&pid).unwrap_or_default() {
            self.faults(pid, &pages)?;
        }
        self.compare_maps(pid, true);
        Ok(())
    }

    /// Finds the program that runs a script, and what it gets as arguments, by the lines that begin with `#!`.
    ///
    /// Source: execve(2), "Interpreter scripts"
    fn follow_scripts(
        &mut self,
        mut path: String,
        mut arguments: Vec<String>,
        outside: &mut dyn Outside,
    ) -> (String, Vec<String>) {
        /// How many interpreters may be scripts themselves.
        const DEPTH: usize = 5;
        self.fetch(&path, outside);
        for _ in 0..DEPTH {
            let object = self.machine.cache.find(&path).and_then(|id| self.machine.cache.get(id));
            let Some((interpreter, option)) = object.and_then(|object| interpreter_line(&object.bytes))
            else {
                break;
            };
            let script = std::mem::replace(&mut path, interpreter.clone());
            let rest = arguments.into_iter().skip(1);
            arguments = [Some(interpreter), option, Some(script)].into_iter().flatten().chain(rest).collect();
            self.fetch(&path, outside);
        }
        (path, arguments)
    }

    /// Makes a file known; one that nobody has is taken to be as large as it is mapped.
    fn fetch(&mut self, path: &str, outside: &mut dyn Outside) {
        if self.machine.cache.find(path).is_some() {
            return;
        }
        let unknown = || FileContents { path: path.to_owned(), size: 1 << 62, bytes: Arc::from([]) };
        let contents = outside.file(path).unwrap_or_else(unknown);
        if contents.path != path {
            self.machine.cache.add_link(path, &contents.path);
        }
        self.machine.cache.add_file(contents);
    }

    fn open(&mut self, pid: Pid, call: &Text<'_>, result: &str, outside: &mut dyn Outside) {
        let named = Text { name: "", arguments: vec![(1, result)], rest: "" };
        let Ok((fd, shown)) = named.descriptor(0) else { return };
        let index = usize::from(call.name == "openat");
        let Some(path) = shown.or(call.text(index).ok().map(Cow::from)) else { return };
        let path = &*path;
        let flags = call.raw(index + 1).map_or("O_RDONLY", |(_, text)| text);
        let writable = flags.contains("O_RDWR") || flags.contains("O_WRONLY");
        self.fetch(path, outside);
        if let Ok(file) = self.machine.open(path, !flags.contains("O_WRONLY"), writable) {
            self.descriptors(pid).insert(fd, (path.to_owned(), file));
        }
    }

    /// Returns the open files of a process; threads share theirs.
    fn descriptors(&mut self, pid: Pid) -> &mut Descriptors {
        let owner = self.files_of.get(&pid).copied().unwrap_or(pid);
        self.files.entry(owner).or_default()
    }

    fn duplicate(&mut self, pid: Pid, call: &Text<'_>, result: &str) {
        if call.name.starts_with("fcntl") && !call.raw(1).is_ok_and(|(_, text)| text.starts_with("F_DUPFD")) {
            return;
        }
        let named = Text { name: "", arguments: vec![(1, result)], rest: "" };
        if let (Ok((old, _)), Ok((new, _))) = (call.descriptor(0), named.descriptor(0)) {
            let files = self.descriptors(pid);
            if let Some(file) = files.get(&old).cloned() {
                files.insert(new, file);
            }
        }
    }

    /// Carries out what changes names of files; paths that the trace does not show in full are passed over.
    fn name_call(&mut self, call: &Text<'_>) {
        let by_directory = call.name != "link" && call.name.contains("at");
        let (old, new) = if by_directory { (1, 3) } else { (0, 1) };
        let Some(old) = full_path(call, by_directory, old) else { return };
        if call.name.starts_with("unlink") {
            return self.machine.cache.unlink(&old);
        }
        match full_path(call, by_directory, new) {
            Some(new) if call.name.starts_with("link") => self.machine.cache.link(&old, &new),
            Some(new) => self.machine.cache.rename(&old, &new),
            None => {}
        }
    }

    fn limit(&mut self, pid: Pid, call: &Text<'_>) {
        let index = usize::from(call.name == "prlimit64");
        let (Ok((_, name)), Ok((_, value))) = (call.raw(index), call.raw(index + 1)) else { return };
        let Some(text) = value.split("rlim_cur=").nth(1) else { return };
        let text = text.split([',', '}']).next().unwrap_or_default();
        let bytes = if text.contains("INFINITY") { Some(u64::MAX) } else { c_call::number(text) };
        let (Some(bytes), Ok((_, space))) = (bytes, self.machine.linux_of(pid, "prlimit64")) else { return };
        let mut limits = *space.limits();
        match name {
            "RLIMIT_STACK" => limits.stack = bytes,
            "RLIMIT_AS" => limits.address_space = bytes,
            "RLIMIT_DATA" => limits.data = bytes,
            "RLIMIT_MEMLOCK" => limits.locked = bytes,
            _ => return,
        }
        space.set_limits(limits);
    }

    fn file_of(
        &mut self,
        pid: Pid,
        call: &Text<'_>,
        outside: &mut dyn Outside,
    ) -> Option<(Arc<OpenFile>, u64)> {
        let (fd, path) = call.descriptor(4).ok().filter(|(fd, _)| *fd >= 0)?;
        let offset = call.number(5).unwrap_or(0);
        let held = self.descriptors(pid).get(&fd).cloned();
        if let Some((_, file)) = held.filter(|(held, _)| path.as_ref().is_none_or(|path| path == held)) {
            return Some((file, offset));
        }
        let path = path.map_or_else(|| "(unknown file)".to_owned(), Cow::into_owned);
        self.fetch(&path, outside);
        let file = self.machine.open(&path, true, true).ok()?;
        self.descriptors(pid).insert(fd, (path, file.clone()));
        Some((file, offset))
    }

    fn memory_call(
        &mut self,
        pid: Pid,
        call: &Text<'_>,
        result: &str,
        text: &str,
        outside: &mut dyn Outside,
    ) -> Result<(), ReplayError> {
        if call.name == "madvise" && call.advice(2).is_err() && result.starts_with("-1 EINVAL") {
            // An advice that nobody knows: programs ask whether the kernel checks, and it does.
            self.equal += 1;
            return Ok(());
        }
        let parsed = self.parse_memory_call(pid, call, outside);
        let parsed = parsed.map_err(|(column, message)| self.wrong(column, message))?;
        let recorded = result.split_whitespace().next().unwrap_or_default();
        let moves = matches!(parsed, Call::Map { .. } | Call::Unmap { .. } | Call::Remap(_));
        while moves && let Some((other, line)) = self.overtaking(pid, &parsed, recorded, outside) {
            self.early.insert(line);
            let text = self.lines.get(line - 1).cloned().unwrap_or_default();
            self.one(&text, outside)?;
            // Its half is gone, so that this ends.
            debug_assert!(!self.halves.contains_key(&other));
        }
        if let Call::Brk { address } = &parsed
            && *address == Address::ZERO
            && let Some(wanted) = c_call::number(recorded)
            && let Ok((_, space)) = self.machine.linux_of(pid, "brk")
            && space.heap().is_empty()
            && space.policy().layout.task_end.get() > wanted
        {
            // Where the heap starts is random and tells itself by the first call.
            space.set_heap(Address::new(wanted), 0);
        }
        if let Call::Unmap { address, .. } | Call::Protect { address, .. } | Call::Brk { address } = &parsed {
            self.find(pid, address.get());
        }
        self.compare(pid, &parsed, result, text)
    }

    /// Carries a call out and holds its result against the recorded one.
    fn compare(&mut self, pid: Pid, parsed: &Call, result: &str, text: &str) -> Result<(), ReplayError> {
        let recorded = result.split_whitespace().next().unwrap_or_default();
        let answer = self.machine.call(pid, parsed).map_err(|error| self.cannot(error))?;
        self.sync(pid);
        let model = match answer {
            Ok(value) => format!("{value:#x}"),
            Err(error) => format!("-1 {error}"),
        };
        let recorded = match c_call::number(recorded) {
            Some(value) => format!("{value:#x}"),
            None => result.split(" (").next().unwrap_or_default().trim().to_owned(),
        };
        if recorded.is_empty() || recorded.starts_with('?') || recorded == model {
            self.equal += 1;
        } else {
            let line = self.line;
            self.differences.push((line, text.to_owned(), recorded, model));
        }
        Ok(())
    }

    pub(super) fn parse_memory_call(
        &mut self,
        pid: Pid,
        call: &Text<'_>,
        outside: &mut dyn Outside,
    ) -> Result<Call, (usize, String)> {
        Ok(match call.name {
            "mmap" | "mmap2" => {
                let flags = call.map_flags(3)?;
                let anonymous = flags.contains(MapFlags::ANONYMOUS);
                let file = if anonymous { None } else { self.file_of(pid, call, outside) };
                let (address, length, access) = (call.address(0)?, call.number(1)?, call.access(2)?.0);
                Call::Map { address, length, access, flags, file }
            }
            "brk" => Call::Brk { address: call.address(0)? },
            _ => plain_call(call)?,
        })
    }

    pub(super) fn faults(&mut self, pid: Pid, pages: &str) -> Result<(), ReplayError> {
        self.appear(pid)?;
        for item in pages.split_whitespace() {
            let (item, count) = item.split_once('*').unwrap_or((item, "1"));
            let (digits, letter) = item.split_at(item.len().saturating_sub(1));
            let access = match letter {
                "r" | "R" => Access::READ,
                "w" | "W" => Access::WRITE,
                "x" => Access::EXECUTE,
                _ => return Err(self.wrong(1, format!("{item:?} is no page with r, w, x, R or W"))),
            };
            let by_kernel = letter.starts_with(char::is_uppercase);
            let (Ok(first), Ok(count)) = (u64::from_str_radix(digits, 16), count.parse::<u64>()) else {
                return Err(self.wrong(1, format!("{item:?} is no page in hexadecimal")));
            };
            for page in (first..first.saturating_add(count)).take(1 << 20) {
                self.fault(pid, page.wrapping_mul(PAGE_SIZE), access, by_kernel)?;
            }
        }
        self.sync(pid);
        Ok(())
    }

    fn fault(&mut self, pid: Pid, address: u64, access: Access, by_kernel: bool) -> Result<(), ReplayError> {
        if self.machine.running(pid).is_err() {
            return Ok(());
        }
        self.find(pid, address);
        let touch = self.machine.access(pid, Address::new(address), access, false);
        if let crate::fault::Touch::Signal(_) = touch.map_err(|error| self.cannot(error))? {
            match by_kernel {
                true if self.bad_addresses.contains(&pid) => self.refused_touches += 1,
                true => *self.touching.entry(pid).or_default() += 1,
                false => self.refused_faults += 1,
            }
        }
        Ok(())
    }

    fn spans(&self, pid: Pid) -> Vec<Span> {
        let space = self.machine.memory(pid).and_then(|memory| memory.linux());
        space.map_or_else(Vec::new, |space| {
            space.vmas().map(|(range, _)| (range.start.get(), range.end.get())).collect()
        })
    }

    fn find(&mut self, pid: Pid, address: u64) {
        self.operations.entry(self.owner(pid)).or_default().push(Operation::Find(address));
    }

    /// Returns the process whose memory this one uses: its parent while it borrows.
    fn owner(&self, pid: Pid) -> Pid {
        let process = self.machine.processes.get(&pid);
        match process {
            Some(process) if process.borrows => process.parent.unwrap_or(pid),
            _ => pid,
        }
    }

    /// Notes what became of the regions, so that the structures can be driven by the same changes.
    fn sync(&mut self, pid: Pid) {
        if !matches!(self.machine.processes.get(&pid).map(|process| process.state), Some(State::Running)) {
            return;
        }
        let new = self.spans(pid);
        let owner = self.owner(pid);
        let operations = self.operations.entry(owner).or_default();
        let old = self.known.entry(owner).or_default();
        changes(old, &new, operations);
        *old = new;
    }
}

/// Lists the changes that lead from one list of regions to another.
fn changes(old: &[Span], new: &[Span], out: &mut Vec<Operation>) {
    let is_in = |spans: &[Span], start| spans.binary_search_by_key(&start, |span: &Span| span.0).ok();
    for span in old.iter().filter(|span| is_in(new, span.0).is_none()) {
        out.push(Operation::Remove(span.0));
    }
    // Those that shrink first, so that no two overlap meanwhile.
    for grows in [false, true] {
        for span in new {
            if let Some(index) = is_in(old, span.0)
                && old[index] != *span
                && (span.1 > old[index].1) == grows
            {
                out.push(Operation::Resize(span.0, *span));
            }
        }
    }
    out.extend(new.iter().filter(|span| is_in(old, span.0).is_none()).map(|span| Operation::Insert(*span)));
}

/// Reads the calls that need no open file and no process.
pub(in crate::script) fn plain_call(call: &Text<'_>) -> Result<Call, (usize, String)> {
    let (address, length) = match call.name {
        "munmap" | "mprotect" | "madvise" | "mlock" | "mlock2" | "munlock" => {
            (call.address(0)?, call.number(1)?)
        }
        "brk" => (call.address(0)?, 0),
        _ => (Address::ZERO, 0),
    };
    Ok(match call.name {
        "munmap" => Call::Unmap { address, length },
        "mprotect" => {
            let (access, grows) = call.access(2)?;
            Call::Protect { address, length, access, grows }
        }
        "madvise" => Call::Advise { address, length, advice: call.advice(2)? },
        "mlock" => Call::Lock { address, length, on_fault: false },
        "mlock2" => {
            let flags = call.flags(2, |name| (name == "MLOCK_ONFAULT").then_some(1))?;
            Call::Lock { address, length, on_fault: flags & 1 != 0 }
        }
        "mlockall" => Call::LockAll { flags: call.lock_all_flags(0)? },
        "munlockall" => Call::UnlockAll,
        "munlock" => Call::Unlock { address, length },
        "brk" => Call::Brk { address },
        "mremap" => Call::Remap(call.remap()?),
        name => return Err((1, format!("{name} is no memory call that is known here"))),
    })
}

/// Reads the first line of a script: the interpreter's path, and all that follows as one argument.
fn interpreter_line(bytes: &[u8]) -> Option<(String, Option<String>)> {
    /// `BINPRM_BUF_SIZE`: the kernel looks no further.
    const LINE: usize = 256;
    let bytes = bytes[..bytes.len().min(LINE)].strip_prefix(b"#!")?;
    let line = String::from_utf8_lossy(bytes.split(|byte| *byte == b'\n').next()?).into_owned();
    let blank = [' ', '\t'];
    let line = line.trim_matches(blank);
    let (path, option) = line.split_once(blank).unwrap_or((line, ""));
    let option = option.trim_matches(blank);
    (!path.is_empty()).then(|| (path.to_owned(), (!option.is_empty()).then(|| option.to_owned())))
}

/// Returns the path in an argument, in full: a relative one only where strace shows the directory (`-y`).
fn full_path(call: &Text<'_>, by_directory: bool, index: usize) -> Option<String> {
    let path = call.text(index).ok()?;
    if path.starts_with('/') {
        return Some(path.to_owned());
    }
    let (_, directory) = call.raw(index.checked_sub(1).filter(|_| by_directory)?).ok()?;
    let directory = directory.split_once('<')?.1.strip_suffix('>')?;
    Some(format!("{}/{path}", directory.trim_end_matches('/')))
}
