//! RSA: keys, signatures and encryption with the paddings of PKCS #1.
//!
//! Key types: [`RsaKey`], [`SignaturePadding`], [`EncryptionPadding`]. Numbers are big-endian bytes.

use rsa::rand_core::{CryptoRng, Error, RngCore};
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use rsa::{BigUint, Oaep, Pkcs1v15Encrypt, Pkcs1v15Sign, Pss, RsaPrivateKey, RsaPublicKey};

use super::CryptoError;
use super::hash::HashAlgorithm;

/// A key of RSA, public or private.
#[derive(Clone, PartialEq, Eq)]
pub enum RsaKey {
    /// Modulus and exponent.
    Public(RsaPublicKey),
    /// All numbers.
    Private(Box<RsaPrivateKey>),
}

impl std::fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RsaKey({} bits, private: {})", self.bits(), matches!(self, Self::Private(_)))
    }
}

/// How a hash becomes a number that is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignaturePadding {
    /// PKCS #1 1.5, with the hash's name if there is one.
    Pkcs1(Option<HashAlgorithm>),
    /// PSS with a salt of some bytes.
    Pss(HashAlgorithm, usize),
}

/// How data becomes a number that is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EncryptionPadding {
    /// None: the data is as long as the modulus.
    None,
    /// PKCS #1 1.5.
    Pkcs1,
    /// OAEP with a label.
    Oaep(HashAlgorithm, Vec<u8>),
}

/// Random numbers for the arithmetic, from a function that fills bytes.
pub struct Random<'a>(pub &'a mut dyn FnMut(&mut [u8]));

impl RngCore for Random<'_> {
    fn next_u32(&mut self) -> u32 {
        self.next_u64() as u32
    }
    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        (self.0)(&mut bytes);
        u64::from_le_bytes(bytes)
    }
    fn fill_bytes(&mut self, into: &mut [u8]) {
        (self.0)(into);
    }
    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Error> {
        (self.0)(into);
        Ok(())
    }
}
impl CryptoRng for Random<'_> {}

/// Runs code with the type of a hash; the oldest are not used with these paddings.
macro_rules! with_hash {
    ($algorithm:expr, $hash:ident => $code:expr) => {
        match $algorithm {
            HashAlgorithm::Md2 => {
                type $hash = md2::Md2;
                Ok($code)
            }
            HashAlgorithm::Md4 => {
                type $hash = md4::Md4;
                Ok($code)
            }
            HashAlgorithm::Md5 => {
                type $hash = md5::Md5;
                Ok($code)
            }
            HashAlgorithm::Sha1 => {
                type $hash = sha1::Sha1;
                Ok($code)
            }
            HashAlgorithm::Sha256 => {
                type $hash = sha2::Sha256;
                Ok($code)
            }
            HashAlgorithm::Sha384 => {
                type $hash = sha2::Sha384;
                Ok($code)
            }
            HashAlgorithm::Sha512 => {
                type $hash = sha2::Sha512;
                Ok($code)
            }
        }
    };
}

impl RsaKey {
    /// Makes a public key.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] for numbers that are none of a key.
    pub fn public(modulus: &[u8], exponent: &[u8]) -> Result<Self, CryptoError> {
        let (modulus, exponent) = (BigUint::from_bytes_be(modulus), BigUint::from_bytes_be(exponent));
        RsaPublicKey::new_with_max_size(modulus, exponent, 16384)
            .map(Self::Public)
            .map_err(|_| CryptoError::Malformed)
    }

    /// Makes a private key of the public exponent and both primes.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] for numbers that are none of a key.
    pub fn private(exponent: &[u8], first: &[u8], second: &[u8]) -> Result<Self, CryptoError> {
        let [exponent, first, second] = [exponent, first, second].map(BigUint::from_bytes_be);
        let one = BigUint::from(1u8);
        // The library divides by what is one less than each. Larger primes would keep it busy for hours.
        let is_large = |number: &BigUint| number.bits() > 8192;
        if first <= one
            || second <= one
            || exponent <= one
            || [&first, &second, &exponent].into_iter().any(is_large)
        {
            return Err(CryptoError::Malformed);
        }
        RsaPrivateKey::from_p_q(first, second, exponent)
            .map(|key| Self::Private(Box::new(key)))
            .map_err(|_| CryptoError::Malformed)
    }

    /// Makes a new private key of so many bits, with the exponent 65537.
    ///
    /// # Errors
    /// [`CryptoError::KeyLength`] for a size that cannot be.
    pub fn generate(bits: usize, random: &mut Random<'_>) -> Result<Self, CryptoError> {
        RsaPrivateKey::new(random, bits)
            .map(|key| Self::Private(Box::new(key)))
            .map_err(|_| CryptoError::KeyLength(bits / 8))
    }

    fn as_public(&self) -> RsaPublicKey {
        match self {
            Self::Public(key) => key.clone(),
            Self::Private(key) => key.to_public_key(),
        }
    }

    fn as_private(&self) -> Result<&RsaPrivateKey, CryptoError> {
        match self {
            Self::Public(_) => Err(CryptoError::Parameter),
            Self::Private(key) => Ok(key),
        }
    }

    /// Returns the size of the modulus in bits.
    pub fn bits(&self) -> u32 {
        self.as_public().n().bits() as u32
    }

    /// Returns the size of the modulus in bytes.
    pub fn bytes(&self) -> usize {
        self.as_public().size()
    }

    /// Returns the public exponent and the modulus.
    pub fn public_numbers(&self) -> [Vec<u8>; 2] {
        let key = self.as_public();
        [key.e().to_bytes_be(), key.n().to_bytes_be()]
    }

    /// Returns both primes, both exponents of the remainders, the coefficient and the private exponent, each as long as
    /// its place in a blob; nothing for a public key.
    pub fn private_numbers(&self) -> Option<[Vec<u8>; 6]> {
        let Self::Private(key) = self else { return None };
        let [first, second] = key.primes() else { return None };
        let one = BigUint::from(1u8);
        let half = self.bytes().div_ceil(2);
        let remainders = [first, second].map(|prime| key.d() % (prime - &one));
        let coefficient = key.crt_coefficient()?;
        Some([
            sized(first, half),
            sized(second, half),
            sized(&remainders[0], half),
            sized(&remainders[1], half),
            sized(&coefficient, half),
            sized(key.d(), self.bytes()),
        ])
    }

    /// Signs a hash.
    ///
    /// # Errors
    /// [`CryptoError::Parameter`] for a public key, a hash of another size than its name says, a key too short.
    pub fn sign(
        &self,
        padding: SignaturePadding,
        hash: &[u8],
        random: &mut Random<'_>,
    ) -> Result<Vec<u8>, CryptoError> {
        let key = self.as_private()?;
        check_size(padding, hash)?;
        let signed = match padding {
            SignaturePadding::Pkcs1(named) => key.sign_with_rng(random, pkcs1(named), hash),
            SignaturePadding::Pss(algorithm, salt) => {
                let scheme = with_hash!(algorithm, Hash => Pss::new_with_salt::<Hash>(salt))?;
                key.sign_with_rng(random, scheme, hash)
            }
        };
        signed.map_err(|_| CryptoError::Parameter)
    }

    /// Checks the signature of a hash.
    ///
    /// # Errors
    /// [`CryptoError::Signature`] when it does not fit.
    pub fn verify(
        &self,
        padding: SignaturePadding,
        hash: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        let key = self.as_public();
        check_size(padding, hash)?;
        let fits = match padding {
            SignaturePadding::Pkcs1(named) => key.verify(pkcs1(named), hash, signature),
            SignaturePadding::Pss(algorithm, salt) => {
                key.verify(with_hash!(algorithm, Hash => Pss::new_with_salt::<Hash>(salt))?, hash, signature)
            }
        };
        fits.map_err(|_| CryptoError::Signature)
    }

    /// Encrypts data for the owner of the key.
    ///
    /// # Errors
    /// [`CryptoError::DataLength`] for data that does not fit the key.
    pub fn encrypt(
        &self,
        padding: &EncryptionPadding,
        data: &[u8],
        random: &mut Random<'_>,
    ) -> Result<Vec<u8>, CryptoError> {
        let key = self.as_public();
        let encrypted = match padding {
            EncryptionPadding::None => return self.raise(key.e(), data),
            EncryptionPadding::Pkcs1 => key.encrypt(random, Pkcs1v15Encrypt, data),
            EncryptionPadding::Oaep(algorithm, label) => key.encrypt(random, oaep(*algorithm, label)?, data),
        };
        encrypted.map_err(|_| CryptoError::DataLength(data.len()))
    }

    /// Decrypts data.
    ///
    /// # Errors
    /// [`CryptoError::Parameter`] for a public key, [`CryptoError::Padding`] for data that was not encrypted so.
    pub fn decrypt(
        &self,
        padding: &EncryptionPadding,
        data: &[u8],
        random: &mut Random<'_>,
    ) -> Result<Vec<u8>, CryptoError> {
        let key = self.as_private()?;
        if data.len() != self.bytes() {
            return Err(CryptoError::DataLength(data.len()));
        }
        let plain = match padding {
            EncryptionPadding::None => return self.raise(key.d(), data),
            EncryptionPadding::Pkcs1 => key.decrypt_blinded(random, Pkcs1v15Encrypt, data),
            EncryptionPadding::Oaep(algorithm, label) => {
                key.decrypt_blinded(random, oaep(*algorithm, label)?, data)
            }
        };
        plain.map_err(|_| CryptoError::Padding)
    }

    /// Raises a number of the modulus's size to a power.
    fn raise(&self, exponent: &BigUint, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let number = BigUint::from_bytes_be(data);
        let key = self.as_public();
        if data.len() != self.bytes() || &number >= key.n() {
            return Err(CryptoError::DataLength(data.len()));
        }
        Ok(sized(&number.modpow(exponent, key.n()), self.bytes()))
    }
}

/// Returns a number's bytes with zeros before them up to a size.
fn sized(number: &BigUint, size: usize) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    let mut padded = vec![0; size.saturating_sub(bytes.len())];
    padded.extend_from_slice(&bytes);
    padded
}

fn check_size(padding: SignaturePadding, hash: &[u8]) -> Result<(), CryptoError> {
    let named = match padding {
        SignaturePadding::Pkcs1(named) => named,
        SignaturePadding::Pss(algorithm, _) => Some(algorithm),
    };
    match named.is_none_or(|algorithm| algorithm.digest_bytes() == hash.len()) {
        true => Ok(()),
        false => Err(CryptoError::Parameter),
    }
}

/// Returns the scheme with the encoded name of a hash before the hash.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc8017#section-9.2>, note 1
fn pkcs1(named: Option<HashAlgorithm>) -> Pkcs1v15Sign {
    let Some(algorithm) = named else { return Pkcs1v15Sign::new_unprefixed() };
    let identifier: &[u8] = match algorithm {
        HashAlgorithm::Md2 => &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 2],
        HashAlgorithm::Md4 => &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 4],
        HashAlgorithm::Md5 => &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 5],
        HashAlgorithm::Sha1 => &[0x2b, 0x0e, 3, 2, 0x1a],
        HashAlgorithm::Sha256 => &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1],
        HashAlgorithm::Sha384 => &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2],
        HashAlgorithm::Sha512 => &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3],
    };
    let (name, hash) = (identifier.len() as u8, algorithm.digest_bytes() as u8);
    let mut prefix = vec![0x30, name + hash + 8, 0x30, name + 4, 6, name];
    prefix.extend_from_slice(identifier);
    prefix.extend_from_slice(&[5, 0, 4, hash]);
    Pkcs1v15Sign { hash_len: Some(usize::from(hash)), prefix: prefix.into() }
}

fn oaep(algorithm: HashAlgorithm, label: &[u8]) -> Result<Oaep, CryptoError> {
    // The library takes labels as texts; those of other bytes are not to be had.
    let label = std::str::from_utf8(label).map_err(|_| CryptoError::Unsupported)?;
    with_hash!(algorithm, Hash => Oaep::new_with_label::<Hash, _>(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting() -> impl FnMut(&mut [u8]) {
        let mut state = 0x1234_5678_9abc_def1u64;
        move |bytes| {
            for byte in bytes {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                *byte = state as u8;
            }
        }
    }

    #[test]
    fn keys_sign_and_encrypt_for_each_other() {
        let mut source = counting();
        let mut random = Random(&mut source);
        let key = RsaKey::generate(1024, &mut random).expect("a size that can be");
        let [exponent, modulus] = key.public_numbers();
        let public = RsaKey::public(&modulus, &exponent).expect("the numbers of a key");
        assert_eq!((public.bits(), public.bytes(), public.private_numbers()), (1024, 128, None));
        let numbers = key.private_numbers().expect("a private key");
        // The private exponent may differ by a multiple; all other numbers are the same.
        let again = RsaKey::private(&exponent, &numbers[0], &numbers[1]).expect("the numbers of a key");
        assert_eq!(again.public_numbers(), [exponent.clone(), modulus.clone()]);
        assert_eq!(again.private_numbers().map(|again| again[..5].to_vec()), Some(numbers[..5].to_vec()));
        for algorithm in
            [HashAlgorithm::Md5, HashAlgorithm::Sha1, HashAlgorithm::Sha256, HashAlgorithm::Sha384]
        {
            let hash = algorithm.hash(b"message");
            let paddings = [
                SignaturePadding::Pkcs1(Some(algorithm)),
                SignaturePadding::Pkcs1(None),
                SignaturePadding::Pss(algorithm, 20),
            ];
            for padding in paddings {
                let signature = key.sign(padding, &hash, &mut random).expect("it fits");
                assert_eq!(public.verify(padding, &hash, &signature), Ok(()));
                let other = algorithm.hash(b"massage");
                assert_eq!(public.verify(padding, &other, &signature), Err(CryptoError::Signature));
                assert_eq!(public.sign(padding, &hash, &mut random), Err(CryptoError::Parameter));
                assert_eq!(
                    key.sign(padding, &hash[1..], &mut random).is_ok(),
                    padding == SignaturePadding::Pkcs1(None)
                );
            }
        }
        for padding in
            [EncryptionPadding::Pkcs1, EncryptionPadding::Oaep(HashAlgorithm::Sha256, b"label".to_vec())]
        {
            let encrypted = public.encrypt(&padding, b"secret", &mut random).expect("it fits");
            assert_eq!(key.decrypt(&padding, &encrypted, &mut random).as_deref(), Ok(&b"secret"[..]));
            assert_eq!(key.decrypt(&padding, &[1; 128], &mut random), Err(CryptoError::Padding));
            let long = public.encrypt(&padding, &[7; 128], &mut random);
            assert_eq!(long, Err(CryptoError::DataLength(128)));
        }
        let raw =
            public.encrypt(&EncryptionPadding::None, &[1; 128], &mut random).expect("below the modulus");
        assert_eq!(key.decrypt(&EncryptionPadding::None, &raw, &mut random), Ok(vec![1; 128]));
    }

    /// Source: a signature made with OpenSSL 3 (`openssl dgst -sha256 -sign`) of `abc`, with a key made for this test.
    #[test]
    fn a_signature_of_another_program_fits() {
        use crate::logic::crypto::test_hex::hex;
        let key = RsaKey::public(&hex(MODULUS), &[1, 0, 1]).expect("a key");
        let hash = HashAlgorithm::Sha256.hash(b"abc");
        let padding = SignaturePadding::Pkcs1(Some(HashAlgorithm::Sha256));
        assert_eq!(key.verify(padding, &hash, &hex(SIGNATURE)), Ok(()));
        let other = SignaturePadding::Pkcs1(Some(HashAlgorithm::Sha1));
        assert_eq!(key.verify(other, &hash[..20], &hex(SIGNATURE)), Err(CryptoError::Signature));
    }

    #[test]
    fn numbers_that_are_no_key_are_refused() {
        assert_eq!(RsaKey::public(&[], &[3]), Err(CryptoError::Malformed));
        assert_eq!(RsaKey::public(&[0xff; 64], &[0]), Err(CryptoError::Malformed));
        assert_eq!(RsaKey::private(&[3], &[0], &[1]), Err(CryptoError::Malformed));
        assert_eq!(RsaKey::private(&[3], &[7], &[7]), Err(CryptoError::Malformed));
        assert_eq!(RsaKey::private(&[1, 0, 1], &[4; 64], &[6; 64]), Err(CryptoError::Malformed));
    }

    const MODULUS: &str = "e3508b3d5de4b8da038f736b1625ba3de594450e04ec74ae4f5771f4495694bf660555d66fbde364bf02472e3c8d9192\
                           fb47e3c7dafe697011c1245f2b778e22eadd7108fbdf1e1912f3cd6f6a09af26cb477709ae6e338ce6dc75b05b143ef2\
                           14a111b17974b2b48a522f49239d7108551bb0a42da7821e47b7962799133a57";
    const SIGNATURE: &str = "bb095787a6fa6ab25f4836f93417e746313d0faf3321e35565cefed5e880848733b644f4af921fe5e2c54aad8050405a\
                           7bb4a96aef7e3800c8270568cd58373d18a3c87dc92c85e738b0ad1c71518f34d8aa753a86031d258ad360ed98ea70d0\
                           f73e75de3b46d56a814a40d1cc7f46ed4200facb1d7f799cc3523b38c492e3fe";
}
