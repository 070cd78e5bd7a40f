//! Fuzzes the change of an image: any bytes give an error that leaves them alone, or an image that goes back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plat_image::PeImage;
use plat_rebase::{ChecksumPolicy, Options, SignaturePolicy, rebase_image, undo_image};
use plat_regions::Address;

// The options come last, so that a library with five more bytes is a seed.
fuzz_target!(|input: &[u8]| {
    let Some((bytes, &[a, b, c, d, strips])) = input.split_last_chunk() else { return };
    let (units, strips) = (u32::from_le_bytes([a, b, c, d]), strips & 1 != 0);
    let options = Options {
        signature: if strips { SignaturePolicy::Strip } else { SignaturePolicy::Keep },
        checksum: if strips { ChecksumPolicy::Always } else { ChecksumPolicy::IfPresent },
        clr: true,
        ..Options::default()
    };
    let mut new = bytes.to_vec();
    match rebase_image("fuzz", &mut new, Address::new(u64::from(units) << 16), &options) {
        Err(_) => assert!(new == bytes),
        Ok(rebased) => {
            let image = PeImage::parse("fuzz", &new).expect("an image still");
            assert_eq!(image.headers().image_base, u64::from(units) << 16);
            undo_image("fuzz", &mut new, &rebased.undo).expect("goes back");
            assert!(new == bytes);
        }
    }
});
