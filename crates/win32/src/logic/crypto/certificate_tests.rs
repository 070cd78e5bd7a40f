//! A certificate of OpenSSL's, taken apart; and bytes that are none.

use expect_test::expect;

use super::*;
use crate::logic::crypto::text::from_base64;

/// Made with `openssl req -x509` for these tests: a key on P-256, names of four kinds, two uses.
pub(crate) const EXAMPLE: &str = "MIICTDCCAfKgAwIBAgIUCYBvluBaXL8xnJQuTGg27A5CQEIwCgYIKoZIzj0EAwIwTDELMAkGA1UEBhMCREUxEzARBgNVBAoMClBs\
    YXQgVGVzdHMxETAPBgNVBAsMCEZpeHR1cmVzMRUwEwYDVQQDDAx0ZXN0LmV4YW1wbGUwHhcNMjYxMTIxMTQzMTE1WhcNMzYxMTE4\
    MTQzMTE1WjBMMQswCQYDVQQGEwJERTETMBEGA1UECgwKUGxhdCBUZXN0czERMA8GA1UECwwIRml4dHVyZXMxFTATBgNVBAMMDHRl\
    c3QuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABB7OLapoH08NAmCjb24l0x5QWnotR26q5TdAThykrFBDkJhQsT+X\
    BDg0obtQbxmhfNb1rs/5RDQyaQt6bY0tE4+jgbEwga4wHQYDVR0OBBYEFIYJTd8WKMvPyawJ2D81kiw09X8iMB8GA1UdIwQYMBaA\
    FIYJTd8WKMvPyawJ2D81kiw09X8iMA8GA1UdEwEB/wQFMAMBAf8wPAYDVR0RBDUwM4IMdGVzdC5leGFtcGxlghB3d3cudGVzdC5l\
    eGFtcGxlgRFyb290QHRlc3QuZXhhbXBsZTAdBgNVHSUEFjAUBggrBgEFBQcDAQYIKwYBBQUHAwIwCgYIKoZIzj0EAwIDSAAwRQIg\
    GOqR4IuBDEsR4XPAwB5E9BBg9Jie6HBC54c9Lx9PwOACIQCDsG7uBrqe/E9fXk/Lei6ToGeTJvumsYi/f3ug/iF++w==";

fn example() -> Vec<u8> {
    from_base64(EXAMPLE).expect("Base64")
}

#[test]
fn a_certificate_is_taken_apart() {
    let bytes = example();
    let parts = Certificate::parse(&bytes).expect("a certificate");
    let names = attributes(&bytes, parts.subject.clone());
    let other = |number| {
        other_names(&bytes, parts.extension("2.5.29.17").expect("it has other names").value.clone(), number)
    };
    let uses = identifiers(&bytes, parts.extension("2.5.29.37").expect("it has uses").value.clone());
    let shown = format!(
        "{} {:02x?}\n{} {}\n{names:?}\n{:?} {:?}\n{uses:?}\n{} {} bytes, {} unused bits\n",
        parts.version,
        &bytes[parts.serial.clone()],
        parts.not_before,
        parts.not_after,
        other(2),
        other(1),
        parts.key_algorithm.0,
        parts.key.len(),
        parts.key_unused_bits,
    );
    expect![[r#"
        2 [09, 80, 6f, 96, e0, 5a, 5c, bf, 31, 9c, 94, 2e, 4c, 68, 36, ec, 0e, 42, 40, 42]
        134397450750000000 137551050750000000
        [("2.5.4.6", "DE"), ("2.5.4.10", "Plat Tests"), ("2.5.4.11", "Fixtures"), ("2.5.4.3", "test.example")]
        ["test.example", "www.test.example"] ["root@test.example"]
        ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]
        1.2.840.10045.2.1 65 bytes, 0 unused bits
    "#]]
    .assert_eq(&shown);
    assert_eq!(parts.issuer.len(), parts.subject.len());
    let critical: Vec<_> = parts.extensions.iter().filter(|extension| extension.is_critical).collect();
    assert_eq!(critical.len(), 1, "{critical:?}");
}

#[test]
fn cut_and_changed_bytes_do_no_harm() {
    let bytes = example();
    for length in 0..bytes.len() {
        assert_eq!(Certificate::parse(&bytes[..length]), Err(CryptoError::Malformed), "{length}");
    }
    for at in 0..bytes.len() {
        for value in [0, 0x7f, 0x84, 0xff] {
            let mut changed = bytes.clone();
            changed[at] = value;
            if let Ok(parts) = Certificate::parse(&changed) {
                attributes(&changed, parts.subject.clone());
                parts.extensions.iter().for_each(|extension| {
                    other_names(&changed, extension.value.clone(), 2);
                    identifiers(&changed, extension.value.clone());
                });
            }
        }
    }
}

#[test]
fn times_are_those_of_windows() {
    for (text, tag, time) in [
        ("700101000000Z", 0x17, Some(116_444_736_000_000_000)),
        ("491231235959Z", 0x17, Some(141_690_815_990_000_000)),
        ("20000229120000Z", 0x18, Some(125_962_992_000_000_000)),
        ("16010101000000Z", 0x18, Some(0)),
        ("701301000000Z", 0x17, None),
        ("70", 0x17, None),
        ("700101000000Z", 0x1c, None),
    ] {
        assert_eq!(time_of(text.as_bytes(), tag), time, "{text}");
    }
}

#[test]
fn identifiers_have_dots() {
    assert_eq!(dotted(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11]), "1.2.840.113549.1.1.11");
    assert_eq!(dotted(&[0x55, 0x1d, 0x25]), "2.5.29.37");
    assert_eq!(dotted(&[]), "");
}

#[test]
fn bundles_of_texts_are_read() {
    let text = format!("# one\n-----BEGIN CERTIFICATE-----\n{EXAMPLE}\n-----END CERTIFICATE-----\n");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(from_texts(&[&text[..], broken, &text].concat()), [example(), example()]);
}
