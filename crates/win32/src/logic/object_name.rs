//! The tree of object names: the directories that every system has, its fixed links, and the keys under which plat's
//! processes share names.
//!
//! A **path** is absolute (`\BaseNamedObjects\x`) and in canonical form: links followed, no empty names. A **key** is
//! what two processes compare: in capitals, the session's own directory left out.
//!
//! Source: <https://learn.microsoft.com/windows-hardware/drivers/kernel/object-directories>

use crate::logic::nls::case;

const BACKSLASH: u16 = b'\\' as u16;

/// Where a process' own names (`Local\`) live: its session is number 1.
pub const SESSION_DIRECTORY: &str = r"\Sessions\1\BaseNamedObjects";
/// Where names for all sessions (`Global\`) live.
pub const GLOBAL_DIRECTORY: &str = r"\BaseNamedObjects";

/// The directories, devices and links that are always there: path and kind, in order.
pub const SYSTEM: &[(&str, &str)] = &[
    (r"\??", DIRECTORY),
    (r"\BaseNamedObjects", DIRECTORY),
    (r"\BaseNamedObjects\Global", LINK),
    (r"\BaseNamedObjects\Local", LINK),
    (r"\BaseNamedObjects\Session", LINK),
    (r"\Callback", DIRECTORY),
    (r"\Device", DIRECTORY),
    (r"\Device\Afd", "Device"),
    (r"\Device\ConDrv", "Device"),
    (r"\Device\HarddiskVolume1", "Device"),
    (r"\Device\HarddiskVolume24", "Device"),
    (r"\Device\NamedPipe", "Device"),
    (r"\Device\Null", "Device"),
    (r"\DosDevices", LINK),
    (r"\Driver", DIRECTORY),
    (r"\FileSystem", DIRECTORY),
    (r"\GLOBAL??", DIRECTORY),
    (r"\GLOBAL??\C:", LINK),
    (r"\GLOBAL??\NUL", LINK),
    (r"\GLOBAL??\PIPE", LINK),
    (r"\GLOBAL??\Z:", LINK),
    (r"\KernelObjects", DIRECTORY),
    (r"\ObjectTypes", DIRECTORY),
    (r"\RPC Control", DIRECTORY),
    (r"\Security", DIRECTORY),
    (r"\Sessions", DIRECTORY),
    (r"\Sessions\0", DIRECTORY),
    (r"\Sessions\1", DIRECTORY),
    (SESSION_DIRECTORY, DIRECTORY),
    (r"\Sessions\1\BaseNamedObjects\Global", LINK),
    (r"\Sessions\1\BaseNamedObjects\Local", LINK),
    (r"\Sessions\1\BaseNamedObjects\Session", LINK),
    (r"\Sessions\BNOLINKS", DIRECTORY),
    (r"\Sessions\BNOLINKS\0", LINK),
    (r"\Sessions\BNOLINKS\1", LINK),
    (r"\Windows", DIRECTORY),
];

/// The type name of directories.
pub const DIRECTORY: &str = "Directory";
/// The type name of links.
pub const LINK: &str = "SymbolicLink";

/// Where the fixed links lead.
const LINKS: &[(&str, &str)] = &[
    (r"\BaseNamedObjects\Global", GLOBAL_DIRECTORY),
    (r"\BaseNamedObjects\Local", GLOBAL_DIRECTORY),
    (r"\BaseNamedObjects\Session", r"\Sessions\BNOLINKS"),
    (r"\DosDevices", r"\??"),
    (r"\GLOBAL??\C:", r"\Device\HarddiskVolume1"),
    (r"\GLOBAL??\NUL", r"\Device\Null"),
    (r"\GLOBAL??\PIPE", r"\Device\NamedPipe"),
    (r"\GLOBAL??\Z:", r"\Device\HarddiskVolume24"),
    (r"\Sessions\1\BaseNamedObjects\Global", GLOBAL_DIRECTORY),
    (r"\Sessions\1\BaseNamedObjects\Local", SESSION_DIRECTORY),
    (r"\Sessions\1\BaseNamedObjects\Session", r"\Sessions\BNOLINKS"),
    (r"\Sessions\BNOLINKS\0", GLOBAL_DIRECTORY),
    (r"\Sessions\BNOLINKS\1", SESSION_DIRECTORY),
];

pub(crate) fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// Converts a name to capitals, in which names are compared.
pub fn upcase(text: &[u16]) -> Vec<u16> {
    text.iter().map(|&unit| case::upcase(unit)).collect()
}

fn is_same(a: &[u16], b: &str) -> bool {
    a.len() == b.len() && upcase(a) == upcase(&wide(b))
}

/// Returns where a fixed link leads, if the path is one.
pub fn link_target(path: &[u16]) -> Option<&'static str> {
    LINKS.iter().find(|(link, _)| is_same(path, link)).map(|(_, target)| *target)
}

/// Returns what kind of thing always lies at a path, if something does. The root is a directory.
pub fn system_kind(path: &[u16]) -> Option<&'static str> {
    if path == [BACKSLASH] {
        return Some(DIRECTORY);
    }
    SYSTEM.iter().find(|(known, _)| is_same(path, known)).map(|(_, kind)| *kind)
}

/// Brings an absolute path to its canonical form: links before its last name are followed, empty names are left out.
/// `None` when it does not begin with a backslash.
pub fn canonical(path: &[u16]) -> Option<Vec<u16>> {
    let rest = path.strip_prefix(&[BACKSLASH])?;
    let mut found: Vec<u16> = Vec::new();
    for name in rest.split(|&unit| unit == BACKSLASH).filter(|name| !name.is_empty()) {
        if let Some(target) = link_target(&found) {
            found = wide(target);
        }
        found.push(BACKSLASH);
        found.extend(name);
    }
    if found.is_empty() {
        found.push(BACKSLASH);
    }
    Some(found)
}

/// Returns the directory that a canonical path lies in.
pub fn parent(path: &[u16]) -> Option<&[u16]> {
    let at = path.iter().rposition(|&unit| unit == BACKSLASH)?;
    if path.len() == 1 {
        return None;
    }
    Some(&path[..at.max(1)])
}

/// Returns a name in a directory.
pub fn child(directory: &[u16], name: &[u16]) -> Vec<u16> {
    let base = directory.strip_suffix(&[BACKSLASH]).unwrap_or(directory);
    [base, &[BACKSLASH], name].concat()
}

/// Returns the path of a name of Win32's (`Global\x`, `Local\x`, `x`).
pub fn of_win32(name: &[u16]) -> Vec<u16> {
    child(&wide(SESSION_DIRECTORY), name)
}

/// Returns the key of a canonical path.
pub fn key(path: &[u16]) -> Vec<u16> {
    upcase(&spelled(path))
}

/// Returns the key of a canonical path with the path's own capitals.
pub fn spelled(path: &[u16]) -> Vec<u16> {
    let below = |directory: &str| {
        let directory = wide(directory);
        let head = path.get(..directory.len()).filter(|head| upcase(head) == upcase(&directory))?;
        let rest = path[head.len()..].strip_prefix(&[BACKSLASH])?;
        (!rest.is_empty()).then_some(rest)
    };
    if let Some(rest) = below(SESSION_DIRECTORY) {
        return rest.to_vec();
    }
    match below(GLOBAL_DIRECTORY) {
        Some(rest) => [wide(r"GLOBAL\").as_slice(), rest].concat(),
        None => path.to_vec(),
    }
}

/// Returns the device's path of a path on a drive: `C:\x` is `\Device\HarddiskVolume1\x`, `Z:\` is number 24.
pub fn device_path(win32: &[u16]) -> Vec<u16> {
    let letter = win32.first().map_or(0, |unit| unit & !0x20);
    // C is the first, and after Z come A and B.
    let number = (u32::from(letter.wrapping_sub(u16::from(b'A'))) + 24) % 26 + 1;
    let mut path = wide(&format!(r"{VOLUME}{number}"));
    path.extend(win32.get(2..).unwrap_or(&[]));
    path
}

const VOLUME: &str = r"\Device\HarddiskVolume";

/// Returns the path on a drive of a device's path, if it is one of a disk.
pub fn path_of_device(path: &[u16]) -> Option<Vec<u16>> {
    let prefix = wide(VOLUME);
    let head = path.get(..prefix.len()).filter(|head| upcase(head) == upcase(&prefix))?;
    let rest = &path[head.len()..];
    let digits = rest.iter().take_while(|&&unit| (0x30..0x3a).contains(&unit)).count();
    let number: u32 = String::from_utf16_lossy(&rest[..digits]).parse().ok()?;
    let after = &rest[digits..];
    if !(1..=26).contains(&number) || !matches!(after.first(), None | Some(&BACKSLASH)) {
        return None;
    }
    let letter = u16::from(b'A') + ((number + 1) % 26) as u16;
    let rest: &[u16] = if after.is_empty() { &[BACKSLASH] } else { after };
    Some([&[letter, u16::from(b':')], rest].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(path: &str) -> String {
        String::from_utf16_lossy(&key(&canonical(&wide(path)).expect("absolute")))
    }

    #[test]
    fn one_object_has_one_key_whatever_way_leads_to_it() {
        let same = [
            (r"\Sessions\1\BaseNamedObjects\Foo", "FOO"),
            (r"\sessions\bnolinks\1\foo", "FOO"),
            (r"\Sessions\1\BaseNamedObjects\Local\foo", "FOO"),
            (r"\BaseNamedObjects\foo", r"GLOBAL\FOO"),
            (r"\BaseNamedObjects\\Local\foo", r"GLOBAL\FOO"),
            (r"\Sessions\BNOLINKS\0\foo", r"GLOBAL\FOO"),
            (r"\BaseNamedObjects\Session\1\foo\bar", r"FOO\BAR"),
            (r"\RPC Control\x", r"\RPC CONTROL\X"),
            (r"\", r"\"),
        ];
        for (path, expected) in same {
            assert_eq!(key_of(path), expected, "{path}");
        }
        for (name, expected) in [(r"Global\x", r"GLOBAL\X"), (r"local\x", "X"), ("x", "X"), (r"d\x", r"D\X")]
        {
            assert_eq!(key_of(&String::from_utf16_lossy(&of_win32(&wide(name)))), expected, "{name}");
        }
        assert_eq!(canonical(&wide("foo")), None);
    }

    #[test]
    fn drives_are_volumes_and_back() {
        for (path, device) in [
            (r"C:\a\b", r"\Device\HarddiskVolume1\a\b"),
            (r"Z:\", r"\Device\HarddiskVolume24\"),
            (r"A:\x", r"\Device\HarddiskVolume25\x"),
            (r"B:\x", r"\Device\HarddiskVolume26\x"),
        ] {
            assert_eq!(String::from_utf16_lossy(&device_path(&wide(path))), device);
            assert_eq!(path_of_device(&wide(device)).as_deref(), Some(wide(path).as_slice()), "{device}");
        }
        assert_eq!(path_of_device(&wide(r"\device\harddiskvolume1")), Some(wide(r"C:\")));
        for wrong in [
            r"\Device\HarddiskVolume0\x",
            r"\Device\HarddiskVolume27",
            r"\Device\HarddiskVolume1x",
            r"\Device",
        ] {
            assert_eq!(path_of_device(&wide(wrong)), None, "{wrong}");
        }
    }

    #[test]
    fn the_last_name_of_a_path_stays_a_link() {
        assert_eq!(canonical(&wide(r"\Sessions\BNOLINKS\1")), Some(wide(r"\Sessions\BNOLINKS\1")));
        assert_eq!(link_target(&wide(r"\sessions\bnolinks\1")), Some(SESSION_DIRECTORY));
        assert_eq!(system_kind(&wide(r"\Device\Null")), Some("Device"));
        assert_eq!(system_kind(&wide(r"\Device\Nul")), None);
        assert_eq!(parent(&wide(r"\a\b")), Some(wide(r"\a").as_slice()));
        assert_eq!(parent(&wide(r"\a")), Some(wide(r"\").as_slice()));
        assert_eq!(parent(&wide(r"\")), None);
        // Links and places agree with the list of what there is.
        for (link, target) in LINKS {
            assert_eq!(system_kind(&wide(link)), Some(LINK), "{link}");
            assert!(system_kind(&wide(target)).is_some(), "{target}");
        }
        assert!(SYSTEM.is_sorted_by_key(|(path, _)| upcase(&wide(path))), "sorted");
    }
}
