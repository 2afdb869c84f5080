//! `normalize` and `explain`: two files in, the envelope or the reasons out.

use serde_json::Value;

use crate::run::{Ran, case, command, file, finish, run};

const PARTIAL: &str = "tencent/async-task/partial-5400";
const SLIPS: &str = "tencent/async-task/sample-of-the-page";

fn of_case(verb: &str, name: &str, more: &[&str]) -> Ran {
    let (request, reply) = (case(name, "request.http"), case(name, "reply.http"));
    run(&[&[verb, "--request", &request, "--reply", &reply], more].concat())
}

#[test]
fn the_exit_code_tells_how_the_batch_went() {
    for (name, code) in [
        ("huawei/ecs-batch/rename-all-ok", 0),  // succeeded
        ("huawei/ecs-task/start-accepted", 0),  // accepted
        (PARTIAL, 1),                           // partial
        ("huawei/ecs-task/apigw-throttled", 1), // failed
        ("huawei/ecs-batch/html-502", 1),       // unknown
    ] {
        let ran = of_case("normalize", name, &[]);
        assert_eq!((ran.code, ran.err.as_str()), (code, ""), "{name}");
        let golden = std::fs::read_to_string(case(name, "envelope.json")).expect("an envelope");
        assert_eq!(ran.json(), serde_json::from_str::<Value>(&golden).expect("JSON"), "{name}");
    }
}

#[test]
fn what_is_not_recognised_exits_2_and_says_so() {
    let request = file("request.http", "GET /nobody/knows/this HTTP/1.1\nHost: example.com\n\n");
    let ran = run(&[
        "normalize",
        "--request",
        request.to_str().expect("UTF-8"),
        "--reply",
        &case(PARTIAL, "reply.http"),
    ]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("not recognised: no profile knows GET /nobody/knows/this"), "{}", ran.err);
    // Another vendor's profiles do not count when one is named.
    assert_eq!(of_case("normalize", PARTIAL, &["--vendor", "huawei"]).code, 2);
    assert_eq!(of_case("normalize", PARTIAL, &["--vendor", "tencent"]).code, 1);
    assert_eq!(of_case("normalize", PARTIAL, &["--profile", "tencent/async-task"]).code, 1);
}

#[test]
fn wrong_usage_exits_64() {
    let reply = case(PARTIAL, "reply.http");
    for args in [
        vec![],
        vec!["--reply", reply.as_str()],
        vec!["--request", "/no/such/file", "--reply", &reply],
        vec!["--request", &reply, "--reply", &reply],
        vec!["--ids", "a,b", "--reply", &reply],
        vec!["--bogus"],
    ] {
        let ran = run(&[&["normalize"], &args[..]].concat());
        assert_eq!((ran.code, ran.out.as_str()), (64, ""), "{args:?}: {}", ran.err);
        assert!(!ran.err.is_empty(), "{args:?}");
    }
    assert_eq!(run(&[]).code, 64);
    assert_eq!(run(&["frobnicate"]).code, 64);
}

#[test]
fn standard_input_can_be_either_file() {
    let (request, reply) = (case(PARTIAL, "request.http"), case(PARTIAL, "reply.http"));
    let read = |file: &str| std::fs::read(file).expect("a file");
    let ran = finish(&mut command(&["normalize", "--request", &request, "--reply", "-"]), &read(&reply));
    assert_eq!((ran.code, &ran.json()["outcome"]), (1, &"partial".into()));
    let ran = finish(&mut command(&["normalize", "--request", "-", "--reply", &reply]), &read(&request));
    assert_eq!((ran.code, &ran.json()["outcome"]), (1, &"partial".into()));
}

#[test]
fn ids_can_stand_in_for_the_request_and_a_bare_body_for_the_reply() {
    let body = file("body.json", r#"{"code":5400,"detail":{"a":{"code":0,"requestId":"t"}}}"#);
    let body = body.to_str().expect("UTF-8");
    let ran = run(&["normalize", "--profile", "tencent/async-task", "--ids", "a,b", "--reply", body]);
    let envelope = ran.json();
    assert_eq!(
        (ran.code, &envelope["outcome"], &envelope["summary"]["unknown"]),
        (1, &"partial".into(), &1.into())
    );
    assert_eq!(envelope["results"][1]["id"], "b");
    let ran = run(&["normalize", "--profile", "tencent/no-such", "--ids", "a", "--reply", body]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("tencent/no-such"), "{}", ran.err);
}

#[test]
fn strict_and_raw_are_as_in_the_gateway() {
    let ran = of_case("normalize", SLIPS, &["--strict"]);
    assert_eq!((ran.code, &ran.json()["outcome"]), (1, &"unknown".into()));
    assert!(of_case("normalize", PARTIAL, &["--raw", "never"]).json().get("raw").is_none());
    let good = "huawei/ecs-batch/rename-all-ok";
    assert!(of_case("normalize", good, &["--raw", "always"]).json()["raw"].is_object());
    assert_eq!(of_case("normalize", good, &["--raw", "sometimes"]).code, 64);
}

#[test]
fn explain_tells_who_spoke_and_what_was_repaired() {
    let ran = of_case("explain", PARTIAL, &[]);
    assert_eq!(ran.code, 1);
    for word in [
        "tencent/async-task",
        "StopInstances",
        "Response Format for Asynchronous Task APIs",
        "[[reply.entries]] 1",
        "qcvm6a456b0d8f01d4b2b1f5073d3fb8ccc1",
        "failed/reported",
        "by id",
        "HTTP 207 partial",
    ] {
        assert!(ran.out.contains(word), "{word}: {}", ran.out);
    }
    assert!(!ran.out.contains('\u{1b}'), "no colour where nobody sees it");
    let ran = of_case("explain", SLIPS, &[]);
    assert!(ran.out.contains("json_repaired") && ran.out.contains("stray `:`"), "{}", ran.out);
}

#[test]
fn explain_tells_what_silence_meant() {
    let ran = of_case("explain", "huawei/ecs-batch/reset-password-partial", &[]);
    assert!(ran.out.contains("succeeded/inferred"), "{}", ran.out);
    assert!(!ran.out.contains("Example-Passw0rd"), "a password stays where it was");
}

#[test]
fn explain_for_machines_is_one_object() {
    let ran = of_case("explain", PARTIAL, &["--json"]);
    let told = ran.json();
    assert_eq!(
        (ran.code, &told["profile"], &told["http_status"]),
        (1, &"tencent/async-task".into(), &207.into())
    );
    assert_eq!(told["asked"].as_array().expect("asked").len(), 3);
    assert_eq!(told["envelope"]["outcome"], "partial");
    let rules = told["rules"].as_array().expect("rules");
    assert!(
        rules.iter().any(|rule| rule["rule"] == "[[reply.entries]] 1" && rule["outcome"] == "failed"),
        "{rules:?}"
    );
}
