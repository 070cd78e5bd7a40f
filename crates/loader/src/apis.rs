//! Which Windows functions plat has: the rows of `plat apis`.

use plat_win32::export::Body;

/// How well a function is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ApiStatus {
    /// Done.
    Full,
    /// Works within limits.
    Partial,
    /// Stops the program, naming itself, when called.
    Stub,
}

impl ApiStatus {
    /// Returns the status as one word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
            Self::Stub => "stub",
        }
    }
}

/// One exported name of a builtin DLL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiRow {
    /// The DLL's file name.
    pub dll: &'static str,
    /// The exported name.
    pub name: &'static str,
    /// How well it is done.
    pub status: ApiStatus,
    /// What it lacks, or where it leads; may be empty.
    pub limits: String,
}

/// Lists all exported names of the builtin DLLs, sorted by DLL and name.
pub fn apis() -> Vec<ApiRow> {
    let mut rows: Vec<ApiRow> = Vec::new();
    for dll in plat_win32::DLLS {
        rows.extend(dll.exports().map(|export| {
            let (status, limits) = match (&export.body, export.limits) {
                (Body::Stub, _) => (ApiStatus::Stub, String::new()),
                (Body::Forward(to), _) => (forward_status(to, 0), format!("forwards to {to}")),
                (_, Some(limits)) => (ApiStatus::Partial, limits.to_owned()),
                (_, None) => (ApiStatus::Full, String::new()),
            };
            ApiRow { dll: dll.name, name: export.name, status, limits }
        }));
    }
    rows.sort_by_key(|row| (row.dll, row.name));
    rows
}

/// Follows a forwarder: it is as good as what it leads to, and a stub when that is nowhere.
fn forward_status(to: &str, depth: usize) -> ApiStatus {
    // Deeper than any honest chain: a cycle.
    if depth > 8 {
        return ApiStatus::Stub;
    }
    let Some((dll, name)) = to.split_once('.') else { return ApiStatus::Stub };
    let found = plat_win32::builtin(&format!("{dll}.dll"))
        .and_then(|dll| dll.exports().find(|export| export.name == name));
    match found.map(|export| (&export.body, export.limits)) {
        None | Some((Body::Stub, _)) => ApiStatus::Stub,
        Some((Body::Forward(next), _)) => forward_status(next, depth + 1),
        Some((_, Some(_))) => ApiStatus::Partial,
        Some((_, None)) => ApiStatus::Full,
    }
}
