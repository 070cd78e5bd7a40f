//! [`MapRow`], the neutral row of a map; the space between rows; and the map as text.

use plat_regions::{Address, AddressRange};

use crate::table::{Align, Table, size};

/// One region of an address space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapRow {
    /// Where.
    pub range: AddressRange,
    /// `commit`, `reserve`, or another word of the source.
    pub state: String,
    /// `image`, `mapped`, `private`, `system`, or another word of the source; decides colour and pattern.
    pub kind: String,
    /// What may be done there: `rw-`, and what else is to say.
    pub protection: String,
    /// Whose it is.
    pub owner: String,
    /// Why it lies there.
    pub reason: String,
}

/// Free space between two rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Where.
    pub range: AddressRange,
    /// The index of the row behind it.
    pub before_row: usize,
}

/// Lists the free space between rows, which must ascend; rows that overlap have none between them.
pub fn gaps(rows: &[MapRow]) -> Vec<Gap> {
    let mut end = rows.first().map_or(Address::ZERO, |row| row.range.end);
    let mut gaps = Vec::new();
    for (before_row, row) in rows.iter().enumerate().skip(1) {
        if let Some(range) = AddressRange::new(end, row.range.start).filter(|range| !range.is_empty()) {
            gaps.push(Gap { range, before_row });
        }
        end = end.max(row.range.end);
    }
    gaps
}

/// Writes a map as aligned columns; free space stands between its neighbours.
pub fn map_text(rows: &[MapRow]) -> String {
    let mut table = Table::new(&[
        ("range", Align::Left),
        ("size", Align::Right),
        ("state", Align::Left),
        ("kind", Align::Left),
        ("prot", Align::Left),
        ("owner", Align::Left),
        ("why", Align::Left),
    ]);
    let mut gaps = gaps(rows).into_iter().peekable();
    for (index, row) in rows.iter().enumerate() {
        if let Some(gap) = gaps.next_if(|gap| gap.before_row == index) {
            table.row([gap.range.to_string(), size(gap.range.size()), "free".into()]);
        }
        table.row([
            row.range.to_string(),
            size(row.range.size()),
            row.state.clone(),
            row.kind.clone(),
            row.protection.clone(),
            row.owner.clone(),
            row.reason.clone(),
        ]);
    }
    table.to_text()
}

#[cfg(test)]
pub(crate) fn sample() -> Vec<MapRow> {
    let row = |start, bytes, state: &str, kind: &str, protection: &str, owner: &str| MapRow {
        range: AddressRange::sized(Address::new(start), bytes).expect("in range"),
        state: state.into(),
        kind: kind.into(),
        protection: protection.into(),
        owner: owner.into(),
        reason: "preferred <base>".into(),
    };
    vec![
        row(0x40_0000, 0x1000, "commit", "image", "r--", "a&b.exe headers"),
        row(0x40_1000, 0x2_0000, "commit", "image", "r-x", "a&b.exe .text"),
        row(0x7ffe_0000, 0x1000, "commit", "system", "r--", "shared data"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_space_stands_between_its_neighbours() {
        expect_test::expect![[r#"
            range                                        size  state   kind    prot  owner            why
            0x00000000_00400000..0x00000000_00401000    4 KiB  commit  image   r--   a&b.exe headers  preferred <base>
            0x00000000_00401000..0x00000000_00421000  128 KiB  commit  image   r-x   a&b.exe .text    preferred <base>
            0x00000000_00421000..0x00000000_7ffe0000    2 GiB  free
            0x00000000_7ffe0000..0x00000000_7ffe1000    4 KiB  commit  system  r--   shared data      preferred <base>
        "#]]
        .assert_eq(&map_text(&sample()));
    }

    #[test]
    fn overlapping_rows_leave_no_gap() {
        let mut rows = sample();
        rows[0].range.end = Address::new(0x8000_0000);
        assert_eq!(gaps(&rows), []);
    }
}
