//! What a lesson or a quiz asks ([`Question`]), the answer that the machine gave ([`Answer`]), and whether another is right.

use plat_regions::linux::Refusal;
use plat_regions::{Address, AddressRange};
use serde::Serialize;

use crate::event::Pid;

/// Which state a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// The state in which it is asked.
    Now,
    /// What the next command does, or the state behind it.
    Next,
}

/// A number that a state has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Regions of the process.
    Regions,
    /// Pages of the process that are in memory.
    Pages,
    /// Page tables of the process.
    Tables,
    /// Frames that several page-table entries share, the page of zeroes left out.
    Shared,
    /// Frames in use in the whole machine.
    Frames,
    /// Page-table entries that point at the frame of an address.
    Owners(Address),
    /// What the process reads at an address.
    Byte(Address),
    /// Page faults of the process so far.
    Faults,
    /// Pages that the process got copied so far.
    Copies,
    /// Comparisons that a sorted list needs to find an address.
    ListSteps(Address),
    /// Comparisons that a red-black tree needs.
    TreeSteps(Address),
    /// Lookups so far that the cache of the last one answered.
    CacheHits,
}

/// On which side a region has a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// At lower addresses.
    Below,
    /// At higher addresses.
    Above,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A number.
    Number(Measure),
    /// The regions, as `/proc/PID/maps` shows them.
    Maps,
    /// What the next command's call returns.
    Returns,
    /// How the next command's touch is answered.
    Touch,
    /// What becomes of the next command's mapping and its neighbours.
    Merge,
    /// Why the next command's mapping stays apart from a neighbour.
    Why(Side),
    /// Which of these the next command brings about: code of an event (or a signal's name), and words.
    Which(Vec<(String, String)>),
}

/// A question, before the machine has answered it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Which state it is about.
    pub moment: Moment,
    /// What is asked.
    pub what: What,
    /// How it is worded; empty for the usual words.
    pub text: String,
    /// What the lesson adds to the explanation.
    pub note: String,
}

/// A right answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "form", content = "right")]
pub enum Answer {
    /// A number.
    Number(u64),
    /// An address or another number that is written in hexadecimal.
    Address(Address),
    /// An errno or a signal.
    Word(String),
    /// One of the choices, from 0.
    Choice(usize),
    /// Regions: range and rights such as `rw-p`.
    Maps(Vec<(AddressRange, String)>),
}

/// A question with its answer and the reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// It is asked when so many commands were carried out.
    pub at: usize,
    /// Which state it is about.
    pub moment: Moment,
    /// The process that it is about.
    pub process: Option<Pid>,
    /// The question.
    pub text: String,
    /// What can be chosen; empty when a value is wanted.
    pub choices: Vec<String>,
    /// The right answer.
    pub answer: Answer,
    /// The reasons: codes and sentences, of events or of what the state holds.
    pub because: Vec<Because>,
    /// What the lesson adds.
    pub note: String,
}

/// A reason in an explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Because {
    /// The code of an event, or `region`, `page`, `table`, `frame`.
    pub code: String,
    /// A sentence.
    pub text: String,
}

impl Asked {
    /// Says how the answer is to be written.
    pub fn hint(&self) -> &'static str {
        match self.answer {
            Answer::Number(_) => "a number",
            Answer::Address(_) | Answer::Word(_) => "an address such as 0x40000, or an error such as ENOMEM",
            Answer::Choice(_) => "a letter",
            Answer::Maps(_) => "regions as START-END RIGHTS, with ; between them",
        }
    }

    /// Writes the right answer as one would type it, a choice with its words.
    pub fn right_text(&self) -> String {
        match &self.answer {
            Answer::Number(number) => number.to_string(),
            Answer::Address(address) => format!("{:#x}", address.get()),
            Answer::Word(word) => word.clone(),
            Answer::Choice(index) => {
                let words = self.choices.get(*index).map_or("", String::as_str);
                format!("{}) {words}", letter(*index))
            }
            Answer::Maps(regions) => {
                let line = |(range, rights): &(AddressRange, String)| {
                    format!("{:x}-{:x} {rights}", range.start.get(), range.end.get())
                };
                regions.iter().map(line).collect::<Vec<_>>().join("; ")
            }
        }
    }

    /// Says whether an answer as somebody typed it is right.
    pub fn accepts(&self, given: &str) -> bool {
        let given = given.trim();
        match &self.answer {
            Answer::Number(number) => parse_number(given) == Some(*number),
            Answer::Address(address) => parse_hexadecimal(given) == Some(address.get()),
            Answer::Word(word) => given.eq_ignore_ascii_case(word),
            Answer::Choice(index) => {
                let mut letters = given.trim_end_matches(')').chars();
                letters.next().is_some_and(|first| first.to_ascii_lowercase() == letter(*index))
                    && letters.next().is_none()
            }
            Answer::Maps(regions) => parse_maps(given).is_some_and(|found| found == *regions),
        }
    }
}

/// Returns the letter of a choice: a, b, c, …
pub fn letter(index: usize) -> char {
    u8::try_from(index).ok().filter(|index| *index < 26).map_or('?', |index| char::from(b'a' + index))
}

fn parse_number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Reads `0x40000`, `40000` or `0x00000000_00040000`.
fn parse_hexadecimal(text: &str) -> Option<u64> {
    u64::from_str_radix(text.trim_start_matches("0x").replace('_', "").as_str(), 16).ok()
}

/// Reads regions as `/proc/PID/maps` shows them or shorter: `40000-41000 rw; 50000-51000 r-xp 00000000 /bin/true`.
fn parse_maps(text: &str) -> Option<Vec<(AddressRange, String)>> {
    let mut regions = Vec::new();
    for line in text.split([';', '\n']).map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.split_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let range = AddressRange::new(
            Address::new(parse_hexadecimal(start)?),
            Address::new(parse_hexadecimal(end)?),
        )?;
        // The page of the kernel is no region of the process, and may be told or not.
        if range.start.get() >> 63 == 0 {
            regions.push((range, whole_rights(words.next()?)?));
        }
    }
    regions.sort();
    Some(regions)
}

/// Writes `rw` as `rw-p`; what is no right is refused.
fn whole_rights(text: &str) -> Option<String> {
    let known = text == "none" || text.chars().all(|letter| "rwxps-".contains(letter));
    let has = |letter| if text != "none" && text.contains(letter) { letter } else { '-' };
    let last = if text.contains('s') { 's' } else { 'p' };
    known.then(|| [has('r'), has('w'), has('x'), last].iter().collect())
}

/// Every reason for which two regions stay apart, in a fixed order.
pub(super) const REFUSALS: [Refusal; 8] = [
    Refusal::Access,
    Refusal::Flags,
    Refusal::Account,
    Refusal::Backing,
    Refusal::Offset,
    Refusal::Anon,
    Refusal::AnonForked,
    Refusal::Special,
];

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(answer: Answer) -> Asked {
        Asked {
            at: 0,
            moment: Moment::Now,
            process: None,
            text: String::new(),
            choices: Vec::new(),
            answer,
            because: Vec::new(),
            note: String::new(),
        }
    }

    #[test]
    fn answers_are_graded_as_people_write_them() {
        let address = asked(Answer::Address(Address::new(0x4_0000)));
        for right in ["0x40000", "40000", "0x00000000_00040000", " 0x40000 "] {
            assert!(address.accepts(right), "{right}");
        }
        assert!(!address.accepts("0x41000") && !address.accepts("") && !address.accepts("ENOMEM"));
        let number = asked(Answer::Number(16));
        assert!(number.accepts("16") && number.accepts("0x10") && !number.accepts("10"));
        let choice = asked(Answer::Choice(1));
        assert!(choice.accepts("b") && choice.accepts("B)") && !choice.accepts("bc") && !choice.accepts(""));
        assert!(asked(Answer::Word("SIGSEGV".into())).accepts("sigsegv"));
    }

    #[test]
    fn maps_may_be_short_or_whole() {
        let range = |start, end| AddressRange::new(Address::new(start), Address::new(end)).expect("in order");
        let right = vec![
            (range(0x4_0000, 0x4_1000), "rw-p".to_owned()),
            (range(0x5_0000, 0x5_1000), "r--s".to_owned()),
        ];
        let maps = asked(Answer::Maps(right));
        for given in [
            "40000-41000 rw; 50000-51000 rs",
            "0x50000-0x51000 r--s 00000000 /f\n00040000-00041000 rw-p 00000000",
            "40000-41000 rw-p;50000-51000 r--s;ffffffffff600000-ffffffffff601000 --xp 0 [vsyscall]",
        ] {
            assert!(maps.accepts(given), "{given}");
        }
        for given in ["", "40000-41000 rw", "40000-41000 rw; 50000-51000 r", "40000 rw", "40000-41000 q"] {
            assert!(!maps.accepts(given), "{given}");
        }
        assert!(maps.accepts(&maps.right_text()));
    }
}
