//! `plat info`: what a program or DLL is and needs.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use plat_image::PeImage;
use plat_image::pe::Machine;
use plat_loader::{Dependency, SearchOptions};
use plat_regions::Address;
use plat_render::{Align, Table, size};

use crate::arguments::{Format, Info};

/// Shows what a file is and needs; exit code 1 when `--missing` finds something.
pub(crate) fn info(arguments: &Info) -> anyhow::Result<ExitCode> {
    let search = SearchOptions { paths: arguments.dll_path.clone(), ..SearchOptions::default() };
    let found = plat_loader::inspect(&arguments.file, search)?;
    let name = arguments.file.file_name().unwrap_or(arguments.file.as_os_str()).to_string_lossy();
    let image = PeImage::parse(&name, &found.bytes)?;
    let text = match (arguments.format, arguments.missing) {
        (Format::Json, missing) => json(&image, &found.dependencies, missing)?,
        (Format::Text, true) => missing_text(&found.dependencies),
        (Format::Text, false) => {
            format!("{}\n{}\n{}", headers(&image)?, sections(&image), dependencies(&found.dependencies))
        }
        _ => anyhow::bail!("plat info has no picture: use --format text or json, or plat map --format svg"),
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    let lacks = found.dependencies.iter().any(|dependency| !dependency.missing.is_empty());
    Ok(ExitCode::from(u8::from(arguments.missing && lacks)))
}

fn machine(machine: Machine) -> String {
    match machine {
        Machine::I386 => "x86 (32-bit)".into(),
        Machine::Amd64 => "x86-64 (64-bit)".into(),
        other => format!("{other:?}"),
    }
}

/// Source: PE Format, "Windows Subsystem".
fn subsystem(number: u16) -> String {
    match number {
        1 => "native".into(),
        2 => "windows".into(),
        3 => "console".into(),
        other => format!("number {other}"),
    }
}

/// Names and values of the fixed part, and which of the data directories are there.
fn header_fields(image: &PeImage) -> anyhow::Result<Vec<(&'static str, String)>> {
    let headers = image.headers();
    let base = Address::new(headers.image_base);
    let tls = image.tls()?.map_or("none".into(), |tls| format!("{} callbacks", tls.callbacks.len()));
    let exports = image.exports()?.map_or("none".into(), |exports| {
        format!(
            "{} functions, {} names, as {}",
            exports.function_count,
            exports.name_count,
            exports.module.to_text()
        )
    });
    let relocations = if image.is_relocatable() { "may be moved" } else { "must lie at its base" };
    let yes = |value: bool| if value { "yes" } else { "no" }.to_owned();
    Ok(vec![
        ("file", image.name().to_owned()),
        ("machine", machine(headers.machine)),
        ("kind", if headers.is_dll() { "DLL" } else { "program" }.into()),
        ("subsystem", subsystem(headers.subsystem)),
        ("managed (.NET)", yes(image.is_managed())),
        ("preferred base", base.to_string()),
        ("entry point", format!("rva {}", headers.entry_point)),
        ("size in memory", size(headers.size_of_image.into())),
        ("timestamp", format!("{:#010x}", headers.timestamp)),
        ("characteristics", flags(headers.characteristics.iter_names().map(|(name, _)| name))),
        ("dll characteristics", flags(headers.dll_characteristics.iter_names().map(|(name, _)| name))),
        ("relocations", relocations.into()),
        ("tls", tls),
        ("resources", image.resources()?.len().to_string()),
        ("version info", yes(image.version_info()?.is_some())),
        ("exports", exports),
    ])
}

fn flags<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "none".into() } else { names.join(" ") }
}

fn headers(image: &PeImage) -> anyhow::Result<String> {
    let mut table = Table::new(&[("field", Align::Left), ("value", Align::Left)]);
    for (name, value) in header_fields(image)? {
        table.row([name.to_owned(), value]);
    }
    Ok(table.to_text())
}

fn sections(image: &PeImage) -> String {
    let mut table = Table::new(&[
        ("section", Align::Left),
        ("rva", Align::Right),
        ("in memory", Align::Right),
        ("in file", Align::Right),
        ("prot", Align::Left),
    ]);
    for section in image.sections() {
        table.row([
            section.name(),
            section.virtual_address.to_string(),
            size(section.mapped_bytes().into()),
            size(section.file_bytes()),
            section.access().to_string(),
        ]);
    }
    table.to_text()
}

fn dependencies(dependencies: &[Dependency]) -> String {
    let columns = [
        ("needs", Align::Left),
        ("from", Align::Left),
        ("functions", Align::Right),
        ("missing", Align::Right),
    ];
    let mut table = Table::new(&columns);
    for dependency in dependencies {
        table.row([
            dependency.name.clone(),
            dependency.provider.clone(),
            dependency.imported.to_string(),
            dependency.missing.len().to_string(),
        ]);
    }
    table.to_text()
}

fn missing_text(dependencies: &[Dependency]) -> String {
    let mut text = String::new();
    for dependency in dependencies {
        for symbol in &dependency.missing {
            let symbol: String =
                symbol.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect();
            let _ = writeln!(text, "{}  {symbol}", dependency.name);
        }
    }
    text
}

/// Schema `plat-info-1`: `headers` (texts by name), `sections`, `dependencies`; with `--missing` the last alone.
fn json(image: &PeImage, dependencies: &[Dependency], missing: bool) -> anyhow::Result<String> {
    let needs: Vec<_> = dependencies
        .iter()
        .map(|it| {
            serde_json::json!({
                "name": it.name, "provider": it.provider, "imported": it.imported, "missing": it.missing
            })
        })
        .collect();
    let mut document = serde_json::json!({ "schema": "plat-info-1", "dependencies": needs });
    if !missing {
        let fields = header_fields(image)?.into_iter().map(|(name, value)| (name.to_owned(), value.into()));
        document["headers"] = serde_json::Value::Object(fields.collect());
        let sections = image.sections().iter().map(|section| {
            serde_json::json!({
                "name": section.name(), "rva": section.virtual_address.get(),
                "memory_bytes": section.mapped_bytes(), "file_bytes": section.file_bytes(),
                "protection": section.access().to_string()
            })
        });
        document["sections"] = sections.collect();
    }
    Ok(format!("{document:#}\n"))
}
