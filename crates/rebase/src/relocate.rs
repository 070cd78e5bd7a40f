//! New bytes for an image at a new base: [`rebase_image`], and back: [`undo_image`].
//!
//! All is checked before the first byte changes. What is not named here stays as it was: the dynamic value relocation
//! table and the load configuration hold RVAs, or words that have relocations.

mod bindings;
mod signature;
mod words;

use plat_image::pe::{DirectoryKind, DllCharacteristics, Field, Machine, checksum};
use plat_image::{FileOffset, PeImage};
use plat_regions::{ALLOCATION_GRANULARITY, Address};

use crate::RebaseError;
use signature::Table as SignatureTable;
pub(crate) use signature::{fault as signature_fault, find as find_signature};
use words::Words;

/// What to do with an Authenticode signature, which any change makes invalid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SignaturePolicy {
    /// Leave the file alone.
    #[default]
    Refuse,
    /// Cut the certificate table off and clear its directory.
    Strip,
    /// Leave the table in place, and warn.
    Keep,
}

/// When the checksum is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ChecksumPolicy {
    /// When there was one: zero stays zero, since Windows verifies it for drivers only and most linkers leave it out.
    #[default]
    IfPresent,
    /// Always, on files that need no other change too.
    Always,
}

/// How an image is changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// What becomes of a signature.
    pub signature: SignaturePolicy,
    /// When the checksum is written.
    pub checksum: ChecksumPolicy,
    /// Move .NET images too.
    pub clr: bool,
    /// Set or clear `DYNAMIC_BASE`; `None` leaves it.
    pub dynamic_base: Option<bool>,
    /// Set or clear `HIGH_ENTROPY_VA`; `None` leaves it.
    pub high_entropy: Option<bool>,
    /// Write this `TimeDateStamp`; `None` keeps the old one, so that the same input gives the same bytes.
    pub timestamp: Option<u32>,
    /// Drop bound imports even when the image stays: others of its fleet move.
    pub unbind: bool,
}

impl Options {
    /// Says whether images that stay at their base may change all the same.
    pub fn changes_headers(&self) -> bool {
        self.signature == SignaturePolicy::Strip
            || self.checksum == ChecksumPolicy::Always
            || self.dynamic_base.is_some()
            || self.high_entropy.is_some()
            || self.timestamp.is_some()
    }
}

/// What a user should know of a change that was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// The signature is still there.
    #[error("its Authenticode signature is invalid now")]
    SignatureInvalid,
    /// The signature is gone.
    #[error("its Authenticode signature of {0} bytes was removed")]
    SignatureStripped(u64),
    /// Windows will not load it without a valid signature.
    #[error("it asks for integrity checks (FORCE_INTEGRITY), which need a valid signature")]
    ForceIntegrity,
    /// `DYNAMIC_BASE` without relocations has no effect.
    #[error("DYNAMIC_BASE has no effect: it has no relocations")]
    DynamicBaseWithoutRelocations,
    /// Bound imports were dropped.
    #[error("its bound imports were dropped: the loader looks the functions up")]
    Unbound,
    /// The load configuration points outside the image at the new base: a word of it has no relocation.
    #[error("its load configuration has addresses without relocations: {0}")]
    LoadConfig(String),
}

/// A change of some bytes: where, and what was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The offset in the file.
    pub offset: u64,
    /// The bytes that were there.
    pub old: Vec<u8>,
}

/// What it takes to get the old bytes back from the new ones: everything but the words, which relocations give.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undo {
    /// The old base.
    pub base: u64,
    /// The changes, in the order in which they were made.
    pub edits: Vec<Edit>,
    /// The bytes that were cut off the end.
    pub tail: Vec<u8>,
}

/// What was done to an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebased {
    /// The old base.
    pub from: Address,
    /// The new base.
    pub to: Address,
    /// Whether any byte changed.
    pub changed: bool,
    /// The number of words that were relocated.
    pub relocations: u64,
    /// How to get the old bytes back.
    pub undo: Undo,
    /// What a user should know.
    pub warnings: Vec<Warning>,
}

/// Gives the image in `bytes`, a whole file, the base `new_base`. `name` is for messages.
///
/// # Errors
/// [`RebaseError`]; `bytes` are as they were then.
///
/// Source: PE Format, "The .reloc Section", "Optional Header".
pub fn rebase_image(
    name: &str,
    bytes: &mut Vec<u8>,
    new_base: Address,
    options: &Options,
) -> Result<Rebased, RebaseError> {
    let change = Change::prepare(name, bytes, new_base, options)?;
    change.make(name, bytes)
}

/// Gives `bytes`, made by [`rebase_image`], their old contents back; returns the number of words that changed.
///
/// # Errors
/// [`RebaseError`] when they are no image, or not one that `undo` fits; `bytes` are as they were then.
pub fn undo_image(name: &str, bytes: &mut Vec<u8>, undo: &Undo) -> Result<u64, RebaseError> {
    check_length(name, bytes)?;
    let image = PeImage::parse(name, bytes)?;
    let delta = image.headers().image_base.wrapping_sub(undo.base);
    let words = if delta == 0 { Words::default() } else { Words::find(&image)? };
    let outside = |edit: &&Edit| {
        edit.offset.checked_add(edit.old.len() as u64).is_none_or(|end| end > bytes.len() as u64)
    };
    if let Some(edit) = undo.edits.iter().find(outside) {
        let why = format!("a change at offset {:#x} lies behind its end", edit.offset);
        return Err(RebaseError::Undo { file: name.into(), why });
    }
    for edit in undo.edits.iter().rev() {
        let start = edit.offset as usize;
        bytes[start..start + edit.old.len()].copy_from_slice(&edit.old);
    }
    words.take_back(bytes, delta);
    bytes.extend_from_slice(&undo.tail);
    Ok(words.count())
}

/// A change that was found possible.
struct Change {
    from: Address,
    to: Address,
    words: Words,
    /// New bytes for fields, by offset.
    edits: Vec<(usize, Vec<u8>)>,
    truncate: Option<usize>,
    checksum: Option<FileOffset>,
    warnings: Vec<Warning>,
    has_load_config: bool,
}

impl Change {
    fn prepare(name: &str, bytes: &[u8], new_base: Address, options: &Options) -> Result<Self, RebaseError> {
        check_length(name, bytes)?;
        let image = PeImage::parse(name, bytes)?;
        let headers = image.headers();
        let from = Address::new(headers.image_base);
        let moves = from != new_base;
        let mut change = Self {
            from,
            to: new_base,
            words: Words::default(),
            edits: Vec::new(),
            truncate: None,
            checksum: None,
            warnings: Vec::new(),
            has_load_config: matches!(image.load_config(), Ok(Some(_))),
        };
        if moves {
            check_base(&image, new_base)?;
            check_kind(&image, options)?;
            change.words = Words::find(&image)?;
            change.number(headers.field(Field::ImageBase), new_base.get());
        }
        if let Some(stamp) = options.timestamp.filter(|&stamp| stamp != headers.timestamp) {
            change.number(headers.field(Field::TimeDateStamp), stamp.into());
        }
        change.flags(&image, options);
        if moves || options.unbind {
            change.unbind(&image)?;
        }
        change.sign(&image, options)?;
        change.plan_checksum(&image, options);
        change.check_fields(name, bytes.len())?;
        if !change.is_empty() && headers.section_table_overlaps() {
            return Err(RebaseError::HeadersOverlap { file: name.into() });
        }
        Ok(change)
    }

    /// Refuses to write fields that the file does not have: headers behind its end may read as zero. What is cut off
    /// with the signature needs no change.
    fn check_fields(&mut self, name: &str, length: usize) -> Result<(), RebaseError> {
        let length = self.truncate.unwrap_or(length).min(length);
        if self.truncate.is_some() {
            self.edits.retain(|(offset, _)| *offset < length);
        }
        let checksum = self.checksum.map(|field| (field.get() as usize, size_of::<u32>()));
        let edits = self.edits.iter().map(|(offset, new)| (*offset, new.len()));
        match edits.chain(checksum).find(|(offset, size)| offset + size > length) {
            None => Ok(()),
            Some((offset, _)) => Err(RebaseError::BehindEnd { file: name.into(), offset: offset as u64 }),
        }
    }

    fn is_empty(&self) -> bool {
        self.from == self.to && self.edits.is_empty() && self.truncate.is_none() && self.checksum.is_none()
    }

    fn number(&mut self, (offset, size): (FileOffset, usize), value: u64) {
        self.edits.push((offset.get() as usize, value.to_le_bytes()[..size].to_vec()));
    }

    /// Plans the two flags.
    fn flags(&mut self, image: &PeImage, options: &Options) {
        let old = image.headers().dll_characteristics;
        let mut new = old;
        if let Some(value) = options.dynamic_base {
            new.set(DllCharacteristics::DYNAMIC_BASE, value);
        }
        // The flag is defined for 64-bit images only; clearing it elsewhere does no harm.
        if let Some(value) = options.high_entropy.filter(|&value| image.headers().is_64 || !value) {
            new.set(DllCharacteristics::HIGH_ENTROPY_VA, value);
        }
        if new != old {
            self.number(image.headers().field(Field::DllCharacteristics), new.bits().into());
        }
        let has_words = image.headers().directory(DirectoryKind::BaseRelocation).is_some();
        if options.dynamic_base == Some(true) && !has_words {
            self.warnings.push(Warning::DynamicBaseWithoutRelocations);
        }
    }

    /// Plans that bound imports are forgotten: the loader believes them by their timestamps and their directory.
    fn unbind(&mut self, image: &PeImage) -> Result<(), RebaseError> {
        let headers = image.headers();
        let mut barred =
            vec![(0..headers.headers_end().get(), "the headers, and is a bound import's timestamp")];
        // Else the change could not be taken back, because the relocations would have changed too.
        barred.extend(headers.directory(DirectoryKind::BaseRelocation).and_then(|it| {
            let start = image.file_offset(it.rva)?.get();
            let what = "the relocation directory, and is a bound import's timestamp";
            Some((start..start + u64::from(it.size), what))
        }));
        for stamp in bindings::stamps(image) {
            let offset = stamp.get();
            if let Some((_, what)) = barred.iter().find(|(it, _)| it.start < offset + 4 && offset < it.end) {
                return Err(RebaseError::WordIn { file: image.name().into(), rva: 0, offset, what });
            }
            self.number((stamp, 4), 0);
        }
        if headers.directory(DirectoryKind::BoundImport).is_some() {
            self.number(headers.field(Field::Directory(DirectoryKind::BoundImport)), 0);
        }
        if bindings::is_bound(image) {
            self.warnings.push(Warning::Unbound);
        }
        Ok(())
    }

    /// Plans what becomes of the signature.
    fn sign(&mut self, image: &PeImage, options: &Options) -> Result<(), RebaseError> {
        let Some(table) = signature::find(image) else { return Ok(()) };
        let force = DllCharacteristics::FORCE_INTEGRITY;
        match options.signature {
            _ if self.is_empty() && options.signature != SignaturePolicy::Strip => return Ok(()),
            SignaturePolicy::Refuse => {
                return Err(RebaseError::Signed {
                    file: image.name().into(),
                    offset: table.claimed.start,
                    bytes: table.claimed.end - table.claimed.start,
                });
            }
            SignaturePolicy::Keep => self.warnings.push(Warning::SignatureInvalid),
            SignaturePolicy::Strip => self.strip(image, &table)?,
        }
        if image.headers().dll_characteristics.contains(force) {
            self.warnings.push(Warning::ForceIntegrity);
        }
        Ok(())
    }

    fn strip(&mut self, image: &PeImage, table: &SignatureTable) -> Result<(), RebaseError> {
        if table.in_image && !table.present.is_empty() {
            let offset = table.claimed.start;
            return Err(RebaseError::SignatureInImage { file: image.name().into(), offset });
        }
        let (start, end) = (table.present.start as usize, table.present.end as usize);
        if table.is_last {
            self.truncate = Some(start);
        } else {
            // Something else was appended, such as an installer's data, which finds itself by its offset.
            self.edits.push((start, vec![0; end - start]));
        }
        self.number(image.headers().field(Field::Directory(DirectoryKind::Certificate)), 0);
        self.warnings.push(Warning::SignatureStripped(table.present.end - table.present.start));
        Ok(())
    }

    fn plan_checksum(&mut self, image: &PeImage, options: &Options) {
        let headers = image.headers();
        let (field, _) = headers.field(Field::CheckSum);
        let wanted = match options.checksum {
            ChecksumPolicy::IfPresent => !self.is_empty() && headers.checksum != 0,
            ChecksumPolicy::Always => !self.is_empty() || headers.checksum != checksum(image.source(), field),
        };
        self.checksum = wanted.then_some(field);
    }

    /// Makes the change.
    fn make(mut self, name: &str, bytes: &mut Vec<u8>) -> Result<Rebased, RebaseError> {
        let changed = !self.is_empty();
        let delta = self.to.get().wrapping_sub(self.from.get());
        self.words.add(name, bytes, delta)?;
        let mut undo = Undo { base: self.from.get(), ..Undo::default() };
        let mut write = |bytes: &mut Vec<u8>, offset: usize, new: &[u8]| {
            let field = &mut bytes[offset..offset + new.len()];
            undo.edits.push(Edit { offset: offset as u64, old: field.to_vec() });
            field.copy_from_slice(new);
        };
        for (offset, new) in &self.edits {
            write(bytes, *offset, new);
        }
        let tail = self.truncate.map_or_else(Vec::new, |length| bytes.split_off(length));
        if let Some(field) = self.checksum {
            let sum = checksum(bytes, field);
            write(bytes, field.get() as usize, &sum.to_le_bytes());
        }
        undo.tail = tail;
        self.warn_of_load_config(name, bytes);
        Ok(Rebased {
            from: self.from,
            to: self.to,
            changed,
            relocations: if delta == 0 { 0 } else { self.words.count() },
            undo,
            warnings: self.warnings,
        })
    }

    /// A security cookie that is left behind is a crash at start, so it is worth a word.
    fn warn_of_load_config(&mut self, name: &str, bytes: &[u8]) {
        if self.from == self.to || !self.has_load_config {
            return;
        }
        let result = PeImage::parse(name, bytes).and_then(|image| image.load_config());
        if let Err(error) = result {
            self.warnings.push(Warning::LoadConfig(error.to_string()));
        }
    }
}

/// Checks every relocation of an image, without changing it.
pub(crate) fn check_words(image: &PeImage) -> Result<(), RebaseError> {
    check_length(image.name(), image.source())?;
    Words::find(image).map(|_| ())
}

/// Refuses files whose offsets would not fit 32 bits, as sections' offsets must.
fn check_length(name: &str, bytes: &[u8]) -> Result<(), RebaseError> {
    match u32::try_from(bytes.len()) {
        Ok(_) => Ok(()),
        Err(_) => Err(RebaseError::TooLarge { file: name.into(), bytes: bytes.len() as u64 }),
    }
}

/// Refuses a base that the loader could not use.
fn check_base(image: &PeImage, base: Address) -> Result<(), RebaseError> {
    let bad = |why| Err(RebaseError::BadBase { file: image.name().into(), base, why });
    let limit = if image.headers().is_64 { 1u64 << 47 } else { 1 << 32 };
    if !base.is_aligned(ALLOCATION_GRANULARITY) {
        return bad("is not a multiple of 64 KiB");
    }
    if base.get() == 0 {
        return bad("is the null page");
    }
    match base.get().checked_add(image.headers().size_of_image.into()) {
        Some(end) if end <= limit => Ok(()),
        _ if image.headers().is_64 => bad("leads past the end of user space (128 TiB)"),
        _ => bad("leads past 4 GiB"),
    }
}

/// Refuses images that cannot be moved, or only when asked.
fn check_kind(image: &PeImage, options: &Options) -> Result<(), RebaseError> {
    let headers = image.headers();
    let file = || image.name().to_owned();
    if !matches!(headers.machine, Machine::I386 | Machine::Amd64 | Machine::Arm64) {
        return Err(RebaseError::Machine { file: file(), machine: headers.machine.number() });
    }
    if is_hybrid(image) {
        return Err(RebaseError::Hybrid { file: file() });
    }
    if !image.is_relocatable() {
        return Err(RebaseError::Stripped { file: file(), base: Address::new(headers.image_base) });
    }
    if image.is_managed() && !options.clr {
        return Err(RebaseError::Managed { file: file() });
    }
    Ok(())
}

/// Says whether the image holds code for two processors; its load configuration tells.
pub(crate) fn is_hybrid(image: &PeImage) -> bool {
    matches!(image.load_config(), Ok(Some(config)) if config.hybrid_metadata.is_some())
}
