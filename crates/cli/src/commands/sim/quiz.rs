//! `plat sim quiz`: exercises made from a seed, or about a script.

use std::process::ExitCode;

use anyhow::Context;
use plat_sim::lesson::LessonFiles;
use plat_sim::quiz::{Quiz, Topic};

use super::ask::{self, Heading};
use super::{Disk, text_of};
use crate::arguments::teach::SimQuiz;

/// Makes an exercise and asks.
pub(super) fn quiz(arguments: &SimQuiz) -> anyhow::Result<ExitCode> {
    let topic = arguments.topic.map(Topic::from);
    let quiz = Quiz { seed: arguments.seed, topic, questions: arguments.count };
    let (_, played) = match &arguments.script {
        Some(path) => quiz.about(&text_of(path)?, &mut Disk).with_context(|| path.display().to_string())?,
        None => quiz.make(&mut LessonFiles)?,
    };
    ask::ask(&Heading::Own, &played, &arguments.ask)
}
