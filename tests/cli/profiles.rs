//! `profiles`: what is known, and whether it holds.

use std::path::Path;

use crate::run::{folder, run};

#[test]
fn list_names_every_profile_and_show_prints_its_file() {
    let ran = run(&["profiles"]);
    assert_eq!((ran.code, &ran.out), (0, &run(&["profiles", "list"]).out));
    for name in ["huawei/ecs-batch", "tencent/async-task", "aws/sqs"] {
        assert!(ran.out.lines().any(|line| line.starts_with(name)), "{name}");
    }
    let ran = run(&["profiles", "show", "huawei/ecs-batch"]);
    let file = std::fs::read_to_string("config/profiles/huawei/ecs-batch.toml").expect("a profile");
    assert_eq!((ran.code, ran.out.trim_end()), (0, file.trim_end()));
    let ran = run(&["profiles", "show", "huawei/no-such"]);
    assert_eq!((ran.code, ran.out.as_str()), (64, ""));
    assert!(ran.err.contains("huawei/no-such"), "{}", ran.err);
}

/// A folder with one case of ours, whose envelope can be changed.
fn one_case() -> std::path::PathBuf {
    let from = Path::new("tests/profiles/huawei/ecs-batch/rename-all-ok");
    let root = folder();
    let to = root.join("huawei/ecs-batch/rename-all-ok");
    std::fs::create_dir_all(&to).expect("a folder");
    for file in ["request.http", "reply.http", "envelope.json", "source.md"] {
        std::fs::copy(from.join(file), to.join(file)).expect("copied");
    }
    root
}

#[test]
fn the_shipped_cases_pass() {
    let ran = run(&["profiles", "test", "--no-adversary"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.ends_with(" passed, 0 failed\n"), "{}", ran.out);
}

#[test]
fn a_case_that_differs_exits_1_and_shows_the_lines() {
    let root = one_case();
    let test = || run(&["profiles", "test", "--no-adversary", root.to_str().expect("UTF-8")]);
    assert_eq!(test().code, 0);
    let golden = root.join("huawei/ecs-batch/rename-all-ok/envelope.json");
    let text = std::fs::read_to_string(&golden).expect("an envelope");
    std::fs::write(&golden, text.replacen("succeeded", "accepted", 1)).expect("written");
    let ran = test();
    assert_eq!(ran.code, 1);
    for word in [
        "FAIL huawei/ecs-batch/rename-all-ok",
        "-   \"outcome\": \"accepted\"",
        "+   \"outcome\": \"succeeded\"",
        "0 passed, 1 failed",
    ] {
        assert!(ran.out.contains(word), "{word}: {}", ran.out);
    }
}

#[test]
fn a_missing_envelope_is_written_and_fails_that_once() {
    let root = one_case();
    let golden = root.join("huawei/ecs-batch/rename-all-ok/envelope.json");
    let before = std::fs::read_to_string(&golden).expect("an envelope");
    std::fs::remove_file(&golden).expect("removed");
    let test = || run(&["profiles", "test", "--no-adversary", root.to_str().expect("UTF-8")]);
    let ran = test();
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("read it, then commit it"), "{}", ran.out);
    assert_eq!(std::fs::read_to_string(&golden).expect("written"), before);
    assert_eq!(test().code, 0);
}

#[test]
fn a_folder_without_cases_is_wrong_usage() {
    assert_eq!(run(&["profiles", "test", folder().to_str().expect("UTF-8")]).code, 64);
    assert_eq!(run(&["profiles", "test", "/no/such/folder"]).code, 64);
}

#[test]
fn only_restricts_the_cases_to_one_profile() {
    let ran = run(&["profiles", "test", "--no-adversary", "--only", "huawei/ecs-batch"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    let all = std::fs::read_dir("tests/profiles/huawei/ecs-batch").expect("cases").count();
    assert_eq!(ran.out, format!("{all} passed, 0 failed\n"));
    let ran = run(&["profiles", "test", "--only", "huawei/no-such"]);
    assert_eq!(ran.code, 64, "{}", ran.err);
}
