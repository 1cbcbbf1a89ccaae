//! What a design says to those who judge the history of a run (tables, programs, values at the start), and to theory.

use crate::base::ids::{Pid, ProbeId, ProgramId, TierId, ZoneId};
use crate::base::parameter::Setting;
use crate::base::quantity::{Quantity, Unit};
use crate::design::patch::{Path, get};
use crate::experiment::cells::{mean_time, number, only_time};
use crate::experiment::load::Cell;
use crate::experiment::setup::Setup;
use crate::experiment::theory::Numbers;
use crate::measures::expression::Names;
use crate::measures::verdicts::{Facts, Merging};
use crate::program::compile::scope::PartRole;
use crate::program::instr::Instr;
use crate::record::history::RowName;

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

/// A program by a name that it is measured under, with the tables that it reads or writes.
pub(super) fn program(setup: &Setup, name: &str) -> Option<(ProbeId, Vec<(TierId, u16)>)> {
    let probe = setup.probe(name)?;
    let program = setup.design.programs.0.get(probe.index())?;
    let mut tables: Vec<(TierId, u16)> = program.code.iter().filter_map(table).collect();
    tables.sort_unstable();
    tables.dedup();
    Some((probe, tables))
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

/// A store, and its tables.
pub(super) fn store(setup: &Setup, name: &str) -> Option<(TierId, Vec<u16>)> {
    let part = setup.design.part(name)?;
    let tables = setup.design.naming.tables[part.index()].len();
    (setup.design.names[part.index()].role == PartRole::Stores)
        .then(|| (TierId(part.0 as u8), (0..tables as u16).collect()))
}

/// Every store, and every table as `kv.balance`.
pub(super) fn stores(setup: &Setup) -> Vec<String> {
    let mut all = Vec::new();
    for (part, tables) in setup.design.names.iter().zip(&setup.design.naming.tables) {
        if part.role == PartRole::Stores {
            all.push(part.name.clone());
            all.extend(tables.iter().map(|table| format!("{}.{table}", part.name)));
        }
    }
    all
}

impl Numbers for Cell {
    /// What is written there, the mean of a distribution of times, or of the only time that a program (`on.app.page`) takes.
    fn parameter(&self, path: &str) -> Option<Quantity> {
        let shown = get(&self.tree, &Path::parse(path)?, &self.setup.design.kinds)?.show();
        number(&shown).or_else(|| mean_time(&shown)).or_else(|| only_time(&shown))
    }

    fn latency(&self, from: &str, to: &str) -> Option<Quantity> {
        let design = &self.setup.design;
        let zone = |name: &str| design.known.zones.iter().position(|known| known == name);
        let (from, to) = (ZoneId(zone(from)? as u8), ZoneId(zone(to)? as u8));
        let mean = design.places.path(from, to).latency.mean()?;
        Some(Quantity { value: mean, exact: None, unit: Unit::Span })
    }
}
