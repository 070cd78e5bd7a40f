//! `plat map`, and the forms in which any map is shown.

use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use plat_image::PeImage;
use plat_loader::RegionRow;
use plat_regions::{Address, AddressRange, PAGE_SIZE};
use plat_render::MapRow;

use crate::arguments::{Format, Map};

/// Chooses the form by a file's suffix.
pub(crate) fn form_of(path: &Path) -> Format {
    match path.extension().and_then(|suffix| suffix.to_str()) {
        Some("json") => Format::Json,
        Some("svg") => Format::Svg,
        Some("html" | "htm") => Format::Html,
        _ => Format::Text,
    }
}

/// Writes the loader's rows in a form.
pub(crate) fn render(rows: &[RegionRow], form: Format) -> String {
    let rows: Vec<MapRow> = rows
        .iter()
        .map(|row| MapRow {
            range: row.range,
            state: row.state.to_owned(),
            kind: row.kind.to_owned(),
            protection: row.protection.clone(),
            owner: row.owner.clone(),
            reason: row.reason.clone(),
        })
        .collect();
    in_form(&rows, form)
}

fn in_form(rows: &[MapRow], form: Format) -> String {
    match form {
        Format::Text => plat_render::map_text(rows),
        Format::Json => plat_render::map_json(rows),
        Format::Svg => plat_render::map_svg(rows),
        Format::Html => plat_render::map_html(rows),
    }
}

/// Shows an address space.
pub(crate) fn map(arguments: &Map) -> anyhow::Result<ExitCode> {
    let path = Path::new(&arguments.target);
    let pid = arguments.target.to_str().and_then(|text| text.parse::<u32>().ok());
    let rows = match pid {
        // A file whose name is a number is meant when it is there.
        Some(pid) if !path.exists() => of_process(pid)?,
        _ => of_file(path)?,
    };
    std::io::stdout().lock().write_all(in_form(&rows, arguments.format).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn of_process(pid: u32) -> anyhow::Result<Vec<MapRow>> {
    let path = format!("/proc/{pid}/maps");
    let text = std::fs::read(&path)
        .with_context(|| format!("cannot read {path}: is process {pid} running, and yours?"))?;
    let rows = crate::proc_maps::parse(&String::from_utf8_lossy(&text))
        .map_err(|error| anyhow::anyhow!("{path}: {error}"))?;
    let Some(program) = guest_program(pid) else { return Ok(rows) };
    // Without the right to read the memory, the arena alone is labelled.
    let memory = std::fs::File::open(format!("/proc/{pid}/mem")).ok();
    let read = |address: u64, count: usize| {
        let mut bytes = vec![0; count];
        memory.as_ref()?.read_exact_at(&mut bytes, address).ok()?;
        Some(bytes)
    };
    Ok(crate::guest_map::label(rows, &program, &read))
}

/// Returns the name of the Windows program that a process runs, if the process is a plat that runs one.
fn guest_program(pid: u32) -> Option<String> {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let words: Vec<String> =
        line.split(|&byte| byte == 0).map(|it| String::from_utf8_lossy(it).into_owned()).collect();
    let own = Path::new(words.first()?).file_name()?.to_str()?.starts_with("plat");
    let after_run = words.iter().position(|word| word == "run").filter(|_| own)?;
    let is_program = |word: &&String| word.to_lowercase().ends_with(".exe");
    let program = words[after_run..].iter().find(is_program);
    let name =
        program.and_then(|word| Path::new(word).file_name()).map(|name| name.to_string_lossy().into_owned());
    Some(name.unwrap_or_else(|| "program".into()))
}

/// Lays an image out at its preferred base.
fn of_file(path: &Path) -> anyhow::Result<Vec<MapRow>> {
    let info = plat_loader::inspect(path, plat_loader::SearchOptions::default(), 0)?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let image = PeImage::parse(&name, &info.bytes)?;
    let base = Address::new(image.headers().image_base);
    let may_move = if image.is_relocatable() { "may be moved" } else { "cannot be moved" };
    let mut rows = Vec::new();
    for segment in image.segments() {
        let start =
            base.checked_add(segment.rvas.start.get().into()).context("the image ends past 64 bits")?;
        let size = u64::from(segment.memory_bytes()).next_multiple_of(PAGE_SIZE);
        let range = AddressRange::sized(start, size).context("the image ends past 64 bits")?;
        rows.push(MapRow {
            range,
            state: "commit".into(),
            kind: "image".into(),
            protection: segment.access.to_string(),
            owner: format!("{name} {}", segment.name),
            reason: format!(
                "asked for by the file, which {may_move}; {} bytes from it",
                segment.file_bytes()
            ),
        });
    }
    Ok(rows)
}
