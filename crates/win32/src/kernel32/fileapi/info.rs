//! attributes and facts by handle or path.
