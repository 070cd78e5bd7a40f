//! `plat map`, and the forms in which any map is shown.

use std::path::Path;
use std::process::ExitCode;

use plat_loader::RegionRow;

use crate::arguments::Map;

/// In which form a map is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Json,
    Svg,
    Html,
}

/// Chooses the form by a file's suffix.
pub(crate) fn form_of(path: &Path) -> Form {
    match path.extension().and_then(|suffix| suffix.to_str()) {
        Some("json") => Form::Json,
        Some("svg") => Form::Svg,
        Some("html" | "htm") => Form::Html,
        _ => Form::Text,
    }
}

/// Writes rows in a form.
pub(crate) fn render(rows: &[RegionRow], _form: Form) -> String {
    rows.iter()
        .map(|row| {
            format!(
                "{} {:7} {:7} {:4} {}: {}\n",
                row.range, row.state, row.kind, row.protection, row.owner, row.reason
            )
        })
        .collect()
}

/// Shows an address space.
pub(crate) fn map(_map: &Map) -> anyhow::Result<ExitCode> {
    anyhow::bail!("plat map arrives with the renderers")
}
