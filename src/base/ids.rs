//! Names of things inside a run: small `Copy` numbers, given out when a design is built.

/// A tier: N like processes of one part. At most 255; 255 itself is the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TierId(pub u8);

/// A process: one member of a tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pid {
    /// The tier it belongs to.
    pub tier: TierId,
    /// Its place in the tier, from 0.
    pub member: u32,
}

impl Pid {
    /// Member `member` of tier `tier`.
    pub const fn new(tier: TierId, member: u32) -> Self {
        Pid { tier, member }
    }
}

macro_rules! small_id {
    ($(#[$doc:meta])* $name:ident($int:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $int);
        impl $name {
            /// As an index.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

small_id!(/** A zone: a place on the network. */ ZoneId(u8));
small_id!(/** A program, design-wide. */ ProgramId(u16));
small_id!(/** A caller's policy (timeout, retry), design-wide. */ PolicyId(u16));
small_id!(/** A part, design-wide: an index into the design's parts in order of name. */ PartId(u16));
small_id!(/** A named counter of a part (`pages.hits`), design-wide. */ SeriesId(u16));
small_id!(/** A tally of a program (`tally order`), design-wide. */ TallyId(u16));
small_id!(/** A recorder of request latencies: one per program (and workload) that a measure can name. */ ProbeId(u16));

/// An outstanding call. Generational: the slot is used again after both ends have let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId {
    /// Place in the kernel's slab.
    pub slot: u32,
    /// Which use of that place.
    pub generation: u32,
}

/// A cancellable timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId {
    /// Place in the kernel's slab.
    pub slot: u32,
    /// Which use of that place.
    pub generation: u32,
}

/// One `sync` of a process's disk: everything appended before it is safe once it completes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SyncId(pub u64);

/// The identity of one attempt to change a value, unique in a run; 0 is "the initial value".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId(pub u64);
