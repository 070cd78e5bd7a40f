//! Makes PE images in their mapped layout: [`ImageBuilder`]. The system's own DLLs are made this way.
//!
//! Sections are aligned to pages in memory and in the file alike, so that the result is both what a loader would
//! have mapped and a file that can be written out. `.text` is always at RVA 0x1000.

use std::collections::HashMap;

use crate::Rva;
use crate::generated::{
    CODE, EXPORT_DIRECTORY_BYTES, ExportTables, HEADERS_BYTES, HeaderPlan, PAGE, PlannedSection, READ_ONLY,
    put, put_words,
};
use crate::pe::{DirectoryKind, Machine, RelocationKind, SectionFlags};

/// A place in the code or the data given to the builder, in bytes from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Spot {
    /// In the code.
    Text(u32),
    /// In the writable data.
    Data(u32),
}

/// What an export stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportValue<'a> {
    /// A place in the image.
    At(Spot),
    /// Another module's export: `MODULE.Name` or `MODULE.#12`.
    Forwarder(&'a str),
}

/// Why no image can be made of what the builder was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// Two exports have one ordinal.
    #[error("{module}: ordinal {ordinal} is exported twice")]
    OrdinalTwice {
        /// The image's name.
        module: String,
        /// The ordinal.
        ordinal: u16,
    },
    /// Two exports have one name.
    #[error("{module}: {name} is exported twice")]
    NameTwice {
        /// The image's name.
        module: String,
        /// The export's name.
        name: String,
    },
    /// There are more exports than ordinals.
    #[error("{module}: more than 65,535 exports")]
    TooManyExports {
        /// The image's name.
        module: String,
    },
    /// A place lies outside the code or data it is in.
    #[error("{module}: {spot:?} is outside the {bytes:#x} bytes given")]
    SpotOutside {
        /// The image's name.
        module: String,
        /// The place.
        spot: Spot,
        /// The size of the code or data, in bytes.
        bytes: usize,
    },
    /// The image would not fit below 1 GiB.
    #[error("{module}: the image would have {bytes:#x} bytes, more than 1 GiB")]
    TooLarge {
        /// The image's name.
        module: String,
        /// Its size in bytes.
        bytes: usize,
    },
}

/// A finished image and where its parts are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltImage {
    /// The image by RVA, `SizeOfImage` bytes.
    pub bytes: Vec<u8>,
    /// Where the code begins.
    pub text: Rva,
    /// Where the writable data begins; zero without data.
    pub data: Rva,
}

#[derive(Debug, Clone, Copy)]
struct PlannedExport<'a> {
    name: Option<&'a str>,
    ordinal: Option<u16>,
    value: ExportValue<'a>,
}

/// Collects the parts of an image.
#[derive(Debug, Clone)]
pub struct ImageBuilder<'a> {
    name: &'a str,
    machine: Machine,
    base: u64,
    timestamp: u32,
    entry: Option<Spot>,
    text: Vec<u8>,
    data: Vec<u8>,
    exports: Vec<PlannedExport<'a>>,
    relocations: Vec<(Spot, RelocationKind)>,
    functions: Vec<(u32, u32, Vec<u8>)>,
    version: Option<[u16; 4]>,
    directories: Vec<(DirectoryKind, Spot, u32)>,
}

impl<'a> ImageBuilder<'a> {
    /// Begins a DLL of this name for this machine, at this preferred base, a multiple of 64 KiB.
    pub fn new(name: &'a str, machine: Machine, preferred_base: u64) -> Self {
        Self {
            name,
            machine,
            base: preferred_base,
            timestamp: 0,
            entry: None,
            text: Vec::new(),
            data: Vec::new(),
            exports: Vec::new(),
            relocations: Vec::new(),
            functions: Vec::new(),
            version: None,
            directories: Vec::new(),
        }
    }

    /// Makes room for this many bytes of code and this many exports, so that adding them does not move the others.
    pub fn reserve(&mut self, code_bytes: usize, exports: usize) -> &mut Self {
        self.text.reserve(code_bytes);
        self.exports.reserve(exports);
        self
    }

    /// Returns where the next code will begin, in bytes from the start of the code.
    pub fn next_text(&self) -> u32 {
        self.text.len().next_multiple_of(16) as u32
    }

    /// Appends code, aligned to 16 bytes, and returns where it begins.
    pub fn text(&mut self, code: &[u8]) -> Spot {
        // Between functions there are breakpoints, as linkers put them.
        self.text.resize(self.text.len().next_multiple_of(16), 0xcc);
        let start = self.text.len() as u32;
        self.text.extend_from_slice(code);
        Spot::Text(start)
    }

    /// Appends writable data, aligned to 16 bytes, and returns where it begins.
    pub fn data(&mut self, bytes: &[u8]) -> Spot {
        self.data.resize(self.data.len().next_multiple_of(16), 0);
        let start = self.data.len() as u32;
        self.data.extend_from_slice(bytes);
        Spot::Data(start)
    }

    /// Exports a name, with this ordinal or the next free one.
    pub fn export(&mut self, name: &'a str, ordinal: Option<u16>, value: ExportValue<'a>) -> &mut Self {
        self.exports.push(PlannedExport { name: Some(name), ordinal, value });
        self
    }

    /// Exports an ordinal without a name.
    pub fn export_ordinal(&mut self, ordinal: u16, value: ExportValue<'a>) -> &mut Self {
        self.exports.push(PlannedExport { name: None, ordinal: Some(ordinal), value });
        self
    }

    /// Marks a field that depends on the base. The field itself is written by the caller, for the preferred base.
    pub fn relocation(&mut self, spot: Spot, kind: RelocationKind) -> &mut Self {
        self.relocations.push((spot, kind));
        self
    }

    /// Describes a function from `begin` to `end`, offsets in the code, with its UNWIND_INFO; for x86-64 only.
    pub fn runtime_function(&mut self, begin: u32, end: u32, unwind_info: &[u8]) -> &mut Self {
        self.functions.push((begin, end, unwind_info.to_vec()));
        self
    }

    /// Sets where execution begins.
    pub fn entry_point(&mut self, spot: Spot) -> &mut Self {
        self.entry = Some(spot);
        self
    }

    /// Sets the timestamp in the headers; it is zero otherwise, so that equal inputs make equal images.
    pub fn timestamp(&mut self, timestamp: u32) -> &mut Self {
        self.timestamp = timestamp;
        self
    }

    /// Adds a version resource: major, minor, build, revision.
    pub fn version(&mut self, version: [u16; 4]) -> &mut Self {
        self.version = Some(version);
        self
    }

    /// Points a data directory at bytes that the caller wrote. It replaces the one that the builder would make.
    pub fn directory(&mut self, kind: DirectoryKind, spot: Spot, bytes: u32) -> &mut Self {
        self.directories.push((kind, spot, bytes));
        self
    }

    /// Makes the image.
    ///
    /// # Errors
    /// [`BuildError`] when exports collide or a place lies outside.
    pub fn build(&self) -> Result<BuiltImage, BuildError> {
        let text = HEADERS_BYTES as u32;
        let rdata = text + self.text.len().next_multiple_of(PAGE) as u32;
        if self.text.len().saturating_add(self.data.len()) > 1 << 30 {
            return Err(self.too_large(self.text.len().saturating_add(self.data.len())));
        }
        let exports = self.plan_exports()?;
        let unwind = self.unwind_tables(rdata);
        let exports_at = rdata + unwind.bytes.len() as u32;
        let export_bytes = self.export_bytes(&exports);
        let data = rdata + (unwind.bytes.len() + export_bytes).next_multiple_of(PAGE) as u32;
        let mut layout = Layout::with_capacity(data as usize + self.data.len());
        layout.push(".text", &self.text, CODE);
        layout.bytes.extend_from_slice(&unwind.bytes);
        if !self.exports.is_empty() {
            self.export_tables(&exports, data, &mut layout.bytes)?;
            layout.directory(DirectoryKind::Export, exports_at, export_bytes);
        }
        if unwind.functions_bytes != 0 {
            layout.directory(DirectoryKind::Exception, rdata + unwind.functions_at, unwind.functions_bytes);
        }
        layout.close(".rdata", rdata, READ_ONLY);
        layout.push(".data", &self.data, READ_ONLY | SectionFlags::MEM_WRITE);
        if let Some(version) = self.version {
            let at = layout.bytes.len() as u32;
            let resource = version_resource(at, version);
            layout.directory(DirectoryKind::Resource, at, resource.len());
            layout.push(".rsrc", &resource, READ_ONLY);
        }
        let relocations = self.relocation_blocks(data)?;
        if !relocations.is_empty() {
            layout.directory(DirectoryKind::BaseRelocation, layout.bytes.len() as u32, relocations.len());
            layout.push(".reloc", &relocations, READ_ONLY | SectionFlags::MEM_DISCARDABLE);
        }
        for &(kind, spot, bytes) in &self.directories {
            layout.directory(kind, self.rva(spot, data)?, bytes as usize);
        }
        let entry = self.entry.map_or(Ok(0), |spot| self.rva(spot, data))?;
        if layout.bytes.len() > 1 << 30 {
            return Err(self.too_large(layout.bytes.len()));
        }
        let plan = HeaderPlan {
            machine: self.machine,
            base: self.base,
            timestamp: self.timestamp,
            entry,
            code_bytes: self.text.len().next_multiple_of(PAGE) as u32,
            image_bytes: layout.bytes.len() as u32,
            sections: &layout.sections,
            directories: layout.directories,
        };
        plan.write(&mut layout.bytes);
        let data = if self.data.is_empty() { 0 } else { data };
        Ok(BuiltImage { bytes: layout.bytes, text: Rva::new(text), data: Rva::new(data) })
    }

    fn too_large(&self, bytes: usize) -> BuildError {
        BuildError::TooLarge { module: self.name.to_owned(), bytes }
    }

    fn rva(&self, spot: Spot, data: u32) -> Result<u32, BuildError> {
        let (start, offset, bytes) = match spot {
            Spot::Text(offset) => (HEADERS_BYTES as u32, offset, self.text.len()),
            Spot::Data(offset) => (data, offset, self.data.len()),
        };
        if offset as usize >= bytes {
            return Err(BuildError::SpotOutside { module: self.name.to_owned(), spot, bytes });
        }
        Ok(start + offset)
    }

    /// Gives every export its ordinal and sorts the names.
    fn plan_exports(&self) -> Result<ExportPlan, BuildError> {
        let ordinals = self.plan_ordinals()?;
        let base = ordinals.iter().min().copied().unwrap_or(1);
        let name = |at: usize| self.exports[at].name.unwrap_or_default().as_bytes();
        let mut names: Vec<usize> =
            (0..self.exports.len()).filter(|&at| self.exports[at].name.is_some()).collect();
        // Names that come in order cost one look each.
        if !names.is_sorted_by(|&one, &next| name(one) < name(next)) {
            names.sort_unstable_by_key(|&at| name(at));
            if let Some(pair) = names.windows(2).find(|pair| name(pair[0]) == name(pair[1])) {
                let twice = self.exports[pair[0]].name.unwrap_or_default().to_owned();
                return Err(BuildError::NameTwice { module: self.name.to_owned(), name: twice });
            }
        }
        let last = ordinals.iter().max().copied().unwrap_or(base);
        Ok(ExportPlan { base, slots: usize::from(last - base) + 1, ordinals, names })
    }

    /// Gives every export its ordinal: the one asked for, or the next that is free.
    fn plan_ordinals(&self) -> Result<Vec<u16>, BuildError> {
        let module = || self.name.to_owned();
        let mut taken: Vec<u16> = self.exports.iter().filter_map(|export| export.ordinal).collect();
        taken.sort_unstable();
        if let Some(pair) = taken.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(BuildError::OrdinalTwice { module: module(), ordinal: pair[0] });
        }
        let mut next = Some(taken.first().copied().unwrap_or(1));
        let mut ordinals = Vec::with_capacity(self.exports.len());
        for export in &self.exports {
            let ordinal = match (export.ordinal, next) {
                (Some(ordinal), _) => ordinal,
                (None, mut candidate) => {
                    while candidate.is_some_and(|ordinal| taken.binary_search(&ordinal).is_ok()) {
                        candidate = candidate.and_then(|ordinal| ordinal.checked_add(1));
                    }
                    let free = candidate.ok_or_else(|| BuildError::TooManyExports { module: module() })?;
                    next = free.checked_add(1);
                    free
                }
            };
            ordinals.push(ordinal);
        }
        Ok(ordinals)
    }

    /// Returns the size in bytes of what [`Self::export_tables`] makes.
    fn export_bytes(&self, plan: &ExportPlan) -> usize {
        if self.exports.is_empty() {
            return 0;
        }
        let texts = self.exports.iter().map(|export| {
            let forwarder = match export.value {
                ExportValue::Forwarder(to) => to.len() + 1,
                ExportValue::At(_) => 0,
            };
            export.name.map_or(0, |name| name.len() + 1) + forwarder
        });
        EXPORT_DIRECTORY_BYTES
            + plan.slots * 4
            + plan.names.len() * 6
            + self.name.len()
            + 1
            + texts.sum::<usize>()
    }

    /// Appends the export directory, its three tables and its texts to the image: an offset in it is an RVA.
    fn export_tables(&self, plan: &ExportPlan, data: u32, out: &mut Vec<u8>) -> Result<(), BuildError> {
        let tables = ExportTables::new(out.len(), plan.slots, plan.names.len());
        out.resize(tables.texts, 0);
        let text = |out: &mut Vec<u8>, text: &str| {
            let rva = out.len() as u32;
            out.extend_from_slice(text.as_bytes());
            out.push(0);
            rva
        };
        let module = text(out, self.name);
        tables.write_directory(out, self.timestamp, plan.base, module);
        for (export, ordinal) in self.exports.iter().zip(&plan.ordinals) {
            let target = match &export.value {
                ExportValue::At(spot) => self.rva(*spot, data)?,
                ExportValue::Forwarder(to) => text(out, to),
            };
            tables.write_address(out, ordinal - plan.base, target);
        }
        for (index, &export) in plan.names.iter().enumerate() {
            let name = text(out, self.exports[export].name.unwrap_or_default());
            tables.write_name(out, index, name, plan.ordinals[export] - plan.base);
        }
        Ok(())
    }

    /// Writes unwind data and then the table of functions, sorted, for a start at `at`.
    fn unwind_tables(&self, at: u32) -> Unwind {
        let mut bytes = Vec::new();
        let mut known: HashMap<&[u8], u32> = HashMap::new();
        let mut functions = Vec::with_capacity(self.functions.len());
        for (begin, end, info) in &self.functions {
            let info_at = *known.entry(info).or_insert_with(|| {
                bytes.resize(bytes.len().next_multiple_of(4), 0);
                let start = at + bytes.len() as u32;
                bytes.extend_from_slice(info);
                start
            });
            functions.push([begin + HEADERS_BYTES as u32, end + HEADERS_BYTES as u32, info_at]);
        }
        functions.sort_unstable();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let functions_at = bytes.len() as u32;
        bytes.extend(functions.iter().flatten().flat_map(|word| word.to_le_bytes()));
        bytes.resize(bytes.len().next_multiple_of(16), 0);
        Unwind { functions_at, functions_bytes: functions.len() * 12, bytes }
    }

    fn relocation_blocks(&self, data: u32) -> Result<Vec<u8>, BuildError> {
        let mut places = Vec::with_capacity(self.relocations.len());
        for &(spot, kind) in &self.relocations {
            let (code, parameter) = match kind {
                RelocationKind::High => (1u16, None),
                RelocationKind::Low => (2, None),
                RelocationKind::HighLow => (3, None),
                RelocationKind::HighAdjust(low) => (4, Some(low)),
                RelocationKind::Dir64 => (10, None),
            };
            places.push((self.rva(spot, data)?, code, parameter));
        }
        places.sort_unstable();
        let mut out = Vec::new();
        for block in places.chunk_by(|a, b| a.0 / PAGE as u32 == b.0 / PAGE as u32) {
            let start = out.len();
            out.extend_from_slice(&(block[0].0 & !0xfff).to_le_bytes());
            out.extend_from_slice(&[0; 4]);
            for (rva, code, parameter) in block {
                out.extend_from_slice(&(code << 12 | (rva & 0xfff) as u16).to_le_bytes());
                out.extend(parameter.iter().flat_map(|low| low.to_le_bytes()));
            }
            out.resize(out.len().next_multiple_of(4), 0);
            let bytes = (out.len() - start) as u32;
            put_words(&mut out, start + 4, &[bytes]);
        }
        Ok(out)
    }
}

struct ExportPlan {
    base: u16,
    slots: usize,
    /// The ordinal of each export, in the order they were given.
    ordinals: Vec<u16>,
    /// The exports with names, sorted by them.
    names: Vec<usize>,
}

struct Unwind {
    bytes: Vec<u8>,
    functions_at: u32,
    functions_bytes: usize,
}

struct Layout {
    bytes: Vec<u8>,
    sections: Vec<PlannedSection>,
    directories: [(u32, u32); 16],
}

impl Layout {
    /// Begins with room for the headers; `bytes` is about how large the image will be.
    fn with_capacity(bytes: usize) -> Self {
        let mut image = Vec::with_capacity(bytes.next_multiple_of(PAGE));
        image.resize(HEADERS_BYTES, 0);
        Self { bytes: image, sections: Vec::new(), directories: [(0, 0); 16] }
    }

    /// Appends a section at the next page; an empty one is left out, as Windows refuses it.
    fn push(&mut self, name: &'static str, contents: &[u8], flags: SectionFlags) {
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(contents);
        self.close(name, start, flags);
    }

    /// Makes a section of what was appended since the image ended at `start`, if anything was.
    fn close(&mut self, name: &'static str, start: u32, flags: SectionFlags) {
        let bytes = self.bytes.len() as u32 - start;
        if bytes != 0 {
            self.sections.push(PlannedSection { name, rva: start, bytes, flags });
            self.bytes.resize(self.bytes.len().next_multiple_of(PAGE), 0);
        }
    }

    fn directory(&mut self, kind: DirectoryKind, rva: u32, bytes: usize) {
        self.directories[kind as usize] = (rva, bytes as u32);
    }
}

/// Makes a resource directory at `rva` with one VS_VERSION_INFO (type 16, name 1, US English).
///
/// Source: PE Format, "The .rsrc Section"; Microsoft, "VS_VERSIONINFO", "VS_FIXEDFILEINFO".
fn version_resource(rva: u32, [major, minor, build, revision]: [u16; 4]) -> Vec<u8> {
    const LEAF: usize = 72;
    const VALUE: usize = LEAF + 16;
    let mut out = vec![0; VALUE + 40 + 52];
    let levels = [(16u32, 24u32 | 0x8000_0000), (1, 48 | 0x8000_0000), (0x409, LEAF as u32)];
    for (level, (id, target)) in levels.into_iter().enumerate() {
        put(&mut out, level * 24 + 14, &1u16.to_le_bytes());
        put_words(&mut out, level * 24 + 16, &[id, target]);
    }
    put_words(&mut out, LEAF, &[rva + VALUE as u32, 92]);
    put(&mut out, VALUE, &[92, 0, 52, 0, 0, 0]);
    for (index, unit) in "VS_VERSION_INFO".encode_utf16().enumerate() {
        put(&mut out, VALUE + 6 + index * 2, &unit.to_le_bytes());
    }
    let high = u32::from(major) << 16 | u32::from(minor);
    let low = u32::from(build) << 16 | u32::from(revision);
    // Signature, structure version, file version, product version, flag mask, flags, Windows NT, DLL.
    put_words(&mut out, VALUE + 40, &[0xfeef_04bd, 0x1_0000, high, low, high, low, 0x3f, 0, 0x4_0004, 2]);
    out
}
