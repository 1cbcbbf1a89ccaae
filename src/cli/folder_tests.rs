//! Tests of the folder of a result: what is replaced, what is kept, what is cleaned away.

use super::*;

const RESULT: &str = "{\"schema\": 1}";

fn write_to(out: &Path, files: &[&str]) -> Result<bool, String> {
    let files: Vec<_> = files.iter().map(|name| ((*name).to_owned(), RESULT.as_bytes().to_vec())).collect();
    Folder::find(out).map_err(|(_, why)| why)?.replace(&files, |_| Ok(true))
}

fn names(folder: &Path) -> Vec<String> {
    let mut names = files(folder).expect("it is there");
    names.sort();
    names
}

#[test]
fn a_result_takes_the_place_of_an_old_one_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("a/out");
    assert_eq!(write_to(&out, &["results.json", "plots/one.svg", "plots/two.svg"]), Ok(true));
    assert_eq!(write_to(&out, &["results.json", "plots/three.svg"]), Ok(true));
    assert_eq!(names(&out), [".splitbrain", "plots/three.svg", "results.json"]);
    assert_eq!(names(folder.path()).len(), 3, "nothing is left beside it");
}

#[test]
fn two_renames_do_what_an_exchange_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    for name in ["one", "two"] {
        let mut fresh = Fresh::new(folder.path(), PREFIX).expect("it can be made");
        fresh.write(&[(name.to_owned(), Vec::new())]).expect("it can be written");
        fresh.complete().expect("it can be completed");
        swap(&fresh.folder, &out).expect("it can be renamed");
        drop(fresh);
        assert_eq!(names(folder.path()), ["out/.splitbrain", &format!("out/{name}")]);
    }
}

#[test]
fn a_file_of_its_user_is_never_deleted() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let files = ["results.json", "plots/one.svg"];
    assert_eq!(write_to(&out, &files), Ok(true));
    for mine in ["notes.md", "plots/mine.svg", "deep/er/still.txt"] {
        let mine = out.join(mine);
        fs::create_dir_all(mine.parent().expect("it has one")).expect("it can be made");
        fs::write(&mine, "mine").expect("it can be written");
        let why = write_to(&out, &files).expect_err("it is in the way");
        assert!(why.contains(&mine.display().to_string()) && why.contains("help:"), "{why}");
        assert_eq!(fs::read_to_string(&mine).expect("it is there"), "mine");
        fs::remove_file(&mine).expect("it is there");
        let _ = fs::remove_dir_all(out.join("deep"));
    }
    // what comes while the runs are under way is as safe, and so is the new result
    let found = Folder::find(&out).expect("nothing is in the way");
    let mine = out.join("notes.md");
    fs::write(&mine, "mine").expect("it can be written");
    let why =
        found.replace(&[("results.json".to_owned(), Vec::new())], |_| Ok(true)).expect_err("in the way");
    assert!(why.contains("out.new1") && folder.path().join("out.new1/results.json").exists(), "{why}");
    assert!(mine.exists());
    // a result that was written before there were lists
    fs::remove_file(&mine).expect("it is there");
    fs::remove_file(out.join(LIST)).expect("it is there");
    assert!(foreign(&out).expect("it can be read").is_none());
    fs::write(&mine, "mine").expect("it can be written");
    assert_eq!(foreign(&out).expect("it can be read"), Some(mine));
}

#[cfg(unix)]
#[test]
fn a_link_is_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (link, target) = (folder.path().join("link"), folder.path().join("other/place"));
    std::os::unix::fs::symlink("other/place", &link).expect("a link");
    for _ in 0..2 {
        assert_eq!(write_to(&link, &["results.json"]), Ok(true));
        assert!(link.is_symlink() && target.join("results.json").is_file() && !target.is_symlink());
    }
}

#[test]
fn what_killed_runs_have_left_is_cleaned_and_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    assert_eq!(write_to(&out, &["results.json"]), Ok(true));
    // killed while writing: nobody holds the lock any more
    let fresh = Fresh::new(folder.path(), PREFIX).expect("it can be made");
    let left = fresh.path().to_owned();
    std::mem::forget(fresh.folder);
    drop(fresh.list);
    // killed between two renames
    let aside = Fresh::new(folder.path(), ASIDE).expect("it can be made");
    fs::rename(&out, aside.path().join("out")).expect("it can be moved");
    let moved = aside.path().to_owned();
    std::mem::forget(aside.folder);
    drop(aside.list);
    // at work
    let at_work = Fresh::new(folder.path(), PREFIX).expect("it can be made");
    let told = Folder::find(&out).expect("it is a result again").left;
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told.iter().any(|told| told.starts_with("put ")), "{told:?}");
    assert!(!left.exists() && !moved.exists() && at_work.path().exists());
    assert!(out.join("results.json").exists());
}
