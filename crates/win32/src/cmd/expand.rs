//! `%NAME%`, `%1`, `%~dp0`, `%i` and `!NAME!`: what stands for something else. The state is behind [`Values`].
//!
//! Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/set_1>, `call`, `for`.

/// What texts stand for.
pub trait Values {
    /// Returns a variable's value, the computed ones (`CD`, `ERRORLEVEL`, …) too.
    fn variable(&self, name: &str) -> Option<String>;
    /// Returns the batch argument of this number (0 is the batch file itself), empty where there is none; `None`
    /// outside a batch file.
    fn argument(&self, number: usize) -> Option<String>;
    /// Returns all arguments from the first, as they were written; `None` outside a batch file.
    fn all_arguments(&self) -> Option<String>;
    /// Returns the value of a `for` variable.
    fn loop_variable(&self, letter: char) -> Option<String>;
    /// Returns the parts of a file that modifiers ask for: see [`Modifiers`].
    fn file_parts(&self, text: &str, modifiers: &Modifiers) -> String;
}

/// The letters after `%~`, and the variable whose folders are searched (`$PATH:`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modifiers {
    /// Letters out of `fdpnxsatz`, in lower case.
    pub letters: String,
    /// The variable of a search.
    pub search: Option<String>,
}

/// Expands `%…%` and batch arguments, as is done once with every line before it is parsed.
pub fn percent(text: &str, values: &dyn Values) -> String {
    let is_batch = values.all_arguments().is_some();
    let chars: Vec<char> = text.chars().collect();
    let (mut out, mut at) = (String::new(), 0);
    while at < chars.len() {
        if chars[at] != '%' {
            out.push(chars[at]);
            at += 1;
            continue;
        }
        if is_batch && chars.get(at + 1) == Some(&'%') {
            out.push('%');
            at += 2;
            continue;
        }
        if is_batch && let Some((value, end)) = batch_argument(&chars, at, values) {
            out.push_str(&value);
            at = end;
            continue;
        }
        match named(&chars, at, '%', values, is_batch) {
            Some((value, end)) => {
                out.push_str(&value);
                at = end;
            }
            None => {
                if !is_batch {
                    out.push('%');
                }
                at += 1;
            }
        }
    }
    out
}

/// `%*`, `%0` to `%9`, `%~letters0`.
fn batch_argument(chars: &[char], at: usize, values: &dyn Values) -> Option<(String, usize)> {
    match *chars.get(at + 1)? {
        '*' => Some((values.all_arguments()?, at + 2)),
        c if c.is_ascii_digit() => Some((values.argument(c.to_digit(10)? as usize)?, at + 2)),
        '~' => {
            let (modifiers, place) = modifiers(chars, at + 2, |c| c.is_ascii_digit())?;
            let number = chars[place].to_digit(10)? as usize;
            Some((values.file_parts(&values.argument(number)?, &modifiers), place + 1))
        }
        _ => None,
    }
}

/// Reads modifiers up to a character that `ends` accepts; the longest such reading counts.
fn modifiers(chars: &[char], start: usize, ends: impl Fn(char) -> bool) -> Option<(Modifiers, usize)> {
    let mut found = Modifiers::default();
    let mut at = start;
    let mut last = None;
    loop {
        let c = *chars.get(at)?;
        if ends(c) {
            last = Some((found.clone(), at));
        }
        if c == '$' {
            let end = chars[at..].iter().position(|&c| c == ':')? + at;
            found.search = Some(chars[at + 1..end].iter().collect());
            at = end + 1;
            let c = *chars.get(at)?;
            return ends(c).then_some((found, at));
        }
        if !"fdpnxsatz".contains(c.to_ascii_lowercase()) || at + 1 >= chars.len() {
            return last;
        }
        found.letters.push(c.to_ascii_lowercase());
        at += 1;
        if last.is_some() && !ends(*chars.get(at)?) && !"fdpnxsatz$".contains(chars[at].to_ascii_lowercase())
        {
            return last;
        }
    }
}

/// `%NAME%`, `%NAME:~1,2%`, `%NAME:a=b%` between two `sign`s.
fn named(
    chars: &[char],
    at: usize,
    sign: char,
    values: &dyn Values,
    is_batch: bool,
) -> Option<(String, usize)> {
    let rest = &chars[at + 1..];
    let end = rest.iter().position(|&c| c == sign).filter(|&end| end > 0)?;
    let colon = rest[..end].iter().position(|&c| c == ':').filter(|&colon| colon > 0);
    let whole: String = rest[..end].iter().collect();
    if let Some(value) = values.variable(&whole) {
        return Some((value, at + end + 2));
    }
    let Some(colon) = colon else {
        return is_batch.then(|| (String::new(), at + end + 2));
    };
    let name: String = rest[..colon].iter().collect();
    let change: String = rest[colon + 1..end].iter().collect();
    match values.variable(&name) {
        Some(value) => Some((changed(&value, &change), at + end + 2)),
        // Without a value, a batch file keeps what follows the colon.
        None if is_batch => {
            let keeps = change.starts_with('~') || change.contains('=');
            Some((if keeps { change } else { String::new() }, at + end + 2))
        }
        None => None,
    }
}

/// Applies `~start,length` or `a=b` to a value.
pub fn changed(value: &str, change: &str) -> String {
    if let Some(range) = change.strip_prefix('~') {
        return part(value, range);
    }
    let Some((from, to)) = change.split_once('=') else { return value.to_owned() };
    if let Some(from) = from.strip_prefix('*') {
        return match find_ignoring_case(value, from) {
            Some(at) if !from.is_empty() => {
                let after: String = value.chars().skip(at + from.chars().count()).collect();
                format!("{to}{after}")
            }
            _ => value.to_owned(),
        };
    }
    if from.is_empty() {
        return value.to_owned();
    }
    let (mut out, mut rest) = (String::new(), value.to_owned());
    while let Some(at) = find_ignoring_case(&rest, from) {
        out.extend(rest.chars().take(at));
        out.push_str(to);
        rest = rest.chars().skip(at + from.chars().count()).collect();
    }
    out + &rest
}

fn find_ignoring_case(text: &str, what: &str) -> Option<usize> {
    let lower = |c: char| c.to_lowercase().next().unwrap_or(c);
    let text: Vec<char> = text.chars().map(lower).collect();
    let what: Vec<char> = what.chars().map(lower).collect();
    if what.is_empty() || text.len() < what.len() {
        return None;
    }
    (0..=text.len() - what.len()).find(|&at| text[at..at + what.len()] == what[..])
}

fn part(value: &str, range: &str) -> String {
    let chars: Vec<char> = value.chars().collect();
    let length = chars.len() as i64;
    let (start, count) = match range.split_once(',') {
        Some((start, count)) => (start, Some(count)),
        None => (range, None),
    };
    let number = |text: &str| text.trim().parse::<i64>().unwrap_or(0);
    let place = |number: i64| if number < 0 { (length + number).max(0) } else { number.min(length) };
    let start = place(number(start));
    let end = match count.map(number) {
        None => length,
        Some(count) if count < 0 => (length + count).max(start),
        Some(count) => (start + count).min(length),
    };
    chars[start as usize..end as usize].iter().collect()
}

/// Expands `for` variables: `%i` and `%~nxi`. Others stay as they are.
pub fn loop_variables(text: &str, values: &dyn Values) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let chars: Vec<char> = text.chars().collect();
    let (mut out, mut at) = (String::new(), 0);
    while at < chars.len() {
        if chars[at] == '%'
            && let Some((value, end)) = loop_variable(&chars, at, values)
        {
            out.push_str(&value);
            at = end;
        } else {
            out.push(chars[at]);
            at += 1;
        }
    }
    out
}

fn loop_variable(chars: &[char], at: usize, values: &dyn Values) -> Option<(String, usize)> {
    let next = *chars.get(at + 1)?;
    if next == '~' {
        let (modifiers, place) = modifiers(chars, at + 2, |c| values.loop_variable(c).is_some())?;
        return Some((values.file_parts(&values.loop_variable(chars[place])?, &modifiers), place + 1));
    }
    Some((values.loop_variable(next)?, at + 2))
}

/// Expands `!NAME!` and, in a text with an exclamation mark, resolves carets.
pub fn delayed(text: &str, values: &dyn Values) -> String {
    if !text.contains('!') {
        return text.to_owned();
    }
    let chars: Vec<char> = text.chars().collect();
    let (mut out, mut at) = (String::new(), 0);
    while at < chars.len() {
        match chars[at] {
            '^' if at + 1 < chars.len() => {
                out.push(chars[at + 1]);
                at += 2;
            }
            '!' => match named(&chars, at, '!', values, true) {
                Some((value, end)) => {
                    out.push_str(&value);
                    at = end;
                }
                None => at += 1,
            },
            c => {
                out.push(c);
                at += 1;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Some3(bool);

    impl Values for Some3 {
        fn variable(&self, name: &str) -> Option<String> {
            match name.to_lowercase().as_str() {
                "a" => Some("Hello World".into()),
                "b" => Some("x".into()),
                _ => None,
            }
        }
        fn argument(&self, number: usize) -> Option<String> {
            self.0.then(|| ["bat", "one", "\"t w\""].get(number).copied().unwrap_or("").into())
        }
        fn all_arguments(&self) -> Option<String> {
            self.0.then(|| "one \"t w\"".into())
        }
        fn loop_variable(&self, letter: char) -> Option<String> {
            (letter == 'i').then(|| "file.txt".into())
        }
        fn file_parts(&self, text: &str, modifiers: &Modifiers) -> String {
            format!("[{}|{}|{}]", modifiers.letters, modifiers.search.as_deref().unwrap_or(""), text)
        }
    }

    #[test]
    fn percents_in_batch_files_and_outside() {
        for (text, batch, line) in [
            ("%a% %B%", "Hello World x", "Hello World x"),
            ("%none%|", "|", "%none%|"),
            ("100%", "100", "100%"),
            ("%%i", "%i", "%%i"),
            ("%1-%2-%3-%*", "one-\"t w\"--one \"t w\"", "%1-%2-%3-%*"),
            ("%~1 %~dp0x", "[||one] [dp||bat]x", "%~1 %~dp0x"),
            ("%~$PATH:1", "[|PATH|one]", "%~$PATH:1"),
            ("%a:~0,5%|%a:~-5%|%a:~1,-1%|%a:~20%", "Hello|World|ello Worl|", "Hello|World|ello Worl|"),
            ("%a:world=all%|%a:*o=0%|%a:l=%", "Hello all|0 World|Heo Word", "Hello all|0 World|Heo Word"),
            ("%none:~1%|", "~1|", "%none:~1%|"),
        ] {
            assert_eq!(percent(text, &Some3(true)), batch, "{text} in a batch file");
            assert_eq!(percent(text, &Some3(false)), line, "{text} on a line");
        }
    }

    #[test]
    fn loop_variables_and_delayed_ones() {
        let values = Some3(true);
        assert_eq!(loop_variables("%i %~nxi %~ni. %j", &values), "file.txt [nx||file.txt] [n||file.txt]. %j");
        assert_eq!(delayed("!a! ^! !none!.", &values), "Hello World ! .");
        assert_eq!(delayed("a ^b", &values), "a ^b");
        assert_eq!(delayed("!a:~0,1!!b!", &values), "Hx");
    }
}
