//! The world's time zones by Windows' names, and today's rules of a zone out of its POSIX description.
//!
//! Key items: [`ZONES`], [`rules_of`].

use super::time::SystemTime;
use super::zone_rules::Rules;

/// Windows' name of each zone, and the one of the time zone database for the place that it is mostly about.
///
/// Source: Unicode CLDR, `windowsZones.xml`, territory `001`.
pub const ZONES: &[(&str, &str)] = &[
    ("AUS Central Standard Time", "Australia/Darwin"),
    ("AUS Eastern Standard Time", "Australia/Sydney"),
    ("Afghanistan Standard Time", "Asia/Kabul"),
    ("Alaskan Standard Time", "America/Anchorage"),
    ("Alberta Standard Time", "America/Edmonton"),
    ("Aleutian Standard Time", "America/Adak"),
    ("Altai Standard Time", "Asia/Barnaul"),
    ("Arab Standard Time", "Asia/Riyadh"),
    ("Arabian Standard Time", "Asia/Dubai"),
    ("Arabic Standard Time", "Asia/Baghdad"),
    ("Argentina Standard Time", "America/Buenos_Aires"),
    ("Astrakhan Standard Time", "Europe/Astrakhan"),
    ("Atlantic Standard Time", "America/Halifax"),
    ("Aus Central W. Standard Time", "Australia/Eucla"),
    ("Azerbaijan Standard Time", "Asia/Baku"),
    ("Azores Standard Time", "Atlantic/Azores"),
    ("Bahia Standard Time", "America/Bahia"),
    ("Bangladesh Standard Time", "Asia/Dhaka"),
    ("Belarus Standard Time", "Europe/Minsk"),
    ("Bougainville Standard Time", "Pacific/Bougainville"),
    ("British Columbia Standard Time", "America/Vancouver"),
    ("Canada Central Standard Time", "America/Regina"),
    ("Cape Verde Standard Time", "Atlantic/Cape_Verde"),
    ("Caucasus Standard Time", "Asia/Yerevan"),
    ("Cen. Australia Standard Time", "Australia/Adelaide"),
    ("Central America Standard Time", "America/Guatemala"),
    ("Central Asia Standard Time", "Asia/Bishkek"),
    ("Central Brazilian Standard Time", "America/Cuiaba"),
    ("Central Europe Standard Time", "Europe/Budapest"),
    ("Central European Standard Time", "Europe/Warsaw"),
    ("Central Pacific Standard Time", "Pacific/Guadalcanal"),
    ("Central Standard Time", "America/Chicago"),
    ("Central Standard Time (Mexico)", "America/Mexico_City"),
    ("Chatham Islands Standard Time", "Pacific/Chatham"),
    ("China Standard Time", "Asia/Shanghai"),
    ("Cuba Standard Time", "America/Havana"),
    ("Dateline Standard Time", "Etc/GMT+12"),
    ("E. Africa Standard Time", "Africa/Nairobi"),
    ("E. Australia Standard Time", "Australia/Brisbane"),
    ("E. Europe Standard Time", "Europe/Chisinau"),
    ("E. South America Standard Time", "America/Sao_Paulo"),
    ("Easter Island Standard Time", "Pacific/Easter"),
    ("Eastern Standard Time", "America/New_York"),
    ("Eastern Standard Time (Mexico)", "America/Cancun"),
    ("Egypt Standard Time", "Africa/Cairo"),
    ("Ekaterinburg Standard Time", "Asia/Yekaterinburg"),
    ("FLE Standard Time", "Europe/Kiev"),
    ("Fiji Standard Time", "Pacific/Fiji"),
    ("GMT Standard Time", "Europe/London"),
    ("GTB Standard Time", "Europe/Bucharest"),
    ("Georgian Standard Time", "Asia/Tbilisi"),
    ("Greenland Standard Time", "America/Godthab"),
    ("Greenwich Standard Time", "Atlantic/Reykjavik"),
    ("Haiti Standard Time", "America/Port-au-Prince"),
    ("Hawaiian Standard Time", "Pacific/Honolulu"),
    ("India Standard Time", "Asia/Calcutta"),
    ("Iran Standard Time", "Asia/Tehran"),
    ("Israel Standard Time", "Asia/Jerusalem"),
    ("Jordan Standard Time", "Asia/Amman"),
    ("Kaliningrad Standard Time", "Europe/Kaliningrad"),
    ("Korea Standard Time", "Asia/Seoul"),
    ("Libya Standard Time", "Africa/Tripoli"),
    ("Line Islands Standard Time", "Pacific/Kiritimati"),
    ("Lord Howe Standard Time", "Australia/Lord_Howe"),
    ("Magadan Standard Time", "Asia/Magadan"),
    ("Magallanes Standard Time", "America/Punta_Arenas"),
    ("Manitoba Standard Time", "America/Winnipeg"),
    ("Marquesas Standard Time", "Pacific/Marquesas"),
    ("Mauritius Standard Time", "Indian/Mauritius"),
    ("Middle East Standard Time", "Asia/Beirut"),
    ("Montevideo Standard Time", "America/Montevideo"),
    ("Morocco Standard Time", "Africa/Casablanca"),
    ("Mountain Standard Time", "America/Denver"),
    ("Mountain Standard Time (Mexico)", "America/Mazatlan"),
    ("Myanmar Standard Time", "Asia/Rangoon"),
    ("N. Central Asia Standard Time", "Asia/Novosibirsk"),
    ("Namibia Standard Time", "Africa/Windhoek"),
    ("Nepal Standard Time", "Asia/Katmandu"),
    ("New Zealand Standard Time", "Pacific/Auckland"),
    ("Newfoundland Standard Time", "America/St_Johns"),
    ("Norfolk Standard Time", "Pacific/Norfolk"),
    ("North Asia East Standard Time", "Asia/Irkutsk"),
    ("North Asia Standard Time", "Asia/Krasnoyarsk"),
    ("North Korea Standard Time", "Asia/Pyongyang"),
    ("Omsk Standard Time", "Asia/Omsk"),
    ("Pacific SA Standard Time", "America/Santiago"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("Pacific Standard Time (Mexico)", "America/Tijuana"),
    ("Pakistan Standard Time", "Asia/Karachi"),
    ("Paraguay Standard Time", "America/Asuncion"),
    ("Qyzylorda Standard Time", "Asia/Qyzylorda"),
    ("Romance Standard Time", "Europe/Paris"),
    ("Russia Time Zone 10", "Asia/Srednekolymsk"),
    ("Russia Time Zone 11", "Asia/Kamchatka"),
    ("Russia Time Zone 3", "Europe/Samara"),
    ("Russian Standard Time", "Europe/Moscow"),
    ("SA Eastern Standard Time", "America/Cayenne"),
    ("SA Pacific Standard Time", "America/Bogota"),
    ("SA Western Standard Time", "America/La_Paz"),
    ("SE Asia Standard Time", "Asia/Bangkok"),
    ("Saint Pierre Standard Time", "America/Miquelon"),
    ("Sakhalin Standard Time", "Asia/Sakhalin"),
    ("Samoa Standard Time", "Pacific/Apia"),
    ("Sao Tome Standard Time", "Africa/Sao_Tome"),
    ("Saratov Standard Time", "Europe/Saratov"),
    ("Singapore Standard Time", "Asia/Singapore"),
    ("South Africa Standard Time", "Africa/Johannesburg"),
    ("South Sudan Standard Time", "Africa/Juba"),
    ("Sri Lanka Standard Time", "Asia/Colombo"),
    ("Sudan Standard Time", "Africa/Khartoum"),
    ("Syria Standard Time", "Asia/Damascus"),
    ("Taipei Standard Time", "Asia/Taipei"),
    ("Tasmania Standard Time", "Australia/Hobart"),
    ("Tocantins Standard Time", "America/Araguaina"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
    ("Tomsk Standard Time", "Asia/Tomsk"),
    ("Tonga Standard Time", "Pacific/Tongatapu"),
    ("Transbaikal Standard Time", "Asia/Chita"),
    ("Turkey Standard Time", "Europe/Istanbul"),
    ("Turks And Caicos Standard Time", "America/Grand_Turk"),
    ("US Eastern Standard Time", "America/Indianapolis"),
    ("US Mountain Standard Time", "America/Phoenix"),
    ("UTC", "Etc/UTC"),
    ("UTC+12", "Etc/GMT-12"),
    ("UTC+13", "Etc/GMT-13"),
    ("UTC-02", "Etc/GMT+2"),
    ("UTC-08", "Etc/GMT+8"),
    ("UTC-09", "Etc/GMT+9"),
    ("UTC-11", "Etc/GMT+11"),
    ("Ulaanbaatar Standard Time", "Asia/Ulaanbaatar"),
    ("Venezuela Standard Time", "America/Caracas"),
    ("Vladivostok Standard Time", "Asia/Vladivostok"),
    ("Volgograd Standard Time", "Europe/Volgograd"),
    ("W. Australia Standard Time", "Australia/Perth"),
    ("W. Central Africa Standard Time", "Africa/Lagos"),
    ("W. Europe Standard Time", "Europe/Berlin"),
    ("W. Mongolia Standard Time", "Asia/Hovd"),
    ("West Asia Standard Time", "Asia/Tashkent"),
    ("West Bank Standard Time", "Asia/Hebron"),
    ("West Pacific Standard Time", "Pacific/Port_Moresby"),
    ("Yakutsk Standard Time", "Asia/Yakutsk"),
    ("Yukon Standard Time", "America/Whitehorse"),
];

/// Reads the name of a zone's time off a POSIX description; returns the rest.
fn skip_name(text: &str) -> Option<&str> {
    if let Some(quoted) = text.strip_prefix('<') {
        return quoted.split_once('>').map(|(_, rest)| rest);
    }
    let end = text.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(text.len());
    (end >= 3).then(|| &text[end..])
}

/// Reads hours, minutes and seconds with a sign as seconds; returns the rest, too.
fn take_time(text: &str) -> Option<(i32, &str)> {
    let end = text.find(|letter: char| !matches!(letter, '0'..='9' | '+' | '-' | ':')).unwrap_or(text.len());
    let (time, rest) = text.split_at(end);
    let digits = time.trim_start_matches(['+', '-']);
    let mut seconds = 0;
    for (part, unit) in digits.split(':').zip([3600, 60, 1]) {
        seconds += part.parse::<i32>().ok().filter(|&number| number <= 167)? * unit;
    }
    Some((if time.starts_with('-') { -seconds } else { seconds }, rest))
}

/// Reads a change of the clock: `M3.5.0/2`, the fifth (last) Sunday of March at two.
fn change(text: &str) -> Option<SystemTime> {
    const DAY: i32 = 86_400;
    const TWO: i32 = 7_200;
    let (date, time) = text.split_once('/').map_or((text, None), |(date, time)| (date, Some(time)));
    let mut parts = date.strip_prefix('M')?.split('.').map(|part| part.parse::<u16>().ok());
    let (month, week, day_of_week) = (parts.next()??, parts.next()??, parts.next()??);
    if !(1..=12).contains(&month) || !(1..=5).contains(&week) || day_of_week > 6 {
        return None;
    }
    let time = time.map_or(Some(TWO), |time| take_time(time).map(|(time, _)| time))?;
    // Times of the day before or after: Windows' rules have times of one day only.
    let (days, time) = (time.div_euclid(DAY), time.rem_euclid(DAY));
    let day_of_week = (i32::from(day_of_week) + days).rem_euclid(7) as u16;
    let part = |unit: i32, of: i32| (time / unit % of) as u16;
    let (hour, minute, second) = (part(3600, 24), part(60, 60), part(1, 60));
    Some(SystemTime { month, day: week, day_of_week, hour, minute, second, ..SystemTime::default() })
}

/// Reads the rules of a zone as POSIX writes them, `CET-1CEST,M3.5.0,M10.5.0/3`; `None` where they are malformed.
///
/// Source: <https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html>, `TZ`; RFC 8536 for times beyond a day.
pub fn rules_of(description: &str) -> Option<Rules> {
    const HOUR: i32 = 3600;
    let (standard, rest) = take_time(skip_name(description)?)?;
    let mut rules = Rules {
        bias: standard / 60,
        standard_bias: 0,
        daylight_bias: -60,
        to_standard: SystemTime::default(),
        to_daylight: SystemTime::default(),
    };
    if rest.is_empty() {
        return Some(rules);
    }
    let rest = skip_name(rest)?;
    let (daylight, rest) = match rest.starts_with(',') {
        true => (standard - HOUR, rest),
        false => take_time(rest)?,
    };
    let mut changes = rest.strip_prefix(',')?.split(',');
    let (first, second) = (change(changes.next()?)?, change(changes.next()?)?);
    rules.daylight_bias = (daylight - standard) / 60;
    if rules.daylight_bias > 0 {
        // In Ireland winter is the exception: Windows has it the other way.
        (rules.bias, rules.daylight_bias) = (daylight / 60, -rules.daylight_bias);
        (rules.to_standard, rules.to_daylight) = (first, second);
    } else {
        (rules.to_daylight, rules.to_standard) = (first, second);
    }
    Some(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(description: &str) -> String {
        let Some(rules) = rules_of(description) else { return "malformed".to_owned() };
        let rule = |rule: &SystemTime| {
            format!("{}.{}.{} {:02}:{:02}", rule.month, rule.day, rule.day_of_week, rule.hour, rule.minute)
        };
        let (summer, winter) = (rule(&rules.to_daylight), rule(&rules.to_standard));
        format!("{} {} from {summer} to {winter}", rules.bias, rules.daylight_bias)
    }

    #[test]
    fn descriptions_become_rules() {
        for (description, wanted) in [
            ("UTC0", "0 -60 from 0.0.0 00:00 to 0.0.0 00:00"),
            ("<+0545>-5:45", "-345 -60 from 0.0.0 00:00 to 0.0.0 00:00"),
            ("CET-1CEST,M3.5.0,M10.5.0/3", "-60 -60 from 3.5.0 02:00 to 10.5.0 03:00"),
            ("EST5EDT,M3.2.0,M11.1.0", "300 -60 from 3.2.0 02:00 to 11.1.0 02:00"),
            ("NST3:30NDT,M3.2.0,M11.1.0", "210 -60 from 3.2.0 02:00 to 11.1.0 02:00"),
            ("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "-630 -30 from 10.1.0 02:00 to 4.1.0 02:00"),
            ("IST-2IDT,M3.4.4/26,M10.5.0", "-120 -60 from 3.4.5 02:00 to 10.5.0 02:00"),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "120 -60 from 3.5.6 23:00 to 10.5.0 00:00"),
            ("IST-1GMT0,M10.5.0,M3.5.0/1", "0 -60 from 3.5.0 01:00 to 10.5.0 02:00"),
        ] {
            assert_eq!(told(description), wanted, "{description}");
        }
        for bad in ["", "X", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M1.1.1", "CET-999"] {
            assert_eq!(told(bad), "malformed", "{bad}");
        }
    }

    #[test]
    fn names_are_sorted_and_few_enough() {
        assert!(ZONES.windows(2).all(|pair| pair[0].0 < pair[1].0) && ZONES.len() > 130);
    }
}
