//! `plat rebase why`: who is at a file's addresses, what depends on it, and what would be done about it.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use plat_rebase::apply::{ScanOptions, scan};
use plat_rebase::{Member, Space};
use plat_regions::AddressRange;

use super::{rebase_db, rebase_plan};
use crate::arguments::Format;
use crate::arguments::rebase_plan::Why;

/// Says who is at a file's addresses; exit code 1 when someone else is, or the layout objects.
pub(crate) fn why(arguments: &Why) -> anyhow::Result<ExitCode> {
    let root = arguments.root.clone().unwrap_or_default();
    let options = ScanOptions { root: root.clone(), without_hash: true };
    let own = scan(std::slice::from_ref(&arguments.file), &options);
    let shown = arguments.file.display();
    let skipped = || own.skipped.first().map_or_else(String::new, |it| it.why.clone());
    let own = own.members.first().with_context(|| format!("{shown}: {}", skipped()))?;
    let folder = arguments.file.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let paths = if arguments.paths.is_empty() { vec![folder.to_owned()] } else { arguments.paths.clone() };
    let fleet = scan(&paths, &options).members;
    let database = rebase_db::read_layers(&arguments.db, arguments.root.as_deref())?;
    let layout = rebase_plan::layout(arguments.layout.as_deref(), &database, std::slice::from_ref(own))?;
    let range = own.range().with_context(|| format!("{shown}: passes the end of the address space"))?;
    let others = fleet.iter().filter(|it| it.path != own.path && it.machine == own.machine && !it.program);
    let overlapping: Vec<String> =
        others.filter(|it| it.range().is_some_and(|it| it.overlaps(range))).map(line).collect();
    let in_database: Vec<String> = database
        .entries
        .values()
        .filter(|it| it.path != own.path && it.machine == own.machine)
        .filter(|it| AddressRange::sized(it.base, it.slot).is_some_and(|it| it.overlaps(range)))
        .map(|it| format!("{} {} (slot of {:#x} bytes)", it.base, it.path, it.slot))
        .collect();
    let objection = Space::of(&layout).objection_to(own.base, range.size());
    let name = own.path.rsplit('/').next().unwrap_or(&own.path).to_lowercase();
    let importers: Vec<String> =
        fleet.iter().filter(|it| it.imports.contains(&name)).map(|it| it.path.clone()).collect();
    let recorded = database.entries.get(&own.path);
    let is_bad = !overlapping.is_empty() || !in_database.is_empty() || objection.is_some();
    let document = serde_json::json!({
        "schema": "plat-rebase-why-1", "path": own.path, "base": own.base.to_string(), "end": range.end.to_string(),
        "layout": layout.name, "objection": objection, "overlaps": overlapping, "database_overlaps": in_database,
        "recorded_base": recorded.map(|it| it.base.to_string()), "imported_by": importers, "imports": own.imports,
        "movable": format!("{:?}", own.movable),
    });
    let text = match arguments.format {
        Format::Json => serde_json::to_string_pretty(&document)? + "\n",
        Format::Text => {
            let list = |title: &str, items: &[String]| {
                let lines: String = items.iter().map(|it| format!("  {it}\n")).collect();
                if items.is_empty() { format!("{title}: none\n") } else { format!("{title}:\n{lines}") }
            };
            let recorded = match recorded {
                Some(it) if it.base == own.base => "as in its header".to_owned(),
                Some(it) => format!("{}, not the header's", it.base),
                None => "not there".to_owned(),
            };
            format!(
                "{}\nrange: {range}\nmovable: {:?}\nlayout {}: {}\ndatabase: {recorded}\n{}{}{}",
                own.path,
                own.movable,
                layout.name,
                objection.as_deref().unwrap_or("may lie here"),
                list("files at the same addresses", &overlapping),
                list("slots of the database at the same addresses", &in_database),
                list("imported by", &importers),
            )
        }
        _ => anyhow::bail!("plat rebase why has no picture: use --format text or json, or plat rebase plan"),
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::from(u8::from(is_bad)))
}

fn line(member: &Member) -> String {
    format!("{} {} ({:#x} bytes)", member.base, member.path, member.size)
}
