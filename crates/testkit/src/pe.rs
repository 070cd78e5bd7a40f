//! Hostile PE files: [`hostile`] breaks a valid image in every systematic way that it knows.
//!
//! Works on bytes alone and finds its way by fixed offsets, so that it shares no mistake with the parser under test.

/// A broken file and what was done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostileFile {
    /// What was changed, for the message of a failing test.
    pub what: String,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Values that break a field of 2, 4 or 8 bytes; the ends of the file are added to them.
const EDGES: [u32; 9] = [0, 1, 3, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff];

/// Fields of the file header (from the signature): offset and size in bytes.
const FILE_HEADER: &[(usize, usize, &str)] = &[
    (0, 4, "Signature"),
    (4, 2, "Machine"),
    (6, 2, "NumberOfSections"),
    (20, 2, "SizeOfOptionalHeader"),
    (22, 2, "Characteristics"),
];

/// Fields of the optional header that PE32 and PE32+ share.
const OPTIONAL_HEADER: &[(usize, usize, &str)] = &[
    (0, 2, "Magic"),
    (16, 4, "AddressOfEntryPoint"),
    (24, 4, "ImageBase (low)"),
    (28, 4, "ImageBase (high)"),
    (32, 4, "SectionAlignment"),
    (36, 4, "FileAlignment"),
    (56, 4, "SizeOfImage"),
    (60, 4, "SizeOfHeaders"),
];

/// Fields of a section table entry.
const SECTION: &[(usize, usize, &str)] = &[
    (8, 4, "VirtualSize"),
    (12, 4, "VirtualAddress"),
    (16, 4, "SizeOfRawData"),
    (20, 4, "PointerToRawData"),
    (36, 4, "Characteristics"),
];

/// Returns broken copies of `valid`, a PE file: each header field at each edge, each directory moved and resized,
/// each word of each directory's contents at each edge, and the file cut at every structure's boundary.
pub fn hostile(valid: &[u8]) -> Vec<HostileFile> {
    let mut files = Vec::new();
    let word = |at: usize| {
        u32::from_le_bytes(*valid[at..].first_chunk().expect("a valid PE has this field")) as usize
    };
    let half =
        |at: usize| usize::from(u16::from_le_bytes(*valid[at..].first_chunk().expect("a valid PE has it")));
    let signature = word(0x3c);
    let optional = signature + 24;
    let count_at = optional + if half(optional) == 0x20b { 108 } else { 92 };
    let table = optional + half(signature + 20);
    let section_count = half(signature + 6);
    edges(valid, &mut files, 0x3c, 4, "e_lfanew");
    for &(offset, size, name) in FILE_HEADER {
        edges(valid, &mut files, signature + offset, size, name);
    }
    for &(offset, size, name) in OPTIONAL_HEADER {
        edges(valid, &mut files, optional + offset, size, name);
    }
    edges(valid, &mut files, count_at, 4, "NumberOfRvaAndSizes");
    let mut cuts = vec![0, 1, 2, 0x3c, 0x3f, 0x40, signature, signature + 4, optional, count_at, table];
    for index in 0..section_count {
        let entry = table + index * 40;
        cuts.extend([entry + 39, entry + 40, word(entry + 20), word(entry + 20) + 1]);
        for &(offset, size, name) in SECTION {
            edges(valid, &mut files, entry + offset, size, &format!("section {index} {name}"));
        }
        // Each section in turn lies where the one before it lies, and where the headers are.
        copy_word(valid, &mut files, entry + 12, entry.saturating_sub(40) + 12, "sections overlap");
    }
    for index in 0..word(count_at).min(16) {
        let at = count_at + 4 + index * 8;
        edges(valid, &mut files, at, 4, &format!("directory {index} VirtualAddress"));
        edges(valid, &mut files, at + 4, 4, &format!("directory {index} Size"));
        // Sections of the images given here lie in the file where they lie in memory.
        let (start, bytes) = (word(at), word(at + 4));
        if start == 0 || start + bytes > valid.len() {
            continue;
        }
        cuts.extend([start, start + 1, start + bytes - 1, start + bytes]);
        for word_at in (start..start + bytes.min(256)).step_by(2) {
            edges(valid, &mut files, word_at, 4, &format!("directory {index} byte {:#x}", word_at - start));
            // A pointer to the directory itself: cycles in trees, lists that contain themselves.
            set(
                valid,
                &mut files,
                (word_at, 4),
                start as u64,
                &format!("directory {index} points at itself"),
            );
            set(valid, &mut files, (word_at, 4), 0x8000_0000, &format!("directory {index} is its own child"));
        }
    }
    cuts.extend([valid.len() - 1, valid.len() / 2]);
    cuts.sort_unstable();
    cuts.dedup();
    for cut in cuts.into_iter().filter(|&cut| cut < valid.len()) {
        files.push(HostileFile { what: format!("cut at {cut:#x}"), bytes: valid[..cut].to_vec() });
    }
    files
}

fn edges(valid: &[u8], files: &mut Vec<HostileFile>, at: usize, size: usize, name: &str) {
    let ends = [valid.len() as u32 - 1, valid.len() as u32, valid.len() as u32 + 1];
    for value in EDGES.into_iter().chain(ends) {
        set(valid, files, (at, size), value.into(), name);
    }
}

fn set(valid: &[u8], files: &mut Vec<HostileFile>, (at, size): (usize, usize), value: u64, name: &str) {
    let mut bytes = valid.to_vec();
    let Some(field) = bytes.get_mut(at..at + size) else { return };
    field.copy_from_slice(&value.to_le_bytes()[..size]);
    files.push(HostileFile { what: format!("{name} (offset {at:#x}) set to {value:#x}"), bytes });
}

fn copy_word(valid: &[u8], files: &mut Vec<HostileFile>, to: usize, from: usize, name: &str) {
    let value = u32::from_le_bytes(*valid[from..].first_chunk().expect("a valid PE has this field"));
    set(valid, files, (to, 4), value.into(), name);
}
