//! The built-in lessons: every answer is the simulator's, and the key for teachers (`lessons/answers.txt`) is current.

use std::fmt::Write;

use expect_test::expect_file;

use super::{Answer, Lesson, LessonFiles, Moment, Played, letter};
use crate::script::{NoFiles, Session};

fn played(number: usize) -> (Lesson, Played) {
    let (name, text) = Lesson::source(number).expect("built in");
    let lesson = Lesson::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    let played = Played::new(&lesson, &mut LessonFiles).unwrap_or_else(|error| panic!("{name}: {error}"));
    (lesson, played)
}

#[test]
fn the_key_for_teachers_is_what_the_simulator_answers() {
    let mut text = String::from(
        "# Answers to the built-in lessons, as the simulator computes them; `UPDATE_EXPECT=1 cargo test -p plat-sim` writes this file.\n",
    );
    for number in 1..=Lesson::count() {
        let (lesson, played) = played(number);
        writeln!(text, "\n{number}. {}", lesson.title).expect("text");
        for asked in played.questions() {
            writeln!(text, "  after {:>2}: {}\n            {}", asked.at, asked.text, asked.right_text())
                .expect("text");
        }
    }
    expect_file!["../../lessons/answers.txt"].assert_eq(&text);
}

#[test]
fn every_lesson_goes_through_and_loses_no_frame() {
    for number in 1..=Lesson::count() {
        let (lesson, played) = played(number);
        assert!(!lesson.title.is_empty() && !lesson.about.is_empty(), "lesson {number}");
        assert!(played.questions().count() >= 7, "lesson {number} asks too little");
        assert_eq!(
            (played.states.len(), played.scenes.len()),
            (played.steps.len() + 1, played.steps.len() + 1)
        );
        for step in &played.steps {
            assert_eq!(step.error, None, "lesson {number}: {}", step.text);
        }
        let mut session = lesson.session().expect("commands");
        while session.step(&mut LessonFiles).is_some() {
            session.state().machine.check().unwrap_or_else(|error| panic!("lesson {number}: {error}"));
        }
    }
}

#[test]
fn only_the_right_answer_is_accepted() {
    for number in 1..=Lesson::count() {
        for asked in played(number).1.questions() {
            match &asked.answer {
                Answer::Choice(right) => {
                    for index in 0..asked.choices.len() {
                        assert_eq!(asked.accepts(&letter(index).to_string()), index == *right);
                    }
                }
                Answer::Number(right) => {
                    assert!(asked.accepts(&right.to_string()) && !asked.accepts(&(right + 1).to_string()));
                }
                _ => assert!(asked.accepts(&asked.right_text()) && !asked.accepts("0x1")),
            }
            assert!(!asked.accepts(""), "{}", asked.text);
            assert!(asked.moment == Moment::Now || !asked.because.is_empty(), "{}: no reason", asked.text);
        }
    }
}

#[test]
fn right_choices_stand_anywhere() {
    let mut places = [0; 4];
    for number in 1..=Lesson::count() {
        for asked in played(number).1.questions() {
            if let Answer::Choice(right) = asked.answer {
                places[right.min(3)] += 1;
            }
        }
    }
    let most = places.iter().max().copied().unwrap_or(0);
    assert!(most * 2 < places.iter().sum(), "one place is right too often: {places:?}");
}

#[test]
fn what_is_wrong_with_a_lesson_is_said_with_its_line() {
    let wrong = |text: &str| match Lesson::parse(text) {
        Ok(lesson) => Played::new(&lesson, &mut NoFiles).expect_err("wrong").to_string(),
        Err(error) => error.to_string(),
    };
    for (text, message) in [
        ("#= Title\n#? now bananas", "line 2: \"now bananas\": expected now or next"),
        ("#? now returns", "line 1: \"now returns\": expected now or next"),
        ("#- code: words", "line 1: #- belongs behind #? next which"),
        ("#! a note", "line 1: #! belongs behind a question"),
        ("#@ levels 5", "line 1: \"levels 5\": expected levels 2|3|4"),
        ("process a\n#? next touch", "line 2: there is no next command"),
        ("process a\n#? next touch\nfork", "line 2: the next command touches nothing"),
        ("process a\n#? next which\n#- cow-copy: it copies\nfork", "line 2: none of the choices happens"),
        (
            "process a\n#? next which\n#- fork: one\n#- fork-shared: two\nfork",
            "line 2: two of the choices happen: fork and fork-shared",
        ),
        ("mapp 4 pages", "line 1: line 1, column 1: \"mapp\" is no command"),
    ] {
        assert!(wrong(text).starts_with(message), "{text:?}: {}", wrong(text));
    }
}

#[test]
fn a_script_that_is_too_long_is_refused() {
    let lesson = Lesson::parse(&"map 1 page rw\n".repeat(1001)).expect("commands");
    let error = Played::new(&lesson, &mut NoFiles).expect_err("too long");
    assert_eq!(error.to_string(), "line 1001: more than 1000 commands: too long to ask about");
}

#[test]
fn calls_and_faults_look_a_region_up() {
    let script = "map 2 pages rw at 0x40000\nwrite 0x40000\nread 0x41000\nprotect 1 page at 0x41000 r\nunmap 1 page at 0x40000\nread 0x41000";
    let lesson = Lesson::parse(script).expect("commands");
    let played = Played::new(&lesson, &mut NoFiles).expect("a lesson");
    let lookups: Vec<_> = played
        .scenes
        .iter()
        .map(|scene| scene.lens.as_ref().map_or(0, |lens| lens.rows[0].lookups))
        .collect();
    assert_eq!(lookups, [0, 0, 1, 2, 3, 4, 4]);
}

#[test]
fn a_lesson_is_a_script() {
    for number in 1..=Lesson::count() {
        let (name, text) = Lesson::source(number).expect("built in");
        let mut session = Session::new(Lesson::builtin(number).expect("sound").config());
        session.add_all(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(session.len(), played(number).1.steps.len(), "{name}");
    }
}
