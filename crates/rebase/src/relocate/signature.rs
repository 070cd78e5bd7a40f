//! Authenticode: where the certificate table is, and what becomes of the file without it.

use std::ops::Range;

use plat_image::PeImage;
use plat_image::pe::DirectoryKind;

/// Where a file's certificate table lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    /// The table as the directory describes it; it may end behind the file.
    pub(crate) claimed: Range<u64>,
    /// What of it is in the file.
    pub(crate) present: Range<u64>,
    /// Nothing but padding follows it in the file.
    pub(crate) is_last: bool,
    /// It begins before the end of what is mapped of the file, or of the headers.
    pub(crate) in_image: bool,
}

/// The table is padded to this many bytes, and so is the file.
///
/// Source: PE Format, "The Attribute Certificate Table (Image Only)".
const ALIGNMENT: u64 = 8;

/// Finds the certificate table.
pub(crate) fn find(image: &PeImage) -> Option<Table> {
    let directory = image.headers().directory(DirectoryKind::Certificate)?;
    if directory.size == 0 {
        return None;
    }
    let file_bytes = image.source().len() as u64;
    // This directory alone holds an offset in the file.
    let start = u64::from(directory.rva.get());
    let claimed = start..start + u64::from(directory.size);
    let present = start.min(file_bytes)..claimed.end.min(file_bytes);
    let tail = image.source().get(present.end as usize..).unwrap_or_default();
    let is_last = (tail.len() as u64) < ALIGNMENT && tail.iter().all(|&byte| byte == 0);
    let mapped_end = image.segments().iter().map(|segment| segment.file.end.get()).max().unwrap_or(0);
    let headers_end = image.headers().headers_end().get();
    let low = image.headers().is_low_alignment();
    // An image of low alignment maps its whole file, the certificates too.
    let in_image = start < headers_end || !low && start < mapped_end;
    Some(Table { claimed, present, is_last, in_image })
}

/// Checks that the table is made of entries that fill it; returns what is wrong.
///
/// Source: PE Format, "The Attribute Certificate Table (Image Only)".
pub(crate) fn fault(image: &PeImage, table: &Table) -> Option<String> {
    if table.present != table.claimed {
        return Some(format!("ends at {:#x}, behind the file", table.claimed.end));
    }
    if table.in_image {
        return Some("overlaps a section or the headers".into());
    }
    if !table.claimed.start.is_multiple_of(ALIGNMENT) {
        return Some(format!("begins at {:#x}, not a multiple of 8", table.claimed.start));
    }
    let bytes = image.source().get(table.present.start as usize..table.present.end as usize)?;
    let mut rest = bytes;
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        if length < 8 || length > rest.len() {
            let at = bytes.len() - rest.len();
            return Some(format!(
                "entry at +{at:#x} has a length of {length:#x}, {:#x} are left",
                rest.len()
            ));
        }
        let revision = u16::from_le_bytes([after[0], after[1]]);
        if !matches!(revision, 0x100 | 0x200) {
            return Some(format!("entry of revision {revision:#x}, expected 0x100 or 0x200"));
        }
        rest = &rest[length.next_multiple_of(8).min(rest.len())..];
    }
    (!rest.is_empty()).then(|| format!("{} bytes at its end are no entry", rest.len()))
}
