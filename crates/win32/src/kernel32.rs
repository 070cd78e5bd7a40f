//! kernel32.dll: the table of contents. Each file beside the functions has its own table.

pub mod activation;
pub mod appmodel;
pub mod atoms;
pub mod binarytype;
pub mod completionport;
pub mod consoleapi;
pub mod createprocess;
pub mod cycle_times;
pub mod debugapi;
pub mod devices;
pub mod directorychanges;
pub mod dll_directories;
pub mod errhandlingapi;
pub(crate) mod event_leaves;
pub mod fibersapi;
pub mod fileapi;
pub mod filemapping;
pub mod findapi;
pub mod formatmessage;
pub mod handleapi;
pub(crate) mod heap_leaves;
pub mod heapapi;
pub mod heapwalk;
pub mod interlocked;
pub mod ioapi;
pub mod jobapi;
pub mod leaves;
pub mod lfile;
pub mod libloaderapi;
pub mod lstr;
pub mod memory_advice;
pub mod memoryapi;
pub mod namedpipes;
pub mod odds;
pub mod path_cch;
pub mod pipes;
pub mod placeholders;
pub mod power;
pub mod privateprofile;
pub mod process;
pub mod processenv;
pub mod processor_groups;
pub mod processor_topology;
pub mod processsnapshot;
pub mod processthreadsapi;
pub mod profileapi;
pub mod psapi;
pub mod replacement;
pub mod resource_update;
pub mod resources;
pub mod streams;
pub mod stringapiset;
pub mod synchapi;
pub mod sysinfoapi;
pub mod system_facts;
pub mod thread_info;
pub mod threadpoolapi;
pub mod threadpoollegacy;
pub mod time_zones;
pub mod timezoneapi;
pub mod tls;
pub mod toolhelp;
pub mod volumes;
pub mod werapi;
pub mod winnls;
pub mod xstate;

use crate::export::Dll;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "kernel32.dll",
    description: "Windows NT BASE API Client DLL",
    tables: &[
        binarytype::EXPORTS,
        completionport::EXPORTS,
        consoleapi::EXPORTS,
        consoleapi::attach::EXPORTS,
        consoleapi::cells::EXPORTS,
        consoleapi::events::EXPORTS,
        consoleapi::pseudo::EXPORTS,
        consoleapi::screens::EXPORTS,
        cycle_times::EXPORTS,
        debugapi::EXPORTS,
        devices::EXPORTS,
        createprocess::EXPORTS,
        directorychanges::EXPORTS,
        dll_directories::EXPORTS,
        errhandlingapi::EXPORTS,
        fibersapi::EXPORTS,
        fileapi::EXPORTS,
        filemapping::EXPORTS,
        findapi::EXPORTS,
        formatmessage::EXPORTS,
        handleapi::EXPORTS,
        appmodel::EXPORTS,
        atoms::EXPORTS,
        heapapi::EXPORTS,
        heapwalk::EXPORTS,
        interlocked::EXPORTS,
        ioapi::EXPORTS,
        jobapi::EXPORTS,
        leaves::EXPORTS,
        libloaderapi::EXPORTS,
        lstr::EXPORTS,
        memory_advice::EXPORTS,
        memoryapi::EXPORTS,
        namedpipes::EXPORTS,
        path_cch::EXPORTS,
        pipes::EXPORTS,
        placeholders::EXPORTS,
        power::EXPORTS,
        privateprofile::EXPORTS,
        process::EXPORTS,
        processenv::EXPORTS,
        processsnapshot::EXPORTS,
        processthreadsapi::EXPORTS,
        processor_groups::EXPORTS,
        processor_topology::EXPORTS,
        profileapi::EXPORTS,
        resource_update::EXPORTS,
        resources::EXPORTS,
        psapi::EXPORTS,
        streams::EXPORTS,
        stringapiset::EXPORTS,
        synchapi::EXPORTS,
        system_facts::EXPORTS,
        sysinfoapi::EXPORTS,
        thread_info::EXPORTS,
        threadpoolapi::EXPORTS,
        threadpoollegacy::EXPORTS,
        time_zones::EXPORTS,
        timezoneapi::EXPORTS,
        tls::EXPORTS,
        toolhelp::EXPORTS,
        volumes::EXPORTS,
        werapi::EXPORTS,
        winnls::calendars::EXPORTS,
        winnls::code_pages::EXPORTS,
        winnls::date_time::EXPORTS,
        winnls::find_string::EXPORTS,
        winnls::geography::EXPORTS,
        winnls::locale_info::EXPORTS,
        winnls::locales::EXPORTS,
        winnls::mapping::EXPORTS,
        winnls::normalization::EXPORTS,
        winnls::numbers::EXPORTS,
        winnls::ui_languages::EXPORTS,
        xstate::EXPORTS,
        activation::EXPORTS,
        lfile::EXPORTS,
        odds::EXPORTS,
        replacement::EXPORTS,
    ],
    methods: &[],
};
