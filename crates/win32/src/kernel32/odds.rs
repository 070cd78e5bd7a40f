//! winbase.h and others: small questions about process, thread and machine, and what is refused here.

use plat_abi::{GuestWord, Memory, winapi};

use super::memoryapi::{IsBadReadPtr, IsBadWritePtr};
use super::processthreadsapi::CreateRemoteThread;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest, HandleOrInvalid, TRUE};
use crate::nt::thread::{ProcessObject, ThreadObject};
use crate::{NtStatus, Win32Error};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full IsWow64Process2; full IsBadCodePtr; full "IsBadHugeReadPtr" = IsBadReadPtr;
    full "IsBadHugeWritePtr" = IsBadWritePtr;
    forward RestoreLastError => "ntdll.RtlSetLastWin32Error";
    full GetThreadPriorityBoost; full GetProcessPriorityBoost;
    partial SetThreadPriorityBoost, "Linux has no such boost";
    full GetProcessShutdownParameters;
    partial SetProcessShutdownParameters, "accepted and not kept: nobody asks processes to end in an order";
    full GetCurrentPackageFullName; full GetCurrentPackageFamilyName; full GetCurrentPackageId;
    full GetCurrentPackagePath; full GetPackageFullName; full GetPackageFamilyName;
    full WTSGetActiveConsoleSessionId;
    full Wow64DisableWow64FsRedirection; full Wow64RevertWow64FsRedirection; full Wow64EnableWow64FsRedirection;
    partial SetProcessMitigationPolicy, "always ERROR_NOT_SUPPORTED";
    full GetProcessMitigationPolicy;
    partial CreateRemoteThreadEx, "attributes are not looked at";
    partial RegisterApplicationRestart, "accepted: nobody starts programs again";
    partial UnregisterApplicationRestart, "as RegisterApplicationRestart";
    partial RegisterApplicationRecoveryCallback, "accepted: nobody recovers programs";
    partial ApplicationRecoveryInProgress, "always E_FAIL: no program is being recovered";
    full ApplicationRecoveryFinished;
    full GetSystemFirmwareTable; full EnumSystemFirmwareTables;
    full GetFirmwareEnvironmentVariableA; full GetFirmwareEnvironmentVariableW; full SetFirmwareEnvironmentVariableW;
    partial SetSystemTimeAdjustment, "refused: a program may not set the machine's clock";
    partial SetComputerNameA, "refused: a program may not name the machine";
    partial SetComputerNameW, "refused: a program may not name the machine";
    partial CreateMailslotA, "there are no mailslots: ERROR_NOT_SUPPORTED";
    partial CreateMailslotW, "there are no mailslots: ERROR_NOT_SUPPORTED";
    full GetMailslotInfo; full SetMailslotInfo;
    partial WaitForDebugEvent, "there is no debugging of others: ERROR_INVALID_HANDLE";
    partial ContinueDebugEvent, "there is no debugging of others: ERROR_INVALID_HANDLE";
    partial DebugActiveProcess, "there is no debugging of others: ERROR_NOT_SUPPORTED";
    partial DebugActiveProcessStop, "there is no debugging of others: ERROR_INVALID_HANDLE";
    partial DebugSetProcessKillOnExit, "there is no debugging of others: ERROR_INVALID_HANDLE";
    full DeleteVolumeMountPointA; full DeleteVolumeMountPointW;
    partial SetVolumeMountPointA, "refused: a program may not mount volumes";
    partial SetVolumeMountPointW, "refused: a program may not mount volumes";
    full FindFirstVolumeMountPointA; full FindFirstVolumeMountPointW; full FindNextVolumeMountPointA;
    full FindNextVolumeMountPointW; full FindVolumeMountPointClose;
    forward VerLanguageNameA => "version.VerLanguageNameA";
    forward VerLanguageNameW => "version.VerLanguageNameW";
};

/// `APPMODEL_ERROR_NO_PACKAGE`.
const NO_PACKAGE: u32 = 15700;
/// `ERROR_INVALID_FUNCTION`: what a machine with a BIOS of old answers.
const NO_FIRMWARE: Win32Error = Win32Error::INVALID_FUNCTION;
/// `ERROR_NOT_A_REPARSE_POINT`.
const NO_MOUNT_POINT: Win32Error = Win32Error(4390);
/// `E_FAIL`.
const FAIL: u32 = 0x8000_4005;

answers! {
    "Says that the program comes from no package." -> u32 = NO_PACKAGE => {
        "appmodel/nf-appmodel-getcurrentpackagefullname"
        GetCurrentPackageFullName(packageFullNameLength: GuestWord, packageFullName: GuestWord);
        "appmodel/nf-appmodel-getcurrentpackagefamilyname"
        GetCurrentPackageFamilyName(packageFamilyNameLength: GuestWord, packageFamilyName: GuestWord);
        "appmodel/nf-appmodel-getcurrentpackageid" GetCurrentPackageId(bufferLength: GuestWord, buffer: GuestWord);
        "appmodel/nf-appmodel-getcurrentpackagepath" GetCurrentPackagePath(pathLength: GuestWord, path: GuestWord);
        "appmodel/nf-appmodel-getpackagefullname"
        GetPackageFullName(hProcess: GuestWord, packageFullNameLength: GuestWord, packageFullName: GuestWord);
        "appmodel/nf-appmodel-getpackagefamilyname"
        GetPackageFamilyName(hProcess: GuestWord, packageFamilyNameLength: GuestWord, packageFamilyName: GuestWord);
    }
    "Returns the session at the machine's console: the only one." -> u32 = 1 => {
        "winbase/nf-winbase-wtsgetactiveconsolesessionid" WTSGetActiveConsoleSessionId();
    }
    "Accepts what should be done when the program ends badly." -> u32 = 0 => {
        "winbase/nf-winbase-registerapplicationrestart"
        RegisterApplicationRestart(pwzCommandline: GuestWord, dwFlags: u32);
        "winbase/nf-winbase-unregisterapplicationrestart" UnregisterApplicationRestart();
        "winbase/nf-winbase-registerapplicationrecoverycallback"
        RegisterApplicationRecoveryCallback(pRecoveyCallback: GuestWord, pvParameter: GuestWord, dwPingInterval: u32, dwFlags: u32);
    }
    "Says that the program is not being recovered." -> u32 = FAIL => {
        "winbase/nf-winbase-applicationrecoveryinprogress" ApplicationRecoveryInProgress(pbCancelled: GuestWord);
    }
    "Ends nothing: the program is not being recovered." -> () = () => {
        "winbase/nf-winbase-applicationrecoveryfinished" ApplicationRecoveryFinished(bSuccess: Bool);
    }
    "Says that the firmware has no such tables or variables." -> Result<u32, Win32Error> = Err(NO_FIRMWARE) => {
        "sysinfoapi/nf-sysinfoapi-getsystemfirmwaretable"
        GetSystemFirmwareTable(FirmwareTableProviderSignature: u32, FirmwareTableID: u32, pFirmwareTableBuffer: GuestWord, BufferSize: u32);
        "sysinfoapi/nf-sysinfoapi-enumsystemfirmwaretables"
        EnumSystemFirmwareTables(FirmwareTableProviderSignature: u32, pFirmwareTableEnumBuffer: GuestWord, BufferSize: u32);
        "winbase/nf-winbase-getfirmwareenvironmentvariable"
        GetFirmwareEnvironmentVariableA, GetFirmwareEnvironmentVariableW(lpName: GuestWord, lpGuid: GuestWord, pBuffer: GuestWord, nSize: u32);
    }
    "Refuses to set a variable of the firmware." -> Result<Bool, Win32Error> = Err(NO_FIRMWARE) => {
        "winbase/nf-winbase-setfirmwareenvironmentvariablew"
        SetFirmwareEnvironmentVariableW(lpName: GuestWord, lpGuid: GuestWord, pValue: GuestWord, nSize: u32);
    }
    "Refuses to change the machine's clock." -> Result<Bool, Win32Error> = Err(Win32Error::PRIVILEGE_NOT_HELD) => {
        "sysinfoapi/nf-sysinfoapi-setsystemtimeadjustment"
        SetSystemTimeAdjustment(dwTimeAdjustment: u32, bTimeAdjustmentDisabled: Bool);
    }
    "Refuses to name the machine." -> Result<Bool, Win32Error> = Err(Win32Error::ACCESS_DENIED) => {
        "winbase/nf-winbase-setcomputername" SetComputerNameA, SetComputerNameW(lpComputerName: GuestWord);
    }
    "Refuses: there are no mailslots." -> Result<HandleOrInvalid, Win32Error> = Err(Win32Error::NOT_SUPPORTED) => {
        "winbase/nf-winbase-createmailslot"
        CreateMailslotA, CreateMailslotW(lpName: GuestWord, nMaxMessageSize: u32, lReadTimeout: u32, lpSecurityAttributes: GuestWord);
    }
    "Says that this is no mailslot: there are none." -> Result<Bool, Win32Error> = Err(Win32Error::INVALID_HANDLE) => {
        "winbase/nf-winbase-getmailslotinfo"
        GetMailslotInfo(hMailslot: GuestWord, lpMaxMessageSize: GuestWord, lpNextSize: GuestWord, lpMessageCount: GuestWord, lpReadTimeout: GuestWord);
        "winbase/nf-winbase-setmailslotinfo" SetMailslotInfo(hMailslot: GuestWord, lReadTimeout: u32);
    }
    "Says that this thread debugs nobody." -> Result<Bool, Win32Error> = Err(Win32Error::INVALID_HANDLE) => {
        "debugapi/nf-debugapi-waitfordebugevent" WaitForDebugEvent(lpDebugEvent: GuestWord, dwMilliseconds: u32);
        "debugapi/nf-debugapi-continuedebugevent"
        ContinueDebugEvent(dwProcessId: u32, dwThreadId: u32, dwContinueStatus: u32);
        "debugapi/nf-debugapi-debugactiveprocessstop" DebugActiveProcessStop(dwProcessId: u32);
        "winbase/nf-winbase-debugsetprocesskillonexit" DebugSetProcessKillOnExit(KillOnExit: Bool);
    }
    "Refuses to debug a process." -> Result<Bool, Win32Error> = Err(Win32Error::NOT_SUPPORTED) => {
        "debugapi/nf-debugapi-debugactiveprocess" DebugActiveProcess(dwProcessId: u32);
        "processthreadsapi/nf-processthreadsapi-setprocessmitigationpolicy"
        SetProcessMitigationPolicy(MitigationPolicy: u32, lpBuffer: GuestWord, dwLength: GuestWord);
    }
    "Says that no volume is mounted there." -> Result<Bool, Win32Error> = Err(NO_MOUNT_POINT) => {
        "fileapi/nf-fileapi-deletevolumemountpoint" DeleteVolumeMountPointA, DeleteVolumeMountPointW(lpszVolumeMountPoint: GuestWord);
    }
    "Refuses to mount a volume." -> Result<Bool, Win32Error> = Err(Win32Error::ACCESS_DENIED) => {
        "winbase/nf-winbase-setvolumemountpoint"
        SetVolumeMountPointA, SetVolumeMountPointW(lpszVolumeMountPoint: GuestWord, lpszVolumeName: GuestWord);
    }
    "Lists the volumes that are mounted in a volume: none." -> Result<HandleOrInvalid, Win32Error> = Err(Win32Error::NO_MORE_FILES) => {
        "winbase/nf-winbase-findfirstvolumemountpoint"
        FindFirstVolumeMountPointA, FindFirstVolumeMountPointW(lpszRootPathName: GuestWord, lpszVolumeMountPoint: GuestWord, cchBufferLength: u32);
    }
    "Says that this lists nothing: there is nothing to list." -> Result<Bool, Win32Error> = Err(Win32Error::INVALID_HANDLE) => {
        "winbase/nf-winbase-findnextvolumemountpoint"
        FindNextVolumeMountPointA, FindNextVolumeMountPointW(hFindVolumeMountPoint: GuestWord, lpszVolumeMountPoint: GuestWord, cchBufferLength: u32);
        "winbase/nf-winbase-findvolumemountpointclose" FindVolumeMountPointClose(hFindVolumeMountPoint: GuestWord);
    }
}

/// Says for what machine a process was made, and what machine this is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wow64apiset/nf-wow64apiset-iswow64process2>
#[winapi]
pub fn IsWow64Process2(
    guest: &mut Guest,
    hProcess: GuestWord,
    pProcessMachine: GuestWord,
    pNativeMachine: GuestWord,
) -> Result<Bool, Win32Error> {
    /// `IMAGE_FILE_MACHINE_I386` and `IMAGE_FILE_MACHINE_AMD64`; a process of the machine's own kind has 0.
    const I386: u16 = 0x14c;
    const AMD64: u16 = 0x8664;
    process(guest, hProcess)?;
    guest.write(pProcessMachine.get(), &if guest.machine().is_64() { 0 } else { I386 })?;
    if !pNativeMachine.is_null() {
        guest.write(pNativeMachine.get(), &AMD64)?;
    }
    Ok(TRUE)
}

fn process(guest: &Guest, handle: GuestWord) -> Result<(), Win32Error> {
    guest.process().object_as::<ProcessObject>(handle.get()).map(drop).map_err(NtStatus::to_win32)
}

fn thread(guest: &Guest, handle: GuestWord) -> Result<(), Win32Error> {
    guest.process().object_as::<ThreadObject>(handle.get()).map(drop).map_err(NtStatus::to_win32)
}

/// Says whether no code can be read at an address.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-isbadcodeptr>
#[winapi]
pub fn IsBadCodePtr(guest: &mut Guest, lpfn: GuestWord) -> Bool {
    IsBadReadPtr(guest, lpfn, GuestWord(1))
}

/// Says that a thread's priority is raised for a while as Windows sees fit.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getthreadpriorityboost>
#[winapi]
pub fn GetThreadPriorityBoost(
    guest: &mut Guest,
    hThread: GuestWord,
    pDisablePriorityBoost: GuestWord,
) -> Result<Bool, Win32Error> {
    thread(guest, hThread)?;
    guest.write(pDisablePriorityBoost.get(), &0_u32)?;
    Ok(TRUE)
}

/// Accepts whether a thread's priority may be raised for a while.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-setthreadpriorityboost>
#[winapi]
pub fn SetThreadPriorityBoost(
    guest: &mut Guest,
    hThread: GuestWord,
    bDisablePriorityBoost: Bool,
) -> Result<Bool, Win32Error> {
    let _ = bDisablePriorityBoost;
    thread(guest, hThread).map(|()| TRUE)
}

/// Says that priorities in a process are raised for a while as Windows sees fit.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocesspriorityboost>
#[winapi]
pub fn GetProcessPriorityBoost(
    guest: &mut Guest,
    hProcess: GuestWord,
    pDisablePriorityBoost: GuestWord,
) -> Result<Bool, Win32Error> {
    process(guest, hProcess)?;
    guest.write(pDisablePriorityBoost.get(), &0_u32)?;
    Ok(TRUE)
}

/// The level at which a process is asked to end, unless it sets another.
const SHUTDOWN_LEVEL: u32 = 0x280;

/// Returns when the process is asked to end.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocessshutdownparameters>
#[winapi]
pub fn GetProcessShutdownParameters(
    guest: &mut Guest,
    lpdwLevel: GuestWord,
    lpdwFlags: GuestWord,
) -> Result<Bool, Win32Error> {
    guest.write(lpdwLevel.get(), &SHUTDOWN_LEVEL)?;
    guest.write(lpdwFlags.get(), &0_u32)?;
    Ok(TRUE)
}

/// Accepts when the process should be asked to end.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-setprocessshutdownparameters>
#[winapi]
pub fn SetProcessShutdownParameters(
    guest: &mut Guest,
    dwLevel: u32,
    dwFlags: u32,
) -> Result<Bool, Win32Error> {
    /// `SHUTDOWN_NORETRY`, and the last level of programs.
    const KNOWN: u32 = 1;
    const LEVEL_MAX: u32 = 0x4ff;
    let _ = guest;
    let is_wrong = dwFlags & !KNOWN != 0 || dwLevel > LEVEL_MAX;
    if is_wrong { Err(Win32Error::INVALID_PARAMETER) } else { Ok(TRUE) }
}

/// Stops showing a 32-bit program other folders than it names: none are shown.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wow64apiset/nf-wow64apiset-wow64disablewow64fsredirection>
#[winapi]
pub fn Wow64DisableWow64FsRedirection(guest: &mut Guest, OldValue: GuestWord) -> Result<Bool, Win32Error> {
    only_32_bits(guest)?;
    guest.write_word(OldValue.get(), 0)?;
    Ok(TRUE)
}

/// Refuses 64-bit programs, to which no other folders are ever shown.
fn only_32_bits(guest: &Guest) -> Result<(), Win32Error> {
    if guest.machine().is_64() { Err(Win32Error::INVALID_FUNCTION) } else { Ok(()) }
}

/// Ends what `Wow64DisableWow64FsRedirection` began.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/wow64apiset/nf-wow64apiset-wow64revertwow64fsredirection>
#[winapi]
pub fn Wow64RevertWow64FsRedirection(guest: &mut Guest, OlValue: GuestWord) -> Result<Bool, Win32Error> {
    let _ = OlValue;
    only_32_bits(guest).map(|()| TRUE)
}

/// Says whether other folders may be shown to a 32-bit program.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-wow64enablewow64fsredirection>
#[winapi]
pub fn Wow64EnableWow64FsRedirection(guest: &mut Guest, Wow64FsEnableRedirection: u8) -> u8 {
    let _ = Wow64FsEnableRedirection;
    u8::from(only_32_bits(guest).is_ok())
}

/// Returns what is forbidden to a process: data as code, and nothing else.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocessmitigationpolicy>
#[winapi]
pub fn GetProcessMitigationPolicy(
    guest: &mut Guest,
    hProcess: GuestWord,
    MitigationPolicy: u32,
    lpBuffer: GuestWord,
    dwLength: GuestWord,
) -> Result<Bool, Win32Error> {
    /// `ProcessDEPPolicy`, whose structure has a byte more; `ProcessMitigationOptionsMask` has one or two numbers.
    const DEP: u32 = 0;
    const OPTIONS: u32 = 5;
    const POLICIES: u32 = 20;
    process(guest, hProcess)?;
    let size = match MitigationPolicy {
        DEP => 8,
        OPTIONS if dwLength.get() >= 16 => 16,
        OPTIONS => 8,
        1..POLICIES => 4,
        _ => return Err(Win32Error::INVALID_PARAMETER),
    };
    if dwLength.get() != size {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.write_bytes(lpBuffer.get(), &vec![0; size as usize])?;
    if MitigationPolicy == DEP {
        guest.write_bytes(lpBuffer.get(), &[1, 0, 0, 0, 1])?;
    }
    Ok(TRUE)
}

/// Makes a thread in a process.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createremotethreadex>
#[winapi]
pub fn CreateRemoteThreadEx(
    guest: &mut Guest,
    hProcess: GuestWord,
    lpThreadAttributes: GuestWord,
    dwStackSize: GuestWord,
    lpStartAddress: GuestWord,
    lpParameter: GuestWord,
    dwCreationFlags: u32,
    lpAttributeList: GuestWord,
    lpThreadId: GuestWord,
) -> Result<GuestWord, Win32Error> {
    let _ = lpAttributeList;
    let start = (lpThreadAttributes, dwStackSize, lpStartAddress, lpParameter);
    CreateRemoteThread(guest, hProcess, start.0, start.1, start.2, start.3, dwCreationFlags, lpThreadId)
}
