//! Builtin DLLs as images (decision D10): headers, export table, thunks and variables, generated when needed.

use plat_abi::Machine;
use plat_host::gate;
use plat_image::{BuiltImage, ExportValue, ImageBuilder, Spot};
use plat_win32::entries::{first_index, name_order};
use plat_win32::export::{Body, Dll, Export};

/// A builtin DLL's image, with the variables it exports.
#[derive(Debug)]
pub(crate) struct Builtin {
    /// The image in mapped layout.
    pub(crate) bytes: Vec<u8>,
    /// Names of variables and methods, and their offsets in the image.
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

    /// Encodes a thunk: the index into EAX, then into the host. Returns the bytes and how many of them are the thunk.
    pub(crate) fn thunk(self, index: u32) -> ([u8; THUNK_BYTES_MAX], usize) {
        let mut code = [0xcc; THUNK_BYTES_MAX];
        code[0] = 0xb8;
        code[1..5].copy_from_slice(&index.to_le_bytes());
        match self {
            Self::Amd64(address) => {
                // mov r11, address; jmp r11
                code[5..7].copy_from_slice(&[0x49, 0xbb]);
                code[7..15].copy_from_slice(&address.to_le_bytes());
                code[15..18].copy_from_slice(&[0x41, 0xff, 0xe3]);
                (code, 18)
            }
            Self::I386(address) => {
                // jmp far 0x33:address
                code[5] = 0xea;
                code[6..10].copy_from_slice(&address.to_le_bytes());
                code[10..12].copy_from_slice(&[0x33, 0]);
                (code, 12)
            }
        }
    }

    /// Returns what lies at the start of a builtin DLL's code: a trap for jumps there, and what its thunks need.
    fn prologue(self) -> [u8; PROLOGUE_BYTES] {
        let mut code = [0xcc; PROLOGUE_BYTES];
        if let Self::Amd64(address) = self {
            code[PROLOGUE_BYTES - 8..].copy_from_slice(&address.to_le_bytes());
        }
        code
    }

    /// Encodes a thunk that will lie at `offset` of a DLL's code, behind [`Self::prologue`]: shorter than [`Self::thunk`].
    fn near_thunk(self, index: u32, offset: u32) -> ([u8; THUNK_BYTES_MAX], usize) {
        let (mut code, bytes) = self.thunk(index);
        let Self::Amd64(_) = self else { return (code, bytes) };
        // jmp [rip + distance to the address in the prologue]
        let distance = (PROLOGUE_BYTES as u32 - 8).wrapping_sub(offset + NEAR_THUNK_BYTES as u32);
        code[5..7].copy_from_slice(&[0xff, 0x25]);
        code[7..NEAR_THUNK_BYTES].copy_from_slice(&distance.to_le_bytes());
        (code, NEAR_THUNK_BYTES)
    }
}

/// Bytes before the first thunk of a DLL: a trap, and the entrance's address.
const PROLOGUE_BYTES: usize = 16;

/// Bytes of a 64-bit thunk that finds the entrance in its DLL.
const NEAR_THUNK_BYTES: usize = 11;

/// The longest thunk, in bytes.
const THUNK_BYTES_MAX: usize = 18;

/// Generates the image of a builtin DLL for a machine.
pub(crate) fn build(dll: &'static Dll, machine: Machine, entrance: Entrance, base: u64) -> Builtin {
    let kind = match machine {
        Machine::I386 => plat_image::pe::Machine::I386,
        Machine::Amd64 => plat_image::pe::Machine::Amd64,
    };
    let entries: Vec<&'static Export> = dll.entries().collect();
    let first_method = dll.exports().count();
    let mut builder = ImageBuilder::new(dll.name, kind, base);
    builder.reserve(PROLOGUE_BYTES + entries.len() * NEAR_THUNK_BYTES.next_multiple_of(16), entries.len());
    let mut data = Vec::new();
    builder.text(&entrance.prologue());
    let first = first_index(dll.name);
    for &place in name_order(dll.name) {
        let export = entries[usize::from(place)];
        let index = first + u32::from(place);
        let value = match export.body {
            Body::Api(_) | Body::Stub => {
                let (thunk, bytes) = entrance.near_thunk(index, builder.next_text());
                let spot = builder.text(&thunk[..bytes]);
                if usize::from(place) >= first_method {
                    data.push((export.name, spot));
                    continue;
                }
                ExportValue::At(spot)
            }
            Body::Forward(to) => ExportValue::Forwarder(to),
            // A machine without the code does not export the name.
            Body::Code(code) if code.bytes(machine).is_empty() => continue,
            Body::Code(code) => {
                let mut bytes = code.bytes(machine).to_vec();
                if code.slow.is_some() {
                    let offset = builder.next_text() + bytes.len() as u32;
                    let (thunk, thunk_bytes) = entrance.near_thunk(index, offset);
                    bytes.extend(&thunk[..thunk_bytes]);
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
