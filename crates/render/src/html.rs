//! A map as one self-contained page: the picture, a search, and a table; what is pointed at shows in all of them.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::row::MapRow;
use crate::svg::{escape, map_svg};
use crate::table::size;

const HEAD: &str = include_str!("page_head.html");
const SCRIPT: &str = include_str!("page_script.html");

/// Writes a map as an HTML page that needs nothing from elsewhere.
pub fn map_html(rows: &[MapRow]) -> String {
    let mut page = String::from(HEAD);
    page.push_str("<form id=\"search\"><input id=\"filter\" type=\"search\" placeholder=\"Search: owner, reason, or an address such as 0x401a3f\">\n");
    choice(&mut page, "kind", rows.iter().map(|row| row.kind.as_str()));
    choice(&mut page, "protection", rows.iter().map(|row| row.protection.as_str()));
    choice(&mut page, "state", rows.iter().map(|row| row.state.as_str()));
    let _ = writeln!(page, "<output id=\"count\"></output></form>\n{}", map_svg(rows));
    page.push_str("<div id=\"hover\" hidden></div>\n<table><thead><tr>");
    for heading in ["range", "size", "state", "kind", "protection", "owner", "why"] {
        let _ = write!(page, "<th>{heading}</th>");
    }
    page.push_str("</tr></thead><tbody>\n");
    for row in rows {
        let (range, bytes) = (row.range.to_string(), size(row.range.size()));
        let _ = write!(
            page,
            "<tr data-start=\"{:x}\" data-end=\"{:x}\" data-kind=\"{}\" data-protection=\"{}\" data-state=\"{}\">",
            row.range.start.get(),
            row.range.end.get(),
            escape(&row.kind),
            escape(&row.protection),
            escape(&row.state)
        );
        for cell in [&range, &bytes, &row.state, &row.kind, &row.protection, &row.owner, &row.reason] {
            let _ = write!(page, "<td>{}</td>", escape(cell));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody></table>\n");
    page.push_str(SCRIPT);
    page
}

/// Writes a list to choose one of the values that occur.
fn choice<'r>(page: &mut String, name: &str, values: impl Iterator<Item = &'r str>) {
    let _ = write!(page, "<select data-of=\"{name}\"><option value=\"\">any {name}</option>");
    for value in values.collect::<BTreeSet<_>>() {
        let value = escape(value);
        let _ = write!(page, "<option value=\"{value}\">{value}</option>");
    }
    page.push_str("</select>\n");
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_needs_nothing_from_elsewhere() {
        let page = super::map_html(&crate::row::sample());
        for word in ["src=", "href=", "@import", "url(http", "fetch("] {
            assert!(!page.contains(word), "{word}");
        }
        assert_eq!(page.matches("<tr data-start").count(), 3);
        assert!(page.contains("<option value=\"r-x\">r-x</option>"));
    }
}
