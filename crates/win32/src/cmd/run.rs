//! Running what was parsed: trees, batch files, redirections, pipes, programs.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;

use plat_host::file::{File, Open};

use super::expand;
use super::shell::{Batch, Flow, Io, Shell, narrow, unquote, wide, words};
use super::syntax::{self, Node, Place, Redirect, Wrong};
use super::tools;
use crate::Win32Error;
use crate::logic::path::{Device, Target};
use crate::nt::path::status_of;
use crate::nt::process_create::{self, Image, ImageKind, Launch};
use crate::nt::start_record::{StartRecord, Startup};
use crate::nt::wait::{self, WaitFor};

/// How deep batch files may call each other.
const DEPTH_MAX: usize = 200;

/// What Windows says to a word that is nothing.
fn unknown(name: &str) -> String {
    format!(
        "'{name}' is not recognized as an internal or external command,\noperable program or batch file.\n"
    )
}

impl Shell {
    /// Runs one line as it was typed.
    pub fn line(&mut self, text: &str, io: &Io) -> Flow {
        if self.depth >= DEPTH_MAX {
            return self.fail(io, 1, "******  B A T C H   R E C U R S I O N  exceeds STACK limits ******\n");
        }
        self.depth += 1;
        let expanded = expand::percent(text, self);
        let flow = match syntax::parse(&expanded) {
            Ok(None) => Flow::Next,
            Ok(Some(node)) => self.run(&node, io),
            Err(wrong) => self.wrong_syntax(&wrong, io),
        };
        self.depth -= 1;
        flow
    }

    fn wrong_syntax(&mut self, wrong: &Wrong, io: &Io) -> Flow {
        let text = match wrong {
            Wrong::Unexpected(what) if !what.is_empty() => {
                format!("{what} was unexpected at this time.\n")
            }
            _ => "The syntax of the command is incorrect.\n".to_owned(),
        };
        self.fail(io, 255, &text);
        // A batch file ends there.
        if self.batches.is_empty() { Flow::Next } else { Flow::Exit }
    }

    /// Runs a tree.
    pub fn run(&mut self, node: &Node, io: &Io) -> Flow {
        match node {
            Node::Simple(text) => self.simple(text, io),
            Node::Quiet(inner) => self.run(inner, io),
            Node::Block(nodes) => {
                for node in nodes {
                    match self.run(node, io) {
                        Flow::Next => {}
                        other => return other,
                    }
                }
                Flow::Next
            }
            Node::Redirected(inner, redirects) => match self.redirect(redirects, io) {
                Ok(io) => self.run(inner, &io),
                Err(error) => self.fail_with(io, error),
            },
            Node::Then(left, right) => match self.run(left, io) {
                Flow::Next => self.run(right, io),
                other => other,
            },
            Node::And(left, right) => match self.run(left, io) {
                Flow::Next if !self.failed => self.run(right, io),
                other => other,
            },
            Node::Or(left, right) => match self.run(left, io) {
                Flow::Next if self.failed => self.run(right, io),
                other => other,
            },
            Node::Pipe(left, right) => self.pipe(left, right, io),
            Node::If { ignores_case, is_negated, condition, then, otherwise } => {
                match self.holds(condition, *ignores_case) {
                    Err(text) => self.fail(io, 255, &text),
                    Ok(holds) if holds != *is_negated => self.run(then, io),
                    Ok(_) => match otherwise {
                        Some(otherwise) => self.run(otherwise, io),
                        None => Flow::Next,
                    },
                }
            }
            Node::For { kind, variable, set, body } => self.for_loop(kind, *variable, set, body, io),
        }
    }

    /// Expands what is expanded when a command runs: `for` variables, then `!NAME!`.
    pub fn late(&self, text: &str) -> String {
        let text = expand::loop_variables(text, self);
        if self.delayed { expand::delayed(&text, self) } else { text }
    }

    fn redirect(&self, redirects: &[Redirect], io: &Io) -> Result<Io, Win32Error> {
        let mut io = io.clone();
        for redirect in redirects {
            let file = match &redirect.place {
                Place::Stream(of) => io.streams.get(*of as usize).cloned().flatten(),
                Place::File(name) => Some(Arc::new(self.open(&unquote(&self.late(name)), redirect)?)),
            };
            if let Some(stream) = io.streams.get_mut(redirect.stream as usize) {
                *stream = file;
            }
        }
        Ok(io)
    }

    fn open(&self, name: &str, redirect: &Redirect) -> Result<File, Win32Error> {
        let how = Open {
            read: redirect.is_input,
            write: !redirect.is_input,
            create: !redirect.is_input,
            append: redirect.appends,
            mode: 0o666,
            ..Open::default()
        };
        let path = match self.files.resolve(&wide(name))? {
            Target::Device(Device::Null) => Path::new("/dev/null").to_owned(),
            Target::Device(Device::Absent | Device::MountManager) => return Err(Win32Error::FILE_NOT_FOUND),
            Target::Device(_) => Path::new("/dev/tty").to_owned(),
            Target::File { .. } => self.locate(name)?.0,
        };
        let file = File::open(&path, how).map_err(status_of)?;
        if !redirect.is_input && !redirect.appends {
            // A device has no size to set.
            let _ = file.set_size(0);
        }
        Ok(file)
    }

    /// Runs both sides at once, each in a copy of the interpreter.
    fn pipe(&mut self, left: &Node, right: &Node, io: &Io) -> Flow {
        let Ok((read, write)) = File::pipe() else {
            return self.fail_with(io, Win32Error::NOT_ENOUGH_MEMORY);
        };
        let directory = crate::nt::path::current(&self.files);
        let mut from = io.clone();
        from.streams[1] = Some(Arc::new(write));
        let mut to = io.clone();
        to.streams[0] = Some(Arc::new(read));
        let (done, wait) = mpsc::channel::<()>();
        let (mut copy, node) = (self.clone(), left.clone());
        let started = plat_host::thread::spawn(move || {
            copy.run(&node, &from);
            drop((from, done));
        });
        if started.is_err() {
            return self.fail_with(io, Win32Error::NOT_ENOUGH_MEMORY);
        }
        let mut second = self.clone();
        second.run(right, &to);
        // The left side learns that nobody reads any more, and is waited for.
        drop(to);
        let _ = wait.recv();
        (self.level, self.failed) = (second.level, second.failed);
        let _ = self.files.set_current_directory(&directory);
        Flow::Next
    }

    /// Runs a line in a copy of the interpreter and returns what it writes.
    pub fn capture(&mut self, line: &str, io: &Io) -> Vec<u8> {
        let Ok((read, write)) = File::pipe() else { return Vec::new() };
        let mut from = io.clone();
        from.streams[1] = Some(Arc::new(write));
        let (mut copy, line) = (self.clone(), line.to_owned());
        let started = plat_host::thread::spawn(move || {
            // It is a line of its own, in no batch file.
            copy.batches.clear();
            copy.line(&line, &from);
        });
        let mut bytes = Vec::new();
        let mut piece = vec![0; 64 * 1024];
        while started.is_ok() {
            match read.read(&mut piece, None) {
                Ok(count) if count > 0 => bytes.extend_from_slice(&piece[..count]),
                _ => break,
            }
        }
        bytes
    }

    fn simple(&mut self, text: &str, io: &Io) -> Flow {
        let text = self.late(text);
        let text = text.trim_start_matches(syntax::is_blank);
        if text.is_empty() {
            return Flow::Next;
        }
        if let Some((name, rest)) = super::commands::split(text) {
            self.failed = false;
            return super::commands::run(self, name, rest, text, io);
        }
        let (name, rest) = split_program(text);
        self.program(&name, &rest, io, false)
    }

    /// Runs a program or a batch file; `calls` says whether a batch file comes back.
    pub fn program(&mut self, name: &str, rest: &str, io: &Io, calls: bool) -> Flow {
        let bare = unquote(name);
        if let [letter, b':'] = bare.as_bytes()
            && letter.is_ascii_alphabetic()
            && rest.trim().is_empty()
        {
            return match self.files.set_current_directory(&wide(&format!("{bare}."))) {
                Ok(()) => Flow::Next,
                Err(_) => self.fail(io, 1, "The system cannot find the drive specified.\n"),
            };
        }
        match self.find_program(&bare) {
            Ok(image) if image.kind == ImageKind::Batch => {
                let flow = self.batch(&image, name, rest, io);
                if calls || self.batches.is_empty() || flow == Flow::Exit { flow } else { Flow::Return }
            }
            Ok(image)
                if image.kind == ImageKind::Interpreter && tools::tool(&narrow(&image.windows)).is_some() =>
            {
                self.tool(&narrow(&image.windows), rest, io)
            }
            Ok(image) => {
                let line = format!("{name}{rest}");
                match self.start(image, &line, io) {
                    Ok(code) => {
                        self.level = code as i32;
                        self.failed = code != 0;
                        Flow::Next
                    }
                    Err(error) => self.fail_with(io, error),
                }
            }
            Err(Win32Error::FILE_NOT_FOUND)
                if !bare.contains(['\\', '/']) && tools::tool(&bare).is_some() =>
            {
                self.tool(&bare, rest, io)
            }
            Err(Win32Error::FILE_NOT_FOUND | Win32Error::PATH_NOT_FOUND) => {
                let level = if self.batches.is_empty() { 1 } else { 9009 };
                self.fail(io, level, &unknown(name))
            }
            Err(error) => self.fail_with(io, error),
        }
    }

    /// Runs a tool of the system's without another process.
    fn tool(&mut self, program: &str, rest: &str, io: &Io) -> Flow {
        if let Some((_, tool)) = tools::tool(program) {
            self.level = tool(self, rest, io);
            self.failed = self.level != 0;
        }
        Flow::Next
    }

    /// Returns streams whose output goes to a file.
    pub(super) fn output_file(&self, name: &str, io: &Io) -> Result<Io, Win32Error> {
        let place = Place::File(name.to_owned());
        let mut io = io.clone();
        let redirect = Redirect { stream: 1, is_input: false, appends: false, place };
        io.streams[1] = Some(Arc::new(self.open(name, &redirect)?));
        Ok(io)
    }

    /// Finds a program: here or by its folder, then in `PATH`; the extensions of `PATHEXT` are tried in their order.
    ///
    /// # Errors
    /// `FILE_NOT_FOUND`, and what is wrong with the file found.
    pub fn find_program(&self, name: &str) -> Result<Image, Win32Error> {
        use crate::logic::program_search as search;
        let wide_name = wide(name);
        let mut folders = vec![Vec::new()];
        if !search::has_folder(&wide_name) {
            folders.extend(process_create::path_folders(&wide(self.get("PATH").unwrap_or(""))));
        }
        let extensions: Vec<String> = self
            .get("PATHEXT")
            .unwrap_or("")
            .split(';')
            .filter(|text| !text.is_empty())
            .map(String::from)
            .collect();
        for folder in folders {
            let base =
                if folder.is_empty() { name.to_owned() } else { format!("{}\\{name}", narrow(&folder)) };
            let mut tries = Vec::new();
            if search::extension(&wide_name).is_some_and(|extension| !extension.is_empty()) {
                tries.push(base.clone());
            }
            tries.extend(extensions.iter().map(|extension| format!("{base}{}", extension.to_lowercase())));
            tries.push(base);
            for name in tries {
                match process_create::at(&self.files, &wide(&name)) {
                    Err(Win32Error::FILE_NOT_FOUND | Win32Error::PATH_NOT_FOUND) => {}
                    // A folder of this name, or a file without extension that is no program.
                    Err(_) if search::extension(&wide(&name)).is_none() => {}
                    other => return other,
                }
            }
        }
        Err(Win32Error::FILE_NOT_FOUND)
    }

    /// Starts a program and waits for it; returns its exit code.
    fn start(&self, image: Image, line: &str, io: &Io) -> Result<u32, Win32Error> {
        let child = self.start_only(image, line, io)?;
        let how = WaitFor { all: false, alertable: false, deadline: None };
        let objects: [crate::nt::object::ObjectRef; 1] = [child.clone()];
        wait::wait(&objects, how)?;
        Ok(child.exit_code())
    }

    /// Starts a program.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn start_only(
        &self,
        image: Image,
        line: &str,
        io: &Io,
    ) -> Result<Arc<crate::nt::process_object::ProcessObject>, Win32Error> {
        use std::os::fd::AsFd;
        let standard = [0, 1, 2].map(|at: usize| io.streams[at].as_ref().map(|file| file.as_fd()));
        let mut kept = Vec::new();
        let jobs = crate::nt::job::for_child(false, &mut kept);
        let launch = Launch { standard, kept, directory: None, new_group: false, terminal: None };
        let environment = self.environment();
        if image.kind == ImageKind::Unix {
            return Ok(launch.unix(&image.unix, &wide(line), &environment)?);
        }
        let record = StartRecord {
            image: image.unix,
            program: image.windows,
            is_builtin: image.kind != ImageKind::Windows,
            command_line: wide(line),
            current_directory: crate::nt::path::current(&self.files),
            environment,
            startup: Startup { title: Vec::new(), ..Startup::default() },
            jobs,
            options: self.options.0.clone(),
            token: self.token.clone(),
            trace: self.options.1,
            ..StartRecord::default()
        };
        Ok(launch.windows(record)?)
    }

    /// Runs a batch file with the text of its arguments.
    pub fn batch(&mut self, image: &Image, name: &str, rest: &str, io: &Io) -> Flow {
        let Some(bytes) = super::files::read(&image.unix) else {
            return self.fail_with(io, Win32Error::ACCESS_DENIED);
        };
        let text = self.decode(bytes.split(|&byte| byte == 0x1a).next().unwrap_or(&[]));
        let lines: Vec<String> =
            text.split('\n').map(|line| line.trim_end_matches('\r').to_owned()).collect();
        let mut arguments = vec![name.to_owned()];
        arguments.extend(words(rest));
        self.enter(
            Batch {
                path: narrow(&image.windows),
                lines: Arc::new(lines),
                at: 0,
                arguments,
                all: rest.trim_start_matches(syntax::is_blank).trim_end().to_owned(),
                saves: self.saves.len(),
            },
            io,
        )
    }

    /// Runs a batch file or subroutine to its end.
    pub fn enter(&mut self, batch: Batch, io: &Io) -> Flow {
        if self.batches.len() >= DEPTH_MAX {
            return self.fail(io, 1, "******  B A T C H   R E C U R S I O N  exceeds STACK limits ******\n");
        }
        let saves = batch.saves;
        self.batches.push(batch);
        let flow = loop {
            match self.next_command(io) {
                Some(Flow::Next | Flow::Jump) => {}
                Some(Flow::Return) | None => break Flow::Next,
                Some(Flow::Exit) => break Flow::Exit,
            }
        };
        self.batches.pop();
        while self.saves.len() > saves {
            self.restore();
        }
        flow
    }

    fn take_line(&mut self) -> Option<String> {
        let batch = self.batches.last_mut()?;
        let line = batch.lines.get(batch.at)?.clone();
        batch.at += 1;
        Some(line)
    }

    /// Runs the next command of the batch file, which may have several lines; `None` at its end.
    fn next_command(&mut self, io: &Io) -> Option<Flow> {
        let raw = self.take_line()?;
        if raw.trim_start_matches(syntax::is_blank).starts_with(':') {
            return Some(Flow::Next);
        }
        let mut text = expand::percent(&raw, self);
        loop {
            // A caret at the end takes the next line, too.
            while text.chars().rev().take_while(|&c| c == '^').count() % 2 == 1 {
                let Some(more) = self.take_line() else { break };
                text.push('\n');
                text.push_str(&expand::percent(&more, self));
            }
            match syntax::parse(&text) {
                Err(Wrong::NeedsMore) => {
                    let Some(more) = self.take_line() else {
                        return Some(self.wrong_syntax(&Wrong::Unexpected(String::new()), io));
                    };
                    text.push('\n');
                    text.push_str(&expand::percent(&more, self));
                }
                Err(wrong) => return Some(self.wrong_syntax(&wrong, io)),
                Ok(None) => return Some(Flow::Next),
                Ok(Some(node)) => {
                    if self.echo && !matches!(node, Node::Quiet(_)) {
                        self.out(io, &format!("\n{}{} \n", self.prompt(), text.trim()));
                    }
                    return Some(self.run(&node, io));
                }
            }
        }
    }
}

/// Splits the name of a program, with its quotes, from the rest.
fn split_program(text: &str) -> (String, String) {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            c if !quoted
                && (syntax::is_blank(c)
                    || (c == '/' && at > 0 && !text[..at].contains(['.', ':', '\\', '/']))) =>
            {
                return (text[..at].to_owned(), text[at..].to_owned());
            }
            _ => {}
        }
    }
    (text.to_owned(), String::new())
}
