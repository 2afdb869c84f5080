//! `onevelope check`: every problem at once, each with its place and a way to mend it.

use crate::run::{command, file, finish, run};

/// Lines that the checker said of a configuration's text, without the file's name.
fn problems(text: &str) -> Vec<String> {
    let file = file("onevelope.toml", text);
    let ran = run(&["check", "--config", file.to_str().expect("UTF-8")]);
    assert_eq!((ran.code, ran.out.as_str()), (78, ""), "{}", ran.err);
    let start = format!("{}:", file.display());
    ran.err
        .lines()
        .map(|line| line.strip_prefix(&start).unwrap_or_else(|| panic!("no place: {line}")).to_owned())
        .collect()
}

/// One line begins with the place and holds the words.
fn assert_told(problems: &[String], place: &str, words: &[&str]) {
    let told = problems.iter().find(|problem| problem.starts_with(&format!("{place}: ")));
    let told = told.unwrap_or_else(|| panic!("nothing at {place}: {problems:#?}"));
    for word in words {
        assert!(told.contains(word), "{word:?} in {told:?}");
    }
}

#[test]
fn check_says_what_types_refuse() {
    let problems = problems(
        "[routes.a]\nupstreem = \"u\"\nmode = \"envelop\"\n\n[upstreams.u]\nurl = \"http://x\"\n\
         head_timeout = \"5 parsecs\"\n\n[limits]\nreply_body = \"much\"\nmemry = 1\n",
    );
    assert_told(&problems, "2:1", &["unknown key `upstreem`", "did you mean `upstream`?"]);
    assert_told(&problems, "3:8", &["envelop", "envelope", "observe", "passthrough"]);
    assert_told(&problems, "7:16", &["\"5 parsecs\" is no duration", "write it as \"5s\""]);
    assert_told(&problems, "10:14", &["\"much\" is no size", "\"16 MiB\""]);
    assert_told(&problems, "11:1", &["unknown key `memry`", "did you mean `memory`?"]);
    assert_eq!(problems.len(), 5, "{problems:#?}");
}

#[test]
fn check_says_what_does_not_fit_together() {
    let problems = problems(
        "[routes.a]\nupstream = \"nowhere\"\nvendor = \"acme\"\nprefix = \"x\"\nlistener = \"left\"\nhost = \"{a}.x:80\"\n\n\
         [routes.b]\nupstream = \"u\"\n\n[routes.c]\nupstream = \"u\"\n\n\
         [upstreams.u]\nurl = \"ftp://x\"\nmax_concurrent = 0\nca = \"/no/such/file\"\n\n\
         [upstreams.idle]\nurl = \"https://{region}.example\"\n",
    );
    assert_told(&problems, "2:1", &["no [upstreams.nowhere]", "there are: idle, u"]);
    assert_told(&problems, "3:1", &["no profiles for vendor \"acme\"", "huawei", "tencent"]);
    assert_told(&problems, "4:1", &["must begin with `/`"]);
    assert_told(&problems, "5:1", &["no [listen.left]"]);
    assert_told(&problems, "6:1", &["is no host"]);
    assert_told(&problems, "11:9", &["the same host, prefix and listener as [routes.b]"]);
    assert_told(&problems, "15:1", &["ftp://x", "write it as \"https://host[:port][/base]\""]);
    assert_told(&problems, "16:1", &["max_concurrent must be from 1"]);
    assert_told(&problems, "17:1", &["no file /no/such/file"]);
    assert_told(&problems, "19:12", &["no route uses upstreams.idle"]);
    assert_eq!(problems.len(), 10, "{problems:#?}");
}

#[test]
fn limits_have_two_ends() {
    let problems = problems(
        "[routes.a]\nupstream = \"u\"\n\n[upstreams.u]\nurl = \"http://x\"\nhead_timeout = \"0s\"\n\n[limits]\n\
         decoded_body = \"8 GiB\"\nreply_body = \"256 MiB\"\njson_depth = 100000000\nitems = 0\nenvelope = 1024\n\
         request_body = \"255 MiB\"\nmemory = 0\nwrite_timeout = \"0s\"\nidle_timeout = \"2 days\"\n",
    );
    assert_told(&problems, "6:1", &["upstreams.u", "head_timeout", "write it as \"60s\""]);
    assert_told(&problems, "9:1", &["limits.decoded_body", "to 256 MiB", "decoded_body = \"64 MiB\""]);
    assert_told(&problems, "10:1", &["limits.reply_body", "less one byte"]);
    assert_told(&problems, "11:1", &["limits.json_depth must be from 1 to 512"]);
    assert_told(&problems, "12:1", &["limits.items must be from 1", "items = 250_000"]);
    assert_told(&problems, "13:1", &["limits.envelope must be from 64 KiB to 4 GiB"]);
    assert_told(&problems, "15:1", &["limits.memory"]);
    assert_told(&problems, "16:1", &["limits.write_timeout must be from 10ms", "write_timeout = \"60s\""]);
    assert_told(&problems, "17:1", &["limits.idle_timeout", "to 24h"]);
    assert_eq!(problems.len(), 9, "{problems:#?}");
}

#[test]
fn check_says_every_problem_at_once_whatever_its_kind() {
    let problems = problems(
        "[routes.a]\nupstream = \"nowhere\"\n\n[routes.b]\nupstream = \"u\"\n\n\
         [upstreams.u]\nurl = \"http://x\"\nhead_timeout = \"5 parsecs\"\n",
    );
    assert_told(&problems, "9:16", &["is no duration"]);
    assert_told(&problems, "2:1", &["no [upstreams.nowhere]"]);
}

#[test]
fn a_capture_that_the_host_does_not_have_is_a_problem() {
    let text = "[routes.a]\nhost = \"ecs.{region}.x\"\nupstream = \"u\"\n[upstreams.u]\nurl = \"https://{zone}.y\"\n";
    assert_told(&problems(text), "2:1", &["{zone}"]);
}

#[test]
fn text_that_is_no_toml_is_told_with_its_place() {
    assert_told(&problems("[routes.a\n"), "1:10", &[]);
}

#[test]
fn problems_of_user_profiles_are_told_with_their_own_file() {
    let profiles = crate::run::folder();
    std::fs::create_dir_all(profiles.join("acme")).expect("a folder");
    std::fs::write(profiles.join("acme/vendor.toml"), "source = \"x\"\nhosst = []\n").expect("written");
    let text = format!(
        "[routes.a]\nupstream = \"u\"\nvendor = \"acme\"\n[upstreams.u]\nurl = \"https://x\"\n[profiles]\ndirectory = {profiles:?}\n"
    );
    let file = file("onevelope.toml", &text);
    let ran = run(&["check", "--config", file.to_str().expect("UTF-8")]);
    assert_eq!(ran.code, 78);
    let place = format!("{}:2:1: ", profiles.join("acme/vendor.toml").display());
    assert!(ran.err.contains(&place) && ran.err.contains("hosst"), "{}", ran.err);
}

#[test]
fn a_good_file_shows_the_routes_it_makes() {
    let ran = run(&["check", "--config", "config/onevelope.toml"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, "ok\n"));
    let route = ran.out.lines().find(|line| line.starts_with("route ")).expect("a route");
    for word in [
        "huawei-ecs",
        "ecs.{region}.myhuaweicloud.com/",
        "huawei",
        "envelope",
        "https://ecs.{region}.myhuaweicloud.com",
    ] {
        assert!(route.contains(word), "{route}");
    }
}

#[test]
fn the_environment_wins_over_the_file_and_its_mistakes_are_named() {
    let check = ["check", "--config", "config/onevelope.toml"];
    let ran = finish(command(&check).env("ONEVELOPE__LISTEN__ADDRESS", "127.0.0.1:4711"), b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("127.0.0.1:4711"), "{}", ran.out);
    let ran = finish(command(&check).env("ONEVELOPE__LIMITS__MEMORY", "much"), b"");
    assert_eq!(ran.code, 78);
    assert!(
        ran.err.starts_with("environment: ONEVELOPE__LIMITS__MEMORY: \"much\" is no size"),
        "{}",
        ran.err
    );
}

#[test]
fn a_missing_file_is_a_problem_of_its_own() {
    let ran = run(&["check", "--config", "/no/such/file.toml"]);
    assert_eq!(ran.code, 78);
    assert!(ran.err.starts_with("/no/such/file.toml: cannot be read: "), "{}", ran.err);
}

#[test]
fn serve_refuses_what_check_refuses() {
    let file = file("onevelope.toml", "[routes.a]\nupstream = \"nowhere\"\n");
    let file = file.to_str().expect("UTF-8");
    let (checked, served) = (run(&["check", "--config", file]), run(&["serve", "--config", file]));
    assert_eq!((served.code, &served.err), (78, &checked.err));
}
