//! Tables in Markdown, printed row by row as they become known, and figures with their spread.

use crate::support::clock::{median, quantile, sorted};
use crate::support::table::{number, say};

/// Columns of a table, wide enough for what usually stands in them.
#[derive(Debug)]
pub struct Table {
    widths: Vec<usize>,
}

impl Table {
    pub fn new(title: &str, head: &[String]) -> Self {
        let table = Self { widths: head.iter().map(|cell| cell.chars().count()).collect() };
        say(&format!("\n{title}\n"));
        table.row(head);
        say(&format!("|{}", "---|".repeat(head.len())));
        table
    }

    pub fn row(&self, cells: &[String]) {
        let cells = cells.iter().zip(&self.widths).map(|(cell, &width)| format!(" {cell:<width$} |"));
        say(&format!("|{}", cells.collect::<String>()));
    }
}

/// `1.35 (1.31 … 1.40)`: median, least and most of the rounds' ratios.
pub fn ratio(of: &[f64], to: &[f64]) -> String {
    let ratios = sorted(of.iter().zip(to).map(|(of, to)| of / to));
    let at = |part| number(quantile(&ratios, part));
    format!("{} ({} … {})", at(0.5), at(0.0), at(1.0))
}

pub fn middle(values: &[f64]) -> String {
    number(median(values.iter().copied()))
}

pub fn mebibytes(bytes: usize) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}
