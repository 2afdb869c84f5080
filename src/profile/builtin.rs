//! The profiles the binary carries.

use include_dir::{Dir, include_dir};

static DIR: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/config/profiles");

/// Every built-in file as (vendor, file name, text).
pub(super) fn files() -> Vec<(String, String, &'static str)> {
    let mut files = Vec::new();
    for vendor in DIR.dirs() {
        for file in vendor.files() {
            let (Some(name), Some(text)) = (file.path().file_name(), file.contents_utf8()) else { continue };
            let name = name.to_string_lossy().into_owned();
            if name.ends_with(".toml") {
                files.push((vendor.path().to_string_lossy().into_owned(), name, text));
            }
        }
    }
    files
}
