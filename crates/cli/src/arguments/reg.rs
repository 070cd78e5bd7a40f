//! What a user may type after `plat reg`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Format;

/// `plat reg`.
#[derive(Debug, Args)]
#[command(
    after_help = "Keys are named as in Windows, with long or short roots: HKCU\\Software\\Vendor. The empty value name is the
default value. Where the registry is kept: docs/registry.md.

Examples:
  plat reg query 'HKCU\\Software' --recursive
  plat reg set 'HKCU\\Software\\Vendor' Level 3 --type dword
  plat reg export 'HKCU\\Software\\Vendor' vendor.reg
  plat reg import vendor.reg
  plat reg delete 'HKCU\\Software\\Vendor' --recursive"
)]
pub(crate) struct Reg {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make the changes of .reg files, each all or none.
    Import {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Write a key and all below it as a .reg file.
    Export {
        /// The key.
        key: String,
        /// Where to; standard output where none is named.
        file: Option<PathBuf>,
    },
    /// Show a key's values and the keys below it, or one value.
    Query {
        /// The key.
        key: String,
        /// Only this value; an empty name is the default value.
        value: Option<String>,
        /// Show the keys below too, with all that is in them.
        #[arg(long, short)]
        recursive: bool,
        /// Form of the output.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Set a value; the key is made where there is none.
    Set {
        /// The key.
        key: String,
        /// The value's name; empty for the default value.
        value: String,
        /// Its data: text, a number (decimal or 0x), or hexadecimal digits, by the type. Texts of multi-sz are separated by \0.
        #[arg(allow_hyphen_values = true)]
        data: String,
        /// Its type: sz, expand-sz, multi-sz, dword, qword, binary, none, or a number.
        #[arg(long = "type", value_name = "TYPE", default_value = "sz")]
        kind: String,
    },
    /// Delete a value, or a key.
    Delete {
        /// The key.
        key: String,
        /// The value; without one, the key itself goes.
        value: Option<String>,
        /// Delete the keys below too.
        #[arg(long, short)]
        recursive: bool,
    },
}
