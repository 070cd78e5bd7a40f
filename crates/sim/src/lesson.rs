//! Lessons: scripts with prose and questions, [`Lesson`]; carried out with every answer computed, [`Played`].
//!
//! A lesson is a script whose remarks have marks (docs/sim.md), so that `plat sim run` carries it out too. The built-in
//! ones lie in `crates/sim/lessons`. [`quiz`](crate::quiz) makes lessons of nothing but a seed.

mod files;
mod play;
mod question;
mod solve;
#[cfg(test)]
mod tests;
mod words;

pub use files::LessonFiles;
pub use play::{Part, Played, Scene};
pub(crate) use play::{Take, View};
pub use question::{Answer, Asked, Because, Measure, Moment, Question, Side, What, letter};
pub(crate) use solve::{outcome_of, solve};

use plat_regions::linux::Policy;

use crate::machine::Config;
use crate::paging::Format;
use crate::script::{Command, Session, parse_line};

/// A file of `crates/sim/lessons`: name and text.
const BUILTIN: [(&str, &str); 12] = [
    ("01-regions", include_str!("../lessons/01-regions.sim")),
    ("02-structures", include_str!("../lessons/02-structures.sim")),
    ("03-mmap", include_str!("../lessons/03-mmap.sim")),
    ("04-paging", include_str!("../lessons/04-paging.sim")),
    ("05-fork", include_str!("../lessons/05-fork.sim")),
    ("06-stack", include_str!("../lessons/06-stack.sim")),
    ("07-heap", include_str!("../lessons/07-heap.sim")),
    ("08-files", include_str!("../lessons/08-files.sim")),
    ("09-virtualalloc", include_str!("../lessons/09-virtualalloc.sim")),
    ("10-elf", include_str!("../lessons/10-elf.sim")),
    ("11-pe", include_str!("../lessons/11-pe.sim")),
    ("12-cygwin", include_str!("../lessons/12-cygwin.sim")),
];

/// Commands that a lesson may have.
const COMMANDS_MAX: usize = 1000;

/// What is wrong with a lesson.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct LessonError {
    /// From 1.
    pub line: usize,
    /// What is wrong, and what would do.
    pub message: String,
}

/// One thing after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A paragraph.
    Prose(String),
    /// A question.
    Ask(Question),
    /// A command, as it was written.
    Command(String),
}

/// A script with prose and questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lesson {
    /// What it is called.
    pub title: String,
    /// What one learns, in a sentence.
    pub about: String,
    /// The form of the page tables.
    pub format: Format,
    /// Name of the kernel's rules.
    pub policy: &'static str,
    /// Entries of the translation cache.
    pub tlb: usize,
    /// Each item with the line where it begins, from 1.
    pub items: Vec<(usize, Item)>,
}

impl Lesson {
    /// Returns how many lessons are built in.
    pub const fn count() -> usize {
        BUILTIN.len()
    }

    /// Returns the name and the text of a built-in lesson; `number` counts from 1.
    pub fn source(number: usize) -> Option<(&'static str, &'static str)> {
        BUILTIN.get(number.checked_sub(1)?).copied()
    }

    /// Returns a built-in lesson; `number` counts from 1.
    pub fn builtin(number: usize) -> Option<Self> {
        Self::parse(Self::source(number)?.1).ok()
    }

    /// Reads a lesson.
    ///
    /// # Errors
    /// [`LessonError`] with the line.
    pub fn parse(text: &str) -> Result<Self, LessonError> {
        let mut lesson = Self {
            title: String::new(),
            about: String::new(),
            format: Format::FourLevel,
            policy: "linux-modern",
            tlb: 64,
            items: Vec::new(),
        };
        for (index, line) in text.lines().enumerate() {
            lesson.read_line(index + 1, line).map_err(|message| LessonError { line: index + 1, message })?;
        }
        Ok(lesson)
    }

    /// Makes the machine that the lesson runs on.
    pub fn config(&self) -> Config {
        let policy = Policy::builtin(self.policy).unwrap_or_else(|| Config::default().policy);
        Config { format: self.format, policy, tlb_entries: self.tlb, ..Config::default() }
    }

    /// Makes a session with the lesson's commands, none of them carried out.
    ///
    /// # Errors
    /// [`LessonError`] when there are too many commands: every state is kept, so that questions can look at it.
    pub fn session(&self) -> Result<Session, LessonError> {
        let mut session = Session::new(self.config());
        for (number, item) in &self.items {
            let Item::Command(text) = item else { continue };
            let fail = |message: String| LessonError { line: *number, message };
            session.append(text, *number).map_err(|error| fail(error.to_string()))?;
            if session.len() > COMMANDS_MAX {
                return Err(fail(format!("more than {COMMANDS_MAX} commands: too long to ask about")));
            }
        }
        Ok(session)
    }

    fn read_line(&mut self, number: usize, line: &str) -> Result<(), String> {
        let line = line.trim();
        let (mark, rest) = line.split_at(line.char_indices().nth(2).map_or(line.len(), |(at, _)| at));
        let rest = rest.trim();
        match mark {
            "#=" => self.title = rest.to_owned(),
            "#>" => join(&mut self.about, rest),
            "#@" => self.set_option(rest)?,
            "#:" => self.add_prose(number, rest),
            "#?" => self.items.push((number, Item::Ask(words::question(rest)?))),
            "#-" => self.add_choice(rest)?,
            "#!" => match self.items.last_mut() {
                Some((_, Item::Ask(question))) => join(&mut question.note, rest),
                _ => return Err("#! belongs behind a question".into()),
            },
            _ => {
                if parse_line(line, number).map_err(|error| error.to_string())? != Command::Nothing {
                    self.items.push((number, Item::Command(line.to_owned())));
                }
            }
        }
        Ok(())
    }

    fn set_option(&mut self, text: &str) -> Result<(), String> {
        let wrong = || format!("{text:?}: expected levels 2|3|4, policy NAME or tlb N");
        let (name, value) = text.split_once(' ').ok_or_else(wrong)?;
        match (name, value) {
            ("levels", "2") => self.format = Format::TwoLevel,
            ("levels", "3") => self.format = Format::Pae,
            ("levels", "4") => self.format = Format::FourLevel,
            ("policy", name) => {
                self.policy = Policy::BUILTIN.into_iter().find(|known| *known == name).ok_or_else(wrong)?;
            }
            ("tlb", number) => self.tlb = number.parse().map_err(|_| wrong())?,
            _ => return Err(wrong()),
        }
        Ok(())
    }

    /// Adds to the paragraph above; an empty line of prose ends it.
    fn add_prose(&mut self, number: usize, text: &str) {
        match self.items.last_mut() {
            Some((_, Item::Prose(prose))) if !prose.ends_with('\n') && !text.is_empty() => join(prose, text),
            Some((_, Item::Prose(prose))) if text.is_empty() => prose.push('\n'),
            _ if text.is_empty() => {}
            _ => self.items.push((number, Item::Prose(text.to_owned()))),
        }
    }

    fn add_choice(&mut self, text: &str) -> Result<(), String> {
        let (code, words) = text.split_once(": ").ok_or("expected #- CODE: WORDS")?;
        match self.items.last_mut() {
            Some((_, Item::Ask(Question { what: What::Which(choices), .. }))) => {
                choices.push((code.trim().to_owned(), words.trim().to_owned()));
                Ok(())
            }
            _ => Err("#- belongs behind #? next which".into()),
        }
    }
}

fn join(text: &mut String, more: &str) {
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(more);
}
