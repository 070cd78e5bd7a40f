//! The rules of consoles: what a terminal sends as input records, what a program draws as a terminal's sequences.
//!
//! [`record`] lays records out; [`keys`] knows keyboards; [`decode`] reads a terminal's bytes; [`mod@line`] edits a line;
//! [`screen`] is a grid of cells that [`follow`] keeps in step with text and [`paint`] shows.

pub mod decode;
pub mod follow;
pub mod keys;
pub mod line;
pub mod paint;
pub mod record;
pub mod screen;
pub mod sequence;
