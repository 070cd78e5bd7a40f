//! A plan as text, JSON and pictures.

use std::collections::HashMap;
use std::io::Write as _;

use plat_rebase::{Member, Move, Reason};
use plat_regions::{Address, AddressRange, Use};
use plat_render::{Align, BandKind, DrawnBand, DrawnImage, PlanDrawing, Table, plan_html, plan_svg, size};

use super::rebase_plan::Planned;
use crate::arguments::{Format, rebase_plan};

/// Shows a plan.
pub(crate) fn show(planned: &Planned, format: Format) -> anyhow::Result<()> {
    let text = match format {
        Format::Text => text(planned),
        Format::Json => json(planned)?,
        Format::Svg => plan_svg(&drawing(planned)),
        Format::Html => plan_html(&drawing(planned)),
    };
    for skipped in &planned.scan.skipped {
        eprintln!("plat: {}: passed over: {}", skipped.path, skipped.why);
    }
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}

/// Says what does not fit, by how much, and what would help; `None` when all fits.
pub(crate) fn refusal(planned: &Planned, arguments: &rebase_plan::Plan) -> Option<String> {
    let report = &planned.plan.report;
    if report.unplaced.is_empty() {
        return None;
    }
    let wanted: u64 = report.unplaced.iter().map(|(_, bytes)| bytes).sum();
    let largest = report.unplaced.iter().map(|(_, bytes)| *bytes).max().unwrap_or(0);
    let hints = [
        (!arguments.repack, "--repack (places every file anew)"),
        (!arguments.share, "--share (files that are never loaded together share addresses)"),
    ];
    let hints: Vec<&str> = hints.into_iter().filter_map(|(helps, hint)| helps.then_some(hint)).collect();
    let hint = if hints.is_empty() { String::new() } else { format!("; try {}", hints.join(" or ")) };
    Some(format!(
        "{} of {} files do not fit: they need {}, the largest {}, and the largest hole is {}; no plan is written{hint}",
        report.unplaced.len(),
        planned.plan.moves.len() + report.unplaced.len(),
        size(wanted),
        size(largest),
        size(report.largest_hole),
    ))
}

fn reason(reason: &Reason) -> String {
    match reason {
        Reason::Stays => "well placed".into(),
        Reason::New => "new".into(),
        Reason::Grew { slot } => format!("grew out of its {}", size(*slot)),
        Reason::Collided(other) => format!("overlapped {other}"),
        Reason::Reserved(what) => what.clone(),
        Reason::Constraint(what) => what.clone(),
        Reason::Returns => "goes back to its place in the database".into(),
        Reason::Repacked => "everything is placed anew".into(),
        Reason::Shares => "shares addresses".into(),
    }
}

/// Says how many files of those that move are signed: they are left alone unless the user says what becomes of that.
fn signed_line(planned: &Planned, moved: &[&Move]) -> String {
    let moved: std::collections::HashSet<&str> = moved.iter().map(|it| it.path.as_str()).collect();
    let signed = planned.scan.members.iter().filter(|it| it.signed && moved.contains(it.path.as_str()));
    match signed.count() {
        0 => String::new(),
        count => format!(
            "{count} of the files that move are signed, which a new base makes invalid: apply them with \
             --strip-signature or --keep-signature\n"
        ),
    }
}

fn text(planned: &Planned) -> String {
    let (plan, report) = (&planned.plan, &planned.plan.report);
    let moved: Vec<&Move> = plan.moves.iter().filter(|it| it.from != it.to).collect();
    let mut table = Table::new(&[
        ("file", Align::Left),
        ("from", Align::Left),
        ("to", Align::Left),
        ("slot", Align::Right),
        ("uses", Align::Right),
        ("why", Align::Left),
    ]);
    for it in &moved {
        let uses = it.uses.to_string();
        table.row([
            it.path.clone(),
            it.from.to_string(),
            it.to.to_string(),
            size(it.slot),
            uses,
            reason(&it.reason),
        ]);
    }
    let mut text = if moved.is_empty() { String::new() } else { table.to_text() + "\n" };
    let mut list = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            text.push_str(&format!(
                "{title}:\n{}\n",
                lines.iter().map(|it| format!("  {it}\n")).collect::<String>()
            ));
        }
    };
    let in_fleet: std::collections::HashSet<&str> =
        planned.scan.members.iter().map(|it| it.path.as_str()).collect();
    let obstacles = plan.obstacles.iter().filter(|it| in_fleet.contains(it.path.as_str()));
    list(
        "in the way",
        obstacles.map(|it| format!("{} {} {}: {}", it.base, size(it.size), it.path, it.why)).collect(),
    );
    let pairs = plan.shared.iter().map(|it| format!("{} and {}: {}", it.first, it.second, it.evidence));
    list("sharing addresses", pairs.collect());
    list(
        "not placed",
        report.unplaced.iter().map(|(path, bytes)| format!("{path}: {}", size(*bytes))).collect(),
    );
    // Programs are many and never part of it: their number will do.
    let (programs, others): (Vec<_>, Vec<_>) =
        report.ignored.iter().partition(|(_, why)| why.starts_with("is a program"));
    list("not part of the plan", others.into_iter().map(|(path, why)| format!("{path}: {why}")).collect());
    if !programs.is_empty() {
        text.push_str(&format!(
            "{} programs are not part of the plan: Windows places them first\n",
            programs.len()
        ));
    }
    text.push_str(&signed_line(planned, &moved));
    let stay = plan.moves.len() - moved.len();
    text + &format!(
        "layout {}: {} files, {} move, {stay} stay\ncollisions: {} before, {} after\nlargest hole: {}, largest range left for the heap: {}, \
         free space in smaller holes: {}.{} %\n",
        plan.layout,
        plan.moves.len() + report.unplaced.len(),
        moved.len(),
        report.collisions_before,
        report.collisions_after,
        size(report.largest_hole),
        size(report.largest_heap),
        report.fragmentation_per_mille / 10,
        report.fragmentation_per_mille % 10,
    )
}

/// Schema `plat-rebase-plan-1`.
fn json(planned: &Planned) -> anyhow::Result<String> {
    let (plan, report) = (&planned.plan, &planned.plan.report);
    let hex = |address: Address| format!("{:#018x}", address.get());
    let moves = plan.moves.iter().map(|it| {
        serde_json::json!({
            "path": it.path, "from": hex(it.from), "to": hex(it.to), "size_bytes": it.size, "slot_bytes": it.slot,
            "moves": it.from != it.to, "reason": reason(&it.reason), "uses": it.uses,
        })
    });
    let obstacles = plan.obstacles.iter().map(|it| {
        serde_json::json!({ "path": it.path, "base": hex(it.base), "size_bytes": it.size, "why": it.why })
    });
    let shared = plan
        .shared
        .iter()
        .map(|it| serde_json::json!({ "first": it.first, "second": it.second, "evidence": it.evidence }));
    let pairs = |list: &[(String, String)]| -> Vec<_> {
        list.iter().map(|(path, why)| serde_json::json!({ "path": path, "why": why })).collect()
    };
    let unplaced =
        report.unplaced.iter().map(|(path, bytes)| serde_json::json!({ "path": path, "bytes": bytes }));
    let document = serde_json::json!({
        "schema": "plat-rebase-plan-1", "layout": plan.layout,
        "files": moves.collect::<Vec<_>>(), "obstacles": obstacles.collect::<Vec<_>>(),
        "shared": shared.collect::<Vec<_>>(), "unplaced": unplaced.collect::<Vec<_>>(), "ignored": pairs(&report.ignored),
        "collisions_before": report.collisions_before, "collisions_after": report.collisions_after,
        "largest_hole_bytes": report.largest_hole, "largest_heap_bytes": report.largest_heap,
        "fragmentation_per_mille": report.fragmentation_per_mille,
    });
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn drawing(planned: &Planned) -> PlanDrawing {
    let (plan, report, layout) = (&planned.plan, &planned.plan.report, &planned.layout);
    let bands = layout.bands.iter().map(|band| DrawnBand {
        range: band.range,
        kind: match band.purpose {
            Use::Dll | Use::AutoBase => BandKind::Dll,
            Use::Heap => BandKind::Heap,
            _ => BandKind::Kept,
        },
        label: band.why.clone(),
    });
    let image = |base, bytes, name: &str, uses, is_obstacle, detail: String| {
        let range = AddressRange::sized(base, bytes)?;
        Some(DrawnImage { range, name: name.to_owned(), uses, is_obstacle, detail })
    };
    let by_path: HashMap<&str, &Move> = plan.moves.iter().map(|it| (it.path.as_str(), it)).collect();
    let ignored: std::collections::HashSet<&str> =
        report.ignored.iter().map(|(path, _)| path.as_str()).collect();
    let before = |member: &Member| {
        let uses = by_path.get(member.path.as_str()).map_or(0, |it| it.uses);
        let is_stuck = plan.obstacles.iter().any(|it| it.path == member.path);
        image(member.base, member.size, &member.path, uses, is_stuck, "before".into())
    };
    let members = planned.scan.members.iter().filter(|member| !ignored.contains(member.path.as_str()));
    let after = plan
        .moves
        .iter()
        .filter_map(|it| image(it.to, it.size, &it.path, it.uses, false, reason(&it.reason)));
    let obstacles =
        plan.obstacles.iter().filter_map(|it| image(it.base, it.size, &it.path, 0, true, it.why.clone()));
    let moved = plan.moves.iter().filter(|it| it.from != it.to).count();
    let whole = AddressRange::new(Address::ZERO, layout.usable().end);
    PlanDrawing {
        title: format!("Base addresses, layout {}", layout.name),
        subtitle: format!(
            "{moved} of {} files move; collisions {} before, {} after; largest hole {}; {} left for the heap; {} not placed",
            plan.moves.len() + report.unplaced.len(),
            report.collisions_before,
            report.collisions_after,
            size(report.largest_hole),
            size(report.largest_heap),
            report.unplaced.len()
        ),
        whole: whole.filter(|_| layout.bits == 32),
        bands: bands.collect(),
        before: members.filter_map(before).collect(),
        after: after.chain(obstacles).collect(),
    }
}
