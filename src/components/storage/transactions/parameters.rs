//! What a design says of a store's transactions.

use crate::base::parameter::{Constructor, Parameter, ParameterType, Parameters, Preset};
use crate::base::time::Span;
use crate::components::storage::transactions::Isolation;
use crate::components::storage::transactions::waiting::{Deadlock, Undoes, Victim, Waiting};

/// How well they are kept apart.
pub const ISOLATION: Parameter = Parameter {
    name: "isolation",
    takes: ParameterType::Word(&["read_uncommitted", "read_committed", "snapshot", "serializable"]),
    default: Preset::Is { text: "read_committed", source: "PostgreSQL, Oracle and SQL Server" },
    doc: "How well transactions are kept apart: reads see what is being written; what is committed; what was committed when the \
          transaction began, and the first committer of a row wins; or it is as if they came one after the other.",
};

/// How long they wait for a lock.
pub const LOCK_WAIT: Parameter = Parameter {
    name: "lock_wait",
    takes: ParameterType::Span { min: Span::from_ns(1), max: Span::MAX },
    default: Preset::Is { text: "50s", source: "MySQL: innodb_lock_wait_timeout" },
    doc: "How long an operation waits for the lock of a row before it fails; `lock_wait_undoes` says what with it.",
};

/// What a wait in vain undoes.
pub const LOCK_WAIT_UNDOES: Parameter = Parameter {
    name: "lock_wait_undoes",
    takes: ParameterType::Word(&["transaction", "statement"]),
    default: Preset::Is {
        text: "transaction",
        source: "PostgreSQL: lock_timeout; InnoDB with innodb_rollback_on_timeout=ON",
    },
    doc: "What a wait of `lock_wait` undoes: the transaction at once; or as in InnoDB (error 1205) only the statement, and the transaction \
          keeps its locks until its client, who is told, has it aborted.",
};

const WAIT: Parameter = Parameter {
    name: "wait",
    takes: ParameterType::Span { min: Span::from_ns(1), max: Span::MAX },
    default: Preset::Is { text: "1s", source: "PostgreSQL 15: deadlock_timeout" },
    doc: "How long somebody waits for a row before it looks.",
};

const fn victim(text: &'static str, source: &'static str) -> Parameter {
    Parameter {
        name: "victim",
        takes: ParameterType::Word(&["youngest", "lightest"]),
        default: Preset::Is { text, source },
        doc: "Who is aborted: who began last, or who has written and locked the fewest rows and of equals who closed the cycle.",
    }
}

const YOUNGEST: Parameter =
    victim("youngest", "it has done the least: Agrawal, Carey and McVoy, IEEE TSE 1987");
const LIGHTEST: Parameter =
    victim("lightest", "MariaDB 10.11 and MySQL 8.0, InnoDB: fewest undo records and locks");

const DEADLOCKS: &[Constructor] = &[
    Constructor { name: "at_once", parameters: &[YOUNGEST], doc: "When a cycle closes." },
    Constructor {
        name: "after",
        parameters: &[WAIT],
        doc: "When one of a cycle has waited for so long; it looks, once, and is itself aborted. Until then all of them wait and hold their rows.",
    },
    Constructor {
        name: "innodb",
        parameters: &[LIGHTEST],
        doc: "As MariaDB 10.11 and MySQL 8.0 find them: `at_once(victim=lightest)`. It says nothing of `isolation`, `lock_wait` (50s) or \
              `lock_wait_undoes` (`statement`).",
    },
    Constructor {
        name: "postgresql",
        parameters: &[WAIT],
        doc: "As PostgreSQL 15 finds them: `after(1s)`. It says nothing of `isolation`, nor of `lock_wait` (PostgreSQL has no limit unless \
              `lock_timeout` is set), and those who wait for a row are served in order of arrival, which PostgreSQL's `select for update` does and its UPDATE does not.",
    },
];

/// When deadlocks are found.
pub const DEADLOCK: Parameter = Parameter {
    name: "deadlock",
    takes: ParameterType::Constructor(DEADLOCKS),
    default: Preset::Is {
        text: "at_once",
        source: "InnoDB; a wait-for graph that is looked at whenever it grows",
    },
    doc: "When transactions that wait for each other's rows in a cycle are found, and which one is aborted (`deadlock`).",
};

/// How long a client may say nothing.
pub const IDLE: Parameter = Parameter {
    name: "idle",
    takes: ParameterType::Span { min: Span::from_ns(1), max: Span::MAX },
    default: Preset::Is { text: "8h", source: "MySQL: wait_timeout" },
    doc: "How long a client may say nothing within a transaction before that is aborted: what a crashed client's locks cost.",
};

/// The checked parameter.
pub fn isolation(parameters: &Parameters) -> Isolation {
    let word = parameters.word("isolation");
    Isolation::ALL
        .iter()
        .find(|(name, _)| *name == word)
        .map_or(Isolation::ReadCommitted, |(_, level)| *level)
}

/// The checked parameters on waiting for rows.
pub fn waiting(parameters: &Parameters) -> Waiting {
    let (name, form) = parameters.form("deadlock");
    let deadlock = match name {
        "after" | "postgresql" => Deadlock::After(form.span("wait")),
        "at_once" | "innodb" if form.word("victim") == "lightest" => Deadlock::AtOnce(Victim::Lightest),
        _ => Deadlock::AtOnce(Victim::Youngest),
    };
    let statement = parameters.word("lock_wait_undoes") == "statement";
    Waiting { deadlock, undoes: if statement { Undoes::Statement } else { Undoes::Transaction } }
}
