//! winsvc.h: services. No service manager runs, which Windows' functions can say: a program learns that it was not
//! started as a service, and that there is nobody to ask about others.

use plat_abi::GuestWord;

use crate::Win32Error;
use crate::answers::answers;
use crate::dll;
use crate::export::Export;
use crate::guest::Bool;

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial StartServiceCtrlDispatcherA, "no service manager runs";
    partial StartServiceCtrlDispatcherW, "no service manager runs";
    partial RegisterServiceCtrlHandlerA, "no service manager runs";
    partial RegisterServiceCtrlHandlerW, "no service manager runs";
    partial RegisterServiceCtrlHandlerExA, "no service manager runs";
    partial RegisterServiceCtrlHandlerExW, "no service manager runs";
    partial SetServiceStatus, "no service manager runs";
    partial OpenSCManagerA, "no service manager runs";
    partial OpenSCManagerW, "no service manager runs";
    partial CloseServiceHandle, "no service manager runs";
    partial OpenServiceA, "no service manager runs";
    partial OpenServiceW, "no service manager runs";
    partial CreateServiceA, "no service manager runs";
    partial CreateServiceW, "no service manager runs";
    partial DeleteService, "no service manager runs";
    partial StartServiceA, "no service manager runs";
    partial StartServiceW, "no service manager runs";
    partial ControlService, "no service manager runs";
    partial QueryServiceStatus, "no service manager runs";
    partial QueryServiceStatusEx, "no service manager runs";
    partial QueryServiceConfigA, "no service manager runs";
    partial QueryServiceConfigW, "no service manager runs";
    partial QueryServiceConfig2A, "no service manager runs";
    partial QueryServiceConfig2W, "no service manager runs";
    partial ChangeServiceConfigA, "no service manager runs";
    partial ChangeServiceConfigW, "no service manager runs";
    partial ChangeServiceConfig2A, "no service manager runs";
    partial ChangeServiceConfig2W, "no service manager runs";
    partial EnumServicesStatusA, "no service manager runs";
    partial EnumServicesStatusW, "no service manager runs";
    partial EnumServicesStatusExA, "no service manager runs";
    partial EnumServicesStatusExW, "no service manager runs";
    partial EnumDependentServicesA, "no service manager runs";
    partial EnumDependentServicesW, "no service manager runs";
    partial LockServiceDatabase, "no service manager runs";
    partial UnlockServiceDatabase, "no service manager runs";
};

/// What a console program gets that calls the dispatcher.
const NOT_A_SERVICE: Win32Error = Win32Error::FAILED_SERVICE_CONTROLLER_CONNECT;
/// What a handler gets whose service the dispatcher was not told of.
// ERROR_SERVICE_NOT_IN_EXE.
const NOT_IN_TABLE: Win32Error = Win32Error(1083);
/// There are no handles of services.
const NO_HANDLE: Win32Error = Win32Error::INVALID_HANDLE;

answers! {
    "Connects the thread with the service manager, which did not start the program.", "winsvc/nf-winsvc-startservicectrldispatcher";
    StartServiceCtrlDispatcherA, StartServiceCtrlDispatcherW(lpServiceStartTable: GuestWord) -> Result<Bool, Win32Error> = Err(NOT_A_SERVICE);
    "Names a service's handler; no service is being dispatched.", "winsvc/nf-winsvc-registerservicectrlhandler";
    RegisterServiceCtrlHandlerA, RegisterServiceCtrlHandlerW(lpServiceName: GuestWord, lpHandlerProc: GuestWord) -> Result<GuestWord, Win32Error> = Err(NOT_IN_TABLE);
    "Names a service's handler; no service is being dispatched.", "winsvc/nf-winsvc-registerservicectrlhandlerex";
    RegisterServiceCtrlHandlerExA, RegisterServiceCtrlHandlerExW(lpServiceName: GuestWord, lpHandlerProc: GuestWord, lpContext: GuestWord) -> Result<GuestWord, Win32Error> = Err(NOT_IN_TABLE);
    "Tells the manager what a service does; there is no such service.", "winsvc/nf-winsvc-setservicestatus";
    SetServiceStatus(hServiceStatus: GuestWord, lpServiceStatus: GuestWord) -> Result<Bool, Win32Error> = Err(NO_HANDLE);
    "Connects with the service manager, which does not run.", "winsvc/nf-winsvc-openscmanager";
    OpenSCManagerA, OpenSCManagerW(lpMachineName: GuestWord, lpDatabaseName: GuestWord, dwDesiredAccess: u32) -> Result<GuestWord, Win32Error> = Err(Win32Error::RPC_S_SERVER_UNAVAILABLE);
    "Closes a handle of the manager's.", "winsvc/nf-winsvc-closeservicehandle";
    CloseServiceHandle(hSCObject: GuestWord) -> Result<Bool, Win32Error> = Err(NO_HANDLE);
    "Opens a service.", "winsvc/nf-winsvc-openservice";
    OpenServiceA, OpenServiceW(hSCManager: GuestWord, lpServiceName: GuestWord, dwDesiredAccess: u32) -> Result<GuestWord, Win32Error> = Err(NO_HANDLE);
    "Makes a service.", "winsvc/nf-winsvc-createservice";
    CreateServiceA, CreateServiceW(
        hSCManager: GuestWord, lpServiceName: GuestWord, lpDisplayName: GuestWord, dwDesiredAccess: u32,
        dwServiceType: u32, dwStartType: u32, dwErrorControl: u32, lpBinaryPathName: GuestWord,
        lpLoadOrderGroup: GuestWord, lpdwTagId: GuestWord, lpDependencies: GuestWord, lpServiceStartName: GuestWord,
        lpPassword: GuestWord
    ) -> Result<GuestWord, Win32Error> = Err(NO_HANDLE);
    "Removes a service.", "winsvc/nf-winsvc-deleteservice";
    DeleteService(hService: GuestWord) -> Result<Bool, Win32Error> = Err(NO_HANDLE);
    "Starts a service.", "winsvc/nf-winsvc-startservice";
    StartServiceA, StartServiceW(hService: GuestWord, dwNumServiceArgs: u32, lpServiceArgVectors: GuestWord) -> Result<Bool, Win32Error> = Err(NO_HANDLE);
    "Sends a control to a service.", "winsvc/nf-winsvc-controlservice";
    ControlService(hService: GuestWord, dwControl: u32, lpServiceStatus: GuestWord) -> Result<Bool, Win32Error> = Err(NO_HANDLE);
    "Stores what a service does.", "winsvc/nf-winsvc-queryservicestatus";
    QueryServiceStatus(hService: GuestWord, lpServiceStatus: GuestWord) -> Result<Bool, Win32Error> = Err(NO_HANDLE);
    "Stores what a service does, with its process.", "winsvc/nf-winsvc-queryservicestatusex";
    QueryServiceStatusEx(hService: GuestWord, InfoLevel: i32, lpBuffer: GuestWord, cbBufSize: u32, pcbBytesNeeded: GuestWord) -> Result<Bool, Win32Error> = Err(NO_HANDLE);
    "Stores how a service is set up.", "winsvc/nf-winsvc-queryserviceconfig";
    QueryServiceConfigA, QueryServiceConfigW(hService: GuestWord, lpServiceConfig: GuestWord, cbBufSize: u32, pcbBytesNeeded: GuestWord) -> Result<Bool, Win32Error> = Err(NO_HANDLE);
    "Stores more of how a service is set up.", "winsvc/nf-winsvc-queryserviceconfig2";
    QueryServiceConfig2A, QueryServiceConfig2W(hService: GuestWord, dwInfoLevel: u32, lpBuffer: GuestWord, cbBufSize: u32, pcbBytesNeeded: GuestWord) -> Result<Bool, Win32Error> = Err(NO_HANDLE);
    "Sets a service up.", "winsvc/nf-winsvc-changeserviceconfig";
    ChangeServiceConfigA, ChangeServiceConfigW(
        hService: GuestWord, dwServiceType: u32, dwStartType: u32, dwErrorControl: u32, lpBinaryPathName: GuestWord,
        lpLoadOrderGroup: GuestWord, lpdwTagId: GuestWord, lpDependencies: GuestWord, lpServiceStartName: GuestWord,
        lpPassword: GuestWord, lpDisplayName: GuestWord
    ) -> Result<Bool, Win32Error> = Err(NO_HANDLE);
    "Sets more of a service up.", "winsvc/nf-winsvc-changeserviceconfig2";
    ChangeServiceConfig2A, ChangeServiceConfig2W(hService: GuestWord, dwInfoLevel: u32, lpInfo: GuestWord) -> Result<Bool, Win32Error> = Err(NO_HANDLE);
    "Stores a list of services.", "winsvc/nf-winsvc-enumservicesstatus";
    EnumServicesStatusA, EnumServicesStatusW(
        hSCManager: GuestWord, dwServiceType: u32, dwServiceState: u32, lpServices: GuestWord, cbBufSize: u32,
        pcbBytesNeeded: GuestWord, lpServicesReturned: GuestWord, lpResumeHandle: GuestWord
    ) -> Result<Bool, Win32Error> = Err(NO_HANDLE);
    "Stores a list of services with their processes.", "winsvc/nf-winsvc-enumservicesstatusex";
    EnumServicesStatusExA, EnumServicesStatusExW(
        hSCManager: GuestWord, InfoLevel: i32, dwServiceType: u32, dwServiceState: u32, lpServices: GuestWord,
        cbBufSize: u32, pcbBytesNeeded: GuestWord, lpServicesReturned: GuestWord, lpResumeHandle: GuestWord,
        pszGroupName: GuestWord
    ) -> Result<Bool, Win32Error> = Err(NO_HANDLE);
    "Stores the services that need a service.", "winsvc/nf-winsvc-enumdependentservices";
    EnumDependentServicesA, EnumDependentServicesW(
        hService: GuestWord, dwServiceState: u32, lpServices: GuestWord, cbBufSize: u32, pcbBytesNeeded: GuestWord,
        lpServicesReturned: GuestWord
    ) -> Result<Bool, Win32Error> = Err(NO_HANDLE);
    "Locks the list of services.", "winsvc/nf-winsvc-lockservicedatabase";
    LockServiceDatabase(hSCManager: GuestWord) -> Result<GuestWord, Win32Error> = Err(NO_HANDLE);
    "Unlocks the list of services.", "winsvc/nf-winsvc-unlockservicedatabase";
    UnlockServiceDatabase(ScLock: GuestWord) -> Result<Bool, Win32Error> = Err(Win32Error::INVALID_SERVICE_LOCK);
}
