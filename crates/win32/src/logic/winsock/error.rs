//! Winsock's error codes, what Linux calls them, and how a transfer's status says them.

use crate::{NtStatus, Win32Error};

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident = $value:literal;)*) => {
        $($(#[$doc])* pub const $name: Win32Error = Win32Error($value);)*
    };
}

// Source: <https://learn.microsoft.com/windows/win32/winsock/windows-sockets-error-codes-2>
errors! {
    /// A blocking call was ended by another thread.
    WSAEINTR = 10004;
    /// Not allowed.
    WSAEACCES = 10013;
    /// Bad pointer, or too little room.
    WSAEFAULT = 10014;
    /// Bad argument, or not in this state.
    WSAEINVAL = 10022;
    /// Too many sockets.
    WSAEMFILE = 10024;
    /// Not at once.
    WSAEWOULDBLOCK = 10035;
    /// A connection is being made.
    WSAEALREADY = 10037;
    /// No socket.
    WSAENOTSOCK = 10038;
    /// No address where one is needed.
    WSAEDESTADDRREQ = 10039;
    /// The datagram is longer than the room.
    WSAEMSGSIZE = 10040;
    /// The protocol is of another type.
    WSAEPROTOTYPE = 10041;
    /// Unknown option.
    WSAENOPROTOOPT = 10042;
    /// Unknown protocol.
    WSAEPROTONOSUPPORT = 10043;
    /// Unknown type of socket.
    WSAESOCKTNOSUPPORT = 10044;
    /// This kind of socket cannot do that.
    WSAEOPNOTSUPP = 10045;
    /// Unknown family.
    WSAEAFNOSUPPORT = 10047;
    /// Somebody has the address.
    WSAEADDRINUSE = 10048;
    /// Not an address of this machine, or none to go to.
    WSAEADDRNOTAVAIL = 10049;
    /// No network.
    WSAENETDOWN = 10050;
    /// No way there.
    WSAENETUNREACH = 10051;
    /// The connection broke while something was going on.
    WSAENETRESET = 10052;
    /// The connection was given up here.
    WSAECONNABORTED = 10053;
    /// The connection was given up by the other end.
    WSAECONNRESET = 10054;
    /// No memory.
    WSAENOBUFS = 10055;
    /// There is a connection.
    WSAEISCONN = 10056;
    /// There is no connection.
    WSAENOTCONN = 10057;
    /// This direction was shut down.
    WSAESHUTDOWN = 10058;
    /// It took too long.
    WSAETIMEDOUT = 10060;
    /// Nobody listens there.
    WSAECONNREFUSED = 10061;
    /// The machine cannot be reached.
    WSAEHOSTUNREACH = 10065;
    /// The version is not there.
    WSAVERNOTSUPPORTED = 10092;
    /// `WSAStartup` was not called.
    WSANOTINITIALISED = 10093;
    /// A look-up is under way.
    WSAEINPROGRESS = 10036;
    /// No provider of names answers.
    WSASERVICE_NOT_FOUND = 10108;
    /// Nothing more was found.
    WSA_E_NO_MORE = 10110;
    /// There is no such class of sockets.
    WSATYPE_NOT_FOUND = 10109;
    /// No such name.
    WSAHOST_NOT_FOUND = 11001;
    /// The name could not be asked for.
    WSATRY_AGAIN = 11002;
    /// The name server failed.
    WSANO_RECOVERY = 11003;
    /// The name has no address of this kind.
    WSANO_DATA = 11004;
    /// A transfer was cancelled.
    WSA_OPERATION_ABORTED = 995;
    /// A transfer is under way.
    WSA_IO_INCOMPLETE = 996;
    /// A transfer was begun.
    WSA_IO_PENDING = 997;
    /// Bad handle.
    WSA_INVALID_HANDLE = 6;
    /// No memory.
    WSA_NOT_ENOUGH_MEMORY = 8;
    /// Bad argument.
    WSA_INVALID_PARAMETER = 87;
}

/// Linux's errno, Winsock's error, and the status that an overlapped transfer ends with.
const ROWS: &[(i32, Win32Error, NtStatus)] = &[
    (1, WSAEACCES, NtStatus::ACCESS_DENIED),
    (4, WSAEINTR, NtStatus::CANCELLED),
    (9, WSAENOTSOCK, NtStatus::INVALID_HANDLE),
    (11, WSAEWOULDBLOCK, NtStatus::PENDING),
    (12, WSAENOBUFS, NtStatus::NO_MEMORY),
    (13, WSAEACCES, NtStatus::ACCESS_DENIED),
    (14, WSAEFAULT, NtStatus::ACCESS_VIOLATION),
    (22, WSAEINVAL, NtStatus::INVALID_PARAMETER),
    (23, WSAENOBUFS, NtStatus::INSUFFICIENT_RESOURCES),
    (24, WSAEMFILE, NtStatus::TOO_MANY_OPENED_FILES),
    (32, WSAECONNRESET, NtStatus::CONNECTION_RESET),
    (88, WSAENOTSOCK, NtStatus::INVALID_HANDLE),
    (89, WSAEDESTADDRREQ, NtStatus::INVALID_PARAMETER),
    (90, WSAEMSGSIZE, NtStatus::BUFFER_OVERFLOW),
    (91, WSAEPROTOTYPE, NtStatus::NOT_SUPPORTED),
    (92, WSAENOPROTOOPT, NtStatus::INVALID_PARAMETER),
    (93, WSAEPROTONOSUPPORT, NtStatus::NOT_SUPPORTED),
    (94, WSAESOCKTNOSUPPORT, NtStatus::NOT_SUPPORTED),
    (95, WSAEOPNOTSUPP, NtStatus::NOT_SUPPORTED),
    (97, WSAEAFNOSUPPORT, NtStatus::NOT_SUPPORTED),
    (98, WSAEADDRINUSE, NtStatus::ADDRESS_ALREADY_EXISTS),
    (99, WSAEADDRNOTAVAIL, NtStatus::INVALID_ADDRESS_COMPONENT),
    (100, WSAENETDOWN, NtStatus::UNEXPECTED_NETWORK_ERROR),
    (101, WSAENETUNREACH, NtStatus::NETWORK_UNREACHABLE),
    (103, WSAECONNABORTED, NtStatus::CONNECTION_ABORTED),
    (104, WSAECONNRESET, NtStatus::CONNECTION_RESET),
    (105, WSAENOBUFS, NtStatus::INSUFFICIENT_RESOURCES),
    (106, WSAEISCONN, NtStatus::CONNECTION_ACTIVE),
    (107, WSAENOTCONN, NtStatus::INVALID_CONNECTION),
    (108, WSAESHUTDOWN, NtStatus::PIPE_DISCONNECTED),
    (110, WSAETIMEDOUT, NtStatus::IO_TIMEOUT),
    (111, WSAECONNREFUSED, NtStatus::CONNECTION_REFUSED),
    (113, WSAEHOSTUNREACH, NtStatus::HOST_UNREACHABLE),
    (114, WSAEALREADY, NtStatus::PENDING),
    // EINPROGRESS: Winsock's word for a connection on its way.
    (115, WSAEWOULDBLOCK, NtStatus::PENDING),
    (125, WSA_OPERATION_ABORTED, NtStatus::CANCELLED),
];

/// Returns Winsock's error for Linux's errno.
pub fn of_errno(errno: i32) -> Win32Error {
    ROWS.iter().find(|row| row.0 == errno).map_or(WSAEINVAL, |row| row.1)
}

/// Returns the status with which an overlapped transfer says a Winsock error.
pub fn to_status(error: Win32Error) -> NtStatus {
    ROWS.iter().find(|row| row.1 == error).map_or(NtStatus::UNSUCCESSFUL, |row| row.2)
}

/// Returns the Winsock error for the status of a transfer, as `WSAGetOverlappedResult` does.
pub fn of_status(status: NtStatus) -> Win32Error {
    match status {
        NtStatus::PENDING => WSA_IO_INCOMPLETE,
        NtStatus::CANCELLED => WSA_OPERATION_ABORTED,
        // These two statuses stand for several errors.
        NtStatus::INVALID_PARAMETER => WSAEINVAL,
        NtStatus::NOT_SUPPORTED => WSAEOPNOTSUPP,
        _ => ROWS.iter().find(|row| row.2 == status).map_or_else(|| status.to_win32(), |row| row.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_go_through_a_status_and_back() {
        for error in
            [WSAECONNREFUSED, WSAECONNRESET, WSAETIMEDOUT, WSAEHOSTUNREACH, WSAEADDRINUSE, WSAEMSGSIZE]
        {
            assert_eq!(of_status(to_status(error)), error);
        }
        assert_eq!(of_errno(111), WSAECONNREFUSED);
        assert_eq!(of_status(NtStatus::CANCELLED), WSA_OPERATION_ABORTED);
        assert_eq!(NtStatus::CONNECTION_REFUSED.to_win32(), Win32Error(1225));
    }
}
