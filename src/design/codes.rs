//! Every code that a problem can carry, with a paragraph for `splitbrain explain SB0102`.

macro_rules! codes {
    ($($name:tt = $code:literal, $title:literal, $text:literal;)*) => {
        $(#[doc = $title] pub const $name: &str = $code;)*

        /// Every code: itself, its title, a paragraph.
        pub const CODES: &[Code] = &[$(Code { code: $code, title: $title, text: $text }),*];
    };
}

/// A documented code.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// `SB0102`.
    pub code: &'static str,
    /// A few words.
    pub title: &'static str,
    /// A paragraph: what it means and what to do.
    pub text: &'static str,
}

impl Code {
    /// Whether it is merely a warning.
    pub fn is_warning(&self) -> bool {
        self.code.starts_with("SB06")
    }
}

/// The documentation of a code.
pub fn explain(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|known| known.code.eq_ignore_ascii_case(code))
}

codes! {
    MISSING_FILE = "SB0001", "A file is missing",
        "The file that was asked for, or that a `use` names, does not exist. Paths in `use` are relative to the file in which they stand, not to the folder from which the command was started.";
    DIRECTORY = "SB0002", "A directory in place of a file",
        "The path names a directory. Name one of the files in it.";
    FILE_TOO_LARGE = "SB0003", "A file is too large",
        "Designs and experiments are written by hand: a file of more than 1 MiB is not one of them, and it is refused before it is read. Data (traces, empirical distributions) stands in files of its own, which this limit does not concern.";
    NUL = "SB0004", "A NUL byte",
        "The file holds a NUL byte, so it is no text file: a picture, an archive, or a text saved as UTF-16. Save it as UTF-8.";
    UTF8 = "SB0005", "Not UTF-8",
        "TOML is UTF-8. The caret stands where the first byte is that is not; save the file as UTF-8.";
    TOML = "SB0006", "Not valid TOML",
        "The file does not follow the grammar of TOML 1.1; the rest of the sentence is the parser's. Frequent causes: a text without quotes (`ttl = 20ms` instead of `ttl = \"20ms\"`), a missing `}` or `]`, two entries on one line.";
    NESTING = "SB0007", "Nested too deeply",
        "Tables and lists may stand in each other sixteen levels deep, and the blocks of a program or the brackets of a function string have a limit of their own. Nothing in the language needs as much; the limit keeps a hostile file from exhausting the stack.";
    USE_CYCLE = "SB0008", "Files use each other in a cycle",
        "`a.toml` uses `b.toml`, which in turn uses `a.toml`, perhaps through others. Move what they share into a third file that both use.";
    USE_SHAPE = "SB0009", "A `use` that is no list of files",
        "`use` takes a file name or a list of them: `use = [\"../models/shop.toml\"]`.";
    TWICE = "SB0010", "Given twice",
        "A name or key is given twice, in one file or in two files that are joined by `use`. Nothing is overridden silently: to change what a joined file says, patch it in a variant (`variant.x = { cache.pages.ttl = \"5s\" }`) or by `--set`.";
    NUMBER_TOO_LARGE = "SB0011", "A number beyond 64 bits",
        "Whole numbers have 64 bits, and numbers with a point must be finite.";
    DATE = "SB0012", "A date",
        "TOML has dates, this language has not: simulated time counts from the start of the run. Write a span, `\"90s\"`.";
    UNREADABLE = "SB0013", "A file cannot be read",
        "The system refused to read the file; its own words follow. Look at the file's permissions.";
    UNKNOWN_KIND = "SB0101", "An unknown kind of entry",
        "Every entry is `kind.name = { … }` or one of the single keys (`title`, `length`, `runs`, …). The kinds are the parts (`server`, `cache`, `db`, …) and the entries of an experiment (`workload`, `fault`, `variant`, …); `splitbrain schema` teaches them to your editor.";
    UNKNOWN_PART = "SB0102", "An unknown part",
        "No part of that name exists in the files that were joined. Names are case-sensitive; the nearest one is shown.";
    UNKNOWN_KEY = "SB0103", "An unknown key",
        "This kind of entry has no such parameter. All its parameters are listed, the nearest one first where it is near enough.";
    MISSING_KEY = "SB0104", "A key is missing",
        "This parameter has no default, because no value would be right for most designs. Give it.";
    WRONG_TYPE = "SB0105", "A value of the wrong type",
        "The parameter takes something else: a table where a text stands, a list where a number stands. The message shows the right form.";
    MISSING_UNIT = "SB0106", "A number without a unit",
        "A bare number is a count. Where a time, a rate, a size or a share is meant the unit belongs to the number, glued to it, in quotes: `\"20ms\"`, `\"500/s\"`, `\"64KiB\"`, `\"80%\"`.";
    WRONG_UNIT = "SB0107", "A number with the wrong unit",
        "The number measures something else than the parameter: a rate where a time is meant. `m` is always minutes and `M` always millions.";
    OUT_OF_RANGE = "SB0108", "Out of range",
        "The parameter has bounds: there is no server with zero members, no probability above 1, no more members than a run could hold. The message names them.";
    UNKNOWN_WORD = "SB0109", "An unknown word",
        "The parameter takes one of a few words. They are listed, the nearest one first where it is near enough.";
    UNKNOWN_FORM = "SB0110", "An unknown form",
        "The parameter takes one of a few forms, `name(key=value)`. They are listed, the nearest one first where it is near enough.";
    MISSING_ARGUMENT = "SB0111", "An argument is missing",
        "This argument has no default: give it as `name(key=value)`.";
    EXTRA_ARGUMENT = "SB0112", "An argument too many",
        "The form takes fewer arguments. Arguments without a name fill the form's arguments in order.";
    ARGUMENT_TWICE = "SB0113", "An argument given twice",
        "The same argument stands twice in one form, once perhaps by its place and once by its name.";
    UNKNOWN_ARGUMENT = "SB0114", "An unknown argument",
        "The form has no argument of that name. All its arguments are listed, the nearest one first where it is near enough.";
    SYNTAX = "SB0115", "A text that cannot be read",
        "The text does not follow the grammar of expressions and function strings, `name(key=value)`. The caret stands where reading stopped.";
    UNKNOWN_POLICY = "SB0116", "An unknown policy",
        "No `policy.x` of that name exists in the files that were joined. `default` always exists.";
    UNKNOWN_ZONE = "SB0117", "An unknown zone",
        "No `zone.x` of that name exists in the files that were joined.";
    BAD_LAW = "SB0118", "Not a distribution",
        "A distribution is expected: `5ms` (always the same), `exp(5ms)`, `uniform(1ms, 3ms)`, `normal(5ms, sd=1ms)`, `lognormal(p50=4ms, p99=40ms)`, `gamma(mean=5ms, cv=50%)`, `weibull(scale=, shape=)`, `pareto(min=, alpha=)`, `quantiles(p0=, p50=, p100=)` or `mix(90%=A, 10%=B)`.";
    BAD_NAME = "SB0119", "Not a name",
        "Names are letters, digits and `_`, begin with a letter, and are no words of the language: they stand in programs, paths and measures. Only links have names of another shape, `\"a b\"` and `\"a > b\"`.";
    WRONG_KIND = "SB0120", "A part of the wrong kind",
        "The parameter takes a part of another kind, as a load balancer's `to` takes a server.";
    LATER = "SB0121", "Not in this version",
        "The word belongs to the language, but this version does not carry it out. Rather than ignore it silently the loader refuses it.";
    SAME_NAME = "SB0122", "Two things of one name",
        "Two things of one name could not be told apart where one of them is asked for: `server.shop` and `db.shop` in a program, a tally and a program in `count(x)`, a workload and another program in `p99(x)`, a zone and a part in a fault. A workload may have the name of the program that it alone calls: then both mean the same. Call one of them something else.";
    DOES_NOT_FIT = "SB0123", "Parameters that do not fit together",
        "Each parameter is well-formed by itself, but together they make no part that could exist: a quorum of four out of three copies.";
    ON_UNKNOWN_PART = "SB0201", "Programs of an unknown part",
        "`[on.x]` says what the endpoints of part `x` do, and there is no part `x`.";
    ON_NO_PROGRAMS = "SB0202", "Programs of a part that runs none",
        "Only some kinds of parts run programs: a server does, a cache does not.";
    SWALLOWED = "SB0203", "An entry swallowed by `[on.part]`",
        "In TOML everything after `[on.app]` belongs to it, up to the next `[header]`. So `cache.pages = { … }` or `length = \"10m\"` below `[on.app]` would be programs of app. Move it above the first `[on.…]`.";
    PROGRAM_TYPE = "SB0204", "A program that is no text",
        "A program is a text: `product = \"cpu exp(1ms); get pages[item]\"`, or several lines between three quotation marks.";
    PROGRAM = "SB0205", "A program with a mistake",
        "The caret stands where the program stops making sense; docs/language.md lists the steps.";
    PROGRAM_CIRCLE = "SB0206", "Programs that would never end",
        "Programs call each other in a cycle, perhaps through the fill of a cache that they get from. Every program ends: there are no unbounded loops, and no recursion.";
    TWO_SHAPES = "SB0301", "`always.x` beside `always = { … }`",
        "TOML lets a table be written as one `always = { x = … }` or entry by entry as `always.x = …`, not as both. The same holds for every kind of entry.";
    UNKNOWN_PATH = "SB0302", "A path that names nothing",
        "Variants, sweeps and `--set` change parameters by dotted path: `cache.pages.ttl`, `db.kv.copy.w` for an argument, `link.\"a b\".latency`. The path must name an entry that exists; the nearest known path is shown.";
    SWEEP_SHAPE = "SB0303", "A sweep that is no list",
        "A sweep gives a list of values for each path: `sweep = { cache.pages.ttl = [\"1s\", \"10s\"] }`; the lists of `zip` are equally long, and none is empty.";
    UNKNOWN_VARIANT = "SB0304", "An unknown variant",
        "`expect.VARIANT.PROPERTY` names a variant that the experiment does not have. An experiment without variants has one, called `base`.";
    UNKNOWN_PROPERTY = "SB0305", "An unknown property",
        "A property is an `always.x`, `sometimes.x`, `slo.x` or `verdict.x` of this experiment.";
    OUTCOME = "SB0306", "An unknown outcome",
        "What an experiment expects is `holds`, `violated`, `unknown`, or `either: WHY`; or a list of these in sweep order.";
    LIMIT = "SB0401", "Over a limit",
        "Everything has a limit, checked before a run starts, so that a slip of a finger does not exhaust the machine. The message names the limit; src/design/limits.rs gives the reason for each.";
    _ = "SB0501", "An unknown fault",
        "`during(x)` and `after(x)` wait for another fault of the experiment, and there is no `fault.x`. The nearest name is shown.";
    _ = "SB0502", "Faults that wait for each other",
        "A fault that begins `during` or `after` another waits for it, and these wait for each other in a cycle: none of them would ever begin. Let one of them begin at a time.";
    UNUSED = "SB0601", "Something is never used",
        "No workload reaches this part, nothing calls this program, nobody names this policy or stands in this zone, in any variant. It changes no result, so perhaps another name was meant where it should be used. What stands in a file that `use` joins may be left unused: a model holds more than one experiment needs.";
    HOPELESS = "SB0602", "No answer can come in time",
        "Whoever waits gives up, in every variant and at every point of the sweep, before the fastest answer that there can be: the timeout is no longer than the least value of the distribution of the answer's time. Each such call fails with `timeout`, and a store has done what it was asked all the same.";
    NEVER_BEGINS = "SB0603", "Something begins after the end",
        "The fault or the workload begins at the end of the run or later, or has a `chance` of 0 %, in every variant: it never does. A longer `length` or an earlier beginning was meant, perhaps minutes (`m`) in place of milliseconds (`ms`). A run that `--set length=…` shortens is not warned of.";
    FEW_SAMPLES = "SB0604", "A percentile of too few requests",
        "Of fewer than 100/(100 - N) requests the N-th percentile is nothing but the slowest one: 100 requests for p99, 1,000 for p99.9. More runs do not help, since percentiles are taken run by run: make the run longer, or the objective one of a lower percentile.";
    NO_SPARE = "SB0605", "Copies of which none can be lost",
        "More copies than one make a store safer only if it goes on without some of them. A majority of two copies is both: if either is down, cut off or slow, nothing is written, which is worse than one copy. Three copies can lose one.";
    WIDE_TOLERANCE = "SB0606", "A tolerance that says little",
        "A theory agrees with whatever is within its tolerance, and this one is more than a quarter of what theory says. Make it narrower, and make enough runs to tell. One that is as large as the reference is refused.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_sorted_and_documented() {
        assert!(CODES.is_sorted_by(|a, b| a.code < b.code));
        for code in CODES {
            assert!(code.code.len() == 6 && code.code.starts_with("SB"), "{}", code.code);
            assert!(
                code.text.len() > 50 && code.text.ends_with(['.', '`']),
                "{} needs a paragraph",
                code.code
            );
        }
        assert_eq!(explain("sb0102").map(|code| code.title), Some("An unknown part"));
        assert!(explain("SB9999").is_none());
    }
}
