//! `plat flags`: flags and sizes in the headers of programs and DLLs.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use plat_rebase::apply::{Disk, rewrite};
use plat_rebase::{FLAGS, FlagChange, FlagValues, FlagsChanged, RebaseError, Size, change_flags, flag_named};
use plat_render::{Align, Table};

use super::rebase_apply::durability;
use super::rebase_check::with_lists;
use crate::arguments::Format;
use crate::arguments::rebase::Flags;

/// Why one file was not changed.
#[derive(Debug, thiserror::Error)]
pub(super) enum FlagsError {
    /// The image's fault.
    #[error(transparent)]
    Image(#[from] RebaseError),
    /// The system's.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Shows or changes flags; exit code 1 when a file could not be.
pub(crate) fn flags(arguments: &Flags) -> anyhow::Result<ExitCode> {
    let change = change(arguments)?;
    let files = with_lists(&arguments.files, &arguments.filelist)?;
    let is_change = !change.flags.is_empty() || !change.sizes.is_empty();
    let mut rows = Vec::new();
    let mut failed = 0u32;
    for path in &files {
        match one_file(path, &change, durability(arguments.durability)) {
            Ok(done) => {
                for warning in &done.warnings {
                    eprintln!("plat: {}: {warning}", path.display());
                }
                rows.push((path.display().to_string(), done));
            }
            Err(error) => {
                failed += 1;
                let name = path.display().to_string();
                let text = error.to_string();
                eprintln!("plat: {name}: {}", text.strip_prefix(&format!("{name}: ")).unwrap_or(&text));
            }
        }
    }
    let text = match arguments.format {
        Format::Json => json(&rows)?,
        Format::Text => text(&rows, is_change),
        _ => anyhow::bail!("plat flags has no picture: use --format text or json"),
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::from(u8::from(failed > 0)))
}

/// Changes one file, or looks at it when there is nothing to change.
pub(super) fn one_file(
    path: &Path,
    change: &FlagChange,
    durability: plat_rebase::apply::Durability,
) -> Result<FlagsChanged, FlagsError> {
    let name = path.display().to_string();
    if change.flags.is_empty() && change.sizes.is_empty() {
        let mut bytes = std::fs::read(path)?;
        return Ok(change_flags(&name, &mut bytes, change)?);
    }
    rewrite(&Disk, path, durability, |bytes| Ok(change_flags(&name, bytes, change)?))
}

fn change(arguments: &Flags) -> anyhow::Result<FlagChange> {
    let mut change = FlagChange { keep_signature: arguments.keep_signature, ..FlagChange::default() };
    let known = || FLAGS.iter().map(|flag| flag.name).collect::<Vec<_>>().join(", ");
    let wishes = arguments.set.iter().map(|name| (name, true));
    for (name, value) in wishes.chain(arguments.clear.iter().map(|name| (name, false))) {
        let flag = flag_named(name).with_context(|| format!("flag {name}: expected one of {}", known()))?;
        change.flags.push((flag, value));
    }
    for text in &arguments.size {
        let (name, number) =
            text.split_once('=').with_context(|| format!("--size {text}: expected NAME=NUMBER"))?;
        let names = Size::ALL.map(|(_, name, _)| name).join(", ");
        let found = Size::ALL.iter().find(|(_, it, _)| *it == name);
        let (size, ..) = found.with_context(|| format!("size {name}: expected one of {names}"))?;
        let number = parse_number(number).with_context(|| format!("--size {text}: {number} is no number"))?;
        change.sizes.push((*size, number));
    }
    Ok(change)
}

/// Reads a number as C programs do: `0x` for base 16, a leading zero for base 8.
pub(super) fn parse_number(text: &str) -> Option<u64> {
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(digits, 16).ok();
    }
    match text.strip_prefix('0') {
        Some(digits) if !digits.is_empty() => u64::from_str_radix(digits, 8).ok(),
        _ => text.parse().ok(),
    }
}

fn names(values: &FlagValues) -> String {
    let set: Vec<&str> = FLAGS.iter().filter(|flag| values.is_set(flag)).map(|flag| flag.name).collect();
    if set.is_empty() { "none".into() } else { set.join(" ") }
}

fn text(rows: &[(String, FlagsChanged)], is_change: bool) -> String {
    let mut table = Table::new(&[
        ("file", Align::Left),
        ("stack", Align::Right),
        ("heap", Align::Right),
        ("cygwin heap", Align::Right),
        ("flags", Align::Left),
    ]);
    for (path, done) in rows {
        let size = |size| format!("{:#x}", done.after.size(size));
        let changed = is_change && done.before != done.after;
        let flags = match changed && names(&done.before) != names(&done.after) {
            true => format!("{} (were {})", names(&done.after), names(&done.before)),
            false => names(&done.after),
        };
        let heap = format!("{} MiB", done.after.size(Size::CygwinHeap));
        table.row([path.clone(), size(Size::StackReserve), size(Size::HeapReserve), heap, flags]);
    }
    table.to_text()
}

/// Schema `plat-flags-1`.
fn json(rows: &[(String, FlagsChanged)]) -> anyhow::Result<String> {
    let values = |values: &FlagValues| {
        let flags: serde_json::Map<_, _> =
            FLAGS.iter().map(|flag| (flag.name.to_owned(), values.is_set(flag).into())).collect();
        let sizes: serde_json::Map<_, _> =
            Size::ALL.iter().map(|(size, name, _)| ((*name).to_owned(), values.size(*size).into())).collect();
        serde_json::json!({ "flags": flags, "sizes": sizes })
    };
    let files: Vec<_> = rows
        .iter()
        .map(|(path, done)| {
            serde_json::json!({
                "path": path, "values": values(&done.after), "changed": done.before != done.after,
                "warnings": done.warnings
            })
        })
        .collect();
    let document = serde_json::json!({ "schema": "plat-flags-1", "files": files });
    Ok(format!("{}\n", serde_json::to_string_pretty(&document)?))
}
