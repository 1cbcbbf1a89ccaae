//! What coroutines compute with, beside the coroutines: most of what happens to a coroutine touches none of it.

use std::hash::{Hash, Hasher};

use crate::base::op::Args;
use crate::base::slab::Key;
use crate::program::interpret::frame::{LOOPS_MAX, REGISTERS_MAX};

/// What one coroutine computes with.
#[derive(Clone, Debug)]
pub(super) struct Locals {
    /// How many registers its program has; what lies in others is of coroutines before it.
    used: u8,
    /// Registers that it has assigned, a bit each.
    pub assigned: u32,
    registers: [i64; REGISTERS_MAX],
    /// What tells the rounds of the loops around a step apart, by depth; what is deeper than the coroutine is of loops that have ended.
    pub rounds: [u64; LOOPS_MAX + 1],
}

impl Locals {
    /// The registers of its program.
    pub fn registers(&self) -> &[i64] {
        &self.registers[..self.used as usize]
    }

    /// The registers of its program.
    pub fn registers_mut(&mut self) -> &mut [i64] {
        &mut self.registers[..self.used as usize]
    }

    /// Assigns a register.
    pub fn store(&mut self, register: u8, value: i64) {
        self.registers[register as usize] = value;
        self.assigned |= 1 << register;
    }

    /// Hashes what a coroutine at some depth of loops can see.
    pub fn hash_to<H: Hasher>(&self, depth: u8, state: &mut H) {
        (self.assigned, self.registers(), &self.rounds[..=depth as usize]).hash(state);
    }
}

/// The locals of all coroutines, by the place of the coroutine.
#[derive(Clone, Debug, Default)]
pub(super) struct AllLocals(Vec<Locals>);

impl AllLocals {
    /// Those of a new activation: its arguments, and zeros.
    pub fn begin(&mut self, coroutine: Key, args: &Args, used: u8) {
        let place = coroutine.slot as usize;
        if place >= self.0.len() {
            let none =
                Locals { used, assigned: 0, registers: [0; REGISTERS_MAX], rounds: [0; LOOPS_MAX + 1] };
            self.0.resize(place + 1, none);
        }
        let locals = &mut self.0[place];
        (locals.used, locals.assigned, locals.rounds[0]) = (used, 0, 0);
        let (given, others) = locals.registers_mut().split_at_mut(args.len());
        given.copy_from_slice(args);
        others.fill(0);
    }

    /// Those of a branch: what its parent has, none of it assigned by the branch.
    pub fn branch(&mut self, coroutine: Key, parent: Key) -> &mut Locals {
        let copy = Locals { assigned: 0, ..self.of(parent).clone() };
        let place = coroutine.slot as usize;
        if place >= self.0.len() {
            self.0.resize(place + 1, copy.clone());
        }
        self.0[place] = copy;
        &mut self.0[place]
    }

    /// A parent takes over what a branch has assigned.
    pub fn join(&mut self, parent: Key, branch: Key) {
        let branch = self.of(branch).clone();
        let above = self.of_mut(parent);
        for (register, value) in branch.registers().iter().enumerate() {
            if branch.assigned >> register & 1 == 1 {
                above.registers[register] = *value;
            }
        }
        above.assigned |= branch.assigned;
    }

    /// Those of a coroutine.
    pub fn of(&self, coroutine: Key) -> &Locals {
        &self.0[coroutine.slot as usize]
    }

    /// Those of a coroutine.
    pub fn of_mut(&mut self, coroutine: Key) -> &mut Locals {
        &mut self.0[coroutine.slot as usize]
    }
}
