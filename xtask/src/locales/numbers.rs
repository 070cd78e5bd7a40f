//! How numbers and money are written.

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Cldr, Facts, Row};

/// The orders of `LOCALE_INEGCURR`, by number: `n` is the amount, `$` the currency.
const NEGATIVE_MONEY: [&str; 16] = [
    "($n)", "-$n", "$-n", "$n-", "(n$)", "-n$", "n-$", "n$-", "-n $", "-$ n", "n $-", "$ n-", "$ -n", "n- $",
    "($ n)", "(n $)",
];
/// The orders of `LOCALE_ICURRENCY`.
const MONEY: [&str; 4] = ["$n", "n$", "$ n", "n $"];
/// For each order of negative money: where the sign stands (`LOCALE_INEGSIGNPOSN`).
const SIGN_PLACES: [u8; 16] = [0, 3, 4, 2, 0, 1, 3, 4, 1, 3, 4, 2, 4, 3, 0, 0];
/// The orders of percentages, `LOCALE_INEGATIVEPERCENT` and `LOCALE_IPOSITIVEPERCENT`.
const NEGATIVE_PERCENT: [&str; 12] =
    ["-n %", "-n%", "-%n", "%-n", "%n-", "n-%", "n%-", "-% n", "n %-", "% n-", "% -n", "n- %"];
const PERCENT: [&str; 4] = ["n %", "n%", "%n", "% n"];

/// Adds the facts.
pub(super) fn facts(cldr: &Cldr, row: &Row<'_>, facts: &mut Facts) -> Result<()> {
    let file = cldr.of_locale("cldr-numbers-full", row.name, "numbers")?;
    let numbers = &file["numbers"];
    let symbols = &numbers["symbols-numberSystem-latn"];
    let symbol = |name: &str| clean(symbols[name].as_str().unwrap_or_default());
    let (decimal, group) = (symbol("decimal"), symbol("group"));
    facts.insert(0xc, if decimal == "," { ";" } else { "," }.to_owned());
    for (kind, text) in [(0xe, &decimal), (0x16, &decimal), (0xf, &group), (0x17, &group)] {
        facts.insert(kind, text.clone());
    }
    for (kind, name) in [(0x76, "percentSign"), (0x77, "perMille"), (0x69, "nan"), (0x6a, "infinity")] {
        facts.insert(kind, symbol(name));
    }
    facts.insert(0x51, symbol("minusSign").replace('\u{2212}', "-"));
    facts.insert(0x6b, format!("-{}", symbol("infinity")));
    let pattern =
        |kind: &str| numbers[format!("{kind}-numberSystem-latn")]["standard"].as_str().unwrap_or_default();
    let grouping = grouping(pattern("decimalFormats"));
    facts.insert(0x10, grouping.to_owned());
    facts.insert(0x18, grouping.to_owned());
    let (percent, negative_percent) = orders(pattern("percentFormats"), '%');
    facts.insert(0x75, place(&PERCENT, &percent));
    facts.insert(0x74, place(&NEGATIVE_PERCENT, &negative_percent));
    let (money, negative) = orders(pattern("currencyFormats"), '\u{a4}');
    let negative = negative.replace('%', "$");
    facts.insert(0x1b, place(&MONEY, &money.replace('%', "$")));
    facts.insert(0x1c, place(&NEGATIVE_MONEY, &negative));
    signs(&negative, facts);
    native_digits(cldr, numbers, row, facts)?;
    currency(cldr, row, facts)?;
    region(cldr, row, facts)
}

/// Removes the marks of direction, and makes the apostrophe of Switzerland Windows' own.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}')).collect()
}

fn grouping(pattern: &str) -> &'static str {
    if pattern.matches(',').count() > 1 { "3;2;0" } else { "3;0" }
}

/// Returns the orders of a positive and of a negative amount, as in `n %` and `-n %`; the symbol is written `%`.
fn orders(pattern: &str, symbol: char) -> (String, String) {
    let short = |text: &str| {
        let mut order = String::new();
        for c in clean(text).chars() {
            match c {
                '#' | '0' | ',' | '.' if !order.ends_with('n') => order.push('n'),
                '#' | '0' | ',' | '.' => {}
                '\u{a0}' | '\u{202f}' | ' ' => order.push(' '),
                c if c == symbol => order.push('%'),
                other => order.push(other),
            }
        }
        order
    };
    let (positive, negative) = pattern.split_once(';').unwrap_or((pattern, ""));
    let positive = short(positive);
    let negative = if negative.is_empty() { format!("-{positive}") } else { short(negative) };
    (positive, negative)
}

fn place(orders: &[&str], order: &str) -> String {
    orders.iter().position(|other| *other == order).unwrap_or(0).to_string()
}

/// Adds what `localeconv` says of signs.
fn signs(negative: &str, facts: &mut Facts) {
    let order = NEGATIVE_MONEY.iter().position(|other| *other == negative).unwrap_or(0);
    let before = u8::from(negative.find('$') < negative.find('n'));
    let space = u8::from(negative.contains(' '));
    let positive_place = if before == 1 && SIGN_PLACES[order] == 0 { 3 } else { SIGN_PLACES[order].max(1) };
    let values = [positive_place, SIGN_PLACES[order], before, space, before, space];
    for (kind, value) in (0x52..).zip(values) {
        facts.insert(kind, value.to_string());
    }
}

fn native_digits(cldr: &Cldr, numbers: &Value, row: &Row<'_>, facts: &mut Facts) -> Result<()> {
    // Windows shows the digits of these by default or by context.
    if !["ar", "fa", "hi", "mr", "bn", "ta", "te", "th", "ur"].contains(&row.language()) {
        return Ok(());
    }
    let system = numbers["otherNumberingSystems"]["native"].as_str().unwrap_or("latn");
    let systems = cldr.json("cldr-core/supplemental/numberingSystems.json")?;
    let digits =
        systems["supplemental"]["numberingSystems"][system]["_digits"].as_str().unwrap_or("0123456789");
    facts.insert(0x13, digits.to_owned());
    Ok(())
}

fn currency(cldr: &Cldr, row: &Row<'_>, facts: &mut Facts) -> Result<()> {
    let data = cldr.json("cldr-core/supplemental/currencyData.json")?;
    let data = &data["supplemental"]["currencyData"];
    let region = data["region"][row.territory()].as_array().map(Vec::as_slice).unwrap_or_default();
    // The newest that is legal tender and was not given up.
    let current = region.iter().filter_map(Value::as_object).flatten().filter(|(_, facts)| {
        facts.get("_to").is_none() && facts.get("_tender").and_then(Value::as_str) != Some("false")
    });
    let newest = current.max_by_key(|(_, facts)| facts["_from"].as_str().unwrap_or_default().to_owned());
    let code = newest.map(|(code, _)| code.as_str());
    let code = code.with_context(|| format!("currencyData.json: {} has no legal tender", row.territory()))?;
    let digits = data["fractions"][code]["_digits"].as_str().unwrap_or("2");
    facts.insert(0x15, code.to_owned());
    facts.insert(0x19, digits.to_owned());
    facts.insert(0x1a, digits.to_owned());
    for (kind, name) in [(0x1007, "en"), (0x1008, row.name)] {
        let file = cldr.of_locale("cldr-numbers-full", name, "currencies")?;
        let entry = &file["numbers"]["currencies"][code];
        facts.insert(kind, entry["displayName"].as_str().unwrap_or(code).to_owned());
        if name == row.name {
            let symbol = entry["symbol-alt-narrow"].as_str().filter(|_| !["CHF", "CNY"].contains(&code));
            let symbol = symbol.or(entry["symbol"].as_str()).unwrap_or(code);
            // Windows' own sign for the yen is U+00A5 in all locales.
            facts.insert(0x14, clean(symbol).replace('\u{ffe5}', "\u{a5}"));
        }
    }
    Ok(())
}

/// Adds the habits of the country: weeks, paper, measures.
fn region(cldr: &Cldr, row: &Row<'_>, facts: &mut Facts) -> Result<()> {
    let weeks = cldr.json("cldr-core/supplemental/weekData.json")?;
    let weeks = &weeks["supplemental"]["weekData"];
    let of = |table: &Value| {
        table[row.territory()].as_str().or(table["001"].as_str()).unwrap_or_default().to_owned()
    };
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    facts.insert(0x100c, place(&days, &of(&weeks["firstDay"])));
    let first_week = if of(&weeks["minDays"]) == "4" { "2" } else { "0" };
    facts.insert(0x100d, first_week.to_owned());
    let measures = cldr.json("cldr-core/supplemental/measurementData.json")?;
    let measures = &measures["supplemental"]["measurementData"];
    facts.insert(0xd, if of(&measures["measurementSystem"]) == "US" { "1" } else { "0" }.to_owned());
    facts.insert(0x100a, if of(&measures["paperSize"]) == "US-Letter" { "1" } else { "9" }.to_owned());
    Ok(())
}
