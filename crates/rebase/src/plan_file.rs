//! A plan as text: TOML, one `[[move]]` for each file. [`Plan::to_toml`], [`Plan::from_toml`].

use plat_regions::Address;
use serde::{Deserialize, Serialize};

use crate::{ContentHash, Machine, Move, Obstacle, Plan, PlanReport, Reason, SharedPair};

/// The version of the format; a reader refuses others.
const VERSION: u32 = 1;

/// Why a text is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanFileError {
    /// The text is not TOML, or lacks a field; the message has the line.
    #[error("plan: {0}")]
    Syntax(String),
    /// The plan was written by another version of plat.
    #[error("plan: version {0}, this plat reads version 1")]
    Version(u32),
    /// A field's value cannot be.
    #[error("plan, {path}: {field} is {value:?}, expected {expected}")]
    Value {
        /// The file that the entry is for.
        path: String,
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
        /// What would be allowed.
        expected: &'static str,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanText {
    version: u32,
    layout: String,
    #[serde(default)]
    report: ReportText,
    #[serde(default, rename = "move")]
    moves: Vec<MoveText>,
    #[serde(default, rename = "obstacle")]
    obstacles: Vec<ObstacleText>,
    #[serde(default, rename = "shared")]
    shared: Vec<SharedText>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct ReportText {
    collisions_before: u64,
    collisions_after: u64,
    unplaced: Vec<(String, u64)>,
    largest_hole: u64,
    largest_heap: u64,
    fragmentation_per_mille: u64,
    ignored: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MoveText {
    path: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    links: Vec<String>,
    hash: String,
    machine: String,
    from: String,
    to: String,
    size: u64,
    slot: u64,
    reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(default, skip_serializing_if = "is_zero")]
    uses: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ObstacleText {
    path: String,
    base: String,
    size: u64,
    why: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SharedText {
    first: String,
    second: String,
    evidence: String,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Plan {
    /// Writes the plan as text.
    pub fn to_toml(&self) -> String {
        let report = &self.report;
        let text = PlanText {
            version: VERSION,
            layout: self.layout.clone(),
            report: ReportText {
                collisions_before: report.collisions_before,
                collisions_after: report.collisions_after,
                unplaced: report.unplaced.clone(),
                largest_hole: report.largest_hole,
                largest_heap: report.largest_heap,
                fragmentation_per_mille: report.fragmentation_per_mille,
                ignored: report.ignored.clone(),
            },
            moves: self.moves.iter().map(move_text).collect(),
            obstacles: self
                .obstacles
                .iter()
                .map(|it| ObstacleText {
                    path: it.path.clone(),
                    base: hex(it.base),
                    size: it.size,
                    why: it.why.clone(),
                })
                .collect(),
            shared: self
                .shared
                .iter()
                .map(|it| SharedText {
                    first: it.first.clone(),
                    second: it.second.clone(),
                    evidence: it.evidence.clone(),
                })
                .collect(),
        };
        toml::to_string(&text).expect("texts, numbers below 2^63 and lists of them can be written")
    }

    /// Reads a plan from its text.
    ///
    /// # Errors
    /// [`PlanFileError`] when the text is no plan, or one of another version.
    pub fn from_toml(text: &str) -> Result<Self, PlanFileError> {
        let text: PlanText =
            toml::from_str(text).map_err(|error| PlanFileError::Syntax(error.to_string()))?;
        if text.version != VERSION {
            return Err(PlanFileError::Version(text.version));
        }
        let obstacle = |it: ObstacleText| {
            let base = address(&it.path, "base", &it.base)?;
            Ok(Obstacle { base, path: it.path, size: it.size, why: it.why })
        };
        let shared =
            |it: SharedText| SharedPair { first: it.first, second: it.second, evidence: it.evidence };
        let report = text.report;
        Ok(Self {
            layout: text.layout,
            moves: text.moves.into_iter().map(read_move).collect::<Result<_, _>>()?,
            obstacles: text.obstacles.into_iter().map(obstacle).collect::<Result<_, _>>()?,
            shared: text.shared.into_iter().map(shared).collect(),
            report: PlanReport {
                collisions_before: report.collisions_before,
                collisions_after: report.collisions_after,
                unplaced: report.unplaced,
                largest_hole: report.largest_hole,
                largest_heap: report.largest_heap,
                fragmentation_per_mille: report.fragmentation_per_mille,
                ignored: report.ignored,
            },
        })
    }
}

fn hex(address: Address) -> String {
    format!("{:#x}", address.get())
}

fn move_text(it: &Move) -> MoveText {
    let (reason, detail) = match &it.reason {
        Reason::Stays => ("stays", None),
        Reason::New => ("new", None),
        Reason::Grew { slot } => ("grew", Some(slot.to_string())),
        Reason::Collided(other) => ("collided", Some(other.clone())),
        Reason::Reserved(what) => ("reserved", Some(what.clone())),
        Reason::Constraint(what) => ("constraint", Some(what.clone())),
        Reason::Returns => ("returns", None),
        Reason::Repacked => ("repacked", None),
        Reason::Shares => ("shares", None),
    };
    let machine = match it.machine {
        Machine::I386 => "i386",
        Machine::Amd64 => "amd64",
        Machine::Arm64 => "arm64",
    };
    MoveText {
        path: it.path.clone(),
        links: it.links.clone(),
        hash: it.hash.0.iter().map(|byte| format!("{byte:02x}")).collect(),
        machine: machine.into(),
        from: hex(it.from),
        to: hex(it.to),
        size: it.size,
        slot: it.slot,
        reason: reason.into(),
        detail,
        uses: it.uses,
    }
}

fn read_move(it: MoveText) -> Result<Move, PlanFileError> {
    let bad = |field, value: &str, expected| PlanFileError::Value {
        path: it.path.clone(),
        field,
        value: value.into(),
        expected,
    };
    let machine = match it.machine.as_str() {
        "i386" => Machine::I386,
        "amd64" => Machine::Amd64,
        "arm64" => Machine::Arm64,
        other => return Err(bad("machine", other, "i386, amd64 or arm64")),
    };
    let detail = it.detail.clone().unwrap_or_default();
    let reason = match it.reason.as_str() {
        "stays" => Reason::Stays,
        "new" => Reason::New,
        "grew" => {
            Reason::Grew { slot: detail.parse().map_err(|_| bad("detail", &detail, "the old slot's size"))? }
        }
        "collided" => Reason::Collided(detail),
        "reserved" => Reason::Reserved(detail),
        "constraint" => Reason::Constraint(detail),
        "returns" => Reason::Returns,
        "repacked" => Reason::Repacked,
        "shares" => Reason::Shares,
        other => return Err(bad("reason", other, "stays, new, grew, collided, reserved or constraint")),
    };
    Ok(Move {
        hash: read_hash(&it.hash).ok_or_else(|| bad("hash", &it.hash, "64 hexadecimal digits"))?,
        machine,
        from: address(&it.path, "from", &it.from)?,
        to: address(&it.path, "to", &it.to)?,
        size: it.size,
        slot: it.slot,
        reason,
        uses: it.uses,
        links: it.links,
        path: it.path,
    })
}

fn read_hash(text: &str) -> Option<ContentHash> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|letter| letter.to_digit(16).map(|digit| digit as u8)).collect();
    let (pairs, rest) = digits.as_ref()?.as_chunks::<2>();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    bytes.try_into().ok().filter(|_| rest.is_empty()).map(ContentHash)
}

fn address(path: &str, field: &'static str, text: &str) -> Result<Address, PlanFileError> {
    let digits = text.strip_prefix("0x").unwrap_or_default().replace('_', "");
    u64::from_str_radix(&digits, 16).map(Address::new).map_err(|_| PlanFileError::Value {
        path: path.into(),
        field,
        value: text.into(),
        expected: "an address such as 0x3f0000000",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn plan() -> Plan {
        let entry = |path: &str, reason| Move {
            path: path.into(),
            links: Vec::new(),
            hash: ContentHash([0xab; 32]),
            machine: Machine::Amd64,
            from: Address::new(0x1_8000_0000),
            to: Address::new(0x3_f000_0000),
            size: 0x12000,
            slot: 0x20000,
            reason,
            uses: 0,
        };
        Plan {
            layout: "cygwin64".into(),
            moves: vec![
                entry("bin/a.dll", Reason::New),
                entry("b", Reason::Grew { slot: 0x1_0000 }),
                entry("c \"quoted\"\n", Reason::Collided("b".into())),
                Move { links: vec!["e".into()], uses: 7, ..entry("d", Reason::Reserved("heap".into())) },
                entry("f", Reason::Constraint("fixed".into())),
                entry("g", Reason::Stays),
            ],
            obstacles: vec![Obstacle {
                path: "o".into(),
                base: Address::new(0x1000_0000),
                size: 1,
                why: "w".into(),
            }],
            shared: vec![SharedPair { first: "x".into(), second: "y".into(), evidence: "z".into() }],
            report: PlanReport {
                collisions_before: 3,
                unplaced: vec![("u".into(), 9)],
                ..PlanReport::default()
            },
        }
    }

    #[test]
    fn a_plan_is_read_as_it_was_written() {
        assert_eq!(Plan::from_toml(&plan().to_toml()), Ok(plan()));
    }

    #[test]
    fn errors_name_the_file_and_the_field() {
        let error = |from: &str, to: &str| {
            Plan::from_toml(&plan().to_toml().replacen(from, to, 1)).expect_err("is refused").to_string()
        };
        expect!["plan: version 2, this plat reads version 1"].assert_eq(&error("version = 1", "version = 2"));
        expect![[r#"plan, bin/a.dll: from is "180000000", expected an address such as 0x3f0000000"#]]
            .assert_eq(&error("0x180000000", "180000000"));
        expect![[r#"plan, bin/a.dll: machine is "vax", expected i386, amd64 or arm64"#]]
            .assert_eq(&error("amd64", "vax"));
        expect![[r#"plan, bin/a.dll: hash is "abab", expected 64 hexadecimal digits"#]]
            .assert_eq(&error(&"ab".repeat(32), "abab"));
    }
}
