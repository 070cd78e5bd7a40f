//! Numbers, names and English names of locales: those that Windows is sold in, and a few more.
//!
//! Source: MS-LCID, "Windows Language Code Identifier (LCID) Reference"; the English names are those of
//! `LOCALE_SENGLISHDISPLAYNAME`.

/// A locale's number, name and English name.
#[rustfmt::skip]
const NAMES: &[(u16, &str, &str)] = &[
    (0x0001, "ar", "Arabic"),
    (0x0002, "bg", "Bulgarian"),
    (0x0003, "ca", "Catalan"),
    (0x0004, "zh-Hans", "Chinese (Simplified)"),
    (0x0005, "cs", "Czech"),
    (0x0006, "da", "Danish"),
    (0x0007, "de", "German"),
    (0x0008, "el", "Greek"),
    (0x0009, "en", "English"),
    (0x000a, "es", "Spanish"),
    (0x000b, "fi", "Finnish"),
    (0x000c, "fr", "French"),
    (0x000d, "he", "Hebrew"),
    (0x000e, "hu", "Hungarian"),
    (0x000f, "is", "Icelandic"),
    (0x0010, "it", "Italian"),
    (0x0011, "ja", "Japanese"),
    (0x0012, "ko", "Korean"),
    (0x0013, "nl", "Dutch"),
    (0x0014, "no", "Norwegian"),
    (0x0015, "pl", "Polish"),
    (0x0016, "pt", "Portuguese"),
    (0x0018, "ro", "Romanian"),
    (0x0019, "ru", "Russian"),
    (0x001a, "hr", "Croatian"),
    (0x001b, "sk", "Slovak"),
    (0x001c, "sq", "Albanian"),
    (0x001d, "sv", "Swedish"),
    (0x001e, "th", "Thai"),
    (0x001f, "tr", "Turkish"),
    (0x0020, "ur", "Urdu"),
    (0x0021, "id", "Indonesian"),
    (0x0022, "uk", "Ukrainian"),
    (0x0023, "be", "Belarusian"),
    (0x0024, "sl", "Slovenian"),
    (0x0025, "et", "Estonian"),
    (0x0026, "lv", "Latvian"),
    (0x0027, "lt", "Lithuanian"),
    (0x0029, "fa", "Persian"),
    (0x002a, "vi", "Vietnamese"),
    (0x002b, "hy", "Armenian"),
    (0x002d, "eu", "Basque"),
    (0x002f, "mk", "Macedonian"),
    (0x0036, "af", "Afrikaans"),
    (0x0037, "ka", "Georgian"),
    (0x0039, "hi", "Hindi"),
    (0x003e, "ms", "Malay"),
    (0x003f, "kk", "Kazakh"),
    (0x0045, "bn", "Bangla"),
    (0x0049, "ta", "Tamil"),
    (0x004a, "te", "Telugu"),
    (0x004e, "mr", "Marathi"),
    (0x0052, "cy", "Welsh"),
    (0x0056, "gl", "Galician"),
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
    (0x042b, "hy-AM", "Armenian (Armenia)"),
    (0x042d, "eu-ES", "Basque (Basque)"),
    (0x042f, "mk-MK", "Macedonian (North Macedonia)"),
    (0x0436, "af-ZA", "Afrikaans (South Africa)"),
    (0x0437, "ka-GE", "Georgian (Georgia)"),
    (0x0439, "hi-IN", "Hindi (India)"),
    (0x043e, "ms-MY", "Malay (Malaysia)"),
    (0x043f, "kk-KZ", "Kazakh (Kazakhstan)"),
    (0x0445, "bn-IN", "Bangla (India)"),
    (0x0449, "ta-IN", "Tamil (India)"),
    (0x044a, "te-IN", "Telugu (India)"),
    (0x044e, "mr-IN", "Marathi (India)"),
    (0x0452, "cy-GB", "Welsh (United Kingdom)"),
    (0x0456, "gl-ES", "Galician (Galician)"),
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
    (0x0c01, "ar-EG", "Arabic (Egypt)"),
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
    (0x1c09, "en-ZA", "English (South Africa)"),
    (0x240a, "es-CO", "Spanish (Colombia)"),
    (0x280a, "es-PE", "Spanish (Peru)"),
    (0x2c0a, "es-AR", "Spanish (Argentina)"),
    (0x340a, "es-CL", "Spanish (Chile)"),
    (0x3801, "ar-AE", "Arabic (United Arab Emirates)"),
    (0x4009, "en-IN", "English (India)"),
    (0x4809, "en-SG", "English (Singapore)"),
    (0x7804, "zh", "Chinese"),
    (0x7814, "nn", "Norwegian Nynorsk"),
    (0x7c04, "zh-Hant", "Chinese (Traditional)"),
    (0x7c14, "nb", "Norwegian Bokmål"),
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

/// Returns the first locale of a language given by its English name, in any case.
pub fn of_english(language: &str) -> Option<u16> {
    NAMES.iter().find(|row| row.2.eq_ignore_ascii_case(language)).and_then(|row| specific(row.0))
}

/// Returns the locale that a language stands for, as 0x407 for 0x07; a locale stands for itself.
pub fn specific(number: u16) -> Option<u16> {
    /// Languages whose own number is not the lower bits of the locale's.
    const ODD: [(u16, u16); 9] = [
        (0x0004, 0x0804),
        (0x000a, 0x0c0a),
        (0x0016, 0x0416),
        (0x7804, 0x0804),
        (0x7c04, 0x0c04),
        (0x7814, 0x0814),
        (0x7c14, 0x0414),
        (0x007f, 0x007f),
        (0x0009, 0x0409),
    ];
    let odd = ODD.iter().find(|row| row.0 == number).map(|row| row.1);
    let wanted = odd.unwrap_or(if number < 0x400 { number | 0x400 } else { number });
    name_of(wanted).map(|_| wanted)
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
