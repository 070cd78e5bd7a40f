//! Reads SDDL.

use super::{ACE_FLAGS, GROUPS, KINDS, LABEL_RIGHTS, LIST_FLAGS, NULL_LIST, RIGHTS};
use crate::Win32Error;
use crate::logic::security::ace::{self, Ace, Body};
use crate::logic::security::descriptor::{DACL_PRESENT, SACL_PRESENT};
use crate::logic::security::well_known::{RELATIVE, WELL_KNOWN, WellKnown};
use crate::logic::security::{Acl, SecurityDescriptor, Sid};

/// Reads a SID: its text form, or the two letters of a well-known one; `domain` is that of the machine.
pub fn sid_from_text(text: &str, domain: &Sid) -> Option<Sid> {
    let is_called = |letters: &str| !letters.is_empty() && letters.eq_ignore_ascii_case(text);
    let known = WELL_KNOWN.iter().find(|row| is_called(row.letters)).map(WellKnown::sid);
    let relative = || RELATIVE.iter().find(|row| is_called(row.2)).map(|row| domain.with(row.0));
    known.or_else(relative).or_else(|| Sid::from_text(text))
}

/// Reads a security descriptor.
///
/// # Errors
/// `INVALID_PARAMETER` for a part that does not exist, `INVALID_ACL` for a list and `INVALID_SID` for a SID with a
/// mistake. Conditional entries (`XA`) count as one.
pub fn parse(text: &str, domain: &Sid) -> Result<SecurityDescriptor, Win32Error> {
    let mut descriptor = SecurityDescriptor::default();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let part = rest.get(..2).ok_or(Win32Error::INVALID_PARAMETER)?.to_ascii_uppercase();
        rest = &rest[2..];
        match part.as_str() {
            "O:" => descriptor.owner = Some(take_sid(&mut rest, domain)?),
            "G:" => descriptor.group = Some(take_sid(&mut rest, domain)?),
            "D:" => {
                let (list, bits) = take_list(&mut rest, domain, |row| row.1)?;
                descriptor.control |= DACL_PRESENT | bits;
                descriptor.dacl = list;
            }
            "S:" => {
                let (list, bits) = take_list(&mut rest, domain, |row| row.2)?;
                descriptor.control |= SACL_PRESENT | bits;
                descriptor.sacl = list;
            }
            _ => return Err(Win32Error::INVALID_PARAMETER),
        }
        rest = rest.trim_start();
    }
    Ok(descriptor)
}

/// Takes a SID up to the next part, which begins with its letter and a colon.
fn take_sid(rest: &mut &str, domain: &Sid) -> Result<Sid, Win32Error> {
    let end = rest.find(':').map_or(rest.len(), |colon| {
        let before = &rest[..colon];
        before.char_indices().next_back().map_or(0, |(at, _)| at)
    });
    let (text, after) = rest.split_at(end);
    *rest = after;
    sid_from_text(text.trim(), domain).ok_or(Win32Error::INVALID_SID)
}

/// A list, or nothing for a null list, and its bits of the descriptor's control word.
type List = (Option<Acl>, u16);

fn take_list(
    rest: &mut &str,
    domain: &Sid,
    bit: impl Fn(&(&str, u16, u16)) -> u16,
) -> Result<List, Win32Error> {
    let mut bits = 0;
    let mut is_null = false;
    let mut aces = Vec::new();
    loop {
        *rest = rest.trim_start();
        // `S:` and its like begin the next part.
        if rest.is_empty() || rest.get(1..2) == Some(":") {
            break;
        }
        if let Some(after) = strip(rest, NULL_LIST) {
            (is_null, *rest) = (true, after);
        } else if let Some(after) = rest.strip_prefix('(') {
            let (entry, after) = after.split_once(')').ok_or(Win32Error::INVALID_ACL)?;
            aces.push(parse_ace(entry, domain)?);
            *rest = after;
        } else {
            let row = LIST_FLAGS.iter().find_map(|row| Some((bit(row), strip(rest, row.0)?)));
            let (flag, after) = row.ok_or(Win32Error::INVALID_ACL)?;
            bits |= flag;
            *rest = after;
        }
    }
    let list = if is_null { None } else { Some(Acl::of(&aces).map_err(|_| Win32Error::INVALID_ACL)?) };
    Ok((list, bits))
}

fn strip<'a>(text: &'a str, letters: &str) -> Option<&'a str> {
    let head = text.get(..letters.len())?;
    head.eq_ignore_ascii_case(letters).then(|| &text[letters.len()..])
}

fn parse_ace(text: &str, domain: &Sid) -> Result<Ace, Win32Error> {
    let fields: Vec<&str> = text.split(';').map(str::trim).collect();
    let [kind, flags, rights, object, inherited, sid] = fields[..] else {
        return Err(Win32Error::INVALID_ACL);
    };
    let kind = KINDS.iter().find(|row| row.0.eq_ignore_ascii_case(kind)).ok_or(Win32Error::INVALID_ACL)?.1;
    let flags = letters(flags, &[ACE_FLAGS]).ok_or(Win32Error::INVALID_ACL)? as u8;
    let mask = parse_rights(rights).ok_or(Win32Error::INVALID_ACL)?;
    let sid = sid_from_text(sid, domain).ok_or(Win32Error::INVALID_SID)?;
    let (object, inherited) = (guid(object)?, guid(inherited)?);
    if ace::revision_of(kind) == 2 {
        return match (object, inherited) {
            (None, None) => Ok(Ace::new(kind, flags, mask, sid)),
            _ => Err(Win32Error::INVALID_ACL),
        };
    }
    let body = Body::Object { mask, object, inherited, sid, rest: Vec::new() };
    Ok(Ace { kind, flags, body })
}

/// Reads pairs of letters as bits.
fn letters(text: &str, tables: &[&[(&str, u32)]]) -> Option<u32> {
    let mut rest = text;
    let mut bits = 0;
    while !rest.is_empty() {
        let rows = tables.iter().flat_map(|table| table.iter());
        let (bit, after) = rows.into_iter().find_map(|row| Some((row.1, strip(rest, row.0)?)))?;
        bits |= bit;
        rest = after.trim_start();
    }
    Some(bits)
}

/// Reads rights: letters, or a number in hexadecimal (0x), octal (0) or decimal digits.
fn parse_rights(text: &str) -> Option<u32> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return letters(text, &[RIGHTS, GROUPS, LABEL_RIGHTS]);
    }
    let parse = |digits, radix| u32::from_str_radix(digits, radix).ok();
    match (strip(text, "0x"), text.strip_prefix('0')) {
        (Some(digits), _) => parse(digits, 16),
        (None, Some(digits)) if !digits.is_empty() => parse(digits, 8),
        _ => parse(text, 10),
    }
}

/// Reads a GUID into its bytes in memory; nothing for an empty text.
fn guid(text: &str) -> Result<Option<[u8; 16]>, Win32Error> {
    if text.is_empty() {
        return Ok(None);
    }
    let groups: Vec<&str> = text.split('-').collect();
    let is_formed = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]);
    let number = is_formed.then(|| u128::from_str_radix(&groups.concat(), 16).ok()).flatten();
    let mut bytes = number.ok_or(Win32Error::INVALID_ACL)?.to_be_bytes();
    // The first three groups are numbers, which lie the other way round.
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    Ok(Some(bytes))
}
