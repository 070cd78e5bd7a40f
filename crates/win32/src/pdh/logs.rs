//! pdh.h: logs of counters' values as text, separated by commas or tabs.
//!
//! Source: <https://learn.microsoft.com/windows/win32/perfctrs/performance-data-helper-functions-reference>, "Log functions"

use std::sync::{Arc, Mutex};

use plat_abi::{Fault, GuestWord, Memory, winapi};
use plat_host::file::{File, Open};

use super::paths::{text, with_machine};
use super::{Item, PdhCloseQuery, Query, code, collect, query};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::path::Found;
use crate::logic::performance::{CounterPath, LogForm, log_line, log_time};
use crate::logic::time::{file_time_to_local, file_time_to_system_time};
use crate::nt::path::lock;
use crate::nt::time;
use crate::widths::both_widths;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial PdhOpenLogA, "text only, and only to write: PDH_NOT_IMPLEMENTED";
    partial PdhOpenLogW, "text only, and only to write: PDH_NOT_IMPLEMENTED";
    full PdhUpdateLogA;
    full PdhUpdateLogW;
    full PdhCloseLog;
    full PdhGetLogFileSize;
    full PdhUpdateLogFileCatalog;
};

/// What a log is opened for and how (`PDH_LOG_…`).
mod access {
    pub(super) const WRITE: u32 = 0x0002_0000;
    pub(super) const UPDATE: u32 = 0x0004_0000;
    pub(super) const MASK: u32 = 0x000f_0000;
    pub(super) const CREATE_NEW: u32 = 1;
    pub(super) const CREATE_ALWAYS: u32 = 2;
    pub(super) const OPEN_ALWAYS: u32 = 3;
    pub(super) const OPEN_EXISTING: u32 = 4;
    pub(super) const CREATE_MASK: u32 = 0xf;
    pub(super) const USER_STRING: u32 = 0x0100_0000;
    pub(super) const APPEND: u32 = 0x0800_0000;
}

/// The highest number that a kind of log has.
const LOG_TYPES: u32 = 8;

/// A log that is open.
struct Log {
    file: File,
    form: LogForm,
    query: Arc<Query>,
    query_handle: u64,
    /// The counters and instances that have a column.
    columns: Vec<(Arc<Item>, CounterPath)>,
    has_user_column: bool,
    /// Lines are written one at a time.
    writing: Mutex<()>,
}

impl Log {
    fn write(&self, line: &str) -> i32 {
        let _writing = lock(&self.writing);
        // Without memory of where a line ends, what is there stays as it is.
        let end = self.file.status().map_or(0, |status| status.size);
        match self.file.write(line.as_bytes(), Some(end)) {
            Ok(()) => 0,
            Err(_) => code::LOG_FILE_CREATE_ERROR,
        }
    }

    /// Returns the first line: the format and the time zone, and the columns.
    fn head(&self, caption: Option<&str>) -> String {
        let zone = time::zone_at(time::now());
        let name = if zone.is_summer { &zone.daylight_name } else { &zone.standard_name };
        let bias = time::current_bias_minutes();
        let form = format!("({}) ({name})({bias})", self.form.title());
        let columns = self.columns.iter().map(|(_, path)| with_machine(path.clone()));
        let caption = caption.map(str::to_owned);
        log_line(self.form, std::iter::once(form).chain(columns).chain(caption))
    }

    /// Returns a line of the last values.
    fn record(&self, user: Option<String>) -> String {
        let now = time::now();
        let local =
            file_time_to_local(now, |_| time::current_bias_minutes()).and_then(file_time_to_system_time);
        let values = self.columns.iter().map(|(item, path)| {
            let name = super::sample_name(path);
            let values = item.values();
            let value = values.iter().find(|(other, _, _)| *other == name).and_then(|(_, value, _)| *value);
            value.map_or_else(|| " ".to_owned(), |value| value.to_string())
        });
        let user = self.has_user_column.then(|| user.unwrap_or_default());
        log_line(self.form, std::iter::once(log_time(&local.unwrap_or_default())).chain(values).chain(user))
    }
}

/// Opens the file of a log as its flags say; the second value says whether it begins a new one.
fn open(guest: &Guest, name: &[u16], flags: u32) -> Result<(File, bool), i32> {
    let files = &guest.process().files;
    let found = files.resolve_file(name).map_err(|_| code::LOG_FILE_CREATE_ERROR)?;
    let create = flags & access::CREATE_MASK;
    let (path, exists) = match files.find(&found) {
        Found::Exists(path) => (path, true),
        Found::NameMissing(path) => (path, false),
        Found::DirectoryMissing(_) => return Err(code::LOG_FILE_CREATE_ERROR),
    };
    match (create, exists) {
        (access::CREATE_NEW, true) => return Err(code::FILE_ALREADY_EXISTS),
        (access::OPEN_EXISTING, false) => return Err(code::FILE_NOT_FOUND),
        (access::CREATE_NEW..=access::OPEN_EXISTING, _) => {}
        _ => return Err(code::INVALID_ARGUMENT),
    }
    let how = Open { read: true, write: true, create: !exists, mode: 0o644, ..Open::default() };
    let file = File::open(&path, how).map_err(|_| code::LOG_FILE_CREATE_ERROR)?;
    let keeps =
        flags & access::APPEND != 0 || create == access::OPEN_EXISTING || create == access::OPEN_ALWAYS;
    if exists && (create == access::CREATE_ALWAYS || !keeps) {
        file.set_size(0).map_err(|_| code::LOG_FILE_CREATE_ERROR)?;
    }
    let is_new = file.status().map_or(true, |status| status.size == 0);
    Ok((file, is_new))
}

fn find(guest: &Guest, handle: GuestWord) -> Option<Arc<Log>> {
    guest.process().cryptography.get(handle.get())
}

both_widths! {
    /// Opens a log for the counters of a query.
    "pdh/nf-pdh-pdhopenlog"
    PdhOpenLogA, PdhOpenLogW(
        guest, width, szLogFileName: GuestWord, dwAccessFlags: u32, lpdwLogType: GuestWord, hQuery: GuestWord,
        dwMaxSize: u32, szUserCaption: GuestWord, phLog: GuestWord
    ) -> Result<i32, Fault> {
        let _ = dwMaxSize;
        if szLogFileName.is_null() || lpdwLogType.is_null() || phLog.is_null() {
            return Ok(code::INVALID_ARGUMENT);
        }
        if !matches!(dwAccessFlags & access::MASK, access::WRITE | access::UPDATE) {
            return Ok(code::NOT_IMPLEMENTED);
        }
        let number = guest.read_u32(lpdwLogType.get())?;
        let Some(form) = LogForm::of_number(number) else {
            return Ok(if number > LOG_TYPES { code::LOG_TYPE_NOT_FOUND } else { code::NOT_IMPLEMENTED });
        };
        let Some(query) = query(guest, hQuery) else { return Ok(code::INVALID_HANDLE) };
        let (file, is_new) = match open(guest, &width.read(guest, szLogFileName)?, dwAccessFlags) {
            Ok(opened) => opened,
            Err(code) => return Ok(code),
        };
        let columns = super::columns(guest, &query);
        let has_user_column = dwAccessFlags & access::USER_STRING != 0;
        let (query_handle, writing) = (hQuery.get(), Mutex::new(()));
        let log = Log { file, form, query, query_handle, columns, has_user_column, writing };
        let caption = text(guest, width, szUserCaption)?.filter(|_| has_user_column);
        let written = if is_new { log.write(&log.head(caption.as_deref())) } else { 0 };
        if written == 0 {
            let handle = guest.process().cryptography.add(log);
            guest.write_word(phLog.get(), handle)?;
        }
        Ok(written)
    }

    /// Takes a sample of every counter and writes the values to a log.
    "pdh/nf-pdh-pdhupdatelog"
    PdhUpdateLogA, PdhUpdateLogW(guest, width, hLog: GuestWord, szUserString: GuestWord) -> Result<i32, Fault> {
        let Some(log) = find(guest, hLog) else { return Ok(code::INVALID_HANDLE) };
        let user = text(guest, width, szUserString)?;
        let collected = collect(guest, &log.query);
        Ok(if collected == 0 { log.write(&log.record(user)) } else { collected })
    }
}

/// Closes a log, and its query if that is asked for.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/nf-pdh-pdhcloselog>
#[winapi]
pub fn PdhCloseLog(guest: &mut Guest, hLog: GuestWord, dwFlags: u32) -> i32 {
    /// `PDH_FLAGS_CLOSE_QUERY`.
    const WITH_QUERY: u32 = 1;
    let Some(log) = guest.process().cryptography.remove::<Log>(hLog.get()) else {
        return code::INVALID_HANDLE;
    };
    if dwFlags & WITH_QUERY != 0 {
        return PdhCloseQuery(guest, GuestWord(log.query_handle));
    }
    0
}

/// Returns the size of a log's file.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/nf-pdh-pdhgetlogfilesize>
#[winapi]
pub fn PdhGetLogFileSize(guest: &mut Guest, hLog: GuestWord, llSize: GuestWord) -> Result<i32, Fault> {
    if llSize.is_null() {
        return Ok(code::INVALID_ARGUMENT);
    }
    let Some(log) = find(guest, hLog) else { return Ok(code::INVALID_HANDLE) };
    match log.file.status() {
        Ok(status) => guest.write(llSize.get(), &status.size).map(|()| 0),
        Err(_) => Ok(code::LOG_FILE_OPEN_ERROR),
    }
}

/// Says that logs of text have no catalog.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/pdh/nf-pdh-pdhupdatelogfilecatalog>
#[winapi]
pub fn PdhUpdateLogFileCatalog(guest: &mut Guest, hLog: GuestWord) -> i32 {
    match find(guest, hLog) {
        Some(_) => code::UNKNOWN_LOG_FORMAT,
        None => code::INVALID_HANDLE,
    }
}
