//! New bytes for an image, held against an independent loader: every odd form that the facts name.

use expect_test::{Expect, expect};
use plat_image::PeImage;
use plat_image::pe::{DirectoryKind, DllCharacteristics, Field, checksum};
use plat_rebase::{ChecksumPolicy, Options, Rebased, SignaturePolicy, rebase_image, undo_image};
use plat_regions::Address;
use plat_testkit::craft::{Craft, load, relocation_blocks};

const DIR64: u16 = 10 << 12;
const HIGHLOW: u16 = 3 << 12;
const NEW_64: u64 = 0x3_f000_0000;
const NEW_32: u64 = 0x6a5b_0000;

/// A 64-bit DLL with a data section of two pages that holds its own addresses at 0, 8 and across the pages' border.
fn craft_64() -> Craft {
    let mut craft = Craft::dll(true);
    let mut data = vec![0x11; 0x2000];
    for at in [0, 8, 0xffc] {
        data[at..at + 8].copy_from_slice(&(craft.base + 0x1000 + at as u64).to_le_bytes());
    }
    craft.part(".data", 0x2000, &data);
    craft.relocations(".reloc", &[(0x1000, &[DIR64, DIR64 | 8, DIR64 | 0xffc])]);
    craft
}

fn craft_32() -> Craft {
    let mut craft = Craft::dll(false);
    let mut data = vec![0x22; 0x1000];
    for at in [0, 4, 0x123] {
        data[at..at + 4].copy_from_slice(&(craft.base as u32 + 0x1000 + at as u32).to_le_bytes());
    }
    craft.part(".data", 0x1000, &data);
    craft.relocations(".reloc", &[(0x1000, &[HIGHLOW, HIGHLOW | 4, HIGHLOW | 0x123])]);
    craft
}

fn rebase(bytes: &[u8], base: u64, options: &Options) -> Result<(Vec<u8>, Rebased), String> {
    let mut new = bytes.to_vec();
    match rebase_image("x.dll", &mut new, Address::new(base), options) {
        Ok(rebased) => Ok((new, rebased)),
        Err(error) => {
            assert_eq!(new, bytes, "an error leaves the bytes alone: {error}");
            Err(error.to_string())
        }
    }
}

/// Moves a file and holds it against what a loader makes of the old one; takes it back two ways.
fn check_moved(bytes: &[u8], base: u64) -> (Vec<u8>, Rebased) {
    let (new, rebased) = rebase(bytes, base, &Options::default()).expect("can be moved");
    let image = PeImage::parse("x.dll", &new).expect("is an image still");
    assert_eq!(image.headers().image_base, base);
    let old_base = rebased.from.get();
    let headers = image.headers().size_of_headers as usize;
    let by_loader = load(bytes, base).expect("loads");
    assert!(by_loader[headers..] == load(&new, base).expect("loads")[headers..], "as the loader relocates");
    assert!(by_loader[headers..] == image.to_mapped(1 << 30).expect("maps")[headers..], "nothing left to do");
    let mut undone = new.clone();
    undo_image("x.dll", &mut undone, &rebased.undo).expect("goes back");
    assert!(undone == bytes, "undone");
    let (back, _) = rebase(&new, old_base, &Options::default()).expect("moves back");
    assert!(back == bytes, "there and back");
    (new, rebased)
}

fn check_refused(bytes: &[u8], base: u64, options: &Options, expected: Expect) {
    expected.assert_eq(&rebase(bytes, base, options).map(|_| ()).expect_err("is refused"));
}

#[test]
fn words_are_relocated_across_pages() {
    let (new, rebased) = check_moved(&craft_64().bytes(), NEW_64);
    assert_eq!(rebased.relocations, 3);
    let word = u64::from_le_bytes(*new[0x400 + 0xffc..].first_chunk().expect("8 bytes"));
    assert_eq!(word, NEW_64 + 0x1ffc);
    let (new, rebased) = check_moved(&craft_32().bytes(), NEW_32);
    assert_eq!(rebased.relocations, 3);
    assert_eq!(new[0x400 + 0x123..][..4], (NEW_32 as u32 + 0x1123).to_le_bytes());
}

#[test]
fn headers_may_lie_anywhere() {
    for e_lfanew in [0x40, 0x78, 0xf8, 0x118, 0x150] {
        let mut craft = craft_64();
        craft.e_lfanew = e_lfanew;
        check_moved(&craft.bytes(), NEW_64);
    }
}

#[test]
fn arm64_has_the_same_relocations() {
    let mut craft = craft_64();
    craft.machine = 0xaa64;
    check_moved(&craft.bytes(), NEW_64);
}

#[test]
fn what_follows_the_directory_in_its_section_is_left_alone() {
    // A dynamic value relocation table looks like a block with page 1, size 0x20.
    let mut craft = craft_64();
    let table = [1, 0x20, 0x1000, 0x10, 0xa000_a008, 0xdead_beef, 0x1111_1111, 0x2222_2222];
    let at = craft.parts[1].raw.len();
    craft.parts[1].raw.extend(table.iter().flat_map(|word: &u32| word.to_le_bytes()));
    craft.parts[1].virtual_size = craft.parts[1].raw.len() as u32;
    let bytes = craft.bytes();
    let (new, rebased) = check_moved(&bytes, NEW_64);
    assert_eq!(rebased.relocations, 3);
    let start = craft.offset_of(1) as usize + at;
    assert_eq!(new[start..start + 32], bytes[start..start + 32]);
}

#[test]
fn the_section_of_relocations_may_have_any_name() {
    let mut craft = craft_64();
    craft.parts[1].name = ".rdata";
    // And a section of that name may hold anything.
    craft.part(".reloc", 16, &[0xff; 16]);
    check_moved(&craft.bytes(), NEW_64);
}

#[test]
fn every_type_is_applied() {
    let mut craft = Craft::dll(false);
    craft.part(".data", 0x1000, &[0x5a; 0x1000]);
    let entries =
        [1 << 12, 2 << 12 | 8, HIGHLOW | 16, 4 << 12 | 24, 0x8001, 4 << 12 | 26, 0x7fff, 0, DIR64 | 32];
    craft.relocations(".reloc", &[(0x1000, &entries)]);
    let (_, rebased) = check_moved(&craft.bytes(), NEW_32);
    assert_eq!(rebased.relocations, 6);
}

#[test]
fn words_that_overlap_go_back_in_reverse() {
    let mut craft = Craft::dll(false);
    craft.part(".data", 0x1000, &[0xff; 0x1000]);
    craft.relocations(".reloc", &[(0x1000, &[HIGHLOW, HIGHLOW | 2, HIGHLOW | 1, DIR64 | 1])]);
    let bytes = craft.bytes();
    let (new, rebased) = rebase(&bytes, NEW_32, &Options::default()).expect("moves");
    let by_loader = load(&bytes, NEW_32).expect("loads");
    assert!(by_loader[0x1000..] == load(&new, NEW_32).expect("loads")[0x1000..]);
    let mut undone = new;
    undo_image("x.dll", &mut undone, &rebased.undo).expect("goes back");
    assert!(undone == bytes);
}

#[test]
fn unknown_types_are_refused_with_their_place() {
    for (kind, expected) in [
        (
            5,
            expect![
                "x.dll: offset 0x2410 (rva 0x3010), field BaseRelocation Type: is 0x5, expected a type met on x86: ABSOLUTE, HIGH, LOW, HIGHLOW, HIGHADJ with its parameter, DIR64"
            ],
        ),
        (
            7,
            expect![
                "x.dll: offset 0x2410 (rva 0x3010), field BaseRelocation Type: is 0x7, expected a type met on x86: ABSOLUTE, HIGH, LOW, HIGHLOW, HIGHADJ with its parameter, DIR64"
            ],
        ),
        (
            9,
            expect![
                "x.dll: offset 0x2410 (rva 0x3010), field BaseRelocation Type: is 0x9, expected a type met on x86: ABSOLUTE, HIGH, LOW, HIGHLOW, HIGHADJ with its parameter, DIR64"
            ],
        ),
    ] {
        let mut craft = Craft::dll(true);
        craft.part(".data", 0x2000, &[0; 0x2000]);
        craft.relocations(".reloc", &[(0x1000, &[DIR64, DIR64 | 8, DIR64 | 16, DIR64 | 24, kind << 12])]);
        check_refused(&craft.bytes(), NEW_64, &Options::default(), expected);
    }
}

#[test]
fn words_may_cross_sections() {
    let mut craft = Craft::dll(true);
    // The file holds more than the section's page: what follows in memory does not follow in the file.
    craft.part(".a", 0x1000, &[0x33; 0x1200]);
    craft.part(".b", 0x1000, &[0x44; 0x1000]);
    craft.relocations(".reloc", &[(0x1000, &[DIR64 | 0xffc]), (0x2000, &[DIR64 | 0x10])]);
    let (new, _) = check_moved(&craft.bytes(), NEW_64);
    // The difference is 0x2_7000_0000: byte 3 lies in one section, byte 4 in the other.
    assert_eq!(new[0x400 + 0xffc..][..8], [0x33, 0x33, 0x33, 0xa3, 0x33, 0x33, 0x33, 0x33]);
    assert_eq!(new[0x400 + 0x1200..][..4], [0x46, 0x44, 0x44, 0x44]);
}

#[test]
fn a_word_in_zero_fill_cannot_be_kept_in_the_file() {
    let mut craft = Craft::dll(true);
    craft.part(".data", 0x2000, &[0; 0x200]);
    craft.relocations(".reloc", &[(0x1000, &[DIR64]), (0x2000, &[DIR64 | 8])]);
    check_refused(
        &craft.bytes(),
        NEW_64,
        &Options::default(),
        expect!["x.dll: the word to relocate at rva 0x2008 lies in memory that the file does not fill"],
    );
    // A block for such a page that holds padding alone is nothing to refuse.
    let mut craft = Craft::dll(true);
    craft.part(".data", 0x2000, &[0; 0x200]);
    craft.relocations(".reloc", &[(0x1000, &[DIR64]), (0x2000, &[0, 0])]);
    check_moved(&craft.bytes(), NEW_64);
    // Nor is a word whose bytes in zero fill stay zero.
    let mut craft = Craft::dll(true);
    let mut data = [0; 0x200];
    data[0x1fb..].copy_from_slice(&craft.base.to_le_bytes()[..5]);
    craft.part(".data", 0x2000, &data);
    craft.relocations(".reloc", &[(0x1000, &[DIR64 | 0x1fb])]);
    check_moved(&craft.bytes(), NEW_64);
}

#[test]
fn words_where_they_would_break_the_file_are_refused() {
    let mut craft = craft_64();
    craft.directories.clear();
    craft.parts.pop();
    craft.relocations(".reloc", &[(0, &[DIR64 | 0xb0])]);
    check_refused(
        &craft.bytes(),
        NEW_64,
        &Options::default(),
        expect!["x.dll: the word to relocate at rva 0xb0 (offset 0xb0) lies in the headers"],
    );
    let mut craft = Craft::dll(true);
    craft.relocations(".reloc", &[(0x1000, &[DIR64 | 8, 0])]);
    check_refused(
        &craft.bytes(),
        NEW_64,
        &Options::default(),
        expect!["x.dll: the word to relocate at rva 0x1008 (offset 0x408) lies in the relocation directory"],
    );
    let mut bytes = craft_64().bytes();
    // A third section over the bytes of the first.
    let craft = craft_64();
    let table = 0x80 + 24 + 240;
    bytes[0x80 + 6] = 3;
    let (first, third) = (table, table + 80);
    bytes.copy_within(first..first + 40, third);
    bytes[third + 12..third + 16].copy_from_slice(&craft.end().to_le_bytes());
    bytes[0x80 + 24 + 56..][..4].copy_from_slice(&(craft.end() + 0x2000).to_le_bytes());
    check_refused(
        &bytes,
        NEW_64,
        &Options::default(),
        expect![
            "x.dll: the word to relocate at rva 0x1000 (offset 0x400) lies in bytes that two sections share"
        ],
    );
}

#[test]
fn bases_that_cannot_be_are_refused() {
    let options = Options::default();
    let bytes = craft_32().bytes();
    check_refused(
        &bytes,
        0x1234_5000,
        &options,
        expect!["x.dll: base 0x00000000_12345000 is not a multiple of 64 KiB"],
    );
    check_refused(&bytes, 0, &options, expect!["x.dll: base 0x00000000_00000000 is the null page"]);
    check_refused(
        &bytes,
        0x1_0000_0000,
        &options,
        expect!["x.dll: base 0x00000001_00000000 leads past 4 GiB"],
    );
    // What a planner that goes below zero would ask for.
    let under = 0u64.wrapping_sub(0x10_0000);
    check_refused(
        &craft_64().bytes(),
        under,
        &options,
        expect!["x.dll: base 0xffffffff_fff00000 leads past the end of user space (128 TiB)"],
    );
    let mut image = craft_32();
    image.parts[0].virtual_size = 0x1000;
    check_moved(&image.bytes(), 0xfff0_0000);
}

#[test]
fn kinds_that_stay_are_refused() {
    let options = Options::default();
    let mut stripped = craft_64();
    stripped.characteristics |= 1;
    check_refused(
        &stripped.bytes(),
        NEW_64,
        &options,
        expect![
            "x.dll: has no relocations (linked with /FIXED, or stripped), so it must stay at 0x00000001_80000000"
        ],
    );
    let mut arm = craft_32();
    arm.machine = 0x1c4;
    check_refused(
        &arm.bytes(),
        NEW_32,
        &options,
        expect!["x.dll: machine 0x01c4: only i386, x86-64 and ARM64 images can be moved"],
    );
    let mut clr = craft_32();
    clr.directories.push((14, 0x1000, 72));
    let bytes = clr.bytes();
    check_refused(
        &bytes,
        NEW_32,
        &options,
        expect!["x.dll: is a .NET image, which its runtime places; --clr moves it all the same"],
    );
    rebase(&bytes, NEW_32, &Options { clr: true, ..options }).expect("moves when asked");
}

/// Adds a load configuration with these 64-bit fields, by offset.
fn with_load_config(fields: &[(usize, u64)]) -> Vec<u8> {
    let mut craft = Craft::dll(true);
    let mut config = vec![0; 0x140];
    config[..4].copy_from_slice(&0x140u32.to_le_bytes());
    let mut entries = Vec::new();
    for &(at, value) in fields {
        config[at..at + 8].copy_from_slice(&value.to_le_bytes());
        entries.push(DIR64 | at as u16);
    }
    let rva = craft.part(".rdata", 0x140, &config);
    craft.directories.push((10, rva, 0x140));
    craft.relocations(".reloc", &[(rva, &entries)]);
    craft.bytes()
}

#[test]
fn hybrid_images_are_refused() {
    check_refused(
        &with_load_config(&[(200, 0x1_8000_1000)]),
        NEW_64,
        &Options::default(),
        expect![
            "x.dll: is a hybrid image (ARM64X, ARM64EC or CHPE), whose second kind of relocations is not handled"
        ],
    );
}

#[test]
fn the_load_configuration_is_right_at_the_new_base() {
    let bytes = with_load_config(&[(88, 0x1_8000_1040), (112, 0x1_8000_1048)]);
    let (new, rebased) = check_moved(&bytes, NEW_64);
    let config = |bytes: &[u8]| PeImage::parse("x", bytes).expect("parses").load_config().expect("is whole");
    assert_eq!(config(&new), config(&bytes));
    assert_eq!(rebased.warnings, []);
    // A cookie without a relocation would be outside.
    let mut broken = with_load_config(&[(88, 0x1_8000_1040)]);
    let relocation = broken.len() - 0x200 + 8;
    broken[relocation..relocation + 2].copy_from_slice(&[0, 0]);
    let (_, rebased) = rebase(&broken, NEW_64, &Options::default()).expect("moves");
    assert!(rebased.warnings[0].to_string().contains("LoadConfig SecurityCookie"), "{:?}", rebased.warnings);
}

#[test]
fn the_checksum_is_renewed_where_there_was_one() {
    let sum = |bytes: &[u8]| {
        let image = PeImage::parse("x", bytes).expect("parses");
        (image.headers().checksum, checksum(bytes, image.headers().field(Field::CheckSum).0))
    };
    let (new, _) = check_moved(&craft_64().bytes(), NEW_64);
    assert_eq!(sum(&new).0, 0, "zero stays zero");
    let always = Options { checksum: ChecksumPolicy::Always, ..Options::default() };
    let (new, _) = rebase(&craft_64().bytes(), NEW_64, &always).expect("moves");
    assert_eq!(sum(&new).0, sum(&new).1);
    let mut craft = craft_64();
    craft.checksum = sum(&craft.bytes()).1;
    let (new, _) = check_moved(&craft.bytes(), NEW_64);
    assert_eq!(sum(&new).0, sum(&new).1);
    // A wrong one is put right, and undo brings the wrong one back.
    craft.checksum = 0xbad;
    let bytes = craft.bytes();
    let (mut new, rebased) = rebase(&bytes, NEW_64, &Options::default()).expect("moves");
    assert_eq!(sum(&new).0, sum(&new).1);
    undo_image("x.dll", &mut new, &rebased.undo).expect("goes back");
    assert!(new == bytes);
    let (new, rebased) = rebase(&bytes, 0x1_8000_0000, &always).expect("stays");
    assert!(rebased.changed && sum(&new).0 == sum(&new).1, "on a file that stays, too");
}

#[test]
fn fields_behind_the_end_of_the_file_are_not_written() {
    // What a file with small alignments does not have of its headers reads as zero. Found by fuzzing.
    let mut bytes = Craft::dll(true).bytes();
    bytes[0xb8..0xbc].copy_from_slice(&0x200u32.to_le_bytes());
    let image = PeImage::parse("x.dll", &bytes).expect("is an image");
    let (base, end) = (image.headers().image_base, image.headers().field(Field::CheckSum).0.get());
    bytes.truncate(end as usize);
    assert!(PeImage::parse("x.dll", &bytes).is_ok());
    let always = Options { checksum: ChecksumPolicy::Always, ..Options::default() };
    let error = rebase(&bytes, base, &always).expect_err("there is no room for the checksum");
    expect![
        "x.dll: the header field at offset 0xd8 lies behind the end of the file, so it cannot be changed"
    ]
    .assert_eq(&error);
    assert!(rebase(&bytes, base, &Options::default()).is_ok(), "nothing is to be changed");
}

#[test]
fn the_optional_header_is_no_place_for_a_signature() {
    // `SizeOfOptionalHeader` of zero puts the section table, here empty, where the optional header begins.
    let mut craft = Craft::dll(true);
    craft.directories.push((4, 0xd0, 0x10));
    let mut bytes = craft.bytes();
    bytes[0x94..0x96].fill(0);
    // `SizeOfHeaders`: less than there are.
    bytes[0xd4..0xd8].copy_from_slice(&0x80u32.to_le_bytes());
    assert!(PeImage::parse("x.dll", &bytes).is_ok());
    let strip = Options { signature: SignaturePolicy::Strip, ..Options::default() };
    let error = rebase(&bytes, craft.base, &strip).expect_err("it would cut SizeOfImage off");
    expect!["x.dll: the certificate table at offset 0xd0 overlaps a section or the headers"]
        .assert_eq(&error);
}

#[test]
fn the_timestamp_is_kept_unless_asked() {
    let bytes = craft_64().bytes();
    let stamp = |bytes: &[u8]| PeImage::parse("x", bytes).expect("parses").headers().timestamp;
    assert_eq!(stamp(&check_moved(&bytes, NEW_64).0), 0x5eed_0001);
    let options = Options { timestamp: Some(77), ..Options::default() };
    assert_eq!(stamp(&rebase(&bytes, NEW_64, &options).expect("moves").0), 77);
}

#[test]
fn flags_are_changed_on_files_that_stay_too() {
    let flags = |bytes: &[u8]| PeImage::parse("x", bytes).expect("parses").headers().dll_characteristics;
    for base in [0x1_8000_0000, NEW_64] {
        let options = Options { dynamic_base: Some(false), ..Options::default() };
        let (new, rebased) = rebase(&craft_64().bytes(), base, &options).expect("changes");
        assert!(rebased.changed);
        assert_eq!(flags(&new), DllCharacteristics::NX_COMPAT);
        let options = Options { high_entropy: Some(true), ..Options::default() };
        let (new, _) = rebase(&craft_64().bytes(), base, &options).expect("changes");
        assert!(flags(&new).contains(DllCharacteristics::HIGH_ENTROPY_VA));
    }
    let (same, rebased) = rebase(&craft_64().bytes(), 0x1_8000_0000, &Options::default()).expect("stays");
    assert!(!rebased.changed && same == craft_64().bytes());
}

/// A signed DLL: a certificate table of one entry at the end.
fn signed() -> Craft {
    let mut craft = craft_64();
    let offset = craft.bytes().len() as u32;
    let mut table = vec![0x77; 0x128];
    table[..8].copy_from_slice(&[0x28, 1, 0, 0, 0, 2, 2, 0]);
    craft.overlay = table;
    craft.directories.push((4, offset, 0x128));
    craft
}

#[test]
fn signed_files_are_refused_stripped_or_kept() {
    let bytes = signed().bytes();
    check_refused(
        &bytes,
        NEW_64,
        &Options::default(),
        expect![
            "x.dll: is signed (Authenticode, 296 bytes at offset 0x2600); --strip-signature removes the signature, --keep-signature leaves it, invalid"
        ],
    );
    let with = |signature| Options { signature, ..Options::default() };
    let (mut new, rebased) = rebase(&bytes, NEW_64, &with(SignaturePolicy::Strip)).expect("strips");
    assert_eq!(new.len(), bytes.len() - 0x128);
    assert!(
        PeImage::parse("x", &new).expect("parses").headers().directory(DirectoryKind::Certificate).is_none()
    );
    expect!["its Authenticode signature of 296 bytes was removed"]
        .assert_eq(&rebased.warnings[0].to_string());
    // As if it had never been signed.
    let unsigned = rebase(&craft_64().bytes(), NEW_64, &Options::default()).expect("moves").0;
    assert!(new == unsigned);
    undo_image("x.dll", &mut new, &rebased.undo).expect("goes back");
    assert!(new == bytes);

    let (new, rebased) = rebase(&bytes, NEW_64, &with(SignaturePolicy::Keep)).expect("keeps");
    assert_eq!(new[0x2600..], bytes[0x2600..]);
    expect!["its Authenticode signature is invalid now"].assert_eq(&rebased.warnings[0].to_string());
    // A file that does not change keeps its signature, and it stays valid.
    assert!(rebase(&bytes, 0x1_8000_0000, &Options::default()).expect("stays").0 == bytes);
}

#[test]
fn a_signature_in_the_middle_is_blanked_and_one_in_the_image_refused() {
    let strip = Options { signature: SignaturePolicy::Strip, ..Options::default() };
    let mut craft = signed();
    craft.overlay.extend_from_slice(b"an installer's archive");
    let bytes = craft.bytes();
    let (mut new, rebased) = rebase(&bytes, NEW_64, &strip).expect("strips");
    assert_eq!(new.len(), bytes.len());
    assert!(new.ends_with(b"an installer's archive"));
    assert!(new[0x2600..0x2600 + 0x128].iter().all(|&byte| byte == 0));
    undo_image("x.dll", &mut new, &rebased.undo).expect("goes back");
    assert!(new == bytes);
    let mut craft = craft_64();
    craft.directories.push((4, 0x500, 0x100));
    check_refused(
        &craft.bytes(),
        NEW_64,
        &strip,
        expect!["x.dll: the certificate table at offset 0x500 overlaps a section or the headers"],
    );
}

#[test]
fn bound_imports_are_dropped() {
    let mut craft = craft_32();
    let rva = craft.end();
    let mut table = vec![0; 0x80];
    let words = [rva + 0x40, 0xffff_ffff, 0, rva + 0x60, rva + 0x50];
    for (index, word) in words.iter().enumerate() {
        table[index * 4..index * 4 + 4].copy_from_slice(&word.to_le_bytes());
    }
    for thunk in [0x40, 0x50] {
        table[thunk..thunk + 4].copy_from_slice(&0x8000_0001u32.to_le_bytes());
    }
    table[0x60..0x65].copy_from_slice(b"y.dll");
    craft.part(".idata", 0x80, &table);
    craft.directories.push((1, rva, 40));
    craft.directories.push((11, 0x300, 0x20));
    let bytes = craft.bytes();
    let check = |base: u64, options: &Options| {
        let (mut new, rebased) = rebase(&bytes, base, options).expect("changes");
        let image = PeImage::parse("x", &new).expect("parses");
        assert_eq!(image.imports().expect("is whole")[0].timestamp, 0);
        assert!(image.headers().directory(DirectoryKind::BoundImport).is_none());
        expect!["its bound imports were dropped: the loader looks the functions up"]
            .assert_eq(&rebased.warnings[0].to_string());
        undo_image("x.dll", &mut new, &rebased.undo).expect("goes back");
        assert!(new == bytes);
    };
    check(NEW_32, &Options::default());
    // Bindings of a file that stays are wrong as soon as others move.
    check(0x1000_0000, &Options { unbind: true, ..Options::default() });
}

#[test]
fn a_section_table_in_the_optional_header_is_left_alone() {
    // `SizeOfOptionalHeader` puts the section's entry where the directory of certificates is. Found by fuzzing.
    let mut craft = Craft::dll(true);
    craft.part(".data", 0x1000, &[1; 0x200]);
    let mut bytes = craft.bytes();
    let (table, optional) = (0x98 + 240, 0x98);
    let entry: Vec<u8> = bytes[table..table + 40].to_vec();
    bytes[table..table + 40].fill(0);
    bytes[optional + 200..optional + 240].copy_from_slice(&entry);
    bytes[0x94..0x96].copy_from_slice(&200u16.to_le_bytes());
    assert!(PeImage::parse("x.dll", &bytes).is_ok());
    let always = Options { checksum: ChecksumPolicy::Always, ..Options::default() };
    let error = rebase(&bytes, NEW_64, &always).expect_err("would be another image");
    expect!["x.dll: the section table lies in the optional header (SizeOfOptionalHeader is too small), so nothing can be changed"].assert_eq(&error);
}

#[test]
fn what_goes_with_the_signature_needs_no_change() {
    // The descriptor of a bound import lies in the certificates, which are cut off. Found by fuzzing.
    let mut craft = Craft::dll(false);
    craft.overlay = vec![0x11; 0x40];
    craft.directories.extend([(1, 0x400, 40), (4, 0x400, 0x40)]);
    let mut bytes = craft.bytes();
    // A small `SectionAlignment`: the whole file is mapped as it is, the certificates too.
    bytes[0xb8..0xbc].copy_from_slice(&0x200u32.to_le_bytes());
    let strip = Options { signature: SignaturePolicy::Strip, unbind: true, ..Options::default() };
    let (mut new, rebased) = rebase(&bytes, craft.base, &strip).expect("changes");
    assert_eq!(new.len(), 0x400);
    undo_image("x.dll", &mut new, &rebased.undo).expect("goes back");
    assert!(new == bytes);
}

#[test]
fn import_descriptors_in_the_headers_are_not_unbound() {
    // A descriptor at `SizeOfOptionalHeader`, whose timestamp would be `FileAlignment`. Found by fuzzing.
    let mut craft = Craft::dll(false);
    let file_alignment = craft.e_lfanew + 24 + 36;
    craft.directories.push((1, file_alignment - 4, 40));
    let mut bytes = craft.bytes();
    // The fields that a descriptor needs are `MajorSubsystemVersion` and `SizeOfImage` here.
    let at = file_alignment as usize + 8;
    bytes[at..at + 4].fill(1);
    let unbind = Options { unbind: true, ..Options::default() };
    let error = rebase(&bytes, craft.base, &unbind).expect_err("the header would break");
    expect!["x.dll: the word to relocate at rva 0x0 (offset 0xbc) lies in the headers, and is a bound import's timestamp"].assert_eq(&error);
}

#[test]
fn a_library_without_relocations_that_needs_none_moves() {
    let mut craft = Craft::dll(true);
    craft.part(".rsrc", 0x1000, &[7; 0x100]);
    check_moved(&craft.bytes(), NEW_64);
}

#[test]
fn broken_blocks_are_refused() {
    let mut craft = craft_64();
    craft.parts[1].raw = relocation_blocks(&[(0x1000, &[DIR64])]);
    craft.parts[1].raw[4] = 7;
    check_refused(
        &craft.bytes(),
        NEW_64,
        &Options::default(),
        expect![
            "x.dll: offset 0x2404 (rva 0x3004), field BaseRelocation BlockSize: is 0x7, expected from 8 to 0x10, what is left of the directory"
        ],
    );
    let mut craft = craft_64();
    craft.parts[1].raw[0..4].copy_from_slice(&0x7000_0000u32.to_le_bytes());
    check_refused(
        &craft.bytes(),
        NEW_64,
        &Options::default(),
        expect![
            "x.dll: offset 0x2408 (rva 0x3008), field BaseRelocation entry: points at rva 0x70000000, outside the image of 0x4000 bytes or in a hole of it"
        ],
    );
}
