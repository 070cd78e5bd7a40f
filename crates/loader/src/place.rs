//! Where an image goes: at its preferred base when that is free, else wherever the layout says, with the reason.

use plat_host::memory;
use plat_image::PeImage;
use plat_image::pe::DirectoryKind;
use plat_regions::windows::{ImageRequest, PageProtection};
use plat_regions::{Access, Address, AddressRange, Label, PAGE_SIZE, Use};
use plat_win32::process::Process;

use crate::error::LoadError;

/// Where an image came to lie.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    /// Its base.
    pub(crate) base: u64,
    /// Why there.
    pub(crate) reason: String,
}

/// Finds a place for an image, relocates it and copies it there; its pages stay writable until [`protect`].
///
/// # Errors
/// [`LoadError`] when nothing fits, or the image may lie nowhere else and its place is taken.
pub(crate) fn place(
    process: &Process,
    image: &PeImage<'_>,
    name: &str,
    is_system: bool,
) -> Result<Placed, LoadError> {
    // Builtin images are made without a base of their own.
    let base = image.headers().image_base;
    place_as(process, image, name, (base != 0).then(|| Address::new(base)), is_system)
}

/// Does what [`place`] does for an image that is no module, at `base` rather than at its own if that is given.
///
/// # Errors
/// As for [`place`].
pub(crate) fn place_at(
    process: &Process,
    image: &PeImage<'_>,
    name: &str,
    base: Option<Address>,
) -> Result<Placed, LoadError> {
    let preferred = base.unwrap_or(Address::new(image.headers().image_base));
    place_as(process, image, name, Some(preferred), false)
}

fn place_as(
    process: &Process,
    image: &PeImage<'_>,
    name: &str,
    preferred: Option<Address>,
    is_system: bool,
) -> Result<Placed, LoadError> {
    let headers = image.headers();
    let size = pages(u64::from(headers.size_of_image));
    let request = ImageRequest {
        size,
        preferred,
        relocatable: is_system || image.is_relocatable(),
        purpose: if is_system { Use::SystemImage } else { Use::Image },
        owner: Label::from(name.to_owned()),
        parts: parts(image, size),
    };
    let placement = process.memory.map_image(&request).map_err(|(status, reason)| {
        if request.relocatable {
            LoadError::NoPlace { name: name.to_owned(), size, reason: format!("{reason} ({status})") }
        } else {
            let range = AddressRange::sized(Address::new(headers.image_base), size).unwrap_or_default();
            LoadError::Fixed { name: name.to_owned(), range, reason }
        }
    })?;
    let base = placement.range.start.get();
    copy(process, image, name, base)?;
    Ok(Placed { base, reason: placement.reason.to_string() })
}

fn pages(bytes: u64) -> u64 {
    bytes.next_multiple_of(PAGE_SIZE)
}

/// Lists an image's parts for the books.
fn parts(image: &PeImage<'_>, size: u64) -> Vec<(u64, u64, Label, PageProtection)> {
    let segments = image.segments().iter();
    let mut parts: Vec<_> = segments
        .map(|segment| {
            let (start, end) =
                (u64::from(segment.rvas.start.get()), pages(u64::from(segment.rvas.end.get())));
            let name = Label::from(segment.name.to_string());
            (start, end.min(size).saturating_sub(start), name, protection(segment.access))
        })
        .filter(|part| part.1 > 0)
        .collect();
    parts.sort_by_key(|part| part.0);
    parts
}

/// Translates a section's access: writable pages of an image are copied on write.
fn protection(access: Access) -> PageProtection {
    match (access.contains(Access::WRITE), access.contains(Access::EXECUTE)) {
        (true, true) => PageProtection::EXECUTE_WRITECOPY,
        (true, false) => PageProtection::WRITECOPY,
        (false, true) => PageProtection::EXECUTE_READ,
        (false, false) if access.contains(Access::READ) => PageProtection::READONLY,
        (false, false) => PageProtection::NOACCESS,
    }
}

/// Copies the image to its place, relocated.
fn copy(process: &Process, image: &PeImage<'_>, name: &str, base: u64) -> Result<(), LoadError> {
    const IMAGE_BYTES_MAX: u64 = 1 << 31;
    let headers = image.headers();
    let no_place = |reason: String| LoadError::NoPlace {
        name: name.to_owned(),
        size: u64::from(headers.size_of_image),
        reason,
    };
    let unwritable = |at: u64| no_place(format!("its page at {at:#x} cannot be written"));
    let has_relocations = headers.directory(DirectoryKind::BaseRelocation).is_some();
    let field = if base != headers.image_base && has_relocations && image.is_relocatable() {
        let mapped = match image.is_mapped() {
            true => Some(image.source().to_vec()),
            false => image.to_mapped(IMAGE_BYTES_MAX),
        };
        let mut mapped =
            mapped.ok_or_else(|| no_place("images of 2 GiB and more are not loaded".to_owned()))?;
        image.relocate(&mut mapped, base)?;
        fill(process, base, &mapped).map_err(unwritable)?;
        image_base_field(&mapped, process.machine.is_64())
    } else if image.is_mapped() {
        fill(process, base, image.source()).map_err(unwritable)?;
        image_base_field(image.source(), process.machine.is_64())
    } else {
        for segment in image.segments() {
            let source = segment.file.start.get() as usize..segment.file.end.get() as usize;
            let source = image.source().get(source).unwrap_or_default();
            fill(process, base + u64::from(segment.rvas.start.get()), source).map_err(unwritable)?;
        }
        image_base_field(image.source(), process.machine.is_64())
    };
    if let Some((offset, width)) = field {
        let at = base + offset as u64;
        memory::write(at, &base.to_le_bytes()[..width]).map_err(|_| unwritable(at))?;
    }
    Ok(())
}

/// Writes bytes into fresh pages; returns the address that cannot be written.
fn fill(process: &Process, start: u64, bytes: &[u8]) -> Result<(), u64> {
    process.memory.prepare_image(start, bytes.len() as u64);
    for (index, page) in bytes.chunks(PAGE_SIZE as usize).enumerate() {
        // Fresh pages are zero already: untouched they cost nothing.
        if page.iter().any(|&byte| byte != 0) {
            let at = start + index as u64 * PAGE_SIZE;
            memory::write(at, page).map_err(|_| at)?;
        }
    }
    Ok(())
}

/// Returns offset and width in bytes of the field of the headers into which Windows' loader writes the base.
///
/// Source: Microsoft, "PE Format", "Optional Header Windows-Specific Fields".
fn image_base_field(mapped: &[u8], is_64: bool) -> Option<(usize, usize)> {
    let signature = mapped.get(0x3c..0x40)?;
    let header = u32::from_le_bytes(signature.try_into().ok()?) as usize;
    let (offset, width) = if is_64 { (0x30, 8) } else { (0x34, 4) };
    (header + offset + width <= mapped.len()).then_some((header + offset, width))
}

/// Gives an image's pages their final protection.
///
/// # Errors
/// [`LoadError::NoPlace`] when the kernel refuses.
pub(crate) fn protect(process: &Process, image: &PeImage<'_>, base: u64) -> Result<(), LoadError> {
    process.memory.seal_image(base).map_err(|reason| {
        let size = pages(u64::from(image.headers().size_of_image));
        LoadError::NoPlace { name: image.name().to_owned(), size, reason }
    })
}
