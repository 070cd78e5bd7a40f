//! What good and odd images are read as, and the words of the errors.

use std::fmt::Write;

use expect_test::{Expect, expect};
use object::read::pe::PeFile64;
use object::{Object, ObjectSection};
use plat_image::pe::{Machine, RelocationKind};
use plat_image::{ExportValue, ImageBuilder, PeImage, Spot};

fn sample() -> Vec<u8> {
    let mut builder = ImageBuilder::new("sample.dll", Machine::Amd64, 0x1_8000_0000);
    let code = builder.text(&[0xc3; 40]);
    let data = builder.data(&0x1_8000_1000u64.to_le_bytes());
    builder.export("beta", None, ExportValue::At(code)).export("alpha", Some(7), ExportValue::At(data));
    builder.export("gone", None, ExportValue::Forwarder("NTDLL.#12"));
    builder.relocation(data, RelocationKind::Dir64).version([10, 0, 19041, 1]).entry_point(code);
    builder.runtime_function(0, 40, &[1, 0, 0, 0]);
    builder.build().expect("a valid image").bytes
}

fn check(bytes: &[u8], expected: Expect) {
    let text = match PeImage::parse("sample.dll", bytes) {
        Err(error) => error.to_string(),
        Ok(image) => image.segments().iter().fold(String::new(), |mut text, segment| {
            let (rvas, file) = (&segment.rvas, &segment.file);
            writeln!(text, "{} {} {rvas:?} from {file:?}", segment.access, segment.name)
                .expect("to a string");
            text
        }),
    };
    expected.assert_eq(&text);
}

fn with(offset: usize, value: u32) -> Vec<u8> {
    let mut bytes = sample();
    bytes[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
    bytes
}

#[test]
fn segments_of_a_built_image() {
    check(
        &sample(),
        expect![[r#"
        r-- headers 0x0..0x1000 from 0x0..0x1000
        r-x .text 0x1000..0x2000 from 0x1000..0x2000
        r-- .rdata 0x2000..0x3000 from 0x2000..0x3000
        rw- .data 0x3000..0x4000 from 0x3000..0x4000
        r-- .rsrc 0x4000..0x5000 from 0x4000..0x5000
        r-- .reloc 0x5000..0x6000 from 0x5000..0x6000
    "#]],
    );
}

#[test]
fn errors_name_file_offset_field_and_expectation() {
    const SECTION_2: usize = 0x188 + 2 * 40;
    check(b"", expect!["sample.dll: is empty"]);
    check(
        b"\x7fELF",
        expect!["sample.dll: is a Linux program or library (ELF), not a Windows one: run it directly"],
    );
    check(
        &with(0x3c, 0x9000),
        expect![
            "sample.dll: offset 0x3c, field e_lfanew: points at 0x9000 but the file has 24576 bytes; the file may be truncated"
        ],
    );
    check(
        &sample()[..0xa0],
        expect![
            "sample.dll: offset 0xb8, field SectionAlignment: points at 0xbc but the file has 160 bytes; the file may be truncated"
        ],
    );
    check(
        &sample()[..0x1800],
        expect![
            "sample.dll: offset 0x19c, field PointerToRawData of section 0 (.text): points at 0x2000 but the file has 6144 bytes; the file may be truncated"
        ],
    );
    check(
        &with(0x98 + 24, 0x8000_1000),
        expect![
            "sample.dll: offset 0xb0, field ImageBase: is 0x180001000, expected a multiple of 64 KiB (0x10000)"
        ],
    );
    check(
        &with(SECTION_2 + 12, 0x2000),
        expect![
            "sample.dll: offset 0x1e4, field VirtualAddress of section 2 (.data): is 0x2000, expected 0x3000: Windows wants sections in order without holes, and this one overlaps what is before it"
        ],
    );
    check(
        &with(SECTION_2 + 12, 0x5000),
        expect![
            "sample.dll: offset 0x1e4, field VirtualAddress of section 2 (.data): is 0x5000, expected 0x3000: Windows wants sections in order without holes, and this one leaves a hole before it"
        ],
    );
    check(
        &with(SECTION_2 + 8, 0x10_0000),
        expect![
            "sample.dll: offset 0x1e0, field VirtualSize of section 2 (.data): is 0x100000, expected an end within SizeOfImage (0x6000), it would be 0x103000"
        ],
    );
}

#[test]
fn raw_pointers_are_rounded_down_and_raw_sizes_cut() {
    const SECTION_2: usize = 0x188 + 2 * 40;
    check(
        &with(SECTION_2 + 20, 0x31ff),
        expect![[r#"
        r-- headers 0x0..0x1000 from 0x0..0x1000
        r-x .text 0x1000..0x2000 from 0x1000..0x2000
        r-- .rdata 0x2000..0x3000 from 0x2000..0x3000
        rw- .data 0x3000..0x4000 from 0x3000..0x4000
        r-- .rsrc 0x4000..0x5000 from 0x4000..0x5000
        r-- .reloc 0x5000..0x6000 from 0x5000..0x6000
    "#]],
    );
    check(
        &with(SECTION_2 + 16, 0x2000),
        expect![[r#"
        r-- headers 0x0..0x1000 from 0x0..0x1000
        r-x .text 0x1000..0x2000 from 0x1000..0x2000
        r-- .rdata 0x2000..0x3000 from 0x2000..0x3000
        rw- .data 0x3000..0x4000 from 0x3000..0x4000
        r-- .rsrc 0x4000..0x5000 from 0x4000..0x5000
        r-- .reloc 0x5000..0x6000 from 0x5000..0x6000
    "#]],
    );
    check(
        &with(SECTION_2 + 8, 0),
        expect![[r#"
        r-- headers 0x0..0x1000 from 0x0..0x1000
        r-x .text 0x1000..0x2000 from 0x1000..0x2000
        r-- .rdata 0x2000..0x3000 from 0x2000..0x3000
        rw- .data 0x3000..0x4000 from 0x3000..0x4000
        r-- .rsrc 0x4000..0x5000 from 0x4000..0x5000
        r-- .reloc 0x5000..0x6000 from 0x5000..0x6000
    "#]],
    );
    check(
        &with(SECTION_2 + 20, 0),
        expect![[r#"
        r-- headers 0x0..0x1000 from 0x0..0x1000
        r-x .text 0x1000..0x2000 from 0x1000..0x2000
        r-- .rdata 0x2000..0x3000 from 0x2000..0x3000
        rw- .data 0x3000..0x4000 from 0x0..0x0
        r-- .rsrc 0x4000..0x5000 from 0x4000..0x5000
        r-- .reloc 0x5000..0x6000 from 0x5000..0x6000
    "#]],
    );
}

/// The shape of the 97-byte program: headers folded into the DOS header, cut inside the optional header.
#[test]
fn a_tiny_file_of_low_alignment_is_mapped_flat() {
    let mut bytes = vec![0; 97];
    bytes[..8].copy_from_slice(b"MZ\0\0PE\0\0");
    bytes[8..12].copy_from_slice(&[0x4c, 1, 0, 0]);
    bytes[24..30].copy_from_slice(&[0x48, 0, 3, 1, 0x0b, 1]);
    let mut put = |at: usize, value: u32| bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    put(28 + 16, 0x60);
    put(28 + 28, 0x40_0000);
    put(28 + 32, 4);
    put(28 + 36, 4);
    put(28 + 56, 0x68);
    put(28 + 60, 0x40);
    check(
        &bytes,
        expect![[r#"
        rwx flat 0x0..0x1000 from 0x0..0x61
    "#]],
    );
}

#[test]
fn another_reader_agrees_about_a_built_image() {
    let bytes = sample();
    let theirs = PeFile64::parse(&*bytes).expect("a valid image");
    let ours = PeImage::parse("sample.dll", &bytes).expect("a valid image");
    let names: Vec<_> = theirs.sections().map(|section| section.name().expect("ASCII").to_owned()).collect();
    assert_eq!(names, ours.sections().iter().map(|section| section.name()).collect::<Vec<_>>());
    let exports = ours.exports().expect("readable").expect("present");
    let table = theirs.export_table().expect("readable").expect("present");
    assert_eq!(table.exports().expect("readable").len(), 3);
    assert_eq!(exports.by_name(b"alpha").expect("readable").expect("present").ordinal, 7);
    assert_eq!(ours.relocations().count(), 1);
    assert_eq!(theirs.entry(), ours.headers().image_base + u64::from(ours.headers().entry_point.get()));
}

#[test]
fn relocating_adds_the_difference() {
    let bytes = sample();
    let image = PeImage::parse("sample.dll", &bytes).expect("a valid image");
    let mut mapped = image.to_mapped(1 << 20).expect("small");
    assert_eq!(image.relocate(&mut mapped, 0x7000_0000), Ok(1));
    assert_eq!(mapped[0x3000..0x3008], 0x7000_1000u64.to_le_bytes());
}

#[test]
fn the_builder_refuses_what_collides_or_lies_outside() {
    let mut builder = ImageBuilder::new("bad.dll", Machine::I386, 0x1000_0000);
    builder.export("a", Some(1), ExportValue::At(Spot::Text(0)));
    let outside = builder.build().expect_err("no text was given").to_string();
    expect!["bad.dll: Text(0) is outside the 0x0 bytes given"].assert_eq(&outside);
    builder.text(&[0xc3]);
    builder.export("a", None, ExportValue::At(Spot::Text(0)));
    expect!["bad.dll: a is exported twice"].assert_eq(&builder.build().expect_err("twice").to_string());
}

#[test]
fn imports_are_read_with_and_without_a_lookup_table() {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    for lookup_table in [0x2028, 0] {
        let mut data = words(&[lookup_table, 0, 0, 0x2040, 0x2034, 0, 0, 0, 0, 0]);
        data.extend(words(&[0x2048, 0x8000_0005, 0, 0x2048, 0x8000_0005, 0]));
        data.extend(b"foo.dll\0\x03\0bar\0");
        let mut builder = ImageBuilder::new("user.dll", Machine::I386, 0x1000_0000);
        builder.text(&[0xc3]);
        builder.data(&data);
        let mut bytes = builder.build().expect("a valid image").bytes;
        bytes[0x100..0x108].copy_from_slice(&words(&[0x2000, 40]));
        let image = PeImage::parse("user.dll", &bytes).expect("a valid image");
        let modules = image.imports().expect("readable");
        let text: Vec<_> = modules
            .iter()
            .flat_map(|module| {
                module.entries.iter().map(|it| format!("{}!{} {}", module.name, it.symbol, it.slot))
            })
            .collect();
        assert_eq!(text, ["foo.dll!bar 0x2034", "foo.dll!#5 0x2038"], "lookup table {lookup_table:#x}");
    }
}
