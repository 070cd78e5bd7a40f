//! dnsapi.dll: records of names. The table of contents and its functions.

use std::net::IpAddr;

use plat_abi::{Fault, GuestStruct, GuestWord, Memory, winapi};

use crate::Win32Error;
use crate::alike::alike;
use crate::dll;
use crate::export::{Dll, Export};
use crate::guest::{Bool, FALSE, Guest, TRUE};
use crate::logic::nls::case::equal_ignore_case;
use crate::logic::winsock::dns::{self, Data, Record};
use crate::logic::winsock::error::*;
use crate::nt::nls;
use crate::nt::resolver;

/// The DLL.
pub const DLL: Dll =
    Dll { name: "dnsapi.dll", description: "DNS Client API DLL", tables: &[EXPORTS], methods: &[] };

/// The exports of this file.
pub const EXPORTS: &[Export] = dll! {
    partial DnsQuery_A, "A, AAAA, CNAME, MX, NS, PTR, SRV, TXT; no choice of servers";
    partial DnsQuery_W, "A, AAAA, CNAME, MX, NS, PTR, SRV, TXT; no choice of servers";
    partial DnsQuery_UTF8, "A, AAAA, CNAME, MX, NS, PTR, SRV, TXT; no choice of servers";
    full DnsFree;
    full DnsRecordListFree;
    full DnsNameCompare_A;
    full DnsNameCompare_W;
    full DnsFlushResolverCache;
    partial DnsQueryEx, "answers at once, never later; no choice of servers";
    partial DnsCancelQuery, "no question is ever under way";
    full DnsWriteQuestionToBuffer_W;
    full DnsWriteQuestionToBuffer_UTF8;
    partial DnsExtractRecordsFromMessage_W, "records of the types of DnsQuery, of the answer's part";
    partial DnsExtractRecordsFromMessage_UTF8, "records of the types of DnsQuery, of the answer's part";
    stub DnsQueryConfig;
};

/// `DNS_ERROR_RCODE_SERVER_FAILURE`, `DNS_ERROR_RCODE_NAME_ERROR`, `DNS_INFO_NO_RECORDS`.
///
/// Source: <https://learn.microsoft.com/windows/win32/debug/system-error-codes--9000-11999->
const SERVER_FAILURE: Win32Error = Win32Error(9002);
const NAME_ERROR: Win32Error = Win32Error(9003);
const NO_RECORDS: Win32Error = Win32Error(9501);

/// In which form texts are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Ansi,
    Utf8,
    Wide,
}

impl Form {
    fn read(self, guest: &Guest, at: GuestWord) -> Result<String, Fault> {
        Ok(match self {
            Self::Ansi => String::from_utf16_lossy(&nls::read_ansi(guest, at.0)?),
            Self::Utf8 => String::from_utf8_lossy(&guest.read_c_string(at.0)?).into_owned(),
            Self::Wide => String::from_utf16_lossy(&guest.read_wide_string(at.0)?),
        })
    }

    /// Returns a text with its zero.
    fn write(self, text: &str) -> Vec<u8> {
        match self {
            Self::Wide => text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect(),
            // Names of machines are ASCII on the wire.
            Self::Ansi | Self::Utf8 => [text.as_bytes(), &[0]].concat(),
        }
    }
}

/// Lays out a DNS_RECORD that will lie at `at`, with what it points to behind it; the first word, the next record, is 0.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/windns/ns-windns-dns_recordw>
fn layout(record: &Record, form: Form, at: u64, word: usize) -> Vec<u8> {
    /// `DNSREC_ANSWER`, in the lowest bits of the flags, and that the texts are UTF-16 or UTF-8, above.
    const ANSWER: u32 = 1;
    let head = 2 * word + 16;
    let texts: Vec<Vec<u8>> = match &record.data {
        Data::Address(_) => Vec::new(),
        Data::Name(name) | Data::Numbered(name, _) => vec![form.write(name)],
        Data::Texts(texts) => texts.iter().map(|text| form.write(&String::from_utf8_lossy(text))).collect(),
    };
    // How long the data is in the structure itself.
    let size = match &record.data {
        Data::Address(IpAddr::V4(_)) => 4,
        Data::Address(IpAddr::V6(_)) => 16,
        Data::Name(_) => word,
        Data::Numbered(_, numbers) => word + (numbers.len() + 1).next_multiple_of(2) * 2,
        Data::Texts(texts) => word + texts.len() * word,
    };
    let mut behind = (head + size).next_multiple_of(8);
    let mut tail = Vec::new();
    let mut place = |text: &[u8]| {
        let here = (at + behind as u64).to_le_bytes();
        let room = text.len().next_multiple_of(2);
        behind += room;
        tail.extend_from_slice(text);
        tail.resize(tail.len() + room - text.len(), 0);
        here[..word].to_vec()
    };
    let mut bytes = vec![0; word];
    bytes.extend(place(&form.write(&record.name)));
    bytes.extend(record.kind.to_le_bytes());
    bytes.extend((size as u16).to_le_bytes());
    for number in [ANSWER, record.seconds, 0] {
        bytes.extend(number.to_le_bytes());
    }
    match &record.data {
        Data::Address(IpAddr::V4(ip)) => bytes.extend(ip.octets()),
        Data::Address(IpAddr::V6(ip)) => bytes.extend(ip.octets()),
        Data::Name(_) => bytes.extend(place(&texts[0])),
        Data::Numbered(_, numbers) => {
            bytes.extend(place(&texts[0]));
            bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        }
        Data::Texts(_) => {
            bytes.extend((texts.len() as u32).to_le_bytes());
            bytes.resize(head + word, 0);
            for text in &texts {
                bytes.extend(place(text));
            }
        }
    }
    bytes.resize((head + size).next_multiple_of(8), 0);
    bytes.extend(tail);
    bytes
}

fn query(
    guest: &Guest,
    name: GuestWord,
    kind: u16,
    form: Form,
    results: GuestWord,
) -> Result<(), Win32Error> {
    let bad = |_| Win32Error::INVALID_PARAMETER;
    if name.is_null() || results.is_null() {
        return Err(Win32Error::INVALID_PARAMETER);
    }
    guest.write_word(results.0, 0).map_err(bad)?;
    let name = form.read(guest, name).map_err(bad)?;
    let found = resolver::records(name.trim_end_matches('.'), kind).map_err(|error| match error {
        WSANO_DATA => NO_RECORDS,
        WSATRY_AGAIN | WSANO_RECOVERY => SERVER_FAILURE,
        _ => NAME_ERROR,
    })?;
    give(guest, &found, form, results)
}

/// Gives records out as a list.
fn give(guest: &Guest, found: &[Record], form: Form, results: GuestWord) -> Result<(), Win32Error> {
    let bad = |_| Win32Error::INVALID_PARAMETER;
    let word = guest.machine().pointer_size() as usize;
    let mut place = results.0;
    for record in found {
        // Its size does not depend on where it lies.
        let size = layout(record, form, 0, word).len() as u64;
        let at = guest.process().heaps.allocate(0, size, false).ok_or(Win32Error::NOT_ENOUGH_MEMORY)?;
        guest.write_bytes(at, &layout(record, form, at, word)).map_err(bad)?;
        guest.write_word(place, at).map_err(bad)?;
        place = at;
    }
    Ok(())
}

fn code(outcome: Result<(), Win32Error>) -> i32 {
    outcome.err().map_or(0, |error| error.0 as i32)
}

alike! {
    fn(guest, form;
        pszName: GuestWord, wType: u16, Options: u32, pExtra: GuestWord, ppQueryResults: GuestWord,
        pReserved: GuestWord
    ) -> i32 {
        let _ = (Options, pExtra, pReserved);
        code(query(guest, pszName, wType, form, ppQueryResults))
    }

    /// Finds the records of a name.
    "windns/nf-windns-dnsquery_a"
    DnsQuery_A = Form::Ansi;

    /// Finds the records of a name.
    "windns/nf-windns-dnsquery_w"
    DnsQuery_W = Form::Wide;

    /// Finds the records of a name.
    "windns/nf-windns-dnsquery_utf8"
    DnsQuery_UTF8 = Form::Utf8;
}

/// `DNS_QUERY_REQUEST`.
#[derive(GuestStruct, Default)]
struct Request {
    version: u32,
    name: GuestWord,
    kind: u16,
    options: u64,
    servers: GuestWord,
    interface: u32,
    callback: GuestWord,
    context: GuestWord,
}

/// `DNS_QUERY_RESULT`.
#[derive(GuestStruct, Default)]
struct Outcome {
    version: u32,
    status: i32,
    options: u64,
    records: GuestWord,
    reserved: GuestWord,
}

/// Finds the records of a name as a structure says it. The answer is there when the function returns, also where the
/// program has a function for a later one.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/windns/nf-windns-dnsqueryex>
#[winapi]
pub fn DnsQueryEx(
    guest: &mut Guest,
    pQueryRequest: GuestWord,
    pQueryResults: GuestWord,
    pCancelHandle: GuestWord,
) -> Result<i32, Fault> {
    /// `DNS_QUERY_REQUEST_VERSION1` and the later ones, which only have more fields.
    const VERSIONS: std::ops::RangeInclusive<u32> = 1..=3;
    let _ = pCancelHandle;
    let refused = Win32Error::INVALID_PARAMETER.0 as i32;
    if pQueryRequest.is_null() || pQueryResults.is_null() {
        return Ok(refused);
    }
    let request: Request = guest.read(pQueryRequest.0)?;
    let mut outcome: Outcome = guest.read(pQueryResults.0)?;
    if !VERSIONS.contains(&request.version) || !VERSIONS.contains(&outcome.version) {
        return Ok(refused);
    }
    let records = GuestWord(pQueryResults.0 + RECORDS_AT);
    let status = code(query(guest, request.name, request.kind, Form::Wide, records));
    outcome = Outcome { status, options: request.options, ..guest.read(pQueryResults.0)? };
    guest.write(pQueryResults.0, &outcome)?;
    Ok(status)
}

/// Where `DNS_QUERY_RESULT` has its records, in both forms.
const RECORDS_AT: u64 = 16;

/// Gives up a question that is under way: none ever is.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/windns/nf-windns-dnscancelquery>
#[winapi]
pub fn DnsCancelQuery(guest: &mut Guest, pCancelHandle: GuestWord) -> i32 {
    let _ = (guest, pCancelHandle);
    Win32Error::INVALID_PARAMETER.0 as i32
}

alike! {
    fn(guest, form;
        pDnsBuffer: GuestWord, pdwBufferSize: GuestWord, pszName: GuestWord, wType: u16, Xid: u16,
        fRecursionDesired: Bool
    ) -> Result<Bool, Fault> {
        /// The bit that asks for recursion, in the third byte.
        const RECURSION: u8 = 1;
        let name = form.read(guest, pszName)?;
        let Some(mut bytes) = dns::question(Xid, &name, wType) else { return Ok(FALSE) };
        bytes[2] = if fRecursionDesired.0 { RECURSION } else { 0 };
        let room = guest.read_u32(pdwBufferSize.0)?;
        guest.write(pdwBufferSize.0, &(bytes.len() as u32))?;
        if (room as usize) < bytes.len() {
            return Ok(FALSE);
        }
        guest.write_bytes(pDnsBuffer.0, &bytes)?;
        Ok(TRUE)
    }

    /// Writes a question as it is sent, in the network's order of bytes.
    "windns/nf-windns-dnswritequestiontobuffer_w"
    DnsWriteQuestionToBuffer_W = Form::Wide;

    /// Writes a question as it is sent, in the network's order of bytes.
    "windns/nf-windns-dnswritequestiontobuffer_utf8"
    DnsWriteQuestionToBuffer_UTF8 = Form::Utf8;
}

/// Reads the records of a message whose header has this machine's order of bytes.
fn extract(
    guest: &Guest,
    message: GuestWord,
    length: u16,
    form: Form,
    into: GuestWord,
) -> Result<(), Win32Error> {
    /// `DNS_ERROR_BAD_PACKET`.
    const BAD_PACKET: Win32Error = Win32Error(9502);
    const HEADER: usize = 12;
    /// Where the header has bytes and no numbers.
    const FLAGS: usize = 1;
    let bad = |_| Win32Error::INVALID_PARAMETER;
    guest.write_word(into.0, 0).map_err(bad)?;
    let mut bytes = guest.read_vec(message.0, length.into()).map_err(bad)?;
    let header = bytes.get_mut(..HEADER).ok_or(BAD_PACKET)?;
    let numbers = header.chunks_exact_mut(2).enumerate().filter(|(number, _)| *number != FLAGS);
    numbers.for_each(|(_, pair)| pair.swap(0, 1));
    let found = dns::records(&bytes).ok_or(BAD_PACKET)?;
    give(guest, &found, form, into)
}

alike! {
    fn(guest, form; pDnsBuffer: GuestWord, wMessageLength: u16, ppRecord: GuestWord) -> i32 {
        code(extract(guest, pDnsBuffer, wMessageLength, form, ppRecord))
    }

    /// Reads the records of an answer; its header has this machine's order of bytes.
    "windns/nf-windns-dnsextractrecordsfrommessage_w"
    DnsExtractRecordsFromMessage_W = Form::Wide;

    /// Reads the records of an answer; its header has this machine's order of bytes.
    "windns/nf-windns-dnsextractrecordsfrommessage_utf8"
    DnsExtractRecordsFromMessage_UTF8 = Form::Utf8;
}

/// `DnsFreeFlat`: one block alone.
const FREE_FLAT: i32 = 0;

fn free(guest: &Guest, first: u64, kind: i32) -> Result<(), Fault> {
    let mut next = first;
    while next != 0 {
        let this = next;
        next = if kind == FREE_FLAT { 0 } else { guest.read_word(this)? };
        guest.process().heaps.free(0, this);
    }
    Ok(())
}

/// Gives records back.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/windns/nf-windns-dnsfree>
#[winapi]
pub fn DnsFree(guest: &mut Guest, pData: GuestWord, FreeType: i32) -> Result<(), Fault> {
    free(guest, pData.0, FreeType)
}

/// Gives records back.
///
/// Source: <https://learn.microsoft.com/windows/win32/api/windns/nf-windns-dnsrecordlistfree>
#[winapi]
pub fn DnsRecordListFree(guest: &mut Guest, pRecordList: GuestWord, FreeType: i32) -> Result<(), Fault> {
    free(guest, pRecordList.0, FreeType)
}

/// Compares names: without regard to case and to a dot at the end.
fn compare(guest: &Guest, names: [GuestWord; 2], form: Form) -> Result<Bool, Fault> {
    let [one, other] = names.map(|at| form.read(guest, at).map(|text| text.trim_end_matches('.').to_owned()));
    let units = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
    Ok(Bool(equal_ignore_case(&units(&one?), &units(&other?))))
}

alike! {
    fn(guest, form; pName1: GuestWord, pName2: GuestWord) -> Result<Bool, Fault> {
        compare(guest, [pName1, pName2], form)
    }

    /// Says whether two names are the same.
    "windns/nf-windns-dnsnamecompare_a"
    DnsNameCompare_A = Form::Ansi;

    /// Says whether two names are the same.
    "windns/nf-windns-dnsnamecompare_w"
    DnsNameCompare_W = Form::Wide;
}

/// Forgets what was asked for: nothing is kept.
///
/// Source: the export of dnsapi.dll that `ipconfig /flushdns` calls.
#[winapi]
pub fn DnsFlushResolverCache(guest: &mut Guest) -> Bool {
    let _ = guest;
    TRUE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_lie_as_documented() {
        let record = |data| Record { name: "a.b".into(), kind: 1, seconds: 7, data };
        let bytes = layout(&record(Data::Address("10.0.0.1".parse().unwrap())), Form::Wide, 0x1000, 8);
        assert_eq!(bytes[8..16], 0x1028_u64.to_le_bytes(), "pName");
        assert_eq!(bytes[16..20], [1, 0, 4, 0]);
        assert_eq!(bytes[32..36], [10, 0, 0, 1]);
        assert_eq!(bytes[40..48], [b'a', 0, b'.', 0, b'b', 0, 0, 0]);
        let bytes = layout(&record(Data::Numbered("m".into(), vec![5])), Form::Utf8, 0x1000, 4);
        assert_eq!(bytes[24..30], [0x24, 0x10, 0, 0, 5, 0], "the name lies behind the first");
        assert_eq!(&bytes[0x20..], b"a.b\0m\0");
        let bytes = layout(&record(Data::Texts(vec![b"x".to_vec(), b"y".to_vec()])), Form::Utf8, 0, 8);
        assert_eq!((bytes[32], bytes[40], bytes[48]), (2, 60, 62));
    }
}
