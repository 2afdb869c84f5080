//! The instructions that `docs/performance.md` says, and whether a tree still keeps to them.

use std::collections::HashMap;

use crate::Failure;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/performance.md");
const SECTION: &str = "\n## Instructions per request\n";

/// How much more than the page says is a rise; several times what two runs of one tree differ by.
const SLACK: f64 = 1.03;

/// Thousands of instructions by call and resources, and what was found worse.
#[derive(Debug)]
pub struct Standing {
    rows: HashMap<(String, usize), f64>,
    worse: Vec<String>,
}

impl Standing {
    /// # Errors
    /// When the page has no such section. A row that it lacks is told by [`Self::verdict`].
    pub fn read() -> Result<Self, Failure> {
        let page = std::fs::read_to_string(PAGE)?;
        let (_, section) = page.split_once(SECTION).ok_or_else(|| format!("no such section in {PAGE}"))?;
        let section = section.split("\n## ").next().unwrap_or_default();
        Ok(Self { rows: section.lines().filter_map(row).collect(), worse: Vec::new() })
    }

    pub fn compare(&mut self, name: &str, n: usize, found: f64) {
        match self.rows.get(&(name.to_owned(), n)) {
            None => self.worse.push(format!("{name}, {n}: no such row on the page")),
            Some(said) if found > said * SLACK => {
                self.worse.push(format!("{name}, {n}: {found:.1} thousand, and not {said:.1}"));
            }
            Some(_) => {}
        }
    }

    /// # Errors
    /// The rows that rose, or that the page lacks.
    pub fn verdict(self) -> Result<(), Failure> {
        if self.worse.is_empty() { Ok(()) } else { Err(self.worse.join("; ").into()) }
    }
}

/// `| call | resources | gateway | …`; nothing for any other line.
fn row(line: &str) -> Option<((String, usize), f64)> {
    let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
    let (name, n, gateway) = (cells.next()?, cells.next()?, cells.next()?);
    Some(((name.to_owned(), n.parse().ok()?), gateway.parse().ok()?))
}
