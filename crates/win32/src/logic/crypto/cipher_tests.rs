//! Published vectors of the block ciphers and their modes.

use super::*;
use crate::logic::crypto::test_hex::hex;

/// The four blocks that NIST's examples encrypt. Source: NIST SP 800-38A, appendix F.
const PLAIN: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51\
                     30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
const KEY_128: &str = "2b7e151628aed2a6abf7158809cf4f3c";
const KEY_192: &str = "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b";
const KEY_256: &str = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
const IV: &str = "000102030405060708090a0b0c0d0e0f";

fn check(chaining: Chaining, cipher: BlockCipher, key: &str, iv: &str, plain: &str, encrypted: &str) {
    let key = BlockKey::new(cipher, &hex(key)).expect("the key has the right length");
    let (mut data, mut register) = (hex(plain), hex(iv));
    chaining.encrypt(&key, &mut register, &mut data).expect("whole units");
    assert_eq!(data, hex(encrypted), "{chaining:?} {cipher:?}");
    let mut other_register = hex(iv);
    chaining.decrypt(&key, &mut other_register, &mut data).expect("whole units");
    assert_eq!((data, other_register), (hex(plain), register), "{chaining:?} {cipher:?}");
}

/// Source: NIST SP 800-38A, F.1.1, F.1.5, F.2.1, F.2.3, F.3.7 (18 bytes), F.3.13.
#[test]
fn aes_has_the_published_texts() {
    let aes = BlockCipher::Aes;
    check(
        Chaining::Ecb,
        aes,
        KEY_128,
        "",
        PLAIN,
        "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf\
         43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4",
    );
    check(Chaining::Ecb, aes, KEY_256, "", &PLAIN[..32], "f3eed1bdb5d2a03c064b5a7e3db181f8");
    check(
        Chaining::Cbc,
        aes,
        KEY_128,
        IV,
        PLAIN,
        "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2\
         73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7",
    );
    check(Chaining::Cbc, aes, KEY_192, IV, &PLAIN[..32], "4f021db243bc633d7178183a9fa071e8");
    let byte_wise = Chaining::Cfb { segment: 1 };
    check(byte_wise, aes, KEY_128, IV, &PLAIN[..36], "3b79424c9c0dd436bace9e0ed4586a4f32b9");
    let block_wise = Chaining::Cfb { segment: 16 };
    check(block_wise, aes, KEY_128, IV, &PLAIN[..32], "3b3fd92eb72dad20333449f8e83cfb4a");
}

/// Sources: FIPS 81's example for DES; SP 800-67's keys for Triple DES (appendix B.1); RFC 2268, section 5.
#[test]
fn older_ciphers_have_the_published_texts() {
    let now_is = "4e6f77206973207468652074696d6520666f7220616c6c20";
    let des = BlockCipher::Des;
    check(
        Chaining::Ecb,
        des,
        "0123456789abcdef",
        "",
        now_is,
        "3fa40e8a984d48156a271787ab8883f9893d51ec4b563b53",
    );
    check(
        Chaining::Cbc,
        des,
        "0123456789abcdef",
        "1234567890abcdef",
        now_is,
        "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6",
    );
    check(
        Chaining::Ecb,
        BlockCipher::TripleDes,
        "0123456789abcdef23456789abcdef01456789abcdef0123",
        "",
        "5468652071756663",
        "a826fd8ce53b855f",
    );
    for (key, bits, plain, encrypted) in [
        ("0000000000000000", 63, "0000000000000000", "ebb773f993278eff"),
        ("ffffffffffffffff", 64, "ffffffffffffffff", "278b27e42e2f0d49"),
        ("88bca90e90875a7f0f79c384627bafb2", 128, "0000000000000000", "2269552ab0f85ca6"),
    ] {
        let key = BlockKey::rc2(&hex(key), bits).expect("a key of RC2");
        let mut block = hex(plain);
        key.encrypt_block(&mut block);
        assert_eq!(block, hex(encrypted));
    }
}

#[test]
fn two_keys_are_three_of_which_the_last_is_the_first() {
    let (two, three) =
        ("0123456789abcdef23456789abcdef01", "0123456789abcdef23456789abcdef010123456789abcdef");
    let [two, three] =
        [(BlockCipher::TripleDes112, two), (BlockCipher::TripleDes, three)].map(|(cipher, key)| {
            let mut block = hex("5468652071756663");
            BlockKey::new(cipher, &hex(key)).expect("a key").encrypt_block(&mut block);
            block
        });
    assert_eq!(two, three);
}

#[test]
fn wrong_lengths_are_refused() {
    assert_eq!(BlockKey::new(BlockCipher::Aes, &[0; 17]).err(), Some(CryptoError::KeyLength(17)));
    assert_eq!(BlockKey::new(BlockCipher::Rc2, &[]).err(), Some(CryptoError::KeyLength(0)));
    let key = BlockKey::new(BlockCipher::Aes, &[0; 16]).expect("a key");
    let encrypt = |chaining: Chaining, iv: usize, data: usize| {
        chaining.encrypt(&key, &mut vec![0; iv], &mut vec![0; data]).err()
    };
    assert_eq!(encrypt(Chaining::Cbc, 16, 17), Some(CryptoError::DataLength(17)));
    assert_eq!(encrypt(Chaining::Cbc, 15, 16), Some(CryptoError::Parameter));
    assert_eq!(encrypt(Chaining::Cfb { segment: 0 }, 16, 16), Some(CryptoError::Parameter));
    assert_eq!(encrypt(Chaining::Ecb, 0, 32), None);
}

#[test]
fn padding_that_is_none_is_found() {
    for length in 0..40 {
        let mut data = vec![7; length];
        pad(&mut data, 16);
        assert!(data.len() > length && data.len().is_multiple_of(16));
        assert_eq!(unpad(&mut data, 16), Ok(()));
        assert_eq!(data.len(), length);
    }
    for bad in [vec![], vec![1, 2], vec![0; 16], vec![17; 17], vec![3, 2, 3]] {
        assert_eq!(unpad(&mut bad.clone(), 16), Err(CryptoError::Padding), "{bad:?}");
    }
}
