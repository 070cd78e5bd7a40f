//! Texts by pictures of characters: `@@@-@@`, `>&&`, with a section for empty texts.

use super::picture::{Item, Picture};
use crate::logic::nls::case;

/// Writes a text. Places are filled from the right, unless the picture says otherwise; what has no place comes last.
pub fn write(value: &[u16], picture: &Picture) -> Vec<u16> {
    let special = if value.is_empty() { picture.used(1) } else { None };
    let section = special.unwrap_or(picture.section(0));
    let places = section.iter().filter(|item| matches!(item, Item::Character(_))).count();
    let missing = places.saturating_sub(value.len());
    // Which places stay empty.
    let empty = match section.contains(&Item::FromLeft) {
        true => value.len().min(places)..places,
        false => 0..missing,
    };
    let changed = |unit: &u16| match () {
        () if section.contains(&Item::Lower) => case::downcase(*unit),
        () if section.contains(&Item::Upper) => case::upcase(*unit),
        () => *unit,
    };
    let mut rest = value.iter().map(changed);
    let (mut text, mut place) = (Vec::new(), 0);
    for item in section {
        match item {
            Item::Unit(unit) => text.push(*unit),
            Item::Character(is_space) => {
                match empty.contains(&place) {
                    true if *is_space => text.push(u16::from(b' ')),
                    true => {}
                    false => text.extend(rest.next()),
                }
                place += 1;
                if place == places {
                    text.extend(rest.by_ref());
                }
            }
            _ => {}
        }
    }
    // A picture that only says how letters are written has no places at all.
    if places == 0 && section.iter().any(|item| matches!(item, Item::Lower | Item::Upper | Item::FromLeft)) {
        text.extend(rest);
    }
    text
}
