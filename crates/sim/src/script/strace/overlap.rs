//! Calls of threads that overlap: strace tells when each began and ended, not which the kernel carried out first.
//!
//! Where one order gives the recorded results and the order of the trace does not, the former is taken.

use plat_regions::linux::{LinuxSpace, MapRequest, Source};

use super::Replay;
use crate::calls::Call;
use crate::event::Pid;
use crate::script::c_call;
use crate::script::run::Outside;

/// So many lines ahead the end of a call is looked for.
const AHEAD: usize = 4096;

impl Replay {
    /// Returns a call that is under way in the same memory and must have come before this one: its thread and line.
    pub(super) fn overtaking(
        &mut self,
        pid: Pid,
        call: &Call,
        recorded: &str,
        outside: &mut dyn Outside,
    ) -> Option<(Pid, usize)> {
        let memory = self.machine.processes.get(&pid)?.memory;
        let is_in_it =
            |other: &Pid| self.machine.processes.get(other).is_some_and(|held| held.memory == memory);
        let others: Vec<Pid> =
            self.halves.keys().copied().filter(|other| *other != pid && is_in_it(other)).collect();
        let wanted = c_call::number(recorded)?;
        for other in others {
            let Some((line, text)) = self.completed(other) else { continue };
            let Ok(parts) = c_call::split(&text, 1) else { continue };
            if !matches!(parts.name, "mmap" | "munmap" | "mremap") {
                continue;
            }
            let result =
                parts.rest.trim_start_matches('=').split_whitespace().next().and_then(c_call::number);
            let Ok(theirs) = self.parse_memory_call(other, &parts, outside) else { continue };
            let Some(space) = self.machine.memory(pid).and_then(|memory| memory.linux()) else { continue };
            let in_order = rehearse(space, &[call, &theirs]);
            if in_order == [Some(wanted), result] {
                continue;
            }
            if rehearse(space, &[&theirs, call]) == [result, Some(wanted)] {
                return Some((other, line));
            }
        }
        None
    }

    /// Finds the end of the call that a thread is in, and joins both halves.
    pub(super) fn completed(&self, pid: Pid) -> Option<(usize, String)> {
        let start = self.halves.get(&pid)?;
        let prefix = format!("{pid} <... ");
        let ahead = self.lines.iter().enumerate().skip(self.line).take(AHEAD);
        let (at, text) = ahead.into_iter().find(|(_, text)| text.starts_with(&prefix))?;
        let rest = text.split_once("resumed>").map_or("", |(_, rest)| rest);
        Some((at + 1, format!("{start}{rest}")))
    }
}

/// Tries calls on a copy; `None` for one that fails.
fn rehearse(space: &LinuxSpace, calls: &[&Call]) -> Vec<Option<u64>> {
    let mut space = space.clone();
    let one = |call: &&Call| match call {
        Call::Map { address, length, access, flags, file } => {
            let source = match file {
                Some((file, offset)) => Source::File { file: file.clone(), offset: *offset },
                None => Source::Anonymous,
            };
            let (address, length, access, flags) = (*address, *length, *access, *flags);
            let request = MapRequest { address, length, access, flags, source };
            space.map(&request).ok().map(|outcome| outcome.value.get())
        }
        Call::Unmap { address, length } => space.unmap(*address, *length).ok().map(|_| 0),
        Call::Remap(request) => space.remap(request).ok().map(|outcome| outcome.value.get()),
        // The others move nothing.
        _ => Some(0),
    };
    calls.iter().map(one).collect()
}
