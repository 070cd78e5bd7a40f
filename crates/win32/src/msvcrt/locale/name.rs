//! The names that `setlocale` takes: `C`, `de-DE`, `German_Germany.1252`, `.UTF8`, `chs`.
//!
//! Source: <https://learn.microsoft.com/cpp/c-runtime-library/locale-names-languages-and-country-region-strings>,
//! <https://learn.microsoft.com/cpp/c-runtime-library/language-strings>,
//! <https://learn.microsoft.com/cpp/c-runtime-library/country-region-strings>.

use std::sync::Arc;

use crate::logic::nls::code_page::{CodePage, DefaultPages};
use crate::logic::nls::locale::{self, Locale};
use crate::logic::nls::locale_names;
use crate::logic::printf::Runtime;
use crate::nt::nls;

/// What a category is set to.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// The locale; `None` is "C".
    pub(crate) locale: Option<&'static Locale>,
    /// The code page of the locale's text.
    pub(crate) page: Option<Arc<CodePage>>,
    /// The name as `setlocale` returns it.
    pub(crate) name: String,
}

impl Setting {
    /// Returns the setting of a program that was just started.
    pub(crate) fn of_c() -> Self {
        Self { locale: None, page: None, name: "C".to_owned() }
    }
}

/// `LOCALE_SABBREVLANGNAME`.
const SHORT_LANGUAGE: u32 = 0x3;
/// `LOCALE_SABBREVCTRYNAME`.
const SHORT_COUNTRY: u32 = 0x7;

/// Names of languages that are no locale's own.
const LANGUAGES: [(&str, u16); 37] = [
    ("american", 0x409),
    ("american-english", 0x409),
    ("american english", 0x409),
    ("english-american", 0x409),
    ("english-us", 0x409),
    ("english-usa", 0x409),
    ("usa", 0x409),
    ("us", 0x409),
    ("australian", 0xc09),
    ("english-aus", 0xc09),
    ("canadian", 0x1009),
    ("english-can", 0x1009),
    ("english-nz", 0x1409),
    ("english-uk", 0x809),
    ("uk", 0x809),
    ("irish-english", 0x1809),
    ("belgian", 0x813),
    ("dutch-belgian", 0x813),
    ("chh", 0x404),
    ("chi", 0x804),
    ("chinese", 0x804),
    ("chinese-hongkong", 0xc04),
    ("chinese-simplified", 0x804),
    ("chinese-singapore", 0x1004),
    ("chinese-traditional", 0x404),
    ("french-belgian", 0x80c),
    ("french-canadian", 0xc0c),
    ("french-swiss", 0x100c),
    ("german-austrian", 0xc07),
    ("german-swiss", 0x807),
    ("italian-swiss", 0x810),
    ("norwegian", 0x414),
    ("norwegian-bokmal", 0x414),
    ("norwegian-nynorsk", 0x814),
    ("portuguese-brazilian", 0x416),
    ("spanish-mexican", 0x80a),
    ("spanish-modern", 0xc0a),
];

/// Names of countries that are no locale's own, and the code of three letters.
const COUNTRIES: [(&str, &str); 17] = [
    ("america", "USA"),
    ("us", "USA"),
    ("united-states", "USA"),
    ("britain", "GBR"),
    ("england", "GBR"),
    ("great britain", "GBR"),
    ("uk", "GBR"),
    ("united-kingdom", "GBR"),
    ("china", "CHN"),
    ("pr china", "CHN"),
    ("pr-china", "CHN"),
    ("czech", "CZE"),
    ("holland", "NLD"),
    ("hong-kong", "HKG"),
    ("new-zealand", "NZL"),
    ("nz", "NZL"),
    ("south-korea", "KOR"),
];

/// Returns what a name stands for; `None` for one that the runtime does not know. Only the Universal CRT knows names such as
/// `de-DE` and UTF-8.
pub(crate) fn setting_of(name: &str, runtime: Runtime) -> Option<Setting> {
    if name == "C" || name == "POSIX" && runtime == Runtime::Msvcrt {
        return Some(Setting::of_c());
    }
    let (place, page) = match name.split_once('.') {
        Some((place, page)) => (place, Some(page)),
        None => (name, None),
    };
    let (locale, by_name) = match place {
        "" => (nls::user_locale(), false),
        _ => match of_words(place) {
            Some(locale) => (locale, false),
            None if runtime == Runtime::Ucrt => (of_tag(place)?, true),
            None => return None,
        },
    };
    let code_page = page_of(locale, page, place.is_empty(), runtime)?;
    let number = code_page.number();
    let name = match (by_name, page) {
        (true, _) => name.to_owned(),
        _ => {
            let page = if number == 65001 { "utf8".to_owned() } else { number.to_string() };
            format!(
                "{}_{}.{page}",
                locale.text(locale::ENGLISH_LANGUAGE),
                locale.text(locale::ENGLISH_COUNTRY)
            )
        }
    };
    Some(Setting { locale: Some(locale), page: Some(Arc::new(code_page)), name })
}

/// Returns the code page that the suffix of a name asks for.
fn page_of(locale: &Locale, page: Option<&str>, is_user: bool, runtime: Runtime) -> Option<CodePage> {
    let is = |page: &str, names: &[&str]| names.iter().any(|name| page.eq_ignore_ascii_case(name));
    let of_locale = |kind, system: u32| match (is_user, locale.number(kind)) {
        (true, _) => system,
        (false, 0 | 1) => 65001,
        (false, number) => number,
    };
    let system = nls::default_pages();
    let number = match page {
        None => of_locale(locale::ANSI_PAGE, system.ansi),
        Some(page) if is(page, &["ACP"]) => of_locale(locale::ANSI_PAGE, system.ansi),
        Some(page) if is(page, &["OCP"]) => of_locale(locale::OEM_PAGE, system.oem),
        Some(page) if is(page, &["utf8", "utf-8"]) => 65001,
        Some(page) => page.parse().ok().filter(|number| *number > 1)?,
    };
    if number == 65001 && runtime == Runtime::Msvcrt {
        return None;
    }
    CodePage::new(number, DefaultPages::default()).ok()
}

/// Returns the locale of a name such as `de-DE`, `de_DE` or `de`.
fn of_tag(tag: &str) -> Option<&'static Locale> {
    let number = locale_names::number_of(tag).or_else(|| locale_names::number_of(&tag.replace('_', "-")))?;
    locale::of_number(locale_names::specific(number)?.into()).filter(|locale| !locale.name.is_empty())
}

/// Returns the locale of a language, alone or with a country: `German`, `deu`, `German_Austria`, `DEU_AUT`.
fn of_words(words: &str) -> Option<&'static Locale> {
    let (language, country) = match words.split_once('_') {
        Some((language, country)) => (language, Some(country)),
        None => (words, None),
    };
    let is = |text: &str, other: &str| text.eq_ignore_ascii_case(other);
    let alias = LANGUAGES.iter().find(|row| is(row.0, language)).map(|row| row.1);
    let code = country.and_then(|country| COUNTRIES.iter().find(|row| is(row.0, country)).map(|row| row.1));
    let all = || locale::numbers().filter_map(locale::of_number);
    let of_language = |locale: &Locale| match alias {
        Some(number) => locale.number & 0x3ff == u32::from(number) & 0x3ff,
        None => {
            is(locale.text(locale::ENGLISH_LANGUAGE), language) || is(locale.text(SHORT_LANGUAGE), language)
        }
    };
    let of_country = |locale: &Locale, country: &str| {
        is(locale.text(locale::ENGLISH_COUNTRY), country)
            || is(locale.text(SHORT_COUNTRY), country)
            || code.is_some_and(|code| is(locale.text(SHORT_COUNTRY), code))
    };
    match (country, alias) {
        (None, Some(number)) => locale::of_number(number.into()),
        (Some(country), _) => all().find(|locale| of_language(locale) && of_country(locale, country)),
        (None, None) => locale_names::of_english(language)
            .and_then(|number| locale::of_number(number.into()))
            .or_else(|| all().find(|locale| is(locale.text(SHORT_LANGUAGE), language))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_forms_lead_to_locales() {
        let name = |text, runtime| setting_of(text, runtime).map(|setting| setting.name);
        let cases = [
            ("C", "C", "C"),
            ("", "English_United States.1252", "English_United States.1252"),
            (".OCP", "English_United States.437", "English_United States.437"),
            (".UTF8", "", "English_United States.utf8"),
            ("German", "German_Germany.1252", "German_Germany.1252"),
            ("deu", "German_Germany.1252", "German_Germany.1252"),
            ("german_austria", "German_Austria.1252", "German_Austria.1252"),
            ("English_US.850", "English_United States.850", "English_United States.850"),
            ("Japanese_Japan.932", "Japanese_Japan.932", "Japanese_Japan.932"),
            ("chs", "Chinese (Simplified)_China.936", "Chinese (Simplified)_China.936"),
            ("Korean_Korea.949", "Korean_Korea.949", "Korean_Korea.949"),
            ("uk", "English_United Kingdom.1252", "English_United Kingdom.1252"),
            ("de-DE", "", "de-DE"),
            ("ru-RU.UTF-8", "", "ru-RU.UTF-8"),
            ("Klingon", "", ""),
            ("German.77", "", ""),
        ];
        for (text, msvcrt, ucrt) in cases {
            let shown = |name: Option<String>| name.unwrap_or_default();
            assert_eq!(shown(name(text, Runtime::Msvcrt)), msvcrt, "{text}");
            assert_eq!(shown(name(text, Runtime::Ucrt)), ucrt, "{text}");
        }
    }
}
