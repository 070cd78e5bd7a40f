//! psapi.dll: the old names of what kernel32 has.

use crate::dll;
use crate::export::{Dll, Export};

const EXPORTS: &[Export] = dll! {
    forward EnumProcesses => "kernel32.K32EnumProcesses";
    forward EnumProcessModules => "kernel32.K32EnumProcessModules";
    forward EnumProcessModulesEx => "kernel32.K32EnumProcessModulesEx";
    forward GetModuleBaseNameA => "kernel32.K32GetModuleBaseNameA";
    forward GetModuleBaseNameW => "kernel32.K32GetModuleBaseNameW";
    forward GetModuleFileNameExA => "kernel32.K32GetModuleFileNameExA";
    forward GetModuleFileNameExW => "kernel32.K32GetModuleFileNameExW";
    forward GetModuleInformation => "kernel32.K32GetModuleInformation";
    forward GetProcessImageFileNameA => "kernel32.K32GetProcessImageFileNameA";
    forward GetProcessImageFileNameW => "kernel32.K32GetProcessImageFileNameW";
    forward EmptyWorkingSet => "kernel32.K32EmptyWorkingSet";
    forward EnumDeviceDrivers => "kernel32.K32EnumDeviceDrivers";
    forward EnumPageFilesA => "kernel32.K32EnumPageFilesA";
    forward EnumPageFilesW => "kernel32.K32EnumPageFilesW";
    forward GetDeviceDriverBaseNameA => "kernel32.K32GetDeviceDriverBaseNameA";
    forward GetDeviceDriverBaseNameW => "kernel32.K32GetDeviceDriverBaseNameW";
    forward GetDeviceDriverFileNameA => "kernel32.K32GetDeviceDriverFileNameA";
    forward GetDeviceDriverFileNameW => "kernel32.K32GetDeviceDriverFileNameW";
    forward GetMappedFileNameA => "kernel32.K32GetMappedFileNameA";
    forward GetMappedFileNameW => "kernel32.K32GetMappedFileNameW";
    forward GetWsChanges => "kernel32.K32GetWsChanges";
    forward GetWsChangesEx => "kernel32.K32GetWsChangesEx";
    forward InitializeProcessForWsWatch => "kernel32.K32InitializeProcessForWsWatch";
    forward QueryWorkingSet => "kernel32.K32QueryWorkingSet";
    forward QueryWorkingSetEx => "kernel32.K32QueryWorkingSetEx";
    forward GetPerformanceInfo => "kernel32.K32GetPerformanceInfo";
    forward GetProcessMemoryInfo => "kernel32.K32GetProcessMemoryInfo";
};

/// The DLL.
pub const DLL: Dll =
    Dll { name: "psapi.dll", description: "Process Status Helper", tables: &[EXPORTS], methods: &[] };
