//! Windows' rules in the books against a runner of Windows programs: the same random memory calls, every answer compared.
//!
//! The runner (`plat run`, or Wine) carries out the guest program `memory_steps` of the fixtures; the model is
//! `plat_regions::windows`. After each call the value, the error and all that VirtualQuery says of 2 MiB are compared.

pub(crate) mod known;
pub(crate) mod model;
pub(crate) mod step;

use anyhow::{Context, Result, bail};
use known::Known;
use model::{Answer, Model};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use step::{Generator, Kind, Step};

/// Who carries the calls out.
#[derive(Clone, Debug)]
pub(crate) struct Runner {
    /// The command that the guest program's path is added to.
    pub(crate) command: Vec<String>,
    /// What is known to be different there.
    pub(crate) known: &'static [Known],
    /// 32 or 64.
    pub(crate) bits: u32,
    /// Whether runs that are alike and touch count as one.
    pub(crate) joins: bool,
}

/// How often each known difference kept a step from being compared.
pub(crate) type LeftOut = BTreeMap<&'static str, u64>;

/// Compares `count` steps of a seed; the error tells the first difference.
pub(crate) fn compare(
    runner: &Runner,
    program: &Path,
    seed: u64,
    count: usize,
    left_out: &mut LeftOut,
) -> Result<()> {
    let mut model = Model::new(runner.bits);
    let mut generator = Generator::new(seed);
    let (mut steps, mut wanted) = (Vec::with_capacity(count), Vec::with_capacity(count));
    while steps.len() < count {
        let step = generator.next(&model);
        let mut after = model.clone();
        let mut answer = after.act(&step);
        if let Some(known) = runner.known.iter().find(|known| (known.applies)(&model, &step, &answer)) {
            *left_out.entry(known.name).or_default() += 1;
            let Some(error) = known.says else { continue };
            answer = Answer { value: 0, error, ..answer };
        }
        model = after;
        wanted.push(answer);
        steps.push(step);
    }
    let answers = answers(runner, program, &steps, None)?.0;
    let Some(at) = (0..count).find(|&at| answers.get(at) != wanted.get(at)) else { return Ok(()) };
    let mut before = Model::new(runner.bits);
    for step in &steps[..at] {
        before.act(step);
    }
    let mut after = before.clone();
    after.act(&steps[at]);
    let (_, shown) = answers_until(runner, program, &steps[..=at])?;
    bail!(
        "seed {seed}, step {at}: {}\nmodel  {:x?}\nrunner {:x?}\nbefore:\n{}after, model:\n{}after, runner:\n{shown}",
        steps[at],
        wanted[at],
        answers.get(at),
        near(&before.text(), &steps[at], &before),
        near(&after.text(), &steps[at], &before),
    );
}

/// Keeps the lines of a window that lie around a step.
fn near(text: &str, step: &Step, model: &Model) -> String {
    let offset = step.address.wrapping_sub(model.window().start.get());
    let lines: Vec<&str> = text.lines().collect();
    let start = |line: &str| u64::from_str_radix(line.get(1..7).unwrap_or_default(), 16).unwrap_or(0);
    let at = lines.iter().rposition(|line| start(line) <= offset).unwrap_or(0);
    let end = (at + 6).min(lines.len());
    lines[at.saturating_sub(3)..end].iter().map(|line| format!("  {line}\n")).collect()
}

fn answers_until(runner: &Runner, program: &Path, steps: &[Step]) -> Result<(Vec<Answer>, String)> {
    let (answers, shown) = answers(runner, program, steps, Some(steps.len()))?;
    let last = steps.last().copied().unwrap_or(Step { kind: Kind::Query, address: 0, size: 0, a: 0, b: 0 });
    Ok((answers, near(&shown, &last, &Model::new(runner.bits))))
}

/// Has the guest program carry out steps; returns its answers and, when `show` names a step, the window behind it.
fn answers(
    runner: &Runner,
    program: &Path,
    steps: &[Step],
    show: Option<usize>,
) -> Result<(Vec<Answer>, String)> {
    let (first, rest) = runner.command.split_first().context("a runner needs a command")?;
    let mut command = Command::new(first);
    command.args(rest).arg(program).arg(show.unwrap_or(0).to_string()).args(runner.joins.then_some("join"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("starting {first}"))?;
    let words = steps.iter().flat_map(Step::words);
    let bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
    let mut input = child.stdin.take().context("the runner has no standard input")?;
    // It answers while it still reads: both ways must move.
    let writer = std::thread::spawn(move || input.write_all(&bytes));
    let output = child.wait_with_output()?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let written = writer.join().map_err(|_| anyhow::anyhow!("the writer ended early"))?;
    if !output.status.success() || written.is_err() {
        bail!("{first} ended with {}: {errors}", output.status);
    }
    let word = |bytes: &[u8], at: usize| -> u64 {
        let bytes = bytes.get(at * 8..at * 8 + 8).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u64::from_le_bytes)
    };
    let one = |bytes: &[u8]| Answer { value: word(bytes, 0), error: word(bytes, 1), hash: word(bytes, 2) };
    Ok((output.stdout.chunks_exact(24).map(one).collect(), errors))
}
