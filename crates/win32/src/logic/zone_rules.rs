//! Time zones as Windows describes them: a bias and two rules of when the clock changes.
//!
//! Key items: [`Rules`], [`bias_of_utc`], [`bias_of_local`].
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/timezoneapi/ns-timezoneapi-time_zone_information>

use super::time::{
    SystemTime, UNITS_PER_SECOND, days_in_month, file_time_to_system_time, system_time_to_file_time,
};

/// A zone. All biases are in minutes, UTC minus local time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// What holds always.
    pub bias: i32,
    /// What is added in standard time.
    pub standard_bias: i32,
    /// What is added in summer time.
    pub daylight_bias: i32,
    /// When standard time begins: month 0 for never, year 0 for "the `day`-th weekday of the month, 5 is the last".
    pub to_standard: SystemTime,
    /// When summer time begins, in the same form.
    pub to_daylight: SystemTime,
}

impl Rules {
    fn bias(&self, is_summer: bool) -> i32 {
        self.bias + if is_summer { self.daylight_bias } else { self.standard_bias }
    }
}

/// Returns the moment of a rule in a year, as a FILETIME of the local time that holds before it.
fn moment(rule: &SystemTime, year: u16) -> Option<i64> {
    if rule.year != 0 {
        return if rule.year == year { system_time_to_file_time(rule).ok() } else { None };
    }
    let first = SystemTime { year, month: rule.month, day: 1, ..SystemTime::default() };
    let first = file_time_to_system_time(system_time_to_file_time(&first).ok()?).ok()?;
    let mut day = 1 + (7 + rule.day_of_week % 7 - first.day_of_week) % 7 + 7 * (rule.day.clamp(1, 5) - 1);
    while day > days_in_month(year, rule.month) {
        day -= 7;
    }
    system_time_to_file_time(&SystemTime { year, day, ..*rule }).ok()
}

/// Says whether `at` lies in summer time, where the two moments are given in the same time as it.
fn is_summer(at: i64, to_daylight: i64, to_standard: i64) -> bool {
    if to_daylight < to_standard {
        (to_daylight..to_standard).contains(&at)
    } else {
        !(to_standard..to_daylight).contains(&at)
    }
}

fn bias_at(rules: &Rules, at: i64, is_local: bool) -> i32 {
    if rules.to_standard.month == 0 || rules.to_daylight.month == 0 {
        return rules.bias;
    }
    let in_time = |local: i64, bias: i32| {
        if is_local { local } else { local + i64::from(bias) * 60 * UNITS_PER_SECOND }
    };
    // The year is that of the local time.
    let local = if is_local { at } else { at - i64::from(rules.bias(false)) * 60 * UNITS_PER_SECOND };
    let Ok(year) = file_time_to_system_time(local.max(0)).map(|time| time.year) else { return rules.bias };
    let to_daylight = moment(&rules.to_daylight, year).map(|at| in_time(at, rules.bias(false)));
    let to_standard = moment(&rules.to_standard, year).map(|at| in_time(at, rules.bias(true)));
    match to_daylight.zip(to_standard) {
        Some((to_daylight, to_standard)) => rules.bias(is_summer(at, to_daylight, to_standard)),
        None => rules.bias,
    }
}

/// Returns the bias in minutes that holds at a moment of UTC.
pub fn bias_of_utc(rules: &Rules, at: i64) -> i32 {
    bias_at(rules, at, false)
}

/// Returns the bias in minutes that holds at a moment of local time.
pub fn bias_of_local(rules: &Rules, at: i64) -> i32 {
    bias_at(rules, at, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn rule(month: u16, day_of_week: u16, day: u16, hour: u16) -> SystemTime {
        SystemTime { month, day_of_week, day, hour, ..SystemTime::default() }
    }

    /// Central Europe: the last Sunday of March at 2 and of October at 3.
    const NORTH: (i32, [u16; 4], [u16; 4]) = (-60, [10, 0, 5, 3], [3, 0, 5, 2]);
    /// Sydney: the first Sunday of April at 3 and of October at 2.
    const SOUTH: (i32, [u16; 4], [u16; 4]) = (-600, [4, 0, 1, 3], [10, 0, 1, 2]);

    fn rules((bias, to_standard, to_daylight): (i32, [u16; 4], [u16; 4])) -> Rules {
        let of = |[month, weekday, day, hour]: [u16; 4]| rule(month, weekday, day, hour);
        let (to_standard, to_daylight) = (of(to_standard), of(to_daylight));
        Rules { bias, daylight_bias: -60, to_standard, to_daylight, ..Rules::default() }
    }

    #[test]
    fn summer_lies_within_the_year_in_the_north_and_around_it_in_the_south() {
        let times = [
            (1, 1, 0),
            (3, 31, 0),
            (3, 31, 1),
            (4, 6, 15),
            (4, 6, 16),
            (10, 5, 15),
            (10, 5, 16),
            (10, 27, 0),
            (10, 27, 1),
        ];
        let mut text = String::new();
        for (month, day, hour) in times {
            let time = SystemTime { year: 2024, month, day, hour, ..SystemTime::default() };
            let at = system_time_to_file_time(&time).unwrap();
            text.push_str(&format!("{month}-{day} {hour}h:"));
            for (name, zone) in [("north", NORTH), ("south", SOUTH)] {
                let (utc, local) = (bias_of_utc(&rules(zone), at), bias_of_local(&rules(zone), at));
                text.push_str(&format!(" {name} utc {utc}, local {local};"));
            }
            text.push('\n');
        }
        expect![[r#"
            1-1 0h: north utc -60, local -60; south utc -660, local -660;
            3-31 0h: north utc -60, local -60; south utc -660, local -660;
            3-31 1h: north utc -120, local -60; south utc -660, local -660;
            4-6 15h: north utc -120, local -120; south utc -660, local -660;
            4-6 16h: north utc -120, local -120; south utc -600, local -660;
            10-5 15h: north utc -120, local -120; south utc -600, local -600;
            10-5 16h: north utc -120, local -120; south utc -660, local -600;
            10-27 0h: north utc -120, local -120; south utc -660, local -660;
            10-27 1h: north utc -60, local -120; south utc -660, local -660;
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn a_zone_without_rules_has_its_bias_alone() {
        let rules = Rules { bias: 300, standard_bias: 7, daylight_bias: -60, ..Rules::default() };
        assert_eq!((bias_of_utc(&rules, 0), bias_of_local(&rules, i64::MAX)), (300, 300));
    }
}
