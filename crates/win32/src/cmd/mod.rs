//! The builtin command interpreter.

use plat_host::process::ExitPage;

use crate::process::Start;

/// Runs it.
pub fn run(start: &Start) -> ! {
    run_with_page(start, None, Vec::new())
}

/// Runs it as a child.
pub fn run_with_page(_start: &Start, _page: Option<ExitPage>, _options: Vec<u8>) -> ! {
    plat_host::thread::exit_process(1)
}
