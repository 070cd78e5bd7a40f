//! Exercises: [`Quiz`] makes a script and questions about it from a seed, or questions about a given script.
//!
//! Equal seeds give equal exercises. Answers and explanations are the simulated machine's, as those of lessons are.

mod write;

use plat_regions::Address;
use serde::Serialize;

use crate::lesson::{
    Item, Lesson, LessonError, Measure, Moment, Played, Question, Side, Take, View, What, outcome_of, solve,
};
use crate::random::Random;
use crate::script::{Command, Outside, WindowsWish, parse_line};

/// What an exercise is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Topic {
    /// `mmap`, `munmap`, `mprotect`: cutting and joining.
    Regions,
    /// Touches, page tables, the page of zeroes, the translation cache.
    Paging,
    /// `fork` and copy on write.
    Fork,
    /// Files, private and shared.
    Files,
    /// Stacks and the heap.
    Stack,
    /// Reserve and commit.
    Windows,
}

impl Topic {
    /// All topics.
    pub const ALL: [Self; 6] =
        [Self::Regions, Self::Paging, Self::Fork, Self::Files, Self::Stack, Self::Windows];

    /// The kinds of questions that belong to it; others are asked when these are not enough.
    const fn kinds(self) -> &'static [KindNumber] {
        match self {
            Self::Regions => &[0, 1, 2, 3, 4],
            Self::Paging => &[5, 6, 8],
            Self::Fork => &[5, 7, 9],
            Self::Files => &[5, 7, 8, 9],
            Self::Stack => &[0, 3, 4, 5],
            Self::Windows => &[0, 3, 5, 8],
        }
    }

    /// Returns its name, as options have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Regions => "regions",
            Self::Paging => "paging",
            Self::Fork => "fork",
            Self::Files => "files",
            Self::Stack => "stack",
            Self::Windows => "windows",
        }
    }
}

/// What is wanted of an exercise.
#[derive(Clone, Copy, Debug)]
pub struct Quiz {
    /// Where random numbers start.
    pub seed: u64,
    /// What it is about; without one, the seed chooses.
    pub topic: Option<Topic>,
    /// How many questions are asked, at most.
    pub questions: usize,
}

/// One question of each kind that fits is a candidate; this tells kinds apart.
type KindNumber = usize;

impl Quiz {
    /// Makes a script and questions about it.
    ///
    /// # Errors
    /// [`LessonError`]: a defect of the generator, found before anybody is asked.
    pub fn make(&self, outside: &mut dyn Outside) -> Result<(Lesson, Played), LessonError> {
        let mut random = Random::new(self.seed);
        let topic = self.topic.unwrap_or(Topic::ALL[random.below(Topic::ALL.len() as u64) as usize]);
        // Every question needs a command or two that lead to it.
        let commands = self.questions.saturating_mul(2).clamp(8, 200);
        let lines = write::script(topic, commands, &mut random, outside);
        let title = format!("Exercise {}: {}", self.seed, topic.name());
        self.ask_about(&title, &lines, topic.kinds(), &mut random, outside)
    }

    /// Makes questions about a script.
    ///
    /// # Errors
    /// [`LessonError`] with the line that is no command.
    pub fn about(&self, script: &str, outside: &mut dyn Outside) -> Result<(Lesson, Played), LessonError> {
        let mut random = Random::new(self.seed);
        let lines: Vec<_> = script.lines().map(str::to_owned).collect();
        let title = format!("Exercise {}", self.seed);
        self.ask_about(&title, &lines, &[], &mut random, outside)
    }

    fn ask_about(
        &self,
        title: &str,
        lines: &[String],
        kinds: &[KindNumber],
        random: &mut Random,
        outside: &mut dyn Outside,
    ) -> Result<(Lesson, Played), LessonError> {
        let mut lesson = Lesson::parse(&lines.join("\n"))?;
        lesson.title = title.to_owned();
        lesson.about = "Before each step: what will the machine do, or how does it stand?".to_owned();
        lesson.items.retain(|(_, item)| matches!(item, Item::Command(_)));
        let take = Take::new(lesson.session()?, outside);
        let chosen = choose(&take, self.questions, kinds, random);
        // From behind, so that the places in front stay what they are.
        for (at, question) in chosen.into_iter().rev() {
            let line = lesson.items.get(at).map_or(0, |(line, _)| *line);
            lesson.items.insert(at, (line, Item::Ask(question)));
        }
        let played = Played::new(&lesson, outside)?;
        Ok((lesson, played))
    }
}

/// Chooses questions, at most one before each command, and of as many kinds as there are; ascending.
///
/// Kinds that are preferred are asked twice before one that is not.
fn choose(
    take: &Take,
    wanted: usize,
    preferred: &[KindNumber],
    random: &mut Random,
) -> Vec<(usize, Question)> {
    let mut all: Vec<(usize, KindNumber, Question)> = Vec::new();
    for at in 0..=take.steps.len() {
        let view = take.view(at);
        let fitting = candidates(&view).into_iter().filter(|(_, question)| solve(question, &view).is_ok());
        all.extend(fitting.map(|(kind, question)| (at, kind, question)));
    }
    for index in (1..all.len()).rev() {
        all.swap(index, random.below(index as u64 + 1) as usize);
    }
    let mut asked = [2usize; KINDS];
    preferred.iter().for_each(|kind| asked[*kind] = 0);
    let mut chosen: Vec<(usize, Question)> = Vec::new();
    while chosen.len() < wanted {
        let free = |(at, ..): &&(usize, KindNumber, Question)| chosen.iter().all(|(taken, _)| taken != at);
        let Some((at, kind, question)) = all.iter().filter(free).min_by_key(|(_, kind, _)| asked[*kind])
        else {
            break;
        };
        asked[*kind] += 1;
        let pick = (*at, question.clone());
        chosen.push(pick);
    }
    chosen.sort_by_key(|(at, _)| *at);
    chosen
}

/// Says whether a call answers with an address that it chose or changed.
fn returns_a_place(command: &Command) -> bool {
    match command {
        Command::Map(_) | Command::BrkBy(_) => true,
        Command::Call(call) => matches!(call.name(), "mmap" | "mremap" | "brk"),
        Command::Windows(_, wish) => {
            matches!(wish, WindowsWish::Alloc(address, ..) if *address != Address::ZERO)
        }
        _ => false,
    }
}

/// Kinds of questions that [`candidates`] makes.
const KINDS: usize = 10;

/// Lists what could be asked before the next command.
fn candidates(view: &View<'_>) -> Vec<(KindNumber, Question)> {
    let mut found = Vec::new();
    let mut add = |kind, moment, what| {
        found.push((kind, Question { moment, what, text: String::new(), note: String::new() }));
    };
    let number = What::Number;
    if let Some((done, after, _)) = view.next {
        let has = |code: &str| done.events.iter().any(|event| event.code == code);
        let command = parse_line(&done.text, 1).unwrap_or(Command::Nothing);
        match command {
            Command::Map(_) | Command::Call(_) | Command::BrkBy(_) | Command::Windows(..) => {
                // What always returns 0, or exactly what was asked for, is not worth a question.
                if has("refused") || returns_a_place(&command) && !has("fixed") {
                    add(0, Moment::Next, What::Returns);
                }
                if has("new-region") || has("merged-below") || has("merged-above") || has("merged-both") {
                    add(1, Moment::Next, What::Merge);
                }
                if has("not-merged-below") {
                    add(2, Moment::Next, What::Why(Side::Below));
                }
                if has("not-merged-above") {
                    add(2, Moment::Next, What::Why(Side::Above));
                }
                let pid = after.current.unwrap_or(0);
                let (before, behind) =
                    (view.now.machine.regions(pid).len(), after.machine.regions(pid).len());
                if before != 0 && before != behind && has("returned") {
                    add(3, Moment::Next, number(Measure::Regions));
                }
                if behind <= 5 && after.machine.memory(pid).is_some_and(|memory| memory.linux().is_some()) {
                    add(4, Moment::Next, What::Maps);
                }
            }
            Command::Touch { .. } if outcome_of(&done.events).is_some() => {
                add(5, Moment::Next, What::Touch);
                if has("walk-fault") {
                    add(6, Moment::Next, number(Measure::Tables));
                }
            }
            Command::Fork | Command::CygwinFork => add(7, Moment::Next, number(Measure::Shared)),
            _ => {}
        }
    }
    let machine = &view.now.machine;
    let Some(memory) = view.now.current.and_then(|pid| machine.memory(pid)) else { return found };
    let pages = memory.tables.all_pages();
    if pages.len() > 1 {
        add(8, Moment::Now, number(Measure::Pages));
    }
    if machine.processes.len() > 1 && machine.totals().shared_frames > 0 {
        add(7, Moment::Now, number(Measure::Shared));
        let counts = |frame| machine.frames.get(frame).map_or(0, |frame| frame.maps);
        if let Some((page, _)) = pages.iter().find(|(_, entry)| counts(entry.frame()) > 1) {
            add(9, Moment::Now, number(Measure::Owners(*page)));
            add(9, Moment::Now, number(Measure::Byte(*page)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::LessonFiles;

    fn made(seed: u64, topic: Option<Topic>) -> Played {
        let quiz = Quiz { seed, topic, questions: 8 };
        quiz.make(&mut LessonFiles).unwrap_or_else(|error| panic!("seed {seed}: {error}")).1
    }

    #[test]
    fn equal_seeds_ask_the_same() {
        for seed in 0..20 {
            let texts = |played: &Played| {
                played.questions().map(|asked| (asked.text.clone(), asked.right_text())).collect::<Vec<_>>()
            };
            assert_eq!(texts(&made(seed, None)), texts(&made(seed, None)));
        }
        assert_ne!(made(1, Some(Topic::Fork)).steps.len(), 0);
    }

    #[test]
    fn every_topic_makes_sound_exercises() {
        for topic in Topic::ALL {
            let mut kinds = std::collections::BTreeSet::new();
            for seed in 0..60 {
                let played = made(seed, Some(topic));
                assert!(played.questions().count() >= 4, "{topic:?}, seed {seed}");
                for step in &played.steps {
                    assert_eq!(step.error, None, "{topic:?}, seed {seed}: {}", step.text);
                }
                for asked in played.questions() {
                    assert!(asked.accepts(&asked.right_text()) || !asked.choices.is_empty());
                    assert!(!asked.accepts(""), "{}", asked.text);
                    kinds.insert(asked.text.split_whitespace().take(4).collect::<Vec<_>>().join(" "));
                }
            }
            assert!(kinds.len() >= 4, "{topic:?} asks only {kinds:?}");
        }
    }

    #[test]
    fn a_script_of_one_s_own_is_asked_about() {
        let quiz = Quiz { seed: 3, topic: None, questions: 3 };
        let script = "map 2 pages rw at 0x40000\nwrite 0x40000 5\nfork\nwrite 0x40000 6\n";
        let (lesson, played) = quiz.about(script, &mut LessonFiles).expect("a script");
        assert_eq!((played.steps.len(), played.questions().count()), (4, 3));
        assert_eq!(lesson.items.len(), 7);
        assert!(quiz.about("mapp 1", &mut LessonFiles).is_err());
    }
}
