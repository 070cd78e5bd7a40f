//! iphlpapi.h: who is connected with whom.

use std::collections::HashMap;
use std::net::IpAddr;

use plat_abi::GuestWord;
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

/// Returns the rows of a class: 0 to 2 without owners, 3 to 5 with them; of each the first is of those who listen, the
/// second of connections, the third of all.
fn tcp_form(class: i32, table: Table) -> Result<Form, Win32Error> {
    match class {
        // Those of IPv6 have no rows without owners.
        0..=2 if table == Table::Tcp => Ok(Form::Basic),
        3..=5 => Ok(Form::Owner),
        6..=8 => Err(Win32Error::NOT_SUPPORTED),
        _ => Err(Win32Error::INVALID_PARAMETER),
    }
}

/// Returns the rows of a class: 0 without owners, 1 with them.
fn udp_form(class: i32, _: Table) -> Result<Form, Win32Error> {
    match class {
        0 => Ok(Form::Basic),
        1 => Ok(Form::Owner),
        2 => Err(Win32Error::NOT_SUPPORTED),
        _ => Err(Win32Error::INVALID_PARAMETER),
    }
}

fn is_tcp_of_class(one: &Endpoints, class: i32) -> bool {
    match class % 3 {
        0 => state(one) == LISTENING,
        1 => state(one) != LISTENING,
        _ => true,
    }
}

/// What an extended table is made of: the tables of IPv4 and IPv6, their rows, the form of a class, who is in a class.
type Extended =
    ([Table; 2], MakeRow, fn(i32, Table) -> Result<Form, Win32Error>, fn(&Endpoints, i32) -> bool);

alike! {
    fn(guest, extended: Extended;
        at: GuestWord, pdwSize: GuestWord, bOrder: Bool, ulAf: u32, TableClass: i32, Reserved: u32
    ) -> u32 {
        let _ = Reserved;
        let (tables, make, form_of, is_wanted) = extended;
        let Some(table) = of_family(ulAf, tables) else { return Win32Error::INVALID_PARAMETER.0 };
        match form_of(TableClass, table) {
            Ok(form) => put(guest, (at, pdwSize, bOrder.0), (table, make), form, |one| is_wanted(one, TableClass)),
            Err(error) => error.0,
        }
    }

    /// Tells connections and those who listen.
    "iphlpapi/nf-iphlpapi-getextendedtcptable"
    GetExtendedTcpTable(pTcpTable, pdwSize, bOrder, ulAf, TableClass, Reserved) =
        ([Table::Tcp, Table::Tcp6], tcp_row, tcp_form, is_tcp_of_class);

    /// Tells those who take datagrams.
    "iphlpapi/nf-iphlpapi-getextendedudptable"
    GetExtendedUdpTable(pUdpTable, pdwSize, bOrder, ulAf, TableClass, Reserved) =
        ([Table::Udp, Table::Udp6], udp_row, udp_form, |_, _| true);
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
