//! Contents of data directories, written by the specification alone: imports, delay-load imports, bound imports.
//!
//! Each function takes the RVA that its result will lie at; the directory itself is at the start of the result.

/// Modules and what is imported from each; `#12` is an ordinal.
pub type Imports<'a> = &'a [(&'a str, &'a [&'a str])];

/// Modules and their timestamps.
pub type Stamps<'a> = &'a [(&'a str, u32)];

/// Makes an import directory with lookup tables, address tables and names.
///
/// Source: PE Format, "The .idata Section".
pub fn imports(rva: u32, is_64: bool, modules: Imports<'_>) -> Vec<u8> {
    let mut out = Out::new(rva, (modules.len() + 1) * 20);
    for (index, (module, symbols)) in modules.iter().enumerate() {
        let entries = out.symbols(is_64, symbols);
        let lookup = out.table(is_64, &entries);
        let addresses = out.table(is_64, &entries);
        let name = out.text(module);
        out.put(index * 20, &[lookup, 0, 0, name, addresses]);
    }
    out.bytes
}

/// Makes a delay-load import directory whose descriptors hold RVAs.
///
/// Source: PE Format, "Delay-Load Import Tables".
pub fn delay_imports(rva: u32, is_64: bool, modules: Imports<'_>) -> Vec<u8> {
    let mut out = Out::new(rva, (modules.len() + 1) * 32);
    for (index, (module, symbols)) in modules.iter().enumerate() {
        let entries = out.symbols(is_64, symbols);
        let names = out.table(is_64, &entries);
        let addresses = out.table(is_64, &vec![0x1234; entries.len()]);
        let handle = out.table(is_64, &[]);
        let name = out.text(module);
        out.put(index * 32, &[1, name, handle, addresses, names, 0, 0, 0]);
    }
    out.bytes
}

/// Makes a bound-import directory: modules, their timestamps, and those that they forward to.
///
/// Source: PE Format, "Optional Header Data Directories"; winnt.h, IMAGE_BOUND_IMPORT_DESCRIPTOR.
pub fn bound_imports(modules: &[(&str, u32, Stamps<'_>)]) -> Vec<u8> {
    let rows: Vec<(&str, u32, usize)> = modules
        .iter()
        .flat_map(|(name, timestamp, forwarders)| {
            let forwarders = forwarders.iter().map(|(name, timestamp)| (*name, *timestamp, 0));
            std::iter::once((*name, *timestamp, forwarders.len())).chain(forwarders)
        })
        .collect();
    let mut out = Out::new(0, (rows.len() + 1) * 8);
    for (index, (name, timestamp, forwarders)) in rows.into_iter().enumerate() {
        let name = out.text(name);
        out.put(index * 8, &[timestamp, name | (forwarders as u32) << 16]);
    }
    out.bytes
}

struct Out {
    rva: u32,
    bytes: Vec<u8>,
}

impl Out {
    fn new(rva: u32, bytes: usize) -> Self {
        Self { rva, bytes: vec![0; bytes] }
    }

    fn here(&mut self) -> u32 {
        self.bytes.resize(self.bytes.len().next_multiple_of(8), 0);
        self.rva + self.bytes.len() as u32
    }

    fn text(&mut self, text: &str) -> u32 {
        let at = self.here();
        self.bytes.extend(text.as_bytes());
        self.bytes.push(0);
        at
    }

    /// Writes hints and names; returns the words for a lookup table.
    fn symbols(&mut self, is_64: bool, symbols: &[&str]) -> Vec<u64> {
        let flag = if is_64 { 1 << 63 } else { 1 << 31 };
        let mut words = Vec::new();
        for symbol in symbols {
            if let Some(ordinal) = symbol.strip_prefix('#') {
                words.push(flag | ordinal.parse::<u64>().expect("a test's ordinal is a number"));
                continue;
            }
            words.push(self.here().into());
            self.bytes.extend([7, 0]);
            self.bytes.extend(symbol.as_bytes());
            self.bytes.push(0);
        }
        words
    }

    fn table(&mut self, is_64: bool, words: &[u64]) -> u32 {
        let at = self.here();
        for word in words.iter().chain(&[0]) {
            self.bytes.extend(&word.to_le_bytes()[..if is_64 { 8 } else { 4 }]);
        }
        at
    }

    fn put(&mut self, at: usize, words: &[u32]) {
        for (index, word) in words.iter().enumerate() {
            self.bytes[at + index * 4..at + index * 4 + 4].copy_from_slice(&word.to_le_bytes());
        }
    }
}
