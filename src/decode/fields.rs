//! The fields that a GraphQL document asks its server to answer, by the names they are answered under.
//!
//! Format: GraphQL (October 2021), 2.2 and 2.5. A mutation's top-level fields run one after the other; the reply's `data` has a
//! member for each, named by its alias, else by the field.

use std::collections::{HashMap, HashSet};

use graphql_parser::query::{Definition, OperationDefinition, Selection, SelectionSet, Value, parse_query};

/// The response keys of an operation's top-level fields, in order, each once. Nothing where the text cannot be read, or holds
/// several operations and `operation` names none of them.
pub fn response_keys(text: &str, operation: Option<&str>) -> Option<Vec<String>> {
    let document = parse_query::<&str>(text).ok()?;
    let operations = document.definitions.iter().filter_map(|definition| match definition {
        Definition::Operation(operation) => Some(named(operation)),
        Definition::Fragment(_) => None,
    });
    let mut fitting = operations.filter(|(name, _)| operation.is_none() || *name == operation);
    let (_, selections) = fitting.next()?;
    if fitting.next().is_some() {
        return None;
    }
    let fragments = document.definitions.iter().filter_map(|definition| match definition {
        Definition::Fragment(fragment) => Some((fragment.name, &fragment.selection_set)),
        Definition::Operation(_) => None,
    });
    let mut asked = Asked { fragments: HashMap::new(), ..Asked::default() };
    for (name, selections) in fragments {
        asked.fragments.entry(name).or_insert((selections, Spread::NotYet));
    }
    asked.collect(selections, 0)?;
    Some(asked.keys)
}

/// Whether a document's operation is a mutation; where `operation` names none of several, whether any is. What cannot be read
/// is one where it says so anywhere.
pub fn changes(text: &str, operation: Option<&str>) -> bool {
    let Ok(document) = parse_query::<&str>(text) else { return text.contains("mutation") };
    let mutations = document.definitions.iter().filter_map(|definition| match definition {
        Definition::Operation(OperationDefinition::Mutation(mutation)) => Some(mutation.name),
        _ => None,
    });
    let names = document.definitions.iter().filter_map(|definition| match definition {
        Definition::Operation(operation) => Some(named(operation).0),
        Definition::Fragment(_) => None,
    });
    let known = operation.filter(|operation| names.clone().any(|name| name == Some(operation)));
    mutations.clone().any(|name| known.is_none() || name == known)
}

fn named<'o, 'a>(
    operation: &'o OperationDefinition<'a, &'a str>,
) -> (Option<&'a str>, &'o SelectionSet<'a, &'a str>) {
    match operation {
        OperationDefinition::SelectionSet(selections) => (None, selections),
        OperationDefinition::Query(query) => (query.name, &query.selection_set),
        OperationDefinition::Mutation(mutation) => (mutation.name, &mutation.selection_set),
        OperationDefinition::Subscription(subscription) => (subscription.name, &subscription.selection_set),
    }
}

/// Fragments may spread others; more than a few deep, they spread themselves.
const DEEPEST: usize = 16;

/// How far a fragment was opened. One that was collected has no more to say, however often it is spread.
#[derive(Clone, Copy, PartialEq)]
enum Spread {
    NotYet,
    Open,
    Done,
}

/// What is asked, as it is collected.
#[derive(Default)]
struct Asked<'o, 'a> {
    fragments: HashMap<&'a str, (&'o SelectionSet<'a, &'a str>, Spread)>,
    keys: Vec<String>,
    seen: HashSet<&'a str>,
}

impl<'o, 'a> Asked<'o, 'a> {
    /// Nothing where fragments spread themselves, or one is not there.
    fn collect(&mut self, selections: &'o SelectionSet<'a, &'a str>, depth: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        for selection in selections.items.iter().filter(|selection| !is_left_out(selection)) {
            match selection {
                Selection::Field(field) => {
                    let key = field.alias.unwrap_or(field.name);
                    if self.seen.insert(key) {
                        self.keys.push(key.to_owned());
                    }
                }
                Selection::InlineFragment(inline) => self.collect(&inline.selection_set, depth + 1)?,
                Selection::FragmentSpread(spread) => self.spread(spread.fragment_name, depth + 1)?,
            }
        }
        Some(())
    }

    fn spread(&mut self, name: &'a str, depth: usize) -> Option<()> {
        let (selections, state) = self.fragments.get_mut(name)?;
        let selections = *selections;
        match state {
            Spread::Open => return None,
            Spread::Done => return Some(()),
            Spread::NotYet => *state = Spread::Open,
        }
        self.collect(selections, depth)?;
        self.fragments.insert(name, (selections, Spread::Done));
        Some(())
    }
}

/// Whether a literal says that a selection is not executed (3.13.1, 3.13.2); a variable may say anything.
fn is_left_out<'a>(selection: &Selection<'a, &'a str>) -> bool {
    let directives = match selection {
        Selection::Field(field) => &field.directives,
        Selection::InlineFragment(inline) => &inline.directives,
        Selection::FragmentSpread(spread) => &spread.directives,
    };
    directives.iter().any(|directive| {
        let says = |is| {
            directive.arguments.iter().any(|(name, value)| *name == "if" && *value == Value::Boolean(is))
        };
        (directive.name == "skip" && says(true)) || (directive.name == "include" && says(false))
    })
}

#[cfg(test)]
mod tests {
    use super::response_keys;

    fn keys(text: &str, operation: Option<&str>) -> Option<Vec<String>> {
        response_keys(text, operation)
    }

    #[test]
    fn fields_are_named_by_alias_and_fragments_are_opened() {
        let text =
            "mutation { a: stop(id: 1) { id } stop(id: 2) { id } ...more } fragment more on M { b: go }";
        assert_eq!(keys(text, None).unwrap_or_default(), ["a", "stop", "b"]);
    }

    #[test]
    fn what_a_literal_leaves_out_is_not_asked() {
        let text = "mutation($v: Boolean!) { a @skip(if: true) b @include(if: false) c @skip(if: $v) d @skip(if: false) ... @skip(if: true) { e } }";
        assert_eq!(keys(text, None).unwrap_or_default(), ["c", "d"]);
    }

    #[test]
    fn a_mutation_is_known_however_it_is_spelled() {
        for (text, operation, is) in [
            (",,mutation { a }", None, true),
            ("# mutation\nquery { a }", None, false),
            ("query A { a } mutation B { b }", Some("B"), true),
            ("query A { a } mutation B { b }", Some("A"), false),
            ("query A { a } mutation B { b }", Some("C"), true),
            ("fragment f on M { a } mutation { ...f }", None, true),
            ("mutation {", None, true),
            ("{ mutation }", None, false),
        ] {
            assert_eq!(super::changes(text, operation), is, "{text} {operation:?}");
        }
    }

    #[test]
    fn fragments_that_spread_each_other_many_times_are_opened_once() {
        let fragments: String = (0..14)
            .map(|n| format!("fragment f{n} on M {{ {} }}", format!("...f{} ", n + 1).repeat(8)))
            .collect();
        let text = format!("mutation {{ ...f0 }} {fragments} fragment f14 on M {{ stop }}");
        assert_eq!(keys(&text, None).unwrap_or_default(), ["stop"]);
    }

    #[test]
    fn what_is_not_certain_is_nothing() {
        let two = "mutation A { a } mutation B { b }";
        assert_eq!(keys(two, None), None);
        assert_eq!(keys(two, Some("B")).unwrap_or_default(), ["b"]);
        assert_eq!(keys("mutation { ...nowhere }", None), None);
        assert_eq!(keys("mutation { ...x } fragment x on M { ...x }", None), None);
        assert_eq!(keys("mutation {", None), None);
    }
}
