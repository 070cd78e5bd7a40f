//! Counters of performance: their paths, and what is computed from raw values.
//!
//! Source: <https://learn.microsoft.com/windows/win32/perfctrs/specifying-a-counter-path>,
//! <https://learn.microsoft.com/windows/win32/api/winperf/ns-winperf-perf_counter_definition>

use super::time::SystemTime;
use super::wildcard;

/// A path in parts: `\\machine\object(parent/instance#index)\counter`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CounterPath {
    /// The machine with its two backslashes, where one is named.
    pub machine: Option<String>,
    /// The object.
    pub object: String,
    /// The parent of the instance.
    pub parent: Option<String>,
    /// The instance.
    pub instance: Option<String>,
    /// Which of several instances of this name.
    pub index: u32,
    /// The counter.
    pub counter: String,
}

/// Takes a path apart; `None` for what is none.
pub fn parse(path: &str) -> Option<CounterPath> {
    let (machine, rest) = match path.strip_prefix("\\\\") {
        Some(rest) => {
            let (machine, rest) = rest.split_once('\\')?;
            (Some(format!("\\\\{machine}")), rest)
        }
        None => (None, path.strip_prefix('\\')?),
    };
    let (object, instance, counter) = match rest.split_once('(') {
        Some((object, rest)) if !object.contains('\\') => {
            // The last bracket before a backslash ends the instance, which may have brackets itself.
            let end = rest.rfind(")\\")?;
            (object, Some(&rest[..end]), &rest[end + 2..])
        }
        _ => {
            let (object, counter) = rest.split_once('\\')?;
            (object, None, counter)
        }
    };
    if object.is_empty() || counter.is_empty() || machine.as_deref() == Some("\\\\") {
        return None;
    }
    let (parent, instance) = match instance.and_then(|instance| instance.split_once('/')) {
        Some((parent, instance)) => (Some(parent.to_owned()), Some(instance)),
        None => (None, instance),
    };
    let (instance, index) = instance.map_or((None, 0), |instance| {
        let (name, index) = split_index(instance);
        (Some(name.to_owned()), index)
    });
    Some(CounterPath {
        machine,
        object: object.to_owned(),
        parent,
        instance,
        index,
        counter: counter.to_owned(),
    })
}

/// Separates an instance's name from its number.
pub fn split_index(instance: &str) -> (&str, u32) {
    let numbered = instance.rsplit_once('#').and_then(|(name, index)| Some((name, index.parse().ok()?)));
    numbered.unwrap_or((instance, 0))
}

impl CounterPath {
    /// Puts the path together, with a machine if it has one.
    pub fn text(&self) -> String {
        let index = if self.index == 0 { String::new() } else { format!("#{}", self.index) };
        let parent = self.parent.as_ref().map(|parent| format!("{parent}/")).unwrap_or_default();
        let instance =
            self.instance.as_ref().map(|name| format!("({parent}{name}{index})")).unwrap_or_default();
        format!("{}\\{}{instance}\\{}", self.machine.as_deref().unwrap_or(""), self.object, self.counter)
    }
}

/// Says whether a name fits a pattern with `*` and `?`, whatever the case.
pub fn fits(pattern: &str, name: &str) -> bool {
    let wide = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
    pattern == "*" || wildcard::is_name_in_expression(&wide(&pattern.to_uppercase()), &wide(name), true)
}

/// How a counter's value is computed: the numbers are `PERF_…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum CounterType {
    /// The raw value (`PERF_COUNTER_RAWCOUNT`).
    Raw = 0x0001_0000,
    /// The raw value, 64 bits (`PERF_COUNTER_LARGE_RAWCOUNT`).
    LargeRaw = 0x0001_0100,
    /// Events in a second (`PERF_COUNTER_COUNTER`).
    Rate = 0x1041_0400,
    /// Events in a second, counted in 64 bits (`PERF_COUNTER_BULK_COUNT`).
    BulkRate = 0x1041_0500,
    /// The time that an event takes, in seconds (`PERF_AVERAGE_TIMER`).
    AverageTime = 0x3002_0400,
    /// How much an event has (`PERF_AVERAGE_BULK`).
    Average = 0x4002_0500,
    /// Part of the time, in percent (`PERF_100NSEC_TIMER`).
    Timer = 0x2051_0500,
    /// Part of the time that is left, in percent (`PERF_100NSEC_TIMER_INV`).
    InverseTimer = 0x2151_0500,
    /// Seconds since the raw value (`PERF_ELAPSED_TIME`).
    Elapsed = 0x3024_0500,
    /// The first value of the second, in percent (`PERF_RAW_FRACTION`).
    Fraction = 0x2002_0400,
}

impl CounterType {
    /// Says whether two samples are needed.
    pub fn needs_two(self) -> bool {
        !matches!(self, Self::Raw | Self::LargeRaw | Self::Elapsed | Self::Fraction)
    }

    /// Says whether a sample's second value is one of its own rather than a clock.
    pub fn has_base(self) -> bool {
        matches!(self, Self::Elapsed | Self::Fraction | Self::AverageTime | Self::Average)
    }

    /// Returns the type of a number.
    pub fn of_number(number: u32) -> Option<Self> {
        let all = [
            Self::Raw,
            Self::LargeRaw,
            Self::Rate,
            Self::BulkRate,
            Self::AverageTime,
            Self::Average,
            Self::Timer,
            Self::InverseTimer,
            Self::Elapsed,
            Self::Fraction,
        ];
        all.into_iter().find(|kind| *kind as u32 == number)
    }
}

/// A raw value: the counter, and the clock or base that it is compared with; time in units of 100 ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// The counter.
    pub first: i64,
    /// The clock or base.
    pub second: i64,
    /// When it was taken, a FILETIME.
    pub at: i64,
}

/// Computes a counter's value; `None` where samples are missing or no time passed.
pub fn value(kind: CounterType, earlier: Option<Sample>, sample: Sample) -> Option<f64> {
    const SECOND: f64 = 1e7;
    let changes = || {
        let earlier = earlier?;
        let (count, time) = (sample.first - earlier.first, sample.second - earlier.second);
        (time > 0 && count >= 0).then_some((count as f64, time as f64))
    };
    match kind {
        CounterType::Raw | CounterType::LargeRaw => Some(sample.first as f64),
        CounterType::Rate | CounterType::BulkRate => changes().map(|(count, time)| count / (time / SECOND)),
        // Nothing happened: no time was taken.
        CounterType::AverageTime | CounterType::Average => earlier.map(|earlier| {
            let (sum, events) = (sample.first - earlier.first, sample.second - earlier.second);
            let unit = if kind == CounterType::AverageTime { SECOND } else { 1.0 };
            if events > 0 { sum as f64 / unit / events as f64 } else { 0.0 }
        }),
        CounterType::Timer => changes().map(|(count, time)| 100.0 * count / time),
        CounterType::InverseTimer => changes().map(|(count, time)| (100.0 * (1.0 - count / time)).max(0.0)),
        CounterType::Elapsed => Some((sample.second - sample.first) as f64 / SECOND),
        CounterType::Fraction if sample.second == 0 => Some(0.0),
        CounterType::Fraction => Some(100.0 * sample.first as f64 / sample.second as f64),
    }
}

/// A kind of log that is text: the numbers are `PDH_LOG_TYPE_…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum LogForm {
    /// Values separated by commas.
    Commas = 1,
    /// Values separated by tabs.
    Tabs = 2,
}

impl LogForm {
    /// Returns the kind of a number; 0 is the first one.
    pub fn of_number(number: u32) -> Option<Self> {
        match number {
            0 | 1 => Some(Self::Commas),
            2 => Some(Self::Tabs),
            _ => None,
        }
    }

    /// Returns what the first line begins with, in brackets.
    pub fn title(self) -> &'static str {
        match self {
            Self::Commas => "PDH-CSV 4.0",
            Self::Tabs => "PDH-TSV 4.0",
        }
    }
}

/// Writes a line of a log: each field in quotes.
pub fn log_line(form: LogForm, fields: impl IntoIterator<Item = String>) -> String {
    let separator = if form == LogForm::Commas { "," } else { "\t" };
    let fields: Vec<String> = fields.into_iter().map(|field| format!("\"{field}\"")).collect();
    format!("{}\r\n", fields.join(separator))
}

/// Writes the time of a log's line.
pub fn log_time(time: &SystemTime) -> String {
    format!(
        "{:02}/{:02}/{:04} {:02}:{:02}:{:02}.{:03}",
        time.month, time.day, time.year, time.hour, time.minute, time.second, time.millisecond
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_there_and_back() {
        for path in [
            "\\Memory\\Available Bytes",
            "\\Processor(_Total)\\% Processor Time",
            "\\\\srv\\Process(a (b)#2)\\ID Process",
            "\\Thread(Idle/0)\\% User Time",
        ] {
            assert_eq!(parse(path).map(|parsed| parsed.text()).as_deref(), Some(path));
        }
        for wrong in ["", "Memory\\x", "\\Memory", "\\Process(x\\y", "\\\\srv", "\\\\\\a\\b"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn values_of_two_samples() {
        let sample = |first, second| Sample { first, second, at: 0 };
        let early = Some(sample(100, 0));
        assert_eq!(value(CounterType::Rate, early, sample(300, 20_000_000)), Some(100.0));
        assert_eq!(value(CounterType::InverseTimer, early, sample(600, 1_000)), Some(50.0));
        assert_eq!(value(CounterType::Timer, None, sample(600, 1_000)), None);
        assert_eq!(value(CounterType::AverageTime, early, sample(50_000_100, 10)), Some(0.5));
        assert_eq!(value(CounterType::Average, early, sample(300, 0)), Some(0.0));
        assert_eq!(value(CounterType::Elapsed, None, sample(0, 30_000_000)), Some(3.0));
    }
}
