//! Broken and odd files: an error that leaves the bytes alone, or an image that loads as the old one did.

use plat_image::PeImage;
use plat_image::pe::{Machine, RelocationKind};
use plat_image::{ExportValue, ImageBuilder};
use plat_rebase::apply::{ApplyOptions, Disk, Durability, Outcome, ScanOptions, apply, scan, undo};
use plat_rebase::{
    ChecksumPolicy, ContentHash, FLAGS, FlagChange, Member, Move, Options, Plan, PlanReport, Reason,
    SignaturePolicy, change_flags, examine, rebase_image, undo_image,
};
use plat_regions::Address;
use plat_testkit::craft::load;
use proptest::prelude::*;

/// Makes an image with every directory that the builder knows.
fn valid(machine: Machine) -> Vec<u8> {
    let base = if machine == Machine::Amd64 { 0x1_8000_0000 } else { 0x1000_0000 };
    let mut builder = ImageBuilder::new("valid.dll", machine, base);
    let code = builder.text(&[0xc3; 40]);
    let data = builder.data(&[0x11; 64]);
    builder.export("beta", None, ExportValue::At(code)).export("alpha", Some(7), ExportValue::At(data));
    let kind = if machine == Machine::Amd64 { RelocationKind::Dir64 } else { RelocationKind::HighLow };
    builder.relocation(data, kind).version([10, 0, 19041, 1]).entry_point(code);
    if machine == Machine::Amd64 {
        builder.runtime_function(0, 40, &[1, 0, 0, 0]);
    }
    builder.build().expect("a valid image").bytes
}

/// Does everything to a file that can be done; what must hold, holds.
fn check(bytes: &[u8], base: u64, options: &Options) {
    let _ = Member::read("x", bytes, ContentHash::UNKNOWN);
    examine("x", bytes);
    let flags = FLAGS.iter().map(|flag| (flag, true)).collect();
    let change = FlagChange { flags, keep_signature: true, ..FlagChange::default() };
    let mut changed = bytes.to_vec();
    if change_flags("x", &mut changed, &change).is_err() {
        assert!(changed == bytes, "an error leaves the bytes alone");
    }
    let mut new = bytes.to_vec();
    let rebased = match rebase_image("x", &mut new, Address::new(base), options) {
        Err(_) => return assert!(new == bytes, "an error leaves the bytes alone"),
        Ok(rebased) => rebased,
    };
    assert_eq!(rebased.changed, new != bytes, "what is said to change does");
    let image = PeImage::parse("x", &new).expect("an image still");
    assert_eq!(image.headers().image_base, base);
    let headers = image.headers();
    let is_plain =
        !headers.is_low_alignment() && headers.size_of_image < 1 << 24 && rebased.undo.tail.is_empty();
    let shows_headers = image
        .segments()
        .iter()
        .skip(1)
        .any(|it| it.file_bytes() > 0 && it.file.start.get() < headers.headers_end().get());
    if is_plain && !shows_headers && rebased.warnings.is_empty() {
        let start = (headers.size_of_headers as usize).next_multiple_of(0x1000);
        let (old, new) = (load(bytes, base), load(&new, base));
        assert!(
            old.as_ref().map(|it| &it[start.min(it.len())..])
                == new.as_ref().map(|it| &it[start.min(it.len())..])
        );
    }
    undo_image("x", &mut new, &rebased.undo).expect("goes back");
    assert!(new == bytes, "undone");
}

fn all_options() -> Options {
    Options {
        signature: SignaturePolicy::Strip,
        checksum: ChecksumPolicy::Always,
        clr: true,
        dynamic_base: Some(false),
        high_entropy: Some(true),
        timestamp: Some(1),
        unbind: true,
    }
}

#[test]
fn systematically_broken_files() {
    for machine in [Machine::I386, Machine::Amd64] {
        for file in plat_testkit::pe::hostile(&valid(machine)) {
            let checked = std::panic::catch_unwind(|| {
                check(&file.bytes, 0x2222_0000, &Options::default());
                check(&file.bytes, 0x2222_0000, &all_options());
            });
            assert!(checked.is_ok(), "{}", file.what);
        }
    }
}

#[test]
fn broken_files_in_a_fleet() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let files = plat_testkit::pe::hostile(&valid(Machine::Amd64));
    for (index, file) in files.iter().enumerate().step_by(7) {
        std::fs::write(folder.path().join(format!("{index:05}.dll")), &file.bytes).expect("writes");
    }
    let found = scan(&[folder.path().to_owned()], &ScanOptions::default());
    let moves = found.members.into_iter().map(|it| Move {
        to: Address::new(0x3_0000_0000),
        path: it.path,
        links: it.links,
        hash: it.hash,
        machine: it.machine,
        from: it.base,
        size: it.size,
        slot: it.size,
        reason: Reason::New,
        uses: 0,
    });
    let plan = Plan {
        layout: String::new(),
        moves: moves.collect(),
        obstacles: Vec::new(),
        shared: Vec::new(),
        report: PlanReport::default(),
    };
    let journal = folder.path().join("journal");
    let options = ApplyOptions { journal, durability: Durability::Off, ..ApplyOptions::default() };
    let report = apply(&Disk, &plan, &options).expect("applies");
    let moved = report.count(|it| *it == Outcome::Moved);
    assert!(moved > 50 && moved < plan.moves.len(), "{moved} of {}", plan.moves.len());
    assert!(undo(&Disk, &options).expect("undoes").is_complete());
    for (index, file) in files.iter().enumerate().step_by(7) {
        let bytes = std::fs::read(folder.path().join(format!("{index:05}.dll"))).expect("reads");
        assert!(bytes == file.bytes, "{}", file.what);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_mutations(
        is_64: bool,
        edits in prop::collection::vec((0usize..0x6000, any::<u32>(), 1usize..=4), 1..12),
        headers_only: bool,
        everything: bool,
        base in (1u64..0x7fff_ffff).prop_map(|units| units << 16),
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
        let base = if is_64 { base } else { base & 0xffff_0000 };
        check(&bytes, base, &if everything { all_options() } else { Options::default() });
    }
}
