//! The text of a database: TOML, version 1. See `docs/rebase-database.md`.

use std::collections::BTreeMap;
use std::fmt::Write;

use plat_regions::Address;
use serde::Deserialize;
use toml::Spanned;

use super::{CygwinHeader, Database, Entry};
use crate::member::{Constraint, ContentHash, Machine};

/// The version that is written, and the only one that is read.
const VERSION: i64 = 1;

/// Why a database cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseError {
    /// The text is not TOML, or lacks a field; the message names line and field.
    #[error("{name}: {message}")]
    Syntax {
        /// The file.
        name: String,
        /// What the parser says.
        message: String,
    },
    /// It was written by another version of plat.
    #[error("{name}, line {line}: version {version} is not known: this plat reads version 1")]
    Version {
        /// The file.
        name: String,
        /// The line.
        line: usize,
        /// The version.
        version: i64,
    },
    /// A field's value cannot be.
    #[error("{name}, line {line}: {field} of {path:?} is {value:?}, expected {expected}")]
    Value {
        /// The file.
        name: String,
        /// The line.
        line: usize,
        /// The entry.
        path: String,
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What would be allowed.
        expected: &'static str,
    },
    /// A path is there twice.
    #[error("{name}, line {line}: {path:?} is there a second time")]
    Twice {
        /// The file.
        name: String,
        /// The line of the second.
        line: usize,
        /// The path.
        path: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDatabase {
    version: Spanned<i64>,
    layout: Option<String>,
    cygwin: Option<RawCygwin>,
    #[serde(default)]
    file: Vec<RawEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCygwin {
    base: Spanned<String>,
    #[serde(default)]
    offset: u32,
    #[serde(default)]
    down: bool,
    #[serde(default)]
    mounts: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEntry {
    path: Spanned<String>,
    hash: Option<Spanned<String>>,
    machine: Spanned<String>,
    original: Option<Spanned<String>>,
    base: Spanned<String>,
    size: Spanned<u64>,
    slot: Spanned<u64>,
    #[serde(default)]
    shares: bool,
    #[serde(default)]
    constraints: Vec<Spanned<String>>,
}

/// What errors name.
struct Place<'a> {
    name: &'a str,
    text: &'a str,
    path: &'a str,
}

impl Place<'_> {
    fn line(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
    }

    fn bad(&self, offset: usize, field: &'static str, value: &str, expected: &'static str) -> DatabaseError {
        DatabaseError::Value {
            name: self.name.to_owned(),
            line: self.line(offset),
            path: self.path.to_owned(),
            field,
            value: value.to_owned(),
            expected,
        }
    }

    fn address(&self, field: &'static str, text: &Spanned<String>) -> Result<Address, DatabaseError> {
        let expected = "a number of at most 16 hexadecimal digits after 0x";
        parse_address(text.get_ref())
            .ok_or_else(|| self.bad(text.span().start, field, text.get_ref(), expected))
    }
}

fn parse_address(text: &str) -> Option<Address> {
    let digits = text.strip_prefix("0x")?;
    let digits: String = digits.chars().filter(|&letter| letter != '_').collect();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_number.then(|| u64::from_str_radix(&digits, 16).ok().map(Address::new))?
}

fn parse_hash(text: &str) -> Option<ContentHash> {
    let digits = text.strip_prefix("blake3:").filter(|it| it.len() == 64 && it.is_ascii())?;
    let mut hash = [0; 32];
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(ContentHash(hash))
}

/// Reads a constraint as databases and command lines write it: `never-move`, `fixed 0x…`, `near PATH`, `group NAME`.
pub fn parse_constraint(text: &str) -> Option<Constraint> {
    match text.split_once(' ') {
        None if text == "never-move" => Some(Constraint::NeverMove),
        Some(("fixed", base)) => parse_address(base).map(Constraint::Fixed),
        Some(("near", path)) if !path.is_empty() => Some(Constraint::Near(path.to_owned())),
        Some(("group", name)) if !name.is_empty() => Some(Constraint::Group(name.to_owned())),
        _ => None,
    }
}

fn constraint_text(constraint: &Constraint) -> String {
    match constraint {
        Constraint::NeverMove => "never-move".into(),
        Constraint::Fixed(base) => format!("fixed {:#x}", base.get()),
        Constraint::Near(path) => format!("near {path}"),
        Constraint::Group(name) => format!("group {name}"),
    }
}

fn machine_text(machine: Machine) -> &'static str {
    match machine {
        Machine::I386 => "i386",
        Machine::Amd64 => "amd64",
        Machine::Arm64 => "arm64",
    }
}

impl Database {
    /// Reads a database; `name` is the file's, for messages.
    ///
    /// # Errors
    /// [`DatabaseError`] with file, line and field.
    pub fn parse(name: &str, text: &str) -> Result<Self, DatabaseError> {
        let syntax = |error: toml::de::Error| DatabaseError::Syntax {
            name: name.to_owned(),
            message: error.to_string().trim_end().to_owned(),
        };
        let raw: RawDatabase = toml::from_str(text).map_err(syntax)?;
        let place = Place { name, text, path: "" };
        if *raw.version.get_ref() != VERSION {
            let line = place.line(raw.version.span().start);
            return Err(DatabaseError::Version {
                name: name.to_owned(),
                line,
                version: *raw.version.get_ref(),
            });
        }
        let cygwin = raw.cygwin.map(|it| {
            let place = Place { path: "[cygwin]", ..place };
            let base = place.address("base", &it.base)?;
            let mount = |it: &Spanned<String>| {
                let parts = it.get_ref().split_once('=').map(|(seen, there)| (seen.into(), there.into()));
                parts.ok_or_else(|| place.bad(it.span().start, "mounts", it.get_ref(), "FOLDER=FOLDER"))
            };
            let mounts = it.mounts.iter().map(mount).collect::<Result<_, _>>()?;
            Ok(CygwinHeader { base, offset: it.offset, is_down: it.down, mounts })
        });
        let mut entries = BTreeMap::new();
        for entry in raw.file {
            let offset = entry.path.span().start;
            let entry = read_entry(name, text, entry)?;
            let path = entry.path.clone();
            if entries.insert(path.clone(), entry).is_some() {
                return Err(DatabaseError::Twice { name: name.to_owned(), line: place.line(offset), path });
            }
        }
        Ok(Self { layout: raw.layout, cygwin: cygwin.transpose()?, entries })
    }

    /// Writes the database.
    pub fn to_toml(&self) -> String {
        let mut text = format!(
            "# Bases of DLLs, kept by plat rebase. The format is in docs/rebase-database.md.\nversion = {VERSION}\n"
        );
        let quote = |text: &str| toml::Value::String(text.to_owned()).to_string();
        if let Some(layout) = &self.layout {
            let _ = writeln!(text, "layout = {}", quote(layout));
        }
        if let Some(it) = &self.cygwin {
            let (base, offset, down) = (it.base.get(), it.offset, it.is_down);
            let _ = writeln!(text, "\n[cygwin]\nbase = \"{base:#x}\"\noffset = {offset}\ndown = {down}");
            if !it.mounts.is_empty() {
                let list: Vec<_> =
                    it.mounts.iter().map(|(seen, there)| quote(&format!("{seen}={there}"))).collect();
                let _ = writeln!(text, "mounts = [{}]", list.join(", "));
            }
        }
        for entry in self.entries.values() {
            let _ = writeln!(text, "\n[[file]]\npath = {}", quote(&entry.path));
            if let Some(ContentHash(hash)) = entry.hash {
                let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
                let _ = writeln!(text, "hash = \"blake3:{digits}\"");
            }
            let _ = writeln!(text, "machine = \"{}\"", machine_text(entry.machine));
            if let Some(original) = entry.original {
                let _ = writeln!(text, "original = \"{:#x}\"", original.get());
            }
            let (base, size, slot) = (entry.base.get(), entry.size, entry.slot);
            let _ = writeln!(text, "base = \"{base:#x}\"\nsize = {size:#x}\nslot = {slot:#x}");
            if entry.shares {
                text.push_str("shares = true\n");
            }
            if !entry.constraints.is_empty() {
                let list: Vec<String> =
                    entry.constraints.iter().map(|it| quote(&constraint_text(it))).collect();
                let _ = writeln!(text, "constraints = [{}]", list.join(", "));
            }
        }
        text
    }
}

fn read_entry(name: &str, text: &str, raw: RawEntry) -> Result<Entry, DatabaseError> {
    let path = raw.path.get_ref().as_str();
    let place = Place { name, text, path };
    if path.is_empty() {
        return Err(place.bad(raw.path.span().start, "path", path, "a path"));
    }
    let machine = match raw.machine.get_ref().as_str() {
        "i386" => Machine::I386,
        "amd64" => Machine::Amd64,
        "arm64" => Machine::Arm64,
        other => return Err(place.bad(raw.machine.span().start, "machine", other, "i386, amd64 or arm64")),
    };
    let hash = raw.hash.map(|hash| {
        let expected = "blake3: and 64 hexadecimal digits";
        parse_hash(hash.get_ref())
            .ok_or_else(|| place.bad(hash.span().start, "hash", hash.get_ref(), expected))
    });
    let base = place.address("base", &raw.base)?;
    let (size, slot) = (*raw.size.get_ref(), *raw.slot.get_ref());
    let bounds = [("size", &raw.size), ("slot", &raw.slot)];
    for (field, value) in bounds {
        // No image has 4 GiB; a slot may have slack besides.
        if *value.get_ref() > 1 << 40 || base.checked_add(*value.get_ref()).is_none() {
            let shown = format!("{:#x}", value.get_ref());
            return Err(place.bad(
                value.span().start,
                field,
                &shown,
                "at most 1 TiB, below the end of 64 bits",
            ));
        }
    }
    let original = raw.original.as_ref().map(|it| place.address("original", it)).transpose()?;
    let constraint = |it: &Spanned<String>| {
        let expected = "never-move, fixed 0x…, near PATH or group NAME";
        parse_constraint(it.get_ref())
            .ok_or_else(|| place.bad(it.span().start, "constraints", it.get_ref(), expected))
    };
    let constraints = raw.constraints.iter().map(constraint).collect::<Result<_, _>>()?;
    let hash = hash.transpose()?;
    Ok(Entry {
        path: path.to_owned(),
        hash,
        machine,
        original,
        base,
        size,
        slot,
        shares: raw.shares,
        constraints,
    })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use proptest::prelude::*;

    use super::*;

    const SAMPLE: &str = "version = 1\n\n[[file]]\npath = \"a.dll\"\nmachine = \"amd64\"\nbase = \"0x3_fff0_0000\"\nsize = 0x12000\nslot = 0x20000\n";

    #[test]
    fn errors_name_file_line_and_field() {
        let tries = [
            SAMPLE.replace("version = 1", "version = 2"),
            SAMPLE.replace("0x3_fff0", "3fff0"),
            SAMPLE.replace("amd64", "alpha"),
            SAMPLE.replace("size", "bigness"),
            SAMPLE.replace("slot = 0x20000", "slot = -1"),
            SAMPLE.replace("slot = 0x20000", "slot = 0x7fffffffffffffff"),
            SAMPLE.replace("slot", "constraints = [\"near\"]\nslot"),
            format!("{SAMPLE}{}", SAMPLE.replace("version = 1", "")),
        ];
        let says: Vec<String> = tries
            .iter()
            .map(|text| Database::parse("db.toml", text).expect_err("each is wrong").to_string())
            .collect();
        expect![[r#"
            db.toml, line 1: version 2 is not known: this plat reads version 1
            db.toml, line 6: base of "a.dll" is "3fff0_0000", expected a number of at most 16 hexadecimal digits after 0x
            db.toml, line 5: machine of "a.dll" is "alpha", expected i386, amd64 or arm64
            db.toml: TOML parse error at line 7, column 1
              |
            7 | bigness = 0x12000
              | ^^^^^^^
            unknown field `bigness`, expected one of `path`, `hash`, `machine`, `original`, `base`, `size`, `slot`, `shares`, `constraints`
            db.toml: TOML parse error at line 8, column 8
              |
            8 | slot = -1
              |        ^^
            invalid value: integer `-1`, expected u64
            db.toml, line 8: slot of "a.dll" is "0x7fffffffffffffff", expected at most 1 TiB, below the end of 64 bits
            db.toml, line 8: constraints of "a.dll" is "near", expected never-move, fixed 0x…, near PATH or group NAME
            db.toml, line 12: "a.dll" is there a second time"#]].assert_eq(&says.join("\n"));
    }

    fn any_entry() -> impl Strategy<Value = Entry> {
        let constraint = prop_oneof![
            Just(Constraint::NeverMove),
            any::<u32>().prop_map(|base| Constraint::Fixed(Address::new(base.into()))),
            ".+".prop_map(Constraint::Near),
            ".+".prop_map(Constraint::Group),
        ];
        let numbers = (0u64..1 << 47, 0u64..1 << 32, 0u64..1 << 33, proptest::option::of(any::<u64>()));
        let rest = (
            proptest::option::of(any::<[u8; 32]>()),
            any::<bool>(),
            proptest::collection::vec(constraint, 0..3),
        );
        (".+", numbers, rest).prop_map(|(path, (base, size, slot, original), (hash, shares, constraints))| {
            Entry {
                path,
                hash: hash.map(ContentHash),
                machine: Machine::Amd64,
                original: original.map(Address::new),
                base: Address::new(base),
                size,
                slot,
                shares,
                constraints,
            }
        })
    }

    proptest! {
        #[test]
        fn a_database_is_read_as_it_was_written(entries in proptest::collection::vec(any_entry(), 0..4), layout in proptest::option::of(".*")) {
            let entries = entries.into_iter().map(|entry| (entry.path.clone(), entry)).collect();
            let cygwin = Some(CygwinHeader {
                base: Address::new(0x4_0000_0000), offset: 7, is_down: true,
                mounts: vec![("usr/bin".into(), "bin".into())],
            });
            let database = Database { layout, cygwin, entries };
            prop_assert_eq!(Database::parse("x", &database.to_toml()), Ok(database));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,300}") {
            let _ = Database::parse("x", &text);
            let _ = Database::parse("x", &format!("{SAMPLE}{text}"));
        }
    }
}
