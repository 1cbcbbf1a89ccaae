//! Workloads from their entries: whom they call with which arguments, and when.

use std::sync::Arc;

use crate::base::ids::{ProbeId, ZoneId};
use crate::base::parameter::Setting;
use crate::base::problem::{Place, Problems};
use crate::base::quantity::Unit;
use crate::base::rng::name_hash;
use crate::base::time::{Span, Time};
use crate::components::client::plan::{CallPlan, ClientPlan};
use crate::components::directory::Directory;
use crate::components::mech::arrivals::{Arrivals, arrivals};
use crate::components::mech::key_distribution::{KeyDistribution, key_distribution};
use crate::components::mech::policy::{Answers, Policy};
use crate::design::codes;
use crate::design::file::Data;
use crate::design::resolve::Design;
use crate::design::text::Text;
use crate::design::tree::Table;
use crate::experiment::trace::TraceFiles;
use crate::program::compile::{order_arguments, target};
use crate::program::distribution::whole_mix;
use crate::program::syntax::{ArgKey, Expr, Function, Spanned, SyntaxError, expression};

/// A workload, resolved but for the directory and the policies, which come with the world.
#[derive(Clone)]
pub struct Workload {
    /// Its name.
    pub name: String,
    /// What it does.
    pub plan: ClientPlan,
    /// Zones of its members.
    pub zones: Vec<ZoneId>,
}

/// Reads all workloads, in order of name.
pub fn workloads(
    design: &mut Design,
    first_probe: ProbeId,
    data: Data<'_>,
    problems: &mut Problems,
) -> Vec<Workload> {
    let mut entries = design.entries.named("workload").to_vec();
    entries.sort_by(|a, b| a.key.cmp(&b.key));
    let mut workloads = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let Some(table) = entry.node.table() else { continue };
        let probe = ProbeId(first_probe.0 + index as u16);
        let found = Reading { design, data, problems, files: TraceFiles::default() }
            .workload(&entry.key, table, probe);
        workloads.extend(found);
    }
    workloads
}

/// Adds the problem of a text.
pub fn add(problems: &mut Problems, text: &Text, error: SyntaxError) {
    problems.at(codes::SYNTAX, text.place(error.at), error.message).help = error.help;
}

struct Reading<'a> {
    design: &'a mut Design,
    data: Data<'a>,
    problems: &'a mut Problems,
    files: TraceFiles,
}

impl Reading<'_> {
    fn workload(&mut self, name: &str, table: &Table, probe: ProbeId) -> Option<Workload> {
        let arrive = table.get("arrive")?.text()?.clone();
        let what = table.get("do")?.text()?.clone();
        let (arrivals, calls) = (self.arrivals(&arrive), self.calls(&what));
        let (arrivals, calls) = (arrivals?, calls?);
        let policy = match table.get("with").and_then(|node| node.text()) {
            Some(with) => self.design.policy(with.as_str())?,
            None => self.design.default_policy(),
        };
        let (zones, shares) = match table.get("zone") {
            Some(named) => {
                let zones = named.list_or_itself().iter();
                let zones: Option<Vec<ZoneId>> =
                    zones.map(|zone| self.design.zone(zone.text()?.as_str())).collect();
                let zones = zones?;
                let shares = cumulative(zones.iter().map(|zone| (*zone, 1.0)));
                (zones, shares)
            }
            None => (self.zones(), cumulative(self.users())),
        };
        let shares = if arrivals.of_one_customer() { Vec::new() } else { shares };
        let (from, to) = (self.instant(table, "from", Time::ZERO), self.instant(table, "to", Time::NEVER));
        if let (true, Some(node)) = (to <= from, table.get("to")) {
            let message = format!("workload '{name}' would end at {to} and begin at {from}");
            self.problems
                .at(codes::DOES_NOT_FIT, node.place.clone(), message)
                .help("write `to` after `from`");
            return None;
        }
        let plan = ClientPlan {
            name: name_hash(name),
            arrivals,
            calls,
            policy,
            policies: Arc::<[Policy]>::from([]),
            answers: Answers::default(),
            directory: Arc::<Directory>::default(),
            probe,
            from,
            to,
            zones: shares.into(),
        };
        Some(Workload { name: name.to_owned(), plan, zones })
    }

    /// Zones with their shares of the users.
    fn users(&self) -> impl Iterator<Item = (ZoneId, f64)> + Clone {
        let zones = self.design.places.zones.iter().enumerate();
        zones.filter_map(|(index, parameters)| match parameters.get("users") {
            Some(Setting::Number(share)) if *share > 0.0 => Some((ZoneId(index as u8), *share)),
            _ => None,
        })
    }

    /// Where users sit: by the zones' shares, a hundred places; in the first zone without shares.
    fn zones(&self) -> Vec<ZoneId> {
        let places = self.users();
        let places: Vec<ZoneId> = places
            .flat_map(|(zone, share)| std::iter::repeat_n(zone, (share * 100.0).round() as usize))
            .collect();
        if places.is_empty() { vec![ZoneId(0)] } else { places }
    }

    fn instant(&mut self, table: &Table, key: &str, default: Time) -> Time {
        let Some(text) = table.get(key).and_then(|node| node.text()) else { return default };
        match expression(text.as_str()).map(|expr| expr.value) {
            Ok(Expr::Number(quantity)) if quantity.unit == Unit::Span => Time::from_ns(quantity.value as u64),
            _ => default, // the loader has checked
        }
    }

    fn parsed(&mut self, text: &Text) -> Option<Spanned<Expr>> {
        match expression(text.as_str()) {
            Ok(expr) => Some(expr),
            Err(error) => {
                add(self.problems, text, error);
                None
            }
        }
    }

    fn arrivals(&mut self, text: &Text) -> Option<Arrivals> {
        let expr = self.parsed(text)?;
        let data = self.data;
        let place: Place = text.place(0..text.as_str().len());
        self.files.attach(&data, place.file);
        let files = |path: &str| data.read(place.file, path);
        let found = arrivals(&expr, &self.files.reading(&data), &files);
        self.files.remember(&expr, &data);
        match found {
            Ok(arrivals) => Some(arrivals),
            Err(error) => {
                add(self.problems, text, error);
                None
            }
        }
    }

    fn calls(&mut self, text: &Text) -> Option<Vec<CallPlan>> {
        let expr = self.parsed(text)?;
        let result = match &expr.value {
            Expr::Call(mix) if mix.name.value == "mix" => self.mix(&expr, mix),
            _ => self.call(&expr, 1.0).map(|call| vec![call]),
        };
        match result {
            Ok(calls) => Some(calls),
            Err(errors) => {
                for error in errors {
                    add(self.problems, text, error);
                }
                None
            }
        }
    }

    fn mix(&mut self, whole: &Spanned<Expr>, mix: &Function) -> Result<Vec<CallPlan>, Vec<SyntaxError>> {
        let mut total = 0.0;
        let mut calls = Vec::new();
        for arg in &mix.args {
            match &arg.key {
                Some(Spanned { value: ArgKey::Number(share), .. }) if share.unit == Unit::Share => {
                    total += share.value
                }
                _ => {
                    let message = "each call of a mix has its share".to_owned();
                    let help = Some("write `mix(90%=feed(post=1), 10%=like(post=1))`".to_owned());
                    return Err(vec![SyntaxError { at: arg.value.at.clone(), message, help }]);
                }
            }
            calls.push(self.call(&arg.value, total)?);
        }
        whole_mix(whole, total).map_err(|error| vec![error])?;
        Ok(calls)
    }

    fn call(&mut self, expr: &Spanned<Expr>, upto: f64) -> Result<CallPlan, Vec<SyntaxError>> {
        let (path, args) = match &expr.value {
            Expr::Call(call) => (call.name.value.clone(), call.args.clone()),
            other => (other.to_string(), Vec::new()),
        };
        let mut start = expr.at.start;
        let path: Vec<Spanned<String>> = path
            .split('.')
            .map(|part| {
                let at = start..start + part.len();
                start = at.end + 1;
                Spanned { value: part.to_owned(), at }
            })
            .collect();
        let target = target(&self.design.scope(), &path).map_err(|error| vec![error])?;
        let ordered = order_arguments(&args, &target.parameters, &expr.at)?;
        let key_distributions: Result<Vec<KeyDistribution>, SyntaxError> = ordered
            .iter()
            .flatten()
            .map(|arg| key_distribution(arg, &self.files.reading(&self.data)))
            .collect();
        let args = key_distributions.map_err(|error| vec![error])?;
        let probe = match target.program {
            Some(program) => ProbeId(program.0),
            None => ProbeId((self.design.programs.0.len() + target.to.index()) as u16),
        };
        Ok(CallPlan { upto, to: target.to, program: target.program, args, probe })
    }
}

/// Zones by cumulative share of the whole.
fn cumulative(shares: impl Iterator<Item = (ZoneId, f64)> + Clone) -> Vec<(f64, ZoneId)> {
    let whole: f64 = shares.clone().map(|(_, share)| share).sum();
    let mut upto = 0.0;
    let cumulative = shares.map(|(zone, share)| {
        upto += share;
        (upto / whole, zone)
    });
    cumulative.collect()
}

/// How many requests a workload brings in `length`, about: for limits and progress.
pub fn expected_requests(plan: &ClientPlan, length: Span) -> f64 {
    let until = plan.to.min(Time::ZERO + length);
    let seconds = until.since(plan.from).as_secs_f64();
    match &plan.arrivals {
        Arrivals::Poisson(rate) | Arrivals::Even(rate) | Arrivals::Serial { rate, .. } => rate * seconds,
        Arrivals::Rate(points) => points.iter().map(|(_, rate)| *rate).fold(0.0, f64::max) * seconds,
        Arrivals::Users { count, think } => {
            f64::from(*count) * (1.0 + seconds * 1e9 / think.mean().unwrap_or(1e9).max(1e6))
        }
        Arrivals::Once(count) => *count as f64,
        Arrivals::Trace(instants) => instants.len() as f64,
    }
}
