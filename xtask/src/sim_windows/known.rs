//! Where Wine is known to differ from Windows. docs/sim-cases.md tells the source of each row.

use plat_regions::Address;
use plat_regions::windows::{PageProtection, State};

use super::model::{Answer, Model, SECTION_SIZE};
use super::step::{Kind, Step};

/// One known difference.
#[derive(Debug)]
pub(crate) struct Known {
    /// Its name in docs/sim-cases.md.
    pub(crate) name: &'static str,
    /// Whether a step shows it; the answer is the model's.
    pub(crate) applies: fn(&Model, &Step, &Answer) -> bool,
    /// What Wine says instead, leaving everything as it was. Without it the step would change Wine's memory in
    /// another way than Windows': it is left out.
    pub(crate) says: Option<u64>,
}

fn protection(word: u64) -> PageProtection {
    PageProtection::from_bits_retain(word as u32)
}

/// Returns what the model says to the step with another protection; nothing for calls without one.
fn with_protection(model: &Model, step: &Step, protection: u64) -> Option<Answer> {
    let other = match step.kind {
        Kind::Alloc => Step { b: protection, ..*step },
        Kind::Protect => Step { a: protection, ..*step },
        _ => return None,
    };
    Some(model.clone().act(&other))
}

/// What differs under Wine 8.
pub(crate) const WINE: &[Known] = &[
    Known {
        name: "VirtualFree of the page at zero",
        applies: |_, step, _| step.kind == Kind::Free && step.address < 0x1000,
        says: None,
    },
    Known {
        name: "MapViewOfFile above the program's addresses",
        applies: |model, step, _| {
            step.kind == Kind::View && model.query(Address::new(step.address)).is_none()
        },
        says: None,
    },
    Known {
        name: "VirtualFree and VirtualProtect of pages that lie not in one allocation",
        applies: |model, step, answer| {
            matches!(step.kind, Kind::Free | Kind::Protect)
                && answer.error == 487
                && !model.is_inside_one(step.address, step.size)
        },
        says: Some(87),
    },
    Known {
        name: "VirtualProtect of no bytes",
        applies: |_, step, _| step.kind == Kind::Protect && step.size == 0,
        says: None,
    },
    Known {
        name: "a protection that is refused at a place that is refused as well",
        applies: |model, step, answer| {
            let late = match step.kind {
                Kind::Alloc => step.a & 0x2000 == 0,
                _ => model.is_inside_one(step.address, step.size),
            };
            late && answer.error == 87
                && with_protection(model, step, 4).is_some_and(|other| other.error == 487)
        },
        says: Some(487),
    },
    Known {
        name: "a touch of reserved pages",
        applies: |model, step, _| step.kind == Kind::Touch && model.state(step.address) == State::Reserve,
        says: None,
    },
    Known {
        name: "MapViewOfFile from the section's end on",
        applies: |_, step, answer| {
            let readable = step.a >> 32 == 0 || step.a & 0x22 == 0;
            step.kind == Kind::View && step.b == SECTION_SIZE && answer.error == 5 && readable
        },
        says: Some(87),
    },
    Known {
        name: "VirtualAlloc with MEM_COMMIT in a view",
        applies: |model, step, answer| {
            step.kind == Kind::Alloc
                && step.a & 0x2000 == 0
                && model.is_view(step.address)
                && answer.value == 0
        },
        says: None,
    },
    Known {
        name: "VirtualAlloc with MEM_RESET and another flag, or without an address",
        applies: |_, step, _| {
            matches!(step.kind, Kind::Alloc | Kind::Anywhere) && step.a == 0x8_1000
                || step.kind == Kind::Anywhere && step.a == 0x8_0000
        },
        says: None,
    },
    Known {
        name: "VirtualAlloc with MEM_RESET and no valid protection",
        applies: |_, step, answer| step.kind == Kind::Alloc && step.a == 0x8_0000 && answer.error == 87,
        says: None,
    },
    Known {
        name: "PAGE_NOACCESS with PAGE_GUARD",
        applies: |_, step, _| match step.kind {
            Kind::Alloc | Kind::Anywhere => step.b == 0x101,
            Kind::Protect => step.a == 0x101,
            _ => false,
        },
        says: None,
    },
    Known {
        name: "PAGE_NOCACHE and PAGE_WRITECOMBINE",
        applies: |_, step, _| {
            let word = match step.kind {
                Kind::Alloc | Kind::Anywhere => step.b,
                Kind::Protect => step.a,
                _ => 0,
            };
            protection(word).intersects(PageProtection::NOCACHE | PageProtection::WRITECOMBINE)
        },
        says: None,
    },
];
