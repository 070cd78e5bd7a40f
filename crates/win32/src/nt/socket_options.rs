//! Options of sockets: those that the kernel has, and those that plat keeps itself.

use plat_host::clock;
use plat_host::file_path::Errno;
use plat_host::socket;

use super::socket::{Phase, Socket, of};
use crate::Win32Error;
use crate::logic::winsock::error::*;
use crate::logic::winsock::options::{self, SOL_SOCKET};

const SO_ACCEPTCONN: i32 = 2;
const SO_REUSEADDR: i32 = 4;
const SO_EXCLUSIVEADDRUSE: i32 = !4;
const SO_SNDTIMEO: i32 = 0x1005;
const SO_RCVTIMEO: i32 = 0x1006;
const SO_ERROR: i32 = 0x1007;
const SO_TYPE: i32 = 0x1008;
const SO_GROUP_ID: i32 = 0x2001;
const SO_MAX_MSG_SIZE: i32 = 0x2003;
const SO_CONDITIONAL_ACCEPT: i32 = 0x3002;
const SO_RANDOMIZE_PORT: i32 = 0x3005;
const SO_PAUSE_ACCEPT: i32 = 0x3003;
const SO_COMPARTMENT_ID: i32 = 0x3004;
const SO_PORT_SCALABILITY: i32 = 0x3006;
const SO_REUSE_UNICASTPORT: i32 = 0x3007;
const SO_REUSE_MULTICASTPORT: i32 = 0x3008;
const SO_OPENTYPE: i32 = 0x7008;
const SO_UPDATE_ACCEPT_CONTEXT: i32 = 0x700b;
const SO_CONNECT_TIME: i32 = 0x700c;
const SO_UPDATE_CONNECT_CONTEXT: i32 = 0x7010;
const IPPROTO_IPV6: i32 = 41;
const IPV6_PROTECTION_LEVEL: i32 = 23;
/// The greatest datagram: 65,535 less two headers.
const DATAGRAM_MAX: u32 = 65_507;
/// `PROTECTION_LEVEL_UNRESTRICTED`, the default without a firewall.
const UNRESTRICTED: u32 = 10;

fn number(value: &[u8]) -> Result<u32, Win32Error> {
    value.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)).ok_or(WSAEFAULT)
}

impl Socket {
    /// Returns an option's value, in Windows' form.
    ///
    /// # Errors
    /// `WSAENOPROTOOPT` for one that plat does not know, `WSAEINVAL`.
    pub fn option(&self, level: i32, name: i32) -> Result<Vec<u8>, Win32Error> {
        if let Some(value) = self.own_option(level, name)? {
            return Ok(value.to_le_bytes().to_vec());
        }
        let found = options::find(level, name).ok_or(WSAENOPROTOOPT)?;
        let value = socket::option(&self.file.file, found.level, found.name).map_err(of)?;
        Ok(found.form.of_linux(&value))
    }

    /// Returns an option that plat keeps itself.
    fn own_option(&self, level: i32, name: i32) -> Result<Option<u32>, Win32Error> {
        let end = self.end();
        if (level, name) == (IPPROTO_IPV6, IPV6_PROTECTION_LEVEL) {
            return Ok(Some(UNRESTRICTED));
        }
        if level != SOL_SOCKET {
            return Ok(None);
        }
        self.file.refresh_connection();
        let mut life = end.life();
        Ok(Some(match name {
            SO_ACCEPTCONN => u32::from(life.phase == Phase::Listening),
            SO_REUSEADDR if end.is_stream() => u32::from(life.reuses_address),
            SO_EXCLUSIVEADDRUSE => u32::from(life.is_exclusive),
            SO_SNDTIMEO => life.send_timeout,
            SO_RCVTIMEO => life.receive_timeout,
            SO_ERROR => life.error.take().map_or_else(|| self.kernel_error(), |error| error.0),
            SO_TYPE => end.kind as u32,
            SO_MAX_MSG_SIZE if !end.is_stream() => DATAGRAM_MAX,
            SO_GROUP_ID | SO_CONDITIONAL_ACCEPT | SO_RANDOMIZE_PORT | SO_OPENTYPE | SO_PAUSE_ACCEPT => 0,
            SO_PORT_SCALABILITY | SO_REUSE_UNICASTPORT | SO_REUSE_MULTICASTPORT => 0,
            // The one network of a machine without compartments.
            SO_COMPARTMENT_ID => 1,
            SO_CONNECT_TIME if life.phase == Phase::Connected => {
                ((clock::monotonic_nanoseconds() - life.connected_at) / 1_000_000_000) as u32
            }
            SO_CONNECT_TIME => u32::MAX,
            _ => return Ok(None),
        }))
    }

    /// Returns the error that the kernel keeps for the socket.
    fn kernel_error(&self) -> u32 {
        const SOL_SOCKET: i32 = 1;
        const SO_ERROR: i32 = 4;
        match socket::option_number(&self.file.file, SOL_SOCKET, SO_ERROR).unwrap_or(0) {
            0 => 0,
            errno => of_errno(errno).0,
        }
    }

    /// Sets an option from a value in Windows' form.
    ///
    /// # Errors
    /// `WSAENOPROTOOPT` for one that plat does not know, `WSAEFAULT` for too short a value, `WSAEINVAL`.
    pub fn set_option(&self, level: i32, name: i32, value: &[u8]) -> Result<(), Win32Error> {
        if self.set_own_option(level, name, value)? {
            return Ok(());
        }
        let found = options::find(level, name).ok_or(WSAENOPROTOOPT)?;
        let value = found.form.to_linux(value).ok_or(WSAEFAULT)?;
        let is_hint = matches!(found.form, options::Form::Size) || (level, name) == (SOL_SOCKET, 0x1003);
        match socket::set_option(&self.file.file, found.level, found.name, &value) {
            // ENOPROTOOPT of a hint: Linux has one fixed value.
            Err(Errno(92)) if is_hint => Ok(()),
            other => other.map_err(of),
        }
    }

    /// Sets an option that plat keeps itself; says whether it does.
    fn set_own_option(&self, level: i32, name: i32, value: &[u8]) -> Result<bool, Win32Error> {
        let end = self.end();
        if (level, name) == (IPPROTO_IPV6, IPV6_PROTECTION_LEVEL) {
            return Ok(true);
        }
        if level != SOL_SOCKET {
            return Ok(false);
        }
        let is_set = value.iter().any(|&byte| byte != 0);
        let mut life = end.life();
        match name {
            SO_EXCLUSIVEADDRUSE if life.is_bound => return Err(WSAEINVAL),
            SO_REUSEADDR if is_set && life.is_exclusive => return Err(WSAEINVAL),
            SO_EXCLUSIVEADDRUSE if is_set && life.reuses_address => return Err(WSAEINVAL),
            SO_REUSEADDR if end.is_stream() => life.reuses_address = is_set,
            SO_EXCLUSIVEADDRUSE => life.is_exclusive = is_set,
            SO_SNDTIMEO => life.send_timeout = number(value)?,
            SO_RCVTIMEO => life.receive_timeout = number(value)?,
            // The kernel's socket has had its properties since it was accepted or connected.
            SO_UPDATE_ACCEPT_CONTEXT | SO_UPDATE_CONNECT_CONTEXT => {}
            SO_CONDITIONAL_ACCEPT | SO_RANDOMIZE_PORT | SO_OPENTYPE => {}
            // Hints for how ports are chosen.
            SO_PORT_SCALABILITY | SO_REUSE_UNICASTPORT | SO_REUSE_MULTICASTPORT => {}
            SO_ACCEPTCONN | SO_ERROR | SO_TYPE | SO_GROUP_ID | SO_MAX_MSG_SIZE => return Err(WSAENOPROTOOPT),
            _ => return Ok(false),
        }
        Ok(true)
    }
}
