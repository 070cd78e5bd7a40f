//! Builtin DLLs as images (decision D10): headers, export table, thunks and variables, generated when needed.

use plat_abi::Machine;
use plat_host::gate;
use plat_image::{BuiltImage, ExportValue, ImageBuilder, Spot};
use plat_win32::export::{Body, Dll};
use plat_win32::process::first_index;

/// A builtin DLL's image, with the variables it exports.
#[derive(Debug)]
pub(crate) struct Builtin {
    /// The image in mapped layout.
    pub(crate) bytes: Vec<u8>,
    /// Names of variables and their offsets in the image.
    pub(crate) data: Vec<(&'static str, u32)>,
}

/// Where calls of the guest enter the host.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entrance {
    /// 64-bit code jumps there.
    Amd64(u64),
    /// 32-bit code far-jumps there.
    I386(u32),
}

impl Entrance {
    /// Returns the entrance of 64-bit guests.
    pub(crate) fn amd64() -> Self {
        Self::Amd64(gate::enter64_address())
    }

    /// Encodes a thunk: the index into EAX, then into the host.
    pub(crate) fn thunk(self, index: u32) -> Vec<u8> {
        let mut code = vec![0xb8];
        code.extend(index.to_le_bytes());
        match self {
            Self::Amd64(address) => {
                // mov r11, address; jmp r11
                code.extend([0x49, 0xbb]);
                code.extend(address.to_le_bytes());
                code.extend([0x41, 0xff, 0xe3]);
            }
            Self::I386(address) => {
                // jmp far 0x33:address
                code.push(0xea);
                code.extend(address.to_le_bytes());
                code.extend([0x33, 0]);
            }
        }
        code
    }
}

/// Generates the image of a builtin DLL for a machine.
pub(crate) fn build(dll: &'static Dll, machine: Machine, entrance: Entrance, base: u64) -> Builtin {
    let kind = match machine {
        Machine::I386 => plat_image::pe::Machine::I386,
        Machine::Amd64 => plat_image::pe::Machine::Amd64,
    };
    let mut builder = ImageBuilder::new(dll.name, kind, base);
    let mut data = Vec::new();
    // A section without a byte is none, and an image needs one: a trap, also for jumps to the module's start.
    builder.text(&[0xcc; 16]);
    let first = first_index(dll.name);
    for (offset, export) in dll.exports().enumerate() {
        let thunk = entrance.thunk(first + offset as u32);
        let value = match export.body {
            Body::Api(_) | Body::Stub => ExportValue::At(builder.text(&thunk)),
            Body::Forward(to) => ExportValue::Forwarder(to.to_owned()),
            Body::Code(code) if code.bytes(machine).is_empty() => continue,
            // A machine without the code does not export the name.
            Body::Code(code) if code.bytes(machine).is_empty() => continue,
            Body::Code(code) => {
                let mut bytes = code.bytes(machine).to_vec();
                if code.slow.is_some() {
                    bytes.extend(&thunk);
                }
                ExportValue::At(builder.text(&bytes))
            }
            Body::Data(variable) => {
                let mut bytes = (variable.initial)(machine);
                bytes.resize((variable.size)(machine) as usize, 0);
                let spot = builder.data(&bytes);
                data.push((export.name, spot));
                ExportValue::At(spot)
            }
        };
        builder.export(export.name, export.ordinal, value);
    }
    let BuiltImage { bytes, text, data: data_start, .. } =
        builder.build().expect("builtin DLLs have fewer exports than an image can hold");
    let data = data
        .into_iter()
        .map(|(name, spot)| match spot {
            Spot::Text(offset) => (name, text.get() + offset),
            Spot::Data(offset) => (name, data_start.get() + offset),
        })
        .collect();
    Builtin { bytes, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_dll_is_an_image_that_exports_its_table() {
        for machine in [Machine::I386, Machine::Amd64] {
            for dll in plat_win32::DLLS {
                let built = build(dll, machine, Entrance::I386(0x1000), 0x7000_0000);
                let image = plat_image::PeImage::parse_mapped(dll.name, &built.bytes).expect("a sound image");
                let Some(exports) = image.exports().expect("a sound table") else { continue };
                for export in dll.exports() {
                    if matches!(export.body, Body::Code(code) if code.bytes(machine).is_empty()) {
                        continue;
                    }
                    let found = exports.by_name(export.name.as_bytes()).expect("sound");
                    assert!(found.is_some(), "{}!{}", dll.name, export.name);
                }
            }
        }
    }
}
