//! Numbers, names and English names of locales: those that Windows is sold in, and a few more.
//!
//! Source: MS-LCID, "Windows Language Code Identifier (LCID) Reference"; the English names are those of
//! `LOCALE_SENGLISHDISPLAYNAME`.

/// A locale's number, name and English name.
#[rustfmt::skip]
const NAMES: &[(u16, &str, &str)] = &[
    (0x0007, "de", "German"),
    (0x0009, "en", "English"),
    (0x000a, "es", "Spanish"),
    (0x000c, "fr", "French"),
    (0x0010, "it", "Italian"),
    (0x0011, "ja", "Japanese"),
    (0x0012, "ko", "Korean"),
    (0x0013, "nl", "Dutch"),
    (0x0015, "pl", "Polish"),
    (0x0016, "pt", "Portuguese"),
    (0x0019, "ru", "Russian"),
    (0x001d, "sv", "Swedish"),
    (0x001f, "tr", "Turkish"),
    (0x007f, "", "Invariant Language (Invariant Country)"),
    (0x0401, "ar-SA", "Arabic (Saudi Arabia)"),
    (0x0402, "bg-BG", "Bulgarian (Bulgaria)"),
    (0x0403, "ca-ES", "Catalan (Catalan)"),
    (0x0404, "zh-TW", "Chinese (Traditional, Taiwan)"),
    (0x0405, "cs-CZ", "Czech (Czechia)"),
    (0x0406, "da-DK", "Danish (Denmark)"),
    (0x0407, "de-DE", "German (Germany)"),
    (0x0408, "el-GR", "Greek (Greece)"),
    (0x0409, "en-US", "English (United States)"),
    (0x040a, "es-ES_tradnl", "Spanish (Spain, International Sort)"),
    (0x040b, "fi-FI", "Finnish (Finland)"),
    (0x040c, "fr-FR", "French (France)"),
    (0x040d, "he-IL", "Hebrew (Israel)"),
    (0x040e, "hu-HU", "Hungarian (Hungary)"),
    (0x040f, "is-IS", "Icelandic (Iceland)"),
    (0x0410, "it-IT", "Italian (Italy)"),
    (0x0411, "ja-JP", "Japanese (Japan)"),
    (0x0412, "ko-KR", "Korean (Korea)"),
    (0x0413, "nl-NL", "Dutch (Netherlands)"),
    (0x0414, "nb-NO", "Norwegian Bokmål (Norway)"),
    (0x0415, "pl-PL", "Polish (Poland)"),
    (0x0416, "pt-BR", "Portuguese (Brazil)"),
    (0x0418, "ro-RO", "Romanian (Romania)"),
    (0x0419, "ru-RU", "Russian (Russia)"),
    (0x041a, "hr-HR", "Croatian (Croatia)"),
    (0x041b, "sk-SK", "Slovak (Slovakia)"),
    (0x041c, "sq-AL", "Albanian (Albania)"),
    (0x041d, "sv-SE", "Swedish (Sweden)"),
    (0x041e, "th-TH", "Thai (Thailand)"),
    (0x041f, "tr-TR", "Turkish (Turkey)"),
    (0x0420, "ur-PK", "Urdu (Pakistan)"),
    (0x0421, "id-ID", "Indonesian (Indonesia)"),
    (0x0422, "uk-UA", "Ukrainian (Ukraine)"),
    (0x0423, "be-BY", "Belarusian (Belarus)"),
    (0x0424, "sl-SI", "Slovenian (Slovenia)"),
    (0x0425, "et-EE", "Estonian (Estonia)"),
    (0x0426, "lv-LV", "Latvian (Latvia)"),
    (0x0427, "lt-LT", "Lithuanian (Lithuania)"),
    (0x0429, "fa-IR", "Persian (Iran)"),
    (0x042a, "vi-VN", "Vietnamese (Vietnam)"),
    (0x042d, "eu-ES", "Basque (Basque)"),
    (0x0439, "hi-IN", "Hindi (India)"),
    (0x0804, "zh-CN", "Chinese (Simplified, China)"),
    (0x0807, "de-CH", "German (Switzerland)"),
    (0x0809, "en-GB", "English (United Kingdom)"),
    (0x080a, "es-MX", "Spanish (Mexico)"),
    (0x080c, "fr-BE", "French (Belgium)"),
    (0x0810, "it-CH", "Italian (Switzerland)"),
    (0x0813, "nl-BE", "Dutch (Belgium)"),
    (0x0814, "nn-NO", "Norwegian Nynorsk (Norway)"),
    (0x0816, "pt-PT", "Portuguese (Portugal)"),
    (0x081d, "sv-FI", "Swedish (Finland)"),
    (0x0c04, "zh-HK", "Chinese (Traditional, Hong Kong SAR)"),
    (0x0c07, "de-AT", "German (Austria)"),
    (0x0c09, "en-AU", "English (Australia)"),
    (0x0c0a, "es-ES", "Spanish (Spain)"),
    (0x0c0c, "fr-CA", "French (Canada)"),
    (0x1004, "zh-SG", "Chinese (Simplified, Singapore)"),
    (0x1009, "en-CA", "English (Canada)"),
    (0x100c, "fr-CH", "French (Switzerland)"),
    (0x1409, "en-NZ", "English (New Zealand)"),
    (0x1809, "en-IE", "English (Ireland)"),
];

/// Returns a language's name in English, as in "German (Germany)".
pub fn english_name(language: u16) -> Option<&'static str> {
    let at = NAMES.binary_search_by_key(&language, |row| row.0).ok()?;
    Some(NAMES[at].2)
}

/// Returns the name of a locale's number, as in `de-DE`; the invariant locale's is empty.
pub fn name_of(locale: u16) -> Option<&'static str> {
    let at = NAMES.binary_search_by_key(&locale, |row| row.0).ok()?;
    Some(NAMES[at].1)
}

/// Returns the number of a locale's name, in any case.
pub fn number_of(name: &str) -> Option<u16> {
    NAMES.iter().find(|row| row.1.eq_ignore_ascii_case(name)).map(|row| row.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_lead_to_each_other() {
        assert!(NAMES.is_sorted_by(|left, right| left.0 < right.0));
        for &(number, name, english) in NAMES {
            assert_eq!((name_of(number), number_of(name)), (Some(name), Some(number)), "{english}");
        }
        assert_eq!(number_of("DE-de"), Some(0x407));
        assert_eq!(english_name(0x1234), None);
    }
}
