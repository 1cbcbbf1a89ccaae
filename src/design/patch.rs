//! Changes by dotted path: what variants, sweeps and `--set` do. A path names an entry's parameter (`cache.pages.ttl`),
//! or an argument of a function string in it (`db.kv.copy.w`), and replaces only what it names.

use crate::base::parameter::{Constructor, ParameterType};
use crate::base::problem::{Place, Problems, nearest, shown};
use crate::components::part::Kind;
use crate::design::codes;
use crate::design::entries::{ENTRIES, Holds};
use crate::design::limits::PROBLEMS_SHOWN_MAX;
use crate::design::text::Text;
use crate::design::tree::{Entry, Node, Table, Value};
use crate::program::syntax::{self, ArgKey, Expr, Function, Spanned};

/// A dotted path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<String>);

impl Path {
    /// `cache.pages.ttl`, `link."a b".latency`; `None` when a part is empty or a quotation is not closed.
    pub fn parse(text: &str) -> Option<Path> {
        let mut parts = Vec::new();
        let mut rest = text.trim();
        loop {
            let (part, after) = match rest.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => rest.split_at(rest.find('.').unwrap_or(rest.len())),
            };
            if part.trim().is_empty() {
                return None;
            }
            parts.push(part.trim().to_owned());
            match after.strip_prefix('.') {
                Some(after) => rest = after,
                None if after.is_empty() => return Some(Path(parts)),
                None => return None,
            }
        }
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plain = |part: &str| part.chars().all(|c| c.is_alphanumeric() || "_-%".contains(c));
        let parts = self.0.iter().map(|part| if plain(part) { part.clone() } else { format!("\"{part}\"") });
        f.write_str(&parts.collect::<Vec<_>>().join("."))
    }
}

/// One change: what `path` names becomes `value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What it changes.
    pub path: Path,
    /// Where the path stands.
    pub place: Place,
    /// The new value.
    pub value: Node,
}

/// The changes of a variant, or the lists of a sweep: the leaves of a table, in file order.
pub fn changes(table: &Table) -> Vec<Change> {
    let mut found = Vec::new();
    for entry in table.entries() {
        // `"cache.pages.ttl" = …`: the whole path as one quoted key.
        let start = if entry.key.contains('.') { Path::parse(&entry.key).map(|path| path.0) } else { None };
        leaves(start.unwrap_or_else(|| vec![entry.key.clone()]), entry, &mut found);
    }
    found
}

fn leaves(path: Vec<String>, entry: &Entry, found: &mut Vec<Change>) {
    match entry.node.table() {
        Some(table) => {
            for entry in table.entries() {
                leaves([path.as_slice(), std::slice::from_ref(&entry.key)].concat(), entry, found);
            }
        }
        None => {
            found.push(Change { path: Path(path), place: entry.key_place.clone(), value: entry.node.clone() })
        }
    }
}

/// Makes a change; false (and a problem) when it names nothing that exists.
pub fn set(tree: &mut Table, change: &Change, kinds: &[Kind], problems: &mut Problems) -> bool {
    let result = in_table(tree, &change.path.0, 0, change, &Forms { kinds, path: &change.path });
    let Err(failure) = result else { return true };
    match failure {
        Failure::Nothing => {
            // Past what is shown nobody reads the help, and each needs a walk over the whole tree.
            let known = if problems.0.len() < PROBLEMS_SHOWN_MAX { paths(tree, kinds) } else { Vec::new() };
            let path = change.path.to_string();
            let problem = problems.at(
                codes::UNKNOWN_PATH,
                change.place.clone(),
                format!("'{}' names nothing", shown(&path)),
            );
            match nearest(&path, known.iter().map(String::as_str)) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help(
                    "a path names a parameter of an entry that exists: `cache.pages.ttl`, `db.kv.copy.w`",
                ),
            };
        }
        Failure::NoText => {
            let message = format!(
                "'{}' takes a number or a text, not {}",
                shown(&change.path.to_string()),
                change.value.what()
            );
            problems.at(codes::WRONG_TYPE, change.value.place.clone(), message);
        }
    }
    false
}

/// The value that `path` names, as it would stand in TOML: for theory's parameters by path and for tables of results.
pub fn get(tree: &Table, path: &Path, kinds: &[Kind]) -> Option<Node> {
    let mut node = tree.get(path.0.first()?)?.clone();
    let forms = Forms { kinds, path };
    for (depth, part) in path.0.iter().enumerate().skip(1) {
        node = match &node.value {
            Value::Table(table) => table.get(part)?.clone(),
            Value::Text(text) => {
                let expr = syntax::expression(text.as_str()).ok()?;
                let at = argument(&expr, part, forms.of(depth, &expr))?.at.clone();
                Node { place: text.place(at.clone()), value: Value::Text(text.slice(at)) }
            }
            _ => return None,
        };
    }
    Some(node)
}

enum Failure {
    /// The path names nothing.
    Nothing,
    /// An argument cannot become a list or a table.
    NoText,
}

fn in_table(
    table: &mut Table,
    path: &[String],
    depth: usize,
    change: &Change,
    forms: &Forms<'_>,
) -> Result<(), Failure> {
    let (part, rest) = path.split_first().ok_or(Failure::Nothing)?;
    if let Some(entry) = table.entry_mut(part) {
        if rest.is_empty() {
            entry.node = change.value.clone();
            entry.changed = true;
            return Ok(());
        }
        return match &mut entry.node.value {
            Value::Table(table) => in_table(table, rest, depth + 1, change, forms),
            Value::Text(text) => {
                *text = in_text(text, rest, depth + 1, change, forms)?;
                Ok(())
            }
            _ => Err(Failure::Nothing),
        };
    }
    if !may_be_new(&change.path.0, depth) {
        return Err(Failure::Nothing);
    }
    let node = if rest.is_empty() {
        change.value.clone()
    } else {
        let mut inner = Table::default();
        in_table(&mut inner, rest, depth + 1, change, forms)?;
        Node { value: Value::Table(inner), place: change.place.clone() }
    };
    table.push(Entry { key: part.clone(), key_place: change.place.clone(), node, changed: true });
    Ok(())
}

/// Whether a path may name something that is not there yet at this depth. A parameter of an entry that exists may be given
/// anew (its name is checked with all others); of whole entries only those whose required keys betray a misspelt name.
fn may_be_new(path: &[String], depth: usize) -> bool {
    let kind = ENTRIES.iter().find(|entry| entry.name == path[0]);
    match depth {
        0 | 1 if path[0] == "fault" || path[0] == "workload" => path.len() > 2,
        0 => kind.is_some_and(|entry| !entry.named && !matches!(entry.holds, Holds::Sweep)),
        1 => path[0] == "net",
        2 => path.len() == 3 && path[0] != "on",
        _ => false,
    }
}

fn in_text(
    text: &Text,
    path: &[String],
    depth: usize,
    change: &Change,
    forms: &Forms<'_>,
) -> Result<Text, Failure> {
    let value = match &change.value.value {
        Value::Text(text) => text.clone(),
        Value::List(_) | Value::Table(_) => return Err(Failure::NoText),
        _ => Text::all_at(change.value.show(), &change.value.place),
    };
    let whole = syntax::expression(text.as_str()).map_err(|_| Failure::Nothing)?;
    let mut expr = &whole;
    for (index, part) in path.iter().enumerate() {
        let known = forms.of(depth + index, expr);
        match argument(expr, part, known) {
            Some(found) => expr = found,
            None if index + 1 == path.len() => {
                let name_known =
                    known.is_none_or(|form| form.parameters.iter().any(|parameter| parameter.name == part));
                return if name_known {
                    add_argument(text, expr, part, &value, &change.place)
                } else {
                    Err(Failure::Nothing)
                };
            }
            None => return Err(Failure::Nothing),
        }
    }
    Ok(text.splice(expr.at.clone(), &value))
}

/// The value of argument `name` of a form; by its place where the form's table knows the order.
fn argument<'a>(
    expr: &'a Spanned<Expr>,
    name: &str,
    form: Option<&Constructor>,
) -> Option<&'a Spanned<Expr>> {
    let Expr::Call(Function { args, .. }) = &expr.value else { return None };
    let named = args
        .iter()
        .find(|arg| matches!(&arg.key, Some(key) if matches!(&key.value, ArgKey::Name(key) if key == name)));
    if let Some(arg) = named {
        return Some(&arg.value);
    }
    let position = form?.parameters.iter().position(|parameter| parameter.name == name)?;
    args.iter().filter(|arg| arg.key.is_none()).nth(position).map(|arg| &arg.value)
}

/// `mutex` becomes `mutex(ttl=3s)`, `mutex(ttl=3s)` becomes `mutex(ttl=3s, recheck=true)`.
fn add_argument(
    text: &Text,
    expr: &Spanned<Expr>,
    name: &str,
    value: &Text,
    place: &Place,
) -> Result<Text, Failure> {
    let (at, before, after) = match &expr.value {
        Expr::Name(_) => (expr.at.end, "(", ")"),
        Expr::Call(function) if text.as_str()[..expr.at.end].ends_with(')') => {
            (expr.at.end - 1, if function.args.is_empty() { "" } else { ", " }, "")
        }
        _ => return Err(Failure::Nothing),
    };
    let mut added = Text::all_at(format!("{before}{name}="), place);
    added.push(value);
    added.push(&Text::all_at(after, place));
    Ok(text.splice(at..at, &added))
}

/// Looks up the forms that the parameter on a path takes, for the names of arguments without a key.
struct Forms<'a> {
    kinds: &'a [Kind],
    path: &'a Path,
}

impl Forms<'_> {
    /// The form that `expr`, found at `depth` of the path, is an instance of.
    fn of(&self, depth: usize, expr: &Spanned<Expr>) -> Option<&'static Constructor> {
        let parts = &self.path.0;
        let kind = self.kinds.iter().find(|kind| kind.name == parts[0])?;
        let parameter = kind
            .parameters
            .iter()
            .find(|parameter| Some(parameter.name) == parts.get(2).map(String::as_str))?;
        let mut takes = &parameter.takes;
        for part in parts.iter().take(depth).skip(3) {
            takes = match takes {
                ParameterType::Table(inner) => inner,
                ParameterType::Constructor(forms) => {
                    let mut parameters = forms.iter().flat_map(|form| form.parameters.iter());
                    &parameters.find(|parameter| parameter.name == part)?.takes
                }
                _ => return None,
            };
        }
        let ParameterType::Constructor(forms) = takes else { return None };
        let name = match &expr.value {
            Expr::Name(name) => name,
            Expr::Call(function) => &function.name.value,
            _ => return None,
        };
        forms.iter().find(|form| form.name == *name)
    }
}

/// Every path of a tree, arguments of function strings included: what a misspelt one is compared with.
fn paths(tree: &Table, kinds: &[Kind]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in tree.entries() {
        // What is said about the design is no part of it.
        if !["variant", "sweep", "zip", "expect", "on"].contains(&entry.key.as_str()) {
            walk(&Path(vec![entry.key.clone()]), &entry.node, kinds, &mut found);
        }
    }
    found
}

fn walk(path: &Path, node: &Node, kinds: &[Kind], found: &mut Vec<String>) {
    let below = |part: &str| Path([path.0.as_slice(), &[part.to_owned()]].concat());
    found.push(path.to_string());
    match &node.value {
        Value::Table(table) => {
            for entry in table.entries() {
                walk(&below(&entry.key), &entry.node, kinds, found);
            }
        }
        Value::Text(text) if path.0.len() > 2 => {
            let Ok(expr) = syntax::expression(text.as_str()) else { return };
            let known = Forms { kinds, path }.of(path.0.len(), &expr);
            let named =
                known.into_iter().flat_map(|form| form.parameters).map(|parameter| parameter.name.to_owned());
            let given = match &expr.value {
                Expr::Call(function) => function.args.as_slice(),
                _ => &[],
            };
            let given = given.iter().filter_map(|arg| match &arg.key.as_ref()?.value {
                ArgKey::Name(name) => Some(name.clone()),
                ArgKey::Number(_) => None,
            });
            found.extend(named.chain(given).map(|name| below(&name).to_string()));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::file::value_from_command_line;
    use crate::design::render::render;
    use crate::design::test_kinds::{KINDS, loaded};

    const DESIGN: &str = r#"
net.latency = "1ms"
link."a b" = { latency = "normal(12ms, sd=1ms)" }
cache.pages = { guard = "mutex(3s, wait=fixed(50ms))", ttl = "60s" }
cache.bare = { guard = "none" }
db.shop = { read = "mix(90%=1ms, 10%=exp(9ms))", start = { stock = "each(500, keys=100k)" } }
workload.w = { do = "buy(item=uniform(10))", arrive = "poisson(5/s)" }
"#;

    /// The design after `argument`, at `shown`; or the first line of what is wrong.
    fn after(argument: &str, shown: &str) -> String {
        let mut loaded = loaded(DESIGN);
        let (path, _) = argument.split_once('=').expect("PATH=VALUE");
        let value = value_from_command_line(&mut loaded.sources, argument, path.len() + 1);
        let place = Place { file: value.place.file, bytes: 0..path.len() };
        let change = Change { path: Path::parse(path).expect("a path"), place, value };
        let mut problems = Problems::default();
        if set(&mut loaded.tree, &change, &KINDS, &mut problems) {
            let path = Path::parse(shown).expect("a path");
            return get(&loaded.tree, &path, &KINDS).expect("it is there").show();
        }
        render(&loaded.sources, &problems, false)
    }

    #[test]
    fn a_patch_replaces_only_what_it_names() {
        for (argument, shown, expected) in [
            ("cache.pages.ttl=5s", "cache.pages.ttl", "5s"),
            ("cache.pages.guard=none", "cache.pages.guard", "none"),
            ("cache.pages.guard.ttl=9s", "cache.pages.guard", "mutex(9s, wait=fixed(50ms))"),
            ("cache.pages.guard.wait.every=9ms", "cache.pages.guard", "mutex(3s, wait=fixed(9ms))"),
            ("cache.pages.guard.wait=fixed(1ms)", "cache.pages.guard", "mutex(3s, wait=fixed(1ms))"),
            (
                "cache.pages.guard.recheck=false",
                "cache.pages.guard",
                "mutex(3s, wait=fixed(50ms), recheck=false)",
            ),
            ("cache.pages.jitter=10%", "cache.pages.jitter", "10%"),
            ("db.shop.start.stock.keys=7", "db.shop.start.stock", "each(500, keys=7)"),
            ("db.shop.start.stock.n=1", "db.shop.start.stock", "each(1, keys=100k)"),
            ("workload.w.do.item=sequence(5)", "workload.w.do", "buy(item=sequence(5))"),
            ("link.\"a b\".latency.sd=2ms", "link.\"a b\".latency", "normal(12ms, sd=2ms)"),
            ("net.loss=1%", "net.loss", "1%"),
            ("length=5m", "length", "5m"),
            ("fault.f.at=5m", "fault.f.at", "5m"),
            ("cache.pages.guard.ttl=9s", "cache.pages.guard.ttl", "9s"),
        ] {
            assert_eq!(after(argument, shown), expected, "{argument}");
        }
    }

    #[test]
    fn a_path_that_names_nothing_is_told_the_nearest() {
        for (argument, help) in [
            ("cache.pgaes.ttl=5s", "did you mean `cache.pages.ttl`?"),
            ("db.shop.raed.p50=5s", "did you mean `db.shop.read`?"),
            ("cache.pages.guard.tll=5s", "did you mean `cache.pages.guard.ttl`?"),
            ("cache.pages.ttl.of=5s", "did you mean `cache.pages.ttl`?"),
            ("cahce=5s", "did you mean `cache"),
        ] {
            let shown = after(argument, "net.latency");
            assert!(shown.starts_with("error[SB0302]") && shown.contains(help), "{argument}:\n{shown}");
        }
    }

    #[test]
    fn paths_print_as_they_are_read() {
        for text in ["cache.pages.ttl", "link.\"a > b\".latency", "length"] {
            assert_eq!(Path::parse(text).expect("a path").to_string(), text);
        }
        for text in ["", ".", "a..b", "a.", "\"a", "\"a\"b"] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
    }
}
