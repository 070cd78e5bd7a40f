//! File name patterns: `FindFirstFile`'s translation of DOS patterns and `RtlIsNameInExpression`'s matching.
//!
//! Matching steps through a set of states, so its time is at most name length × pattern length.
//!
//! Source: MS-FSA 2.1.4.4 "Algorithm for Determining if a FileName Is in an Expression";
//! <https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-_fsrtl_advanced_fcb_header-fsrtlisnameinexpression>

use super::nls::case::upcase;

const STAR: u16 = b'*' as u16;
const ANY_ONE: u16 = b'?' as u16;
const DOT: u16 = b'.' as u16;
/// `DOS_STAR`: any run of characters that does not pass the name's last dot.
const DOS_STAR: u16 = b'<' as u16;
/// `DOS_QM`: one character, or none at a dot or at the end of the name.
const DOS_QM: u16 = b'>' as u16;
/// `DOS_DOT`: a dot, or nothing at the end of the name.
const DOS_DOT: u16 = b'"' as u16;

/// Tells whether `name` has a wildcard of either kind.
pub fn has_wildcards(name: &[u16]) -> bool {
    name.iter().any(|unit| [STAR, ANY_ONE, DOS_STAR, DOS_QM, DOS_DOT].contains(unit))
}

/// Translates the pattern given to `FindFirstFile` (its last path component) into the file system's expression.
///
/// `*.*` means every name; `?` may match nothing at the end; a trailing dot selects names without an extension.
pub fn dos_pattern_to_expression(pattern: &[u16]) -> Vec<u16> {
    if pattern == [STAR, DOT, STAR] {
        return vec![STAR];
    }
    let kept =
        pattern.iter().rposition(|&unit| unit != DOT && unit != u16::from(b' ')).map_or(0, |at| at + 1);
    let had_trailing_dot = pattern[kept..].contains(&DOT);
    let mut expression = Vec::with_capacity(kept);
    for (at, &unit) in pattern[..kept].iter().enumerate() {
        let translated = match unit {
            ANY_ONE => DOS_QM,
            DOT if matches!(pattern[..kept].get(at + 1), Some(&(STAR | ANY_ONE))) => DOS_DOT,
            STAR if pattern[..kept].get(at + 1) == Some(&DOT) => DOS_STAR,
            STAR if had_trailing_dot && at + 1 == kept => DOS_STAR,
            other => other,
        };
        expression.push(translated);
    }
    expression
}

/// Tells whether `name` matches a `FindFirstFile` pattern, ignoring case.
pub fn matches_dos_pattern(pattern: &[u16], name: &[u16]) -> bool {
    is_name_in_expression(&dos_pattern_to_expression(pattern), name, true)
}

/// Tells whether `name` matches `expression`, as `RtlIsNameInExpression` does.
pub fn is_name_in_expression(expression: &[u16], name: &[u16], ignore_case: bool) -> bool {
    if expression == [STAR] {
        return true;
    }
    let last_dot = name.iter().rposition(|&unit| unit == DOT);
    let fold = |unit: u16| if ignore_case { upcase(unit) } else { unit };
    // states[i]: the expression's first i units have matched what was read of the name.
    let mut states = vec![false; expression.len() + 1];
    let mut next = vec![false; expression.len() + 1];
    states[0] = true;
    for (at, &unit) in name.iter().enumerate() {
        next.fill(false);
        for state in 0..expression.len() {
            if !states[state] {
                continue;
            }
            match expression[state] {
                STAR => (states[state + 1], next[state]) = (true, true),
                DOS_STAR => {
                    states[state + 1] = true;
                    next[state] |= Some(at) != last_dot;
                }
                DOS_QM if unit == DOT => states[state + 1] = true,
                ANY_ONE | DOS_QM => next[state + 1] = true,
                DOS_DOT => next[state + 1] |= unit == DOT,
                literal => next[state + 1] |= fold(literal) == fold(unit),
            }
        }
        std::mem::swap(&mut states, &mut next);
    }
    // At the end of the name the wildcards that may match nothing do so.
    let optional =
        expression.iter().rev().take_while(|unit| [STAR, DOS_STAR, DOS_QM, DOS_DOT].contains(unit)).count();
    states[expression.len() - optional..].contains(&true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(text: &str) -> Vec<u16> {
        text.encode_utf16().collect()
    }

    #[test]
    fn dos_patterns_match_as_dir_does() {
        let cases = [
            ("*", "a", true),
            ("*.*", "noextension", true),
            ("*.*", "a.b.c", true),
            ("*.txt", "A.TXT", true),
            ("*.txt", "a.b.txt", true),
            ("*.txt", "a.txt.bak", false),
            ("*.txt", "txt", false),
            ("*.", "noextension", true),
            ("*.", "a.txt", false),
            ("a*.*", "abc", true),
            ("?", "a", true),
            ("?", "ab", false),
            ("????", "ab", true),
            ("????", "a.b", false),
            ("a?.txt", "a.txt", true),
            ("a?.txt", "ab.txt", true),
            ("a?.txt", "abc.txt", false),
            ("a.?", "a", true),
            ("a.b", "A.B", true),
            ("*a*", "bab", true),
            ("*.c*", "x.cpp", true),
            ("*.c*", "x.c", true),
            ("*.c*", "x.h", false),
            ("Ä*", "äb", true),
            ("f*.t?t", "foo.txt", true),
            ("", "", true),
            ("", "a", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches_dos_pattern(&wide(pattern), &wide(name)), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn expressions_follow_the_file_system_rules() {
        let cases = [
            ("<.c", "a.b.c", true),
            ("<", "a.b", false),
            ("<\"*", "foo", true),
            (">>>.txt", "a.txt", true),
            ("a\"", "a", true),
            ("a\"", "a.", true),
            ("a?", "a", false),
            ("*.*", "noextension", false),
        ];
        for (expression, name, expected) in cases {
            assert_eq!(
                is_name_in_expression(&wide(expression), &wide(name), true),
                expected,
                "{expression} {name}"
            );
        }
        assert!(!is_name_in_expression(&wide("A"), &wide("a"), false));
    }

    #[test]
    fn hostile_pattern_takes_linear_time() {
        let pattern = wide(&"*a".repeat(200));
        let name = wide(&"a".repeat(2000));
        assert!(!is_name_in_expression(&[pattern.clone(), wide("b")].concat(), &name, true));
        assert!(is_name_in_expression(&pattern, &name, true));
    }
}
