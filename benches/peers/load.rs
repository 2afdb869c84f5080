//! The load: requests prepared beforehand over connections that stay open, every answer read to its end and checked.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::Failure;
use crate::calls::Call;
use crate::http1::Buffer;
use crate::process::Process;

/// An answer's status and length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub len: usize,
}

/// An envelope tells how long the vendor took, in as many digits as that needs.
const SLACK: usize = 8;

impl Answer {
    fn must_be_like(self, right: Self) -> Result<(), Failure> {
        let like = self.status == right.status && self.len.abs_diff(right.len) <= SLACK;
        if like { Ok(()) } else { Err(format!("{self:?} where {right:?} was right before").into()) }
    }
}

/// A client's connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Buffer,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Buffer::default() })
    }

    /// One request and its answer, which must be like the one that was found right.
    pub async fn ask(&mut self, request: &[u8], right: Answer) -> Result<(), Failure> {
        self.exchange(request, None).await?.must_be_like(right)
    }

    async fn exchange(&mut self, request: &[u8], keep: Option<&mut Vec<u8>>) -> Result<Answer, Failure> {
        self.stream.write_all(request).await?;
        let head = self.buffer.head(&mut self.stream).await?;
        let (status, framing) = head.ok_or("the connection ended before an answer")?;
        let len = self.buffer.body(&mut self.stream, framing, keep).await?;
        Ok(Answer { status, len })
    }
}

/// Asks once and looks at every byte of the answer. Returns what further ones must be like.
pub async fn verify(address: SocketAddr, call: &Call, translates: bool) -> Result<Answer, Failure> {
    let mut body = Vec::new();
    let answer = Connection::open(address).await?.exchange(&call.request, Some(&mut body)).await?;
    call.check(translates, answer.status, &body)?;
    Ok(answer)
}

/// Opens connections and uses each once, so that none is new to anybody when the clock starts.
pub async fn connections(
    address: SocketAddr,
    request: &Bytes,
    right: Answer,
    count: usize,
) -> Result<Vec<Connection>, Failure> {
    let mut open = JoinSet::new();
    for _ in 0..count {
        let request = request.clone();
        open.spawn(async move {
            let mut connection = Connection::open(address).await?;
            connection.ask(&request, right).await?;
            Ok::<_, Failure>(connection)
        });
    }
    open.join_all().await.into_iter().collect()
}

/// Microseconds on the processor for each request: every connection asks again as soon as it has its answer, for `turn`.
pub async fn cost(
    process: &Process,
    request: &Bytes,
    right: Answer,
    count: usize,
    turn: Duration,
) -> Result<f64, Failure> {
    let open = connections(process.address, request, right, count).await?;
    let (before, end) = (process.on_cpu()?, Instant::now() + turn);
    let mut asking = JoinSet::new();
    for mut connection in open {
        let request = request.clone();
        asking.spawn(async move {
            let mut asked = 0_u64;
            // At least one: a turn may be shorter than a large reply.
            while asked == 0 || Instant::now() < end {
                connection.ask(&request, right).await?;
                asked += 1;
            }
            Ok::<_, Failure>(asked)
        });
    }
    let asked: u64 = asking.join_all().await.into_iter().sum::<Result<_, _>>()?;
    Ok(process.on_cpu()?.since(&before) as f64 / 1000.0 / asked as f64)
}
