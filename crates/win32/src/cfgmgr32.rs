//! cfgmgr32.dll: the tree of devices, on a machine where programs see none.

use plat_abi::{Fault, GuestWord, Memory, winapi};

use crate::answers::answers;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::Guest;
use crate::widths::both_widths;

/// The DLL.
pub const DLL: Dll =
    Dll { name: "cfgmgr32.dll", description: "Configuration Manager DLL", tables: &[EXPORTS], methods: &[] };

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    full CM_Get_Device_ID_List_SizeA;
    full CM_Get_Device_ID_List_SizeW;
    full CM_Get_Device_ID_ListA;
    full CM_Get_Device_ID_ListW;
    full CM_Get_Device_Interface_List_SizeA;
    full CM_Get_Device_Interface_List_SizeW;
    full CM_Get_Device_Interface_ListA;
    full CM_Get_Device_Interface_ListW;
    full CM_Register_Notification;
    partial CM_MapCrToWin32Err, "the errors that functions here return";
    full CM_Get_Parent;
    full CM_Get_Child;
    full CM_Get_Sibling;
    full CM_Get_DevNode_Status;
    full CM_Get_Device_IDA;
    full CM_Get_Device_IDW;
    full CM_Get_Device_ID_Size;
    full CM_Get_DevNode_Registry_PropertyA;
    full CM_Get_DevNode_Registry_PropertyW;
    full CM_Set_DevNode_Registry_PropertyA;
    full CM_Set_DevNode_Registry_PropertyW;
    full CM_Get_DevNode_PropertyW;
    full CM_Open_DevNode_Key;
    full CM_Request_Device_EjectA;
    full CM_Request_Device_EjectW;
    full CM_Reenumerate_DevNode;
    full CM_Disable_DevNode;
    full CM_Enable_DevNode;
    full CM_Query_And_Remove_SubTreeA;
    full CM_Query_And_Remove_SubTreeW;
    full CM_Get_Depth;
    full CM_Get_Device_Interface_PropertyW;
    full CM_Locate_DevNodeA;
    full CM_Locate_DevNodeW;
    full CM_Unregister_Notification;
    full CM_Get_Version;
};

/// `CR_INVALID_DEVNODE`.
const INVALID_DEVICE: u32 = 5;
/// `CR_NO_SUCH_DEVNODE`.
const NO_SUCH_DEVICE: u32 = 13;
/// `CR_NO_SUCH_DEVICE_INTERFACE`.
const NO_SUCH_INTERFACE: u32 = 55;
/// `CR_INVALID_POINTER`.
const INVALID_POINTER: u32 = 3;
/// `CR_BUFFER_SMALL`.
const BUFFER_SMALL: u32 = 26;

/// Stores the size of an empty list: its last zero.
fn empty_size(guest: &Guest, size: GuestWord) -> Result<u32, Fault> {
    if size.is_null() {
        return Ok(INVALID_POINTER);
    }
    guest.write(size.get(), &1_u32).map(|()| 0)
}

both_widths! {
    /// Returns the size of the list of devices, which is empty.
    "cfgmgr32/nf-cfgmgr32-cm_get_device_id_list_size"
    CM_Get_Device_ID_List_SizeA, CM_Get_Device_ID_List_SizeW(
        guest, width, pulLen: GuestWord, pszFilter: GuestWord, ulFlags: u32
    ) -> Result<u32, Fault> {
        let _ = (width, pszFilter, ulFlags);
        empty_size(guest, pulLen)
    }

    /// Returns the list of devices, which is empty.
    "cfgmgr32/nf-cfgmgr32-cm_get_device_id_list"
    CM_Get_Device_ID_ListA, CM_Get_Device_ID_ListW(
        guest, width, pszFilter: GuestWord, Buffer: GuestWord, BufferLen: u32, ulFlags: u32
    ) -> Result<u32, Fault> {
        let _ = (pszFilter, ulFlags);
        if BufferLen == 0 { Ok(BUFFER_SMALL) } else { width.write(guest, Buffer, &[]).map(|()| 0) }
    }

    /// Returns the size of the list of interfaces, which is empty.
    "cfgmgr32/nf-cfgmgr32-cm_get_device_interface_list_size"
    CM_Get_Device_Interface_List_SizeA, CM_Get_Device_Interface_List_SizeW(
        guest, width, pulLen: GuestWord, InterfaceClassGuid: GuestWord, pDeviceID: GuestWord, ulFlags: u32
    ) -> Result<u32, Fault> {
        let _ = (width, InterfaceClassGuid, pDeviceID, ulFlags);
        empty_size(guest, pulLen)
    }

    /// Returns the list of interfaces, which is empty.
    "cfgmgr32/nf-cfgmgr32-cm_get_device_interface_list"
    CM_Get_Device_Interface_ListA, CM_Get_Device_Interface_ListW(
        guest, width, InterfaceClassGuid: GuestWord, pDeviceID: GuestWord, Buffer: GuestWord, BufferLen: u32, ulFlags: u32
    ) -> Result<u32, Fault> {
        let _ = (InterfaceClassGuid, pDeviceID, ulFlags);
        if BufferLen == 0 { Ok(BUFFER_SMALL) } else { width.write(guest, Buffer, &[]).map(|()| 0) }
    }
}

/// Agrees to tell of devices that come and go; none do.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/cfgmgr32/nf-cfgmgr32-cm_register_notification>
#[winapi]
pub fn CM_Register_Notification(
    guest: &mut Guest,
    pFilter: GuestWord,
    pContext: GuestWord,
    pCallback: GuestWord,
    pNotifyContext: GuestWord,
) -> Result<u32, Fault> {
    let _ = (pFilter, pContext, pCallback);
    if pNotifyContext.is_null() {
        return Ok(INVALID_POINTER);
    }
    // A token that leads nowhere and is not null.
    guest.write_word(pNotifyContext.get(), pNotifyContext.get()).map(|()| 0)
}

/// Translates a result to an error of Win32's; an unknown one becomes what the caller gives.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/cfgmgr32/nf-cfgmgr32-cm_mapcrtowin32err>
#[winapi]
pub fn CM_MapCrToWin32Err(guest: &mut Guest, CmReturnCode: u32, DefaultErr: u32) -> u32 {
    let _ = guest;
    match CmReturnCode {
        0 => 0,
        2 => 8,
        INVALID_POINTER => 87,
        INVALID_DEVICE | NO_SUCH_DEVICE => 0xe000_020b,
        BUFFER_SMALL => 122,
        NO_SUCH_INTERFACE => 0xe000_0225,
        _ => DefaultErr,
    }
}

answers! {
    "Says that the device has no relatives." -> u32 = NO_SUCH_DEVICE => {
        "cfgmgr32/nf-cfgmgr32-cm_get_parent" CM_Get_Parent(pdnDevInst: GuestWord, dnDevInst: u32, ulFlags: u32);
        "cfgmgr32/nf-cfgmgr32-cm_get_child" CM_Get_Child(pdnDevInst: GuestWord, dnDevInst: u32, ulFlags: u32);
        "cfgmgr32/nf-cfgmgr32-cm_get_sibling" CM_Get_Sibling(pdnDevInst: GuestWord, dnDevInst: u32, ulFlags: u32);
    }
    "Says that this is no device." -> u32 = INVALID_DEVICE => {
        "cfgmgr32/nf-cfgmgr32-cm_get_devnode_status"
        CM_Get_DevNode_Status(pulStatus: GuestWord, pulProblemNumber: GuestWord, dnDevInst: u32, ulFlags: u32);
        "cfgmgr32/nf-cfgmgr32-cm_get_device_id"
        CM_Get_Device_IDA, CM_Get_Device_IDW(dnDevInst: u32, Buffer: GuestWord, BufferLen: u32, ulFlags: u32);
        "cfgmgr32/nf-cfgmgr32-cm_get_device_id_size"
        CM_Get_Device_ID_Size(pulLen: GuestWord, dnDevInst: u32, ulFlags: u32);
        "cfgmgr32/nf-cfgmgr32-cm_get_devnode_registry_property"
        CM_Get_DevNode_Registry_PropertyA, CM_Get_DevNode_Registry_PropertyW(dnDevInst: u32, ulProperty: u32, pulRegDataType: GuestWord, Buffer: GuestWord, pulLength: GuestWord, ulFlags: u32);
        "cfgmgr32/nf-cfgmgr32-cm_set_devnode_registry_property"
        CM_Set_DevNode_Registry_PropertyA, CM_Set_DevNode_Registry_PropertyW(dnDevInst: u32, ulProperty: u32, Buffer: GuestWord, ulLength: u32, ulFlags: u32);
        "cfgmgr32/nf-cfgmgr32-cm_get_devnode_propertyw"
        CM_Get_DevNode_PropertyW(dnDevInst: u32, PropertyKey: GuestWord, PropertyType: GuestWord, PropertyBuffer: GuestWord, PropertyBufferSize: GuestWord, ulFlags: u32);
        "cfgmgr32/nf-cfgmgr32-cm_open_devnode_key"
        CM_Open_DevNode_Key(dnDevNode: u32, samDesired: u32, ulHardwareProfile: u32, Disposition: u32, phkDevice: GuestWord, ulFlags: u32);
        "cfgmgr32/nf-cfgmgr32-cm_request_device_eject"
        CM_Request_Device_EjectA, CM_Request_Device_EjectW(dnDevInst: u32, pVetoType: GuestWord, pszVetoName: GuestWord, ulNameLength: u32, ulFlags: u32);
        "cfgmgr32/nf-cfgmgr32-cm_reenumerate_devnode" CM_Reenumerate_DevNode(dnDevInst: u32, ulFlags: u32);
        "cfgmgr32/nf-cfgmgr32-cm_disable_devnode" CM_Disable_DevNode(dnDevInst: u32, ulFlags: u32);
        "cfgmgr32/nf-cfgmgr32-cm_enable_devnode" CM_Enable_DevNode(dnDevInst: u32, ulFlags: u32);
        "cfgmgr32/nf-cfgmgr32-cm_query_and_remove_subtree"
        CM_Query_And_Remove_SubTreeA, CM_Query_And_Remove_SubTreeW(dnAncestor: u32, pVetoType: GuestWord, pszVetoName: GuestWord, ulNameLength: u32, ulFlags: u32);
        "cfgmgr32/nf-cfgmgr32-cm_get_depth" CM_Get_Depth(pulDepth: GuestWord, dnDevInst: u32, ulFlags: u32);
    }
    "Says that there is no such interface." -> u32 = NO_SUCH_INTERFACE => {
        "cfgmgr32/nf-cfgmgr32-cm_get_device_interface_propertyw"
        CM_Get_Device_Interface_PropertyW(pszDeviceInterface: GuestWord, PropertyKey: GuestWord, PropertyType: GuestWord, PropertyBuffer: GuestWord, PropertyBufferSize: GuestWord, ulFlags: u32);
    }
    "Says that there is no such device." -> u32 = NO_SUCH_DEVICE => {
        "cfgmgr32/nf-cfgmgr32-cm_locate_devnode"
        CM_Locate_DevNodeA, CM_Locate_DevNodeW(pdnDevInst: GuestWord, pDeviceID: GuestWord, ulFlags: u32);
    }
    "Agrees: nothing would have been told." -> u32 = 0 => {
        "cfgmgr32/nf-cfgmgr32-cm_unregister_notification" CM_Unregister_Notification(NotifyContext: GuestWord);
    }
    "Returns the version of the interface: 4.0." -> u16 = 0x400 => {
        "cfgmgr32/nf-cfgmgr32-cm_get_version" CM_Get_Version();
    }
}
