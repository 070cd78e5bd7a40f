//! Bound imports: addresses of other DLLs' functions that a linker tool wrote into the image.
//!
//! They hold as long as the other DLLs lie at their old bases, and the loader believes them by the DLLs' timestamps,
//! which plat keeps: so a fleet that moves must lose its bindings.

use plat_image::pe::DirectoryKind;
use plat_image::{FileOffset, PeImage};

/// Says whether the image is bound to others, of its own or with delay.
pub(super) fn is_bound(image: &PeImage) -> bool {
    image.headers().directory(DirectoryKind::BoundImport).is_some() || !stamps(image).is_empty()
}

/// Returns where the timestamps that are not zero lie in the import descriptors.
///
/// Reads by itself and leniently: packed images have import tables that only their own code can read.
pub(super) fn stamps(image: &PeImage) -> Vec<FileOffset> {
    let mut found = descriptors(image, DirectoryKind::Import, 20, 4, [12, 16]);
    found.extend(descriptors(image, DirectoryKind::DelayImport, 32, 28, [4, 12]));
    found
}

/// Walks descriptors of `size` bytes until one of the fields at `needed` is zero; source of both: PE Format.
fn descriptors(
    image: &PeImage,
    kind: DirectoryKind,
    size: u32,
    stamp: u32,
    needed: [usize; 2],
) -> Vec<FileOffset> {
    let mut found = Vec::new();
    let Some(directory) = image.headers().directory(kind) else { return found };
    let mut at = directory.rva;
    while let Some(entry) = image.slice(at, size) {
        let is_zero = |field: usize| entry[field..field + 4] == [0; 4];
        if needed.into_iter().any(is_zero) {
            break;
        }
        let place = at.checked_add(stamp).and_then(|stamp| image.file_offset(stamp));
        found.extend(place.filter(|_| !is_zero(stamp as usize)));
        let Some(next) = at.checked_add(size) else { break };
        at = next;
    }
    found
}
