//! Checks a table against its parameters: every mistake at once, and every default that was used, recorded.

pub mod checker;
mod constructors;

use crate::design::parameters::checker::{Checker, DefaultUsed, Given};
use std::collections::BTreeMap;

use constructors::names_one_of;

use crate::base::ids::{PartId, PolicyId, ZoneId};
use crate::base::parameter::{Parameter, ParameterType, Parameters, Preset, Setting};
use crate::base::problem::{Place, known_words, nearest, shown};
use crate::design::codes;
use crate::design::describe::{describe, example};
use crate::design::later;
use crate::design::quantities;
use crate::design::text::Text;
use crate::design::tree::{Node, Table, Value};
use crate::program::syntax::{self, Expr, Spanned};

/// Checks `table`, an entry at `path`, against all of `parameters`. What is wrong is reported and left out.
pub fn check(
    path: &str,
    table: &Table,
    place: &Place,
    parameters: &[&'static [Parameter]],
    checker: &mut Checker<'_>,
) -> Parameters {
    let mut checked = Parameters::default();
    let all = || parameters.iter().flat_map(|table: &&'static [Parameter]| table.iter());
    let mut meant = Vec::new();
    for entry in table.entries() {
        if !all().any(|parameter| parameter.name == entry.key) {
            let kind = path.split('.').next().unwrap_or(path);
            if let Some(instead) = later::instead_of_parameter(path, &entry.key) {
                let message = format!("`{}` is not available in this version", entry.key);
                checker.problems.at(codes::LATER, entry.key_place.clone(), message).help(instead);
                continue;
            }
            let message = format!("unknown key '{}' in {}", shown(&entry.key), shown(path));
            meant.extend(nearest(&entry.key, all().map(|parameter| parameter.name)));
            let help =
                known_words(&entry.key, &format!("keys of {kind}"), all().map(|parameter| parameter.name));
            checker.problems.at(codes::UNKNOWN_KEY, entry.key_place.clone(), message).help(help);
        }
    }
    for parameter in all() {
        let given = table.entry(parameter.name);
        let path = format!("{path}.{}", parameter.name);
        if let Some(entry) = given {
            if let Some(setting) = checker.value(&path, &parameter.takes, Given::Node(&entry.node)) {
                checked.values.insert(parameter.name, (setting, Some(entry.node.place.clone())));
                if entry.changed {
                    checked.changed.insert(parameter.name);
                }
            }
        } else if matches!(parameter.default, Preset::Required) && meant.contains(&parameter.name) {
            // Given under a misspelt name, which has been told.
        } else if let Some(setting) = checker.preset(&path, parameter, place, codes::MISSING_KEY) {
            checked.values.insert(parameter.name, (setting, None));
        }
    }
    checked
}

impl Checker<'_> {
    /// What holds for a parameter that is not given; `place` is the entry's.
    pub(super) fn preset(
        &mut self,
        path: &str,
        parameter: &'static Parameter,
        place: &Place,
        missing: &'static str,
    ) -> Option<Setting> {
        match parameter.default {
            Preset::Absent => None,
            Preset::Required => {
                let what = if missing == codes::MISSING_KEY { "key" } else { "argument" };
                let message = format!("{} has no {what} '{}'", shown(owner(path)), parameter.name);
                let help = format!(
                    "give it, for example `{} = {}`: {}",
                    parameter.name,
                    example(&parameter.takes),
                    parameter.doc
                );
                self.problems.at(missing, place.clone(), message).help(help);
                None
            }
            Preset::Is { text, source } => {
                let used = DefaultUsed { value: text.to_owned(), source: source.to_owned() };
                self.defaults.insert(path.to_owned(), used);
                let node = preset_node(text, &parameter.takes, place);
                self.value(path, &parameter.takes, Given::Node(&node))
            }
        }
    }

    /// Checks one value.
    pub(super) fn value(
        &mut self,
        path: &str,
        takes: &'static ParameterType,
        given: Given<'_>,
    ) -> Option<Setting> {
        match takes {
            ParameterType::Text | ParameterType::Call => {
                let (words, place) = self.words(path, takes, given)?;
                Some(Setting::Text(words, place))
            }
            ParameterType::Any | ParameterType::NumberOrText => self.any(path, takes, given),
            ParameterType::Switch => self.switch(path, given),
            ParameterType::Word(words) => self.word(path, words, given),
            ParameterType::Part(kinds) => self.part(path, kinds, given),
            ParameterType::Policy => self.policy(path, given),
            ParameterType::Zones => self.zones(path, given),
            ParameterType::List(inner) => self.list(path, inner, given),
            ParameterType::Table(inner) => self.table(path, inner, given),
            ParameterType::Constructor(_)
            | ParameterType::Distribution
            | ParameterType::NumberDistribution => self.with_expression(path, takes, given),
            _ => self.with_expression(path, takes, given),
        }
    }

    /// Values that are expressions: a TOML text is parsed first.
    fn with_expression(
        &mut self,
        path: &str,
        takes: &'static ParameterType,
        given: Given<'_>,
    ) -> Option<Setting> {
        if let Given::Node(Node { value: Value::Text(text), .. }) = given {
            let expr = self.parse(path, takes, text)?;
            return self.expression(path, takes, Given::Expr(text, &expr));
        }
        self.expression(path, takes, given)
    }

    fn parse(&mut self, path: &str, takes: &ParameterType, text: &Text) -> Option<Spanned<Expr>> {
        if text.as_str().trim().is_empty() {
            let place = text.place(0..text.as_str().len());
            self.wrong(codes::WRONG_TYPE, place, path, takes, "an empty text");
            return None;
        }
        match syntax::expression(text.as_str()) {
            Ok(expr) => Some(expr),
            Err(error) => {
                let message = format!("{} cannot be read: {}", shown(path), error.message);
                let help = error.help.unwrap_or_else(|| format!("write for example `{}`", example(takes)));
                self.problems.at(codes::SYNTAX, text.place(error.at), message).help(help);
                None
            }
        }
    }

    fn expression(&mut self, path: &str, takes: &'static ParameterType, given: Given<'_>) -> Option<Setting> {
        match takes {
            ParameterType::Constructor(forms) => self.form(path, forms, given),
            ParameterType::DistributionOr(forms) if names_one_of(forms, given) => {
                self.form(path, forms, given)
            }
            ParameterType::Distribution
            | ParameterType::DistributionOr(_)
            | ParameterType::NumberDistribution => quantities::distribution(self, path, takes, given),
            _ => quantities::quantity(self, path, takes, given),
        }
    }

    fn any(&mut self, path: &str, takes: &ParameterType, given: Given<'_>) -> Option<Setting> {
        let one = matches!(takes, ParameterType::NumberOrText);
        match given {
            Given::Node(node) if node.table().is_some() || one && matches!(node.value, Value::List(_)) => {
                self.wrong(codes::WRONG_TYPE, node.place.clone(), path, takes, node.what());
                None
            }
            Given::Node(node) => Some(Setting::Text(node.show(), node.place.clone())),
            Given::Expr(..) => given.words().map(|(words, place)| Setting::Text(words, place)),
        }
    }

    fn words(&mut self, path: &str, takes: &ParameterType, given: Given<'_>) -> Option<(String, Place)> {
        let words = given.words();
        if words.is_none() {
            self.wrong(codes::WRONG_TYPE, given.place(), path, takes, given.what());
        }
        words
    }

    fn switch(&mut self, path: &str, given: Given<'_>) -> Option<Setting> {
        if let Given::Node(Node { value: Value::Bool(switch), .. }) = given {
            return Some(Setting::Switch(*switch));
        }
        match given.words() {
            Some((words, _)) if words == "true" => Some(Setting::Switch(true)),
            Some((words, _)) if words == "false" => Some(Setting::Switch(false)),
            _ => {
                self.wrong(codes::WRONG_TYPE, given.place(), path, &ParameterType::Switch, given.what());
                None
            }
        }
    }

    fn word(&mut self, path: &str, known: &'static [&'static str], given: Given<'_>) -> Option<Setting> {
        let (words, place) = self.words(path, &ParameterType::Word(known), given)?;
        let word = known.iter().find(|word| **word == words);
        if word.is_none() {
            let message = format!("{} cannot be '{}'", shown(path), shown(&words));
            let help = known_words(&words, "it is one of", known.iter().copied());
            self.problems.at(codes::UNKNOWN_WORD, place, message).help(help);
        }
        word.map(|word| Setting::Word(word))
    }

    fn part(&mut self, path: &str, kinds: &'static [&'static str], given: Given<'_>) -> Option<Setting> {
        let (words, place) = self.words(path, &ParameterType::Part(kinds), given)?;
        let Some(index) = self.known.parts.iter().position(|(name, ..)| *name == words) else {
            let fitting = self
                .known
                .parts
                .iter()
                .filter(|(_, kind, _)| kinds.contains(kind))
                .map(|(name, ..)| name.as_str());
            let help = known_words(&words, "parts that fit", fitting);
            self.problems
                .at(codes::UNKNOWN_PART, place, format!("unknown part '{}'", shown(&words)))
                .help(help);
            return None;
        };
        let kind = self.known.parts[index].1;
        if !kinds.contains(&kind) {
            let message = format!(
                "{} takes a part of kind {}, and '{words}' is a {kind}",
                shown(path),
                kinds.join(" or ")
            );
            self.problems.at(codes::WRONG_KIND, place, message);
            return None;
        }
        Some(Setting::Part(PartId(u16::try_from(index).expect("parts are limited"))))
    }

    fn policy(&mut self, path: &str, given: Given<'_>) -> Option<Setting> {
        let (words, place) = self.words(path, &ParameterType::Policy, given)?;
        let index = self.known.policies.iter().position(|name| *name == words);
        if index.is_none() {
            let help = known_words(&words, "policies", self.known.policies.iter().map(String::as_str));
            self.problems
                .at(codes::UNKNOWN_POLICY, place, format!("unknown policy '{}'", shown(&words)))
                .help(help);
        }
        index.map(|index| Setting::Policy(PolicyId(u16::try_from(index).expect("policies are limited"))))
    }

    fn zones(&mut self, path: &str, given: Given<'_>) -> Option<Setting> {
        let mut zones = Vec::new();
        match given {
            Given::Node(Node { value: Value::List(list), .. }) => {
                for node in list {
                    zones.extend(self.zone(path, Given::Node(node)));
                }
                (zones.len() == list.len()).then_some(())?;
            }
            Given::Expr(text, Spanned { value: Expr::List(list), .. }) => {
                for expr in list {
                    zones.extend(self.zone(path, Given::Expr(text, expr)));
                }
                (zones.len() == list.len()).then_some(())?;
            }
            _ => zones.push(self.zone(path, given)?),
        }
        if zones.is_empty() {
            self.problems.at(codes::OUT_OF_RANGE, given.place(), format!("{} names no zone", shown(path)));
            return None;
        }
        Some(Setting::Zones(zones))
    }

    fn zone(&mut self, path: &str, given: Given<'_>) -> Option<ZoneId> {
        let (words, place) = self.words(path, &ParameterType::Zones, given)?;
        let index = self.known.zones.iter().position(|name| *name == words);
        if index.is_none() {
            let help = known_words(&words, "zones", self.known.zones.iter().map(String::as_str));
            self.problems
                .at(codes::UNKNOWN_ZONE, place, format!("unknown zone '{}'", shown(&words)))
                .help(help);
        }
        index.map(|index| ZoneId(u8::try_from(index).expect("zones are limited")))
    }

    fn list(&mut self, path: &str, inner: &'static ParameterType, given: Given<'_>) -> Option<Setting> {
        let settings: Vec<Option<Setting>> = match given {
            Given::Node(Node { value: Value::List(list), .. }) => {
                list.iter().map(|node| self.value(path, inner, Given::Node(node))).collect()
            }
            Given::Expr(text, Spanned { value: Expr::List(list), .. }) => {
                list.iter().map(|expr| self.value(path, inner, Given::Expr(text, expr))).collect()
            }
            _ => vec![self.value(path, inner, given)], // one stands for a list of one
        };
        settings.into_iter().collect::<Option<Vec<_>>>().map(Setting::List)
    }

    fn table(&mut self, path: &str, inner: &'static ParameterType, given: Given<'_>) -> Option<Setting> {
        let Given::Node(Node { value: Value::Table(table), .. }) = given else {
            self.wrong(codes::WRONG_TYPE, given.place(), path, &ParameterType::Table(inner), given.what());
            return None;
        };
        let mut settings = BTreeMap::new();
        for entry in table.entries() {
            let path = format!("{path}.{}", entry.key);
            settings.insert(entry.key.clone(), self.value(&path, inner, Given::Node(&entry.node))?);
        }
        Some(Setting::Table(settings))
    }

    pub(super) fn wrong(
        &mut self,
        code: &'static str,
        place: Place,
        path: &str,
        takes: &ParameterType,
        is: &str,
    ) {
        let message = format!("{} takes {}, not {is}", shown(path), describe(takes));
        self.problems.at(code, place, message).help(format!("write for example `{}`", example(takes)));
    }
}

/// `cache.pages` of `cache.pages.ttl`.
fn owner(path: &str) -> &str {
    path.rsplit_once('.').map_or(path, |(owner, _)| owner)
}

/// A default as the TOML value that it would be.
fn preset_node(text: &'static str, takes: &ParameterType, place: &Place) -> Node {
    let value = match (takes, text) {
        (ParameterType::List(_) | ParameterType::Zones, "[]") => Value::List(Vec::new()),
        (ParameterType::Table(_), "{}") => Value::Table(Table::default()),
        _ => Value::Text(Text::all_at(text, place)),
    };
    Node { value, place: place.clone() }
}
