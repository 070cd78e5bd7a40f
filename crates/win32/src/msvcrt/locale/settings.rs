//! The locale in force: the process', a thread's own, or that of a call of an `_l` function.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use plat_abi::Fault;

use super::name::Setting;
use crate::guest::Guest;
use crate::logic::nls::code_page::{CodePage, DefaultPages, MB_ERR_INVALID_CHARS};
use crate::logic::nls::locale::{self, Locale as Facts};
use crate::logic::nls::{case, collate, ctype};

/// `LC_ALL` and the categories behind it.
pub(crate) const ALL: u32 = 0;
pub(crate) const COLLATE: u32 = 1;
pub(crate) const CTYPE: u32 = 2;
pub(crate) const MONETARY: u32 = 3;
pub(crate) const NUMERIC: u32 = 4;
pub(crate) const TIME: u32 = 5;
/// The number of categories.
pub(crate) const CATEGORIES: u32 = 6;

/// What the categories are set to.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// By category; the first is not used.
    pub(crate) categories: [Setting; CATEGORIES as usize],
}

impl Settings {
    /// Returns the settings of a program that was just started.
    pub(crate) fn of_c() -> Self {
        Self { categories: std::array::from_fn(|_| Setting::of_c()) }
    }

    /// Returns a category's locale; `None` for "C".
    pub(crate) fn locale(&self, category: u32) -> Option<&'static Facts> {
        self.categories.get(category as usize)?.locale
    }

    /// Returns the name that `setlocale` gives for a category.
    pub(crate) fn name(&self, category: u32) -> String {
        /// The names of the categories, as a mixed name lists them.
        const NAMES: [&str; 6] = ["", "LC_COLLATE", "LC_CTYPE", "LC_MONETARY", "LC_NUMERIC", "LC_TIME"];
        if category != ALL {
            return self.categories[category as usize].name.clone();
        }
        let first = &self.categories[1].name;
        if self.categories[1..].iter().all(|setting| setting.name == *first) {
            return first.clone();
        }
        let parts = NAMES.iter().zip(&self.categories).skip(1);
        parts.map(|(name, setting)| format!("{name}={}", setting.name)).collect::<Vec<_>>().join(";")
    }
}

thread_local! {
    /// The locale of the `_l` function that runs in this thread.
    static CALL: RefCell<Option<Arc<Settings>>> = const { RefCell::new(None) };
    /// The thread's own locale: `_configthreadlocale`.
    static OWN: RefCell<Option<Arc<Settings>>> = const { RefCell::new(None) };
    /// Whether `setlocale` changes this thread's own locale.
    static IS_OWN: Cell<bool> = const { Cell::new(false) };
}

/// The locales of the process.
#[derive(Default)]
pub(crate) struct Locale {
    /// Whether any locale but "C" was ever made: until then nobody looks further.
    is_used: AtomicBool,
    global: Mutex<Option<Arc<Settings>>>,
    /// The objects of `_create_locale`, by their address.
    pub(crate) objects: Mutex<Vec<(u64, Arc<Settings>)>>,
    /// The code page of `_setmbcp`, 0 until it was called.
    pub(crate) multibyte: AtomicU32,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a function with the locale of an object; null is the current one.
///
/// # Errors
/// What the function returns.
pub(crate) fn with_locale<T>(
    guest: &mut Guest,
    object: u64,
    body: impl FnOnce(&mut Guest) -> Result<T, Fault>,
) -> Result<T, Fault> {
    if object == 0 {
        return body(guest);
    }
    let settings =
        lock(&super::crt(guest).locale.objects).iter().find(|row| row.0 == object).map(|row| row.1.clone());
    let Some(settings) = settings else { return body(guest) };
    let before = CALL.replace(Some(settings));
    let result = body(guest);
    CALL.set(before);
    result
}

/// Forgets the locale of an `_l` function: its frame may be abandoned by what the program does next.
pub(crate) fn leave_call() {
    CALL.set(None);
}

/// Makes a thread keep a locale of its own, or share the process' (`None` only asks); returns whether it kept one.
pub(crate) fn configure_thread(locale: &Locale, own: Option<bool>) -> bool {
    let before = IS_OWN.get();
    if let Some(own) = own {
        IS_OWN.set(own);
        if own && !before {
            let current = locale.current().unwrap_or_else(|| Arc::new(Settings::of_c()));
            OWN.set(Some(current));
        } else if !own {
            OWN.set(None);
        }
    }
    before
}

impl Locale {
    /// Returns the settings in force; `None` while all is "C".
    pub(crate) fn current(&self) -> Option<Arc<Settings>> {
        if !self.is_used.load(Ordering::Relaxed) {
            return None;
        }
        let call = CALL.with_borrow(Clone::clone);
        call.or_else(|| OWN.with_borrow(Clone::clone)).or_else(|| lock(&self.global).clone())
    }

    /// Sets the locale of the thread, if it has its own, or of the process; says whether it was that of the process.
    pub(crate) fn set(&self, settings: Settings) -> bool {
        self.is_used.store(true, Ordering::Relaxed);
        let settings = Some(Arc::new(settings));
        if IS_OWN.get() {
            OWN.set(settings);
            return false;
        }
        *lock(&self.global) = settings;
        true
    }

    /// Notes that a locale other than "C" exists.
    pub(crate) fn use_objects(&self) {
        self.is_used.store(true, Ordering::Relaxed);
    }

    /// Returns the locale of a category, `None` for "C".
    pub(crate) fn facts(&self, category: u32) -> Option<&'static Facts> {
        self.current()?.locale(category)
    }

    /// Returns the code page of LC_CTYPE, `None` for "C".
    pub(crate) fn page(&self) -> Option<Arc<CodePage>> {
        self.current()?.categories[CTYPE as usize].page.clone()
    }

    /// Returns the decimal point of LC_NUMERIC; one that is not ASCII, which no locale here has, is a full stop.
    pub(crate) fn decimal_point(&self) -> u8 {
        let point = self.facts(NUMERIC).map_or(".", |facts| facts.text(locale::DECIMAL));
        point.bytes().next().filter(u8::is_ascii).unwrap_or(b'.')
    }

    /// Returns the code page of the `_l` function that runs, if one does: 1252 for "C".
    pub(crate) fn page_of_call(&self) -> Option<CodePage> {
        if !self.is_used.load(Ordering::Relaxed) {
            return None;
        }
        let page =
            CALL.with_borrow(|call| call.as_ref().map(|call| call.categories[CTYPE as usize].page.clone()))?;
        page.map(|page| (*page).clone()).or_else(|| CodePage::new(1252, DefaultPages::default()).ok())
    }

    /// Returns the multibyte code page, that of `_setmbcp`.
    pub(crate) fn multibyte_page(&self) -> CodePage {
        let number = self.multibyte.load(Ordering::Relaxed);
        let page = if number == 0 { None } else { CodePage::new(number, DefaultPages::default()).ok() };
        page.unwrap_or_else(|| crate::nt::nls::ansi().clone())
    }

    /// Converts bytes to UTF-16; in "C" each byte is its own unit.
    pub(crate) fn widen(&self, text: &[u8]) -> Vec<u16> {
        match self.page() {
            Some(page) => page.decode(text, 0).unwrap_or_default(),
            None => text.iter().map(|&byte| u16::from(byte)).collect(),
        }
    }

    /// Converts bytes to UTF-16; `None` where they are no text of the locale.
    pub(crate) fn widen_all(&self, text: &[u8]) -> Option<Vec<u16>> {
        match self.page() {
            Some(page) => page.decode(text, MB_ERR_INVALID_CHARS).ok(),
            None => Some(self.widen(text)),
        }
    }

    /// Converts UTF-16 to bytes; what has no counterpart becomes `?`.
    pub(crate) fn narrow(&self, text: &[u16]) -> Vec<u8> {
        match self.page() {
            Some(page) => page.encode(text, 0, None, false).map(|encoded| encoded.bytes).unwrap_or_default(),
            None => text.iter().map(|&unit| u8::try_from(unit).unwrap_or(b'?')).collect(),
        }
    }

    /// Converts UTF-16 to bytes; `None` when the locale lacks a character.
    pub(crate) fn narrow_all(&self, text: &[u16]) -> Option<Vec<u8>> {
        let Some(page) = self.page() else {
            return text.iter().map(|&unit| u8::try_from(unit).ok()).collect();
        };
        let is_utf8 = *page == CodePage::Utf8;
        if is_utf8 {
            return String::from_utf16(text).ok().map(String::into_bytes);
        }
        let encoded = page.encode(text, 0, None, true).ok()?;
        if encoded.used_default { None } else { Some(encoded.bytes) }
    }

    /// Converts one unit to a byte, if the locale has it as one.
    pub(crate) fn narrow_unit(&self, unit: u16) -> Option<u8> {
        match self.narrow_all(&[unit])?.as_slice() {
            [byte] => Some(*byte),
            _ => None,
        }
    }

    /// Returns the bytes of a text's first character; `None` when they are none, or not all there.
    pub(crate) fn first_length(&self, text: &[u8]) -> Option<usize> {
        let page = self.page();
        let first = *text.first()?;
        let length = match page.as_deref() {
            Some(CodePage::Utf8) => match first {
                0..=0x7f => 1,
                0xc2..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf4 => 4,
                _ => return None,
            },
            Some(page) if is_lead(page, first) => 2,
            _ => 1,
        };
        (text.len() >= length).then_some(length)
    }

    /// Returns what compares as LC_COLLATE does; `None` in "C".
    pub(crate) fn sort_key(&self, text: &[u16]) -> Option<Vec<u8>> {
        self.facts(COLLATE)?;
        // The key ends with its terminator.
        Some(
            collate::sort_key(text, collate::Rules::strings(false))
                .into_iter()
                .filter(|byte| *byte != 0)
                .collect(),
        )
    }

    /// Returns text with the other case of its single bytes.
    pub(crate) fn map_case(&self, text: &[u8], map: fn(u16) -> u16) -> Vec<u8> {
        let page = self.page();
        let one = |byte: u8| match page.as_deref() {
            Some(page) => other_case(page, byte, map),
            None if byte < 128 => map(byte.into()) as u8,
            None => byte,
        };
        match page.as_deref().map(CodePage::lead_bytes) {
            // Characters of two bytes stay as they are.
            Some(leads) if !leads.is_empty() => {
                let mut mapped = Vec::with_capacity(text.len());
                let mut bytes = text.iter().copied();
                while let Some(byte) = bytes.next() {
                    let is_lead = leads.iter().any(|range| (range.0..=range.1).contains(&byte));
                    mapped.push(if is_lead { byte } else { one(byte) });
                    mapped.extend(if is_lead { bytes.next() } else { None });
                }
                mapped
            }
            _ => text.iter().map(|&byte| one(byte)).collect(),
        }
    }

    /// Compares texts by LC_COLLATE; `None` in "C".
    pub(crate) fn compare(&self, left: &[u16], right: &[u16], ignore_case: bool) -> Option<i32> {
        self.facts(COLLATE)?;
        Some(collate::compare(left, right, collate::Rules::strings(ignore_case)) as i32)
    }
}

/// Says whether a byte begins a character of two.
pub(crate) fn is_lead(page: &CodePage, byte: u8) -> bool {
    page.lead_bytes().iter().any(|range| (range.0..=range.1).contains(&byte))
}

/// Returns the kinds of a byte in a code page, as the table of `_pctype` has them.
pub(crate) fn kinds(page: &CodePage, byte: u8) -> u16 {
    /// `_LEADBYTE`.
    const LEAD: u16 = 0x8000;
    match (byte, is_lead(page, byte)) {
        (0..=127, _) => super::super::ctype::bits(byte) as u16,
        (_, true) => LEAD,
        _ => match page.decode(&[byte], MB_ERR_INVALID_CHARS).as_deref() {
            // What Unicode has as defined (0x200) is no kind of the runtime's.
            Ok([unit]) => ctype::character_type(*unit) & 0x1ff,
            _ => 0,
        },
    }
}

/// Returns the other case of a byte in a code page, if it has one there.
pub(crate) fn other_case(page: &CodePage, byte: u8, map: fn(u16) -> u16) -> u8 {
    if byte < 128 {
        return map(byte.into()) as u8;
    }
    let unit = match page.decode(&[byte], MB_ERR_INVALID_CHARS).as_deref() {
        Ok([unit]) => map(*unit),
        _ => return byte,
    };
    match page.encode(&[unit], 0, None, true) {
        Ok(encoded) if !encoded.used_default && encoded.bytes.len() == 1 => encoded.bytes[0],
        _ => byte,
    }
}

/// The maps of cases, for [`other_case`].
pub(crate) const UPPER: fn(u16) -> u16 = case::upcase;
pub(crate) const LOWER: fn(u16) -> u16 = case::downcase;
