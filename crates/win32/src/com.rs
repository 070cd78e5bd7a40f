//! Objects of the Component Object Model that plat makes: a guest address, a table of methods, a Rust value.
//!
//! Key types: [`Component`] (the Rust value), [`Class`] (its interfaces and methods), [`Components`] (all objects of the
//! process), [`ComError`] (what a method answers). An object in guest memory is one pointer to a virtual function table,
//! and the table's entries are thunks of `#[winapi]` functions whose first parameter is the object.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use plat_abi::{Fault, GuestWord, Memory, Raw, Return};

use crate::export::Export;
use crate::guest::Guest;
pub use crate::logic::guid::Guid;

pub mod unknown;

/// Makes an identifier from its text's parts, `guid(0x3c613a02, 0x34b2, 0x44ea, 0x9a7c_45ae_a9c6_fd6d)`.
pub const fn guid(first: u32, second: u16, third: u16, rest: u64) -> Guid {
    let (a, b, c, d) = (first.to_le_bytes(), second.to_le_bytes(), third.to_le_bytes(), rest.to_be_bytes());
    [a[0], a[1], a[2], a[3], b[0], b[1], c[0], c[1], d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]]
}

/// The results that all components share; each names the constant of winerror.h.
pub mod result {
    /// `E_NOTIMPL`.
    pub const NOT_IMPLEMENTED: u32 = 0x8000_4001;
    /// `E_NOINTERFACE`.
    pub const NO_INTERFACE: u32 = 0x8000_4002;
    /// `E_POINTER`.
    pub const BAD_POINTER: u32 = 0x8000_4003;
    /// `E_INVALIDARG`.
    pub const INVALID_ARGUMENT: u32 = 0x8007_0057;
    /// `E_OUTOFMEMORY`.
    pub const OUT_OF_MEMORY: u32 = 0x8007_000e;
    /// `REGDB_E_CLASSNOTREG`.
    pub const CLASS_NOT_REGISTERED: u32 = 0x8004_0154;
    /// `CLASS_E_NOAGGREGATION`.
    pub const NO_AGGREGATION: u32 = 0x8004_0110;
}

/// Why a method failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComError {
    /// It answers with this `HRESULT`.
    #[error("result {0:#010x}")]
    Result(u32),
    /// The guest's pointer is bad: an access violation in the guest.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl Return<Guest> for Result<(), ComError> {
    fn finish(self, guest: &mut Guest) -> Raw {
        match self {
            Ok(()) => Raw::Integer(0),
            Err(ComError::Result(code)) => Raw::Integer(u64::from(code)),
            Err(ComError::Fault(fault)) => guest.raise_fault(fault),
        }
    }
}

impl From<crate::Win32Error> for ComError {
    /// `HRESULT_FROM_WIN32`.
    fn from(error: crate::Win32Error) -> Self {
        Self::Result(0x8007_0000 | error.0 & 0xffff)
    }
}

/// Ends a method with a result.
///
/// # Errors
/// Always [`ComError::Result`].
pub fn fail<T>(code: u32) -> Result<T, ComError> {
    Err(ComError::Result(code))
}

/// Methods in the order of a virtual function table, and the DLL in whose [`crate::export::Dll::methods`] they stand.
#[derive(Clone, Copy, Debug)]
pub struct Methods {
    /// The DLL's file name.
    pub dll: &'static str,
    /// The methods.
    pub rows: &'static [Export],
}

/// What all objects of one kind have in common.
#[derive(Debug)]
pub struct Class {
    /// A name of its own.
    pub name: &'static str,
    /// The interfaces that `QueryInterface` gives, beside `IUnknown`. Each continues the one before it. Where there are
    /// none, the object has no `IUnknown` either: its maker alone ends it.
    pub interfaces: &'static [Guid],
    /// The virtual function table, part after part; the part of `IUnknown` is not listed.
    pub methods: &'static [Methods],
}

/// The Rust side of an object.
pub trait Component: Any + Send + Sync {
    /// Returns its class.
    fn class(&self) -> &'static Class;

    /// Gives back what it holds of the guest's, after its last reference.
    fn end(&self, guest: &mut Guest) {
        let _ = guest;
    }
}

struct Slot {
    component: Arc<dyn Component>,
    references: u32,
}

/// All objects of the process, by guest address.
#[derive(Default)]
pub struct Components {
    objects: Mutex<HashMap<u64, Slot>>,
    tables: Mutex<HashMap<&'static str, u64>>,
    /// The string without units that leads to a text: `WindowsGetStringRawBuffer` of nothing.
    pub(crate) empty_text: OnceLock<Option<u64>>,
}

impl Components {
    fn objects(&self) -> MutexGuard<'_, HashMap<u64, Slot>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the Rust side of an object.
    pub fn find(&self, address: u64) -> Option<Arc<dyn Component>> {
        self.objects().get(&address).map(|slot| slot.component.clone())
    }

    /// Counts one more reference; returns how many there are, 0 where there is no such object.
    pub fn add_reference(&self, address: u64) -> u32 {
        let mut objects = self.objects();
        let Some(slot) = objects.get_mut(&address) else { return 0 };
        slot.references = slot.references.saturating_add(1);
        slot.references
    }

    /// Counts one reference less; returns how many are left, and the Rust side when that is none.
    pub fn remove_reference(&self, address: u64) -> (u32, Option<Arc<dyn Component>>) {
        let mut objects = self.objects();
        let Some(slot) = objects.get_mut(&address) else { return (0, None) };
        slot.references -= 1;
        match slot.references {
            0 => (0, objects.remove(&address).map(|slot| slot.component)),
            left => (left, None),
        }
    }
}

/// Returns the Rust side of a method's object.
///
/// # Errors
/// `E_INVALIDARG` when the guest passed something else.
pub fn this<T: Component>(guest: &Guest, address: GuestWord) -> Result<Arc<T>, ComError> {
    let found = guest.process().components.find(address.get());
    let found = found.and_then(|component| {
        let any: Arc<dyn Any + Send + Sync> = component;
        any.downcast::<T>().ok()
    });
    found.ok_or(ComError::Result(result::INVALID_ARGUMENT))
}

/// Makes an object with one reference and writes its address to `into`.
///
/// # Errors
/// `E_POINTER` for a null pointer, `E_OUTOFMEMORY`; a fault when `into` cannot be written.
pub fn give(guest: &mut Guest, component: impl Component, into: GuestWord) -> Result<(), ComError> {
    if into.is_null() {
        return fail(result::BAD_POINTER);
    }
    guest.write_word(into.get(), 0)?;
    let address = make(guest, Arc::new(component))?;
    Ok(guest.write_word(into.get(), address)?)
}

/// Makes an object with one reference; returns its address.
///
/// # Errors
/// `E_OUTOFMEMORY`.
pub fn make(guest: &mut Guest, component: Arc<dyn Component>) -> Result<u64, ComError> {
    let process = guest.process();
    let table = table_of(guest, component.class())?;
    let address = allocate(guest, 1)?;
    guest.write_word(address, table)?;
    process.components.objects().insert(address, Slot { component, references: 1 });
    Ok(address)
}

/// Allocates so many pointers in the process heap.
fn allocate(guest: &Guest, words: u64) -> Result<u64, ComError> {
    let process = guest.process();
    let size = words * process.machine.pointer_size();
    process.heaps.allocate(0, size, true).ok_or(ComError::Result(result::OUT_OF_MEMORY))
}

/// Returns a class's virtual function table, made when it is first wanted.
fn table_of(guest: &Guest, class: &'static Class) -> Result<u64, ComError> {
    let process = guest.process();
    let mut tables = process.components.tables.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(&table) = tables.get(class.name) {
        return Ok(table);
    }
    let first = (!class.interfaces.is_empty()).then_some(&unknown::METHODS);
    let parts = first.into_iter().chain(class.methods);
    let methods: Option<Vec<u64>> =
        parts.flat_map(|part| part.rows.iter().map(|row| process.data_address(part.dll, row.name))).collect();
    // The DLL with the methods is loaded before its first object is made.
    let methods = methods.ok_or(ComError::Result(result::CLASS_NOT_REGISTERED))?;
    let table = allocate(guest, methods.len() as u64)?;
    for (place, method) in methods.iter().enumerate() {
        guest.write_word(table + place as u64 * process.machine.pointer_size(), *method)?;
    }
    tables.insert(class.name, table);
    Ok(table)
}

/// Calls a method of any object, the guest's own or plat's: entry `place` of its table. Returns the `HRESULT`.
///
/// # Errors
/// A fault when the object or its table cannot be read.
pub fn call(guest: &mut Guest, object: u64, place: u64, arguments: &[u64]) -> Result<u32, ComError> {
    let table = guest.read_word(object)?;
    let method = guest.read_word(table + place * guest.process().machine.pointer_size())?;
    let all: Vec<u64> = [object].iter().chain(arguments).copied().collect();
    Ok(guest.call(method, &all)? as u32)
}
