//! The builtin command interpreter: what runs when a program starts `cmd.exe` and there is none.
//!
//! It is no guest program: it runs as a Linux process of plat's own and starts Windows and Unix programs. Reading order:
//! [`syntax`] (text → tree), [`expand`] (variables), [`shell`] (state), [`run`](self) (trees, batch files, programs),
//! then the commands. Pure and tested alone: `syntax`, `expand`, `arithmetic`.

pub mod arithmetic;
mod commands;
mod control;
pub(crate) mod copying;
pub mod expand;
pub(crate) mod file_commands;
mod files;
mod listing;
pub mod reg;
mod run;
pub mod shell;
pub mod syntax;
pub(crate) mod tools;

use plat_host::process::ExitPage;

use crate::nt::start_record::trace_bits;
use crate::process::{Start, exit_status};
use shell::{Flow, Io, Shell, narrow};

/// What `ver` says: the version that plat reports.
pub(crate) const VERSION: &str = "Microsoft Windows [Version 10.0.19045]";

/// What the command line of the interpreter asks for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    /// `/c` and `/k`: the line to run.
    line: Option<String>,
    /// `/k`: it goes on after the line.
    stays: bool,
    /// `/q`: commands are not shown.
    quiet: bool,
    /// `/v:on`.
    delayed: bool,
}

/// Reads `cmd.exe [/s] [/c|/k] [/q] [/d] [/v:on] … line`.
///
/// Quotes around the whole line are dropped unless there are exactly two, no special character stands between them,
/// there is a blank, and they hold the name of a program (which `is_program` says).
///
/// Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/cmd>
fn read_options(text: &str, is_program: impl Fn(&str) -> bool) -> Options {
    let mut options = Options::default();
    let mut rest = after_program(text);
    let mut strips = false;
    loop {
        rest = rest.trim_start();
        let Some(option) = rest.strip_prefix('/') else { return options };
        let letter = option.chars().next().map(|c| c.to_ascii_lowercase());
        let end = option.find([' ', '\t', '/', '"']).unwrap_or(option.len());
        match letter {
            Some('c' | 'k' | 'r') => {
                options.stays = letter == Some('k');
                let line = option[1..].trim_start_matches([' ', '\t']);
                options.line = Some(whole_line(line, strips, is_program));
                return options;
            }
            Some('q') => options.quiet = true,
            Some('s') => strips = true,
            Some('v') => options.delayed = !option[1..end].to_ascii_lowercase().ends_with("off"),
            _ => {}
        }
        rest = &option[end..];
    }
}

fn after_program(text: &str) -> &str {
    let text = text.trim_start();
    match text.strip_prefix('"') {
        Some(rest) => rest.find('"').map_or("", |end| &rest[end + 1..]),
        None => {
            let end = text.find([' ', '\t', '/']).unwrap_or(text.len());
            // `cmd/c` has an option there, `dir/cmd` a name.
            let is_option =
                text[end..].starts_with('/') && text[..end].to_ascii_lowercase().starts_with("cmd");
            let end = if is_option { end } else { text.find([' ', '\t']).unwrap_or(text.len()) };
            &text[end..]
        }
    }
}

fn whole_line(line: &str, strips: bool, is_program: impl Fn(&str) -> bool) -> String {
    let Some(inner) = line.strip_prefix('"') else { return line.to_owned() };
    let Some(last) = inner.rfind('"') else { return inner.to_owned() };
    let between = &inner[..last];
    let keeps = !strips
        && line.matches('"').count() == 2
        && !between.contains(['&', '<', '>', '(', ')', '@', '^', '|'])
        && between.contains([' ', '\t'])
        && is_program(between);
    if keeps { line.to_owned() } else { format!("{between}{}", &inner[last + 1..]) }
}

/// Runs the interpreter for a user; ends the process.
pub fn run(start: &Start) -> ! {
    run_with_page(start, None, Vec::new(), Vec::new())
}

/// Runs the interpreter as a child of another plat process; ends the process.
pub fn run_with_page(start: &Start, page: Option<ExitPage>, options: Vec<u8>, token: Vec<u8>) -> ! {
    if let Some(page) = &page {
        page.set_owner(plat_host::sysinfo::process_id());
    }
    let mut shell = Shell::new(&start.environment, &start.command_line);
    shell.options = (options, trace_bits(start.trace));
    shell.token = token;
    let line = narrow(&start.command_line);
    let code = match tools::tool(&narrow(&start.program)) {
        Some((_, tool)) => tool(&mut shell, after_program(&line), &Io::standard()),
        None => interpret(&mut shell, &line),
    };
    if let Some(page) = &page {
        page.set_code(code as u32, false);
    }
    plat_host::thread::exit_process(exit_status(code as u32))
}

fn interpret(shell: &mut Shell, command_line: &str) -> i32 {
    let io = Io::standard();
    let options = read_options(command_line, |name| shell.find_program(name).is_ok());
    (shell.echo, shell.delayed) = (!options.quiet, options.delayed);
    if let Some(line) = &options.line {
        let flow = shell.line(line, &io);
        if !options.stays || flow == Flow::Exit {
            return shell.level;
        }
    } else {
        shell.out(&io, &format!("{VERSION}\n"));
    }
    loop {
        if shell.echo {
            let prompt = format!("\n{}", shell.prompt());
            shell.out(&io, &prompt);
        }
        let Some(mut line) = shell.read_line(&io) else { return shell.level };
        while matches!(syntax::parse(&line), Err(syntax::Wrong::NeedsMore)) {
            shell.out(&io, "More? ");
            let Some(more) = shell.read_line(&io) else { break };
            line.push('\n');
            line.push_str(&more);
        }
        if shell.line(&line, &io) == Flow::Exit {
            return shell.level;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_found_behind_the_options() {
        for (text, line) in [
            ("cmd.exe /c echo a", "echo a"),
            (r#""C:\windows\system32\cmd.exe" /d /s /c "echo "a b"""#, r#"echo "a b""#),
            ("cmd /cecho a", "echo a"),
            ("cmd/c echo a", "echo a"),
            ("cmd /Q /C echo a", "echo a"),
            (r#"cmd /c "known program" x"#, r#""known program" x"#),
            (r#"cmd /c "known program""#, r#""known program""#),
            (r#"cmd /c "other program""#, "other program"),
            (r#"cmd /s /c "known program""#, "known program"),
            (r#"cmd /c "echo a & echo b""#, "echo a & echo b"),
            (r#"cmd /c "a" "b""#, r#"a" "b"#),
        ] {
            let options = read_options(text, |name| name == "known program");
            assert_eq!(options.line.as_deref(), Some(line), "{text}");
        }
        assert!(read_options("cmd /q", |_| false).quiet);
        assert!(read_options("cmd /v:on /c x", |_| false).delayed);
    }
}
