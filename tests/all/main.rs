//! The one integration binary: whole files in, whole results out.

mod cap;
mod cli;
mod clocks;
mod designs;
mod docs;
mod elsewhere;
mod faults;
mod forks;
mod golden;
mod histories;
mod honest;
mod hosting;
mod house;
mod locks;
mod random_numbers;
mod readme;
mod refusals;
mod replicas;
mod rows;
mod runs;
mod servers;
mod stampede;
mod support;
mod transactions;
mod verdicts;
mod worlds;
