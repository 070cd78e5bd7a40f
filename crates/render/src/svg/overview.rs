//! The left panel: all addresses in one bar, to scale.

use std::fmt::Write;

use super::{Cluster, Line};
use crate::row::MapRow;
use crate::svg::style::{colour, escape};
use crate::table::size;

const BAR_LEFT: f64 = 146.0;
const BAR_WIDTH: f64 = 56.0;
/// Where the fans end: the left edge of the details.
pub(super) const FAN_END: f64 = 262.0;
const HEIGHT_MIN: f64 = 360.0;
const HEIGHT_MAX: f64 = 1000.0;
/// The least height of a mark, or nothing of a page in 128 TiB would be seen.
const MARK_MIN: f64 = 2.0;
/// Addresses from here on are the kernel's own, too far away for one scale.
const KERNEL: u64 = 1 << 63;

/// The scale: how many bytes the bar stands for, and its height.
struct Scale {
    top: f64,
    height: f64,
    bytes: u64,
}

impl Scale {
    /// Takes the next power of two above all rows.
    fn new(rows: &[MapRow], top: f64, details: f64) -> Self {
        let ends = rows.iter().filter(|row| row.range.start.get() < KERNEL).map(|row| row.range.end.get());
        let end = ends.max().unwrap_or(0x1_0000).min(KERNEL);
        Self { top, height: details.clamp(HEIGHT_MIN, HEIGHT_MAX), bytes: end.next_power_of_two() }
    }

    fn y(&self, address: u64) -> f64 {
        self.top + self.height * (address as f64 / self.bytes as f64).min(1.0)
    }
}

/// Draws the bar from `top` on beside details of this height; returns the lowest y that is used.
pub(super) fn draw(body: &mut String, rows: &[MapRow], clusters: &[Cluster], top: f64, details: f64) -> f64 {
    let scale = Scale::new(rows, top, details);
    for cluster in clusters {
        fan(body, &scale, cluster);
    }
    let _ = writeln!(
        body,
        "<rect x=\"{BAR_LEFT}\" y=\"{top:.1}\" width=\"{BAR_WIDTH}\" height=\"{:.1}\" fill=\"#fff\" stroke=\"#555\"/>",
        scale.height
    );
    for row in rows.iter().filter(|row| row.range.start.get() < KERNEL) {
        let y = scale.y(row.range.start.get()).min(top + scale.height - MARK_MIN);
        let height = (scale.y(row.range.end.get()) - y).max(MARK_MIN);
        let _ = writeln!(
            body,
            "<rect x=\"{BAR_LEFT}\" y=\"{y:.1}\" width=\"{BAR_WIDTH}\" height=\"{height:.1}\" fill=\"{}\">\
             <title>{} {} {}</title></rect>",
            colour(row),
            row.range,
            size(row.range.size()),
            escape(&row.owner)
        );
    }
    ticks(body, &scale);
    scale.top + scale.height + 16.0
}

/// Joins a place on the bar with where its details are.
fn fan(body: &mut String, scale: &Scale, cluster: &Cluster) {
    let right = BAR_LEFT + BAR_WIDTH;
    let (start, end) = (scale.y(cluster.start), scale.y(cluster.end).max(scale.y(cluster.start) + MARK_MIN));
    let Line { y: from, height } = cluster.line;
    let _ = writeln!(
        body,
        "<path d=\"M{right} {start:.1} L{FAN_END} {from:.1} V{:.1} L{right} {end:.1} Z\" fill=\"#8a94a3\" \
         fill-opacity=\".16\" stroke=\"#8a94a3\" stroke-opacity=\".5\" stroke-width=\".6\"/>",
        from + height
    );
}

/// Marks eighths of the bar with their addresses.
fn ticks(body: &mut String, scale: &Scale) {
    for part in 0..=8u64 {
        // The bar has a power of two of bytes, at least 64 KiB: an eighth is exact.
        let address = scale.bytes / 8 * part;
        let y = scale.y(address);
        let label = if part == 0 { "0".to_owned() } else { size(address) };
        let _ = writeln!(
            body,
            "<path d=\"M{} {y:.1} h6\" stroke=\"#555\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" \
             font-size=\"11\">{label}</text><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" font-size=\"9\" fill=\"#777\" \
             font-family=\"monospace\">{:#x}</text>",
            BAR_LEFT - 6.0,
            BAR_LEFT - 10.0,
            y + 4.0,
            BAR_LEFT - 10.0,
            y + 14.0,
            address
        );
    }
}
