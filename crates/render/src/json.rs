//! A map as JSON.

use serde::Serialize;

use crate::row::MapRow;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    regions: Vec<Region<'a>>,
}

#[derive(Serialize)]
struct Region<'a> {
    start: String,
    end: String,
    size_bytes: u64,
    state: &'a str,
    kind: &'a str,
    protection: &'a str,
    owner: &'a str,
    reason: &'a str,
}

/// Writes a map as JSON.
///
/// The schema, `plat-map-1`: an object with `schema` and `regions`, an array that ascends by `start`. Each region has
/// `start` and `end` (the first byte after) as text, `0x` and 16 digits, since JSON readers lose digits of large
/// numbers; `size_bytes`, a number; `state`, `kind`, `protection`, `owner`, `reason`, texts. Free space is what lies
/// between regions.
pub fn map_json(rows: &[MapRow]) -> String {
    let regions = rows
        .iter()
        .map(|row| Region {
            start: format!("{:#018x}", row.range.start.get()),
            end: format!("{:#018x}", row.range.end.get()),
            size_bytes: row.range.size(),
            state: &row.state,
            kind: &row.kind,
            protection: &row.protection,
            owner: &row.owner,
            reason: &row.reason,
        })
        .collect();
    let document = Document { schema: "plat-map-1", regions };
    let mut text = serde_json::to_string_pretty(&document).expect("texts and numbers become JSON");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn addresses_are_text_of_sixteen_digits() {
        let text = super::map_json(&crate::row::sample()[..1]);
        let value: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!(value["regions"][0]["start"], "0x0000000000400000");
        assert_eq!(value["regions"][0]["size_bytes"], 4096);
    }
}
