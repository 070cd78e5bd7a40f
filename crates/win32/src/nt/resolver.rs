//! Names of machines: the machine's own, the file `hosts`, and name servers.
//!
//! Key items: [`resolve`], [`name_of`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsFd;
use std::path::Path;

use plat_host::file::{File, Open};
use plat_host::file_path::Errno;
use plat_host::socket::{self, Address, Readiness};
use plat_host::{clock, random, sysinfo};

use crate::Win32Error;
use crate::logic::winsock::address::{self, Endpoint};
use crate::logic::winsock::dns::{self, Answer, Data, Record};
use crate::logic::winsock::error::*;

const HOSTS: &str = "/etc/hosts";
const SERVERS: &str = "/etc/resolv.conf";
const PORT: u16 = 53;
/// How long one server has for an answer, in nanoseconds, and how often it is asked.
const PATIENCE: u64 = 3_000_000_000;
const TRIES: usize = 2;

/// What a name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The name behind all others.
    pub canonical: String,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
}

/// Which kinds of addresses are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Kinds {
    /// IPv4.
    pub v4: bool,
    /// IPv6.
    pub v6: bool,
}

impl Kinds {
    fn takes(self, ip: &IpAddr) -> bool {
        if ip.is_ipv4() { self.v4 } else { self.v6 }
    }
}

fn read_file(path: &str) -> String {
    const SIZE_MAX: usize = 1 << 20;
    let how = Open { read: true, ..Open::default() };
    let Ok(file) = File::open(Path::new(path), how) else { return String::new() };
    let mut bytes = vec![0; SIZE_MAX];
    let mut size = 0;
    // A file that cannot be read says nothing.
    while let Ok(read @ 1..) = file.read(&mut bytes[size..], None) {
        size += read;
    }
    String::from_utf8_lossy(&bytes[..size]).into_owned()
}

/// Finds the addresses of a name.
///
/// # Errors
/// `WSAHOST_NOT_FOUND`, `WSANO_DATA` for a name without addresses of these kinds, `WSATRY_AGAIN`, `WSANO_RECOVERY`.
pub fn resolve(name: &str, kinds: Kinds) -> Result<Machine, Win32Error> {
    let canonical = name.to_owned();
    let found = |mut addresses: Vec<IpAddr>| {
        addresses.retain(|ip| kinds.takes(ip));
        if addresses.is_empty() {
            Err(WSANO_DATA)
        } else {
            Ok(Machine { canonical: canonical.clone(), addresses })
        }
    };
    if name.eq_ignore_ascii_case("localhost") {
        return found(vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into()]);
    }
    if name.is_empty() || name.eq_ignore_ascii_case(&sysinfo::host_name()) {
        let own = socket::own_addresses().unwrap_or_default();
        return found(if own.is_empty() { vec![Ipv4Addr::LOCALHOST.into()] } else { own });
    }
    let lines = dns::hosts(&read_file(HOSTS));
    let is_named = |names: &Vec<String>| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    let known: Vec<IpAddr> = lines.iter().filter(|line| is_named(&line.1)).map(|line| line.0).collect();
    if !known.is_empty() {
        return found(known);
    }
    ask_all(name, kinds)
}

/// Asks the name servers for a name, with the domains to try.
fn ask_all(name: &str, kinds: Kinds) -> Result<Machine, Win32Error> {
    let (servers, domains) = dns::servers(&read_file(SERVERS));
    let mut names = vec![name.to_owned()];
    let more: Vec<String> = domains.iter().map(|domain| format!("{name}.{domain}")).collect();
    if name.contains('.') {
        names.extend(more)
    } else {
        names.splice(0..0, more).for_each(drop)
    }
    let mut outcome = Err(WSAHOST_NOT_FOUND);
    for name in &names {
        let mut machine = Machine { canonical: name.clone(), addresses: Vec::new() };
        for (wanted, kind) in [(kinds.v6, dns::TYPE_AAAA), (kinds.v4, dns::TYPE_A)] {
            if !wanted {
                continue;
            }
            match ask(&servers, name, kind) {
                Ok((canonical, addresses, _)) => {
                    machine.addresses.extend(addresses);
                    machine.canonical = canonical;
                    outcome = outcome.map_err(|_: Win32Error| WSANO_DATA);
                }
                Err(error) => {
                    outcome = outcome.map_err(|before| if before == WSANO_DATA { before } else { error })
                }
            }
        }
        if !machine.addresses.is_empty() {
            return Ok(machine);
        }
    }
    outcome
}

/// Returns the name servers and the domains to try.
pub fn settings() -> (Vec<IpAddr>, Vec<String>) {
    dns::servers(&read_file(SERVERS))
}

/// Returns the own address from which a datagram would go to another one; `None` when no way leads there.
pub fn own_address_towards(to: IpAddr) -> Option<IpAddr> {
    const DATAGRAM: i32 = 2;
    let to = address::to_linux(&Endpoint::new(to, PORT).to_bytes())?;
    let to = Address::new(&to)?;
    let file = socket::open(i32::from(to.family()), DATAGRAM, 0).ok()?;
    // To connect a datagram socket sends nothing.
    socket::connect(&file, &to).ok()?;
    let own = socket::local_address(&file).ok()?;
    Endpoint::of_bytes(&address::of_linux(own.bytes())).map(|own| own.ip)
}

/// Finds the name of an address.
pub fn name_of(ip: IpAddr) -> Option<String> {
    if ip.is_loopback() {
        return Some(sysinfo::host_name());
    }
    let lines = dns::hosts(&read_file(HOSTS));
    if let Some(name) = lines.iter().find(|line| line.0 == ip).and_then(|line| line.1.first()) {
        return Some(name.clone());
    }
    let (servers, _) = dns::servers(&read_file(SERVERS));
    let (_, _, names) = ask(&servers, &dns::reverse_name(ip), dns::TYPE_PTR).ok()?;
    names.into_iter().next()
}

type Found = (String, Vec<IpAddr>, Vec<String>);

/// Asks one server after another.
fn ask(servers: &[IpAddr], name: &str, kind: u16) -> Result<Found, Win32Error> {
    for _ in 0..TRIES {
        for server in servers {
            match ask_one(*server, name, kind) {
                Some(Answer::Found { canonical, addresses, names }) => {
                    return Ok((canonical, addresses, names));
                }
                Some(Answer::NoName) => return Err(WSAHOST_NOT_FOUND),
                Some(Answer::Cut | Answer::Failed) | None => {}
            }
        }
    }
    // As Windows answers where no server is known or answers: the name is not found.
    Err(WSAHOST_NOT_FOUND)
}

fn ask_one(server: IpAddr, name: &str, kind: u16) -> Option<Answer> {
    ask_for_bytes(server, name, kind).map(|found| found.0)
}

/// Asks a server; returns what it answered, and in which bytes.
fn ask_for_bytes(server: IpAddr, name: &str, kind: u16) -> Option<(Answer, Vec<u8>)> {
    let mut id = [0; 2];
    random::fill(&mut id).ok()?;
    let id = u16::from_ne_bytes(id);
    let question = dns::question(id, name, kind)?;
    let mut bytes = exchange(server, &question, false)?;
    let mut answer = dns::answer(&bytes, id, name, kind)?;
    if answer == Answer::Cut {
        bytes = exchange(server, &question, true)?;
        answer = dns::answer(&bytes, id, name, kind)?;
    }
    Some((answer, bytes))
}

/// Finds the records of a type for a name, in what this machine knows itself or with its name servers.
///
/// # Errors
/// `WSAHOST_NOT_FOUND`, `WSANO_DATA` without records of the type, `WSATRY_AGAIN` when no server answers.
pub fn records(name: &str, kind: u16) -> Result<Vec<Record>, Win32Error> {
    const SECONDS: u32 = 60;
    let kinds = Kinds { v4: kind == dns::TYPE_A, v6: kind == dns::TYPE_AAAA };
    let (servers, _) = settings();
    let is_local = name.eq_ignore_ascii_case("localhost") || name.eq_ignore_ascii_case(&sysinfo::host_name());
    for server in servers.iter().filter(|_| !is_local) {
        let Some((answer, bytes)) = ask_for_bytes(*server, name, kind) else { continue };
        match answer {
            Answer::Found { .. } => {
                let found = dns::records(&bytes).unwrap_or_default();
                let has_kind = found.iter().any(|record| record.kind == kind);
                return if has_kind { Ok(found) } else { Err(WSANO_DATA) };
            }
            Answer::NoName => break,
            Answer::Cut | Answer::Failed => {}
        }
    }
    if !kinds.v4 && !kinds.v6 {
        return Err(if servers.is_empty() { WSATRY_AGAIN } else { WSAHOST_NOT_FOUND });
    }
    // The file of names, and the machine's own.
    let found = resolve(name, kinds)?;
    let record = |ip| Record { name: name.to_owned(), kind, seconds: SECONDS, data: Data::Address(ip) };
    Ok(found.addresses.into_iter().map(record).collect())
}

/// Sends a question and returns the answer, by a stream if it is a long one.
fn exchange(server: IpAddr, question: &[u8], by_stream: bool) -> Option<Vec<u8>> {
    const STREAM: i32 = 1;
    const DATAGRAM: i32 = 2;
    const ANSWER_MAX: usize = 1 << 16;
    let to = address::to_linux(&Endpoint::new(server, PORT).to_bytes())?;
    let to = Address::new(&to)?;
    let file = socket::open(i32::from(to.family()), if by_stream { STREAM } else { DATAGRAM }, 0).ok()?;
    let deadline = clock::monotonic_nanoseconds() + PATIENCE;
    match socket::connect(&file, &to) {
        Ok(()) => {}
        Err(Errno(115)) => wait(&file, true, deadline)?,
        Err(_) => return None,
    }
    let sent = if by_stream {
        [&(question.len() as u16).to_be_bytes(), question].concat()
    } else {
        question.to_vec()
    };
    socket::send_bytes(&file, &sent).ok()?;
    let mut answer = vec![0; ANSWER_MAX];
    let mut size = 0;
    loop {
        wait(&file, false, deadline)?;
        match socket::receive_bytes(&file, &mut answer[size..]).ok()? {
            0 => return None,
            read => size += read,
        }
        if !by_stream {
            return Some(answer[..size].to_vec());
        }
        // A stream's answer begins with its size.
        let whole = usize::from(u16::from_be_bytes([answer[0], answer[1]])) + 2;
        if size >= 2 && size >= whole {
            return answer.get(2..whole).map(<[u8]>::to_vec);
        }
    }
}

fn wait(file: &File, is_write: bool, deadline: u64) -> Option<()> {
    let wanted = Readiness { read: !is_write, write: is_write, ..Readiness::default() };
    loop {
        let left = deadline.checked_sub(clock::monotonic_nanoseconds())?;
        match socket::poll(&[(file.as_fd(), wanted)], Some(left)) {
            Ok(answers) if answers[0].any() => return Some(()),
            Ok(_) | Err(Errno(4)) => {}
            Err(_) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_names_need_no_server() {
        let both = Kinds { v4: true, v6: true };
        let local = resolve("LocalHost", both).unwrap();
        assert_eq!(local.addresses, [IpAddr::from(Ipv6Addr::LOCALHOST), Ipv4Addr::LOCALHOST.into()]);
        assert!(!resolve(&sysinfo::host_name(), both).unwrap().addresses.is_empty());
        assert_eq!(name_of(Ipv4Addr::LOCALHOST.into()), Some(sysinfo::host_name()));
        assert_eq!(resolve("not..a..name", both), Err(WSAHOST_NOT_FOUND));
    }
}
