//! How far a sink has got, kept beside the spool so that a restart goes on from there.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::Position;

const NAME: &str = "nats.cursor";

/// Where the sink had got to; none where it never began, or the file was lost: then it begins anew, and the stream's
/// own memory of event ids keeps repeats out.
pub fn load(directory: &Path) -> Option<Position> {
    serde_json::from_slice(&fs::read(directory.join(NAME)).ok()?).ok()
}

/// Writes it whole or not at all.
///
/// # Errors
/// When the disk does not take it.
pub fn store(directory: &Path, position: Position) -> io::Result<()> {
    let fresh = directory.join("nats.cursor.new");
    let mut file = File::create(&fresh)?;
    file.write_all(&serde_json::to_vec(&position)?)?;
    // A name that points to bytes not yet on disk would come back empty after a power cut.
    file.sync_data()?;
    fs::rename(fresh, directory.join(NAME))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::spool::tests::Folder;

    #[test]
    fn a_cursor_is_read_back_and_a_broken_one_is_none() {
        let folder = Folder::new();
        assert_eq!(load(&folder.0), None);
        store(&folder.0, Position { segment: 3, offset: 70 }).unwrap();
        store(&folder.0, Position { segment: 4, offset: 9 }).unwrap();
        assert_eq!(load(&folder.0), Some(Position { segment: 4, offset: 9 }));
        fs::write(folder.0.join(NAME), "").unwrap();
        assert_eq!(load(&folder.0), None);
    }
}
