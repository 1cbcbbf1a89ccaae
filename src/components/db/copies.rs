//! How a store's copies agree: the parameters, and what they make of a plan.

use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset, Setting};
use crate::base::problem::Problems;
use crate::base::time::Span;
use crate::components::db::fitting::{Fitting, fits};
use crate::components::part::Names;
use crate::components::replication::leader::plan::{Ack, Election, LeaderPlan, Rule};
use crate::components::replication::multi_leader::plan::{AGAIN_FIRST, MultiLeaderPlan};
use crate::components::replication::quorum::plan::QuorumPlan;
use crate::components::storage::cell::{COPIES_MAX, Merge};
use crate::components::storage::legs::WarsDelays;
use crate::components::storage::pace::{APPLY, LAG, PerCopy, SEND, SEND_AT_ONCE, time};
use crate::components::storage::plan::StorePlan;
use crate::components::storage::rows::Tables;

/// How many copies.
pub const COPIES: Parameter = Parameter {
    name: "copies",
    takes: ParameterType::Count { min: 1, max: COPIES_MAX as u64 },
    default: Preset::Absent,
    doc: "How many copies of the data, 1 to 9, one in each zone of `at` in turn; without it as many as `at` has zones.",
};

/// How they agree.
pub const COPY: Parameter = Parameter {
    name: "copy",
    takes: ParameterType::Constructor(FORMS),
    default: Preset::Absent,
    doc: "How several copies agree; it must be given when there are several.",
};

/// What becomes of concurrent writes.
pub const MERGE: Parameter = Parameter {
    name: "merge",
    takes: ParameterType::Word(&["last_write", "siblings", "counter"]),
    default: Preset::Is { text: "last_write", source: "Cassandra" },
    doc: "What becomes of concurrent writes where several members accept them: the newer clock wins, both stay until somebody \
          replaces them, additions add up. With `async` of what a deposed leader had accepted and its successor never had: it is \
          dropped, or (`counter`) its additions are added again, whatever they were conditional on.",
};

/// How long clients avoid a member.
pub const AVOID: Parameter = Parameter {
    name: "avoid",
    takes: ParameterType::Span { min: Span::ZERO, max: Span::MAX },
    default: Preset::Is { text: "5s", source: "a few times the patience of one request" },
    doc: "How long a client that had no answer from one of several members asks the next nearest instead. A server then asks it first whether it \
          is there, and again as long later if it is not.",
};

/// How long a connection may take to come about.
pub const CONNECT: Parameter = Parameter {
    name: "connect",
    takes: ParameterType::Span { min: Span::from_ns(1), max: Span::MAX },
    default: Preset::Is {
        text: "2s",
        source: "etcdctl, --dial-timeout; MongoDB's drivers 10 to 30 s, libpq for ever",
    },
    doc: "How long a client of several members waits for a connection to one of them before it asks the next nearest: nothing has happened \
          then. Requests of a workload open theirs; a server has one to each member, and tries that often to get one back.",
};

/// When a client asks for a sign of life.
pub const KEEPALIVE: Parameter = Parameter {
    name: "keepalive",
    takes: ParameterType::Span { min: Span::from_ns(1), max: Span::MAX },
    default: Preset::Is {
        text: "2s",
        source: "etcdctl, --keepalive-time; MongoDB's drivers, heartbeatFrequencyMS: 10 s",
    },
    doc: "After this without an answer a client asks one of several members whether it is there.",
};

/// How long that may take.
pub const KEEPALIVE_TIMEOUT: Parameter = Parameter {
    name: "keepalive_timeout",
    takes: ParameterType::Span { min: Span::from_ns(1), max: Span::MAX },
    default: Preset::Is {
        text: "6s",
        source: "etcdctl, --keepalive-timeout; gRPC 20 s, MongoDB's drivers 10 s (connectTimeoutMS)",
    },
    doc: "After this without a sign of life the connection is broken: what was read is asked of the next nearest, and nobody knows what became \
          of changes.",
};

const HEARTBEAT: Parameter = Parameter {
    name: "heartbeat",
    takes: ParameterType::Span { min: Span::from_ns(1_000), max: Span::MAX },
    default: Preset::Is {
        text: "50ms",
        source: "Ongaro 2014, section 9.6: half of the least election timeout or less",
    },
    doc: "How often a leader with nothing to say tells the others that it is there.",
};

const LINGER: Parameter = Parameter {
    name: "linger",
    takes: ParameterType::Span { min: Span::from_ns(1_000), max: Span::MAX },
    default: Preset::Is {
        text: "500ms",
        source: "no published figure: more than a round trip round the globe; etcd waits 5 s and two election timeouts (ReqTimeout)",
    },
    doc: "How long a member that has sent a change on to a leader waits for its answer once another one leads: the old one answers when it \
          hears of that, if it can be reached. Then nobody knows what became of the change.",
};

const BEGIN: Parameter = Parameter {
    name: "begin",
    takes: ParameterType::Word(&["led", "election"]),
    default: Preset::Is { text: "led", source: "a run begins in a cluster's steady state" },
    doc: "Whether member 0 leads from the start, or the first leader has to be elected.",
};

const FORMS: &[Constructor] = &[
    Constructor { name: "none", parameters: &[], doc: "There is one copy." },
    Constructor {
        name: "async",
        parameters: &[APPLY, LAG, SEND, HEARTBEAT, LINGER, BEGIN],
        doc: "A leader acknowledges what its own disk has; the others follow.",
    },
    Constructor {
        name: "sync",
        parameters: &[
            Parameter {
                name: "of",
                takes: ParameterType::Count { min: 1, max: COPIES_MAX as u64 },
                default: Preset::Required,
                doc: "How many copies must have a write, the leader's included, before it is acknowledged.",
            },
            Parameter {
                name: "ack",
                takes: ParameterType::Word(&["receive", "flush", "apply"]),
                default: Preset::Is { text: "flush", source: "PostgreSQL, synchronous_commit = on" },
                doc: "What a copy has done when it acknowledges: received the write, made it safe, or applied it, so that it shows it from \
                      then on (PostgreSQL, synchronous_commit: remote_write, on, remote_apply). With `apply` and `of` as many as there are \
                      copies, whoever was acknowledged a write sees it at any copy; with fewer at so many of them, and nobody says at which.",
            },
            APPLY,
            LAG,
            SEND_AT_ONCE,
            HEARTBEAT,
            LINGER,
            BEGIN,
        ],
        doc: "A leader acknowledges what so many copies have.",
    },
    Constructor {
        name: "raft",
        parameters: &[
            Parameter {
                name: "election",
                takes: ParameterType::Distribution,
                default: Preset::Is { text: "uniform(150ms, 300ms)", source: "Ongaro 2014, section 3.4" },
                doc: "How long a member that hears of no leader waits before it stands for election; drawn anew each time.",
            },
            HEARTBEAT,
            Parameter {
                name: "pre_vote",
                takes: ParameterType::Switch,
                default: Preset::Is { text: "false", source: "an extension: Ongaro 2014, section 9.6" },
                doc: "Whether a member asks first whether it would be elected, so that one that was cut off disturbs nobody.",
            },
            Parameter {
                name: "lease",
                takes: ParameterType::Span { min: Span::ZERO, max: Span::MAX },
                default: Preset::Is {
                    text: "0s",
                    source: "each read asks a majority: Ongaro 2014, section 6.4",
                },
                doc: "How long, by its own clock, a leader that a majority has answered reads without asking again; less than \
                      the least election timeout, or somebody else may lead by then.",
            },
            APPLY,
            LAG,
            SEND_AT_ONCE,
            LINGER,
            BEGIN,
        ],
        doc: "Raft: a leader acknowledges what a majority has, and is elected by one.",
    },
    Constructor {
        name: "quorum",
        parameters: &[
            Parameter {
                name: "r",
                takes: ParameterType::Count { min: 1, max: COPIES_MAX as u64 },
                default: Preset::Required,
                doc: "How many copies must answer a read.",
            },
            Parameter {
                name: "w",
                takes: ParameterType::Count { min: 1, max: COPIES_MAX as u64 },
                default: Preset::Required,
                doc: "How many copies must have a write safe.",
            },
            Parameter {
                name: "ask",
                takes: ParameterType::Word(&["all", "enough"]),
                default: Preset::Is { text: "all", source: "Dynamo, section 4.5" },
                doc: "Whether all copies are asked, of which the first count, or no more than are needed, by lot: what the others \
                      are not told they never learn, but for repair.",
            },
            Parameter {
                name: "repair",
                takes: ParameterType::Switch,
                default: Preset::Is { text: "true", source: "Dynamo, section 5: read repair" },
                doc: "Whether copies that answer a read with old values are brought up to date.",
            },
            Parameter {
                name: "hints",
                takes: ParameterType::Span { min: Span::ZERO, max: Span::MAX },
                default: Preset::Is { text: "10s", source: "Cassandra: hints are dispatched every 10 s" },
                doc: "How often writes that a copy has not confirmed are sent to it again; 0s for never.",
            },
            Parameter {
                name: "patience",
                takes: ParameterType::Span { min: Span::from_ns(1), max: Span::MAX },
                default: Preset::Is { text: "2s", source: "Cassandra: write_request_timeout" },
                doc: "How long whoever is asked waits for the copies: then the operation fails, and a write becomes a hint for \
                      those that have not confirmed it.",
            },
        ],
        doc: "No leader: whoever is asked asks all copies at once and waits for R or W of them.",
    },
    Constructor {
        name: "multi_leader",
        parameters: &[
            APPLY,
            LAG,
            SEND,
            Parameter {
                name: "again",
                takes: ParameterType::Span { min: AGAIN_FIRST, max: Span::MAX },
                default: Preset::Is { text: "5s", source: "PostgreSQL, wal_retrieve_retry_interval" },
                doc: "How long a member waits at most before it sends again what another has not confirmed; the first time 200 ms, \
                      then twice as long each time.",
            },
        ],
        doc: "Every member leads: it acknowledges what its own disk has, and sends its log of changes to all others.",
    },
];

/// When somebody else takes over.
pub const FAILOVER: Parameter = Parameter {
    name: "failover",
    takes: ParameterType::Constructor(&[Constructor {
        name: "after",
        parameters: &[
            Parameter {
                name: "span",
                takes: ParameterType::Span { min: Span::from_ns(1_000_000), max: Span::MAX },
                default: Preset::Required,
                doc: "How long nobody has heard of the leader.",
            },
            Parameter {
                name: "by",
                takes: ParameterType::Word(&["majority", "each"]),
                default: Preset::Is { text: "majority", source: "anything less elects two" },
                doc: "Whether a majority of copies must agree, or each decides alone (which elects two).",
            },
        ],
        doc: "After some time without a word from the leader.",
    }]),
    default: Preset::Absent,
    doc: "When another member takes over from a leader that is not heard of, with `async` and `sync`; without it never.",
};

/// How a store's copies agree.
#[derive(Clone, Debug)]
pub enum Copies {
    /// There is one.
    One(StorePlan),
    /// By quorums.
    Quorum(QuorumPlan),
    /// By a leader's log.
    Leader(LeaderPlan<Tables>),
    /// By telling each other.
    MultiLeader(MultiLeaderPlan),
}

/// From checked parameters; says what does not fit together.
pub fn copies(
    parameters: &Parameters,
    names: &Names,
    plan: StorePlan,
    patience: Span,
    problems: &mut Problems,
) -> Option<Copies> {
    let count = names.parts[names.me.index()].count;
    let single = Parameters::default();
    let (form, copy) = match parameters.get("copy") {
        Some(Setting::Constructor(form, copy)) => (*form, copy),
        _ => ("none", &single),
    };
    if !fits(&Fitting { form, copy, count }, parameters, names, problems) {
        return None;
    }
    let merge = match parameters.word("merge") {
        "siblings" => Merge::Siblings,
        "counter" => Merge::Counter,
        _ => Merge::LastWrite,
    };
    Some(match form {
        "none" => Copies::One(plan),
        "quorum" => Copies::Quorum(quorum(copy, parameters, merge, count, plan)),
        "multi_leader" => Copies::MultiLeader(MultiLeaderPlan {
            store: plan,
            merge,
            apply: PerCopy::of(copy, "apply"),
            lag: PerCopy::of(copy, "lag"),
            send: time(copy.distribution("send")),
            again: copy.span("again"),
            legs: WarsDelays::of(parameters),
        }),
        form => Copies::Leader(led(form, copy, parameters, plan, patience)),
    })
}

/// `quorum`.
fn quorum(
    copy: &Parameters,
    parameters: &Parameters,
    merge: Merge,
    count: u32,
    plan: StorePlan,
) -> QuorumPlan {
    let member = |parameter: &str| u8::try_from(copy.count(parameter)).unwrap_or(u8::MAX);
    QuorumPlan {
        store: plan,
        copies: u8::try_from(count).unwrap_or(u8::MAX),
        r: member("r"),
        w: member("w"),
        enough: copy.word("ask") == "enough",
        merge,
        repair: copy.switch("repair"),
        hints: Some(copy.span("hints")).filter(|every| *every > Span::ZERO),
        patience: copy.span("patience"),
        legs: WarsDelays::of(parameters),
    }
}

/// `async`, `sync` and `raft`.
fn led(
    form: &str,
    copy: &Parameters,
    parameters: &Parameters,
    plan: StorePlan,
    patience: Span,
) -> LeaderPlan<Tables> {
    let failover = match parameters.get("failover") {
        Some(Setting::Constructor(_, after)) => Some((after.span("span"), after.word("by") == "each")),
        _ => None,
    };
    let (rule, election) = match (form, failover) {
        ("raft", _) => (Rule::Majority, Election::Drawn(copy.distribution("election"))),
        (form, failover) => (
            match form {
                "sync" => Rule::Copies(u8::try_from(copy.count("of")).unwrap_or(u8::MAX)),
                _ => Rule::Leader,
            },
            failover.map_or(Election::Never, |(span, _)| Election::After(span)),
        ),
    };
    let ack = match form {
        "sync" if copy.word("ack") == "receive" => Ack::Receive,
        "sync" if copy.word("ack") == "apply" => Ack::Apply,
        _ => Ack::Flush,
    };
    let alone = form != "raft" && failover.is_some_and(|(_, each)| each);
    let lease = if form == "raft" { copy.span("lease") } else { Span::ZERO };
    LeaderPlan {
        machine: plan.start.clone(),
        store: plan,
        rule,
        ack,
        election,
        heartbeat: copy.span("heartbeat"),
        pre_vote: form == "raft" && copy.switch("pre_vote"),
        lease: Some(lease).filter(|lease| *lease > Span::ZERO),
        apply: PerCopy::of(copy, "apply"),
        lag: PerCopy::of(copy, "lag"),
        send: time(copy.distribution("send")),
        begins_led: copy.word("begin") == "led",
        merges: form == "async" && parameters.word("merge") == "counter",
        legs: WarsDelays::of(parameters),
        patience,
        linger: copy.span("linger"),
        decides_alone: alone,
    }
}
