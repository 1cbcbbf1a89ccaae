//! No files of `src` need each other in a circle of more than two: what a file needs is read from its syntax tree, every path of it resolved to
//! the file that declares what it names, through groups, renames, globs and re-exports.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// The largest circle that may be: two files, of which one is cut off the other for its length.
const FILES_MAX: usize = 2;

/// A layer whose files have not been put in order yet: measures are one circle, of no more files than this.
const UNORDERED: (&str, usize) = ("measures/", 17);

/// Path segments from `crate`.
type Name = Vec<String>;

/// A module, of a file of its own or within one.
#[derive(Default)]
struct Module {
    /// The file that it stands in.
    file: String,
    /// What it declares, but modules.
    declared: BTreeSet<String>,
    /// Its modules.
    modules: BTreeSet<String>,
    /// What it imports: by the name that it has here, the path as it is written.
    imported: BTreeMap<String, Name>,
    /// Paths before a `*`.
    globs: Vec<Name>,
    /// Every path that occurs in it.
    paths: BTreeSet<Name>,
}

/// Whether an item is there for tests alone.
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

/// Gathers a module's imports and paths.
struct Paths<'a>(&'a mut Module);

impl Visit<'_> for Paths<'_> {
    fn visit_path(&mut self, path: &syn::Path) {
        self.0.paths.insert(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invoked: &syn::Macro) {
        self.visit_path(&invoked.path);
        tokens(invoked.tokens.clone(), &mut self.0.paths);
    }

    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        imports(&item.tree, Vec::new(), self.0);
    }
}

/// Paths within a macro's arguments, which no syntax tree has.
fn tokens(stream: TokenStream, into: &mut BTreeSet<Name>) {
    let mut path: Name = Vec::new();
    let mut colons = 0;
    for token in stream {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == ':' && !path.is_empty() => colons += 1,
            TokenTree::Ident(ident) => {
                if colons != 2 {
                    into.insert(std::mem::take(&mut path));
                }
                path.push(ident.to_string());
                colons = 0;
            }
            other => {
                into.insert(std::mem::take(&mut path));
                colons = 0;
                if let TokenTree::Group(group) = other {
                    tokens(group.stream(), into);
                }
            }
        }
    }
    into.insert(path);
}

fn imports(tree: &syn::UseTree, mut before: Name, into: &mut Module) {
    match tree {
        syn::UseTree::Path(path) => {
            before.push(path.ident.to_string());
            imports(&path.tree, before, into);
        }
        syn::UseTree::Group(group) => {
            group.items.iter().for_each(|item| imports(item, before.clone(), into));
        }
        syn::UseTree::Glob(_) => into.globs.push(before),
        syn::UseTree::Name(name) => {
            let own = name.ident.to_string();
            let own = if own == "self" { before.last().cloned().unwrap_or_default() } else { own };
            if before.last() != Some(&own) || name.ident != "self" {
                before.push(own.clone());
            }
            into.imported.insert(own, before);
        }
        syn::UseTree::Rename(rename) => {
            if rename.ident != "self" {
                before.push(rename.ident.to_string());
            }
            into.imported.insert(rename.rename.to_string(), before);
        }
    }
}

/// The name that an item declares, if it is no module.
fn declared(item: &syn::Item) -> Option<String> {
    Some(match item {
        syn::Item::Const(item) => item.ident.to_string(),
        syn::Item::Enum(item) => item.ident.to_string(),
        syn::Item::Fn(item) => item.sig.ident.to_string(),
        syn::Item::Macro(item) => item.ident.as_ref()?.to_string(),
        syn::Item::Static(item) => item.ident.to_string(),
        syn::Item::Struct(item) => item.ident.to_string(),
        syn::Item::Trait(item) => item.ident.to_string(),
        syn::Item::Type(item) => item.ident.to_string(),
        syn::Item::Union(item) => item.ident.to_string(),
        _ => return None,
    })
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// A crate: its modules by their paths.
struct Crate {
    modules: BTreeMap<Name, Module>,
    /// The text of a file.
    text: fn(&Path) -> Option<String>,
    root: std::path::PathBuf,
}

impl Crate {
    /// Reads a crate from its first file, `lib.rs`.
    fn read(root: &Path, text: fn(&Path) -> Option<String>) -> Self {
        let mut this = Self { modules: BTreeMap::new(), text, root: root.to_owned() };
        let first = syn::parse_file(&text(&root.join("lib.rs")).expect("lib.rs")).expect("Rust");
        this.module(Vec::new(), "lib.rs", &first.items);
        this
    }

    fn module(&mut self, name: Name, file: &str, items: &[syn::Item]) {
        let mut module = Module { file: file.to_owned(), ..Module::default() };
        for item in items.iter().filter(|item| !is_test(attributes(item))) {
            module.declared.extend(declared(item));
            let syn::Item::Mod(inner) = item else {
                Paths(&mut module).visit_item(item);
                continue;
            };
            module.modules.insert(inner.ident.to_string());
            let inside = name.iter().cloned().chain([inner.ident.to_string()]).collect::<Name>();
            if let Some((_, items)) = &inner.content {
                self.module(inside, file, items);
                continue;
            }
            let stem = inside.join("/");
            let found = [format!("{stem}.rs"), format!("{stem}/mod.rs")]
                .into_iter()
                .find_map(|file| Some(((self.text)(&self.root.join(&file))?, file)));
            let (text, file) = found.unwrap_or_else(|| panic!("no file of module {stem}"));
            let parsed = syn::parse_file(&text).unwrap_or_else(|why| panic!("{file}: {why}"));
            self.module(inside, &file, &parsed.items);
        }
        self.modules.insert(name, module);
    }

    /// The file that declares what `path` names where it stands in `module`; `None` for what is not ours or names a module.
    fn file(&self, module: &Name, path: &[String], depth: usize) -> Option<&str> {
        let (first, rest) = path.split_first()?;
        assert!(depth < 32, "imports that go round: {path:?} in {module:?}");
        match first.as_str() {
            "crate" => self.within(&Vec::new(), rest, depth),
            "self" => self.within(module, rest, depth),
            "super" => self.within(&module[..module.len() - 1].to_vec(), rest, depth),
            _ => self.within(module, path, depth),
        }
    }

    fn within(&self, module: &Name, path: &[String], depth: usize) -> Option<&str> {
        let here = self.modules.get(module)?;
        let (first, rest) = path.split_first()?;
        if first == "super" {
            return self.within(&module[..module.len() - 1].to_vec(), rest, depth);
        }
        if here.modules.contains(first) && !rest.is_empty() {
            let inside = module.iter().chain([first]).cloned().collect();
            return self.within(&inside, rest, depth);
        }
        if here.declared.contains(first) {
            return Some(&here.file);
        }
        if let Some(imported) = here.imported.get(first) {
            let whole: Name = imported.iter().chain(rest).cloned().collect();
            return (whole[0] != *first).then(|| self.file(module, &whole, depth + 1))?;
        }
        let ours = |glob: &&Name| {
            ["crate", "self", "super"].contains(&glob[0].as_str()) || here.modules.contains(&glob[0])
        };
        here.globs.iter().filter(ours).find_map(|glob| {
            let whole: Name = glob.iter().chain(path).cloned().collect();
            self.file(module, &whole, depth + 1)
        })
    }

    /// Who needs whom: pairs of files.
    fn needs(&self) -> DiGraphMap<&str, ()> {
        let mut needs = DiGraphMap::new();
        for (name, module) in &self.modules {
            let paths = module.paths.iter().chain(module.imported.values());
            for to in paths.filter_map(|path| self.file(name, path, 0)) {
                if to != module.file {
                    needs.add_edge(module.file.as_str(), to, ());
                }
            }
        }
        needs
    }

    /// Circles of more files than may be, the largest first, each with who needs whom in it.
    fn circles(&self) -> Vec<String> {
        let needs = self.needs();
        let mut circles = tarjan_scc(&needs);
        let unordered = |files: &[&str]| {
            files.len() <= UNORDERED.1 && files.iter().all(|file| file.starts_with(UNORDERED.0))
        };
        circles.retain(|files| files.len() > FILES_MAX && !unordered(files));
        circles.sort_by_key(|files| (std::cmp::Reverse(files.len()), files.clone()));
        let told = |files: &Vec<&str>| {
            let pairs = files.iter().flat_map(|from| {
                let inside = needs.neighbors(from).filter(|to| files.contains(to)).collect::<BTreeSet<_>>();
                inside.into_iter().map(move |to| format!("\n  {from} -> {to}"))
            });
            format!("{} files{}", files.len(), pairs.collect::<String>())
        };
        circles.iter().map(told).collect()
    }
}

#[test]
fn no_circle_has_more_than_two_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let house = Crate::read(&root, |path| std::fs::read_to_string(path).ok());
    assert!(house.modules.len() > 300, "{}", house.modules.len());
    let circles = house.circles();
    assert!(circles.is_empty(), "{} circles\n{}", circles.len(), circles.join("\n"));
}

#[test]
fn a_circle_is_found_through_every_form_of_use() {
    let text = |path: &Path| -> Option<String> {
        Some(match path.to_str()? {
            "lib.rs" => "mod a; pub mod b; mod c; mod d; #[cfg(test)] mod tests;".to_owned(),
            "a.rs" => "use crate::{c::{self as sea, X}, b::*}; fn f() { sea::g(); vec![Y]; } pub struct Z;"
                .to_owned(),
            "b.rs" => "pub use crate::c::X; mod in_it { use super::super::d::W; } pub struct Y;".to_owned(),
            "c.rs" => "pub struct X; pub fn g() {} #[cfg(test)] use crate::a::Z;".to_owned(),
            "d.rs" => {
                "pub struct W; impl W { fn x(x: crate::b::X) { println!(\"{}\", crate::a::Z); } }".to_owned()
            }
            _ => return None,
        })
    };
    let house = Crate::read(Path::new(""), text);
    let needs = house.needs();
    let mut edges: Vec<_> = needs.all_edges().map(|(from, to, ())| format!("{from}->{to}")).collect();
    edges.sort_unstable();
    assert_eq!(edges, ["a.rs->b.rs", "a.rs->c.rs", "b.rs->c.rs", "b.rs->d.rs", "d.rs->a.rs", "d.rs->c.rs"]);
    assert_eq!(house.circles().len(), 1, "a, b and d");
}
