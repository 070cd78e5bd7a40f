//! Options as C programs take them: short ones in clusters, long ones abbreviated, operands in between: [`parse`].

use std::ffi::{OsStr, OsString};

/// Whether an option has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Never.
    None,
    /// Always: the rest of the word, or the next word.
    Required,
    /// When it is attached: `-d1`, `--dynamicbase=1`.
    Optional,
}

/// An option: its letter, its long name, its value.
pub(super) type Spec = (char, &'static str, Value);

/// What was found: options by their letters, with their values, and operands.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) options: Vec<(char, Option<OsString>)>,
    pub(super) operands: Vec<OsString>,
}

/// Splits a command line into options and operands.
///
/// # Errors
/// A sentence about the first word that is no option of these.
pub(super) fn parse(arguments: &[OsString], specs: &[Spec]) -> Result<Parsed, String> {
    let mut parsed = Parsed::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        if text == "--" {
            parsed.operands.extend(words.cloned());
            break;
        } else if let Some(long) = text.strip_prefix("--") {
            let (name, attached) = match long.split_once('=') {
                Some((name, value)) => (name, Some(OsString::from(value))),
                None => (long, None),
            };
            let (letter, _, takes) = *find_long(name, specs)?;
            let value = match (takes, attached) {
                (Value::None, Some(_)) => return Err(format!("option '--{name}' doesn't allow an argument")),
                (Value::Required, None) => Some(next(&mut words, &format!("'--{name}'"))?),
                (_, attached) => attached,
            };
            parsed.options.push((letter, value));
        } else if text.len() > 1 && text.starts_with('-') {
            cluster(&text[1..], specs, &mut words, &mut parsed)?;
        } else {
            parsed.operands.push(word.clone());
        }
    }
    Ok(parsed)
}

fn find_long<'s>(name: &str, specs: &'s [Spec]) -> Result<&'s Spec, String> {
    if let Some(exact) = specs.iter().find(|(_, long, _)| *long == name) {
        return Ok(exact);
    }
    let mut matching = specs.iter().filter(|(_, long, _)| long.starts_with(name));
    match (matching.next(), matching.next()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => Err(format!("option '--{name}' is ambiguous")),
        _ => Err(format!("unrecognized option '--{name}'")),
    }
}

fn next<'w>(words: &mut impl Iterator<Item = &'w OsString>, option: &str) -> Result<OsString, String> {
    words.next().cloned().ok_or_else(|| format!("option {option} requires an argument"))
}

fn cluster<'w>(
    letters: &str,
    specs: &[Spec],
    words: &mut impl Iterator<Item = &'w OsString>,
    parsed: &mut Parsed,
) -> Result<(), String> {
    for (at, letter) in letters.char_indices() {
        let Some((_, _, takes)) = specs.iter().find(|(it, ..)| *it == letter) else {
            return Err(format!("invalid option -- '{letter}'"));
        };
        let rest = &letters[at + letter.len_utf8()..];
        let attached = (!rest.is_empty()).then(|| OsStr::new(rest).to_owned());
        match takes {
            Value::None => parsed.options.push((letter, None)),
            Value::Optional => {
                parsed.options.push((letter, attached));
                return Ok(());
            }
            Value::Required => {
                let value = attached.map_or_else(|| next(words, &format!("-- '{letter}'")), Ok)?;
                parsed.options.push((letter, Some(value)));
                return Ok(());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECS: &[Spec] = &[
        ('b', "base", Value::Required),
        ('d', "down", Value::None),
        ('D', "database", Value::None),
        ('x', "stack-reserve", Value::Optional),
    ];

    fn check(line: &str, expected: &str) {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let text = match parse(&words, SPECS) {
            Err(error) => error,
            Ok(parsed) => {
                let option = |(letter, value): &(char, Option<OsString>)| match value {
                    None => letter.to_string(),
                    Some(value) => format!("{letter}={}", value.display()),
                };
                let options: Vec<String> = parsed.options.iter().map(option).collect();
                let operands: Vec<_> = parsed.operands.iter().map(|it| it.to_string_lossy()).collect();
                format!("{} | {}", options.join(" "), operands.join(" "))
            }
        };
        assert_eq!(text, expected, "{line}");
    }

    #[test]
    fn options_are_taken_as_c_programs_take_them() {
        check("-db 0x1 a -d b", "d b=0x1 d | a b");
        check("-b0x1 --base 2 --base=3 --dow", "b=0x1 b=2 b=3 d | ");
        check("-x -x5 --stack=7 --stack-reserve 9", "x x=5 x=7 x | 9");
        check("a -- -d", " | a -d");
        check("- -d", "d | -");
        check("--da --d", "option '--d' is ambiguous");
        check("-q", "invalid option -- 'q'");
        check("-b", "option -- 'b' requires an argument");
        check("--down=1", "option '--down' doesn't allow an argument");
    }
}
