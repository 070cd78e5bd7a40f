//! Guest programs on a terminal: what they get for keys, mouse and window, what the screen shows, and that the
//! terminal is as it was when they are gone. Needs mingw-w64 and `setsid`.

#[path = "../../../xtask/src/fixtures/mod.rs"]
#[allow(dead_code)] // Recording is used by xtask only.
mod fixtures;
mod terminal;

use expect_test::{Expect, expect};
use fixtures::build::{Bits, build_all, repository_root};
use std::sync::OnceLock;
use terminal::Terminal;

const PLAT: &str = env!("CARGO_BIN_EXE_plat");
const BOTH: [Bits; 2] = [Bits::X64, Bits::X86];

/// Builds the guests once and returns the path of one.
fn program(name: &str, bits: Bits) -> String {
    static BUILT: OnceLock<()> = OnceLock::new();
    let root = repository_root(env!("CARGO_MANIFEST_DIR"));
    let out = root.join("target/fixtures-console");
    BUILT.get_or_init(|| {
        build_all(&root, &out).unwrap_or_else(|error| panic!("{error:#}"));
    });
    out.join(bits.name()).join(name).with_extension("exe").to_string_lossy().into_owned()
}

fn start(bits: Bits, arguments: &[&str]) -> Terminal {
    let program = program("console_events", bits);
    let command: Vec<&str> = [PLAT, "run", &program].iter().chain(arguments).copied().collect();
    Terminal::start(&command, 60, 40)
}

/// Runs the fixture in both bitnesses, types `keys` when it is ready, and compares the screen in the end.
fn check(arguments: &[&str], keys: &[&str], expected: &Expect) {
    for bits in BOTH {
        let mut terminal = start(bits, arguments);
        for (number, keys) in keys.iter().enumerate() {
            if number == 0 {
                terminal.await_text(if arguments[0] == "lines" { "> " } else { "ready" });
            }
            terminal.send(keys);
            // Keys that follow at once could be one sequence with those before.
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        let status = terminal.end();
        assert!(status.success(), "{}: {status}\n{}", bits.name(), terminal.screen());
        expected.assert_eq(&format!("{}\n", terminal.screen()));
        assert!(terminal.is_in_lines(), "{}", bits.name());
    }
}

#[test]
fn keys_become_records() {
    let keys = ["aA\x01\x1b[A\x1b[1;5C\x1bOP\x1b[15;2~", "\x1b", "\x1bx", "é\x7f\r\t", "\x03q"];
    check(&["records", "0"], &keys, &expect![[""]]);
}

#[test]
fn sequences_are_passed_through() {
    check(&["records", "200"], &["\x1b[1;5Cq"], &expect![[""]]);
}

#[test]
fn mouse_and_window_are_told() {
    for bits in BOTH {
        let mut terminal = start(bits, &["records", "98"]);
        terminal.await_text("ready");
        assert!(terminal.bytes().contains("\x1b[?1003h"), "the mouse is asked for");
        terminal.send("\x1b[<0;3;4M\x1b[<0;3;4m\x1b[<64;1;1M");
        terminal.await_text("780000");
        terminal.resize(50, 30);
        terminal.await_text("size 50x30");
        terminal.send("q");
        assert!(terminal.end().success());
        assert!(terminal.bytes().ends_with("\x1b[?1003l"), "and given back: {:?}", terminal.bytes());
        expect![[""]].assert_eq(&format!("{}\n", terminal.screen()));
    }
}

#[test]
fn handles_are_signalled_while_there_are_records() {
    check(&["waits"], &["z"], &expect![[""]]);
}

#[test]
fn single_keys_of_the_c_runtime() {
    check(&["keys"], &["x\x1b[A\x1bOPé", "q"], &expect![[""]]);
}

#[test]
fn lines_are_edited_and_recalled() {
    let keys = ["hello\r", "wörld\x1b[D\x1b[DX\r", "\x1b[A\x1b[A\r", "x\x7f\x04"];
    check(&["lines"], &keys, &expect![[""]]);
}

#[test]
fn a_control_character_ends_a_line() {
    for bits in BOTH {
        let mut terminal = start(bits, &["completion"]);
        terminal.await_text("> be");
        terminal.send("x\t");
        assert!(terminal.end().success());
        assert_eq!(terminal.screen(), "> bexread: 1\n4: 0062 0065 0078 0009");
    }
}

#[test]
fn cells_are_drawn() {
    for bits in BOTH {
        let mut terminal = start(bits, &["cells"]);
        assert!(terminal.end().success());
        expect![[""]].assert_eq(&format!("{}\n", terminal.screen()));
        let colours = terminal.look(|screen| {
            let cell = screen.cell(10, 0).expect("a cell").clone();
            (cell.fgcolor(), cell.bgcolor())
        });
        assert_eq!(colours, (vt100::Color::Idx(1), vt100::Color::Idx(4)));
        assert!(!terminal.bytes().contains("\x1b[2J"), "nothing is cleared");
    }
}

#[test]
fn a_second_screen_is_shown_and_goes() {
    for bits in BOTH {
        let mut terminal = start(bits, &["screens"]);
        terminal.await_text("line 2 shown");
        assert!(terminal.look(vt100::Screen::alternate_screen));
        assert_eq!(terminal.screen(), "second, line 1\nline 2 shown");
        terminal.send("x");
        assert!(terminal.end().success());
        assert!(!terminal.look(vt100::Screen::alternate_screen));
        assert_eq!(terminal.screen(), "first\nmade: 1\ncursor there 6,1");
    }
}

#[test]
fn facts_of_a_terminal() {
    check(&["facts"], &[], &expect![[""]]);
}

/// Text goes to a terminal as it is: nothing is asked, nothing is switched.
#[test]
fn text_streams() {
    for bits in BOTH {
        let program = program("hello", bits);
        let mut terminal = Terminal::start(&[PLAT, "run", &program], 60, 10);
        terminal.end();
        assert!(!terminal.bytes().contains('\x1b'), "{:?}", terminal.bytes());
    }
}

#[test]
fn without_a_terminal_there_is_no_console() {
    for bits in BOTH {
        let output = std::process::Command::new("setsid")
            .args([PLAT, "run", &program("console_events", bits), "facts"])
            .output()
            .expect("setsid starts");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "no console, error 6\r\n");
    }
}

/// However a program ends, the terminal reads lines again, in its own colours.
#[test]
fn the_terminal_is_put_back() {
    let ends: [(&str, &str); 5] =
        [("c", ""), ("", "TERM"), ("", "HUP"), ("", "INT"), ("", "QUIT")];
    for bits in BOTH {
        for (key, signal) in ends {
            let mut terminal = start(bits, &["crash"]);
            terminal.await_text("ready");
            assert!(!terminal.is_in_lines());
            terminal.send(key);
            if !signal.is_empty() {
                let sent = std::process::Command::new("kill").args(["-s", signal, &terminal.id().to_string()]).status();
                assert!(sent.expect("kill starts").success());
            }
            assert!(!terminal.end().success());
            assert!(terminal.is_in_lines(), "{key:?} {signal}");
            assert!(terminal.bytes().contains("\x1b[0m"), "{key:?} {signal}: {:?}", terminal.bytes());
        }
    }
}

/// A program that a shell stops gives the terminal back, and takes it again when it goes on.
#[test]
fn a_stopped_program_gives_the_terminal_back() {
    let program = program("console_events", Bits::X64);
    let script = format!(
        "set -m; {PLAT} run {program} records 1 & sleep 0.1; fg; echo stopped; stty -a | grep -o '.icanon'; fg; echo over"
    );
    let mut terminal = Terminal::start(&["bash", "--norc", "-c", &script], 80, 30);
    terminal.await_text("ready");
    terminal.send("a");
    terminal.await_text("char 0061");
    let group = terminal.foreground();
    let sent = std::process::Command::new("kill").args(["-s", "TSTP", "--", &format!("-{group}")]).status();
    assert!(sent.expect("kill starts").success());
    terminal.await_text(" icanon");
    terminal.send("b");
    terminal.await_text("char 0062");
    assert!(!terminal.is_in_lines());
    terminal.send("q");
    terminal.await_text("over");
    terminal.end();
    assert!(terminal.is_in_lines());
}
