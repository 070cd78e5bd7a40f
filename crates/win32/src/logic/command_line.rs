//! The command line: argv to one string by the MSVC rules, and back as msvcrt, the UCRT and `CommandLineToArgvW` do it.
//!
//! Source: <https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments>,
//! <https://learn.microsoft.com/windows/win32/api/shellapi/nf-shellapi-commandlinetoargvw>

const QUOTE: u16 = b'"' as u16;
const BACKSLASH: u16 = b'\\' as u16;
const SPACE: u16 = b' ' as u16;
const TAB: u16 = b'\t' as u16;

/// Whose rules split a command line. They differ in argv\[0\] and in `""` inside quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// `msvcrt.dll`: `""` inside quotes is one quote and ends the quoted part.
    Msvcrt,
    /// The Universal CRT (and every CRT since 2008): `""` inside quotes is one quote, and the quoted part goes on.
    Ucrt,
    /// `CommandLineToArgvW`: as msvcrt, but argv\[0\] ends at its closing quote or at the first control character.
    CommandLineToArgv,
}

/// One argument with what wildcard expansion needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// The text, quotes and escapes resolved.
    pub text: Vec<u16>,
    /// Whether a `*` or `?` stood outside quotes.
    pub has_wildcard: bool,
}

/// Joins arguments to a command line that every CRT splits into the same arguments again.
///
/// argv\[0\] follows its own rule (no escapes): a quote in it cannot be expressed and is dropped.
pub fn join(arguments: &[Vec<u16>]) -> Vec<u16> {
    let mut line = Vec::new();
    for (index, argument) in arguments.iter().enumerate() {
        if index == 0 {
            append_program(argument, &mut line);
        } else {
            line.push(SPACE);
            append_argument(argument, &mut line);
        }
    }
    line
}

fn append_program(program: &[u16], line: &mut Vec<u16>) {
    let needs_quotes = program.is_empty() || program.iter().any(|&unit| unit <= SPACE);
    let quote = needs_quotes.then_some(QUOTE);
    line.extend(quote);
    line.extend(program.iter().filter(|&&unit| unit != QUOTE));
    line.extend(quote);
}

/// Appends one argument (not argv\[0\]), quoted when it needs to be.
pub fn append_argument(argument: &[u16], line: &mut Vec<u16>) {
    let is_special = |unit: &u16| [SPACE, TAB, b'\n'.into(), 0x0b, QUOTE].contains(unit);
    if !argument.is_empty() && !argument.iter().any(is_special) {
        line.extend(argument);
        return;
    }
    line.push(QUOTE);
    let mut backslashes = 0;
    for &unit in argument {
        if unit == QUOTE {
            // The backslashes before a quote are doubled, and one more escapes the quote itself.
            line.extend(std::iter::repeat_n(BACKSLASH, backslashes + 1));
        }
        backslashes = if unit == BACKSLASH { backslashes + 1 } else { 0 };
        line.push(unit);
    }
    // Those before the closing quote are doubled too.
    line.extend(std::iter::repeat_n(BACKSLASH, backslashes));
    line.push(QUOTE);
}

/// Splits a command line (without its terminator) into arguments.
pub fn split(line: &[u16], rules: Rules) -> Vec<Argument> {
    let (program, mut at) = split_program(line, rules);
    let mut arguments = vec![Argument { text: program, has_wildcard: false }];
    loop {
        while line.get(at).is_some_and(|&unit| is_blank(unit)) {
            at += 1;
        }
        if at >= line.len() {
            return arguments;
        }
        let (argument, end) = split_argument(line, at, rules);
        arguments.push(argument);
        at = end;
    }
}

/// Splits a command line and returns only the texts.
pub fn split_texts(line: &[u16], rules: Rules) -> Vec<Vec<u16>> {
    split(line, rules).into_iter().map(|argument| argument.text).collect()
}

/// Replaces each argument with an unquoted wildcard by the names that `find` returns, or keeps it when there are none.
///
/// argv\[0\] is never expanded. This is what `__getmainargs` does when asked to expand wildcards.
pub fn expand_wildcards(
    arguments: Vec<Argument>,
    mut find: impl FnMut(&[u16]) -> Vec<Vec<u16>>,
) -> Vec<Vec<u16>> {
    let mut expanded = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let names = if argument.has_wildcard { find(&argument.text) } else { Vec::new() };
        if names.is_empty() {
            expanded.push(argument.text);
        } else {
            expanded.extend(names);
        }
    }
    expanded
}

fn is_blank(unit: u16) -> bool {
    unit == SPACE || unit == TAB
}

/// Reads argv\[0\], where a backslash is never special. Returns it and the index after it.
fn split_program(line: &[u16], rules: Rules) -> (Vec<u16>, usize) {
    if rules == Rules::CommandLineToArgv {
        let (body, is_end): (&[u16], fn(u16) -> bool) = match line.first() {
            Some(&QUOTE) => (&line[1..], |unit| unit == QUOTE),
            _ => (line, |unit| unit <= SPACE),
        };
        let length = body.iter().position(|&unit| is_end(unit)).unwrap_or(body.len());
        // The quote or blank that ended the name is consumed with it.
        return (body[..length].to_vec(), (line.len() - body.len() + length + 1).min(line.len()));
    }
    let mut text = Vec::new();
    let mut in_quotes = false;
    for (at, &unit) in line.iter().enumerate() {
        match unit {
            QUOTE => in_quotes = !in_quotes,
            _ if is_blank(unit) && !in_quotes => return (text, at),
            _ => text.push(unit),
        }
    }
    (text, line.len())
}

/// Reads one argument that starts at `at`. Returns it and the index after it.
fn split_argument(line: &[u16], mut at: usize, rules: Rules) -> (Argument, usize) {
    let mut argument = Argument { text: Vec::new(), has_wildcard: false };
    let mut in_quotes = false;
    while at < line.len() {
        let backslashes = line[at..].iter().take_while(|&&unit| unit == BACKSLASH).count();
        at += backslashes;
        let next = line.get(at).copied();
        if next != Some(QUOTE) {
            argument.text.extend(std::iter::repeat_n(BACKSLASH, backslashes));
            let Some(unit) = next.filter(|&unit| in_quotes || !is_blank(unit)) else { break };
            argument.has_wildcard |= !in_quotes && (unit == u16::from(b'*') || unit == u16::from(b'?'));
            argument.text.push(unit);
            at += 1;
            continue;
        }
        argument.text.extend(std::iter::repeat_n(BACKSLASH, backslashes / 2));
        at += 1;
        if backslashes % 2 == 1 {
            argument.text.push(QUOTE);
        } else if in_quotes && line.get(at) == Some(&QUOTE) {
            argument.text.push(QUOTE);
            at += 1;
            in_quotes = rules == Rules::Ucrt;
        } else {
            in_quotes = !in_quotes;
        }
    }
    (argument, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    fn check(line: &str, rules: Rules, expected: &[&str]) {
        let texts: Vec<String> =
            split_texts(&wide(line), rules).iter().map(|text| String::from_utf16_lossy(text)).collect();
        assert_eq!(texts, expected, "{line} by {rules:?}");
    }

    #[test]
    fn documented_examples_split_alike_everywhere() {
        let cases: [(&str, &[&str]); 8] = [
            (r#"p "abc" d e"#, &["p", "abc", "d", "e"]),
            (r#"p a\\b d"e f"g h"#, &["p", r"a\\b", "de fg", "h"]),
            (r#"p a\\\"b c d"#, &["p", r#"a\"b"#, "c", "d"]),
            (r#"p a\\\\"b c" d e"#, &["p", r"a\\b c", "d", "e"]),
            (r#"p "" x"#, &["p", "", "x"]),
            (r#"p "a b"#, &["p", "a b"]),
            ("p\t a \t b ", &["p", "a", "b"]),
            (r"p c:\x\ d", &["p", r"c:\x\", "d"]),
        ];
        for (line, expected) in cases {
            for rules in [Rules::Msvcrt, Rules::Ucrt, Rules::CommandLineToArgv] {
                check(line, rules, expected);
            }
        }
    }

    #[test]
    fn double_quote_inside_quotes_depends_on_the_rules() {
        check(r#"p "a""b c" d"#, Rules::Ucrt, &["p", r#"a"b c"#, "d"]);
        check(r#"p "a""b c" d"#, Rules::Msvcrt, &["p", r#"a"b"#, "c d"]);
        check(r#"p """x""#, Rules::CommandLineToArgv, &["p", r#""x"#]);
    }

    #[test]
    fn program_name_has_its_own_rule() {
        check(r#""c:\a b\"x y"#, Rules::Msvcrt, &[r"c:\a b\x", "y"]);
        check(r#""c:\a b\"x y"#, Rules::CommandLineToArgv, &[r"c:\a b\", "x", "y"]);
        check("", Rules::Msvcrt, &[""]);
        check(" a", Rules::CommandLineToArgv, &["", "a"]);
    }

    #[test]
    fn wildcards_count_only_outside_quotes() {
        let arguments = split(&wide(r#"p* *.c "*.h" none*"#), Rules::Msvcrt);
        let found = expand_wildcards(arguments, |pattern| {
            if pattern == wide("*.c") { vec![wide("a.c"), wide("b.c")] } else { Vec::new() }
        });
        assert_eq!(found, ["p*", "a.c", "b.c", "*.h", "none*"].map(wide));
    }

    proptest! {
        #[test]
        fn joined_arguments_split_into_the_same(program in "[a-z \\\\]{1,8}", rest in prop::collection::vec("[a \\\\\"\t*é]{0,8}", 0..5)) {
            let mut arguments = vec![wide(&program)];
            arguments.extend(rest.iter().map(|text| wide(text)));
            let line = join(&arguments);
            for rules in [Rules::Msvcrt, Rules::Ucrt, Rules::CommandLineToArgv] {
                prop_assert_eq!(&split_texts(&line, rules), &arguments);
            }
        }
    }
}
