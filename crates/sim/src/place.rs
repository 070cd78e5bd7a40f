//! What if: where would these pieces of memory go, and do they fit? [`place`], under policies that are data.
//!
//! Each trial lays a process out with random bases from the seed, then places the wishes in order. What is modelled is in
//! `policies.toml`: a small program with its libraries, not everything that a real one loads.

use std::collections::BTreeMap;

use plat_regions::{Address, AddressRange, Direction};
use serde::{Deserialize, Serialize};

use crate::random::Random;

const POLICIES: &str = include_str!("../policies.toml");

/// A piece of memory that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wish {
    /// As it was written.
    pub text: String,
    /// Bytes.
    pub size: u64,
    /// The only place that will do.
    pub at: Option<Address>,
    /// It must end at or below this.
    pub below: Option<Address>,
    /// It must start at or above this.
    pub above: Option<Address>,
}

/// How a wish fared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fate {
    /// The wish.
    pub wish: String,
    /// In how many trials it fitted.
    pub fits: u32,
    /// The share of trials, and the bounds that hold the true share with a confidence of 95 %.
    pub probability: (f64, f64, f64),
    /// Lowest and highest place that it got.
    pub places: Option<(Address, Address)>,
    /// Who was in the way, and how often.
    pub blocked_by: BTreeMap<String, u32>,
}

/// How all wishes fared under one policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// The policy.
    pub policy: String,
    /// What it models.
    pub note: String,
    /// How many trials were made.
    pub trials: u32,
    /// Each wish, those before it in place.
    pub fates: Vec<Fate>,
    /// In how many trials all fitted at once.
    pub all_fit: u32,
    /// The share, with its bounds.
    pub probability: (f64, f64, f64),
    /// The largest hole that is left, smallest and largest over the trials, in bytes.
    pub largest_hole: (u64, u64),
}

/// Why wishes or policies were not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// A wish is not `SIZE [at ADDRESS] [contiguous] [below ADDRESS] [above ADDRESS]`.
    #[error("wish {wish:?}: {problem}; write for instance \"8 MiB at 0x400000; 3 GiB contiguous below 4G\"")]
    BadWish {
        /// The wish.
        wish: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No policy has this name.
    #[error("no policy is called {name:?}; there are {known}")]
    NoPolicy {
        /// The name.
        name: String,
        /// Those there are.
        known: String,
    },
    /// The table of policies is damaged.
    #[error("policies: {0}")]
    BadPolicies(String),
}

#[derive(Deserialize)]
struct Table {
    policy: Vec<Policy>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    name: String,
    note: String,
    window: (u64, u64),
    direction: Direction,
    #[serde(default = "page")]
    granule: u64,
    search: Spot,
    /// Where the search starts when nothing is random.
    search_fixed: Option<u64>,
    parts: Vec<Part>,
}

fn page() -> u64 {
    plat_regions::PAGE_SIZE
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    owner: String,
    size: u64,
    #[serde(default)]
    base: Option<Base>,
    #[serde(default)]
    step: u64,
    #[serde(default)]
    count: u64,
    #[serde(default)]
    down: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Base {
    At(u64),
    /// `after`: behind the part before.
    After(#[allow(dead_code, reason = "any text means the same")] String),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spot {
    base: u64,
    #[serde(default)]
    step: u64,
    #[serde(default)]
    count: u64,
    #[serde(default)]
    down: bool,
}

fn table() -> Result<Vec<Policy>, PlaceError> {
    let table: Table =
        toml::from_str(POLICIES).map_err(|error| PlaceError::BadPolicies(error.to_string()))?;
    Ok(table.policy)
}

/// Returns names and notes of the policies.
///
/// # Errors
/// [`PlaceError::BadPolicies`].
pub fn policies() -> Result<Vec<(String, String)>, PlaceError> {
    Ok(table()?.into_iter().map(|policy| (policy.name, policy.note)).collect())
}

/// Reads wishes that are separated by `;`.
///
/// # Errors
/// [`PlaceError::BadWish`].
pub fn parse_wishes(text: &str) -> Result<Vec<Wish>, PlaceError> {
    text.split(';').map(str::trim).filter(|wish| !wish.is_empty()).map(parse_wish).collect()
}

fn parse_wish(text: &str) -> Result<Wish, PlaceError> {
    let bad = |problem: &str| PlaceError::BadWish { wish: text.to_owned(), problem: problem.to_owned() };
    let mut words = text.split_whitespace().peekable();
    let number = |words: &mut std::iter::Peekable<std::str::SplitWhitespace<'_>>, what: &str| {
        let word = words.next().ok_or_else(|| bad(&format!("{what} is missing")))?;
        let joined = match words.peek() {
            Some(unit)
                if word.bytes().all(|byte| byte.is_ascii_digit())
                    && size_of(&format!("1{unit}")).is_some() =>
            {
                let joined = format!("{word}{unit}");
                words.next();
                joined
            }
            _ => word.to_owned(),
        };
        size_of(&joined).ok_or_else(|| bad(&format!("{joined:?} is no {what}")))
    };
    let size = number(&mut words, "size")?;
    let mut wish = Wish { text: text.to_owned(), size, at: None, below: None, above: None };
    while let Some(word) = words.next() {
        let field = match word {
            "contiguous" => continue,
            "at" => &mut wish.at,
            "below" => &mut wish.below,
            "above" => &mut wish.above,
            _ => return Err(bad(&format!("{word:?} is not understood"))),
        };
        *field = Some(Address::new(number(&mut words, "address")?));
    }
    if size == 0 { Err(bad("the size is 0")) } else { Ok(wish) }
}

/// Reads `0x400000`, `4096`, `8MiB`, `4G`.
fn size_of(text: &str) -> Option<u64> {
    if let Some(hex) = text.strip_prefix("0x") {
        return u64::from_str_radix(hex, 16).ok();
    }
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let unit = match &text[digits..] {
        "" | "B" | "byte" | "bytes" => 1,
        "page" | "pages" => 4096,
        "K" | "KB" | "KiB" => 1 << 10,
        "M" | "MB" | "MiB" => 1 << 20,
        "G" | "GB" | "GiB" => 1 << 30,
        "T" | "TB" | "TiB" => 1u64 << 40,
        _ => return None,
    };
    text[..digits].parse::<u64>().ok()?.checked_mul(unit)
}

/// What is taken in one trial, ascending.
struct Trial {
    taken: Vec<(AddressRange, String)>,
    window: AddressRange,
    search: u64,
    down: bool,
    granule: u64,
}

impl Trial {
    fn take(&mut self, range: AddressRange, owner: &str) {
        let index = self.taken.partition_point(|(held, _)| held.start < range.start);
        self.taken.insert(index, (range, owner.to_owned()));
    }

    fn blocker(&self, range: AddressRange) -> Option<&str> {
        if !self.window.contains_range(range) {
            return Some("outside what a program may use");
        }
        self.taken.iter().find(|(held, _)| held.overlaps(range)).map(|(_, owner)| owner.as_str())
    }

    fn holes(&self, window: AddressRange) -> Vec<AddressRange> {
        let mut holes = Vec::new();
        let mut at = window.start;
        for (held, _) in &self.taken {
            let end = held.start.min(window.end);
            if at < end {
                holes.push(AddressRange { start: at, end });
            }
            at = at.max(held.end);
        }
        if at < window.end {
            holes.push(AddressRange { start: at, end: window.end });
        }
        holes
    }

    /// Searches a place inside `window`, from the end where this system searches first.
    fn search(&self, window: AddressRange, size: u64) -> Option<AddressRange> {
        let fit_up = |hole: &AddressRange| {
            let place = AddressRange::sized(hole.start.align_up(self.granule)?, size)?;
            hole.contains_range(place).then_some(place)
        };
        let fit_down = |hole: &AddressRange| {
            let start = hole.end.checked_sub(size)?.align_down(self.granule);
            let place = AddressRange::sized(start, size)?;
            hole.contains_range(place).then_some(place)
        };
        let from = Address::new(self.search);
        let clip = |lower: Address, upper: Address| {
            let (start, end) = (window.start.max(lower), window.end.min(upper));
            if start < end { self.holes(AddressRange { start, end }) } else { Vec::new() }
        };
        if self.down {
            let below = clip(Address::ZERO, from);
            below.iter().rev().find_map(fit_down).or_else(|| clip(from, window.end).iter().find_map(fit_up))
        } else {
            let above = clip(from, window.end);
            above.iter().find_map(fit_up).or_else(|| clip(Address::ZERO, from).iter().find_map(fit_up))
        }
    }
}

fn moved(base: u64, step: u64, count: u64, down: bool, random: Option<&mut Random>) -> u64 {
    let distance = random.map_or(0, |random| random.below(count)).wrapping_mul(step);
    if down { base.saturating_sub(distance) } else { base.saturating_add(distance) }
}

fn lay_out(policy: &Policy, mut random: Option<&mut Random>) -> Trial {
    let spot = &policy.search;
    let base = if random.is_some() { spot.base } else { policy.search_fixed.unwrap_or(spot.base) };
    let mut trial = Trial {
        taken: Vec::new(),
        window: AddressRange { start: Address::new(policy.window.0), end: Address::new(policy.window.1) },
        search: moved(base, spot.step, spot.count, spot.down, random.as_deref_mut()),
        down: policy.direction == Direction::Down,
        granule: policy.granule.max(1).next_power_of_two(),
    };
    let mut last = 0u64;
    for part in &policy.parts {
        let base = match &part.base {
            Some(Base::At(base)) => Some(*base),
            Some(Base::After(_)) => Some(last),
            None => None,
        };
        let range = match base {
            Some(base) => {
                let start = moved(base, part.step, part.count, part.down, random.as_deref_mut());
                AddressRange::sized(Address::new(start), part.size)
            }
            None => trial.search(trial.window, part.size),
        };
        if let Some(range) = range {
            last = range.end.get();
            trial.take(range, &part.owner);
        }
    }
    trial
}

/// Places wishes under one policy in `trials` trials; without `randomize` one trial tells all.
///
/// # Errors
/// [`PlaceError::NoPolicy`], [`PlaceError::BadPolicies`].
pub fn place(
    wishes: &[Wish],
    policy: &str,
    trials: u32,
    seed: u64,
    randomize: bool,
) -> Result<Plan, PlaceError> {
    let table = table()?;
    let known = || table.iter().map(|policy| policy.name.as_str()).collect::<Vec<_>>().join(", ");
    let found = table.iter().find(|known| known.name == policy);
    let policy = found.ok_or_else(|| PlaceError::NoPolicy { name: policy.to_owned(), known: known() })?;
    let trials = if randomize { trials.max(1) } else { 1 };
    let mut random = Random::new(seed);
    let fate = |wish: &Wish| Fate {
        wish: wish.text.clone(),
        fits: 0,
        probability: (0.0, 0.0, 0.0),
        places: None,
        blocked_by: BTreeMap::new(),
    };
    let mut fates: Vec<Fate> = wishes.iter().map(fate).collect();
    let (mut all_fit, mut largest_hole) = (0, (u64::MAX, 0));
    for _ in 0..trials {
        let mut trial = lay_out(policy, randomize.then_some(&mut random));
        let mut fitted = true;
        for (wish, fate) in wishes.iter().zip(&mut fates) {
            match try_wish(&trial, wish) {
                Ok(range) => {
                    fate.fits += 1;
                    let (low, high) = fate.places.unwrap_or((range.start, range.start));
                    fate.places = Some((low.min(range.start), high.max(range.start)));
                    trial.take(range, &wish.text);
                }
                Err(owner) => {
                    *fate.blocked_by.entry(owner).or_default() += 1;
                    fitted = false;
                }
            }
        }
        all_fit += u32::from(fitted);
        let hole = trial.holes(trial.window).iter().map(|hole| hole.size()).max().unwrap_or(0);
        largest_hole = (largest_hole.0.min(hole), largest_hole.1.max(hole));
    }
    // Where nothing is random, one trial is certain.
    let certain = |fits: u32| (f64::from(fits), f64::from(fits), f64::from(fits));
    let share_of = |fits: u32| if randomize { share(fits, trials) } else { certain(fits) };
    for fate in &mut fates {
        fate.probability = share_of(fate.fits);
    }
    Ok(Plan {
        policy: policy.name.clone(),
        note: policy.note.clone(),
        trials,
        fates,
        all_fit,
        probability: share_of(all_fit),
        largest_hole,
    })
}

fn try_wish(trial: &Trial, wish: &Wish) -> Result<AddressRange, String> {
    if let Some(at) = wish.at {
        let range = AddressRange::sized(at, wish.size).ok_or("past the end of 64 bits")?;
        return match trial.blocker(range) {
            Some(owner) => Err(owner.to_owned()),
            None => Ok(range),
        };
    }
    let start = trial.window.start.max(wish.above.unwrap_or(Address::ZERO));
    let end = trial.window.end.min(wish.below.unwrap_or(trial.window.end));
    let place = if start < end { trial.search(AddressRange { start, end }, wish.size) } else { None };
    place.ok_or_else(|| "no hole is large enough".to_owned())
}

/// Returns the share and Wilson's interval of 95 % confidence.
///
/// Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
fn share(fits: u32, trials: u32) -> (f64, f64, f64) {
    let (n, p, z) = (f64::from(trials), f64::from(fits) / f64::from(trials), 1.959_964);
    let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let reach = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    (p, (middle - reach).max(0.0), (middle + reach).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chance(wishes: &str, policy: &str) -> f64 {
        let wishes = parse_wishes(wishes).expect("understood");
        place(&wishes, policy, 2000, 7, true).expect("known").probability.0
    }

    #[test]
    fn three_gigabytes_below_four_fit_only_where_there_is_room() {
        assert_eq!(chance("3 GiB contiguous below 4G", "linux-modern"), 1.0);
        assert_eq!(chance("3 GiB contiguous below 4G", "win32"), 0.0);
        assert_eq!(chance("3 GiB below 4G", "linux-2.6"), 0.0);
        assert_eq!(chance("3 GiB below 4G", "linux-32"), 1.0);
    }

    #[test]
    fn a_program_in_one_of_256_places_leaves_0x400000_with_its_share() {
        // 8 MiB are 128 places of 64 KiB: a program in one of those is in the way.
        assert!((chance("8 MiB at 0x400000", "win32") - 0.5).abs() < 0.04);
        assert_eq!(chance("8 MiB at 0x400000", "linux-modern"), 1.0);
        assert_eq!(chance("1 MiB at 0x400000", "win9x"), 0.0);
    }

    #[test]
    fn the_interval_holds_the_share() {
        let (p, low, high) = share(0, 1000);
        assert!(p == 0.0 && low < 1e-12 && (0.003..0.005).contains(&high), "{high}");
    }

    #[test]
    fn a_wish_that_is_not_understood_is_quoted() {
        let error = parse_wishes("8 MiB at 0x400000; 3 bananas").expect_err("no unit").to_string();
        assert!(error.starts_with("wish \"3 bananas\": \"bananas\" is not understood"), "{error}");
    }
}
