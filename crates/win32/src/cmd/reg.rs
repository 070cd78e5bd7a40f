//! `reg`: keys and values from the command line, in the form of Windows' own program.
//!
//! Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/reg>

use plat_host::file::{File, Open};

use super::shell::{Io, Shell, narrow, wide};
use crate::Win32Error;
use crate::logic::command_line;
use crate::logic::nls::case::equal_ignore_case;
use crate::logic::reg_file::{self, REG_BINARY, REG_DWORD, REG_EXPAND_SZ, REG_MULTI_SZ, REG_QWORD, REG_SZ};
use crate::logic::reg_file::{Value, Writer};
use crate::nt::nls;
use crate::nt::registry::{Key, Registry, full_path};
use crate::nt::registry_tree::Node;
use crate::nt::registry_view::{View, redirect};

/// Types and their names.
pub const KINDS: &[(&str, u32)] = &[
    ("REG_NONE", 0),
    ("REG_SZ", REG_SZ),
    ("REG_EXPAND_SZ", REG_EXPAND_SZ),
    ("REG_BINARY", REG_BINARY),
    ("REG_DWORD", REG_DWORD),
    ("REG_DWORD_LITTLE_ENDIAN", REG_DWORD),
    ("REG_DWORD_BIG_ENDIAN", 5),
    ("REG_LINK", 6),
    ("REG_MULTI_SZ", REG_MULTI_SZ),
    ("REG_RESOURCE_LIST", 8),
    ("REG_FULL_RESOURCE_DESCRIPTOR", 9),
    ("REG_RESOURCE_REQUIREMENTS_LIST", 10),
    ("REG_QWORD", REG_QWORD),
];

const SUCCESS: &str = "The operation completed successfully.\n";
const NOT_FOUND: &str = "ERROR: The system was unable to find the specified registry key or value.\n";

/// Why a command failed, as it is told.
#[derive(Debug, PartialEq, Eq)]
struct Refusal(String);

impl From<Win32Error> for Refusal {
    fn from(error: Win32Error) -> Self {
        match error {
            Win32Error::FILE_NOT_FOUND => Self(NOT_FOUND.into()),
            Win32Error::ACCESS_DENIED => Self("ERROR: Access is denied.\n".into()),
            other => Self(format!("ERROR: {other}.\n")),
        }
    }
}

/// Says that the command line is wrong.
fn syntax(verb: &str) -> Refusal {
    let verb = verb.to_uppercase();
    Refusal(format!("ERROR: Invalid syntax.\nType \"REG {verb} /?\" for usage.\n"))
}

/// Returns the name of a type.
pub fn kind_name(kind: u32) -> String {
    KINDS.iter().find(|row| row.1 == kind).map_or_else(|| format!("{kind}"), |row| row.0.to_owned())
}

fn units(data: &[u8]) -> Vec<u16> {
    data.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect()
}

/// Writes a value's data as a person reads it: texts of a list are separated by `\0`, bytes are hexadecimal digits.
pub fn show_data(value: &Value) -> String {
    let number = || value.data.iter().rev().fold(0u64, |number, &byte| number << 8 | u64::from(byte));
    match value.kind {
        REG_SZ | REG_EXPAND_SZ => narrow(&units(&value.data)).trim_end_matches('\0').to_owned(),
        REG_MULTI_SZ => {
            narrow(&units(&value.data)).trim_end_matches('\0').split('\0').collect::<Vec<_>>().join("\\0")
        }
        REG_DWORD if value.data.len() == 4 => format!("0x{:x}", number()),
        REG_QWORD if value.data.len() == 8 => format!("0x{:x}", number()),
        _ => value.data.iter().map(|byte| format!("{byte:02X}")).collect(),
    }
}

/// Reads a value's data of a type from text; nothing where the text is none of it.
pub fn read_data(kind: u32, text: &str, separator: &str) -> Option<Value> {
    let number = || match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse::<u64>().ok(),
    };
    let data = match kind {
        REG_SZ | REG_EXPAND_SZ => return Some(Value::units(kind, text.encode_utf16().chain([0]))),
        REG_MULTI_SZ => {
            let texts = text.split(separator).filter(|text| !text.is_empty());
            let units = texts.flat_map(|text| text.encode_utf16().chain([0]).collect::<Vec<_>>());
            return Some(Value::units(kind, units.chain([0])));
        }
        REG_DWORD | 5 => u32::try_from(number()?).ok()?.to_le_bytes().to_vec(),
        REG_QWORD => number()?.to_le_bytes().to_vec(),
        _ => {
            // An odd number of digits begins with a zero.
            let digits = if text.len() % 2 == 1 { format!("0{text}") } else { text.to_owned() };
            let pair = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
            (0..digits.len()).step_by(2).map(pair).collect::<Option<Vec<u8>>>()?
        }
    };
    Some(Value { kind, data })
}

/// The words of a command line: what stands alone, and switches with their values.
struct Words {
    verb: String,
    plain: Vec<String>,
    switches: Vec<(String, String)>,
}

impl Words {
    /// Reads them; `with_value` are the switches that a word belongs to.
    fn of(verb: &str, words: &[String], with_value: &[&str]) -> Result<Self, Refusal> {
        let (mut plain, mut switches) = (Vec::new(), Vec::new());
        let mut rest = words.iter();
        while let Some(word) = rest.next() {
            let Some(name) = word.strip_prefix(['/', '-']).map(str::to_lowercase) else {
                plain.push(word.clone());
                continue;
            };
            let value = match with_value.contains(&name.as_str()) {
                true => rest.next().ok_or_else(|| syntax(verb))?.clone(),
                false => String::new(),
            };
            switches.push((name, value));
        }
        Ok(Self { verb: verb.to_owned(), plain, switches })
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.switches.iter().find(|switch| switch.0 == name).map(|switch| switch.1.as_str())
    }

    fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// Returns the name of the value meant: `/v NAME`, or the default one by `/ve`.
    fn value_name(&self) -> Option<Vec<u16>> {
        if self.has("ve") { Some(Vec::new()) } else { self.value("v").map(wide) }
    }

    /// Returns the full path of the key at a place, in the view that `/reg:32` and `/reg:64` choose.
    fn key_path(&self, index: usize) -> Result<Vec<u16>, Refusal> {
        let text = self.plain.get(index).ok_or_else(|| syntax(&self.verb))?;
        // This machine may be named.
        let text = text.strip_prefix(r"\\.\").unwrap_or(text);
        let full = long_path(&wide(text)).ok_or_else(|| Refusal("ERROR: Invalid key name.\n".into()))?;
        let view = if self.has("reg:32") { View::Narrow } else { View::Wide };
        Ok(redirect(&[], &full, view))
    }
}

/// Replaces the short name of a root by the long one, as `reg` shows it; nothing for what is no root.
pub fn long_path(path: &[u16]) -> Option<Vec<u16>> {
    full_path(path)?;
    let text = narrow(path);
    let (root, rest) = text.split_once('\\').unwrap_or((&text, ""));
    let long = match root.to_uppercase().as_str() {
        "HKCR" => "HKEY_CLASSES_ROOT".to_owned(),
        "HKCU" => "HKEY_CURRENT_USER".to_owned(),
        "HKLM" => "HKEY_LOCAL_MACHINE".to_owned(),
        "HKU" => "HKEY_USERS".to_owned(),
        "HKCC" => "HKEY_CURRENT_CONFIG".to_owned(),
        other => other.to_owned(),
    };
    let rest = rest.trim_matches('\\');
    Some(wide(&if rest.is_empty() { long } else { format!("{long}\\{rest}") }))
}

/// Shows one value as a line.
fn value_line(name: &[u16], value: &Value) -> String {
    let name = if name.is_empty() { "(Default)".to_owned() } else { narrow(name) };
    format!("    {name}    {}    {}\n", kind_name(value.kind), show_data(value))
}

/// Shows a key with its values, and with what is below.
fn show(path: &str, node: &Node, wanted: Option<&[u16]>, recursive: bool, out: &mut String) -> usize {
    let is_wanted = |name: &[u16]| wanted.is_none_or(|wanted| equal_ignore_case(wanted, name));
    let values: Vec<_> = node.values.values().filter(|(name, _)| is_wanted(name)).collect();
    let mut count = values.len();
    if !values.is_empty() {
        out.push_str(&format!("\n{path}\n"));
        out.extend(values.iter().map(|(name, value)| value_line(name, value)));
    }
    for child in node.keys.values() {
        let below = format!("{path}\\{}", narrow(&child.name));
        if recursive {
            count += show(&below, child, wanted, true, out);
        }
    }
    count
}

fn query(registry: &Registry, words: &Words) -> Result<String, Refusal> {
    let path = words.key_path(0)?;
    let node = registry.open(&path)?.copy()?;
    let wanted = words.value_name();
    let (mut out, recursive) = (String::new(), words.has("s"));
    let path = narrow(&path);
    let count = show(&path, &node, wanted.as_deref(), recursive, &mut out);
    if wanted.is_some() && !recursive && count == 0 {
        return Err(Refusal(NOT_FOUND.into()));
    }
    if wanted.is_none() && !recursive {
        let below = node.keys.values().map(|child| format!("{path}\\{}\n", narrow(&child.name)));
        let below: String = below.collect();
        if !below.is_empty() {
            out.push_str(&format!("\n{below}"));
        }
    }
    if recursive && wanted.is_some() {
        out.push_str(&format!("\nEnd of search: {count} match(es) found.\n"));
    } else {
        out.push('\n');
    }
    Ok(out)
}

/// Asks a question that `/f` answers; the answer comes from standard input.
fn may(shell: &Shell, io: &Io, words: &Words, question: &str) -> bool {
    if words.has("f") {
        return true;
    }
    shell.out(io, &format!("{question} (Yes/No)? "));
    shell.read_line(io).is_some_and(|line| line.trim_start().to_lowercase().starts_with('y'))
}

fn cancelled() -> Refusal {
    Refusal("The operation was canceled by the user.\n".into())
}

fn add(shell: &Shell, io: &Io, registry: &Registry, words: &Words) -> Result<String, Refusal> {
    let path = words.key_path(0)?;
    let kind = match words.value("t") {
        None => REG_SZ,
        Some(name) => {
            let row = KINDS.iter().find(|row| row.0.eq_ignore_ascii_case(name));
            row.ok_or_else(|| syntax("ADD"))?.1
        }
    };
    let key = make(registry, &path)?;
    let Some(name) = words.value_name() else {
        // Data without a name is the default value's.
        if !words.has("d") && !words.has("t") {
            return Ok(SUCCESS.into());
        }
        return Err(syntax("ADD"));
    };
    let separator = words.value("s").unwrap_or("\\0");
    let empty = if matches!(kind, REG_DWORD | REG_QWORD) { "0" } else { "" };
    let value = read_data(kind, words.value("d").unwrap_or(empty), separator);
    let value = value.ok_or_else(|| Refusal("ERROR: Invalid data.\n".into()))?;
    let shown = narrow(&name);
    if key.value(&name).is_ok() && !may(shell, io, words, &format!("Value {shown} exists, overwrite")) {
        return Err(cancelled());
    }
    key.set_value(&name, value)?;
    Ok(SUCCESS.into())
}

/// Opens a key, made where there is none.
fn make(registry: &Registry, path: &[u16]) -> Result<std::sync::Arc<Key>, Refusal> {
    let text = narrow(path);
    let (root, rest) = text.split_once('\\').unwrap_or((&text, ""));
    Ok(registry.open(&wide(root))?.create(&wide(rest), false)?.0)
}

fn delete(shell: &Shell, io: &Io, registry: &Registry, words: &Words) -> Result<String, Refusal> {
    let path = words.key_path(0)?;
    let key = registry.open(&path)?;
    let question = match (words.value_name(), words.has("va")) {
        (Some(name), _) if name.is_empty() => "Delete the registry value (Default)".to_owned(),
        (Some(name), _) => format!("Delete the registry value {}", narrow(&name)),
        (None, true) => format!("Delete all values under the registry key {}", narrow(&path)),
        (None, false) => format!("Permanently delete the registry key {}", narrow(&path)),
    };
    if !may(shell, io, words, &question) {
        return Err(cancelled());
    }
    match words.value_name() {
        Some(name) => key.delete_value(&name)?,
        None if words.has("va") => {
            while let Ok((name, _)) = key.value_at(0) {
                key.delete_value(&name)?;
            }
        }
        None => {
            key.clear()?;
            key.delete(&[])?;
        }
    }
    Ok(SUCCESS.into())
}

/// Writes a key and all below it as a `.reg` file.
///
/// # Errors
/// `FILE_NOT_FOUND`, `KEY_DELETED`.
pub fn export_bytes(registry: &Registry, path: &[u16]) -> Result<Vec<u8>, Win32Error> {
    let mut writer = Writer::new("\r\n");
    for change in registry.open(path)?.describe(path)? {
        writer.push(&change);
    }
    Ok(reg_file::encode_utf16(&writer.finish()))
}

fn export(shell: &Shell, registry: &Registry, words: &Words) -> Result<String, Refusal> {
    let path = words.key_path(0)?;
    let file = words.plain.get(1).ok_or_else(|| syntax("EXPORT"))?;
    let bytes = export_bytes(registry, &path)?;
    let how = Open { write: true, create: true, mode: 0o666, ..Open::default() };
    let cannot =
        || Refusal("ERROR: Unable to write to the file. There may be a disk or file system error.\n".into());
    let (unix, _) = shell.locate(file)?;
    let target = File::open(&unix, how).map_err(|_| cannot())?;
    let written = target.set_size(0).and_then(|()| target.write(&bytes, None));
    written.map_err(|_| cannot())?;
    Ok(SUCCESS.into())
}

fn import(shell: &Shell, registry: &Registry, words: &Words) -> Result<String, Refusal> {
    let file = words.plain.first().ok_or_else(|| syntax("IMPORT"))?;
    let cannot =
        || Refusal("ERROR: Error opening the file. There may be a disk or file system error.\n".into());
    let (unix, _) = shell.locate(file).map_err(|_| cannot())?;
    let bytes = plat_host::locked_file::read(&unix).ok().flatten().ok_or_else(cannot)?.bytes;
    let changes = reg_file::parse(&bytes, nls::widen);
    let changes = changes.map_err(|error| Refusal(format!("ERROR: {file}: {error}.\n")))?;
    registry.import(&changes)?;
    Ok(SUCCESS.into())
}

/// Copies values, and with `recursive` all that is below.
fn copy_into(node: &Node, key: &std::sync::Arc<Key>, recursive: bool) -> Result<(), Refusal> {
    for (name, value) in node.values.values() {
        key.set_value(name, value.clone())?;
    }
    for child in node.keys.values().filter(|_| recursive) {
        copy_into(child, &key.create(&child.name, false)?.0, true)?;
    }
    Ok(())
}

fn copy(registry: &Registry, words: &Words) -> Result<String, Refusal> {
    let node = registry.open(&words.key_path(0)?)?.copy()?;
    copy_into(&node, &make(registry, &words.key_path(1)?)?, words.has("s"))?;
    Ok(SUCCESS.into())
}

/// Tells in what two keys differ; says whether they do.
fn differences(paths: (&str, &str), keys: (&Node, &Node), words: &Words, out: &mut String) -> bool {
    let mut differs = false;
    let mut tell = |sign: char, path: &str, name: &[u16], value: &Value| {
        differs = true;
        if !words.has("on") {
            out.push_str(&format!("{sign} Value:  {path}{}", value_line(name, value)));
        }
    };
    for (key, (name, value)) in &keys.0.values {
        let other = keys.1.values.get(key);
        if other.is_none_or(|other| other.1 != *value) {
            tell('<', paths.0, name, value);
        }
    }
    for (key, (name, value)) in &keys.1.values {
        let other = keys.0.values.get(key);
        if other.is_none_or(|other| other.1 != *value) {
            tell('>', paths.1, name, value);
        }
    }
    if !words.has("s") {
        return differs;
    }
    let nothing = Node::new(&[], false);
    let all = keys.0.keys.keys().chain(keys.1.keys.keys().filter(|name| !keys.0.keys.contains_key(*name)));
    for name in all {
        let (a, b) = (keys.0.keys.get(name), keys.1.keys.get(name));
        let spelling = a.or(b).map(|node| narrow(&node.name)).unwrap_or_default();
        let below = (format!("{}\\{spelling}", paths.0), format!("{}\\{spelling}", paths.1));
        for (sign, path, other) in [('<', &below.0, b), ('>', &below.1, a)] {
            if other.is_none() {
                differs = true;
                out.push_str(&format!("{sign} Key:  {path}\n"));
            }
        }
        let nodes = (a.unwrap_or(&nothing), b.unwrap_or(&nothing));
        differs |= differences((&below.0, &below.1), nodes, words, out);
    }
    differs
}

fn compare(registry: &Registry, words: &Words) -> Result<(String, i32), Refusal> {
    let (a, b) = (words.key_path(0)?, words.key_path(1)?);
    let (first, second) = (registry.open(&a)?.copy()?, registry.open(&b)?.copy()?);
    let mut out = String::new();
    let differs = differences((&narrow(&a), &narrow(&b)), (&first, &second), words, &mut out);
    let result = if differs { "Different" } else { "Identical" };
    out.push_str(&format!("\nResult Compared: {result}\n\n{SUCCESS}"));
    Ok((out, if differs { 2 } else { 0 }))
}

fn run_words(shell: &Shell, io: &Io, registry: &Registry, all: &[String]) -> Result<(String, i32), Refusal> {
    let usage = || Refusal("ERROR: Invalid syntax.\nType \"REG /?\" for usage.\n".into());
    let (verb, rest) = all.split_first().ok_or_else(usage)?;
    let verb = verb.to_lowercase();
    let words = |with_value: &[&str]| Words::of(&verb, rest, with_value);
    let done = |text: String| (text, 0);
    match verb.as_str() {
        "query" => query(registry, &words(&["v", "t", "se", "d"])?).map(done),
        "add" => add(shell, io, registry, &words(&["v", "t", "d", "s"])?).map(done),
        "delete" => delete(shell, io, registry, &words(&["v"])?).map(done),
        "export" => export(shell, registry, &words(&[])?).map(done),
        "import" => import(shell, registry, &words(&[])?).map(done),
        "copy" => copy(registry, &words(&[])?).map(done),
        "compare" => compare(registry, &words(&["v"])?),
        "/?" => Ok(done("REG Operation [Parameter List]\n\n  Operation  [ QUERY | ADD | DELETE | COPY | COMPARE | EXPORT | IMPORT ]\n".into())),
        "save" | "load" | "unload" | "restore" | "flags" => {
            Err(Refusal(format!("ERROR: REG {} is not supported: hive files are not read or written.\n", verb.to_uppercase())))
        }
        _ => Err(usage()),
    }
}

/// Runs `reg` with the text behind its name; returns its exit code.
pub fn run(shell: &mut Shell, rest: &str, io: &Io) -> i32 {
    let line = wide(&format!("reg {rest}"));
    let words = command_line::split_texts(&line, command_line::Rules::Msvcrt);
    let words: Vec<String> = words.iter().skip(1).map(|word| narrow(word)).collect();
    match run_words(shell, io, &Registry::default(), &words) {
        Ok((text, code)) => {
            shell.out(io, &text);
            code
        }
        Err(Refusal(text)) => {
            shell.print(io, 2, &text);
            1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reg(registry: &Registry, line: &str) -> (String, i32) {
        let shell = Shell::new(&Vec::new(), &[]);
        let words = command_line::split_texts(&wide(&format!("reg {line}")), command_line::Rules::Msvcrt);
        let words: Vec<String> = words.iter().skip(1).map(|word| narrow(word)).collect();
        // The test's own streams are not the interpreter's to take.
        let io = Io { streams: [None, None, None] };
        run_words(&shell, &io, registry, &words).unwrap_or_else(|refusal| (refusal.0, 1))
    }

    #[test]
    fn keys_and_values_are_added_shown_and_deleted() {
        let registry = Registry::in_file(None);
        let done = (SUCCESS.to_owned(), 0);
        assert_eq!(reg(&registry, r"add HKCU\Software\T /v a /d one"), done);
        assert_eq!(reg(&registry, r#"add "HKCU\Software\T\Below" /ve /d "two words" /f"#), done);
        assert_eq!(reg(&registry, r"add HKCU\Software\T /v n /t REG_DWORD /d 31"), done);
        assert_eq!(reg(&registry, r"add HKCU\Software\T /v m /t REG_MULTI_SZ /d x\0y"), done);
        assert_eq!(reg(&registry, r"add HKCU\Software\T /v b /t REG_BINARY /d 1ff"), done);
        let expected = "\nHKEY_CURRENT_USER\\Software\\T\n    a    REG_SZ    one\n    b    REG_BINARY    01FF\n    \
                        m    REG_MULTI_SZ    x\\0y\n    n    REG_DWORD    0x1f\n\nHKEY_CURRENT_USER\\Software\\T\\Below\n\n";
        assert_eq!(reg(&registry, r"query HKCU\Software\T"), (expected.into(), 0));
        let expected = "\nHKEY_CURRENT_USER\\Software\\T\n    n    REG_DWORD    0x1f\n\n";
        assert_eq!(reg(&registry, r"query HKCU\Software\T /v N"), (expected.into(), 0));
        assert_eq!(reg(&registry, r"query HKCU\Software\T /v none"), (NOT_FOUND.into(), 1));
        let (text, code) = reg(&registry, r"query HKCU\Software\T /s");
        assert!(text.contains("T\\Below\n    (Default)    REG_SZ    two words\n") && code == 0, "{text}");
        assert_eq!(reg(&registry, r"delete HKCU\Software\T /v a /f"), done);
        assert_eq!(reg(&registry, r"delete HKCU\Software\T /f"), done);
        assert_eq!(reg(&registry, r"query HKCU\Software\T"), (NOT_FOUND.into(), 1));
    }

    #[test]
    fn keys_are_copied_and_compared() {
        let registry = Registry::in_file(None);
        reg(&registry, r"add HKCU\A\B /v x /d 1");
        assert_eq!(reg(&registry, r"copy HKCU\A HKCU\C /s /f").1, 0);
        let (text, code) = reg(&registry, r"compare HKCU\A HKCU\C /s");
        assert!(text.contains("Result Compared: Identical") && code == 0, "{text}");
        reg(&registry, r"add HKCU\C\B /v x /d 2 /f");
        let (text, code) = reg(&registry, r"compare HKCU\A HKCU\C /s");
        assert!(text.contains("Result Compared: Different") && code == 2, "{text}");
    }

    #[test]
    fn wrong_lines_are_refused() {
        let registry = Registry::in_file(None);
        for line in
            ["", "nonsense", "query", "add HKCU\\A /v", "query XX\\A", r"add HKCU\A /v x /t REG_X /d 1"]
        {
            let (text, code) = reg(&registry, line);
            assert!(text.starts_with("ERROR: Invalid ") && code == 1, "{line}: {text}");
        }
        assert!(reg(&registry, r"add HKCU\A /v x /t REG_DWORD /d abc").0.starts_with("ERROR: Invalid data"));
        assert!(reg(&registry, "save HKCU x.hiv").0.contains("not supported"));
    }

    #[test]
    fn the_32_bit_view_is_chosen() {
        let registry = Registry::in_file(None);
        reg(&registry, r"add HKLM\Software\V /v x /d 1 /reg:32");
        assert_eq!(reg(&registry, r"query HKLM\Software\Wow6432Node\V /v x").1, 0);
        assert_eq!(reg(&registry, r"query HKLM\Software\V /v x").1, 1);
    }
}
