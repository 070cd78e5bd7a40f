//! Region maps and tables as text, SVG, HTML and JSON.
//!
//! One model, [`MapRow`], and one function per form: [`map_text`], [`map_json`], [`map_svg`], [`map_html`]. Other
//! tables are made with [`Table`]. Pure: text in, text out.
#![forbid(unsafe_code)]

mod html;
mod json;
mod lesson;
mod plan;
mod row;
mod svg;
mod table;

pub use html::map_html;
pub use json::map_json;
pub use lesson::lesson_html;
pub use plan::{BandKind, DrawnBand, DrawnImage, PlanDrawing, plan_html, plan_svg};
pub use row::{Gap, MapRow, gaps, map_text};
pub use svg::map_svg;
pub use table::{Align, Table, size};
