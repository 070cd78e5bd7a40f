//! Reads everything that `plat-image` can read from arbitrary bytes, as a file and as mapped memory.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plat_image::{PeImage, Rva, classify};

fuzz_target!(|bytes: &[u8]| {
    let _ = classify(bytes);
    for image in [PeImage::parse("fuzz", bytes), PeImage::parse_mapped("fuzz", bytes)].into_iter().flatten() {
        read_directories(&image);
    }
});

fn read_directories(image: &PeImage<'_>) {
    let _ = (image.imports(), image.delay_imports(), image.bound_imports());
    let _ = (
        image.tls(),
        image.load_config(),
        image.resources(),
        image.version(),
        image.manifest(),
        image.debug_entries(),
        image.certificates(),
    );
    let _ = image.runtime_function_at(Rva::new(0x1000));
    if let Ok(Some(exports)) = image.exports() {
        let _ = (exports.by_name(b"x"), exports.by_ordinal(1));
        let _ = (exports.named_entries().count(), exports.entries().count());
    }
    if let Some(mut mapped) = image.to_mapped(1 << 20) {
        let _ = image.relocate(&mut mapped, 0x7000_0000);
    }
}
