//! Executable images: checked headers, sections, relocations, imports, exports.
