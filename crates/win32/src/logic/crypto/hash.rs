//! Hashes and the message authentication codes made of them, as streams.
//!
//! Key types: [`HashAlgorithm`], [`Hasher`], [`Hmac`].

use sha2::Digest;

/// A hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HashAlgorithm {
    /// RFC 1319.
    Md2,
    /// RFC 1320.
    Md4,
    /// RFC 1321.
    Md5,
    /// FIPS 180-4.
    Sha1,
    /// FIPS 180-4.
    Sha256,
    /// FIPS 180-4.
    Sha384,
    /// FIPS 180-4.
    Sha512,
}

impl HashAlgorithm {
    /// All of them, from the oldest to the newest.
    pub const ALL: [Self; 7] =
        [Self::Md2, Self::Md4, Self::Md5, Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512];

    /// Returns the name as CNG spells it.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/seccng/cng-algorithm-identifiers>
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md2 => "MD2",
            Self::Md4 => "MD4",
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha384 => "SHA384",
            Self::Sha512 => "SHA512",
        }
    }

    /// Returns the algorithm of this name, without regard to case.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// Returns the size of a hash in bytes.
    pub const fn digest_bytes(self) -> usize {
        match self {
            Self::Md2 | Self::Md4 | Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Returns the size of the blocks it works on in bytes.
    pub const fn block_bytes(self) -> usize {
        match self {
            Self::Md2 => 16,
            Self::Md4 | Self::Md5 | Self::Sha1 | Self::Sha256 => 64,
            Self::Sha384 | Self::Sha512 => 128,
        }
    }

    /// Returns the hash of some bytes.
    pub fn hash(self, bytes: &[u8]) -> Vec<u8> {
        let mut hasher = Hasher::new(self);
        hasher.update(bytes);
        hasher.finish()
    }

    /// Returns the HMAC of some bytes.
    pub fn hmac(self, key: &[u8], bytes: &[u8]) -> Vec<u8> {
        let mut mac = Hmac::new(self, key);
        mac.update(bytes);
        mac.finish()
    }
}

/// Defines the state of each algorithm and hands the calls on.
macro_rules! hashers {
    ($($name:ident: $type:ty,)*) => {
        /// A hash that is being made.
        #[derive(Clone)]
        pub enum Hasher {
            $(#[doc = concat!("Of `", stringify!($name), "`.")]
            $name($type),)*
        }

        impl Hasher {
            /// Begins a hash.
            pub fn new(algorithm: HashAlgorithm) -> Self {
                match algorithm {
                    $(HashAlgorithm::$name => Self::$name(<$type>::new()),)*
                }
            }

            /// Returns which hash this is.
            pub const fn algorithm(&self) -> HashAlgorithm {
                match self {
                    $(Self::$name(_) => HashAlgorithm::$name,)*
                }
            }

            /// Adds bytes.
            pub fn update(&mut self, bytes: &[u8]) {
                match self {
                    $(Self::$name(state) => state.update(bytes),)*
                }
            }

            /// Returns the hash of all bytes that were added.
            pub fn finish(self) -> Vec<u8> {
                match self {
                    $(Self::$name(state) => state.finalize().to_vec(),)*
                }
            }
        }
    };
}
hashers! {
    Md2: md2::Md2,
    Md4: md4::Md4,
    Md5: md5::Md5,
    Sha1: sha1::Sha1,
    Sha256: sha2::Sha256,
    Sha384: sha2::Sha384,
    Sha512: sha2::Sha512,
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Hasher({:?})", self.algorithm())
    }
}

/// A keyed hash that is being made.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc2104>
#[derive(Clone, Debug)]
pub struct Hmac {
    inner: Hasher,
    outer: Hasher,
}

impl Hmac {
    /// Begins an HMAC with a key of any length.
    pub fn new(algorithm: HashAlgorithm, key: &[u8]) -> Self {
        let mut block = match key.len() > algorithm.block_bytes() {
            true => algorithm.hash(key),
            false => key.to_vec(),
        };
        block.resize(algorithm.block_bytes(), 0);
        Self::with_pads(algorithm, &block, 0x36, 0x5c)
    }

    /// Begins an HMAC with a key of one block and other bytes than RFC 2104's.
    pub fn with_pads(algorithm: HashAlgorithm, block: &[u8], inner_pad: u8, outer_pad: u8) -> Self {
        let padded = |pad: u8| {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(&block.iter().map(|byte| byte ^ pad).collect::<Vec<u8>>());
            hasher
        };
        Self { inner: padded(inner_pad), outer: padded(outer_pad) }
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.inner.update(bytes);
    }

    /// Returns the code of all bytes that were added.
    pub fn finish(self) -> Vec<u8> {
        let mut outer = self.outer;
        outer.update(&self.inner.finish());
        outer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::crypto::test_hex::hex;

    /// The hashes of `abc`. Sources: the algorithms' RFCs 1319, 1320, 1321 and FIPS 180-4's examples.
    #[test]
    fn abc_has_the_published_hashes() {
        let known = [
            "da853b0d3f88d99b30283a69e6ded6bb",
            "a448017aaf21d8525fc10ae87aa6729d",
            "900150983cd24fb0d6963f7d28e17f72",
            "a9993e364706816aba3e25717850c26c9cd0d89d",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd\
             454d4423643ce80e2a9ac94fa54ca49f",
        ];
        for (algorithm, known) in HashAlgorithm::ALL.into_iter().zip(known) {
            assert_eq!(algorithm.hash(b"abc"), hex(known), "{}", algorithm.name());
            assert_eq!(hex(known).len(), algorithm.digest_bytes());
        }
    }

    #[test]
    fn pieces_make_the_same_hash_as_the_whole() {
        let bytes: Vec<u8> = (0..1000u32).map(|at| (at * 7) as u8).collect();
        for algorithm in HashAlgorithm::ALL {
            let mut hasher = Hasher::new(algorithm);
            for piece in bytes.chunks(37) {
                hasher.update(piece);
            }
            assert_eq!(hasher.finish(), algorithm.hash(&bytes));
        }
    }

    /// Source: RFC 2202, test cases 1, 2 and 6; RFC 4231, test cases 2 and 6.
    #[test]
    fn hmac_has_the_published_codes() {
        let long_key = [0xaa; 131];
        let hash_first = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let jefe = b"what do ya want for nothing?";
        let cases: [(HashAlgorithm, &[u8], &[u8], &str); 6] = [
            (HashAlgorithm::Md5, &[0x0b; 16], b"Hi There", "9294727a3638bb1c13f48ef8158bfc9d"),
            (HashAlgorithm::Sha1, &[0x0b; 20], b"Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"),
            (HashAlgorithm::Sha1, b"Jefe", jefe, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (HashAlgorithm::Sha1, &[0xaa; 80], hash_first, "aa4ae5e15272d00e95705637ce8a3b55ed402112"),
            (
                HashAlgorithm::Sha256,
                b"Jefe",
                jefe,
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                HashAlgorithm::Sha384,
                &long_key,
                hash_first,
                "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
            ),
        ];
        for (algorithm, key, data, known) in cases {
            assert_eq!(algorithm.hmac(key, data), hex(known), "{algorithm:?}");
        }
    }
}
