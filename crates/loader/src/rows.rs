//! The address space as a table: what `--map` shows.

use plat_regions::windows::State;
use plat_regions::{AddressRange, windows::MemoryKind};

use crate::modules::PeLoader;

/// One line of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionRow {
    /// Where.
    pub range: AddressRange,
    /// `commit` or `reserve`.
    pub state: &'static str,
    /// `image`, `mapped`, `private` or `system`.
    pub kind: &'static str,
    /// What may be done there: `rw-`, with `g` behind it for a guard page.
    pub protection: String,
    /// Whose it is.
    pub owner: String,
    /// Why it lies there.
    pub reason: String,
}

impl PeLoader {
    /// Lists all regions of the guest, ascending.
    pub(crate) fn rows(&self) -> Vec<RegionRow> {
        let books = self.process().memory.books();
        books
            .regions()
            .map(|region| RegionRow {
                range: region.range,
                state: match region.state {
                    State::Free => "free",
                    State::Reserve => "reserve",
                    State::Commit => "commit",
                },
                kind: match region.kind {
                    _ if region.is_system => "system",
                    MemoryKind::Image => "image",
                    MemoryKind::Mapped => "mapped",
                    MemoryKind::Private => "private",
                },
                protection: format!("{}{}", region.protection.access(), if region.guard { "g" } else { "" }),
                owner: match &region.part {
                    Some(part) => format!("{} {part}", &*region.owner),
                    None => region.owner.to_string(),
                },
                reason: region.reason.to_string(),
            })
            .collect()
    }
}
