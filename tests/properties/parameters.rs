//! Parameters read straight are what their JSON says, and `Asked` is the list it stands for.

use onevelope::decode::{Bounds, Kind, Scalar, Value, Wire, read, read_parameters};
use onevelope::request::Asked;
use proptest::prelude::*;
use proptest::sample::select;

/// A tree with everything that tells it from another.
fn outline(value: Value<'_>) -> String {
    let text = |text: Scalar<'_>| text.decode().into_owned();
    match value.kind() {
        Kind::Array => format!("{:?}", value.elements().map(outline).collect::<Vec<_>>()),
        Kind::Object => {
            let members = value.members().map(|(key, value)| (text(key), outline(value)));
            format!("{:?}", members.collect::<Vec<_>>())
        }
        kind => format!("{kind:?} {:?}", value.scalar().map(text)),
    }
}

fn alike(form: &str, bounds: Bounds) -> Result<(), TestCaseError> {
    let straight = read_parameters(form.as_bytes(), "", bounds);
    let by_json = read(form.as_bytes(), Wire::Form, "", bounds, false);
    match (straight, by_json) {
        (Ok(straight), Ok((by_json, _))) => {
            prop_assert_eq!(outline(straight.root()), outline(by_json.root()), "{}", form);
            let json = straight.root().json();
            prop_assert_eq!(&*json, by_json.root().raw(), "{}", form);
            prop_assert_eq!(straight.len(), by_json.len(), "{}", form);
        }
        (straight, by_json) => prop_assert_eq!(straight.err(), by_json.err(), "{}", form),
    }
    Ok(())
}

fn name() -> impl Strategy<Value = String> {
    let step = prop_oneof![
        6 => select(vec!["Ids", "a", "b", "E", "member", "é", "xxxxxxéyy", "membe", "1a"]).prop_map(str::to_owned),
        4 => (0..12u8).prop_map(|n| n.to_string()),
        1 => select(vec!["", "01", "+1", "18446744073709551615", "18446744073709551616", " ", "%31"])
            .prop_map(str::to_owned),
    ];
    let steps = prop_oneof![20 => 1..5usize, 1 => 14..19usize];
    steps.prop_flat_map(move |steps| proptest::collection::vec(step.clone(), steps)).prop_map(|s| s.join("."))
}

fn pair() -> impl Strategy<Value = String> {
    let plain = select(vec!["=", "=x", "=i-1", "=é", "=a=b", "=12", "=]}", ""]);
    let coded = select(vec!["=%41", "=a+b", "=[1]", "=[1", "={\"a\":1}", "=\"", "=\\", "=\u{1}"]);
    (name(), prop_oneof![40 => plain, 1 => coded]).prop_map(|(name, value)| name + value)
}

fn bounds() -> impl Strategy<Value = Bounds> {
    prop_oneof![
        4 => Just(Bounds::default()),
        1 => (1..18usize, 1..40usize).prop_map(|(depth, nodes)| Bounds { depth, nodes, ..Bounds::default() }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parameters_read_straight_are_what_their_json_says(
        mut pairs in proptest::collection::vec(pair(), 0..12),
        sorted in any::<bool>(),
        bounds in bounds(),
    ) {
        if sorted {
            // Groups stand together, numbers mostly in order: what is read straight.
            pairs.sort();
        }
        alike(&pairs.join("&"), bounds)?;
    }

    #[test]
    fn lists_as_sdks_write_them_are_read_straight(
        lists in proptest::collection::vec((name(), 0..2u64, 1..6u64, 0..3usize), 1..4),
    ) {
        let mut form = String::from("Action=Stop");
        for (name, from, count, members) in lists {
            for n in from..from + count {
                match members {
                    0 => form += &format!("&{name}.{n}=i-{n}"),
                    1 => form += &format!("&{name}.member.{n}=i-{n}"),
                    _ => form += &format!("&{name}.{n}.Id=i-{n}&{name}.{n}.Tags.1=t&{name}.{n}.Tags.2=u"),
                }
            }
        }
        alike(&form, Bounds::default())?;
    }

    #[test]
    fn asked_items_are_a_list_searched_from_its_front(
        distinct in any::<bool>(),
        pushes in proptest::collection::vec((id(), key()), 0..24),
    ) {
        let mut asked = Asked::new(distinct);
        let mut model = Model { distinct, items: Vec::new(), positions: Vec::new() };
        for (id, key) in &pushes {
            asked.push(*id, *key, None);
            model.push(*id, *key);
        }
        prop_assert_eq!((asked.len(), asked.listed()), (model.items.len(), model.positions.len()));
        for (item, (id, key, index)) in model.items.iter().enumerate() {
            prop_assert_eq!((asked.id(item), asked.key(item), asked.index(item) as usize), (*id, *key, *index));
        }
        for position in 0..=pushes.len() {
            prop_assert_eq!(asked.at_position(position), model.positions.get(position).copied());
        }
        for text in IDS.iter().chain(&KEYS) {
            let (id, key) = (asked.by_id(text), asked.by_key(text));
            let (by_id, by_key) = (model.find(text, |item| item.0), model.find(text, |item| item.1));
            prop_assert_eq!((id.map(|n| n as usize), key.map(|n| n as usize)), (by_id, by_key), "{}", text);
        }
    }
}

#[test]
fn a_name_that_ends_in_member_is_no_prefix_of_others() {
    for form in ["a.1.member=x&a.1.membe5=y", "a.b.member=x&a.b.membe1=y", "a.xxxxxxéyyy.member=1&a.b=2"] {
        alike(form, Bounds::default()).expect("the same tree");
    }
}

const IDS: [&str; 7] = [
    "a",
    "b",
    "A",
    "",
    "0a1b2c3d-46ca-475e-917e-2563e5a8cd19",
    "0A1B2C3D-46CA-475e-917E-2563E5A8CD19",
    "0A1B2C3D_46CA_475E_917E_2563E5A8CD19",
];
const KEYS: [&str; 3] = ["a", "k", "l"];

fn id() -> impl Strategy<Value = Option<&'static str>> {
    proptest::option::weighted(0.8, select(&IDS[..]))
}

fn key() -> impl Strategy<Value = Option<&'static str>> {
    proptest::option::of(select(&KEYS[..]))
}

/// Items as (id, key, first position).
struct Model<'t> {
    distinct: bool,
    items: Vec<(Option<&'t str>, Option<&'t str>, usize)>,
    positions: Vec<usize>,
}

impl<'t> Model<'t> {
    fn push(&mut self, id: Option<&'t str>, key: Option<&'t str>) {
        // Distinct sub-requests are told apart by their key alone; others by their id, where they have one.
        let known = match (self.distinct, id, key) {
            (false, Some(id), _) => self.find(id, |item| item.0),
            (_, _, Some(key)) => self.find(key, |item| item.1),
            (_, _, None) => None,
        };
        self.positions.push(known.unwrap_or(self.items.len()));
        if known.is_none() {
            self.items.push((id, key, self.positions.len() - 1));
        }
    }

    fn find(
        &self,
        text: &str,
        name: impl Fn(&(Option<&'t str>, Option<&'t str>, usize)) -> Option<&'t str>,
    ) -> Option<usize> {
        self.items.iter().position(|item| name(item).is_some_and(|own| same(own, text)))
    }
}

/// Equal, or two spellings of one UUID.
fn same(a: &str, b: &str) -> bool {
    let dashes = |text: &str| text.match_indices('-').map(|(at, _)| at).eq([8, 13, 18, 23]);
    let uuid = a.len() == 36 && dashes(a) && dashes(b);
    a == b || (uuid && a.to_lowercase() == b.to_lowercase())
}
