//! Signatures and shared secrets on the curves of NIST.
//!
//! Key types: [`Curve`], [`EcKey`]. Points and numbers are big-endian bytes of the curve's size.

use p256::ecdsa::signature::hazmat::{PrehashVerifier, RandomizedPrehashSigner};

use super::CryptoError;
use super::rsa::Random;

/// A curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Curve {
    /// secp256r1.
    P256,
    /// secp384r1.
    P384,
    /// secp521r1.
    P521,
}

impl Curve {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    /// Returns the size of a coordinate in bytes.
    pub const fn bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// Returns the size of a coordinate in bits.
    pub const fn bits(self) -> u32 {
        match self {
            Self::P256 => 256,
            Self::P384 => 384,
            Self::P521 => 521,
        }
    }

    /// Returns the names that CNG has for it.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/seccng/cng-named-elliptic-curves>
    pub const fn names(self) -> [&'static str; 2] {
        match self {
            Self::P256 => ["nistP256", "secP256r1"],
            Self::P384 => ["nistP384", "secP384r1"],
            Self::P521 => ["nistP521", "secP521r1"],
        }
    }
}

/// A key on a curve: the point, and the secret number of a private key.
#[derive(Clone, PartialEq, Eq)]
pub struct EcKey {
    /// The curve.
    pub curve: Curve,
    /// Both coordinates of the point, one after the other.
    pub point: Vec<u8>,
    /// The secret number, if the key is private.
    pub secret: Option<Vec<u8>>,
}

impl std::fmt::Debug for EcKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EcKey({:?}, private: {})", self.curve, self.secret.is_some())
    }
}

/// Runs code with `$library` naming the crate of a curve.
macro_rules! on_curve {
    ($curve:expr, $library:ident => $code:expr) => {
        match $curve {
            Curve::P256 => {
                use p256 as $library;
                $code
            }
            Curve::P384 => {
                use p384 as $library;
                $code
            }
            Curve::P521 => {
                use p521 as $library;
                $code
            }
        }
    };
}

impl EcKey {
    /// Makes a public key of the coordinates of its point.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when the point is not on the curve.
    pub fn public(curve: Curve, point: &[u8]) -> Result<Self, CryptoError> {
        let sound = point.len() == 2 * curve.bytes()
            && on_curve!(curve, ec => ec::PublicKey::from_sec1_bytes(&uncompressed(point)).is_ok());
        match sound {
            true => Ok(Self { curve, point: point.to_vec(), secret: None }),
            false => Err(CryptoError::Malformed),
        }
    }

    /// Makes a private key of its secret number.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when the number is zero or not below the curve's order.
    pub fn private(curve: Curve, secret: &[u8]) -> Result<Self, CryptoError> {
        if secret.len() != curve.bytes() {
            return Err(CryptoError::Malformed);
        }
        let point = on_curve!(curve, ec => {
            let key = ec::SecretKey::from_slice(secret).map_err(|_| CryptoError::Malformed)?;
            ec::EncodedPoint::from(key.public_key()).as_bytes()[1..].to_vec()
        });
        Ok(Self { curve, point, secret: Some(secret.to_vec()) })
    }

    /// Makes a new private key with random bytes from `fill`.
    pub fn generate(curve: Curve, mut fill: impl FnMut(&mut [u8])) -> Self {
        let mut secret = vec![0; curve.bytes()];
        loop {
            fill(&mut secret);
            if curve == Curve::P521 {
                secret[0] &= 1;
            }
            if let Ok(key) = Self::private(curve, &secret) {
                return key;
            }
        }
    }

    /// Signs a hash of any length; returns both numbers of the signature.
    ///
    /// # Errors
    /// [`CryptoError::Parameter`] when the key is public.
    ///
    /// Source: FIPS 186-4, section 6
    pub fn sign(&self, hash: &[u8], random: &mut Random<'_>) -> Result<Vec<u8>, CryptoError> {
        let secret = self.secret.as_deref().ok_or(CryptoError::Parameter)?;
        let hash = as_number(self.curve, hash);
        on_curve!(self.curve, ec => {
            let key = ec::ecdsa::SigningKey::from_slice(secret).map_err(|_| CryptoError::Malformed)?;
            let signature: ec::ecdsa::Signature =
                key.sign_prehash_with_rng(random, &hash).map_err(|_| CryptoError::Parameter)?;
            Ok(signature.to_bytes().to_vec())
        })
    }

    /// Checks the signature of a hash.
    ///
    /// # Errors
    /// [`CryptoError::Signature`] when it does not fit.
    pub fn verify(&self, hash: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let hash = as_number(self.curve, hash);
        on_curve!(self.curve, ec => {
            let point = ec::EncodedPoint::from_bytes(uncompressed(&self.point));
            let key = point.ok().and_then(|point| ec::ecdsa::VerifyingKey::from_encoded_point(&point).ok());
            let signature = ec::ecdsa::Signature::from_slice(signature).map_err(|_| CryptoError::Signature)?;
            key.ok_or(CryptoError::Malformed)?
                .verify_prehash(&hash, &signature)
                .map_err(|_| CryptoError::Signature)
        })
    }

    /// Returns the secret that this private key shares with the owner of another key.
    ///
    /// # Errors
    /// [`CryptoError::Parameter`] when this key is public or the curves differ.
    pub fn agree(&self, other: &Self) -> Result<Vec<u8>, CryptoError> {
        let secret =
            self.secret.as_deref().filter(|_| self.curve == other.curve).ok_or(CryptoError::Parameter)?;
        on_curve!(self.curve, ec => {
            let secret = ec::SecretKey::from_slice(secret).map_err(|_| CryptoError::Malformed)?;
            let public = ec::PublicKey::from_sec1_bytes(&uncompressed(&other.point))
                .map_err(|_| CryptoError::Malformed)?;
            let shared = ec::ecdh::diffie_hellman(secret.to_nonzero_scalar(), public.as_affine());
            Ok(shared.raw_secret_bytes().to_vec())
        })
    }
}

/// Returns a point in the form of SEC 1, section 2.3.3, without compression.
fn uncompressed(point: &[u8]) -> Vec<u8> {
    [&[4], point].concat()
}

/// Gives a hash the size of the curve, as the number that it is: short ones get zeros before them.
fn as_number(curve: Curve, hash: &[u8]) -> Vec<u8> {
    let mut number = vec![0; curve.bytes().saturating_sub(hash.len())];
    number.extend_from_slice(hash);
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logic::crypto::hash::HashAlgorithm;
    use crate::logic::crypto::test_hex::hex;

    /// Source: RFC 6979, A.2.5 and A.2.6: the signatures of `sample`.
    #[test]
    fn signatures_are_the_published_ones() {
        let cases = [
            (
                Curve::P256,
                HashAlgorithm::Sha256,
                "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
                "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716\
                 f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
            ),
            (
                Curve::P384,
                HashAlgorithm::Sha384,
                "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
                "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46\
                 99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
            ),
        ];
        for (curve, algorithm, secret, signature) in cases {
            let key = EcKey::private(curve, &hex(secret)).expect("a private key");
            let hash = algorithm.hash(b"sample");
            let public = EcKey::public(curve, &key.point).expect("a point of the curve");
            assert_eq!(public.verify(&hash, &hex(signature)), Ok(()));
            assert_eq!(public.verify(&hash[1..], &hex(signature)), Err(CryptoError::Signature));
            let mut fill = |bytes: &mut [u8]| bytes.fill(5);
            assert_eq!(public.sign(&hash, &mut Random(&mut fill)), Err(CryptoError::Parameter));
        }
    }

    #[test]
    fn both_sides_agree_and_short_hashes_can_be_signed() {
        let mut next = 1u8;
        let mut fill = |bytes: &mut [u8]| {
            next = next.wrapping_mul(13).wrapping_add(7);
            bytes.iter_mut().zip(0u8..).for_each(|(byte, at)| *byte = next.wrapping_add(at).wrapping_mul(31));
        };
        for curve in Curve::ALL {
            let (one, other) = (EcKey::generate(curve, &mut fill), EcKey::generate(curve, &mut fill));
            assert_ne!(one, other);
            let shared = one.agree(&other).expect("the same curve");
            assert_eq!(Ok(&shared), other.agree(&one).as_ref());
            assert_eq!(shared.len(), curve.bytes());
            let hash = HashAlgorithm::Md5.hash(b"short");
            let signature = one.sign(&hash, &mut Random(&mut fill)).expect("private");
            assert_eq!(one.verify(&hash, &signature), Ok(()));
            assert_eq!(other.verify(&hash, &signature), Err(CryptoError::Signature));
        }
    }

    #[test]
    fn points_off_the_curve_are_refused() {
        assert_eq!(EcKey::public(Curve::P256, &[1; 64]), Err(CryptoError::Malformed));
        assert_eq!(EcKey::public(Curve::P256, &[1; 63]), Err(CryptoError::Malformed));
        assert_eq!(EcKey::private(Curve::P256, &[0; 32]), Err(CryptoError::Malformed));
        assert_eq!(EcKey::private(Curve::P256, &[0xff; 32]), Err(CryptoError::Malformed));
    }
}
