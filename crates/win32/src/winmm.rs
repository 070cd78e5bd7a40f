//! winmm.dll: the table of contents.

pub mod devices;
pub mod mmio;
pub mod riff;
pub mod texts;
pub mod timeapi;

use crate::export::Dll;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "winmm.dll",
    description: "MCI API DLL",
    tables: &[timeapi::EXPORTS, devices::EXPORTS, mmio::EXPORTS, riff::EXPORTS, texts::EXPORTS],
    methods: &[],
};
