//! Finds the guest in the maps of a running plat: its arena, and the modules in it by their headers.

use plat_image::PeImage;
use plat_regions::{Address, AddressRange, Layout};
use plat_render::MapRow;

/// The most bytes of an image that are read to learn its name.
const IMAGE_MAX: u64 = 256 << 20;

/// Reads the process's memory: an address and a number of bytes; `None` where that is not allowed or not mapped.
pub(crate) type Read<'r> = &'r dyn Fn(u64, usize) -> Option<Vec<u8>>;

/// A module of the guest.
struct Module {
    name: String,
    /// Its parts with their names, ascending.
    parts: Vec<(AddressRange, String)>,
}

/// Says of the rows in the arena whose they are. `program` names the image that has no name of its own.
pub(crate) fn label(rows: Vec<MapRow>, program: &str, read: Read<'_>) -> Vec<MapRow> {
    let windows = arena(&rows);
    let inside =
        |row: &MapRow| row.owner == "anonymous" && windows.iter().any(|it| it.contains_range(row.range));
    let modules: Vec<Module> =
        rows.iter().filter(|row| inside(row)).filter_map(|row| module(row, program, read)).collect();
    let mut labelled = Vec::new();
    for row in rows {
        if !inside(&row) {
            labelled.push(row);
        } else if row.state == "reserve" {
            let reason = "reserved by plat, so that nothing else takes it".into();
            labelled.push(MapRow { owner: "plat's arena".into(), kind: "system".into(), reason, ..row });
        } else {
            split(&mut labelled, &row, &modules);
        }
    }
    labelled
}

/// Takes the windows of the 64-bit layout when something is reserved in its second one, else the lower 4 GiB.
fn arena(rows: &[MapRow]) -> Vec<AddressRange> {
    let wide = Layout::builtin("win64").map(|layout| layout.arena).unwrap_or_default();
    let used = |range: &AddressRange| rows.iter().any(|row| range.contains(row.range.start));
    if wide.last().is_some_and(used) {
        return wide;
    }
    AddressRange::new(Address::new(0x1_0000), Address::new(1 << 32)).into_iter().collect()
}

/// Recognises an image whose headers a row begins with.
fn module(row: &MapRow, program: &str, read: Read<'_>) -> Option<Module> {
    let base = row.range.start.get();
    if !base.is_multiple_of(0x1_0000) || !row.protection.starts_with('r') {
        return None;
    }
    let head = read(base, 4096).filter(|head| head.starts_with(b"MZ"))?;
    let image = PeImage::parse_mapped("guest", &head).ok()?;
    let size = u64::from(image.headers().size_of_image);
    let name = name_of(base, size.min(IMAGE_MAX), read).unwrap_or_else(|| program.to_owned());
    let parts = image.segments().iter().filter_map(|segment| {
        let start = Address::new(base).checked_add(segment.rvas.start.get().into())?;
        let bytes = u64::from(segment.memory_bytes()).next_multiple_of(4096);
        Some((AddressRange::sized(start, bytes)?, segment.name.to_string()))
    });
    Some(Module { name, parts: parts.collect() })
}

/// Reads the name that a module exports itself by.
fn name_of(base: u64, size: u64, read: Read<'_>) -> Option<String> {
    let mut bytes = vec![0; usize::try_from(size).ok()?];
    for (index, page) in bytes.chunks_mut(4096).enumerate() {
        // Pages without a right to read stay zeroes.
        if let Some(found) = read(base + index as u64 * 4096, page.len()) {
            page.copy_from_slice(&found);
        }
    }
    let image = PeImage::parse_mapped("guest", &bytes).ok()?;
    let exports = image.exports().ok()??;
    Some(exports.module.to_string()).filter(|name| !name.is_empty())
}

/// Cuts a row at the edges of modules' parts.
fn split(out: &mut Vec<MapRow>, row: &MapRow, modules: &[Module]) {
    let mut at = row.range.start;
    let parts = modules.iter().flat_map(|module| module.parts.iter().map(move |part| (module, part)));
    let memory = |start, end| {
        let range = AddressRange::new(start, end).filter(|range| !range.is_empty())?;
        let reason = "allocated by the guest or for it".to_owned();
        Some(MapRow { range, owner: "guest memory".into(), reason, ..row.clone() })
    };
    for (module, (range, name)) in parts {
        let (start, end) = (range.start.max(at), range.end.min(row.range.end));
        if start >= end {
            continue;
        }
        out.extend(memory(at, start));
        let Some(range) = AddressRange::new(start, end) else { continue };
        out.push(MapRow {
            range,
            kind: "image".into(),
            owner: format!("{} {name}", module.name),
            reason: "a module of the guest, known by its headers".into(),
            ..row.clone()
        });
        at = end;
    }
    out.extend(memory(at, row.range.end));
}

#[cfg(test)]
mod tests {
    use super::*;
    use plat_image::pe::Machine;
    use plat_image::{ExportValue, ImageBuilder};

    #[test]
    fn modules_and_the_arena_are_recognised() {
        let mut builder = ImageBuilder::new("tool.dll", Machine::I386, 0x40_0000);
        let code = builder.text(&[0xc3]);
        builder.export("run", None, ExportValue::At(code)).data(&[1; 0x1001]);
        let bytes = builder.build().expect("a valid image").bytes;
        let maps = "00010000-00400000 ---p 00000000 00:00 0\n00400000-00401000 r--p 00000000 00:00 0\n\
                    00401000-00403000 r-xp 00000000 00:00 0\n00403000-00410000 rw-p 00000000 00:00 0\n\
                    7f0000000000-7f0000001000 rw-p 00000000 00:00 0\n";
        let rows = crate::proc_maps::parse(maps).expect("good lines");
        let read = |address: u64, count: usize| {
            let start = usize::try_from(address.checked_sub(0x40_0000)?).ok()?;
            bytes.get(start..start + count).map(<[u8]>::to_vec)
        };
        let text: Vec<String> = label(rows, "tool.exe", &read)
            .iter()
            .map(|row| format!("{:x} {} {}", row.range.start.get(), row.kind, row.owner))
            .collect();
        assert_eq!(
            text,
            [
                "10000 system plat's arena",
                "400000 image tool.dll headers",
                "401000 image tool.dll .text",
                "402000 image tool.dll .rdata",
                "403000 image tool.dll .data",
                "405000 private guest memory",
                "7f0000000000 private anonymous",
            ]
        );
    }

    #[test]
    fn unreadable_memory_leaves_the_arena_labelled() {
        let rows = crate::proc_maps::parse("00010000-00020000 r--p 00000000 00:00 0\n").expect("a good line");
        assert_eq!(label(rows, "x", &|_, _| None)[0].owner, "guest memory");
    }
}
