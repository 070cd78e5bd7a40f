//! Scripts made from a seed: commands that make sense where they stand, since the writer carries each of them out.

use super::Topic;
use crate::machine::Config;
use crate::random::Random;
use crate::script::{Outside, Session};
use crate::snapshot::RegionView;

const PAGE: u64 = 4096;

/// Writes a number of pages as a script has it.
fn pages_text(pages: u64) -> String {
    format!("{pages} page{}", if pages == 1 { "" } else { "s" })
}

/// Writes a script of about so many commands.
pub(super) fn script(
    topic: Topic,
    commands: usize,
    random: &mut Random,
    outside: &mut dyn Outside,
) -> Vec<String> {
    let mut writer =
        Writer { session: Session::new(Config::default()), lines: Vec::new(), random, outside, made: 0 };
    writer.begin(topic);
    while writer.lines.len() < commands {
        if !writer.is_alive() {
            writer.another(topic);
        }
        let line = match topic {
            Topic::Regions => writer.regions(),
            Topic::Paging => writer.paging(),
            Topic::Fork => writer.fork(),
            Topic::Files => writer.files(),
            Topic::Stack => writer.stack(),
            Topic::Windows => writer.windows(),
        };
        writer.push(line);
    }
    writer.lines
}

struct Writer<'a> {
    session: Session,
    lines: Vec<String>,
    random: &'a mut Random,
    outside: &'a mut dyn Outside,
    /// Processes that were made with `process`.
    made: usize,
}

impl Writer<'_> {
    /// Adds a command and carries it out.
    fn push(&mut self, line: String) {
        if self.session.append(&line, self.lines.len() + 1).is_ok() {
            self.session.step(self.outside);
            self.lines.push(line);
        }
    }

    fn one_of<'t>(&mut self, words: &[&'t str]) -> &'t str {
        words[self.random.below(words.len() as u64) as usize]
    }

    fn is_alive(&self) -> bool {
        let state = self.session.state();
        state.current.is_some_and(|pid| state.machine.running(pid).is_ok())
    }

    fn live(&self) -> Vec<u32> {
        let machine = &self.session.state().machine;
        machine.processes.keys().copied().filter(|pid| machine.running(*pid).is_ok()).collect()
    }

    fn region_list(&self) -> Vec<RegionView> {
        let state = self.session.state();
        state.current.map_or_else(Vec::new, |pid| state.machine.regions(pid))
    }

    fn region(&mut self) -> Option<RegionView> {
        let regions = self.region_list();
        let index = self.random.below(regions.len() as u64) as usize;
        regions.into_iter().nth(index)
    }

    /// Returns a page of some region.
    fn page(&mut self) -> u64 {
        match self.region() {
            Some(region) => region.range.start.get() + self.random.below(region.range.size() / PAGE) * PAGE,
            None => 0x4_0000,
        }
    }

    /// Goes on with another process when one has ended.
    fn another(&mut self, topic: Topic) {
        match self.live().first() {
            Some(pid) => self.push(format!("use {pid}")),
            None => self.begin(topic),
        }
    }

    /// Makes a process with something to begin with.
    fn begin(&mut self, topic: Topic) {
        self.made += 1;
        let name = ["one", "two", "three", "another"][(self.made - 1).min(3)];
        match topic {
            Topic::Windows => self.push(format!("process {name} windows win32")),
            _ => self.push(format!("process {name}")),
        }
        let (pages, at) = (2 + self.random.below(4), 0x4_0000 + self.random.below(4) * 0x1_0000);
        match topic {
            Topic::Regions | Topic::Paging => self.push(format!("map {pages} pages rw at {at:#x}")),
            Topic::Fork => {
                self.push(format!("map {pages} pages rw at {at:#x}"));
                // What a fork shares must have been written before.
                for page in 0..pages.min(3) {
                    let value = 1 + self.random.below(200);
                    self.push(format!("write {:#x} {value}", at + page * PAGE));
                }
            }
            Topic::Files => {
                if self.made == 1 {
                    let size = 5000 + self.random.below(9000);
                    self.push(format!("file /data/list size {size} text \"abc\""));
                }
                self.push(format!("map {} pages rw at {at:#x} file /data/list", pages + 1));
            }
            Topic::Stack => {
                let limit = 8 + self.random.below(24);
                self.push(format!("limit stack {limit} pages"));
                self.push(format!("map {pages} pages rw at 0x13000000 fixed growsdown"));
            }
            Topic::Windows => self.push(format!("alloc {} at {at:#x} reserve", 64 * 1024 * pages)),
        }
    }

    fn regions(&mut self) -> String {
        let rights = self.one_of(&["rw", "rw", "r", "rx"]);
        let pages = 1 + self.random.below(4);
        let text = pages_text(pages);
        let Some(region) = self.region() else { return format!("map {text} {rights} at 0x40000") };
        let (start, end) = (region.range.start.get(), region.range.end.get());
        let size = region.range.size() / PAGE;
        let inside = start + self.random.below(size) * PAGE;
        // A neighbour's rights make merging likely; mappings far up are left alone by touching neighbours.
        let same = region.rights.trim_end_matches(['p', 's', '-']).to_owned();
        let low = end < 1 << 32;
        match self.random.below(10) {
            0 | 1 if low => format!("map {text} {same} at {end:#x}"),
            2 if low => format!("map {text} {rights} at {end:#x}"),
            3 if low && start >= 0x4_0000 => {
                format!("map {text} {same} at {:#x}", start - pages * PAGE)
            }
            4 => format!("map 1 page {rights} at {inside:#x} fixed"),
            5 => format!("map {text} {rights} at {inside:#x}"),
            6 => format!("map {text} {rights}"),
            7 if size > 1 => format!("unmap 1 page at {inside:#x}"),
            8 => format!("protect 1 page at {inside:#x} {rights}"),
            _ => format!("map 1 page {rights} at {inside:#x} noreplace"),
        }
    }

    fn touch(&mut self, address: u64) -> String {
        let offset = self.random.below(64) * 8;
        match self.random.below(2) {
            0 => format!("read {:#x}", address + offset),
            _ => format!("write {:#x} {}", address + offset, 1 + self.random.below(200)),
        }
    }

    fn paging(&mut self) -> String {
        let page = self.page();
        match self.random.below(12) {
            0 => format!("map {} rw", pages_text(1 + self.random.below(600))),
            1 => format!("map 2 pages r at {:#x}", 0x4000_0000 + self.random.below(8) * 0x10_0000),
            2 => format!("protect 1 page at {page:#x} {}", self.one_of(&["r", "rw"])),
            3 => format!("madvise({page:#x}, {PAGE}, MADV_DONTNEED)"),
            4 => {
                let beyond = self.region().map_or(0, |region| region.range.end.get());
                self.touch(beyond)
            }
            _ => self.touch(page),
        }
    }

    fn fork(&mut self) -> String {
        let live = self.live();
        let page = self.page();
        match self.random.below(10) {
            0 | 1 if live.len() < 4 => "fork".to_owned(),
            2..=4 if live.len() > 1 => {
                let other = live[self.random.below(live.len() as u64) as usize];
                if Some(other) == self.session.state().current {
                    return self.touch(page);
                }
                format!("use {other}")
            }
            5 if live.len() > 2 => "exit".to_owned(),
            _ if live.len() < 2 && self.lines.len() > 3 => "fork".to_owned(),
            _ => format!("write {page:#x} {}", 1 + self.random.below(200)),
        }
    }

    fn files(&mut self) -> String {
        let page = self.page();
        match self.random.below(10) {
            0 => format!(
                "map 2 pages rw at {:#x} shared file /data/list",
                0x10_0000 * (1 + self.random.below(3))
            ),
            1 => "map 2 pages r file /data/list".to_owned(),
            2 => "map 1 page rw file /data/list offset 1 page".to_owned(),
            3 if self.live().len() < 3 => "fork".to_owned(),
            4 if self.live().len() > 1 => {
                let live = self.live();
                format!("use {}", live[self.random.below(live.len() as u64) as usize])
            }
            _ => self.touch(page),
        }
    }

    fn stack(&mut self) -> String {
        let bottom =
            self.region_list().iter().find(|region| region.grows_down).map(|it| it.range.start.get());
        let bottom = bottom.unwrap_or(0x1300_0000);
        let heap = self
            .session
            .state()
            .current
            .and_then(|pid| Some(self.session.state().machine.memory(pid)?.linux()?.heap().end.get()));
        match self.random.below(8) {
            0 if bottom > 0x1200_0000 => {
                let below = 1 + self.random.below(300);
                format!("map 1 page rw at {:#x} noreplace", bottom - below * PAGE)
            }
            1 | 2 if heap.is_none_or(|end| end == 0) => "exec /bin/static".to_owned(),
            1 => format!("brk up {}", pages_text(1 + self.random.below(20))),
            2 => "brk down 1 page".to_owned(),
            3 => {
                let page = self.page();
                self.touch(page)
            }
            _ => {
                let below = 1 + self.random.below(12);
                format!("write {:#x} 1", bottom - below * PAGE)
            }
        }
    }

    fn windows(&mut self) -> String {
        let page = self.page();
        let committed: Vec<_> = self
            .region_list()
            .into_iter()
            .filter(|region| region.state == "committed")
            .map(|region| region.range.start.get())
            .collect();
        let one = committed.get(self.random.below(committed.len() as u64) as usize).copied();
        match (self.random.below(10), one) {
            (0, _) => {
                let odd = 0x50_0000 + self.random.below(64) * PAGE;
                format!("alloc {} at {odd:#x}", pages_text(1 + self.random.below(3)))
            }
            (1, _) => format!("alloc {}K reserve", 64 * (1 + self.random.below(3))),
            (2 | 3, _) => format!("alloc 1 page at {page:#x} commit"),
            (4, Some(start)) => format!("vprotect 1 page at {start:#x} readonly"),
            (5, Some(start)) => format!("vprotect 1 page at {start:#x} readwrite+guard"),
            (6, Some(start)) => format!("free 1 page at {start:#x} decommit"),
            (7 | 8, Some(start)) => self.touch(start),
            _ if one.is_none() => format!("alloc 1 page at {page:#x} commit"),
            _ => self.touch(page),
        }
    }
}
