//! The token that opens the whole server: given, or made once and kept in the data folder for its owner alone.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::unusable::Unusable;

/// The given token, else the kept one, else one made now and kept in `admin.token` (mode 0600).
pub fn given_or_kept(given: Option<String>, data_dir: &Path) -> Result<String, Unusable> {
    if let Some(token) = given {
        return Ok(token);
    }
    let path = file(data_dir);
    match std::fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(unusable(&path, &error)),
    }
    let mut bytes = [0_u8; 24];
    getrandom::fill(&mut bytes).map_err(|error| Unusable(format!("no random numbers: {error}")))?;
    let token: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&path).map_err(|error| unusable(&path, &error))?;
    writeln!(file, "{token}").map_err(|error| unusable(&path, &error))?;
    Ok(token)
}

/// The token that a server keeps in its data folder, for commands that talk to it.
pub fn read(data_dir: &Path) -> Result<String, Unusable> {
    let path = file(data_dir);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Unusable(format!(
            "{}: {error}: name the server's folder with --data-dir, or give --admin-token",
            path.display()
        ))
    })?;
    Ok(text.trim().to_owned())
}

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("admin.token")
}

fn unusable(path: &Path, error: &std::io::Error) -> Unusable {
    Unusable(format!("{}: {error}: make the data folder readable and writable, or give --admin-token", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_token_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().expect("a folder");

        let made = given_or_kept(None, folder.path()).expect("made");
        let kept = given_or_kept(None, folder.path()).expect("kept");

        assert_eq!(made, kept);
        assert_eq!(made.len(), 48);
        assert_eq!(read(folder.path()).expect("read"), made);
        let mode = std::fs::metadata(folder.path().join("admin.token")).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_missing_token_says_where_to_look() {
        let folder = tempfile::tempdir().expect("a folder");

        let error = read(folder.path()).expect_err("nothing there");

        assert!(error.0.contains("admin.token") && error.0.contains("--data-dir"), "{error}");
    }
}
