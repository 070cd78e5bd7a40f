//! time.h: the clock, the calendar, text of times. The rules of local time are kernel32's.

use plat_abi::{Fault, GuestStruct, GuestWord, Memory, winapi};

use super::define::define;
use super::errno::EINVAL;
use super::locale;
use super::state::{block, place_narrow, set_errno, thread_block, variable, write_narrow_z, write_wide_z};
use super::system::kernel32;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::kernel32::timezoneapi::SYSTEMTIME;
use crate::logic::nls::date_format;
use crate::logic::nls::locale::{self as facts, Locale};
use crate::logic::time::{
    SystemTime, file_time_to_system_time, file_time_to_unix, system_time_to_file_time, unix_to_file_time,
};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full time; full _time32; full _time64;
    partial clock, "counts from its first call, not from the start of the program";
    full gmtime; full _gmtime32; full _gmtime64; full localtime; full _localtime32; full _localtime64;
    full _gmtime64_s; full _localtime64_s;
    full mktime; full _mktime32; full _mktime64; full _mkgmtime; full _mkgmtime64;
    full difftime; full _difftime64;
    full _ftime; full _ftime64;
    full _tzset; full "tzset" = _tzset;
    full _strdate; full _strtime;
};

/// Those that the Universal CRT has in another form.
pub const OLD_EXPORTS: &[Export] = dll! {
    full asctime; full _wasctime; full ctime; full _ctime32; full _ctime64;
    full strftime; full wcsftime;
};

/// The names of days in the "C" locale.
pub(crate) const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
/// The names of months in the "C" locale.
pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// The last second that `_gmtime64` and its kin accept: the end of the year 3000.
const LAST_SECOND: i64 = 32_536_799_999;

/// `struct tm`.
#[derive(GuestStruct, Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Tm {
    second: i32,
    minute: i32,
    hour: i32,
    day: i32,
    month: i32,
    year: i32,
    weekday: i32,
    day_of_year: i32,
    is_dst: i32,
}

/// Makes the names of the time zones, as they are until `_tzset` looks.
pub(crate) fn attach(guest: &mut Guest) -> Result<(), Fault> {
    let names = [place_narrow(guest, &padded("PST"))?, place_narrow(guest, &padded("PDT"))?];
    let word = guest.machine().pointer_size();
    for (index, name) in names.into_iter().enumerate() {
        guest.write_word(variable(guest, "_tzname") + index as u64 * word, name)?;
    }
    Ok(())
}

/// Gives a name the room that `_tzset` may need: 64 bytes.
fn padded(name: &str) -> Vec<u8> {
    let mut bytes = name.as_bytes().to_vec();
    bytes.resize(63, 0);
    bytes
}

/// Returns the time as a FILETIME.
pub(crate) fn now(guest: &mut Guest) -> Result<i64, Fault> {
    let scratch = thread_block(guest)? + block::CVT;
    kernel32(guest, "GetSystemTimeAsFileTime", &[scratch])?;
    guest.read(scratch)
}

pub(crate) fn now_seconds(guest: &mut Guest) -> Result<i64, Fault> {
    now(guest).map(|time| file_time_to_unix(time).0)
}

/// Returns the fields of a time.
fn fields(time: &SystemTime, is_dst: bool) -> Tm {
    let first = SystemTime { year: time.year, month: 1, day: 1, ..SystemTime::default() };
    let date = SystemTime { year: time.year, month: time.month, day: time.day, ..SystemTime::default() };
    let days = |time: &SystemTime| system_time_to_file_time(time).unwrap_or(0) / 864_000_000_000;
    Tm {
        second: time.second.into(),
        minute: time.minute.into(),
        hour: time.hour.into(),
        day: time.day.into(),
        month: i32::from(time.month) - 1,
        year: i32::from(time.year) - 1900,
        weekday: time.day_of_week.into(),
        day_of_year: (days(&date) - days(&first)) as i32,
        is_dst: is_dst.into(),
    }
}

/// Returns the fields of a time in UTC; `None` out of range.
pub(crate) fn utc(seconds: i64) -> Option<Tm> {
    if !(0..=LAST_SECOND).contains(&seconds) {
        return None;
    }
    file_time_to_system_time(unix_to_file_time(seconds, 0)).ok().map(|time| fields(&time, false))
}

/// The sixteen bytes of a `SYSTEMTIME`.
fn system_time_bytes(time: &SystemTime) -> Vec<u8> {
    SYSTEMTIME::from(*time).fields.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Converts between UTC and local time by one of kernel32's functions; both are FILETIMEs.
fn shift(guest: &mut Guest, function: &str, file_time: i64) -> Result<i64, Fault> {
    let Ok(time) = file_time_to_system_time(file_time) else { return Ok(file_time) };
    let scratch = thread_block(guest)? + block::CVT;
    guest.write_bytes(scratch, &system_time_bytes(&time))?;
    kernel32(guest, function, &[0, scratch, scratch + 16])?;
    let mut words = [0u16; 8];
    for (index, word) in words.iter_mut().enumerate() {
        *word = guest.read(scratch + 16 + 2 * index as u64)?;
    }
    let [year, month, day_of_week, day, hour, minute, second, millisecond] = words;
    let shifted = SystemTime { year, month, day_of_week, day, hour, minute, second, millisecond };
    Ok(system_time_to_file_time(&shifted).unwrap_or(file_time))
}

/// What `GetTimeZoneInformation` says: minutes that UTC is ahead in winter, and in summer if there is summer time.
pub(crate) struct Zone {
    standard: i32,
    summer: Option<i32>,
    names: [Vec<u16>; 2],
}

pub(crate) fn zone(guest: &mut Guest) -> Result<Zone, Fault> {
    let scratch = thread_block(guest)? + block::CVT;
    kernel32(guest, "GetTimeZoneInformation", &[scratch])?;
    let bias: i32 = guest.read(scratch)?;
    let standard: i32 = guest.read(scratch + 84)?;
    let summer: i32 = guest.read(scratch + 168)?;
    let summer_month: u16 = guest.read(scratch + 154)?;
    let names = [
        super::twins::read_wide_n(guest, scratch + 4, 32)?,
        super::twins::read_wide_n(guest, scratch + 88, 32)?,
    ];
    Ok(Zone { standard: bias + standard, summer: (summer_month != 0).then_some(bias + summer), names })
}

/// Returns the fields of a time in local time; `None` out of range.
pub(crate) fn local(guest: &mut Guest, seconds: i64) -> Result<Option<Tm>, Fault> {
    if !(0..=LAST_SECOND).contains(&seconds) {
        return Ok(None);
    }
    let file_time = unix_to_file_time(seconds, 0);
    let shifted = shift(guest, "SystemTimeToTzSpecificLocalTime", file_time)?;
    let zone = zone(guest)?;
    let minutes = (file_time - shifted) / 600_000_000;
    let is_dst = zone.summer.is_some() && minutes != i64::from(zone.standard);
    Ok(file_time_to_system_time(shifted).ok().map(|time| fields(&time, is_dst)))
}

/// Returns the second that fields mean as UTC; fields may lie outside their ranges.
pub(crate) fn seconds_of(tm: &Tm) -> Option<i64> {
    let months = i64::from(tm.year) * 12 + i64::from(tm.month);
    let year = u16::try_from(1900 + months.div_euclid(12)).ok()?;
    let month = months.rem_euclid(12) as u16 + 1;
    let first = SystemTime { year, month, day: 1, ..SystemTime::default() };
    let start = file_time_to_unix(system_time_to_file_time(&first).ok()?).0;
    let days = i64::from(tm.day) - 1;
    let clock = i64::from(tm.hour) * 3600 + i64::from(tm.minute) * 60 + i64::from(tm.second);
    Some(start + days * 86_400 + clock)
}

/// Normalises the fields at `address` and returns their second, or -1.
pub(crate) fn make(guest: &mut Guest, address: u64, is_local: bool) -> Result<i64, Fault> {
    let tm: Tm = guest.read(address)?;
    let Some(mut seconds) = seconds_of(&tm) else { return Ok(-1) };
    if is_local {
        let file_time = unix_to_file_time(seconds, 0);
        seconds = file_time_to_unix(shift(guest, "TzSpecificLocalTimeToSystemTime", file_time)?).0;
    }
    let normal = if is_local { local(guest, seconds)? } else { utc(seconds) };
    let Some(normal) = normal else { return Ok(-1) };
    guest.write(address, &normal)?;
    Ok(seconds)
}

/// Stores fields in the thread's buffer; null with EINVAL when there are none.
fn give(guest: &mut Guest, tm: Option<Tm>) -> Result<GuestWord, Fault> {
    let Some(tm) = tm else { return set_errno(guest, EINVAL).map(|()| GuestWord::NULL) };
    let to = thread_block(guest)? + block::TM;
    guest.write(to, &tm)?;
    Ok(GuestWord(to))
}

/// Reads a `time_t` of four or eight bytes.
pub(crate) fn read_seconds(guest: &Guest, address: GuestWord, is_64: bool) -> Result<i64, Fault> {
    if is_64 { guest.read(address.0) } else { guest.read::<i32>(address.0).map(i64::from) }
}

/// Says whether names without a number mean 64-bit times: they do in 64-bit programs.
pub(crate) fn is_64(guest: &Guest) -> bool {
    guest.machine().is_64()
}

/// Writes a time as `asctime` does: 24 characters and a line end.
pub(crate) fn text_of(tm: &Tm, style: Style) -> String {
    let day = if style == Style::Ucrt { format!("{:2}", tm.day) } else { format!("{:02}", tm.day) };
    let name = |names: &[&'static str], index: i32| {
        usize::try_from(index).ok().and_then(|index| names.get(index)).map_or("???", |name| &name[..3])
    };
    format!(
        "{} {} {day} {:02}:{:02}:{:02} {:04}\n",
        name(&DAYS, tm.weekday),
        name(&MONTHS, tm.month),
        tm.hour,
        tm.minute,
        tm.second,
        i64::from(tm.year) + 1900
    )
}

fn give_text(guest: &mut Guest, tm: &Tm) -> Result<GuestWord, Fault> {
    let to = thread_block(guest)? + block::ASCTIME;
    let text = text_of(tm, Style::Msvcrt);
    write_narrow_z(guest, to, &text.as_bytes()[..text.len().min(31)])?;
    Ok(GuestWord(to))
}

pub(crate) fn give_ctime(guest: &mut Guest, seconds: i64) -> Result<GuestWord, Fault> {
    match local(guest, seconds)? {
        Some(tm) => give_text(guest, &tm),
        None => set_errno(guest, EINVAL).map(|()| GuestWord::NULL),
    }
}

/// Which runtime's forms of texts apply.
///
/// Source: <https://learn.microsoft.com/cpp/porting/visual-cpp-change-history-2003-2015>, time.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Days have a leading zero; `%c` is a date and a time in digits.
    Msvcrt,
    /// Days have a leading blank; `%c` is `%a %b %e %T %Y`; C99's letters.
    Ucrt,
}

/// What a format says in words: the name of the time zone, and the locale, `None` for "C".
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Words<'a> {
    zone: &'a str,
    locale: Option<&'static Locale>,
}

/// Formats a time; `None` at a letter that does not exist.
pub(crate) fn format(tm: &Tm, format: &str, words: Words<'_>, style: Style) -> Option<String> {
    let mut text = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        let mut letter = letters.next()?;
        let is_plain = letter == '#';
        if is_plain {
            letter = letters.next()?;
        }
        if style == Style::Ucrt && matches!(letter, 'E' | 'O') {
            letter = letters.next()?;
        }
        let own = words.locale.and_then(|locale| item_of_locale(tm, letter, is_plain, locale));
        let own = own.or_else(|| item_c99(tm, letter, is_plain, words).filter(|_| style == Style::Ucrt));
        text.push_str(&own.or_else(|| item(tm, letter, is_plain, words))?);
    }
    Some(text)
}

/// The letters that the Universal CRT has and msvcrt has not, or has otherwise.
fn item_c99(tm: &Tm, letter: char, is_plain: bool, words: Words<'_>) -> Option<String> {
    let pattern = match letter {
        'c' if !is_plain => "%a %b %e %T %Y",
        'D' => "%m/%d/%y",
        'F' => "%Y-%m-%d",
        'h' => "%b",
        'n' => "\n",
        'r' => "%I:%M:%S %p",
        'R' => "%H:%M",
        't' => "\t",
        'T' => "%H:%M:%S",
        _ => {
            let (year, week) = iso_week(tm);
            return Some(match letter {
                'C' => format!("{:02}", (tm.year + 1900).div_euclid(100)),
                'e' if is_plain => tm.day.to_string(),
                'e' => format!("{:2}", tm.day),
                'g' => format!("{:02}", year.rem_euclid(100)),
                'G' => year.to_string(),
                'u' => if tm.weekday == 0 { 7 } else { tm.weekday }.to_string(),
                'V' => format!("{week:02}"),
                _ => return None,
            });
        }
    };
    format(tm, pattern, words, Style::Ucrt)
}

/// What a locale says in its own words.
fn item_of_locale(tm: &Tm, letter: char, is_plain: bool, locale: &Locale) -> Option<String> {
    let field = |value: i32| u16::try_from(value).ok();
    let time = SystemTime {
        year: field(tm.year + 1900)?,
        month: field(tm.month + 1)?,
        day_of_week: field(tm.weekday)?,
        day: field(tm.day)?,
        hour: field(tm.hour)?,
        minute: field(tm.minute)?,
        second: field(tm.second)?,
        millisecond: 0,
    };
    let picture = |kind: u32| -> Vec<u16> { locale.text(kind).encode_utf16().collect() };
    let date = |picture: &[u16]| String::from_utf16_lossy(&date_format::date(locale, &time, picture));
    let name = |letters: &str| date(&letters.encode_utf16().collect::<Vec<u16>>());
    let hours =
        || String::from_utf16_lossy(&date_format::time(locale, &time, &picture(facts::TIME_FORMAT), 0));
    let day = || date(&picture(if is_plain { facts::LONG_DATE } else { facts::SHORT_DATE }));
    Some(match letter {
        'a' => name("ddd"),
        'A' => name("dddd"),
        'b' | 'h' => name("MMM"),
        'B' => name("MMMM"),
        'p' => locale.text(if tm.hour < 12 { facts::MORNING } else { facts::AFTERNOON }).to_owned(),
        'c' => format!("{} {}", day(), hours()),
        'x' => day(),
        'X' => hours(),
        _ => return None,
    })
}

/// Returns year and week by ISO 8601: week 1 holds the year's first Thursday.
fn iso_week(tm: &Tm) -> (i32, i32) {
    let year = tm.year + 1900;
    let week = (tm.day_of_year + 10 - if tm.weekday == 0 { 7 } else { tm.weekday }) / 7;
    let weeks_in = |year: i32| {
        let weekday = |year: i32| {
            (year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400)).rem_euclid(7)
        };
        if weekday(year) == 4 || weekday(year - 1) == 3 { 53 } else { 52 }
    };
    match week {
        0 => (year - 1, weeks_in(year - 1)),
        week if week > weeks_in(year) => (year + 1, 1),
        week => (year, week),
    }
}

fn item(tm: &Tm, letter: char, is_plain: bool, words: Words<'_>) -> Option<String> {
    let number =
        |value: i32, width: usize| if is_plain { value.to_string() } else { format!("{value:0width$}") };
    let weekday = DAYS.get(usize::try_from(tm.weekday).ok()?)?;
    let month = MONTHS.get(usize::try_from(tm.month).ok()?)?;
    let (year, hour_12) = (tm.year + 1900, (tm.hour + 11).rem_euclid(12) + 1);
    let sunday_week = (tm.day_of_year + 7 - tm.weekday) / 7;
    let monday_week = (tm.day_of_year + 7 - (tm.weekday + 6) % 7) / 7;
    Some(match letter {
        'a' => weekday[..3].to_owned(),
        'A' => (*weekday).to_owned(),
        'b' => month[..3].to_owned(),
        'B' => (*month).to_owned(),
        'c' if is_plain => format!(
            "{weekday}, {month} {:02}, {year} {:02}:{:02}:{:02}",
            tm.day, tm.hour, tm.minute, tm.second
        ),
        'c' => format!(
            "{:02}/{:02}/{:02} {:02}:{:02}:{:02}",
            tm.month + 1,
            tm.day,
            year % 100,
            tm.hour,
            tm.minute,
            tm.second
        ),
        'd' => number(tm.day, 2),
        'H' => number(tm.hour, 2),
        'I' => number(hour_12, 2),
        'j' => number(tm.day_of_year + 1, 3),
        'm' => number(tm.month + 1, 2),
        'M' => number(tm.minute, 2),
        'p' => if tm.hour < 12 { "AM" } else { "PM" }.to_owned(),
        'S' => number(tm.second, 2),
        'U' => number(sunday_week, 2),
        'w' => tm.weekday.to_string(),
        'W' => number(monday_week, 2),
        'x' if is_plain => format!("{weekday}, {month} {:02}, {year}", tm.day),
        'x' => format!("{:02}/{:02}/{:02}", tm.month + 1, tm.day, year % 100),
        'X' => format!("{:02}:{:02}:{:02}", tm.hour, tm.minute, tm.second),
        'y' => number(year % 100, 2),
        'Y' => number(year, 4),
        'z' | 'Z' => words.zone.to_owned(),
        '%' => "%".to_owned(),
        _ => return None,
    })
}

/// Formats a time with the name of its zone, where the format asks for that.
pub(crate) fn format_guest(
    guest: &mut Guest,
    address: u64,
    pattern: &str,
    style: Style,
) -> Result<Option<String>, Fault> {
    let tm: Tm = guest.read(address)?;
    let mut name = String::new();
    if pattern.contains(['z', 'Z']) {
        let zone = zone(guest)?;
        name = String::from_utf16_lossy(&zone.names[usize::from(tm.is_dst > 0)]);
    }
    let locale = super::state::crt(guest).locale.facts(locale::TIME);
    Ok(format(&tm, pattern, Words { zone: &name, locale }, style))
}

/// Formats fields: destination, its size, format, fields. Returns the length, or 0.
pub(crate) fn format_narrow(
    guest: &mut Guest,
    [to, size, format, tm]: [GuestWord; 4],
    style: Style,
) -> Result<GuestWord, Fault> {
    let state = super::state::crt(guest);
    let page = state.locale.page();
    let page = page.as_deref().unwrap_or_else(|| state.ansi());
    let pattern = page.decode(&guest.read_c_string(format.0)?, 0).unwrap_or_default();
    let text = format_guest(guest, tm.0, &String::from_utf16_lossy(&pattern), style)?;
    let Some(text) = text else { return set_errno(guest, EINVAL).map(|()| GuestWord(0)) };
    let units: Vec<u16> = text.encode_utf16().collect();
    let bytes = page.encode(&units, 0, None, false).map(|encoded| encoded.bytes).unwrap_or_default();
    if bytes.len() as u64 >= size.0 {
        return Ok(GuestWord(0));
    }
    write_narrow_z(guest, to.0, &bytes)?;
    Ok(GuestWord(bytes.len() as u64))
}

/// As [`format_narrow`], for wide text.
pub(crate) fn format_wide(
    guest: &mut Guest,
    [to, size, format, tm]: [GuestWord; 4],
    style: Style,
) -> Result<GuestWord, Fault> {
    let pattern = guest.read_wide_string(format.0)?;
    let text = format_guest(guest, tm.0, &String::from_utf16_lossy(&pattern), style)?;
    let Some(text) = text else { return set_errno(guest, EINVAL).map(|()| GuestWord(0)) };
    let units: Vec<u16> = text.encode_utf16().collect();
    if units.len() as u64 >= size.0 {
        return Ok(GuestWord(0));
    }
    write_wide_z(guest, to.0, &units)?;
    Ok(GuestWord(units.len() as u64))
}

/// Defines the functions of three names: by the machine, 32-bit times, 64-bit times.
macro_rules! three {
    ($($doc:literal, $page:literal; $plain:ident, $short:ident, $long:ident($guest:ident, $seconds:ident): $body:expr;)*) => {
        define! {$(
            $doc, $page;
            $plain($guest, sourceTime: GuestWord) -> GuestWord {
                let $seconds = read_seconds($guest, sourceTime, is_64($guest))?;
                $body
            }
            $doc, $page;
            $short($guest, sourceTime: GuestWord) -> GuestWord {
                let $seconds = read_seconds($guest, sourceTime, false)?;
                $body
            }
            $doc, $page;
            $long($guest, sourceTime: GuestWord) -> GuestWord {
                let $seconds = read_seconds($guest, sourceTime, true)?;
                $body
            }
        )*}
    };
}
three! {
    "Returns a time's fields in UTC, in a buffer of the thread; null out of range.", "gmtime-gmtime32-gmtime64";
    gmtime, _gmtime32, _gmtime64(guest, seconds): give(guest, utc(seconds));
    "Returns a time's fields in local time, in a buffer of the thread; null out of range.", "localtime-localtime32-localtime64";
    localtime, _localtime32, _localtime64(guest, seconds): {
        let tm = local(guest, seconds)?;
        give(guest, tm)
    };
    "Returns the text of a time in local time, in a buffer of the thread; null out of range.", "ctime-ctime32-ctime64-wctime-wctime32-wctime64";
    ctime, _ctime32, _ctime64(guest, seconds): give_ctime(guest, seconds);
}

define! {
    "Returns the time in seconds since 1970, and stores it.", "time-time32-time64";
    time(guest, destTime: GuestWord) -> i64 {
        if is_64(guest) { _time64(guest, destTime) } else { _time32(guest, destTime).map(i64::from) }
    }
    "Returns the time in seconds since 1970, and stores it.", "time-time32-time64";
    _time32(guest, destTime: GuestWord) -> i32 {
        let seconds = now_seconds(guest)? as i32;
        if !destTime.is_null() {
            guest.write(destTime.0, &seconds)?;
        }
        Ok(seconds)
    }
    "Returns the time in seconds since 1970, and stores it.", "time-time32-time64";
    _time64(guest, destTime: GuestWord) -> i64 {
        let seconds = now_seconds(guest)?;
        if !destTime.is_null() {
            guest.write(destTime.0, &seconds)?;
        }
        Ok(seconds)
    }
    "Returns the milliseconds since it was first called.", "clock";
    clock(guest) -> i32 {
        let now = kernel32(guest, "GetTickCount", &[])? as u32;
        let start = *super::state::crt(guest).first_tick.get_or_init(|| now);
        Ok(now.wrapping_sub(start) as i32)
    }
    "Stores a time's fields in UTC; returns 0, or EINVAL.", "gmtime-s-gmtime32-s-gmtime64-s";
    _gmtime64_s(guest, tmDest: GuestWord, sourceTime: GuestWord) -> i32 {
        match utc(read_seconds(guest, sourceTime, true)?) {
            Some(tm) => guest.write(tmDest.0, &tm).map(|()| 0),
            None => Ok(EINVAL),
        }
    }
    "Stores a time's fields in local time; returns 0, or EINVAL.", "localtime-s-localtime32-s-localtime64-s";
    _localtime64_s(guest, tmDest: GuestWord, sourceTime: GuestWord) -> i32 {
        let seconds = read_seconds(guest, sourceTime, true)?;
        match local(guest, seconds)? {
            Some(tm) => guest.write(tmDest.0, &tm).map(|()| 0),
            None => Ok(EINVAL),
        }
    }
    "Normalises fields of local time and returns their second, or -1.", "mktime-mktime32-mktime64";
    mktime(guest, timeptr: GuestWord) -> i64 {
        make(guest, timeptr.0, true)
    }
    "Normalises fields of local time and returns their second, or -1.", "mktime-mktime32-mktime64";
    _mktime32(guest, timeptr: GuestWord) -> i32 {
        Ok(i32::try_from(make(guest, timeptr.0, true)?).unwrap_or(-1))
    }
    "Normalises fields of local time and returns their second, or -1.", "mktime-mktime32-mktime64";
    _mktime64(guest, timeptr: GuestWord) -> i64 {
        make(guest, timeptr.0, true)
    }
    "Normalises fields of UTC and returns their second, or -1.", "mkgmtime-mkgmtime32-mkgmtime64";
    _mkgmtime(guest, timeptr: GuestWord) -> i64 {
        make(guest, timeptr.0, false)
    }
    "Normalises fields of UTC and returns their second, or -1.", "mkgmtime-mkgmtime32-mkgmtime64";
    _mkgmtime64(guest, timeptr: GuestWord) -> i64 {
        make(guest, timeptr.0, false)
    }
    "Returns the text of fields, in a buffer of the thread.", "asctime-wasctime";
    asctime(guest, timeptr: GuestWord) -> GuestWord {
        let tm: Tm = guest.read(timeptr.0)?;
        give_text(guest, &tm)
    }
    "Returns the wide text of fields, in a buffer of the thread.", "asctime-wasctime";
    _wasctime(guest, timeptr: GuestWord) -> GuestWord {
        let tm: Tm = guest.read(timeptr.0)?;
        let to = thread_block(guest)? + block::WIDE_ASCTIME;
        let text: Vec<u16> = text_of(&tm, Style::Msvcrt).encode_utf16().take(31).collect();
        write_wide_z(guest, to, &text)?;
        Ok(GuestWord(to))
    }
    "Formats fields; returns the length, or 0 when it does not fit.", "strftime-wcsftime-strftime-l-wcsftime-l";
    strftime(guest, strDest: GuestWord, maxsize: GuestWord, format: GuestWord, timeptr: GuestWord) -> GuestWord {
        format_narrow(guest, [strDest, maxsize, format, timeptr], Style::Msvcrt)
    }
    "Formats fields as wide text; returns the length, or 0 when it does not fit.", "strftime-wcsftime-strftime-l-wcsftime-l";
    wcsftime(guest, wcsDest: GuestWord, maxsize: GuestWord, format: GuestWord, timeptr: GuestWord) -> GuestWord {
        format_wide(guest, [wcsDest, maxsize, format, timeptr], Style::Msvcrt)
    }
    "Returns the seconds between two 64-bit times.", "difftime-difftime32-difftime64";
    _difftime64(guest, timeEnd: i64, timeStart: i64) -> f64 {
        let _ = guest;
        Ok((timeEnd - timeStart) as f64)
    }
    "Stores the time, its milliseconds and the time zone.", "ftime-ftime32-ftime64";
    _ftime(guest, timeptr: GuestWord) -> () {
        let size = if is_64(guest) { 8 } else { 4 };
        store_ftime(guest, timeptr.0, size)
    }
    "Stores the time, its milliseconds and the time zone.", "ftime-ftime32-ftime64";
    _ftime64(guest, timeptr: GuestWord) -> () {
        store_ftime(guest, timeptr.0, 8)
    }
    "Sets `_timezone`, `_daylight`, `_dstbias` and `_tzname` by the system's time zone.", "tzset";
    _tzset(guest) -> () {
        let zone = zone(guest)?;
        guest.write(variable(guest, "_timezone"), &(zone.standard * 60))?;
        guest.write(variable(guest, "_daylight"), &i32::from(zone.summer.is_some()))?;
        let bias = zone.summer.map_or(0, |summer| (summer - zone.standard) * 60);
        guest.write(variable(guest, "_dstbias"), &bias)?;
        let word = guest.machine().pointer_size();
        for (index, name) in zone.names.iter().enumerate() {
            let to = guest.read_word(variable(guest, "_tzname") + index as u64 * word)?;
            let mut bytes = super::state::crt(guest).narrow(name);
            bytes.truncate(63);
            write_narrow_z(guest, to, &bytes)?;
        }
        Ok(())
    }
    "Writes the date as MM/DD/YY.", "strdate-wstrdate";
    _strdate(guest, datestr: GuestWord) -> GuestWord {
        stamp(guest, datestr, "%x")
    }
    "Writes the time as HH:MM:SS.", "strtime-wstrtime";
    _strtime(guest, timestr: GuestWord) -> GuestWord {
        stamp(guest, timestr, "%X")
    }
}

/// Returns the seconds between two times.
///
/// Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/difftime-difftime32-difftime64>
#[winapi(cdecl)]
pub fn difftime(guest: &mut Guest, timeEnd: GuestWord, timeStart: GuestWord) -> f64 {
    let read = |word: GuestWord| if is_64(guest) { word.0 as i64 } else { i64::from(word.0 as i32) };
    (read(timeEnd) - read(timeStart)) as f64
}

pub(crate) fn stamp(guest: &mut Guest, to: GuestWord, pattern: &str) -> Result<GuestWord, Fault> {
    let seconds = now_seconds(guest)?;
    let text = local(guest, seconds)?.and_then(|tm| format(&tm, pattern, Words::default(), Style::Msvcrt));
    write_narrow_z(guest, to.0, text.unwrap_or_default().as_bytes())?;
    Ok(to)
}

pub(crate) fn store_ftime(guest: &mut Guest, to: u64, time_size: u64) -> Result<(), Fault> {
    let (seconds, nanoseconds) = file_time_to_unix(now(guest)?);
    let zone = zone(guest)?;
    let is_dst = local(guest, seconds)?.is_some_and(|tm| tm.is_dst > 0);
    guest.write_bytes(to, &seconds.to_le_bytes()[..time_size as usize])?;
    guest.write(to + time_size, &((nanoseconds / 1_000_000) as u16))?;
    guest.write(to + time_size + 2, &(zone.standard as i16))?;
    guest.write(to + time_size + 4, &i16::from(is_dst))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_seconds_are_inverse() {
        for seconds in [0, 951_782_400, 1_234_567_890, LAST_SECOND] {
            assert_eq!(seconds_of(&utc(seconds).unwrap()), Some(seconds));
        }
        let odd = Tm { year: 100, month: 14, day: 0, hour: 25, minute: -1, ..Tm::default() };
        // The 0th of March 2001 is the 28th of February; 24:59 hours on, it is the 1st of March, 0:59.
        assert_eq!(
            text_of(&utc(seconds_of(&odd).unwrap()).unwrap(), Style::Msvcrt),
            "Thu Mar 01 00:59:00 2001\n"
        );
        assert_eq!(utc(-1), None);
    }

    #[test]
    fn times_are_formatted() {
        let tm = utc(1_234_567_890).unwrap();
        let cases = [
            ("%Y-%m-%d %H:%M:%S", "2009-02-13 23:31:30"),
            ("%a %A %b %B", "Fri Friday Feb February"),
            ("%I %p %j %U %W %w", "11 PM 044 06 06 5"),
            ("%#d %#m %%", "13 2 %"),
            ("%c|%x|%X", "02/13/09 23:31:30|02/13/09|23:31:30"),
        ];
        for (pattern, expected) in cases {
            assert_eq!(
                format(&tm, pattern, Words::default(), Style::Msvcrt).as_deref(),
                Some(expected),
                "{pattern}"
            );
        }
        let german = Words { zone: "", locale: facts::of_number(0x407) };
        let text = format(&tm, "%A, %d. %B %Y|%x|%X|%c|%#x", german, Style::Ucrt);
        let expected =
            "Freitag, 13. Februar 2009|13.02.2009|23:31:30|13.02.2009 23:31:30|Freitag, 13. Februar 2009";
        assert_eq!(text.as_deref(), Some(expected));
        assert_eq!(format(&tm, "%Q", Words::default(), Style::Msvcrt), None);
    }
}
