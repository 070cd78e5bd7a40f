//! Asking and grading, as text, as JSON, or as a page.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{Context, bail};
use plat_sim::lesson::{Asked, Part, Played, letter};
use serde_json::json;

use super::done_text;
use crate::arguments::Format;
use crate::arguments::teach::SimAsk;

/// Columns of prose.
const COLUMNS: usize = 100;

/// What stands above the title.
pub(super) enum Heading {
    /// A built-in lesson.
    Number(usize),
    /// A lesson that somebody wrote, or an exercise.
    Own,
}

impl Heading {
    fn title(&self, played: &Played) -> String {
        match self {
            Self::Number(number) => format!("Lesson {number}. {}", played.title),
            Self::Own => played.title.clone(),
        }
    }
}

/// Shows a lesson with its questions in the form that is wanted; exit code 1 when an answer is wrong or missing.
pub(super) fn ask(heading: &Heading, played: &Played, options: &SimAsk) -> anyhow::Result<ExitCode> {
    let mut out: Box<dyn Write> = match &options.output {
        Some(path) => {
            let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
            Box::new(BufWriter::new(file))
        }
        None => Box::new(std::io::stdout().lock()),
    };
    if options.html {
        let title = heading.title(played);
        out.write_all(plat_render::lesson_html(&title, &serde_json::to_string(played)?).as_bytes())?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    let asker = Asker::new(options)?;
    let all_right = match options.format {
        Format::Text => text(heading, played, asker, &mut out)?,
        Format::Json => as_json(heading, played, asker, &mut out)?,
        _ => bail!("--format: questions are written as text or json; a page is --html"),
    };
    out.flush()?;
    Ok(if all_right { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Where answers come from.
enum Asker {
    /// From lines; on a terminal with a prompt, and a pause before each step.
    Lines { lines: Box<dyn BufRead>, prompts: bool },
    /// Nobody answers: questions only.
    Silent,
    /// Nobody answers: the right answers are shown.
    Solver,
}

impl Asker {
    fn new(options: &SimAsk) -> anyhow::Result<Self> {
        Ok(match &options.answers {
            _ if options.questions => Self::Silent,
            _ if options.solve => Self::Solver,
            Some(path) => {
                let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
                Self::Lines { lines: Box::new(BufReader::new(file)), prompts: false }
            }
            None => Self::Lines {
                lines: Box::new(std::io::stdin().lock()),
                prompts: std::io::stdin().is_terminal(),
            },
        })
    }

    /// Reads an answer; `None` when nobody answers any more.
    fn answer(&mut self) -> std::io::Result<Option<String>> {
        let Self::Lines { lines, prompts } = self else { return Ok(None) };
        let mut line = String::new();
        let some = lines.read_line(&mut line)? > 0;
        if *prompts && line.trim() == "q" {
            // Whoever stops answers nothing more.
            *lines = Box::new(std::io::empty());
            return Ok(None);
        }
        Ok(some.then(|| line.trim().to_owned()))
    }

    /// Waits for Enter on a terminal; false when the reader wants to stop.
    fn pause(&mut self, out: &mut dyn Write) -> std::io::Result<bool> {
        if let Self::Lines { prompts: true, .. } = self {
            write!(out, "\n(Enter steps, q stops) ")?;
            out.flush()?;
            return Ok(self.answer()?.is_some());
        }
        Ok(true)
    }
}

fn text(heading: &Heading, played: &Played, mut asker: Asker, out: &mut dyn Write) -> anyhow::Result<bool> {
    let total = played.questions().count();
    let (mut number, mut right) = (0, 0);
    writeln!(out, "{}\n{}", heading.title(played), wrapped(&played.about, ""))?;
    for (at, scene) in played.scenes.iter().enumerate() {
        let next = played.steps.get(at);
        for part in &scene.parts {
            let asked = match part {
                Part::Question(asked) => asked,
                Part::Prose(prose) => {
                    // Strong words are for pages.
                    writeln!(out, "\n{}", wrapped(&prose.replace("**", ""), ""))?;
                    continue;
                }
            };
            number += 1;
            let text = format!("Question {number} of {total}. {}", asked.text);
            writeln!(out, "\n{}", wrapped(&text, ""))?;
            if let Some(next) = next {
                writeln!(out, "    next command: {}", next.text)?;
            }
            for (index, words) in asked.choices.iter().enumerate() {
                writeln!(out, "    {}) {words}", letter(index))?;
            }
            right += usize::from(one_question(asked, &mut asker, out)?);
        }
        let Some(next) = next else { break };
        if !asker.pause(out)? {
            break;
        }
        match asker {
            // What a command does would answer the question in front of it.
            Asker::Silent => writeln!(out, "\nsim> {}", next.text)?,
            _ => write!(out, "\n{}", done_text(next))?,
        }
    }
    match asker {
        Asker::Lines { .. } => writeln!(out, "\n{right} of {total} right")?,
        Asker::Silent | Asker::Solver => return Ok(true),
    }
    Ok(right == total)
}

/// Asks, reads, grades, explains; true when the answer was right.
fn one_question(asked: &Asked, asker: &mut Asker, out: &mut dyn Write) -> anyhow::Result<bool> {
    match asker {
        Asker::Silent => {
            writeln!(out, "  (answer: {})", asked.hint())?;
            return Ok(false);
        }
        Asker::Solver => writeln!(out, "  Answer: {}", asked.right_text())?,
        Asker::Lines { prompts, .. } => {
            if *prompts {
                write!(out, "answer ({})> ", asked.hint())?;
                out.flush()?;
            }
            let Some(given) = asker.answer()? else {
                writeln!(out, "  not answered")?;
                return Ok(false);
            };
            let is_right = asked.accepts(&given);
            match is_right {
                true => writeln!(out, "  {given}: right.")?,
                false => writeln!(out, "  {given}: wrong. The answer is {}", asked.right_text())?,
            }
            explain(asked, out)?;
            return Ok(is_right);
        }
    }
    explain(asked, out)?;
    Ok(false)
}

fn explain(asked: &Asked, out: &mut dyn Write) -> std::io::Result<()> {
    for because in &asked.because {
        writeln!(out, "    [{}] {}", because.code, because.text)?;
    }
    if !asked.note.is_empty() {
        writeln!(out, "{}", wrapped(&asked.note, "    "))?;
    }
    Ok(())
}

fn as_json(
    heading: &Heading,
    played: &Played,
    mut asker: Asker,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    let (mut right, mut questions) = (0, Vec::new());
    for asked in played.questions() {
        let mut one = json!({
            "at": asked.at,
            "next": played.steps.get(asked.at).map(|step| &step.text),
            "text": asked.text,
            "choices": asked.choices,
            "hint": asked.hint(),
        });
        let is_silent = matches!(asker, Asker::Silent);
        if let Some(given) = asker.answer()? {
            let is_right = asked.accepts(&given);
            right += usize::from(is_right);
            one["given"] = json!(given);
            one["right"] = json!(is_right);
        }
        if !is_silent {
            one["answer"] = json!(asked.right_text());
            one["because"] = json!(asked.because);
            one["note"] = json!(asked.note);
        }
        questions.push(one);
    }
    let total = questions.len();
    // Without answers: the commands and what they did, as far as it gives nothing away.
    let commands: Vec<_> = played.steps.iter().map(|step| &step.text).collect();
    let whole = json!({
        "title": heading.title(played), "about": played.about, "commands": commands,
        "questions": questions, "asked": total, "right": right,
    });
    writeln!(out, "{}", serde_json::to_string_pretty(&whole)?)?;
    Ok(right == total || !matches!(asker, Asker::Lines { .. }))
}

/// Breaks prose into lines, each behind an indent.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = vec![indent.to_owned()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().filter(|line| line.chars().count() + word.chars().count() < COLUMNS);
        match last {
            Some(line) if line.len() == indent.len() => line.push_str(word),
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(format!("{indent}{word}")),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    #[test]
    fn prose_is_broken_at_words() {
        let text = super::wrapped(&"word ".repeat(45), "  ");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| line.starts_with("  word") && line.len() <= super::COLUMNS));
        assert_eq!(super::wrapped("", "  "), "  ");
    }
}
