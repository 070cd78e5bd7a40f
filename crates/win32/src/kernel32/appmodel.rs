//! appmodel.h: packages. No program here is part of one, none is installed, and policies are those of desktop programs.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
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
    match guest.process().object_as::<ProcessObject>(process.0) {
        Ok(_) => about(guest, room, buffer, answer),
        Err(status) => status.to_win32().0,
    }
}

/// Tells that there are no packages of a family.
fn none_of(guest: &Guest, family: GuestWord, numbers: [GuestWord; 2]) -> u32 {
    let empty = || numbers.iter().try_for_each(|place| guest.write(place.0, &0_u32));
    if family.is_null() || empty().is_err() { Win32Error::INVALID_PARAMETER.0 } else { 0 }
}

/// Stores a policy.
fn put_policy(guest: &Guest, place: GuestWord, value: u32) -> i32 {
    let stored = guest.write(place.0, &value);
    stored.map_or(Win32Error::INVALID_PARAMETER.0 as i32, |()| 0)
}

macro_rules! questions {
    ($($(#[doc = $what:literal])+ $page:literal $name:ident($($param:ident: $type:ty),*)
        -> $result:ty = $body:ident($($argument:expr),*);)+) => {$(
        $(#[doc = $what])+
        #[doc = ""]
        #[doc = concat!("Source: <https://learn.microsoft.com/windows/win32/api/", $page, ">")]
        #[winapi]
        pub fn $name(guest: &mut Guest, $($param: $type),*) -> $result {
            $body(guest, $($argument),*)
        }
    )+};
}

questions! {
    /// Tells that the program is in no package.
    "appmodel/nf-appmodel-getcurrentpackageid"
    GetCurrentPackageId(bufferLength: GuestWord, buffer: GuestWord) -> u32 = about(bufferLength, buffer, NO_PACKAGE);

    /// Tells that the program is in no package.
    "appmodel/nf-appmodel-getcurrentpackagepath"
    GetCurrentPackagePath(pathLength: GuestWord, path: GuestWord) -> u32 = about(pathLength, path, NO_PACKAGE);

    /// Tells that the program is in no package.
    "appmodel/nf-appmodel-getcurrentpackagefullname"
    GetCurrentPackageFullName(packageFullNameLength: GuestWord, packageFullName: GuestWord)
        -> u32 = about(packageFullNameLength, packageFullName, NO_PACKAGE);

    /// Tells that the program is in no package.
    "appmodel/nf-appmodel-getcurrentpackagefamilyname"
    GetCurrentPackageFamilyName(packageFamilyNameLength: GuestWord, packageFamilyName: GuestWord)
        -> u32 = about(packageFamilyNameLength, packageFamilyName, NO_PACKAGE);

    /// Tells that the program is no application of a package.
    "appmodel/nf-appmodel-getcurrentapplicationusermodelid"
    GetCurrentApplicationUserModelId(applicationUserModelIdLength: GuestWord, applicationUserModelId: GuestWord)
        -> u32 = about(applicationUserModelIdLength, applicationUserModelId, NO_APPLICATION);

    /// Tells that a process is in no package.
    "appmodel/nf-appmodel-getpackageid"
    GetPackageId(hProcess: GuestWord, bufferLength: GuestWord, buffer: GuestWord)
        -> u32 = about_process(hProcess, bufferLength, buffer, NO_PACKAGE);

    /// Tells that a process is in no package.
    "appmodel/nf-appmodel-getpackagefullname"
    GetPackageFullName(hProcess: GuestWord, packageFullNameLength: GuestWord, packageFullName: GuestWord)
        -> u32 = about_process(hProcess, packageFullNameLength, packageFullName, NO_PACKAGE);

    /// Tells that a process is in no package.
    "appmodel/nf-appmodel-getpackagefamilyname"
    GetPackageFamilyName(hProcess: GuestWord, packageFamilyNameLength: GuestWord, packageFamilyName: GuestWord)
        -> u32 = about_process(hProcess, packageFamilyNameLength, packageFamilyName, NO_PACKAGE);

    /// Tells that a process is no application of a package.
    "appmodel/nf-appmodel-getapplicationusermodelid"
    GetApplicationUserModelId(
        hProcess: GuestWord, applicationUserModelIdLength: GuestWord, applicationUserModelId: GuestWord
    ) -> u32 = about_process(hProcess, applicationUserModelIdLength, applicationUserModelId, NO_APPLICATION);

    /// Tells that there are no packages of a family.
    "appmodel/nf-appmodel-getpackagesbypackagefamily"
    GetPackagesByPackageFamily(
        packageFamilyName: GuestWord, count: GuestWord, packageFullNames: GuestWord, bufferLength: GuestWord,
        buffer: GuestWord
    ) -> u32 = none_of(packageFamilyName, {
        let _ = (packageFullNames, buffer);
        [count, bufferLength]
    });

    /// Tells that there are no packages of a family.
    "appmodel/nf-appmodel-findpackagesbypackagefamily"
    FindPackagesByPackageFamily(
        packageFamilyName: GuestWord, packageFilters: u32, count: GuestWord, packageFullNames: GuestWord,
        bufferLength: GuestWord, buffer: GuestWord, packageProperties: GuestWord
    ) -> u32 = none_of(packageFamilyName, {
        let _ = (packageFilters, packageFullNames, buffer, packageProperties);
        [count, bufferLength]
    });

    /// Tells how .NET shall behave: as in a desktop program (1).
    "appmodel/nf-appmodel-apppolicygetclrcompat"
    AppPolicyGetClrCompat(processToken: GuestWord, policy: GuestWord)
        -> i32 = put_policy({ let _ = processToken; policy }, 1);

    /// Tells what files may be opened: all (0).
    "appmodel/nf-appmodel-apppolicygetcreatefileaccess"
    AppPolicyGetCreateFileAccess(processToken: GuestWord, policy: GuestWord)
        -> i32 = put_policy({ let _ = processToken; policy }, 0);

    /// Tells who suspends the program: nobody (0).
    "appmodel/nf-appmodel-apppolicygetlifecyclemanagement"
    AppPolicyGetLifecycleManagement(processToken: GuestWord, policy: GuestWord)
        -> i32 = put_policy({ let _ = processToken; policy }, 0);

    /// Tells which codecs may be loaded: all (0).
    "appmodel/nf-appmodel-apppolicygetmediafoundationcodecloading"
    AppPolicyGetMediaFoundationCodecLoading(processToken: GuestWord, policy: GuestWord)
        -> i32 = put_policy({ let _ = processToken; policy }, 0);

    /// Tells how the program ends: by `ExitProcess` (0).
    "appmodel/nf-appmodel-apppolicygetprocessterminationmethod"
    AppPolicyGetProcessTerminationMethod(processToken: GuestWord, policy: GuestWord)
        -> i32 = put_policy({ let _ = processToken; policy }, 0);

    /// Tells whether a developer sees messages: yes (1).
    "appmodel/nf-appmodel-apppolicygetshowdeveloperdiagnostic"
    AppPolicyGetShowDeveloperDiagnostic(processToken: GuestWord, policy: GuestWord)
        -> i32 = put_policy({ let _ = processToken; policy }, 1);

    /// Tells whether threads begin with the Windows Runtime: no (0).
    "appmodel/nf-appmodel-apppolicygetthreadinitializationtype"
    AppPolicyGetThreadInitializationType(processToken: GuestWord, policy: GuestWord)
        -> i32 = put_policy({ let _ = processToken; policy }, 0);

    /// Tells which kind of windows the program has: those of the desktop (2).
    "appmodel/nf-appmodel-apppolicygetwindowingmodel"
    AppPolicyGetWindowingModel(processToken: GuestWord, policy: GuestWord)
        -> i32 = put_policy({ let _ = processToken; policy }, 2);
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
