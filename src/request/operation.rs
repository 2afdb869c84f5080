//! GraphQL requests (GraphQL over HTTP): `query`, `operationName`, and what may stand in place of the text.

use crate::decode::{Document, Pointer, Value, changes, response_keys};

/// Members that stand for a text that only the server has: an operation that was stored there.
const STORED: [&str; 3] = ["documentId", "doc_id", "queryId"];

/// Whether a request may change something: its operation is a mutation, or nobody here can say that it is none.
pub(super) fn mutates(request: Value<'_>) -> bool {
    let text =
        |name: &str| request.get(name)?.scalar().map(|text| text.decode()).filter(|text| !text.is_empty());
    match text("query") {
        Some(query) => changes(&query, text("operationName").as_deref()),
        None => {
            let hash = request.get("extensions").and_then(|inner| inner.get("persistedQuery"));
            hash.is_some() || STORED.iter().any(|name| text(name).is_some())
        }
    }
}

/// What the GraphQL document at a place asks for; `operationName` beside it says which of several operations is meant.
pub(super) fn fields(pointer: &Pointer, body: &Document<'_>) -> Option<Vec<String>> {
    let root = body.root();
    let text = pointer.first(root)?.scalar()?;
    let request = pointer.parent()?.first(root)?;
    let operation = request.get("operationName").and_then(Value::scalar).map(|name| name.decode());
    response_keys(&text.decode(), operation.as_deref().filter(|name| !name.is_empty()))
}
