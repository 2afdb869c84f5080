//! Short texts compared in place. Keys, ids and codes are a few bytes long: a call to `memcmp` for each costs more than
//! the comparison (`cargo bench --bench translate`).

/// Whether two texts are the same.
#[inline]
pub fn same(a: &str, b: &str) -> bool {
    same_bytes(a.as_bytes(), b.as_bytes())
}

#[inline]
pub(super) fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let (heads, rest) = a.as_chunks::<8>();
    let (others, others_rest) = b.as_chunks::<8>();
    heads.iter().zip(others).all(|(x, y)| u64::from_le_bytes(*x) == u64::from_le_bytes(*y))
        && match (a.last_chunk::<8>(), b.last_chunk::<8>()) {
            // The last eight may overlap what was compared.
            (Some(x), Some(y)) => u64::from_le_bytes(*x) == u64::from_le_bytes(*y),
            // Four to seven: two halves that may overlap.
            _ => match (a.first_chunk::<4>(), b.first_chunk::<4>(), a.last_chunk::<4>(), b.last_chunk::<4>())
            {
                (Some(x), Some(y), Some(u), Some(v)) => {
                    u32::from_le_bytes(*x) == u32::from_le_bytes(*y)
                        && u32::from_le_bytes(*u) == u32::from_le_bytes(*v)
                }
                _ => rest.iter().zip(others_rest).all(|(x, y)| x == y),
            },
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_counts_whatever_the_length() {
        for len in 0..40 {
            let text: Vec<u8> = (0..len as u8).map(|b| b + b'0').collect();
            assert!(same_bytes(&text, &text.clone()));
            for at in 0..len {
                let mut other = text.clone();
                other[at] ^= 1;
                assert!(!same_bytes(&text, &other), "byte {at} of {len}");
            }
            assert!(!same_bytes(&text, &[&text[..], b"x"].concat()));
        }
    }
}
