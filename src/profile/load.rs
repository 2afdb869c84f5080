//! Profiles from the binary and from a folder: a file of the folder replaces the built-in of the same name.
//!
//! The one module of `profile` that does I/O.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;
use toml::de::DeTable;

use super::compile::Problem;
use super::file::{CodesFile, FamilyFile, VendorFile};
use super::merge::{self, Fault};
use super::spot::{self, line_and_column};
use super::{ProfileSet, builtin, compile};

/// Why profiles could not be loaded: every problem, one a line, as `file: what`.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct LoadError(pub Vec<String>);

/// (vendor, file name) → (where it is from, text).
type Files = BTreeMap<(String, String), (String, Cow<'static, str>)>;

/// Loads the built-in profiles, overlaid by `folder` if given.
///
/// # Errors
/// [`LoadError`] with every problem of every file.
pub fn load(folder: Option<&Path>) -> Result<ProfileSet, LoadError> {
    load_vendors(folder, None)
}

/// The same for some vendors only: a sidecar in front of one cloud need not hold the others'.
///
/// # Errors
/// As [`load`].
pub fn load_vendors(folder: Option<&Path>, wanted: Option<&[&str]>) -> Result<ProfileSet, LoadError> {
    let (mut files, mut problems) = read(folder);
    let mut vendors: Vec<String> = files.keys().map(|(vendor, _)| vendor.clone()).collect();
    vendors.dedup();
    files.retain(|(vendor, _), _| wanted.is_none_or(|wanted| wanted.contains(&vendor.as_str())));
    let mut set = build(&files, &mut problems);
    set.known_vendors = vendors;
    if problems.is_empty() { Ok(set) } else { Err(LoadError(problems)) }
}

/// The text of one family's file.
pub fn source(folder: Option<&Path>, vendor: &str, family: &str) -> Option<String> {
    let (mut files, _) = read(folder);
    files.remove(&(vendor.to_owned(), format!("{family}.toml"))).map(|(_, text)| text.into_owned())
}

fn read(folder: Option<&Path>) -> (Files, Vec<String>) {
    let mut files: Files = builtin::files()
        .into_iter()
        .map(|(vendor, name, text)| {
            let origin = format!("config/profiles/{vendor}/{name}");
            ((vendor, name), (origin, Cow::Borrowed(text)))
        })
        .collect();
    let mut problems = Vec::new();
    if let Some(folder) = folder {
        overlay(&mut files, folder, &mut problems);
    }
    (files, problems)
}

fn overlay(files: &mut Files, folder: &Path, problems: &mut Vec<String>) {
    let entries = |dir: &Path, problems: &mut Vec<String>| match std::fs::read_dir(dir) {
        Ok(entries) => entries.filter_map(Result::ok).map(|e| e.path()).collect(),
        Err(cause) => {
            problems.push(format!("{}: cannot read the folder: {cause}", dir.display()));
            Vec::new()
        }
    };
    for vendor in entries(folder, problems) {
        let Some(vendor_name) = vendor.file_name().map(|n| n.to_string_lossy().into_owned()) else {
            continue;
        };
        if !vendor.is_dir() {
            continue;
        }
        for path in entries(&vendor, problems) {
            let Some(name) = path.file_name().map(|n| n.to_string_lossy().into_owned()) else { continue };
            if !name.ends_with(".toml") {
                continue;
            }
            let origin = path.display().to_string();
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    files.insert((vendor_name.clone(), name), (origin, Cow::Owned(text)));
                }
                Err(cause) => problems.push(format!("{origin}: cannot be read: {cause}")),
            }
        }
    }
}

fn build(files: &Files, problems: &mut Vec<String>) -> ProfileSet {
    let mut set = ProfileSet::default();
    let mut vendors: Vec<&String> = files.keys().map(|(vendor, _)| vendor).collect();
    vendors.dedup();
    for name in vendors {
        let vendor_table = parse(files, name, "vendor.toml", problems);
        let shared: VendorFile =
            vendor_table.clone().and_then(|table| table.read(problems)).unwrap_or_default();
        let codes = parse(files, name, "codes.toml", problems);
        let codes: CodesFile = codes.and_then(|table| table.read(problems)).unwrap_or_default();
        let vendor = match compile::vendor(name, &shared, &codes) {
            Ok(vendor) => vendor,
            Err(found) => {
                let known = vendor_table
                    .as_ref()
                    .map_or(format!("{name}/vendor.toml"), |file| file.origin.to_owned());
                let tell = |problem: &Problem| match &vendor_table {
                    Some(file) => file.told(problem),
                    None => format!("{known}: {}", problem.what),
                };
                problems.extend(found.iter().map(tell));
                continue;
            }
        };
        set.add_vendor(std::sync::Arc::clone(&vendor));
        let shapes = vendor_table.as_ref().map(|file| file.table.get_ref());
        let own = files.range((name.clone(), String::new())..).take_while(|((vendor, _), _)| vendor == name);
        for (_, file) in own.map(|(key, _)| key) {
            let Some(family_name) = file.strip_suffix(".toml") else { continue };
            if file == "vendor.toml" || file == "codes.toml" {
                continue;
            }
            let Some(mut parsed) = parse(files, name, file, problems) else { continue };
            if let Err(fault) = merge::family(parsed.table.get_mut(), shapes) {
                problems.push(parsed.problem(&fault));
                continue;
            }
            let Some(family) = parsed.read::<FamilyFile>(problems) else { continue };
            match compile::family(&vendor, &shared, family_name, &family) {
                Ok(profile) => set.add(profile),
                Err(found) => {
                    // Places are those of the text as it was stated, before it took anything from another table.
                    let Some(stated) = parse(files, name, file, problems) else { continue };
                    problems.extend(found.iter().map(|problem| stated.told(problem)));
                }
            }
        }
    }
    problems.extend(set.overlaps());
    set
}

/// A file as TOML, with every value's place.
#[derive(Clone)]
struct Parsed<'f> {
    origin: &'f str,
    text: &'f str,
    table: Spanned<DeTable<'f>>,
}

impl Parsed<'_> {
    fn read<T: serde::de::DeserializeOwned>(self, problems: &mut Vec<String>) -> Option<T> {
        let (origin, text) = (self.origin, self.text);
        let read = T::deserialize(toml::de::Deserializer::from(self.table));
        read.map_err(|cause| problems.push(refused(origin, text, &cause))).ok()
    }

    /// A problem that `compile` found, with its place as far as it is there.
    fn told(&self, problem: &Problem) -> String {
        let at = spot::find(self.table.get_ref(), &problem.steps);
        let at = at.map_or(String::new(), |at| line_and_column(self.text, at.start));
        format!("{}{at}: {}", self.origin, problem.what)
    }

    fn problem(&self, (at, what): &Fault) -> String {
        format!("{}{}: {what}", self.origin, line_and_column(self.text, at.start))
    }
}

fn parse<'f>(files: &'f Files, vendor: &str, file: &str, problems: &mut Vec<String>) -> Option<Parsed<'f>> {
    let (origin, text) = files.get(&(vendor.to_owned(), file.to_owned()))?;
    let table = DeTable::parse(text).map_err(|cause| problems.push(refused(origin, text, &cause))).ok()?;
    let parsed = Parsed { origin, text, table };
    let gone = merge::gone(parsed.table.get_ref());
    problems.extend(gone.iter().map(|fault| parsed.problem(fault)));
    gone.is_empty().then_some(parsed)
}

fn refused(origin: &str, text: &str, cause: &toml::de::Error) -> String {
    let Some(span) = cause.span() else { return format!("{origin}: {}", cause.message().trim()) };
    let at = line_and_column(text, span.start);
    let key = DeTable::parse(text).ok().and_then(|table| spot::key_at(table.get_ref(), span.start));
    let key = key.map_or(String::new(), |key| format!("{key}: "));
    format!("{origin}{at}: {key}{}", cause.message().trim())
}
