//! `plat reg`: the registry that Windows programs of this user see, from the command line.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use plat_loader::registry::{
    self, KINDS, Key, Node, Registry, Value, Win32Error, kind_name, long_path, read_data, show_data,
};

use crate::arguments::Format;
use crate::arguments::reg::{Reg, Verb};

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn narrow(text: &[u16]) -> String {
    String::from_utf16_lossy(text)
}

/// Does what is asked; a key or value that is not there is a negative answer.
pub(crate) fn reg(arguments: Reg) -> anyhow::Result<ExitCode> {
    let registry = Registry::default();
    match arguments.verb {
        Verb::Import { files } => {
            for file in &files {
                let bytes =
                    std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
                registry::import(&registry, &bytes).with_context(|| file.display().to_string())?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Verb::Export { key, file } => {
            let bytes = found(registry::export_bytes(&registry, &path(&key)?), &key)?;
            let Some(bytes) = bytes else { return Ok(ExitCode::FAILURE) };
            match file {
                Some(file) => std::fs::write(&file, bytes)
                    .with_context(|| format!("{} cannot be written", file.display()))?,
                None => std::io::stdout().lock().write_all(&bytes)?,
            }
            Ok(ExitCode::SUCCESS)
        }
        Verb::Query { key, value, recursive, format } => query(&registry, &key, value, recursive, format),
        Verb::Set { key, value, data, kind } => set(&registry, &key, &value, &data, &kind),
        Verb::Delete { key, value, recursive } => delete(&registry, &key, value, recursive),
    }
}

/// Returns a key's full path with its long root.
fn path(key: &str) -> anyhow::Result<Vec<u16>> {
    long_path(&wide(key)).ok_or_else(|| {
        anyhow!("{key}: a key begins with HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE, HKEY_CLASSES_ROOT, HKEY_USERS or HKEY_CURRENT_CONFIG (or HKCU, HKLM, HKCR, HKU, HKCC)")
    })
}

/// Says that something is not there, which is no error of plat's; passes on what went wrong otherwise.
fn found<T>(result: Result<T, Win32Error>, what: &str) -> anyhow::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Win32Error::FILE_NOT_FOUND) => {
            eprintln!("plat: {what} is not there");
            Ok(None)
        }
        Err(error) => bail!("{what}: {error}"),
    }
}

fn query(
    registry: &Registry,
    key: &str,
    value: Option<String>,
    recursive: bool,
    format: Format,
) -> anyhow::Result<ExitCode> {
    let full = path(key)?;
    let Some(mut node) = found(registry.open(&full).and_then(|key| key.copy()), key)? else {
        return Ok(ExitCode::FAILURE);
    };
    if let Some(value) = value {
        let wanted = wide(&value.to_lowercase());
        node.values.retain(|_, (name, _)| wide(&narrow(name).to_lowercase()) == wanted);
        node.keys.clear();
        if node.values.is_empty() {
            eprintln!("plat: {key} has no value {value:?}");
            return Ok(ExitCode::FAILURE);
        }
    }
    if !recursive {
        node.keys.values_mut().for_each(|child| {
            child.keys.clear();
            child.values.clear();
        });
    }
    let text = match format {
        Format::Text => text(&narrow(&full), &node, recursive, true),
        Format::Json => {
            let mut all = serde_json::json!({ "schema": "plat-reg-1", "key": narrow(&full) });
            let described = json(&node, recursive);
            if let (Some(all), Some(described)) = (all.as_object_mut(), described.as_object()) {
                all.extend(described.clone());
            }
            format!("{all:#}\n")
        }
        Format::Svg | Format::Html => bail!("plat reg has no picture: use --format text or json"),
    };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Shows a key as `reg query` does: its path, its values indented, then the keys below.
fn text(path: &str, node: &Node, recursive: bool, is_first: bool) -> String {
    let mut out = if is_first { format!("{path}\n") } else { format!("\n{path}\n") };
    for (name, value) in node.values.values() {
        let name = if name.is_empty() { "(Default)".to_owned() } else { narrow(name) };
        out.push_str(&format!("    {name}    {}    {}\n", kind_name(value.kind), show_data(value)));
    }
    for child in node.keys.values() {
        let below = format!("{path}\\{}", narrow(&child.name));
        out.push_str(&if recursive { text(&below, child, true, false) } else { format!("{below}\n") });
    }
    out
}

/// Schema `plat-reg-1`: `values`, an array of `name`, `type`, `data` (text) and `bytes` (hexadecimal); `keys`, an array of
/// names, or with `--recursive` of objects with `name`, `values` and `keys`.
fn json(node: &Node, recursive: bool) -> serde_json::Value {
    let hexadecimal = |value: &Value| value.data.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let values: Vec<_> = node
        .values
        .values()
        .map(|(name, value)| {
            serde_json::json!({
                "name": narrow(name), "type": kind_name(value.kind), "data": show_data(value), "bytes": hexadecimal(value),
            })
        })
        .collect();
    let keys: Vec<_> = node
        .keys
        .values()
        .map(|child| {
            if !recursive {
                return serde_json::json!(narrow(&child.name));
            }
            let mut described = json(child, true);
            if let Some(described) = described.as_object_mut() {
                described.insert("name".into(), narrow(&child.name).into());
            }
            described
        })
        .collect();
    serde_json::json!({ "values": values, "keys": keys })
}

/// Reads the name of a type: `dword`, `REG_DWORD`, or a number.
fn kind_of(text: &str) -> anyhow::Result<u32> {
    let name = text.to_uppercase().replace('-', "_");
    let name = if name.starts_with("REG_") { name } else { format!("REG_{name}") };
    let known = KINDS.iter().find(|row| row.0 == name).map(|row| row.1);
    known.or_else(|| text.parse().ok()).ok_or_else(|| {
        anyhow!("{text} is no type: use sz, expand-sz, multi-sz, dword, qword, binary, none, or a number")
    })
}

fn set(registry: &Registry, key: &str, value: &str, data: &str, kind: &str) -> anyhow::Result<ExitCode> {
    let full = narrow(&path(key)?);
    let kind = kind_of(kind)?;
    let data = read_data(kind, data, "\\0")
        .ok_or_else(|| anyhow!("{data:?} is no data of type {}", kind_name(kind)))?;
    let (root, rest) = full.split_once('\\').unwrap_or((&full, ""));
    let made = registry.open(&wide(root)).and_then(|root| root.create(&wide(rest), false));
    let (made, _) = made.map_err(|error| anyhow!("{key}: {error}"))?;
    made.set_value(&wide(value), data).map_err(|error| anyhow!("{key}: {error}"))?;
    Ok(ExitCode::SUCCESS)
}

fn delete(
    registry: &Registry,
    key: &str,
    value: Option<String>,
    recursive: bool,
) -> anyhow::Result<ExitCode> {
    let Some(opened) = found(registry.open(&path(key)?), key)? else { return Ok(ExitCode::FAILURE) };
    let done = match value {
        Some(value) => found(opened.delete_value(&wide(&value)), &format!("{key}, value {value:?}"))?,
        None => found(delete_key(&opened, key, recursive)?, key)?,
    };
    Ok(if done.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn delete_key(opened: &Arc<Key>, key: &str, recursive: bool) -> anyhow::Result<Result<(), Win32Error>> {
    let below = opened.info().map_err(|error| anyhow!("{key}: {error}"))?.keys;
    if below > 0 && !recursive {
        bail!("{key} has keys below ({below}): --recursive deletes them too");
    }
    Ok(opened.clear().and_then(|()| opened.delete(&[])))
}
