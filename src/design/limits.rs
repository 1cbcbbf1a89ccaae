//! Everything has a limit, checked when a design loads; each with its reason.

/// A design is written by hand: 1 MiB is twenty thousand lines. Larger files are refused before they are read.
pub const FILE_BYTES_MAX: u64 = 1 << 20;

/// Data files: a trace of ten million lines.
pub const DATA_BYTES_MAX: u64 = 256 << 20;

/// Files joined by `use`. A design with its experiment takes two.
pub const FILES_MAX: usize = 32;

/// Values in one file, tables and lists counted. Names are compared with each other for "did you mean", which a
/// hostile file must not turn into minutes.
pub const NODES_MAX: usize = 20_000;

/// Nesting of TOML tables and lists. The deepest word of the language, a sweep list within a variant, takes six.
pub const NESTING_MAX: usize = 16;

/// Syntax errors reported for one file. After the first few the parser has lost its way.
pub const SYNTAX_ERRORS_MAX: usize = 20;

/// Problems shown at once. Nobody reads further, and a hostile file must not fill a disk.
pub const PROBLEMS_SHOWN_MAX: usize = 100;

/// Parts. Tiers are numbered by a byte, and workloads, which are tiers too, need room beside them.
pub const PARTS_MAX: usize = 64;

/// Workloads: with [`PARTS_MAX`] parts, what runs the programs of those that are stores, and the kernel they must fit into 256 tiers.
pub const WORKLOADS_MAX: usize = 120;

/// Runs of a cell: a hundred thousand narrow an interval three hundred times.
pub const RUNS_MAX: u64 = 100_000;

/// Members of one part: four million processes of 250 bytes are 1 GB.
pub const MEMBERS_MAX: u64 = 4_000_000;

/// Members of all parts together, for the same reason.
pub const MEMBERS_TOTAL_MAX: u64 = 8_000_000;

/// Users of all workloads together: ten million, in 2.5 GB.
pub const USERS_MAX: u64 = 10_000_000;

/// Programs of a design: readers name them one by one, and ids are 16 bits.
pub const PROGRAMS_MAX: usize = 1_000;

/// Text of one program, bytes: four hundred lines.
pub const PROGRAM_BYTES_MAX: usize = 16 << 10;

/// Tables of one db: table numbers are 16 bits, and keys per table dominate memory long before.
pub const TABLES_MAX: usize = 1_000;

/// Tallies, and names of failures: both numbered by 16 bits.
pub const NAMES_MAX: usize = 10_000;

/// Zones: the network's table of paths has this number squared.
pub const ZONES_MAX: usize = crate::net::ZONES_MAX;

/// Policies: ids are 16 bits.
pub const POLICIES_MAX: usize = 1_000;

/// Variants × sweep points × runs: a million runs of a millisecond are a quarter of an hour on one core.
pub const TRIALS_MAX: u64 = 1_000_000;

/// Cells, variants × sweep points: each is checked before the first run and keeps a design in memory.
pub const CELLS_MAX: usize = 5_000;

/// Requests of one run: about an hour on one core.
pub const REQUESTS_MAX: u64 = 2_000_000_000;

/// Events of one run: about three hours on one core. A run that has more is cut short, and nothing is concluded.
pub const EVENTS_MAX: u64 = 40_000_000_000;

/// Calls in flight, coroutines of programs, and requests of one workload that have not ended: so many of each in one run. A request
/// under way takes about 1.5 kB, and a design that has a million of them at once mostly has no bound on a queue. A run that has more is cut
/// short, and nothing is concluded; `--max-inflight` changes it.
pub const IN_FLIGHT_MAX: u64 = 1_000_000;

/// Events at one instant: half a minute of a run in which time stands still. Ten million users who begin at once have fewer.
pub const AT_INSTANT_MAX: u64 = 200_000_000;

/// Memory of one run, bytes, by our estimate: ten million users with a long run's samples.
pub const MEMORY_BYTES_MAX: u64 = 10_000_000_000;

/// Length of a name, bytes: names stand in tables and legends.
pub const NAME_BYTES_MAX: usize = 64;
