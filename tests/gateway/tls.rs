//! TLS on both sides: the listener's certificates and client authority, the upstream's trust.

use std::net::SocketAddr;
use std::path::Path;

use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::batches::{failed_servers, reset};
use crate::support::certificates::{Authority, Pair, connector};
use crate::support::{Answer, Call, Gateway, Reply, Route, Vendor, folder, soon, until};

/// `[listen]` with a certificate.
fn listen(pair: &Pair, client_ca: Option<&Authority>) -> String {
    let ca = client_ca.map_or(String::new(), |ca| format!(", client_ca = {:?}", ca.file));
    format!(
        "[listen]\naddress = \"127.0.0.1:0\"\ntls = {{ cert = {:?}, key = {:?}{ca} }}\n",
        pair.cert, pair.key
    )
}

async fn shake(connector: &TlsConnector, to: SocketAddr) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(to).await?;
    let name = ServerName::try_from("127.0.0.1").expect("a name");
    soon("a handshake", connector.connect(name, stream)).await
}

/// One HTTP/1.1 exchange; none when the server hung up.
async fn exchange(stream: TlsStream<TcpStream>, call: &Call) -> Option<Answer> {
    let mut stream = BufReader::new(stream);
    stream.get_mut().write_all(&call.bytes()).await.ok()?;
    soon("an answer", Answer::read(&mut stream, false)).await
}

#[tokio::test]
async fn a_listener_speaks_what_the_client_prefers() {
    let folder = folder("tls-alpn");
    let authority = Authority::new(&folder, "ca");
    let vendor = Vendor::replying(failed_servers(&[("b", "Ecs.0614")])).await;
    let route = Route::of("huawei").and(&listen(&authority.sign("server"), None));
    let gateway = Gateway::before(&vendor, route).await;

    let stream =
        shake(&connector(&authority, &["h2", "http/1.1"], None), gateway.address).await.expect("shaken");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    assert_eq!(reset(&["a", "b"]).send_h2(TokioIo::new(stream)).await.outcomes(), ["succeeded", "failed"]);

    let stream = shake(&connector(&authority, &["http/1.1"], None), gateway.address).await.expect("shaken");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert_eq!(exchange(stream, &reset(&["a", "b"])).await.expect("answered").status, 207);

    // A client that offers nothing speaks HTTP/1.1.
    let stream = shake(&connector(&authority, &[], None), gateway.address).await.expect("shaken");
    assert_eq!(exchange(stream, &reset(&["a", "b"])).await.expect("answered").status, 207);
}

#[tokio::test]
async fn plain_http_on_a_tls_port_gets_nothing_and_hurts_nobody() {
    let folder = folder("tls-plain");
    let authority = Authority::new(&folder, "ca");
    let vendor = Vendor::replying(Reply::json("{}")).await;
    let gateway =
        Gateway::before(&vendor, Route::of("huawei").and(&listen(&authority.sign("server"), None))).await;
    let mut wire = Call::new("GET", "/x").header("Host", "x").open(gateway.address).await;
    assert!(soon("the end", Answer::read_head(&mut wire.stream)).await.is_none());
    assert_eq!(vendor.connections(), 0);
    let stream = shake(&connector(&authority, &[], None), gateway.address).await.expect("shaken");
    let call = Call::new("GET", "/x").header("Host", "x");
    assert_eq!(exchange(stream, &call).await.expect("answered").status, 200);
}

#[tokio::test]
async fn a_client_authority_lets_in_only_whom_it_signed() {
    let folder = folder("tls-client");
    let (ours, theirs) = (Authority::new(&folder, "ours"), Authority::new(&folder, "theirs"));
    let vendor = Vendor::replying(Reply::json("{}")).await;
    let gateway =
        Gateway::before(&vendor, Route::of("huawei").and(&listen(&ours.sign("server"), Some(&ours)))).await;
    let call = Call::new("GET", "/x").header("Host", "x");
    let (known, stranger) = (ours.sign("known"), theirs.sign("stranger"));
    for shown in [None, Some(&stranger)] {
        // TLS 1.3 tells a refused client only when it reads.
        if let Ok(stream) = shake(&connector(&ours, &[], shown), gateway.address).await {
            assert!(exchange(stream, &call).await.is_none());
        }
    }
    assert_eq!(vendor.connections(), 0);
    let stream = shake(&connector(&ours, &[], Some(&known)), gateway.address).await.expect("shaken");
    assert_eq!(exchange(stream, &call).await.expect("answered").status, 200);
}

#[tokio::test]
async fn an_upstreams_certificate_is_checked_against_its_own_authority() {
    let folder = folder("tls-upstream");
    let (ours, theirs) = (Authority::new(&folder, "ours"), Authority::new(&folder, "theirs"));
    let acceptor = ours.sign("vendor").acceptor();
    let vendor = Vendor::answering(Some(acceptor), |_| failed_servers(&[("b", "Ecs.0614")]).script()).await;
    let url = format!("https://{}", vendor.address);
    let trusting = |ca: &Authority| Route::of("huawei").upstream(&format!("ca = {:?}", ca.file)).to_url(&url);

    let gateway = Gateway::start(&trusting(&ours)).await;
    assert_eq!(reset(&["a", "b"]).send(gateway.address).await.outcomes(), ["succeeded", "failed"]);

    // Without trust nothing is sent: all of it failed, and may be repeated.
    for text in [trusting(&theirs), Route::of("huawei").to_url(&url)] {
        let gateway = Gateway::start(&text).await;
        let answer = reset(&["a", "b"]).send(gateway.address).await;
        assert_eq!((answer.status, answer.outcomes()), (502, vec!["failed".into(), "failed".into()]));
        assert_eq!(answer.json()["results"][0]["error"]["category"], "unreachable");
    }
    assert_eq!(vendor.heard().len(), 1);
}

/// Makes a link lead to another folder in one step, as Kubernetes does.
fn swap(link: &Path, to: &Path) {
    let fresh = link.with_extension("fresh");
    std::os::unix::fs::symlink(to, &fresh).expect("a link");
    std::fs::rename(&fresh, link).expect("renamed");
}

#[tokio::test]
async fn certificates_are_renewed_and_a_bad_one_is_refused() {
    let base = folder("tls-renewed");
    let (old, new) = (base.join("old"), base.join("new"));
    for folder in [&old, &new] {
        std::fs::create_dir_all(folder).expect("a folder");
    }
    let (first, second) = (Authority::new(&old, "ca"), Authority::new(&new, "ca"));
    let pair = first.sign("server");
    second.sign("server");
    let link = base.join("mounted");
    swap(&link, &old);
    let mounted = |file: &Path| link.join(file.file_name().expect("a name"));
    let shown = Pair { cert: mounted(&pair.cert), key: mounted(&pair.key) };
    let vendor = Vendor::replying(Reply::json("{}")).await;
    let file = base.join("onevelope.toml");
    let ports = format!("{}[admin]\naddress = \"127.0.0.1:0\"\n", listen(&shown, None));
    std::fs::write(&file, format!("{}{ports}", Route::of("huawei").to(&vendor))).expect("written");
    let gateway = Gateway::start_file(&file).await;
    let shakes = async |authority| shake(&connector(authority, &[], None), gateway.address).await.is_ok();
    assert!(shakes(&first).await && !shakes(&second).await);
    let open = shake(&connector(&first, &[], None), gateway.address).await.expect("shaken");

    swap(&link, &new);
    until("the new certificate to be shown", async || shakes(&second).await).await;
    assert!(!shakes(&first).await);
    let call = Call::new("GET", "/x").header("Host", "x");
    assert_eq!(exchange(open, &call).await.expect("answered").status, 200, "what is open goes on");

    std::fs::write(new.join("server.key"), "no key").expect("written");
    let refused = async || gateway.metrics().await.sum("onevelope_config_last_reload_successful", &[]) == 0.0;
    until("the bad key to be refused", refused).await;
    assert!(shakes(&second).await, "the last good one is shown");
    let told = gateway.ask("/api/config").await.json()["refused"].to_string();
    assert!(told.contains("listen") && told.contains("server.key"), "{told}");
    second.sign("server");
    until("the mended one to be taken", async || !refused().await).await;
    assert!(shakes(&second).await);
}

#[tokio::test]
async fn a_vendors_authority_is_read_again() {
    let base = folder("tls-authority");
    let (theirs, other) = (Authority::new(&base, "theirs"), Authority::new(&base, "other"));
    let vendor =
        Vendor::answering(Some(theirs.sign("vendor").acceptor()), |_| Reply::json("{}").script()).await;
    let trusted = base.join("trusted.pem");
    std::fs::copy(&other.file, &trusted).expect("copied");
    let file = base.join("onevelope.toml");
    let ports = "[listen]\naddress = \"127.0.0.1:0\"\n[admin]\naddress = \"127.0.0.1:0\"\n";
    let route = Route::of("huawei").upstream(&format!("ca = {trusted:?}"));
    std::fs::write(&file, format!("{}{ports}", route.to_url(&format!("https://{}", vendor.address))))
        .expect("written");
    let gateway = Gateway::start_file(&file).await;
    let status = async || Call::new("GET", "/x").header("Host", "x").send(gateway.address).await.status;
    assert_eq!(status().await, 502, "an authority that nobody trusts");
    std::fs::copy(&theirs.file, &trusted).expect("copied");
    until("the authority to be trusted", async || status().await == 200).await;
}
