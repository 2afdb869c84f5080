//! Why a call failed, for people: in our own words, without the operating system's. Those are for the log.

use std::error::Error;
use std::io::ErrorKind;

/// What went wrong, by the deepest cause that says something.
pub(super) fn words(error: &(dyn Error + 'static)) -> &'static str {
    let mut found = "the connection failed";
    let mut next = Some(error);
    while let Some(cause) = next {
        found = of(cause).unwrap_or(found);
        next = cause.source();
    }
    found
}

fn of(cause: &(dyn Error + 'static)) -> Option<&'static str> {
    if let Some(cause) = cause.downcast_ref::<rustls::Error>() {
        return Some(match cause {
            rustls::Error::InvalidCertificate(_) => {
                "its certificate is not trusted: see `ca` of the upstream"
            }
            rustls::Error::InvalidMessage(_) => "it does not speak TLS on this port",
            _ => "the TLS handshake failed",
        });
    }
    if let Some(cause) = cause.downcast_ref::<hyper::Error>() {
        return match () {
            () if cause.is_incomplete_message() => {
                Some("it closed the connection in the middle of its reply")
            }
            () if cause.is_parse() => Some("what it sent is no HTTP reply"),
            () => None,
        };
    }
    let io = cause.downcast_ref::<std::io::Error>()?;
    // What wraps another error says it by that one.
    if io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
        return io.get_ref().and_then(|inner| of(inner));
    }
    match io.kind() {
        ErrorKind::ConnectionRefused => Some("it refuses connections: nothing listens there"),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted => {
            Some("it cut the connection")
        }
        ErrorKind::UnexpectedEof => Some("it closed the connection"),
        // Ours, of a line that is stuck: the kernel's has nothing inside.
        ErrorKind::TimedOut if io.get_ref().is_some() => {
            Some("it took none of the request's bytes within body_timeout")
        }
        ErrorKind::TimedOut => Some("no connection within connect_timeout"),
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Some("there is no way to its address"),
        // The resolver's errors have no kind of their own.
        _ if io.to_string().contains("lookup") => Some("its name cannot be resolved"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Error;

    use super::*;

    #[test]
    fn the_operating_systems_words_stay_out() {
        let lookup = Error::other("failed to lookup address information: Name or service not known");
        for (cause, told) in [
            (Error::from_raw_os_error(111), "it refuses connections: nothing listens there"),
            (Error::from_raw_os_error(104), "it cut the connection"),
            (lookup, "its name cannot be resolved"),
            (Error::other(rustls::Error::DecryptError), "the TLS handshake failed"),
            (Error::other("whatever"), "the connection failed"),
        ] {
            assert_eq!(words(&cause), told);
        }
    }
}
