//! `cargo xtask tidy`: what the house promises, checked. Crate boundaries, `//!`, sizes (a ratchet), where unsafe may be,
//! words that may not be there. Each rule is a function from the sources to complaints.

use crate::root;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 800;
const ARCHITECTURE_LINES_MAX: usize = 300;

/// Which of our crates each crate may use. Source: ARCHITECTURE.md, "who may use whom".
const MAY_USE: &[(&str, &[&str])] = &[
    ("regions", &[]),
    ("image", &["regions"]),
    ("host", &["regions"]),
    ("render", &["regions"]),
    ("abi-macros", &[]),
    ("abi", &["regions", "abi-macros"]),
    ("win32", &["abi", "host", "regions"]),
    ("loader", &["win32", "image", "host", "abi", "regions"]),
    ("rebase", &["image", "regions"]),
    ("sim", &["image", "regions"]),
    ("cli", &["loader", "rebase", "sim", "image", "render", "regions"]),
    ("testkit", &["regions", "image"]),
];
/// Crates that must not reach the system by these dependencies, and why.
const MAY_NOT_DEPEND: &[(&str, &[&str])] = &[
    ("regions", &["rustix", "libc"]),
    ("image", &["rustix", "libc"]),
    ("win32", &["rustix", "libc"]),
    ("abi", &["rustix", "libc"]),
    ("render", &["rustix", "libc"]),
    ("sim", &["rustix", "libc"]),
    ("loader", &["clap"]),
];

/// One Rust source: its path from the root, its text, and the text with comments and literals blanked.
struct Source {
    path: String,
    text: String,
    code: String,
}

/// Checks everything; `--shrink` rewrites the ratchet to today's smaller numbers.
pub(crate) fn tidy(arguments: &[String]) -> Result<()> {
    let files = tracked_files()?;
    let mut sources = Vec::new();
    for path in files.iter().filter(|p| p.ends_with(".rs")) {
        let text = fs::read_to_string(root().join(path)).with_context(|| format!("reading {path}"))?;
        let code = blank(&text);
        sources.push(Source { path: path.clone(), text, code });
    }
    let mut complaints = Vec::new();
    for source in &sources {
        module_comment(source, &mut complaints);
        unsafe_code(source, &mut complaints);
        forbidden_code(source, &mut complaints);
    }
    boundaries(&mut complaints)?;
    tracked_text(&files, &mut complaints);
    architecture(&mut complaints);
    sizes(&sources, arguments.iter().any(|a| a == "--shrink"), &mut complaints)?;
    for complaint in &complaints {
        println!("{complaint}");
    }
    println!("tidy: {} sources, {} complaints", sources.len(), complaints.len());
    if complaints.is_empty() { Ok(()) } else { bail!("{} complaints", complaints.len()) }
}

fn tracked_files() -> Result<Vec<String>> {
    let output =
        Command::new("git").args(["ls-files", "-co", "--exclude-standard"]).current_dir(root()).output()?;
    if !output.status.success() {
        bail!("git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    }
    let list = String::from_utf8(output.stdout).context("git ls-files")?;
    Ok(list.lines().map(String::from).filter(|p| root().join(p).is_file()).collect())
}

fn module_comment(source: &Source, complaints: &mut Vec<String>) {
    if !source.text.starts_with("//!") {
        complaints.push(format!("{}:1: the first line must be `//!` and say what the file is", source.path));
    }
}

fn unsafe_code(source: &Source, complaints: &mut Vec<String>) {
    let lines: Vec<&str> = source.text.lines().collect();
    for (index, code) in source.code.lines().enumerate() {
        if !words(code).any(|word| word == "unsafe") || code.contains("unsafe_") && !code.contains("unsafe ")
        {
            continue;
        }
        let at = format!("{}:{}", source.path, index + 1);
        if !source.path.starts_with("crates/host/") {
            complaints.push(format!("{at}: unsafe code lives in crates/host only"));
        }
        let is_block = code.contains("unsafe {") || code.contains("unsafe impl");
        let explained = lines[index.saturating_sub(12)..=index].iter().any(|l| l.contains("SAFETY:"));
        if is_block && !explained {
            complaints.push(format!("{at}: an unsafe block needs a SAFETY: comment above it"));
        }
    }
}

fn forbidden_code(source: &Source, complaints: &mut Vec<String>) {
    for (index, code) in source.code.lines().enumerate() {
        let at = format!("{}:{}", source.path, index + 1);
        for word in ["todo!", "unimplemented!", "dbg!"].iter().filter(|w| has_macro(code, w)) {
            complaints.push(format!("{at}: {word} may not stay"));
        }
        if source.path.starts_with("crates/win32/") && words(code).any(|w| w == "rustix" || w == "libc") {
            complaints.push(format!("{at}: win32 reaches the system through host only"));
        }
    }
    for (index, line) in source.text.lines().enumerate().filter(|(_, l)| l.contains(concat!("FIX", "ME"))) {
        complaints.push(format!("{}:{}: do it, or write an issue: {}", source.path, index + 1, line.trim()));
    }
}

fn has_macro(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
}

fn boundaries(complaints: &mut Vec<String>) -> Result<()> {
    for entry in fs::read_dir(root().join("crates"))? {
        let directory = entry?.path();
        let name = directory.file_name().expect("read_dir gives names").to_string_lossy().into_owned();
        let Ok(text) = fs::read_to_string(directory.join("Cargo.toml")) else { continue };
        let manifest: toml::Table = text.parse().with_context(|| format!("crates/{name}/Cargo.toml"))?;
        let Some((_, may_use)) = MAY_USE.iter().find(|(n, _)| *n == name) else {
            complaints.push(format!("crates/{name}: not in tidy's table of crates; say whom it may use"));
            continue;
        };
        let Some(dependencies) = manifest.get("dependencies").and_then(|d| d.as_table()) else { continue };
        for dependency in dependencies.keys() {
            let ours = dependency.strip_prefix("plat-");
            let banned =
                MAY_NOT_DEPEND.iter().any(|(n, list)| *n == name && list.contains(&dependency.as_str()));
            if banned || ours.is_some_and(|o| !may_use.contains(&o)) {
                complaints.push(format!("crates/{name}/Cargo.toml: {name} may not use {dependency}"));
            }
        }
    }
    Ok(())
}

/// Looks for paths of one machine and hosts of registries in every text file that is tracked.
fn tracked_text(files: &[String], complaints: &mut Vec<String>) {
    // In pieces, so that this file does not complain of itself.
    let forbidden = [
        concat!("/ro", "ot/"),
        concat!("/wo", "rk/"),
        concat!("registry.np", "mjs"),
        concat!("files.python", "hosted"),
        concat!("pypi", ".org"),
        concat!("static.crates", ".io"),
        concat!("index.crates", ".io"),
    ];
    for path in files.iter().filter(|p| *p != "Cargo.lock") {
        let Ok(text) = fs::read_to_string(root().join(path)) else { continue };
        for (index, line) in text.lines().enumerate() {
            for word in forbidden.iter().filter(|w| line.contains(**w)) {
                complaints.push(format!(
                    "{path}:{}: names {word}, which belongs to one machine or registry",
                    index + 1
                ));
            }
        }
    }
}

fn architecture(complaints: &mut Vec<String>) {
    // The file comes with the crates; until then there is nothing to measure.
    let lines = fs::read_to_string(root().join("ARCHITECTURE.md")).map_or(0, |t| t.lines().count());
    if lines > ARCHITECTURE_LINES_MAX {
        complaints.push(format!("ARCHITECTURE.md: {lines} lines; at most {ARCHITECTURE_LINES_MAX}"));
    }
}

/// Compares sizes with the limits and with the exceptions of `xtask/ratchet.toml`, which may only shrink.
fn sizes(sources: &[Source], shrink: bool, complaints: &mut Vec<String>) -> Result<()> {
    let path = root().join("xtask/ratchet.toml");
    let allowed: BTreeMap<String, usize> =
        toml::from_str(&fs::read_to_string(&path).context("xtask/ratchet.toml")?)?;
    let mut over = BTreeMap::new();
    for source in sources {
        over.extend(oversized(source));
    }
    for (what, &lines) in &over {
        let limit = if what.contains("::") { FUNCTION_LINES_MAX } else { FILE_LINES_MAX };
        match allowed.get(what) {
            None => complaints.push(format!("{what}: {lines} lines; at most {limit}")),
            Some(&was) if lines > was => complaints.push(format!("{what}: grew from {was} to {lines} lines")),
            Some(&was) if lines < was && !shrink => {
                complaints.push(format!(
                    "{what}: shrank from {was} to {lines} lines; run `cargo xtask tidy --shrink`"
                ));
            }
            Some(_) => {}
        }
    }
    for what in allowed.keys().filter(|w| !over.contains_key(*w) && !shrink) {
        complaints.push(format!("{what}: within the limit now; run `cargo xtask tidy --shrink`"));
    }
    if shrink {
        over.retain(|what, lines| allowed.get(what).is_some_and(|was| *lines <= *was));
        let head =
            "# Files and functions above tidy's limits, with their lines today. They may only shrink.\n";
        fs::write(&path, format!("{head}{}", toml::to_string(&over)?))?;
    }
    Ok(())
}

/// Returns the file and its functions that are above the limits. Tests at the end of a file are not counted.
fn oversized(source: &Source) -> BTreeMap<String, usize> {
    let mut over = BTreeMap::new();
    let lines: Vec<&str> = source.code.lines().collect();
    let end = source.text.lines().position(|l| l.trim() == "#[cfg(test)]").unwrap_or(lines.len());
    if end > FILE_LINES_MAX {
        over.insert(source.path.clone(), end);
    }
    for start in 0..end.min(lines.len()) {
        if let Some(name) = function_name(lines[start]) {
            let length = function_length(&lines[start..]);
            if length > FUNCTION_LINES_MAX {
                over.insert(format!("{}::{name}", source.path), length);
            }
        }
    }
    over
}

fn function_name(line: &str) -> Option<&str> {
    let mut parts = line.split_whitespace().skip_while(|w| *w != "fn");
    parts.next()?;
    let name = parts.next()?.split(['(', '<']).next()?;
    // `$name` is a macro's pattern: what it expands to is measured where it is written.
    Some(name).filter(|n| !n.is_empty() && !n.starts_with('$'))
}

/// Counts lines up to the brace that closes the function, or to the `;` of a function without a body.
fn function_length(lines: &[&str]) -> usize {
    let (mut depth, mut brackets, mut opened) = (0usize, 0isize, false);
    for (index, line) in lines.iter().enumerate() {
        for c in line.chars() {
            match c {
                '{' => (depth, opened) = (depth + 1, true),
                '}' => depth = depth.saturating_sub(1),
                '(' | '[' => brackets += 1,
                ')' | ']' => brackets -= 1,
                ';' if !opened && brackets == 0 => return index + 1,
                _ => {}
            }
        }
        if opened && depth == 0 {
            return index + 1;
        }
    }
    lines.len()
}

/// Replaces comments and the contents of literals by blanks, keeping the lines.
fn blank(text: &str) -> String {
    let bytes: Vec<char> = text.chars().collect();
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    while at < bytes.len() {
        let rest = &bytes[at..];
        let length = match rest {
            ['/', '/', ..] => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => find(rest, &['*', '/'], 2),
            ['r', '#', '"', ..] => find(rest, &['"', '#'], 3),
            // A raw string has no escapes: `r"C:\"` ends where it seems to.
            ['r', '"', ..] => find(rest, &['"'], 2),
            ['"', ..] => literal_length(rest, '"'),
            ['\'', '\\', ..] => literal_length(rest, '\''),
            ['\'', _, '\'', ..] => 3,
            _ => 0,
        };
        if length == 0 {
            out.push(rest[0]);
            at += 1;
        } else {
            out.extend(rest[..length].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at += length;
        }
    }
    out
}

fn find(text: &[char], end: &[char], from: usize) -> usize {
    let found = text[from.min(text.len())..].windows(end.len()).position(|w| w == end);
    found.map_or(text.len(), |at| from + at + end.len())
}

fn literal_length(text: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < text.len() && text[at] != quote {
        at += if text[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.into(), text: text.into(), code: blank(text) }
    }

    fn complaints(rule: fn(&Source, &mut Vec<String>), path: &str, text: &str) -> usize {
        let mut list = Vec::new();
        rule(&source(path, text), &mut list);
        list.len()
    }

    #[test]
    fn literals_and_comments_are_blanked() {
        let text = "a \"x}\\\"\" r\"C:\\\" b // {\n'{' c /* \n */ &'a d";
        let blanked = blank(text);
        assert_eq!(blanked.split_whitespace().collect::<Vec<_>>(), ["a", "b", "c", "&'a", "d"]);
        assert_eq!((blanked.len(), blanked.lines().count()), (text.len(), 3));
    }

    #[test]
    fn a_module_without_its_comment_is_found() {
        assert_eq!(complaints(module_comment, "a.rs", "use x;\n"), 1);
        assert_eq!(complaints(module_comment, "a.rs", "//! What.\n"), 0);
    }

    #[test]
    fn unsafe_is_found_where_it_may_not_be() {
        assert_eq!(complaints(unsafe_code, "crates/win32/a.rs", "// SAFETY: fine\nunsafe { f() }\n"), 1);
        assert_eq!(complaints(unsafe_code, "crates/host/a.rs", "// SAFETY: fine\nunsafe { f() }\n"), 0);
        assert_eq!(complaints(unsafe_code, "crates/host/a.rs", "unsafe { f() }\n"), 1);
        assert_eq!(complaints(unsafe_code, "crates/win32/a.rs", "#![forbid(unsafe_code)]\n\"unsafe \"\n"), 0);
    }

    #[test]
    fn unfinished_code_is_found() {
        let mark = concat!("to", "do!()");
        let text = format!("{mark}\nmy_{mark}\n// {mark}\n");
        assert_eq!(complaints(forbidden_code, "a.rs", &text), 1);
        assert_eq!(complaints(forbidden_code, "crates/win32/a.rs", "use rustix::fs;\n"), 1);
    }

    #[test]
    fn lengths_are_counted_to_the_closing_brace() {
        let long = format!("fn long() {{\n{}}}\nfn short();\n", "x;\n".repeat(80));
        assert_eq!(oversized(&source("a.rs", &long)), BTreeMap::from([("a.rs::long".to_string(), 82)]));
        assert_eq!(function_length(&["fn f(a: [u8; 3]) {", "}", "}"]), 2);
    }
}
