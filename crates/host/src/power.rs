//! Where the machine's power comes from: mains and batteries, as the kernel tells.
//!
//! Source: Linux, Documentation/ABI/testing/sysfs-class-power; Documentation/power/power_supply_class.rst

use std::path::Path;

/// What the machine's power supplies say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PowerSupplies {
    /// Whether a mains supply is connected; `None` where the kernel knows of none.
    pub is_on_mains: Option<bool>,
    /// The batteries that are there.
    pub batteries: Vec<Battery>,
}

/// A battery of the machine's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Battery {
    /// Whether it is being charged.
    pub is_charging: bool,
    /// Whether it is giving power.
    pub is_discharging: bool,
    /// What it holds of what it can hold, in percent, where that is known.
    pub percent: Option<u8>,
    /// What it holds, in mWh, where that is known.
    pub energy: Option<u32>,
    /// What it can hold, in mWh, where that is known.
    pub energy_full: Option<u32>,
    /// What it takes or gives, in mW, where that is known.
    pub power: Option<u32>,
}

/// Returns what the power supplies say; nothing where the kernel tells of none.
pub fn supplies() -> PowerSupplies {
    supplies_in(Path::new("/sys/class/power_supply"))
}

fn supplies_in(root: &Path) -> PowerSupplies {
    let mut found = PowerSupplies::default();
    let Ok(entries) = std::fs::read_dir(root) else { return found };
    for path in entries.flatten().map(|entry| entry.path()) {
        let text = |name: &str| Some(std::fs::read_to_string(path.join(name)).ok()?.trim().to_owned());
        // What powers a mouse says nothing about the machine.
        if text("scope").as_deref() == Some("Device") {
            continue;
        }
        match text("type").as_deref() {
            Some("Battery") if text("present").as_deref() != Some("0") => found.batteries.push(battery(text)),
            Some("Mains" | "USB" | "Wireless") => {
                let is_online = text("online").is_some_and(|value| value != "0");
                found.is_on_mains = Some(found.is_on_mains.unwrap_or(false) || is_online);
            }
            _ => {}
        }
    }
    found
}

fn battery(text: impl Fn(&str) -> Option<String>) -> Battery {
    // Drivers tell energy (µWh, µW) or charge (µAh, µA) and voltage (µV).
    let micro = |name: &str| text(name)?.parse::<i64>().ok().map(i64::unsigned_abs);
    let milli = |energy: &str, charge: &str| {
        let through_charge = || {
            let volts = micro("voltage_min_design").or_else(|| micro("voltage_now"))?;
            Some((u128::from(micro(charge)?) * u128::from(volts) / 1_000_000) as u64)
        };
        micro(energy).or_else(through_charge).and_then(|value| u32::try_from(value / 1000).ok())
    };
    let status = text("status").unwrap_or_default();
    let (energy, energy_full) = (milli("energy_now", "charge_now"), milli("energy_full", "charge_full"));
    let of_energy = || match (energy, energy_full) {
        (Some(now), Some(full)) if full > 0 => Some((u64::from(now) * 100 / u64::from(full)).min(100) as u8),
        _ => None,
    };
    Battery {
        is_charging: status == "Charging",
        is_discharging: status == "Discharging",
        percent: text("capacity").and_then(|value| value.parse().ok()).or_else(of_energy),
        energy,
        energy_full,
        power: milli("power_now", "current_now"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mouse_is_not_the_machine_and_charge_becomes_energy() {
        let root = std::env::temp_dir().join(format!("plat-power-{}", std::process::id()));
        for (supply, files) in [
            ("AC", &[("type", "Mains"), ("online", "0")][..]),
            (
                "BAT0",
                &[
                    ("type", "Battery"),
                    ("status", "Discharging"),
                    ("capacity", "42"),
                    ("charge_now", "2000000"),
                    ("charge_full", "4000000"),
                    ("current_now", "-1000000"),
                    ("voltage_now", "12000000"),
                ],
            ),
            ("BAT1", &[("type", "Battery"), ("present", "0")]),
            ("mouse", &[("type", "Battery"), ("scope", "Device"), ("capacity", "5")]),
        ] {
            std::fs::create_dir_all(root.join(supply)).expect("a directory");
            for (name, value) in files {
                std::fs::write(root.join(supply).join(name), format!("{value}\n")).expect("a file");
            }
        }
        let battery = Battery {
            is_charging: false,
            is_discharging: true,
            percent: Some(42),
            energy: Some(24_000),
            energy_full: Some(48_000),
            power: Some(12_000),
        };
        let expected = PowerSupplies { is_on_mains: Some(false), batteries: vec![battery] };
        let (found, none) = (supplies_in(&root), supplies_in(&root.join("none")));
        std::fs::remove_dir_all(&root).expect("the directory was made above");
        assert_eq!((found, none), (expected, PowerSupplies::default()));
    }
}
