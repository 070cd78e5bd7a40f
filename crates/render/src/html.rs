//! A map as one self-contained page: the picture, and a table with a filter.

use std::fmt::Write;

use crate::row::MapRow;
use crate::svg::{escape, map_svg};
use crate::table::size;

pub(crate) const HEAD: &str =
    "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Address space</title>\n<style>
body { font: 14px sans-serif; margin: 1.5em; color: #222 }
svg { max-width: 100%; height: auto }
input { font: inherit; padding: .3em; width: 24em; margin: 1em 0 }
table { border-collapse: collapse } th { text-align: left }
td, th { padding: .2em .8em; border-bottom: 1px solid #ddd }
td:nth-child(-n+2), td:nth-child(5) { font-family: monospace } td:nth-child(2) { text-align: right }
</style></head><body>\n";

pub(crate) const FILTER: &str = "<script>
document.getElementById('filter').addEventListener('input', function (event) {
  var wanted = event.target.value.toLowerCase();
  document.querySelectorAll('tbody tr').forEach(function (row) {
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
});
</script></body></html>\n";

/// Writes a map as an HTML page that needs nothing from elsewhere.
pub fn map_html(rows: &[MapRow]) -> String {
    let mut page = format!("{HEAD}{}", map_svg(rows));
    page.push_str("<p><input id=\"filter\" type=\"search\" placeholder=\"Filter: owner, kind, address\"></p>\n<table><thead><tr>");
    for heading in ["range", "size", "state", "kind", "protection", "owner", "why"] {
        let _ = write!(page, "<th>{heading}</th>");
    }
    page.push_str("</tr></thead><tbody>\n");
    for row in rows {
        let (range, bytes) = (row.range.to_string(), size(row.range.size()));
        page.push_str("<tr>");
        for cell in [&range, &bytes, &row.state, &row.kind, &row.protection, &row.owner, &row.reason] {
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
    #[test]
    fn the_page_needs_nothing_from_elsewhere() {
        let page = super::map_html(&crate::row::sample());
        for word in ["src=", "href=", "@import", "url(http"] {
            assert!(!page.contains(word), "{word}");
        }
        assert_eq!(page.matches("<tr>").count(), 4);
    }
}
