//! wintypes.dll: names of the Windows Runtime's types. There is no metadata here, so nothing else is known of them.

use plat_abi::{GuestWord, Memory, winapi};

use crate::com::{ComError, fail, result};
use crate::combase::strings;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::Guest;
use crate::logic::winrt;
use crate::ole32::task_memory::CoTaskMemAlloc;

const EXPORTS: &[Export] = dll! {
    full RoParseTypeName;
    partial RoGetMetaDataFile, "there is no metadata: no name is found";
    partial RoResolveNamespace, "there is no metadata: no name is found";
    full RoIsApiContractPresent;
    full RoIsApiContractMajorVersionPresent;
};

/// The DLL.
pub const DLL: Dll =
    Dll { name: "wintypes.dll", description: "Windows Base Types DLL", tables: &[EXPORTS], methods: &[] };

/// `RO_E_METADATA_NAME_NOT_FOUND`.
const NAME_NOT_FOUND: u32 = 0x8000_000f;
/// `RO_E_METADATA_INVALID_TYPE_FORMAT`.
const INVALID_TYPE_FORMAT: u32 = 0x8000_0011;

/// Takes the name of a type apart: its own name and those of the types that it takes, as strings in task memory.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/rometadataresolution/nf-rometadataresolution-roparsetypename>
#[winapi]
pub fn RoParseTypeName(
    guest: &mut Guest,
    typeName: GuestWord,
    partsCount: GuestWord,
    typeNameParts: GuestWord,
) -> Result<(), ComError> {
    if typeName.is_null() || partsCount.is_null() || typeNameParts.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    let name = String::from_utf16_lossy(&strings::text(guest, typeName)?);
    let parts = winrt::parts(&name).ok_or(ComError::Result(INVALID_TYPE_FORMAT))?;
    let width = guest.machine().pointer_size();
    let array = CoTaskMemAlloc(guest, GuestWord(parts.len() as u64 * width));
    if array.is_null() {
        return fail(result::OUT_OF_MEMORY);
    }
    for (index, part) in parts.iter().enumerate() {
        let units: Vec<u16> = part.encode_utf16().collect();
        strings::give(guest, &units, GuestWord(array.0 + index as u64 * width))?;
    }
    guest.write(partsCount.0, &(parts.len() as u32))?;
    Ok(guest.write_word(typeNameParts.0, array.0)?)
}

/// Finds the file that describes a type: there is none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/rometadataresolution/nf-rometadataresolution-rogetmetadatafile>
#[winapi]
pub fn RoGetMetaDataFile(
    guest: &mut Guest,
    name: GuestWord,
    metaDataDispenser: GuestWord,
    metaDataFilePath: GuestWord,
    metaDataImport: GuestWord,
    typeDefToken: GuestWord,
) -> Result<(), ComError> {
    let _ = (metaDataDispenser, typeDefToken);
    if name.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    for place in [metaDataFilePath, metaDataImport].into_iter().filter(|place| !place.is_null()) {
        guest.write_word(place.0, 0)?;
    }
    fail(NAME_NOT_FOUND)
}

/// Finds the files and namespaces within a namespace: there are none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/rometadataresolution/nf-rometadataresolution-roresolvenamespace>
#[winapi]
pub fn RoResolveNamespace(
    guest: &mut Guest,
    name: GuestWord,
    windowsMetaDataDir: GuestWord,
    packageGraphDirsCount: u32,
    packageGraphDirs: GuestWord,
    metaDataFilePathsCount: GuestWord,
    metaDataFilePaths: GuestWord,
    subNamespacesCount: GuestWord,
    subNamespaces: GuestWord,
) -> Result<(), ComError> {
    let _ = (name, windowsMetaDataDir, packageGraphDirsCount, packageGraphDirs);
    for (count, list) in [(metaDataFilePathsCount, metaDataFilePaths), (subNamespacesCount, subNamespaces)] {
        if !count.is_null() {
            guest.write(count.0, &0_u32)?;
        }
        if !list.is_null() {
            guest.write_word(list.0, 0)?;
        }
    }
    fail(NAME_NOT_FOUND)
}

/// Says that a contract of the Windows Runtime is not there.
fn no_contract(guest: &Guest, name: GuestWord, present: GuestWord) -> Result<(), ComError> {
    if name.is_null() || present.is_null() {
        return fail(result::INVALID_ARGUMENT);
    }
    Ok(guest.write(present.0, &0_u32)?)
}

/// Says whether a contract of the Windows Runtime is there: none is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/roapicontract/nf-roapicontract-roisapicontractpresent>
#[winapi]
pub fn RoIsApiContractPresent(
    guest: &mut Guest,
    name: GuestWord,
    majorVersion: u16,
    minorVersion: u16,
    present: GuestWord,
) -> Result<(), ComError> {
    let _ = (majorVersion, minorVersion);
    no_contract(guest, name, present)
}

/// Says whether a contract of the Windows Runtime is there: none is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/roapicontract/nf-roapicontract-roisapicontractmajorversionpresent>
#[winapi]
pub fn RoIsApiContractMajorVersionPresent(
    guest: &mut Guest,
    name: GuestWord,
    majorVersion: u16,
    present: GuestWord,
) -> Result<(), ComError> {
    let _ = majorVersion;
    no_contract(guest, name, present)
}
