//! What happens, one [`Event`] at a time: a code for programs, a sentence for people.
//!
//! The form in JSON is described in docs/sim.md.

use std::borrow::Cow;

use plat_regions::AddressRange;
use serde::Serialize;

use crate::paging::Walk;

/// The number of a process.
pub type Pid = u32;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A program calls the kernel, and what the call returns.
    Call,
    /// The rules of the address space decide.
    Rule,
    /// The processor: translation cache, walk, fault.
    Processor,
    /// The kernel gives, copies or takes a page.
    Page,
    /// A process begins or ends.
    Process,
    /// A program is loaded.
    Load,
    /// A signal or an exception of Windows.
    Signal,
    /// A remark.
    Note,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Event {
    /// The number of the command that it belongs to, from 1.
    pub step: usize,
    /// The process that it happened to.
    pub process: Pid,
    /// Who speaks.
    pub kind: Kind,
    /// A short name that never changes, such as `hint-busy`.
    pub code: Cow<'static, str>,
    /// A sentence.
    pub text: String,
    /// The addresses that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<AddressRange>,
    /// The walk through the page tables, for `walk` and `walk-fault`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub walk: Option<Box<Walk>>,
}

impl Event {
    /// Writes the event as one line, and a walk's tables below it.
    pub fn to_text(&self) -> String {
        let mut text = format!("  [{}] {}", self.code, self.text);
        for line in self.walk.iter().flat_map(|walk| walk.to_lines()) {
            text.push_str("\n      ");
            text.push_str(&line);
        }
        text
    }
}
