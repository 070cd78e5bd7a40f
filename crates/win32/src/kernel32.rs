//! kernel32.dll: the table of contents. Each file beside the functions has its own table.

pub mod activation;
pub mod appmodel;
pub mod atoms;
pub mod bad_pointers;
pub mod barriers;
pub mod binarytype;
pub mod completionport;
pub mod consoleapi;
pub mod cpu_sets;
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
pub mod firmware;
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
pub mod mailslots;
pub mod memoryapi;
pub mod mitigation;
pub mod namedpipes;
pub mod path_cch;
pub mod pipes;
pub mod placeholders;
pub mod power;
pub mod priorities;
pub mod privateprofile;
pub mod process;
pub mod process_information;
pub mod processenv;
pub mod processor_groups;
pub mod processor_topology;
pub mod processsnapshot;
pub mod processthreadsapi;
pub mod profileapi;
pub mod psapi;
pub mod recovery;
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
pub mod working_sets;
pub mod wow64apiset;
pub mod xstate;

use crate::export::Dll;

/// The DLL.
pub const DLL: Dll = Dll {
    name: "kernel32.dll",
    description: "Windows NT BASE API Client DLL",
    tables: &[
        activation::EXPORTS,
        appmodel::EXPORTS,
        atoms::EXPORTS,
        bad_pointers::EXPORTS,
        barriers::EXPORTS,
        binarytype::EXPORTS,
        completionport::EXPORTS,
        consoleapi::EXPORTS,
        consoleapi::attach::EXPORTS,
        consoleapi::cells::EXPORTS,
        consoleapi::events::EXPORTS,
        consoleapi::pseudo::EXPORTS,
        consoleapi::screens::EXPORTS,
        cpu_sets::EXPORTS,
        createprocess::EXPORTS,
        cycle_times::EXPORTS,
        debugapi::EXPORTS,
        devices::EXPORTS,
        directorychanges::EXPORTS,
        dll_directories::EXPORTS,
        errhandlingapi::EXPORTS,
        fibersapi::EXPORTS,
        fileapi::EXPORTS,
        filemapping::EXPORTS,
        findapi::EXPORTS,
        firmware::EXPORTS,
        formatmessage::EXPORTS,
        handleapi::EXPORTS,
        heapapi::EXPORTS,
        heapwalk::EXPORTS,
        interlocked::EXPORTS,
        ioapi::EXPORTS,
        jobapi::EXPORTS,
        leaves::EXPORTS,
        lfile::EXPORTS,
        libloaderapi::EXPORTS,
        lstr::EXPORTS,
        mailslots::EXPORTS,
        memoryapi::EXPORTS,
        mitigation::EXPORTS,
        namedpipes::EXPORTS,
        path_cch::EXPORTS,
        pipes::EXPORTS,
        placeholders::EXPORTS,
        power::EXPORTS,
        priorities::EXPORTS,
        privateprofile::EXPORTS,
        process::EXPORTS,
        process_information::EXPORTS,
        processenv::EXPORTS,
        processor_groups::EXPORTS,
        processor_topology::EXPORTS,
        processsnapshot::EXPORTS,
        processthreadsapi::EXPORTS,
        profileapi::EXPORTS,
        psapi::EXPORTS,
        recovery::EXPORTS,
        replacement::EXPORTS,
        resource_update::EXPORTS,
        resources::EXPORTS,
        streams::EXPORTS,
        stringapiset::EXPORTS,
        synchapi::EXPORTS,
        sysinfoapi::EXPORTS,
        system_facts::EXPORTS,
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
        working_sets::EXPORTS,
        wow64apiset::EXPORTS,
        xstate::EXPORTS,
    ],
    methods: &[],
};
