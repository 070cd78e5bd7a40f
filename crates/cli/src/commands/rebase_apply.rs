//! `plat rebase apply`, and what `plat rebase` without a subcommand shares with it.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use plat_rebase::apply::{self as files, ApplyOptions, ApplyReport, Disk, FileReport, Mismatch, Outcome};
use plat_rebase::{ChecksumPolicy, Options, Plan, SignaturePolicy};
use plat_render::{Align, Table};

use crate::arguments::Format;
use crate::arguments::rebase::{Apply, Durability, HardLinks, How};

/// Applies a plan, undoes the last run, or verifies; exit code 1 when a file is not as the plan wants it.
pub(crate) fn apply(arguments: &Apply) -> anyhow::Result<ExitCode> {
    let root = arguments.root.clone().unwrap_or_default();
    let journal = match (&arguments.how.journal, &arguments.plan) {
        (Some(journal), _) => journal.clone(),
        (None, Some(plan)) => with_suffix(plan, ".journal"),
        (None, None) => anyhow::bail!("say which plan, or which --journal to undo"),
    };
    let options = options(&arguments.how, root, journal)?;
    if arguments.undo {
        return show(&files::undo(&Disk, &options)?, true, options.dry_run, arguments.format);
    }
    let path = arguments.plan.as_ref().context("say which plan")?;
    let reading = || format!("reading {}", path.display());
    let text = std::fs::read_to_string(path).with_context(reading)?;
    let plan = Plan::from_toml(&text).with_context(reading)?;
    if arguments.verify {
        return show_mismatches(&files::verify(&Disk, &plan, &options)?, arguments.format);
    }
    let report = files::apply(&Disk, &plan, &options)?;
    show(&report, false, options.dry_run, arguments.format)
}

/// Appends to a file's name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Turns what was typed into what apply takes.
pub(crate) fn options(how: &How, root: PathBuf, journal: PathBuf) -> anyhow::Result<ApplyOptions> {
    let timestamp = match how.timestamp.as_deref() {
        None => None,
        Some("now") => {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
            Some(u32::try_from(now.as_secs()).context("TimeDateStamp ends in the year 2106")?)
        }
        Some(text) => {
            Some(text.parse().with_context(|| format!("--timestamp {text}: seconds since 1970, or now"))?)
        }
    };
    let image = Options {
        signature: match (how.strip_signature, how.keep_signature) {
            (true, _) => SignaturePolicy::Strip,
            (_, true) => SignaturePolicy::Keep,
            _ => SignaturePolicy::Refuse,
        },
        checksum: if how.checksum_always { ChecksumPolicy::Always } else { ChecksumPolicy::IfPresent },
        clr: how.clr,
        dynamic_base: if how.no_dynamicbase { Some(false) } else { how.dynamicbase },
        high_entropy: how.high_entropy,
        timestamp,
        unbind: false,
    };
    Ok(ApplyOptions {
        image,
        durability: durability(how.durability),
        hard_links: match how.hard_links {
            HardLinks::Refuse => files::HardLinks::Refuse,
            HardLinks::Break => files::HardLinks::Break,
        },
        touch: how.touch,
        dry_run: how.dry_run,
        wait: !how.no_wait,
        root,
        journal,
        seen: std::collections::HashMap::new(),
    })
}

/// Turns what was typed into what the library takes.
pub(crate) fn durability(durability: Durability) -> files::Durability {
    match durability {
        Durability::File => files::Durability::File,
        Durability::Off => files::Durability::Off,
    }
}

/// Prints what became of each file; exit code 1 when one is not as the plan wants it.
pub(crate) fn show(
    report: &ApplyReport,
    is_undo: bool,
    dry_run: bool,
    format: Format,
) -> anyhow::Result<ExitCode> {
    if report.recovered {
        eprintln!("plat: an earlier run was cut short; what it had left behind was removed");
    }
    let text = match format {
        Format::Json => json(report)?,
        Format::Text => text(report, is_undo, dry_run),
        _ => {
            anyhow::bail!("plat rebase apply has no picture: use --format text or json, or plat rebase plan")
        }
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::from(u8::from(!report.is_complete())))
}

/// Says in a word, and why, what became of a file.
fn outcome(outcome: &Outcome, is_undo: bool) -> (&'static str, &str) {
    match outcome {
        Outcome::Moved if is_undo => ("undone", ""),
        Outcome::Moved => ("moved", ""),
        Outcome::Changed => ("changed", ""),
        Outcome::Same => ("same", ""),
        Outcome::Already => ("already", ""),
        Outcome::Obstacle(why) => ("obstacle", why),
        Outcome::Refused(why) => ("refused", why),
        Outcome::Failed(why) => ("failed", why),
        Outcome::NotTried => ("not tried", "the disk was full before its turn"),
    }
}

fn text(report: &ApplyReport, is_undo: bool, dry_run: bool) -> String {
    let mut table = Table::new(&[
        ("outcome", Align::Left),
        ("from", Align::Left),
        ("to", Align::Left),
        ("words", Align::Right),
        ("file", Align::Left),
    ]);
    let mut remarks = String::new();
    for file in report.files.iter().filter(|file| file.outcome != Outcome::Same) {
        let (word, why) = outcome(&file.outcome, is_undo);
        let row = [
            word.into(),
            file.from.to_string(),
            file.to.to_string(),
            file.relocations.to_string(),
            file.path.clone(),
        ];
        table.row(row);
        for remark in remarks_of(file, why) {
            remarks.push_str(&format!("{}: {remark}\n", file.path));
        }
    }
    let mut text = table.to_text();
    if !remarks.is_empty() {
        text.push('\n');
        text.push_str(&remarks);
    }
    let done = report.count(|it| matches!(it, Outcome::Moved | Outcome::Changed));
    let good = report.count(Outcome::is_good);
    let verb = match (dry_run, is_undo) {
        (true, _) => "would be changed",
        (_, true) => "given back their old bytes",
        _ => "changed",
    };
    text.push_str(&format!(
        "\n{done} of {} files {verb}, {} needed nothing, {} not done\n",
        report.files.len(),
        good - done,
        report.files.len() - good
    ));
    text
}

fn remarks_of(file: &FileReport, why: &str) -> Vec<String> {
    // The library's messages begin with the file's name, as these lines do.
    let why = why.strip_prefix(&format!("{}: ", file.path)).unwrap_or(why);
    let mut remarks: Vec<String> = Some(why.to_owned()).into_iter().filter(|why| !why.is_empty()).collect();
    remarks.extend(file.warnings.iter().map(ToString::to_string));
    remarks.extend(file.notes.iter().cloned());
    remarks
}

/// Schema `plat-rebase-apply-1`.
fn json(report: &ApplyReport) -> anyhow::Result<String> {
    let file = |it: &FileReport| {
        let (word, why) = outcome(&it.outcome, false);
        serde_json::json!({
            "path": it.path, "from": it.from.to_string(), "to": it.to.to_string(), "outcome": word, "why": why,
            "relocations": it.relocations,
            "warnings": it.warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "notes": it.notes
        })
    };
    let document = serde_json::json!({
        "schema": "plat-rebase-apply-1", "complete": report.is_complete(), "recovered": report.recovered,
        "files": report.files.iter().map(file).collect::<Vec<_>>()
    });
    Ok(format!("{}\n", serde_json::to_string_pretty(&document)?))
}

fn show_mismatches(found: &[Mismatch], format: Format) -> anyhow::Result<ExitCode> {
    let text = match format {
        Format::Json => {
            let list: Vec<_> =
                found.iter().map(|it| serde_json::json!({ "path": it.path, "what": it.what })).collect();
            let document = serde_json::json!({ "schema": "plat-rebase-verify-1", "mismatches": list });
            format!("{}\n", serde_json::to_string_pretty(&document)?)
        }
        _ => found.iter().map(|it| format!("{}: {}\n", it.path, it.what)).collect(),
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::from(u8::from(!found.is_empty())))
}
