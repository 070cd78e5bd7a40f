//! A difference made as short as it can be, and told.

use super::Found;
use super::operation::Operation;
use super::setting::{Machine, Pair, Setting};
use anyhow::Result;
use plat_host::kernel_lab::PAGE_ZERO;
use plat_regions::Access;
use plat_regions::linux::Step;
use std::collections::BTreeSet;

/// One run of a list of operations: the first that differs, and how.
struct Difference {
    index: usize,
    wanted: Vec<u64>,
    answered: Vec<u64>,
    before: Vec<u64>,
    steps: Vec<Step>,
}

/// Runs operations one by one in a new pair, with a look at everything after each; returns the first difference.
fn rerun(machine: &Machine, setting: &Setting, operations: &[Operation]) -> Result<Option<Difference>> {
    let mut pair = Pair::new(machine, setting)?;
    let (mut answered, mut before) = (Vec::new(), Vec::new());
    for (index, operation) in operations.iter().enumerate() {
        let mut wanted = Vec::new();
        let (order, steps) = pair.simulate(operation, false, &mut wanted);
        pair.lab.post(&[order])?;
        pair.lab.take(&mut answered)?;
        if answered != wanted {
            return Ok(Some(Difference { index, wanted, answered, before, steps }));
        }
        before = wanted;
    }
    Ok(None)
}

/// Tells the last operations, of which the last one differs.
pub(super) fn last(found: &Found) -> String {
    let operations = &found.operations;
    let mut shown: Vec<_> = operations[operations.len().saturating_sub(super::BATCH)..].to_vec();
    shown.dedup();
    shown.drain(..shown.len().saturating_sub(20));
    let lines: String = shown.iter().map(|operation| format!("  {operation}\n")).collect();
    let (wanted, answered) = (&found.wanted, &found.answered);
    format!(
        "{} operations, the last of which differs:\n{lines}simulated: {}\n{}{}kernel: {}\n{}{}",
        operations.len(),
        value_text(wanted),
        only(&map_text(wanted), &map_text(answered)),
        only(&runs_text(runs_of(wanted)), &runs_text(runs_of(answered))),
        value_text(answered),
        only(&map_text(answered), &map_text(wanted)),
        only(&runs_text(runs_of(answered)), &runs_text(runs_of(wanted))),
    )
}

/// Returns the lines that the other text has not.
fn only(text: &str, other: &str) -> String {
    let other: BTreeSet<&str> = other.lines().collect();
    text.lines().filter(|line| !other.contains(line)).map(|line| format!("{line}\n")).collect()
}

/// Leaves operations out while a difference remains, and tells it.
pub(super) fn shrink(machine: &Machine, setting: &Setting, found: Vec<Operation>) -> Result<String> {
    let mut operations = found;
    let Some(mut last) = rerun(machine, setting, &operations)? else {
        return Ok("the difference did not come again".to_owned());
    };
    operations.truncate(last.index + 1);
    let mut size = operations.len() / 2;
    while size > 0 {
        let mut start = 0;
        while start < operations.len() {
            let end = (start + size).min(operations.len());
            let fewer: Vec<_> = operations[..start].iter().chain(&operations[end..]).copied().collect();
            match rerun(machine, setting, &fewer)? {
                Some(difference) => {
                    operations = fewer;
                    operations.truncate(difference.index + 1);
                    last = difference;
                }
                None => start = end,
            }
        }
        size /= 2;
    }
    Ok(tell(setting, &operations, &last))
}

fn tell(setting: &Setting, operations: &[Operation], difference: &Difference) -> String {
    let mut text = format!("{setting:?}\n{} operations:\n", operations.len());
    for operation in operations {
        text += &format!("  {operation}\n");
    }
    text += &format!("before:\n{}", map_text(&difference.before));
    text += &format!("simulated: {}\n{}", value_text(&difference.wanted), map_text(&difference.wanted));
    for step in &difference.steps {
        text += &format!("    {step}\n");
    }
    text += &format!("kernel: {}\n{}", value_text(&difference.answered), map_text(&difference.answered));
    let (simulated, scanned) = (runs_of(&difference.wanted), runs_of(&difference.answered));
    if simulated != scanned {
        text += &format!("pages, simulated:\n{}pages, kernel:\n{}", runs_text(simulated), runs_text(scanned));
    }
    text
}

/// Returns an answer's regions, four words each, and its runs of pages, three words each.
fn parts(words: &[u64]) -> (&[u64], &[u64]) {
    let regions = words.get(1).map_or(0, |count| 4 * *count as usize);
    let map = words.get(2..2 + regions).unwrap_or_default();
    (map, words.get(3 + regions..).unwrap_or_default())
}

fn runs_of(words: &[u64]) -> &[u64] {
    parts(words).1
}

fn value_text(words: &[u64]) -> String {
    match words.first() {
        Some(value) if (*value as i64) < 0 => format!("{}", *value as i64),
        Some(value) => format!("{value:#x}"),
        None => "no answer".to_owned(),
    }
}

fn runs_text(runs: &[u64]) -> String {
    let zeros = |kind: u64| if kind & PAGE_ZERO != 0 { " zeros" } else { "" };
    runs.chunks_exact(3).map(|run| format!("  {:#x}..{:#x}{}\n", run[0], run[1], zeros(run[2]))).collect()
}

fn map_text(words: &[u64]) -> String {
    let mut text = String::new();
    for region in parts(words).0.chunks_exact(4) {
        let access = Access::from_bits_truncate(region[2] as u8);
        let shared = if region[2] & 8 != 0 { 's' } else { 'p' };
        text += &format!("  {:#x}..{:#x} {access}{shared} {:#x}\n", region[0], region[1], region[3]);
    }
    text
}
