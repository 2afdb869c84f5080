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
    // Nothing is nothing in any coding.
    if body.is_empty() {
        return Ok(Cow::Borrowed(body));
    }
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

/// Most bytes that a body of `len` becomes within these bounds, whatever stands in it.
pub fn most_decoded(len: usize, codings: &str, limit: usize, ratio: usize) -> usize {
    let once = |len: usize, _| limit.min(len.saturating_mul(ratio).max(1 << 20));
    let does = |name: &&str| !name.is_empty() && !name.eq_ignore_ascii_case("identity");
    codings.split(',').map(str::trim).filter(does).take(MOST_CODINGS).fold(len, once)
}

fn open(body: &[u8], coding: &str, limit: usize) -> Result<Vec<u8>, CodingError> {
    match coding {
        "gzip" | "x-gzip" => drain(flate2::read::MultiGzDecoder::new(body), "gzip", limit),
        "deflate" => deflate(body, limit),
        "br" => brotli(body, limit),
        "zstd" => zstd(body, limit),
        _ => Err(CodingError::Unknown(coding.to_owned())),
    }
}

/// `deflate` is zlib by the standard and raw by the habit of some servers; zlib's first byte tells.
fn deflate(body: &[u8], limit: usize) -> Result<Vec<u8>, CodingError> {
    let zlib = body.first().is_some_and(|b| b & 0x0f == 8)
        && body.len() > 1
        && u16::from_be_bytes([body[0], body[1]]).is_multiple_of(31);
    let (out, rest) = if zlib {
        let mut decoder = flate2::bufread::ZlibDecoder::new(body);
        (drain(&mut decoder, "deflate", limit)?, decoder.into_inner())
    } else {
        let mut decoder = flate2::bufread::DeflateDecoder::new(body);
        (drain(&mut decoder, "deflate", limit)?, decoder.into_inner())
    };
    // What stands behind the end is not read: it may be more than nothing.
    if rest.is_empty() { Ok(out) } else { Err(CodingError::Broken("deflate")) }
}

fn brotli(body: &[u8], limit: usize) -> Result<Vec<u8>, CodingError> {
    use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
    let broken = Err(CodingError::Broken("br"));
    let heap = StandardAlloc::default;
    let mut state = BrotliState::new(heap(), heap(), heap());
    let (mut left, mut at, mut total) = (body.len(), 0, 0);
    let mut out = Vec::new();
    let mut piece = [0; 16 << 10];
    loop {
        let (mut room, mut written) = (piece.len(), 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut at,
            body,
            &mut room,
            &mut written,
            &mut piece,
            &mut total,
            &mut state,
        );
        if out.len() + written > limit {
            return Err(CodingError::TooLarge { limit });
        }
        out.extend_from_slice(&piece[..written]);
        match result {
            BrotliResult::ResultSuccess if left == 0 => return Ok(out),
            BrotliResult::NeedsMoreOutput => {}
            // Behind its end stands more, or the end is missing.
            _ => return broken,
        }
    }
}

/// All frames of a body (RFC 8878 section 3): content, and what is to be skipped.
fn zstd(body: &[u8], limit: usize) -> Result<Vec<u8>, CodingError> {
    let broken = || CodingError::Broken("zstd");
    let (mut rest, mut out) = (body, Vec::new());
    while !rest.is_empty() {
        if let [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, ..] = *rest {
            let length = u32::from_le_bytes([a, b, c, d]) as usize;
            rest = rest.get(8..).and_then(|rest| rest.get(length..)).ok_or_else(broken)?;
            continue;
        }
        let decoder = ruzstd::decoding::StreamingDecoder::new(&mut rest).map_err(|_| broken())?;
        out.append(&mut drain(decoder, "zstd", limit - out.len())?);
    }
    Ok(out)
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
