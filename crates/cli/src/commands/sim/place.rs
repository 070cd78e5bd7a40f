//! `plat sim place`.

use std::io::Write;
use std::process::ExitCode;

use anyhow::bail;
use plat_render::{Align, Table, size};
use plat_sim::place::{Fate, Plan, parse_wishes, policies};

use crate::arguments::{Format, SimPlace};

/// Answers where memory would go; exit code 1 when something never fits anywhere that was asked for.
pub(super) fn place(arguments: &SimPlace) -> anyhow::Result<ExitCode> {
    let wishes = parse_wishes(&arguments.wishes)?;
    let names = match arguments.policy.is_empty() {
        true => policies()?.into_iter().map(|(name, _)| name).collect(),
        false => arguments.policy.clone(),
    };
    let plan = |name: &String| {
        plat_sim::place::place(&wishes, name, arguments.trials, arguments.seed, !arguments.fixed)
    };
    let plans: Vec<Plan> = names.iter().map(plan).collect::<Result<_, _>>()?;
    let mut out = std::io::stdout().lock();
    match arguments.format {
        Format::Json => writeln!(out, "{}", serde_json::to_string_pretty(&plans)?)?,
        Format::Text => write!(out, "{}", text(&plans))?,
        _ => bail!("--format: an answer is written as text or json"),
    }
    let never = plans.iter().any(|plan| plan.all_fit == 0);
    Ok(if never { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn text(plans: &[Plan]) -> String {
    let mut table = Table::new(&[
        ("policy", Align::Left),
        ("wish", Align::Left),
        ("fits", Align::Right),
        ("95 % confidence", Align::Left),
        ("lands at", Align::Left),
        ("in the way", Align::Left),
    ]);
    for plan in plans {
        for fate in &plan.fates {
            table.row(row(&plan.policy, fate));
        }
        let (share, low, high) = plan.probability;
        let (smallest, largest) = plan.largest_hole;
        let hole = format!("largest hole left: {} to {}", size(smallest), size(largest));
        table.row([plan.policy.clone(), "all together".into(), percent(share), bounds(low, high), hole]);
    }
    let notes: String = plans.iter().map(|plan| format!("{}: {}\n", plan.policy, plan.note)).collect();
    let trials = plans.iter().map(|plan| plan.trials).max().unwrap_or(0);
    let end = match trials {
        1 => "Nothing was random.".to_owned(),
        _ => format!("{trials} processes were laid out for each policy."),
    };
    format!("{}\n{notes}{end}\n", table.to_text())
}

fn row(policy: &str, fate: &Fate) -> [String; 6] {
    let (share, low, high) = fate.probability;
    let places = match fate.places {
        None => "nowhere".to_owned(),
        Some((low, high)) if low == high => low.to_string(),
        Some((low, high)) => format!("{low} to {high}"),
    };
    let blockers: Vec<_> =
        fate.blocked_by.iter().map(|(owner, times)| format!("{owner} ({times})")).collect();
    [policy.to_owned(), fate.wish.clone(), percent(share), bounds(low, high), places, blockers.join(", ")]
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn bounds(low: f64, high: f64) -> String {
    format!("{:.2} to {:.2} %", 100.0 * low, 100.0 * high)
}
