//! Writes SDDL.

use std::fmt::Write;

use super::{ACE_FLAGS, GROUPS, KINDS, LABEL_RIGHTS, LIST_FLAGS, NULL_LIST, RIGHTS};
use crate::logic::security::ace::{self, Ace, Body};
use crate::logic::security::well_known::{self, RELATIVE};
use crate::logic::security::{Acl, SecurityDescriptor, Sid};

/// Writes a SID: the two letters of a well-known one, else its text form; `domain` is that of the machine.
pub fn sid_to_text(sid: &Sid, domain: &Sid) -> String {
    let known = well_known::find(sid).map_or("", |row| row.letters);
    let (own, rid) = sid.split().map_or((false, 0), |(parent, rid)| (parent == *domain, rid));
    // Other accounts of a domain have letters for domain controllers only.
    let relative = RELATIVE.iter().find(|row| own && row.0 == rid && rid < 502).map_or("", |row| row.2);
    match (known, relative) {
        ("", "") => sid.to_string(),
        ("", letters) | (letters, _) => letters.to_owned(),
    }
}

/// Writes all that a descriptor holds; nothing if it has an entry that SDDL cannot say here, as conditional ones.
pub fn write(descriptor: &SecurityDescriptor, domain: &Sid) -> Option<String> {
    let mut text = String::new();
    for (part, sid) in [("O:", &descriptor.owner), ("G:", &descriptor.group)] {
        if let Some(sid) = sid {
            text.push_str(part);
            text.push_str(&sid_to_text(sid, domain));
        }
    }
    if descriptor.has_dacl() {
        text.push_str("D:");
        let set = LIST_FLAGS.iter().filter(|row| descriptor.control & row.1 != 0);
        text.extend(set.map(|row| row.0));
        write_list(&mut text, descriptor.dacl.as_ref(), domain)?;
    }
    if descriptor.has_sacl() {
        text.push_str("S:");
        let set = LIST_FLAGS.iter().filter(|row| descriptor.control & row.2 != 0);
        text.extend(set.map(|row| row.0));
        write_list(&mut text, descriptor.sacl.as_ref(), domain)?;
    }
    Some(text)
}

fn write_list(text: &mut String, list: Option<&Acl>, domain: &Sid) -> Option<()> {
    match list {
        None => text.push_str(NULL_LIST),
        Some(list) => list.aces().iter().try_for_each(|ace| write_ace(text, ace, domain))?,
    }
    Some(())
}

fn write_ace(text: &mut String, ace: &Ace, domain: &Sid) -> Option<()> {
    let kind = KINDS.iter().find(|row| row.1 == ace.kind)?.0;
    let flags: String =
        ACE_FLAGS.iter().filter(|row| u32::from(ace.flags) & row.1 != 0).map(|row| row.0).collect();
    let (object, inherited) = match &ace.body {
        Body::Object { object, inherited, .. } => (object.map(guid), inherited.map(guid)),
        _ => (None, None),
    };
    let rights = rights(ace.mask(), ace.kind);
    let sid = sid_to_text(ace.sid()?, domain);
    let (object, inherited) = (object.unwrap_or_default(), inherited.unwrap_or_default());
    write!(text, "({kind};{flags};{rights};{object};{inherited};{sid})").ok()
}

/// Writes rights: as letters where all bits have some, else in hexadecimal digits.
fn rights(mask: u32, kind: u8) -> String {
    if let Some(row) = GROUPS.iter().find(|row| row.1 == mask) {
        return row.0.to_owned();
    }
    let table = if kind == ace::LABEL { LABEL_RIGHTS } else { RIGHTS };
    let known = table.iter().fold(0, |bits, row| bits | row.1);
    if mask & !known != 0 {
        return format!("0x{mask:x}");
    }
    table.iter().filter(|row| mask & row.1 != 0).map(|row| row.0).collect()
}

fn guid(mut bytes: [u8; 16]) -> String {
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    let digits = format!("{:032x}", u128::from_be_bytes(bytes));
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}
