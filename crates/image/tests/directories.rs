//! Data directories of built images, with the crate `object` as second opinion where it reads them.

use std::fmt::Write;

use expect_test::{Expect, expect};
use object::LittleEndian as LE;
use object::pe::{ImageNtHeaders32, ImageNtHeaders64};
use object::read::pe::{DelayLoadImportTable, ImageNtHeaders, Import, ImportTable, PeFile};
use plat_image::pe::{DirectoryKind, ImportEntry, Machine, ResourceId};
use plat_image::{ImageBuilder, PeImage, Rva};
use plat_testkit::tables::{self, Imports};

const BASE: u64 = 0x1000_0000;
/// Without exports and unwind data `.data` follows `.text`, which has a page.
const DATA: u32 = 0x2000;

fn machine(is_64: bool) -> Machine {
    if is_64 { Machine::Amd64 } else { Machine::I386 }
}

/// Makes an image with one directory, which is at the start of `data`.
fn image(is_64: bool, kind: DirectoryKind, data: &[u8], bytes: u32) -> Vec<u8> {
    let mut builder = ImageBuilder::new("sample.dll", machine(is_64), BASE);
    builder.text(&[0xc3; 64]);
    let spot = builder.data(data);
    builder.directory(kind, spot, bytes);
    builder.build().expect("a valid image").bytes
}

fn words(words: &[u64], bytes: usize) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()[..bytes].to_vec()).collect()
}

const MODULES: Imports<'_> =
    &[("KERNEL32.dll", &["ExitProcess", "#17", "Beep"]), ("empty.dll", &[]), ("é.dll", &["x"])];

fn ours(entries: &[ImportEntry<'_>]) -> Vec<String> {
    entries.iter().map(|entry| entry.symbol.to_string()).collect()
}

fn word(import: Import<'_>) -> String {
    match import {
        Import::Ordinal(ordinal) => format!("#{ordinal}"),
        Import::Name(_, name) => String::from_utf8_lossy(name).into_owned(),
    }
}

/// Lists modules and symbols as `object` reads them.
fn theirs_of<Pe: ImageNtHeaders>(bytes: &[u8], is_delayed: bool) -> Vec<(Vec<u8>, Vec<String>)> {
    let file = PeFile::<Pe>::parse(bytes).expect("a valid image");
    let (directories, sections) = (file.data_directories(), file.section_table());
    let mut found = Vec::new();
    if is_delayed {
        let table: DelayLoadImportTable<'_> =
            directories.delay_load_import_table(bytes, &sections).expect("readable").expect("present");
        let mut descriptors = table.descriptors().expect("readable");
        while let Some(descriptor) = descriptors.next().expect("readable") {
            let name = table.name(descriptor.dll_name_rva.get(LE)).expect("a name").to_vec();
            let mut thunks = table.thunks(descriptor.import_name_table_rva.get(LE)).expect("a table");
            let mut symbols = Vec::new();
            while let Some(thunk) = thunks.next::<Pe>().expect("readable") {
                symbols.push(word(table.import::<Pe>(thunk).expect("readable")));
            }
            found.push((name, symbols));
        }
        return found;
    }
    let table: ImportTable<'_> =
        directories.import_table(bytes, &sections).expect("readable").expect("present");
    let mut descriptors = table.descriptors().expect("readable");
    while let Some(descriptor) = descriptors.next().expect("readable") {
        let name = table.name(descriptor.name.get(LE)).expect("a name").to_vec();
        let mut thunks = table.thunks(descriptor.original_first_thunk.get(LE)).expect("a table");
        let mut symbols = Vec::new();
        while let Some(thunk) = thunks.next::<Pe>().expect("readable") {
            symbols.push(word(table.import::<Pe>(thunk).expect("readable")));
        }
        found.push((name, symbols));
    }
    found
}

fn theirs(is_64: bool, bytes: &[u8], is_delayed: bool) -> Vec<(Vec<u8>, Vec<String>)> {
    if is_64 {
        theirs_of::<ImageNtHeaders64>(bytes, is_delayed)
    } else {
        theirs_of::<ImageNtHeaders32>(bytes, is_delayed)
    }
}

#[test]
fn another_reader_agrees_about_imports() {
    for is_64 in [false, true] {
        let bytes = image(is_64, DirectoryKind::Import, &tables::imports(DATA, is_64, MODULES), 80);
        let image = PeImage::parse("sample.dll", &bytes).expect("valid");
        let modules = image.imports().expect("readable");
        let found: Vec<_> =
            modules.iter().map(|it| (it.name.as_bytes().to_vec(), ours(&it.entries))).collect();
        assert_eq!(found, theirs(is_64, &bytes, false), "64 bits: {is_64}");
        assert_eq!(found.len(), 3);
        let slots: Vec<u32> =
            modules[0].entries.iter().map(|it| it.slot.get() - modules[0].address_table.get()).collect();
        assert_eq!(slots, if is_64 { [0, 8, 16] } else { [0, 4, 8] });
    }
}

#[test]
fn another_reader_agrees_about_delay_imports() {
    for is_64 in [false, true] {
        let bytes =
            image(is_64, DirectoryKind::DelayImport, &tables::delay_imports(DATA, is_64, MODULES), 128);
        let image = PeImage::parse("sample.dll", &bytes).expect("valid");
        let modules = image.delay_imports().expect("readable");
        let found: Vec<_> =
            modules.iter().map(|it| (it.name.as_bytes().to_vec(), ours(&it.entries))).collect();
        assert_eq!(found, theirs(is_64, &bytes, true), "64 bits: {is_64}");
        assert!(modules.iter().all(|it| it.is_rva_based && it.bound_table.is_none() && it.timestamp == 0));
        assert!(modules.iter().all(|it| image.slice(it.module_handle, 4) == Some(&[0; 4])));
        assert_eq!(
            modules[0].entries[1].slot.get() - modules[0].address_table.get(),
            if is_64 { 8 } else { 4 }
        );
    }
}

/// Linkers before Visual C++ 7 wrote addresses; the same tables are made again with every pointer raised.
#[test]
fn old_delay_imports_hold_addresses() {
    let mut data = tables::delay_imports(DATA, false, &[("OLD.dll", &["one", "#2"])]);
    let raise = |data: &mut [u8], at: usize| {
        let value = u32::from_le_bytes(*data[at..].first_chunk().expect("in the table"));
        data[at..at + 4].copy_from_slice(&(value + BASE as u32).to_le_bytes());
        (value - DATA) as usize
    };
    data[0] = 0;
    let (_, names) = ([4, 8, 12].map(|at| raise(&mut data, at)), raise(&mut data, 16));
    raise(&mut data, names);
    let bytes = image(false, DirectoryKind::DelayImport, &data, 64);
    let image = PeImage::parse("old.dll", &bytes).expect("valid");
    let modules = image.delay_imports().expect("readable");
    assert_eq!((modules.len(), modules[0].is_rva_based), (1, false));
    assert_eq!(
        (modules[0].name.as_bytes(), ours(&modules[0].entries)),
        (&b"OLD.dll"[..], vec!["one".into(), "#2".into()])
    );
}

#[test]
fn bound_imports_keep_timestamps_and_forwarders() {
    let data = tables::bound_imports(&[
        ("KERNEL32.dll", 0x5000_0001, &[("NTDLL.DLL", 0x5000_0002), ("rpc.dll", 3)]),
        ("last.dll", 4, &[]),
    ]);
    let bytes = image(true, DirectoryKind::BoundImport, &data, data.len() as u32);
    let image = PeImage::parse("sample.dll", &bytes).expect("valid");
    let mut text = String::new();
    for module in image.bound_imports().expect("readable") {
        writeln!(text, "{:?} {:#x} {:?}", module.name, module.timestamp, module.forwarders)
            .expect("to a string");
    }
    expect![[r#"
        "KERNEL32.dll" 0x50000001 [("NTDLL.DLL", 1342177282), ("rpc.dll", 3)]
        "last.dll" 0x4 []
    "#]]
    .assert_eq(&text);
}

#[test]
fn tls_directories_of_both_widths_with_callbacks() {
    for is_64 in [false, true] {
        let width = if is_64 { 8 } else { 4 };
        let at = |offset: u64| BASE + u64::from(DATA) + offset;
        // Template at 0x40..0x4c, index at 0x50, callbacks at 0x60, alignment code 5: 16 bytes.
        let mut data = words(&[at(0x40), at(0x4c), at(0x50), at(0x60)], width);
        data.extend(words(&[0x14, 5 << 20], 4));
        data.resize(0x60, 0);
        data.extend(words(&[BASE + 0x1010, BASE + 0x1000, 0], width));
        let bytes = image(is_64, DirectoryKind::Tls, &data, 40);
        let tls =
            PeImage::parse("sample.dll", &bytes).expect("valid").tls().expect("readable").expect("present");
        assert_eq!(tls.template, Rva::new(DATA + 0x40)..Rva::new(DATA + 0x4c));
        assert_eq!(
            (tls.zero_fill_bytes, tls.index, tls.alignment),
            (0x14, Some(Rva::new(DATA + 0x50)), Some(16))
        );
        assert_eq!(tls.callbacks, [Rva::new(0x1010), Rva::new(0x1000)], "in the table's order");
    }
}

/// The same structure, cut at the sizes that linkers of different ages wrote: a field past it counts as zero.
///
/// Source: Microsoft, "IMAGE_LOAD_CONFIG_DIRECTORY32" and "-64": offsets of the fields.
#[test]
fn load_configurations_count_as_far_as_their_size() {
    let check = |is_64: bool, size: u64, expected: Expect| {
        let (width, cookie, flags) = if is_64 { (8, 88, 144) } else { (4, 60, 88) };
        let mut data = vec![0; 0x100];
        let mut put = |offset: usize, value: u64, bytes: usize| {
            data[offset..offset + bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
        };
        put(0, size, 4);
        let data_at = BASE + u64::from(DATA);
        let fields = [data_at + 0xf0, data_at + 0xf8, 2, BASE + 0x1000, BASE + 0x1008];
        for (index, value) in fields.into_iter().enumerate() {
            put(cookie + index * width, value, width);
        }
        put(flags, 0x0001_4500, 4);
        let bytes = image(is_64, DirectoryKind::LoadConfig, &data, 64);
        let image = PeImage::parse("sample.dll", &bytes).expect("valid");
        let config = image.load_config().expect("readable").expect("present");
        expected.assert_eq(&format!("{config:?}"));
    };
    check(
        false,
        72,
        expect![
            "LoadConfig { size: 72, security_cookie: Some(0x20f0), handler_table: Some(0x20f8), handler_count: 2, guard_check: None, guard_dispatch: None, guard_flags: 0, hybrid_metadata: None, dynamic_relocations: None }"
        ],
    );
    check(
        false,
        92,
        expect![
            "LoadConfig { size: 92, security_cookie: Some(0x20f0), handler_table: Some(0x20f8), handler_count: 2, guard_check: Some(0x1000), guard_dispatch: Some(0x1008), guard_flags: 83200, hybrid_metadata: None, dynamic_relocations: None }"
        ],
    );
    check(
        true,
        112,
        expect![
            "LoadConfig { size: 112, security_cookie: Some(0x20f0), handler_table: Some(0x20f8), handler_count: 2, guard_check: None, guard_dispatch: None, guard_flags: 0, hybrid_metadata: None, dynamic_relocations: None }"
        ],
    );
    check(
        true,
        148,
        expect![
            "LoadConfig { size: 148, security_cookie: Some(0x20f0), handler_table: Some(0x20f8), handler_count: 2, guard_check: Some(0x1000), guard_dispatch: Some(0x1008), guard_flags: 83200, hybrid_metadata: None, dynamic_relocations: None }"
        ],
    );
    check(
        true,
        4,
        expect![
            "LoadConfig { size: 4, security_cookie: None, handler_table: None, handler_count: 0, guard_check: None, guard_dispatch: None, guard_flags: 0, hybrid_metadata: None, dynamic_relocations: None }"
        ],
    );
}

#[test]
fn exception_tables_are_searched_by_halves() {
    let mut builder = ImageBuilder::new("sample.dll", Machine::Amd64, BASE);
    builder.text(&[0xc3; 256]);
    for begin in [0u32, 64, 16, 200] {
        builder.runtime_function(begin, begin + 16, &[1, 0, 0, 0]);
    }
    let bytes = builder.build().expect("a valid image").bytes;
    let image = PeImage::parse("sample.dll", &bytes).expect("valid");
    assert_eq!(image.runtime_function_count(), 4);
    let begin = |rva: u32| {
        image.runtime_function_at(Rva::new(rva)).expect("readable").map(|function| function.begin.get())
    };
    let found = [0xfff, 0x1000, 0x100f, 0x1010, 0x1020, 0x104f, 0x1050, 0x10c8, 0x10d8].map(begin);
    assert_eq!(
        found,
        [None, Some(0x1000), Some(0x1000), Some(0x1010), None, Some(0x1040), None, Some(0x10c8), None]
    );
    assert_eq!(image.runtime_function(4), Ok(None));
}

/// Type "TEXT" name 7 in two languages, made by hand.
fn resource_tree() -> Vec<u8> {
    let mut data = Vec::new();
    let mut directory = |named: u64, numbered: u64, entries: &[u64]| {
        data.extend(words(&[0, 0, 0, named | numbered << 16], 4));
        data.extend(words(entries, 4));
    };
    // Offsets: root 0, names 0x18, languages 0x30, leaves 0x50 and 0x60, the type's name 0x70, bytes 0x80.
    directory(1, 0, &[0x8000_0070, 0x8000_0018]);
    directory(0, 1, &[7, 0x8000_0030]);
    directory(0, 2, &[0x407, 0x50, 0x409, 0x60]);
    data.extend(words(&[u64::from(DATA) + 0x80, 3, 1252, 0, u64::from(DATA) + 0x84, 2, 65001, 0], 4));
    data.extend(words(&[4, u64::from(b'T'), u64::from(b'E'), u64::from(b'X'), u64::from(b'T')], 2));
    data.resize(0x80, 0);
    data.extend(b"abc\0xy");
    data
}

#[test]
fn another_reader_agrees_about_resources() {
    let bytes = image(true, DirectoryKind::Resource, &resource_tree(), 0x86);
    let image = PeImage::parse("sample.dll", &bytes).expect("valid");
    let mut text = String::new();
    for it in image.resources().expect("readable") {
        let contents = image.slice(it.rva, it.size).expect("mapped").escape_ascii().to_string();
        writeln!(text, "{:?} {:?} {:?} {} {contents}", it.kind, it.name, it.language, it.code_page)
            .expect("to a string");
    }
    expect![[r#"
        Name([84, 69, 88, 84]) Number(7) Number(1031) 1252 abc
        Name([84, 69, 88, 84]) Number(7) Number(1033) 65001 xy
    "#]]
    .assert_eq(&text);
    let kind = ResourceId::Name("TEXT".encode_utf16().collect());
    let found =
        image.find_resource(&kind, &ResourceId::Number(7), Some(0x409)).expect("readable").expect("there");
    assert_eq!(image.slice(found.rva, found.size), Some(&b"xy"[..]));
    assert_eq!(image.find_resource(&kind, &ResourceId::Number(8), None), Ok(None));

    let file = PeFile::<ImageNtHeaders64>::parse(&*bytes).expect("valid");
    let directory = file.data_directories().resource_directory(&*bytes, &file.section_table());
    let directory = directory.expect("readable").expect("present");
    let root = directory.root().expect("readable");
    let [kind] = root.entries else { panic!("one type") };
    let name = kind.name_or_id().name().expect("named").to_string_lossy(directory).expect("readable");
    assert_eq!(name, "TEXT");
    let names = kind.data(directory).expect("readable").table().expect("a directory");
    let languages = names.entries[0].data(directory).expect("readable").table().expect("a directory");
    let ids: Vec<_> = languages.entries.iter().map(|it| it.name_or_id().id()).collect();
    assert_eq!(ids, [Some(0x407), Some(0x409)]);
}

/// `object` reads no version information; the bytes come from the builder, as every system DLL of plat has them.
#[test]
fn version_information_of_a_built_image() {
    let mut builder = ImageBuilder::new("sample.dll", Machine::I386, BASE);
    builder.text(&[0xc3]);
    let bytes = builder.version([10, 0, 19041, 1]).build().expect("a valid image").bytes;
    let version =
        PeImage::parse("sample.dll", &bytes).expect("valid").version().expect("readable").expect("there");
    assert_eq!(version.fixed.expect("its signature is right").file, [10, 0, 19041, 1]);
    assert_eq!(version.tables, []);
}
