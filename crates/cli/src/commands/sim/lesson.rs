//! `plat sim lesson`: the list, or one lesson.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use plat_render::{Align, Table};
use plat_sim::lesson::{Lesson, LessonFiles, Played};

use super::ask::{self, Heading};
use super::{Disk, text_of};
use crate::arguments::Format;
use crate::arguments::teach::SimLesson;

/// Shows the list of lessons, or teaches one.
pub(super) fn lesson(arguments: &SimLesson) -> anyhow::Result<ExitCode> {
    let Some(wanted) = &arguments.lesson else {
        return list(arguments.ask.format);
    };
    let (heading, played) = match wanted.parse::<usize>() {
        Ok(number) => {
            let unknown = || format!("there are lessons 1 to {}", Lesson::count());
            let (name, text) = Lesson::source(number).with_context(unknown)?;
            let played = Lesson::parse(text).and_then(|lesson| Played::new(&lesson, &mut LessonFiles));
            (Heading::Number(number), played.with_context(|| name.to_owned())?)
        }
        Err(_) => {
            let lesson = Lesson::parse(&text_of(Path::new(wanted))?);
            let played = lesson.and_then(|lesson| Played::new(&lesson, &mut MadeOrDisk));
            (Heading::Own, played.with_context(|| wanted.clone())?)
        }
    };
    ask::ask(&heading, &played, &arguments.ask)
}

/// The files of lessons first, then those of this machine: for lessons that teachers write.
struct MadeOrDisk;

impl plat_sim::script::Outside for MadeOrDisk {
    fn file(&mut self, path: &str) -> Option<plat_sim::cache::FileContents> {
        LessonFiles.file(path).or_else(|| Disk.file(path))
    }
}

fn list(format: Format) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let lessons = (1..=Lesson::count()).filter_map(|number| {
        let lesson = Lesson::builtin(number)?;
        let played = Played::new(&lesson, &mut LessonFiles).ok()?;
        Some((number, lesson, played.steps.len(), played.questions().count()))
    });
    match format {
        Format::Json => {
            let one = |(number, lesson, steps, questions): (usize, Lesson, usize, usize)| {
                serde_json::json!({
                    "number": number, "title": lesson.title, "about": lesson.about, "steps": steps,
                    "questions": questions
                })
            };
            let all: Vec<_> = lessons.map(one).collect();
            writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
        }
        Format::Text => {
            let mut table = Table::new(&[
                ("lesson", Align::Right),
                ("steps", Align::Right),
                ("questions", Align::Right),
                ("title", Align::Left),
            ]);
            for (number, lesson, steps, questions) in lessons {
                table.row([number.to_string(), steps.to_string(), questions.to_string(), lesson.title]);
            }
            write!(out, "{}", table.to_text())?;
            writeln!(out, "\nplat sim lesson N reads one; --html -o FILE makes a page of it.")?;
        }
        _ => bail!("--format: the list is written as text or json"),
    }
    Ok(ExitCode::SUCCESS)
}
