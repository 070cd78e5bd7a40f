//! The manifest in the resources, recognised but not obeyed: [`Manifest`].

use super::{PeImage, ResourceId};
use crate::ImageError;

/// The type number of manifests.
///
/// Source: Microsoft, "Resource Types", `RT_MANIFEST`.
pub const RT_MANIFEST: u32 = 24;

/// What a manifest asks for, found by searching its text: enough to describe it, not an XML reader.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The resource's number: 1 for a program, 2 for a DLL.
    pub number: u32,
    /// Its size in bytes.
    pub bytes: usize,
    /// `requestedExecutionLevel`: `asInvoker`, `highestAvailable`, `requireAdministrator`.
    pub execution_level: Option<String>,
    /// The names of assemblies that it depends on, with versions: `Microsoft.Windows.Common-Controls 6.0.0.0`.
    pub assemblies: Vec<String>,
    /// `longPathAware` is true.
    pub long_paths: bool,
    /// `activeCodePage`, such as `UTF-8`.
    pub code_page: Option<String>,
}

impl PeImage<'_> {
    /// Reads the manifest that is for the image itself; `None` when there is none.
    ///
    /// # Errors
    /// As [`PeImage::resources`].
    pub fn manifest(&self) -> Result<Option<Manifest>, ImageError> {
        let kind = ResourceId::Number(RT_MANIFEST);
        for number in [1, 2, 3] {
            let found = self.find_resource(&kind, &ResourceId::Number(number), None)?;
            if let Some(bytes) = found.and_then(|resource| self.slice(resource.rva, resource.size)) {
                return Ok(Some(Manifest { number, ..Manifest::read(bytes) }));
            }
        }
        Ok(None)
    }
}

impl Manifest {
    /// Searches a manifest's text.
    ///
    /// Source: Microsoft, "Application manifests", "Assembly manifests".
    pub fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let dependencies = tags(&text, "dependentAssembly").into_iter();
        let assemblies = dependencies.filter_map(|(_, inside)| {
            let (identity, _) = tags(inside, "assemblyIdentity").into_iter().next()?;
            let version = attribute(identity, "version").unwrap_or_default();
            Some(format!("{} {version}", attribute(identity, "name")?).trim_end().to_owned())
        });
        let content = |name| {
            let (_, inside) = tags(&text, name).into_iter().next()?;
            Some(inside.trim().to_owned()).filter(|it| !it.is_empty())
        };
        let level = tags(&text, "requestedExecutionLevel").into_iter().next();
        Self {
            number: 0,
            bytes: bytes.len(),
            execution_level: level.and_then(|(head, _)| attribute(head, "level")),
            assemblies: assemblies.collect(),
            long_paths: content("longPathAware").is_some_and(|it| it.eq_ignore_ascii_case("true")),
            code_page: content("activeCodePage"),
        }
    }
}

/// Lists the elements of a name, with or without a prefix: the text of the tag, and what is up to its end tag.
fn tags<'t>(text: &'t str, name: &str) -> Vec<(&'t str, &'t str)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        rest = after;
        let Some((head, tail)) = after.split_once('>') else { break };
        let word = head.split([' ', '\t', '\r', '\n', '/']).next().unwrap_or_default();
        if word.rsplit(':').next() != Some(name) {
            continue;
        }
        let inside = if head.ends_with('/') { "" } else { tail.split("</").next().unwrap_or_default() };
        let inside = tail.find(&format!("</{word}")).map_or(inside, |end| &tail[..end]);
        found.push((head, if head.ends_with('/') { "" } else { inside }));
        rest = tail;
        if found.len() >= 64 {
            break;
        }
    }
    found
}

/// Returns the value of an attribute in the text of a tag.
fn attribute(head: &str, name: &str) -> Option<String> {
    let mut from = 0;
    while let Some(at) = head[from..].find(name).map(|at| at + from) {
        from = at + name.len();
        let starts = head[..at].ends_with(char::is_whitespace);
        let value = head[from..].trim_start().strip_prefix('=').map(str::trim_start);
        if let (true, Some(value)) = (starts, value) {
            let quote = value.chars().next().filter(|it| matches!(it, '"' | '\''))?;
            return value[1..].split(quote).next().map(str::to_owned);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matters_is_found() {
        let text = br#"<assembly xmlns="urn:x"><assemblyIdentity name="me" version="1.0.0.0"/>
            <asmv3:trustInfo><asmv3:requestedExecutionLevel  level='asInvoker' uiAccess="false"/></asmv3:trustInfo>
            <dependency><dependentAssembly><assemblyIdentity type="win32" name="Microsoft.Windows.Common-Controls"
             version="6.0.0.0" processorArchitecture="*" /></dependentAssembly></dependency>
            <ws:longPathAware>true</ws:longPathAware><activeCodePage>UTF-8</activeCodePage></assembly>"#;
        let manifest = Manifest::read(text);
        assert_eq!(manifest.execution_level.as_deref(), Some("asInvoker"));
        assert_eq!(manifest.assemblies, ["Microsoft.Windows.Common-Controls 6.0.0.0"]);
        assert!(manifest.long_paths);
        assert_eq!(manifest.code_page.as_deref(), Some("UTF-8"));
    }

    #[test]
    fn rubbish_yields_nothing() {
        for text in [
            "",
            "<",
            "<a",
            "<dependentAssembly>",
            "<assemblyIdentity name=",
            "\u{ff}<activeCodePage>",
            "<é name=é/>",
        ] {
            let manifest = Manifest::read(text.as_bytes());
            assert!(manifest.assemblies.is_empty() && manifest.execution_level.is_none(), "{text}");
        }
    }
}
