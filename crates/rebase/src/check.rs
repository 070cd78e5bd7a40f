//! What is wrong with a fleet: [`check`], from what [`examine`] saw of each file.

use plat_image::PeImage;
use plat_image::pe::{DllCharacteristics, Field, checksum};
use plat_regions::AddressRange;

use crate::planner::file_name;
use crate::relocate::{check_words, find_signature, signature_fault};
use crate::{Machine, Member, Movable};

/// The kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// Two libraries want the same addresses.
    Overlap,
    /// A library wants addresses that are kept for something else.
    Reserved,
    /// A library without relocations: it must lie at its base.
    NoRelocations,
    /// Relocations that are wrong.
    BadRelocations,
    /// A checksum that is not the file's.
    WrongChecksum,
    /// A certificate table that cannot be right.
    BrokenSignature,
    /// `DYNAMIC_BASE` against the policy, or flags that contradict each other.
    DynamicBase,
    /// A file that should be an image and cannot be read as one.
    Unreadable,
}

impl FindingKind {
    /// All kinds, with their names on the command line and in JSON.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Overlap, "overlap"),
        (Self::Reserved, "reserved"),
        (Self::NoRelocations, "no-relocations"),
        (Self::BadRelocations, "bad-relocations"),
        (Self::WrongChecksum, "wrong-checksum"),
        (Self::BrokenSignature, "broken-signature"),
        (Self::DynamicBase, "dynamic-base"),
        (Self::Unreadable, "unreadable"),
    ];

    /// Returns the name.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Finds a kind by its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, it)| *it == name).map(|(kind, _)| *kind)
    }
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind.
    pub kind: FindingKind,
    /// The file.
    pub path: String,
    /// What exactly.
    pub what: String,
    /// The other files of an overlap, all of them.
    pub others: Vec<String>,
}

/// A range of addresses where no library may lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservedRange {
    /// The range.
    pub range: AddressRange,
    /// What it is kept for.
    pub what: String,
    /// The libraries that it is kept for, by file name in lower case.
    pub owners: Vec<String>,
}

/// What is looked for.
#[derive(Debug, Clone, Default)]
pub struct CheckOptions {
    /// Ranges where no library may lie; the machine's bitness, 32 or 64, that they are for, is `bits`.
    pub reserved: Vec<ReservedRange>,
    /// The bitness of the reserved ranges; images of another are not held against them. Zero is any.
    pub bits: u32,
    /// What `DYNAMIC_BASE` must be; `None` allows both.
    pub dynamic_base: Option<bool>,
    /// Kinds that are not looked for.
    pub allow: Vec<FindingKind>,
}

/// What was seen of one file while its bytes were at hand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exam {
    /// The checksum in the header and the right one, when they differ; zero in the header counts as right.
    pub wrong_checksum: Option<(u32, u32)>,
    /// What is wrong with the certificate table.
    pub signature_fault: Option<String>,
    /// What is wrong with the relocations.
    pub relocation_fault: Option<String>,
    /// `HIGH_ENTROPY_VA` is set without `DYNAMIC_BASE`.
    pub entropy_without_base: bool,
    /// `DYNAMIC_BASE` is set on an image without relocations.
    pub base_without_relocations: bool,
}

/// Looks at the bytes of an image; bytes that are none are seen without fault.
pub fn examine(path: &str, bytes: &[u8]) -> Exam {
    let Ok(image) = PeImage::parse(path, bytes) else { return Exam::default() };
    let headers = image.headers();
    let right = checksum(bytes, headers.field(Field::CheckSum).0);
    let flags = headers.dll_characteristics;
    let without_path =
        |text: String| text.strip_prefix(&format!("{path}: ")).map_or(text.clone(), str::to_owned);
    Exam {
        wrong_checksum: (headers.checksum != 0 && headers.checksum != right)
            .then_some((headers.checksum, right)),
        signature_fault: find_signature(&image).and_then(|table| signature_fault(&image, &table)),
        relocation_fault: check_words(&image).err().map(|error| without_path(error.to_string())),
        entropy_without_base: flags.contains(DllCharacteristics::HIGH_ENTROPY_VA)
            && !flags.contains(DllCharacteristics::DYNAMIC_BASE),
        base_without_relocations: flags.contains(DllCharacteristics::DYNAMIC_BASE) && !image.is_relocatable(),
    }
}

/// Returns what is wrong with a fleet, by path and kind. Programs are not held against other files' addresses: only one
/// of them is in an address space.
pub fn check(fleet: &[(Member, Exam)], options: &CheckOptions) -> Vec<Finding> {
    let mut findings = overlaps(fleet);
    for (member, exam) in fleet {
        let mut found = |kind, what: String| {
            findings.push(Finding { kind, path: member.path.clone(), what, others: Vec::new() });
        };
        if !member.program {
            reserved(member, options, &mut found);
            if member.movable == Movable::Stripped {
                found(
                    FindingKind::NoRelocations,
                    format!("has no relocations: it must lie at {}", member.base),
                );
            }
            flags(member, exam, options, &mut found);
        }
        if let Some(fault) = &exam.relocation_fault {
            found(FindingKind::BadRelocations, fault.clone());
        }
        if let Some((is, right)) = exam.wrong_checksum {
            found(FindingKind::WrongChecksum, format!("checksum {is:#010x}, the file's is {right:#010x}"));
        }
        if let Some(fault) = &exam.signature_fault {
            found(FindingKind::BrokenSignature, format!("the certificate table {fault}"));
        }
    }
    findings.retain(|finding| !options.allow.contains(&finding.kind));
    findings.sort_by(|a, b| a.path.cmp(&b.path).then(a.kind.cmp(&b.kind)).then(a.what.cmp(&b.what)));
    findings
}

fn reserved(member: &Member, options: &CheckOptions, found: &mut impl FnMut(FindingKind, String)) {
    let bits = if member.machine == Machine::I386 { 32 } else { 64 };
    if options.bits != 0 && options.bits != bits {
        return;
    }
    let Some(range) = member.range() else {
        return found(
            FindingKind::Reserved,
            format!("at {} it passes the end of the address space", member.base),
        );
    };
    let name = file_name(&member.path);
    let others = options.reserved.iter().filter(|it| it.range.overlaps(range) && !it.owners.contains(&name));
    for reserved in others {
        found(FindingKind::Reserved, format!("{range} lies in {} ({})", reserved.range, reserved.what));
    }
}

fn flags(member: &Member, exam: &Exam, options: &CheckOptions, found: &mut impl FnMut(FindingKind, String)) {
    if exam.base_without_relocations {
        found(FindingKind::DynamicBase, "DYNAMIC_BASE is set, but there are no relocations".into());
    }
    if exam.entropy_without_base {
        found(FindingKind::DynamicBase, "HIGH_ENTROPY_VA is set without DYNAMIC_BASE".into());
    }
    match options.dynamic_base {
        Some(true) if !member.dynamic_base => {
            found(FindingKind::DynamicBase, "DYNAMIC_BASE is not set".into())
        }
        Some(false) if member.dynamic_base => {
            found(FindingKind::DynamicBase, "DYNAMIC_BASE is set: Windows may place it elsewhere".into());
        }
        _ => {}
    }
}

/// Finds libraries of one machine that overlap: one finding for each, with all the others.
fn overlaps(fleet: &[(Member, Exam)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for machine in [Machine::I386, Machine::Amd64, Machine::Arm64] {
        let mut libraries: Vec<(&Member, AddressRange)> = fleet
            .iter()
            .filter(|(member, _)| !member.program && member.machine == machine)
            .filter_map(|(member, _)| Some((member, member.range()?)))
            .filter(|(_, range)| !range.is_empty())
            .collect();
        libraries.sort_by_key(|(member, range)| (range.start, member.path.clone()));
        let mut others: Vec<Vec<usize>> = vec![Vec::new(); libraries.len()];
        for first in 0..libraries.len() {
            for second in first + 1..libraries.len() {
                if !libraries[first].1.overlaps(libraries[second].1) {
                    break;
                }
                others[first].push(second);
                others[second].push(first);
            }
        }
        for ((member, range), others) in libraries.iter().zip(others).filter(|(_, others)| !others.is_empty())
        {
            let names: Vec<String> = others.iter().map(|&index| libraries[index].0.path.clone()).collect();
            findings.push(Finding {
                kind: FindingKind::Overlap,
                path: member.path.clone(),
                what: format!("{range} overlaps {}", some_of(&names)),
                others: names,
            });
        }
    }
    findings
}

/// Names the first three, and counts the rest.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ContentHash;
    use expect_test::{Expect, expect};
    use plat_regions::Address;
    use plat_testkit::craft::Craft;

    fn text(findings: &[Finding]) -> String {
        findings.iter().map(|it| format!("{}: {}: {}\n", it.path, it.kind.name(), it.what)).collect()
    }

    fn seen(path: &str, craft: &Craft) -> (Member, Exam) {
        let bytes = craft.bytes();
        let member = Member::read(path, &bytes, ContentHash([0; 32])).expect("an image");
        (member, examine(path, &bytes))
    }

    fn dll(base: u64) -> Craft {
        let mut craft = Craft::dll(true);
        craft.base = base;
        craft.part(".data", 0x2_0000, &[0; 0x200]);
        craft.relocations(".reloc", &[(0x1000, &[10 << 12])]);
        craft
    }

    fn check_text(fleet: &[(Member, Exam)], options: &CheckOptions, expected: Expect) {
        expected.assert_eq(&text(&check(fleet, options)));
    }

    #[test]
    fn overlaps_are_found_within_one_machine_and_among_libraries() {
        let mut program = dll(0x4_0000_0000);
        program.characteristics &= !0x2000;
        let mut arm = dll(0x4_0000_0000);
        arm.machine = 0xaa64;
        let fleet = [
            seen("a.dll", &dll(0x4_0000_0000)),
            seen("b.dll", &dll(0x4_0002_0000)),
            seen("c.dll", &dll(0x4_0003_0000)),
            seen("d.dll", &dll(0x4_0006_0000)),
            seen("prog.exe", &program),
            seen("arm.dll", &arm),
        ];
        check_text(
            &fleet,
            &CheckOptions::default(),
            expect![[r#"
                a.dll: overlap: 0x00000004_00000000..0x00000004_00022000 overlaps b.dll
                b.dll: overlap: 0x00000004_00020000..0x00000004_00042000 overlaps a.dll, c.dll
                c.dll: overlap: 0x00000004_00030000..0x00000004_00052000 overlaps b.dll
            "#]],
        );
    }

    #[test]
    fn reserved_ranges_are_held_free_for_their_bitness() {
        let range = AddressRange::sized(Address::new(0x8_0000_0000), 0x1_0000).expect("a range");
        let owners = vec!["owner.dll".to_string()];
        let reserved = vec![ReservedRange { range, what: "Cygwin's heap".into(), owners }];
        let options = CheckOptions { reserved, bits: 64, ..CheckOptions::default() };
        let alone = [seen("bin/Owner.dll", &dll(0x8_0000_0000))];
        check_text(&alone, &options, expect![""]);
        let fleet = [seen("a.dll", &dll(0x7_ffff_0000)), seen("b.dll", &dll(0x8_0001_0000))];
        check_text(
            &fleet,
            &options,
            expect![[r#"
                a.dll: overlap: 0x00000007_ffff0000..0x00000008_00012000 overlaps b.dll
                a.dll: reserved: 0x00000007_ffff0000..0x00000008_00012000 lies in 0x00000008_00000000..0x00000008_00010000 (Cygwin's heap)
                b.dll: overlap: 0x00000008_00010000..0x00000008_00032000 overlaps a.dll
            "#]],
        );
        let options = CheckOptions { bits: 32, allow: vec![FindingKind::Overlap], ..options };
        check_text(&fleet, &options, expect![""]);
    }

    #[test]
    fn faults_of_single_files_are_found() {
        let mut stripped = dll(0x1_0000_0000);
        stripped.characteristics |= 1;
        let mut signed = dll(0x2_0000_0000);
        signed.directories.push((4, 0x9_0000, 0x40));
        signed.checksum = 7;
        let mut bad = dll(0x3_0000_0000);
        bad.parts[1].raw[9] = 0x50;
        bad.dll_characteristics = 0x20;
        let fleet = [seen("stripped", &stripped), seen("signed", &signed), seen("bad", &bad)];
        check_text(
            &fleet,
            &CheckOptions { dynamic_base: Some(true), ..CheckOptions::default() },
            expect![[r#"
                bad: bad-relocations: offset 0x608 (rva 0x21008), field BaseRelocation Type: is 0x5, expected a type met on x86: ABSOLUTE, HIGH, LOW, HIGHLOW, HIGHADJ with its parameter, DIR64
                bad: dynamic-base: DYNAMIC_BASE is not set
                bad: dynamic-base: HIGH_ENTROPY_VA is set without DYNAMIC_BASE
                signed: wrong-checksum: checksum 0x00000007, the file's is 0x000071db
                signed: broken-signature: the certificate table ends at 0x90040, behind the file
                stripped: no-relocations: has no relocations: it must lie at 0x00000001_00000000
                stripped: dynamic-base: DYNAMIC_BASE is set, but there are no relocations
            "#]],
        );
    }

    #[test]
    fn kinds_have_the_names_of_their_places() {
        for (kind, name) in FindingKind::ALL {
            assert_eq!((kind.name(), FindingKind::named(name)), (name, Some(kind)));
        }
    }
}
