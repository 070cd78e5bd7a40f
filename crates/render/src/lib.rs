//! Region maps and tables as text, SVG, HTML and JSON.
