//! What was seen loaded together: profiles from maps of running programs, from plat's own maps, from imports.
//!
//! A profile is a list of processes, each with the modules that it had loaded. [`Profile::read`] takes
//! `/proc/PID/maps` of Linux, Cygwin and MSYS2, what `plat run --map FILE.json` wrote, and lists of names.

use plat_regions::{Address, AddressRange};
use serde::Deserialize;

use crate::member::Member;
use crate::planner::{closure, roots};

/// What one process had loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadedSet {
    /// The process's program, or what is known of it.
    pub program: String,
    /// Its modules' paths as it named them, each once.
    pub modules: Vec<String>,
    /// Its heap, where the source says: the ranges that must stay free.
    pub heaps: Vec<AddressRange>,
}

/// What a number of processes had loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Where it is from.
    pub name: String,
    /// The processes.
    pub processes: Vec<LoadedSet>,
}

/// Why a profile cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// A line is neither of a map nor a name.
    #[error("profile {name}, line {line}: is no line of a map (START-END PERMS …): {text}")]
    Line {
        /// The profile.
        name: String,
        /// The line's number, from 1.
        line: usize,
        /// The line.
        text: String,
    },
    /// It begins like JSON and is none of plat's maps.
    #[error("profile {name}: is no map that plat wrote: {why}")]
    Json {
        /// The profile.
        name: String,
        /// What the parser says.
        why: String,
    },
    /// No module is in it.
    #[error("profile {name}: names no module")]
    Empty {
        /// The profile.
        name: String,
    },
}

#[derive(Deserialize)]
struct MapDocument {
    schema: String,
    regions: Vec<MapRegion>,
}

#[derive(Deserialize)]
struct MapRegion {
    kind: String,
    owner: String,
}

impl Profile {
    /// Reads a profile from a file's text, whichever of its kinds it is.
    ///
    /// A text of maps may hold several processes: a line that begins with `#` opens one and names it.
    ///
    /// # Errors
    /// [`ProfileError`] with the line that makes no sense.
    pub fn read(name: &str, text: &str) -> Result<Self, ProfileError> {
        let processes = if text.trim_start().starts_with('{') {
            vec![read_json(name, text)?]
        } else {
            read_maps(name, text)?
        };
        let processes: Vec<LoadedSet> = processes.into_iter().filter(|it| !it.modules.is_empty()).collect();
        if processes.is_empty() {
            return Err(ProfileError::Empty { name: name.to_owned() });
        }
        Ok(Self { name: name.to_owned(), processes })
    }

    /// Makes a profile of what imports say: a process for each file that no other imports, with all that it needs.
    pub fn from_imports(members: &[Member]) -> Self {
        let edges = crate::planner::import_edges(members);
        let process = |root: usize| LoadedSet {
            program: members[root].path.clone(),
            modules: closure(&edges, root).into_iter().map(|index| members[index].path.clone()).collect(),
            heaps: Vec::new(),
        };
        Self { name: "imports".into(), processes: roots(&edges).into_iter().map(process).collect() }
    }
}

/// Reads what `plat run --map FILE.json` wrote: images' owners are a file's name and a section's.
fn read_json(name: &str, text: &str) -> Result<LoadedSet, ProfileError> {
    let bad = |why: String| ProfileError::Json { name: name.to_owned(), why };
    let document: MapDocument = serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
    if document.schema != "plat-map-1" {
        return Err(bad(format!("its schema is {:?}, expected \"plat-map-1\"", document.schema)));
    }
    let mut set = LoadedSet { program: name.to_owned(), ..LoadedSet::default() };
    for region in document.regions.iter().filter(|region| region.kind == "image") {
        let owner = match region.owner.rsplit_once(' ') {
            Some((file, part)) if looks_like_image(file) || part == "headers" || part.starts_with('.') => {
                file
            }
            _ => &region.owner,
        };
        add(&mut set.modules, owner);
    }
    Ok(set)
}

fn looks_like_image(path: &str) -> bool {
    let suffix = path.rsplit_once('.').map(|(_, suffix)| suffix.to_lowercase());
    suffix
        .is_some_and(|it| matches!(it.as_str(), "exe" | "dll" | "so" | "pyd" | "oct" | "mex" | "drv" | "ocx"))
}

fn add(modules: &mut Vec<String>, path: &str) {
    if !path.is_empty() && !modules.iter().any(|known| known == path) {
        modules.push(path.to_owned());
    }
}

fn read_maps(name: &str, text: &str) -> Result<Vec<LoadedSet>, ProfileError> {
    let mut processes = vec![LoadedSet { program: name.to_owned(), ..LoadedSet::default() }];
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if line.is_empty() {
            continue;
        }
        if let Some(title) = line.strip_prefix('#') {
            processes.push(LoadedSet { program: title.trim().to_owned(), ..LoadedSet::default() });
            continue;
        }
        let process = processes.last_mut().expect("one was put there at first");
        match map_line(line) {
            Some((range, path)) if path.contains("heap") && path.starts_with('[') => {
                process.heaps.push(range)
            }
            Some((_, path)) if is_module(path) => add(&mut process.modules, path),
            Some(_) => {}
            None if looks_like_image(line) => add(&mut process.modules, line),
            None => {
                let (name, text) = (name.to_owned(), line.chars().take(80).collect());
                return Err(ProfileError::Line { name, line: index + 1, text });
            }
        }
    }
    Ok(processes)
}

/// Says whether a path of a map is that of a file: Linux also maps data files, which no member will match.
fn is_module(path: &str) -> bool {
    !path.starts_with('[') && path.contains(['/', '\\'])
}

/// Takes range and path from a line of `/proc/PID/maps`; the path is empty for memory without a file.
///
/// Cygwin and MSYS2 write the same fields in the same order: addresses without leading zeros in 64 bits, `===p` for what is only
/// reserved, the volume's serial number as device, and after the inode a path, `[heap]`, `[win heap 1 default …]`, `[stack …]`.
///
/// Source: proc_pid_maps(5); Cygwin winsup/cygwin/fhandler_process.cc, by its output.
fn map_line(line: &str) -> Option<(AddressRange, &str)> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let address = |text| u64::from_str_radix(text, 16).ok().map(Address::new);
    let range = AddressRange::new(address(start)?, address(end)?)?;
    let (rights, rest) = rest.split_once(' ')?;
    let is_right = |letter: char| "rwxsp-=".contains(letter);
    if rights.len() != 4 || !rights.chars().all(is_right) {
        return None;
    }
    // Offset, device, inode; the path may hold blanks.
    let mut rest = rest.trim_start();
    for _ in 0..3 {
        let (field, behind) = rest.split_once(' ').unwrap_or((rest, ""));
        if field.is_empty() || !field.chars().all(|letter| letter.is_ascii_hexdigit() || letter == ':') {
            return None;
        }
        rest = behind.trim_start();
    }
    Some((range, rest.strip_suffix(" (deleted)").unwrap_or(rest)))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn modules(text: &str) -> String {
        match Profile::read("p", text) {
            Ok(profile) => {
                let line = |it: &LoadedSet| {
                    format!("{}: {} heaps {}\n", it.program, it.modules.join(" | "), it.heaps.len())
                };
                profile.processes.iter().map(line).collect()
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn maps_of_three_systems_are_read() {
        let linux = "00400000-00401000 r-xp 00000000 08:01 42    /opt/my program/a.dll\n\
                     00401000-00402000 rw-p 00001000 08:01 42    /opt/my program/a.dll\n\
                     7f0000000000-7f0000010000 ---p 00000000 00:00 0 \n\
                     7ffc00000000-7ffc00010000 rw-p 00000000 00:00 0    [stack]\n";
        let cygwin = "100400000-100401000 r--p 00000000 1CA7:3B3F 2251799814026463        /usr/bin/bash.exe\n\
                      180040000-180041000 r--p 00000000 1CA7:3B3F 1970324837064863        /usr/bin/cygwin1.dll\n\
                      6ffffe000-700000000 ===p 00000000 0000:0000 0                       [stack (tid 5140)]\n\
                      a00000000-a20000000 rw-p 00000000 0000:0000 0                       [heap]\n\
                      7FFB00000000-7FFB00010000 r--p 00000000 1CA7:3B3F 5                 /cygdrive/c/WINDOWS/SYSTEM32/ntdll.dll\n";
        let msys2 = "# sh\n210040000-210041000 r--p 00000000 54AB:12CD 3 /usr/bin/msys-2.0.dll\r\n\
                     # python\n5E0000000-5E0010000 r-xp 00000000 54AB:12CD 4 /c/Program Files/py/x.pyd\r\n";
        expect![[r#"
            p: /opt/my program/a.dll heaps 0
            p: /usr/bin/bash.exe | /usr/bin/cygwin1.dll | /cygdrive/c/WINDOWS/SYSTEM32/ntdll.dll heaps 1
            sh: /usr/bin/msys-2.0.dll heaps 0
            python: /c/Program Files/py/x.pyd heaps 0
        "#]]
        .assert_eq(&[modules(linux), modules(cygwin), modules(msys2)].concat());
    }

    #[test]
    fn plats_own_maps_and_lists_are_read() {
        let json = r#"{"schema":"plat-map-1","regions":[{"start":"0x1","end":"0x2","size_bytes":1,"state":"commit",
            "kind":"image","protection":"r--","owner":"my tool.exe headers","reason":""},
            {"kind":"image","owner":"my tool.exe .text"},{"kind":"image","owner":"zlib1.dll .data"},
            {"kind":"private","owner":"heap"}]}"#;
        expect![[r#"
            p: my tool.exe | zlib1.dll heaps 0
            p: a.dll | lib/b.pyd heaps 0
        "#]]
        .assert_eq(&[modules(json), modules("a.dll\nlib/b.pyd\n")].concat());
    }

    #[test]
    fn what_is_no_profile_says_where() {
        let texts = [
            "",
            "hello",
            "2-1 rwxp 0 0:0 0 /a",
            "{\"schema\":\"x\",\"regions\":[]}",
            "{",
            "1-2 rwxp 0 0:0 0 [stack]",
        ];
        expect![[r#"
            profile p: names no module
            profile p, line 1: is no line of a map (START-END PERMS …): hello
            profile p, line 1: is no line of a map (START-END PERMS …): 2-1 rwxp 0 0:0 0 /a
            profile p: is no map that plat wrote: its schema is "x", expected "plat-map-1"
            profile p: is no map that plat wrote: EOF while parsing an object at line 1 column 1
            profile p: names no module"#]]
        .assert_eq(&texts.map(modules).join("\n"));
    }
}
