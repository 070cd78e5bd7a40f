//! What a user may type behind `plat sim lesson` and `plat sim quiz`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use plat_sim::quiz::Topic;

use super::Format;

/// `plat sim lesson`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plat sim lesson                       list the lessons
  plat sim lesson 5                     read, predict, step
  plat sim lesson 5 --solve             the same with the answers
  plat sim lesson 5 --html -o fork.html a page to step through, forwards and backwards")]
pub(crate) struct SimLesson {
    /// Number of a lesson, or a file with one (docs/sim.md); without it, the list.
    pub(crate) lesson: Option<String>,
    #[command(flatten)]
    pub(crate) ask: SimAsk,
}

/// `plat sim quiz`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plat sim quiz --seed 7                answer on standard input, one line for each question
  plat sim quiz --seed 7 --solve        the same questions with their answers
  plat sim quiz --topic fork --questions
  plat sim quiz --script mine.sim --answers given.txt --format json")]
pub(crate) struct SimQuiz {
    /// Where random numbers start: the same seed asks the same questions.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many questions, at most.
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) count: usize,
    /// What they are about; without it the seed chooses.
    #[arg(long, value_enum)]
    pub(crate) topic: Option<QuizTopic>,
    /// Ask about this script instead of one made from the seed.
    #[arg(long, value_name = "FILE")]
    pub(crate) script: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) ask: SimAsk,
}

/// How questions are asked and answered.
#[derive(Debug, Args)]
pub(crate) struct SimAsk {
    /// Take the answers from this file, one line each, instead of standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["questions", "solve"])]
    pub(crate) answers: Option<PathBuf>,
    /// Print the questions only: no answers, nothing is read.
    #[arg(long, conflicts_with = "solve")]
    pub(crate) questions: bool,
    /// Print the answers and the reasons, too: nothing is read.
    #[arg(long)]
    pub(crate) solve: bool,
    /// Write one self-contained HTML page.
    #[arg(long, conflicts_with_all = ["answers", "questions", "solve", "format"])]
    pub(crate) html: bool,
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Form of the output: text or json.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

/// Topics of exercises.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum QuizTopic {
    /// mmap, munmap, mprotect: cutting and joining.
    Regions,
    /// Touches, page tables, the translation cache.
    Paging,
    /// fork and copy on write.
    Fork,
    /// Files, private and shared.
    Files,
    /// Stacks and the heap.
    Stack,
    /// Reserve and commit.
    Windows,
}

impl From<QuizTopic> for Topic {
    fn from(topic: QuizTopic) -> Self {
        match topic {
            QuizTopic::Regions => Self::Regions,
            QuizTopic::Paging => Self::Paging,
            QuizTopic::Fork => Self::Fork,
            QuizTopic::Files => Self::Files,
            QuizTopic::Stack => Self::Stack,
            QuizTopic::Windows => Self::Windows,
        }
    }
}
