//! Ways through the registry that lead elsewhere: the 32-bit view, the user's own key by his SID. Key items: [`View`],
//! [`redirect`], [`alias`].

use super::registry_tree::names;
use crate::logic::nls::case::{equal_ignore_case, upcase_string};

/// Which view of the registry a call is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The 64-bit one.
    Wide,
    /// The 32-bit one, because a 32-bit program asks.
    Narrow,
    /// The 32-bit one, because the call says so.
    ExplicitNarrow,
}

/// `KEY_WOW64_64KEY`.
const WOW64_64KEY: u32 = 0x100;
/// `KEY_WOW64_32KEY`.
const WOW64_32KEY: u32 = 0x200;

impl View {
    /// Returns the view that access rights ask for.
    ///
    /// Source: <https://learn.microsoft.com/windows/win32/winprog64/accessing-an-alternate-registry-view>
    pub fn of(access: u32, is_64: bool) -> Self {
        match (access & WOW64_64KEY != 0, access & WOW64_32KEY != 0) {
            (false, true) => Self::ExplicitNarrow,
            (false, false) if !is_64 => Self::Narrow,
            _ => Self::Wide,
        }
    }
}

/// Keys of `Software` that both views share.
///
/// Source: <https://learn.microsoft.com/windows/win32/winprog64/shared-registry-keys>
const SHARED: &[&str] = &[
    r"Classes",
    r"Clients",
    r"Microsoft\COM3",
    r"Microsoft\Cryptography\Calais\Current",
    r"Microsoft\Cryptography\Calais\Readers",
    r"Microsoft\Cryptography\Services",
    r"Microsoft\CTF\SystemShared",
    r"Microsoft\CTF\TIP",
    r"Microsoft\DFS",
    r"Microsoft\Driver Signing",
    r"Microsoft\EnterpriseCertificates",
    r"Microsoft\EventSystem",
    r"Microsoft\MSMQ",
    r"Microsoft\Non-Driver Signing",
    r"Microsoft\Notepad\DefaultFonts",
    r"Microsoft\OLE",
    r"Microsoft\RAS",
    r"Microsoft\RPC",
    r"Microsoft\Shared Tools\MSInfo",
    r"Microsoft\SystemCertificates",
    r"Microsoft\TermServLicensing",
    r"Microsoft\Transaction Server",
    r"Microsoft\Windows\CurrentVersion\Control Panel\Cursors\Schemes",
    r"Microsoft\Windows\CurrentVersion\Explorer\AutoplayHandlers",
    r"Microsoft\Windows\CurrentVersion\Explorer\DriveIcons",
    r"Microsoft\Windows\CurrentVersion\Explorer\KindMap",
    r"Microsoft\Windows\CurrentVersion\Group Policy",
    r"Microsoft\Windows\CurrentVersion\Policies",
    r"Microsoft\Windows\CurrentVersion\PreviewHandlers",
    r"Microsoft\Windows\CurrentVersion\Setup",
    r"Microsoft\Windows\CurrentVersion\Telephony\Locations",
    r"Microsoft\Windows NT\CurrentVersion\Console",
    r"Microsoft\Windows NT\CurrentVersion\FontDpi",
    r"Microsoft\Windows NT\CurrentVersion\FontLink",
    r"Microsoft\Windows NT\CurrentVersion\FontMapper",
    r"Microsoft\Windows NT\CurrentVersion\Fonts",
    r"Microsoft\Windows NT\CurrentVersion\FontSubstitutes",
    r"Microsoft\Windows NT\CurrentVersion\Gre_Initialize",
    r"Microsoft\Windows NT\CurrentVersion\Image File Execution Options",
    r"Microsoft\Windows NT\CurrentVersion\LanguagePack",
    r"Microsoft\Windows NT\CurrentVersion\NetworkCards",
    r"Microsoft\Windows NT\CurrentVersion\Perflib",
    r"Microsoft\Windows NT\CurrentVersion\Ports",
    r"Microsoft\Windows NT\CurrentVersion\Print",
    r"Microsoft\Windows NT\CurrentVersion\ProfileList",
    r"Microsoft\Windows NT\CurrentVersion\Time Zones",
    r"Policies",
    r"RegisteredApplications",
];

/// Keys of `Classes` that each view has for itself.
const OWN_CLASSES: &[&str] = &["CLSID", "DirectShow", "Interface", "Media Type", "MediaFoundation"];

/// The key with the other view's part.
pub const NODE: &str = "Wow6432Node";

fn is(name: &[u16], text: &str) -> bool {
    equal_ignore_case(name, &text.encode_utf16().collect::<Vec<u16>>())
}

/// Says whether a path below `Software` is shared by both views.
pub(super) fn is_shared(path: &[&[u16]]) -> bool {
    SHARED.iter().any(|shared| {
        let mut left = path.iter();
        shared.split('\\').all(|part| left.next().is_some_and(|name| is(name, part)))
    })
}

/// Returns where the 32-bit view's part is put in, if the path from the top leads into it; `from` names are behind already.
fn place(path: &[&[u16]], from: usize, view: View) -> Option<usize> {
    let software = match path {
        [root, software, ..] if is(root, "HKEY_LOCAL_MACHINE") && is(software, "Software") => 2,
        [root, software, ..] if is(root, "HKEY_CURRENT_USER") && is(software, "Software") => 2,
        _ => return None,
    };
    let below = &path[software..];
    // Whoever opened the key of the other view on purpose stays in it.
    let may_at = |at: usize| from < at || (from == at && view == View::ExplicitNarrow);
    if below.first().is_some_and(|name| is(name, NODE)) {
        return None;
    }
    if below.first().is_some_and(|name| is(name, "Classes")) {
        let at = software + 1;
        let own = below.get(1).is_some_and(|name| OWN_CLASSES.iter().any(|row| is(name, row)));
        // A path from HKEY_CLASSES_ROOT begins at Classes.
        return (own && from <= at).then_some(at);
    }
    let is_machine = is(path[0], "HKEY_LOCAL_MACHINE");
    (is_machine && may_at(software) && !is_shared(below)).then_some(software)
}

/// Returns the path below a key (by its names from the top) that a view leads to.
pub fn redirect(base: &[Vec<u16>], path: &[u16], view: View) -> Vec<u16> {
    // An absolute path is refused later, as it stands.
    if view == View::Wide || path.first() == Some(&u16::from(b'\\')) {
        return path.to_vec();
    }
    let own: Vec<&[u16]> = names(path).collect();
    let whole: Vec<&[u16]> = base.iter().map(Vec::as_slice).chain(own).collect();
    let Some(at) = place(&whole, base.len(), view) else { return path.to_vec() };
    let node: Vec<u16> = NODE.encode_utf16().collect();
    let (before, after) = whole.split_at(at);
    let all: Vec<&[u16]> =
        before.iter().copied().chain([node.as_slice()]).chain(after.iter().copied()).collect();
    all[base.len()..].join(&u16::from(b'\\'))
}

/// Returns where a key of `HKEY_USERS` is: the user's own, by his SID, is `HKEY_CURRENT_USER`.
pub fn alias(name: &[u16], own_sid: &str) -> Option<&'static str> {
    match () {
        () if is(name, own_sid) => Some("HKEY_CURRENT_USER"),
        () if is(name, &format!("{own_sid}_Classes")) => Some(r"HKEY_CURRENT_USER\Software\Classes"),
        () if is(name, "S-1-5-18") => Some(r"HKEY_USERS\.DEFAULT"),
        () => None,
    }
}

/// Returns the names of a path from the top in capitals.
pub fn upcased(path: &str) -> Vec<Vec<u16>> {
    path.split('\\').map(|name| upcase_string(&name.encode_utf16().collect::<Vec<u16>>())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_32_bit_view_has_a_part_of_its_own() {
        use View::{ExplicitNarrow, Narrow, Wide};
        for (base, path, view, expected) in [
            ("HKEY_LOCAL_MACHINE", r"Software\A", Wide, r"Software\A"),
            ("HKEY_LOCAL_MACHINE", r"Software\A", Narrow, r"Software\Wow6432Node\A"),
            ("HKEY_LOCAL_MACHINE", r"SOFTWARE", Narrow, r"SOFTWARE\Wow6432Node"),
            ("HKEY_LOCAL_MACHINE", r"Software\WOW6432node\A", Narrow, r"Software\WOW6432node\A"),
            ("HKEY_LOCAL_MACHINE", r"System\A", Narrow, r"System\A"),
            ("HKEY_LOCAL_MACHINE", r"Software\Microsoft\OLE\x", Narrow, r"Software\Microsoft\OLE\x"),
            ("HKEY_LOCAL_MACHINE", r"Software\Microsoft", Narrow, r"Software\Wow6432Node\Microsoft"),
            ("HKEY_LOCAL_MACHINE", r"Software\Classes\.txt", Narrow, r"Software\Classes\.txt"),
            ("HKEY_LOCAL_MACHINE", r"Software\Classes\CLSID", Narrow, r"Software\Classes\Wow6432Node\CLSID"),
            ("HKEY_CURRENT_USER", r"Software\A", Narrow, r"Software\A"),
            (
                "HKEY_CURRENT_USER",
                r"Software\Classes\Interface",
                Narrow,
                r"Software\Classes\Wow6432Node\Interface",
            ),
            (r"HKEY_LOCAL_MACHINE\Software\Classes", r"clsid\x", Narrow, r"Wow6432Node\clsid\x"),
            (r"HKEY_LOCAL_MACHINE\Software", "A", Narrow, "A"),
            (r"HKEY_LOCAL_MACHINE\Software", "A", ExplicitNarrow, r"Wow6432Node\A"),
            (r"HKEY_LOCAL_MACHINE\Software\A", "B", ExplicitNarrow, "B"),
            ("HKEY_LOCAL_MACHINE", r"\Software\A", Narrow, r"\Software\A"),
        ] {
            let path: Vec<u16> = path.encode_utf16().collect();
            let found = String::from_utf16_lossy(&redirect(&upcased(base), &path, view));
            assert_eq!(found, expected, "{base} {view:?}");
        }
        assert_eq!(View::of(0x100, false), Wide);
        assert_eq!(View::of(0x20019, false), Narrow);
        assert_eq!(View::of(0x200, true), ExplicitNarrow);
        assert_eq!(View::of(0x300, false), Wide);
    }

    #[test]
    fn the_users_sid_leads_to_his_key() {
        let of = |name: &str| alias(&name.encode_utf16().collect::<Vec<u16>>(), "S-1-5-21-1-2-3-4");
        assert_eq!(of("s-1-5-21-1-2-3-4"), Some("HKEY_CURRENT_USER"));
        assert_eq!(of("S-1-5-21-1-2-3-4_classes"), Some(r"HKEY_CURRENT_USER\Software\Classes"));
        assert_eq!(of("S-1-5-18"), Some(r"HKEY_USERS\.DEFAULT"));
        assert_eq!(of("S-1-5-21-1-2-3-5"), None);
    }
}
