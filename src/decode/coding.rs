//! Content codings undone, capped in size and ratio before any parser sees a byte.

use std::borrow::Cow;
use std::io::{self, Read};

/// Why a coded body could not be opened. The bytes are kept by the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodingError {
    #[error("unknown content coding {0:?}")]
    Unknown(String),
    #[error("broken {0} data")]
    Broken(&'static str),
    #[error("decodes to more than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("more than {0} content codings")]
    TooMany(usize),
}

/// Codings undone here; what `Accept-Encoding` towards a vendor is narrowed to.
pub const CODINGS: &[&str] = &["gzip", "x-gzip", "deflate", "br", "zstd", "identity"];

const MOST_CODINGS: usize = 3;

/// The body with the codings of `Content-Encoding` undone, last first.
///
/// `limit` bounds every stage in bytes; `ratio` bounds output to input, above a floor of 1 MiB that no bomb
/// needs and every small batch reply has.
///
/// # Errors
/// [`CodingError`]; a bomb is `TooLarge`.
pub fn decode_content<'a>(
    body: &'a [u8],
    codings: &str,
    limit: usize,
    ratio: usize,
) -> Result<Cow<'a, [u8]>, CodingError> {
    let names: Vec<String> = codings
        .split(',')
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty() && name != "identity")
        .collect();
    if names.len() > MOST_CODINGS {
        return Err(CodingError::TooMany(MOST_CODINGS));
    }
    let mut current = Cow::Borrowed(body);
    for name in names.iter().rev() {
        let limit = limit.min(current.len().saturating_mul(ratio).max(1 << 20));
        current = Cow::Owned(open(&current, name, limit)?);
    }
    Ok(current)
}

fn open(body: &[u8], coding: &str, limit: usize) -> Result<Vec<u8>, CodingError> {
    match coding {
        "gzip" | "x-gzip" => drain(flate2::read::MultiGzDecoder::new(body), "gzip", limit),
        "deflate" => deflate(body, limit),
        "br" => drain(brotli_decompressor::Decompressor::new(body, 4096), "br", limit),
        "zstd" => {
            let decoder =
                ruzstd::decoding::StreamingDecoder::new(body).map_err(|_| CodingError::Broken("zstd"))?;
            drain(decoder, "zstd", limit)
        }
        _ => Err(CodingError::Unknown(coding.to_owned())),
    }
}

/// `deflate` is zlib by the standard and raw by the habit of some servers; zlib's first byte tells.
fn deflate(body: &[u8], limit: usize) -> Result<Vec<u8>, CodingError> {
    let zlib = body.first().is_some_and(|b| b & 0x0f == 8)
        && body.len() > 1
        && u16::from_be_bytes([body[0], body[1]]).is_multiple_of(31);
    if zlib {
        drain(flate2::read::ZlibDecoder::new(body), "deflate", limit)
    } else {
        drain(flate2::read::DeflateDecoder::new(body), "deflate", limit)
    }
}

fn drain(decoder: impl Read, coding: &'static str, limit: usize) -> Result<Vec<u8>, CodingError> {
    let mut out = Vec::new();
    let read = decoder.take(limit as u64 + 1).read_to_end(&mut out);
    match read {
        Ok(_) if out.len() > limit => Err(CodingError::TooLarge { limit }),
        Ok(_) => Ok(out),
        Err(cause) if cause.kind() == io::ErrorKind::OutOfMemory => Err(CodingError::TooLarge { limit }),
        Err(_) => Err(CodingError::Broken(coding)),
    }
}
