//! GatewayError → reply; the single place. `application/problem+json` (RFC 9457).

use std::time::Duration;

use http::{HeaderValue, Response, StatusCode, header};

use super::GatewayError;
use crate::body::Body;

/// The answer for a request that got no reply.
pub(super) fn rescue(error: &GatewayError, request_id: &str) -> Response<Body> {
    let mut problem = serde_json::json!({
        "type": format!("urn:onevelope:{}", error.reason()),
        "title": error.to_string(),
        "status": error.status(),
        "request_id": request_id,
    });
    if let Some(mend) = error.mend() {
        problem["detail"] = mend.into();
    }
    let mut response = Response::new(Body::full(problem.to_string()));
    *response.status_mut() = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_GATEWAY);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if let GatewayError::Call(cause) = error
        && let Some(wait) = cause.retry_after()
    {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds(wait)));
    }
    if error.closes() {
        // HTTP/2 has no such field, and hyper takes it out there.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("onevelope-request-id", id);
    }
    response
}

/// Whole seconds for `Retry-After`, which knows no others: at least one, since 0 would mean at once.
pub(super) fn seconds(wait: Duration) -> u64 {
    (wait.as_millis().div_ceil(1000) as u64).max(1)
}
