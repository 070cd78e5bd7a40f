//! `plat info`: what a program or DLL is and needs.

mod details;
mod json;
mod tree;

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use plat_image::pe::Machine;
use plat_image::{FileKind, PeImage};
use plat_loader::{Dependency, SearchOptions};
use plat_regions::Address;
use plat_render::{Align, Table, size};

use crate::arguments::{Format, Info};
use details::Details;

/// Shows what a file is and needs; exit code 1 when `--missing` finds something.
pub(crate) fn info(arguments: &Info) -> anyhow::Result<ExitCode> {
    let search = SearchOptions { paths: arguments.dll_path.clone(), ..SearchOptions::default() };
    let found = plat_loader::inspect(&arguments.file, search, arguments.depth.into())?;
    let name = arguments.file.file_name().unwrap_or(arguments.file.as_os_str()).to_string_lossy();
    let image = PeImage::parse(&name, &found.bytes)?;
    let text = match (arguments.format, arguments.missing) {
        (Format::Json, true) => json::missing(&found.dependencies),
        (Format::Json, false) => json::document(&image, &found),
        (Format::Text, true) => missing_text(&found.dependencies),
        (Format::Text, false) => text(&image, &found),
        _ => anyhow::bail!("plat info has no picture: use --format text or json, or plat map --format svg"),
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    let lacks = found.dependencies.iter().any(|dependency| !dependency.missing.is_empty());
    Ok(ExitCode::from(u8::from(arguments.missing && lacks)))
}

fn text(image: &PeImage<'_>, found: &plat_loader::Info) -> String {
    let mut details = Details::read(image);
    details.problems.extend(found.problems.iter().cloned());
    let mut parts = vec![headers(image, found.kind, &details), sections(image)];
    parts.extend(details.tables().iter().map(Table::to_text));
    if !found.imports.is_empty() {
        parts.push(tree::text(image.name(), &found.imports));
        parts.push(dependencies(&found.dependencies));
    }
    let problems = details.problems.iter();
    parts.extend(problems.map(|words| printable(&format!("damaged: {words}")) + "\n"));
    parts.join("\n")
}

/// Replaces what would steer a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

fn machine(machine: Machine) -> String {
    match machine {
        Machine::I386 => "x86 (32-bit)".into(),
        Machine::Amd64 => "x86-64 (64-bit)".into(),
        Machine::Arm64 => "ARM64".into(),
        Machine::Arm => "ARM (32-bit)".into(),
        Machine::Other(number) => format!("number {number:#06x}"),
    }
}

/// Says whether `plat run` takes such a file.
fn runs(kind: FileKind, image: &PeImage<'_>) -> String {
    match kind {
        FileKind::Pe32 | FileKind::Pe32Plus if image.headers().is_dll() => "as part of a program".into(),
        FileKind::Pe32 | FileKind::Pe32Plus => "yes".into(),
        other => format!("no: it {other}"),
    }
}

/// Source: PE Format, "Windows Subsystem".
fn subsystem(number: u16) -> String {
    match number {
        1 => "native".into(),
        2 => "windows".into(),
        3 => "console".into(),
        9 => "Windows CE".into(),
        10 => "EFI application".into(),
        11 => "EFI driver with boot services".into(),
        12 => "EFI driver at run time".into(),
        14 => "Xbox".into(),
        16 => "boot application".into(),
        other => format!("number {other}"),
    }
}

/// Names and values of the fixed part, and which of the data directories are there.
fn header_fields(image: &PeImage<'_>, kind: FileKind, details: &Details) -> Vec<(&'static str, String)> {
    let headers = image.headers();
    let base = Address::new(headers.image_base);
    let relocations = match image.relocations().count() {
        0 if image.is_relocatable() => "none needed: may be moved".into(),
        0 => "none: must lie at its base".to_owned(),
        count => format!("{count}: may be moved"),
    };
    let yes = |value: bool| if value { "yes" } else { "no" }.to_owned();
    let reserve = |reserved, committed| format!("{} reserved, {} committed", size(reserved), size(committed));
    let (os, subsystem_version) = (headers.os_version, headers.subsystem_version);
    vec![
        ("file", image.name().to_owned()),
        ("machine", machine(headers.machine)),
        ("kind", if headers.is_dll() { "DLL" } else { "program" }.into()),
        ("plat runs it", runs(kind, image)),
        (
            "subsystem",
            format!("{} {}.{}", subsystem(headers.subsystem), subsystem_version.0, subsystem_version.1),
        ),
        ("for Windows", format!("{}.{}", os.0, os.1)),
        ("managed (.NET)", yes(image.is_managed())),
        ("preferred base", base.to_string()),
        ("entry point", format!("rva {}", headers.entry_point)),
        ("size in memory", size(headers.size_of_image.into())),
        ("stack", reserve(headers.stack_reserve, headers.stack_commit)),
        ("heap", reserve(headers.heap_reserve, headers.heap_commit)),
        ("timestamp", format!("{:#010x}", headers.timestamp)),
        ("characteristics", flags(headers.characteristics.iter_names().map(|(name, _)| name))),
        ("dll characteristics", flags(headers.dll_characteristics.iter_names().map(|(name, _)| name))),
        ("relocations", relocations),
        ("functions with unwind data", image.runtime_function_count().to_string()),
        ("resources", details.resources.clone()),
        ("exports", details.exports.clone()),
        ("bound to", details.bound.clone()),
        ("signed", details.signed.clone()),
    ]
}

fn flags<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "none".into() } else { names.join(" ") }
}

fn headers(image: &PeImage<'_>, kind: FileKind, details: &Details) -> String {
    let mut table = Table::new(&[("field", Align::Left), ("value", Align::Left)]);
    for (name, value) in header_fields(image, kind, details) {
        table.row([name.to_owned(), value]);
    }
    table.to_text()
}

fn sections(image: &PeImage<'_>) -> String {
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
            let _ = writeln!(text, "{}  {}", dependency.name, printable(symbol));
        }
    }
    text
}
