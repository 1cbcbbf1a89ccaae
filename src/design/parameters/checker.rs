//! What parameters are checked against, and what was given.

use crate::base::problem::{Place, Problems};
use crate::design::file::Data;
use crate::design::text::Text;
use crate::design::tree::{Node, Value};
use crate::program::compile::scope::PartRole;
use crate::program::syntax::{Expr, Spanned};
use std::collections::BTreeMap;

/// A default that holds because nothing was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultUsed {
    /// The value, as it would stand in the TOML.
    pub value: String,
    /// Where it is from.
    pub source: String,
}

/// What names can mean while parameters are checked.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Parts in order of name, with their kinds.
    pub parts: Vec<(String, &'static str, PartRole)>,
    /// Policies in order of name.
    pub policies: Vec<String>,
    /// Zones in order of name.
    pub zones: Vec<String>,
}

/// Checks tables; keeps what it finds.
pub struct Checker<'a> {
    /// Who is there.
    pub known: &'a Known,
    /// Where data files are read.
    pub data: Data<'a>,
    /// Defaults used so far, by path.
    pub defaults: &'a mut BTreeMap<String, DefaultUsed>,
    /// Problems found so far.
    pub problems: &'a mut Problems,
}

/// A value as it was given: a TOML value, or an expression inside a TOML text.
#[derive(Clone, Copy)]
pub(in crate::design) enum Given<'a> {
    Node(&'a Node),
    Expr(&'a Text, &'a Spanned<Expr>),
}

impl Given<'_> {
    pub(in crate::design) fn place(&self) -> Place {
        match self {
            Given::Node(node) => node.place.clone(),
            Given::Expr(text, expr) => text.place(expr.at.clone()),
        }
    }

    /// As text: the whole of a TOML text, or the expression as written.
    pub(in crate::design) fn words(&self) -> Option<(String, Place)> {
        match self {
            Given::Node(Node { value: Value::Text(text), .. }) => {
                let (all, trimmed) = (text.as_str(), text.as_str().trim());
                let start = all.len() - all.trim_start().len();
                Some((trimmed.to_owned(), text.place(start..start + trimmed.len())))
            }
            Given::Node(_) => None,
            Given::Expr(text, expr) => {
                Some((text.as_str()[expr.at.clone()].to_owned(), text.place(expr.at.clone())))
            }
        }
    }

    pub(in crate::design) fn what(&self) -> &'static str {
        match self {
            Given::Node(node) => node.what(),
            Given::Expr(_, expr) => match expr.value {
                Expr::Number(_) => "a number",
                Expr::List(_) => "a list",
                Expr::Call(_) => "a form with arguments",
                Expr::Name(_) | Expr::Text(_) => "a word",
                _ => "an expression",
            },
        }
    }
}
