//! CPU time per request: the release binary beside a bare hyper forwarder, interleaved in one run.
//!
//! `cargo build --release && cargo bench --bench gateway`; about a minute. The forwarder is this program called with
//! `forward`; the vendor is a stub in this process and always gives the same reply. The figure is the process's own time on
//! the processor (`/proc/<pid>/task/*/schedstat`), which other load disturbs little; loopback only, bounded in requests.

#![allow(clippy::print_stdout, reason = "the table is the output")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, server::conn::http1};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

const ROUNDS: usize = 5;
const CONNECTIONS: usize = 8;
type AnyError = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), AnyError> {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match arguments.get(1).map(String::as_str) {
        Some("forward") => runtime.block_on(forward(arguments[2].parse()?)),
        // `cargo test --benches` comes without the flag: nothing to measure then.
        _ if !arguments.iter().any(|argument| argument == "--bench") => Ok(()),
        _ => runtime.block_on(measure()),
    }
}

async fn measure() -> Result<(), AnyError> {
    let vendor = serve(|request: Request<Incoming>| async move {
        let n = count_of(&request);
        // A body left unread would cost everybody their connections.
        request.into_body().collect().await?;
        Ok::<_, AnyError>(Response::new(Full::new(reply(n))))
    })
    .await?;
    let mut bare =
        Process::start(Command::new(std::env::current_exe()?).args(["forward", &vendor.to_string()])).await?;
    let mut ours = onevelope(vendor).await?;
    println!(
        "resident at rest: onevelope {} MiB, forwarder {} MiB\n",
        ours.memory("VmRSS"),
        bare.memory("VmRSS")
    );
    println!(
        "{:>22} {:>12} {:>12} {:>8} {:>14}",
        "resources", "bare µs", "onevelope µs", "ratio", "min … max"
    );
    for (n, requests) in [(1, 4000), (10, 4000), (100, 2000), (1000, 300)] {
        race(
            &format!("{n}"),
            &format!("/v2/index.php?Action=StopInstances&n={n}"),
            n,
            requests,
            &mut bare,
            &mut ours,
        )
        .await?;
    }
    race("10, not recognised", "/v2/other?n=10", 10, 4000, &mut bare, &mut ours).await?;
    let n = 110_000;
    drive(ours.address, &format!("/v2/index.php?Action=StopInstances&n={n}"), n, 1, 1).await?;
    let megabytes = reply(n).len() >> 20;
    println!("\npeak resident with one reply of {megabytes} MiB: {} MiB", ours.memory("VmHWM"));
    bare.child.kill()?;
    ours.child.kill()?;
    Ok(())
}

/// Interleaved rounds; prints the medians and the ratio round by round.
async fn race(
    label: &str,
    target: &str,
    n: usize,
    requests: usize,
    bare: &mut Process,
    ours: &mut Process,
) -> Result<(), AnyError> {
    let (mut a, mut b, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let (x, y) = (bare.cost(target, n, requests).await?, ours.cost(target, n, requests).await?);
        // The first round warms up.
        if round > 0 {
            a.push(x);
            b.push(y);
            ratios.push(y / x);
        }
    }
    let median = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    let ratio = median(&mut ratios);
    println!(
        "{label:>22} {:>12.1} {:>12.1} {ratio:>8.2} {:>6.2} … {:.2}",
        median(&mut a),
        median(&mut b),
        ratios[0],
        ratios[ratios.len() - 1]
    );
    Ok(())
}

struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    /// Starts a program that prints its address first.
    async fn start(command: &mut Command) -> Result<Self, AnyError> {
        use std::io::BufRead;
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        Ok(Self { child, address: line.trim().parse()? })
    }

    /// Microseconds on the processor for each request.
    async fn cost(&self, target: &str, n: usize, requests: usize) -> Result<f64, AnyError> {
        let before = self.on_cpu()?;
        drive(self.address, target, n, requests, CONNECTIONS).await?;
        Ok((self.on_cpu()? - before) as f64 / 1000.0 / requests as f64)
    }

    /// Nanoseconds on the processor, all threads.
    fn on_cpu(&self) -> Result<u64, AnyError> {
        let mut total = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
            total += text.split(' ').next().unwrap_or("0").parse::<u64>()?;
        }
        Ok(total)
    }

    /// A line of `/proc/<pid>/status`, in MiB.
    fn memory(&self, name: &str) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or("0 0");
        line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) >> 10
    }
}

/// The release binary with one route, one worker, logging as by default (to nowhere).
async fn onevelope(vendor: SocketAddr) -> Result<Process, AnyError> {
    let binary = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/release/onevelope");
    let binary = std::env::var_os("ONEVELOPE").map_or(binary, PathBuf::from);
    let free = || Ok::<_, AnyError>(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?);
    let (address, admin) = (free()?, free()?);
    let config = std::env::temp_dir().join(format!("onevelope-bench-{}.toml", std::process::id()));
    std::fs::write(
        &config,
        format!(
            "[listen]\naddress = \"{address}\"\n[admin]\naddress = \"{admin}\"\n[limits]\nrequest_body = \"64 MiB\"\n\
             [routes.t]\nvendor = \"tencent\"\nupstream = \"t\"\n[upstreams.t]\nurl = \"http://{vendor}\"\n"
        ),
    )?;
    let mut command = Command::new(binary);
    let child =
        command.args(["serve", "--workers", "1", "--config"]).arg(&config).stderr(Stdio::null()).spawn()?;
    while tokio::net::TcpStream::connect(address).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    std::fs::remove_file(&config)?;
    Ok(Process { child, address })
}

/// Sends the same request many times over some connections and reads every answer.
async fn drive(
    address: SocketAddr,
    target: &str,
    n: usize,
    requests: usize,
    connections: usize,
) -> Result<(), AnyError> {
    let body =
        Bytes::from((0..n).map(|id| format!("instanceIds.{id}=ins-{id:08}")).collect::<Vec<_>>().join("&"));
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let uri = format!("http://{address}{target}");
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..connections {
        let (client, uri, body) = (client.clone(), uri.clone(), body.clone());
        workers.spawn(async move {
            for _ in 0..requests / connections {
                let request = Request::post(&uri)
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(Full::new(body.clone()))?;
                client.request(request).await?.into_body().collect().await?;
            }
            Ok::<_, AnyError>(())
        });
    }
    while let Some(done) = workers.join_next().await {
        done??;
    }
    Ok(())
}

/// The bare forwarder: bytes both ways, nothing read.
async fn forward(vendor: SocketAddr) -> Result<(), AnyError> {
    let client: Client<HttpConnector, Incoming> = Client::builder(TokioExecutor::new()).build_http();
    let address = serve(move |mut request: Request<Incoming>| {
        let client = client.clone();
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str()).to_owned();
        async move {
            *request.uri_mut() = format!("http://{vendor}{path}").parse()?;
            Ok::<_, AnyError>(client.request(request).await?)
        }
    })
    .await?;
    println!("{address}");
    std::future::pending().await
}

/// An HTTP/1.1 server on a free port.
async fn serve<F, Fut, B>(answer: F) -> Result<SocketAddr, AnyError>
where
    F: Fn(Request<Incoming>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Result<Response<B>, AnyError>> + Send,
    B: hyper::body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<AnyError>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let _ = stream.set_nodelay(true);
            let answer = answer.clone();
            let service = service_fn(answer);
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
        Ok::<_, Infallible>(())
    });
    Ok(address)
}

fn count_of(request: &Request<Incoming>) -> usize {
    let query = request.uri().query().unwrap_or("");
    query.split('&').find_map(|pair| pair.strip_prefix("n=")).and_then(|n| n.parse().ok()).unwrap_or(1)
}

/// A legacy batch reply; one resource in ten failed.
fn reply(n: usize) -> Bytes {
    let entry = |id: usize| match id % 10 {
        3 => format!("\"ins-{id:08}\":{{\"code\":5100,\"message\":\"instance state does not allow stop\"}}"),
        _ => format!("\"ins-{id:08}\":{{\"code\":0,\"message\":\"\",\"requestId\":\"12312312{id:08}\"}}"),
    };
    let detail = (0..n).map(entry).collect::<Vec<_>>().join(",");
    Bytes::from(format!("{{\"code\":5400,\"message\":\"some operations failed\",\"detail\":{{{detail}}}}}"))
}
