//! What a picture must hold, whatever the map.

use plat_regions::{Address, AddressRange};

use super::*;
use crate::row::sample;

/// Every address of the details has a line of its own: no two nearer than a line.
#[test]
fn labels_do_not_overlap() {
    let mut rows = sample();
    for index in 0..900u64 {
        let mut row = rows[0].clone();
        row.range =
            AddressRange::sized(Address::new(0x1_0000_0000 + index * 0x3000), 0x1000).expect("in range");
        row.owner = format!("owner{} {index}", index % 7);
        rows.push(row);
    }
    let svg = map_svg(&rows);
    let lines = svg.lines().filter(|line| line.contains("font-size=\"10.5\""));
    let at = |line: &str| {
        let rest = line.split(&format!("<text x=\"{ADDRESS_RIGHT}\" y=\"")).nth(1).expect("an address");
        rest.split('"').next().and_then(|text| text.parse::<f64>().ok()).expect("a number")
    };
    let ys: Vec<f64> = lines.map(at).collect();
    assert!(ys.len() > 900);
    assert!(ys.windows(2).all(|pair| pair[1] - pair[0] >= LINE - 0.11), "{ys:?}");
}

#[test]
fn every_region_tells_owner_and_reason() {
    let svg = map_svg(&sample());
    assert_eq!(svg.matches("class=\"row\"").count(), 3);
    assert!(svg.contains("owner: a&amp;b.exe .text\nwhy: preferred &lt;base&gt;</title>"));
    assert!(svg.contains(">2 GiB free</text>"), "the hole is a break");
}

#[test]
fn equal_neighbours_are_one_block_and_empty_maps_a_picture() {
    let mut rows = sample();
    rows.truncate(1);
    for _ in 0..4 {
        let mut row = rows[0].clone();
        let start = rows[rows.len() - 1].range.end;
        row.range = AddressRange::sized(start, 0x1000).expect("in range");
        rows.push(row);
    }
    let svg = map_svg(&rows);
    assert!(svg.contains("data-first=\"0\" data-last=\"4\"") && svg.contains("(×5)"));
    assert!(map_svg(&[]).ends_with("</svg>\n"));
}

#[test]
fn the_far_end_of_addresses_does_not_spoil_the_scale() {
    let mut rows = sample();
    let mut last = rows[0].clone();
    last.range = AddressRange::sized(Address::new(0xffff_ffff_ff60_0000), 0x1000).expect("in range");
    rows.push(last);
    let svg = map_svg(&rows);
    assert!(svg.contains(">0x80000000</text>"), "the bar ends at 2 GiB");
}
