//! The state of the machine's power as Windows tells it. Key item: [`PowerState`].

use plat_host::power::PowerSupplies;

/// A number that is not known, in bytes and in words.
const UNKNOWN: u8 = 255;
const UNKNOWN_SECONDS: u32 = u32::MAX;

/// What all batteries together hold, give and take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerState {
    /// Whether the machine is on mains: 0 no, 1 yes, 255 not known.
    pub line: u8,
    /// `BatteryFlag`: 1 high, 2 low, 4 critical, 8 charging, 128 no battery, 255 not known.
    pub flags: u8,
    /// The charge in percent; 255 where it is not known.
    pub percent: u8,
    /// How long the batteries last, in seconds; all ones where that is not known or they are not in use.
    pub seconds: u32,
    /// How long full batteries last, in seconds; all ones where that is not known.
    pub full_seconds: u32,
    /// What they hold, in mWh.
    pub energy: u32,
    /// What they can hold, in mWh.
    pub energy_full: u32,
    /// What they take (positive) or give (negative), in mW.
    pub rate: i32,
    /// Whether one is charged, and whether one gives power.
    pub is_charging: bool,
    /// Whether one gives power.
    pub is_discharging: bool,
}

/// Sums up what the supplies say. A machine of which the kernel knows no supply is on mains: it runs.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/ns-winbase-system_power_status>
pub fn state(supplies: &PowerSupplies) -> PowerState {
    let batteries = &supplies.batteries;
    let sum = |of: fn(&plat_host::power::Battery) -> Option<u32>| -> Option<u32> {
        batteries.iter().map(of).try_fold(0u32, |sum, value| Some(sum.saturating_add(value?)))
    };
    let is_charging = batteries.iter().any(|battery| battery.is_charging);
    let is_discharging = batteries.iter().any(|battery| battery.is_discharging);
    let (energy, full, power) = (sum(|b| b.energy), sum(|b| b.energy_full), sum(|b| b.power));
    let line = match supplies.is_on_mains {
        Some(is_on) => u8::from(is_on),
        None => u8::from(!is_discharging),
    };
    let percent = match (energy, full) {
        (Some(energy), Some(full)) if full > 0 && batteries.len() > 1 => {
            (u64::from(energy) * 100 / u64::from(full)).min(100) as u8
        }
        _ => batteries.first().and_then(|battery| battery.percent).unwrap_or(UNKNOWN),
    };
    let flags = match (batteries.is_empty(), percent) {
        (true, _) => 128,
        (false, UNKNOWN) => UNKNOWN,
        (false, percent) => {
            let level = [(percent > 66, 1), (percent < 33, 2), (percent < 5, 4)];
            let level: u8 = level.iter().filter(|(is_so, _)| *is_so).map(|(_, bit)| bit).sum();
            // Critical is told instead of low.
            (if level == 6 { 4 } else { level }) | if is_charging { 8 } else { 0 }
        }
    };
    let lasts = |energy: Option<u32>| match (energy, power) {
        (Some(energy), Some(power)) if is_discharging && power > 0 => {
            u32::try_from(u64::from(energy) * 3600 / u64::from(power)).unwrap_or(UNKNOWN_SECONDS)
        }
        _ => UNKNOWN_SECONDS,
    };
    let rate = power.and_then(|power| i32::try_from(power).ok()).unwrap_or(0);
    PowerState {
        line,
        flags,
        percent,
        seconds: lasts(energy),
        full_seconds: lasts(full),
        energy: energy.unwrap_or(0),
        energy_full: full.unwrap_or(0),
        rate: if is_discharging { -rate } else { rate },
        is_charging,
        is_discharging,
    }
}

impl PowerState {
    /// Returns `SYSTEM_POWER_STATUS`.
    pub fn status_bytes(&self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..3].copy_from_slice(&[self.line, self.flags, self.percent]);
        bytes[4..8].copy_from_slice(&self.seconds.to_le_bytes());
        bytes[8..].copy_from_slice(&self.full_seconds.to_le_bytes());
        bytes
    }

    /// Returns `SYSTEM_BATTERY_STATE`.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-system_battery_state>
    pub fn battery_bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[0] = u8::from(self.line == 1);
        bytes[1] = u8::from(self.flags & 128 == 0);
        bytes[2] = u8::from(self.is_charging);
        bytes[3] = u8::from(self.is_discharging);
        let seconds = if bytes[1] == 0 { 0 } else { self.seconds };
        let words = [self.energy_full, self.energy, self.rate as u32, seconds, 0, 0];
        for (place, word) in bytes[8..].chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plat_host::power::Battery;

    #[test]
    fn levels_and_times() {
        let mut battery = Battery {
            is_discharging: true,
            percent: Some(4),
            energy: Some(2_000),
            energy_full: Some(50_000),
            power: Some(10_000),
            is_charging: false,
        };
        let told = |battery, line| {
            let told = state(&PowerSupplies { is_on_mains: line, batteries: vec![battery] });
            (told.line, told.flags, told.percent, told.seconds, told.full_seconds, told.rate)
        };
        assert_eq!(told(battery, None), (0, 4, 4, 720, 18_000, -10_000));
        (battery.is_discharging, battery.is_charging, battery.percent) = (false, true, Some(90));
        assert_eq!(told(battery, Some(true)), (1, 9, 90, u32::MAX, u32::MAX, 10_000));
        let none = state(&PowerSupplies::default());
        assert_eq!(none.status_bytes(), [1, 128, 255, 0, 255, 255, 255, 255, 255, 255, 255, 255]);
        assert_eq!(none.battery_bytes()[..4], [1, 0, 0, 0]);
    }
}
