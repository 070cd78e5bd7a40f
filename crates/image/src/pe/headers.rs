//! The fixed part of a PE: DOS header, file header, optional header: [`Headers`].

use std::borrow::Cow;

use super::{PAGE, wrong_kind};
use crate::{FileOffset, ImageError, Place, Rva};

/// The processor that an image is for.
///
/// Source: PE Format, "Machine Types".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Machine {
    /// 32-bit x86.
    I386,
    /// x86-64.
    Amd64,
    /// 64-bit ARM.
    Arm64,
    /// 32-bit ARM (Thumb-2).
    Arm,
    /// Another one, by its number.
    Other(u16),
}

impl Machine {
    /// Returns the machine with this number in the file header.
    pub const fn from_number(number: u16) -> Self {
        match number {
            0x14c => Self::I386,
            0x8664 => Self::Amd64,
            0xaa64 => Self::Arm64,
            0x1c4 => Self::Arm,
            other => Self::Other(other),
        }
    }

    /// Returns the number for the file header.
    pub const fn number(self) -> u16 {
        match self {
            Self::I386 => 0x14c,
            Self::Amd64 => 0x8664,
            Self::Arm64 => 0xaa64,
            Self::Arm => 0x1c4,
            Self::Other(number) => number,
        }
    }
}

bitflags::bitflags! {
    /// What the file header says about the image.
    ///
    /// Source: PE Format, "Characteristics".
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct Characteristics: u16 {
        /// There are no base relocations: the image runs at its preferred base or not at all.
        const RELOCS_STRIPPED = 0x0001;
        /// The image can be run.
        const EXECUTABLE_IMAGE = 0x0002;
        /// The program can use addresses above 2 GiB.
        const LARGE_ADDRESS_AWARE = 0x0020;
        /// The machine has 32-bit words.
        const MACHINE_32BIT = 0x0100;
        /// Debugging information is elsewhere.
        const DEBUG_STRIPPED = 0x0200;
        /// A system file.
        const SYSTEM = 0x1000;
        /// A library.
        const DLL = 0x2000;
        const _ = !0;
    }
}

bitflags::bitflags! {
    /// What the optional header says about the image.
    ///
    /// Source: PE Format, "DLL Characteristics".
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct DllCharacteristics: u16 {
        /// Address-space layout randomisation may use 64 bits.
        const HIGH_ENTROPY_VA = 0x0020;
        /// The image may be relocated at load time.
        const DYNAMIC_BASE = 0x0040;
        /// Code integrity checks are enforced.
        const FORCE_INTEGRITY = 0x0080;
        /// The image is compatible with data execution prevention.
        const NX_COMPAT = 0x0100;
        /// The image must not be isolated by manifests.
        const NO_ISOLATION = 0x0200;
        /// The image has no structured exception handlers.
        const NO_SEH = 0x0400;
        /// The image must not be bound.
        const NO_BIND = 0x0800;
        /// The image runs in an app container.
        const APPCONTAINER = 0x1000;
        /// A driver.
        const WDM_DRIVER = 0x2000;
        /// The image supports control flow guard.
        const GUARD_CF = 0x4000;
        /// The program is aware of terminal servers.
        const TERMINAL_SERVER_AWARE = 0x8000;
        const _ = !0;
    }
}

/// Which data directory.
///
/// Source: PE Format, "Optional Header Data Directories".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are those of the specification")]
pub enum DirectoryKind {
    Export = 0,
    Import = 1,
    Resource = 2,
    Exception = 3,
    Certificate = 4,
    BaseRelocation = 5,
    Debug = 6,
    Architecture = 7,
    GlobalPointer = 8,
    Tls = 9,
    LoadConfig = 10,
    BoundImport = 11,
    Iat = 12,
    DelayImport = 13,
    ClrRuntimeHeader = 14,
    Reserved = 15,
}

/// Where a data directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// Its start; for [`DirectoryKind::Certificate`] alone this is an offset in the file.
    pub rva: Rva,
    /// Its size in bytes, as the header claims.
    pub size: u32,
}

/// The fields of the DOS, file and optional headers that matter for loading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// Where the signature `PE\0\0` is: `e_lfanew`.
    pub signature_offset: FileOffset,
    /// The processor.
    pub machine: Machine,
    /// PE32+ rather than PE32.
    pub is_64: bool,
    /// The number of sections.
    pub section_count: u16,
    /// `TimeDateStamp`: seconds since 1970, or a hash of the contents in reproducible builds.
    pub timestamp: u32,
    /// Flags of the file header.
    pub characteristics: Characteristics,
    /// Where execution begins; zero when a library has no entry point.
    pub entry_point: Rva,
    /// The preferred address of the first byte.
    pub image_base: u64,
    /// Alignment of sections in memory, in bytes.
    pub section_alignment: u32,
    /// Alignment of sections in the file, in bytes.
    pub file_alignment: u32,
    /// The version of Windows that the image asks for: major, minor.
    pub os_version: (u16, u16),
    /// The version of the subsystem that the image asks for: major, minor.
    pub subsystem_version: (u16, u16),
    /// Size of the image in memory, in bytes.
    pub size_of_image: u32,
    /// Size of all headers in the file, in bytes.
    pub size_of_headers: u32,
    /// The checksum, which Windows verifies for drivers only.
    pub checksum: u32,
    /// 2 is a graphical program, 3 a console program.
    pub subsystem: u16,
    /// Flags of the optional header.
    pub dll_characteristics: DllCharacteristics,
    /// Address space to reserve for the first thread's stack, in bytes.
    pub stack_reserve: u64,
    /// Memory to commit for it at the start, in bytes.
    pub stack_commit: u64,
    /// Address space to reserve for the default heap, in bytes.
    pub heap_reserve: u64,
    /// Memory to commit for it at the start, in bytes.
    pub heap_commit: u64,
    /// Reserved; Cygwin reads the size of its heap here, in MiB.
    pub loader_flags: u32,
    pub(super) directories: [DirectoryEntry; 16],
    /// Where the section table is.
    pub(super) section_table: u64,
    /// Where the optional header is.
    pub(super) optional_header: u64,
    pub(super) mapped: bool,
}

/// The largest `SizeOfImage` that is accepted: an image near 2 GiB could never be placed in a 32-bit program.
///
/// Not documented; to be checked against Windows.
const SIZE_OF_IMAGE_MAX: u32 = 0x7700_0000;

impl Headers {
    /// Returns where a data directory is, or `None` when the image has none.
    pub fn directory(&self, kind: DirectoryKind) -> Option<DirectoryEntry> {
        let entry = self.directories[kind as usize];
        (!entry.rva.is_zero()).then_some(entry)
    }

    /// Says whether this is a library.
    pub fn is_dll(&self) -> bool {
        self.characteristics.contains(Characteristics::DLL)
    }

    /// Says whether sections are aligned to less than a page, so that the file is mapped flat.
    pub fn is_low_alignment(&self) -> bool {
        u64::from(self.section_alignment) < PAGE
    }

    /// Reads and checks the headers at the start of `bytes`.
    pub(super) fn read(name: &str, bytes: &[u8], mapped: bool) -> Result<Self, ImageError> {
        let mut fields = Fields { name, bytes, mapped, zero_past_end: false };
        let (signature, machine) = read_signature(&fields)?;
        let file_header = signature + 4;
        let optional = file_header + 20;
        let magic = fields.u16(optional, "Magic")?;
        let is_64 = check_magic(&fields, optional, magic, machine)?;
        let section_alignment = fields.u32(optional + 32, "SectionAlignment")?;
        // Windows reads headers from a page, where a file that ends early continues with zeroes. Only hand-made
        // tiny files, always of low alignment, live from that; elsewhere it is more helpful to report the end.
        fields.zero_past_end = !mapped && u64::from(section_alignment) < PAGE;

        let u16 = |offset: u64, field| fields.u16(optional + offset, field);
        let u32 = |offset: u64, field| fields.u32(optional + offset, field);
        let word = |at32: u64, at64: u64, field| {
            if is_64 {
                fields.u64(optional + at64, field)
            } else {
                Ok(u64::from(fields.u32(optional + at32, field)?))
            }
        };
        let headers = Self {
            signature_offset: FileOffset::new(signature),
            machine,
            is_64,
            section_count: fields.u16(file_header + 2, "NumberOfSections")?,
            timestamp: fields.u32(file_header + 4, "TimeDateStamp")?,
            characteristics: Characteristics::from_bits_retain(
                fields.u16(file_header + 18, "Characteristics")?,
            ),
            entry_point: Rva::new(u32(16, "AddressOfEntryPoint")?),
            image_base: word(28, 24, "ImageBase")?,
            section_alignment,
            file_alignment: u32(36, "FileAlignment")?,
            os_version: (u16(40, "MajorOperatingSystemVersion")?, u16(42, "MinorOperatingSystemVersion")?),
            subsystem_version: (u16(48, "MajorSubsystemVersion")?, u16(50, "MinorSubsystemVersion")?),
            size_of_image: u32(56, "SizeOfImage")?,
            size_of_headers: u32(60, "SizeOfHeaders")?,
            checksum: u32(64, "CheckSum")?,
            subsystem: u16(68, "Subsystem")?,
            dll_characteristics: DllCharacteristics::from_bits_retain(u16(70, "DllCharacteristics")?),
            stack_reserve: word(72, 72, "SizeOfStackReserve")?,
            stack_commit: word(76, 80, "SizeOfStackCommit")?,
            heap_reserve: word(80, 88, "SizeOfHeapReserve")?,
            heap_commit: word(84, 96, "SizeOfHeapCommit")?,
            loader_flags: if is_64 { u32(104, "LoaderFlags")? } else { u32(88, "LoaderFlags")? },
            directories: read_directories(&fields, optional + if is_64 { 108 } else { 92 })?,
            section_table: optional + u64::from(fields.u16(file_header + 16, "SizeOfOptionalHeader")?),
            optional_header: optional,
            mapped,
        };
        headers.check(&fields)?;
        Ok(headers)
    }

    /// Checks single fields in the order in which they lie in the file.
    fn check(&self, fields: &Fields<'_>) -> Result<(), ImageError> {
        let optional = self.optional_header;
        let refuse = |condition: bool, offset: u64, field, found: u64, expected| {
            if condition { Err(fields.unexpected(offset, field, found, expected)) } else { Ok(()) }
        };
        let section_alignment = u64::from(self.section_alignment);
        let file_alignment = u64::from(self.file_alignment);
        refuse(
            !self.characteristics.contains(Characteristics::EXECUTABLE_IMAGE),
            self.signature_offset.get() + 4 + 18,
            "Characteristics",
            self.characteristics.bits().into(),
            "the flag IMAGE_FILE_EXECUTABLE_IMAGE (0x2), which the linker sets when nothing is missing",
        )?;
        refuse(
            !self.image_base.is_multiple_of(0x1_0000),
            optional + if self.is_64 { 24 } else { 28 },
            "ImageBase",
            self.image_base,
            "a multiple of 64 KiB (0x10000)",
        )?;
        refuse(
            !section_alignment.is_power_of_two() || section_alignment < file_alignment,
            optional + 32,
            "SectionAlignment",
            section_alignment,
            "a power of two, not below FileAlignment",
        )?;
        let whole_sectors = file_alignment % 512 == 0 || file_alignment == section_alignment;
        refuse(
            !file_alignment.is_power_of_two() || !whole_sectors,
            optional + 36,
            "FileAlignment",
            file_alignment,
            "a power of two from 0x200 on, or equal to SectionAlignment",
        )?;
        refuse(
            self.size_of_image == 0 || self.size_of_image > SIZE_OF_IMAGE_MAX,
            optional + 56,
            "SizeOfImage",
            self.size_of_image.into(),
            "a size from 1 to 0x77000000 bytes",
        )?;
        refuse(
            self.size_of_headers >= self.size_of_image && !self.is_low_alignment(),
            optional + 60,
            "SizeOfHeaders",
            self.size_of_headers.into(),
            "less than SizeOfImage",
        )?;
        refuse(
            self.entry_point.get() >= self.size_of_image,
            optional + 16,
            "AddressOfEntryPoint",
            self.entry_point.get().into(),
            "an address inside the image",
        )
    }
}

/// Finds the NT headers and reads what decides whether this is a PE at all.
fn read_signature(fields: &Fields<'_>) -> Result<(u64, Machine), ImageError> {
    if !fields.bytes.starts_with(b"MZ") || fields.bytes.len() < 0x40 {
        return Err(wrong_kind(fields.name, fields.bytes));
    }
    let signature = u64::from(fields.u32(0x3c, "e_lfanew")?);
    if signature + 4 > fields.bytes.len() as u64 {
        return Err(fields.past_end(0x3c, "e_lfanew", signature));
    }
    if fields.u32(signature, "Signature")? != u32::from_le_bytes(*b"PE\0\0") {
        return Err(wrong_kind(fields.name, fields.bytes));
    }
    // Every linker aligns the headers, and Windows is said to refuse others; to be checked against Windows.
    if signature % 4 != 0 {
        return Err(fields.unexpected(0x3c, "e_lfanew", signature, "a multiple of 4"));
    }
    Ok((signature, Machine::from_number(fields.u16(signature + 4, "Machine")?)))
}

/// Returns whether the optional header is that of PE32+, if it is of a form that suits the machine.
fn check_magic(fields: &Fields<'_>, offset: u64, magic: u16, machine: Machine) -> Result<bool, ImageError> {
    let expected = match machine {
        Machine::I386 | Machine::Arm => "0x10b (PE32), the form for this 32-bit machine",
        Machine::Amd64 | Machine::Arm64 => "0x20b (PE32+), the form for this 64-bit machine",
        Machine::Other(_) => "0x10b (PE32) or 0x20b (PE32+)",
    };
    match (magic, machine) {
        (0x10b, Machine::I386 | Machine::Arm | Machine::Other(_)) => Ok(false),
        (0x20b, Machine::Amd64 | Machine::Arm64 | Machine::Other(_)) => Ok(true),
        _ => Err(fields.unexpected(offset, "Magic", magic.into(), expected)),
    }
}

/// Reads as many directory entries as `NumberOfRvaAndSizes` says; 16 at most have a meaning.
fn read_directories(fields: &Fields<'_>, count_offset: u64) -> Result<[DirectoryEntry; 16], ImageError> {
    let count = fields.u32(count_offset, "NumberOfRvaAndSizes")?;
    let mut directories = [DirectoryEntry { rva: Rva::new(0), size: 0 }; 16];
    for (entry, index) in directories.iter_mut().zip(0..count) {
        let offset = count_offset + 4 + u64::from(index) * 8;
        entry.rva = Rva::new(fields.u32(offset, "DataDirectory.VirtualAddress")?);
        entry.size = fields.u32(offset + 4, "DataDirectory.Size")?;
    }
    Ok(directories)
}

/// Reads fields by their position in the headers, which is the same in the file and in memory.
pub(super) struct Fields<'b> {
    pub(super) name: &'b str,
    pub(super) bytes: &'b [u8],
    pub(super) mapped: bool,
    /// Fields past the end of the bytes read as zero.
    pub(super) zero_past_end: bool,
}

impl Fields<'_> {
    pub(super) fn read<const N: usize>(
        &self,
        offset: u64,
        field: impl Into<Cow<'static, str>>,
    ) -> Result<[u8; N], ImageError> {
        let tail =
            usize::try_from(offset).ok().and_then(|offset| self.bytes.get(offset..)).unwrap_or_default();
        match tail.first_chunk() {
            Some(bytes) => Ok(*bytes),
            None if self.zero_past_end => {
                let mut bytes = [0; N];
                bytes[..tail.len()].copy_from_slice(tail);
                Ok(bytes)
            }
            None => Err(self.past_end(offset, field, offset + N as u64)),
        }
    }

    fn u16(&self, offset: u64, field: &'static str) -> Result<u16, ImageError> {
        self.read(offset, field).map(u16::from_le_bytes)
    }

    fn u32(&self, offset: u64, field: &'static str) -> Result<u32, ImageError> {
        self.read(offset, field).map(u32::from_le_bytes)
    }

    fn u64(&self, offset: u64, field: &'static str) -> Result<u64, ImageError> {
        self.read(offset, field).map(u64::from_le_bytes)
    }

    pub(super) fn past_end(
        &self,
        offset: u64,
        field: impl Into<Cow<'static, str>>,
        target: u64,
    ) -> ImageError {
        ImageError::PastEnd { place: self.place(offset, field), target, file_bytes: self.bytes.len() as u64 }
    }

    pub(super) fn unexpected(
        &self,
        offset: u64,
        field: impl Into<Cow<'static, str>>,
        found: u64,
        expected: impl Into<Cow<'static, str>>,
    ) -> ImageError {
        ImageError::Unexpected { place: self.place(offset, field), found, expected: expected.into() }
    }

    fn place(&self, offset: u64, field: impl Into<Cow<'static, str>>) -> Place {
        let rva = self.mapped.then_some(offset);
        let offset = (!self.mapped).then_some(FileOffset::new(offset));
        Place { file: self.name.into(), offset, rva, field: field.into() }
    }
}
