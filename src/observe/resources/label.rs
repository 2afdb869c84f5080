//! Resource ids as label values: bounded in length, free of what breaks a line.

use std::borrow::Cow;

/// Longest id shown whole, in bytes.
const LONGEST: usize = 128;

/// An id as a label value; a longer one keeps its head and gets a fingerprint, so that two stay two.
pub(super) fn label(id: Cow<'_, str>) -> Cow<'_, str> {
    if id.len() <= LONGEST {
        return id;
    }
    use std::hash::BuildHasher;
    let fingerprint = foldhash::fast::FixedState::default().hash_one(&*id);
    let mut cut = LONGEST - 20;
    while !id.is_char_boundary(cut) {
        cut -= 1;
    }
    format!("{}…{fingerprint:016x}", &id[..cut]).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ids_are_cut_and_stay_apart() {
        let (a, b) = ("é".repeat(50_000) + "a", "é".repeat(50_000) + "b");
        let label = |id: &str| label(id.into()).into_owned();
        assert!(label(&a).len() <= LONGEST && label(&a) != label(&b));
        assert_eq!(label("i-1\n\""), "i-1\n\"");
    }
}
