//! What the Japanese code page has: kinds of kana and kanji, half-width and full-width forms, JIS X 0208.
//!
//! Source: <https://learn.microsoft.com/cpp/c-runtime-library/reference/ismbchira-ismbchira-l-ismbckata-ismbckata-l>,
//! <https://learn.microsoft.com/cpp/c-runtime-library/reference/ismbcl0-ismbcl0-l-ismbcl1-ismbcl1-l-ismbcl2-ismbcl2-l>.

use super::{KANA, KANA_PUNCT, has, mb_kinds, page, pairs};
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full _ismbchira; full _ismbchira_l; full _ismbckata; full _ismbckata_l; full _ismbcsymbol; full _ismbcsymbol_l; full _ismbcl0; full _ismbcl0_l;
    full _ismbcl1; full _ismbcl1_l; full _ismbcl2; full _ismbcl2_l; full _ismbbkana; full _ismbbkana_l; full _ismbbkalnum; full _ismbbkalnum_l;
    full _ismbbkprint; full _ismbbkprint_l; full _ismbbkpunct; full _ismbbkpunct_l; full _mbbtombc; full _mbbtombc_l; full _mbctombb; full _mbctombb_l;
    full _mbctohira; full _mbctohira_l; full _mbctokata; full _mbctokata_l; full _mbcjistojms; full _mbcjistojms_l; full _mbcjmstojis; full _mbcjmstojis_l;
};

/// The full-width forms of the bytes 0x20 to 0x7e.
const FULL_WIDTH: &str = "　！”＃＄％＆’（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［￥］＾＿‘ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝￣";
/// The full-width forms of the bytes 0xa1 to 0xdf.
const FULL_KANA: &str = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン゛゜";

fn is_japanese(guest: &Guest) -> bool {
    page(guest).number() == 932
}

/// Returns the full-width form of a byte.
fn full_width(guest: &Guest, byte: u8) -> Option<u16> {
    let form = match byte {
        0x20..=0x7e => FULL_WIDTH.chars().nth(usize::from(byte - 0x20)),
        0xa1..=0xdf => FULL_KANA.chars().nth(usize::from(byte - 0xa1)),
        _ => None,
    }?;
    let mut units = [0; 2];
    let encoded = page(guest).encode(form.encode_utf16(&mut units), 0, None, false).ok()?;
    <[u8; 2]>::try_from(encoded.bytes.as_slice()).ok().map(u16::from_be_bytes)
}

/// Defines questions about characters of the Japanese page: ranges.
macro_rules! ranges {
    ($($name:ident, $with_locale:ident, $text:literal, $page:literal, $pattern:pat => is;)*) => { pairs! {$(
        $text, $page;
        $name, $with_locale(guest, c: u32) -> i32 { Ok(i32::from(is_japanese(guest) && matches!(c, $pattern))) }
    )*} };
}
ranges! {
    _ismbchira, _ismbchira_l, "Says whether a character is Hiragana.", "ismbchira-ismbchira-l-ismbckata-ismbckata-l", 0x829f..=0x82f1 => is;
    _ismbckata, _ismbckata_l, "Says whether a character is full-width Katakana.", "ismbchira-ismbchira-l-ismbckata-ismbckata-l", 0x8340..=0x837e | 0x8380..=0x8396 => is;
    _ismbcsymbol, _ismbcsymbol_l, "Says whether a character is a symbol.", "ismbclegal-ismbclegal-l-ismbcsymbol-ismbcsymbol-l", 0x8141..=0x817e | 0x8180..=0x81ac => is;
    _ismbcl0, _ismbcl0_l, "Says whether a character comes before the kanji of JIS.", "ismbcl0-ismbcl0-l-ismbcl1-ismbcl1-l-ismbcl2-ismbcl2-l", 0x8140..=0x889e => is;
    _ismbcl1, _ismbcl1_l, "Says whether a character is of level 1 of JIS.", "ismbcl0-ismbcl0-l-ismbcl1-ismbcl1-l-ismbcl2-ismbcl2-l", 0x889f..=0x9872 => is;
    _ismbcl2, _ismbcl2_l, "Says whether a character is of level 2 of JIS.", "ismbcl0-ismbcl0-l-ismbcl1-ismbcl1-l-ismbcl2-ismbcl2-l", 0x989f..=0xeaa4 => is;
    _ismbbkana, _ismbbkana_l, "Says whether a byte is half-width Katakana.", "ismbbkana-ismbbkana-l", 0xa1..=0xdf => is;
}

/// Defines questions about bytes: kinds of kana.
macro_rules! bytes {
    ($($name:ident, $with_locale:ident, $text:literal, $page:literal, $kana:expr;)*) => { pairs! {$(
        $text, $page;
        $name, $with_locale(guest, c: u32) -> i32 {
            let Ok(byte) = u8::try_from(c) else { return Ok(0) };
            let page = page(guest);
            Ok(i32::from(has(mb_kinds(&page, byte), $kana)))
        }
    )*} };
}
bytes! {
    _ismbbkalnum, _ismbbkalnum_l, "Says whether a byte is a letter of half-width Katakana.", "ismbbkalnum-ismbbkalnum-l", KANA;
    _ismbbkprint, _ismbbkprint_l, "Says whether a byte is half-width Katakana or its punctuation.", "ismbbkprint-ismbbkprint-l", KANA | KANA_PUNCT;
    _ismbbkpunct, _ismbbkpunct_l, "Says whether a byte is punctuation of half-width Katakana.", "ismbbkpunct-ismbbkpunct-l", KANA_PUNCT;
}

pairs! {
    "Returns the full-width form of a byte, or the byte.", "mbbtombc-mbbtombc-l";
    _mbbtombc, _mbbtombc_l(guest, c: u32) -> u32 {
        let byte = u8::try_from(c).ok().filter(|_| is_japanese(guest));
        Ok(byte.and_then(|byte| full_width(guest, byte)).map_or(c, u32::from))
    }
    "Returns the half-width form of a character, or the character.", "mbctombb-mbctombb-l";
    _mbctombb, _mbctombb_l(guest, c: u32) -> u32 {
        if !is_japanese(guest) || c < 0x100 {
            return Ok(c);
        }
        // Hiragana has no half-width form of its own.
        let c = if matches!(c, 0x829f..=0x82f1) { hiragana_to_katakana(c) } else { c };
        let found = (0x20..=0xdf).find(|&byte| full_width(guest, byte).map(u32::from) == Some(c));
        Ok(found.map_or(c, u32::from))
    }
    "Returns the Hiragana of a Katakana character.", "mbctohira-mbctohira-l-mbctokata-mbctokata-l";
    _mbctohira, _mbctohira_l(guest, c: u32) -> u32 {
        // The last three of Katakana have no Hiragana.
        let is_kata = is_japanese(guest) && matches!(c, 0x8340..=0x837e | 0x8380..=0x8393);
        Ok(if !is_kata { c } else if c < 0x837f { c - 0x8340 + 0x829f } else { c - 0x8340 + 0x829f - 1 })
    }
    "Returns the Katakana of a Hiragana character.", "mbctohira-mbctohira-l-mbctokata-mbctokata-l";
    _mbctokata, _mbctokata_l(guest, c: u32) -> u32 {
        Ok(if is_japanese(guest) && matches!(c, 0x829f..=0x82f1) { hiragana_to_katakana(c) } else { c })
    }
    "Returns the code of Shift JIS for one of JIS X 0208; 0 for none.", "mbcjistojms-mbcjistojms-l-mbcjmstojis-mbcjmstojis-l";
    _mbcjistojms, _mbcjistojms_l(guest, c: u32) -> u32 {
        if !is_japanese(guest) {
            return Ok(c);
        }
        let (row, cell) = ((c >> 8) & 0xff, c & 0xff);
        if !(0x21..=0x7e).contains(&row) || !(0x21..=0x7e).contains(&cell) {
            return Ok(0);
        }
        let second = match row % 2 {
            0 => cell + 0x7e,
            _ => cell + if cell < 0x60 { 0x1f } else { 0x20 },
        };
        let first = (row - 0x21) / 2 + 0x81;
        Ok((if first > 0x9f { first + 0x40 } else { first }) << 8 | second)
    }
    "Returns the code of JIS X 0208 for one of Shift JIS; 0 for none.", "mbcjistojms-mbcjistojms-l-mbcjmstojis-mbcjmstojis-l";
    _mbcjmstojis, _mbcjmstojis_l(guest, c: u32) -> u32 {
        if !is_japanese(guest) {
            return Ok(c);
        }
        let (first, second) = ((c >> 8) & 0xff, c & 0xff);
        let pair = match first {
            0x81..=0x9f => first - 0x81,
            0xe0..=0xef => first - 0xc1,
            _ => return Ok(0),
        };
        let (odd, cell) = match second {
            0x40..=0x7e => (0, second - 0x1f),
            0x80..=0x9e => (0, second - 0x20),
            0x9f..=0xfc => (1, second - 0x7e),
            _ => return Ok(0),
        };
        Ok((pair * 2 + 0x21 + odd) << 8 | cell)
    }
}

fn hiragana_to_katakana(c: u32) -> u32 {
    let katakana = c - 0x829f + 0x8340;
    // 0x7f is no second byte.
    if katakana >= 0x837f { katakana + 1 } else { katakana }
}
