//! What a design says to measures (its names), and to those who judge the history of a run (tables, programs, values at the start).

use crate::base::ids::{PartId, Pid, ProbeId, ProgramId, SeriesId, TallyId, TierId};
use crate::base::op::{REASONS, Reason};
use crate::base::parameter::Setting;
use crate::base::series::{Series, SeriesKind};
use crate::components::part::PartName;
use crate::experiment::setup::Setup;
use crate::measures::expression::Names;
use crate::measures::verdicts::{Facts, Merging};
use crate::program::compile::scope::PartRole;
use crate::program::instr::Instr;
use crate::record::history::RowName;
use crate::record::series::SeriesName;

impl Names for Setup {
    fn probe(&self, name: &str) -> Option<ProbeId> {
        let position = self.probe_names.iter().position(|names| names.iter().any(|known| known == name))?;
        Some(ProbeId(position as u16))
    }

    fn series(&self, name: &str) -> Option<(SeriesName, Series)> {
        let (whole, member) = with_member(self, name)?;
        let id = self.design.series(&whole)?;
        let series = self.design.series[id.index()].1;
        (member.is_none() || !series.of_whole).then_some((SeriesName { id, member }, series))
    }

    fn no_such_member(&self, name: &str) -> Option<String> {
        let (part, _) = name.split_once('[')?;
        let PartName { name: part, count, .. } = &self.design.names[self.design.part(part)?.index()];
        match with_member(self, name) {
            None if *count == 1 => Some(format!("`{part}` has one member, `{part}[0]`")),
            None => Some(format!("members of `{part}`: `{part}[0]` to `{part}[{}]`", count - 1)),
            Some((whole, _)) => {
                let series = self.design.series[self.design.series(&whole)?.index()].1;
                series.of_whole.then(|| format!("its members have none of their own; write `{whole}`"))
            }
        }
    }

    fn is_level(&self, series: SeriesId) -> bool {
        self.design.series.get(series.index()).is_some_and(|(_, series)| series.kind == SeriesKind::Level)
    }

    fn reasons(&self, name: &str) -> Vec<Reason> {
        let ours = REASONS.iter().filter(|(known, ..)| *known == name).map(|(_, reason, _)| *reason);
        let named = (0u16..).zip(&self.design.naming.failures).filter(|(_, known)| *known == name);
        ours.chain(named.map(|(number, _)| Reason::Named(number))).collect()
    }

    fn all_reasons(&self) -> Vec<String> {
        let ours = REASONS.iter().map(|(name, ..)| (*name).to_owned());
        self.design.naming.failures.iter().cloned().chain(ours).collect()
    }

    fn part(&self, name: &str) -> Option<TierId> {
        self.design.part(name).map(|part| self.design.names[part.index()].tier)
    }

    fn tally(&self, name: &str) -> Option<TallyId> {
        let position = self.design.naming.tallies.iter().position(|tally| tally == name)?;
        Some(TallyId(position as u16))
    }

    fn cores(&self, name: &str) -> Option<(f64, SeriesName)> {
        let (part, member) = with_member(self, name)?;
        let busy = SeriesName { id: self.design.series(&format!("{part}.busy"))?, member };
        let id = self.design.part(&part)?;
        let members = if member.is_some() { 1 } else { self.design.names[id.index()].count };
        match self.design.parameters[id.index()].get("cores") {
            Some(Setting::Count(cores)) if *cores < u64::from(u32::MAX) => {
                Some((*cores as f64 * f64::from(members), busy))
            }
            _ => None,
        }
    }

    fn initial(&self, db: &str, table: &str, key: i64) -> Option<f64> {
        let id = self.design.part(db)?;
        let Some(Setting::Table(tables)) = self.design.parameters[id.index()].get("start") else {
            return None;
        };
        match tables.get(table)? {
            Setting::Constructor("each", each) if key >= 0 && key as u64 <= each.count("keys") => {
                Some(each.count("n") as f64)
            }
            _ => None,
        }
    }

    fn fault(&self, name: &str) -> bool {
        self.design.entries.named("fault").iter().any(|entry| entry.key == name)
    }

    fn program(&self, name: &str) -> Option<(ProbeId, Vec<(TierId, u16)>)> {
        let probe = self.probe(name)?;
        let program = self.design.programs.0.get(probe.index())?;
        let mut tables: Vec<(TierId, u16)> = program.code.iter().filter_map(table).collect();
        tables.sort_unstable();
        tables.dedup();
        Some((probe, tables))
    }

    fn table(&self, store: &str, table: &str) -> Option<(TierId, u16)> {
        let (tier, _) = Names::store(self, store)?;
        let tables = &self.design.naming.tables[tier.0 as usize];
        tables.iter().position(|known| known == table).map(|index| (tier, index as u16))
    }

    fn lock(&self, name: &str) -> Option<PartId> {
        self.design.part(name).filter(|part| self.design.names[part.index()].role == PartRole::Locks)
    }

    fn store(&self, name: &str) -> Option<(TierId, Vec<u16>)> {
        let part = self.design.part(name)?;
        let tables = self.design.naming.tables[part.index()].len();
        (self.design.names[part.index()].role == PartRole::Stores)
            .then(|| (TierId(part.0 as u8), (0..tables as u16).collect()))
    }

    fn stores(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (part, tables) in self.design.names.iter().zip(&self.design.naming.tables) {
            if part.role == PartRole::Stores {
                all.push(part.name.clone());
                all.extend(tables.iter().map(|table| format!("{}.{table}", part.name)));
            }
        }
        all
    }

    fn all(&self) -> Vec<String> {
        let mut all: Vec<String> = self.probe_names.iter().flatten().cloned().collect();
        all.extend(self.design.series.iter().map(|(name, _)| name.clone()));
        all.extend(self.design.naming.tallies.iter().cloned());
        all
    }
}

/// `app[1].busy` as `app.busy` and a member of `app` that there is; without a member the name as it is.
fn with_member(setup: &Setup, name: &str) -> Option<(String, Option<Pid>)> {
    let Some((part, rest)) = name.split_once('[') else { return Some((name.to_owned(), None)) };
    let (member, rest) = rest.split_once(']')?;
    let known = &setup.design.names[setup.design.part(part)?.index()];
    let member = member.parse().ok().filter(|member| *member < known.count)?;
    Some((format!("{part}{rest}"), Some(Pid::new(known.tier, member))))
}

impl Facts for Setup {
    fn table(&self, store: TierId, table: u16) -> String {
        let store = store.0 as usize;
        let table = self.design.naming.tables[store].get(table as usize).map_or("", String::as_str);
        format!("{}.{table}", self.design.names[store].name)
    }

    fn program(&self, program: ProgramId) -> String {
        self.design.programs.0.get(program.index()).map_or(String::new(), |program| program.name.clone())
    }

    fn member(&self, member: Pid) -> String {
        let part = self.design.names.get(member.tier.0 as usize).map_or("", |part| part.name.as_str());
        format!("{part}[{}]", member.member)
    }

    fn initial(&self, row: RowName) -> i64 {
        let store = row.store.0 as usize;
        let table = self.design.naming.tables[store].get(row.table as usize);
        let value =
            table.and_then(|table| Names::initial(self, &self.design.names[store].name, table, row.key));
        value.map_or(0, |value| value as i64)
    }

    fn merging(&self, store: TierId) -> Merging {
        match self.design.parameters[store.0 as usize].get("merge") {
            Some(Setting::Word("counter")) => Merging::Adds,
            Some(Setting::Word("siblings")) => Merging::Keeps,
            _ => Merging::Replaces,
        }
    }

    fn copies(&self, store: TierId) -> u8 {
        u8::try_from(self.design.names[store.0 as usize].count).unwrap_or(u8::MAX)
    }
}

fn table(instr: &Instr) -> Option<(TierId, u16)> {
    match instr {
        Instr::Read { db, table, .. } | Instr::Write { db, table, .. } | Instr::Update { db, table, .. } => {
            Some((TierId(db.0 as u8), *table))
        }
        _ => None,
    }
}

/// Whether a program writes rows of a table by what they shall be, and not by what shall change.
pub(super) fn is_written_outright(setup: &Setup, written: (TierId, u16)) -> bool {
    let mut code = setup.design.programs.0.iter().flat_map(|program| &program.code);
    code.any(|instr| matches!(instr, Instr::Write { .. }) && table(instr) == Some(written))
}
