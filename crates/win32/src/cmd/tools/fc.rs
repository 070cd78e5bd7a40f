//! `fc`: the differences of two files.
//!
//! Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/fc>

use super::split;
use crate::cmd::files;
use crate::cmd::shell::{Io, Shell};

/// Extensions of files that are compared byte by byte.
const BINARY: [&str; 6] = [".exe", ".com", ".sys", ".obj", ".lib", ".bin"];

/// How lines are compared.
#[derive(Debug)]
struct Wish {
    letters: String,
    /// Lines that must be the same for the files to be the same again.
    same: usize,
    /// Lines to look ahead.
    ahead: usize,
}

impl Wish {
    fn has(&self, letter: char) -> bool {
        self.letters.contains(letter)
    }

    fn key(&self, line: &str) -> String {
        let mut line = if self.has('c') { line.to_uppercase() } else { line.to_owned() };
        if self.has('w') {
            line = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        }
        line
    }
}

/// Compares two files; 0 if they are the same, 1 if not, 2 when one is missing, -1 for a wrong line.
pub(super) fn compare(shell: &mut Shell, arguments: &str, io: &Io) -> i32 {
    let mut wish = Wish { letters: String::new(), same: 2, ahead: 100 };
    let mut names = Vec::new();
    for word in split(arguments) {
        let lower = word.to_ascii_lowercase();
        match lower.strip_prefix('/') {
            Some("off" | "offline") => {}
            Some(switch) if switch.starts_with("lb") => wish.ahead = switch[2..].parse().unwrap_or(100),
            Some(switch) => match switch.parse() {
                Ok(number) => wish.same = number,
                Err(_) => wish.letters.push_str(switch),
            },
            None => names.push(word),
        }
    }
    let [first, second] = names.as_slice() else {
        shell.print(io, 2, "FC: Insufficient number of file specifications\n\n");
        return -1;
    };
    // A folder, or a name with a star, stands for the file of the same name there.
    let mut second = second.clone();
    if second.contains('*') || shell.locate(&second).is_ok_and(|found| found.1 && found.0.is_dir()) {
        let folder =
            if second.contains('*') { files::split_folder(&second).0.to_owned() } else { second + "\\" };
        second = format!("{folder}{}", files::split_folder(first).1);
    }
    let shown = second.to_uppercase();
    shell.out(io, &format!("Comparing files {first} and {shown}\n"));
    let mut bytes = Vec::new();
    for name in [first, &second] {
        match files::read_named(shell, name) {
            Ok(found) => bytes.push(found),
            Err(_) => {
                let name = if *name == second { &shown } else { name };
                shell.out(io, &format!("FC: cannot open {name} - No such file or folder\n\n"));
                return 2;
            }
        }
    }
    let is_binary = BINARY.iter().any(|end| first.to_ascii_lowercase().ends_with(end));
    let (out, same) = if wish.has('b') || is_binary && !wish.has('l') {
        by_bytes(&bytes[0], &bytes[1], first, &shown)
    } else {
        let texts = [shell.decode(&bytes[0]), shell.decode(&bytes[1])];
        by_lines(&wish, &texts, first, &shown)
    };
    shell.out(io, &out);
    i32::from(!same)
}

fn by_bytes(left: &[u8], right: &[u8], first: &str, second: &str) -> (String, bool) {
    let mut out = String::new();
    for (at, (left, right)) in left.iter().zip(right).enumerate() {
        if left != right {
            out.push_str(&format!("{at:08X}: {left:02X} {right:02X}\n"));
        }
    }
    match left.len().cmp(&right.len()) {
        std::cmp::Ordering::Less => out.push_str(&format!("FC: {second} longer than {first}\n\n")),
        std::cmp::Ordering::Greater => out.push_str(&format!("FC: {first} longer than {second}\n\n")),
        std::cmp::Ordering::Equal if out.is_empty() => {
            return ("FC: no differences encountered\n\n".into(), true);
        }
        std::cmp::Ordering::Equal => out.push('\n'),
    }
    (out, false)
}

fn by_lines(wish: &Wish, texts: &[String; 2], first: &str, second: &str) -> (String, bool) {
    let [left, right] = texts.each_ref().map(|text| text.lines().collect::<Vec<&str>>());
    let keys = [&left, &right].map(|lines| lines.iter().map(|line| wish.key(line)).collect::<Vec<_>>());
    let mut out = String::new();
    let (mut a, mut b) = (0, 0);
    while a < left.len() || b < right.len() {
        if a < left.len() && b < right.len() && keys[0][a] == keys[1][b] {
            (a, b) = (a + 1, b + 1);
            continue;
        }
        let (to_a, to_b) = meet(wish, &keys, (a, b));
        for (name, lines, from, to) in [(first, &left, a, to_a), (second, &right, b, to_b)] {
            out.push_str(&format!("***** {name}\n"));
            // The line before and the line behind show where it is.
            let end = (to + 1).min(lines.len());
            for (at, line) in lines.iter().enumerate().take(end).skip(from.saturating_sub(1)) {
                let number = if wish.has('n') { format!("{:5}:  ", at + 1) } else { String::new() };
                out.push_str(&format!("{number}{line}\n"));
            }
        }
        out.push_str("*****\n\n");
        (a, b) = (to_a, to_b);
    }
    if out.is_empty() { ("FC: no differences encountered\n\n".into(), true) } else { (out, false) }
}

/// Finds where both files are the same again.
fn meet(wish: &Wish, keys: &[Vec<String>; 2], (a, b): (usize, usize)) -> (usize, usize) {
    let [left, right] = keys;
    let same = |a: usize, b: usize| {
        let length = wish.same.max(1).min(left.len() - a).min(right.len() - b);
        length > 0 && left[a..a + length] == right[b..b + length]
    };
    for distance in 1..=2 * wish.ahead {
        for down in 0..=distance {
            let (at_a, at_b) = (a + down, b + distance - down);
            if at_a < left.len() && at_b < right.len() && same(at_a, at_b) {
                return (at_a, at_b);
            }
        }
    }
    (left.len(), right.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(left: &str, right: &str, letters: &str) -> String {
        let wish = Wish { letters: letters.into(), same: 2, ahead: 100 };
        by_lines(&wish, &[left.into(), right.into()], "a", "B").0.replace('\n', "|")
    }

    #[test]
    fn differences_are_shown_with_a_line_around_them() {
        assert_eq!(shown("1\n2\n", "1\n2\n", ""), "FC: no differences encountered||");
        assert_eq!(shown("1\nx\n3\n4\n", "1\ny\n3\n4\n", ""), "***** a|1|x|3|***** B|1|y|3|*****||");
        assert_eq!(
            shown("1\n2\n3\n", "1\n3\n", "n"),
            "***** a|    1:  1|    2:  2|    3:  3|***** B|    1:  1|    2:  3|*****||"
        );
        assert_eq!(shown("A  b\n", "a b\n", "cw"), "FC: no differences encountered||");
        assert_eq!(by_bytes(b"abc", b"aXcd", "a", "B").0, "00000001: 62 58\nFC: B longer than a\n\n");
    }
}
