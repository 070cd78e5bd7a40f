//! Calls as C and strace write them: name, arguments, numbers, flags.

use std::borrow::Cow;

use plat_regions::linux::{Advice, LockAllFlags, MapFlags, ProtectGrows, RemapFlags, RemapRequest};
use plat_regions::{Access, Address};

use crate::calls::{LOCK_ALL_NAMES, MAP_NAMES};

/// A call as text: its name and its arguments, each with the column where it starts (from 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text<'a> {
    pub(super) name: &'a str,
    pub(super) arguments: Vec<(usize, &'a str)>,
    /// What follows the closing bracket.
    pub(super) rest: &'a str,
}

/// What is wrong with an argument: its column, and words.
pub(super) type Wrong = (usize, String);

/// Cuts `name(a, b, ...) rest` into its parts; brackets and quotes inside arguments are kept together.
pub(super) fn split(text: &str, column: usize) -> Result<Text<'_>, Wrong> {
    let open = text.find('(').ok_or((column, "expected a call such as munmap(0x40000, 4096)".to_owned()))?;
    let mut arguments = Vec::new();
    let (mut depth, mut start, mut quoted, mut escaped) = (0, open + 1, false, false);
    for (index, letter) in text.char_indices().skip_while(|(index, _)| *index < open) {
        if quoted {
            quoted = escaped || letter != '"';
            escaped = letter == '\\' && !escaped;
            continue;
        }
        match letter {
            '"' => quoted = true,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if (letter == ',' && depth == 1) || depth == 0 {
            let argument = &text[start..index];
            let inset = argument.len() - argument.trim_start().len();
            if !argument.trim().is_empty() || depth == 1 {
                arguments.push((column + start + inset, argument.trim()));
            }
            start = index + 1;
        }
        if depth == 0 {
            return Ok(Text { name: text[..open].trim(), arguments, rest: text[index + 1..].trim() });
        }
    }
    Err((column + text.len(), "the call has no closing bracket".to_owned()))
}

/// Reads a number: `12`, `0x1f`, `8 * 1024` as strace writes limits, with a unit such as `4K`.
pub(super) fn number(text: &str) -> Option<u64> {
    if let Some((a, b)) = text.split_once('*') {
        return number(a.trim())?.checked_mul(number(b.trim())?);
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(&hex.replace('_', ""), 16).ok();
    }
    if text == "NULL" {
        return Some(0);
    }
    text.parse().ok()
}

impl<'a> Text<'a> {
    pub(super) fn raw(&self, index: usize) -> Result<(usize, &'a str), Wrong> {
        let end = self.arguments.last().map_or(1, |(column, text)| column + text.len());
        self.arguments
            .get(index)
            .copied()
            .ok_or_else(|| (end, format!("{} needs at least {} arguments", self.name, index + 1)))
    }

    pub(super) fn number(&self, index: usize) -> Result<u64, Wrong> {
        let (column, text) = self.raw(index)?;
        number(text).ok_or_else(|| (column, format!("{text:?} is no number")))
    }

    pub(super) fn address(&self, index: usize) -> Result<Address, Wrong> {
        self.number(index).map(Address::new)
    }

    /// Reads names joined by `|`; numbers are taken as their bits.
    pub(super) fn flags(&self, index: usize, mut one: impl FnMut(&str) -> Option<u64>) -> Result<u64, Wrong> {
        let (column, text) = self.raw(index)?;
        let mut bits = 0;
        let mut at = column;
        for name in text.split('|') {
            bits |= one(name)
                .or_else(|| number(name))
                .ok_or_else(|| (at, format!("{name:?} is no flag of {}", self.name)))?;
            at += name.len() + 1;
        }
        Ok(bits)
    }

    /// Reads `PROT_*`, the access and what may stand beside it.
    pub(super) fn access(&self, index: usize) -> Result<(Access, ProtectGrows), Wrong> {
        let bits = self.flags(index, |name| match name {
            "PROT_NONE" => Some(0),
            "PROT_READ" => Some(1),
            "PROT_WRITE" => Some(2),
            "PROT_EXEC" => Some(4),
            "PROT_GROWSDOWN" => Some(ProtectGrows::DOWN.bits().into()),
            "PROT_GROWSUP" => Some(ProtectGrows::UP.bits().into()),
            _ => None,
        })?;
        let mut access = Access::empty();
        access.set(Access::READ, bits & 1 != 0);
        access.set(Access::WRITE, bits & 2 != 0);
        access.set(Access::EXECUTE, bits & 4 != 0);
        Ok((access, ProtectGrows::from_bits_truncate(bits as u32)))
    }

    /// Reads `MCL_*`.
    pub(super) fn lock_all_flags(&self, index: usize) -> Result<LockAllFlags, Wrong> {
        let bits = self.flags(index, |name| {
            let known = LOCK_ALL_NAMES.iter().find(|(known, _)| *known == name);
            known.map(|(_, bit)| u64::from(bit.bits()))
        })?;
        Ok(LockAllFlags::from_bits_retain(bits as u32))
    }

    pub(super) fn map_flags(&self, index: usize) -> Result<MapFlags, Wrong> {
        let bits = self.flags(index, |name| {
            let known = MAP_NAMES.iter().find(|(known, _)| *known == name);
            let named = known.map(|(_, bit)| u64::from(bit.bits()));
            named.or(match name {
                "MAP_ANON" => Some(0x20),
                "MAP_SHARED_VALIDATE" => Some(3),
                "MAP_FILE" | "MAP_EXECUTABLE" | "MAP_SYNC" | "MAP_UNINITIALIZED" => Some(0),
                // The size of a huge page, as a power of two.
                size => {
                    let power = size.strip_suffix("<<MAP_HUGE_SHIFT").and_then(number);
                    power.filter(|&power| power < 64).map(|power| power << 26)
                }
            })
        })?;
        Ok(MapFlags::from_bits_retain(bits as u32))
    }

    pub(super) fn advice(&self, index: usize) -> Result<Advice, Wrong> {
        let (column, text) = self.raw(index)?;
        let numbered = || text.parse().ok().and_then(Advice::from_number);
        Advice::from_name(text).or_else(numbered).ok_or_else(|| (column, format!("{text:?} is no advice")))
    }

    pub(super) fn remap(&self) -> Result<RemapRequest, Wrong> {
        let bits = self.flags(3, |name| match name {
            "MREMAP_MAYMOVE" => Some(1),
            "MREMAP_FIXED" => Some(2),
            "MREMAP_DONTUNMAP" => Some(4),
            _ => None,
        })?;
        Ok(RemapRequest {
            address: self.address(0)?,
            old_length: self.number(1)?,
            new_length: self.number(2)?,
            flags: RemapFlags::from_bits_retain(bits as u32),
            new_address: if self.arguments.len() > 4 { self.address(4)? } else { Address::ZERO },
        })
    }

    /// Reads a text in quotes, without its escapes.
    pub(super) fn text(&self, index: usize) -> Result<&'a str, Wrong> {
        let (column, text) = self.raw(index)?;
        let inner = text.strip_prefix('"').and_then(|text| text.trim_end_matches("...").strip_suffix('"'));
        inner.ok_or_else(|| (column, format!("expected a text in quotes, not {text}")))
    }

    /// Reads a descriptor such as `3`, `3</usr/lib/libc.so.6>` or `3</memfd:name>(deleted)`: its number and the path.
    pub(super) fn descriptor(&self, index: usize) -> Result<(i64, Option<Cow<'a, str>>), Wrong> {
        let (column, text) = self.raw(index)?;
        let (digits, path) = match text.split_once('<') {
            Some((digits, path)) => match path.strip_suffix(">(deleted)") {
                Some(gone) => (digits, Some(Cow::from(format!("{gone} (deleted)")))),
                None => (digits, path.strip_suffix('>').map(Cow::from)),
            },
            None => (text, None),
        };
        let fd = digits.parse().map_err(|_| (column, format!("{text:?} is no file descriptor")))?;
        Ok((fd, path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_and_quotes_stay_together() {
        let call = split(r#"f("a,\"b", [1, 2], {x=3}) = 7"#, 1).expect("whole");
        let arguments: Vec<_> = call.arguments.iter().map(|(_, text)| *text).collect();
        assert_eq!((call.name, arguments), ("f", vec![r#""a,\"b""#, "[1, 2]", "{x=3}"]));
        assert_eq!(call.rest, "= 7");
        assert_eq!(split("g()", 1).expect("whole").arguments, []);
    }

    #[test]
    fn a_wrong_flag_is_reported_with_its_column() {
        let call = split("mmap(0, 1, PROT_READ|PROT_WRIET, 0)", 1).expect("whole");
        assert_eq!(call.access(2), Err((22, "\"PROT_WRIET\" is no flag of mmap".to_owned())));
    }
}
