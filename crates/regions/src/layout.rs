//! Layouts as data: which range of an address space is for what, read from TOML.
//!
//! Key types: [`Layout`], [`Band`], [`Use`]. Those built in: see [`Layout::builtin`].

mod raw;

use crate::{ALLOCATION_GRANULARITY, Address, AddressRange, PAGE_SIZE};
pub use raw::{Direction, Use};
use raw::{RawBand, RawLayout, RawRange};

// `BUILTIN`: the layouts of the folder `layouts`, as the build script found them. Reading TOML took a tenth of a short
// program's start.
include!(concat!(env!("OUT_DIR"), "/layouts.rs"));

/// A built-in layout as a constant.
struct Constant {
    name: &'static str,
    description: &'static str,
    bits: u32,
    lowest: u64,
    highest: u64,
    arena: &'static [(u64, u64)],
    bands: &'static [ConstantBand],
}

/// A band of a built-in layout: use, start and end, direction, why, files.
struct ConstantBand(Use, (u64, u64), Direction, &'static str, &'static [&'static str]);

/// A range of addresses and what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// What the band is for.
    pub purpose: Use,
    /// Where it lies.
    pub range: AddressRange,
    /// From which end it fills.
    pub direction: Direction,
    /// Why the band is there, for people.
    pub why: String,
    /// Files that belong here and nowhere else, in lower case; a planner leaves them alone.
    pub files: Vec<String>,
}

/// A plan of an address space: limits, arena and bands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Name, such as `win32`.
    pub name: String,
    /// One sentence for people.
    pub description: String,
    /// Width of a pointer in bits: 32 or 64.
    pub bits: u32,
    /// Lowest address that a program may use, as `GetSystemInfo` reports it.
    pub lowest: Address,
    /// Highest address that a program may use (inclusive), as `GetSystemInfo` reports it.
    pub highest: Address,
    /// What the host reserves before the guest runs, ascending.
    pub arena: Vec<AddressRange>,
    /// The bands, in the order in which they are tried for one use.
    pub bands: Vec<Band>,
}

/// Why a layout was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// The text is not TOML or lacks a field; the message names line and field.
    #[error("layout: {0}")]
    Syntax(String),
    /// A range ends at or before its start, or is not made of whole pages.
    #[error("layout, {field}: range {start:#x}..{end:#x} is empty, reversed or not made of whole pages")]
    BadRange {
        /// Which range, such as `band 3 (heap)`.
        field: String,
        /// Where it starts.
        start: u64,
        /// Where it ends.
        end: u64,
    },
    /// A field's value is out of bounds.
    #[error("layout, {field}: {value:#x} is not allowed: {expected}")]
    BadValue {
        /// Name of the field.
        field: &'static str,
        /// Its value.
        value: u64,
        /// What would be allowed.
        expected: &'static str,
    },
    /// A band lies outside the arena, so the host would never reserve it.
    #[error("layout, {band}: {range} is not inside one range of the arena")]
    OutsideArena {
        /// Which band.
        band: String,
        /// Where it lies.
        range: AddressRange,
    },
    /// Two ranges of the arena overlap or are out of order.
    #[error("layout, arena: {lower} and {upper} overlap or are not ascending")]
    ArenaOrder {
        /// The range that comes first in the text.
        lower: AddressRange,
        /// The range that comes next.
        upper: AddressRange,
    },
    /// No built-in layout has this name.
    #[error("no layout is called {name:?}; built in are {}", builtin_list())]
    UnknownName {
        /// The name that was asked for.
        name: String,
    },
}

fn builtin_list() -> String {
    Layout::builtin_names().collect::<Vec<_>>().join(", ")
}

impl Constant {
    fn to_raw(&self) -> RawLayout {
        let range = |&(start, end): &(u64, u64)| RawRange { start, end };
        RawLayout {
            name: self.name.to_owned(),
            description: self.description.to_owned(),
            bits: self.bits,
            lowest: self.lowest,
            highest: self.highest,
            arena: self.arena.iter().map(range).collect(),
            band: self.bands.iter().map(ConstantBand::to_raw).collect(),
        }
    }
}

impl ConstantBand {
    fn to_raw(&self) -> RawBand {
        let Self(purpose, (start, end), direction, why, files) = *self;
        let files = files.iter().map(|&name| name.to_owned()).collect();
        RawBand { purpose, start, end, direction, why: why.to_owned(), files }
    }
}

impl Layout {
    /// Returns the names of the built-in layouts.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|layout| layout.name)
    }

    /// Returns a built-in layout.
    ///
    /// # Errors
    /// [`LayoutError::UnknownName`] when there is none of that name.
    pub fn builtin(name: &str) -> Result<Self, LayoutError> {
        match BUILTIN.iter().find(|layout| layout.name == name) {
            Some(layout) => Self::from_raw(layout.to_raw()),
            None => Err(LayoutError::UnknownName { name: name.to_owned() }),
        }
    }

    /// Reads a layout from TOML text.
    ///
    /// # Errors
    /// [`LayoutError`] naming line and field, or the range that makes no sense.
    pub fn parse(text: &str) -> Result<Self, LayoutError> {
        Self::from_raw(toml::from_str(text).map_err(|error| LayoutError::Syntax(error.to_string()))?)
    }

    fn from_raw(raw: RawLayout) -> Result<Self, LayoutError> {
        let mut arena = Vec::new();
        for (index, range) in raw.arena.iter().enumerate() {
            arena.push(checked_range(range.start, range.end, || format!("arena {}", index + 1))?);
        }
        let mut bands = Vec::new();
        for (index, band) in raw.band.into_iter().enumerate() {
            let name = || format!("band {} ({:?})", index + 1, band.purpose);
            let range = checked_range(band.start, band.end, name)?;
            let outside = !arena.iter().any(|part| part.contains_range(range));
            if outside && !matches!(band.purpose, Use::NullGuard | Use::Forbidden) {
                return Err(LayoutError::OutsideArena { band: name(), range });
            }
            let files = band.files.iter().map(|name| name.to_lowercase()).collect();
            bands.push(Band {
                purpose: band.purpose,
                range,
                direction: band.direction,
                why: band.why,
                files,
            });
        }
        let layout = Self {
            name: raw.name,
            description: raw.description,
            bits: raw.bits,
            lowest: Address::new(raw.lowest),
            highest: Address::new(raw.highest),
            arena,
            bands,
        };
        layout.check()?;
        Ok(layout)
    }

    fn check(&self) -> Result<(), LayoutError> {
        let bad = |field, value, expected| Err(LayoutError::BadValue { field, value, expected });
        if !matches!(self.bits, 32 | 64) {
            return bad("bits", self.bits.into(), "32 or 64");
        }
        let lowest = self.lowest.get();
        if lowest == 0 || !lowest.is_multiple_of(ALLOCATION_GRANULARITY) {
            return bad("lowest", lowest, "a multiple of 64 KiB above zero");
        }
        let most = if self.bits == 32 { u64::from(u32::MAX) } else { (1 << 47) - 1 };
        let highest = self.highest.get();
        if highest <= lowest || highest > most || !(highest + 1).is_multiple_of(PAGE_SIZE) {
            return bad(
                "highest",
                highest,
                "the last byte of a page above `lowest`, within 32 bits or 47 bits",
            );
        }
        for pair in self.arena.windows(2) {
            if pair[1].start < pair[0].end {
                return Err(LayoutError::ArenaOrder { lower: pair[0], upper: pair[1] });
            }
        }
        Ok(())
    }

    /// Returns the bands for one use, in the order in which they are tried.
    pub fn bands_for(&self, purpose: Use) -> impl Iterator<Item = &Band> {
        self.bands.iter().filter(move |band| band.purpose == purpose)
    }

    /// Returns the range that a program may use: from `lowest` to the byte after `highest`.
    pub fn usable(&self) -> AddressRange {
        AddressRange { start: self.lowest, end: Address::new(self.highest.get() + 1) }
    }
}

fn checked_range(start: u64, end: u64, field: impl Fn() -> String) -> Result<AddressRange, LayoutError> {
    let range = AddressRange::new(Address::new(start), Address::new(end));
    match range {
        Some(range) if !range.is_empty() && range.start.is_page_aligned() && range.end.is_page_aligned() => {
            Ok(range)
        }
        _ => Err(LayoutError::BadRange { field: field(), start, end }),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn every_builtin_layout_is_its_file() {
        assert_eq!(Layout::builtin_names().count(), 8);
        for name in Layout::builtin_names() {
            let file = format!("{}/layouts/{name}.toml", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(file).expect(name);
            let layout = Layout::builtin(name).expect(name);
            assert_eq!(layout.name, name);
            assert_eq!(layout, Layout::parse(&text).expect(name));
        }
    }

    #[test]
    fn a_wrong_use_is_reported_with_its_line() {
        let text = "name = 'x'\nbits = 32\nlowest = 0x10000\nhighest = 0x7ffeffff\narena = []\n[[band]]\nuse = 'heep'\nstart = 1\nend = 2\n";
        let error = Layout::parse(text).expect_err("`heep` is no use").to_string();
        expect![[r#"
            layout: TOML parse error at line 7, column 7
              |
            7 | use = 'heep'
              |       ^^^^^^
            unknown variant `heep`, expected one of `null-guard`, `dos`, `image`, `system-image`, `heap`, `stack`, `private`, `environment`, `shared-data`, `dll`, `auto-base`, `runtime`, `shared`, `aslr`, `forbidden`
        "#]]
        .assert_eq(&error);
    }

    #[test]
    fn a_band_outside_the_arena_is_refused() {
        let text = "name = 'x'\nbits = 32\nlowest = 0x10000\nhighest = 0x7ffeffff\narena = [{ start = 0x10000, end = 0x20000 }]\n[[band]]\nuse = 'heap'\nstart = 0x10000\nend = 0x30000\n";
        let error = Layout::parse(text).expect_err("outside").to_string();
        expect!["layout, band 1 (Heap): 0x00000000_00010000..0x00000000_00030000 is not inside one range of the arena"].assert_eq(&error);
    }
}
