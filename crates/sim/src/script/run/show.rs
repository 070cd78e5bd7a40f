//! What a script shows: maps, pages, frames, the translation cache, processes.

use super::State;
use crate::event::Pid;
use crate::machine::Machine;

impl State {
    pub(super) fn show(&mut self, what: &str) -> String {
        let machine = &self.machine;
        match what {
            "maps" => self.current.map_or_else(String::new, |pid| machine.maps_text(pid)),
            "pages" => self.current.map_or_else(String::new, |pid| machine.pages_text(pid)),
            "frames" => machine.frames_text(),
            "processes" => machine.processes_text(),
            "tlb" => {
                let counts = machine.tlb.counts;
                format!(
                    "translation cache: {} hits, {} misses, {} flushes, {} entries dropped, {} pushed out, {} stored\n",
                    counts.hits,
                    counts.misses,
                    counts.flushes,
                    counts.invalidated,
                    counts.evicted,
                    machine.tlb.len()
                )
            }
            _ => {
                let totals = machine.totals();
                format!(
                    "{} frames in use (most {}): {} shared, {} page tables, {} page cache\n",
                    totals.frames_in_use,
                    totals.peak_frames,
                    totals.shared_frames,
                    totals.table_frames,
                    totals.cached_frames
                )
            }
        }
    }
}

impl Machine {
    /// Writes a process' regions, one line each: as `/proc/PID/maps` for Linux, as `VirtualQuery` tells for Windows.
    pub fn maps_text(&self, pid: Pid) -> String {
        let mut lines = self.maps_lines(pid);
        if self.memory(pid).is_some_and(|memory| memory.windows().is_some()) {
            for region in self.regions(pid) {
                let rights = if region.rights.is_empty() { "-" } else { &region.rights };
                lines.push(format!("{} {} {rights} {}", region.range, region.state, region.name));
            }
        }
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Writes the pages of a process that are in memory.
    pub fn pages_text(&self, pid: Pid) -> String {
        let Some(memory) = self.memory(pid) else { return String::new() };
        let pages = memory.tables.all_pages();
        let line = |(address, entry): &(plat_regions::Address, crate::paging::Entry)| {
            let maps = self.frames.get(entry.frame()).map_or(0, |frame| frame.maps);
            format!("{address}  {entry}, {maps} entries point at the frame\n")
        };
        pages.iter().map(line).collect()
    }

    /// Writes the frames in use.
    pub fn frames_text(&self) -> String {
        let line = |(id, frame): (crate::frames::FrameId, &crate::frames::Frame)| {
            let purpose = match frame.purpose {
                crate::frames::FrameUse::Zero => "the page of zeroes".to_owned(),
                crate::frames::FrameUse::Anonymous => "a page of processes".to_owned(),
                crate::frames::FrameUse::Table { level } => self.config.format.table_name(level).to_owned(),
                crate::frames::FrameUse::Cached { object, page } => {
                    let name = self.cache.get(object).map_or("?", |object| object.name.as_str());
                    format!("page {page} of {name}")
                }
            };
            let dirty = if frame.dirty { ", written" } else { "" };
            format!("frame {:>5}  {purpose}: {} entries point at it{dirty}\n", id.0, frame.maps)
        };
        self.frames.iter().map(line).collect()
    }

    /// Writes the processes.
    pub fn processes_text(&self) -> String {
        let mut text = String::new();
        for (pid, process) in &self.processes {
            let parent = process.parent.map_or("-".to_owned(), |parent| parent.to_string());
            let resident = self.memory(*pid).map_or(0, |memory| memory.resident_pages());
            let counters = process.counters;
            text += &format!(
                "{pid:>6}  parent {parent:>6}  {}  {:?}  {resident} pages  {} minor and {} major faults, {} copies\n",
                process.name, process.state, counters.minor_faults, counters.major_faults, counters.copies
            );
        }
        text
    }
}
