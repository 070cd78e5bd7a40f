//! RC4, the stream cipher.
//!
//! Source: <https://www.rfc-editor.org/rfc/rfc6229> (test vectors and references)

/// The state of RC4 with one key.
#[derive(Clone)]
pub struct Rc4 {
    state: [u8; 256],
    i: u8,
    j: u8,
}

impl std::fmt::Debug for Rc4 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Rc4")
    }
}

impl Rc4 {
    /// Begins with a key; an empty one counts as a single zero.
    pub fn new(key: &[u8]) -> Self {
        let key = if key.is_empty() { &[0][..] } else { key };
        let mut state = std::array::from_fn(|at| at as u8);
        let mut j = 0u8;
        for i in 0..256 {
            j = j.wrapping_add(state[i]).wrapping_add(key[i % key.len()]);
            state.swap(i, usize::from(j));
        }
        Self { state, i: 0, j: 0 }
    }

    /// Encrypts or decrypts data in place, which is the same.
    pub fn apply(&mut self, data: &mut [u8]) {
        for byte in data {
            self.i = self.i.wrapping_add(1);
            let (i, old_j) = (usize::from(self.i), self.j);
            self.j = old_j.wrapping_add(self.state[i]);
            self.state.swap(i, usize::from(self.j));
            let at = self.state[i].wrapping_add(self.state[usize::from(self.j)]);
            *byte ^= self.state[usize::from(at)];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::crypto::test_hex::hex;

    /// Source: RFC 6229, keys of 40 and 128 bits, first 16 bytes; the second also from offset 4096.
    #[test]
    fn the_stream_is_the_published_one() {
        let mut stream = vec![0; 16];
        Rc4::new(&hex("0102030405")).apply(&mut stream);
        assert_eq!(stream, hex("b2396305f03dc027ccc3524a0a1118a8"));
        let mut stream = vec![0; 4112];
        Rc4::new(&hex("0102030405060708090a0b0c0d0e0f10")).apply(&mut stream);
        assert_eq!(stream[..16], hex("9ac7cc9a609d1ef7b2932899cde41b97"));
        assert_eq!(stream[4096..], hex("a36a4c301ae8ac13610ccbc12256cacc"));
    }
}
