//! The tree of a module's resources as bytes: type, name, language, sorted as the loader's search wants it.
//!
//! Key types: [`ResourceTree`], [`ResourceName`]. Source: PE Format, "The .rsrc Section".

use std::collections::BTreeMap;

use super::nls::case;

/// How a type or a resource is called. Names come before numbers, as in the tree.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResourceName {
    /// A name, compared without regard to case.
    Name(Vec<u16>),
    /// A number.
    Id(u16),
}

impl ResourceName {
    /// Returns it in upper case, as `UpdateResource` stores names.
    pub fn upcased(self) -> Self {
        match self {
            Self::Name(text) => Self::Name(case::upcase_string(&text)),
            id @ Self::Id(_) => id,
        }
    }
}

/// One resource in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The code page that the tree notes for it.
    pub code_page: u32,
}

type Languages = BTreeMap<u16, Content>;

/// All resources of a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceTree {
    kinds: BTreeMap<ResourceName, BTreeMap<ResourceName, Languages>>,
}

/// The size of a directory's header, and of a data entry.
const HEADER: usize = 16;
/// The size of an entry of a directory.
const ENTRY: usize = 8;
/// The mark of an offset that leads to another directory, or of a name that is text.
const HIGH_BIT: u32 = 0x8000_0000;

impl ResourceTree {
    /// Adds a resource, or puts it in the place of another.
    pub fn insert(&mut self, kind: ResourceName, name: ResourceName, language: u16, content: Content) {
        self.kinds.entry(kind).or_default().entry(name).or_default().insert(language, content);
    }

    /// Takes a resource away, and what becomes empty with it; says whether it was there.
    pub fn remove(&mut self, kind: &ResourceName, name: &ResourceName, language: u16) -> bool {
        let Some(names) = self.kinds.get_mut(kind) else { return false };
        let Some(languages) = names.get_mut(name) else { return false };
        let was_there = languages.remove(&language).is_some();
        if languages.is_empty() {
            names.remove(name);
        }
        if names.is_empty() {
            self.kinds.remove(kind);
        }
        was_there
    }

    /// Says whether there is no resource.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Lays the tree out for the address (RVA) at which it will lie: directories level by level, then the entries
    /// of data, the names, and the data, each at a multiple of eight bytes. `None` when it is larger than 2 GiB.
    pub fn encode(&self, rva: u32) -> Option<Vec<u8>> {
        Encoder::new(self, rva).run(self)
    }
}

/// Where the parts of the tree begin, and what was written of them.
struct Encoder {
    rva: usize,
    directories: Vec<u8>,
    leaves: Vec<u8>,
    names: Vec<u8>,
    data: Vec<u8>,
    /// Where each part begins.
    leaves_at: usize,
    names_at: usize,
    data_at: usize,
}

impl Encoder {
    fn new(tree: &ResourceTree, rva: u32) -> Self {
        let names = || tree.kinds.values().flat_map(|names| names.iter());
        let leaves = names().map(|(_, languages)| languages.len()).sum::<usize>();
        let directories = 1 + tree.kinds.len() + names().count();
        let entries = tree.kinds.len() + names().count() + leaves;
        let length =
            |name: &ResourceName| if let ResourceName::Name(text) = name { 2 + 2 * text.len() } else { 0 };
        let texts = tree.kinds.keys().map(length).sum::<usize>()
            + names().map(|(name, _)| length(name)).sum::<usize>();
        let leaves_at = directories * HEADER + entries * ENTRY;
        let names_at = leaves_at + leaves * HEADER;
        let data_at = (names_at + texts).next_multiple_of(8);
        Self {
            rva: rva as usize,
            directories: Vec::with_capacity(leaves_at),
            leaves: Vec::new(),
            names: Vec::new(),
            data: Vec::new(),
            leaves_at,
            names_at,
            data_at,
        }
    }

    fn run(mut self, tree: &ResourceTree) -> Option<Vec<u8>> {
        let size = |entries: usize| HEADER + ENTRY * entries;
        let second = size(tree.kinds.len());
        let third = second + tree.kinds.values().map(|names| size(names.len())).sum::<usize>();
        let mut next = second;
        self.header(tree.kinds.keys())?;
        for (kind, names) in &tree.kinds {
            self.entry(kind, next, HIGH_BIT)?;
            next += size(names.len());
        }
        let mut next = third;
        for names in tree.kinds.values() {
            self.header(names.keys())?;
            for (name, languages) in names {
                self.entry(name, next, HIGH_BIT)?;
                next += size(languages.len());
            }
        }
        for languages in tree.kinds.values().flat_map(|names| names.values()) {
            let ids: Vec<ResourceName> =
                languages.keys().map(|&language| ResourceName::Id(language)).collect();
            self.header(ids.iter())?;
            for (id, content) in ids.iter().zip(languages.values()) {
                let leaf = self.leaves_at + self.leaves.len();
                self.entry(id, leaf, 0)?;
                self.leaf(content)?;
            }
        }
        self.join()
    }

    /// Writes a directory's header: counts of names and of numbers.
    fn header<'a>(&mut self, names: impl Iterator<Item = &'a ResourceName>) -> Option<()> {
        let (named, numbered): (Vec<_>, Vec<_>) =
            names.partition(|name| matches!(name, ResourceName::Name(_)));
        self.directories.extend([0; 12]);
        for count in [named.len(), numbered.len()] {
            self.directories.extend(u16::try_from(count).ok()?.to_le_bytes());
        }
        Some(())
    }

    fn entry(&mut self, name: &ResourceName, target: usize, mark: u32) -> Option<()> {
        let field = match name {
            ResourceName::Id(id) => u32::from(*id),
            ResourceName::Name(text) => {
                let at = u32::try_from(self.names_at + self.names.len()).ok()?;
                self.names.extend(u16::try_from(text.len()).ok()?.to_le_bytes());
                self.names.extend(text.iter().flat_map(|unit| unit.to_le_bytes()));
                at | HIGH_BIT
            }
        };
        let target = u32::try_from(target).ok().filter(|target| target & HIGH_BIT == 0)?;
        self.directories.extend(field.to_le_bytes());
        self.directories.extend((target | mark).to_le_bytes());
        Some(())
    }

    fn leaf(&mut self, content: &Content) -> Option<()> {
        let rva = u32::try_from(self.rva + self.data_at + self.data.len()).ok()?;
        let size = u32::try_from(content.bytes.len()).ok()?;
        for field in [rva, size, content.code_page, 0] {
            self.leaves.extend(field.to_le_bytes());
        }
        self.data.extend(&content.bytes);
        self.data.resize(self.data.len().next_multiple_of(8), 0);
        Some(())
    }

    fn join(mut self) -> Option<Vec<u8>> {
        let mut bytes = std::mem::take(&mut self.directories);
        for (at, part) in
            [(self.leaves_at, self.leaves), (self.names_at, self.names), (self.data_at, self.data)]
        {
            bytes.resize(at, 0);
            bytes.extend(part);
        }
        i32::try_from(bytes.len()).ok().map(|_| bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ResourceName {
        ResourceName::Name(text.encode_utf16().collect())
    }

    fn content(bytes: &[u8]) -> Content {
        Content { bytes: bytes.to_vec(), code_page: 1252 }
    }

    #[test]
    fn the_tree_is_sorted_names_first() {
        let mut tree = ResourceTree::default();
        tree.insert(ResourceName::Id(10), name("B"), 0x409, content(b"xyz"));
        tree.insert(ResourceName::Id(10), name("A"), 0, content(b"a"));
        tree.insert(name("KIND"), ResourceName::Id(1), 7, content(b""));
        let bytes = tree.encode(0x1000).expect("it is small");
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"));
        // The root: one name, one number.
        assert_eq!(word(12), 0x0001_0001);
        assert_eq!((word(16) & HIGH_BIT, word(24)), (HIGH_BIT, 10));
        // The numbered type's directory has two names, A first; its leaf is one byte long.
        let kind = (word(28) & !HIGH_BIT) as usize;
        assert_eq!(word(kind + 12), 2);
        let first = (word(kind + 20) & !HIGH_BIT) as usize;
        let leaf = word(first + 20) as usize;
        let at = (word(leaf) - 0x1000) as usize;
        assert_eq!((&bytes[at..at + 1], word(leaf + 4), word(leaf + 8)), (&b"a"[..], 1, 1252));
        assert_eq!(at % 8, 0);
    }

    #[test]
    fn what_becomes_empty_goes() {
        let mut tree = ResourceTree::default();
        tree.insert(ResourceName::Id(1), ResourceName::Id(2), 3, content(b"x"));
        assert!(!tree.remove(&ResourceName::Id(1), &ResourceName::Id(2), 4));
        assert!(tree.remove(&ResourceName::Id(1), &ResourceName::Id(2), 3));
        assert!(tree.is_empty());
        assert_eq!(tree.encode(0), Some(vec![0; 16]));
    }
}
