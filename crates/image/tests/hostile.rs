//! Broken files: no panic, no endless loop, no error without a place.

use std::time::{Duration, Instant};

use plat_image::pe::{DirectoryKind, Machine, RelocationKind, ResourceId};
use plat_image::{ExportValue, ImageBuilder, ImageError, PeImage, Rva, classify};
use proptest::prelude::*;

/// Makes an image with every directory that the builder knows.
fn valid(machine: Machine) -> Vec<u8> {
    let base = if machine == Machine::Amd64 { 0x1_8000_0000 } else { 0x1000_0000 };
    let mut builder = ImageBuilder::new("valid.dll", machine, base);
    let code = builder.text(&[0xc3; 40]);
    let data = builder.data(&[0x11; 64]);
    builder.export("beta", None, ExportValue::At(code)).export("alpha", Some(7), ExportValue::At(data));
    builder.export("gone", None, ExportValue::Forwarder("NTDLL.#12"));
    let kind = if machine == Machine::Amd64 { RelocationKind::Dir64 } else { RelocationKind::HighLow };
    builder.relocation(data, kind).version([10, 0, 19041, 1]).entry_point(code);
    if machine == Machine::Amd64 {
        builder.runtime_function(0, 40, &[1, 0, 0, 0]);
    }
    // With exports `.rdata` lies between code and data.
    tables(&mut builder, machine == Machine::Amd64, base, 0x3000 + 64);
    builder.build().expect("a valid image").bytes
}

/// Adds the directories that the builder does not make itself, from the data's RVA `at` on.
fn tables(builder: &mut ImageBuilder, is_64: bool, base: u64, mut at: u32) {
    let words = |words: &[u64], bytes: usize| {
        words.iter().flat_map(|word| word.to_le_bytes()[..bytes].to_vec()).collect::<Vec<u8>>()
    };
    let width = if is_64 { 8 } else { 4 };
    let modules = &[("a.dll", &["x", "#2"] as &[&str]), ("b.dll", &["y"])];
    let mut add = |kind, make: &dyn Fn(u32) -> Vec<u8>| {
        let mut bytes = make(at);
        bytes.resize(bytes.len().next_multiple_of(16), 0);
        let spot = builder.data(&bytes);
        builder.directory(kind, spot, bytes.len() as u32);
        at += bytes.len() as u32;
    };
    add(DirectoryKind::Import, &|at| plat_testkit::tables::imports(at, is_64, modules));
    add(DirectoryKind::DelayImport, &|at| plat_testkit::tables::delay_imports(at, is_64, modules));
    add(DirectoryKind::BoundImport, &|_| {
        plat_testkit::tables::bound_imports(&[("a.dll", 1, &[("c.dll", 2)]), ("b.dll", 3, &[])])
    });
    add(DirectoryKind::Tls, &|at| {
        let here = base + u64::from(at);
        let mut bytes = words(&[here, here + 8, here + 64, here + 48], width);
        bytes.resize(48, 0);
        bytes.extend(words(&[base + 0x1000, 0, 0], width));
        bytes.resize(96, 0);
        bytes
    });
    add(DirectoryKind::LoadConfig, &|at| {
        let mut bytes = words(&[if is_64 { 148 } else { 92 }], 4);
        bytes.resize(if is_64 { 88 } else { 60 }, 0);
        bytes.extend(words(&[base + u64::from(at), base + u64::from(at), 1], width));
        bytes.resize(160, 0);
        bytes
    });
    add(DirectoryKind::Debug, &|at| {
        let mut bytes = words(&[0, 1, 0, 2, 32, u64::from(at) + 28, u64::from(at) + 28], 4);
        bytes.extend(b"RSDS0123456789abcdef\x01\0\0\0a.pdb\0\0\0");
        bytes
    });
}

/// Reads all that can be read; returns the errors met.
fn read_everything(bytes: &[u8], mapped: bool) -> Vec<ImageError> {
    let mut errors = Vec::new();
    classify(bytes);
    let parsed = if mapped { PeImage::parse_mapped("x.dll", bytes) } else { PeImage::parse("x.dll", bytes) };
    let image = match parsed {
        Ok(image) => image,
        Err(error) => return vec![error],
    };
    let mut note = |error: Option<ImageError>| errors.extend(error);
    note(image.imports().err());
    note(image.delay_imports().err());
    note(image.bound_imports().err());
    note(image.tls().err());
    note(image.load_config().err());
    note(image.resources().err());
    note(image.version().err());
    note(image.manifest().err());
    note(image.debug_entries().err());
    note(image.certificates().err());
    note(image.find_resource(&ResourceId::Number(16), &ResourceId::Number(1), Some(0x409)).err());
    note(image.runtime_function_at(Rva::new(0x1004)).err());
    match image.exports() {
        Ok(Some(exports)) => {
            note(exports.by_name(b"alpha").err());
            note(exports.by_name(b"nothing").err());
            note(exports.by_ordinal(8).err());
            note(exports.named_entries().find_map(Result::err));
            note(exports.entries().find_map(Result::err));
        }
        Ok(None) => {}
        Err(error) => note(Some(error)),
    }
    note(image.relocations().find_map(Result::err));
    if let Some(mut buffer) = image.to_mapped(1 << 20) {
        note(image.relocate(&mut buffer, 0x7000_0000).err());
    }
    for segment in image.segments() {
        assert!(segment.rvas.start < segment.rvas.end || segment.name == "headers", "{segment:?}");
        assert!(segment.file_bytes() <= u64::from(segment.memory_bytes()), "{segment:?}");
        assert!(mapped || segment.file.end.get() <= bytes.len() as u64, "{segment:?}");
    }
    assert!(image.segments().is_sorted_by(|a, b| a.rvas.end <= b.rvas.start), "{:?}", image.segments());
    errors
}

#[test]
fn a_valid_image_has_no_errors() {
    for machine in [Machine::I386, Machine::Amd64] {
        for mapped in [false, true] {
            assert_eq!(read_everything(&valid(machine), mapped), [], "{machine:?} mapped: {mapped}");
        }
    }
}

#[test]
fn hostile_files_are_refused_with_a_place_and_in_time() {
    for machine in [Machine::I386, Machine::Amd64] {
        let files = plat_testkit::pe::hostile(&valid(machine));
        assert!(files.len() > 1000, "only {} files", files.len());
        let mut refused = 0;
        for file in &files {
            for mapped in [false, true] {
                let start = Instant::now();
                let errors = read_everything(&file.bytes, mapped);
                assert!(start.elapsed() < Duration::from_secs(2), "{}: {:?}", file.what, start.elapsed());
                refused += usize::from(!errors.is_empty());
                for error in errors {
                    let text = error.to_string();
                    let has_place =
                        text.contains(", field ") || matches!(error, ImageError::WrongKind { .. });
                    assert!(text.starts_with("x.dll: ") && has_place, "{}: {text}", file.what);
                }
            }
        }
        assert!(refused > files.len() / 4, "only {refused} of {} refused", files.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_mutations_never_panic(
        is_64: bool,
        mapped: bool,
        edits in prop::collection::vec((0usize..0x6000, any::<u32>(), 1usize..=4), 1..12),
        headers_only: bool,
        cut in prop::option::weighted(0.2, 0usize..0x6000),
    ) {
        let mut bytes = valid(if is_64 { Machine::Amd64 } else { Machine::I386 });
        for (at, value, size) in edits {
            let limit = if headers_only { 0x300 } else { bytes.len() };
            let at = at % limit;
            let end = (at + size).min(bytes.len());
            bytes[at..end].copy_from_slice(&value.to_le_bytes()[..end - at]);
        }
        bytes.truncate(cut.unwrap_or(usize::MAX));
        read_everything(&bytes, mapped);
    }
}
