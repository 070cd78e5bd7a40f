//! `plat info` for machines: schema `plat-info-1`.

use plat_image::PeImage;
use plat_loader::{Below, Dependency, ImportNode};
use serde_json::{Map, Value, json};

use super::details::{Details, dotted, guard_names};

/// Writes all about a file.
///
/// An object with `headers` (texts by name), `sections`, `tls`, `load_config`, `version`, `manifest` (each may be null),
/// `debug`, `imports` (the tree), `dependencies` (its DLLs, each once) and `problems` (texts).
pub(super) fn document(image: &PeImage<'_>, found: &plat_loader::Info) -> String {
    let details = Details::read(image);
    let headers = super::header_fields(image, found.kind, &details);
    let headers: Map<String, Value> =
        headers.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let sections: Vec<Value> = image
        .sections()
        .iter()
        .map(|section| {
            json!({
                "name": section.name(), "rva": section.virtual_address.get(),
                "memory_bytes": section.mapped_bytes(), "file_bytes": section.file_bytes(),
                "protection": section.access().to_string()
            })
        })
        .collect();
    let problems: Vec<&String> = details.problems.iter().chain(&found.problems).collect();
    let document = json!({
        "schema": "plat-info-1", "headers": headers, "sections": sections, "tls": tls(&details),
        "load_config": load_config(&details), "debug": debug(&details), "version": version(&details),
        "manifest": manifest(&details), "imports": tree(&found.imports),
        "dependencies": dependencies(&found.dependencies), "problems": problems,
    });
    format!("{document:#}\n")
}

/// Writes the DLLs alone.
pub(super) fn missing(found: &[Dependency]) -> String {
    format!("{:#}\n", json!({ "schema": "plat-info-1", "dependencies": dependencies(found) }))
}

fn dependencies(found: &[Dependency]) -> Vec<Value> {
    let one = |it: &Dependency| json!({ "name": it.name, "provider": it.provider, "imported": it.imported, "missing": it.missing });
    found.iter().map(one).collect()
}

fn tree(imports: &[ImportNode]) -> Vec<Value> {
    let one = |node: &ImportNode| {
        let functions = node.functions.iter();
        let functions: Vec<Value> =
            functions.map(|it| json!({ "symbol": it.symbol, "supply": it.supply.name() })).collect();
        let below = match node.below {
            Below::Shown => "shown",
            Below::ShownBefore => "shown before",
            Below::Cycle => "cycle",
            Below::TooDeep => "too deep",
        };
        json!({
            "name": node.name, "host": node.host, "provider": node.provider, "delayed": node.is_delayed,
            "functions": functions, "below": below, "imports": tree(&node.imports)
        })
    };
    imports.iter().map(one).collect()
}

fn tls(details: &Details) -> Value {
    details.tls.as_ref().map_or(Value::Null, |tls| {
        json!({
            "template_rva": tls.template.start.get(),
            "template_bytes": tls.template.end.get() - tls.template.start.get(),
            "zero_fill_bytes": tls.zero_fill_bytes,
            "callbacks": tls.callbacks.iter().map(|rva| rva.get()).collect::<Vec<u32>>()
        })
    })
}

fn load_config(details: &Details) -> Value {
    details.load_config.as_ref().map_or(Value::Null, |config| {
        json!({
            "bytes": config.size, "security_cookie_rva": config.security_cookie.map(|rva| rva.get()),
            "handler_table_rva": config.handler_table.map(|rva| rva.get()),
            "handler_count": config.handler_count, "guard_flags": config.guard_flags,
            "guard_flag_names": guard_names(config.guard_flags)
        })
    })
}

fn debug(details: &Details) -> Vec<Value> {
    let one = |entry: &plat_image::pe::DebugEntry| {
        let pdb = entry.database.as_ref();
        let pdb = pdb.map(|pdb| json!({ "path": pdb.path, "id": pdb.id, "age": pdb.age }));
        json!({ "kind": entry.kind, "name": entry.kind_name(), "bytes": entry.size, "pdb": pdb })
    };
    details.debug.iter().map(one).collect()
}

fn version(details: &Details) -> Value {
    details.version.as_ref().map_or(Value::Null, |version| {
        let fixed = version.fixed.map(|fixed| {
            json!({
                "file": dotted(fixed.file), "product": dotted(fixed.product), "flags": fixed.flags,
                "flags_mask": fixed.flags_mask, "os": fixed.os, "kind": fixed.kind, "subkind": fixed.subkind
            })
        });
        let tables: Map<String, Value> = version
            .tables
            .iter()
            .map(|table| {
                let texts = table.texts.iter().map(|(name, value)| (name.clone(), value.clone().into()));
                (table.key.clone(), Value::Object(texts.collect()))
            })
            .collect();
        json!({ "fixed": fixed, "texts": tables, "translations": version.translations })
    })
}

fn manifest(details: &Details) -> Value {
    details.manifest.as_ref().map_or(Value::Null, |it| {
        json!({
            "number": it.number, "bytes": it.bytes, "execution_level": it.execution_level,
            "assemblies": it.assemblies, "long_paths": it.long_paths, "code_page": it.code_page
        })
    })
}
