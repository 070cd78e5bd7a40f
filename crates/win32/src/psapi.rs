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
    forward GetPerformanceInfo => "kernel32.K32GetPerformanceInfo";
    forward GetProcessMemoryInfo => "kernel32.K32GetProcessMemoryInfo";
};

/// The DLL.
pub const DLL: Dll =
    Dll { name: "psapi.dll", description: "Process Status Helper", tables: &[EXPORTS], methods: &[] };
