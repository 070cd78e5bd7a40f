//! Options of sockets: Windows' levels and names, Linux's, and the form of the value.

/// `SOL_SOCKET` of Windows.
pub const SOL_SOCKET: i32 = 0xffff;

/// The form of an option's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A number of 32 bits, the same on both sides.
    Number,
    /// Yes or no: Windows takes one byte, too.
    Flag,
    /// A size of a buffer, which Linux doubles.
    Size,
    /// `LINGER`: two numbers, of 16 bits on Windows and of 32 on Linux.
    Linger,
    /// `SO_DONTLINGER`: the contrary of lingering.
    DontLinger,
    /// Bytes that are the same on both sides.
    Bytes,
    /// Seconds on Windows, milliseconds on Linux.
    Seconds,
    /// `IP_MREQ_SOURCE`: Windows has group, source, interface; Linux group, interface, source.
    Sources,
    /// Yes or no on Windows; on Linux whether the size of the way is found out (2) or not (0).
    Fragments,
}

/// One option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketOption {
    /// Linux's level.
    pub level: i32,
    /// Linux's name.
    pub name: i32,
    /// The form of its value.
    pub form: Form,
}

/// Windows' level and name, Linux's level and name, form.
///
/// Source: <https://learn.microsoft.com/windows/win32/winsock/socket-options>; Linux `asm-generic/socket.h`,
/// `linux/in.h`, `linux/in6.h`, `linux/tcp.h`.
const ROWS: &[(i32, i32, i32, i32, Form)] = &[
    (SOL_SOCKET, 0x0001, 1, 1, Form::Flag),
    (SOL_SOCKET, 0x0002, 1, 30, Form::Flag),
    (SOL_SOCKET, 0x0004, 1, 2, Form::Flag),
    (SOL_SOCKET, 0x0008, 1, 9, Form::Flag),
    (SOL_SOCKET, 0x0010, 1, 5, Form::Flag),
    (SOL_SOCKET, 0x0020, 1, 6, Form::Flag),
    (SOL_SOCKET, 0x0080, 1, 13, Form::Linger),
    (SOL_SOCKET, !0x0080, 1, 13, Form::DontLinger),
    (SOL_SOCKET, 0x0100, 1, 10, Form::Flag),
    (SOL_SOCKET, 0x1001, 1, 7, Form::Size),
    (SOL_SOCKET, 0x1002, 1, 8, Form::Size),
    (SOL_SOCKET, 0x1003, 1, 19, Form::Number),
    (SOL_SOCKET, 0x1004, 1, 18, Form::Number),
    // TCP: NODELAY, KEEPIDLE, MAXSEG, MAXRT, MAXRTMS, FASTOPEN, KEEPCNT, KEEPINTVL.
    (6, 1, 6, 1, Form::Flag),
    (6, 3, 6, 4, Form::Number),
    (6, 4, 6, 2, Form::Number),
    (6, 5, 6, 18, Form::Seconds),
    (6, 14, 6, 18, Form::Number),
    (6, 15, 6, 23, Form::Flag),
    (6, 16, 6, 6, Form::Number),
    (6, 17, 6, 5, Form::Number),
    // IP: OPTIONS, HDRINCL, TOS, TTL, MULTICAST_IF, _TTL, _LOOP, ADD_MEMBERSHIP, DROP_MEMBERSHIP, MTU.
    (0, 1, 0, 4, Form::Bytes),
    (0, 2, 0, 3, Form::Flag),
    (0, 3, 0, 1, Form::Number),
    (0, 4, 0, 2, Form::Number),
    (0, 9, 0, 32, Form::Bytes),
    (0, 10, 0, 33, Form::Number),
    (0, 11, 0, 34, Form::Flag),
    (0, 12, 0, 35, Form::Bytes),
    (0, 13, 0, 36, Form::Bytes),
    // IP: ADD_SOURCE_MEMBERSHIP, DROP_SOURCE_MEMBERSHIP, BLOCK_SOURCE, UNBLOCK_SOURCE, PKTINFO, RECVTTL, UNICAST_IF,
    // RECVTOS, MTU_DISCOVER, MTU, DONTFRAGMENT.
    (0, 15, 0, 39, Form::Sources),
    (0, 16, 0, 40, Form::Sources),
    (0, 17, 0, 38, Form::Sources),
    (0, 18, 0, 37, Form::Sources),
    (0, 19, 0, 8, Form::Flag),
    (0, 21, 0, 12, Form::Flag),
    (0, 31, 0, 50, Form::Number),
    (0, 40, 0, 13, Form::Flag),
    (0, 73, 0, 14, Form::Number),
    (0, 14, 0, 10, Form::Fragments),
    // IPv6: UNICAST_HOPS, MULTICAST_IF, _HOPS, _LOOP, ADD_MEMBERSHIP, DROP_MEMBERSHIP, DONTFRAG, V6ONLY.
    (41, 4, 41, 16, Form::Number),
    (41, 9, 41, 17, Form::Number),
    (41, 10, 41, 18, Form::Number),
    (41, 11, 41, 19, Form::Flag),
    (41, 12, 41, 20, Form::Bytes),
    (41, 13, 41, 21, Form::Bytes),
    (41, 14, 41, 62, Form::Flag),
    (41, 27, 41, 26, Form::Flag),
    // IPv6: HDRINCL, PKTINFO, HOPLIMIT, UNICAST_IF, TCLASS, RECVTCLASS, MTU.
    (41, 2, 41, 36, Form::Flag),
    (41, 19, 41, 49, Form::Flag),
    (41, 21, 41, 51, Form::Flag),
    (41, 31, 41, 76, Form::Number),
    (41, 39, 41, 67, Form::Number),
    (41, 40, 41, 66, Form::Flag),
    (41, 72, 41, 24, Form::Number),
    // UDP: NOCHECKSUM.
    (17, 1, 1, 11, Form::Flag),
];

/// Returns what Linux calls an option; `None` for one that plat does not know.
pub fn find(level: i32, name: i32) -> Option<SocketOption> {
    let row = ROWS.iter().find(|row| (row.0, row.1) == (level, name))?;
    Some(SocketOption { level: row.2, name: row.3, form: row.4 })
}

impl Form {
    /// Turns a value of Windows' into Linux's; `None` when it is too short.
    pub fn to_linux(self, value: &[u8]) -> Option<Vec<u8>> {
        let short = |at: usize| Some(u16::from_le_bytes([*value.get(at)?, *value.get(at + 1)?]));
        let number = || Some(u32::from_le_bytes(value.get(..4)?.try_into().ok()?));
        let linger = |on: u32, seconds: u32| [on.to_le_bytes(), seconds.to_le_bytes()].concat();
        Some(match self {
            // A value of one byte is allowed for yes and no.
            Self::Flag | Self::DontLinger if !value.is_empty() => {
                let is_set = value.iter().take(4).any(|&byte| byte != 0);
                match self {
                    Self::Flag => u32::from(is_set).to_le_bytes().to_vec(),
                    _ => linger(u32::from(!is_set), 0),
                }
            }
            Self::Flag | Self::DontLinger => return None,
            Self::Number | Self::Size => number()?.min(i32::MAX as u32).to_le_bytes().to_vec(),
            Self::Seconds => number()?.saturating_mul(1000).min(i32::MAX as u32).to_le_bytes().to_vec(),
            Self::Sources => [value.get(..4)?, value.get(8..12)?, value.get(4..8)?].concat(),
            Self::Fragments => {
                let is_set = !value.is_empty() && value.iter().take(4).any(|&byte| byte != 0);
                (if is_set { 2_u32 } else { 0 }).to_le_bytes().to_vec()
            }
            Self::Linger => linger(u32::from(short(0)?), u32::from(short(2)?)),
            Self::Bytes => value.to_vec(),
        })
    }

    /// Turns a value of Linux's into Windows'.
    pub fn of_linux(self, value: &[u8]) -> Vec<u8> {
        let number = |at: usize| {
            value.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
        };
        match self {
            Self::Number => number(0).to_le_bytes().to_vec(),
            Self::Flag => u32::from(value.iter().any(|&byte| byte != 0)).to_le_bytes().to_vec(),
            Self::Size => (number(0) / 2).to_le_bytes().to_vec(),
            Self::Linger => [(number(0) as u16).to_le_bytes(), (number(4) as u16).to_le_bytes()].concat(),
            Self::DontLinger => u32::from(number(0) == 0).to_le_bytes().to_vec(),
            Self::Bytes | Self::Sources => value.to_vec(),
            Self::Seconds => (number(0) / 1000).to_le_bytes().to_vec(),
            // 1, the kernel's default, finds the size out for streams only.
            Self::Fragments => u32::from(number(0) >= 2).to_le_bytes().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_change_their_form() {
        let linger = find(SOL_SOCKET, 0x80).unwrap();
        assert_eq!((linger.level, linger.name), (1, 13));
        assert_eq!(linger.form.to_linux(&[1, 0, 5, 0]).unwrap(), [1, 0, 0, 0, 5, 0, 0, 0]);
        assert_eq!(linger.form.of_linux(&[1, 0, 0, 0, 5, 0, 0, 0]), [1, 0, 5, 0]);
        assert_eq!(linger.form.to_linux(&[1]), None);
        assert_eq!(Form::Flag.to_linux(&[1]).unwrap(), [1, 0, 0, 0]);
        assert_eq!(Form::Size.of_linux(&0x4000_u32.to_le_bytes()), 0x2000_u32.to_le_bytes());
        assert_eq!(Form::Seconds.to_linux(&[2, 0, 0, 0]).unwrap(), 2000_u32.to_le_bytes());
        let sources = Form::Sources.to_linux(&[1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3]).unwrap();
        assert_eq!(sources, [1, 1, 1, 1, 3, 3, 3, 3, 2, 2, 2, 2]);
        assert_eq!(Form::Fragments.to_linux(&[1, 0, 0, 0]).unwrap(), 2_u32.to_le_bytes());
        assert_eq!(find(SOL_SOCKET, 0x7777), None);
    }
}
