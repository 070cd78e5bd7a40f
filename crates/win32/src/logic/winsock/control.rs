//! Control data of datagrams: a row of headers (size, level, type) with their data, Windows' and Linux's.
//!
//! Source: <https://learn.microsoft.com/windows/win32/api/ws2def/ns-ws2def-wsacmsghdr>,
//! <https://learn.microsoft.com/windows/win32/winsock/ipproto-ip-socket-options>; Linux, cmsg(3), ip(7), ipv6(7).

const IP: i32 = 0;
const IPV6: i32 = 41;
/// The size of Linux's header, and to what its data is aligned.
const LINUX_HEAD: usize = 16;
const LINUX_ALIGN: usize = 8;

/// What a piece of control data says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A number of 32 bits; Linux gives the type of service as one byte.
    Number,
    /// `IN_PKTINFO`: an address and an interface; Linux has the interface first and one address more.
    PacketV4,
    /// `IN6_PKTINFO`: the same on both sides.
    PacketV6,
}

/// Level, Windows' type, Linux's type.
const ROWS: &[(i32, i32, i32, Form)] = &[
    (IP, 19, 8, Form::PacketV4),
    (IP, 3, 1, Form::Number),
    (IP, 4, 2, Form::Number),
    (IPV6, 19, 50, Form::PacketV6),
    (IPV6, 21, 52, Form::Number),
    (IPV6, 39, 67, Form::Number),
];

struct Piece<'a> {
    level: i32,
    kind: i32,
    data: &'a [u8],
}

/// Walks over a row of pieces: `word` is the size of the header's first field and the alignment.
fn pieces(bytes: &[u8], word: usize) -> Vec<Piece<'_>> {
    let number =
        |at: usize| bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map(i32::from_le_bytes);
    let mut found = Vec::new();
    let mut at = 0;
    while let (Some(size), Some(level), Some(kind)) = (number(at), number(at + word), number(at + word + 4)) {
        let head = word + 8;
        let size = usize::try_from(size).unwrap_or(0);
        let Some(data) = bytes.get(at + head..at + size).filter(|_| size >= head) else { break };
        found.push(Piece { level, kind, data });
        at += size.next_multiple_of(word);
    }
    found
}

fn put(into: &mut Vec<u8>, word: usize, level: i32, kind: i32, data: &[u8]) {
    let size = (word + 8 + data.len()) as u64;
    into.extend_from_slice(&size.to_le_bytes()[..word]);
    into.extend(level.to_le_bytes());
    into.extend(kind.to_le_bytes());
    into.extend(data);
    into.resize(into.len().next_multiple_of(word), 0);
}

/// Turns what Linux tells of a datagram into Windows' form; what Windows has no name for is left out.
pub fn of_linux(bytes: &[u8], is_64: bool) -> Vec<u8> {
    let word = if is_64 { 8 } else { 4 };
    let mut result = Vec::new();
    for piece in pieces(bytes, LINUX_ALIGN) {
        let row = ROWS.iter().find(|row| (row.0, row.2) == (piece.level, piece.kind));
        let Some(&(level, kind, _, form)) = row else { continue };
        let data = match form {
            Form::Number => {
                let mut number = piece.data.to_vec();
                number.resize(4, 0);
                number
            }
            // Interface, own address, address of the datagram.
            Form::PacketV4 => match (piece.data.get(8..12), piece.data.get(..4)) {
                (Some(address), Some(interface)) => [address, interface].concat(),
                _ => continue,
            },
            Form::PacketV6 => piece.data.to_vec(),
        };
        put(&mut result, word, level, kind, &data);
    }
    result
}

/// Turns what Windows is told of a datagram into Linux's form; `None` for a piece that Linux does not know.
pub fn to_linux(bytes: &[u8], is_64: bool) -> Option<Vec<u8>> {
    let word = if is_64 { 8 } else { 4 };
    let mut result = Vec::new();
    for piece in pieces(bytes, word) {
        let row = ROWS.iter().find(|row| (row.0, row.1) == (piece.level, piece.kind));
        let &(level, _, kind, form) = row?;
        let data = match form {
            Form::Number => piece.data.get(..4)?.to_vec(),
            // The address is the one to send from.
            Form::PacketV4 => [piece.data.get(4..8)?, piece.data.get(..4)?, &[0; 4]].concat(),
            Form::PacketV6 => piece.data.get(..20)?.to_vec(),
        };
        put(&mut result, LINUX_HEAD - 8, level, kind, &data);
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_keep_their_address_and_interface() {
        let mut linux = Vec::new();
        // Interface 3, own address 10.0.0.1, address 10.0.0.9.
        put(&mut linux, 8, IP, 8, &[3, 0, 0, 0, 10, 0, 0, 1, 10, 0, 0, 9]);
        put(&mut linux, 8, IP, 1, &[0x28]);
        put(&mut linux, 8, 1, 29, &[0; 16]);
        for (is_64, size) in [(true, 48), (false, 36)] {
            let windows = of_linux(&linux, is_64);
            assert_eq!(windows.len(), size);
            let head = if is_64 { 16 } else { 12 };
            assert_eq!(windows[head..head + 8], [10, 0, 0, 9, 3, 0, 0, 0]);
            let back = to_linux(&windows, is_64).unwrap();
            assert_eq!(back[16..28], [3, 0, 0, 0, 10, 0, 0, 9, 0, 0, 0, 0]);
            for end in 0..windows.len() {
                let _ = to_linux(&windows[..end], is_64);
            }
        }
        let mut unknown = Vec::new();
        put(&mut unknown, 8, IP, 99, &[0; 4]);
        assert_eq!(to_linux(&unknown, true), None);
    }
}
