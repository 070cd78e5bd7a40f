//! winnls.h: locales, code pages and mappings. The one locale is English (United States), with the pages 1252 and 437.

pub mod code_pages;
pub mod locale_info;
pub mod locales;
pub mod mapping;
pub mod ui_languages;
