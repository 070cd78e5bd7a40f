//! The pure parts of Windows' behaviour: values in, values out; no guest memory, no operating system.
//!
//! The API functions are thin wrappers above these modules. Each module is usable, and tested, alone.

pub mod automation;
pub mod command_line;
pub mod complex;
pub mod console;
pub mod crypto;
pub mod device_classes;
pub mod guid;
pub mod heap;
pub mod messages;
pub mod nls;
pub mod number;
pub mod object_name;
pub mod path;
pub mod path_cch;
pub mod performance;
pub mod power;
pub mod printf;
pub mod profile_text;
pub mod program_search;
pub mod record;
pub mod reg_file;
pub mod resource_image;
pub mod resource_tree;
pub mod scanf;
pub mod security;
pub mod shell_path;
pub mod special;
pub mod status;
pub mod text_kind;
pub mod time;
pub mod undecorate;
pub mod url;
pub mod version_info;
pub mod wildcard;
pub mod windows_zones;
pub mod winrt;
pub mod winsock;
pub mod zone_rules;
