//! The whole machine as data for those who draw it: [`Snapshot`], one for each step. The form in JSON is described in
//! docs/sim.md.

use plat_regions::linux::VmFlags;
use plat_regions::windows::{MemoryKind, State as PageState};
use plat_regions::{Address, AddressRange};
use serde::Serialize;

use crate::event::Pid;
use crate::frames::{Frame, FrameId, FrameUse};
use crate::machine::{Machine, Totals};
use crate::paging::{Entry, Format};
use crate::process::{Counters, Memory, MemoryId, State};
use crate::tlb::TlbCounts;

/// Everything that can be seen of a machine at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct Snapshot {
    /// The process that the script speaks for.
    pub current: Option<Pid>,
    /// Every process that was not waited for.
    pub processes: Vec<ProcessView>,
    /// Every address space.
    pub memories: Vec<MemoryView>,
    /// Every frame in use.
    pub frames: Vec<FrameView>,
    /// The translation cache.
    pub tlb: TlbView,
    /// Frames, counted.
    pub totals: Totals,
}

/// A process.
#[derive(Clone, Debug, Serialize)]
pub struct ProcessView {
    /// Its number.
    pub pid: Pid,
    /// Who made it.
    pub parent: Option<Pid>,
    /// The program's name.
    pub name: String,
    /// `running`, `waits for 2`, `ended with 0`, `ended by SIGSEGV`.
    pub state: String,
    /// Whether it runs.
    pub is_running: bool,
    /// Which address space it sees; the space may be gone when it ended.
    pub memory: MemoryId,
    /// What it has counted.
    pub counters: Counters,
}

/// An address space.
#[derive(Clone, Debug, Serialize)]
pub struct MemoryView {
    /// Its number.
    pub id: MemoryId,
    /// `linux` or `windows`.
    pub rules: &'static str,
    /// The first address that programs may not use.
    pub end: Address,
    /// Regions, ascending.
    pub regions: Vec<RegionView>,
    /// From the start of the heap to the break; absent without a heap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heap: Option<AddressRange>,
    /// The frame of the top page table.
    pub root: FrameId,
    /// Its page tables, the frame with the lowest number first.
    pub tables: Vec<TableView>,
}

/// A region: one line of `/proc/PID/maps`, or a run of like pages as `VirtualQuery` tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RegionView {
    /// Where.
    pub range: AddressRange,
    /// Rights such as `rw-p`, or a protection of Windows such as `READWRITE`.
    pub rights: String,
    /// `mapped`, `committed` or `reserved`.
    pub state: &'static str,
    /// File, `[heap]`, `[stack]`, an owner; empty for none.
    pub name: String,
    /// `anonymous`, `file`, `shared`, `kernel`, `image`, `private`.
    pub kind: &'static str,
    /// Where in its file it begins, in bytes.
    pub offset: u64,
    /// Whether a touch below makes it grow.
    pub grows_down: bool,
    /// The number of its anon_vma, once it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anon: Option<u64>,
    /// Base of the allocation that it is a part of (Windows).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocation: Option<Address>,
}

/// A page table: only entries that are not zero.
#[derive(Clone, Debug, Serialize)]
pub struct TableView {
    /// The frame that it fills.
    pub frame: FrameId,
    /// 1 for the table that points at pages.
    pub level: u8,
    /// Its entries.
    pub entries: Vec<EntryView>,
}

/// An entry of a page table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EntryView {
    /// Which of the table.
    pub index: u16,
    /// What it points at.
    pub frame: FrameId,
    /// Its bits, the highest first: `NX`, `COW`, `D`, `A`, `U`, `W`, `P`.
    pub bits: Vec<&'static str>,
}

/// A frame in use.
#[derive(Clone, Debug, Serialize)]
pub struct FrameView {
    /// Its number.
    pub id: FrameId,
    /// `zero`, `page`, `cache` or `table`.
    pub purpose: &'static str,
    /// What it holds, in words.
    pub text: String,
    /// How many page-table entries point at it as a page.
    pub maps: u32,
    /// How many others hold it: the page cache, a page table above, the page of zeroes' own.
    pub pins: u32,
    /// Whether a cached page was written.
    pub dirty: bool,
    /// Its first bytes.
    pub bytes: Vec<u8>,
}

/// The translation cache.
#[derive(Clone, Debug, Serialize)]
pub struct TlbView {
    /// What it has counted.
    pub counts: TlbCounts,
    /// What it stores: address space, page, frame.
    pub entries: Vec<(u32, Address, FrameId)>,
}

/// Bytes of a frame that a snapshot shows.
const BYTES_SHOWN: usize = 16;

/// How addresses are cut, for those who draw a walk.
#[derive(Clone, Debug, Serialize)]
pub struct LevelView {
    /// 1 for the table that points at pages.
    pub level: u8,
    /// What Intel calls it.
    pub table: &'static str,
    /// The lowest bit of the address that chooses the entry.
    pub low_bit: u32,
    /// How many bits do.
    pub bits: u32,
}

/// Lists the levels of a form of page tables, from the top.
pub fn levels(format: Format) -> Vec<LevelView> {
    let view = |level| {
        let (low_bit, bits) = format.index_bits(level);
        LevelView { level, table: format.table_name(level), low_bit, bits }
    };
    (1..=format.levels()).rev().map(view).collect()
}

impl Machine {
    /// Takes a picture of everything; `current` is the process that the script speaks for.
    pub fn snapshot(&self, current: Option<Pid>) -> Snapshot {
        let processes = self.processes.iter().map(|(pid, process)| ProcessView {
            pid: *pid,
            parent: process.parent,
            name: process.name.clone(),
            state: match process.state {
                State::Running => "running".to_owned(),
                State::WaitsForVfork { child } => format!("waits for {child}"),
                State::Zombie { code } => format!("ended with {code}"),
                State::Killed { by } => format!("ended by {by}"),
            },
            is_running: process.state == State::Running,
            memory: process.memory,
            counters: process.counters,
        });
        Snapshot {
            current,
            processes: processes.collect(),
            memories: self.memories.iter().map(|(id, memory)| memory_view(*id, memory)).collect(),
            frames: self.frames.iter().map(|(id, frame)| self.frame_view(id, frame)).collect(),
            tlb: TlbView { counts: self.tlb.counts, entries: self.tlb.stored().collect() },
            totals: self.totals(),
        }
    }

    fn frame_view(&self, id: FrameId, frame: &Frame) -> FrameView {
        let (purpose, text) = match frame.purpose {
            FrameUse::Zero => ("zero", "the page of zeroes".to_owned()),
            FrameUse::Anonymous => ("page", "a page of processes".to_owned()),
            FrameUse::Table { level } => ("table", self.config.format.table_name(level).to_owned()),
            FrameUse::Cached { object, page } => {
                let name = self.cache.get(object).map_or("?", |object| object.name.as_str());
                ("cache", format!("page {page} of {name}"))
            }
        };
        let bytes = frame.bytes.as_ref().map_or(vec![0; BYTES_SHOWN], |bytes| bytes[..BYTES_SHOWN].to_vec());
        FrameView { id, purpose, text, maps: frame.maps, pins: frame.pins, dirty: frame.dirty, bytes }
    }

    /// Lists the regions of a process, ascending; the kernel's page in every 64-bit process is not among them.
    pub fn regions(&self, pid: Pid) -> Vec<RegionView> {
        self.memory(pid).map_or_else(Vec::new, regions)
    }
}

fn memory_view(id: MemoryId, memory: &Memory) -> MemoryView {
    let (rules, end, heap) = match (memory.linux(), memory.windows()) {
        (Some(space), _) => {
            let heap = Some(space.heap()).filter(|heap| heap.start != Address::ZERO);
            ("linux", space.policy().layout.task_end, heap)
        }
        (None, Some(space)) => ("windows", space.layout().usable().end, None),
        (None, None) => ("linux", Address::ZERO, None),
    };
    let tables = memory.tables.tables().map(|(frame, level, entries)| TableView {
        frame,
        level,
        entries: entries.map(|(index, entry)| entry_view(index, entry)).collect(),
    });
    MemoryView {
        id,
        rules,
        end,
        regions: regions(memory),
        heap,
        root: memory.tables.root(),
        tables: tables.collect(),
    }
}

fn entry_view(index: u16, entry: Entry) -> EntryView {
    EntryView { index, frame: entry.frame(), bits: entry.bits().names().collect() }
}

fn regions(memory: &Memory) -> Vec<RegionView> {
    if let Some(space) = memory.windows() {
        let shown = space.regions().filter(|region| !region.is_system);
        return shown.map(windows_region).collect();
    }
    let Some(space) = memory.linux() else { return Vec::new() };
    let view = |(range, vma): (AddressRange, &plat_regions::linux::Vma)| {
        let letter = if vma.is_shared() { 's' } else { 'p' };
        let kind = match vma.file() {
            _ if vma.flags.contains(VmFlags::SPECIAL) => "kernel",
            Some(_) if vma.is_shared() => "shared",
            Some(_) => "file",
            None => "anonymous",
        };
        RegionView {
            range,
            rights: format!("{}{letter}", vma.access),
            state: "mapped",
            name: space.name(range, vma).to_string(),
            kind,
            offset: vma.shown_offset(),
            grows_down: vma.flags.contains(VmFlags::GROWS_DOWN),
            anon: vma.anon.map(|anon| anon.id),
            allocation: None,
        }
    };
    space.vmas().map(view).collect()
}

fn windows_region(region: plat_regions::windows::RegionInfo) -> RegionView {
    let names: Vec<_> = region.protection.iter_names().map(|(name, _)| name).collect();
    let part = region.part.map_or_else(String::new, |part| format!(" {part}"));
    RegionView {
        range: region.range,
        rights: names.join("+"),
        state: if region.state == PageState::Commit { "committed" } else { "reserved" },
        name: format!("{}{part}", region.owner),
        kind: match region.kind {
            MemoryKind::Image => "image",
            MemoryKind::Mapped => "shared",
            MemoryKind::Private => "private",
        },
        offset: 0,
        grows_down: false,
        anon: None,
        allocation: Some(region.allocation_base),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::lesson::{Lesson, LessonFiles, Played};

    #[test]
    fn a_snapshot_agrees_with_itself() {
        for number in 1..=Lesson::count() {
            let lesson = Lesson::builtin(number).expect("sound");
            let played = Played::new(&lesson, &mut LessonFiles).expect("sound");
            for (at, state) in played.states.iter().enumerate() {
                let mut counted: BTreeMap<_, u32> = BTreeMap::new();
                let tables = state.memories.iter().flat_map(|memory| &memory.tables);
                for entry in tables.clone().filter(|table| table.level == 1).flat_map(|table| &table.entries)
                {
                    *counted.entry(entry.frame).or_default() += 1;
                }
                for frame in &state.frames {
                    let maps = counted.remove(&frame.id).unwrap_or(0);
                    assert_eq!(frame.maps, maps, "lesson {number}, state {at}, frame {}", frame.id.0);
                }
                assert!(counted.is_empty(), "lesson {number}, state {at}: entries point at free frames");
                assert_eq!(tables.count(), state.totals.table_frames, "lesson {number}, state {at}");
            }
        }
    }

    #[test]
    fn javascript_can_hold_every_number() {
        let lesson = Lesson::builtin(10).expect("sound");
        let played = Played::new(&lesson, &mut LessonFiles).expect("sound");
        let text = serde_json::to_string(&played.states).expect("JSON");
        let numbers = text.split(|letter: char| !letter.is_ascii_digit());
        let largest = numbers.filter_map(|digits| digits.parse::<u64>().ok()).max();
        assert!(largest.is_some_and(|largest| largest < 1 << 53), "{largest:?}");
    }
}
