//! A design as written: our own tree of TOML values, each with its place, entries in file order.
//! File order is for display only; whatever reaches results looks entries up by name.

use std::collections::BTreeMap;

use toml::de::{DeArray, DeTable, DeValue};

use crate::base::plain::is_hidden;
use crate::base::problem::{FileId, Place, Problems};
use crate::design::codes;
use crate::design::limits::{NESTING_MAX, NODES_MAX};
use crate::design::text::Text;

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub value: Value,
    /// Where it stands.
    pub place: Place,
}

/// What a value can be.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A string.
    Text(Text),
    /// A whole number.
    Integer(i64),
    /// A number with a point.
    Float(f64),
    /// `true` or `false`.
    Bool(bool),
    /// `[a, b]`.
    List(Vec<Node>),
    /// `{ a = b }`, `[a]`, `a.b = c`.
    Table(Table),
}

/// Entries in file order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    entries: Vec<Entry>,
    /// Where each key's entry is: a hostile file may have thousands.
    index: BTreeMap<String, usize>,
}

/// `key = value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_place: Place,
    /// The value.
    pub node: Node,
    /// Whether a variant, a sweep or the command line gave it.
    pub changed: bool,
}

impl FromIterator<Entry> for Table {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Table {
        let mut table = Table::default();
        for entry in entries {
            table.push(entry);
        }
        table
    }
}

impl Table {
    /// The entries, in file order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Adds an entry whose key is new.
    pub fn push(&mut self, entry: Entry) {
        let before = self.index.insert(entry.key.clone(), self.entries.len());
        assert!(before.is_none(), "a key is given once");
        self.entries.push(entry);
    }

    /// Takes all entries out.
    pub fn into_entries(self) -> Vec<Entry> {
        self.entries
    }

    /// The entry of that key.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.index.get(key).map(|index| &self.entries[*index])
    }

    /// The entry of that key.
    pub fn entry_mut(&mut self, key: &str) -> Option<&mut Entry> {
        self.index.get(key).map(|index| &mut self.entries[*index])
    }

    /// The value of that key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// All keys, in file order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.key.as_str())
    }
}

impl Node {
    /// The entries, when it is a table.
    pub fn table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The text, when it is one.
    pub fn text(&self) -> Option<&Text> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of a list; anything else stands for a list of itself.
    pub fn list_or_itself(&self) -> &[Node] {
        match &self.value {
            Value::List(list) => list,
            _ => std::slice::from_ref(self),
        }
    }

    /// What it is, for messages: `a table`.
    pub fn what(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a text",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Bool(_) => "a switch (true or false)",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// As it would stand in TOML, on one line.
    pub fn written(&self) -> String {
        match &self.value {
            Value::Text(text) => format!("\"{}\"", text.as_str().escape_debug()),
            _ => self.show(),
        }
    }

    /// As it would stand in TOML, on one line; texts without quotes.
    pub fn show(&self) -> String {
        match &self.value {
            Value::Text(text) => text.as_str().to_owned(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Bool(switch) => switch.to_string(),
            Value::List(list) => format!("[{}]", list.iter().map(Node::show).collect::<Vec<_>>().join(", ")),
            Value::Table(table) => {
                let shown =
                    table.entries.iter().map(|entry| format!("{} = {}", entry.key, entry.node.show()));
                format!("{{ {} }}", shown.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// Turns parsed TOML into our tree; what the language has no use for (dates, numbers beyond 64 bits, deep nesting)
/// becomes a problem and is left out.
pub fn from_toml(table: &DeTable<'_>, source: &str, file: FileId, problems: &mut Problems) -> Table {
    let mut growing = Growing { source, file, problems, nodes: 0 };
    let tree = growing.table(table, 0);
    if growing.nodes > NODES_MAX {
        let message = format!("{} values: at most {NODES_MAX}", growing.nodes);
        problems.at(codes::LIMIT, Place { file, bytes: 0..0 }, message).help("is this the right file?");
        return Table::default();
    }
    tree
}

struct Growing<'a> {
    source: &'a str,
    file: FileId,
    problems: &'a mut Problems,
    /// Values seen so far.
    nodes: usize,
}

impl Growing<'_> {
    fn place(&self, bytes: std::ops::Range<usize>) -> Place {
        Place { file: self.file, bytes }
    }

    fn table(&mut self, table: &DeTable<'_>, depth: usize) -> Table {
        let mut entries: Vec<Entry> = table
            .iter()
            .filter_map(|(key, value)| {
                let key_place = self.place(key.span());
                if key.get_ref().chars().any(|c| is_hidden(c) || c == '\n') {
                    self.problems
                        .at(codes::BAD_NAME, key_place, "a name with a character that cannot be seen")
                        .help("letters, digits and `_`");
                    return None;
                }
                let node = self.node(value.get_ref(), value.span(), &key_place, depth + 1)?;
                Some(Entry { key: key.get_ref().to_string(), key_place, node, changed: false })
            })
            .collect();
        entries.sort_by_key(|entry| entry.key_place.bytes.start);
        entries.into_iter().collect()
    }

    fn node(
        &mut self,
        value: &DeValue<'_>,
        span: std::ops::Range<usize>,
        key: &Place,
        depth: usize,
    ) -> Option<Node> {
        self.nodes += 1;
        let place = self.place(span.clone());
        if depth > NESTING_MAX {
            let message = format!("nested too deeply: at most {NESTING_MAX} levels");
            self.problems
                .at(codes::NESTING, key.clone(), message)
                .help("flatten it: nothing in the language needs this depth");
            return None;
        }
        let value = match value {
            DeValue::String(decoded) => {
                Value::Text(Text::from_toml(decoded, &self.source[span.clone()], self.file, span.start))
            }
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Value::Integer(number),
                Err(_) => {
                    self.problems
                        .at(codes::NUMBER_TOO_LARGE, place, "this number does not fit into 64 bits")
                        .help("write a smaller number");
                    return None;
                }
            },
            DeValue::Float(number) => match number.as_str().parse::<f64>() {
                Ok(number) if number.is_finite() => Value::Float(number),
                _ => {
                    self.problems.at(codes::NUMBER_TOO_LARGE, place, "this is no finite number");
                    return None;
                }
            },
            DeValue::Boolean(switch) => Value::Bool(*switch),
            DeValue::Datetime(_) => {
                self.problems
                    .at(
                        codes::DATE,
                        place,
                        "dates have no meaning here: simulated time counts from the start of the run",
                    )
                    .help("write a span, `\"90s\"`");
                return None;
            }
            DeValue::Array(list) => Value::List(self.list(list, key, depth)),
            DeValue::Table(table) => Value::Table(self.table(table, depth)),
        };
        Some(Node { value, place })
    }

    fn list(&mut self, list: &DeArray<'_>, key: &Place, depth: usize) -> Vec<Node> {
        list.iter().filter_map(|value| self.node(value.get_ref(), value.span(), key, depth + 1)).collect()
    }
}
