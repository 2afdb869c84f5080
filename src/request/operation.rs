//! GraphQL requests (GraphQL over HTTP): `query`, `operationName`, and what may stand in place of the text.

use super::spelling::Reason;
use crate::decode::{Document, Kind, Pointer, Value, changes, response_keys};
use crate::profile::{Action, RequestPlace};

/// Members that stand for a text that only the server has: an operation that was stored there.
const STORED: [&str; 3] = ["documentId", "doc_id", "queryId"];

/// Whether a request may change something: its operation is a mutation, or nobody here can say that it is none. `name` is an
/// operation's that stands elsewhere. A list is a form's parts, of which those named `operations` and `query` count.
pub(super) fn mutates(request: Value<'_>, name: Option<&str>) -> bool {
    if request.kind() == Kind::Array {
        return request.elements().any(|part| part_mutates(part, name));
    }
    // A member may stand twice, or in another case, and nobody knows which of them counts.
    let texts = |name: &'static str| {
        let members = request.members().filter(move |(key, _)| key.is_loosely(name));
        members
            .filter_map(|(_, value)| value.scalar())
            .map(|text| text.decode())
            .filter(|text| !text.is_empty())
    };
    if texts("query").next().is_none() {
        let hash = request.get("extensions").and_then(|inner| inner.get("persistedQuery"));
        let by_id = || texts("id").next().is_some() && request.get("variables").is_some();
        return hash.is_some() || STORED.iter().any(|name| texts(name).next().is_some()) || by_id();
    }
    let own = || texts("operationName").map(Some);
    let names =
        || own().chain(name.map(|name| Some(name.into()))).chain(own().next().is_none().then_some(None));
    texts("query").any(|query| names().any(|name| changes(&query, name.as_deref())))
}

fn part_mutates(part: Value<'_>, name: Option<&str>) -> bool {
    let disposition = part.get("headers").and_then(|headers| headers.get("content-disposition"));
    let Some(disposition) = disposition.and_then(Value::scalar).map(|text| text.decode()) else {
        return false;
    };
    let is = |name: &str| disposition.split([';', '=', '"', ' ']).any(|word| word == name);
    let Some(body) = part.get("body") else { return false };
    match body.scalar() {
        Some(text) if is("query") => changes(&text.decode(), None),
        Some(_) => false,
        None if !is("operations") => false,
        None if body.kind() == Kind::Array => body.elements().any(|request| mutates(request, name)),
        None => mutates(body, name),
    }
}

const BESIDE: Reason = "its URL and its body both say what is to run";
const RUNS: Reason = "it runs once for each element of its variables";

/// Whether the query string holds a mutation.
pub(super) fn url_mutates(query: &Document<'_>) -> bool {
    query.root().get("query").is_some_and(|text| text.scalar().is_some()) && mutates(query.root(), None)
}

/// Why it is not certain what a GraphQL request runs, by what stands beside its text.
pub(super) fn doubt(
    action: &Action,
    body: Option<&Document<'_>>,
    query: Option<&Document<'_>>,
) -> Option<Reason> {
    if !action.selector.places.iter().any(|place| matches!(place, RequestPlace::Operation(_))) {
        return None;
    }
    let body = body?.root();
    let url = query.map(Document::root);
    let named = |name: &str| url.is_some_and(|url| url.get(name).is_some());
    let lists = |request: Value<'_>| request.get("variables").is_some_and(|v| v.kind() == Kind::Array);
    let part = |part: Value<'_>| part.get("body").is_some_and(lists);
    let parts = body.get("parts").is_some_and(|parts| parts.elements().any(part));
    match () {
        () if ["query", "operationName", "variables", "extensions"].iter().any(|name| named(name)) => {
            Some(BESIDE)
        }
        () if lists(body) || body.elements().any(lists) || parts => Some(RUNS),
        () => None,
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
