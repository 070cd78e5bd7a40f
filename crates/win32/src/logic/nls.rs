//! National language support: case, comparison, character types and code pages over UTF-16.

pub mod case;
pub mod code_page;
pub mod collate;
pub mod ctype;
pub mod date_format;
pub mod double_byte;
pub mod idn;
pub mod locale;
pub mod locale_names;
pub mod normal_form;
pub mod number_format;
mod tables;
