//! The checksum of a PE file: [`checksum`].

use crate::FileOffset;

/// Computes the `CheckSum` of `file`, a whole file whose field lies at `field`: the ones' complement sum of its
/// little-endian 16-bit words, the field itself counted as zero, plus the file's length.
///
/// Source: Microsoft, "CheckSumMappedFile function"; PE Format, "CheckSum".
pub fn checksum(file: &[u8], field: FileOffset) -> u32 {
    let start = usize::try_from(field.get()).unwrap_or(usize::MAX).min(file.len());
    let end = start.saturating_add(4).min(file.len());
    // Sums of words fold, so the field's own words are taken away again from the sum of all.
    let mut without_field = [0; 8];
    let skew = start % 2;
    without_field[skew..skew + end - start].copy_from_slice(&file[start..end]);
    let minus = sum_of_words(&without_field);
    let words = fold(sum_of_words(file) - minus);
    words.wrapping_add(u32::try_from(file.len()).unwrap_or(u32::MAX))
}

/// Adds up the 16-bit words, as four lanes of a 64-bit number's halves: a compiler makes vector code of this.
fn sum_of_words(bytes: &[u8]) -> u64 {
    const LANES: usize = 16;
    let (chunks, rest) = bytes.as_chunks::<{ LANES * 2 }>();
    // 65,536 additions of words below 65,536 fit a lane of 32 bits.
    let mut total = 0u64;
    for part in chunks.chunks(1 << 15) {
        let mut lanes = [0u32; LANES];
        for chunk in part {
            for (lane, word) in lanes.iter_mut().zip(chunk.as_chunks::<2>().0) {
                *lane += u32::from(u16::from_le_bytes(*word));
            }
        }
        total += lanes.iter().map(|&lane| u64::from(lane)).sum::<u64>();
    }
    for word in rest.chunks(2) {
        total += u64::from(u16::from_le_bytes([word[0], word.get(1).copied().unwrap_or(0)]));
    }
    total
}

/// Adds the carries back in until 16 bits are left.
fn fold(mut sum: u64) -> u32 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    u32::try_from(sum).expect("16 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The algorithm as it is described, word by word.
    fn reference(file: &[u8], field: usize) -> u32 {
        let mut sum = 0u32;
        for at in (0..file.len()).step_by(2) {
            let byte = |at: usize| match file.get(at) {
                Some(_) if (field..field + 4).contains(&at) => 0,
                Some(byte) => u32::from(*byte),
                None => 0,
            };
            sum += byte(at) | byte(at + 1) << 8;
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum + file.len() as u32
    }

    #[test]
    fn agrees_with_the_description_at_every_length() {
        let file: Vec<u8> =
            (0..3_000_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 23) as u8).collect();
        for length in (0..200).chain([65_535, 65_536, 2_097_151, 2_999_999]) {
            for field in [0, 4, 88, 152, 197] {
                let expected = reference(&file[..length], field);
                assert_eq!(
                    checksum(&file[..length], FileOffset::new(field as u64)),
                    expected,
                    "{length} {field}"
                );
            }
        }
        let ones = vec![0xff; 5_000_000];
        assert_eq!(checksum(&ones, FileOffset::new(88)), reference(&ones, 88));
    }
}
