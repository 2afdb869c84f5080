//! What a running gateway holds at most, as its system counts it: bodies far beyond `limits.memory` together.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::run::file;
use crate::serve::Served;

const MEGABYTE: usize = 1 << 20;

/// Says the same to everybody who asked.
fn vendor(reply: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let reply = Arc::new(reply);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let reply = Arc::clone(&reply);
            std::thread::spawn(move || {
                let mut stream = stream;
                let mut asked = Vec::new();
                let mut piece = [0; 64 << 10];
                while let Ok(read) = stream.read(&mut piece) {
                    asked.extend_from_slice(&piece[..read]);
                    if read == 0 || is_whole(&asked) {
                        break;
                    }
                }
                // A gateway that had enough may hang up.
                let _ = stream.write_all(&reply);
            });
        }
    });
    address
}

fn is_whole(message: &[u8]) -> bool {
    let Some(end) = message.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&message[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    message.len() >= end + 4 + length.map_or(0, |length| length.parse::<usize>().expect("a number"))
}

fn reply(coding: &str, body: &[u8]) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
    let mut reply = format!("{head}{coding}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    reply.extend_from_slice(body);
    reply
}

fn gateway(vendor: SocketAddr, route: &str, limits: &str) -> Served {
    Served::start(&file(
        "memory.toml",
        &format!(
            "[listen]\naddress = \"127.0.0.1:0\"\n[admin]\naddress = \"127.0.0.1:0\"\n\
             [routes.r]\nupstream = \"u\"\nvendor = \"tencent\"\n{route}\n\
             [upstreams.u]\nurl = \"http://{vendor}\"\n[limits]\n{limits}\n"
        ),
    ))
}

/// A batch of one.
fn ask(served: &Served) -> TcpStream {
    let mut stream = TcpStream::connect(&served.address).expect("a connection");
    let head = "GET /?Action=StopInstances&Version=2017-03-12&InstanceIds.0=ins-1 HTTP/1.1\r\nHost: cvm.tencentcloudapi.com\r\n";
    write!(stream, "{head}Connection: close\r\n\r\n").expect("sent");
    stream
}

fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    answer
}

/// The most that was resident, in bytes.
fn most(served: &Served) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", served.pid())).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    let kilobytes = line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number");
    kilobytes << 10
}

#[test]
fn large_replies_to_slow_readers_stay_within_the_memory_that_is_configured() {
    const READERS: usize = 20;
    const SIZE: usize = 30 * MEGABYTE;
    const LIMIT: usize = 256 * MEGABYTE;
    let padding = "x".repeat(SIZE);
    let body = format!("{{\"Response\":{{\"RequestId\":\"r\",\"Padding\":\"{padding}\"}}}}");
    let vendor = vendor(reply("", body.as_bytes()));
    for route in ["mode = \"observe\"", "mode = \"envelope\"\nraw = \"always\""] {
        let served = gateway(vendor, route, "reply_body = \"32 MiB\"\nmemory = \"256 MiB\"");
        // One after the other: what is held of an answer waits for its reader, while the next reply comes. Its head has come, so
        // a reply was read, or will not be.
        let readers: Vec<TcpStream> = (0..READERS)
            .map(|_| {
                let mut reader = ask(&served);
                reader.read_exact(&mut [0]).expect("an answer begins");
                reader
            })
            .collect();
        assert!(most(&served) < LIMIT + LIMIT / 4, "{route}: {} bytes", most(&served));
        for reader in readers {
            assert!(rest(reader).len() > SIZE, "{route}: nothing is lost");
        }
        assert!(most(&served) < LIMIT + LIMIT / 4, "{route}: {} bytes", most(&served));
    }
}

#[test]
fn a_small_reply_that_becomes_large_is_counted_by_what_it_becomes() {
    let gzip = |bytes: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes.as_bytes()).expect("in memory");
        encoder.finish().expect("in memory")
    };
    // One member after the other, as gzip allows.
    let entries = gzip(&"{\"a\":0},".repeat(MEGABYTE / 8));
    let body =
        [gzip("{\"Response\":{\"RequestId\":\"r\",\"Set\":["), entries.repeat(40), gzip("{}]}}")].concat();
    assert!(body.len() < MEGABYTE);
    let vendor = vendor(reply("Content-Encoding: gzip\r\n", &body));
    const LIMIT: usize = 128 * MEGABYTE;
    let served = gateway(vendor, "", "decompression_ratio = 1000\nmemory = \"128 MiB\"");
    let asked: Vec<TcpStream> = (0..4).map(|_| ask(&served)).collect();
    for stream in asked {
        let answer = rest(stream);
        let text = String::from_utf8_lossy(&answer[..answer.len().min(4096)]).into_owned();
        assert!(text.starts_with("HTTP/1.1 200 ") || text.contains("onevelope-outcome: "), "{text}");
    }
    assert!(most(&served) < LIMIT + LIMIT / 4, "{} bytes", most(&served));
}

#[test]
fn a_form_of_very_many_parameters_takes_little_more_than_itself() {
    let vendor = vendor(reply("", b"{}"));
    let served = gateway(vendor, "", "");
    let form = format!("Action=StopInstances&Version=2017-03-12&a=%41{}", "&a=".repeat(2_600_000));
    let mut stream = TcpStream::connect(&served.address).expect("a connection");
    let head = "POST / HTTP/1.1\r\nHost: cvm.tencentcloudapi.com\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    write!(stream, "{head}Content-Length: {}\r\n\r\n{form}", form.len()).expect("sent");
    let answer = String::from_utf8(rest(stream)).expect("text");
    // Over a limit: it goes through, and nothing is claimed.
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("onevelope-outcome: unknown"), "{answer}");
    assert!(most(&served) < 160 * MEGABYTE, "{} bytes", most(&served));
}
