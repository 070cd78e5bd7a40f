//! roparameterizediid.h: identifiers of types of the Windows Runtime that take other types.
//!
//! The caller has an object that describes types. Each description is put into an object of ours without `IUnknown`,
//! which lives for one question. The rules are in [`crate::logic::winrt`].

use std::sync::{Arc, Mutex};

use plat_abi::{Cursor, Fault, GuestWord, Memory, Param, winapi};

use super::{INVALID_ARGUMENT, OUT_OF_MEMORY};
use crate::alike::alike;
use crate::com::{self, Class, ComError, Component, Guid, Methods, fail, result, this};
use crate::dll;
use crate::export::Export;
use crate::guest::{Guest, to_fault};
use crate::logic::winrt::{self, DefaultInterface, Description, SignatureError};
use crate::nt::path::lock;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full RoGetParameterizedTypeInstanceIID; full RoFreeParameterizedTypeExtra;
    full RoParameterizedTypeExtraGetTypeSignature;
};

/// The methods of `IRoSimpleMetaDataBuilder`.
pub const ROWS: &[Export] = dll! {
    full IRoSimpleMetaDataBuilder_SetWinRtInterface; full IRoSimpleMetaDataBuilder_SetDelegate;
    full IRoSimpleMetaDataBuilder_SetInterfaceGroupSimpleDefault;
    full IRoSimpleMetaDataBuilder_SetInterfaceGroupParameterizedDefault;
    full IRoSimpleMetaDataBuilder_SetRuntimeClassSimpleDefault;
    full IRoSimpleMetaDataBuilder_SetRuntimeClassParameterizedDefault;
    full IRoSimpleMetaDataBuilder_SetStruct; full IRoSimpleMetaDataBuilder_SetEnum;
    full IRoSimpleMetaDataBuilder_SetParameterizedInterface; full IRoSimpleMetaDataBuilder_SetParameterizedDelegate;
};

/// `RO_E_METADATA_NAME_NOT_FOUND`.
const NAME_NOT_FOUND: u32 = 0x8000_000f;
/// `RO_E_METADATA_INVALID_TYPE_FORMAT`.
const INVALID_TYPE_FORMAT: u32 = 0x8000_0011;
/// Names in a list, at most.
const NAMES_MAX: u32 = 1024;

static BUILDER: Class = Class {
    name: "SimpleMetaDataBuilder",
    interfaces: &[],
    methods: &[Methods { dll: "combase.dll", rows: ROWS }],
};

/// The object that takes one description.
#[derive(Debug, Default)]
struct Builder(Mutex<Option<Description>>);

impl Component for Builder {
    fn class(&self) -> &'static Class {
        &BUILDER
    }
}

/// An identifier by value: its address in 64-bit calls, four numbers in 32-bit ones.
#[derive(Clone, Copy, Debug)]
pub struct GuidValue(u64);

impl Param for GuidValue {
    const SIZE_I386: u32 = 16;

    fn take<M: Memory>(cursor: &mut Cursor<'_, M>) -> Result<Self, Fault> {
        if cursor.machine().is_64() {
            return cursor.slot_u64().map(Self);
        }
        let at = cursor.address();
        for _ in 0..4 {
            cursor.slot_u32()?;
        }
        Ok(Self(at))
    }
}

fn read_name(guest: &Guest, at: u64) -> Result<String, ComError> {
    if at == 0 {
        return fail(result::INVALID_ARGUMENT);
    }
    Ok(String::from_utf16_lossy(&guest.read_wide_string(at)?))
}

fn read_names(guest: &Guest, count: u32, at: GuestWord) -> Result<Vec<String>, ComError> {
    if count == 0 || count > NAMES_MAX || at.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    let width = guest.machine().pointer_size();
    (0..u64::from(count)).map(|index| read_name(guest, guest.read_word(at.0 + index * width)?)).collect()
}

/// Reads the default interface of a class or a group: its identifier, or else its name.
fn read_default(guest: &Guest, name: GuestWord, iid: GuestWord) -> Result<DefaultInterface, ComError> {
    if iid.is_null() {
        return Ok(DefaultInterface::Named(vec![read_name(guest, name.0)?]));
    }
    Ok(DefaultInterface::Identifier(guest.read(iid.0)?))
}

/// Takes a description.
fn describe(guest: &Guest, builder: GuestWord, description: Description) -> Result<(), ComError> {
    let builder = this::<Builder>(guest, builder)?;
    *lock(&builder.0) = Some(description);
    Ok(())
}

alike! {
    fn(guest, described: fn(Guid) -> Description; This: GuestWord, iid: GuidValue) -> Result<(), ComError> {
        describe(guest, This, described(guest.read(iid.0)?))
    }

    /// The type is an interface.
    "roparameterizediid/nf-roparameterizediid-irosimplemetadatabuilder-setwinrtinterface" IRoSimpleMetaDataBuilder_SetWinRtInterface = Description::Interface;
    /// The type is a delegate.
    "roparameterizediid/nf-roparameterizediid-irosimplemetadatabuilder-setdelegate" IRoSimpleMetaDataBuilder_SetDelegate = Description::Delegate;
}

alike! {
    fn(guest, described: fn(Guid, u32) -> Description; This: GuestWord, piid: GuidValue, numArgs: u32)
        -> Result<(), ComError> {
        describe(guest, This, described(guest.read(piid.0)?, numArgs.min(NAMES_MAX)))
    }

    /// The type is an interface that takes types.
    "roparameterizediid/nf-roparameterizediid-irosimplemetadatabuilder-setparameterizedinterface"
    IRoSimpleMetaDataBuilder_SetParameterizedInterface = Description::ParameterizedInterface;
    /// The type is a delegate that takes types.
    "roparameterizediid/nf-roparameterizediid-irosimplemetadatabuilder-setparameterizeddelegate"
    IRoSimpleMetaDataBuilder_SetParameterizedDelegate = Description::ParameterizedDelegate;
}

alike! {
    fn(guest, described: fn(String, DefaultInterface) -> Description;
        This: GuestWord, name: GuestWord, defaultInterfaceName: GuestWord, defaultInterfaceIID: GuestWord)
        -> Result<(), ComError> {
        let name = read_name(guest, name.0)?;
        describe(guest, This, described(name, read_default(guest, defaultInterfaceName, defaultInterfaceIID)?))
    }

    /// The type is a group of interfaces whose default is a plain one.
    "roparameterizediid/nf-roparameterizediid-irosimplemetadatabuilder-setinterfacegroupsimpledefault"
    IRoSimpleMetaDataBuilder_SetInterfaceGroupSimpleDefault = Description::Group;
    /// The type is a class whose default interface is a plain one.
    "roparameterizediid/nf-roparameterizediid-irosimplemetadatabuilder-setruntimeclasssimpledefault"
    IRoSimpleMetaDataBuilder_SetRuntimeClassSimpleDefault = Description::Class;
}

alike! {
    fn(guest, described: fn(String, Vec<String>) -> Description;
        This: GuestWord, name: GuestWord, elementCount: u32, defaultInterfaceNameElements: GuestWord)
        -> Result<(), ComError> {
        let name = read_name(guest, name.0)?;
        describe(guest, This, described(name, read_names(guest, elementCount, defaultInterfaceNameElements)?))
    }

    /// The type is a group of interfaces whose default takes types.
    "roparameterizediid/nf-roparameterizediid-irosimplemetadatabuilder-setinterfacegroupparameterizeddefault"
    IRoSimpleMetaDataBuilder_SetInterfaceGroupParameterizedDefault
        = |name, of| Description::Group(name, DefaultInterface::Named(of));
    /// The type is a class whose default interface takes types.
    "roparameterizediid/nf-roparameterizediid-irosimplemetadatabuilder-setruntimeclassparameterizeddefault"
    IRoSimpleMetaDataBuilder_SetRuntimeClassParameterizedDefault
        = |name, of| Description::Class(name, DefaultInterface::Named(of));
    /// The type is a structure.
    "roparameterizediid/nf-roparameterizediid-irosimplemetadatabuilder-setstruct" IRoSimpleMetaDataBuilder_SetStruct(This, name, numFields, fieldTypeNames) = Description::Struct;
}

/// The type is an enumeration.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/roparameterizediid/nf-roparameterizediid-irosimplemetadatabuilder-setenum>
#[winapi]
pub fn IRoSimpleMetaDataBuilder_SetEnum(
    guest: &mut Guest,
    This: GuestWord,
    name: GuestWord,
    baseType: GuestWord,
) -> Result<(), ComError> {
    let name = read_name(guest, name.0)?;
    describe(guest, This, Description::Enum(name, read_name(guest, baseType.0)?))
}

/// Memory of the process heap's that is given back with its owner.
struct Borrowed<'a> {
    guest: &'a Guest,
    address: u64,
}

impl<'a> Borrowed<'a> {
    fn new(guest: &'a Guest, bytes: &[u8]) -> Result<Self, ComError> {
        let address = guest.process().heaps.allocate(0, bytes.len() as u64, false);
        let address = address.ok_or(ComError::Result(OUT_OF_MEMORY as u32))?;
        guest.write_bytes(address, bytes)?;
        Ok(Self { guest, address })
    }

    /// Leaves the memory to the guest.
    fn keep(self) -> u64 {
        let address = self.address;
        std::mem::forget(self);
        address
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        self.guest.process().heaps.free(0, self.address);
    }
}

/// Has the caller's object describe a type.
fn locate(guest: &mut Guest, locator: u64, name: &str) -> Result<Description, ComError> {
    let builder = Arc::new(Builder::default());
    let object = com::make(guest, builder.clone())?;
    let units: Vec<u8> = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    let answer = {
        let name = Borrowed::new(guest, &units)?;
        let method = guest.read_word(guest.read_word(locator)?)?;
        guest.gate().call(method, &[locator, name.address, object]).map_err(to_fault)? as u32
    };
    guest.process().components.remove_reference(object);
    guest.process().heaps.free(0, object);
    if answer >> 31 != 0 {
        return fail(answer);
    }
    let described = lock(&builder.0).take();
    described.ok_or(ComError::Result(NAME_NOT_FOUND))
}

/// Makes the identifier of a type that takes others out of their names, which the caller's object describes.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/roparameterizediid/nf-roparameterizediid-rogetparameterizedtypeinstanceiid>
#[winapi]
pub fn RoGetParameterizedTypeInstanceIID(
    guest: &mut Guest,
    nameElementCount: u32,
    nameElements: GuestWord,
    metaDataLocator: GuestWord,
    iid: GuestWord,
    pExtra: GuestWord,
) -> Result<(), ComError> {
    if metaDataLocator.is_null() || iid.is_null() {
        return fail(INVALID_ARGUMENT as u32);
    }
    let names = read_names(guest, nameElementCount, nameElements)?;
    let signature = winrt::signature(&names, &mut |name| locate(guest, metaDataLocator.0, name));
    let signature = signature.map_err(|error| match error {
        SignatureError::Locate(error) => error,
        SignatureError::Malformed => ComError::Result(INVALID_TYPE_FORMAT),
        SignatureError::Count { .. } => ComError::Result(INVALID_ARGUMENT as u32),
    })?;
    guest.write_bytes(iid.0, &winrt::identifier(&signature))?;
    if !pExtra.is_null() {
        let text = Borrowed::new(guest, &[signature.as_bytes(), &[0]].concat())?;
        guest.write_word(pExtra.0, text.address)?;
        text.keep();
    }
    Ok(())
}

/// Gives back what a type's signature is kept in.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/roparameterizediid/nf-roparameterizediid-rofreeparameterizedtypeextra>
#[winapi]
pub fn RoFreeParameterizedTypeExtra(guest: &mut Guest, extra: GuestWord) {
    if !extra.is_null() {
        guest.process().heaps.free(0, extra.0);
    }
}

/// Returns a type's signature: the handle leads to it.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/roparameterizediid/nf-roparameterizediid-roparameterizedtypeextragettypesignature>
#[winapi]
pub fn RoParameterizedTypeExtraGetTypeSignature(guest: &mut Guest, extra: GuestWord) -> GuestWord {
    let _ = guest;
    extra
}
