//! Text and environment → [`Config`], or every problem at once.

use std::path::Path;

use super::problem::line_column;
use super::{Config, Problem, Problems, check};
use crate::profile::ProfileSet;

/// Most problems told of one file: more is one problem repeated.
const MOST: usize = 50;

/// Reads a configuration file and the environment, and checks both against the profiles they name.
///
/// # Errors
/// [`Problems`]: each with file, line, column and how to mend it.
pub fn load(path: &Path) -> Result<(Config, ProfileSet), Problems> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|cause| {
        Problems(vec![Problem { file: file.clone(), at: None, what: format!("cannot be read: {cause}") }])
    })?;
    load_text(&file, &text)
}

/// The same for a text.
///
/// # Errors
/// As [`load`].
pub fn load_text(file: &str, text: &str) -> Result<(Config, ProfileSet), Problems> {
    let (mut problems, readable) = typed_problems(file, text);
    if !problems.is_empty() {
        problems.extend(remaining_problems(file, &readable, &problems));
        problems.sort_by_key(|problem| problem.at);
        return Err(Problems(problems));
    }
    let config = layered(text)
        .map_err(|what| Problems(vec![Problem { file: "environment".to_owned(), at: None, what }]))?;
    let routed: Option<Vec<&str>> = config.routes.values().map(|route| route.vendor.as_deref()).collect();
    let profiles = match crate::profile::load_vendors(config.profiles.directory.as_deref(), routed.as_deref())
    {
        Ok(profiles) => profiles,
        Err(cause) => {
            // Each line already names its own file.
            problems.extend(cause.0.into_iter().map(|line| {
                let (file, what) = line.split_once(": ").unwrap_or(("profiles", line.as_str()));
                Problem { file: file.to_owned(), at: None, what: what.to_owned() }
            }));
            return Err(Problems(problems));
        }
    };
    problems.extend(check::check(&config, &profiles, file, text));
    if problems.is_empty() { Ok((config, profiles)) } else { Err(Problems(problems)) }
}

/// Everything the types refuse. `toml` stops at the first; the offending lines are blanked and the rest is read again.
fn typed_problems(file: &str, text: &str) -> (Vec<Problem>, String) {
    let mut problems = Vec::new();
    let mut remaining = text.to_owned();
    while problems.len() < MOST {
        let Err(cause) = toml::from_str::<Config>(&remaining) else { break };
        let span = cause.span().unwrap_or(0..0);
        let what = mend(cause.message());
        problems.push(Problem { file: file.to_owned(), at: Some(line_column(text, span.start)), what });
        // Text that is no TOML at all says nothing about what follows.
        if toml::de::DeTable::parse(&remaining).is_err() || !blank(&mut remaining, span.start) {
            break;
        }
    }
    (problems, remaining)
}

/// What is wrong besides, in tables that could be read as a whole: elsewhere a blanked line would be missed.
fn remaining_problems(file: &str, readable: &str, known: &[Problem]) -> Vec<Problem> {
    let Ok(config) = toml::from_str::<Config>(readable) else { return Vec::new() };
    let Ok(profiles) = crate::profile::load_vendors(config.profiles.directory.as_deref(), Some(&[])) else {
        return Vec::new();
    };
    let table = |at: Option<(usize, usize)>| {
        let lines: Vec<&str> = readable.lines().take(at.map_or(0, |(line, _)| line)).collect();
        lines.iter().rposition(|line| line.trim_start().starts_with('['))
    };
    let blanked: Vec<Option<usize>> = known.iter().map(|problem| table(problem.at)).collect();
    let found = check::check(&config, &profiles, file, readable);
    found
        .into_iter()
        .filter(|problem| !blanked.contains(&table(problem.at)) && !problem.what.starts_with("no route uses"))
        .collect()
}

/// Says how to mend what `serde` found.
fn mend(message: &str) -> String {
    let message = message.trim().replace('\n', " ");
    let Some(rest) = message.strip_prefix("unknown field `") else { return message };
    let Some((name, known)) = rest.split_once('`') else { return message };
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    match nearest(name, &known) {
        Some(near) => {
            format!("unknown key `{name}`; did you mean `{near}`? Known here: {}", known.join(", "))
        }
        None => format!("unknown key `{name}`; known here: {}", known.join(", ")),
    }
}

/// The known word most like the given one, if any is.
fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let shared = |a: &str, b: &str| {
        let mut rest: Vec<char> = b.chars().collect();
        a.chars().filter(|c| rest.iter().position(|r| r == c).map(|at| rest.remove(at)).is_some()).count()
    };
    known
        .iter()
        .map(|k| (2 * shared(word, k) * 100 / (word.len() + k.len()).max(1), *k))
        .filter(|(likeness, _)| *likeness >= 75)
        .max_by_key(|(likeness, _)| *likeness)
        .map(|(_, k)| k)
}

/// Blanks the line at an offset; of a table's header, the whole table. False when there was nothing to blank.
fn blank(text: &mut String, offset: usize) -> bool {
    let start = text[..offset.min(text.len())].rfind('\n').map_or(0, |at| at + 1);
    let mut end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    if text[start..end].trim().is_empty() {
        return false;
    }
    if text[start..end].trim_start().starts_with('[') {
        end = text[end..].find("\n[").map_or(text.len(), |at| end + at);
    }
    let blanked: String = text[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
    text.replace_range(start..end, &blanked);
    true
}

/// A configuration without a file, with the environment over it.
///
/// # Errors
/// What is wrong with the environment.
pub fn with_environment(config: &Config) -> Result<Config, Problems> {
    let problem = |what| Problems(vec![Problem { file: "environment".to_owned(), at: None, what }]);
    let text = toml::to_string(config).map_err(|cause| problem(cause.to_string()))?;
    layered(&text).map_err(problem)
}

/// The file with the environment over it.
fn layered(text: &str) -> Result<Config, String> {
    let environment = config::Environment::with_prefix("ONEVELOPE").prefix_separator("__").separator("__");
    let merged = config::Config::builder()
        .add_source(config::File::from_str(text, config::FileFormat::Toml))
        .add_source(environment)
        .build()
        .map_err(|cause| cause.to_string())?;
    serde_path_to_error::deserialize(merged).map_err(|cause| {
        let path = cause.path().to_string();
        let variable = format!("ONEVELOPE__{}", path.replace('.', "__").to_uppercase());
        format!("{variable}: {}", cause.into_inner())
    })
}
