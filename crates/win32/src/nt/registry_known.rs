//! The keys and values that programs expect to find. They say what plat's functions say.

use plat_host::clock;

use super::registry::own_sid;
use super::registry_tree::Node;
use super::registry_view::{NODE, is_shared};
use super::time;
use crate::logic::reg_file::{REG_BINARY, REG_EXPAND_SZ, Value};
use crate::logic::security::Sid;
use crate::logic::time::SystemTime;
use crate::logic::windows_zones::{ZONES, rules_of};

const CURRENT_VERSION: &str = r"HKEY_LOCAL_MACHINE\Software\Microsoft\Windows NT\CurrentVersion";
/// The key of the time zones below it.
pub(super) const TIME_ZONES: &str = "Time Zones";
const PROFILES: &str = r"HKEY_LOCAL_MACHINE\Software\Microsoft\Windows NT\CurrentVersion\ProfileList";
const SETUP: &str = r"HKEY_LOCAL_MACHINE\Software\Microsoft\Windows\CurrentVersion";
const CONTROL: &str = r"HKEY_LOCAL_MACHINE\System\CurrentControlSet\Control";
const INTERNATIONAL: &str = r"HKEY_CURRENT_USER\Control Panel\International";
const EXPLORER: &str =
    r"HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Explorer\User Shell Folders";
const PROCESSORS: &str = r"HKEY_LOCAL_MACHINE\Hardware\Description\System\CentralProcessor";
const ENVIRONMENT: &str = r"HKEY_LOCAL_MACHINE\System\CurrentControlSet\Control\Session Manager\Environment";

/// What a well-known value holds.
#[derive(Clone, Copy, Debug)]
enum Known {
    Text(&'static str),
    /// A text with variables.
    Open(&'static str),
    Number(u32),
    /// The key only.
    Nothing,
}

use Known::{Nothing, Number, Open, Text};

/// Key, name, value.
const WELL_KNOWN: &[(&str, &str, Known)] = &[
    (CURRENT_VERSION, "ProductName", Text("Windows 10 Pro")),
    (CURRENT_VERSION, "CurrentVersion", Text("6.3")),
    (CURRENT_VERSION, "CurrentBuild", Text("19045")),
    (CURRENT_VERSION, "CurrentBuildNumber", Text("19045")),
    (CURRENT_VERSION, "CurrentMajorVersionNumber", Number(10)),
    (CURRENT_VERSION, "CurrentMinorVersionNumber", Number(0)),
    (CURRENT_VERSION, "CurrentType", Text("Multiprocessor Free")),
    (CURRENT_VERSION, "EditionID", Text("Professional")),
    (CURRENT_VERSION, "InstallationType", Text("Client")),
    (CURRENT_VERSION, "SystemRoot", Text(r"C:\Windows")),
    (SETUP, "CommonFilesDir", Text(r"C:\Program Files\Common Files")),
    (SETUP, "ProgramFilesDir", Text(r"C:\Program Files")),
    (SETUP, "ProgramFilesPath", Open("%ProgramFiles%")),
    (r"HKEY_LOCAL_MACHINE\Software\Microsoft\Windows\CurrentVersion\Run", "", Nothing),
    (r"HKEY_LOCAL_MACHINE\Software\Microsoft\Windows\CurrentVersion\Uninstall", "", Nothing),
    (r"HKEY_LOCAL_MACHINE\Software\Microsoft\Windows\CurrentVersion\App Paths", "", Nothing),
    (ENVIRONMENT, "ComSpec", Open(r"%SystemRoot%\system32\cmd.exe")),
    (ENVIRONMENT, "OS", Text("Windows_NT")),
    (ENVIRONMENT, "Path", Open(r"%SystemRoot%\system32;%SystemRoot%")),
    (ENVIRONMENT, "PATHEXT", Text(".COM;.EXE;.BAT;.CMD")),
    (ENVIRONMENT, "PROCESSOR_ARCHITECTURE", Text("AMD64")),
    (ENVIRONMENT, "windir", Open("%SystemRoot%")),
    (r"HKEY_LOCAL_MACHINE\System\CurrentControlSet\Control\FileSystem", "LongPathsEnabled", Number(1)),
    (r"HKEY_LOCAL_MACHINE\System\CurrentControlSet\Control\Nls\CodePage", "ACP", Text("1252")),
    (r"HKEY_LOCAL_MACHINE\System\CurrentControlSet\Control\Nls\CodePage", "OEMCP", Text("437")),
    (r"HKEY_LOCAL_MACHINE\System\CurrentControlSet\Control\Nls\CodePage", "MACCP", Text("10000")),
    (r"HKEY_LOCAL_MACHINE\System\CurrentControlSet\Control\Nls\Language", "Default", Text("0409")),
    (r"HKEY_LOCAL_MACHINE\System\CurrentControlSet\Control\Nls\Language", "InstallLanguage", Text("0409")),
    (r"HKEY_LOCAL_MACHINE\System\CurrentControlSet\Hardware Profiles\Current", "", Nothing),
    (r"HKEY_LOCAL_MACHINE\System\CurrentControlSet\Services", "", Nothing),
    (r"HKEY_LOCAL_MACHINE\Software\Classes", "", Nothing),
    (INTERNATIONAL, "Locale", Text("00000409")),
    (INTERNATIONAL, "LocaleName", Text("en-US")),
    (EXPLORER, "AppData", Open(r"%USERPROFILE%\AppData\Roaming")),
    (EXPLORER, "Local AppData", Open(r"%USERPROFILE%\AppData\Local")),
    (EXPLORER, "Desktop", Open(r"%USERPROFILE%\Desktop")),
    (EXPLORER, "Personal", Open(r"%USERPROFILE%\Documents")),
    (r"HKEY_CURRENT_USER\Environment", "", Nothing),
    (r"HKEY_CURRENT_USER\Software\Classes", "", Nothing),
    (r"HKEY_USERS\.DEFAULT", "", Nothing),
    (r"HKEY_USERS\S-1-5-18", "", Nothing),
    (r"HKEY_PERFORMANCE_DATA", "", Nothing),
    (r"HKEY_DYN_DATA", "", Nothing),
];

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// Makes the tree that every process begins with.
pub(super) fn well_known() -> Node {
    let mut root = Node::new(&[], false);
    for (path, name, known) in WELL_KNOWN {
        let key = root.make(&wide(path));
        let value = match known {
            Nothing => continue,
            Text(text) => Value::text(text),
            Open(text) => Value::units(REG_EXPAND_SZ, text.encode_utf16().chain([0])),
            Number(number) => Value::number(*number),
        };
        key.set(&wide(name), value);
    }
    add_processors(&mut root);
    add_time_zone(&mut root);
    add_user(&mut root);
    add_narrow_view(&mut root);
    root
}

/// Adds a key for each processor: its name, its speed in MHz.
fn add_processors(root: &mut Node) {
    let kind = plat_host::sysinfo::processor_kind();
    let model = plat_host::sysinfo::processor_model();
    let system = if kind.vendor == "AuthenticAMD" { "AMD64" } else { "Intel64" };
    let identifier =
        format!("{system} Family {} Model {} Stepping {}", model.family, model.model, model.stepping);
    for (mhz, number) in plat_host::sysinfo::processor_speeds_mhz().into_iter().zip(0u32..) {
        let key = root.make(&wide(&format!(r"{PROCESSORS}\{number}")));
        key.set(&wide("Identifier"), Value::text(&identifier));
        key.set(&wide("ProcessorNameString"), Value::text(&kind.name));
        key.set(&wide("VendorIdentifier"), Value::text(&kind.vendor));
        key.set(&wide("~MHz"), Value::number(mhz));
    }
}

/// Adds the user: his key's other name, and where his folder is.
fn add_user(root: &mut Node) {
    root.make(&wide(&format!(r"HKEY_USERS\{}", own_sid())));
    let profiles = root.make(&wide(PROFILES));
    let open = |text: &str| Value::units(REG_EXPAND_SZ, text.encode_utf16().chain([0]));
    for (name, text) in [
        ("Default", r"%SystemDrive%\Users\Default"),
        ("ProfilesDirectory", r"%SystemDrive%\Users"),
        ("ProgramData", r"%SystemDrive%\ProgramData"),
        ("Public", r"%SystemDrive%\Users\Public"),
    ] {
        profiles.set(&wide(name), open(text));
    }
    let own = profiles.child(&wide(own_sid()), false).0;
    own.set(&wide("Flags"), Value::number(0));
    own.set(&wide("ProfileImagePath"), open("%USERPROFILE%"));
    let sid = Sid::from_text(own_sid()).map(|sid| sid.to_bytes()).unwrap_or_default();
    own.set(&wide("Sid"), Value { kind: REG_BINARY, data: sid });
}

/// Adds what the 32-bit view has for itself, as the 64-bit one says it.
fn add_narrow_view(root: &mut Node) {
    let software = root.make(&wide(r"HKEY_LOCAL_MACHINE\Software"));
    let mut copy = software.clone();
    keep_own(&mut copy, &mut Vec::new());
    let node = software.child(&wide(NODE), false).0;
    (node.keys, node.values) = (copy.keys, copy.values);
    let setup = root.make(&wide(r"HKEY_LOCAL_MACHINE\Software\Wow6432Node\Microsoft\Windows\CurrentVersion"));
    setup.set(&wide("ProgramFilesDir"), Value::text(r"C:\Program Files (x86)"));
}

/// Takes out the keys that both views share, and gives the others names of their own.
fn keep_own(node: &mut Node, path: &mut Vec<Vec<u16>>) {
    let fresh = Node::new(&node.name, node.is_volatile);
    node.id = fresh.id;
    node.keys.retain(|name, child| {
        path.push(name.clone());
        let names: Vec<&[u16]> = path.iter().map(Vec::as_slice).collect();
        let is_own = !is_shared(&names);
        if is_own {
            keep_own(child, path);
        }
        path.pop();
        is_own
    });
}

/// Adds the time zone as the time functions describe it.
fn add_time_zone(root: &mut Node) {
    let zone = time::zone_at(time::now());
    let key = root.make(&wide(&format!(r"{CONTROL}\TimeZoneInformation")));
    let active = zone.bias + if zone.is_summer { zone.daylight_bias } else { 0 };
    let numbers = [
        ("ActiveTimeBias", active),
        ("Bias", zone.bias),
        ("DaylightBias", if zone.changes.is_some() { zone.daylight_bias } else { 0 }),
        ("StandardBias", 0),
    ];
    for (name, number) in numbers {
        key.set(&wide(name), Value::number(number as u32));
    }
    let names = [
        ("DaylightName", &zone.daylight_name),
        ("StandardName", &zone.standard_name),
        ("TimeZoneKeyName", &zone.standard_name),
    ];
    for (name, text) in names {
        key.set(&wide(name), Value::text(text));
    }
    let rules = zone.changes.map(|(standard, daylight)| (standard.rule, daylight.rule)).unwrap_or_default();
    for (name, rule) in [("StandardStart", rules.0), ("DaylightStart", rules.1)] {
        key.set(&wide(name), Value { kind: REG_BINARY, data: rule_bytes(rule) });
    }
}

/// Adds the time zones that the machine knows the rules of.
pub(super) fn add_zones(root: &mut Node) {
    for (name, place) in ZONES {
        let Some(rules) = clock::zone_description(place).and_then(|text| rules_of(&text)) else { continue };
        let key = root.make(&wide(&format!(r"{CURRENT_VERSION}\{TIME_ZONES}\{name}")));
        let sign = if rules.bias > 0 { '-' } else { '+' };
        let (hours, minutes) = (rules.bias.abs() / 60, rules.bias.abs() % 60);
        let town = place.rsplit('/').next().unwrap_or(place).replace('_', " ");
        let standard = if *name == "UTC" { "Coordinated Universal Time" } else { name };
        let texts = [
            ("Display", format!("(UTC{sign}{hours:02}:{minutes:02}) {town}")),
            ("Std", standard.to_owned()),
            ("Dlt", standard.replace("Standard", "Daylight")),
        ];
        for (name, text) in &texts {
            key.set(&wide(name), Value::text(text));
        }
        let biases = [rules.bias, rules.standard_bias, rules.daylight_bias].map(i32::to_le_bytes).concat();
        let data = [biases, date_bytes(rules.to_standard), date_bytes(rules.to_daylight)].concat();
        key.set(&wide("TZI"), Value { kind: REG_BINARY, data });
    }
}

/// Lays out a rule as a `SYSTEMTIME`.
fn date_bytes(rule: SystemTime) -> Vec<u8> {
    let SystemTime { year, month, day_of_week, day, hour, minute, second, millisecond } = rule;
    let fields = [year, month, day_of_week, day, hour, minute, second, millisecond];
    fields.into_iter().flat_map(u16::to_le_bytes).collect()
}

/// Lays out a rule as Windows keeps it: a `SYSTEMTIME` whose day of the week comes last.
fn rule_bytes(rule: SystemTime) -> Vec<u8> {
    let SystemTime { year, month, day_of_week, day, hour, minute, second, millisecond } = rule;
    let fields = [year, month, day, hour, minute, second, millisecond, day_of_week];
    fields.into_iter().flat_map(u16::to_le_bytes).collect()
}
