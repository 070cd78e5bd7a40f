//! A script under several kernels, side by side: one row for each command, one column for each kernel.

use std::io::Write;

use plat_render::{Align, Table};
use plat_sim::Kind;
use plat_sim::script::{Difference, Done};

use super::{done_text, write_diff};

/// What one kernel made of the script.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) done: Vec<Done>,
    pub(super) diff: Option<Difference>,
}

/// Writes the table, then for each kernel every step with its reasons.
pub(super) fn write(out: &mut impl Write, columns: &[Column]) -> std::io::Result<()> {
    let Some(first) = columns.first() else { return Ok(()) };
    let head = std::iter::once(("command", Align::Left));
    let head: Vec<_> = head.chain(columns.iter().map(|column| (column.name, Align::Left))).collect();
    let mut table = Table::new(&head);
    for (index, done) in first.done.iter().enumerate() {
        let cells = columns.iter().map(|column| column.done.get(index).map_or_else(String::new, result));
        table.row(std::iter::once(done.text.clone()).chain(cells));
    }
    write!(out, "{}", table.to_text())?;
    for column in columns {
        writeln!(out, "== {}", column.name)?;
        column.done.iter().try_for_each(|one| write!(out, "{}", done_text(one)))?;
        write_diff(out, column.diff.as_ref())?;
    }
    Ok(())
}

/// Says in a word or two what came of a command.
fn result(done: &Done) -> String {
    if done.error.is_some() {
        return "cannot be done".to_owned();
    }
    let decisive = |code: &str| done.events.iter().rev().find(|event| event.code == code);
    if let Some(event) = decisive("returned") {
        let value = event.text.rsplit(' ').next().unwrap_or_default();
        return value.to_owned();
    }
    if let Some(event) = decisive("refused") {
        let failed = event.text.split_once(" fails: ").map(|(_, error)| error.to_owned());
        return failed.unwrap_or_else(|| "refused".to_owned());
    }
    // A touch ends with its page, or with the signal or exception.
    let told = |kind: Kind| done.events.iter().rev().find(|event| event.kind == kind);
    let found = told(Kind::Signal).or_else(|| told(Kind::Page)).or(done.events.last());
    match found {
        Some(event) => event.code.to_string(),
        None if done.output.is_empty() => "-".to_owned(),
        None => "shown below".to_owned(),
    }
}
