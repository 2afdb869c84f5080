//! Resource ids as label values: bounded in length, free of what breaks a line.

/// Longest id shown whole, in bytes.
const LONGEST: usize = 128;

/// An id as a label value; a longer one keeps its head and gets a fingerprint, so that two stay two.
pub(super) fn label(id: &str) -> String {
    if id.len() <= LONGEST {
        return id.to_owned();
    }
    use std::hash::BuildHasher;
    let fingerprint = foldhash::fast::FixedState::default().hash_one(id);
    let mut cut = LONGEST - 20;
    while !id.is_char_boundary(cut) {
        cut -= 1;
    }
    format!("{}…{fingerprint:016x}", &id[..cut])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ids_are_cut_and_stay_apart() {
        let (a, b) = ("é".repeat(50_000) + "a", "é".repeat(50_000) + "b");
        assert!(label(&a).len() <= LONGEST && label(&a) != label(&b));
        assert_eq!(label("i-1\n\""), "i-1\n\"");
    }
}
