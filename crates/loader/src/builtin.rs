//! Builtin DLLs (decision D10): images made by the compiler, completed where they are loaded.

mod images;

use plat_abi::Machine;
use plat_host::gate;
use plat_win32::DLLS;
use plat_win32::entries::{entry, first_index_at, name_order};
use plat_win32::export::{Body, Data, Dll};

use images::{ENTRANCE_RVA, Images, PROLOGUE_BYTES};

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

    /// Returns the second half of a builtin DLL's prologue: 64-bit thunks take the address there, 32-bit ones jump to the
    /// far jump there.
    fn prologue(self) -> [u8; PROLOGUE_BYTES / 2] {
        match self {
            Self::Amd64(address) => address.to_le_bytes(),
            Self::I386(address) => {
                let mut code = [0xcc; PROLOGUE_BYTES / 2];
                code[0] = 0xea;
                code[1..5].copy_from_slice(&address.to_le_bytes());
                code[5..7].copy_from_slice(&[0x33, 0]);
                code
            }
        }
    }
}

/// The longest thunk, in bytes.
const THUNK_BYTES_MAX: usize = 18;

/// What lies behind an exported name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// An RVA of the DLL.
    Rva(u32),
    /// Another module's export: `module.Name`.
    Forwarder(&'static str),
}

/// A builtin DLL on a machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Builtin {
    /// Its place in [`DLLS`].
    place: usize,
    machine: Machine,
}

impl Builtin {
    /// Returns a DLL of the table as the machine has it.
    pub(crate) fn new(dll: &Dll, machine: Machine) -> Self {
        let place = DLLS.iter().position(|other| other.name == dll.name);
        Self { place: place.expect("builtin DLLs are those of the table"), machine }
    }

    /// Returns the image in mapped layout, without what [`Self::changes`] adds.
    pub(crate) fn image(self) -> &'static [u8] {
        Images::of(self.machine).image(self.place)
    }

    /// Returns what an exported name stands for.
    pub(crate) fn by_name(self, name: &str) -> Option<Target> {
        let dll = &DLLS[self.place];
        let (first, order) = (first_index_at(self.place), name_order(self.place));
        let name_at = |&row: &u16| entry((first + usize::from(row)) as u32).map_or("", |entry| entry.name);
        let start = order.partition_point(|row| name_at(row) < name);
        // A name may have a row for each machine.
        let rows = order[start..].iter().take_while(|row| name_at(row) == name).copied().map(usize::from);
        rows.filter(|&row| row < dll.exports().count()).find_map(|row| {
            let rva = Images::of(self.machine).rva(first + row).map(Target::Rva);
            rva.or_else(|| match dll.exports().nth(row)?.body {
                Body::Forward(to) => Some(Target::Forwarder(to)),
                _ => None,
            })
        })
    }

    /// Returns what a loaded copy needs besides the image, as RVAs and bytes: the entrance, and the variables.
    pub(crate) fn changes(self, entrance: Entrance) -> impl Iterator<Item = (u32, Vec<u8>)> {
        let variables =
            self.variables().map(move |(_, rva, variable)| (rva, (variable.initial)(self.machine)));
        std::iter::once((ENTRANCE_RVA, entrance.prologue().to_vec()))
            .chain(variables.filter(|(_, bytes)| !bytes.is_empty()))
    }

    /// Returns names and RVAs of what the system looks for itself: variables and methods.
    pub(crate) fn places(self) -> impl Iterator<Item = (&'static str, u32)> {
        let dll: &'static Dll = &DLLS[self.place];
        let first_method = dll.exports().count();
        let methods = dll.methods.iter().flat_map(|table| table.iter()).enumerate();
        let first = first_index_at(self.place) + first_method;
        let methods = methods
            .filter_map(move |(at, export)| Some((export.name, Images::of(self.machine).rva(first + at)?)));
        self.variables().map(|(name, rva, _)| (name, rva)).chain(methods)
    }

    /// Returns the variables: name and RVA.
    fn variables(self) -> impl Iterator<Item = (&'static str, u32, &'static Data)> {
        let first = first_index_at(self.place);
        DLLS[self.place].exports().enumerate().filter_map(move |(row, export)| {
            let Body::Data(variable) = export.body else { return None };
            Some((export.name, Images::of(self.machine).rva(first + row)?, variable))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_dll_is_an_image_that_exports_its_table() {
        for machine in [Machine::I386, Machine::Amd64] {
            for dll in plat_win32::DLLS {
                let builtin = Builtin::new(dll, machine);
                let image =
                    plat_image::PeImage::parse_mapped(dll.name, builtin.image()).expect("a sound image");
                let exports = image.exports().expect("a sound table").expect("a table");
                let names: Vec<String> = (exports.named_entries().map(|export| export.expect("sound")))
                    .map(|export| export.name.expect("it has one").to_text().into_owned())
                    .collect();
                assert!(names.is_sorted_by(|a, b| a < b), "{}: a name stands twice", dll.name);
                for export in dll.exports() {
                    let found = exports.by_name(export.name.as_bytes()).expect("sound");
                    let target = found.map(|found| match found.target {
                        plat_image::pe::ExportTarget::Rva(rva) => rva.get().to_string(),
                        plat_image::pe::ExportTarget::Forwarder(to) => to.to_string(),
                    });
                    let by_name = builtin.by_name(export.name).map(|target| match target {
                        Target::Rva(rva) => rva.to_string(),
                        Target::Forwarder(to) => to.to_owned(),
                    });
                    assert_eq!(target, by_name, "{}!{}", dll.name, export.name);
                    let is_present =
                        !matches!(export.body, Body::Code(code) if code.bytes(machine).is_empty());
                    assert!(target.is_some() || !is_present, "{}!{}", dll.name, export.name);
                }
            }
        }
    }
}
