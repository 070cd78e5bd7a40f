//! locale.h: `setlocale`, objects of locales, and what the runtime tells of them.

pub(crate) mod name;
mod settings;

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use plat_abi::{Fault, GuestStruct, GuestWord, Memory};

use super::define::define;
use super::state::{crt, place, place_narrow, place_wide, variable};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::logic::nls::code_page::{CodePage, DefaultPages};
use crate::logic::nls::locale as facts;
use crate::logic::printf::Runtime;
use crate::nt::nls;
use name::{Setting, setting_of};
pub(crate) use settings::{
    ALL, CATEGORIES, COLLATE, CTYPE, LOWER, Locale, MONETARY, NUMERIC, Settings, TIME, UPPER,
    configure_thread, is_lead, kinds, leave_call, other_case, with_locale,
};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full localeconv; full ___lc_codepage_func; full ___lc_collate_cp_func; full ___lc_handle_func; full ___lc_locale_name_func; full ___mb_cur_max_func; full ___mb_cur_max_l_func;
    full _getmbcp; full _setmbcp; full _configthreadlocale; full _free_locale; full "__free_locale" = _free_locale;
    full _get_current_locale; full "__get_current_locale" = _get_current_locale;
};

/// Those that the Universal CRT has in another form.
pub const OLD_EXPORTS: &[Export] = dll! {
    partial setlocale, "80 locales"; partial _wsetlocale, "80 locales";
    partial _create_locale, "80 locales"; partial "__create_locale" = _create_locale, "80 locales"; partial _wcreate_locale, "80 locales";
};

/// The Universal CRT's, which knows `de-DE` and UTF-8.
pub const UCRT_EXPORTS: &[Export] = dll! {
    partial "setlocale" = ucrt::setlocale, "80 locales"; partial "_wsetlocale" = ucrt::_wsetlocale, "80 locales";
    partial "_create_locale" = ucrt::_create_locale, "80 locales"; partial "_wcreate_locale" = ucrt::_wcreate_locale, "80 locales";
};

/// `struct lconv`: ten strings, eight bytes, and the Universal CRT's eight wide strings.
#[derive(GuestStruct, Default)]
struct Lconv {
    strings: [GuestWord; 10],
    numbers: [u8; 8],
    wide: [GuestWord; 8],
}

/// The types of the strings, in the order of the structure; 0 is none.
const STRINGS: [(u32, u32); 10] = [
    (NUMERIC, facts::DECIMAL),
    (NUMERIC, facts::THOUSAND),
    (NUMERIC, facts::GROUPING),
    (MONETARY, 0x15),
    (MONETARY, facts::CURRENCY),
    (MONETARY, facts::MONEY_DECIMAL),
    (MONETARY, facts::MONEY_THOUSAND),
    (MONETARY, facts::MONEY_GROUPING),
    (MONETARY, 0x50),
    (MONETARY, 0x51),
];
/// The types of the bytes, in the order of the structure.
const NUMBERS: [u32; 8] = [0x1a, 0x19, 0x54, 0x55, 0x56, 0x57, 0x52, 0x53];
/// The strings that the Universal CRT has as wide ones too, in its order.
const WIDE: [usize; 8] = [0, 1, 3, 4, 5, 6, 8, 9];

/// Makes the structure that `localeconv` returns.
pub(crate) fn attach(guest: &mut Guest) -> Result<(), Fault> {
    let lconv = place_lconv(guest, &Settings::of_c())?;
    guest.write_word(variable(guest, "__lconv"), lconv)
}

/// Makes what no locale tells 255, which is `CHAR_MAX` of a program that was compiled with unsigned characters.
pub(crate) fn use_unsigned_characters(guest: &mut Guest) -> Result<(), Fault> {
    let crt = crt(guest);
    crt.unsigned_characters.store(true, Ordering::Relaxed);
    crt.locale_texts
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .retain(|key, _| !key.starts_with("lconv"));
    attach(guest)
}

/// Returns a grouping as bytes: `3;2;0` is 3, 2; a last group that does not repeat ends with `CHAR_MAX`.
fn grouping_bytes(text: &str) -> Vec<u8> {
    let mut groups: Vec<u8> = text.split(';').filter_map(|group| group.parse().ok()).collect();
    if groups.last() == Some(&0) {
        groups.pop();
    } else if !groups.is_empty() {
        groups.push(127);
    }
    groups
}

fn place_lconv(guest: &Guest, settings: &Settings) -> Result<u64, Fault> {
    let unknown = if crt(guest).unsigned_characters.load(Ordering::Relaxed) { 255 } else { 127 };
    let mut lconv = Lconv { numbers: [unknown; 8], ..Lconv::default() };
    let mut texts = [""; 10];
    for (index, (category, kind)) in STRINGS.into_iter().enumerate() {
        let locale = settings.locale(category);
        let text = locale.map_or(if index == 0 { "." } else { "" }, |locale| locale.text(kind));
        texts[index] = text;
        let bytes = match kind {
            facts::GROUPING | facts::MONEY_GROUPING => grouping_bytes(text),
            _ => {
                let units: Vec<u16> = text.encode_utf16().collect();
                let page = settings.categories[category as usize].page.as_deref();
                let encoded = page.and_then(|page| page.encode(&units, 0, None, false).ok());
                encoded.map_or_else(|| text.as_bytes().to_vec(), |encoded| encoded.bytes)
            }
        };
        lconv.strings[index] = GuestWord(place_narrow(guest, &bytes)?);
    }
    if let Some(locale) = settings.locale(MONETARY) {
        lconv.numbers = NUMBERS.map(|kind| locale.number(kind) as u8);
    }
    for (slot, index) in lconv.wide.iter_mut().zip(WIDE) {
        *slot = GuestWord(place_wide(guest, &texts[index].encode_utf16().collect::<Vec<u16>>())?);
    }
    let address = place(guest, &vec![0; Lconv::size(guest.machine()) as usize])?;
    guest.write(address, &lconv)?;
    Ok(address)
}

/// Returns the address of what `make` once made for a name: names and structures live as long as the program.
fn once(guest: &Guest, key: String, make: impl FnOnce() -> Result<u64, Fault>) -> Result<GuestWord, Fault> {
    let texts = || crt(guest).locale_texts.lock().unwrap_or_else(PoisonError::into_inner);
    let known = texts().get(&key).copied();
    if let Some(address) = known {
        return Ok(GuestWord(address));
    }
    let address = make()?;
    texts().insert(key, address);
    Ok(GuestWord(address))
}

fn current(guest: &Guest) -> Arc<Settings> {
    crt(guest).locale.current().unwrap_or_else(|| Arc::new(Settings::of_c()))
}

/// Returns settings changed by a name; `None` for a name that there is not.
fn changed(settings: &Settings, category: u32, name: &str, runtime: Runtime) -> Option<Settings> {
    let mut settings = settings.clone();
    if category == ALL && name.contains('=') {
        const NAMES: [&str; 6] = ["", "LC_COLLATE", "LC_CTYPE", "LC_MONETARY", "LC_NUMERIC", "LC_TIME"];
        for part in name.split(';') {
            let (category, name) = part.split_once('=')?;
            let index = NAMES.iter().position(|known| *known == category).filter(|index| *index > 0)?;
            settings.categories[index] = setting_of(name, runtime)?;
        }
        return Some(settings);
    }
    let setting: Setting = setting_of(name, runtime)?;
    match category {
        ALL => settings.categories = std::array::from_fn(|_| setting.clone()),
        category => settings.categories[category as usize] = setting,
    }
    Some(settings)
}

/// Makes the exported variables tell of the process' locale.
fn publish(guest: &Guest, settings: &Settings) -> Result<(), Fault> {
    let page = settings.categories[CTYPE as usize].page.as_deref();
    let table = match page {
        None => super::ctype::table(),
        Some(page) => super::ctype::table_of(|byte| kinds(page, byte)),
    };
    guest.write_bytes(variable(guest, "_ctype"), &table)?;
    guest.write(variable(guest, "__mb_cur_max"), &page.map_or(1, CodePage::max_character_size))?;
    guest.write(variable(guest, "__lc_codepage"), &page.map_or(0, CodePage::number))?;
    let collate = settings.categories[COLLATE as usize].page.as_deref();
    guest.write(variable(guest, "__lc_collate_cp"), &collate.map_or(0, CodePage::number))?;
    for category in 0..CATEGORIES {
        let number = settings.locale(category).map_or(0, |one| one.number);
        guest.write(variable(guest, "__lc_handle") + u64::from(category) * 4, &number)?;
    }
    let lconv = once(guest, format!("lconv {}", settings.name(ALL)), || place_lconv(guest, settings))?;
    guest.write_word(variable(guest, "__lconv"), lconv.0)
}

/// Sets or asks for the locale of a category, and returns its name.
fn set(
    guest: &mut Guest,
    category: i32,
    name: Option<String>,
    runtime: Runtime,
) -> Result<Option<String>, Fault> {
    let Some(category) = u32::try_from(category).ok().filter(|&category| category < CATEGORIES) else {
        return Ok(None);
    };
    let mut settings = current(guest);
    if let Some(name) = name {
        let Some(changed) = changed(&settings, category, &name, runtime) else { return Ok(None) };
        settings = Arc::new(changed.clone());
        if crt(guest).locale.set(changed) {
            publish(guest, &settings)?;
        }
    }
    Ok(Some(settings.name(category)))
}

/// Makes an object of a locale; null for a name that there is not.
fn create(guest: &mut Guest, category: i32, name: &str, runtime: Runtime) -> Result<GuestWord, Fault> {
    let category = u32::try_from(category).ok().filter(|&category| category < CATEGORIES);
    let settings = category.and_then(|category| changed(&Settings::of_c(), category, name, runtime));
    settings.map_or(Ok(GuestWord::NULL), |settings| make_object(guest, Arc::new(settings)))
}

/// Puts an object into guest memory: the addresses of two blocks. The first begins as the headers of the Universal CRT
/// have it: the table of kinds, the most bytes of a character, the code page.
fn make_object(guest: &Guest, settings: Arc<Settings>) -> Result<GuestWord, Fault> {
    let word = guest.machine().pointer_size();
    let page = settings.categories[CTYPE as usize].page.clone();
    let table = super::ctype::table_of(|byte| match page.as_deref() {
        Some(page) => kinds(page, byte),
        None => super::ctype::bits(byte) as u16,
    });
    let object = place(guest, &vec![0; (4 * word + 8) as usize + table.len()])?;
    let (data, table_at) = (object + 2 * word, object + 4 * word + 8);
    guest.write_word(object, data)?;
    guest.write_word(object + word, data)?;
    guest.write_bytes(table_at, &table)?;
    guest.write_word(data, table_at + 2)?;
    guest.write(data + word, &page.as_deref().map_or(1, CodePage::max_character_size))?;
    guest.write(data + word + 4, &page.as_deref().map_or(0, CodePage::number))?;
    let locale = &crt(guest).locale;
    locale.use_objects();
    locale.objects.lock().unwrap_or_else(PoisonError::into_inner).push((object, settings));
    Ok(GuestWord(object))
}

fn read_name(guest: &Guest, address: GuestWord, is_wide: bool) -> Result<Option<String>, Fault> {
    Ok(match (address.is_null(), is_wide) {
        (true, _) => None,
        (_, true) => Some(String::from_utf16_lossy(&guest.read_wide_string(address.0)?)),
        (_, false) => Some(String::from_utf16_lossy(&nls::read_ansi(guest, address.0)?)),
    })
}

fn give_name(guest: &Guest, name: Option<String>, is_wide: bool) -> Result<GuestWord, Fault> {
    let Some(name) = name else { return Ok(GuestWord::NULL) };
    let units: Vec<u16> = name.encode_utf16().collect();
    once(guest, format!("{is_wide} {name}"), || match is_wide {
        true => place_wide(guest, &units),
        false => place_narrow(guest, &nls::narrow(&units)),
    })
}

/// Defines the functions whose names of locales depend on the runtime.
macro_rules! of_runtime {
    ($runtime:expr) => {
        define! {
            "Sets or asks for the locale of a category; null for one that does not exist.", "setlocale-wsetlocale";
            setlocale(guest, category: i32, locale: GuestWord) -> GuestWord {
                let name = read_name(guest, locale, false)?;
                let name = set(guest, category, name, $runtime)?;
                give_name(guest, name, false)
            }
            "Sets or asks for the locale of a category; null for one that does not exist.", "setlocale-wsetlocale";
            _wsetlocale(guest, category: i32, locale: GuestWord) -> GuestWord {
                let name = read_name(guest, locale, true)?;
                let name = set(guest, category, name, $runtime)?;
                give_name(guest, name, true)
            }
            "Makes an object of a locale, for functions that end in `_l`; null for a locale that does not exist.", "create-locale-wcreate-locale";
            _create_locale(guest, category: i32, locale: GuestWord) -> GuestWord {
                let name = read_name(guest, locale, false)?.unwrap_or_else(|| "?".to_owned());
                create(guest, category, &name, $runtime)
            }
            "Makes an object of a locale, for functions that end in `_l`; null for a locale that does not exist.", "create-locale-wcreate-locale";
            _wcreate_locale(guest, category: i32, locale: GuestWord) -> GuestWord {
                let name = read_name(guest, locale, true)?.unwrap_or_else(|| "?".to_owned());
                create(guest, category, &name, $runtime)
            }
        }
    };
}
of_runtime!(Runtime::Msvcrt);

/// The forms of the Universal CRT.
pub mod ucrt {
    use super::*;

    of_runtime!(Runtime::Ucrt);
}

define! {
    "Returns how numbers are written.", "localeconv";
    localeconv(guest) -> GuestWord {
        let settings = current(guest);
        once(guest, format!("lconv {}", settings.name(ALL)), || place_lconv(guest, &settings))
    }

    "Returns an object of the current locale.", "get-current-locale";
    _get_current_locale(guest) -> GuestWord {
        let settings = current(guest);
        make_object(guest, settings)
    }

    "Frees an object of `_create_locale`.", "free-locale";
    _free_locale(guest, locale: GuestWord) -> () {
        let objects = &crt(guest).locale.objects;
        let mut objects = objects.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = objects.iter().position(|row| row.0 == locale.0) {
            objects.swap_remove(index);
            drop(objects);
            guest.process().heaps.free(0, locale.0);
        }
        Ok(())
    }

    "Makes the thread have a locale of its own (1) or not (2), or asks (0); returns 1 or 2, what was before.", "configthreadlocale";
    _configthreadlocale(guest, per_thread_locale_type: i32) -> i32 {
        let own = match per_thread_locale_type {
            1 => Some(true),
            2 => Some(false),
            0 => None,
            // _ENABLE_PER_THREAD_LOCALE_GLOBAL and its kin, for mixed code.
            _ => return Ok(-1),
        };
        Ok(if configure_thread(&crt(guest).locale, own) { 1 } else { 2 })
    }

    "Returns the code page of the locale, 0 for \"C\".", "lc-codepage-func";
    ___lc_codepage_func(guest) -> u32 { Ok(crt(guest).locale.page().map_or(0, |page| page.number())) }

    "Returns the code page in which text is compared, 0 for \"C\".", "lc-collate-cp-func";
    ___lc_collate_cp_func(guest) -> u32 {
        Ok(current(guest).categories[COLLATE as usize].page.as_deref().map_or(0, CodePage::number))
    }

    "Returns the address of the locale identifiers of the six categories.", "internal-crt-globals-and-functions";
    ___lc_handle_func(guest) -> GuestWord {
        let settings = current(guest);
        let numbers = (0..CATEGORIES).flat_map(|category| settings.locale(category).map_or(0, |one| one.number).to_le_bytes());
        let bytes: Vec<u8> = numbers.collect();
        once(guest, format!("handles {}", settings.name(ALL)), || place(guest, &bytes))
    }

    "Returns the most bytes that a character takes in the locale.", "mb-cur-max-func-mb-cur-max-l-func-p-mb-cur-max-mb-cur-max";
    ___mb_cur_max_func(guest) -> u32 { Ok(crt(guest).locale.page().map_or(1, |page| page.max_character_size())) }

    "Returns the most bytes that a character takes in a locale.", "mb-cur-max-func-mb-cur-max-l-func-p-mb-cur-max-mb-cur-max";
    ___mb_cur_max_l_func(guest, locale: GuestWord) -> u32 { with_locale(guest, locale.0, ___mb_cur_max_func) }

    "Returns the names of the categories' locales; null stands for \"C\".", "locale-name-func";
    ___lc_locale_name_func(guest) -> GuestWord {
        let settings = current(guest);
        let word = guest.machine().pointer_size();
        once(guest, format!("names {}", settings.name(ALL)), || {
            let list = place(guest, &vec![0; (u64::from(CATEGORIES) * word) as usize])?;
            for category in 1..CATEGORIES {
                if let Some(locale) = settings.locale(category) {
                    let name = place_wide(guest, &locale.name.encode_utf16().collect::<Vec<u16>>())?;
                    guest.write_word(list + u64::from(category) * word, name)?;
                }
            }
            Ok(list)
        })
    }

    "Returns the multibyte code page; 0 when its characters are single bytes.", "getmbcp";
    _getmbcp(guest) -> i32 {
        let page = crt(guest).locale.multibyte_page();
        Ok(if page.lead_bytes().is_empty() { 0 } else { page.number() as i32 })
    }

    "Sets the multibyte code page. Returns 0, or -1 for one that does not exist.", "setmbcp";
    _setmbcp(guest, codepage: i32) -> i32 {
        let pages = nls::default_pages();
        let number = match codepage {
            // _MB_CP_SBCS, _MB_CP_OEM, _MB_CP_ANSI, _MB_CP_LOCALE.
            0 => 1252,
            -2 => pages.oem,
            -3 => pages.ansi,
            -4 => crt(guest).locale.page().map_or(1252, |page| page.number()),
            other => other as u32,
        };
        if number <= 3 || CodePage::new(number, DefaultPages::default()).is_err() {
            return Ok(-1);
        }
        crt(guest).locale.multibyte.store(number, std::sync::atomic::Ordering::Relaxed);
        super::multibyte::publish(guest).map(|()| 0)
    }
}
