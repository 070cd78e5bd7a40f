//! Colours, patterns, the legend, and how texts are fitted.

use std::fmt::Write;

use crate::row::MapRow;

/// Colours by what may be done, the first that fits: name, rights that must be there, colour.
const PROTECTIONS: [(&str, &str, &str); 6] = [
    ("rwx", "rwx", "#e08bb5"),
    ("r-x code", "x", "#7fb0e6"),
    ("rw- data", "w", "#f0c267"),
    ("r-- constants", "r", "#98cf9f"),
    ("guard", "g", "#e57b6d"),
    ("--- none", "", "#e3e6ea"),
];

/// Patterns by kind, so that the picture reads without colours.
const KINDS: [(&str, &str); 5] = [
    ("image", "M0 8 L8 0"),
    ("mapped", "M0 4 H8"),
    ("private", ""),
    ("system", "M4 0 V8"),
    ("other", "M2 2 h1 M6 6 h1"),
];

/// Returns the colour for a row's protection, which is text such as `r-x`, `rw-g` or `r-xp`.
pub(super) fn colour(row: &MapRow) -> &'static str {
    let has = |letters: &str| letters.chars().all(|letter| row.protection.contains(letter));
    let guard = row.protection.contains('g');
    let fits = |(name, letters, _): &&(&str, &str, &str)| {
        if *name == "guard" { guard } else { !guard && has(letters) }
    };
    PROTECTIONS.iter().find(fits).map_or(PROTECTIONS[5].2, |(_, _, colour)| colour)
}

/// Returns the name of the pattern for a row's kind.
pub(super) fn pattern(row: &MapRow) -> &'static str {
    KINDS.iter().find(|(name, _)| *name == row.kind).map_or("other", |(name, _)| name)
}

/// Writes the definitions of the patterns, and the legend in two lines from `(x, y)` on.
pub(super) fn legend(x: f64, y: f64) -> String {
    let mut text = String::from("<defs>\n");
    for (name, path) in KINDS {
        let _ = writeln!(
            text,
            "<pattern id=\"k-{name}\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">\
             <path d=\"{path}\" fill=\"none\" stroke=\"#000\" stroke-opacity=\".22\"/></pattern>"
        );
    }
    text.push_str("</defs>\n");
    let swatch = |text: &mut String, x: f64, y: f64, fill: &str, name: &str| {
        let _ = writeln!(
            text,
            "<rect x=\"{x}\" y=\"{y}\" width=\"20\" height=\"13\" fill=\"{fill}\" stroke=\"#555\" \
             stroke-width=\".6\"/><text x=\"{}\" y=\"{}\">{name}</text>",
            x + 26.0,
            y + 11.0
        );
    };
    let _ = writeln!(text, "<text x=\"{x}\" y=\"{}\" fill=\"#555\">may be done</text>", y + 11.0);
    let _ = writeln!(text, "<text x=\"{x}\" y=\"{}\" fill=\"#555\">kind</text>", y + 31.0);
    for (index, (name, _, fill)) in PROTECTIONS.into_iter().enumerate() {
        swatch(&mut text, x + 94.0 + 112.0 * index as f64, y, fill, name);
    }
    for (index, (name, _)) in KINDS.into_iter().enumerate() {
        swatch(&mut text, x + 94.0 + 112.0 * index as f64, y + 20.0, &format!("url(#k-{name})"), name);
    }
    let at = x + 94.0 + 112.0 * KINDS.len() as f64;
    let _ = writeln!(text, "<text x=\"{at}\" y=\"{}\" fill=\"#555\">pale: reserved only</text>", y + 31.0);
    text
}

/// Cuts a text to `columns` letters, with an ellipsis.
pub(super) fn shorten(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let head: String = text.chars().take(columns.saturating_sub(1)).collect();
    format!("{}…", head.trim_end())
}

/// Cuts a text in its middle, so that the end of a path stays.
pub(super) fn shorten_middle(text: &str, columns: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= columns {
        return text.to_owned();
    }
    let head = columns / 3;
    let tail = letters.len() - (columns - head - 1);
    letters[..head].iter().chain(&['…']).chain(&letters[tail..]).collect()
}

/// Escapes text for XML; what XML cannot hold becomes U+FFFD.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XML 1.0, "Characters": these may not stand even escaped.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            letter if letter.is_control() => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protections_have_their_colours() {
        let mut row = crate::row::sample().swap_remove(0);
        let mut of = |text: &str| {
            text.clone_into(&mut row.protection);
            PROTECTIONS.iter().find(|(_, _, found)| *found == colour(&row)).map(|(name, ..)| *name)
        };
        let texts = ["rwx", "r-xp", "--x", "rw-", "r--", "rw-g", "---g", "---", "---p", ""];
        let names = texts.map(|text| of(text).unwrap_or_default());
        let expected = [
            "rwx",
            "r-x code",
            "r-x code",
            "rw- data",
            "r-- constants",
            "guard",
            "guard",
            "--- none",
            "--- none",
            "--- none",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn texts_are_cut_where_it_hurts_least() {
        assert_eq!(shorten("abcdef", 6), "abcdef");
        assert_eq!(shorten("abc defg", 5), "abc…");
        assert_eq!(shorten_middle("/usr/lib/long/libc.so", 13), "/usr…/libc.so");
        assert_eq!(escape("<a & \"b\">\u{1}\u{ffff}"), "&lt;a &amp; &quot;b&quot;&gt;\u{fffd}\u{fffd}");
    }
}
