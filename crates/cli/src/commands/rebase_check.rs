//! `plat rebase check`: what is wrong with a fleet, for people and for CI.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use plat_rebase::apply::{CheckReport, check_files, read_list};
use plat_rebase::{CheckOptions, FindingKind, ReservedRange, Space};
use plat_regions::Layout;
use plat_render::{Align, Table};

use crate::arguments::Format;
use crate::arguments::rebase::Check;

/// Checks a fleet; exit code 1 when something is found.
pub(crate) fn check(arguments: &Check) -> anyhow::Result<ExitCode> {
    let paths = with_lists(&arguments.paths, &arguments.filelist)?;
    let mut options = CheckOptions { dynamic_base: arguments.dynamicbase, ..CheckOptions::default() };
    for name in &arguments.allow {
        let known = FindingKind::ALL.map(|(_, name)| name).join(", ");
        let kind =
            FindingKind::named(name).with_context(|| format!("--allow {name}: expected one of {known}"))?;
        options.allow.push(kind);
    }
    if let Some(name) = &arguments.layout {
        (options.reserved, options.bits) = reserved(name)?;
    }
    let report = check_files(&paths, &options);
    let text = match arguments.format {
        Format::Json => json(&report)?,
        Format::Text => text(&report),
        _ => {
            anyhow::bail!("plat rebase check has no picture: use --format text or json, or plat rebase plan")
        }
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::from(u8::from(!report.findings.is_empty())))
}

/// Joins the paths that were typed and those in lists.
pub(crate) fn with_lists(paths: &[PathBuf], lists: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut all = paths.to_vec();
    for list in lists {
        all.extend(read_list(list).with_context(|| format!("reading the list {}", list.display()))?);
    }
    Ok(all)
}

/// Returns the ranges of a layout where no library may lie, and its bitness.
fn reserved(name: &str) -> anyhow::Result<(Vec<ReservedRange>, u32)> {
    let layout = if Layout::builtin_names().any(|builtin| builtin == name) {
        Layout::builtin(name)?
    } else {
        let text = std::fs::read_to_string(name).with_context(|| format!("reading the layout {name}"))?;
        Layout::parse(&text)?
    };
    Ok((Space::of(&layout).reserved(), layout.bits))
}

fn text(report: &CheckReport) -> String {
    let columns = [("finding", Align::Left), ("file", Align::Left), ("what", Align::Left)];
    let mut table = Table::new(&columns);
    for finding in &report.findings {
        table.row([finding.kind.name().into(), finding.path.clone(), finding.what.clone()]);
    }
    let table = if report.findings.is_empty() { String::new() } else { table.to_text() + "\n" };
    format!("{table}{} images, {} findings\n", report.images, report.findings.len())
}

/// Schema `plat-rebase-check-1`.
fn json(report: &CheckReport) -> anyhow::Result<String> {
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|it| {
            serde_json::json!({
                "kind": it.kind.name(), "path": it.path, "what": it.what, "others": it.others
            })
        })
        .collect();
    let document = serde_json::json!({
        "schema": "plat-rebase-check-1", "images": report.images, "findings": findings
    });
    Ok(format!("{}\n", serde_json::to_string_pretty(&document)?))
}
