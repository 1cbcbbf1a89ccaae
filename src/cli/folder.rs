//! The folder of a result: an old one is replaced only by a complete new one, and nothing else ever is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::report::json::is_results;

fn failed(out: &Path, why: &io::Error) -> String {
    format!("cannot write to {}: {why}\nhelp: choose another folder with --out", out.display())
}

/// The folder that a folder is in.
fn parent(out: &Path) -> PathBuf {
    match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Whether a folder may be replaced and can be: it is not there, or empty, or holds a result of ours, and there is a
/// place beside it to write to. Asked before a run, which may take long.
///
/// # Errors
/// A sentence for the user.
pub fn replaceable(out: &Path) -> Result<(), String> {
    match fs::read_dir(out) {
        Ok(entries) => {
            let ours = fs::read_to_string(out.join("results.json")).is_ok_and(|text| is_results(&text));
            if entries.count() > 0 && !ours {
                return Err(format!(
                    "{} holds something that is no result of splitbrain\nhelp: choose another folder with --out",
                    out.display()
                ));
            }
        }
        Err(why) if why.kind() == io::ErrorKind::NotFound => {}
        Err(why) => return Err(failed(out, &why)),
    }
    let parent = parent(out);
    // The nearest folder that exists: the others will be made in it.
    let there = parent.ancestors().find(|folder| folder.as_os_str().is_empty() || folder.exists());
    let there = there.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::Builder::new()
        .prefix(".splitbrain-")
        .tempdir_in(there)
        .map(drop)
        .map_err(|why| failed(out, &why))
}

/// Puts a file in the place of an old one, whole or not at all.
///
/// # Errors
/// When it cannot be written; the old file is then as it was.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    let fresh = tempfile::Builder::new().prefix(".splitbrain-").tempdir_in(parent(path))?;
    let whole = fresh.path().join("whole");
    fs::write(&whole, text)?;
    fs::rename(&whole, path)
}

/// Writes all files beside the folder, and what `more` writes there, then puts the new folder in the place of the old one;
/// false if `more` was interrupted.
///
/// # Errors
/// A sentence for the user; the old folder is then where it was.
pub fn replace(
    out: &Path,
    files: &[(String, Vec<u8>)],
    more: impl FnOnce(&Path) -> io::Result<bool>,
) -> Result<bool, String> {
    exchange(out, files, more).map_err(|why| failed(out, &why))
}

fn exchange(
    out: &Path,
    files: &[(String, Vec<u8>)],
    more: impl FnOnce(&Path) -> io::Result<bool>,
) -> io::Result<bool> {
    let parent = parent(out);
    fs::create_dir_all(&parent)?;
    let fresh = tempfile::Builder::new().prefix(".splitbrain-").tempdir_in(&parent)?;
    for (name, bytes) in files {
        let path = fresh.path().join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, bytes)?;
    }
    if !more(fresh.path())? {
        return Ok(false);
    }
    make_readable(fresh.path())?;
    let old = tempfile::Builder::new().prefix(".splitbrain-old-").tempdir_in(&parent)?;
    let aside = old.path().join("old");
    let there = out.exists();
    if there {
        fs::rename(out, &aside)?;
    }
    if let Err(why) = fs::rename(fresh.path(), out) {
        if there && fs::rename(&aside, out).is_err() {
            let kept = old.keep();
            return Err(io::Error::other(format!("{why}; the old result is in {}", kept.display())));
        }
        return Err(why);
    }
    let _ = fresh.keep(); // it has another name now, and nothing is left to remove
    Ok(true)
}

/// Temporary folders are private; results are not.
#[cfg(unix)]
fn make_readable(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_readable(_: &Path) -> io::Result<()> {
    Ok(())
}
