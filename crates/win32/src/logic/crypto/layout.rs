//! Structures with pointers into one block, as `CryptDecodeObject` gives them. Key types: [`Item`], [`Laid`].

use plat_abi::Machine;

/// A part of a structure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A `DWORD`.
    Number(u32),
    /// Bytes in place.
    Bytes(Vec<u8>),
    /// A pointer to other parts, which lie behind; null for `None`.
    Pointer(Option<Vec<Item>>),
    /// A structure within a structure: aligned, and as long as its alignment wants.
    Inner(Vec<Item>),
}

impl Item {
    /// Returns a pointer to bytes; null for none.
    pub fn to_bytes(bytes: &[u8]) -> Self {
        Self::Pointer((!bytes.is_empty()).then(|| vec![Self::Bytes(bytes.to_vec())]))
    }

    /// Returns a pointer to a text with its zero.
    pub fn to_text(text: &str) -> Self {
        Self::Pointer(Some(vec![Self::Bytes([text.as_bytes(), &[0]].concat())]))
    }

    /// Returns a pointer to a text in UTF-16 with its zero.
    pub fn to_wide(text: &str) -> Self {
        let bytes = text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
        Self::Pointer(Some(vec![Self::Bytes(bytes)]))
    }

    /// Returns a `CRYPTOAPI_BLOB`.
    pub fn blob(bytes: &[u8]) -> Self {
        Self::Inner(vec![Self::Number(bytes.len() as u32), Self::to_bytes(bytes)])
    }

    /// Returns a number and an array of structures.
    pub fn list(items: Vec<Self>) -> Self {
        let count = items.len() as u32;
        Self::Inner(vec![Self::Number(count), Self::Pointer((count > 0).then_some(items))])
    }
}

/// A structure laid out: its bytes, and where in them pointers to other places in them stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Laid {
    bytes: Vec<u8>,
    pointers: Vec<(usize, usize)>,
}

impl Laid {
    /// Lays a structure out for a machine.
    pub fn new(items: &[Item], machine: Machine) -> Self {
        let mut laid = Self::default();
        laid.block(items, machine);
        laid
    }

    /// Returns its size in bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Says whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Returns its bytes for an address.
    pub fn at(&self, base: u64, machine: Machine) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        let width = machine.pointer_size() as usize;
        for &(slot, target) in &self.pointers {
            bytes[slot..slot + width].copy_from_slice(&(base + target as u64).to_le_bytes()[..width]);
        }
        bytes
    }

    fn align(&mut self, alignment: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(alignment), 0);
    }

    /// Writes parts one behind the other, then what they point to.
    fn block(&mut self, items: &[Item], machine: Machine) {
        let mut waiting = Vec::new();
        self.parts(items, machine, &mut waiting);
        for (slot, target) in waiting {
            self.align(8);
            self.pointers.push((slot, self.bytes.len()));
            self.block(target, machine);
        }
    }

    fn parts<'a>(&mut self, items: &'a [Item], machine: Machine, waiting: &mut Vec<(usize, &'a [Item])>) {
        let width = machine.pointer_size() as usize;
        for item in items {
            match item {
                Item::Number(number) => {
                    self.align(4);
                    self.bytes.extend_from_slice(&number.to_le_bytes());
                }
                Item::Bytes(bytes) => self.bytes.extend_from_slice(bytes),
                Item::Pointer(target) => {
                    self.align(width);
                    if let Some(target) = target {
                        waiting.push((self.bytes.len(), target));
                    }
                    self.bytes.resize(self.bytes.len() + width, 0);
                }
                Item::Inner(inner) => {
                    self.align(width);
                    self.parts(inner, machine, waiting);
                    self.align(width);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_lead_behind_the_structure() {
        let items = [Item::Number(7), Item::blob(b"abc"), Item::Pointer(None), Item::Number(9)];
        let wide = Laid::new(&items, Machine::Amd64).at(0x1000, Machine::Amd64);
        assert_eq!(wide.len(), 0x28 + 3);
        assert_eq!(wide[16..24], 0x1028_u64.to_le_bytes());
        assert_eq!(&wide[0x28..], b"abc");
        let narrow = Laid::new(&items, Machine::I386).at(0x1000, Machine::I386);
        assert_eq!(narrow[8..12], 0x1018_u32.to_le_bytes());
        assert_eq!(&narrow[0x18..], b"abc");
    }
}
