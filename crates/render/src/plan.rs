//! A plan of base addresses as a picture: before and after side by side, to scale, with the layout's bands.
//!
//! [`PlanDrawing`] is the model; [`plan_svg`] and [`plan_html`] draw it.

use std::fmt::Write;

use plat_regions::{Address, AddressRange};

use crate::svg::escape;
use crate::table::size;

const WIDTH: f64 = 1100.0;
const TOP: f64 = 96.0;
const AXIS: f64 = 300.0;
const COLUMN: f64 = 350.0;
const GAP: f64 = 40.0;
/// All that is drawn to scale has this height together.
const HEIGHT: f64 = 1500.0;
const CUT_HEIGHT: f64 = 30.0;
/// Side by side at most so many; more that overlap are drawn over each other.
const LANES_MAX: usize = 8;
/// From never seen to seen most often.
const BLUES: [&str; 5] = ["#dfe7ef", "#a9c5e3", "#6fa0d0", "#3a75b0", "#123f73"];

/// What a band of the picture is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BandKind {
    /// DLLs are placed here.
    Dll,
    /// The heap grows here.
    Heap,
    /// Anything else that DLLs keep out of.
    Kept,
}

/// A band of the layout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawnBand {
    /// Where.
    pub range: AddressRange,
    /// What for.
    pub kind: BandKind,
    /// In words.
    pub label: String,
}

/// An image at its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawnImage {
    /// Where.
    pub range: AddressRange,
    /// Its path.
    pub name: String,
    /// How often profiles saw it.
    pub uses: u64,
    /// It cannot be moved.
    pub is_obstacle: bool,
    /// What is to be said about it.
    pub detail: String,
}

/// What is drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlanDrawing {
    /// The title.
    pub title: String,
    /// What is said below it.
    pub subtitle: String,
    /// The whole range to show, to scale; without it, what is used, with the rest cut short.
    pub whole: Option<AddressRange>,
    /// The layout's bands.
    pub bands: Vec<DrawnBand>,
    /// The images as they are.
    pub before: Vec<DrawnImage>,
    /// The images as they are planned.
    pub after: Vec<DrawnImage>,
}

/// The parts of the address space that are drawn, all to one scale.
struct Axis {
    /// Part and its top; addresses grow downward.
    parts: Vec<(AddressRange, f64)>,
    pixels_per_byte: f64,
    height: f64,
}

impl Axis {
    fn of(drawing: &PlanDrawing) -> Self {
        let images = drawing.before.iter().chain(&drawing.after).map(|image| image.range);
        let mut ranges: Vec<AddressRange> = match drawing.whole {
            Some(whole) => vec![whole],
            None => images.collect(),
        };
        ranges.sort_unstable();
        let used: u64 = ranges.iter().map(|range| range.size()).sum();
        let mut parts: Vec<AddressRange> = Vec::new();
        for range in ranges {
            match parts.last_mut() {
                // Holes of up to an eighth of what is used are drawn to scale.
                Some(last) if range.start.get().saturating_sub(last.end.get()) <= used / 8 => {
                    last.end = last.end.max(range.end);
                }
                _ => parts.push(range),
            }
        }
        let bytes: u64 = parts.iter().map(|part| part.size()).sum();
        let pixels_per_byte = HEIGHT / (bytes.max(1) as f64);
        let mut y = TOP;
        let mut placed = Vec::new();
        for part in parts {
            placed.push((part, y));
            y += part.size() as f64 * pixels_per_byte + CUT_HEIGHT;
        }
        Self { parts: placed, pixels_per_byte, height: y }
    }

    /// Returns top and height of what is visible of a range, part by part.
    fn spans(&self, range: AddressRange) -> Vec<(f64, f64, AddressRange)> {
        let span = |&(part, top): &(AddressRange, f64)| {
            let seen = part.intersection(range)?;
            let y = top + (seen.start.get() - part.start.get()) as f64 * self.pixels_per_byte;
            Some((y, seen.size() as f64 * self.pixels_per_byte, seen))
        };
        self.parts.iter().filter_map(span).collect()
    }
}

/// Draws a plan as an SVG document.
pub fn plan_svg(drawing: &PlanDrawing) -> String {
    let axis = Axis::of(drawing);
    let mut body = String::new();
    bands(&mut body, &axis, drawing);
    let most = drawing.after.iter().map(|image| image.uses).max().unwrap_or(0);
    for (left, images) in [(AXIS, &drawing.before), (AXIS + COLUMN + GAP, &drawing.after)] {
        holes(&mut body, &axis, left, images);
        column(&mut body, &axis, left, images, most);
    }
    cuts(&mut body, &axis);
    let height = axis.height + 10.0;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" width=\"{WIDTH}\" \
         height=\"{height:.0}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{}{body}</svg>\n",
        heading(drawing, most)
    )
}

fn heading(drawing: &PlanDrawing, most: u64) -> String {
    let mut text = format!(
        "<defs><pattern id=\"stuck\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\"><rect width=\"6\" \
         height=\"6\" fill=\"#b9bec6\"/><path d=\"M0 6 L6 0\" stroke=\"#444\" stroke-width=\".8\"/></pattern></defs>\n\
         <text x=\"20\" y=\"28\" font-size=\"17\" font-weight=\"bold\">{}</text>\n\
         <text x=\"20\" y=\"48\" fill=\"#555\">{}</text>\n",
        escape(&drawing.title),
        escape(&drawing.subtitle)
    );
    let mut x = 20.0;
    let often =
        if most == 0 { "used: no profile".to_owned() } else { format!("used by 0 … {most} processes") };
    let mut legend = |fill: &str, stroke: &str, label: &str, width: f64| {
        let _ = writeln!(
            text,
            "<rect x=\"{x}\" y=\"58\" width=\"14\" height=\"12\" fill=\"{fill}\" stroke=\"{stroke}\"/>\
             <text x=\"{}\" y=\"68\">{}</text>",
            x + 18.0,
            escape(label)
        );
        x += width;
    };
    for (index, blue) in BLUES.iter().enumerate() {
        let last = index + 1 == BLUES.len();
        legend(blue, "#555", if last { &often } else { "" }, if last { 190.0 } else { 18.0 });
    }
    legend("url(#stuck)", "#555", "cannot be moved", 130.0);
    legend("#fff", "#d22", "overlaps another", 130.0);
    legend("#fff6d6", "#e3cf87", "heap", 60.0);
    legend("#e9e9ec", "#bbb", "kept for something else", 160.0);
    let columns =
        [(AXIS, "before", drawing.before.len()), (AXIS + COLUMN + GAP, "after", drawing.after.len())];
    for (left, name, count) in columns {
        let _ = writeln!(
            text,
            "<text x=\"{left}\" y=\"{}\" font-weight=\"bold\">{name}: {count} images</text>",
            TOP - 8.0
        );
    }
    text
}

fn bands(body: &mut String, axis: &Axis, drawing: &PlanDrawing) {
    let mut free_from = 0.0;
    // Bands for DLLs lie on top of those that make do with what is left.
    let is_dll = |band: &&DrawnBand| band.kind == BandKind::Dll;
    let ordered = drawing.bands.iter().filter(|it| !is_dll(it)).chain(drawing.bands.iter().filter(is_dll));
    let mut labels: Vec<(f64, f64, &DrawnBand)> = Vec::new();
    for band in ordered {
        let (fill, stroke) = match band.kind {
            BandKind::Dll => ("#ffffff", "#9bb"),
            BandKind::Heap => ("#fff6d6", "#e3cf87"),
            BandKind::Kept => ("#e9e9ec", "#bbb"),
        };
        for (y, height, seen) in axis.spans(band.range) {
            let title = format!("{seen}: {}", band.label);
            for left in [AXIS, AXIS + COLUMN + GAP] {
                let _ = writeln!(
                    body,
                    "<rect x=\"{left}\" y=\"{y:.2}\" width=\"{COLUMN}\" height=\"{height:.2}\" fill=\"{fill}\" \
                     stroke=\"{stroke}\" stroke-width=\".5\"><title>{}</title></rect>",
                    escape(&title)
                );
            }
            labels.push((y, height, band));
        }
    }
    labels.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (y, _, band) in labels {
        let y = f64::max(y + 9.0, free_from);
        free_from = y + 12.0;
        let _ = writeln!(
            body,
            "<text x=\"8\" y=\"{y:.1}\" font-size=\"10\" fill=\"#555\"><title>{1}</title>{0} {2}</text>",
            short(band.range.start),
            escape(&band.label),
            escape(&cut(&band.label, 38))
        );
    }
}

fn short(address: Address) -> String {
    format!("{:#010x}", address.get())
}

fn cut(text: &str, letters_max: usize) -> String {
    match text.char_indices().nth(letters_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Free space between images: named when the pointer rests on it, written when there is room.
fn holes(body: &mut String, axis: &Axis, left: f64, images: &[DrawnImage]) {
    let mut ranges: Vec<AddressRange> = images.iter().map(|image| image.range).collect();
    ranges.sort_unstable();
    let mut end = Address::ZERO;
    for range in ranges {
        if let Some(hole) =
            AddressRange::new(end, range.start).filter(|hole| !hole.is_empty() && end != Address::ZERO)
        {
            for (y, height, _) in axis.spans(hole).into_iter().filter(|(_, height, _)| *height >= 1.0) {
                let _ = writeln!(
                    body,
                    "<rect x=\"{left}\" y=\"{y:.2}\" width=\"{COLUMN}\" height=\"{height:.2}\" fill-opacity=\"0\"><title>{hole} \
                     free, {}</title></rect>",
                    size(hole.size())
                );
                if height >= 24.0 {
                    let _ = writeln!(
                        body,
                        "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#999\" font-style=\"italic\">free: {}</text>",
                        left + COLUMN / 2.0,
                        y + height / 2.0 + 4.0,
                        size(hole.size())
                    );
                }
            }
        }
        end = end.max(range.end);
    }
}

fn column(body: &mut String, axis: &Axis, left: f64, images: &[DrawnImage], most: u64) {
    let mut sorted: Vec<&DrawnImage> = images.iter().collect();
    sorted.sort_by_key(|image| (image.range, &image.name));
    // Those that overlap stand side by side: groups that touch, each with its lanes.
    let mut from = 0;
    while from < sorted.len() {
        let mut lanes: Vec<Address> = Vec::new();
        let mut lane_of = Vec::new();
        let mut end = sorted[from].range.start;
        let mut to = from;
        while to < sorted.len() && (to == from || sorted[to].range.start < end) {
            let range = sorted[to].range;
            let free = lanes.iter().position(|&lane| lane <= range.start);
            let lane = free.unwrap_or(if lanes.len() < LANES_MAX { lanes.len() } else { to % LANES_MAX });
            if lane == lanes.len() {
                lanes.push(range.end);
            }
            lanes[lane] = lanes[lane].max(range.end);
            lane_of.push(lane);
            end = end.max(range.end);
            to += 1;
        }
        let width = COLUMN / lanes.len() as f64;
        for (image, lane) in sorted[from..to].iter().zip(lane_of) {
            let x = left + lane as f64 * width;
            draw_image(body, axis, (x, width), image, (to - from > 1, most));
        }
        from = to;
    }
}

fn draw_image(
    body: &mut String,
    axis: &Axis,
    (x, width): (f64, f64),
    image: &DrawnImage,
    (overlaps, most): (bool, u64),
) {
    let class = match image.uses {
        0 => 0,
        uses => 1 + usize::try_from((uses.ilog2() + 1) * 3 / (most.max(1).ilog2() + 1)).unwrap_or(3).min(3),
    };
    let fill = if image.is_obstacle { "url(#stuck)" } else { BLUES[class] };
    let stroke = if overlaps { "#d22" } else { "#345" };
    for (y, height, _) in axis.spans(image.range) {
        let _ = writeln!(
            body,
            "<rect x=\"{x:.1}\" y=\"{y:.2}\" width=\"{width:.1}\" height=\"{:.2}\" fill=\"{fill}\" stroke=\"{stroke}\" \
             stroke-width=\"{}\"><title>{}\n{} ({})\n{}, {} uses</title></rect>",
            height.max(0.3),
            match height {
                // Lines around what is thinner than themselves would hide its colour.
                _ if height < 1.5 && !overlaps => 0.0,
                _ if height < 3.0 => 0.2,
                _ => 0.6,
            },
            escape(&image.name),
            image.range,
            size(image.range.size()),
            escape(&image.detail),
            image.uses
        );
        if height >= 11.0 && width >= 80.0 {
            let name = image.name.rsplit('/').next().unwrap_or(&image.name);
            let letters = (width / 6.5) as usize;
            let _ = writeln!(
                body,
                "<text x=\"{:.1}\" y=\"{:.1}\" font-size=\"10\" fill=\"{}\" pointer-events=\"none\">{}</text>",
                x + 4.0,
                y + height / 2.0 + 3.5,
                if class >= 3 && !image.is_obstacle { "#fff" } else { "#123" },
                escape(&cut(name, letters))
            );
        }
    }
}

/// Marks where the address space is cut short, with the size of what is left out.
fn cuts(body: &mut String, axis: &Axis) {
    for pair in axis.parts.windows(2) {
        let (upper, lower) = (pair[0], pair[1]);
        let y = lower.1 - CUT_HEIGHT / 2.0 + 4.0;
        let left_out = lower.0.start.get() - upper.0.end.get();
        let _ = writeln!(
            body,
            "<text x=\"{}\" y=\"{y:.1}\" text-anchor=\"middle\" fill=\"#999\" font-style=\"italic\">… {} left out, {} to {} …\
             </text>",
            AXIS + COLUMN + GAP / 2.0,
            size(left_out),
            upper.0.end,
            lower.0.start
        );
    }
}

const HEAD: &str =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Address space</title>\n<style>
body { font: 14px sans-serif; margin: 1.5em; color: #222 }
svg { max-width: 100%; height: auto }
input { font: inherit; padding: .3em; width: 24em; margin: 1em 0 }
table { border-collapse: collapse } th { text-align: left }
td, th { padding: .2em .8em; border-bottom: 1px solid #ddd }
td:nth-child(-n+2), td:nth-child(5) { font-family: monospace } td:nth-child(2) { text-align: right }
</style></head><body>\n";

const FILTER: &str = "<script>
document.getElementById('filter').addEventListener('input', function (event) {
  var wanted = event.target.value.toLowerCase();
  document.querySelectorAll('tbody tr').forEach(function (row) {
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
});
</script></body></html>\n";

/// Draws a plan as an HTML page that needs nothing from elsewhere: the picture, and a table with a filter.
pub fn plan_html(drawing: &PlanDrawing) -> String {
    let mut page = HEAD.replace("Address space", &escape(&drawing.title));
    page.push_str(&plan_svg(drawing));
    page.push_str("<p><input id=\"filter\" type=\"search\" placeholder=\"Filter: path, address, reason\"></p>\n<table><thead><tr>");
    for heading in ["range", "size", "path", "uses", "why"] {
        let _ = write!(page, "<th>{heading}</th>");
    }
    page.push_str("</tr></thead><tbody>\n");
    for image in &drawing.after {
        let cells =
            [image.range.to_string(), size(image.range.size()), image.name.clone(), image.uses.to_string()];
        page.push_str("<tr>");
        for cell in cells.iter().chain([&image.detail]) {
            let _ = write!(page, "<td>{}</td>", escape(cell));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table>\n");
    page.push_str(FILTER);
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(name: &str, start: u64, bytes: u64, uses: u64) -> DrawnImage {
        let range = AddressRange::sized(Address::new(start), bytes).expect("in range");
        DrawnImage { range, name: name.into(), uses, is_obstacle: false, detail: "why <&>".into() }
    }

    fn drawing() -> PlanDrawing {
        let band = |start, bytes, kind| DrawnBand {
            range: AddressRange::sized(Address::new(start), bytes).expect("in range"),
            kind,
            label: "a \"band\"".into(),
        };
        PlanDrawing {
            title: "t".into(),
            bands: vec![
                band(0x2000_0000, 0x1800_0000, BandKind::Heap),
                band(0x3800_0000, 0x3800_0000, BandKind::Dll),
            ],
            before: (0..20).map(|n| image(&format!("{n}.dll"), 0x1000_0000, 0x100_0000, n)).collect(),
            after: (0..20)
                .map(|n| image(&format!("{n}.dll"), 0x6000_0000 - n * 0x100_0000, 0x100_0000, n))
                .collect(),
            ..PlanDrawing::default()
        }
    }

    #[test]
    fn every_image_is_named_in_both_columns() {
        let svg = plan_svg(&drawing());
        for n in 0..20 {
            assert_eq!(svg.matches(&format!("<title>{n}.dll\n")).count(), 2, "{n}");
        }
        assert!(svg.contains("why &lt;&amp;&gt;") && svg.contains("left out"));
        assert_eq!(svg.matches("#d22").count(), 21, "the twenty at one base, and the legend");
    }

    #[test]
    fn what_is_drawn_whole_is_not_cut() {
        let whole = AddressRange::sized(Address::ZERO, 0x8000_0000);
        let svg = plan_svg(&PlanDrawing { whole, ..drawing() });
        assert!(!svg.contains("left out"));
    }

    #[test]
    fn nothing_is_drawn_as_nothing() {
        assert!(plan_svg(&PlanDrawing::default()).ends_with("</svg>\n"));
        assert!(!plan_html(&PlanDrawing::default()).contains("src="));
    }
}
