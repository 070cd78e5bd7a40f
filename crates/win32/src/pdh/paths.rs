//! pdh.h: paths of counters; what objects, instances and counters there are.

use plat_abi::{Fault, GuestStruct, GuestWord, Memory};

use super::counters::Snapshot;
use super::{code, counters, find};
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};
use crate::logic::performance::{self, CounterPath};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full PdhMakeCounterPathA;
    full PdhMakeCounterPathW;
    full PdhParseCounterPathA;
    full PdhParseCounterPathW;
    full PdhParseInstanceNameA;
    full PdhParseInstanceNameW;
    full PdhValidatePathA;
    full PdhValidatePathW;
    full PdhExpandWildCardPathA;
    full PdhExpandWildCardPathW;
    full PdhExpandCounterPathA;
    full PdhExpandCounterPathW;
    full PdhEnumObjectsA;
    full PdhEnumObjectsW;
    full PdhEnumObjectItemsA;
    full PdhEnumObjectItemsW;
    partial PdhLookupPerfNameByIndexA, "no counter has an index: PDH_STRING_NOT_FOUND";
    partial PdhLookupPerfNameByIndexW, "no counter has an index: PDH_STRING_NOT_FOUND";
    partial PdhLookupPerfIndexByNameA, "no counter has an index: PDH_STRING_NOT_FOUND";
    partial PdhLookupPerfIndexByNameW, "no counter has an index: PDH_STRING_NOT_FOUND";
};

/// `PDH_COUNTER_PATH_ELEMENTS_A` and `_W`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/ns-pdh-pdh_counter_path_elements_w>
#[derive(GuestStruct, Default)]
#[allow(non_snake_case)]
struct ELEMENTS {
    szMachineName: GuestWord,
    szObjectName: GuestWord,
    szInstanceName: GuestWord,
    szParentInstance: GuestWord,
    dwInstanceIndex: u32,
    szCounterName: GuestWord,
}

/// Writes units where `size` says how much room there is; it becomes what they take.
fn give(guest: &Guest, width: Width, units: &[u16], into: GuestWord, size: GuestWord) -> Result<i32, Fault> {
    let bytes = width.bytes(units);
    let length = (bytes.len() / width.unit_bytes()) as u32;
    let room = guest.read_u32(size.get())?;
    guest.write(size.get(), &length)?;
    if into.is_null() || room < length {
        return Ok(code::MORE_DATA);
    }
    guest.write_bytes(into.get(), &bytes).map(|()| 0)
}

/// Puts texts behind each other, each with its zero; one more zero follows when they are written.
fn list(texts: impl IntoIterator<Item = String>) -> Vec<u16> {
    texts.into_iter().flat_map(|text| text.encode_utf16().chain([0]).collect::<Vec<_>>()).collect()
}

/// Returns the text at an address, unless there is none.
pub(super) fn text(guest: &Guest, width: Width, address: GuestWord) -> Result<Option<String>, Fault> {
    if address.is_null() {
        return Ok(None);
    }
    Ok(Some(String::from_utf16_lossy(&width.read(guest, address)?)))
}

/// Returns what stands before the paths of this machine's counters.
fn machine_name() -> String {
    format!("\\\\{}", plat_host::sysinfo::host_name().to_uppercase())
}

/// Returns the text of a path with a machine, which is this one unless it names another.
pub(super) fn with_machine(path: CounterPath) -> String {
    let machine = path.machine.unwrap_or_else(machine_name);
    CounterPath { machine: Some(machine), ..path }.text()
}

fn make(guest: &Guest, width: Width, parts: &ELEMENTS) -> Result<Option<String>, Fault> {
    let of = |address| text(guest, width, address);
    let (Some(object), Some(counter)) = (of(parts.szObjectName)?, of(parts.szCounterName)?) else {
        return Ok(None);
    };
    let index = if parts.dwInstanceIndex == u32::MAX { 0 } else { parts.dwInstanceIndex };
    let path = CounterPath {
        machine: of(parts.szMachineName)?,
        object,
        parent: of(parts.szParentInstance)?,
        instance: of(parts.szInstanceName)?,
        index,
        counter,
    };
    Ok(Some(path.text()))
}

both_widths! {
    /// Puts a path together.
    "pdh/nf-pdh-pdhmakecounterpath"
    PdhMakeCounterPathA, PdhMakeCounterPathW(
        guest, width, pCounterPathElements: GuestWord, szFullPathBuffer: GuestWord, pcchBufferSize: GuestWord,
        dwFlags: u32
    ) -> Result<i32, Fault> {
        let _ = dwFlags;
        if pCounterPathElements.is_null() || pcchBufferSize.is_null() {
            return Ok(code::INVALID_ARGUMENT);
        }
        let parts: ELEMENTS = guest.read(pCounterPathElements.get())?;
        let Some(path) = make(guest, width, &parts)? else { return Ok(code::INVALID_ARGUMENT) };
        give(guest, width, &path.encode_utf16().collect::<Vec<_>>(), szFullPathBuffer, pcchBufferSize)
    }

    /// Takes a path apart; the parts lie behind the structure.
    "pdh/nf-pdh-pdhparsecounterpath"
    PdhParseCounterPathA, PdhParseCounterPathW(
        guest, width, szFullPathBuffer: GuestWord, pCounterPathElements: GuestWord, pdwBufferSize: GuestWord,
        dwFlags: u32
    ) -> Result<i32, Fault> {
        let _ = dwFlags;
        if szFullPathBuffer.is_null() || pdwBufferSize.is_null() {
            return Ok(code::INVALID_ARGUMENT);
        }
        let full = text(guest, width, szFullPathBuffer)?.unwrap_or_default();
        let Some(path) = performance::parse(&full) else { return Ok(code::INVALID_PATH) };
        take_apart(guest, width, path, pCounterPathElements.get(), pdwBufferSize)
    }
}

fn take_apart(
    guest: &Guest,
    width: Width,
    path: CounterPath,
    into: u64,
    size: GuestWord,
) -> Result<i32, Fault> {
    let fixed = 6 * guest.machine().pointer_size();
    let mut texts = Vec::new();
    let mut place = |text: Option<String>| {
        let Some(text) = text else { return GuestWord(0) };
        let at = into + fixed + texts.len() as u64;
        texts.extend(width.bytes(&text.encode_utf16().collect::<Vec<_>>()));
        GuestWord(at)
    };
    let index = if path.instance.is_none() || path.index == 0 { u32::MAX } else { path.index };
    let parts = ELEMENTS {
        szMachineName: place(Some(path.machine.unwrap_or_else(machine_name))),
        szObjectName: place(Some(path.object)),
        szInstanceName: place(path.instance),
        szParentInstance: place(path.parent),
        dwInstanceIndex: index,
        szCounterName: place(Some(path.counter)),
    };
    let needed = fixed as u32 + texts.len() as u32;
    let room = guest.read_u32(size.get())?;
    guest.write(size.get(), &needed)?;
    if into == 0 || room < needed {
        return Ok(code::MORE_DATA);
    }
    guest.write(into, &parts)?;
    guest.write_bytes(into + fixed, &texts).map(|()| 0)
}

both_widths! {
    /// Takes an instance's name apart: `parent/instance#index`.
    "pdh/nf-pdh-pdhparseinstancename"
    PdhParseInstanceNameA, PdhParseInstanceNameW(
        guest, width, szInstanceString: GuestWord, szInstanceName: GuestWord, pcchInstanceNameLength: GuestWord,
        szParentName: GuestWord, pcchParentNameLength: GuestWord, lpIndex: GuestWord
    ) -> Result<i32, Fault> {
        if szInstanceString.is_null() || pcchInstanceNameLength.is_null() || pcchParentNameLength.is_null() {
            return Ok(code::INVALID_ARGUMENT);
        }
        let whole = text(guest, width, szInstanceString)?.unwrap_or_default();
        let (parent, instance) = whole.split_once('/').unwrap_or(("", &whole));
        let (name, index) = performance::split_index(instance);
        let units = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
        let first = give(guest, width, &units(name), szInstanceName, pcchInstanceNameLength)?;
        let second = give(guest, width, &units(parent), szParentName, pcchParentNameLength)?;
        if !lpIndex.is_null() {
            guest.write(lpIndex.get(), &index)?;
        }
        Ok(if first == 0 { second } else { first })
    }

    /// Says whether a path leads to a counter.
    "pdh/nf-pdh-pdhvalidatepath"
    PdhValidatePathA, PdhValidatePathW(guest, width, szFullPathBuffer: GuestWord) -> Result<i32, Fault> {
        let Some(path) = text(guest, width, szFullPathBuffer)? else { return Ok(code::INVALID_ARGUMENT) };
        Ok(match find(&path) {
            Ok((path, counter)) if counter.sample(&path, &Snapshot::new(&guest.process().files)).is_none() => code::NO_INSTANCE,
            Ok(_) => 0,
            Err(code) => code,
        })
    }

    /// Lists the paths that a path with wildcards stands for.
    "pdh/nf-pdh-pdhexpandwildcardpath"
    PdhExpandWildCardPathA, PdhExpandWildCardPathW(
        guest, width, szDataSource: GuestWord, szWildCardPath: GuestWord, mszExpandedPathList: GuestWord,
        pcchPathListLength: GuestWord, dwFlags: u32
    ) -> Result<i32, Fault> {
        let _ = (szDataSource, dwFlags);
        expand(guest, width, szWildCardPath, mszExpandedPathList, pcchPathListLength)
    }

    /// Lists the paths that a path with wildcards stands for.
    "pdh/nf-pdh-pdhexpandcounterpath"
    PdhExpandCounterPathA, PdhExpandCounterPathW(
        guest, width, szWildCardPath: GuestWord, mszExpandedPathList: GuestWord, pcchPathListLength: GuestWord
    ) -> Result<i32, Fault> {
        expand(guest, width, szWildCardPath, mszExpandedPathList, pcchPathListLength)
    }

    /// Lists the objects that are counted.
    "pdh/nf-pdh-pdhenumobjects"
    PdhEnumObjectsA, PdhEnumObjectsW(
        guest, width, szDataSource: GuestWord, szMachineName: GuestWord, mszObjectList: GuestWord,
        pcchBufferSize: GuestWord, dwDetailLevel: u32, bRefresh: Bool
    ) -> Result<i32, Fault> {
        let _ = (szDataSource, szMachineName, dwDetailLevel, bRefresh);
        if pcchBufferSize.is_null() {
            return Ok(code::INVALID_ARGUMENT);
        }
        let mut objects: Vec<String> = counters::all().map(|counter| counter.object.to_owned()).collect();
        objects.dedup();
        give(guest, width, &list(objects), mszObjectList, pcchBufferSize)
    }

    /// Lists the counters and instances of an object.
    "pdh/nf-pdh-pdhenumobjectitems"
    PdhEnumObjectItemsA, PdhEnumObjectItemsW(
        guest, width, szDataSource: GuestWord, szMachineName: GuestWord, szObjectName: GuestWord,
        mszCounterList: GuestWord, pcchCounterListLength: GuestWord, mszInstanceList: GuestWord,
        pcchInstanceListLength: GuestWord, dwDetailLevel: u32, dwFlags: u32
    ) -> Result<i32, Fault> {
        let _ = (szDataSource, szMachineName, dwDetailLevel, dwFlags);
        let Some(object) = text(guest, width, szObjectName)? else { return Ok(code::INVALID_ARGUMENT) };
        if pcchCounterListLength.is_null() || pcchInstanceListLength.is_null() {
            return Ok(code::INVALID_ARGUMENT);
        }
        let of_object = counters::all().filter(|counter| counter.object.eq_ignore_ascii_case(&object));
        let names: Vec<String> = of_object.map(|counter| counter.name.to_owned()).collect();
        if names.is_empty() {
            return Ok(code::NO_OBJECT);
        }
        let instances = counters::instances(&object, &Snapshot::new(&guest.process().files));
        let first = give(guest, width, &list(names), mszCounterList, pcchCounterListLength)?;
        if instances.is_empty() {
            return guest.write(pcchInstanceListLength.get(), &0_u32).map(|()| first);
        }
        let second = give(guest, width, &list(instances), mszInstanceList, pcchInstanceListLength)?;
        Ok(if first == 0 { second } else { first })
    }
}

answers! {
    "Says that no counter has an index." -> i32 = code::STRING_NOT_FOUND => {
        "pdh/nf-pdh-pdhlookupperfnamebyindex"
        PdhLookupPerfNameByIndexA, PdhLookupPerfNameByIndexW(
            szMachineName: GuestWord, dwNameIndex: u32, szNameBuffer: GuestWord, pcchNameBufferSize: GuestWord
        );
        "pdh/nf-pdh-pdhlookupperfindexbyname"
        PdhLookupPerfIndexByNameA, PdhLookupPerfIndexByNameW(
            szMachineName: GuestWord, szNameBuffer: GuestWord, pdwIndex: GuestWord
        );
    }
}

fn expand(
    guest: &Guest,
    width: Width,
    path: GuestWord,
    into: GuestWord,
    size: GuestWord,
) -> Result<i32, Fault> {
    let (Some(pattern), false) = (text(guest, width, path)?, size.is_null()) else {
        return Ok(code::INVALID_ARGUMENT);
    };
    let Some(pattern) = performance::parse(&pattern) else { return Ok(code::INVALID_PATH) };
    let found = counters::expand(&pattern, &Snapshot::new(&guest.process().files));
    if found.is_empty() {
        return Ok(code::NO_OBJECT);
    }
    give(guest, width, &list(found.into_iter().map(with_machine)), into, size)
}
