//! `if` and `for`.

use super::commands::leading_number;
use super::files;
use super::shell::{Flow, Io, Shell, unquote, wide, words};
use super::syntax::{Comparison, Condition, ForKind, Node};
use crate::logic::wildcard;

/// Reads an operand as a number: decimal, `0x` or octal; `None` when it is none.
fn number(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let value = if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        i64::from_str_radix(hex, 16).ok()?
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(digits, 8).ok()?
    } else {
        digits.parse().ok()?
    };
    Some(sign * value)
}

fn compare(left: &str, right: &str, ignores_case: bool) -> std::cmp::Ordering {
    if ignores_case { left.to_lowercase().cmp(&right.to_lowercase()) } else { left.cmp(right) }
}

impl Shell {
    /// Answers an `if`.
    pub(super) fn holds(&self, condition: &Condition, ignores_case: bool) -> Result<bool, String> {
        Ok(match condition {
            Condition::ErrorLevel(text) => self.level >= leading_number(&self.late(text)),
            Condition::Extensions(text) => leading_number(&self.late(text)) <= 2,
            Condition::Defined(name) => {
                let name = unquote(&self.late(name));
                super::expand::Values::variable(self, &name).is_some()
            }
            Condition::Exist(name) => {
                let name = unquote(&self.late(name));
                if name.contains(['*', '?']) {
                    !files::matches(self, &name, files::Wanted::Any).is_empty()
                } else {
                    // `NUL` exists in every directory that does.
                    name.to_lowercase().ends_with("\\nul")
                        && self.locate(&name[..name.len() - 4]).is_ok_and(|found| found.1)
                        || name.eq_ignore_ascii_case("nul")
                        || self.locate(&name).is_ok_and(|found| found.1)
                }
            }
            Condition::Compare(left, comparison, right) => {
                let (left, right) = (self.late(left), self.late(right));
                let order = match (number(&left), number(&right)) {
                    (Some(left), Some(right)) if *comparison != Comparison::Same => left.cmp(&right),
                    _ => compare(&left, &right, ignores_case),
                };
                match comparison {
                    Comparison::Same | Comparison::Equal => order.is_eq(),
                    Comparison::NotEqual => order.is_ne(),
                    Comparison::Less => order.is_lt(),
                    Comparison::LessOrEqual => order.is_le(),
                    Comparison::Greater => order.is_gt(),
                    Comparison::GreaterOrEqual => order.is_ge(),
                }
            }
        })
    }

    /// Runs a `for`.
    pub(super) fn for_loop(
        &mut self,
        kind: &ForKind,
        variable: char,
        set: &str,
        body: &Node,
        io: &Io,
    ) -> Flow {
        let set = self.late(set);
        match kind {
            ForKind::Numbers => self.for_numbers(variable, &set, body, io),
            ForKind::Lines(options) => self.for_lines(options, variable, &set, body, io),
            ForKind::Plain => self.for_words(&set, files::Wanted::Files, variable, body, io),
            ForKind::Directories => self.for_words(&set, files::Wanted::Directories, variable, body, io),
            ForKind::Recursive(root) => {
                let root = unquote(&self.late(root));
                let root = if root.is_empty() { self.directory() } else { root };
                let mut flow = Flow::Next;
                for directory in files::tree(self, &root) {
                    flow = self.for_words_in(&directory, &set, variable, body, io);
                    if flow != Flow::Next {
                        break;
                    }
                }
                flow
            }
        }
    }

    fn with_loop(&mut self, values: &[(char, String)], body: &Node, io: &Io) -> Flow {
        let before = self.loops.len();
        self.loops.extend_from_slice(values);
        let flow = self.run(body, io);
        self.loops.truncate(before);
        flow
    }

    fn for_words(&mut self, set: &str, wanted: files::Wanted, variable: char, body: &Node, io: &Io) -> Flow {
        for word in words(set) {
            let has_wildcard = word.contains(['*', '?']);
            let values =
                if has_wildcard { files::matches(self, &unquote(&word), wanted) } else { vec![word] };
            for value in values {
                match self.with_loop(&[(variable, value)], body, io) {
                    Flow::Next => {}
                    other => return other,
                }
            }
        }
        Flow::Next
    }

    fn for_words_in(&mut self, directory: &str, set: &str, variable: char, body: &Node, io: &Io) -> Flow {
        for word in words(set) {
            let inside = format!("{}\\{}", directory.trim_end_matches('\\'), unquote(&word));
            let values = if word.contains(['*', '?']) {
                files::matches(self, &inside, files::Wanted::Files)
            } else {
                vec![inside]
            };
            for value in values {
                match self.with_loop(&[(variable, value)], body, io) {
                    Flow::Next => {}
                    other => return other,
                }
            }
        }
        Flow::Next
    }

    fn for_numbers(&mut self, variable: char, set: &str, body: &Node, io: &Io) -> Flow {
        let numbers: Vec<i64> = words(set).iter().map(|word| number(word).unwrap_or(0)).collect();
        let at = |index: usize| numbers.get(index).copied().unwrap_or(0);
        let (mut value, step, end) = (at(0), at(1), at(2));
        while if step >= 0 { value <= end } else { value >= end } {
            match self.with_loop(&[(variable, value.to_string())], body, io) {
                Flow::Next => {}
                other => return other,
            }
            value += step;
        }
        Flow::Next
    }

    fn for_lines(&mut self, options: &str, variable: char, set: &str, body: &Node, io: &Io) -> Flow {
        let options = match LineOptions::read(&self.late(options)) {
            Ok(options) => options,
            Err(what) => return self.fail(io, 255, &format!("{what} was unexpected at this time.\n")),
        };
        let text = match self.lines_of(set.trim(), &options, io) {
            Ok(text) => text,
            Err(name) => {
                return self.fail(io, 1, &format!("The system cannot find the file {name}.\n"));
            }
        };
        for line in text.lines().skip(options.skip) {
            let line = line.trim_end_matches('\r');
            if line.is_empty() || options.eol.is_some_and(|eol| line.starts_with(eol)) {
                continue;
            }
            let Some(values) = options.split(line, variable) else { continue };
            match self.with_loop(&values, body, io) {
                Flow::Next => {}
                other => return other,
            }
        }
        Flow::Next
    }

    /// Returns the text that a `for /f` goes over: of a command, a string, or files.
    fn lines_of(&mut self, set: &str, options: &LineOptions, io: &Io) -> Result<String, String> {
        let inside = |quote: char| {
            let inner = set.strip_prefix(quote)?;
            Some(inner.strip_suffix(quote).unwrap_or(inner).to_owned())
        };
        let (command, string) = if options.use_back_quotes { ('`', '\'') } else { ('\'', '"') };
        if let Some(line) = inside(command) {
            let bytes = self.capture(&line, io);
            return Ok(self.decode(&bytes));
        }
        if let Some(text) = inside(string) {
            return Ok(text);
        }
        let mut text = String::new();
        for name in words(set) {
            let name = unquote(&name);
            let found = self.locate(&name).ok().filter(|found| found.1);
            let bytes = found.and_then(|found| files::read(&found.0)).ok_or(name)?;
            text.push_str(&self.decode(&bytes));
            if !text.ends_with('\n') {
                text.push('\n');
            }
        }
        Ok(text)
    }
}

/// The options of `for /f`.
#[derive(Debug, PartialEq, Eq)]
struct LineOptions {
    eol: Option<char>,
    skip: usize,
    delimiters: Vec<char>,
    /// Numbers of the tokens, from 1.
    tokens: Vec<usize>,
    /// Whether the rest of the line is one more.
    rest: bool,
    use_back_quotes: bool,
}

impl LineOptions {
    fn read(text: &str) -> Result<Self, String> {
        let mut options = Self {
            eol: Some(';'),
            skip: 0,
            delimiters: vec![' ', '\t'],
            tokens: vec![1],
            rest: false,
            use_back_quotes: false,
        };
        let text = text.trim();
        let mut text = text.strip_prefix('"').unwrap_or(text);
        text = text.strip_suffix('"').unwrap_or(text);
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let lower = rest.to_ascii_lowercase();
            if lower.starts_with("usebackq") {
                options.use_back_quotes = true;
                rest = &rest["usebackq".len()..];
            } else if lower.starts_with("eol=") {
                options.eol = rest[4..].chars().next();
                rest = &rest[4 + options.eol.map_or(0, char::len_utf8)..];
            } else if lower.starts_with("skip=") {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                options.skip = rest[5..end].parse().map_err(|_| rest.to_owned())?;
                rest = &rest[end..];
            } else if lower.starts_with("delims=") {
                // A blank counts when it is the last character of all.
                let text = &rest[7..];
                let end = text.find(' ').filter(|&end| end + 1 < text.len()).unwrap_or(text.len());
                options.delimiters = text[..end].chars().collect();
                rest = &text[end..];
            } else if lower.starts_with("tokens=") {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                options.read_tokens(&rest[7..end]).ok_or_else(|| rest.to_owned())?;
                rest = &rest[end..];
            } else {
                return Err(rest.to_owned());
            }
            rest = rest.trim_start();
        }
        Ok(options)
    }

    fn read_tokens(&mut self, text: &str) -> Option<()> {
        self.tokens.clear();
        let text = match text.strip_suffix('*') {
            Some(before) => {
                self.rest = true;
                before.trim_end_matches(',')
            }
            None => text,
        };
        for part in text.split(',').filter(|part| !part.is_empty()) {
            match part.split_once('-') {
                Some((first, last)) => self.tokens.extend(first.parse().ok()?..=last.parse::<usize>().ok()?),
                None => self.tokens.push(part.parse().ok()?),
            }
        }
        self.tokens.sort_unstable();
        self.tokens.dedup();
        Some(())
    }

    /// Splits a line into the variables' values; `None` when it has not even the first token.
    fn split(&self, line: &str, variable: char) -> Option<Vec<(char, String)>> {
        let is_delimiter = |c: char| self.delimiters.contains(&c);
        let last = self.tokens.last().copied().unwrap_or(0);
        let (mut tokens, mut rest) = (Vec::new(), line.trim_start_matches(is_delimiter));
        while tokens.len() < last && !rest.is_empty() {
            let end = rest.find(is_delimiter).unwrap_or(rest.len());
            tokens.push(&rest[..end]);
            rest = rest[end..].trim_start_matches(is_delimiter);
        }
        if last == 0 {
            rest = line.trim_start_matches(is_delimiter);
        }
        let mut values = Vec::new();
        let mut letter = variable;
        let mut add = |value: &str| {
            values.push((letter, value.to_owned()));
            letter = char::from_u32(letter as u32 + 1).unwrap_or(letter);
        };
        for &token in &self.tokens {
            add(tokens.get(token - 1).copied().unwrap_or(""));
        }
        if self.rest {
            add(rest);
        }
        let has_some = values.iter().any(|pair| !pair.1.is_empty());
        has_some.then_some(values)
    }
}

/// Says whether a name fits a pattern with `*` and `?`, as the files of a directory are matched.
pub(super) fn fits(name: &str, pattern: &str) -> bool {
    wildcard::matches_dos_pattern(&wide(pattern), &wide(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_as_the_options_say() {
        for (options, line, expected) in [
            ("", "one two three", "a=one"),
            ("\"tokens=2\"", "one two three", "a=two"),
            ("\"tokens=1,3\"", "one two three four", "a=one b=three"),
            ("\"tokens=1-3\"", "one two", "a=one b=two c="),
            ("\"tokens=1*\"", "one two  three", "a=one b=two  three"),
            ("\"tokens=*\"", "  one two", "a=one two"),
            ("\"delims=\"", "  one two", "a=  one two"),
            ("\"tokens=2 delims=,;\"", "a,;b,c", "a=b"),
            ("\"delims=, \"", "a b,c", "a=a"),
            ("\"usebackq skip=2 eol=#\"", "x", "a=x"),
        ] {
            let read = LineOptions::read(options).unwrap();
            let values = read.split(line, 'a').unwrap_or_default();
            let shown: Vec<String> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(shown.join(" "), expected, "{options} {line}");
        }
        assert!(LineOptions::read("\"nonsense=1\"").is_err());
    }
}
