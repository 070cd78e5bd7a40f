//! shellapi.h: programs and documents are opened.

use plat_abi::{GuestStruct, GuestWord, Memory};

use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::kernel32::createprocess;
use crate::nt::handle::HandleFlags;
use crate::nt::process_create::{self, Image, ImageKind, Places};
use crate::widths::{Width, both_widths};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial ShellExecuteA, "programs; documents and addresses by xdg-open, where there is a display";
    partial ShellExecuteW, "programs; documents and addresses by xdg-open, where there is a display";
    partial ShellExecuteExA, "programs; documents and addresses by xdg-open, where there is a display";
    partial ShellExecuteExW, "programs; documents and addresses by xdg-open, where there is a display";
    partial IsUserAnAdmin, "no: no program has the rights of an administrator";
    partial SHChangeNotify, "nobody is told";
    partial DragAcceptFiles, "no screen: nothing is dragged";
    partial Shell_NotifyIconA, "no screen: fails";
    partial Shell_NotifyIconW, "no screen: fails";
    partial ExtractIconA, "no pictures: null";
    partial ExtractIconW, "no pictures: null";
    stub SHBrowseForFolderW;
};

/// `SEE_MASK_NOCLOSEPROCESS`.
const KEEP_PROCESS: u32 = 0x40;
/// All access to a process.
const ALL_ACCESS: u32 = 0x1f_ffff;
/// What says that a program started: more than 32.
const STARTED: u64 = 42;

/// `SHELLEXECUTEINFO`.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shellapi/ns-shellapi-shellexecuteinfow>
#[derive(GuestStruct, Default)]
struct ShellExecuteInfo {
    cbSize: u32,
    fMask: u32,
    hwnd: GuestWord,
    lpVerb: GuestWord,
    lpFile: GuestWord,
    lpParameters: GuestWord,
    lpDirectory: GuestWord,
    nShow: i32,
    hInstApp: GuestWord,
    lpIDList: GuestWord,
    lpClass: GuestWord,
    hkeyClass: GuestWord,
    dwHotKey: u32,
    hIcon: GuestWord,
    hProcess: GuestWord,
}

/// Returns the program that opens a document or an address: where there is a display, the desktop's.
fn opener(guest: &Guest) -> Option<Image> {
    let has = |name: &str| plat_host::environment::variable(name).is_some_and(|value| !value.is_empty());
    if !has("DISPLAY") && !has("WAYLAND_DISPLAY") {
        return None;
    }
    let process = guest.process();
    let name: Vec<u16> = "xdg-open".encode_utf16().collect();
    process_create::find(&process.files, &name, &Places::of(process)).ok()
}

/// Opens a program or a document; returns a handle of the process if that is asked for.
fn open(guest: &Guest, width: Width, info: &ShellExecuteInfo) -> Result<u64, Win32Error> {
    let verb = String::from_utf16_lossy(&width.read(guest, info.lpVerb)?).to_lowercase();
    if !["", "open", "runas"].contains(&verb.as_str()) {
        return Err(Win32Error::NO_ASSOCIATION);
    }
    let (file, parameters) = (width.read(guest, info.lpFile)?, width.read(guest, info.lpParameters)?);
    let directory = width.read(guest, info.lpDirectory)?;
    let process = guest.process();
    let (image, line) = match process_create::find(&process.files, &file, &Places::of(process)) {
        Ok(image) => {
            let mut line = quoted(&image.windows);
            if !parameters.is_empty() {
                line.push(b' '.into());
                line.extend(parameters);
            }
            (image, line)
        }
        Err(error) => {
            let is_address = String::from_utf16_lossy(&file).contains("://");
            let found = process.files.locate(&file);
            if !is_address && found.is_err() {
                return Err(error);
            }
            let image = opener(guest).ok_or(Win32Error::NO_ASSOCIATION)?;
            let unix = found.ok().and_then(|path| path.to_str().map(str::to_owned));
            let what = unix.map_or(file, |path| path.encode_utf16().collect());
            let line = [quoted(&image.windows), vec![b' '.into()], quoted(&what)].concat();
            (image, line)
        }
    };
    let is_windows = image.kind != ImageKind::Unix;
    let directory = Some(directory).filter(|directory| !directory.is_empty());
    let started = createprocess::start(process, image, line, directory, info.nShow as u32)?;
    let keeps = info.fMask & KEEP_PROCESS != 0 && is_windows;
    Ok(if keeps { process.handles.insert(started, ALL_ACCESS, HandleFlags::default()) } else { 0 })
}

fn quoted(text: &[u16]) -> Vec<u16> {
    [&[u16::from(b'"')], text, &[u16::from(b'"')]].concat()
}

/// Returns what the older function says of an error: a number up to 32.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/shellapi/nf-shellapi-shellexecutew>
fn code_of(error: Win32Error) -> u64 {
    match error {
        Win32Error::NO_ASSOCIATION => 31,
        Win32Error::FILE_NOT_FOUND => 2,
        Win32Error::PATH_NOT_FOUND | Win32Error::DIRECTORY => 3,
        Win32Error::NOT_ENOUGH_MEMORY => 8,
        Win32Error::BAD_EXE_FORMAT => 11,
        // SE_ERR_ACCESSDENIED
        _ => 5,
    }
}

both_widths! {
    /// Opens a program or a document; more than 32 for success.
    "shellapi/nf-shellapi-shellexecute"
    ShellExecuteA, ShellExecuteW(guest, width, hwnd: GuestWord, lpOperation: GuestWord, lpFile: GuestWord, lpParameters: GuestWord, lpDirectory: GuestWord, nShowCmd: i32) -> Result<GuestWord, Win32Error> {
        let _ = hwnd;
        let info = ShellExecuteInfo {
            lpVerb: lpOperation,
            lpFile,
            lpParameters,
            lpDirectory,
            nShow: nShowCmd,
            ..ShellExecuteInfo::default()
        };
        let opened = open(guest, width, &info);
        if let Err(error) = opened {
            guest.set_last_error(error);
        }
        Ok(GuestWord(opened.map_or_else(code_of, |_| STARTED)))
    }

    /// Opens a program or a document, with more said of how.
    "shellapi/nf-shellapi-shellexecuteex"
    ShellExecuteExA, ShellExecuteExW(guest, width, pExecInfo: GuestWord) -> Result<Bool, Win32Error> {
        let mut info: ShellExecuteInfo = guest.read(pExecInfo.get())?;
        let opened = open(guest, width, &info);
        info.hProcess = GuestWord(opened.unwrap_or(0));
        info.hInstApp = GuestWord(opened.map_or_else(code_of, |_| STARTED));
        guest.write(pExecInfo.get(), &info)?;
        opened.map(|_| TRUE)
    }
}

answers! {
    "Says whether the user is an administrator: no.", "shlobj_core/nf-shlobj_core-isuseranadmin";
    IsUserAnAdmin() -> Bool = FALSE;
    "Tells the shell of a change: nobody listens.", "shlobj_core/nf-shlobj_core-shchangenotify";
    SHChangeNotify(wEventId: i32, uFlags: u32, dwItem1: GuestWord, dwItem2: GuestWord) -> () = ();
    "Lets files be dragged to a window: there is no screen.", "shellapi/nf-shellapi-dragacceptfiles";
    DragAcceptFiles(hWnd: GuestWord, fAccept: Bool) -> () = ();
    "Shows an icon beside the clock: there is no screen.", "shellapi/nf-shellapi-shell_notifyicon";
    Shell_NotifyIconA, Shell_NotifyIconW(dwMessage: u32, lpData: GuestWord) -> Bool = FALSE;
    "Takes an icon out of a file: there are no pictures.", "shellapi/nf-shellapi-extracticon";
    ExtractIconA, ExtractIconW(
        hInst: GuestWord, pszExeFileName: GuestWord, nIconIndex: u32
    ) -> GuestWord = GuestWord::NULL;
}
