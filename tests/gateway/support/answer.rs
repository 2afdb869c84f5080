//! An answer as it came over the wire, unframed by hand so that wrong framing is seen.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// The body ended as its framing promised.
    pub whole: bool,
}

impl Answer {
    /// Reads one answer; `bodiless` for replies to HEAD.
    pub async fn read(stream: &mut BufReader<impl AsyncRead + Unpin>, bodiless: bool) -> Option<Self> {
        let mut answer = Self::read_head(stream).await?;
        if !bodiless && !matches!(answer.status, 100..=199 | 204 | 304) {
            answer.read_body(stream).await;
        }
        Some(answer)
    }

    /// Reads the status line and the headers only.
    pub async fn read_head(stream: &mut BufReader<impl AsyncRead + Unpin>) -> Option<Self> {
        let start = line(stream).await?;
        let status = start.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        let mut headers = HeaderMap::new();
        loop {
            let line = line(stream).await?;
            let Some((name, value)) = line.split_once(':') else { break };
            let name: HeaderName = name.parse().expect("a header name");
            headers.append(name, HeaderValue::from_str(value.trim()).expect("a header value"));
        }
        Some(Self { status, headers, body: Vec::new(), whole: true })
    }

    /// Reads the body as `Transfer-Encoding` or `Content-Length` frame it.
    pub async fn read_body(&mut self, stream: &mut BufReader<impl AsyncRead + Unpin>) {
        if self.header("transfer-encoding") == "chunked" {
            self.whole = self.chunks(stream).await.is_some();
        } else if let Ok(length) = self.header("content-length").parse::<u64>() {
            let read = stream.take(length).read_to_end(&mut self.body).await;
            self.whole = read.is_ok() && self.body.len() as u64 == length;
        } else {
            self.whole = stream.read_to_end(&mut self.body).await.is_ok();
        }
    }

    async fn chunks(&mut self, stream: &mut BufReader<impl AsyncRead + Unpin>) -> Option<()> {
        loop {
            let size = line(stream).await?;
            let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
            let start = self.body.len();
            self.body.resize(start + size, 0);
            if let Err(_cut) = stream.read_exact(&mut self.body[start..]).await {
                return None;
            }
            line(stream).await?;
            if size == 0 {
                return Some(());
            }
        }
    }

    /// A header's text; several lines joined by `, `; empty when it is missing.
    pub fn header(&self, name: &str) -> String {
        let values = self.headers.get_all(name).iter().map(|value| value.to_str().expect("text"));
        values.collect::<Vec<_>>().join(", ")
    }

    pub fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|cause| panic!("no JSON ({cause}): {}", self.text()))
    }

    /// `outcome` of each result, in order.
    pub fn outcomes(&self) -> Vec<String> {
        let envelope = self.json();
        let results = envelope["results"].as_array().expect("results");
        results.iter().map(|result| result["outcome"].as_str().expect("outcome").to_owned()).collect()
    }

    /// Codes of the diagnostics, in order.
    pub fn diagnostics(&self) -> Vec<String> {
        let envelope = self.json();
        let list = envelope["diagnostics"].as_array().expect("diagnostics");
        list.iter().map(|diagnostic| diagnostic["code"].as_str().expect("code").to_owned()).collect()
    }
}

async fn line(stream: &mut BufReader<impl AsyncRead + Unpin>) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
}
