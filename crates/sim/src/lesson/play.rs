//! A lesson carried out: [`Played`], with every state, every event and every answer.

use std::collections::BTreeMap;

use serde::Serialize;

use super::question::Asked;
use super::{Item, Lesson, LessonError, solve};
use crate::calls::Call;
use crate::process::MemoryId;
use crate::script::{Command, Done, Outside, Session, State, parse_line};
use crate::snapshot::{LevelView, Snapshot, levels};
use crate::structures::{Lens, LensView};

/// Something to be read or to be answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// A paragraph.
    Prose(String),
    /// A question.
    Question(Box<Asked>),
}

/// What is read and asked at one place: after so many commands.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Scene {
    /// Paragraphs and questions in their order, before the next command.
    pub parts: Vec<Part>,
    /// The structures of the current process, counted; absent without a process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lens: Option<LensView>,
}

/// A lesson with everything that happens in it.
#[derive(Clone, Debug, Serialize)]
pub struct Played {
    /// What it is called.
    pub title: String,
    /// What one learns.
    pub about: String,
    /// Name of the kernel's rules.
    pub policy: &'static str,
    /// How an address is cut by the page tables, from the top.
    pub levels: Vec<LevelView>,
    /// Bytes of a page-table entry.
    pub entry_bytes: u64,
    /// Every command and what it did.
    pub steps: Vec<Done>,
    /// The state after 0, 1, 2, … commands: one more than there are steps.
    pub states: Vec<Snapshot>,
    /// What is read and asked in each of these states.
    pub scenes: Vec<Scene>,
}

impl Played {
    /// Carries a lesson out.
    ///
    /// # Errors
    /// [`LessonError`] with the line of a question that the machine cannot answer.
    pub fn new(lesson: &Lesson, outside: &mut dyn Outside) -> Result<Self, LessonError> {
        let take = Take::new(lesson.session()?, outside);
        let mut scenes = vec![Scene::default(); take.states.len()];
        let mut at = 0;
        for (line, item) in &lesson.items {
            let scene = &mut scenes[at];
            match item {
                Item::Command(_) => at += 1,
                Item::Prose(text) => scene.parts.push(Part::Prose(text.trim_end().to_owned())),
                Item::Ask(question) => {
                    let view = take.view(at);
                    let asked =
                        solve(question, &view).map_err(|message| LessonError { line: *line, message });
                    scene.parts.push(Part::Question(Box::new(asked?)));
                }
            }
        }
        for (scene, lens) in scenes.iter_mut().zip(&take.lenses) {
            scene.lens = lens.as_ref().map(Lens::view);
        }
        let format = lesson.config().format;
        Ok(Self {
            title: lesson.title.clone(),
            about: lesson.about.clone(),
            policy: lesson.policy,
            levels: levels(format),
            entry_bytes: format.entry_bytes(),
            states: take.states.iter().map(|state| state.machine.snapshot(state.current)).collect(),
            steps: take.steps,
            scenes,
        })
    }

    /// Iterates over the questions in the order in which they are asked.
    pub fn questions(&self) -> impl Iterator<Item = &Asked> {
        let parts = self.scenes.iter().flat_map(|scene| &scene.parts);
        parts.filter_map(|part| match part {
            Part::Question(asked) => Some(&**asked),
            Part::Prose(_) => None,
        })
    }
}

/// What a question can look at.
pub(crate) struct View<'a> {
    /// How many commands were carried out.
    pub(crate) at: usize,
    /// The state then.
    pub(crate) now: &'a State,
    /// The structures of its process.
    pub(crate) lens: Option<&'a Lens>,
    /// The next command, the state behind it, and its structures.
    pub(crate) next: Option<(&'a Done, &'a State, Option<&'a Lens>)>,
}

/// A script carried out, with every state kept.
pub(crate) struct Take {
    pub(crate) steps: Vec<Done>,
    pub(crate) states: Vec<State>,
    lenses: Vec<Option<Lens>>,
}

impl Take {
    pub(crate) fn new(mut session: Session, outside: &mut dyn Outside) -> Self {
        let mut take = Self { steps: Vec::new(), states: vec![session.state().clone()], lenses: vec![None] };
        let mut lenses = BTreeMap::new();
        while let Some(done) = session.step(outside) {
            let state = session.state().clone();
            note_lookups(&state, &done, &mut lenses);
            let memory = state.current.and_then(|pid| state.machine.processes.get(&pid));
            take.lenses.push(memory.and_then(|process| lenses.get(&process.memory)).cloned());
            take.states.push(state);
            take.steps.push(done);
        }
        take
    }

    /// Returns what there is to see after `at` commands.
    pub(crate) fn view(&self, at: usize) -> View<'_> {
        let next = self.steps.get(at).zip(self.states.get(at + 1));
        let lens = |at: usize| self.lenses.get(at).and_then(Option::as_ref);
        View {
            at,
            now: &self.states[at.min(self.states.len() - 1)],
            lens: lens(at),
            next: next.map(|(done, state)| (done, state, lens(at + 1))),
        }
    }
}

/// Brings the structures of every address space up to date: its regions, and one lookup for each page fault and for each
/// `munmap`, `mprotect` and `brk`, as `plat sim structures` counts them.
fn note_lookups(state: &State, done: &Done, lenses: &mut BTreeMap<MemoryId, Lens>) {
    lenses.retain(|id, _| state.machine.memories.contains_key(id));
    let wanted = match parse_line(&done.text, 1) {
        Ok(Command::Call(
            Call::Unmap { address, .. } | Call::Protect { address, .. } | Call::Brk { address },
        )) => Some(address),
        _ => None,
    };
    for (pid, process) in &state.machine.processes {
        let regions = state.machine.regions(*pid);
        let spans: Vec<_> =
            regions.iter().map(|region| (region.range.start.get(), region.range.end.get())).collect();
        let lens = lenses.entry(process.memory).or_default();
        // A call looks the region up before it changes it.
        if let Some(address) = wanted.filter(|_| state.current == Some(*pid)) {
            lens.find(address.get());
        }
        lens.update(&spans);
        let faults = done.events.iter().filter(|event| event.process == *pid && event.code == "walk-fault");
        for walk in faults.filter_map(|event| event.walk.as_ref()) {
            lens.find(walk.address.get());
        }
    }
}
