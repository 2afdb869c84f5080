//! Label values are closed sets or configuration; never raw codes, messages or paths.

/// An HTTP status as text, without allocating.
pub(super) fn status(status: u16, digits: &mut [u8; 3]) -> &str {
    let status = status.clamp(100, 999);
    *digits = [b'0' + (status / 100) as u8, b'0' + (status / 10 % 10) as u8, b'0' + (status % 10) as u8];
    std::str::from_utf8(digits).unwrap_or("000")
}
