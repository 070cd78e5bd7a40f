//! `cargo xtask sim-diff`: the simulated Linux against the kernel of this machine, on the same random operations.
//!
//! After every operation the value returned and the map where it may have changed are compared, after touches and what else
//! moves pages also which private pages are in memory; after every batch the whole map and all pages. The simulator runs ahead by a batch, and each processor has its
//! own seeds, so that all work at once. A difference is shrunk to the operations that it needs.

mod files;
mod generator;
mod operation;
mod pages;
mod setting;
mod shrink;
mod windows;

use anyhow::{Context, Result, bail};
use generator::Generator;
use operation::Operation;
use plat_host::kernel_lab::Order;
use plat_regions::linux::Step;
use setting::{Machine, Pair, Setting};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Operations of one seed; the next seed starts a new process.
const STEPS_PER_SEED: u64 = 10_000;
/// Operations posted at once.
const BATCH: usize = 512;
/// A batch whose answers have so many words gets no more operations: the last one and the look after it may each show all.
const WORDS_MAX: usize = plat_host::kernel_lab::ANSWER_WORDS_MAX / 8;

/// What is compared, and from which seed on.
#[derive(Clone, Copy, Debug)]
struct Plan {
    steps: u64,
    seed: u64,
    per_seed: u64,
    /// Seeds compared at the same time.
    jobs: u64,
    /// Whether processes have nearly as many mappings as they may.
    crowded: bool,
    /// Whether to compare the whole map after each operation, rather than where it may have changed.
    whole: bool,
    /// Whether to tell how often each reason was given.
    reasons: bool,
}

impl Plan {
    /// Returns the number of seeds.
    fn seeds(&self) -> u64 {
        self.steps.div_ceil(self.per_seed)
    }

    /// Returns the operations of the seed that is `index` after the first.
    fn steps_of(&self, index: u64) -> u64 {
        self.per_seed.min(self.steps - index * self.per_seed)
    }
}

/// How often each reason was given.
type Reasons = BTreeMap<&'static str, u64>;

/// Compares; `--steps N` operations, from `--seed S` on, `--per-seed N` of them in one process, `--jobs N` processes at once.
pub(crate) fn sim_diff(arguments: &[String]) -> Result<()> {
    if arguments.iter().any(|word| word == "--windows") {
        return windows::windows(arguments);
    }
    let plan = plan(arguments)?;
    let machine = Machine::read()?;
    println!("kernel {}, {} operations from seed {}", machine.release, plan.steps, plan.seed);
    if let Some(warning) = machine.warning() {
        println!("{warning}");
    }
    let start = Instant::now();
    let reasons = run(&machine, plan)?;
    let (seconds, steps, seeds) = (start.elapsed().as_secs_f64(), plan.steps, plan.seeds());
    let rate = steps as f64 / seconds;
    println!("{steps} operations of {seeds} seeds in {seconds:.2} s ({rate:.0} a second): 0 differences");
    for (reason, count) in reasons {
        println!("{count:>10} {reason}");
    }
    Ok(())
}

fn plan(arguments: &[String]) -> Result<Plan> {
    let jobs = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
    let mut plan = Plan {
        steps: 200_000,
        seed: 1,
        per_seed: STEPS_PER_SEED,
        jobs,
        crowded: false,
        whole: false,
        reasons: false,
    };
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut number = || -> Result<u64> {
            let text = words.next().with_context(|| format!("{word} needs a number"))?;
            text.parse().with_context(|| format!("{word} {text}"))
        };
        match word.as_str() {
            "--reasons" => plan.reasons = true,
            "--crowded" => plan.crowded = true,
            "--whole" => plan.whole = true,
            "--steps" => plan.steps = number()?,
            "--seed" => plan.seed = number()?,
            "--per-seed" => plan.per_seed = number()?.max(1),
            "--jobs" => plan.jobs = number()?.max(1),
            _ => bail!(
                "sim-diff knows --steps, --seed, --per-seed, --jobs, --crowded, --whole, --reasons and --windows, not {word}"
            ),
        }
    }
    Ok(plan)
}

/// Compares all seeds; the error tells of the lowest that was found to differ.
fn run(machine: &Machine, plan: Plan) -> Result<Reasons> {
    let (next, failure) = (AtomicU64::new(0), Mutex::new(None::<(u64, anyhow::Error)>));
    let total = Mutex::new(Reasons::new());
    let work = || {
        let mut reasons = Reasons::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= plan.seeds() {
                break;
            }
            if let Err(error) = run_seed(machine, plan, index, &mut reasons) {
                next.store(plan.seeds(), Ordering::Relaxed);
                let mut failure = failure.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                if failure.as_ref().is_none_or(|(other, _)| *other > index) {
                    *failure = Some((index, error));
                }
            }
        }
        let mut total = total.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        reasons.into_iter().for_each(|(reason, count)| *total.entry(reason).or_default() += count);
    };
    std::thread::scope(|scope| {
        (1..plan.jobs.min(plan.seeds())).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    match failure.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner()) {
        Some((_, error)) => Err(error),
        None => Ok(total.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())),
    }
}

fn run_seed(machine: &Machine, plan: Plan, index: u64, reasons: &mut Reasons) -> Result<()> {
    let (seed, steps) = (plan.seed + index, plan.steps_of(index));
    let setting = if plan.crowded { Setting::crowded(seed, machine)? } else { Setting::of(seed) };
    let Some(found) = compare_seed(machine, &setting, Plan { seed, steps, ..plan }, reasons)? else {
        return Ok(());
    };
    let shortest = match plan.crowded {
        true => shrink::last(&found),
        false => shrink::shrink(machine, &setting, found.operations)?,
    };
    let crowded = if plan.crowded { " --crowded" } else { "" };
    let replay = format!("cargo xtask sim-diff{crowded} --seed {seed} --steps {steps} --per-seed {steps}");
    bail!("seed {seed} differs; replay: {replay}\n{shortest}")
}

/// A batch that the lab has been given.
struct Posted {
    /// Index of its first operation.
    first: usize,
    /// What the lab should answer.
    expected: Vec<u64>,
}

/// A difference: the operations up to it, and what the last was to be answered and was.
struct Found {
    operations: Vec<Operation>,
    wanted: Vec<u64>,
    answered: Vec<u64>,
}

/// Runs one seed; returns the first difference, if there is one.
fn compare_seed(
    machine: &Machine,
    setting: &Setting,
    plan: Plan,
    reasons: &mut Reasons,
) -> Result<Option<Found>> {
    let mut pair = Pair::new(machine, setting)?;
    let mut generator = Generator::new(plan.seed, !machine.swaps);
    if plan.crowded {
        generator.crowd(machine.mappings);
    }
    let mut operations: Vec<Operation> = Vec::new();
    let mut waiting: Option<Posted> = None;
    let (mut spare, mut answers, mut calls) = (Vec::new(), Vec::new(), Vec::<Order>::new());
    loop {
        let first = operations.len();
        let mut expected = std::mem::take(&mut spare);
        expected.clear();
        calls.clear();
        while calls.len() < BATCH && (operations.len() as u64) < plan.steps && expected.len() < WORDS_MAX {
            let operation = generator.next(&pair.space);
            let (order, steps) = pair.simulate(&operation, !plan.whole, &mut expected);
            calls.push(order);
            note(reasons, plan, &steps);
            operations.push(operation);
        }
        if !calls.is_empty() {
            calls.push(pair.look(&mut expected));
            pair.lab.post(&calls)?;
        }
        if let Some(posted) = waiting.take() {
            pair.lab.take(&mut answers)?;
            if answers != posted.expected {
                let (index, at) = answer_of(&posted.expected, first_difference(&posted.expected, &answers));
                operations.truncate(posted.first + index + 1);
                let answer = |words: &[u64]| {
                    let rest = words.get(at..).unwrap_or_default();
                    rest[..answer_size(rest).unwrap_or(0).min(rest.len())].to_vec()
                };
                let (wanted, answered) = (answer(&posted.expected), answer(&answers));
                return Ok(Some(Found { operations, wanted, answered }));
            }
            spare = posted.expected;
        }
        if calls.is_empty() {
            return Ok(None);
        }
        waiting = Some(Posted { first, expected });
    }
}

fn note(reasons: &mut Reasons, plan: Plan, steps: &[Step]) {
    for step in steps.iter().filter(|_| plan.reasons) {
        *reasons.entry(step.reason.code()).or_default() += 1;
    }
}

fn first_difference(wanted: &[u64], answers: &[u64]) -> usize {
    wanted.iter().zip(answers).position(|(a, b)| a != b).unwrap_or(wanted.len().min(answers.len()))
}

/// Returns the number of words of the answer that the words begin with: value, regions, runs of pages.
fn answer_size(words: &[u64]) -> Option<usize> {
    let runs = 2 + 4 * *words.get(1)? as usize;
    Some(runs + 1 + 3 * *words.get(runs)? as usize)
}

/// Returns the index of the answer that the word belongs to, and where that begins.
fn answer_of(words: &[u64], word: usize) -> (usize, usize) {
    let (mut at, mut index) = (0, 0);
    while let Some(size) = words.get(at..).and_then(answer_size) {
        if at + size > word {
            break;
        }
        (at, index) = (at + size, index + 1);
    }
    (index, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_thousand_operations_without_a_difference() {
        let plan = Plan {
            steps: 20_000,
            seed: 1,
            per_seed: 1_000,
            jobs: 2,
            crowded: false,
            whole: false,
            reasons: false,
        };
        let machine = match Machine::read() {
            Ok(machine) => machine,
            Err(error) => return say(&format!("nothing was compared with this kernel: {error:#}")),
        };
        let compared = run(&machine, plan);
        if let Some(warning) = machine.warning() {
            // Another kernel may have other rules: that is news, and no fault of the simulator's.
            return say(&match compared {
                Ok(_) => format!("{warning}; {} operations are equal all the same", plan.steps),
                Err(error) => format!("{warning}; they differ: {error:#}"),
            });
        }
        compared.expect("no difference");
    }

    /// Writes past the capture of the test harness: what was not compared is not silent.
    fn say(text: &str) {
        use std::io::Write;
        drop(writeln!(std::io::stderr(), "sim-diff: {text}"));
    }
}
