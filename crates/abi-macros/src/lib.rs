//! Attributes and derives of plat-abi.
