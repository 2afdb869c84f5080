//! The gateway as the world sees it: any bytes from a caller, over a pipe in memory, and any from a vendor behind it. No panic, no
//! hang; what comes back is HTTP. The input is cut in two at the first `\0\0`: the caller's bytes, then the vendor's.
#![no_main]

use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use libfuzzer_sys::fuzz_target;
use onevelope::config::load_text;
use onevelope::gateway::{Draft, Gateway, Service};
use onevelope::observe::Observer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// What the vendor says to whoever asks next.
static SAYS: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static WORLD: LazyLock<(Runtime, Service)> = LazyLock::new(world);

fn world() -> (Runtime, Service) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let address = listener.local_addr().expect("an address");
    runtime.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut heard = [0; 4096];
                let _ = stream.read(&mut heard).await;
                let says = SAYS.lock().expect("never poisoned").clone();
                let _ = stream.write_all(&says).await;
            });
        }
    });
    let text = format!(
        "[listen]\naddress = \"127.0.0.1:0\"\n[routes.r]\nupstream = \"u\"\n[upstreams.u]\nurl = \"http://{address}\"\nhead_timeout = \"200ms\"\nbody_timeout = \"200ms\"\n"
    );
    let (config, profiles) = load_text("fuzz.toml", &text).unwrap_or_else(|problems| panic!("{problems}"));
    let service = runtime.block_on(async {
        let draft = Draft::of(config, Arc::new(profiles)).expect("a configuration");
        Service::new(Gateway::new(draft, Observer::new().expect("metrics"), None))
    });
    (runtime, service)
}

fuzz_target!(|data: &[u8]| {
    let cut = data.windows(2).position(|two| two == [0, 0]);
    let (caller, vendor) = cut.map_or((data, &b""[..]), |at| (&data[..at], &data[at + 2..]));
    *SAYS.lock().expect("never poisoned") = vendor.to_vec();
    let (runtime, service) = &*WORLD;
    runtime.block_on(async {
        let (mut near, far) = tokio::io::duplex(1 << 16);
        let service = service.clone();
        let answer = service_fn(move |request| {
            let service = service.clone();
            async move { Ok::<_, std::convert::Infallible>(service.answer("listen".into(), request).await) }
        });
        let mut builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(Duration::from_millis(200));
        let served = tokio::spawn(async move {
            let _ = builder.serve_connection(TokioIo::new(far), answer).await;
        });
        let mut said = Vec::new();
        let talk = async {
            let _ = near.write_all(caller).await;
            let _ = near.shutdown().await;
            let _ = (&mut near).take(1 << 22).read_to_end(&mut said).await;
        };
        tokio::time::timeout(Duration::from_secs(10), talk).await.expect("an end within 10 s");
        served.abort();
        if let Err(cause) = served.await {
            assert!(!cause.is_panic(), "{cause}");
        }
        // HTTP/2 begins with a SETTINGS frame.
        let is_http = said.is_empty() || said.starts_with(b"HTTP/1.") || said.get(3) == Some(&4);
        assert!(is_http, "{:?}", String::from_utf8_lossy(&said[..said.len().min(80)]));
    });
});
