//! The one integration binary: whole files in, whole results out.

mod cli;
mod designs;
mod docs;
mod elsewhere;
mod golden;
mod histories;
mod house;
mod random_numbers;
mod readme;
mod rows;
mod runs;
mod servers;
mod stampede;
mod support;
mod worlds;
