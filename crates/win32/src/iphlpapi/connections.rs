//! iphlpapi.h: who is connected with whom.

use std::collections::HashMap;
use std::net::IpAddr;

use plat_abi::{GuestWord, winapi};
use plat_host::network::{self, Endpoints, Table};

use super::{Bytes, code, old_table_of, put_sized};
use crate::Win32Error;
use crate::alike::alike;
use crate::dll;
use crate::export::Export;
use crate::guest::{Bool, Guest};
use crate::logic::winsock::address::{AF_INET, AF_INET6};

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial GetExtendedTcpTable, "no modules of owners";
    partial GetExtendedUdpTable, "no modules of owners";
    full GetTcpTable;
    full GetTcp6Table;
    full GetUdpTable;
    full GetUdp6Table;
};

const LISTENING: u32 = 2;
/// `MIB_TCP_STATE`, by Linux's states from 1 on: established, SYN sent, SYN received, FIN wait 1 and 2, time wait,
/// closed, close wait, last ACK, listening, closing, SYN received.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/tcpmib/ns-tcpmib-mib_tcprow_lh>; Linux `net/tcp_states.h`.
const STATES: [u32; 12] = [5, 3, 4, 6, 7, 11, 1, 8, 10, LISTENING, 9, 4];

/// The form of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Without the owner.
    Basic,
    /// `MIB_TCP6ROW`: as the first, with the state at the beginning.
    StateFirst,
    /// With the owner's process.
    Owner,
}

fn state(one: &Endpoints) -> u32 {
    usize::from(one.state).checked_sub(1).and_then(|index| STATES.get(index)).copied().unwrap_or(1)
}

/// Appends an address and a port: of IPv6 with its scope.
fn put_end(bytes: &mut Bytes, (ip, port): (IpAddr, u16)) {
    match ip {
        IpAddr::V4(ip) => bytes.field(&ip.octets(), 4),
        IpAddr::V6(ip) => bytes.field(&ip.octets(), 16).u32s(&[0]),
    };
    // The port's two bytes are in the network's order.
    bytes.field(&port.to_be_bytes(), 4);
}

fn tcp_row(one: &Endpoints, form: Form, owners: &HashMap<u64, u32>) -> Vec<u8> {
    let mut bytes = Bytes::default();
    let comes_first = one.local.0.is_ipv4() || form == Form::StateFirst;
    if comes_first {
        bytes.u32s(&[state(one)]);
    }
    put_end(&mut bytes, one.local);
    put_end(&mut bytes, one.remote);
    if !comes_first {
        bytes.u32s(&[state(one)]);
    }
    if form == Form::Owner {
        bytes.u32s(&[owners.get(&one.inode).copied().unwrap_or(0)]);
    }
    bytes.0
}

fn udp_row(one: &Endpoints, form: Form, owners: &HashMap<u64, u32>) -> Vec<u8> {
    let mut bytes = Bytes::default();
    put_end(&mut bytes, one.local);
    if form == Form::Owner {
        bytes.u32s(&[owners.get(&one.inode).copied().unwrap_or(0)]);
    }
    bytes.0
}

type MakeRow = fn(&Endpoints, Form, &HashMap<u64, u32>) -> Vec<u8>;

/// Where a table goes: its place, the size's place, and whether it is to be sorted.
type Place = (GuestWord, GuestWord, bool);

fn put(
    guest: &Guest,
    (at, size_at, is_sorted): Place,
    (table, make): (Table, MakeRow),
    form: Form,
    is_wanted: impl Fn(&Endpoints) -> bool,
) -> u32 {
    let owners = if form == Form::Owner { network::owners() } else { HashMap::new() };
    let mut found = network::sockets(table);
    found.retain(is_wanted);
    if is_sorted {
        found.sort_by_key(|one| (one.local, one.remote));
    }
    let rows: Vec<Vec<u8>> = found.iter().map(|one| make(one, form, &owners)).collect();
    let bytes = old_table_of(&rows);
    code(put_sized(guest, at.0, size_at.0, &bytes, Win32Error::INSUFFICIENT_BUFFER))
}

/// Returns the table of IPv4 or that of IPv6.
fn of_family(family: u32, [v4, v6]: [Table; 2]) -> Option<Table> {
    match u16::try_from(family) {
        Ok(AF_INET) => Some(v4),
        Ok(AF_INET6) => Some(v6),
        _ => None,
    }
}

/// Tells connections and those who listen: class 0 to 2 without owners, 3 to 5 with them; of each the first is of those
/// who listen, the second of connections, the third of all.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getextendedtcptable>
#[winapi]
pub fn GetExtendedTcpTable(
    guest: &mut Guest,
    pTcpTable: GuestWord,
    pdwSize: GuestWord,
    bOrder: Bool,
    ulAf: u32,
    TableClass: i32,
    Reserved: u32,
) -> u32 {
    let _ = Reserved;
    let Some(table) = of_family(ulAf, [Table::Tcp, Table::Tcp6]) else {
        return Win32Error::INVALID_PARAMETER.0;
    };
    let form = match TableClass {
        // Those of IPv6 have no rows without owners.
        0..=2 if table == Table::Tcp => Form::Basic,
        3..=5 => Form::Owner,
        6..=8 => return Win32Error::NOT_SUPPORTED.0,
        _ => return Win32Error::INVALID_PARAMETER.0,
    };
    let is_wanted = |one: &Endpoints| match TableClass % 3 {
        0 => state(one) == LISTENING,
        1 => state(one) != LISTENING,
        _ => true,
    };
    put(guest, (pTcpTable, pdwSize, bOrder.0), (table, tcp_row), form, is_wanted)
}

/// Tells those who take datagrams: class 0 without owners, 1 with them.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/iphlpapi/nf-iphlpapi-getextendedudptable>
#[winapi]
pub fn GetExtendedUdpTable(
    guest: &mut Guest,
    pUdpTable: GuestWord,
    pdwSize: GuestWord,
    bOrder: Bool,
    ulAf: u32,
    TableClass: i32,
    Reserved: u32,
) -> u32 {
    let _ = Reserved;
    let Some(table) = of_family(ulAf, [Table::Udp, Table::Udp6]) else {
        return Win32Error::INVALID_PARAMETER.0;
    };
    let form = match TableClass {
        0 => Form::Basic,
        1 => Form::Owner,
        2 => return Win32Error::NOT_SUPPORTED.0,
        _ => return Win32Error::INVALID_PARAMETER.0,
    };
    put(guest, (pUdpTable, pdwSize, bOrder.0), (table, udp_row), form, |_| true)
}

alike! {
    fn(guest, rows; at: GuestWord, size_at: GuestWord, is_sorted: Bool) -> u32 {
        let (table, make, form) = rows;
        put(guest, (at, size_at, is_sorted.0), (table, make), form, |_| true)
    }

    /// Tells the connections over IPv4.
    "iphlpapi/nf-iphlpapi-gettcptable"
    GetTcpTable(TcpTable, SizePointer, Order) = (Table::Tcp, tcp_row, Form::Basic);

    /// Tells the connections over IPv6.
    "iphlpapi/nf-iphlpapi-gettcp6table"
    GetTcp6Table(TcpTable, SizePointer, Order) = (Table::Tcp6, tcp_row, Form::StateFirst);

    /// Tells who takes datagrams over IPv4.
    "iphlpapi/nf-iphlpapi-getudptable"
    GetUdpTable(UdpTable, SizePointer, Order) = (Table::Udp, udp_row, Form::Basic);

    /// Tells who takes datagrams over IPv6.
    "iphlpapi/nf-iphlpapi-getudp6table"
    GetUdp6Table(Udp6Table, SizePointer, Order) = (Table::Udp6, udp_row, Form::Basic);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_the_documented_sizes() {
        let none = HashMap::new();
        let ends = |text: &str| (text.parse::<IpAddr>().unwrap(), 80);
        for (ip, sizes) in [("127.0.0.1", (20, 24, 8, 12)), ("::1", (52, 56, 24, 28))] {
            let one = Endpoints { local: ends(ip), remote: ends(ip), state: 10, inode: 1 };
            let tcp = |form| tcp_row(&one, form, &none).len();
            let udp = |form| udp_row(&one, form, &none).len();
            let found = (tcp(Form::StateFirst), tcp(Form::Owner), udp(Form::Basic), udp(Form::Owner));
            assert_eq!(found, sizes, "{ip}");
            assert_eq!(state(&one), LISTENING);
        }
    }
}
