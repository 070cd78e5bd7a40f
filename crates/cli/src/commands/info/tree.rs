//! The tree of imports as text.

use std::fmt::Write;

use plat_loader::{Below, ImportNode, Supply};

use super::printable;

/// Where a list of functions is broken, in columns.
const WIDTH: usize = 110;

/// Writes the tree below a heading.
pub(super) fn text(name: &str, imports: &[ImportNode]) -> String {
    let mut text = format!("imports of {}\n", printable(name));
    branches(&mut text, imports, "");
    text
}

fn branches(text: &mut String, imports: &[ImportNode], before: &str) {
    for (index, node) in imports.iter().enumerate() {
        let is_last = index + 1 == imports.len();
        let (fork, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        let _ = writeln!(text, "{before}{fork}{}", heading(node));
        let below = format!("{before}{below}");
        let stem = if node.imports.is_empty() { "   " } else { "│  " };
        functions(text, node, &format!("{below}{stem}"));
        branches(text, &node.imports, &below);
    }
}

fn heading(node: &ImportNode) -> String {
    let host = node.host.as_ref().map_or(String::new(), |host| format!(" = {host}"));
    let delayed = if node.is_delayed { ", when first called" } else { "" };
    let below = match node.below {
        Below::Shown => "",
        Below::ShownBefore => " (its imports: see above)",
        Below::Cycle => " (a cycle: it leads here)",
        Below::TooDeep => " (its imports are not followed: --depth)",
    };
    printable(&format!("{}{host}: {}{delayed}{below}", node.name, node.provider))
}

/// Writes the functions by where they come from, broken into lines.
fn functions(text: &mut String, node: &ImportNode, before: &str) {
    for supply in [Supply::Builtin, Supply::Native, Supply::Stub, Supply::Missing] {
        let mut names =
            node.functions.iter().filter(|it| it.supply == supply).map(|it| printable(&it.symbol)).peekable();
        if names.peek().is_none() {
            continue;
        }
        let heading = format!("{}: ", supply.name());
        let indent = " ".repeat(heading.len());
        let mut line = format!("{before}{heading}");
        let start = line.chars().count();
        let mut width = start;
        while let Some(name) = names.next() {
            let word = if names.peek().is_some() { format!("{name}, ") } else { name };
            let columns = word.chars().count();
            if width > start && width + columns > WIDTH {
                let _ = writeln!(text, "{}", line.trim_end());
                line = format!("{before}{indent}");
                width = start;
            }
            line.push_str(&word);
            width += columns;
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
}
