//! Keys made of other secrets: PBKDF2, HKDF, SP 800-108, and CryptoAPI's own way.

use super::cipher::xor;
use super::hash::{HashAlgorithm, Hasher, Hmac};

/// Fills `into` with a key made of a password.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc8018#section-5.2>
pub fn pbkdf2(algorithm: HashAlgorithm, password: &[u8], salt: &[u8], iterations: u64, into: &mut [u8]) {
    let keyed = Hmac::new(algorithm, password);
    let code = |bytes: &[&[u8]]| {
        let mut mac = keyed.clone();
        bytes.iter().for_each(|piece| mac.update(piece));
        mac.finish()
    };
    for (block, number) in into.chunks_mut(algorithm.digest_bytes()).zip(1u32..) {
        let mut last = code(&[salt, &number.to_be_bytes()]);
        let mut sum = last.clone();
        for _ in 1..iterations {
            last = code(&[&last]);
            xor(&mut sum, &last);
        }
        block.copy_from_slice(&sum[..block.len()]);
    }
}

/// Returns the pseudorandom key of HKDF.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc5869#section-2.2>
pub fn hkdf_extract(algorithm: HashAlgorithm, salt: &[u8], secret: &[u8]) -> Vec<u8> {
    algorithm.hmac(salt, secret)
}

/// Fills `into` with a key of HKDF; says whether it is not too long for it.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc5869#section-2.3>
pub fn hkdf_expand(algorithm: HashAlgorithm, key: &[u8], info: &[u8], into: &mut [u8]) -> bool {
    if into.len() > 255 * algorithm.digest_bytes() {
        return false;
    }
    let mut last = Vec::new();
    for (block, number) in into.chunks_mut(algorithm.digest_bytes()).zip(1..=u8::MAX) {
        last = algorithm.hmac(key, &[&last[..], info, &[number]].concat());
        block.copy_from_slice(&last[..block.len()]);
    }
    true
}

/// Fills `into` with a key of SP 800-108 in counter mode with HMAC: the counter has 32 bits, the label ends with a zero.
///
/// Source: NIST SP 800-108, section 5.1
pub fn counter_hmac(algorithm: HashAlgorithm, key: &[u8], label: &[u8], context: &[u8], into: &mut [u8]) {
    let bits = (into.len() as u32).wrapping_mul(8).to_be_bytes();
    for (block, number) in into.chunks_mut(algorithm.digest_bytes()).zip(1u32..) {
        let message = [&number.to_be_bytes(), label, &[0], context, &bits].concat();
        block.copy_from_slice(&algorithm.hmac(key, &message)[..block.len()]);
    }
}

/// Returns what `CryptDeriveKey` makes of a hash: `size` bytes, or all it can give. `stretches` says whether the key is
/// one for which hashes outside the SHA-2 family are always stretched (AES, Triple DES).
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptderivekey>
pub fn capi(algorithm: HashAlgorithm, hash: &[u8], size: usize, stretches: bool) -> Vec<u8> {
    use HashAlgorithm::{Sha256, Sha384, Sha512};
    let is_new = matches!(algorithm, Sha256 | Sha384 | Sha512);
    let mut key = match size > hash.len() || stretches && !is_new {
        false => hash.to_vec(),
        true => [0x36, 0x5c].map(|pad| padded_hash(algorithm, hash, pad)).concat(),
    };
    key.truncate(size);
    key
}

/// Hashes 64 bytes that hold a hash and a constant.
fn padded_hash(algorithm: HashAlgorithm, hash: &[u8], pad: u8) -> Vec<u8> {
    let mut block = [pad; 64];
    xor(&mut block, hash);
    let mut hasher = Hasher::new(algorithm);
    hasher.update(&block);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::crypto::test_hex::hex;

    /// Sources: RFC 6070, vectors 1, 2 and 5; RFC 7914, section 11, the first 32 bytes.
    #[test]
    fn pbkdf2_has_the_published_keys() {
        let cases: [(HashAlgorithm, &str, &str, u64, &str); 4] = [
            (HashAlgorithm::Sha1, "password", "salt", 1, "0c60c80f961f0e71f3a9b524af6012062fe037a6"),
            (HashAlgorithm::Sha1, "password", "salt", 2, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957"),
            (
                HashAlgorithm::Sha1,
                "passwordPASSWORDpassword",
                "saltSALTsaltSALTsaltSALTsaltSALTsalt",
                4096,
                "3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038",
            ),
            (
                HashAlgorithm::Sha256,
                "passwd",
                "salt",
                1,
                "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc",
            ),
        ];
        for (algorithm, password, salt, iterations, key) in cases {
            let mut made = vec![0; key.len() / 2];
            pbkdf2(algorithm, password.as_bytes(), salt.as_bytes(), iterations, &mut made);
            assert_eq!(made, hex(key), "{password} {iterations}");
        }
    }

    /// Source: RFC 5869, A.1.
    #[test]
    fn hkdf_has_the_published_key() {
        let secret = [0x0b; 22];
        let key = hkdf_extract(HashAlgorithm::Sha256, &hex("000102030405060708090a0b0c"), &secret);
        assert_eq!(key, hex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"));
        let mut made = [0; 42];
        assert!(hkdf_expand(HashAlgorithm::Sha256, &key, &hex("f0f1f2f3f4f5f6f7f8f9"), &mut made));
        let known = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
        assert_eq!(made.to_vec(), hex(known));
        assert!(hkdf_expand(HashAlgorithm::Sha256, &key, &[], &mut vec![0; 255 * 32]));
        assert!(!hkdf_expand(HashAlgorithm::Sha256, &key, &[], &mut vec![0; 255 * 32 + 1]));
    }

    /// The definition, spelled out for one block; and that a longer key does not begin with a shorter one.
    #[test]
    fn counter_mode_binds_the_length() {
        let (mut short, mut long) = ([0; 16], [0; 40]);
        counter_hmac(HashAlgorithm::Sha256, b"key", b"label", b"context", &mut short);
        let message = b"\0\0\0\x01label\0context\0\0\0\x80";
        assert_eq!(short[..], HashAlgorithm::Sha256.hmac(b"key", message)[..16]);
        counter_hmac(HashAlgorithm::Sha256, b"key", b"label", b"context", &mut long);
        assert_ne!(short[..], long[..16]);
    }

    #[test]
    fn keys_are_stretched_where_windows_does() {
        let md5 = HashAlgorithm::Md5.hash(b"secret");
        assert_eq!(capi(HashAlgorithm::Md5, &md5, 16, false), md5);
        assert_ne!(capi(HashAlgorithm::Md5, &md5, 16, true), md5);
        assert_eq!(capi(HashAlgorithm::Md5, &md5, 40, true).len(), 32);
        let sha256 = HashAlgorithm::Sha256.hash(b"secret");
        assert_eq!(capi(HashAlgorithm::Sha256, &sha256, 32, true), sha256);
    }
}
