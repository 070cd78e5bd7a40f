//! Cryptography as rules over bytes: hashes, ciphers, keys and texts, without a guest.
//!
//! `bcrypt`, `advapi32` and `crypt32` are translations above these modules. Key items: [`hash::Hasher`],
//! [`cipher::BlockKey`], [`CryptoError`].

pub mod aead;
pub mod authenticode;
pub mod blocks;
pub mod certificate;
pub mod chain;
pub mod cipher;
pub mod constraints;
pub mod decode;
pub mod ecc;
pub mod encode;
pub mod hash;
pub mod kdf;
pub mod layout;
pub mod message;
pub mod pkcs12;
pub mod revocation;
pub mod rsa;
pub mod signed;
pub mod stream;
pub mod text;

#[cfg(test)]
mod test_hex;

/// Why an operation on bytes and keys was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CryptoError {
    /// A key of a length that the algorithm does not have.
    #[error("the algorithm has no keys of {0} bytes")]
    KeyLength(usize),
    /// Data whose length does not fit the mode.
    #[error("{0} bytes are not a number of blocks")]
    DataLength(usize),
    /// A parameter outside of what the algorithm allows: a nonce, a tag, a salt.
    #[error("a parameter has a size or a value that the algorithm does not have")]
    Parameter,
    /// The padding behind the data is not what the scheme writes.
    #[error("the padding is damaged")]
    Padding,
    /// The authentication tag does not belong to the data.
    #[error("the authentication tag does not fit the data")]
    Tag,
    /// The signature does not belong to the hash.
    #[error("the signature does not fit the hash")]
    Signature,
    /// Data that is not of the form it should have.
    #[error("the data is malformed")]
    Malformed,
    /// An algorithm or a combination that is not there.
    #[error("this combination is not supported")]
    Unsupported,
}
