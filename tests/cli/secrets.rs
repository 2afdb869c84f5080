//! A marked secret wherever a call or a configuration may hold one; then every place that the gateway writes to is searched for it.
//!
//! Only answers to the caller may hold what the vendor's own reply held: they are the vendor's.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc;

use crate::run::{command, file, folder};

/// Names where the secret stood; what follows is the same everywhere.
const MARK: &str = "kanari7f3a";

/// A vendor that refuses each server and shows secrets of its own; where the path says so, it ends the connection instead.
fn vendor() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || converse(&stream));
        }
    });
    address
}

fn converse(stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut head, mut length) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            let start = head.len();
            if reader.read_line(&mut head).unwrap_or(0) == 0 {
                return;
            }
            let line = head[start..].to_ascii_lowercase();
            length =
                line.strip_prefix("content-length:").map_or(length, |n| n.trim().parse().expect("a length"));
        }
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() || head.contains("/lost") {
            return;
        }
        let failed = format!(r#"{{"id":"s1","error_code":"Ecs.0614","adminPass":"{MARK}-reply-member"}}"#);
        let body = format!(r#"{{"error":{{"code":"Ecs.0611","message":"no"}},"internalError":[{failed}]}}"#);
        let reply = format!(
            "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nSet-Cookie: s={MARK}-set-cookie\r\n\
             X-Subject-Token: {MARK}-subject-token\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if (&mut &*stream).write_all(reply.as_bytes()).is_err() {
            return;
        }
    }
}

/// A request with a secret in each place that vendors have for one.
fn request(method: &str, host: &str, path: &str) -> String {
    let fields = [
        "Authorization",
        "Cookie",
        "X-Auth-Token",
        "X-Security-Token",
        "X-Amz-Security-Token",
        "X-TC-Token",
        "X-Acs-Signature",
        "X-Sdk-Signature",
        "X-Api-Key",
        "X-Ms-Signature",
        "Proxy-Authorization",
        "Referer",
    ];
    let fields: String =
        fields.iter().map(|name| format!("{name}: {MARK}-{}\r\n", name.to_lowercase())).collect();
    let query =
        ["Signature", "SecretId", "password", "X-Amz-Signature", "X-Amz-Credential", "sig", "access_token"];
    let query: Vec<String> = query.iter().map(|name| format!("{name}={MARK}-query-{name}")).collect();
    let body = format!(
        r#"{{"new_password":"{MARK}-new-password","adminPass":"{MARK}-admin-pass","user_data":"{MARK}-user-data","servers":[{{"id":"s1","password":"{MARK}-item-password"}}]}}"#
    );
    let body = if method == "GET" { String::new() } else { body };
    format!(
        "{method} {path}?{} HTTP/1.1\r\nHost: {host}\r\n{fields}Connection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        query.join("&"),
        body.len()
    )
}

fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer).into_owned()
}

fn get(address: &str, path: &str) -> String {
    ask(address, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
}

/// Whatever of the secrets stands in a text, but for what is allowed there.
fn leaks(text: &str, allowed: &[&str]) -> Vec<String> {
    let found =
        text.match_indices(MARK).map(|(at, _)| text[at + MARK.len()..].chars().take(24).collect::<String>());
    found.filter(|place| !allowed.iter().any(|allowed| place.starts_with(&format!("-{allowed}")))).collect()
}

#[test]
fn no_secret_is_written_anywhere_but_into_its_own_answer() {
    let spool = folder().join("spool");
    std::fs::create_dir_all(&spool).expect("a folder");
    let config = format!(
        "[listen]\naddress = \"127.0.0.1:0\"\n[admin]\naddress = \"127.0.0.1:0\"\n\
         [routes.r]\nhost = \"ecs.{{region}}.myhuaweicloud.com\"\nvendor = \"huawei\"\nupstream = \"u\"\ndata = true\n\
         [upstreams.u]\nurl = \"http://{}\"\n\
         [routes.dead]\nhost = \"dead.example\"\nvendor = \"huawei\"\nupstream = \"dead\"\n\
         [upstreams.dead]\nurl = \"http://127.0.0.1:9\"\n\
         [events]\ninclude = \"all\"\n[events.stdout]\n[events.file]\ndirectory = {spool:?}\n",
        vendor()
    );
    let config = file("secrets.toml", &config);
    let mut serve = command(&["serve", "--config", config.to_str().expect("UTF-8"), "--workers", "1"]);
    serve.env("ONEVELOPE_LOG", "trace").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = serve.spawn().expect("started");
    let mut out = child.stdout.take().expect("a pipe");
    let said = std::thread::spawn(move || {
        let mut text = String::new();
        out.read_to_string(&mut text).map(|_| text).expect("text")
    });
    let (told, address) = mpsc::sync_channel(2);
    let err = BufReader::new(child.stderr.take().expect("a pipe"));
    let logged = std::thread::spawn(move || {
        let mut all = String::new();
        for line in err.lines().map_while(Result::ok) {
            let value: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            for (message, key) in [("listening", "address"), ("onevelope is up", "admin")] {
                if value["message"] == message
                    && let Some(address) = value[key].as_str()
                {
                    let _ = told.send(address.to_owned());
                }
            }
            all.push_str(&line);
            all.push('\n');
        }
        all
    });
    let next = || address.recv_timeout(std::time::Duration::from_secs(20)).expect("it starts");
    let (address, admin) = (next(), next());

    let batch = "/v1/0605768a/cloudservers/os-reset-passwords";
    let known = "ecs.eu-west-0.myhuaweicloud.com";
    let mut places: BTreeMap<String, String> = BTreeMap::new();
    let mut answers = Vec::new();
    for (method, host, path) in [
        ("PUT", known, batch),
        ("POST", known, "/v1/0605768a/whatever"),
        ("GET", known, "/v1/0605768a/cloudservers"),
        ("PUT", known, "/lost"),
        ("PUT", "dead.example", batch),
        ("GET", "dead.example", "/v1/x"),
        ("GET", "nobody.example", "/v1/x"),
        ("CONNECT", known, "/"),
    ] {
        let answer = ask(&address, &request(method, host, path));
        answers.push(answer.lines().next().unwrap_or("").to_owned());
        places.insert(format!("the answer to {method} {host}{path}"), answer);
    }
    assert!(answers[0].contains(" 40"), "{answers:?}");
    assert!(
        answers[3].contains(" 502 ") && answers[4].contains(" 502 ") && answers[6].contains(" 404 "),
        "{answers:?}"
    );
    for path in [
        "/",
        "/page.js",
        "/metrics",
        "/metrics/resources",
        "/readyz",
        "/api/config",
        "/api/profiles",
        "/api/vendors",
        "/api/breakers",
        "/api/failures",
        "/api/batches",
        "/nowhere",
    ] {
        places.insert(format!("the admin port's {path}"), get(&admin, path));
    }
    let failures = &places["the admin port's /api/failures"];
    assert!(failures.contains("\"s1\""), "the batch is there: {failures}");
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill").success());
    assert!(child.wait().expect("ended").success());
    let log = logged.join().expect("a log");
    assert!(log.contains("TRACE"), "everything is logged");
    places.insert("the log".to_owned(), log);
    let events = said.join().expect("events");
    assert!(events.contains("\"s1\""), "events were written: {events}");
    places.insert("events on standard output".to_owned(), events);
    for entry in std::fs::read_dir(&spool).expect("a folder").map_while(Result::ok) {
        let text = String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap_or_default()).into_owned();
        places.insert(format!("the spool's {}", entry.file_name().to_string_lossy()), text);
    }
    let first = &places[&format!("the answer to PUT {known}{batch}")];
    assert!(!leaks(first, &[]).is_empty(), "what the vendor says is shown to its caller: {first}");
    let own = ["reply-member", "set-cookie", "subject-token"];
    let leaks: Vec<_> = places
        .iter()
        .flat_map(|(place, text)| {
            let allowed = if place.starts_with("the answer to") { &own[..] } else { &[] };
            leaks(text, allowed).into_iter().map(move |secret| format!("{place}: {secret}"))
        })
        .collect();
    assert!(leaks.is_empty(), "{} secrets got out:\n{}", leaks.len(), leaks.join("\n"));
}

/// The story of a judgement tells of the request nothing but its ids.
#[test]
fn explain_and_check_show_no_secret() {
    let request = file(
        "request.http",
        &request("PUT", "ecs.eu-west-0.myhuaweicloud.com", "/v1/1/cloudservers/os-reset-passwords"),
    );
    let reply = file(
        "reply.http",
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"response\":[{\"id\":\"s1\"}]}",
    );
    let text = |file: &std::path::Path| file.to_str().expect("UTF-8").to_owned();
    for more in [&[][..], &["--json"]] {
        let (asked, said) = (text(&request), text(&reply));
        let args = [&["explain", "--request", &asked, "--reply", &said][..], more].concat();
        let ran = crate::run::run(&args);
        assert!(ran.out.contains("s1"), "{}{}", ran.out, ran.err);
        let leaked = leaks(&format!("{}{}", ran.out, ran.err), &[]);
        assert!(leaked.is_empty(), "{leaked:?}");
    }
    // Credentials are not the gateway's to send: a URL with some is refused, and not shown.
    for url in ["http://user:{}@x", "http://user:{}@[", "ftp://user:{}@x", "http://user:{}@x:port"] {
        let url = url.replace("{}", &format!("{MARK}-userinfo"));
        let config = format!("[routes.r]\nupstream = \"u\"\n[upstreams.u]\nurl = {url:?}\n");
        let ran = crate::run::run(&["check", "--config", &text(&file("bad.toml", &config))]);
        assert_ne!(ran.code, 0, "{url}");
        let leaked = leaks(&format!("{}{}", ran.out, ran.err), &[]);
        assert!(leaked.is_empty(), "{url}: {leaked:?}\n{}{}", ran.out, ran.err);
    }
}
