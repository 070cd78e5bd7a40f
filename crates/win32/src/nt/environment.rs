//! The environment: variables by name without regard to case. Key type: [`Environment`].

use std::ffi::OsString;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock};

use plat_host::environment;

use super::path::lock;
use crate::logic::nls::case::{compare_ordinal, equal_ignore_case};
use crate::logic::path::{Drives, unix_name_to_wide, unix_to_win32, wide_to_unix_name};
use crate::process::Process;

/// A name or a value.
type Text = Vec<u16>;

/// Names and values.
pub type Variables = Vec<(Text, Text)>;

/// The variables of the process, sorted by upper-cased name.
#[derive(Default)]
pub struct Environment {
    variables: OnceLock<Mutex<Vec<(Text, Text)>>>,
    /// The block in guest memory that `GetEnvironmentStrings` returned as `A`, to be freed.
    pub(crate) command_line: OnceLock<(u64, u64)>,
    pub(crate) startup_texts: OnceLock<[crate::kernel32::processenv::StartupTexts; 2]>,
}

impl Environment {
    /// Locks the variables: those that the process was started with, or those of Unix.
    fn variables(&self, process: &Process) -> MutexGuard<'_, Vec<(Text, Text)>> {
        let variables = self.variables.get_or_init(|| {
            let mut start = process.start.environment.clone();
            if start.is_empty() {
                start = from_unix(environment::variables());
            }
            start.sort_by(|a, b| compare_ordinal(&a.0, &b.0, true));
            Mutex::new(start)
        });
        lock(variables)
    }

    /// Returns a variable's value.
    pub fn get(&self, process: &Process, name: &[u16]) -> Option<Text> {
        let variables = self.variables(process);
        variables.iter().find(|pair| equal_ignore_case(&pair.0, name)).map(|pair| pair.1.clone())
    }

    /// Sets a variable, or removes it (`None`); says whether one was there.
    pub fn set(&self, process: &Process, name: &[u16], value: Option<&[u16]>) -> bool {
        set_in(&mut self.variables(process), name, value)
    }

    /// Returns all variables as Windows lays them out: `NAME=value`, zero, …, zero.
    pub fn block(&self, process: &Process) -> Text {
        let variables = self.variables(process);
        let mut block = Vec::new();
        for (name, value) in variables.iter() {
            block.extend_from_slice(name);
            block.push(u16::from(b'='));
            block.extend_from_slice(value);
            block.push(0);
        }
        if block.is_empty() {
            block.push(0);
        }
        block.push(0);
        block
    }

    /// Returns all variables, sorted.
    pub fn all(&self, process: &Process) -> Vec<(Text, Text)> {
        self.variables(process).clone()
    }

    /// Replaces `%NAME%` by values; names without a value stay as they are.
    pub fn expand(&self, process: &Process, text: &[u16]) -> Text {
        expand_with(text, |name| self.get(process, name))
    }
}

fn set_in(variables: &mut Vec<(Text, Text)>, name: &[u16], value: Option<&[u16]>) -> bool {
    let at = variables.binary_search_by(|pair| compare_ordinal(&pair.0, name, true));
    match (at, value) {
        (Ok(at), Some(value)) => variables[at].1 = value.to_vec(),
        (Ok(at), None) => drop(variables.remove(at)),
        (Err(at), Some(value)) => variables.insert(at, (name.to_vec(), value.to_vec())),
        (Err(_), None) => {}
    }
    at.is_ok()
}

fn expand_with(text: &[u16], value: impl Fn(&[u16]) -> Option<Text>) -> Text {
    const PERCENT: u16 = b'%' as u16;
    let mut expanded = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.iter().position(|&unit| unit == PERCENT) {
        expanded.extend_from_slice(&rest[..start]);
        rest = &rest[start..];
        let Some(length) = rest[1..].iter().position(|&unit| unit == PERCENT) else { break };
        match value(&rest[1..=length]).filter(|_| length > 0) {
            Some(value) => {
                expanded.extend(value);
                rest = &rest[length + 2..];
            }
            None => {
                // The second percent sign may begin the next name.
                expanded.extend_from_slice(&rest[..=length]);
                rest = &rest[length + 1..];
            }
        }
    }
    expanded.extend_from_slice(rest);
    expanded
}

fn wide(text: &str) -> Text {
    text.encode_utf16().collect()
}

/// Makes the environment of a Windows program from that of a Unix one.
///
/// `PATH` and the directories of the user and for temporary files become Windows paths; the variables that every
/// Windows process has are added. Other variables stay as they are.
pub fn from_unix(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<(Text, Text)> {
    let drives = Drives { c: environment::data_directory().map(|data| data.join("plat/drive_c")) };
    let mut made: Vec<(Text, Text)> = Vec::new();
    let (mut home, mut user, mut temporary) =
        (OsString::from("/"), OsString::from("user"), OsString::from("/tmp"));
    for (name, value) in variables {
        match name.to_str() {
            Some("PATH") => {
                let parts = std::env::split_paths(&value).filter(|part| part.is_absolute());
                let mut path = wide(r"C:\windows\system32;C:\windows");
                for part in parts {
                    path.push(u16::from(b';'));
                    path.extend(unix_to_win32(&part, &drives));
                }
                set_in(&mut made, &wide("PATH"), Some(&path));
                continue;
            }
            // These words name other things in Windows, with other values.
            Some("TMP" | "TEMP" | "PATHEXT" | "COMSPEC") => continue,
            Some("TMPDIR") => temporary.clone_from(&value),
            Some("HOME") => home.clone_from(&value),
            Some("USER") => user.clone_from(&value),
            _ => {}
        }
        set_in(&mut made, &plain_text(&name), Some(&plain_text(&value)));
    }
    add_windows_variables(&mut made, &drives, &home, &user, &temporary);
    made
}

/// Makes the environment of a Unix program from that of a Windows one: `PATH` leads to Unix directories again, what
/// only Windows has is left out.
pub fn to_unix(variables: &Variables) -> Vec<(OsString, OsString)> {
    let drives = Drives { c: environment::data_directory().map(|data| data.join("plat/drive_c")) };
    let mut made = Vec::new();
    for (name, value) in variables {
        let text = String::from_utf16_lossy(name);
        let upper = text.to_uppercase();
        if text.starts_with('=') || matches!(upper.as_str(), "TMP" | "TEMP" | "PATHEXT" | "COMSPEC") {
            continue;
        }
        if upper == "PATH" {
            let parts = value.split(|&unit| unit == u16::from(b';')).filter(|part| !part.is_empty());
            let unix = parts.filter_map(|part| unix_folder(part, &drives)).collect::<Vec<_>>();
            made.push(("PATH".into(), std::env::join_paths(unix).unwrap_or_default()));
            continue;
        }
        made.push((wide_to_unix_name(name), wide_to_unix_name(value)));
    }
    made
}

/// Returns the Unix path of a full path of the drive `Z:`.
fn unix_folder(path: &[u16], drives: &Drives) -> Option<std::path::PathBuf> {
    let text = String::from_utf16_lossy(path);
    let rest = text.strip_prefix("Z:").or_else(|| text.strip_prefix("z:"));
    let Some(rest) = rest else {
        let rest = text.strip_prefix("C:\\").or_else(|| text.strip_prefix("c:\\"))?;
        let is_system = rest.to_lowercase().starts_with("windows");
        return if is_system { None } else { Some(drives.c.as_ref()?.join(rest.replace('\\', "/"))) };
    };
    Some(rest.replace('\\', "/").into())
}

/// Text that is no file name: invalid bytes are kept, nothing else is translated.
fn plain_text(text: &OsString) -> Text {
    text.to_str().map_or_else(|| unix_name_to_wide(text), wide)
}

fn add_windows_variables(
    made: &mut Vec<(Text, Text)>,
    drives: &Drives,
    home: &OsString,
    user: &OsString,
    temporary: &OsString,
) {
    let path = |text: &OsString| unix_to_win32(Path::new(text), drives);
    let fixed = [
        ("ALLUSERSPROFILE", r"C:\ProgramData"),
        ("ComSpec", r"C:\windows\system32\cmd.exe"),
        ("OS", "Windows_NT"),
        ("PATHEXT", ".COM;.EXE;.BAT;.CMD"),
        ("PROCESSOR_ARCHITECTURE", "AMD64"),
        ("ProgramData", r"C:\ProgramData"),
        ("ProgramFiles", r"C:\Program Files"),
        ("PUBLIC", r"C:\Users\Public"),
        ("SystemDrive", "C:"),
        ("SystemRoot", r"C:\windows"),
        ("windir", r"C:\windows"),
    ];
    for (name, value) in fixed {
        set_in(made, &wide(name), Some(&wide(value)));
    }
    let processors = super::sysinfo::processors(plat_abi::Machine::Amd64).count_ones().to_string();
    set_in(made, &wide("NUMBER_OF_PROCESSORS"), Some(&wide(&processors)));
    let home = path(home);
    set_in(made, &wide("USERPROFILE"), Some(&home));
    set_in(made, &wide("HOMEDRIVE"), Some(&home[..2.min(home.len())]));
    set_in(made, &wide("HOMEPATH"), Some(home.get(2..).unwrap_or(&[])));
    set_in(made, &wide("APPDATA"), Some(&[&home, wide(r"\AppData\Roaming").as_slice()].concat()));
    set_in(made, &wide("LOCALAPPDATA"), Some(&[&home, wide(r"\AppData\Local").as_slice()].concat()));
    set_in(made, &wide("USERNAME"), Some(&plain_text(user)));
    for name in ["TEMP", "TMP"] {
        set_in(made, &wide(name), Some(&path(temporary)));
    }
    if !made.iter().any(|pair| equal_ignore_case(&pair.0, &wide("PATH"))) {
        set_in(made, &wide("PATH"), Some(&wide(r"C:\windows\system32;C:\windows")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_expand_as_windows_does() {
        let value = |name: &[u16]| equal_ignore_case(name, &wide("x")).then(|| wide("[1]"));
        for (text, expected) in [
            ("a%X%b", "a[1]b"),
            ("%y%x%", "%y[1]"),
            ("100%", "100%"),
            ("%%", "%%"),
            ("%none% %x%", "%none% [1]"),
            ("", ""),
        ] {
            assert_eq!(String::from_utf16_lossy(&expand_with(&wide(text), value)), expected, "{text}");
        }
    }

    #[test]
    fn windows_environment_becomes_that_of_unix() {
        let windows =
            [("Path", r"C:\windows;Z:\usr\bin;z:\bin"), ("=Z:", "x"), ("TEMP", "t"), ("A", r"Z:\stays")];
        let unix = to_unix(&windows.map(|(name, value)| (wide(name), wide(value))).to_vec());
        assert_eq!(unix, [("PATH".into(), "/usr/bin:/bin".into()), ("A".into(), r"Z:\stays".into())]);
    }

    #[test]
    fn unix_environment_becomes_that_of_windows() {
        let unix = [
            ("PATH", "/usr/bin:rel:/bin"),
            ("HOME", "/home/me"),
            ("TMPDIR", "/var/tmp"),
            ("a", "1"),
            ("A", "2"),
        ];
        let made = from_unix(unix.map(|(name, value)| (name.into(), value.into())));
        let get = |name: &str| {
            let found = made.iter().find(|pair| equal_ignore_case(&pair.0, &wide(name)));
            found.map(|pair| String::from_utf16_lossy(&pair.1)).unwrap_or_default()
        };
        assert_eq!(get("path"), r"C:\windows\system32;C:\windows;Z:\usr\bin;Z:\bin");
        assert_eq!(get("TEMP"), r"Z:\var\tmp");
        assert_eq!(get("userprofile"), r"Z:\home\me");
        assert_eq!(get("HOMEPATH"), r"\home\me");
        assert_eq!(get("A"), "2");
        assert!(made.is_sorted_by(|a, b| compare_ordinal(&a.0, &b.0, true).is_lt()));
    }
}
