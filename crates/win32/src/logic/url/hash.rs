//! The hash of `HashData` and `UrlHash`: a byte of the result is Pearson's hash of the text, begun with its place.
//!
//! Source: Peter K. Pearson, Fast Hashing of Variable-Length Text Strings, Communications of the ACM 33 (6), 1990; that the
//! table is read by columns and the text from its end was recorded under Wine 8.0

/// Pearson's permutation.
#[rustfmt::skip]
const TABLE: [u8; 256] = [
    1, 14, 110, 25, 97, 174, 132, 119, 138, 170, 125, 118, 27, 233, 140, 51,
    87, 197, 177, 107, 234, 169, 56, 68, 30, 7, 173, 73, 188, 40, 36, 65,
    49, 213, 104, 190, 57, 211, 148, 223, 48, 115, 15, 2, 67, 186, 210, 28,
    12, 181, 103, 70, 22, 58, 75, 78, 183, 167, 238, 157, 124, 147, 172, 144,
    176, 161, 141, 86, 60, 66, 128, 83, 156, 241, 79, 46, 168, 198, 41, 254,
    178, 85, 253, 237, 250, 154, 133, 88, 35, 206, 95, 116, 252, 192, 54, 221,
    102, 218, 255, 240, 82, 106, 158, 201, 61, 3, 89, 9, 42, 155, 159, 93,
    166, 80, 50, 34, 175, 195, 100, 99, 26, 150, 16, 145, 4, 33, 8, 189,
    121, 64, 77, 72, 208, 245, 130, 122, 143, 55, 105, 134, 29, 164, 185, 194,
    193, 239, 101, 242, 5, 171, 126, 11, 74, 59, 137, 228, 108, 191, 232, 139,
    6, 24, 81, 20, 127, 17, 91, 92, 251, 151, 225, 207, 21, 98, 113, 112,
    84, 226, 18, 214, 199, 187, 13, 32, 94, 220, 224, 212, 247, 204, 196, 43,
    249, 236, 45, 244, 111, 182, 153, 136, 129, 90, 217, 202, 19, 165, 231, 71,
    230, 142, 96, 227, 62, 179, 246, 114, 162, 53, 160, 215, 205, 180, 47, 109,
    44, 38, 31, 149, 135, 0, 216, 52, 63, 23, 37, 69, 39, 117, 146, 184,
    163, 200, 222, 235, 248, 243, 219, 10, 152, 131, 123, 229, 203, 76, 120, 209,
];

/// Hashes bytes to `size` bytes.
pub fn hash(bytes: &[u8], size: usize) -> Vec<u8> {
    let begin = |place: usize| place as u8;
    let step = |hash: u8, byte: &u8| TABLE[usize::from(hash ^ byte)];
    (0..size).map(|place| bytes.iter().rev().fold(begin(place), step)).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_hash_recorded() {
        assert_eq!(super::hash(b"http://www.winehq.org/", 4), [0x36, 0x8b, 0xd6, 0xb9]);
    }
}
