//! Makes constants of the layouts in the folder `layouts`: a start of plat reads no TOML.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};

#[expect(unreachable_pub, reason = "public in the crate, which has the same module")]
#[path = "src/layout/raw.rs"]
mod raw;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=layouts");
    let mut files: Vec<PathBuf> = std::fs::read_dir("layouts")?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.sort_by_key(|file| file.file_stem().map(ToOwned::to_owned));
    let mut source = String::from("/// The layouts that need no file.\nconst BUILTIN: &[Constant] = &[\n");
    for file in files {
        append(&file, &mut source).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    source.push_str("];\n");
    let folder = std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?;
    Ok(std::fs::write(Path::new(&folder).join("layouts.rs"), source)?)
}

/// Appends a layout's constant.
fn append(file: &Path, source: &mut String) -> Result<(), Box<dyn Error>> {
    let raw::RawLayout { name, description, bits, lowest, highest, arena, band } =
        toml::from_str(&std::fs::read_to_string(file)?)?;
    let arena: Vec<(u64, u64)> = arena.iter().map(|range| (range.start, range.end)).collect();
    writeln!(source, "    Constant {{ name: {name:?}, description: {description:?}, bits: {bits},")?;
    writeln!(source, "        lowest: {lowest:#x}, highest: {highest:#x}, arena: &{arena:?}, bands: &[")?;
    for band in band {
        let raw::RawBand { purpose, start, end, direction, why, files } = band;
        let range = format!("({start:#x}, {end:#x})");
        writeln!(
            source,
            "            ConstantBand(Use::{purpose:?}, {range}, Direction::{direction:?}, {why:?}, &{files:?}),"
        )?;
    }
    writeln!(source, "        ] }},")?;
    Ok(())
}
