//! A request written by hand on a socket of its own.

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Answer, soon};

/// A request under construction.
#[derive(Clone, Debug)]
pub struct Call {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// A connection on which a call was sent.
pub struct Wire {
    pub stream: BufReader<TcpStream>,
    bodiless: bool,
}

impl Call {
    pub fn new(method: &str, target: &str) -> Self {
        Self { method: method.to_owned(), target: target.to_owned(), headers: Vec::new(), body: Vec::new() }
    }

    /// The same to another target.
    pub fn at(mut self, target: &str) -> Self {
        self.target = target.to_owned();
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub fn content(&self) -> &[u8] {
        &self.body
    }

    /// The request's bytes; a body gets its `Content-Length` unless a header frames it.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        for (name, value) in &self.headers {
            out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        let framed = |name: &str| self.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        if !self.body.is_empty() && !framed("content-length") && !framed("transfer-encoding") {
            out.extend_from_slice(format!("Content-Length: {}\r\n", self.body.len()).as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
        out
    }

    /// Sends and reads the answer.
    pub async fn send(&self, to: SocketAddr) -> Answer {
        self.open(to).await.answer().await
    }

    /// Sends; the answer is for later.
    pub async fn open(&self, to: SocketAddr) -> Wire {
        let mut stream = TcpStream::connect(to).await.expect("a connection");
        stream.set_nodelay(true).expect("nodelay");
        stream.write_all(&self.bytes()).await.expect("sent");
        Wire { stream: BufReader::new(stream), bodiless: self.method == "HEAD" }
    }

    /// The same over HTTP/2 with prior knowledge.
    pub async fn send_h2c(&self, to: SocketAddr) -> Answer {
        let stream = TcpStream::connect(to).await.expect("a connection");
        self.send_h2(TokioIo::new(stream)).await
    }

    /// The same over HTTP/2 on a stream.
    pub async fn send_h2<S: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static>(
        &self,
        stream: S,
    ) -> Answer {
        let shaken = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await;
        let (mut sender, connection) = shaken.expect("a handshake");
        let task = tokio::spawn(connection);
        let response = soon("an answer", sender.send_request(self.for_h2())).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes().to_vec();
        task.abort();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body, whole: true }
    }

    /// As a request for hyper.
    pub fn for_h2(&self) -> http::Request<Full<Bytes>> {
        let host = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host")).expect("a host");
        let uri = format!("http://{}{}", host.1, self.target);
        let mut request = http::Request::builder().method(self.method.as_str()).uri(uri);
        for (name, value) in self.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("host")) {
            request = request.header(name, value);
        }
        request.body(Full::from(self.body.clone())).expect("a request")
    }
}

impl Wire {
    /// Reads the whole answer.
    pub async fn answer(&mut self) -> Answer {
        soon("an answer", Answer::read(&mut self.stream, self.bodiless)).await.expect("an answer")
    }

    /// Reads the answer's head.
    pub async fn head(&mut self) -> Answer {
        soon("an answer's head", Answer::read_head(&mut self.stream)).await.expect("an answer")
    }

    /// Sends more on the same connection.
    pub async fn write(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).await.expect("sent");
    }
}
