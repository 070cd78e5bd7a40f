//! A map as a picture in two panels: a bar to scale, and beside it one line per region with holes cut short.
//!
//! Every line of the details has a height of its own, so that no label can lie on another; how large a region is
//! shows on an axis of its own, a logarithmic one with marks.

mod overview;
mod style;

use std::fmt::Write;

use crate::row::MapRow;
use crate::table::size;
pub(crate) use style::escape;
use style::{colour, legend, pattern, shorten, shorten_middle};

const WIDTH: f64 = 1320.0;
const TOP: f64 = 116.0;
const LINE: f64 = 19.0;
const BREAK: f64 = 26.0;
const ADDRESS_RIGHT: f64 = 392.0;
const BLOCK_LEFT: f64 = 400.0;
const BLOCK_WIDTH: f64 = 258.0;
const RIGHTS_LEFT: f64 = 666.0;
const SIZE_RIGHT: f64 = 768.0;
const AXIS_LEFT: f64 = 780.0;
/// The axis begins at 4 KiB, 2 to the 12, and ends at 256 TiB, 2 to the 48.
const AXIS_BITS: (u32, u32) = (12, 48);
const AXIS_WIDTH: f64 = 144.0;
const REASON_LEFT: f64 = 940.0;
/// A hole of at least so many bytes is a break in the details, and what it parts are two clusters.
const BREAK_BYTES: u64 = 1 << 20;
/// Above this many lines, neighbours of one owner become one block.
const LINES_MAX: usize = 400;

/// Where a line, or several, lie in the picture.
#[derive(Clone, Copy)]
struct Line {
    y: f64,
    height: f64,
}

/// Regions without a large hole between them.
struct Cluster {
    start: u64,
    end: u64,
    line: Line,
}

/// One or more rows that are drawn as one.
struct Block {
    row: MapRow,
    first: usize,
    count: usize,
}

/// Writes a map as an SVG document.
///
/// Each region is a group of class `row` whose attributes `data-first` and `data-last` are the indices of its rows.
pub fn map_svg(rows: &[MapRow]) -> String {
    let mut blocks = merge(rows, is_same);
    if blocks.len() > LINES_MAX {
        blocks = merge(rows, is_same_owner);
    }
    let mut details = String::new();
    let mut clusters: Vec<Cluster> = Vec::new();
    let mut y = TOP;
    for block in &blocks {
        let (start, end) = (block.row.range.start.get(), block.row.range.end.get());
        match clusters.last_mut() {
            Some(last) if start.saturating_sub(last.end) < BREAK_BYTES => {
                y += small_hole(&mut details, y, last.end, start);
                last.end = last.end.max(end);
                last.line.height = y + LINE - last.line.y;
            }
            last => {
                if let Some(last) = last {
                    y += large_hole(&mut details, y, last.end, start);
                }
                clusters.push(Cluster { start, end, line: Line { y, height: LINE } });
            }
        }
        line(&mut details, y, block);
        y += LINE;
    }
    if let Some(last) = clusters.last() {
        address(&mut details, y, last.end);
    }
    let mut body = axis(y - TOP);
    let lowest = overview::draw(&mut body, rows, &clusters, TOP, y - TOP).max(y + 16.0);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {lowest:.0}\" width=\"{WIDTH}\" \
         height=\"{lowest:.0}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{}{}{body}{details}</svg>\n",
        headings(),
        legend(276.0, 12.0),
    )
}

fn headings() -> String {
    let mut text =
        String::from("<text x=\"20\" y=\"30\" font-size=\"18\" font-weight=\"bold\">Address space</text>\n");
    let mut heading = |x: f64, words: &str| {
        let _ = writeln!(text, "<text x=\"{x}\" y=\"{}\" font-weight=\"bold\">{words}</text>", TOP - 30.0);
    };
    heading(20.0, "To scale");
    heading(270.0, "In detail, holes cut short");
    heading(RIGHTS_LEFT, "rights");
    heading(SIZE_RIGHT - 26.0, "size");
    heading(AXIS_LEFT + 20.0, "by powers of two");
    heading(REASON_LEFT, "why it lies there");
    text
}

/// Joins neighbours that `joins` says are one.
fn merge(rows: &[MapRow], joins: fn(&MapRow, &MapRow) -> bool) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        match blocks.last_mut() {
            Some(last) if last.row.range.end == row.range.start && joins(&last.row, row) => {
                last.row.range.end = row.range.end;
                last.count += 1;
                for (ours, other) in
                    [(&mut last.row.protection, &row.protection), (&mut last.row.state, &row.state)]
                {
                    if ours != other {
                        "several".clone_into(ours);
                    }
                }
            }
            _ => blocks.push(Block { row: row.clone(), first: index, count: 1 }),
        }
    }
    blocks
}

fn is_same(a: &MapRow, b: &MapRow) -> bool {
    let key =
        |row: &MapRow| [&row.owner, &row.kind, &row.state, &row.protection, &row.reason].map(Clone::clone);
    key(a) == key(b)
}

fn is_same_owner(a: &MapRow, b: &MapRow) -> bool {
    let stem =
        |row: &MapRow| row.owner.rsplit_once(' ').map_or(row.owner.clone(), |(stem, _)| stem.to_owned());
    a.kind == b.kind && stem(a) == stem(b)
}

fn axis_x(bytes: u64) -> f64 {
    let (first, last) = (f64::from(AXIS_BITS.0), f64::from(AXIS_BITS.1));
    let bits = (bytes.max(1) as f64).log2().clamp(first, last);
    AXIS_LEFT + AXIS_WIDTH * (bits - first) / (last - first)
}

/// Draws the marks of the axis of sizes, and a line down from each.
fn axis(height: f64) -> String {
    let mut text = String::new();
    for (bits, name) in [(12, "4K"), (20, "1M"), (30, "1G"), (40, "1T"), (48, "256T")] {
        let x = axis_x(1 << bits);
        let _ = writeln!(
            text,
            "<path d=\"M{x:.1} {TOP} v{height:.1}\" stroke=\"#ccc\" stroke-width=\".7\"/><text x=\"{x:.1}\" y=\"{}\" \
             text-anchor=\"middle\" font-size=\"10\" fill=\"#555\">{name}</text>",
            TOP - 8.0
        );
    }
    text
}

fn address(body: &mut String, y: f64, address: u64) {
    let text = plat_regions::Address::new(address);
    let _ = writeln!(
        body,
        "<text x=\"{ADDRESS_RIGHT}\" y=\"{:.1}\" text-anchor=\"end\" font-family=\"monospace\" font-size=\"10.5\">{text}\
         </text>",
        y + 9.0
    );
}

/// Draws a hole that is too small for a break; returns its height.
fn small_hole(body: &mut String, y: f64, start: u64, end: u64) -> f64 {
    if end <= start {
        return 0.0;
    }
    address(body, y, start);
    let _ = writeln!(
        body,
        "<rect x=\"{BLOCK_LEFT}\" y=\"{y:.1}\" width=\"{BLOCK_WIDTH}\" height=\"{LINE}\" fill=\"none\" stroke=\"#aaa\" \
         stroke-dasharray=\"2 3\"/><text x=\"{}\" y=\"{:.1}\" fill=\"#777\" font-style=\"italic\">free</text>\
         <text x=\"{SIZE_RIGHT}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#777\">{}</text>",
        BLOCK_LEFT + 8.0,
        y + 13.5,
        y + 13.5,
        size(end - start)
    );
    LINE
}

/// Draws a break: two torn edges, and how much lies between them; returns its height.
fn large_hole(body: &mut String, y: f64, start: u64, end: u64) -> f64 {
    let teeth = "l6 5 l6 -5 ".repeat((BLOCK_WIDTH / 12.0) as usize);
    address(body, y, start);
    let _ = writeln!(
        body,
        "<path d=\"M{BLOCK_LEFT} {:.1} {teeth}M{BLOCK_LEFT} {:.1} {teeth}\" fill=\"none\" stroke=\"#888\"/>\
         <text x=\"{}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#555\" font-style=\"italic\" stroke=\"#fff\" \
         stroke-width=\"4\" paint-order=\"stroke\">{} free</text>",
        y + 4.0,
        y + BREAK - 9.0,
        BLOCK_LEFT + BLOCK_WIDTH / 2.0,
        y + BREAK / 2.0 + 4.0,
        size(end - start)
    );
    BREAK
}

/// Draws a region's line.
fn line(body: &mut String, y: f64, block: &Block) {
    let row = &block.row;
    let bytes = row.range.size();
    let opacity = if row.state == "reserve" { ".45" } else { "1" };
    let text_y = y + 13.5;
    let times = if block.count > 1 { format!(" (×{})", block.count) } else { String::new() };
    let _ = write!(
        body,
        "<g class=\"row\" data-first=\"{}\" data-last=\"{}\"><title>{}\n{} ({bytes} bytes), {} {} {}\nowner: {}{times}\n\
         why: {}</title>",
        block.first,
        block.first + block.count - 1,
        row.range,
        size(bytes),
        escape(&row.state),
        escape(&row.kind),
        escape(&row.protection),
        escape(&row.owner),
        escape(&row.reason)
    );
    address(body, y, row.range.start.get());
    for fill in [colour(row).to_owned(), format!("url(#k-{})", pattern(row))] {
        let _ = write!(
            body,
            "<rect x=\"{BLOCK_LEFT}\" y=\"{y:.1}\" width=\"{BLOCK_WIDTH}\" height=\"{LINE}\" fill=\"{fill}\" \
             fill-opacity=\"{opacity}\" stroke=\"#555\" stroke-width=\".6\"/>"
        );
    }
    let end = axis_x(bytes).max(AXIS_LEFT + 2.0);
    let _ = writeln!(
        body,
        "<text x=\"{}\" y=\"{text_y:.1}\">{}</text><text x=\"{RIGHTS_LEFT}\" y=\"{text_y:.1}\" \
         font-family=\"monospace\">{}</text><text x=\"{SIZE_RIGHT}\" y=\"{text_y:.1}\" text-anchor=\"end\">{}</text>\
         <rect x=\"{AXIS_LEFT}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{}\" stroke=\"#777\" \
         stroke-width=\".5\"/><text x=\"{REASON_LEFT}\" y=\"{text_y:.1}\" font-size=\"11\" fill=\"#555\">{}</text></g>",
        BLOCK_LEFT + 8.0,
        escape(&(shorten_middle(&row.owner, 33 - times.chars().count()) + &times)),
        escape(&shorten(&row.protection, 5)),
        size(bytes),
        y + 5.0,
        end - AXIS_LEFT,
        LINE - 10.0,
        colour(row),
        escape(&shorten(&row.reason, 62))
    );
}

#[cfg(test)]
mod tests;
