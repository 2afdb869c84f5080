//! Two batches to ask, and what their vendors may say of them.

use serde_json::{Map, Value, json};

use super::{Call, Reply};

/// Huawei: synchronous; a reply names the failed servers only.
pub fn reset(ids: &[&str]) -> Call {
    let servers: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
    let body = json!({ "new_password": "Not-To-Be-Echoed-1!", "servers": servers });
    Call::new("PUT", "/v1/0605768a/cloudservers/os-reset-passwords")
        .header("Host", "ecs.eu-west-0.myhuaweicloud.com")
        .header("Content-Type", "application/json")
        .body(body.to_string())
}

/// The failed servers, each with its code.
pub fn failed_servers(failed: &[(&str, &str)]) -> Reply {
    let list = failed.iter().map(|(id, code)| json!({ "id": id, "error_code": code, "error_message": "no" }));
    let error = json!({ "code": "Ecs.0611", "message": "Batch operation failed." });
    let body = json!({ "error": error, "internalError": list.collect::<Vec<_>>() });
    Reply::json(body.to_string()).status("400 Bad Request").header("X-Request-Id", "7ca1f9d2")
}

/// Huawei: asynchronous; one job covers all.
pub fn start(ids: &[&str]) -> Call {
    let servers: Vec<Value> = ids.iter().map(|id| json!({ "id": id })).collect();
    Call::new("POST", "/v1/0605768a/cloudservers/action")
        .header("Host", "ecs.eu-west-0.myhuaweicloud.com")
        .header("Content-Type", "application/json")
        .body(json!({ "os-start": { "servers": servers } }).to_string())
}

/// Tencent, second generation: one task for each instance.
pub fn stop(ids: &[&str]) -> Call {
    let list: Vec<String> = ids.iter().enumerate().map(|(n, id)| format!("&instanceIds.{n}={id}")).collect();
    Call::new(
        "GET",
        &format!("/v2/index.php?Action=StopInstances&Region=gz&Nonce=1{}&Signature=A%3D", list.concat()),
    )
    .header("Host", "cvm.api.qcloud.com")
}

/// What each instance was told: 0 is taken on.
pub fn detail(told: &[(&str, u32)]) -> Reply {
    let members: Map<String, Value> = told
        .iter()
        .map(|(id, code)| match code {
            0 => (id.to_string(), json!({ "code": 0, "message": "", "requestId": format!("task-{id}") })),
            _ => (id.to_string(), json!({ "code": code, "message": "(16008)state does not allow stop" })),
        })
        .collect();
    let code = if told.iter().all(|(_, code)| *code == 0) { 0 } else { 5400 };
    Reply::json(json!({ "code": code, "message": "said", "detail": members }).to_string())
}
