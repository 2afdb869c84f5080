//! GraphQL requests (GraphQL over HTTP): `query`, `operationName`, and what may stand in place of the text.

use crate::decode::{Document, Pointer, Value, changes, response_keys};

/// Members that stand for a text that only the server has: an operation that was stored there.
const STORED: [&str; 3] = ["documentId", "doc_id", "queryId"];

/// Whether a request may change something: its operation is a mutation, or nobody here can say that it is none.
pub(super) fn mutates(request: Value<'_>) -> bool {
    // A member may stand twice, and nobody knows which of them counts.
    let texts = |name: &'static str| {
        let members = request.members().filter(move |(key, _)| key.is(name));
        members
            .filter_map(|(_, value)| value.scalar())
            .map(|text| text.decode())
            .filter(|text| !text.is_empty())
    };
    if texts("query").next().is_none() {
        let hash = request.get("extensions").and_then(|inner| inner.get("persistedQuery"));
        return hash.is_some() || STORED.iter().any(|name| texts(name).next().is_some());
    }
    let names =
        || texts("operationName").map(Some).chain(texts("operationName").next().is_none().then_some(None));
    texts("query").any(|query| names().any(|name| changes(&query, name.as_deref())))
}

/// What the GraphQL document at a place asks for; `operationName` beside it says which of several operations is meant.
pub(super) fn fields(pointer: &Pointer, body: &Document<'_>) -> Option<Vec<String>> {
    let root = body.root();
    let text = pointer.first(root)?.scalar()?;
    let request = pointer.parent()?.first(root)?;
    let operation = request.get("operationName").and_then(Value::scalar).map(|name| name.decode());
    response_keys(&text.decode(), operation.as_deref().filter(|name| !name.is_empty()))
}
