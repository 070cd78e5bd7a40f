//! pdh.dll: counters of performance, of which there are none: queries can be made, and hold nothing.

use std::sync::Arc;

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::answers::answers;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::Guest;
use crate::widths::both_widths;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "pdh.dll",
    description: "Windows Performance Data Helper DLL",
    tables: &[EXPORTS],
    methods: &[],
};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full PdhOpenQueryA;
    full PdhOpenQueryW;
    full PdhCloseQuery;
    full PdhCollectQueryData;
    full PdhCollectQueryDataEx;
    full PdhGetDllVersion;
    full PdhAddCounterA;
    full PdhAddCounterW;
    full PdhAddEnglishCounterA;
    full PdhAddEnglishCounterW;
    full PdhValidatePathA;
    full PdhValidatePathW;
    full PdhRemoveCounter;
    full PdhGetFormattedCounterValue;
    full PdhGetRawCounterValue;
    full PdhGetFormattedCounterArrayA;
    full PdhGetFormattedCounterArrayW;
    full PdhGetCounterInfoA;
    full PdhGetCounterInfoW;
    full PdhSetCounterScaleFactor;
    full PdhExpandWildCardPathA;
    full PdhExpandWildCardPathW;
    full PdhExpandCounterPathA;
    full PdhExpandCounterPathW;
    full PdhEnumObjectItemsA;
    full PdhEnumObjectItemsW;
    full PdhLookupPerfNameByIndexA;
    full PdhLookupPerfNameByIndexW;
    full PdhLookupPerfIndexByNameA;
    full PdhLookupPerfIndexByNameW;
};

/// `PDH_CSTATUS_NO_OBJECT`.
const NO_OBJECT: i32 = 0xc000_0bb8_u32 as i32;
/// `PDH_INVALID_HANDLE`.
const INVALID_HANDLE: i32 = 0xc000_0bbc_u32 as i32;
/// `PDH_INVALID_ARGUMENT`.
const INVALID_ARGUMENT: i32 = 0xc000_0bbd_u32 as i32;
/// `PDH_STRING_NOT_FOUND`.
const STRING_NOT_FOUND: i32 = 0xc000_0bd4_u32 as i32;
/// `PDH_NO_DATA`.
const NO_DATA: i32 = 0x8000_07d5_u32 as i32;

/// A query. It holds no counters.
struct Query;

/// Says whether a handle is a query's.
fn check(guest: &Guest, handle: GuestWord) -> bool {
    let found: Option<Arc<Query>> = guest.process().cryptography.get(handle.get());
    found.is_some()
}

both_widths! {
    /// Makes a query.
    "pdh/nf-pdh-pdhopenquery"
    PdhOpenQueryA, PdhOpenQueryW(
        guest, width, szDataSource: GuestWord, dwUserData: GuestWord, phQuery: GuestWord
    ) -> Result<i32, Fault> {
        let _ = (width, szDataSource, dwUserData);
        if phQuery.is_null() {
            return Ok(INVALID_ARGUMENT);
        }
        let handle = guest.process().cryptography.add(Query);
        guest.write_word(phQuery.get(), handle).map(|()| 0)
    }
}

/// Gives a query up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/nf-pdh-pdhclosequery>
#[winapi]
pub fn PdhCloseQuery(guest: &mut Guest, hQuery: GuestWord) -> i32 {
    let removed = guest.process().cryptography.remove::<Query>(hQuery.get());
    if removed.is_some() { 0 } else { INVALID_HANDLE }
}

/// Says that a query has nothing to collect.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/nf-pdh-pdhcollectquerydata>
#[winapi]
pub fn PdhCollectQueryData(guest: &mut Guest, hQuery: GuestWord) -> i32 {
    if check(guest, hQuery) { NO_DATA } else { INVALID_HANDLE }
}

/// Says that a query has nothing to collect from time to time.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/nf-pdh-pdhcollectquerydataex>
#[winapi]
pub fn PdhCollectQueryDataEx(
    guest: &mut Guest,
    hQuery: GuestWord,
    dwIntervalTime: u32,
    hNewDataEvent: GuestWord,
) -> i32 {
    let _ = (dwIntervalTime, hNewDataEvent);
    PdhCollectQueryData(guest, hQuery)
}

/// Returns the version of the DLL.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/nf-pdh-pdhgetdllversion>
#[winapi]
pub fn PdhGetDllVersion(guest: &mut Guest, lpdwVersion: GuestWord) -> Result<i32, Fault> {
    const VERSION_5_0: u32 = 0x503;
    guest.write(lpdwVersion.get(), &VERSION_5_0).map(|()| 0)
}

answers! {
    "Says that there is no such object of counters: nothing is counted.", "pdh/nf-pdh-pdhaddcountera";
    PdhAddCounterA(hQuery: GuestWord, szFullCounterPath: GuestWord, dwUserData: GuestWord, phCounter: GuestWord) -> i32 = NO_OBJECT;
    "Says that there is no such object of counters: nothing is counted.", "pdh/nf-pdh-pdhaddcounterw";
    PdhAddCounterW(hQuery: GuestWord, szFullCounterPath: GuestWord, dwUserData: GuestWord, phCounter: GuestWord) -> i32 = NO_OBJECT;
    "Says that there is no such object of counters: nothing is counted.", "pdh/nf-pdh-pdhaddenglishcountera";
    PdhAddEnglishCounterA(hQuery: GuestWord, szFullCounterPath: GuestWord, dwUserData: GuestWord, phCounter: GuestWord) -> i32 = NO_OBJECT;
    "Says that there is no such object of counters: nothing is counted.", "pdh/nf-pdh-pdhaddenglishcounterw";
    PdhAddEnglishCounterW(hQuery: GuestWord, szFullCounterPath: GuestWord, dwUserData: GuestWord, phCounter: GuestWord) -> i32 = NO_OBJECT;
    "Says that there is no such object of counters: nothing is counted.", "pdh/nf-pdh-pdhvalidatepatha";
    PdhValidatePathA(szFullPathBuffer: GuestWord) -> i32 = NO_OBJECT;
    "Says that there is no such object of counters: nothing is counted.", "pdh/nf-pdh-pdhvalidatepathw";
    PdhValidatePathW(szFullPathBuffer: GuestWord) -> i32 = NO_OBJECT;
    "Says that this is no counter.", "pdh/nf-pdh-pdhremovecounter";
    PdhRemoveCounter(hCounter: GuestWord) -> i32 = INVALID_HANDLE;
    "Says that this is no counter.", "pdh/nf-pdh-pdhgetformattedcountervalue";
    PdhGetFormattedCounterValue(hCounter: GuestWord, dwFormat: u32, lpdwType: GuestWord, pValue: GuestWord) -> i32 = INVALID_HANDLE;
    "Says that this is no counter.", "pdh/nf-pdh-pdhgetrawcountervalue";
    PdhGetRawCounterValue(hCounter: GuestWord, lpdwType: GuestWord, pValue: GuestWord) -> i32 = INVALID_HANDLE;
    "Says that this is no counter.", "pdh/nf-pdh-pdhgetformattedcounterarraya";
    PdhGetFormattedCounterArrayA(hCounter: GuestWord, dwFormat: u32, lpdwBufferSize: GuestWord, lpdwItemCount: GuestWord, ItemBuffer: GuestWord) -> i32 = INVALID_HANDLE;
    "Says that this is no counter.", "pdh/nf-pdh-pdhgetformattedcounterarrayw";
    PdhGetFormattedCounterArrayW(hCounter: GuestWord, dwFormat: u32, lpdwBufferSize: GuestWord, lpdwItemCount: GuestWord, ItemBuffer: GuestWord) -> i32 = INVALID_HANDLE;
    "Says that this is no counter.", "pdh/nf-pdh-pdhgetcounterinfoa";
    PdhGetCounterInfoA(hCounter: GuestWord, bRetrieveExplainText: u8, pdwBufferSize: GuestWord, lpBuffer: GuestWord) -> i32 = INVALID_HANDLE;
    "Says that this is no counter.", "pdh/nf-pdh-pdhgetcounterinfow";
    PdhGetCounterInfoW(hCounter: GuestWord, bRetrieveExplainText: u8, pdwBufferSize: GuestWord, lpBuffer: GuestWord) -> i32 = INVALID_HANDLE;
    "Says that this is no counter.", "pdh/nf-pdh-pdhsetcounterscalefactor";
    PdhSetCounterScaleFactor(hCounter: GuestWord, lFactor: i32) -> i32 = INVALID_HANDLE;
    "Says that no counter fits.", "pdh/nf-pdh-pdhexpandwildcardpatha";
    PdhExpandWildCardPathA(szDataSource: GuestWord, szWildCardPath: GuestWord, mszExpandedPathList: GuestWord, pcchPathListLength: GuestWord, dwFlags: u32) -> i32 = NO_OBJECT;
    "Says that no counter fits.", "pdh/nf-pdh-pdhexpandwildcardpathw";
    PdhExpandWildCardPathW(szDataSource: GuestWord, szWildCardPath: GuestWord, mszExpandedPathList: GuestWord, pcchPathListLength: GuestWord, dwFlags: u32) -> i32 = NO_OBJECT;
    "Says that no counter fits.", "pdh/nf-pdh-pdhexpandcounterpatha";
    PdhExpandCounterPathA(szWildCardPath: GuestWord, mszExpandedPathList: GuestWord, pcchPathListLength: GuestWord) -> i32 = NO_OBJECT;
    "Says that no counter fits.", "pdh/nf-pdh-pdhexpandcounterpathw";
    PdhExpandCounterPathW(szWildCardPath: GuestWord, mszExpandedPathList: GuestWord, pcchPathListLength: GuestWord) -> i32 = NO_OBJECT;
    "Says that no counter fits.", "pdh/nf-pdh-pdhenumobjectitemsa";
    PdhEnumObjectItemsA(szDataSource: GuestWord, szMachineName: GuestWord, szObjectName: GuestWord, mszCounterList: GuestWord, pcchCounterListLength: GuestWord, mszInstanceList: GuestWord, pcchInstanceListLength: GuestWord, dwDetailLevel: u32, dwFlags: u32) -> i32 = NO_OBJECT;
    "Says that no counter fits.", "pdh/nf-pdh-pdhenumobjectitemsw";
    PdhEnumObjectItemsW(szDataSource: GuestWord, szMachineName: GuestWord, szObjectName: GuestWord, mszCounterList: GuestWord, pcchCounterListLength: GuestWord, mszInstanceList: GuestWord, pcchInstanceListLength: GuestWord, dwDetailLevel: u32, dwFlags: u32) -> i32 = NO_OBJECT;
    "Says that there is no such name.", "pdh/nf-pdh-pdhlookupperfnamebyindexa";
    PdhLookupPerfNameByIndexA(szMachineName: GuestWord, dwNameIndex: u32, szNameBuffer: GuestWord, pcchNameBufferSize: GuestWord) -> i32 = STRING_NOT_FOUND;
    "Says that there is no such name.", "pdh/nf-pdh-pdhlookupperfnamebyindexw";
    PdhLookupPerfNameByIndexW(szMachineName: GuestWord, dwNameIndex: u32, szNameBuffer: GuestWord, pcchNameBufferSize: GuestWord) -> i32 = STRING_NOT_FOUND;
    "Says that there is no such name.", "pdh/nf-pdh-pdhlookupperfindexbynamea";
    PdhLookupPerfIndexByNameA(szMachineName: GuestWord, szNameBuffer: GuestWord, pdwIndex: GuestWord) -> i32 = STRING_NOT_FOUND;
    "Says that there is no such name.", "pdh/nf-pdh-pdhlookupperfindexbynamew";
    PdhLookupPerfIndexByNameW(szMachineName: GuestWord, szNameBuffer: GuestWord, pdwIndex: GuestWord) -> i32 = STRING_NOT_FOUND;
}
