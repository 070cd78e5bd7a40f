//! What the data directories say: [`Details`].

use std::collections::BTreeMap;

use plat_image::pe::{DebugEntry, LoadConfig, Manifest, ResourceId, TlsDirectory, VersionInfo};
use plat_image::{ImageError, PeImage};
use plat_render::{Align, Table, size};

/// All that is shown of the data directories; what cannot be read is a problem, and the rest goes on.
#[derive(Debug, Default)]
pub(super) struct Details {
    pub(super) resources: String,
    pub(super) exports: String,
    pub(super) bound: String,
    pub(super) signed: String,
    pub(super) tls: Option<TlsDirectory>,
    pub(super) load_config: Option<LoadConfig>,
    pub(super) debug: Vec<DebugEntry>,
    pub(super) version: Option<VersionInfo>,
    pub(super) manifest: Option<Manifest>,
    pub(super) problems: Vec<String>,
}

impl Details {
    pub(super) fn read(image: &PeImage<'_>) -> Self {
        let mut it = Self::default();
        it.resources = it.keep(resources(image)).unwrap_or_default();
        it.exports = it.keep(exports(image)).unwrap_or_default();
        it.bound = it.keep(bound(image)).unwrap_or_default();
        let certificates = it.keep(image.certificates()).flatten();
        it.signed = certificates.map_or("no".into(), |range| {
            format!("{} of signatures, which plat does not check", size(range.end.get() - range.start.get()))
        });
        it.tls = it.keep(image.tls()).flatten();
        it.load_config = it.keep(image.load_config()).flatten();
        it.debug = it.keep(image.debug_entries()).unwrap_or_default();
        it.version = it.keep(image.version()).flatten();
        it.manifest = it.keep(image.manifest()).flatten();
        it
    }

    fn keep<T>(&mut self, result: Result<T, ImageError>) -> Option<T> {
        result.map_err(|error| self.problems.push(error.to_string())).ok()
    }

    /// Makes a table of each directory that is there.
    pub(super) fn tables(&self) -> Vec<Table> {
        let tables = [
            self.tls.as_ref().map(tls),
            self.load_config.as_ref().map(load_config),
            (!self.debug.is_empty()).then(|| debug(&self.debug)),
            self.version.as_ref().map(version),
            self.manifest.as_ref().map(manifest),
        ];
        tables.into_iter().flatten().collect()
    }
}

fn fields(heading: &str, rows: impl IntoIterator<Item = (String, String)>) -> Table {
    let mut table = Table::new(&[(heading, Align::Left), ("value", Align::Left)]);
    for (name, value) in rows {
        table.row([name, value]);
    }
    table
}

/// Source: Microsoft, "Resource Types".
fn kind_name(id: &ResourceId) -> String {
    match id {
        ResourceId::Name(units) => String::from_utf16_lossy(units),
        ResourceId::Number(number) => match number {
            1 => "cursor".into(),
            2 => "bitmap".into(),
            3 => "icon".into(),
            4 => "menu".into(),
            5 => "dialog".into(),
            6 => "string table".into(),
            9 => "accelerator".into(),
            10 => "data".into(),
            11 => "message table".into(),
            12 => "cursor group".into(),
            14 => "icon group".into(),
            16 => "version".into(),
            24 => "manifest".into(),
            other => format!("type {other}"),
        },
    }
}

fn resources(image: &PeImage<'_>) -> Result<String, ImageError> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let resources = image.resources()?;
    for resource in &resources {
        *counts.entry(kind_name(&resource.kind)).or_default() += 1;
    }
    let kinds: Vec<String> = counts.iter().map(|(name, count)| format!("{count} {name}")).collect();
    Ok(if kinds.is_empty() { "none".into() } else { format!("{}: {}", resources.len(), kinds.join(", ")) })
}

fn exports(image: &PeImage<'_>) -> Result<String, ImageError> {
    Ok(image.exports()?.map_or("none".into(), |exports| {
        let module = exports.module.to_text();
        format!("{} functions, {} names, as {module}", exports.function_count, exports.name_count)
    }))
}

fn bound(image: &PeImage<'_>) -> Result<String, ImageError> {
    let names: Vec<String> = image.bound_imports()?.iter().map(|it| it.name.to_string()).collect();
    Ok(if names.is_empty() { "nothing".into() } else { names.join(", ") })
}

fn tls(tls: &TlsDirectory) -> Table {
    let template = tls.template.end.get() - tls.template.start.get();
    let mut rows = vec![
        ("template".to_owned(), format!("rva {}, {}", tls.template.start, size(template.into()))),
        ("zero fill".to_owned(), size(tls.zero_fill_bytes.into())),
    ];
    rows.extend(tls.callbacks.iter().map(|rva| ("callback".to_owned(), format!("rva {rva}"))));
    fields("thread-local storage", rows)
}

/// Source: Microsoft, "IMAGE_LOAD_CONFIG_DIRECTORY", GuardFlags; winnt.h, IMAGE_GUARD_*.
const GUARD: [(u32, &str); 14] = [
    (0x100, "CF_INSTRUMENTED"),
    (0x200, "CFW_INSTRUMENTED"),
    (0x400, "CF_FUNCTION_TABLE"),
    (0x800, "SECURITY_COOKIE_UNUSED"),
    (0x1000, "PROTECT_DELAYLOAD_IAT"),
    (0x2000, "DELAYLOAD_IAT_IN_ITS_OWN_SECTION"),
    (0x4000, "CF_EXPORT_SUPPRESSION_INFO"),
    (0x8000, "CF_ENABLE_EXPORT_SUPPRESSION"),
    (0x1_0000, "CF_LONGJUMP_TABLE"),
    (0x2_0000, "RF_INSTRUMENTED"),
    (0x4_0000, "RF_ENABLE"),
    (0x8_0000, "RF_STRICT"),
    (0x10_0000, "RETPOLINE"),
    (0x40_0000, "EH_CONTINUATION_TABLE"),
];

/// Lists the names of guard flags that are set.
pub(super) fn guard_names(flags: u32) -> Vec<&'static str> {
    GUARD.iter().filter(|(bit, _)| flags & bit != 0).map(|(_, name)| *name).collect()
}

fn load_config(config: &LoadConfig) -> Table {
    let rva = |rva: Option<plat_image::Rva>| rva.map_or("none".into(), |rva| format!("rva {rva}"));
    let handlers = config.handler_table.map_or("no table".to_owned(), |_| config.handler_count.to_string());
    let names = guard_names(config.guard_flags).join(" ");
    let rows = [
        ("size", size(config.size.into())),
        ("security cookie", rva(config.security_cookie)),
        ("safe exception handlers", handlers),
        ("control flow check", rva(config.guard_check)),
        ("guard flags", format!("{:#010x} {names}", config.guard_flags)),
    ];
    fields("load configuration", rows.map(|(name, value)| (name.to_owned(), value)))
}

fn debug(entries: &[DebugEntry]) -> Table {
    let rows = entries.iter().map(|entry| {
        let name = format!("{} ({})", entry.kind_name(), entry.kind);
        match &entry.database {
            Some(pdb) => (name, format!("{} {{{}}} age {}", pdb.path, pdb.id, pdb.age)),
            None => (name, size(entry.size.into())),
        }
    });
    fields("debug data", rows)
}

/// Writes a version's four numbers with points.
pub(super) fn dotted([a, b, c, d]: [u16; 4]) -> String {
    format!("{a}.{b}.{c}.{d}")
}

fn version(version: &VersionInfo) -> Table {
    let mut rows = Vec::new();
    if let Some(fixed) = version.fixed {
        rows.push(("file".into(), dotted(fixed.file)));
        rows.push(("product".into(), dotted(fixed.product)));
        let flags = fixed.flags & fixed.flags_mask;
        rows.push(("flags, system, kind".into(), format!("{flags:#x}, {:#x}, {}", fixed.os, fixed.kind)));
    }
    for table in &version.tables {
        let several = version.tables.len() > 1;
        let name = |name: &str| if several { format!("{} {name}", table.key) } else { name.to_owned() };
        rows.extend(table.texts.iter().map(|(key, value)| (name(key), value.clone())));
    }
    fields("version information", rows)
}

fn manifest(manifest: &Manifest) -> Table {
    let mut rows =
        vec![("resource".to_owned(), format!("{}, {}", manifest.number, size(manifest.bytes as u64)))];
    let level = manifest.execution_level.clone().unwrap_or_else(|| "not said".into());
    rows.push(("execution level".into(), level));
    rows.extend(manifest.assemblies.iter().map(|name| ("depends on".into(), name.clone())));
    if manifest.long_paths {
        rows.push(("long paths".into(), "yes".into()));
    }
    rows.extend(manifest.code_page.iter().map(|page| ("code page".into(), page.clone())));
    fields("manifest", rows)
}
