//! Calls of Windows written as in C.

use plat_regions::Address;
use plat_regions::windows::{AllocationType, PageProtection};

use crate::event::Pid;
use crate::windows::WindowsCall;

impl WindowsCall {
    /// Writes the call as in C; with the number of another process, the `Ex` form.
    pub fn to_text(&self, other: Option<Pid>) -> String {
        let (suffix, first) = match other {
            Some(pid) => ("Ex", format!("{pid}, ")),
            None => ("", String::new()),
        };
        let at = |address: &Address| format!("{:#x}", address.get());
        match self {
            Self::Alloc { address, size, kind, protection } => format!(
                "VirtualAlloc{suffix}({first}{}, {size:#x}, {}, {})",
                at(address),
                kind_text(*kind),
                protection_text(*protection)
            ),
            Self::Free { address, size, release } => {
                let kind = if *release { "MEM_RELEASE" } else { "MEM_DECOMMIT" };
                format!("VirtualFree{suffix}({first}{}, {size:#x}, {kind})", at(address))
            }
            Self::Protect { address, size, protection } => format!(
                "VirtualProtect{suffix}({first}{}, {size:#x}, {})",
                at(address),
                protection_text(*protection)
            ),
            Self::MapView { address, size, path, offset, protection } => format!(
                "MapViewOfFile{suffix}({first}{path}, {}, {offset:#x}, {size:#x}, {})",
                at(address),
                protection_text(*protection)
            ),
        }
    }
}

fn kind_text(kind: AllocationType) -> String {
    joined("MEM_", kind.iter_names().map(|(name, _)| name))
}

fn protection_text(protection: PageProtection) -> String {
    joined("PAGE_", protection.iter_names().map(|(name, _)| name))
}

fn joined(prefix: &str, names: impl Iterator<Item = &'static str>) -> String {
    let names: Vec<_> = names.map(|name| format!("{prefix}{name}")).collect();
    if names.is_empty() { "0".to_owned() } else { names.join("|") }
}
