//! The fields of a layout's text. The build script reads the built-in layouts with them, too.

use serde::Deserialize;

/// What a band of addresses is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Use {
    /// Never mapped, so that a null pointer faults.
    NullGuard,
    /// The first megabyte and 64 KiB, which old programs expect to be their own.
    Dos,
    /// Images of the program and of its own DLLs.
    Image,
    /// Images of the system's DLLs.
    SystemImage,
    /// Heaps.
    Heap,
    /// Threads' stacks.
    Stack,
    /// Everything else that a program allocates, and mapped views.
    Private,
    /// Process and thread environment blocks.
    Environment,
    /// Read-only data that the system shares with every process; 64 KiB, of which the first page is mapped.
    SharedData,
    /// Where a planner gives DLLs their bases (`plat rebase`); the first of several bands is the best.
    Dll,
    /// Where a linker gave DLLs bases by hashing their names: those that collide with nothing stay.
    AutoBase,
    /// The DLL that all others of the system need, with room around it; the field `files` of its band names it.
    Runtime,
    /// Memory that processes share by its address.
    Shared,
    /// Where Windows puts images at random, or moves those that ask for it.
    Aslr,
    /// Nobody may place anything here: it belongs to the host or to the system.
    Forbidden,
}

/// From which end a band fills.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the lowest address up.
    #[default]
    Up,
    /// From the highest address down.
    Down,
}

/// A layout as the text has it, its numbers not yet checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawLayout {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) description: String,
    pub(crate) bits: u32,
    pub(crate) lowest: u64,
    pub(crate) highest: u64,
    pub(crate) arena: Vec<RawRange>,
    #[serde(default)]
    pub(crate) band: Vec<RawBand>,
}

/// A range of the arena.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRange {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// A band.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawBand {
    #[serde(rename = "use")]
    pub(crate) purpose: Use,
    pub(crate) start: u64,
    pub(crate) end: u64,
    #[serde(default)]
    pub(crate) direction: Direction,
    #[serde(default)]
    pub(crate) why: String,
    #[serde(default)]
    pub(crate) files: Vec<String>,
}
