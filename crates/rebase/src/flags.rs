//! Flags and sizes in the headers, read and written: [`Flag`], [`Size`], [`FlagChange`], [`change_flags`].

use plat_image::pe::{Characteristics, DirectoryKind, DllCharacteristics, Field, Headers, checksum};
use plat_image::{FileOffset, PeImage};

use crate::relocate::find_signature;
use crate::{Edit, RebaseError};

/// Which word a flag is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// `Characteristics` of the file header.
    File,
    /// `DllCharacteristics` of the optional header.
    Dll,
}

/// A flag that can be set and cleared.
#[derive(Debug, PartialEq, Eq)]
pub struct Flag {
    /// Its long name, as `peflags` has it.
    pub name: &'static str,
    /// Its letter in `peflags`.
    pub letter: char,
    /// The word that it is in.
    pub word: Word,
    /// Its bit.
    pub bit: u16,
    /// What it means.
    pub help: &'static str,
}

const fn dll(name: &'static str, letter: char, bit: DllCharacteristics, help: &'static str) -> Flag {
    Flag { name, letter, word: Word::Dll, bit: bit.bits(), help }
}

/// All flags, in `peflags`' order.
///
/// Source: PE Format, "DLL Characteristics" and "Characteristics".
pub const FLAGS: &[Flag] = &[
    dll("dynamicbase", 'd', DllCharacteristics::DYNAMIC_BASE, "the loader may place it at random"),
    dll("high-entropy-va", 'e', DllCharacteristics::HIGH_ENTROPY_VA, "64-bit random places suit it"),
    dll("forceinteg", 'f', DllCharacteristics::FORCE_INTEGRITY, "its signature must be valid"),
    dll("nxcompat", 'n', DllCharacteristics::NX_COMPAT, "data need not be executable"),
    dll("no-isolation", 'i', DllCharacteristics::NO_ISOLATION, "manifests do not isolate it"),
    dll("no-seh", 's', DllCharacteristics::NO_SEH, "it has no structured exception handlers"),
    dll("no-bind", 'b', DllCharacteristics::NO_BIND, "it must not be bound"),
    dll("app-container", 'a', DllCharacteristics::APPCONTAINER, "it runs in an app container only"),
    dll("wdmdriver", 'W', DllCharacteristics::WDM_DRIVER, "a WDM driver"),
    dll("control-flow-guard", 'c', DllCharacteristics::GUARD_CF, "it has control flow guard's tables"),
    dll("tsaware", 't', DllCharacteristics::TERMINAL_SERVER_AWARE, "it is aware of terminal servers"),
    Flag { name: "wstrim", letter: 'w', word: Word::File, bit: 0x10, help: "trim its working set" },
    Flag {
        name: "bigaddr",
        letter: 'l',
        word: Word::File,
        bit: Characteristics::LARGE_ADDRESS_AWARE.bits(),
        help: "it can use addresses above 2 GiB",
    },
    Flag {
        name: "sepdbg",
        letter: 'S',
        word: Word::File,
        bit: Characteristics::DEBUG_STRIPPED.bits(),
        help: "its debugging information is in another file",
    },
];

/// A number that can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Address space for the first thread's stack, in bytes.
    StackReserve,
    /// Memory for it at the start, in bytes.
    StackCommit,
    /// Address space for the default heap, in bytes.
    HeapReserve,
    /// Memory for it at the start, in bytes.
    HeapCommit,
    /// The heap of a Cygwin program, in MiB, kept in `LoaderFlags`; zero is Cygwin's default.
    CygwinHeap,
}

impl Size {
    /// All sizes with their names and letters in `peflags`.
    pub const ALL: [(Self, &'static str, char); 5] = [
        (Self::StackReserve, "stack-reserve", 'x'),
        (Self::StackCommit, "stack-commit", 'X'),
        (Self::HeapReserve, "heap-reserve", 'y'),
        (Self::HeapCommit, "heap-commit", 'Y'),
        (Self::CygwinHeap, "cygwin-heap", 'z'),
    ];

    fn field(self) -> Field {
        match self {
            Self::StackReserve => Field::StackReserve,
            Self::StackCommit => Field::StackCommit,
            Self::HeapReserve => Field::HeapReserve,
            Self::HeapCommit => Field::HeapCommit,
            Self::CygwinHeap => Field::LoaderFlags,
        }
    }
}

/// The flags and sizes of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlagValues {
    /// `Characteristics`.
    pub file: u16,
    /// `DllCharacteristics`.
    pub dll: u16,
    sizes: [u64; 5],
}

impl FlagValues {
    /// Returns the word that holds a flag.
    pub fn word(&self, word: Word) -> u16 {
        match word {
            Word::File => self.file,
            Word::Dll => self.dll,
        }
    }

    /// Says whether a flag is set.
    pub fn is_set(&self, flag: &Flag) -> bool {
        self.word(flag.word) & flag.bit != 0
    }

    /// Returns a size in its unit.
    pub fn size(&self, size: Size) -> u64 {
        self.sizes[size as usize]
    }

    fn of(headers: &Headers) -> Self {
        Self {
            file: headers.characteristics.bits(),
            dll: headers.dll_characteristics.bits(),
            sizes: [
                headers.stack_reserve,
                headers.stack_commit,
                headers.heap_reserve,
                headers.heap_commit,
                headers.loader_flags.into(),
            ],
        }
    }
}

/// What to change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlagChange {
    /// Flags and their new values.
    pub flags: Vec<(&'static Flag, bool)>,
    /// Sizes and their new values.
    pub sizes: Vec<(Size, u64)>,
    /// Change signed images too; the signature is invalid afterwards.
    pub keep_signature: bool,
}

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagsChanged {
    /// The values before.
    pub before: FlagValues,
    /// The values now.
    pub after: FlagValues,
    /// The changed bytes as they were; empty when nothing changed.
    pub undo: Vec<Edit>,
    /// What a user should know.
    pub warnings: Vec<String>,
}

/// Finds a flag by its name.
pub fn flag_named(name: &str) -> Option<&'static Flag> {
    FLAGS.iter().find(|flag| flag.name == name)
}

/// Reads the flags and sizes of an image; the first bytes of the file up to the end of its headers are enough.
///
/// # Errors
/// [`RebaseError::Image`] when it is none.
pub fn read_flags(name: &str, file: &[u8]) -> Result<FlagValues, RebaseError> {
    Ok(FlagValues::of(PeImage::parse(name, file)?.headers()))
}

/// Changes flags and sizes; the checksum is renewed where there was one.
///
/// # Errors
/// [`RebaseError`] when the file is no image, is signed, or a size does not fit; `bytes` are as they were then.
pub fn change_flags(name: &str, bytes: &mut [u8], change: &FlagChange) -> Result<FlagsChanged, RebaseError> {
    let image = PeImage::parse(name, bytes)?;
    let headers = image.headers().clone();
    let before = FlagValues::of(&headers);
    let after = changed(name, &headers, before, change)?;
    let mut warnings = warnings(&image, after);
    let mut writes: Vec<((FileOffset, usize), u64)> = Vec::new();
    if before.dll != after.dll {
        writes.push((headers.field(Field::DllCharacteristics), after.dll.into()));
    }
    if before.file != after.file {
        writes.push((headers.field(Field::Characteristics), after.file.into()));
    }
    for (size, ..) in Size::ALL {
        if before.size(size) != after.size(size) {
            writes.push((headers.field(size.field()), after.size(size)));
        }
    }
    if let Some(table) = find_signature(&image).filter(|_| !writes.is_empty()) {
        if !change.keep_signature {
            let (offset, bytes) = (table.claimed.start, table.claimed.end - table.claimed.start);
            return Err(RebaseError::Signed { file: name.into(), offset, bytes });
        }
        warnings.push("its Authenticode signature is invalid now".into());
    }
    let mut undo = Vec::new();
    let mut write = |bytes: &mut [u8], (offset, size): (FileOffset, usize), value: u64| {
        let start = offset.get() as usize;
        // Headers of tiny files may lie behind their end, where they read as zero.
        let Some(field) = bytes.get_mut(start..start + size) else { return false };
        undo.push(Edit { offset: offset.get(), old: field.to_vec() });
        field.copy_from_slice(&value.to_le_bytes()[..size]);
        true
    };
    let end = bytes.len() as u64;
    if let Some(((offset, _), _)) = writes.iter().find(|((at, size), _)| at.get() + *size as u64 > end) {
        let what = format!("the field at offset {:#x} lies behind the file's end", offset.get());
        return Err(RebaseError::Flag { file: name.into(), what });
    }
    for (field, value) in &writes {
        write(bytes, *field, *value);
    }
    if !writes.is_empty() && headers.checksum != 0 {
        let field = headers.field(Field::CheckSum);
        let sum = checksum(bytes, field.0);
        write(bytes, field, sum.into());
    }
    Ok(FlagsChanged { before, after, undo, warnings })
}

fn changed(
    name: &str,
    headers: &Headers,
    before: FlagValues,
    change: &FlagChange,
) -> Result<FlagValues, RebaseError> {
    let mut after = before;
    for (flag, value) in &change.flags {
        let word = match flag.word {
            Word::File => &mut after.file,
            Word::Dll => &mut after.dll,
        };
        *word = if *value { *word | flag.bit } else { *word & !flag.bit };
    }
    for &(size, value) in &change.sizes {
        let bits = if headers.is_64 && size != Size::CygwinHeap { 64 } else { 32 };
        if bits == 32 && value > u64::from(u32::MAX) {
            let (_, label, _) = Size::ALL[size as usize];
            let what = format!("{label} of {value:#x} does not fit the image's 32-bit field");
            return Err(RebaseError::Flag { file: name.into(), what });
        }
        after.sizes[size as usize] = value;
    }
    Ok(after)
}

/// Returns what is odd about the values, whether they were changed or not.
fn warnings(image: &PeImage, values: FlagValues) -> Vec<String> {
    let mut warnings = Vec::new();
    let headers = image.headers();
    let dll = DllCharacteristics::from_bits_retain(values.dll);
    let has_relocations = headers.directory(DirectoryKind::BaseRelocation).is_some();
    if dll.contains(DllCharacteristics::DYNAMIC_BASE) && !has_relocations {
        warnings.push("dynamicbase is set, but it has no relocations".into());
    }
    if dll.contains(DllCharacteristics::TERMINAL_SERVER_AWARE) && headers.is_dll() {
        warnings.push("tsaware is set, which has no meaning for a DLL".into());
    }
    for (commit, reserve) in [(Size::StackCommit, Size::StackReserve), (Size::HeapCommit, Size::HeapReserve)]
    {
        if values.size(commit) > values.size(reserve) {
            let (_, label, _) = Size::ALL[commit as usize];
            warnings.push(format!("{label} is larger than what is reserved"));
        }
    }
    let heap = values.size(Size::CygwinHeap);
    // Source: Cygwin, winsup/cygwin/mm/heap.cc: other values are moved to the nearer end.
    if heap != 0 && !(4..=8_388_608).contains(&heap) {
        warnings
            .push(format!("cygwin-heap of {heap} MiB is outside 4 to 8388608, which Cygwin uses instead"));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use plat_testkit::craft::Craft;

    fn dll(is_64: bool) -> Vec<u8> {
        let mut craft = Craft::dll(is_64);
        craft.part(".data", 0x1000, &[0; 0x200]);
        craft.e_lfanew = 0xf8;
        craft.checksum = 1;
        craft.bytes()
    }

    fn change(flags: &[(&str, bool)], sizes: &[(Size, u64)]) -> FlagChange {
        let flags = flags.iter().map(|(name, value)| (flag_named(name).expect("is known"), *value)).collect();
        FlagChange { flags, sizes: sizes.to_vec(), keep_signature: false }
    }

    #[test]
    fn every_flag_and_size_is_written_alone_and_the_checksum_with_it() {
        for is_64 in [false, true] {
            for flag in FLAGS {
                for value in [true, false] {
                    let mut bytes = dll(is_64);
                    let before = read_flags("x", &bytes).expect("reads");
                    let done =
                        change_flags("x", &mut bytes, &change(&[(flag.name, value)], &[])).expect("writes");
                    let after = read_flags("x", &bytes).expect("reads");
                    assert_eq!((after, after.is_set(flag)), (done.after, value), "{}", flag.name);
                    let others = |values: FlagValues| values.word(flag.word) & !flag.bit;
                    assert_eq!(others(before), others(after));
                    let image = PeImage::parse("x", &bytes).expect("parses");
                    let sum = checksum(&bytes, image.headers().field(Field::CheckSum).0);
                    assert_eq!(image.headers().checksum, if before == after { 1 } else { sum });
                }
            }
            for (size, name, _) in Size::ALL {
                let mut bytes = dll(is_64);
                change_flags("x", &mut bytes, &change(&[], &[(size, 0x12_3456)])).expect("writes");
                let after = read_flags("x", &bytes).expect("reads");
                assert_eq!(Size::ALL.map(|(it, ..)| after.size(it)).iter().sum::<u64>(), 0x12_3456, "{name}");
                assert_eq!(after.size(size), 0x12_3456, "{name}");
            }
        }
    }

    #[test]
    fn a_size_too_large_concerns_one_file() {
        let large = change(&[], &[(Size::StackReserve, 1 << 32)]);
        let mut narrow = dll(false);
        let error = change_flags("x.dll", &mut narrow, &large).expect_err("does not fit");
        let expected = "x.dll: stack-reserve of 0x100000000 does not fit the image's 32-bit field";
        assert_eq!(error.to_string(), expected);
        assert!(narrow == dll(false));
        assert_eq!(
            change_flags("y", &mut dll(true), &large).expect("fits").after.size(Size::StackReserve),
            1 << 32
        );
    }

    #[test]
    fn what_is_odd_is_said() {
        let mut bytes = dll(true);
        let odd = change(&[("tsaware", true)], &[(Size::StackCommit, 99), (Size::CygwinHeap, 3)]);
        let done = change_flags("x", &mut bytes, &odd).expect("writes");
        let expected = [
            "dynamicbase is set, but it has no relocations",
            "tsaware is set, which has no meaning for a DLL",
            "stack-commit is larger than what is reserved",
            "cygwin-heap of 3 MiB is outside 4 to 8388608, which Cygwin uses instead",
        ];
        assert_eq!(done.warnings, expected);
    }
}
