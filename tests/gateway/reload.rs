//! A new configuration, all or nothing: a bad file is refused and the last good one serves on.

use std::path::{Path, PathBuf};

use crate::support::batches::{detail, failed_servers, reset, stop};
use crate::support::{Call, Gate, Gateway, Reply, Route, Step, Vendor, folder, until};

const PORTS: &str = "[listen]\naddress = \"127.0.0.1:0\"\n[admin]\naddress = \"127.0.0.1:0\"\n";

fn file(name: &str, text: &str) -> PathBuf {
    let file = folder(name).join("onevelope.toml");
    write(&file, text);
    file
}

fn write(file: &Path, text: &str) {
    std::fs::write(file, format!("{text}{PORTS}")).expect("written");
}

async fn vendors() -> [Vendor; 2] {
    [Vendor::replying(Reply::json("\"one\"")).await, Vendor::replying(Reply::json("\"two\"")).await]
}

async fn get(gateway: &Gateway) -> String {
    Call::new("GET", "/x").header("Host", "x").send(gateway.address).await.text()
}

#[tokio::test]
async fn a_good_file_takes_force_and_both_hashes_follow() {
    let [one, two] = vendors().await;
    let file = file("reload-good", &Route::of("huawei").to(&one));
    let gateway = Gateway::start_file(&file).await;
    let before = gateway.ask("/api/config").await.json();
    assert_eq!((before["in_force"].as_str(), &before["refused"]), (before["last_read"].as_str(), &().into()));
    assert_eq!(get(&gateway).await, "\"one\"");

    write(&file, &Route::of("huawei").to(&two));
    gateway.admin.reloader.reload();
    assert_eq!(get(&gateway).await, "\"two\"");
    let after = gateway.ask("/api/config").await.json();
    assert_eq!(after["in_force"], after["last_read"]);
    assert_ne!(after["in_force"], before["in_force"]);
    assert_eq!(after["config"]["upstreams"]["u"]["url"], two.url());
}

#[tokio::test]
async fn a_bad_file_is_refused_and_the_last_good_one_serves_on() {
    let [one, two] = vendors().await;
    let file = file("reload-bad", &Route::of("huawei").to(&one));
    let gateway = Gateway::start_file(&file).await;
    let before = gateway.ask("/api/config").await.json();

    write(&file, &Route::of("huawei").with("mood = \"envelope\"").to(&two));
    gateway.admin.reloader.reload();
    assert_eq!(get(&gateway).await, "\"one\"");
    let told = gateway.ask("/api/config").await.json();
    assert_eq!(told["in_force"], before["in_force"]);
    assert_ne!(told["last_read"], before["in_force"], "both hashes are told");
    let refused = told["refused"].as_str().expect("why");
    assert!(refused.contains(&format!("{}:4:1: unknown key `mood`", file.display())), "{refused}");
    assert_eq!(told["config"]["upstreams"]["u"]["url"], one.url());
    assert_eq!(gateway.metrics().await.sum("onevelope_config_last_reload_successful", &[]), 0.0);
    assert_eq!(gateway.ask("/readyz").await.status, 200, "it serves");

    std::fs::remove_file(&file).expect("removed");
    gateway.admin.reloader.reload();
    assert_eq!(get(&gateway).await, "\"one\"");

    write(&file, &Route::of("huawei").to(&two));
    gateway.admin.reloader.reload();
    assert_eq!(get(&gateway).await, "\"two\"");
    assert_eq!(gateway.metrics().await.sum("onevelope_config_last_reload_successful", &[]), 1.0);
    assert_eq!(gateway.ask("/api/config").await.json()["refused"], serde_json::Value::Null);
}

#[tokio::test]
async fn what_is_under_way_ends_under_the_configuration_it_began_with() {
    use crate::support::{Gate, Step};
    let gate = Gate::default();
    let script = [vec![Step::Wait(gate.clone())], failed_servers(&[("b", "Ecs.0614")]).script()].concat();
    let vendor = Vendor::scripted(script).await;
    let file = file("reload-under-way", &Route::of("huawei").to(&vendor));
    let gateway = Gateway::start_file(&file).await;
    let mut wire = reset(&["a", "b"]).open(gateway.address).await;
    vendor.got(1).await;
    write(&file, &Route::of("huawei").with("mode = \"passthrough\"").to(&vendor));
    gateway.admin.reloader.reload();
    gate.open(2);
    assert_eq!(wire.answer().await.outcomes(), ["succeeded", "failed"]);
    assert!(
        !reset(&["a", "b"]).send(gateway.address).await.has("onevelope-outcome"),
        "the next one is passed through"
    );
}

#[tokio::test]
async fn counters_outlive_a_reload() {
    let vendor = Vendor::replying(failed_servers(&[("b", "Ecs.0614")])).await;
    let file = file("reload-counters", &Route::of("huawei").to(&vendor));
    let gateway = Gateway::start_file(&file).await;
    for _ in 0..2 {
        reset(&["a", "b"]).send(gateway.address).await;
        gateway.admin.reloader.reload();
    }
    let metrics = gateway.metrics().await;
    assert_eq!(metrics.sum("onevelope_resource_results_total", &[]), 4.0);
    assert_eq!(metrics.sum("onevelope_requests_total", &[]), 2.0);
}

#[tokio::test]
async fn a_changed_file_is_noticed_by_itself() {
    let [one, two] = vendors().await;
    let file = file("reload-watch", &Route::of("huawei").to(&one));
    let gateway = Gateway::start_file(&file).await;
    assert_eq!(get(&gateway).await, "\"one\"");
    // As Kubernetes does it: another file takes the name.
    let fresh = file.with_extension("new");
    write(&fresh, &Route::of("huawei").to(&two));
    std::fs::rename(&fresh, &file).expect("renamed");
    until("the new file to take force", async || get(&gateway).await == "\"two\"").await;
}

#[tokio::test]
async fn a_user_profile_is_read_again_too() {
    let vendor = Vendor::replying(Reply::json(r#"{"things":[{"name":"a"}]}"#)).await;
    let profiles = folder("reload-profiles");
    std::fs::create_dir_all(profiles.join("acme")).expect("a folder");
    let profile = |outcome: &str| {
        let text = format!(
            "source = \"made for this test\"\nstatus = \"guessed\"\n\
             [[actions]]\nname = \"StopThings\"\nmethod = \"POST\"\npath = \"/things/stop\"\nids = [\"/things/*\"]\n\
             asynchronous = false\n\
             [[reply.entries]]\neach = [\"/things\"]\nid = [\"/name\"]\noutcome = {outcome:?}\n"
        );
        std::fs::write(profiles.join("acme/things.toml"), text).expect("written");
    };
    profile("failed");
    let vendor_file =
        "source = \"made for this test\"\nhosts = [\"{service}.acme.example\"]\nerrors = \"/error\"\n";
    std::fs::write(profiles.join("acme/vendor.toml"), vendor_file).expect("written");
    let tables = format!("[profiles]\ndirectory = {profiles:?}");
    let file = file("reload-profile", &Route::of("acme").and(&tables).to(&vendor));
    let gateway = Gateway::start_file(&file).await;
    let call =
        Call::new("POST", "/things/stop").header("Host", "x").header("Content-Type", "application/json");
    let call = call.body(r#"{"things":["a"]}"#);
    assert_eq!(call.send(gateway.address).await.outcomes(), ["failed"]);
    profile("accepted");
    until("the profile to be read again", async || {
        call.send(gateway.address).await.outcomes() == ["accepted"]
    })
    .await;
    profile("better");
    let state = async || gateway.ask("/api/config").await.json();
    until("the bad profile to be refused", async || state().await["refused"].is_string()).await;
    assert_eq!(call.send(gateway.address).await.outcomes(), ["accepted"], "the last good one serves on");
}

#[tokio::test]
async fn secrets_are_not_shown() {
    let vendor = Vendor::replying(Reply::json("{}")).await;
    let traces = format!("[traces]\nendpoint = \"http://user:s3cret@{}/base\"", vendor.address);
    let gateway = Gateway::before(&vendor, Route::of("huawei").and(&traces)).await;
    let text = gateway.ask("/api/config").await.text();
    assert!(!text.contains("s3cret") && !text.contains("user:"), "{text}");
    assert!(text.contains(&format!("***@{}/base", vendor.address)), "{text}");
}

#[tokio::test]
async fn what_bounds_all_calls_bounds_those_of_before_and_after_together() {
    let gate = Gate::default();
    let held = gate.clone();
    let vendor = Vendor::answering(None, move |heard| match heard.line().contains("=held&") {
        true => [vec![Step::Wait(held.clone())], detail(&[("held", 0)]).script()].concat(),
        false => detail(&[("a", 0)]).script(),
    })
    .await;
    let places = |count: usize| {
        let upstream = format!("max_concurrent = {count}\nmax_queued = 0");
        Route::of("tencent").upstream(&upstream).to(&vendor)
    };
    let file = file("reload-places", &places(1));
    let gateway = Gateway::start_file(&file).await;
    let mut first = stop(&["held"]).open(gateway.address).await;
    vendor.got(1).await;
    for _ in 0..3 {
        gateway.admin.reloader.reload();
        // The only place is taken still, whatever configuration it was given out under.
        assert_eq!(stop(&["a"]).send(gateway.address).await.status, 503);
    }
    write(&file, &places(2));
    gateway.admin.reloader.reload();
    assert_eq!(stop(&["a"]).send(gateway.address).await.outcomes(), ["accepted"], "one more");
    write(&file, &places(1));
    gateway.admin.reloader.reload();
    assert_eq!(stop(&["a"]).send(gateway.address).await.status, 503);
    gate.open(1);
    assert_eq!(first.answer().await.outcomes(), ["accepted"]);
    assert_eq!(stop(&["a"]).send(gateway.address).await.outcomes(), ["accepted"]);
}
