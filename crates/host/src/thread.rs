//! Host threads and the end of the process.

/// Ends the process at once with an exit status, without running anything of the guest's.
pub fn exit_process(status: i32) -> ! {
    crate::terminal::restore();
    // SAFETY: 1. `_exit` has no preconditions. Rust's own buffers (standard output) are not used by the guest's side.
    unsafe { libc::_exit(status) }
}

/// Ends the process at once as a signal does that nobody handles, when `status` is 128 and a signal's number: a shell then ends
/// its loop, too. Any other status is one of an ordinary end.
pub fn exit_as_signalled(status: i32) -> ! {
    let signal = status - 128;
    if matches!(signal, libc::SIGINT | libc::SIGQUIT | libc::SIGHUP | libc::SIGTERM) {
        crate::terminal::restore();
        // SAFETY: 1. the default action is always allowed.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
        // SAFETY: 1. the signal goes to this thread, which does not block it.
        unsafe { libc::raise(signal) };
    }
    exit_process(status)
}

/// Bytes of host stack for a guest thread: host frames only, the guest has a stack of its own. Runtimes whose handlers raise
/// exceptions nest them deeply, some 50 KiB each in a debug build.
pub const HOST_STACK_SIZE: usize = 2 * 1024 * 1024;

/// Starts a host thread that carries a guest thread; nobody joins it.
///
/// # Errors
/// The kernel's word when it starts no more threads.
pub fn spawn(body: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().stack_size(HOST_STACK_SIZE).spawn(body).map(drop)
}

/// Returns the kernel's identifier of the calling thread.
pub fn kernel_id() -> u32 {
    rustix::thread::gettid().as_raw_nonzero().get() as u32
}

/// Lets another thread run, if one waits for the processor.
pub fn yield_now() {
    std::thread::yield_now();
}

/// Names the calling thread for debuggers and `ps`; the kernel keeps 15 bytes.
pub fn set_name(name: &str) {
    let bytes: Vec<u8> = name.bytes().filter(|&byte| byte != 0).take(15).collect();
    if let Ok(name) = std::ffi::CString::new(bytes) {
        let _ = rustix::thread::set_name(&name);
    }
}

/// Sleeps for a while, in nanoseconds.
pub fn sleep(nanoseconds: u64) {
    std::thread::sleep(std::time::Duration::from_nanos(nanoseconds));
}

/// Waits a moment for another processor, in a loop that will soon sleep.
#[inline]
pub fn spin() {
    std::hint::spin_loop();
}
