//! The page: three files, embedded.

use http::{Response, StatusCode};

use super::reply;
use crate::body::Body;

pub(super) fn file(path: &str) -> Option<Response<Body>> {
    let (media_type, text) = match path {
        "/" => ("text/html; charset=utf-8", include_str!("page/index.html")),
        "/page.js" => ("text/javascript; charset=utf-8", include_str!("page/page.js")),
        "/page.css" => ("text/css; charset=utf-8", include_str!("page/page.css")),
        // Browsers ask for it; there is none.
        "/favicon.ico" => return Some(reply(StatusCode::NO_CONTENT, "image/x-icon", "")),
        _ => return None,
    };
    Some(reply(StatusCode::OK, media_type, text))
}
