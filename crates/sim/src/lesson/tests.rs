//! The built-in lessons: every answer is computed here, and written down for readers of this file.

use std::fmt::Write;

use super::{Item, Lesson, LessonFiles, Played};

fn played(number: usize) -> Played {
    let (name, text) = Lesson::source(number).expect("built in");
    let lesson = Lesson::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    Played::new(&lesson, &mut LessonFiles).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn dump() {
    let mut text = String::new();
    for number in 1..=Lesson::count() {
        let (name, source) = Lesson::source(number).expect("built in");
        writeln!(text, "== {name}").expect("text");
        match Lesson::parse(source).and_then(|lesson| Played::new(&lesson, &mut LessonFiles)) {
            Err(error) => writeln!(text, "ERROR {error}").expect("text"),
            Ok(played) => {
                for asked in played.questions() {
                    writeln!(text, "{}: {} -> {}", asked.at, asked.text, asked.right_text()).expect("text");
                }
                for step in &played.steps {
                    if let Some(error) = &step.error {
                        writeln!(text, "STEP ERROR {}: {error}", step.text).expect("text");
                    }
                }
            }
        }
    }
    println!("{text}");
}
