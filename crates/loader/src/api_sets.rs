//! API sets: names of DLLs that are none, and the DLL that has their functions here.

/// The sets by what their names begin with, and their hosts; the first that fits counts.
///
/// Source: <https://learn.microsoft.com/windows/win32/apiindex/windows-apisets>
const HOSTS: &[(&str, &str)] = &[
    ("api-ms-win-crt-", "ucrtbase.dll"),
    ("api-ms-win-security-", "advapi32.dll"),
    ("api-ms-win-eventing-", "advapi32.dll"),
    ("api-ms-win-eventlog-", "advapi32.dll"),
    ("api-ms-win-service-", "advapi32.dll"),
    ("api-ms-win-core-registry-", "advapi32.dll"),
    ("api-ms-win-core-com-", "combase.dll"),
    ("api-ms-win-core-winrt-", "combase.dll"),
    ("api-ms-win-core-shlwapi-", "shlwapi.dll"),
    ("api-ms-win-core-url-", "shlwapi.dll"),
    ("api-ms-win-core-version-", "version.dll"),
    ("api-ms-win-devices-config-", "cfgmgr32.dll"),
    ("api-ms-win-ntuser-", "user32.dll"),
    ("api-ms-win-rtcore-ntuser-", "user32.dll"),
    ("api-ms-win-mm-time-", "winmm.dll"),
    ("api-ms-win-power-base-", "powrprof.dll"),
    ("api-ms-win-appmodel-", "kernel32.dll"),
    ("api-ms-win-ro-typeresolution-", "wintypes.dll"),
    ("api-ms-win-core-", "kernel32.dll"),
    ("kernelbase.dll", "kernel32.dll"),
];

/// Returns the DLL that has a set's functions; any other name as it is. `name` is in lower case, with its extension.
pub(crate) fn host(name: &str) -> &str {
    HOSTS.iter().find(|(set, _)| name.starts_with(set)).map_or(name, |&(_, host)| host)
}

/// Returns the DLL to search for: a set's host, or the name as it was asked for. `normal` is that as [`host`] wants it.
pub(crate) fn resolve<'a>(asked: &'a str, normal: &'a str) -> &'a str {
    let host = host(normal);
    if host == normal { asked } else { host }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_is_found_and_its_host_is_built_in() {
        for (set, dll) in HOSTS {
            let name = if set.ends_with('-') { format!("{set}l1-1-0.dll") } else { (*set).to_owned() };
            assert_eq!(host(&name), *dll);
            assert!(plat_win32::DLLS.iter().any(|builtin| builtin.name == *dll), "{dll}");
        }
        assert_eq!(host("api-ms-win-core-com-l1-1-1.dll"), "combase.dll");
        assert_eq!(host("api-ms-win-core-console-l1-1-0.dll"), "kernel32.dll");
        assert_eq!(host("zlib1.dll"), "zlib1.dll");
    }
}
