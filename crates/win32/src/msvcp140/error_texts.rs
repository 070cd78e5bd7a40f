//! What error codes mean, in the standard library's words.
//!
//! Source: <https://learn.microsoft.com/cpp/standard-library/system-error-enums> (names);
//! <https://learn.microsoft.com/windows/win32/debug/system-error-codes> (Windows' numbers).

/// The text of a code that is in no table.
pub(super) const UNKNOWN: &str = "unknown error";

/// `errno` values.
pub(super) const GENERIC: &[(i32, &str)] = &[
    (102, "address not available"), (100, "address in use"), (101, "address family not supported"),
    (103, "connection already in progress"), (7, "argument list too long"), (33, "argument out of domain"),
    (14, "bad address"), (9, "bad file descriptor"), (104, "bad message"), (32, "broken pipe"),
    (106, "connection aborted"), (107, "connection refused"), (108, "connection reset"),
    (18, "cross device link"), (109, "destination address required"), (16, "device or resource busy"),
    (41, "directory not empty"), (8, "executable format error"), (17, "file exists"), (27, "file too large"),
    (38, "filename too long"), (40, "function not supported"), (110, "host unreachable"),
    (111, "identifier removed"), (42, "illegal byte sequence"), (25, "inappropriate io control operation"),
    (4, "interrupted"), (22, "invalid argument"), (29, "invalid seek"), (5, "io error"), (21, "is a directory"),
    (115, "message size"), (116, "network down"), (117, "network reset"), (118, "network unreachable"),
    (119, "no buffer space"), (10, "no child process"), (121, "no link"), (39, "no lock available"),
    (120, "no message available"), (122, "no message"), (123, "no protocol option"),
    (28, "no space on device"), (124, "no stream resources"), (6, "no such device or address"),
    (19, "no such device"), (2, "no such file or directory"), (3, "no such process"), (20, "not a directory"),
    (128, "not a socket"), (125, "not a stream"), (126, "not connected"), (12, "not enough memory"),
    (129, "not supported"), (105, "operation canceled"), (112, "operation in progress"),
    (1, "operation not permitted"), (130, "operation not supported"), (140, "operation would block"),
    (133, "owner dead"), (13, "permission denied"), (134, "protocol error"), (135, "protocol not supported"),
    (30, "read only file system"), (36, "resource deadlock would occur"),
    (11, "resource unavailable try again"), (34, "result out of range"), (127, "state not recoverable"),
    (137, "stream timeout"), (139, "text file busy"), (138, "timed out"),
    (23, "too many files open in system"), (24, "too many files open"), (31, "too many links"),
    (114, "too many symbolic link levels"), (132, "value too large"), (136, "wrong protocol type"),
    (113, "already connected"), (0, "success"),
];

/// Codes of `future_error`.
pub(super) const FUTURE: &[(i32, &str)] = &[
    (1, "future already retrieved"),
    (2, "promise already satisfied"),
    (3, "no state"),
    (4, "broken promise"),
];

/// Windows' errors that have an `errno` value.
pub(super) const WINDOWS: &[(i32, i32)] = &[
    (5, 13), (183, 17), (119, 119), (141, 16), (16, 41), (80, 17), (1011, 5), (33, 13), (22, 22), (112, 28),
    (39, 28), (170, 16), (1247, 16), (142, 16), (145, 41), (2404, 16), (2401, 16), (110, 5), (206, 38), (127, 40),
    (6, 22), (12, 22), (1, 40), (123, 22), (212, 39), (4, 24), (8, 12), (14, 12), (24, 22), (87, 22), (2, 2),
    (3, 2), (55, 19), (54, 16), (15, 2), (20, 6), (53, 2), (67, 2), (21, 11), (19, 13), (32, 13), (1225, 107),
    (1236, 106), (1231, 118), (109, 32), (995, 105), (121, 138), (1460, 138), (1223, 105), (82, 13), (267, 22),
    (1312, 19), (1013, 5), (25, 5), (29, 5), (30, 5), (31, 5), (2250, 22), (998, 13), (161, 2), (13, 22), (9, 12),
    (50, 129), (1142, 31), (10013, 13), (10048, 100), (10049, 102), (10047, 101), (10037, 103), (10009, 9),
    (10053, 106), (10061, 107), (10054, 108), (10039, 109), (10014, 14), (10065, 110), (10036, 112),
    (10004, 4), (10022, 22), (10056, 113), (10024, 24), (10040, 115), (10063, 38), (10050, 116), (10052, 117),
    (10051, 118), (10055, 119), (10042, 123), (10057, 126), (10038, 128), (10045, 130), (10043, 135),
    (10041, 136), (10060, 138), (10035, 140),
];

/// Errors of regular expressions, by number.
pub(super) const REGEX: [&str; 15] = [
    "regex_error(error_collate): The expression contained an invalid collating element name.",
    "regex_error(error_ctype): The expression contained an invalid character class name.",
    "regex_error(error_escape): The expression contained an invalid escaped character, or a trailing escape.",
    "regex_error(error_backref): The expression contained an invalid back reference.",
    "regex_error(error_brack): The expression contained mismatched [ and ].",
    "regex_error(error_paren): The expression contained mismatched ( and ).",
    "regex_error(error_brace): The expression contained mismatched { and }.",
    "regex_error(error_badbrace): The expression contained an invalid range in a { expression }.",
    "regex_error(error_range): The expression contained an invalid character range, such as [b-a] in most encodings.",
    "regex_error(error_space): There was insufficient memory to convert the expression into a finite state machine.",
    "regex_error(error_badrepeat): One of *?+{ was not preceded by a valid regular expression.",
    "regex_error(error_complexity): The complexity of an attempted match against a regular expression exceeded a pre-set level.",
    "regex_error(error_stack): There was insufficient memory to determine whether the regular expression could match the specified character sequence.",
    "regex_error(error_parse)",
    "regex_error(error_syntax)",
];
