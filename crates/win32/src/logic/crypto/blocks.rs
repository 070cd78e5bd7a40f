//! MD4, MD5 and SHA-1 block by block, for functions whose callers keep the state: [`Digest`].
//!
//! Sources: <https://www.rfc-editor.org/rfc/rfc1320>, <https://www.rfc-editor.org/rfc/rfc1321>,
//! <https://www.rfc-editor.org/rfc/rfc3174>

/// Bytes of a block.
pub const BLOCK: usize = 64;

/// Which of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// MD4: four words, the least byte first.
    Md4,
    /// MD5: as MD4.
    Md5,
    /// SHA-1: five words, the most significant byte first.
    Sha1,
}

/// The words with which all three begin.
pub const START: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

impl Digest {
    /// Returns how many words the state has.
    pub const fn words(self) -> usize {
        match self {
            Self::Sha1 => 5,
            _ => 4,
        }
    }

    /// Takes a block into the state; what is shorter counts as followed by zeros.
    pub fn compress(self, state: &mut [u32; 5], block: &[u8]) {
        let mut words = [0_u32; 16];
        for (word, bytes) in words.iter_mut().zip(block.chunks(4)) {
            let mut whole = [0; 4];
            whole[..bytes.len()].copy_from_slice(bytes);
            *word = match self {
                Self::Sha1 => u32::from_be_bytes(whole),
                _ => u32::from_le_bytes(whole),
            };
        }
        let sum = match self {
            Self::Md4 => md4(*state, &words),
            Self::Md5 => md5(*state, &words),
            Self::Sha1 => sha1(*state, &words),
        };
        for (word, more) in state.iter_mut().zip(sum) {
            *word = word.wrapping_add(more);
        }
    }

    /// Returns what follows the last bytes of a message: a bit, zeros, the length in bits. `rest` are those bytes.
    pub fn padding(self, rest: usize, bits: u64) -> Vec<u8> {
        let zeros = (BLOCK + 55 - rest % BLOCK) % BLOCK;
        let mut padding = vec![0; 1 + zeros];
        padding[0] = 0x80;
        padding.extend(match self {
            Self::Sha1 => bits.to_be_bytes(),
            _ => bits.to_le_bytes(),
        });
        padding
    }

    /// Returns the digest of a state.
    pub fn digest(self, state: &[u32; 5]) -> Vec<u8> {
        let bytes = |word: &u32| match self {
            Self::Sha1 => word.to_be_bytes(),
            _ => word.to_le_bytes(),
        };
        state[..self.words()].iter().flat_map(bytes).collect()
    }
}

fn md4([mut a, mut b, mut c, mut d, _]: [u32; 5], words: &[u32; 16]) -> [u32; 5] {
    const ORDER: [usize; 16] = [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15];
    const TURNS: [[u32; 4]; 3] = [[3, 7, 11, 19], [3, 5, 9, 13], [3, 9, 11, 15]];
    for step in 0..48 {
        let (round, at) = (step / 16, step % 16);
        let (mixed, constant, place) = match round {
            0 => ((b & c) | (!b & d), 0, at),
            1 => ((b & c) | (b & d) | (c & d), 0x5a82_7999, at % 4 * 4 + at / 4),
            _ => (b ^ c ^ d, 0x6ed9_eba1, ORDER[at]),
        };
        let sum = a.wrapping_add(mixed).wrapping_add(words[place]).wrapping_add(constant);
        (a, d, c, b) = (d, c, b, sum.rotate_left(TURNS[round][at % 4]));
    }
    [a, b, c, d, 0]
}

fn md5([mut a, mut b, mut c, mut d, _]: [u32; 5], words: &[u32; 16]) -> [u32; 5] {
    const TURNS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    for step in 0..64 {
        let (round, at) = (step / 16, step % 16);
        let (mixed, place) = match round {
            0 => ((b & c) | (!b & d), at),
            1 => ((d & b) | (!d & c), (5 * at + 1) % 16),
            2 => (b ^ c ^ d, (3 * at + 5) % 16),
            _ => (c ^ (b | !d), 7 * at % 16),
        };
        // The table of RFC 1321: 2^32 times the sine of the step, without its sign.
        let constant = (((step + 1) as f64).sin().abs() * 4_294_967_296.0) as u32;
        let sum = a.wrapping_add(mixed).wrapping_add(words[place]).wrapping_add(constant);
        (a, d, c, b) = (d, c, b, b.wrapping_add(sum.rotate_left(TURNS[round][at % 4])));
    }
    [a, b, c, d, 0]
}

fn sha1([mut a, mut b, mut c, mut d, mut e]: [u32; 5], words: &[u32; 16]) -> [u32; 5] {
    let mut schedule = [0_u32; 80];
    schedule[..16].copy_from_slice(words);
    for at in 16..80 {
        let mixed = schedule[at - 3] ^ schedule[at - 8] ^ schedule[at - 14] ^ schedule[at - 16];
        schedule[at] = mixed.rotate_left(1);
    }
    for (at, word) in schedule.into_iter().enumerate() {
        let (mixed, constant) = match at / 20 {
            0 => ((b & c) | (!b & d), 0x5a82_7999_u32),
            1 => (b ^ c ^ d, 0x6ed9_eba1),
            2 => ((b & c) | (b & d) | (c & d), 0x8f1b_bcdc),
            _ => (b ^ c ^ d, 0xca62_c1d6),
        };
        let sum =
            a.rotate_left(5).wrapping_add(mixed).wrapping_add(e).wrapping_add(word).wrapping_add(constant);
        (e, d, c, b, a) = (d, c, b.rotate_left(30), a, sum);
    }
    [a, b, c, d, e]
}

#[cfg(test)]
mod tests {
    use super::super::hash::HashAlgorithm;
    use super::*;

    #[test]
    fn digests_are_those_of_the_streams() {
        let text: Vec<u8> = (0..300_u32).map(|byte| (byte * 7) as u8).collect();
        for length in [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 300] {
            for (digest, known) in [
                (Digest::Md4, HashAlgorithm::Md4),
                (Digest::Md5, HashAlgorithm::Md5),
                (Digest::Sha1, HashAlgorithm::Sha1),
            ] {
                let mut message = text[..length].to_vec();
                message.extend(digest.padding(length, length as u64 * 8));
                let mut state = START;
                message.chunks(BLOCK).for_each(|block| digest.compress(&mut state, block));
                assert_eq!(digest.digest(&state), known.hash(&text[..length]), "{digest:?} {length}");
            }
        }
    }
}
