//! pdh.dll: queries of performance counters, answered with what Linux says. The counters are in `counters`, paths in `paths`.

pub mod computed;
mod counters;
pub mod logs;
mod parts;
pub mod paths;

use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::{Bool, Guest};
use crate::logic::performance::{self, CounterPath, CounterType, Sample};
use crate::nt::path::lock;
use crate::widths::{Width, both_widths};
use counters::{Counter, Snapshot};

/// The DLL.
pub const DLL: Dll = Dll {
    name: "pdh.dll",
    description: "Windows Performance Data Helper DLL",
    tables: &[EXPORTS, paths::EXPORTS, logs::EXPORTS, computed::EXPORTS],
    methods: &[],
};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial PdhOpenQueryA, "live data only, no logs";
    partial PdhOpenQueryW, "live data only, no logs";
    full PdhCloseQuery;
    full PdhCollectQueryData;
    full PdhCollectQueryDataWithTime;
    partial PdhCollectQueryDataEx, "collected once, and the event is not set: PDH_INVALID_ARGUMENT with an event";
    full PdhGetDllVersion;
    full PdhIsRealTimeQuery;
    partial PdhAddCounterA, "of Processor, Memory, System, Process, disks and network interfaces the common counters";
    partial PdhAddCounterW, "as PdhAddCounterA";
    partial PdhAddEnglishCounterA, "as PdhAddCounterA";
    partial PdhAddEnglishCounterW, "as PdhAddCounterA";
    full PdhRemoveCounter;
    full PdhGetFormattedCounterValue;
    full PdhGetRawCounterValue;
    full PdhGetFormattedCounterArrayA;
    full PdhGetFormattedCounterArrayW;
    full PdhGetRawCounterArrayA;
    full PdhGetRawCounterArrayW;
    full PdhGetCounterInfoA;
    full PdhGetCounterInfoW;
    full PdhGetCounterTimeBase;
    full PdhSetCounterScaleFactor;
};

/// Codes that functions return and values have (`PDH_…`).
mod code {
    pub(super) const NO_INSTANCE: i32 = 0x8000_07d1_u32 as i32;
    pub(super) const MORE_DATA: i32 = 0x8000_07d2_u32 as i32;
    pub(super) const NO_DATA: i32 = 0x8000_07d5_u32 as i32;
    pub(super) const NO_OBJECT: i32 = 0xc000_0bb8_u32 as i32;
    pub(super) const NO_COUNTER: i32 = 0xc000_0bb9_u32 as i32;
    pub(super) const INVALID_VALUE: i32 = 0xc000_0bba_u32 as i32;
    pub(super) const INVALID_HANDLE: i32 = 0xc000_0bbc_u32 as i32;
    pub(super) const INVALID_ARGUMENT: i32 = 0xc000_0bbd_u32 as i32;
    pub(super) const BAD_COUNTER_NAME: i32 = 0xc000_0bc0_u32 as i32;
    pub(super) const INVALID_PATH: i32 = 0xc000_0bc4_u32 as i32;
    pub(super) const INVALID_DATA: i32 = 0xc000_0bc6_u32 as i32;
    pub(super) const LOG_FILE_CREATE_ERROR: i32 = 0xc000_0bc9_u32 as i32;
    pub(super) const LOG_FILE_OPEN_ERROR: i32 = 0xc000_0bca_u32 as i32;
    pub(super) const LOG_TYPE_NOT_FOUND: i32 = 0xc000_0bcb_u32 as i32;
    pub(super) const FILE_NOT_FOUND: i32 = 0xc000_0bd1_u32 as i32;
    pub(super) const FILE_ALREADY_EXISTS: i32 = 0xc000_0bd2_u32 as i32;
    pub(super) const NOT_IMPLEMENTED: i32 = 0xc000_0bd3_u32 as i32;
    pub(super) const UNKNOWN_LOG_FORMAT: i32 = 0xc000_0bd6_u32 as i32;
    pub(super) const STRING_NOT_FOUND: i32 = 0xc000_0bd4_u32 as i32;
}

/// A query.
#[derive(Debug)]
struct Query {
    user_data: u64,
    counters: Mutex<Vec<Arc<Item>>>,
}

/// A counter of a query.
#[derive(Debug)]
struct Item {
    path: CounterPath,
    counter: &'static Counter,
    query: Weak<Query>,
    user_data: u64,
    /// The power of ten that values are multiplied by.
    scale: AtomicI32,
    samples: Mutex<Samples>,
}

/// The last two samples of each instance.
#[derive(Debug, Default)]
struct Samples {
    is_collected: bool,
    earlier: Vec<(String, Sample)>,
    last: Vec<(String, Sample)>,
}

/// Returns the name of an instance's samples.
fn sample_name(path: &CounterPath) -> String {
    let index = if path.index == 0 { String::new() } else { format!("#{}", path.index) };
    format!("{}{index}", path.instance.as_deref().unwrap_or_default())
}

impl Item {
    /// Returns the paths of its instances: several, if its own is a pattern.
    fn paths(&self, now: &Snapshot) -> Vec<CounterPath> {
        let is_pattern = self.path.instance.as_ref().is_some_and(|name| name.contains(['*', '?']));
        if is_pattern { counters::expand(&self.path, now) } else { vec![self.path.clone()] }
    }

    /// Returns how values are computed, and the power of ten that they are multiplied by.
    fn form(&self) -> (CounterType, i32) {
        (self.counter.kind, self.scale.load(Ordering::Relaxed))
    }

    /// Takes a sample of every instance; says whether there is one.
    fn collect(&self, now: &Snapshot) -> bool {
        let named = |path: CounterPath| Some((sample_name(&path), self.counter.sample(&path, now)?));
        let taken: Vec<_> = self.paths(now).into_iter().filter_map(named).collect();
        let mut samples = lock(&self.samples);
        samples.is_collected = true;
        samples.earlier = std::mem::replace(&mut samples.last, taken);
        !samples.last.is_empty()
    }

    /// Returns each instance's name, value and last sample; the value is missing while samples are.
    fn values(&self) -> Vec<(String, Option<f64>, Sample)> {
        let samples = lock(&self.samples);
        let of = |(name, sample): &(String, Sample)| {
            let earlier = samples.earlier.iter().find(|(other, _)| other == name).map(|(_, sample)| *sample);
            (name.clone(), performance::value(self.counter.kind, earlier, *sample), *sample)
        };
        samples.last.iter().map(of).collect()
    }

    fn is_collected(&self) -> bool {
        lock(&self.samples).is_collected
    }
}

fn query(guest: &Guest, handle: GuestWord) -> Option<Arc<Query>> {
    guest.process().cryptography.get(handle.get())
}

/// What a counter's handle leads to.
struct Handle(Arc<Item>);

fn item(guest: &Guest, handle: GuestWord) -> Option<Arc<Item>> {
    let handle: Arc<Handle> = guest.process().cryptography.get(handle.get())?;
    // Counters go with their query.
    (handle.0.query.strong_count() > 0).then(|| Arc::clone(&handle.0))
}

both_widths! {
    /// Makes a query.
    "pdh/nf-pdh-pdhopenquery"
    PdhOpenQueryA, PdhOpenQueryW(
        guest, width, szDataSource: GuestWord, dwUserData: GuestWord, phQuery: GuestWord
    ) -> Result<i32, Fault> {
        let _ = (width, szDataSource);
        if phQuery.is_null() {
            return Ok(code::INVALID_ARGUMENT);
        }
        let made = Query { user_data: dwUserData.get(), counters: Mutex::default() };
        let handle = guest.process().cryptography.add(made);
        guest.write_word(phQuery.get(), handle).map(|()| 0)
    }
}

/// Gives a query and its counters up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/nf-pdh-pdhclosequery>
#[winapi]
pub fn PdhCloseQuery(guest: &mut Guest, hQuery: GuestWord) -> i32 {
    let removed = guest.process().cryptography.remove::<Query>(hQuery.get());
    if removed.is_some() { 0 } else { code::INVALID_HANDLE }
}

/// Takes a sample of every counter of a query.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/nf-pdh-pdhcollectquerydata>
#[winapi]
pub fn PdhCollectQueryData(guest: &mut Guest, hQuery: GuestWord) -> i32 {
    query(guest, hQuery).map_or(code::INVALID_HANDLE, |query| collect(guest, &query))
}

/// Takes a sample of every counter of a query, all of the same time.
fn collect(guest: &Guest, query: &Query) -> i32 {
    let counters = lock(&query.counters).clone();
    let now = Snapshot::new(&guest.process().files);
    let taken = counters.iter().filter(|item| item.collect(&now)).count();
    if taken == 0 { code::NO_DATA } else { 0 }
}

/// Returns every counter of a query with the paths of its instances.
fn columns(guest: &Guest, query: &Query) -> Vec<(Arc<Item>, CounterPath)> {
    let now = Snapshot::new(&guest.process().files);
    let counters = lock(&query.counters).clone();
    let of = |item: &Arc<Item>| {
        item.paths(&now).into_iter().map(|path| (Arc::clone(item), path)).collect::<Vec<_>>()
    };
    counters.iter().flat_map(of).collect()
}

/// Takes a sample of every counter of a query, and says when.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/nf-pdh-pdhcollectquerydatawithtime>
#[winapi]
pub fn PdhCollectQueryDataWithTime(
    guest: &mut Guest,
    hQuery: GuestWord,
    pllTimeStamp: GuestWord,
) -> Result<i32, Fault> {
    guest.write(pllTimeStamp.get(), &(crate::nt::time::now() as u64))?;
    Ok(PdhCollectQueryData(guest, hQuery))
}

/// Takes a sample of every counter of a query. Nothing collects them from time to time.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/nf-pdh-pdhcollectquerydataex>
#[winapi]
pub fn PdhCollectQueryDataEx(
    guest: &mut Guest,
    hQuery: GuestWord,
    dwIntervalTime: u32,
    hNewDataEvent: GuestWord,
) -> i32 {
    if dwIntervalTime == 0 || !hNewDataEvent.is_null() {
        return code::INVALID_ARGUMENT;
    }
    PdhCollectQueryData(guest, hQuery)
}

/// Returns the version of the DLL.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/nf-pdh-pdhgetdllversion>
#[winapi]
pub fn PdhGetDllVersion(guest: &mut Guest, lpdwVersion: GuestWord) -> Result<i32, Fault> {
    const VERSION_5_0: u32 = 0x503;
    if lpdwVersion.is_null() {
        return Ok(code::INVALID_ARGUMENT);
    }
    guest.write(lpdwVersion.get(), &VERSION_5_0).map(|()| 0)
}

/// Says that a query's data is live.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/nf-pdh-pdhisrealtimequery>
#[winapi]
pub fn PdhIsRealTimeQuery(guest: &mut Guest, hQuery: GuestWord) -> Bool {
    Bool(query(guest, hQuery).is_some())
}

/// Finds the counter of a path, or says why there is none.
fn find(text: &str) -> Result<(CounterPath, &'static Counter), i32> {
    let path = performance::parse(text).ok_or(code::BAD_COUNTER_NAME)?;
    if !counters::all().any(|counter| counter.object.eq_ignore_ascii_case(&path.object)) {
        return Err(code::NO_OBJECT);
    }
    let counter = Counter::find(&path).ok_or(code::NO_COUNTER)?;
    if counters::has_instances(counter.object) && path.instance.is_none() {
        return Err(code::NO_INSTANCE);
    }
    Ok((path, counter))
}

fn add(guest: &Guest, width: Width, [hQuery, path, user_data, into]: [GuestWord; 4]) -> Result<i32, Fault> {
    if path.is_null() || into.is_null() {
        return Ok(code::INVALID_ARGUMENT);
    }
    let Some(query) = query(guest, hQuery) else { return Ok(code::INVALID_HANDLE) };
    let (path, counter) = match find(&String::from_utf16_lossy(&width.read(guest, path)?)) {
        Ok(found) => found,
        Err(code) => {
            guest.write_word(into.get(), 0)?;
            return Ok(code);
        }
    };
    let item = Arc::new(Item {
        path,
        counter,
        query: Arc::downgrade(&query),
        user_data: user_data.get(),
        scale: AtomicI32::new(0),
        samples: Mutex::default(),
    });
    lock(&query.counters).push(Arc::clone(&item));
    let handle = guest.process().cryptography.add(Handle(item));
    guest.write_word(into.get(), handle).map(|()| 0)
}

both_widths! {
    /// Adds a counter to a query.
    "pdh/nf-pdh-pdhaddcounter"
    PdhAddCounterA, PdhAddCounterW(
        guest, width, hQuery: GuestWord, szFullCounterPath: GuestWord, dwUserData: GuestWord, phCounter: GuestWord
    ) -> Result<i32, Fault> {
        add(guest, width, [hQuery, szFullCounterPath, dwUserData, phCounter])
    }

    /// Adds a counter with an English name to a query; there are no others.
    "pdh/nf-pdh-pdhaddenglishcounter"
    PdhAddEnglishCounterA, PdhAddEnglishCounterW(
        guest, width, hQuery: GuestWord, szFullCounterPath: GuestWord, dwUserData: GuestWord, phCounter: GuestWord
    ) -> Result<i32, Fault> {
        add(guest, width, [hQuery, szFullCounterPath, dwUserData, phCounter])
    }
}

/// Takes a counter out of its query.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/nf-pdh-pdhremovecounter>
#[winapi]
pub fn PdhRemoveCounter(guest: &mut Guest, hCounter: GuestWord) -> i32 {
    let Some(handle) = guest.process().cryptography.remove::<Handle>(hCounter.get()) else {
        return code::INVALID_HANDLE;
    };
    let Some(query) = handle.0.query.upgrade() else { return code::INVALID_HANDLE };
    lock(&query.counters).retain(|other| !Arc::ptr_eq(other, &handle.0));
    0
}

/// How values are given (`PDH_FMT_…`).
mod format {
    pub(super) const LONG: u32 = 0x100;
    pub(super) const DOUBLE: u32 = 0x200;
    pub(super) const LARGE: u32 = 0x400;
    pub(super) const NOT_SCALED: u32 = 0x1000;
    pub(super) const THOUSANDFOLD: u32 = 0x2000;
    pub(super) const NOT_CAPPED: u32 = 0x8000;
}

/// Returns a `PDH_FMT_COUNTERVALUE`.
fn formatted((kind, scale): (CounterType, i32), value: Option<f64>, form: u32) -> [u8; 16] {
    let mut bytes = [0; 16];
    let Some(mut value) = value else {
        bytes[..4].copy_from_slice(&code::INVALID_VALUE.to_le_bytes());
        return bytes;
    };
    let is_part = matches!(kind, CounterType::Timer | CounterType::InverseTimer);
    if is_part && form & format::NOT_CAPPED == 0 {
        value = value.min(100.0);
    }
    if form & format::NOT_SCALED == 0 {
        value *= 10f64.powi(scale);
    }
    if form & format::THOUSANDFOLD != 0 {
        value *= 1000.0;
    }
    let raw = match form & (format::LONG | format::DOUBLE | format::LARGE) {
        format::LONG => (value as i32 as u32).into(),
        format::DOUBLE => value.to_bits(),
        _ => value as i64 as u64,
    };
    bytes[8..].copy_from_slice(&raw.to_le_bytes());
    bytes
}

fn is_form(form: u32) -> bool {
    (form & (format::LONG | format::DOUBLE | format::LARGE)).count_ones() == 1
}

/// Computes a counter's value.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/nf-pdh-pdhgetformattedcountervalue>
#[winapi]
pub fn PdhGetFormattedCounterValue(
    guest: &mut Guest,
    hCounter: GuestWord,
    dwFormat: u32,
    lpdwType: GuestWord,
    pValue: GuestWord,
) -> Result<i32, Fault> {
    if pValue.is_null() || !is_form(dwFormat) {
        return Ok(code::INVALID_ARGUMENT);
    }
    let Some(item) = item(guest, hCounter) else { return Ok(code::INVALID_HANDLE) };
    if !lpdwType.is_null() {
        guest.write(lpdwType.get(), &(item.counter.kind as u32))?;
    }
    let values = item.values();
    let value = values.first().and_then(|(_, value, _)| *value);
    let mut bytes = formatted(item.form(), value, dwFormat);
    if values.is_empty() && item.is_collected() {
        bytes[..4].copy_from_slice(&code::NO_INSTANCE.to_le_bytes());
    }
    guest.write_bytes(pValue.get(), &bytes)?;
    Ok(if value.is_some() { 0 } else { code::INVALID_DATA })
}

/// Returns a `PDH_RAW_COUNTER`; none where there is no sample.
fn raw(sample: Option<Sample>) -> [u8; 40] {
    let mut bytes = [0; 40];
    let Some(sample) = sample else {
        bytes[..4].copy_from_slice(&code::INVALID_VALUE.to_le_bytes());
        return bytes;
    };
    bytes[4..12].copy_from_slice(&sample.at.to_le_bytes());
    bytes[16..24].copy_from_slice(&sample.first.to_le_bytes());
    bytes[24..32].copy_from_slice(&sample.second.to_le_bytes());
    bytes[32] = 1;
    bytes
}

/// Returns a counter's raw value.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/nf-pdh-pdhgetrawcountervalue>
#[winapi]
pub fn PdhGetRawCounterValue(
    guest: &mut Guest,
    hCounter: GuestWord,
    lpdwType: GuestWord,
    pValue: GuestWord,
) -> Result<i32, Fault> {
    if pValue.is_null() {
        return Ok(code::INVALID_ARGUMENT);
    }
    let Some(item) = item(guest, hCounter) else { return Ok(code::INVALID_HANDLE) };
    if !lpdwType.is_null() {
        guest.write(lpdwType.get(), &(item.counter.kind as u32))?;
    }
    let sample = item.values().first().map(|(_, _, sample)| *sample);
    guest.write_bytes(pValue.get(), &raw(sample)).map(|()| 0)
}

/// Writes an array of instances' values with their names behind it.
fn give_array(
    guest: &Guest,
    width: Width,
    [size, count, into]: [GuestWord; 3],
    items: &[(String, Vec<u8>)],
) -> Result<i32, Fault> {
    if size.is_null() || count.is_null() {
        return Ok(code::INVALID_ARGUMENT);
    }
    // A pointer takes eight bytes: what follows is aligned to that.
    let array: usize = items.iter().map(|(_, value)| 8 + value.len()).sum();
    let (mut bytes, mut names) = (Vec::new(), Vec::new());
    for (name, value) in items {
        let place = into.get() + (array + names.len()) as u64;
        bytes.extend(place.to_le_bytes());
        bytes.extend(value);
        names.extend(width.bytes(&name.encode_utf16().collect::<Vec<_>>()));
    }
    bytes.extend(names);
    let room = guest.read_u32(size.get())?;
    guest.write(size.get(), &(bytes.len() as u32))?;
    guest.write(count.get(), &(items.len() as u32))?;
    if into.is_null() || (room as usize) < bytes.len() {
        return Ok(code::MORE_DATA);
    }
    guest.write_bytes(into.get(), &bytes).map(|()| 0)
}

both_widths! {
    /// Computes the values of all instances of a counter.
    "pdh/nf-pdh-pdhgetformattedcounterarray"
    PdhGetFormattedCounterArrayA, PdhGetFormattedCounterArrayW(
        guest, width, hCounter: GuestWord, dwFormat: u32, lpdwBufferSize: GuestWord, lpdwItemCount: GuestWord,
        ItemBuffer: GuestWord
    ) -> Result<i32, Fault> {
        if !is_form(dwFormat) {
            return Ok(code::INVALID_ARGUMENT);
        }
        let Some(item) = item(guest, hCounter) else { return Ok(code::INVALID_HANDLE) };
        if !item.is_collected() || item.counter.kind.needs_two() && lock(&item.samples).earlier.is_empty() {
            return Ok(code::INVALID_DATA);
        }
        let values = item.values().into_iter();
        let items: Vec<_> =
            values.map(|(name, value, _)| (name, formatted(item.form(), value, dwFormat).to_vec())).collect();
        give_array(guest, width, [lpdwBufferSize, lpdwItemCount, ItemBuffer], &items)
    }

    /// Returns the raw values of all instances of a counter.
    "pdh/nf-pdh-pdhgetrawcounterarray"
    PdhGetRawCounterArrayA, PdhGetRawCounterArrayW(
        guest, width, hCounter: GuestWord, lpdwBufferSize: GuestWord, lpdwItemCount: GuestWord, ItemBuffer: GuestWord
    ) -> Result<i32, Fault> {
        let Some(item) = item(guest, hCounter) else { return Ok(code::INVALID_HANDLE) };
        let values = item.values().into_iter();
        let items: Vec<_> = values.map(|(name, _, sample)| (name, raw(Some(sample)).to_vec())).collect();
        give_array(guest, width, [lpdwBufferSize, lpdwItemCount, ItemBuffer], &items)
    }

    /// Describes a counter; there is no text that explains it.
    "pdh/nf-pdh-pdhgetcounterinfo"
    PdhGetCounterInfoA, PdhGetCounterInfoW(
        guest, width, hCounter: GuestWord, bRetrieveExplainText: u8, pdwBufferSize: GuestWord, lpBuffer: GuestWord
    ) -> Result<i32, Fault> {
        let _ = bRetrieveExplainText;
        if pdwBufferSize.is_null() {
            return Ok(code::INVALID_ARGUMENT);
        }
        let Some(item) = item(guest, hCounter) else { return Ok(code::INVALID_HANDLE) };
        let bytes = describe(guest, width, &item, lpBuffer.get());
        let room = guest.read_u32(pdwBufferSize.get())?;
        guest.write(pdwBufferSize.get(), &(bytes.len() as u32))?;
        if lpBuffer.is_null() || (room as usize) < bytes.len() {
            return Ok(code::MORE_DATA);
        }
        guest.write_bytes(lpBuffer.get(), &bytes).map(|()| 0)
    }
}

/// Returns a `PDH_COUNTER_INFO` for an address, with its texts behind it.
fn describe(guest: &Guest, width: Width, item: &Item, address: u64) -> Vec<u8> {
    let word = guest.machine().pointer_size() as usize;
    let path = &item.path;
    // Six numbers, two words of the program's, six texts and an index between them, the text that explains, the buffer.
    let fixed = 24 + 11 * word;
    let mut texts = Vec::new();
    let mut place = |text: Option<&str>| {
        let Some(text) = text else { return 0 };
        let at = address + (fixed + texts.len()) as u64;
        texts.extend(width.bytes(&text.encode_utf16().collect::<Vec<_>>()));
        at
    };
    let host = format!("\\\\{}", plat_host::sysinfo::host_name().to_uppercase());
    let machine = path.machine.as_deref().unwrap_or(&host);
    let full = CounterPath { machine: Some(machine.to_owned()), ..path.clone() }.text();
    let words = [
        item.user_data,
        item.query.upgrade().map_or(0, |query| query.user_data),
        place(Some(&full)),
        place(Some(machine)),
        place(Some(&path.object)),
        place(path.instance.as_deref()),
        place(path.parent.as_deref()),
        path.index.into(),
        place(Some(&path.counter)),
        0,
        0,
    ];
    let scale = item.scale.load(Ordering::Relaxed) as u32;
    let numbers = [(fixed + texts.len()) as u32, item.counter.kind as u32, 0, 0, scale, 0];
    let mut bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    bytes.extend(words.iter().flat_map(|value: &u64| value.to_le_bytes()[..word].to_vec()));
    bytes.extend(texts);
    bytes
}

/// Returns how many units of a counter's clock a second has.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/nf-pdh-pdhgetcountertimebase>
#[winapi]
pub fn PdhGetCounterTimeBase(
    guest: &mut Guest,
    hCounter: GuestWord,
    pTimeBase: GuestWord,
) -> Result<i32, Fault> {
    if pTimeBase.is_null() {
        return Ok(code::INVALID_ARGUMENT);
    }
    if item(guest, hCounter).is_none() {
        return Ok(code::INVALID_HANDLE);
    }
    guest.write(pTimeBase.get(), &10_000_000_u64).map(|()| 0)
}

/// Sets the power of ten that values are multiplied by, -7 to 7.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/nf-pdh-pdhsetcounterscalefactor>
#[winapi]
pub fn PdhSetCounterScaleFactor(guest: &mut Guest, hCounter: GuestWord, lFactor: i32) -> i32 {
    let Some(item) = item(guest, hCounter) else { return code::INVALID_HANDLE };
    if !(-7..=7).contains(&lFactor) {
        return code::INVALID_ARGUMENT;
    }
    item.scale.store(lFactor, Ordering::Relaxed);
    0
}
