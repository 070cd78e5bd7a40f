//! The patterns of `findstr`: a small kind of regular expressions.
//!
//! `.` any character, `*` any number of the character or class before it, `^` and `$` the line's ends, `[abc]`, `[^abc]`,
//! `[a-z]` classes, `\x` the character itself, `\<` and `\>` a word's ends. There is no alternative and no group.
//!
//! Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/findstr>

/// One character's test.
#[derive(Clone, Debug, PartialEq, Eq)]
enum One {
    /// This character.
    Just(char),
    /// Any.
    Any,
    /// One in (or, negated, not in) these ranges.
    Class(bool, Vec<(char, char)>),
}

/// A step of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// One character, or with a star any number.
    Take(One, bool),
    /// The line's beginning.
    LineBegins,
    /// The line's end.
    LineEnds,
    /// A word's beginning.
    WordBegins,
    /// A word's end.
    WordEnds,
}

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    steps: Vec<Step>,
    ignores_case: bool,
}

/// Says whether a text has characters with a meaning that no backslash takes away.
pub(super) fn has_meaning(text: &str) -> bool {
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('<' | '>') => return true,
                _ => continue,
            },
            '.' | '*' | '^' | '$' | '[' | ']' => return true,
            _ => {}
        }
    }
    false
}

fn fold(c: char, ignores_case: bool) -> char {
    if ignores_case { c.to_lowercase().next().unwrap_or(c) } else { c }
}

impl Pattern {
    /// Takes a text as it is; `\\` is a backslash and `\"` a quote.
    pub(super) fn literal(text: &str, ignores_case: bool) -> Self {
        let mut steps = Vec::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let escaped = if c == '\\' { chars.next_if(|next| ['\\', '"'].contains(next)) } else { None };
            steps.push(Step::Take(One::Just(fold(escaped.unwrap_or(c), ignores_case)), false));
        }
        Self { steps, ignores_case }
    }

    /// Reads a regular expression.
    pub(super) fn regular(text: &str, ignores_case: bool) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let (mut steps, mut at) = (Vec::new(), 0);
        while let Some(&c) = chars.get(at) {
            at += 1;
            let is_last = at == chars.len();
            let step = match (c, chars.get(at)) {
                ('^', _) if at == 1 => Step::LineBegins,
                ('$', _) if is_last => Step::LineEnds,
                ('\\', Some('<')) => {
                    at += 1;
                    Step::WordBegins
                }
                ('\\', Some('>')) => {
                    at += 1;
                    Step::WordEnds
                }
                ('\\', Some(&next)) => {
                    at += 1;
                    Step::Take(One::Just(fold(next, ignores_case)), false)
                }
                ('*', _) => match steps.last_mut() {
                    Some(Step::Take(_, star)) => {
                        *star = true;
                        continue;
                    }
                    _ => Step::Take(One::Just('*'), false),
                },
                ('.', _) => Step::Take(One::Any, false),
                ('[', _) => match class(&chars[at..], ignores_case) {
                    Some((one, length)) => {
                        at += length;
                        Step::Take(one, false)
                    }
                    None => Step::Take(One::Just('['), false),
                },
                _ => Step::Take(One::Just(fold(c, ignores_case)), false),
            };
            steps.push(step);
        }
        Self { steps, ignores_case }
    }

    /// Ties the pattern to the beginning and the end of the line.
    pub(super) fn tied(mut self, begins: bool, ends: bool) -> Self {
        if begins {
            self.steps.insert(0, Step::LineBegins);
        }
        if ends {
            self.steps.push(Step::LineEnds);
        }
        self
    }

    /// Says whether a line has it; `has_end` says whether the line ended as Windows' lines do, which `$` asks for.
    pub(super) fn is_in(&self, line: &[char], has_end: bool) -> bool {
        (0..=line.len()).any(|start| self.goes_on(line, has_end, start, &self.steps))
    }

    fn goes_on(&self, line: &[char], has_end: bool, mut at: usize, mut steps: &[Step]) -> bool {
        let is_word = |at: Option<&char>| at.is_some_and(|c| c.is_alphanumeric() || *c == '_');
        while let Some((step, rest)) = steps.split_first() {
            let before = at.checked_sub(1).and_then(|at| line.get(at));
            let holds = match step {
                Step::LineBegins => at == 0,
                Step::LineEnds => at == line.len() && has_end,
                Step::WordBegins => !is_word(before) && is_word(line.get(at)),
                Step::WordEnds => is_word(before) && !is_word(line.get(at)),
                Step::Take(one, true) => {
                    let count = line[at..].iter().take_while(|&&c| self.takes(one, c)).count();
                    return (0..=count).rev().any(|count| self.goes_on(line, has_end, at + count, rest));
                }
                Step::Take(one, false) => {
                    let holds = line.get(at).is_some_and(|&c| self.takes(one, c));
                    at += 1;
                    holds
                }
            };
            if !holds {
                return false;
            }
            steps = rest;
        }
        true
    }

    fn takes(&self, one: &One, c: char) -> bool {
        let c = fold(c, self.ignores_case);
        match one {
            One::Just(wanted) => c == *wanted,
            One::Any => true,
            One::Class(negated, ranges) => {
                let upper = c.to_uppercase().next().unwrap_or(c);
                let is_in = |c: char| ranges.iter().any(|range| (range.0..=range.1).contains(&c));
                (is_in(c) || self.ignores_case && is_in(upper)) != *negated
            }
        }
    }
}

/// Reads a class behind its bracket; returns it and its length, `None` when it has no end.
fn class(chars: &[char], ignores_case: bool) -> Option<(One, usize)> {
    let negated = chars.first() == Some(&'^');
    let start = usize::from(negated);
    // A bracket that comes first is a member.
    let end = chars.iter().skip(start + 1).position(|&c| c == ']')? + start + 1;
    let (mut ranges, mut at) = (Vec::new(), start);
    while at < end {
        if chars[at] == '\\' && at + 1 < end {
            at += 1;
        }
        if at + 2 < end && chars[at + 1] == '-' {
            ranges.push((chars[at], chars[at + 2]));
            at += 3;
        } else {
            ranges.push((fold(chars[at], ignores_case), fold(chars[at], ignores_case)));
            at += 1;
        }
    }
    Some((One::Class(negated, ranges), end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_findstrs() {
        for (pattern, line, expected) in [
            ("abc", "xabcx", true),
            ("^abc", "abcx", true),
            ("^abc", "xabc", false),
            ("abc$", "xabc", true),
            ("abc$", "abcx", false),
            ("a.c", "abc", true),
            ("ab*c", "ac", true),
            ("ab*c", "abbbc", true),
            ("a.*c", "a---c--", true),
            ("[0-9][0-9]*", "no", false),
            ("[0-9][0-9]*", "n12", true),
            ("[^a-z]", "abc", false),
            ("[^a-z]", "aBc", true),
            ("[]x]", "]", true),
            ("a\\.b", "axb", false),
            ("a\\.b", "a.b", true),
            ("\\<on", "one two", true),
            ("\\<on", "bone", false),
            ("on\\>", "on top", true),
            ("on\\>", "one", false),
            ("*a", "*a", true),
            ("a$b", "a$b", true),
            ("a^b", "a^b", true),
            ("a|b", "a", false),
            ("[ab", "x[ab", true),
            ("", "anything", true),
        ] {
            let line: Vec<char> = line.chars().collect();
            assert_eq!(Pattern::regular(pattern, false).is_in(&line, true), expected, "{pattern}");
        }
    }

    #[test]
    fn the_end_of_a_line_is_windows_line_end() {
        let line: Vec<char> = "abc".chars().collect();
        assert!(!Pattern::regular("c$", false).is_in(&line, false));
        assert!(!Pattern::literal("abc", false).tied(true, true).is_in(&line, false));
        assert!(Pattern::literal("abc", false).tied(true, true).is_in(&line, true));
    }

    #[test]
    fn case_and_backslashes() {
        let line: Vec<char> = r#"C:\Dir "x""#.chars().collect();
        assert!(Pattern::literal(r"c:\\dir", true).is_in(&line, true));
        assert!(Pattern::literal(r"C:\Dir", false).is_in(&line, true));
        assert!(Pattern::literal(r#"\"x\""#, false).is_in(&line, true));
        assert!(Pattern::regular("[c]:", true).is_in(&line, true));
        assert!(!Pattern::literal("c:", false).is_in(&line, true));
        assert_eq!(["a.b", r"a\.b", r"\<a", "a", "["].map(has_meaning), [true, false, true, false, true]);
    }
}
