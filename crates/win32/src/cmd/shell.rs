//! The interpreter's state: variables, streams, batch files, what `setlocal` and `pushd` keep. Key types: [`Shell`],
//! [`Io`], [`Flow`].

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use plat_host::file::File;

use super::expand::{Modifiers, Values};
use crate::Win32Error;
use crate::logic::messages;
use crate::logic::nls::code_page::CodePage;
use crate::logic::path::Found;
use crate::nt::environment::Variables;
use crate::nt::path::FileSystem;

/// Where a command's streams go.
#[derive(Clone)]
pub struct Io {
    /// Standard input, output, error; `None` for a closed one.
    pub streams: [Option<Arc<File>>; 3],
}

/// How it goes on after a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// With the next one.
    Next,
    /// With the line that `goto` set.
    Jump,
    /// After the batch file or subroutine.
    Return,
    /// Not at all.
    Exit,
}

/// A batch file, or a subroutine of one, that runs.
#[derive(Clone)]
pub struct Batch {
    /// The batch file's full Windows path.
    pub path: String,
    /// Its lines.
    pub lines: Arc<Vec<String>>,
    /// The line that comes next.
    pub at: usize,
    /// `%0`, `%1`, …; `shift` moves them.
    pub arguments: Vec<String>,
    /// `%*`.
    pub all: String,
    /// How many `setlocal`s were open when it began.
    pub saves: usize,
}

/// What `setlocal` keeps.
#[derive(Clone)]
pub struct Saved {
    variables: BTreeMap<String, (String, String)>,
    directory: Vec<u16>,
    delayed: bool,
}

/// The interpreter.
#[derive(Clone)]
pub struct Shell {
    /// Paths and the current directory.
    pub files: Arc<FileSystem>,
    /// By name in upper case: the name as written, and the value.
    variables: BTreeMap<String, (String, String)>,
    /// The error level.
    pub level: i32,
    /// Whether the last command failed, for `&&` and `||`.
    pub failed: bool,
    /// Whether commands of batch files are shown.
    pub echo: bool,
    /// Whether `!NAME!` is expanded.
    pub delayed: bool,
    /// Open `setlocal`s.
    pub saves: Vec<Saved>,
    /// `pushd`'s stack.
    pub directories: Vec<Vec<u16>>,
    /// `for` variables, the innermost last.
    pub loops: Vec<(char, String)>,
    /// Batch files and subroutines, the innermost last.
    pub batches: Vec<Batch>,
    /// `%CMDCMDLINE%`.
    pub command_line: String,
    /// What Windows children are told of the loader's options, and of tracing.
    pub options: (Vec<u8>, u32),
    /// The token that children get, as their record has it; empty where it is what Linux says.
    pub token: Vec<u8>,
    /// How many command lines the interpreter is inside: a batch file that calls itself must come to an end.
    pub depth: usize,
    page: CodePage,
    /// The code page's number.
    pub page_number: u32,
}

/// Converts a text to UTF-16.
pub fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// Converts UTF-16 to a text.
pub fn narrow(text: &[u16]) -> String {
    String::from_utf16_lossy(text)
}

/// Removes all quotes.
pub fn unquote(text: &str) -> String {
    text.chars().filter(|&c| c != '"').collect()
}

/// Splits into words at blanks outside quotes; quotes stay.
pub fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        if c == '"' {
            quoted = !quoted;
        }
        if !quoted && super::syntax::is_blank(c) {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        } else {
            word.push(c);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

impl Io {
    /// Takes the process's own streams.
    pub fn standard() -> Self {
        Self { streams: [0, 1, 2].map(|number| File::standard(number).map(Arc::new)) }
    }
}

impl Shell {
    /// Makes an interpreter with an environment.
    pub fn new(variables: &Variables, command_line: &[u16]) -> Self {
        let mut shell = Self {
            files: Arc::default(),
            variables: BTreeMap::new(),
            level: 0,
            failed: false,
            echo: true,
            delayed: false,
            saves: Vec::new(),
            directories: Vec::new(),
            loops: Vec::new(),
            batches: Vec::new(),
            command_line: narrow(command_line),
            options: (Vec::new(), 0),
            token: Vec::new(),
            depth: 0,
            page: CodePage::new(1, crate::nt::nls::default_pages()).unwrap_or(CodePage::Utf8),
            page_number: 437,
        };
        for (name, value) in variables {
            shell.set(&narrow(name), Some(&narrow(value)));
        }
        for (name, value) in [("PATHEXT", ".COM;.EXE;.BAT;.CMD"), ("PROMPT", "$P$G")] {
            if shell.get(name).is_none() {
                shell.set(name, Some(value));
            }
        }
        shell
    }

    /// Returns a variable that was set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(&name.to_uppercase()).map(|pair| pair.1.as_str())
    }

    /// Sets or removes a variable.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        let key = name.to_uppercase();
        match value {
            Some(value) => {
                let name = self.variables.get(&key).map_or(name, |pair| &pair.0).to_owned();
                self.variables.insert(key, (name, value.to_owned()));
            }
            None => drop(self.variables.remove(&key)),
        }
    }

    /// Says whether the batch file that runs is a `.cmd` file.
    pub fn is_in_cmd_file(&self) -> bool {
        self.batches.last().is_some_and(|batch| batch.path.to_ascii_lowercase().ends_with(".cmd"))
    }

    /// Returns all variables, sorted by name; those that begin with `=` are hidden.
    pub fn all(&self) -> impl Iterator<Item = &(String, String)> {
        self.variables.values().filter(|pair| !pair.0.starts_with('='))
    }

    /// Returns the environment for a child.
    pub fn environment(&self) -> Variables {
        self.variables.values().map(|(name, value)| (wide(name), wide(value))).collect()
    }

    /// Keeps the variables, the directory and the settings.
    pub fn save(&mut self) {
        let directory = crate::nt::path::current(&self.files);
        self.saves.push(Saved { variables: self.variables.clone(), directory, delayed: self.delayed });
    }

    /// Takes back what the last [`Shell::save`] kept; says whether there was one.
    pub fn restore(&mut self) -> bool {
        let Some(saved) = self.saves.pop() else { return false };
        self.variables = saved.variables;
        self.delayed = saved.delayed;
        // A directory that is gone cannot be gone back to.
        let _ = self.files.set_current_directory(&saved.directory);
        true
    }

    /// Returns the current directory.
    pub fn directory(&self) -> String {
        narrow(&crate::nt::path::current(&self.files))
    }

    /// Finds the Unix path of a name as it would be made, and whether it is there.
    ///
    /// # Errors
    /// The error of a name that cannot be one.
    pub fn locate(&self, name: &str) -> Result<(PathBuf, bool), Win32Error> {
        let unix = self.files.resolve_file(&wide(name))?;
        Ok(match self.files.find(&unix) {
            Found::Exists(path) => (path, true),
            Found::NameMissing(path) => (path, false),
            Found::DirectoryMissing(_) => return Err(Win32Error::PATH_NOT_FOUND),
        })
    }

    /// Reads bytes as the console's code page has them.
    pub fn decode(&self, bytes: &[u8]) -> String {
        narrow(&self.page.decode(bytes, 0).unwrap_or_default())
    }

    /// Changes the code page of output and of batch files; says whether there is one of this number.
    pub fn set_page(&mut self, number: u32) -> bool {
        let page = CodePage::new(number, crate::nt::nls::default_pages());
        let is_known = page.is_ok();
        if let Ok(page) = page {
            self.page_number = number;
            self.page = page;
        }
        is_known
    }

    /// Writes a text, `\n` as Windows' line end.
    pub fn print(&self, io: &Io, stream: usize, text: &str) {
        let Some(file) = &io.streams[stream] else { return };
        let text = text.replace('\n', "\r\n");
        let is_terminal = file.is_terminal();
        let bytes = if is_terminal {
            text.into_bytes()
        } else {
            self.page.encode(&wide(&text), 0, None, false).map(|made| made.bytes).unwrap_or_default()
        };
        // Nobody is there to be told of a closed pipe.
        let _ = file.write(&bytes, None);
    }

    /// Writes to standard output.
    pub fn out(&self, io: &Io, text: &str) {
        self.print(io, 1, text);
    }

    /// Fails: a message to standard error, and an error level.
    pub fn fail(&mut self, io: &Io, level: i32, text: &str) -> Flow {
        self.print(io, 2, text);
        self.level = level;
        self.failed = true;
        Flow::Next
    }

    /// Fails with the system's text of an error.
    pub fn fail_with(&mut self, io: &Io, error: Win32Error) -> Flow {
        let text = messages::system_text(error).unwrap_or_else(|| "The operation failed.".to_owned());
        self.fail(io, 1, &format!("{}\n", text.trim_end()))
    }

    /// Returns what `prompt` means now.
    pub fn prompt(&self) -> String {
        let form = self.get("PROMPT").unwrap_or("$P$G").to_owned();
        let mut out = String::new();
        let mut chars = form.chars();
        while let Some(c) = chars.next() {
            if c != '$' {
                out.push(c);
                continue;
            }
            match chars.next().map(|c| c.to_ascii_lowercase()) {
                Some('p') => out.push_str(&self.directory()),
                Some('g') => out.push('>'),
                Some('l') => out.push('<'),
                Some('b') => out.push('|'),
                Some('q') => out.push('='),
                Some('n') => out.extend(self.directory().chars().take(1)),
                Some('s') => out.push(' '),
                Some('a') => out.push('&'),
                Some('c') => out.push('('),
                Some('f') => out.push(')'),
                Some('_') => out.push('\n'),
                Some('$') => out.push('$'),
                Some('v') => out.push_str(super::VERSION),
                _ => {}
            }
        }
        out
    }
}

impl Values for Shell {
    fn variable(&self, name: &str) -> Option<String> {
        if let Some(value) = self.get(name) {
            return Some(value.to_owned());
        }
        match name.to_uppercase().as_str() {
            "CD" => Some(self.directory()),
            "ERRORLEVEL" => Some(self.level.to_string()),
            "CMDEXTVERSION" => Some("2".into()),
            "CMDCMDLINE" => Some(self.command_line.clone()),
            "RANDOM" => Some((plat_host::environment::random_u32() & 0x7fff).to_string()),
            "DATE" => Some(super::files::date_now()),
            "TIME" => Some(super::files::time_now()),
            _ => None,
        }
    }

    fn argument(&self, number: usize) -> Option<String> {
        self.batches.last().map(|batch| batch.arguments.get(number).cloned().unwrap_or_default())
    }

    fn all_arguments(&self) -> Option<String> {
        self.batches.last().map(|batch| batch.all.clone())
    }

    fn loop_variable(&self, letter: char) -> Option<String> {
        self.loops.iter().rev().find(|pair| pair.0 == letter).map(|pair| pair.1.clone())
    }

    fn file_parts(&self, text: &str, modifiers: &Modifiers) -> String {
        super::files::parts(self, text, modifiers)
    }
}
