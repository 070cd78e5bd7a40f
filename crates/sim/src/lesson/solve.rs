//! Answers and reasons, taken from states and events: [`solve`].

use plat_regions::{Access, Address};

use super::play::View;
use super::question::{Answer, Asked, Because, Measure, Moment, Question, REFUSALS, Side, What};
use super::words::usual;
use crate::event::{Event, Kind, Pid};
use crate::frames::FrameUse;
use crate::random::Random;
use crate::script::{Command, Done, State, parse_line};
use crate::snapshot::RegionView;
use crate::structures::Lens;

/// How a touch can be answered: code and words. What stands first wins when several codes occur.
const TOUCHES: [(&str, &str); 17] = [
    ("SIGSEGV", "the process gets SIGSEGV: no region allows it"),
    ("SIGBUS", "the process gets SIGBUS: the file ends before this page"),
    (
        "STATUS_ACCESS_VIOLATION",
        "an access violation: the page is not committed, or its protection forbids it",
    ),
    ("STATUS_GUARD_PAGE_VIOLATION", "a guard page: the program is told once"),
    ("STATUS_STACK_OVERFLOW", "the stack is at its end"),
    ("stack-grown", "page fault: the region grows down first, then a zeroed frame is given"),
    ("zero-page", "page fault: the page of zeroes, shared by all, is mapped read-only"),
    ("new-page", "page fault: a zeroed frame of its own is given"),
    ("zero-replaced", "page fault: a frame of its own replaces the page of zeroes"),
    ("cow-copy", "page fault: the shared frame is copied"),
    (
        "cow-reuse",
        "page fault: nobody else has the frame any more, so it becomes writable again without a copy",
    ),
    ("file-copied", "page fault: a private copy of the file's page is made"),
    ("file-mapped", "page fault: the file's own page is mapped"),
    ("shared-written", "page fault: the shared page becomes writable, nothing is copied"),
    ("tlb-hit", "the translation cache knows the page: no walk, no fault"),
    ("walk", "a walk through the page tables finds the page: no fault"),
    ("refused", "it is refused"),
];

/// What can become of a mapping: code and words.
const MERGES: [(&str, &str); 5] = [
    ("refused", "nothing: the call is refused"),
    ("merged-both", "it joins the regions on both sides: all become one"),
    ("merged-below", "it joins the region below"),
    ("merged-above", "it joins the region above"),
    ("new-region", "it is a region of its own"),
];

/// Choices that a question about a touch offers.
const TOUCH_CHOICES: usize = 5;

/// Returns the code of what became of a touch, as the list of a question has it.
pub(crate) fn outcome_of(events: &[Event]) -> Option<&'static str> {
    let signal = events.iter().find(|event| event.kind == Kind::Signal);
    let codes = TOUCHES.iter().map(|(code, _)| *code);
    match signal {
        Some(event) => codes.into_iter().find(|code| event.text.starts_with(code)),
        None => codes.into_iter().find(|code| events.iter().any(|event| event.code == *code)),
    }
}

/// Answers a question from what was seen.
pub(crate) fn solve(question: &Question, view: &View<'_>) -> Result<Asked, String> {
    let next = || view.next.ok_or_else(|| "there is no next command".to_owned());
    let (state, lens) = match question.moment {
        Moment::Now => (view.now, view.lens),
        Moment::Next => next().map(|(_, state, lens)| (state, lens))?,
    };
    let process = state.current;
    let mut choices = Vec::new();
    let (answer, mut because) = match &question.what {
        What::Number(measure) => {
            let pid = process.ok_or("there is no process yet")?;
            let number = number_of(*measure, pid, state, lens)?;
            (Answer::Number(number), facts(*measure, pid, state))
        }
        What::Maps => {
            let pid = process.ok_or("there is no process yet")?;
            let regions = state.machine.regions(pid).into_iter();
            (Answer::Maps(regions.map(|region| (region.range, region.rights)).collect()), Vec::new())
        }
        What::Returns => (returned(&next()?.0.events)?, Vec::new()),
        What::Touch => {
            let done = next()?.0;
            let code = outcome_of(&done.events).ok_or("the next command touches nothing")?;
            let offered = touch_choices(code, done, view);
            (choose(&mut choices, &offered, code)?, Vec::new())
        }
        What::Merge => {
            let events = &next()?.0.events;
            let found = MERGES.iter().find(|(code, _)| events.iter().any(|event| event.code == *code));
            let (code, _) = found.ok_or("the next command maps nothing")?;
            (choose(&mut choices, &MERGES, code)?, Vec::new())
        }
        What::Why(side) => {
            let right = refusal(&next()?.0.events, *side).ok_or("the next command refuses no merge there")?;
            choices = REFUSALS.iter().map(|why| why.words().to_owned()).collect();
            let index = choices.iter().position(|words| *words == right).ok_or("an unknown refusal")?;
            (Answer::Choice(index), Vec::new())
        }
        What::Which(offered) => {
            let events = &next()?.0.events;
            let offered: Vec<_> =
                offered.iter().map(|(code, words)| (code.as_str(), words.as_str())).collect();
            let occurs = |code: &str| {
                events.iter().any(|event| event.code == code)
                    || outcome_of(events) == Some(code) && events.iter().any(|it| it.kind == Kind::Signal)
            };
            let mut right = offered.iter().filter(|(code, _)| occurs(code));
            let (code, _) = right.next().ok_or("none of the choices happens")?;
            if let Some((other, _)) = right.next() {
                return Err(format!("two of the choices happen: {code} and {other}"));
            }
            (choose(&mut choices, &offered, code)?, Vec::new())
        }
    };
    if question.moment == Moment::Next {
        because.extend(reasons(&next()?.0.events));
    }
    let text = match question.text.as_str() {
        "" => usual(question, process.unwrap_or(0)),
        own => own.to_owned(),
    };
    let (at, moment, note) = (view.at, question.moment, question.note.clone());
    Ok(Asked { at, moment, process, text, choices, answer, because, note })
}

fn choose(choices: &mut Vec<String>, offered: &[(&str, &str)], code: &str) -> Result<Answer, String> {
    *choices = offered.iter().map(|(_, words)| (*words).to_owned()).collect();
    let index = offered.iter().position(|(offered, _)| *offered == code);
    index.map(Answer::Choice).ok_or_else(|| format!("{code} is not among the choices"))
}

/// Offers the right outcome and others that the state makes plausible, always in the order of the list.
///
/// Which others are offered follows from the command and its place, so that a rare outcome is not right whenever it is offered.
fn touch_choices(right: &str, done: &Done, view: &View<'_>) -> Vec<(&'static str, &'static str)> {
    let mut others: Vec<_> = plausible(done, view.now).into_iter().filter(|code| *code != right).collect();
    let seed =
        done.text.bytes().fold(view.at as u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let mut random = Random::new(seed);
    while others.len() > TOUCH_CHOICES - 1 {
        // The first is the signal, which is plausible everywhere.
        others.remove(1 + random.below(others.len() as u64 - 1) as usize);
    }
    TOUCHES.iter().filter(|(code, _)| *code == right || others.contains(code)).copied().collect()
}

/// Lists the outcomes that a beginner may expect of a touch: the signal first.
fn plausible(done: &Done, state: &State) -> Vec<&'static str> {
    let writes = matches!(
        parse_line(&done.text, 1),
        Ok(Command::Touch { access, .. }) if access.contains(Access::WRITE)
    );
    let regions = state.current.map_or_else(Vec::new, |pid| state.machine.regions(pid));
    let memory = state.current.and_then(|pid| state.machine.memory(pid));
    let any = |wanted: fn(&RegionView) -> bool| regions.iter().any(wanted);
    let mut codes = Vec::new();
    if memory.is_some_and(|memory| memory.windows().is_some()) {
        codes.extend([
            "STATUS_ACCESS_VIOLATION",
            "STATUS_GUARD_PAGE_VIOLATION",
            "new-page",
            "walk",
            "tlb-hit",
        ]);
        if any(|region| region.kind != "private") {
            codes.extend(["file-copied", "file-mapped"]);
        }
        return codes;
    }
    codes.extend([
        "SIGSEGV",
        "new-page",
        "walk",
        "tlb-hit",
        if writes { "zero-replaced" } else { "zero-page" },
    ]);
    if writes && state.machine.processes.len() > 1 {
        codes.extend(["cow-copy", "cow-reuse"]);
    }
    if any(|region| matches!(region.kind, "file" | "shared")) {
        codes.extend(["file-mapped", "SIGBUS"]);
        codes.extend(["file-copied", "shared-written"].into_iter().filter(|_| writes));
    }
    if any(|region| region.grows_down) {
        codes.push("stack-grown");
    }
    codes
}

/// Reads what the last call returned from its event.
fn returned(events: &[Event]) -> Result<Answer, String> {
    let last = events.iter().rev().find(|event| event.code == "returned" || event.code == "refused");
    let event = last.ok_or("the next command calls nothing")?;
    let word = event.text.split_whitespace().next_back().unwrap_or_default();
    match word.strip_prefix("0x").map(|digits| u64::from_str_radix(digits, 16)) {
        Some(Ok(value)) => Ok(Answer::Address(Address::new(value))),
        _ if event.text.contains(" fails: ") => Ok(Answer::Word(word.to_owned())),
        _ => Err(format!("{:?} is no answer to type", event.text)),
    }
}

fn refusal(events: &[Event], side: Side) -> Option<String> {
    let (code, words) = match side {
        Side::Below => ("not-merged-below", "previous region: "),
        Side::Above => ("not-merged-above", "next region: "),
    };
    let event = events.iter().find(|event| event.code == code)?;
    Some(event.text.split_once(words)?.1.to_owned())
}

fn number_of(measure: Measure, pid: Pid, state: &State, lens: Option<&Lens>) -> Result<u64, String> {
    let machine = &state.machine;
    let gone = || format!("process {pid} has no memory");
    let memory = || machine.memory(pid).ok_or_else(gone);
    let counters = || machine.processes.get(&pid).map(|process| process.counters).ok_or_else(gone);
    let lens = || lens.ok_or_else(gone);
    let totals = machine.totals();
    Ok(match measure {
        Measure::Regions => machine.regions(pid).len() as u64,
        Measure::Pages => memory()?.resident_pages() as u64,
        Measure::Tables => memory()?.tables.table_count() as u64,
        Measure::Shared => totals.shared_frames as u64,
        Measure::Frames => u64::from(totals.frames_in_use),
        Measure::Owners(address) => {
            let entry = memory()?.tables.entry(address).ok_or("no page is in memory there")?;
            machine.frames.get(entry.frame()).map_or(0, |frame| u64::from(frame.maps))
        }
        Measure::Byte(address) => {
            let mut copy = machine.clone();
            let read = copy.read(pid, address).map_err(|error| error.to_string())?;
            u64::from(read.map_err(|signal| format!("a read there meets {signal}"))?)
        }
        Measure::Faults => counters()?.minor_faults + counters()?.major_faults,
        Measure::Copies => counters()?.copies,
        Measure::ListSteps(address) => lens()?.list_steps(address.get()),
        Measure::TreeSteps(address) => lens()?.tree_steps(address.get()),
        Measure::CacheHits => lens()?.cache_hits(),
    })
}

/// Lists what a state holds that a number counts.
fn facts(measure: Measure, pid: Pid, state: &State) -> Vec<Because> {
    let machine = &state.machine;
    let fact = |code: &str, text: String| Because { code: code.to_owned(), text };
    match measure {
        Measure::Regions | Measure::ListSteps(_) | Measure::TreeSteps(_) => {
            let regions = machine.regions(pid).into_iter();
            let line = |region: RegionView| format!("{} {} {}", region.range, region.rights, region.name);
            regions.map(|region| fact("region", line(region).trim_end().to_owned())).collect()
        }
        Measure::Pages => {
            let pages = machine.memory(pid).map_or_else(Vec::new, |memory| memory.tables.all_pages());
            pages.iter().map(|(page, entry)| fact("page", format!("{page} {entry}"))).collect()
        }
        Measure::Tables => {
            let Some(memory) = machine.memory(pid) else { return Vec::new() };
            let tables = memory.tables.tables();
            let name = |level| machine.config.format.table_name(level);
            tables
                .map(|(frame, level, _)| fact("table", format!("frame {}: {}", frame.0, name(level))))
                .collect()
        }
        Measure::Shared => {
            let shared = machine.frames.iter().filter(|(_, it)| it.maps > 1 && it.purpose != FrameUse::Zero);
            shared.map(|(id, _)| fact("frame", owners_text(state, id))).collect()
        }
        Measure::Owners(address) => {
            let entry = machine.memory(pid).and_then(|memory| memory.tables.entry(address));
            entry.iter().map(|entry| fact("frame", owners_text(state, entry.frame()))).collect()
        }
        Measure::Frames => {
            let lines = machine.frames_text();
            lines.lines().map(|line| fact("frame", line.to_owned())).collect()
        }
        Measure::Byte(_) | Measure::Faults | Measure::Copies | Measure::CacheHits => Vec::new(),
    }
}

/// Names every page of every process that lies in a frame.
fn owners_text(state: &State, frame: crate::frames::FrameId) -> String {
    let mut owners = Vec::new();
    for (pid, process) in &state.machine.processes {
        let Some(memory) = state.machine.memories.get(&process.memory) else { continue };
        let pages = memory.tables.all_pages().into_iter().filter(|(_, entry)| entry.frame() == frame);
        owners.extend(pages.map(|(page, _)| format!("process {pid} at {page}")));
    }
    format!("frame {}: {}", frame.0, owners.join(", "))
}

/// Takes the sentences that explain: not the call itself, and the processor's ordinary ways only when nothing else happened.
fn reasons(events: &[Event]) -> Vec<Because> {
    let decides = |event: &&Event| !matches!(event.kind, Kind::Call | Kind::Processor | Kind::Note);
    let reason = |event: &Event| Because { code: event.code.to_string(), text: event.text.clone() };
    let decisive: Vec<_> =
        events.iter().filter(decides).filter(|event| event.code != "process-new").map(reason).collect();
    if decisive.is_empty() { events.iter().rev().take(1).map(reason).collect() } else { decisive }
}
