//! Images that are mapped without being modules: sections made with `SEC_IMAGE`, as runtimes map what they interpret.

use plat_image::{FileKind, PeImage, classify};
use plat_regions::{Address, AddressRange};
use plat_win32::NtStatus;
use plat_win32::process::Process;

use crate::place::{place_at, protect};

/// Parses what is to be an image, for whichever machine.
fn parse<'a>(name: &str, bytes: &'a [u8]) -> Result<PeImage<'a>, NtStatus> {
    if matches!(classify(bytes), FileKind::Text | FileKind::Unknown | FileKind::Empty) {
        return Err(NtStatus::INVALID_IMAGE_NOT_MZ);
    }
    PeImage::parse(name, bytes).map_err(|_| NtStatus::INVALID_IMAGE_FORMAT)
}

/// Returns how many bytes an image takes in memory.
pub(crate) fn size(bytes: &[u8]) -> Result<u64, NtStatus> {
    parse("section", bytes).map(|image| u64::from(image.headers().size_of_image))
}

/// Maps an image, at `base` if that is given.
pub(crate) fn map(
    process: &Process,
    bytes: &[u8],
    name: &str,
    base: Option<Address>,
) -> Result<AddressRange, NtStatus> {
    let image = parse(name, bytes)?;
    let placed = place_at(process, &image, name, base).map_err(|error| error.status())?;
    if base.is_some_and(|base| base.get() != placed.base) {
        process.memory.unmap_image(placed.base);
        return Err(NtStatus::CONFLICTING_ADDRESSES);
    }
    protect(process, &image, placed.base).map_err(|error| error.status())?;
    let size = u64::from(image.headers().size_of_image).next_multiple_of(plat_regions::PAGE_SIZE);
    AddressRange::sized(Address::new(placed.base), size).ok_or(NtStatus::NO_MEMORY)
}
