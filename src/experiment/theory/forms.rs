//! The closed forms themselves, each beside its source.

use super::{Form, Given, Known, STEPS_MAX, one, per_second, seconds};
use crate::base::math;
use crate::measures::Dimension;

/// Of more copies the binomial coefficients leave the range of floats.
const COPIES_MAX: u32 = 1_000;

/// Every closed form.
pub const FORMS: &[Form] = &[
    Form {
        name: "mm1",
        args: "rate=, mean=, p=",
        doc: "M/M/1: mean time in the system, or its p-th percentile",
        source: "Kleinrock, Queueing Systems I (1975), section 3.2",
        of: mm1,
    },
    Form {
        name: "mmc",
        args: "rate=, mean=, servers=, of=sojourn|wait|waits, p=",
        doc: "M/M/c: mean time in the system, wait, or share that waits; with p= a percentile of the first two",
        source: "Erlang (1917); Kleinrock I, section 3.5",
        of: mmc,
    },
    Form {
        name: "mg1",
        args: "rate=, mean=, cv=, of=wait|sojourn",
        doc: "M/G/1: mean wait, or time in the system",
        source: "Pollaczek (1930), Khinchine (1932)",
        of: mg1,
    },
    Form {
        name: "md1",
        args: "rate=, mean=, of=wait|sojourn",
        doc: "M/D/1: mean wait, or time in the system",
        source: "Pollaczek (1930), Khinchine (1932)",
        of: md1,
    },
    Form {
        name: "erlang_b",
        args: "load=, servers=",
        doc: "share of calls lost",
        source: "Erlang (1917)",
        of: |g| Ok(one(erlang_b(g.plain("load")?, g.whole("servers")?))),
    },
    Form {
        name: "erlang_c",
        args: "load=, servers=",
        doc: "share of calls that wait",
        source: "Erlang (1917)",
        of: |g| {
            let (load, servers) = (g.plain("load")?, g.whole("servers")?);
            stable(load / f64::from(servers))?;
            Ok(one(erlang_c(load, servers)))
        },
    },
    Form {
        name: "mm1k",
        args: "rate=, mean=, places=",
        doc: "M/M/1/K: share of requests lost",
        source: "Kleinrock I, section 3.6",
        of: mm1k,
    },
    Form {
        name: "mmck",
        args: "rate=, mean=, servers=, places=, of=lost|wait|sojourn|length",
        doc: "M/M/c/K with K places, servers included: share lost, mean wait, time or number in the system",
        source: "birth and death equations; Kleinrock I, section 3.6",
        of: mmck,
    },
    Form {
        name: "repairman",
        args: "n=, think=, mean=, of=response|throughput",
        doc: "closed loop of n users and one server",
        source: "Palm (1947); Kleinrock I, section 3.8",
        of: |g| mva(g, &["mean"]),
    },
    Form {
        name: "mva",
        args: "n=, think=, a=, b=, c=, of=response|throughput",
        doc: "closed loop of n users over one to three single servers with these demands",
        source: "Reiser & Lavenberg, J. ACM 27(2), 1980",
        of: |g| mva(g, &["a", "b", "c"]),
    },
    Form {
        name: "supermarket",
        args: "load=, choices=",
        doc: "mean time in the system over the mean service: each job takes the shortest of d of many queues",
        source: "Mitzenmacher (1996); Vvedenskaya, Dobrushin & Karpelevich (1996)",
        of: supermarket,
    },
    Form {
        name: "che",
        args: "n=, s=, size=",
        doc: "LRU hit ratio under Zipf's distribution, by Che's approximation",
        source: "Che, Tung & Wang, IEEE JSAC 20(7), 2002; Fricker et al., ITC 2012",
        of: |g| che(g.plain("n")?, g.plain("s")?, g.plain("size")?).map(one),
    },
    Form {
        name: "fifo",
        args: "n=, s=, size=",
        doc: "FIFO and random eviction: hit ratio under Zipf's distribution, by the characteristic time",
        source: "Fricker, Robert & Roberts, ITC 2012; Gelenbe (1973)",
        of: |g| fifo(g.plain("n")?, g.plain("s")?, g.plain("size")?).map(one),
    },
    Form {
        name: "ttl",
        args: "rate=, ttl=, sliding=0|1",
        doc: "hit ratio of a cache with a TTL under Poisson reads of a key",
        source: "Jung, Berger & Balakrishnan, INFOCOM 2003",
        of: ttl,
    },
    Form {
        name: "stampede",
        args: "rate=, rebuild=",
        doc: "rebuilds per expiry without a guard: 1 + λδ",
        source: "Vattani et al., VLDB 2015, introduction",
        of: |g| Ok(one(1.0 + g.rate("rate")? * g.seconds("rebuild")?)),
    },
    Form {
        name: "xfetch",
        args: "rate=, rebuild=, beta=, of=rebuilds|start",
        doc: "rebuilds per refresh e^(1/β), and how long before expiry the first starts",
        source: "Vattani et al., VLDB 2015; the distribution of the minimum of exponential thresholds",
        of: xfetch,
    },
    Form {
        name: "amdahl",
        args: "serial=, n=",
        doc: "speed-up on n processors",
        source: "Amdahl (1967)",
        of: |g| {
            let s = g.plain("serial")?;
            Ok(one(1.0 / (s + (1.0 - s) / g.plain("n")?)))
        },
    },
    Form {
        name: "usl",
        args: "contention=, coherence=, n=",
        doc: "speed-up by the universal scalability law",
        source: "Gunther (1993)",
        of: |g| {
            let n = g.plain("n")?;
            Ok(one(n / (1.0 + g.plain("contention")? * (n - 1.0) + g.plain("coherence")? * n * (n - 1.0))))
        },
    },
    Form {
        name: "drain",
        args: "outage=, load=",
        doc: "how long the backlog of an outage takes to drain",
        source: "fluid limit",
        of: |g| {
            let rho = stable(g.plain("load")?)?;
            Ok(seconds(rho * g.seconds("outage")? / (1.0 - rho)))
        },
    },
    Form {
        name: "majority",
        args: "copies=, up=",
        doc: "share of time at which more than half of the copies are up, each of them independently for the share `up`",
        source: "the binomial distribution",
        of: |g| match (g.whole("copies")?, g.plain("up")?) {
            (copies, _) if copies > COPIES_MAX => Err(format!("`copies` is {copies}: at most {COPIES_MAX}")),
            (_, up) if up > 1.0 => Err("`up` is above 100%".to_owned()),
            (copies, up) => Ok(one(majority(copies, up))),
        },
    },
    Form {
        name: "outset",
        args: "copies=, up=",
        doc: "how many copies there are, on the average, whose failure would leave no majority: times the rate at which one fails, the rate of outages",
        source: "Barlow and Proschan, Statistical Theory of Reliability and Life Testing (1975): how often a k-out-of-n system fails",
        of: |g| match (g.whole("copies")?, g.plain("up")?) {
            (copies, _) if copies > COPIES_MAX => Err(format!("`copies` is {copies}: at most {COPIES_MAX}")),
            (_, up) if up > 1.0 => Err("`up` is above 100%".to_owned()),
            (copies, up) => Ok(one(f64::from(copies / 2 + 1) * exactly(copies / 2 + 1, copies, up))),
        },
    },
    Form {
        name: "exp",
        args: "x",
        doc: "e to the x",
        source: "-",
        of: |g| Ok(one(math::exp(g.plain("x")?))),
    },
    Form { name: "sqrt", args: "x", doc: "square root", source: "-", of: |g| Ok(one(g.plain("x")?.sqrt())) },
];

fn stable(load: f64) -> Result<f64, String> {
    if load < 1.0 { Ok(load) } else { Err(format!("at a load of {load} the queue grows without bound")) }
}

fn mm1(given: &Given) -> Result<Known, String> {
    let mean = given.seconds("mean")?;
    let sojourn = mean / (1.0 - stable(given.rate("rate")? * mean)?);
    Ok(seconds(match given.percent()? {
        Some(p) => -sojourn * math::ln_1p(-p),
        None => sojourn,
    }))
}

fn mmc(given: &Given) -> Result<Known, String> {
    let (rate, mean, servers) = (given.rate("rate")?, given.seconds("mean")?, given.whole("servers")?);
    stable(rate * mean / f64::from(servers))?;
    let waits = erlang_c(rate * mean, servers);
    let drain = f64::from(servers) / mean - rate; // how fast a full house empties
    let wait = waits / drain;
    match (given.word("sojourn"), given.percent()?) {
        ("waits", None) => Ok(one(waits)),
        ("wait", None) => Ok(seconds(wait)),
        ("sojourn", None) => Ok(seconds(wait + mean)),
        ("wait", Some(p)) if 1.0 - p >= waits => Ok(seconds(0.0)),
        ("wait", Some(p)) => Ok(seconds(math::ln(waits / (1.0 - p)) / drain)),
        ("sojourn", Some(p)) => Ok(seconds(mmc_percentile(waits, drain, mean, p))),
        (other, _) => Err(format!("`of={other}`: wait, sojourn or waits")),
    }
}

/// Where the time in an M/M/c system, a wait that is 0 or exponential plus an exponential service, exceeds t with
/// chance 1 − p: by halving.
fn mmc_percentile(waits: f64, drain: f64, mean: f64, p: f64) -> f64 {
    let work = 1.0 / mean;
    let beyond = |t: f64| {
        let served = math::exp(-work * t);
        // ∫ drain·e^(−drain·x)·e^(−work·(t−x)) dx over [0, t]; the two rates may be equal
        let gap = work - drain;
        let both = if gap.abs() * t < 1e-9 {
            drain * t * served
        } else {
            drain * served * math::exp_m1(gap * t) / gap
        };
        (1.0 - waits) * served + waits * (math::exp(-drain * t) + both)
    };
    let (mut low, mut high) = (0.0, mean);
    while beyond(high) > 1.0 - p {
        high *= 2.0;
    }
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        if beyond(middle) > 1.0 - p { low = middle } else { high = middle }
    }
    high
}

fn mg1(given: &Given) -> Result<Known, String> {
    single(given, given.plain("cv")?)
}

fn md1(given: &Given) -> Result<Known, String> {
    single(given, 0.0)
}

/// Pollaczek and Khinchine: one server, Poisson arrivals, service with this coefficient of variation.
fn single(given: &Given, cv: f64) -> Result<Known, String> {
    let mean = given.seconds("mean")?;
    let load = stable(given.rate("rate")? * mean)?;
    let wait = load * mean * (1.0 + cv * cv) / (2.0 * (1.0 - load));
    match given.word("wait") {
        "wait" => Ok(seconds(wait)),
        "sojourn" => Ok(seconds(wait + mean)),
        other => Err(format!("`of={other}`: wait or sojourn")),
    }
}

fn erlang_b(load: f64, servers: u32) -> f64 {
    (1..=servers).fold(1.0, |blocked, n| load * blocked / (f64::from(n) + load * blocked))
}

fn erlang_c(load: f64, servers: u32) -> f64 {
    let (blocked, servers) = (erlang_b(load, servers), f64::from(servers));
    servers * blocked / (servers - load * (1.0 - blocked))
}

/// The binomial distribution from the middle up, term by term.
fn majority(copies: u32, up: f64) -> f64 {
    (copies / 2 + 1..=copies).map(|k| exactly(k, copies, up)).sum()
}

/// The chance that so many copies are up.
fn exactly(k: u32, copies: u32, up: f64) -> f64 {
    let ways = (0..k).fold(1.0, |ways, n| ways * f64::from(copies - n) / f64::from(n + 1));
    let power = |share: f64, n: u32| (0..n).fold(1.0, |power, _| power * share);
    ways * power(up, k) * power(1.0 - up, copies - k)
}

fn mm1k(given: &Given) -> Result<Known, String> {
    let (load, places) = (given.rate("rate")? * given.seconds("mean")?, given.whole("places")?);
    // P(n + 1) = load · P(n), from the fullest state down, so that nothing overflows at high load
    let others = (0..places).fold((0.0, 1.0), |(sum, state), _| (sum + state / load, state / load)).0;
    Ok(one(if load == 0.0 { 0.0 } else { 1.0 / (1.0 + others) }))
}

fn mmck(given: &Given) -> Result<Known, String> {
    let (rate, mean) = (given.rate("rate")?, given.seconds("mean")?);
    let (servers, places) = (given.whole("servers")?, given.whole("places")?);
    if places < servers {
        return Err("`places` counts the servers too".to_owned());
    }
    // states in turn, scaled down whenever they grow large
    let (mut state, mut sum, mut length) = (1.0f64, 1.0f64, 0.0f64);
    for n in 1..=places {
        state *= rate * mean / f64::from(n.min(servers));
        sum += state;
        length += f64::from(n) * state;
        if sum > 1e200 {
            (state, sum, length) = (state * 1e-200, sum * 1e-200, length * 1e-200);
        }
    }
    let (lost, length) = (state / sum, length / sum);
    let sojourn = length / (rate * (1.0 - lost)); // Little
    match given.word("lost") {
        "lost" => Ok(one(lost)),
        "length" => Ok(one(length)),
        "sojourn" => Ok(seconds(sojourn)),
        "wait" => Ok(seconds(sojourn - mean)),
        other => Err(format!("`of={other}`: lost, wait, sojourn or length")),
    }
}

/// Exact mean value analysis of single servers and one place to think.
fn mva(given: &Given, stations: &[&str]) -> Result<Known, String> {
    let (users, think) = (given.whole("n")?, given.seconds("think")?);
    let mut demands = vec![given.seconds(stations[0])?];
    for station in &stations[1..] {
        demands.extend(given.maybe(station, Dimension::Seconds)?);
    }
    let mut queues = vec![0.0; demands.len()];
    let (mut response, mut throughput) = (0.0, 0.0);
    for n in 1..=users {
        let times: Vec<f64> =
            demands.iter().zip(&queues).map(|(demand, queue)| demand * (1.0 + queue)).collect();
        response = times.iter().sum();
        throughput = f64::from(n) / (think + response);
        queues = times.iter().map(|time| throughput * time).collect();
    }
    match given.word("response") {
        "response" => Ok(seconds(response)),
        "throughput" => Ok(per_second(throughput)),
        other => Err(format!("`of={other}`: response or throughput")),
    }
}

/// T = Σ λ^((d^i − d)/(d − 1)); with one choice an M/M/1 queue, 1/(1 − λ).
fn supermarket(given: &Given) -> Result<Known, String> {
    let (load, choices) = (stable(given.plain("load")?)?, f64::from(given.whole("choices")?));
    if choices == 1.0 {
        return Ok(one(1.0 / (1.0 - load)));
    }
    let (mut sum, mut exponent) = (0.0, 0.0); // exponent of the next term: e ← d·e + d
    loop {
        let term = math::powf(load, exponent);
        sum += term;
        if term < 1e-17 {
            return Ok(one(sum));
        }
        exponent = choices * exponent + choices;
    }
}

/// Che's approximation: a key of popularity p is found with chance 1 − e^(−p·T).
fn che(n: f64, s: f64, size: f64) -> Result<f64, String> {
    characteristic(n, s, size, |x| -math::exp_m1(-x))
}

/// The same for FIFO and random eviction: p·T / (1 + p·T).
fn fifo(n: f64, s: f64, size: f64) -> Result<f64, String> {
    characteristic(n, s, size, |x| x / (1.0 + x))
}

/// Hit ratio of a cache of `size` of `n` keys with popularities k^−s, by its characteristic time T: each key is held
/// with chance `held(p·T)`, as if independently, and T is such that `size` keys are held.
fn characteristic(n: f64, s: f64, size: f64, held: impl Fn(f64) -> f64) -> Result<f64, String> {
    if !(1.0..=STEPS_MAX).contains(&n) || size <= 0.0 {
        return Err(format!("from 1 to {STEPS_MAX} keys, and a size above 0"));
    }
    if size >= n {
        return Ok(1.0);
    }
    let weights: Vec<f64> = (1..=n as u64).map(|k| math::powf(k as f64, -s)).collect();
    let total: f64 = weights.iter().sum();
    let filled = |time: f64| weights.iter().map(|w| held(w / total * time)).sum::<f64>();
    let (mut low, mut high) = (0.0, size);
    while filled(high) < size {
        high *= 2.0;
    }
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if filled(middle) < size { low = middle } else { high = middle }
    }
    Ok(weights.iter().map(|w| w / total * held(w / total * high)).sum())
}

fn ttl(given: &Given) -> Result<Known, String> {
    let load = given.rate("rate")? * given.seconds("ttl")?;
    let sliding = given.maybe("sliding", Dimension::One)?.unwrap_or(0.0) != 0.0;
    Ok(one(if sliding { -math::exp_m1(-load) } else { load / (1.0 + load) }))
}

fn xfetch(given: &Given) -> Result<Known, String> {
    const EULER: f64 = 0.577_215_664_901_532_9;
    let (rate, rebuild, beta) = (given.rate("rate")?, given.seconds("rebuild")?, given.plain("beta")?);
    match given.word("rebuilds") {
        "rebuilds" => Ok(one(math::exp(1.0 / beta))),
        "start" => Ok(seconds(beta * rebuild * (math::ln(rate * beta * rebuild) + EULER))),
        other => Err(format!("`of={other}`: rebuilds or start")),
    }
}
