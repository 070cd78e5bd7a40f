//! The version resource, `VS_VERSIONINFO`: blocks in blocks, found by a path of names.
//!
//! Source: <https://learn.microsoft.com/windows/win32/menurc/vs-versioninfo>

use std::ops::Range;

use super::nls::case;

/// How deep blocks lie in each other: the resource, its two parts, a table of strings, a string.
const DEPTH_MAX: usize = 8;

/// A value that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// Where its bytes are in the resource.
    pub bytes: Range<usize>,
    /// Its length as the block states it: characters of text, bytes of anything else.
    pub length: u16,
    /// Whether it is text.
    pub is_text: bool,
}

/// One block: length, length of value, kind, key, value, children.
struct Block {
    value: Value,
    key: Vec<u16>,
    children: Range<usize>,
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

impl Block {
    /// Reads the block at `at`, which must end at or before `end`.
    fn at(bytes: &[u8], at: usize, end: usize) -> Option<Self> {
        let (length, value_length, kind) = (half(bytes, at)?, half(bytes, at + 2)?, half(bytes, at + 4)?);
        let end = at.checked_add(usize::from(length)).filter(|&own| own <= end && length >= 6)?;
        let units = (at + 6..end).step_by(2).map_while(|at| half(bytes, at));
        let key: Vec<u16> = units.take_while(|&unit| unit != 0).collect();
        let start = (at + 6 + 2 * (key.len() + 1)).next_multiple_of(4).min(end);
        let is_text = kind == 1;
        let size = usize::from(value_length) * if is_text { 2 } else { 1 };
        let value_end = (start + size).min(end);
        let value = Value { bytes: start..value_end, length: value_length, is_text };
        let children = value_end.next_multiple_of(4).min(end)..end;
        Some(Self { value, key, children })
    }

    /// Finds a child by its name.
    fn child(&self, bytes: &[u8], name: &[u16]) -> Option<Self> {
        let mut at = self.children.start;
        while at < self.children.end {
            let block = Self::at(bytes, at, self.children.end)?;
            if case::equal_ignore_case(&block.key, name) {
                return Some(block);
            }
            at = block.children.end.next_multiple_of(4);
        }
        None
    }
}

/// Returns how long the resource says it is, in bytes; `None` when it does not fit.
pub fn length(bytes: &[u8]) -> Option<usize> {
    half(bytes, 0).map(usize::from).filter(|&length| length <= bytes.len())
}

/// Finds the value at a path like `\StringFileInfo\040904b0\FileVersion`; `\` is the fixed part.
pub fn query(bytes: &[u8], path: &[u16]) -> Option<Value> {
    let mut block = Block::at(bytes, 0, bytes.len())?;
    let names = path.split(|&unit| unit == u16::from(b'\\')).filter(|name| !name.is_empty());
    for (depth, name) in names.enumerate() {
        block = block.child(bytes, name).filter(|_| depth < DEPTH_MAX)?;
    }
    Some(block.value)
}

/// Makes a block of a key, a value of a stated length, and children.
fn block(key: &str, value: &[u8], length: u16, is_text: bool, children: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0; 2];
    bytes.extend(length.to_le_bytes());
    bytes.extend(u16::from(is_text).to_le_bytes());
    bytes.extend(key.encode_utf16().chain([0]).flat_map(u16::to_le_bytes));
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes.extend(value);
    for child in children {
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend(child);
    }
    let length = bytes.len() as u16;
    bytes[..2].copy_from_slice(&length.to_le_bytes());
    bytes
}

fn string(key: &str, text: &str) -> Vec<u8> {
    let units: Vec<u16> = text.encode_utf16().chain([0]).collect();
    let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    block(key, &bytes, units.len() as u16, true, &[])
}

/// Makes the version resource of a DLL of the system: its file name, its description and the system's version.
pub fn of_system(name: &str, description: &str, version: [u16; 4]) -> Vec<u8> {
    let [major, minor, build, revision] = version.map(u32::from);
    let (high, low) = (major << 16 | minor, build << 16 | revision);
    // Signature, structure's version, file, product, mask of flags, flags, VOS_NT_WINDOWS32, VFT_DLL, subtype, date.
    let fixed = [0xfeef_04bd, 0x1_0000, high, low, high, low, 0x3f, 0, 0x4_0004, 2, 0, 0, 0];
    let fixed: Vec<u8> = fixed.iter().flat_map(|field: &u32| field.to_le_bytes()).collect();
    let number = format!("{major}.{minor}.{build}.{revision}");
    let texts = [
        ("FileDescription", description),
        ("FileVersion", &number),
        ("InternalName", name),
        ("OriginalFilename", name),
        ("ProductName", "plat"),
        ("ProductVersion", &number),
    ];
    let texts: Vec<Vec<u8>> = texts.iter().map(|(key, text)| string(key, text)).collect();
    let strings = block("StringFileInfo", &[], 0, true, &[block("040904B0", &[], 0, true, &texts)]);
    // English (United States), UTF-16.
    let translation = block("Translation", &[0x09, 0x04, 0xb0, 0x04], 4, false, &[]);
    let variables = block("VarFileInfo", &[], 0, true, &[translation]);
    block("VS_VERSION_INFO", &fixed, 52, false, &[strings, variables])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let string = string("FileVersion", "1.2");
        let other = block("Comments", &[], 0, true, &[]);
        let table = block("040904b0", &[], 0, true, &[other, string]);
        let strings = block("StringFileInfo", &[], 0, true, &[table]);
        block("VS_VERSION_INFO", &[7; 52], 52, false, &[strings])
    }

    #[test]
    fn values_are_found_by_path() {
        let bytes = sample();
        let find = |path: &str| query(&bytes, &path.encode_utf16().collect::<Vec<u16>>());
        let fixed = find("\\").expect("it is there");
        assert_eq!((fixed.length, fixed.is_text, &bytes[fixed.bytes]), (52, false, &[7; 52][..]));
        let text = find("\\stringfileinfo\\040904B0\\fileversion").expect("it is there");
        assert_eq!((text.length, text.is_text, text.bytes.len()), (4, true, 8));
        assert_eq!(find("\\StringFileInfo\\040904b0\\Comments").map(|value| value.length), Some(0));
        assert_eq!(find("\\StringFileInfo\\040904b0\\Absent"), None);
        assert_eq!(length(&bytes), Some(bytes.len()));
    }

    #[test]
    fn the_system_has_a_version() {
        let bytes = of_system("kernel32.dll", "Base", [10, 0, 19045, 1]);
        let path: Vec<u16> = r"\StringFileInfo\040904b0\FileVersion".encode_utf16().collect();
        let value = query(&bytes, &path).expect("it is there");
        let text: Vec<u16> = value.bytes.step_by(2).filter_map(|at| half(&bytes, at)).collect();
        assert_eq!(String::from_utf16_lossy(&text), "10.0.19045.1\0");
        let path: Vec<u16> = r"\VarFileInfo\Translation".encode_utf16().collect();
        assert_eq!(query(&bytes, &path).map(|value| value.length), Some(4));
    }

    #[test]
    fn cut_resources_have_no_values_and_do_not_hang() {
        let bytes = sample();
        let path: Vec<u16> = "\\StringFileInfo\\040904b0\\FileVersion".encode_utf16().collect();
        for length in 0..bytes.len() {
            assert_eq!(query(&bytes[..length], &path), None, "{length}");
        }
    }
}
