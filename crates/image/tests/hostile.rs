//! Broken files: no panic, no endless loop, no error without a place.

use std::time::{Duration, Instant};

use plat_image::pe::{Machine, RelocationKind, ResourceId};
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
    builder.build().expect("a valid image").bytes
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
    note(image.version_info().err());
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
