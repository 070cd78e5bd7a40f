//! msvcp140_1.dll: the memory resources behind `std::pmr`.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/memory-resource-class>.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use plat_abi::{Fault, GuestWord, Memory};

use super::members::{members, plain};
use crate::export::Dll;
use crate::guest::Guest;
use crate::msvcrt::malloc::{_aligned_free, _aligned_malloc};
use crate::msvcrt::state::place;
use crate::msvcrt::system::exported;
use crate::msvcrt::throw::{Class, throw};

/// The DLL.
pub const DLL: Dll = Dll {
    name: "msvcp140_1.dll",
    description: "Microsoft\u{ae} C Runtime Library _1",
    tables: &[EXPORTS, METHODS],
    methods: &[],
};

/// The resources; their objects are one word each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Resource {
    Aligned,
    Unaligned,
    Null,
}

/// The defaults that the program has set; 0 for those from the start.
static DEFAULTS: [AtomicU64; 2] = [AtomicU64::new(0), AtomicU64::new(0)];

/// Returns where a resource's object is.
fn object(guest: &mut Guest, resource: Resource) -> Result<u64, Fault> {
    static OBJECTS: OnceLock<u64> = OnceLock::new();
    const FUNCTIONS: [[&str; 4]; 2] = [
        [
            "__plat_resource_delete",
            "__plat_resource_allocate",
            "__plat_resource_deallocate",
            "__plat_resource_equal",
        ],
        [
            "__plat_resource_delete",
            "__plat_resource_refuse",
            "__plat_resource_deallocate",
            "__plat_resource_equal",
        ],
    ];
    let word = guest.machine().pointer_size();
    if let Some(&known) = OBJECTS.get() {
        return Ok(known + resource as u64 * word);
    }
    let start = place(guest, &vec![0; 11 * word as usize])?;
    let tables = start + 3 * word;
    let suffix = if guest.machine().is_64() { "E" } else { "" };
    for (index, name) in (0..).zip(FUNCTIONS.as_flattened()) {
        let address = exported(guest, DLL.name, &format!("{name}{suffix}"))?;
        guest.write_word(tables + index * word, address)?;
    }
    for (index, table) in (0..).zip([tables, tables, tables + 4 * word]) {
        guest.write_word(start + index * word, table)?;
    }
    Ok(*OBJECTS.get_or_init(|| start) + resource as u64 * word)
}

/// Returns the default resource of a kind.
fn default(guest: &mut Guest, resource: Resource) -> Result<GuestWord, Fault> {
    match DEFAULTS[resource as usize].load(Ordering::Acquire) {
        0 => object(guest, resource).map(GuestWord),
        set => Ok(GuestWord(set)),
    }
}

/// Sets the default resource of a kind; null: the one from the start. Returns the one before.
fn set_default(guest: &mut Guest, resource: Resource, new: GuestWord) -> Result<GuestWord, Fault> {
    let first = object(guest, resource)?;
    match DEFAULTS[resource as usize].swap(new.0, Ordering::AcqRel) {
        0 => Ok(GuestWord(first)),
        set => Ok(GuestWord(set)),
    }
}

plain! { EXPORTS, "memory-resource-functions";
    "Returns the default resource."; _Aligned_get_default_resource(guest) -> GuestWord { default(guest, Resource::Aligned) }

    "Returns the default resource of programs without aligned `new`.";
    _Unaligned_get_default_resource(guest) -> GuestWord { default(guest, Resource::Unaligned) }

    "Sets the default resource; returns the one before.";
    _Aligned_set_default_resource(guest, resource: GuestWord) -> GuestWord { set_default(guest, Resource::Aligned, resource) }

    "Sets the default resource of programs without aligned `new`; returns the one before.";
    _Unaligned_set_default_resource(guest, resource: GuestWord) -> GuestWord { set_default(guest, Resource::Unaligned, resource) }

    "Returns the resource that is `new` and `delete`.";
    _Aligned_new_delete_resource(guest) -> GuestWord { object(guest, Resource::Aligned).map(GuestWord) }

    "Returns the resource that is `new` and `delete` without alignment.";
    _Unaligned_new_delete_resource(guest) -> GuestWord { object(guest, Resource::Unaligned).map(GuestWord) }

    "Returns the resource that has no memory."; null_memory_resource(guest) -> GuestWord {
        object(guest, Resource::Null).map(GuestWord)
    }
}

/// Alignments up to this one all memory has.
fn common_alignment(guest: &Guest) -> u64 {
    2 * guest.machine().pointer_size()
}

members! { METHODS, "memory-resource-class";
    "Does nothing: resources stay.", "__plat_resource_delete*";
    resource_delete(guest, this, flags: u32) -> GuestWord {
        let _ = (guest, flags);
        Ok(this)
    }

    "Allocates memory; throws `bad_alloc` without any.", "__plat_resource_allocate*";
    resource_allocate(guest, this, bytes: GuestWord, alignment: GuestWord) -> GuestWord {
        let is_common = alignment.0 <= common_alignment(guest);
        let found = if is_common {
            GuestWord(guest.process().heaps.allocate(0, bytes.0, false).unwrap_or(0))
        } else {
            _aligned_malloc(guest, bytes, alignment)?
        };
        if found.is_null() {
            resource_refuse(guest, this, bytes, alignment)?;
        }
        Ok(found)
    }

    "Has no memory: throws `bad_alloc`.", "__plat_resource_refuse*";
    resource_refuse(guest, this, bytes: GuestWord, alignment: GuestWord) -> GuestWord {
        let _ = (this, bytes, alignment);
        throw(guest, Class::BadAlloc, b"bad allocation").map(|()| GuestWord::NULL)
    }

    "Gives memory back.", "__plat_resource_deallocate*";
    resource_deallocate(guest, this, at: GuestWord, bytes: GuestWord, alignment: GuestWord) -> () {
        let _ = (this, bytes);
        if alignment.0 > common_alignment(guest) {
            return _aligned_free(guest, at);
        }
        if !at.is_null() {
            guest.process().heaps.free(0, at.0);
        }
        Ok(())
    }

    "Says whether another resource is this one.", "__plat_resource_equal*";
    resource_equal(guest, this, other: GuestWord) -> u8 {
        let _ = guest;
        Ok(u8::from(this == other))
    }
}
