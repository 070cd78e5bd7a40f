//! setupapi.dll: sets of devices, on a machine where programs see none. A set can be made and listed; it is empty.

use plat_abi::{GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::{Bool, Guest, HandleOrInvalid, TRUE};
use crate::logic::device_classes::{CLASSES, DeviceClass};
use crate::widths::{Width, both_widths};

/// The DLL.
pub const DLL: Dll = Dll {
    name: "setupapi.dll",
    description: "Windows Setup API",
    tables: &[EXPORTS, crate::cfgmgr32::EXPORTS],
    methods: &[],
};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full SetupDiGetClassDevsA;
    full SetupDiGetClassDevsW;
    full SetupDiGetClassDevsExA;
    full SetupDiGetClassDevsExW;
    full SetupDiCreateDeviceInfoList;
    full SetupDiDestroyDeviceInfoList;
    full SetupDiGetDeviceInfoListClass;
    partial SetupDiClassGuidsFromNameA, "the classes of devices that are most asked for";
    partial SetupDiClassGuidsFromNameW, "the classes of devices that are most asked for";
    partial SetupDiClassNameFromGuidA, "the classes of devices that are most asked for";
    partial SetupDiClassNameFromGuidW, "the classes of devices that are most asked for";
    full SetupDiEnumDeviceInfo;
    full SetupDiEnumDeviceInterfaces;
    full SetupDiGetDeviceInterfaceDetailA;
    full SetupDiGetDeviceInterfaceDetailW;
    full SetupDiGetDeviceRegistryPropertyA;
    full SetupDiGetDeviceRegistryPropertyW;
    full SetupDiSetDeviceRegistryPropertyA;
    full SetupDiSetDeviceRegistryPropertyW;
    full SetupDiGetDeviceInstanceIdA;
    full SetupDiGetDeviceInstanceIdW;
    full SetupDiGetDevicePropertyW;
    full SetupDiGetDevicePropertyKeys;
    full SetupDiGetDeviceInterfacePropertyW;
    full SetupDiCallClassInstaller;
    full SetupDiChangeState;
    full SetupDiRemoveDevice;
    full SetupDiGetDeviceInstallParamsA;
    full SetupDiGetDeviceInstallParamsW;
    full SetupDiSetDeviceInstallParamsW;
    full SetupDiSetClassInstallParamsA;
    full SetupDiSetClassInstallParamsW;
    full SetupDiBuildDriverInfoList;
    full SetupDiEnumDriverInfoA;
    full SetupDiEnumDriverInfoW;
    full SetupDiGetDriverInfoDetailW;
    full SetupDiDeleteDeviceInfo;
    full SetupDiDeleteDeviceInterfaceData;
    full SetupDiOpenDeviceInfoA;
    full SetupDiOpenDeviceInfoW;
    full SetupDiOpenDeviceInterfaceA;
    full SetupDiOpenDeviceInterfaceW;
    full SetupDiCreateDeviceInfoA;
    full SetupDiCreateDeviceInfoW;
    full SetupDiOpenDevRegKey;
    full SetupDiCreateDevRegKeyA;
    full SetupDiCreateDevRegKeyW;
};

/// `ERROR_NO_SUCH_DEVINST`.
const NO_SUCH_DEVINST: Win32Error = Win32Error(0xe000_020b);
/// `ERROR_INVALID_CLASS`.
const INVALID_CLASS: Win32Error = Win32Error(0xe000_0206);

/// A set of devices: which class it is for. It holds none.
struct DeviceSet {
    class: [u8; 16],
}

/// Makes a set.
fn make(guest: &Guest, class: GuestWord) -> Result<HandleOrInvalid, Win32Error> {
    let class = if class.is_null() { [0; 16] } else { guest.read(class.get())? };
    Ok(HandleOrInvalid(guest.process().cryptography.add(DeviceSet { class })))
}

/// Makes a set of the devices of a class, if one is named.
fn devices(guest: &Guest, class: GuestWord, flags: u32) -> Result<HandleOrInvalid, Win32Error> {
    /// `DIGCF_ALLCLASSES`: a class need not be named.
    const ALL_CLASSES: u32 = 4;
    if class.is_null() && flags & ALL_CLASSES == 0 {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    make(guest, class)
}

both_widths! {
    /// Makes a set of devices: an empty one.
    "setupapi/nf-setupapi-setupdigetclassdevs"
    SetupDiGetClassDevsA, SetupDiGetClassDevsW(
        guest, width, ClassGuid: GuestWord, Enumerator: GuestWord, hwndParent: GuestWord, Flags: u32
    ) -> Result<HandleOrInvalid, Win32Error> {
        let _ = (width, Enumerator, hwndParent);
        devices(guest, ClassGuid, Flags)
    }

    /// Makes a set of devices, or adds to one: nothing.
    "setupapi/nf-setupapi-setupdigetclassdevsex"
    SetupDiGetClassDevsExA, SetupDiGetClassDevsExW(
        guest, width, ClassGuid: GuestWord, Enumerator: GuestWord, hwndParent: GuestWord, Flags: u32,
        DeviceInfoSet: GuestWord, MachineName: GuestWord, Reserved: GuestWord
    ) -> Result<HandleOrInvalid, Win32Error> {
        let _ = (width, Enumerator, hwndParent, MachineName, Reserved);
        match DeviceInfoSet.is_null() {
            true => devices(guest, ClassGuid, Flags),
            false => set(guest, DeviceInfoSet).map(|_| HandleOrInvalid(DeviceInfoSet.get())),
        }
    }

    /// Returns the identifiers of the classes of a name.
    "setupapi/nf-setupapi-setupdiclassguidsfromname"
    SetupDiClassGuidsFromNameA, SetupDiClassGuidsFromNameW(
        guest, width, ClassName: GuestWord, ClassGuidList: GuestWord, ClassGuidListSize: u32, RequiredSize: GuestWord
    ) -> Result<Bool, Win32Error> {
        let name = String::from_utf16_lossy(&width.read(guest, ClassName)?);
        let found = CLASSES.iter().find(|class| class.name.eq_ignore_ascii_case(&name));
        if !RequiredSize.is_null() {
            guest.write(RequiredSize.get(), &u32::from(found.is_some()))?;
        }
        match found {
            Some(_) if ClassGuidListSize == 0 => Err(Win32Error::INSUFFICIENT_BUFFER),
            Some(class) => {
                guest.write_bytes(ClassGuidList.get(), &class.bytes())?;
                Ok(TRUE)
            }
            None => Ok(TRUE),
        }
    }

    /// Returns the name of a class.
    "setupapi/nf-setupapi-setupdiclassnamefromguid"
    SetupDiClassNameFromGuidA, SetupDiClassNameFromGuidW(
        guest, width, ClassGuid: GuestWord, ClassName: GuestWord, ClassNameSize: u32, RequiredSize: GuestWord
    ) -> Result<Bool, Win32Error> {
        class_name(guest, width, ClassGuid, (ClassName, ClassNameSize), RequiredSize)
    }
}

fn class_name(
    guest: &Guest,
    width: Width,
    guid: GuestWord,
    (into, size): (GuestWord, u32),
    required: GuestWord,
) -> Result<Bool, Win32Error> {
    let bytes: [u8; 16] = guest.read(guid.get())?;
    let is_it = |class: &&DeviceClass| class.bytes() == bytes;
    let class = CLASSES.iter().find(is_it).ok_or(INVALID_CLASS)?;
    let text: Vec<u16> = class.name.encode_utf16().collect();
    if !required.is_null() {
        guest.write(required.get(), &(text.len() as u32 + 1))?;
    }
    if (size as usize) <= text.len() {
        return Err(Win32Error::INSUFFICIENT_BUFFER);
    }
    width.write(guest, into, &text)?;
    Ok(TRUE)
}

fn set(guest: &Guest, handle: GuestWord) -> Result<std::sync::Arc<DeviceSet>, Win32Error> {
    guest.process().cryptography.get(handle.get()).ok_or(Win32Error::INVALID_HANDLE)
}

/// Makes a set for a class.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/setupapi/nf-setupapi-setupdicreatedeviceinfolist>
#[winapi]
pub fn SetupDiCreateDeviceInfoList(
    guest: &mut Guest,
    ClassGuid: GuestWord,
    hwndParent: GuestWord,
) -> Result<HandleOrInvalid, Win32Error> {
    let _ = hwndParent;
    make(guest, ClassGuid)
}

/// Gives a set up.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/setupapi/nf-setupapi-setupdidestroydeviceinfolist>
#[winapi]
pub fn SetupDiDestroyDeviceInfoList(guest: &mut Guest, DeviceInfoSet: GuestWord) -> Result<Bool, Win32Error> {
    let removed = guest.process().cryptography.remove::<DeviceSet>(DeviceInfoSet.get());
    removed.map(|_| TRUE).ok_or(Win32Error::INVALID_HANDLE)
}

/// Returns the class that a set is for.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/setupapi/nf-setupapi-setupdigetdeviceinfolistclass>
#[winapi]
pub fn SetupDiGetDeviceInfoListClass(
    guest: &mut Guest,
    DeviceInfoSet: GuestWord,
    ClassGuid: GuestWord,
) -> Result<Bool, Win32Error> {
    /// `ERROR_NO_ASSOCIATED_CLASS`.
    const NO_CLASS: Win32Error = Win32Error(0xe000_0200);
    let class = set(guest, DeviceInfoSet)?.class;
    if class == [0; 16] {
        return Err(NO_CLASS);
    }
    guest.write_bytes(ClassGuid.get(), &class)?;
    Ok(TRUE)
}

answers! {
    "Says that the set holds no more devices: there are none." -> Result<Bool, Win32Error> = Err(Win32Error::NO_MORE_ITEMS) => {
        "setupapi/nf-setupapi-setupdienumdeviceinfo"
        SetupDiEnumDeviceInfo(DeviceInfoSet: GuestWord, MemberIndex: u32, DeviceInfoData: GuestWord);
        "setupapi/nf-setupapi-setupdienumdeviceinterfaces"
        SetupDiEnumDeviceInterfaces(DeviceInfoSet: GuestWord, DeviceInfoData: GuestWord, InterfaceClassGuid: GuestWord, MemberIndex: u32, DeviceInterfaceData: GuestWord);
    }
    "Says that this is no device of the set, which holds none." -> Result<Bool, Win32Error> = Err(Win32Error::INVALID_PARAMETER) => {
        "setupapi/nf-setupapi-setupdigetdeviceinterfacedetail"
        SetupDiGetDeviceInterfaceDetailA, SetupDiGetDeviceInterfaceDetailW(DeviceInfoSet: GuestWord, DeviceInterfaceData: GuestWord, DeviceInterfaceDetailData: GuestWord, DeviceInterfaceDetailDataSize: u32, RequiredSize: GuestWord, DeviceInfoData: GuestWord);
        "setupapi/nf-setupapi-setupdigetdeviceregistryproperty"
        SetupDiGetDeviceRegistryPropertyA, SetupDiGetDeviceRegistryPropertyW(DeviceInfoSet: GuestWord, DeviceInfoData: GuestWord, Property: u32, PropertyRegDataType: GuestWord, PropertyBuffer: GuestWord, PropertyBufferSize: u32, RequiredSize: GuestWord);
        "setupapi/nf-setupapi-setupdisetdeviceregistryproperty"
        SetupDiSetDeviceRegistryPropertyA, SetupDiSetDeviceRegistryPropertyW(DeviceInfoSet: GuestWord, DeviceInfoData: GuestWord, Property: u32, PropertyBuffer: GuestWord, PropertyBufferSize: u32);
        "setupapi/nf-setupapi-setupdigetdeviceinstanceid"
        SetupDiGetDeviceInstanceIdA, SetupDiGetDeviceInstanceIdW(DeviceInfoSet: GuestWord, DeviceInfoData: GuestWord, DeviceInstanceId: GuestWord, DeviceInstanceIdSize: u32, RequiredSize: GuestWord);
        "setupapi/nf-setupapi-setupdigetdevicepropertyw"
        SetupDiGetDevicePropertyW(DeviceInfoSet: GuestWord, DeviceInfoData: GuestWord, PropertyKey: GuestWord, PropertyType: GuestWord, PropertyBuffer: GuestWord, PropertyBufferSize: u32, RequiredSize: GuestWord, Flags: u32);
        "setupapi/nf-setupapi-setupdigetdevicepropertykeys"
        SetupDiGetDevicePropertyKeys(DeviceInfoSet: GuestWord, DeviceInfoData: GuestWord, PropertyKeyArray: GuestWord, PropertyKeyCount: u32, RequiredPropertyKeyCount: GuestWord, Flags: u32);
        "setupapi/nf-setupapi-setupdigetdeviceinterfacepropertyw"
        SetupDiGetDeviceInterfacePropertyW(DeviceInfoSet: GuestWord, DeviceInterfaceData: GuestWord, PropertyKey: GuestWord, PropertyType: GuestWord, PropertyBuffer: GuestWord, PropertyBufferSize: u32, RequiredSize: GuestWord, Flags: u32);
        "setupapi/nf-setupapi-setupdicallclassinstaller"
        SetupDiCallClassInstaller(InstallFunction: u32, DeviceInfoSet: GuestWord, DeviceInfoData: GuestWord);
        "setupapi/nf-setupapi-setupdichangestate"
        SetupDiChangeState(DeviceInfoSet: GuestWord, DeviceInfoData: GuestWord);
        "setupapi/nf-setupapi-setupdiremovedevice"
        SetupDiRemoveDevice(DeviceInfoSet: GuestWord, DeviceInfoData: GuestWord);
        "setupapi/nf-setupapi-setupdigetdeviceinstallparams"
        SetupDiGetDeviceInstallParamsA, SetupDiGetDeviceInstallParamsW(DeviceInfoSet: GuestWord, DeviceInfoData: GuestWord, DeviceInstallParams: GuestWord);
        "setupapi/nf-setupapi-setupdisetdeviceinstallparamsw"
        SetupDiSetDeviceInstallParamsW(DeviceInfoSet: GuestWord, DeviceInfoData: GuestWord, DeviceInstallParams: GuestWord);
        "setupapi/nf-setupapi-setupdisetclassinstallparams"
        SetupDiSetClassInstallParamsA, SetupDiSetClassInstallParamsW(DeviceInfoSet: GuestWord, DeviceInfoData: GuestWord, ClassInstallParams: GuestWord, ClassInstallParamsSize: u32);
        "setupapi/nf-setupapi-setupdibuilddriverinfolist"
        SetupDiBuildDriverInfoList(DeviceInfoSet: GuestWord, DeviceInfoData: GuestWord, DriverType: u32);
        "setupapi/nf-setupapi-setupdienumdriverinfo"
        SetupDiEnumDriverInfoA, SetupDiEnumDriverInfoW(DeviceInfoSet: GuestWord, DeviceInfoData: GuestWord, DriverType: u32, MemberIndex: u32, DriverInfoData: GuestWord);
        "setupapi/nf-setupapi-setupdigetdriverinfodetailw"
        SetupDiGetDriverInfoDetailW(DeviceInfoSet: GuestWord, DeviceInfoData: GuestWord, DriverInfoData: GuestWord, DriverInfoDetailData: GuestWord, DriverInfoDetailDataSize: u32, RequiredSize: GuestWord);
        "setupapi/nf-setupapi-setupdideletedeviceinfo"
        SetupDiDeleteDeviceInfo(DeviceInfoSet: GuestWord, DeviceInfoData: GuestWord);
        "setupapi/nf-setupapi-setupdideletedeviceinterfacedata"
        SetupDiDeleteDeviceInterfaceData(DeviceInfoSet: GuestWord, DeviceInterfaceData: GuestWord);
    }
    "Says that there is no such device." -> Result<Bool, Win32Error> = Err(NO_SUCH_DEVINST) => {
        "setupapi/nf-setupapi-setupdiopendeviceinfo"
        SetupDiOpenDeviceInfoA, SetupDiOpenDeviceInfoW(DeviceInfoSet: GuestWord, DeviceInstanceId: GuestWord, hwndParent: GuestWord, OpenFlags: u32, DeviceInfoData: GuestWord);
        "setupapi/nf-setupapi-setupdiopendeviceinterface"
        SetupDiOpenDeviceInterfaceA, SetupDiOpenDeviceInterfaceW(DeviceInfoSet: GuestWord, DevicePath: GuestWord, OpenFlags: u32, DeviceInterfaceData: GuestWord);
        "setupapi/nf-setupapi-setupdicreatedeviceinfo"
        SetupDiCreateDeviceInfoA, SetupDiCreateDeviceInfoW(DeviceInfoSet: GuestWord, DeviceName: GuestWord, ClassGuid: GuestWord, DeviceDescription: GuestWord, hwndParent: GuestWord, CreationFlags: u32, DeviceInfoData: GuestWord);
    }
    "Says that there is no key of such a device." -> Result<HandleOrInvalid, Win32Error> = Err(NO_SUCH_DEVINST) => {
        "setupapi/nf-setupapi-setupdiopendevregkey"
        SetupDiOpenDevRegKey(DeviceInfoSet: GuestWord, DeviceInfoData: GuestWord, Scope: u32, HwProfile: u32, KeyType: u32, samDesired: u32);
        "setupapi/nf-setupapi-setupdicreatedevregkey"
        SetupDiCreateDevRegKeyA, SetupDiCreateDevRegKeyW(DeviceInfoSet: GuestWord, DeviceInfoData: GuestWord, Scope: u32, HwProfile: u32, KeyType: u32, InfHandle: GuestWord, InfSectionName: GuestWord);
    }
}
