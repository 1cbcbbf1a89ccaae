//! Loads a file and what it `use`s into one tree. This layer touches no files itself: a [`Reader`] brings bytes, so
//! that embedded experiments and tests need no disk, and the same core compiles for the web.

use std::borrow::Cow;
use std::collections::BTreeMap;

use toml::de::DeTable;

use crate::base::plain::plain;
use crate::base::problem::{FileId, Place, Problem, Problems};
use crate::design::codes;
use crate::design::entries::ENTRIES;
use crate::design::limits::{DATA_BYTES_MAX, FILE_BYTES_MAX, FILES_MAX, SYNTAX_ERRORS_MAX};
use crate::design::source::Sources;
use crate::design::text::Text;
use crate::design::tree::{self, Entry, Node, Table, Value};

/// Brings the bytes of a file.
pub trait Reader {
    /// The whole file. Must refuse a file of more than [`FILE_BYTES_MAX`] bytes *before* reading it.
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError>;

    /// A data file that a distribution or a trace names. May be larger: refuse more than [`DATA_BYTES_MAX`] bytes.
    fn read_data(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        self.read(path)
    }
}

/// Reads the data files that a design names, each relative to the file in which its name stands.
#[derive(Clone, Copy)]
pub struct Data<'a> {
    /// Brings the bytes.
    pub reader: &'a dyn Reader,
    /// Which file is which.
    pub sources: &'a Sources,
}

impl Data<'_> {
    /// The text of the file `path`, as named in file `from`; an error is a sentence.
    pub fn read(&self, from: FileId, path: &str) -> Result<String, String> {
        // What stands on the command line is relative to the experiment.
        let from = if self.sources.path(from) == COMMAND_LINE { FileId(0) } else { from };
        let path = beside(self.sources.path(from), path);
        match self.reader.read_data(&path) {
            Ok(bytes) => String::from_utf8(bytes).map_err(|_| format!("'{path}' is not UTF-8")),
            Err(ReadError::Missing) => Err(format!("there is no file '{path}'")),
            Err(ReadError::Directory) => Err(format!("'{path}' is a directory")),
            Err(ReadError::TooLarge(bytes)) => {
                Err(format!("'{path}' has {bytes} bytes: at most {DATA_BYTES_MAX}"))
            }
            Err(ReadError::Other(words)) => Err(format!("'{path}' cannot be read: {words}")),
        }
    }
}

/// The path of a text that was given on the command line.
const COMMAND_LINE: &str = "--set";

/// Why a file could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// There is none.
    Missing,
    /// It is a directory.
    Directory,
    /// It has this many bytes, more than [`FILE_BYTES_MAX`].
    TooLarge(u64),
    /// Something else, in the words of the system.
    Other(String),
}

/// Files in memory, by path.
impl Reader for BTreeMap<String, Vec<u8>> {
    fn read(&self, path: &str) -> Result<Vec<u8>, ReadError> {
        if let Some(bytes) = self.get(path) {
            return Ok(bytes.clone());
        }
        let directory = format!("{}/", path.trim_end_matches('/'));
        let inside = self.keys().any(|key| key.starts_with(&directory));
        Err(if inside { ReadError::Directory } else { ReadError::Missing })
    }
}

/// A file and all that it uses, parsed and joined.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The texts, for diagnostics; the first is the file that was asked for.
    pub sources: Sources,
    /// The joined tree.
    pub tree: Table,
}

/// Loads `path` and what it uses. All problems of all files come back at once.
pub fn load(reader: &dyn Reader, path: &str) -> Result<Loaded, (Sources, Problems)> {
    let mut loading = Loading {
        reader,
        sources: Sources::default(),
        problems: Problems::default(),
        open: Vec::new(),
        files: Vec::new(),
    };
    loading.file(&normalise(path), None);
    let Loading { sources, mut problems, files, .. } = loading;
    let tree = join(files, &sources, &mut problems);
    if problems.is_empty() { Ok(Loaded { sources, tree }) } else { Err((sources, problems)) }
}

struct Loading<'a> {
    reader: &'a dyn Reader,
    sources: Sources,
    problems: Problems,
    /// Files whose `use` is being followed, outermost first.
    open: Vec<String>,
    /// Parsed files, used ones before their users.
    files: Vec<(FileId, Table)>,
}

impl Loading<'_> {
    /// Loads one file; `wanted_at` is the place of the `use` that names it.
    fn file(&mut self, path: &str, wanted_at: Option<Place>) {
        if let Some(from) = self.open.iter().position(|open| open == path) {
            let cycle = [&self.open[from..], &[path.to_owned()]].concat().join(" -> ");
            self.problem(codes::USE_CYCLE, wanted_at, format!("files use each other in a cycle: {cycle}"))
                .help("move what they share into a third file");
            return;
        }
        if self.sources.find(path).is_some() {
            return; // two files may use a third: it is joined once
        }
        if self.sources.len() >= FILES_MAX {
            self.problem(codes::LIMIT, wanted_at, format!("too many files: at most {FILES_MAX}"));
            return;
        }
        let Some(text) = self.read(path, wanted_at) else { return };
        let file = self.sources.add(path, text);
        let Some(table) = self.parse(file) else { return };
        self.open.push(path.to_owned());
        if let Some(entry) = table.entry("use").cloned() {
            for (used, place) in self.used(&entry.node) {
                self.file(&beside(path, &used), Some(place));
            }
        }
        self.open.pop();
        self.files.push((file, table));
    }

    fn read(&mut self, path: &str, wanted_at: Option<Place>) -> Option<String> {
        let bytes = match self.reader.read(path) {
            Ok(bytes) if bytes.len() as u64 > FILE_BYTES_MAX => Err(ReadError::TooLarge(bytes.len() as u64)),
            other => other,
        };
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(error) => {
                self.unreadable(path, wanted_at, error);
                return None;
            }
        };
        match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => Some(text),
            Ok(text) => {
                let at = text.find('\0').expect("just seen");
                let file = self.sources.add(path, text);
                self.problems
                    .at(codes::NUL, Place { file, bytes: at..at + 1 }, "a NUL byte: this is no text file")
                    .help("is this the right file?");
                None
            }
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                // The valid part stays in view, so that the diagnostic can show where it ends.
                let mut shown = error.into_bytes();
                shown.truncate(at);
                shown.push(b'?');
                let file = self.sources.add(path, String::from_utf8(shown).expect("valid up to there"));
                self.problems
                    .at(codes::UTF8, Place { file, bytes: at..at + 1 }, format!("byte {at} is not UTF-8"))
                    .help("save the file as UTF-8");
                None
            }
        }
    }

    fn unreadable(&mut self, path: &str, wanted_at: Option<Place>, error: ReadError) {
        match error {
            ReadError::Missing => {
                let help = match wanted_at {
                    Some(_) => "paths in `use` are relative to the file that they stand in",
                    None => "name a file, or one that is shipped: `splitbrain list` shows them",
                };
                self.problem(codes::MISSING_FILE, wanted_at, format!("there is no file '{path}'")).help(help);
            }
            ReadError::Directory => {
                self.problem(codes::DIRECTORY, wanted_at, format!("'{path}' is a directory"))
                    .help("name a .toml file in it");
            }
            ReadError::TooLarge(bytes) => {
                let message = format!("'{path}' has {bytes} bytes: at most {FILE_BYTES_MAX}");
                self.problem(codes::FILE_TOO_LARGE, wanted_at, message).help("is this the right file?");
            }
            ReadError::Other(words) => {
                self.problem(codes::UNREADABLE, wanted_at, format!("'{path}' cannot be read: {words}"));
            }
        }
    }

    fn parse(&mut self, file: FileId) -> Option<Table> {
        let text = self.sources.text(file).to_owned();
        let (table, errors) = DeTable::parse_recoverable(&text);
        if errors.is_empty() {
            return Some(tree::from_toml(table.get_ref(), &text, file, &mut self.problems));
        }
        for error in errors.iter().take(SYNTAX_ERRORS_MAX) {
            let bytes = error.span().unwrap_or(0..0);
            syntax_error(&text, Place { file, bytes }, error.message(), &mut self.problems);
        }
        None
    }

    /// The paths that a `use` names.
    fn used(&mut self, node: &Node) -> Vec<(String, Place)> {
        let nodes = match &node.value {
            Value::List(nodes) => nodes.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut paths = Vec::new();
        for node in nodes {
            match node.text() {
                Some(text) => paths.push((text.as_str().to_owned(), node.place.clone())),
                None => {
                    self.problems
                        .at(
                            codes::USE_SHAPE,
                            node.place.clone(),
                            format!("`use` takes file names, not {}", node.what()),
                        )
                        .help("write `use = [\"../models/shop.toml\"]`");
                }
            }
        }
        paths
    }

    fn problem(&mut self, code: &'static str, place: Option<Place>, message: String) -> &mut Problem {
        match place {
            Some(place) => self.problems.at(code, place, message),
            None => self.problems.overall(code, message),
        }
    }
}

/// Says a TOML syntax error in its own words, and the mistakes that people make most in ours.
fn syntax_error(text: &str, place: Place, message: &str, problems: &mut Problems) {
    let key = &text[place.bytes.clone()];
    let clash = message == "duplicate key" || message.starts_with("cannot extend value of type inline table");
    if clash && ENTRIES.iter().any(|entry| entry.name == key && entry.named) {
        let example = format!("write either `{key}.x = …` for each, or one `{key} = {{ x = …, y = … }}`");
        problems
            .at(
                codes::TWO_SHAPES,
                place,
                format!("`{key}.x = …` stands beside `{key} = {{ … }}`: TOML takes one of the two"),
            )
            .help(example);
        return;
    }
    if message == "duplicate key" {
        problems.at(codes::TWICE, place, format!("'{key}' is given twice")).help("remove one of the two");
        return;
    }
    if message.starts_with("cannot recurse further") || message.starts_with("recursion limit") {
        problems
            .at(codes::NESTING, place, "nested too deeply")
            .help("flatten it: nothing in the language needs this depth");
        return;
    }
    let first_line = message.lines().next().unwrap_or("not valid TOML");
    problems.at(codes::TOML, place, format!("not valid TOML: {first_line}"));
}

/// Joins files; a name given twice is an error.
fn join(files: Vec<(FileId, Table)>, sources: &Sources, problems: &mut Problems) -> Table {
    let mut joined = Table::default();
    for (file, table) in files {
        let main = file == FileId(0);
        for entry in table.into_entries() {
            if entry.key == "use" {
                continue;
            }
            // What a used file says about itself stays with it.
            if !main && (entry.key == "title" || entry.key == "about") {
                continue;
            }
            let depth = match entry.key.as_str() {
                "on" | "expect" => 2,
                "net" | "sweep" | "zip" => 0,
                _ => 1,
            };
            join_entry(&mut joined, entry, depth, "", sources, problems);
        }
    }
    joined
}

fn join_entry(
    into: &mut Table,
    entry: Entry,
    depth: usize,
    path: &str,
    sources: &Sources,
    problems: &mut Problems,
) {
    let path = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
    let Some(known) = into.entry_mut(&entry.key) else {
        into.push(entry);
        return;
    };
    match (&mut known.node.value, entry.node.value) {
        (Value::Table(known), Value::Table(table)) if depth > 0 => {
            for entry in table.into_entries() {
                join_entry(known, entry, depth - 1, &path, sources, problems);
            }
        }
        _ => {
            let first = sources.describe(&known.key_place);
            problems
                .at(codes::TWICE, entry.key_place, format!("'{path}' is given twice: first at {first}"))
                .help(
                    "names are unique over all files that are joined; to change one, patch it in a variant",
                );
        }
    }
}

/// `path` as seen from the file `from`.
fn beside(from: &str, path: &str) -> String {
    match from.rsplit_once('/') {
        _ if path.starts_with('/') => normalise(path),
        Some((folder, _)) => normalise(&format!("{folder}/{path}")),
        None => normalise(path),
    }
}

/// Takes out `.` and `..`, so that one file has one name.
fn normalise(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if path.starts_with('/') => {}
            part => parts.push(part),
        }
    }
    let relative = parts.join("/");
    match (path.starts_with('/'), relative.is_empty()) {
        (true, _) => format!("/{relative}"),
        (false, true) => ".".to_owned(),
        (false, false) => relative,
    }
}

/// A value given on the command line, `--set PATH=VALUE`: a node with a place in a text of its own, so that problems
/// in it can be shown. A whole number, `true` or `false` are what they look like; everything else is text.
pub fn value_from_command_line(sources: &mut Sources, argument: &str, value_at: usize) -> Node {
    let file = sources.add(COMMAND_LINE, argument.to_owned());
    let value = argument[value_at..].trim();
    let at = value_at + (argument[value_at..].len() - argument[value_at..].trim_start().len());
    let place = Place { file, bytes: at..at + value.len() };
    let text = || {
        Value::Text(match plain(value) {
            Cow::Borrowed(value) => Text::verbatim(value, file, at),
            Cow::Owned(shown) => Text::all_at(shown, &place),
        })
    };
    let value = match value {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ if value.parse::<i64>().is_ok() => Value::Integer(value.parse().expect("just parsed")),
        _ if value.starts_with(['[', '{', '"']) => match toml_value(value, file, at) {
            Some(value) => value,
            None => text(),
        },
        _ => text(),
    };
    Node { value, place }
}

/// A TOML list, table or quoted string out of a command line.
fn toml_value(value: &str, file: FileId, at: usize) -> Option<Value> {
    let padded = format!("{}x={value}", " ".repeat(at.saturating_sub(2)));
    let table = DeTable::parse(&padded).ok()?;
    let mut ignored = Problems::default();
    let table = tree::from_toml(table.get_ref(), &padded, file, &mut ignored);
    if ignored.is_empty() { table.into_entries().pop().map(|entry| entry.node.value) } else { None }
}
