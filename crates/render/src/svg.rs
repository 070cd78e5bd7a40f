//! A map as a picture: addresses run downward, heights grow with the logarithm of the size, holes are compressed.

use std::fmt::Write;

use crate::row::{MapRow, gaps};
use crate::table::size;

const WIDTH: f64 = 1180.0;
const BAR_LEFT: f64 = 190.0;
const BAR_WIDTH: f64 = 400.0;
const TOP: f64 = 74.0;
const HOLE_HEIGHT: f64 = 34.0;
const BLOCK_HEIGHT_MIN: f64 = 20.0;
/// Above this many rows, neighbours of one owner become one block.
const BLOCKS_MAX: usize = 80;

/// Colour and pattern by kind; a pattern too, so that the picture reads without colours.
const KINDS: [(&str, &str, &str); 5] = [
    ("image", "#7aa6d8", "M0 8 L8 0"),
    ("mapped", "#8cc29a", "M0 4 H8"),
    ("private", "#e6b566", "M2 2 h1 v1 h-1 z M6 6 h1 v1 h-1 z"),
    ("system", "#b79ad1", "M4 0 V8"),
    ("other", "#b9bec6", ""),
];

/// Writes a map as an SVG document.
pub fn map_svg(rows: &[MapRow]) -> String {
    let rows = if rows.len() > BLOCKS_MAX { merge(rows) } else { rows.to_vec() };
    let mut body = String::new();
    let mut y = TOP;
    let mut gaps = gaps(&rows).into_iter().peekable();
    for (index, row) in rows.iter().enumerate() {
        if let Some(gap) = gaps.next_if(|gap| gap.before_row == index) {
            hole(&mut body, y, &gap.range.to_string(), gap.range.size(), &rows[index - 1]);
            y += HOLE_HEIGHT;
        }
        y += block(&mut body, y, row);
    }
    if let Some(row) = rows.last() {
        address(&mut body, y, &row.range.end.to_string());
    }
    let height = y + 24.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" width=\"{WIDTH}\" \
         height=\"{height:.0}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{}{body}</svg>\n",
        legend()
    )
}

/// Joins neighbours whose owners begin with the same word and whose kinds agree.
fn merge(rows: &[MapRow]) -> Vec<MapRow> {
    let mut merged: Vec<MapRow> = Vec::new();
    let stem = |row: &MapRow| row.owner.split(' ').next().unwrap_or_default().to_owned();
    for row in rows {
        match merged.last_mut() {
            Some(last)
                if last.range.end == row.range.start && last.kind == row.kind && stem(last) == stem(row) =>
            {
                last.range.end = row.range.end;
                last.owner = stem(row);
                if last.protection != row.protection {
                    "several".clone_into(&mut last.protection);
                }
                if last.state != row.state {
                    "several".clone_into(&mut last.state);
                }
            }
            _ => merged.push(row.clone()),
        }
    }
    merged
}

fn legend() -> String {
    let mut text = String::from("<defs>\n");
    for (name, colour, path) in KINDS {
        let _ = writeln!(
            text,
            "<pattern id=\"{name}\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\"><rect width=\"8\" \
             height=\"8\" fill=\"{colour}\"/><path d=\"{path}\" stroke=\"#000\" stroke-opacity=\".18\"/></pattern>"
        );
    }
    text.push_str(
        "</defs>\n<text x=\"20\" y=\"28\" font-size=\"17\" font-weight=\"bold\">Address space</text>\n",
    );
    let mut x = BAR_LEFT;
    for (name, ..) in KINDS {
        let _ = writeln!(
            text,
            "<rect x=\"{x}\" y=\"15\" width=\"18\" height=\"16\" fill=\"url(#{name})\" stroke=\"#555\"/>\
             <text x=\"{}\" y=\"28\">{name}</text>",
            x + 24.0
        );
        x += 96.0;
    }
    let _ = writeln!(
        text,
        "<text x=\"{x}\" y=\"28\">pale: reserved only</text>\n<text x=\"20\" y=\"52\" fill=\"#555\">Addresses grow \
         downward. A block's height grows with the logarithm of its size; holes are cut short.</text>"
    );
    text
}

fn address(body: &mut String, y: f64, text: &str) {
    let _ = writeln!(
        body,
        "<path d=\"M{} {y:.1} H{BAR_LEFT}\" stroke=\"#555\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" \
         font-family=\"monospace\" font-size=\"11\">{text}</text>",
        BAR_LEFT - 8.0,
        BAR_LEFT - 12.0,
        y + 4.0
    );
}

fn hole(body: &mut String, y: f64, range: &str, bytes: u64, before: &MapRow) {
    address(body, y, &before.range.end.to_string());
    let middle = y + HOLE_HEIGHT / 2.0;
    let _ = writeln!(
        body,
        "<g><title>{range} free, {0}</title><rect x=\"{BAR_LEFT}\" y=\"{y:.1}\" width=\"{BAR_WIDTH}\" \
         height=\"{HOLE_HEIGHT}\" fill=\"#fff\"/><path d=\"M{BAR_LEFT} {y:.1} v{HOLE_HEIGHT} M{1} {y:.1} \
         v{HOLE_HEIGHT}\" stroke=\"#999\" stroke-dasharray=\"2 4\"/><text x=\"{2}\" y=\"{3:.1}\" \
         text-anchor=\"middle\" fill=\"#777\" font-style=\"italic\">free: {0}</text></g>",
        size(bytes),
        BAR_LEFT + BAR_WIDTH,
        BAR_LEFT + BAR_WIDTH / 2.0,
        middle + 4.0
    );
}

/// Draws a region and returns its height.
fn block(body: &mut String, y: f64, row: &MapRow) -> f64 {
    let pages = (row.range.size() / 4096).max(1);
    let height = BLOCK_HEIGHT_MIN + 2.0 * f64::from(pages.ilog2());
    let kind = KINDS.iter().find(|(name, ..)| *name == row.kind).map_or("other", |(name, ..)| name);
    let opacity = if row.state == "reserve" { ".35" } else { "1" };
    let (left, middle) = (BAR_LEFT + 8.0, y + height / 2.0 + 4.0);
    address(body, y, &row.range.start.to_string());
    let _ = writeln!(
        body,
        "<g><title>{} ({}) {} {} {} {}: {}</title><rect x=\"{BAR_LEFT}\" y=\"{y:.1}\" width=\"{BAR_WIDTH}\" \
         height=\"{height:.1}\" fill=\"url(#{kind})\" fill-opacity=\"{opacity}\" stroke=\"#555\"/>\
         <text x=\"{left}\" y=\"{middle:.1}\">{}</text>\
         <text x=\"{}\" y=\"{middle:.1}\" text-anchor=\"end\" font-family=\"monospace\">{}</text>\
         <text x=\"{}\" y=\"{middle:.1}\" text-anchor=\"end\">{}</text>\
         <text x=\"{}\" y=\"{middle:.1}\" fill=\"#555\">{}</text></g>",
        row.range,
        size(row.range.size()),
        escape(&row.state),
        escape(&row.kind),
        escape(&row.protection),
        escape(&row.owner),
        escape(&row.reason),
        escape(&shorten(&row.owner, 48)),
        BAR_LEFT + BAR_WIDTH - 8.0,
        escape(&row.protection),
        BAR_LEFT + BAR_WIDTH + 76.0,
        size(row.range.size()),
        BAR_LEFT + BAR_WIDTH + 90.0,
        escape(&shorten(&row.reason, 76)),
    );
    height
}

fn shorten(text: &str, letters_max: usize) -> String {
    if text.chars().count() <= letters_max {
        return text.to_owned();
    }
    text.chars().take(letters_max - 1).chain(['…']).collect()
}

/// Makes text safe for XML, where control characters are not allowed at all.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            _ if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => escaped.push('\u{fffd}'),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_the_picture() {
        let text = map_svg(&crate::row::sample());
        assert!(text.contains("a&amp;b.exe .text") && text.contains("preferred &lt;base&gt;"));
        assert!(!text.contains("<base>"));
    }

    #[test]
    fn holes_say_their_size() {
        assert!(map_svg(&crate::row::sample()).contains("free: 2 GiB"));
    }

    #[test]
    fn neighbours_of_one_owner_merge() {
        let merged = merge(&crate::row::sample());
        assert_eq!(merged.len(), 2);
        assert_eq!((merged[0].owner.as_str(), merged[0].protection.as_str()), ("a&b.exe", "several"));
    }
}
