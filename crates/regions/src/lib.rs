//! Regions of an address space: typed addresses, region maps, the rules of Windows, layouts as data.
//!
//! Pure values: no I/O, no unsafe, no clock. Start with [`Address`], then [`windows::WindowsSpace`].
#![forbid(unsafe_code)]

mod address;
mod label;
mod layout;
pub mod linux;
mod region_map;
pub mod windows;

pub use address::{Access, Address, AddressRange};
pub use label::Label;
pub use layout::{Band, Direction, Layout, LayoutError, Use};
pub use region_map::{Gaps, RegionMap, RegionValue, Regions};

/// Size of a page of memory in bytes, on every machine that plat lays out.
pub const PAGE_SIZE: u64 = 4096;

/// Windows hands out reservations at multiples of this many bytes.
///
/// Source: Microsoft, "SYSTEM_INFO structure", `dwAllocationGranularity`.
pub const ALLOCATION_GRANULARITY: u64 = 0x1_0000;
