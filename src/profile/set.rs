//! All profiles, findable by what a request's head shows.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::{FixedState, RandomState};
use http::HeaderName;

use super::pattern::{lower, segments};
use super::place::RequestPlace;
use super::{Action, Profile, Vendor};

/// (profile, action) by number.
pub type ActionRef = (usize, usize);

/// Every loaded profile. See `load`.
#[derive(Debug, Default)]
pub struct ProfileSet {
    profiles: Vec<Arc<Profile>>,
    vendors: Vec<Arc<Vendor>>,
    index: HashMap<String, VendorIndex, RandomState>,
    /// Header fields that requests are read by.
    read: HashSet<HeaderName>,
    /// Every vendor that could have been loaded.
    pub(super) known_vendors: Vec<String>,
}

/// One vendor's actions, by what tells them apart.
#[derive(Debug, Default)]
pub struct VendorIndex {
    /// The places where action names stand, each list once.
    pub selectors: Vec<Vec<RequestPlace>>,
    /// Actions with a selector, by the name they want, each with its selector's number.
    pub by_value: HashMap<String, Vec<(usize, ActionRef)>, RandomState>,
    /// Actions without one, by a fingerprint of their path's length and last literal segment.
    by_segment: HashMap<u64, Vec<ActionRef>, FixedState>,
    /// Actions without one, whose path has no fixed length or no literal segment.
    rest: Vec<ActionRef>,
}

impl ProfileSet {
    pub(super) fn add_vendor(&mut self, vendor: Arc<Vendor>) {
        self.index.entry(vendor.name.clone()).or_default();
        self.vendors.push(vendor);
    }

    pub(super) fn add(&mut self, profile: Profile) {
        let number = self.profiles.len();
        let index = self.index.entry(profile.vendor.name.clone()).or_default();
        for (at, action) in profile.actions.iter().enumerate() {
            index.add((number, at), action);
            self.read.extend(action.headers().cloned());
        }
        self.profiles.push(Arc::new(profile));
    }

    /// Whether any request is read by a header field.
    pub fn reads_header(&self, name: &HeaderName) -> bool {
        self.read.contains(name)
    }

    /// Two actions that no request could ever tell apart.
    pub(super) fn overlaps(&self) -> Vec<String> {
        // Fingerprints: the texts themselves would be the largest thing in memory at start.
        let hasher = FixedState::default();
        let mut seen: HashMap<u64, (&Profile, &Action)> = HashMap::new();
        let mut problems = Vec::new();
        for (profile, action) in self.actions() {
            let identity = hasher.hash_one(action.identity(&profile.vendor.name));
            if let Some((other, their)) = seen.insert(identity, (profile, action)) {
                problems.push(format!(
                    "{} {}: recognised by the same things as {} {}; one can never be reached",
                    profile.name, action.name, other.name, their.name
                ));
            }
        }
        problems
    }

    pub fn profiles(&self) -> &[Arc<Profile>] {
        &self.profiles
    }

    /// The names of all vendors there are profiles for, loaded or not.
    pub fn known_vendors(&self) -> &[String] {
        &self.known_vendors
    }

    pub fn vendors(&self) -> &[Arc<Vendor>] {
        &self.vendors
    }

    /// Every action with its profile.
    pub fn actions(&self) -> impl Iterator<Item = (&Arc<Profile>, &Action)> {
        self.profiles.iter().flat_map(|profile| profile.actions.iter().map(move |action| (profile, action)))
    }

    pub fn find(&self, name: &str) -> Option<&Arc<Profile>> {
        self.profiles.iter().find(|profile| profile.name == name)
    }

    pub fn vendor(&self, name: &str) -> Option<&Arc<Vendor>> {
        self.vendors.iter().find(|vendor| vendor.name == name)
    }

    pub fn index(&self, vendor: &str) -> Option<&VendorIndex> {
        self.index.get(vendor)
    }

    pub fn get(&self, (profile, action): ActionRef) -> (&Arc<Profile>, &Action) {
        (&self.profiles[profile], &self.profiles[profile].actions[action])
    }
}

impl VendorIndex {
    fn add(&mut self, at: ActionRef, action: &Action) {
        if !action.selector.places.is_empty() {
            let known = self.selectors.iter().position(|places| *places == action.selector.places);
            let selector = known.unwrap_or_else(|| {
                self.selectors.push(action.selector.places.clone());
                self.selectors.len() - 1
            });
            self.by_value.entry(action.selector.value.clone()).or_default().push((selector, at));
            return;
        }
        if action.paths.is_empty() {
            self.rest.push(at);
        }
        for path in &action.paths {
            match path.exact_len().zip(path.last_literal()) {
                Some((len, (position, text))) => {
                    self.by_segment.entry(fingerprint(len, position, text)).or_default().push(at);
                }
                None => self.rest.push(at),
            }
        }
    }

    /// Actions whose path may fit; most others are left out.
    pub fn by_path<'s>(&'s self, path: &'s str) -> impl Iterator<Item = ActionRef> + 's {
        let path = path.trim_start_matches('/');
        let len = segments(path);
        let at =
            move |(position, text): (usize, &str)| self.by_segment.get(&fingerprint(len, position, text));
        path.split('/').enumerate().filter_map(at).flatten().chain(&self.rest).copied()
    }
}

/// Two that are alike by chance, or but for the case of letters, only make a candidate that does not fit.
fn fingerprint(len: usize, position: usize, text: &str) -> u64 {
    FixedState::default().hash_one((len, position, &*lower(text)))
}

impl Action {
    /// Everything a request is recognised by, as one text.
    fn identity(&self, vendor: &str) -> String {
        let paths: Vec<String> = self.paths.iter().map(ToString::to_string).collect();
        let selector = if self.selector.places.is_empty() { "" } else { &self.selector.value };
        format!(
            "{vendor} {selector} {:?} {:?} {paths:?} {:?} {:?} {:?} {:?} {:?}",
            self.selector.places, self.methods, self.host, self.query, self.header, self.first_key, self.body
        )
    }
}
