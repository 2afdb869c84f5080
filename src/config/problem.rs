//! What is wrong with a configuration, and where: `file:line:column: what, and how to mend it`.

use std::fmt;

use toml::de::{DeTable, DeValue};

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// File name, or `environment`.
    pub file: String,
    /// From 1; none where the place is not in a file.
    pub at: Option<(usize, usize)>,
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some((line, column)) => write!(f, "{}:{line}:{column}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

/// Every problem of a configuration, one a line.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Problems(pub Vec<Problem>);

/// Line and column of a byte offset, both from 1.
pub(super) fn line_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line, column)
}

/// Where a key stands in a file; its nearest table where it does not.
pub(super) fn locate(text: &str, path: &[&str]) -> Option<(usize, usize)> {
    let table = DeTable::parse(text).ok()?;
    let mut found = table.span();
    let mut current = table.into_inner();
    for key in path {
        let entry = current.into_iter().find(|(own, _)| own.get_ref() == key);
        let Some((own, value)) = entry else { break };
        found = own.span();
        match value.into_inner() {
            DeValue::Table(inner) => current = inner,
            _ => break,
        }
    }
    Some(line_column(text, found.start))
}
