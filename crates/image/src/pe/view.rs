//! Bytes by RVA, whether they lie in a file or are mapped: [`View`].

use crate::FileOffset;

/// A part of the image whose bytes are contiguous in the source; past them it reads as zeroes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) source_start: usize,
    pub(crate) source_end: usize,
}

/// The bytes of an image, read by RVA.
#[derive(Debug, Clone)]
pub(crate) struct View<'a> {
    bytes: &'a [u8],
    /// Sorted, without overlap, each inside `bytes`.
    pieces: Vec<Piece>,
    mapped: bool,
}

impl<'a> View<'a> {
    /// Looks at a file through the pieces that its segments make.
    pub(crate) fn of_file(bytes: &'a [u8], pieces: Vec<Piece>) -> Self {
        debug_assert!(pieces.is_sorted_by(|a, b| a.end <= b.start));
        debug_assert!(pieces.iter().all(|piece| piece.source_end <= bytes.len()));
        Self { bytes, pieces, mapped: false }
    }

    /// Looks at an image that is mapped already: a byte's index is its RVA.
    pub(crate) fn of_memory(bytes: &'a [u8]) -> Self {
        let piece = Piece { start: 0, end: bytes.len() as u64, source_start: 0, source_end: bytes.len() };
        Self { bytes, pieces: vec![piece], mapped: true }
    }

    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    pub(crate) fn is_mapped(&self) -> bool {
        self.mapped
    }

    fn piece(&self, rva: u64) -> Option<&Piece> {
        let index = self.pieces.partition_point(|piece| piece.end <= rva);
        self.pieces.get(index).filter(|piece| piece.start <= rva)
    }

    /// Returns the bytes from `rva` to the end of its piece, without the zeroes that follow them.
    pub(crate) fn tail(&self, rva: u64) -> Option<&'a [u8]> {
        let piece = self.piece(rva)?;
        let bytes = &self.bytes[piece.source_start..piece.source_end];
        let skip = usize::try_from(rva - piece.start).ok()?.min(bytes.len());
        Some(&bytes[skip..])
    }

    /// Returns the position in the file of the byte at `rva`, if it has one.
    pub(crate) fn file_offset(&self, rva: u64) -> Option<FileOffset> {
        let piece = self.piece(rva).filter(|_| !self.mapped)?;
        let offset = piece.source_start as u64 + (rva - piece.start);
        (offset < piece.source_end as u64).then_some(FileOffset::new(offset))
    }

    /// Returns `length` bytes in one slice; `None` where a part of them is zero fill or not mapped.
    pub(crate) fn slice(&self, rva: u64, length: u64) -> Option<&'a [u8]> {
        self.tail(rva)?.get(..usize::try_from(length).ok()?)
    }

    /// Reads `N` bytes, which may cross pieces and zero fill.
    pub(crate) fn read<const N: usize>(&self, rva: u64) -> Option<[u8; N]> {
        if let Some(bytes) = self.tail(rva)?.first_chunk() {
            return Some(*bytes);
        }
        let mut bytes = [0; N];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = self.tail(rva.checked_add(index as u64)?)?.first().copied().unwrap_or(0);
        }
        Some(bytes)
    }

    /// Reads a text up to its NUL, which may be the first byte of zero fill.
    ///
    /// The outer `None` means that `rva` is not mapped, the inner one that no NUL came within `limit` bytes.
    pub(crate) fn text(&self, rva: u64, limit: usize) -> Option<Option<&'a [u8]>> {
        let piece = self.piece(rva)?;
        let tail = self.tail(rva)?;
        let head = &tail[..tail.len().min(limit)];
        if let Some(length) = head.iter().position(|&byte| byte == 0) {
            return Some(Some(&head[..length]));
        }
        let zero_fill_follows = rva + (tail.len() as u64) < piece.end;
        Some((head.len() == tail.len() && zero_fill_follows).then_some(head))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> View<'static> {
        let pieces = vec![
            Piece { start: 0, end: 8, source_start: 0, source_end: 4 },
            Piece { start: 8, end: 16, source_start: 4, source_end: 8 },
            Piece { start: 32, end: 40, source_start: 8, source_end: 8 },
        ];
        View::of_file(b"abcdEFGH", pieces)
    }

    #[test]
    fn reads_cross_pieces_and_zero_fill() {
        assert_eq!(view().read(2), Some(*b"cd\0\0\0\0EF"));
        assert_eq!(view().read(32), Some([0; 8]));
        assert_eq!(view().read::<2>(15), None, "byte 16 is in a hole");
        assert_eq!(view().read::<8>(u64::MAX - 3), None);
    }

    #[test]
    fn texts_end_at_zero_fill() {
        assert_eq!(view().text(1, 99), Some(Some(&b"bcd"[..])));
        assert_eq!(view().text(1, 2), Some(None));
        assert_eq!(view().text(33, 99), Some(Some(&b""[..])));
        assert_eq!(view().text(20, 99), None);
    }

    #[test]
    fn file_offsets_exist_only_for_bytes_of_the_file() {
        assert_eq!(view().file_offset(9), Some(FileOffset::new(5)));
        assert_eq!(view().file_offset(6), None);
    }
}
