//! Short texts that name owners and reasons: cheap to copy, whether built in or made at run time.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A text that is copied often and never changed: who owns a region, or why it lies where it lies.
#[derive(Clone)]
pub struct Label(Inner);

#[derive(Clone)]
enum Inner {
    Static(&'static str),
    Shared(Arc<str>),
}

impl Label {
    /// Wraps a text that lives as long as the program.
    pub const fn fixed(text: &'static str) -> Self {
        Self(Inner::Static(text))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Inner::Static(text) => text,
            Inner::Shared(text) => text,
        }
    }
}

impl Default for Label {
    fn default() -> Self {
        Self::fixed("")
    }
}

impl Deref for Label {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl From<&'static str> for Label {
    fn from(text: &'static str) -> Self {
        Self::fixed(text)
    }
}

impl From<String> for Label {
    fn from(text: String) -> Self {
        Self(Inner::Shared(text.into()))
    }
}

impl PartialEq for Label {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Label {}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
