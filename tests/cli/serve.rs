//! `serve` as a process: logs, SIGHUP, SIGTERM; and `demo`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use serde_json::Value;

use crate::run::{command, file, run};

/// A running gateway and its log.
pub struct Served {
    child: Child,
    log: BufReader<ChildStderr>,
    pub address: String,
    admin: String,
}

impl Drop for Served {
    fn drop(&mut self) {
        // Only where a test failed before its end.
        let _ = self.child.kill();
    }
}

impl Served {
    pub fn start(config: &Path) -> Self {
        let mut command = command(&["serve", "--config", config.to_str().expect("UTF-8"), "--workers", "1"]);
        let mut child = command.stderr(Stdio::piped()).spawn().expect("started");
        let log = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut served = Self { child, log, address: String::new(), admin: String::new() };
        served.address = served.line("listening")["address"].as_str().expect("an address").to_owned();
        served.admin = served.line("onevelope is up")["admin"].as_str().expect("an address").to_owned();
        served
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Reads the log up to a message; each line is a JSON object.
    fn line(&mut self, message: &str) -> Value {
        let mut line = String::new();
        loop {
            line.clear();
            assert!(self.log.read_line(&mut line).expect("a log") > 0, "the log ended before {message:?}");
            let value: Value = serde_json::from_str(&line).unwrap_or_else(|cause| panic!("{cause}: {line}"));
            if value["message"].as_str().is_some_and(|own| own.contains(message)) {
                return value;
            }
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill").success());
    }

    fn get(&self, address: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(address).expect("a connection");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }
}

/// A gateway before a port where nobody listens.
fn config(more: &str) -> String {
    format!(
        "[listen]\naddress = \"127.0.0.1:0\"\n[admin]\naddress = \"127.0.0.1:0\"\n\
         [routes.r]\nupstream = \"u\"\n[upstreams.u]\nurl = \"http://127.0.0.1:9\"\n{more}"
    )
}

#[test]
fn it_logs_json_lines_reloads_on_sighup_and_ends_with_0_on_sigterm() {
    let file = file("onevelope.toml", &config(""));
    let mut served = Served::start(&file);
    assert!(served.get(&served.admin.clone(), "/readyz").starts_with("HTTP/1.1 200 "));
    assert!(served.get(&served.address.clone(), "/x").starts_with("HTTP/1.1 502 "));

    std::fs::write(&file, config("connect_timeout = \"soon\"\n")).expect("written");
    served.signal("HUP");
    let refused = served.line("configuration refused");
    assert_eq!(refused["level"], "ERROR");
    assert!(refused["problems"].as_str().expect("problems").contains("\"soon\" is no duration"), "{refused}");
    std::fs::write(&file, config("connect_timeout = \"1s\"\n")).expect("written");
    served.signal("HUP");
    served.line("configuration reloaded");

    served.signal("TERM");
    served.line("draining");
    served.line("stopped");
    assert_eq!(served.child.wait().expect("ended").code(), Some(0));
}

/// A stranger must not fill the disk, nor put into the log what a path holds.
#[test]
fn refused_requests_are_told_in_few_lines_without_their_paths() {
    let text = config("").replace("[routes.r]\n", "[routes.r]\nhost = \"known.example\"\n");
    let mut served = Served::start(&file("onevelope.toml", &text));
    let (began, address) = (std::time::Instant::now(), served.address.clone());
    let mut sent = 0;
    // Longer than the second that a quota is for, so that what was left out is told, too.
    while sent < 300 || began.elapsed().as_millis() < 1_200 {
        assert!(served.get(&address, "/bot1:SECRET/x?token=SECRET").starts_with("HTTP/1.1 404 "));
        sent += 1;
    }
    let most = 10 * (began.elapsed().as_secs() as usize + 2);
    assert!(most < sent, "too slow to tell: {sent} requests");
    served.signal("TERM");
    let mut log = String::new();
    served.log.read_to_string(&mut log).expect("a log");
    let lines = log.lines().filter(|line| line.contains("\"request refused\"")).count();
    assert!((1..=most).contains(&lines), "{lines} lines for {sent} requests");
    assert!(log.contains("more requests suffered"), "{log}");
    assert!(!log.contains("SECRET"), "{log}");
}

#[test]
fn a_port_that_is_taken_is_said_and_exits_78() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let text = config("").replacen("127.0.0.1:0", &address, 1);
    let ran = run(&["serve", "--config", file("onevelope.toml", &text).to_str().expect("UTF-8")]);
    assert_eq!(ran.code, 78);
    assert!(ran.err.contains(&format!("cannot listen on {address}")), "{}", ran.err);
}

#[test]
fn the_demo_shows_partly_failing_batches_and_ends() {
    let ran = run(&["demo", "--once"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for word in ["huawei", "tencent", "alibaba", "aws", "207", "partial", "onevelope_resource_results_total"]
    {
        assert!(ran.out.contains(word), "{word}: {}", ran.out);
    }
    assert!(!ran.out.contains('\u{1b}'), "no colour where nobody sees it");
}

#[test]
fn the_version_names_the_commit_and_help_has_examples() {
    let ran = run(&["--version"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.starts_with(&format!("onevelope {} (", env!("CARGO_PKG_VERSION"))), "{}", ran.out);
    let ran = run(&["--help"]);
    assert!(
        ran.code == 0 && ran.out.contains("Examples:") && ran.out.contains("onevelope serve --config"),
        "{}",
        ran.out
    );
}

#[test]
fn without_a_file_descriptor_left_it_waits_and_goes_on() {
    let file = file("descriptors.toml", &config(""));
    let mut served = Served::start(&file);
    let pid = served.pid();
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("its descriptors").count();
    let limit = format!("--nofile={}", open + 4);
    let set = Command::new("prlimit").args(["--pid", &pid.to_string(), &limit]).status();
    assert!(set.expect("prlimit").success());
    let callers: Vec<TcpStream> =
        (0..16).map(|_| TcpStream::connect(&served.address).expect("a connection")).collect();
    served.line("accept failed");
    drop(callers);
    assert!(served.get(&served.address, "/x").starts_with("HTTP/1.1 502"), "it serves again");
    assert!(served.get(&served.admin, "/livez").starts_with("HTTP/1.1 200"));
}
