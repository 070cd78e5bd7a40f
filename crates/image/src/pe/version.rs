//! The version resource, decoded: [`VersionInfo`].

use super::PeImage;
use crate::ImageError;

/// The most texts that are read from one resource: far more than the dozen that real files have.
const TEXTS_MAX: usize = 4096;

/// What a version resource says.
///
/// Source: Microsoft, "VS_VERSIONINFO structure", "StringFileInfo", "VarFileInfo".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionInfo {
    /// The fixed part; `None` when it is absent or its signature is wrong.
    pub fixed: Option<FixedVersion>,
    /// The tables of texts, one for a language and code page.
    pub tables: Vec<VersionTable>,
    /// The languages and code pages that the file declares itself good for.
    pub translations: Vec<(u16, u16)>,
}

/// The texts of one language.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionTable {
    /// Eight hexadecimal digits: language and code page, as in `040904b0`.
    pub key: String,
    /// Names and values, in the order of the file: `CompanyName`, `FileDescription`, and so on.
    pub texts: Vec<(String, String)>,
}

/// The fixed part of a version resource.
///
/// Source: Microsoft, "VS_FIXEDFILEINFO structure".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FixedVersion {
    /// The file's version: major, minor, build, revision.
    pub file: [u16; 4],
    /// The version of the product that the file belongs to.
    pub product: [u16; 4],
    /// Which of `flags` are valid.
    pub flags_mask: u32,
    /// 1 debug, 2 prerelease, 4 patched, 8 private build, 32 special build.
    pub flags: u32,
    /// For which system: 0x40004 is Windows NT.
    pub os: u32,
    /// 1 a program, 2 a DLL, 3 a driver, 4 a font, 7 a static library.
    pub kind: u32,
    /// What kind of driver or font.
    pub subkind: u32,
}

impl PeImage<'_> {
    /// Decodes the version resource; `None` when there is none.
    ///
    /// What lies past a block's end is ignored, as Windows does: a damaged resource yields what can be read of it.
    ///
    /// # Errors
    /// As [`PeImage::resources`].
    pub fn version(&self) -> Result<Option<VersionInfo>, ImageError> {
        Ok(self.version_info()?.map(VersionInfo::read))
    }
}

impl VersionInfo {
    /// Decodes the bytes of a version resource.
    pub fn read(bytes: &[u8]) -> Self {
        let mut info = Self::default();
        let Some((root, _)) = Block::read(bytes) else { return info };
        info.fixed = FixedVersion::read(root.value);
        for child in root.children() {
            match child.key.as_str() {
                "StringFileInfo" => info.read_tables(&child),
                "VarFileInfo" => info.read_translations(&child),
                _ => {}
            }
        }
        info
    }

    fn read_tables(&mut self, strings: &Block<'_>) {
        let mut left = TEXTS_MAX.saturating_sub(self.tables.iter().map(|table| table.texts.len() + 1).sum());
        for table in strings.children() {
            let Some(rest) = left.checked_sub(1) else { return };
            let texts: Vec<_> =
                table.children().take(rest).map(|entry| (entry.key.clone(), entry.text())).collect();
            left = rest - texts.len();
            self.tables.push(VersionTable { key: table.key, texts });
        }
    }

    fn read_translations(&mut self, variables: &Block<'_>) {
        for variable in variables.children().filter(|it| it.key == "Translation") {
            let halves = variable.value.chunks_exact(4).take(TEXTS_MAX);
            self.translations.extend(halves.map(|pair| {
                (u16::from_le_bytes([pair[0], pair[1]]), u16::from_le_bytes([pair[2], pair[3]]))
            }));
        }
    }
}

impl FixedVersion {
    const SIGNATURE: u32 = 0xfeef_04bd;

    fn read(bytes: &[u8]) -> Option<Self> {
        let word = |index: usize| Some(u32::from_le_bytes(*bytes.get(index * 4..)?.first_chunk()?));
        let version =
            |high: u32, low: u32| [(high >> 16) as u16, high as u16, (low >> 16) as u16, low as u16];
        (word(0)? == Self::SIGNATURE).then_some(())?;
        Some(Self {
            file: version(word(2)?, word(3)?),
            product: version(word(4)?, word(5)?),
            flags_mask: word(6)?,
            flags: word(7)?,
            os: word(8)?,
            kind: word(9)?,
            subkind: word(10)?,
        })
    }
}

/// A block of the tree: a length, a key, a value, and further blocks.
struct Block<'a> {
    key: String,
    value: &'a [u8],
    below: &'a [u8],
}

impl<'a> Block<'a> {
    /// Reads the block at the start of `bytes`, and says how many bytes it has in all.
    fn read(bytes: &'a [u8]) -> Option<(Self, usize)> {
        let length = usize::from(u16_at(bytes, 0)?);
        let bytes = &bytes[..length.min(bytes.len())];
        let value_length = usize::from(u16_at(bytes, 2)?);
        let is_text = u16_at(bytes, 4)? == 1;
        let key = units_to_nul(bytes.get(6..)?);
        let value_at = (6 + (key.len() + 1) * 2).next_multiple_of(4).min(bytes.len());
        // A text's length counts UTF-16 units; some linkers count bytes, then the NUL ends it.
        let value_bytes = if is_text { value_length * 2 } else { value_length };
        let value_end = (value_at + value_bytes).min(bytes.len());
        let below_at = value_end.next_multiple_of(4).min(bytes.len());
        let block = Self {
            key: String::from_utf16_lossy(&key),
            value: &bytes[value_at..value_end],
            below: &bytes[below_at..],
        };
        // A length of less than its own fields would never end.
        (length >= 6).then_some((block, length))
    }

    fn text(&self) -> String {
        String::from_utf16_lossy(&units_to_nul(self.value))
    }

    fn children(&self) -> impl Iterator<Item = Block<'a>> + use<'a> {
        let mut rest = self.below;
        std::iter::from_fn(move || {
            let (block, length) = Block::read(rest)?;
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
            Some(block)
        })
    }
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(offset..)?.first_chunk()?))
}

/// Returns the UTF-16 units before the first NUL, or all of them.
fn units_to_nul(bytes: &[u8]) -> Vec<u16> {
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    units.take_while(|&unit| unit != 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(key: &str, is_text: bool, value: &[u8], below: &[Vec<u8>]) -> Vec<u8> {
        let mut out = vec![0; 6];
        out.extend(key.encode_utf16().chain([0]).flat_map(u16::to_le_bytes));
        out.resize(out.len().next_multiple_of(4), 0);
        out.extend(value);
        for child in below {
            out.resize(out.len().next_multiple_of(4), 0);
            out.extend(child);
        }
        let value_length = if is_text { value.len() / 2 } else { value.len() };
        for (at, value) in [(0, out.len()), (2, value_length), (4, usize::from(is_text))] {
            out[at..at + 2].copy_from_slice(&(value as u16).to_le_bytes());
        }
        out
    }

    fn text(key: &str, value: &str) -> Vec<u8> {
        let value: Vec<u8> = value.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
        block(key, true, &value, &[])
    }

    fn sample() -> Vec<u8> {
        let fixed: Vec<u8> =
            [0xfeef_04bd, 0x1_0000, 0x1_0002, 0x3_0004, 0x5_0006, 0x7_0008, 0x3f, 2, 0x4_0004, 1, 0]
                .into_iter()
                .flat_map(u32::to_le_bytes)
                .chain([0; 8])
                .collect();
        let table = block("040904b0", true, &[], &[text("CompanyName", "Äther"), text("Odd", "x")]);
        let translation = block("Translation", false, &[9, 4, 0xb0, 4], &[]);
        let below =
            [block("StringFileInfo", true, &[], &[table]), block("VarFileInfo", true, &[], &[translation])];
        block("VS_VERSION_INFO", false, &fixed, &below)
    }

    #[test]
    fn every_part_is_read() {
        let info = VersionInfo::read(&sample());
        let fixed = info.fixed.expect("its signature is right");
        assert_eq!((fixed.file, fixed.product), ([1, 2, 3, 4], [5, 6, 7, 8]));
        assert_eq!((fixed.flags_mask, fixed.flags, fixed.os, fixed.kind), (0x3f, 2, 0x4_0004, 1));
        assert_eq!(info.tables[0].key, "040904b0");
        let texts = [("CompanyName", "Äther"), ("Odd", "x")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(info.tables[0].texts, texts);
        assert_eq!(info.translations, [(0x409, 0x4b0)]);
    }

    #[test]
    fn cut_and_zeroed_resources_yield_what_is_there() {
        let whole = sample();
        for length in 0..whole.len() {
            let _ = VersionInfo::read(&whole[..length]);
        }
        for at in (0..whole.len() - 1).step_by(2) {
            for value in [0u16, 1, 5, 0x7fff, 0xffff] {
                let mut bytes = whole.clone();
                bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
                let _ = VersionInfo::read(&bytes);
            }
        }
        assert_eq!(VersionInfo::read(&[]), VersionInfo::default());
    }
}
