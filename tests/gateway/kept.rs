//! Connections to vendors that are kept between calls: used again while they live, never believed when they do not.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;

use crate::support::{Call, Gateway, Reply, Route, Step, Vendor, until};

fn call(method: &str, target: &str) -> Call {
    let call = Call::new(method, target).header("Host", "x");
    if method == "POST" { call.header("Content-Type", "application/json").body("{\"n\":1}") } else { call }
}

async fn attempts(gateway: &Gateway, result: &str) -> f64 {
    let label = format!("result=\"{result}\"");
    gateway.metrics().await.sum("onevelope_upstream_attempts_total", &[&label])
}

#[tokio::test]
async fn calls_one_after_the_other_share_a_connection() {
    let vendor = Vendor::replying(Reply::json("{}")).await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    for n in 0..20 {
        let method = if n % 2 == 0 { "GET" } else { "POST" };
        assert_eq!(call(method, "/x").send(gateway.address).await.status, 200);
    }
    assert_eq!(vendor.connections(), 1);
}

/// Every vendor closes at some time without a word; this one always does, as it answers or about when the next call comes.
#[tokio::test]
async fn a_vendor_that_closes_as_it_answers_fails_no_get_and_doubles_no_post() {
    let reply = Reply::json("{}").bytes();
    for (pause, method) in [(0, "GET"), (1, "GET"), (2, "GET"), (0, "POST"), (1, "POST"), (2, "POST")] {
        let pause = Step::Pause(Duration::from_millis(pause));
        let vendor = Vendor::scripted(vec![Step::Send(reply.clone()), pause.clone(), Step::Close]).await;
        let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
        let mut failed = 0;
        for n in 0..150 {
            let answer = call(method, &format!("/{n}")).send(gateway.address).await;
            failed += usize::from(answer.status != 200);
        }
        let mut heard: BTreeMap<String, usize> = BTreeMap::new();
        for request in vendor.heard() {
            *heard.entry(request.line().to_owned()).or_default() += 1;
        }
        let resent = attempts(&gateway, "resent").await;
        eprintln!("{method}, {pause:?}: {failed} of 150 failed, {resent} were sent again");
        if method == "GET" {
            assert_eq!(failed, 0, "{pause:?}");
            continue;
        }
        assert!(heard.len() + failed >= 150, "{pause:?}: {} got there", heard.len());
        assert!(heard.values().all(|times| *times == 1), "{pause:?}: {heard:?}");
        // One loss teaches; without that it is a third of them.
        assert!(failed <= 3, "{pause:?}: {failed}");
    }
}

/// Answers `/first`, and any other target only the second time that it is asked, having closed the connection the first time.
async fn forgetful() -> Vendor {
    let asked = Arc::new(AtomicUsize::new(0));
    Vendor::answering(None, move |heard| {
        match heard.line().contains("/first") || asked.fetch_add(1, Ordering::Relaxed) > 0 {
            true => Reply::json("{}").script(),
            false => vec![Step::Close],
        }
    })
    .await
}

#[tokio::test]
async fn only_what_is_safe_is_sent_again_and_it_is_said() {
    for (method, target, again) in [
        ("GET", "/second", true),
        ("HEAD", "/second?marker=action", true),
        ("OPTIONS", "/second", true),
        ("POST", "/second", false),
        ("DELETE", "/second", false),
        // Interfaces that name what is to be done in the query do it on GET, too.
        ("GET", "/second?Action=Reboot", false),
        ("GET", "/second?x=1&command=destroy", false),
    ] {
        let vendor = forgetful().await;
        let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
        assert_eq!(call("GET", "/first").send(gateway.address).await.status, 200);
        let answer = call(method, target).send(gateway.address).await;
        let expected = if again { (200, 3, 1.0) } else { (502, 2, 0.0) };
        let found = (answer.status, vendor.heard().len(), attempts(&gateway, "resent").await);
        assert_eq!(found, expected, "{method} {target}");
        assert_eq!(attempts(&gateway, "lost").await, if again { 0.0 } else { 1.0 }, "{method} {target}");
    }
}

#[tokio::test]
async fn a_new_connection_that_is_lost_is_lost() {
    let vendor = forgetful().await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    assert_eq!(call("GET", "/x").send(gateway.address).await.status, 502);
    assert_eq!(vendor.heard().len(), 1);
}

#[tokio::test]
async fn bytes_that_nobody_asked_for_answer_nobody() {
    let poison = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";
    for apart in [false, true] {
        let reply = Reply::json("{}").bytes();
        let script = match apart {
            false => vec![Step::Send([&reply[..], poison].concat())],
            true => vec![Step::Send(reply), Step::Send(poison.to_vec())],
        };
        let vendor = Vendor::scripted(script).await;
        let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
        for n in 0..10 {
            let method = if n % 2 == 0 { "GET" } else { "POST" };
            let answer = call(method, "/x").send(gateway.address).await;
            assert_eq!((answer.status, answer.text().as_str()), (200, "{}"), "{n}");
        }
    }
}

#[tokio::test]
async fn a_reply_that_was_not_read_to_its_end_is_nobodys_next_reply() {
    let vendor = Vendor::answering(None, |heard| match heard.line().contains("/long") {
        true => {
            vec![Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec()), Step::Silence]
        }
        false => Reply::json("{}").script(),
    })
    .await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    let mut wire = call("GET", "/long").open(gateway.address).await;
    assert_eq!(wire.head().await.status, 200);
    drop(wire);
    for _ in 0..2 {
        assert_eq!(call("GET", "/x").send(gateway.address).await.text(), "{}");
    }
    assert_eq!(vendor.connections(), 2, "the second is kept");
}

#[tokio::test]
async fn a_vendor_that_says_it_closes_is_no_hasty_one() {
    let vendor = Vendor::answering(None, |heard| match heard.line().contains("/last") {
        true => Reply::json("{}").header("Connection", "close").script(),
        false => Reply::json("{}").script(),
    })
    .await;
    let gateway = Gateway::before(&vendor, Route::of("huawei")).await;
    for target in ["/x", "/last", "/x", "/x", "/x"] {
        assert_eq!(call("POST", target).send(gateway.address).await.status, 200);
    }
    assert_eq!(vendor.connections(), 2, "one until it said so, one since");
}

#[tokio::test]
async fn a_vendor_that_takes_nothing_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let silent = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    let route = Route::of("huawei").with("mode = \"passthrough\"").upstream("body_timeout = \"300ms\"");
    let gateway = Gateway::start(&route.to_url(&url)).await;
    let upload = call("PUT", "/object").header("Content-Length", &(1_u64 << 40).to_string());
    let wire = upload.open(gateway.address).await;
    let (mut read, mut write) = wire.stream.into_inner().into_split();
    let uploading = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        while write.write_all(&[b'x'; 1 << 16]).await.is_ok() {}
    });
    until("the call to be lost", async || attempts(&gateway, "lost").await == 1.0).await;
    use tokio::io::AsyncReadExt;
    let mut head = [0; 12];
    if read.read_exact(&mut head).await.is_ok() {
        assert_eq!(&head, b"HTTP/1.1 502");
    }
    uploading.abort();
    silent.abort();
}
