//! What a manifest says of side-by-side assemblies: which it depends on, and which files it has. [`AssemblyManifest`].
//!
//! Source: <https://learn.microsoft.com/windows/win32/sbscs/assembly-manifests>,
//! <https://learn.microsoft.com/windows/win32/sbscs/application-manifests>.

/// The assemblies and files that a manifest names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssemblyManifest {
    /// The names of the assemblies that it depends on.
    pub dependencies: Vec<String>,
    /// The names of the files that belong to it.
    pub files: Vec<String>,
}

/// Assemblies that count as installed, with the DLLs of theirs that programs load by name.
///
/// Source: the manifests of Visual C++ 2005's and 2008's redistributables; `comctl32.dll` and `gdiplus.dll` are Windows'.
const INSTALLED: &[(&str, &[&str])] = &[
    ("microsoft.vc80.crt", &["msvcr80.dll", "msvcp80.dll", "msvcm80.dll"]),
    ("microsoft.vc80.mfc", &["mfc80.dll", "mfc80u.dll", "mfcm80.dll", "mfcm80u.dll"]),
    ("microsoft.vc80.atl", &["atl80.dll"]),
    ("microsoft.vc80.openmp", &["vcomp.dll"]),
    ("microsoft.vc90.crt", &["msvcr90.dll", "msvcp90.dll", "msvcm90.dll"]),
    ("microsoft.vc90.mfc", &["mfc90.dll", "mfc90u.dll", "mfcm90.dll", "mfcm90u.dll"]),
    ("microsoft.vc90.atl", &["atl90.dll"]),
    ("microsoft.vc90.openmp", &["vcomp90.dll"]),
    ("microsoft.windows.common-controls", &["comctl32.dll"]),
    ("microsoft.windows.gdiplus", &["gdiplus.dll"]),
];

/// Says whether an installed assembly has a file.
pub fn installed_has(assembly: &str, file: &str) -> bool {
    let row = INSTALLED.iter().find(|(name, _)| name.eq_ignore_ascii_case(assembly));
    row.is_some_and(|(_, files)| files.iter().any(|known| known.eq_ignore_ascii_case(file)))
}

/// Returns the text of a manifest: UTF-8, or UTF-16 with its mark.
fn text_of(bytes: &[u8]) -> String {
    let units = |order: fn([u8; 2]) -> u16| -> Vec<u16> {
        bytes[2..].chunks_exact(2).map(|pair| order([pair[0], pair[1]])).collect()
    };
    match bytes {
        [0xff, 0xfe, ..] => String::from_utf16_lossy(&units(u16::from_le_bytes)),
        [0xfe, 0xff, ..] => String::from_utf16_lossy(&units(u16::from_be_bytes)),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Returns the value of an attribute of a tag.
fn attribute<'a>(tag: &'a str, wanted: &str) -> Option<&'a str> {
    let mut rest = tag;
    loop {
        let (before, behind) = rest.split_once('=')?;
        let behind = behind.trim_start();
        let quote = behind.chars().next().filter(|&mark| mark == '"' || mark == '\'')?;
        let (value, left) = behind[1..].split_once(quote)?;
        let name = before.split_ascii_whitespace().next_back().unwrap_or_default();
        if name == wanted {
            return Some(value);
        }
        rest = left;
    }
}

impl AssemblyManifest {
    /// Reads a manifest; `None` for what is none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let text = text_of(bytes);
        let (mut manifest, mut is_manifest, mut in_dependency) = (Self::default(), false, false);
        let mut rest = text.as_str();
        while let Some((_, behind)) = rest.split_once('<') {
            if let Some(comment) = behind.strip_prefix("!--") {
                rest = comment.split_once("-->").map_or("", |(_, behind)| behind);
                continue;
            }
            let (tag, left) = behind.split_once('>').unwrap_or((behind, ""));
            rest = left;
            let name =
                tag.trim_start_matches('/').split([' ', '\t', '\r', '\n', '/']).next().unwrap_or_default();
            let name = name.rsplit(':').next().unwrap_or(name);
            match name {
                "assembly" => is_manifest = true,
                "dependentAssembly" => in_dependency = !tag.starts_with('/'),
                "assemblyIdentity" if in_dependency => {
                    manifest.dependencies.extend(attribute(tag, "name").map(str::to_owned));
                }
                "file" => manifest.files.extend(attribute(tag, "name").map(str::to_owned)),
                _ => {}
            }
        }
        is_manifest.then_some(manifest)
    }

    /// Says whether it lists a file.
    pub fn has(&self, file: &str) -> bool {
        self.files.iter().any(|own| own.eq_ignore_ascii_case(file))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(text: &str, expected: &Expect) {
        expected.assert_eq(&format!("{:?}", AssemblyManifest::read(text.as_bytes())));
    }

    #[test]
    fn manifests_are_read() {
        check(
            "<?xml version='1.0'?>\n<assembly xmlns='urn:schemas-microsoft-com:asm.v1' manifestVersion='1.0'>\r\n\
             <assemblyIdentity name='Own' version='1.0.0.0'/>\
             <dependency><dependentAssembly>\r\n<assemblyIdentity type='win32' \r\n name=\"Microsoft.VC90.CRT\" version='9.0'>\
             </assemblyIdentity></dependentAssembly></dependency><!-- <file name='no.dll'/> -->\
             <file name = 'a.dll' hash='x'/><asmv1:file name=\"B.DLL\"></asmv1:file></assembly>",
            &expect![[
                r#"Some(AssemblyManifest { dependencies: ["Microsoft.VC90.CRT"], files: ["a.dll", "B.DLL"] })"#
            ]],
        );
        check("no manifest", &expect!["None"]);
        check("<assembly", &expect!["Some(AssemblyManifest { dependencies: [], files: [] })"]);
        check(
            "<assembly><file name='a.dll",
            &expect!["Some(AssemblyManifest { dependencies: [], files: [] })"],
        );
        check("<assembly><!-- open", &expect!["Some(AssemblyManifest { dependencies: [], files: [] })"]);
    }

    #[test]
    fn utf_16_is_read() {
        let mut bytes = vec![0xff, 0xfe];
        bytes.extend("<assembly><file name='x.dll'/></assembly>".encode_utf16().flat_map(u16::to_le_bytes));
        let manifest = AssemblyManifest::read(&bytes).expect("it is a manifest");
        assert!(manifest.has("X.dll"), "{manifest:?}");
    }

    #[test]
    fn installed_assemblies_are_known() {
        assert!(installed_has("Microsoft.VC80.CRT", "MSVCR80.dll"));
        assert!(!installed_has("Microsoft.VC80.CRT", "msvcr90.dll"));
        assert!(!installed_has("Other", "msvcr90.dll"));
    }
}
