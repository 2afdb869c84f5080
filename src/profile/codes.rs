//! A vendor's error codes → category and advice.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use super::file::CodesFile;
use super::glob::Glob;
use crate::envelope::{Advice, Category};

/// What a code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    pub category: Category,
    pub advice: Advice,
}

impl Class {
    pub fn of(category: Category) -> Self {
        Self { category, advice: category.advice() }
    }
}

/// Exact codes, then patterns in order. Compared without regard to case: vendors spell one code two ways.
#[derive(Debug, Default)]
pub struct CodeTable {
    exact: HashMap<String, Class>,
    patterns: Vec<(Glob, Class)>,
    /// What was looked up, as it was spelled: vendors send few codes, and there may be hundreds of patterns.
    found: RwLock<HashMap<String, Option<Class>>>,
}

/// Most codes remembered; they come from outside.
const REMEMBERED: usize = 1000;
/// Longest code remembered, in bytes.
const LONGEST: usize = 256;

impl CodeTable {
    pub(super) fn compile(file: &CodesFile) -> Self {
        let mut table = Self::default();
        for (code, class) in &file.codes {
            table.exact.insert(code.to_lowercase(), class_of(class.category, class.advice));
        }
        for row in &file.patterns {
            let class = class_of(row.category, row.advice);
            table.patterns.extend(row.pattern.0.iter().map(|pattern| (Glob::new(pattern), class)));
        }
        table
    }

    /// The class of a code; a bare HTTP status (`404`, `404 Not Found`) means what HTTP says.
    pub fn find(&self, code: &str) -> Option<Class> {
        if let Some(class) = self.found.read().unwrap_or_else(PoisonError::into_inner).get(code) {
            return *class;
        }
        let class = self.look(code);
        if code.len() <= LONGEST {
            let mut found = self.found.write().unwrap_or_else(PoisonError::into_inner);
            // Ids among codes must not keep out the codes that come again and again: those are back at once.
            if found.len() >= REMEMBERED {
                found.clear();
            }
            found.insert(code.to_owned(), class);
        }
        class
    }

    fn look(&self, code: &str) -> Option<Class> {
        let lower = code.to_lowercase();
        if let Some(class) = self.exact.get(&lower) {
            return Some(*class);
        }
        let pattern = self.patterns.iter().find(|(glob, _)| glob.matches(&lower));
        pattern.map(|(_, class)| *class).or_else(|| http_status(code).map(Category::of_status).map(Class::of))
    }

    /// How many codes and patterns there are.
    pub fn len(&self) -> usize {
        self.exact.len() + self.patterns.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn class_of(category: Category, advice: Option<Advice>) -> Class {
    Class { category, advice: advice.unwrap_or_else(|| category.advice()) }
}

/// The failure status a text is or begins with.
pub(crate) fn http_status(text: &str) -> Option<u16> {
    let number = text.split(' ').next()?;
    let status: u16 = number.parse().ok()?;
    (number.len() == 3 && (400..600).contains(&status)).then_some(status)
}
