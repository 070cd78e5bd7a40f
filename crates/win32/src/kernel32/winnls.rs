//! winnls.h: locales, code pages and mappings. The one locale is English (United States), with the pages 1252 and 437.

pub mod calendars;
pub mod code_pages;
pub mod date_time;
pub mod enumerations;
pub mod find_string;
pub mod geography;
pub mod locale_info;
pub mod locales;
pub mod mapping;
pub mod normalization;
pub mod numbers;
pub mod ui_languages;
