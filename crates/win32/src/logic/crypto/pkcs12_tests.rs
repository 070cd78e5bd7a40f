//! Files that OpenSSL made, with the password `secret`; the published key of RFC 7292's way.

use super::*;
use crate::logic::crypto::certificate::Encoded;
use crate::logic::crypto::signed::PublicKey;

const OLD: &[u8] = include_bytes!("test_data/rsa_old.p12");
const NEW: &[u8] = include_bytes!("test_data/curve_new.p12");

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

#[test]
fn files_of_both_ways_are_read() {
    for (bytes, name) in [(OLD, "Friendly"), (NEW, "Curve")] {
        let pfx = read(bytes, Some(&units("secret"))).expect("a file");
        let [certificate] = &pfx.certificates[..] else { panic!("one certificate") };
        let [key] = &pfx.keys[..] else { panic!("one key") };
        assert_eq!(certificate.friendly_name.as_deref(), Some(name));
        assert!(key.key_id.is_some());
        assert_eq!(key.key_id, certificate.key_id);
        let public = PublicKey::of(&Encoded::new(certificate.content.clone()).expect("a certificate"));
        match (public.expect("a key"), &key.content) {
            (PublicKey::Rsa(public), PrivateKey::Rsa(private)) => {
                assert_eq!(public.public_numbers(), private.public_numbers());
            }
            (PublicKey::Ec(public), PrivateKey::Ec(private)) => assert_eq!(public.point, private.point),
            _ => panic!("keys of two kinds"),
        }
    }
}

#[test]
fn other_passwords_and_changed_bytes_are_refused() {
    for password in [None, Some(units("")), Some(units("Secret"))] {
        assert_eq!(check(OLD, password.as_deref()), Err(CryptoError::Tag));
    }
    assert_eq!(check(OLD, Some(&units("secret"))), Ok(()));
    let mut changed = OLD.to_vec();
    changed[100] ^= 1;
    assert!(read(&changed, Some(&units("secret"))).is_err());
    for end in 0..OLD.len() {
        assert!(!is_pfx(&OLD[..end]), "{end}");
        assert!(read(&OLD[..end], Some(&units("secret"))).is_err());
    }
}

#[test]
fn no_changed_byte_is_a_panic() {
    for at in 0..NEW.len() {
        let mut changed = NEW.to_vec();
        changed[at] ^= 0x55;
        // The number of rounds may become large.
        if outside(&changed).is_ok() && at < 60 {
            let _ = check(&changed, None);
        }
    }
}
