//! appmodel.h: packages. No program here is part of one, none is installed, and policies are those of desktop programs.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::alike::alike;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::Guest;
use crate::nt::thread::ProcessObject;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full GetCurrentPackageId; full GetCurrentPackageInfo; full GetCurrentPackagePath; full GetCurrentPackageFullName;
    full GetCurrentPackageFamilyName; full GetCurrentApplicationUserModelId; full GetPackageId;
    full GetPackageFullName; full GetPackageFamilyName; full GetApplicationUserModelId;
    full GetPackageFullNameFromToken; full GetPackageFamilyNameFromToken; full GetApplicationUserModelIdFromToken;
    full GetPackagesByPackageFamily; full FindPackagesByPackageFamily; full GetPackagePathByFullName;
    full GetStagedPackagePathByFullName; full GetStagedPackageOrigin; full OpenPackageInfoByFullName;
    full AppPolicyGetClrCompat; full AppPolicyGetCreateFileAccess; full AppPolicyGetLifecycleManagement;
    full AppPolicyGetMediaFoundationCodecLoading; full AppPolicyGetProcessTerminationMethod;
    full AppPolicyGetShowDeveloperDiagnostic; full AppPolicyGetThreadInitializationType;
    full AppPolicyGetWindowingModel;
};

/// `APPMODEL_ERROR_NO_PACKAGE`.
const NO_PACKAGE: u32 = 15_700;
/// `APPMODEL_ERROR_NO_APPLICATION`.
const NO_APPLICATION: u32 = 15_703;
/// `ERROR_NOT_FOUND`.
const NOT_FOUND: u32 = 1_168;

/// Answers a question about a package, whose caller tells how much room there is: `answer` for a good one.
fn about(guest: &Guest, room: GuestWord, buffer: GuestWord, answer: u32) -> u32 {
    match guest.read_u32(room.0) {
        Ok(size) if size == 0 || !buffer.is_null() => answer,
        _ => Win32Error::INVALID_PARAMETER.0,
    }
}

/// As [`about`], for a process.
fn about_process(guest: &Guest, process: GuestWord, room: GuestWord, buffer: GuestWord, answer: u32) -> u32 {
    match guest.object::<ProcessObject>(process) {
        Ok(_) => about(guest, room, buffer, answer),
        Err(error) => error.0,
    }
}

/// Tells that there are no packages of a family.
fn none_of(guest: &Guest, family: GuestWord, numbers: [GuestWord; 2]) -> u32 {
    let empty = || numbers.iter().try_for_each(|place| guest.write(place.0, &0_u32));
    if family.is_null() || empty().is_err() { Win32Error::INVALID_PARAMETER.0 } else { 0 }
}

alike! {
    fn(guest, answer: u32; length: GuestWord, buffer: GuestWord) -> u32 {
        about(guest, length, buffer, answer)
    }

    /// Tells that the program is in no package.
    "appmodel/nf-appmodel-getcurrentpackageid"
    GetCurrentPackageId(bufferLength, buffer) = NO_PACKAGE;
    /// Tells that the program is in no package.
    "appmodel/nf-appmodel-getcurrentpackagepath"
    GetCurrentPackagePath(pathLength, path) = NO_PACKAGE;
    /// Tells that the program is in no package.
    "appmodel/nf-appmodel-getcurrentpackagefullname"
    GetCurrentPackageFullName(packageFullNameLength, packageFullName) = NO_PACKAGE;
    /// Tells that the program is in no package.
    "appmodel/nf-appmodel-getcurrentpackagefamilyname"
    GetCurrentPackageFamilyName(packageFamilyNameLength, packageFamilyName) = NO_PACKAGE;
    /// Tells that the program is no application of a package.
    "appmodel/nf-appmodel-getcurrentapplicationusermodelid"
    GetCurrentApplicationUserModelId(applicationUserModelIdLength, applicationUserModelId) = NO_APPLICATION;
}

alike! {
    fn(guest, answer: u32; hProcess: GuestWord, length: GuestWord, buffer: GuestWord) -> u32 {
        about_process(guest, hProcess, length, buffer, answer)
    }

    /// Tells that a process is in no package.
    "appmodel/nf-appmodel-getpackageid"
    GetPackageId(hProcess, bufferLength, buffer) = NO_PACKAGE;
    /// Tells that a process is in no package.
    "appmodel/nf-appmodel-getpackagefullname"
    GetPackageFullName(hProcess, packageFullNameLength, packageFullName) = NO_PACKAGE;
    /// Tells that a process is in no package.
    "appmodel/nf-appmodel-getpackagefamilyname"
    GetPackageFamilyName(hProcess, packageFamilyNameLength, packageFamilyName) = NO_PACKAGE;
    /// Tells that a process is no application of a package.
    "appmodel/nf-appmodel-getapplicationusermodelid"
    GetApplicationUserModelId(hProcess, applicationUserModelIdLength, applicationUserModelId) = NO_APPLICATION;
}

alike! {
    fn(guest, value: u32; processToken: GuestWord, policy: GuestWord) -> i32 {
        let _ = processToken;
        let stored = guest.write(policy.0, &value);
        stored.map_or(Win32Error::INVALID_PARAMETER.0 as i32, |()| 0)
    }

    /// Tells how .NET shall behave: as in a desktop program (1).
    "appmodel/nf-appmodel-apppolicygetclrcompat" AppPolicyGetClrCompat = 1;
    /// Tells what files may be opened: all (0).
    "appmodel/nf-appmodel-apppolicygetcreatefileaccess" AppPolicyGetCreateFileAccess = 0;
    /// Tells who suspends the program: nobody (0).
    "appmodel/nf-appmodel-apppolicygetlifecyclemanagement" AppPolicyGetLifecycleManagement = 0;
    /// Tells which codecs may be loaded: all (0).
    "appmodel/nf-appmodel-apppolicygetmediafoundationcodecloading" AppPolicyGetMediaFoundationCodecLoading = 0;
    /// Tells how the program ends: by `ExitProcess` (0).
    "appmodel/nf-appmodel-apppolicygetprocessterminationmethod" AppPolicyGetProcessTerminationMethod = 0;
    /// Tells whether a developer sees messages: yes (1).
    "appmodel/nf-appmodel-apppolicygetshowdeveloperdiagnostic" AppPolicyGetShowDeveloperDiagnostic = 1;
    /// Tells whether threads begin with the Windows Runtime: no (0).
    "appmodel/nf-appmodel-apppolicygetthreadinitializationtype" AppPolicyGetThreadInitializationType = 0;
    /// Tells which kind of windows the program has: those of the desktop (2).
    "appmodel/nf-appmodel-apppolicygetwindowingmodel" AppPolicyGetWindowingModel = 2;
}

/// Lists the packages of a family: there are none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/appmodel/nf-appmodel-getpackagesbypackagefamily>
#[winapi]
pub fn GetPackagesByPackageFamily(
    guest: &mut Guest,
    packageFamilyName: GuestWord,
    count: GuestWord,
    packageFullNames: GuestWord,
    bufferLength: GuestWord,
    buffer: GuestWord,
) -> u32 {
    let _ = (packageFullNames, buffer);
    none_of(guest, packageFamilyName, [count, bufferLength])
}

/// Lists the packages of a family and of some kinds: there are none.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/appmodel/nf-appmodel-findpackagesbypackagefamily>
#[winapi]
pub fn FindPackagesByPackageFamily(
    guest: &mut Guest,
    packageFamilyName: GuestWord,
    packageFilters: u32,
    count: GuestWord,
    packageFullNames: GuestWord,
    bufferLength: GuestWord,
    buffer: GuestWord,
    packageProperties: GuestWord,
) -> u32 {
    let _ = (packageFilters, packageFullNames, buffer, packageProperties);
    none_of(guest, packageFamilyName, [count, bufferLength])
}

answers! {
    "Tells that the program is in no package." -> u32 = NO_PACKAGE => {
        "appmodel/nf-appmodel-getcurrentpackageinfo"
        GetCurrentPackageInfo(flags: u32, bufferLength: GuestWord, buffer: GuestWord, count: GuestWord);
        "appmodel/nf-appmodel-getpackagefullnamefromtoken"
        GetPackageFullNameFromToken(token: GuestWord, packageFullNameLength: GuestWord, packageFullName: GuestWord);
        "appmodel/nf-appmodel-getpackagefamilynamefromtoken"
        GetPackageFamilyNameFromToken(
            token: GuestWord, packageFamilyNameLength: GuestWord, packageFamilyName: GuestWord);
    }
    "Tells that the user's program is no application of a package." -> u32 = NO_APPLICATION => {
        "appmodel/nf-appmodel-getapplicationusermodelidfromtoken"
        GetApplicationUserModelIdFromToken(
            token: GuestWord, applicationUserModelIdLength: GuestWord, applicationUserModelId: GuestWord);
    }
    "Finds no such package." -> u32 = NOT_FOUND => {
        "appmodel/nf-appmodel-getpackagepathbyfullname"
        GetPackagePathByFullName(packageFullName: GuestWord, pathLength: GuestWord, path: GuestWord);
        "appmodel/nf-appmodel-getstagedpackagepathbyfullname"
        GetStagedPackagePathByFullName(packageFullName: GuestWord, pathLength: GuestWord, path: GuestWord);
        "appmodel/nf-appmodel-getstagedpackageorigin"
        GetStagedPackageOrigin(packageFullName: GuestWord, origin: GuestWord);
        "appmodel/nf-appmodel-openpackageinfobyfullname"
        OpenPackageInfoByFullName(packageFullName: GuestWord, reserved: u32, packageInfoReference: GuestWord);
    }
}
