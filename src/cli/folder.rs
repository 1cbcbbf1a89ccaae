//! The folder of a result: an old one is replaced only by a complete new one, and nothing else ever is.
//!
//! A result is written into a folder beside it, put on the disk, and exchanged with the old one in one call where the system can (Linux,
//! macOS; elsewhere by two renames). That folder holds a list of the files in it, which is locked as long as somebody writes there: so
//! what a killed run has left is told from what another run is at work on, and what is not in the list of an old result is its user's.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::cli::status::{BAD_INPUT, CANNOT_WRITE};
use crate::report::json::is_results;

/// How the name of a folder begins that is being written, and that of one into which an old result is moved aside.
const PREFIX: &str = ".splitbrain-";
const ASIDE: &str = ".splitbrain-old-";
/// The list of the files of a result, and how it begins.
const LIST: &str = ".splitbrain";
const HEAD: &str = "files that splitbrain has written; whatever else is here is yours\n";
/// What results without a list consist of, and what file managers leave.
const KNOWN: [&str; 8] = [
    "results.json",
    "runs.csv",
    "report.html",
    "history.jsonl",
    "history.jsonl.gz",
    "history.edn",
    "history.edn.gz",
    ".DS_Store",
];
/// Links that are followed, one to the other.
const LINKS_MAX: usize = 40;

/// Where a result is to be.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    shown: String,
    /// What killed runs had left beside it, and what was done about it.
    pub left: Vec<String>,
}

fn failed(out: &Path, why: &io::Error) -> String {
    let help = match is_full(why) {
        true => "make room, or choose a folder on another disk with --out",
        false => "choose another folder with --out",
    };
    format!("cannot write to {}: {why}\nhelp: {help}", out.display())
}

fn is_full(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::WriteZero)
}

/// The folder that a folder is in.
fn parent(out: &Path) -> PathBuf {
    match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Where a link leads to, also if nothing is there.
fn followed(out: &Path) -> PathBuf {
    let mut path = out.to_owned();
    for _ in 0..LINKS_MAX {
        let Ok(to) = fs::read_link(&path) else { break };
        path = parent(&path).join(to);
    }
    path
}

/// The first file of a folder, in order of name, that is no file of a result: its user's.
fn foreign(folder: &Path) -> io::Result<Option<PathBuf>> {
    let list = fs::read_to_string(folder.join(LIST)).ok();
    let list = list.as_deref().and_then(|list| list.strip_prefix(HEAD));
    let listed: Option<BTreeSet<&str>> = list.map(|list| list.lines().collect());
    let ours = |name: &str| match &listed {
        Some(listed) => listed.contains(name) || name.ends_with(".DS_Store"),
        None => KNOWN.contains(&name) || name.starts_with("plots/"),
    };
    let mut files = files(folder)?;
    files.sort();
    Ok(files.into_iter().find(|name| name != LIST && !ours(name)).map(|name| folder.join(name)))
}

/// All that is in a folder and those within, but for folders that hold something: names from there, with `/`.
fn files(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let within = if entry.file_type()?.is_dir() { files(&entry.path())? } else { Vec::new() };
        match within.is_empty() {
            true => names.push(name),
            false => names.extend(within.iter().map(|inner| format!("{name}/{inner}"))),
        }
    }
    Ok(names)
}

impl Folder {
    /// The folder of that name, or where the link of that name leads to, if it may be replaced and can be: it is not there, or empty, or
    /// holds a result of ours and nothing else, and there is a place beside it to write to. Asked before a run, which may take long. What
    /// killed runs have left there is cleaned away.
    ///
    /// # Errors
    /// The exit status, and a sentence for the user.
    pub fn find(out: &Path) -> Result<Folder, (u8, String)> {
        let mut folder = Folder { path: followed(out), shown: out.display().to_string(), left: Vec::new() };
        let refused = |why: io::Error| {
            let status = if is_full(&why) { CANNOT_WRITE } else { BAD_INPUT };
            (status, failed(out, &why))
        };
        let parent = parent(&folder.path);
        folder.left = clean(&parent);
        folder.check().map_err(|why| (BAD_INPUT, why))?.map_err(refused)?;
        // The nearest folder that exists: the others will be made in it.
        let there = parent.ancestors().find(|folder| folder.as_os_str().is_empty() || folder.exists());
        let there = there.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Fresh::new(there, PREFIX).map(drop).map_err(refused)?;
        Ok(folder)
    }

    /// As its user calls it.
    pub fn shown(&self) -> String {
        self.shown.clone()
    }

    /// Whether there is one.
    pub fn is_there(&self) -> bool {
        self.path.exists()
    }

    /// Whether what is there may be replaced.
    fn check(&self) -> Result<io::Result<()>, String> {
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Ok(())),
            Err(why) => return Ok(Err(why)),
        };
        let ours = fs::read_to_string(self.path.join("results.json")).is_ok_and(|text| is_results(&text));
        if entries.count() > 0 && !ours {
            return Err(format!(
                "{} holds something that is no result of splitbrain\nhelp: choose another folder with --out",
                self.shown
            ));
        }
        match foreign(&self.path) {
            Ok(None) => Ok(Ok(())),
            Ok(Some(file)) => Err(format!(
                "{} is no file of splitbrain, and a new result would take the place of this whole folder\n\
                 help: move it elsewhere, or choose another folder with --out",
                file.display()
            )),
            Err(why) => Ok(Err(why)),
        }
    }

    /// Writes all files beside the folder, and what `more` writes there, then puts the new folder in the place of the old one;
    /// false if `more` was interrupted.
    ///
    /// # Errors
    /// A sentence for the user; the old folder is then where it was.
    pub fn replace(
        &self,
        files: &[(String, Vec<u8>)],
        more: impl FnOnce(&Path) -> io::Result<bool>,
    ) -> Result<bool, String> {
        let parent = parent(&self.path);
        let written =
            fs::create_dir_all(&parent).and_then(|()| Fresh::new(&parent, PREFIX)).and_then(|mut fresh| {
                fresh.write(files)?;
                if !more(fresh.path())? {
                    return Ok(None);
                }
                fresh.complete()?;
                Ok(Some(fresh))
            });
        let Some(fresh) = written.map_err(|why| failed(Path::new(&self.shown), &why))? else {
            return Ok(false);
        };
        if let Ok(Some(file)) = foreign(&self.path) {
            let kept = fresh.keep(&self.path).map_err(|why| failed(Path::new(&self.shown), &why))?;
            return Err(format!(
                "{} has come while the runs were under way and is no file of splitbrain: the new result is in {}\n\
                 help: move one of them",
                file.display(),
                kept.display()
            ));
        }
        fresh.exchange(&self.path).map_err(|why| failed(Path::new(&self.shown), &why))?;
        Ok(true)
    }
}

/// A folder that is being written.
struct Fresh {
    folder: TempDir,
    /// The list of its files, locked.
    list: File,
}

impl Fresh {
    fn new(parent: &Path, prefix: &str) -> io::Result<Fresh> {
        let folder = tempfile::Builder::new().prefix(prefix).tempdir_in(parent)?;
        let mut list = File::create(folder.path().join(LIST))?;
        let _ = list.try_lock(); // where there are no locks nothing is taken for left behind too early: see `clean`
        list.write_all(HEAD.as_bytes())?;
        Ok(Fresh { folder, list })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, files: &[(String, Vec<u8>)]) -> io::Result<()> {
        for (name, bytes) in files {
            let path = self.path().join(name);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(path, bytes)?;
        }
        Ok(())
    }

    /// Lists what is in it, and waits until all of it is on the disk.
    fn complete(&mut self) -> io::Result<()> {
        let names = files(self.path())?;
        for name in names.iter().filter(|name| *name != LIST) {
            writeln!(self.list, "{name}")?;
        }
        let mut folders = BTreeSet::from([self.path().to_owned()]);
        for name in &names {
            let path = self.path().join(name);
            if path.is_file() {
                File::options().write(true).open(&path)?.sync_all()?;
            }
            folders.extend(path.parent().map(Path::to_owned));
        }
        make_readable(self.path())?;
        folders.iter().try_for_each(|folder| synced(folder))
    }

    /// Puts it in the place of what is there.
    fn exchange(self, out: &Path) -> io::Result<()> {
        let Fresh { folder, list } = self;
        let list = Some(list).filter(|_| cfg!(unix)); // elsewhere what is open cannot be renamed
        if !out.exists() || !exchanged(folder.path(), out)? {
            swap(&folder, out)?;
        }
        drop(list);
        synced(&parent(out))?;
        let _ = folder.close(); // the old one; or nothing is there any more
        Ok(())
    }

    /// Keeps it beside a place that it cannot have.
    fn keep(self, out: &Path) -> io::Result<PathBuf> {
        let named = |n: u32| {
            let mut name = out.file_name().unwrap_or_default().to_owned();
            name.push(format!(".new{n}"));
            out.with_file_name(name)
        };
        let free = (1..).map(named).find(|path| !path.exists()).expect("some number is free");
        fs::rename(self.path(), &free)?;
        Ok(free)
    }
}

/// Exchanges two folders in one call; false if the system cannot.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn exchanged(fresh: &Path, out: &Path) -> io::Result<bool> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, fresh, CWD, out, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(Errno::NOSYS | Errno::INVAL | Errno::NOTSUP) => Ok(false),
        Err(why) => Err(why.into()),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn exchanged(_: &Path, _: &Path) -> io::Result<bool> {
    Ok(false)
}

/// By two renames: between them there is no result, and [`clean`] puts the old one back should this process be killed there.
fn swap(fresh: &TempDir, out: &Path) -> io::Result<()> {
    if !out.exists() {
        return fs::rename(fresh.path(), out);
    }
    let old = Fresh::new(&parent(out), ASIDE)?;
    let aside = old.path().join(out.file_name().unwrap_or_default());
    fs::rename(out, &aside)?;
    if let Err(why) = fs::rename(fresh.path(), out) {
        if fs::rename(&aside, out).is_err() {
            let kept = old.keep(out)?;
            return Err(io::Error::other(format!("{why}; the old result is in {}", kept.display())));
        }
        return Err(why);
    }
    Ok(())
}

/// Removes what killed runs have left in a folder, and puts back old results that they had moved aside: sentences about it. What another
/// run is at work on is left alone.
fn clean(parent: &Path) -> Vec<String> {
    let mut told = Vec::new();
    let Ok(entries) = fs::read_dir(parent) else { return told };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let left = entry.path();
        let Ok(mut list) = File::options().read(true).write(true).open(left.join(LIST)) else { continue };
        let mut text = String::new();
        // who has made it locks it before writing there
        if list.read_to_string(&mut text).is_err() || !text.starts_with(HEAD) || list.try_lock().is_err() {
            continue;
        }
        if entry.file_name().to_string_lossy().starts_with(ASIDE) && !put_back(parent, &left, &mut told) {
            continue;
        }
        if fs::remove_dir_all(&left).is_ok() {
            told.push(format!("removed {}, which a run that was killed had left", left.display()));
        }
    }
    told
}

/// Puts the old result that was moved aside into a folder back where it was, unless the new one is there; false if it cannot be.
fn put_back(parent: &Path, aside: &Path, told: &mut Vec<String>) -> bool {
    let Ok(entries) = fs::read_dir(aside) else { return false };
    for old in entries.flatten().filter(|entry| entry.file_name() != LIST) {
        let place = parent.join(old.file_name());
        if !place.exists() {
            if fs::rename(old.path(), &place).is_err() {
                return false;
            }
            told.push(format!("put {} back, which a run that was killed had moved aside", place.display()));
        }
    }
    true
}

/// Puts a file in the place of an old one, whole or not at all.
///
/// # Errors
/// When it cannot be written; the old file is then as it was.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    let fresh = Fresh::new(&parent(path), PREFIX)?;
    let whole = fresh.path().join("whole");
    fs::write(&whole, text)?;
    File::options().write(true).open(&whole)?.sync_all()?;
    fs::rename(&whole, path)
}

/// Waits until what a folder holds is on the disk.
#[cfg(unix)]
fn synced(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn synced(_: &Path) -> io::Result<()> {
    Ok(())
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

#[cfg(test)]
#[path = "folder_tests.rs"]
mod tests;
