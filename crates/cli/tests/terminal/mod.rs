//! A terminal for tests: a pseudo-terminal whose other side is a model of a screen, which answers as a terminal does.

use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// How long something may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

/// A terminal with a program on it.
pub(crate) struct Terminal {
    master: std::fs::File,
    state: Arc<Mutex<State>>,
    child: Child,
    reader: Option<std::thread::JoinHandle<()>>,
}

struct State {
    parser: vt100::Parser,
    /// All that was written to it.
    bytes: Vec<u8>,
}

/// What a program asks with where the cursor is.
const QUESTION: &[u8] = b"\x1b[6n";

impl State {
    /// Takes what was written; returns what the terminal answers.
    fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        let before = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        let mut answer = Vec::new();
        for (at, byte) in bytes.iter().enumerate() {
            self.parser.process(&[*byte]);
            if self.bytes[..=before + at].ends_with(QUESTION) {
                let (row, column) = self.parser.screen().cursor_position();
                answer.extend(format!("\x1b[{};{}R", row + 1, column + 1).into_bytes());
            }
        }
        answer
    }
}

fn size(columns: u16, rows: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

impl Terminal {
    /// Starts a command on a terminal of this size, which it has as its controlling terminal.
    pub(crate) fn start(command: &[&str], columns: u16, rows: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a pty");
        grantpt(&master).expect("granted");
        unlockpt(&master).expect("unlocked");
        tcsetwinsize(&master, size(columns, rows)).expect("a size");
        let name = ptsname(&master, Vec::new()).expect("a name").into_string().expect("text");
        let slave = || -> Stdio {
            std::fs::OpenOptions::new().read(true).write(true).open(&name).expect("the other side").into()
        };
        // `setsid` makes the program's standard input its controlling terminal.
        let child = Command::new("setsid")
            // Whoever runs the tests may ignore signals (`nohup`), and programs inherit that.
            .args(["--ctty", "env", "--default-signal"])
            .args(command)
            .env("TERM", "xterm-256color")
            .stdin(slave())
            .stdout(slave())
            .stderr(slave())
            .spawn()
            .expect("setsid starts");
        let master: OwnedFd = master;
        let master = std::fs::File::from(master);
        let state =
            Arc::new(Mutex::new(State { parser: vt100::Parser::new(rows, columns, 0), bytes: Vec::new() }));
        let reader = std::thread::spawn({
            let (mut master, state) = (master.try_clone().expect("a copy"), Arc::clone(&state));
            move || {
                let mut piece = [0; 4096];
                // The kernel says EIO when nobody has the other side any more.
                while let Ok(read @ 1..) = std::io::Read::read(&mut master, &mut piece) {
                    let answer = state.lock().expect("no panic").take(&piece[..read]);
                    master.write_all(&answer).expect("answered");
                }
            }
        });
        Self { master, state, child, reader: Some(reader) }
    }

    /// Types.
    pub(crate) fn send(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).expect("typed");
    }

    /// Changes the window's size.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.state.lock().expect("no panic").parser.screen_mut().set_size(rows, columns);
        tcsetwinsize(&self.master, size(columns, rows)).expect("a size");
    }

    /// Returns what the screen shows, without blanks at the ends of lines and of the screen.
    pub(crate) fn screen(&self) -> String {
        let state = self.state.lock().expect("no panic");
        let columns = state.parser.screen().size().1;
        let rows: Vec<String> =
            state.parser.screen().rows(0, columns).map(|row| row.trim_end().to_owned()).collect();
        rows.join("\n").trim_end().to_owned()
    }

    /// Looks at the screen itself.
    pub(crate) fn look<T>(&self, at: impl FnOnce(&vt100::Screen) -> T) -> T {
        at(self.state.lock().expect("no panic").parser.screen())
    }

    /// Returns all bytes written so far.
    pub(crate) fn bytes(&self) -> String {
        String::from_utf8_lossy(&self.state.lock().expect("no panic").bytes).into_owned()
    }

    /// Waits until the screen shows something.
    pub(crate) fn await_text(&self, text: &str) {
        let begin = Instant::now();
        while !self.screen().contains(text) {
            assert!(begin.elapsed() < PATIENCE, "no {text:?} on:\n{}\n{:?}", self.screen(), self.bytes());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Returns the number of the program.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the group of processes in the foreground.
    pub(crate) fn foreground(&self) -> i32 {
        rustix::termios::tcgetpgrp(&self.master).expect("a group").as_raw_nonzero().get()
    }

    /// Returns whether the terminal's driver edits and shows lines.
    pub(crate) fn is_in_lines(&self) -> bool {
        let modes = rustix::termios::tcgetattr(&self.master).expect("modes").local_modes;
        use rustix::termios::LocalModes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    /// Waits until keys are read one at a time: what is typed before is shown by the terminal's driver.
    pub(crate) fn await_keys(&self) {
        let begin = Instant::now();
        while self.is_in_lines() {
            assert!(begin.elapsed() < PATIENCE, "no keys are read:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for the program's end, and for all that it wrote.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let begin = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                break status;
            }
            assert!(begin.elapsed() < PATIENCE, "it does not end:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(5));
        };
        if let Some(reader) = self.reader.take() {
            while !reader.is_finished() && begin.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        status
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A program that ended is no more to be ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
