//! A vendor on 127.0.0.1 that keeps every request byte for byte and answers as its script says.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::{Reply, Script, Step, until};

/// A request as the vendor got it.
#[derive(Clone, Debug)]
pub struct Heard {
    /// Request line and headers, without the blank line.
    pub head: String,
    /// The body, still in its framing.
    pub body: Vec<u8>,
}

impl Heard {
    /// The request line.
    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap_or("")
    }

    /// A header's text; several lines joined by `, `; empty when it is missing.
    pub fn header(&self, name: &str) -> String {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        let own = lines.filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
        own.collect::<Vec<_>>().join(", ")
    }
}

type Answerer = dyn Fn(&Heard) -> Script + Send + Sync;

/// The fake vendor; ends when it is dropped.
pub struct Vendor {
    pub address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
    connections: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

impl Drop for Vendor {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Vendor {
    /// Replies the same to everything.
    pub async fn replying(reply: Reply) -> Self {
        Self::scripted(reply.script()).await
    }

    /// Does the same with every request.
    pub async fn scripted(script: Script) -> Self {
        Self::answering(None, move |_| script.clone()).await
    }

    /// Answers each request by what it is; `tls` makes it speak https.
    pub async fn answering(
        tls: Option<TlsAcceptor>,
        answer: impl Fn(&Heard) -> Script + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (counter, connections) = watch::channel(0);
        let (log, answer): (_, Arc<Answerer>) = (Arc::clone(&heard), Arc::new(answer));
        let task = tokio::spawn(async move {
            let mut tasks = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                counter.send_modify(|count| *count += 1);
                tasks.spawn(connection(stream, tls.clone(), Arc::clone(&log), Arc::clone(&answer)));
            }
        });
        Self { address, heard, connections, task }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("heard").clone()
    }

    /// The only request so far.
    pub fn only(&self) -> Heard {
        let heard = self.heard();
        assert_eq!(heard.len(), 1, "the vendor got one request, once");
        heard[0].clone()
    }

    /// Waits until so many requests were read.
    pub async fn got(&self, requests: usize) {
        until("a request at the vendor", async || self.heard().len() >= requests).await;
    }

    /// Connections that were opened.
    pub fn connections(&self) -> usize {
        *self.connections.borrow()
    }
}

async fn connection(
    mut stream: TcpStream,
    tls: Option<TlsAcceptor>,
    log: Arc<Mutex<Vec<Heard>>>,
    answer: Arc<Answerer>,
) {
    stream.set_nodelay(true).expect("nodelay");
    match tls {
        Some(acceptor) => {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            converse(&mut stream, &log, &*answer).await;
        }
        None => {
            if converse(&mut stream, &log, &*answer).await == End::Reset {
                // With no time to linger, closing is a reset.
                socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("linger");
            }
        }
    }
}

/// How a connection ends.
#[derive(PartialEq)]
enum End {
    Close,
    Reset,
}

async fn converse(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    log: &Mutex<Vec<Heard>>,
    answer: &Answerer,
) -> End {
    while let Some(heard) = hear(stream).await {
        let script = answer(&heard);
        log.lock().expect("heard").push(heard);
        for step in script {
            match step {
                Step::Send(bytes) => {
                    if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
                        return End::Close;
                    }
                }
                Step::Wait(gate) => gate.pass().await,
                Step::Pause(time) => tokio::time::sleep(time).await,
                Step::Silence => std::future::pending().await,
                Step::Close => return End::Close,
                Step::Reset => return End::Reset,
            }
        }
    }
    End::Close
}

/// Reads one request; none when the caller closed.
async fn hear(stream: &mut (impl AsyncRead + Unpin)) -> Option<Heard> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).expect("a head in UTF-8").trim_end().to_owned();
    let mut heard = Heard { head, body: Vec::new() };
    if heard.header("transfer-encoding").eq_ignore_ascii_case("chunked") {
        while !heard.body.ends_with(b"0\r\n\r\n") {
            heard.body.push(stream.read_u8().await.ok()?);
        }
    } else if let Ok(length) = heard.header("content-length").parse() {
        heard.body.resize(length, 0);
        stream.read_exact(&mut heard.body).await.ok()?;
    }
    Some(heard)
}
