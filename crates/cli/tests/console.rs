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
    let out = root.join("target/fixtures");
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
    let screens = BOTH.map(|bits| {
        let mut terminal = start(bits, arguments);
        for (number, keys) in keys.iter().enumerate() {
            if number == 0 {
                terminal.await_text(if arguments[0] == "lines" { ">" } else { "ready" });
            }
            terminal.await_keys();
            terminal.send(keys);
            // Keys that follow at once could be one sequence with those before.
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        let status = terminal.end();
        assert!(status.success(), "{}: {status}\n{}", bits.name(), terminal.screen());
        assert!(terminal.is_in_lines(), "{}", bits.name());
        format!("{}\n", terminal.screen())
    });
    assert_eq!(screens[0], screens[1]);
    expected.assert_eq(&screens[0]);
}

#[test]
fn keys_become_records() {
    let keys = ["aA\x01\x1b[A\x1b[1;5C\x1bOP\x1b[15;2~", "\x1b", "\x1bx", "é\x7f\r\t", "\x03q"];
    check(
        &["records", "0"],
        &keys,
        &expect![[r#"
        set mode: 1
        ready
        key 1 x1 vk 41 scan 1e char 0061 state 0
        key 1 x1 vk 41 scan 1e char 0041 state 10
        key 1 x1 vk 41 scan 1e char 0001 state 8
        key 1 x1 vk 26 scan 48 char 0000 state 100
        key 1 x1 vk 27 scan 4d char 0000 state 108
        key 1 x1 vk 70 scan 3b char 0000 state 0
        key 1 x1 vk 74 scan 3f char 0000 state 10
        key 1 x1 vk 1b scan 01 char 001b state 0
        key 1 x1 vk 58 scan 2d char 0078 state 2
        key 1 x1 vk 00 scan 00 char 00e9 state 0
        key 1 x1 vk 08 scan 0e char 0008 state 0
        key 1 x1 vk 0d scan 1c char 000d state 0
        key 1 x1 vk 09 scan 0f char 0009 state 0
        key 1 x1 vk 43 scan 2e char 0003 state 8
        key 1 x1 vk 51 scan 10 char 0071 state 0
        ups 14
    "#]],
    );
}

#[test]
fn sequences_are_passed_through() {
    check(
        &["records", "200"],
        &["\x1b[1;5Cq"],
        &expect![[r#"
        set mode: 1
        ready
        key 1 x1 vk 00 scan 00 char 001b state 0
        key 1 x1 vk 00 scan 00 char 005b state 0
        key 1 x1 vk 00 scan 00 char 0031 state 0
        key 1 x1 vk 00 scan 00 char 003b state 0
        key 1 x1 vk 00 scan 00 char 0035 state 0
        key 1 x1 vk 00 scan 00 char 0043 state 0
        key 1 x1 vk 00 scan 00 char 0071 state 0
        ups 0
    "#]],
    );
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
        expect![[r#"
            set mode: 1
            ready
            mouse 2,3 buttons 1 state 0 flags 0
            mouse 2,3 buttons 0 state 0 flags 0
            mouse 0,0 buttons 780000 state 0 flags 4
            size 50x30
            key 1 x1 vk 51 scan 10 char 0071 state 0
            ups 0
        "#]]
        .assert_eq(&format!("{}\n", terminal.screen()));
    }
}

#[test]
fn handles_are_signalled_while_there_are_records() {
    check(
        &["waits"],
        &["z"],
        &expect![[r#"
        nothing yet: 1
        count: 1
        events: 0
        peek: 1
        peeked: 0
        ready
        signalled: 1
        events: 2
        peeked: 2
        key 1 x1 vk 5a scan 2c char 007a state 0
        flush: 1
        flushed: 1
        write: 1
        written: 2
        signalled: 1
        read: 1
        read: 2
        key 1 x1 vk 00 scan 00 char 20ac state 0
        focus 0
        write nonsense: 0, error 87
        records of output: 0, error 6
    "#]],
    );
}

#[test]
fn single_keys_of_the_c_runtime() {
    check(
        &["keys"],
        &["x\x1b[A\x1bOPé", "q"],
        &expect![[r#"
        kbhit: 0
        ready
        getch 78
        getch e0
        getch 48
        getch 00
        getch 3b
        getch 82
        getch 71
        kbhit: 1
        ungetch u
        cputs cprintf 42
        !
    "#]],
    );
}

#[test]
fn lines_are_edited_and_recalled() {
    let keys = ["hello\r", "wörld\x1b[D\x1b[DX\r", "\x1b[A\x1b[A\r", "x\x7f\x04"];
    check(
        &["lines"],
        &keys,
        &expect![[r#"
        > hello
        7, error 0: h e l l o 000d 000a
        > wörXld
        8, error 0: w 00f6 r X l d 000d 000a
        > hello
        7, error 0: h e l l o 000d 000a
        > 0, error 0:
    "#]],
    );
}

#[test]
fn a_control_character_ends_a_line() {
    for bits in BOTH {
        let mut terminal = start(bits, &["completion"]);
        terminal.await_text("> be");
        terminal.await_keys();
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
        expect![[r#"
            abc



            ........................................
                      BCC
                      EFF

                                xyz

            ========================================
            info: 1
            cursor 3,0 of 60x40
            filled: 40
            region 10..11
            read BC EF, attributes 2
            characters 4: xyz
            colours 14 14 7
            outside: 0, error 87
        "#]]
        .assert_eq(&format!("{}\n", terminal.screen()));
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
    check(
        &["facts"],
        &[],
        &expect![[r#"
        input mode: 0x1f7
        output mode: 0x3
        largest 60x40
        more: 1
        window 59x39
        cursor: 1
        cursor 25 1
        font: 1
        named font: 1
        history: 1
        at least two processes: 1
        title: 1
        title's length: 7
        echo without lines: 0, error 87
        smaller: 0, error 87
        a second console: 0, error 5
        free: 1
        CONOUT$ is gone: 1
        of the parent: 1
        CONOUT$ is back: 1
    "#]],
    );
}

#[test]
fn a_console_is_made_of_pipes() {
    check(
        &["pseudo"],
        &[],
        &expect![[r#"
        no size: 0x80070057
        create: 0x0
        resize: 0x0
        list: 1
        attribute: 1
        start: 1
        exit code: 0
        its line was shown: 1
        and read: 1
    "#]],
    );
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
    let ends: [(&str, &str); 5] = [("c", ""), ("", "TERM"), ("", "HUP"), ("", "INT"), ("", "QUIT")];
    for bits in BOTH {
        for (key, signal) in ends {
            let mut terminal = start(bits, &["crash"]);
            terminal.await_text("ready");
            assert!(!terminal.is_in_lines());
            terminal.send(key);
            if !signal.is_empty() {
                let sent = std::process::Command::new("kill")
                    .args(["-s", signal, &terminal.id().to_string()])
                    .status();
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
