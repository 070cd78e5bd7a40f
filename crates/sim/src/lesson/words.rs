//! How a lesson asks: `now regions`, `next touch`, `now owners 0x40000: words of its own`.

use plat_regions::Address;

use super::question::{Measure, Moment, Question, Side, What};

const KNOWN: &str = "now or next, then one of regions, pages, tables, shared, frames, faults, copies, cache-hits, owners A, \
    byte A, list-steps A, tree-steps A, maps; or next returns, next touch, next merge, next why below, next why above, \
    next which";

/// Reads what stands behind `#?`: `MOMENT WHAT[: TEXT]`.
pub(super) fn question(text: &str) -> Result<Question, String> {
    let (asked, own) = text.split_once(':').unwrap_or((text, ""));
    let words: Vec<_> = asked.split_whitespace().collect();
    let wrong = || format!("{asked:?}: expected {KNOWN}");
    let moment = match words.first() {
        Some(&"now") => Moment::Now,
        Some(&"next") => Moment::Next,
        _ => return Err(wrong()),
    };
    let what = match words[1..] {
        ["maps"] => What::Maps,
        ["returns"] if moment == Moment::Next => What::Returns,
        ["touch"] if moment == Moment::Next => What::Touch,
        ["merge"] if moment == Moment::Next => What::Merge,
        ["why", "below"] if moment == Moment::Next => What::Why(Side::Below),
        ["why", "above"] if moment == Moment::Next => What::Why(Side::Above),
        ["which"] if moment == Moment::Next => What::Which(Vec::new()),
        [name] => What::Number(measure(name).ok_or_else(wrong)?),
        [name, address] => {
            let address = address.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
            What::Number(measure_at(name, Address::new(address.ok_or_else(wrong)?)).ok_or_else(wrong)?)
        }
        _ => return Err(wrong()),
    };
    Ok(Question { moment, what, text: own.trim().to_owned(), note: String::new() })
}

fn measure(name: &str) -> Option<Measure> {
    Some(match name {
        "regions" => Measure::Regions,
        "pages" => Measure::Pages,
        "tables" => Measure::Tables,
        "shared" => Measure::Shared,
        "frames" => Measure::Frames,
        "faults" => Measure::Faults,
        "copies" => Measure::Copies,
        "cache-hits" => Measure::CacheHits,
        _ => return None,
    })
}

fn measure_at(name: &str, address: Address) -> Option<Measure> {
    Some(match name {
        "owners" => Measure::Owners(address),
        "byte" => Measure::Byte(address),
        "list-steps" => Measure::ListSteps(address),
        "tree-steps" => Measure::TreeSteps(address),
        _ => return None,
    })
}

/// Words a question that has no words of its own.
pub(super) fn usual(question: &Question, process: u32) -> String {
    let when = match question.moment {
        Moment::Now => "now",
        Moment::Next => "after the next command",
    };
    let at = |address: &Address| format!("{:#x}", address.get());
    match &question.what {
        What::Number(measure) => match measure {
            Measure::Regions => format!("How many regions does process {process} have {when}?"),
            Measure::Pages => format!("How many pages of process {process} are in memory {when}?"),
            Measure::Tables => format!("How many frames hold page tables of process {process} {when}?"),
            Measure::Shared => format!(
                "How many frames do two or more page-table entries share {when}, the page of zeroes left out?"
            ),
            Measure::Frames => format!("How many frames are in use in the whole machine {when}?"),
            Measure::Owners(address) => {
                format!("How many page-table entries point at the frame of {} {when}?", at(address))
            }
            Measure::Byte(address) => {
                format!("Which byte does process {process} read at {} {when}?", at(address))
            }
            Measure::Faults => format!("How many page faults has process {process} had {when}, all in all?"),
            Measure::Copies => {
                format!("How many pages were copied for process {process} {when}, all in all?")
            }
            Measure::ListSteps(address) => {
                format!("How many comparisons does the sorted list need {when} to find {}?", at(address))
            }
            Measure::TreeSteps(address) => {
                format!("How many comparisons does the red-black tree need {when} to find {}?", at(address))
            }
            Measure::CacheHits => {
                format!("How many lookups has the cache of the last one answered {when}, all in all?")
            }
        },
        What::Maps => format!("What does /proc/self/maps of process {process} show {when}?"),
        What::Returns => "What does the next call return?".to_owned(),
        What::Touch => "How is the next touch answered?".to_owned(),
        What::Merge => "What becomes of the next mapping and its neighbours?".to_owned(),
        What::Why(Side::Below) => "Why does it stay apart from the region below?".to_owned(),
        What::Why(Side::Above) => "Why does it stay apart from the region above?".to_owned(),
        What::Which(_) => "What happens next?".to_owned(),
    }
}
