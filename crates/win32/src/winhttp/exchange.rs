//! A request to a server of HTTP and its answer, by a connection of its own. Key types: [`Target`], [`Exchange`].
//!
//! Source: <https://www.rfc-editor.org/rfc/rfc9112>

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::Win32Error;
use crate::nt::resolver::{self, Kinds};

/// `ERROR_WINHTTP_TIMEOUT`, `…_NAME_NOT_RESOLVED`, `…_CANNOT_CONNECT`, `…_CONNECTION_ERROR`,
/// `…_INVALID_SERVER_RESPONSE`.
///
/// Source: <https://learn.microsoft.com/windows/win32/winhttp/error-messages>
pub const TIMEOUT: Win32Error = Win32Error(12002);
const NO_NAME: Win32Error = Win32Error(12007);
const NO_CONNECTION: Win32Error = Win32Error(12029);
const BROKEN: Win32Error = Win32Error(12030);
const BAD_ANSWER: Win32Error = Win32Error(12152);

/// The most bytes of an answer's headers.
const HEADERS_MAX: usize = 1 << 20;

/// How long to wait, in milliseconds; 0 is for ever.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For a connection.
    pub connect: u32,
    /// For bytes to leave.
    pub send: u32,
    /// For bytes to come.
    pub receive: u32,
}

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// What a server answered before the body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Head {
    /// `HTTP/1.1`.
    pub version: String,
    /// The number of the outcome.
    pub status: u32,
    /// What the outcome is called.
    pub reason: String,
    /// Names and values in their order.
    pub headers: Vec<(String, String)>,
    /// All lines as they came, each with its end.
    pub raw: String,
}

impl Head {
    /// Returns the values of a header.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |row| row.0.eq_ignore_ascii_case(name)).map(|row| row.1.as_str())
    }

    /// Takes the lines before the body apart; `None` for what is no answer.
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.split("\r\n");
        let mut first = lines.next()?.splitn(3, ' ');
        let version = first.next().filter(|version| version.starts_with("HTTP/"))?.to_owned();
        let status = first.next()?.parse().ok()?;
        let reason = first.next().unwrap_or_default().to_owned();
        let pair = |line: &str| line.split_once(':').map(|(a, b)| (a.trim().to_owned(), b.trim().to_owned()));
        let headers = lines.filter_map(pair).collect();
        Some(Self { version, status, reason, headers, raw: text.to_owned() })
    }
}

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    /// So many bytes are left.
    Bytes(u64),
    /// In pieces, of which so many bytes of one are left.
    Pieces(u64),
    /// All until the server closes.
    Open,
}

/// A connection with a request on its way.
#[derive(Debug)]
pub struct Exchange {
    stream: TcpStream,
    /// What was received and not yet taken.
    buffer: Vec<u8>,
    rest: Rest,
    /// The answer, once it is there.
    pub head: Head,
}

fn duration(milliseconds: u32) -> Option<Duration> {
    (milliseconds != 0 && milliseconds != u32::MAX).then(|| Duration::from_millis(milliseconds.into()))
}

fn of_io(error: &std::io::Error) -> Win32Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => TIMEOUT,
        _ => BROKEN,
    }
}

impl Exchange {
    /// Connects to a server.
    ///
    /// # Errors
    /// `ERROR_WINHTTP_NAME_NOT_RESOLVED`, `…_CANNOT_CONNECT`, `…_TIMEOUT`.
    pub fn connect(target: &Target, timeouts: Timeouts) -> Result<Self, Win32Error> {
        let name = target.host.trim_start_matches('[').trim_end_matches(']');
        let addresses = match name.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => resolver::resolve(name, Kinds { v4: true, v6: true }).map_err(|_| NO_NAME)?.addresses,
        };
        let mut refusal = NO_CONNECTION;
        for address in addresses {
            let address = SocketAddr::new(address, target.port);
            let connected = match duration(timeouts.connect) {
                Some(time) => TcpStream::connect_timeout(&address, time),
                None => TcpStream::connect(address),
            };
            match connected {
                Ok(stream) => {
                    // A socket that takes no time limits waits for ever, as without one.
                    let _ = stream.set_read_timeout(duration(timeouts.receive));
                    let _ = stream.set_write_timeout(duration(timeouts.send));
                    let (buffer, head) = (Vec::new(), Head::default());
                    return Ok(Self { stream, buffer, rest: Rest::Bytes(0), head });
                }
                Err(error) if error.kind() == ErrorKind::TimedOut => refusal = TIMEOUT,
                Err(_) => {}
            }
        }
        Err(refusal)
    }

    /// Sends bytes of the request.
    ///
    /// # Errors
    /// `ERROR_WINHTTP_CONNECTION_ERROR`, `…_TIMEOUT`.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), Win32Error> {
        self.stream.write_all(bytes).map_err(|error| of_io(&error))
    }

    /// Receives some bytes; 0 at the end.
    fn fill(&mut self) -> Result<usize, Win32Error> {
        let mut bytes = [0; 1 << 14];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(count) => {
                    self.buffer.extend_from_slice(&bytes[..count]);
                    return Ok(count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(of_io(&error)),
            }
        }
    }

    /// Takes all up to and with an end out of what comes; returns it without the end.
    fn take_until(&mut self, end: &[u8]) -> Result<Vec<u8>, Win32Error> {
        loop {
            if let Some(at) = self.buffer.windows(end.len()).position(|window| window == end) {
                let taken = self.buffer[..at].to_vec();
                self.buffer.drain(..at + end.len());
                return Ok(taken);
            }
            if self.buffer.len() > HEADERS_MAX || self.fill()? == 0 {
                return Err(BAD_ANSWER);
            }
        }
    }

    /// Receives the answer up to its body. `has_body` is false for `HEAD`, whose answers have none.
    ///
    /// # Errors
    /// `ERROR_WINHTTP_INVALID_SERVER_RESPONSE`, `…_CONNECTION_ERROR`, `…_TIMEOUT`.
    pub fn receive(&mut self, has_body: bool) -> Result<(), Win32Error> {
        loop {
            let bytes = self.take_until(b"\r\n\r\n")?;
            let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
            self.head = Head::parse(&text).ok_or(BAD_ANSWER)?;
            // Answers that only say that the server goes on.
            if !(100..200).contains(&self.head.status) {
                break;
            }
        }
        let is_chunked =
            self.head.values("Transfer-Encoding").any(|value| value.eq_ignore_ascii_case("chunked"));
        let length = self.head.values("Content-Length").next().and_then(|value| value.parse().ok());
        self.rest = match length {
            _ if !has_body || matches!(self.head.status, 204 | 304) => Rest::Bytes(0),
            _ if is_chunked => Rest::Pieces(0),
            Some(length) => Rest::Bytes(length),
            None => Rest::Open,
        };
        Ok(())
    }

    /// Begins the next piece of a body in pieces, if the last one is over; after the last one nothing is left.
    fn next_piece(&mut self) -> Result<(), Win32Error> {
        if self.rest != Rest::Pieces(0) {
            return Ok(());
        }
        let mut line = self.take_until(b"\r\n")?;
        if line.is_empty() {
            // The end of the piece before.
            line = self.take_until(b"\r\n")?;
        }
        let text = String::from_utf8_lossy(&line);
        let digits = text.split(';').next().unwrap_or_default().trim();
        self.rest = match u64::from_str_radix(digits, 16).map_err(|_| BAD_ANSWER)? {
            0 => {
                while !self.take_until(b"\r\n")?.is_empty() {}
                Rest::Bytes(0)
            }
            size => Rest::Pieces(size),
        };
        Ok(())
    }

    /// Returns how many bytes of the body can be read at once, waiting for the first of them; 0 at its end.
    ///
    /// # Errors
    /// As [`Exchange::receive`].
    pub fn available(&mut self) -> Result<usize, Win32Error> {
        self.next_piece()?;
        let left = match self.rest {
            Rest::Bytes(left) | Rest::Pieces(left) => left,
            Rest::Open => u64::MAX,
        };
        if left > 0 && self.buffer.is_empty() && self.fill()? == 0 {
            return if self.rest == Rest::Open { Ok(0) } else { Err(BROKEN) };
        }
        Ok((self.buffer.len() as u64).min(left) as usize)
    }

    /// Reads up to `most` bytes of the body; fewer only at its end.
    ///
    /// # Errors
    /// As [`Exchange::receive`].
    pub fn read(&mut self, most: usize) -> Result<Vec<u8>, Win32Error> {
        let mut read = Vec::new();
        while read.len() < most {
            let count = self.available()?.min(most - read.len());
            if count == 0 {
                break;
            }
            read.extend(self.buffer.drain(..count));
            match &mut self.rest {
                Rest::Bytes(left) | Rest::Pieces(left) => *left -= count as u64,
                Rest::Open => {}
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    const SOON: Timeouts = Timeouts { connect: 5000, send: 5000, receive: 5000 };

    /// Answers one request with these bytes and closes.
    fn answer(with: &'static str) -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut request = [0; 64];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(with.as_bytes());
        });
        Target { host: "127.0.0.1".into(), port }
    }

    #[test]
    fn bodies_end_in_three_ways() {
        for with in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhellomore",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
            "HTTP/1.0 200 OK\r\n\r\nhello",
        ] {
            let mut exchange = Exchange::connect(&answer(with), SOON).expect("a connection");
            exchange.send(b"GET / HTTP/1.1\r\n\r\n").expect("sent");
            exchange.receive(true).expect("an answer");
            assert_eq!(exchange.head.status, 200);
            assert_eq!(exchange.read(3).expect("bytes"), b"hel", "{with}");
            assert_eq!(exchange.read(100).expect("bytes"), b"lo", "{with}");
            assert_eq!(exchange.available(), Ok(0));
        }
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for (with, error) in [("SSH-2.0\r\n\r\n", BAD_ANSWER), ("HTTP/1.1 200", BAD_ANSWER), ("", BAD_ANSWER)]
        {
            let mut exchange = Exchange::connect(&answer(with), SOON).expect("a connection");
            exchange.send(b"x").expect("sent");
            assert_eq!(exchange.receive(true), Err(error), "{with}");
        }
        let mut cut = Exchange::connect(&answer("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"), SOON)
            .expect("a connection");
        cut.send(b"x").expect("sent");
        cut.receive(true).expect("an answer");
        assert_eq!(cut.read(9), Err(BROKEN));
    }
}
