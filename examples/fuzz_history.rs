//! Mutated histories, read and judged: none may end in a panic or take longer than its budget allows.
//!
//! `cargo run --profile checked --example fuzz_history -- COUNT [SEED [FROM]]`. The same count and seed give the same histories; `.ci/full` runs a million.

mod campaign;

use std::io::Cursor;
use std::time::Duration;

use campaign::{Draws, campaign};
use splitbrain::check::Verdict;
use splitbrain::check::kinds::auto::guess;
use splitbrain::check::kinds::{ALL, Asked, Refused};
use splitbrain::check::read::attempts::Attempts;
use splitbrain::check::read::events::Events;
use splitbrain::check::search::Budget;
use splitbrain::cli::history::unpack::unpacked;

/// Bytes that a mutated history may become.
const BYTES_MAX: u64 = 1 << 20;
/// What a search may cost, and how long all of it may take at the very most.
const BUDGET: Budget = Budget { nodes: 2_000, bytes: 4 << 20 };
const TIME_MAX: Duration = Duration::from_secs(10);

/// Histories to begin with, of all formats and models.
const SEEDS: &[&[u8]] = &[
    include_bytes!("../tests/histories/good/bank.edn"),
    include_bytes!("../tests/histories/good/counter.jsonl"),
    include_bytes!("../tests/histories/good/kv.jsonl"),
    include_bytes!("../tests/histories/good/list-append.edn"),
    include_bytes!("../tests/histories/good/mutex.log"),
    include_bytes!("../tests/histories/good/register.edn"),
    include_bytes!("../tests/histories/good/rw-register.jsonl"),
    include_bytes!("../tests/histories/bad/set.edn"),
    b"[{\"process\":\"a\",\"type\":\"invoke\",\"f\":\"cas\",\"value\":[1,[0,3]]},\n{\"process\":\"a\",\"type\":\"ok\",\"f\":\"cas\",\
      \"value\":[1,[0,3]]}]",
    b"{:process :a :type :invoke :f :write :value #{1 {:b \\c} ##NaN 9223372036854775807}} #_[x] ; \n{:process :a :type :ok :f :write}",
    b"INFO  jepsen.util - 1   :invoke :cas    [1 2]\nINFO  jepsen.util - 1   :fail   :cas    [1 2]\n",
    b"0\t:invoke\t:read\tnil\n:nemesis\t:info\t:start\tnil\n0\t:ok\t:read\t\"\\u00e9\"\n",
];
/// What is put into them.
const PIECES: &[&[u8]] = &[
    b"[",
    b"]",
    b"(",
    b")",
    b"{",
    b"}",
    b"\"",
    b"\\",
    b"#",
    b"#_",
    b"##NaN",
    b":",
    b";",
    b",",
    b"\t",
    b"\n",
    b" ",
    b"nil",
    b"null",
    b":ok",
    b":info",
    b":fail",
    b":invoke",
    b":f",
    b"process",
    b"nemesis",
    b"-9223372036854775808",
    b"9223372036854775807",
    b"1e309",
    b"0.1",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\0",
    b"\\uD83D",
    b"[[[[[[[[",
    b"[1 2]",
    b"[1,[2,3]]",
    b"1/2",
    b"\\newline",
    b"\x1f\x8b\x08\0",
    b"\x28\xb5\x2f\xfd",
    b"key",
    b"value",
    b"append",
    b"txn",
    b"[:r 1]",
    b"transfer",
    b"acquire",
    b"release",
    b"add",
    b"read",
    b"write",
];

fn mutated(draws: &mut Draws) -> Vec<u8> {
    let mut bytes = SEEDS[draws.below(SEEDS.len())].to_vec();
    let is_gentle = draws.below(3) > 0;
    for _ in 0..=draws.below(6) {
        if is_gentle { rewritten(&mut bytes, draws) } else { torn(&mut bytes, draws) }
    }
    match draws.below(16) {
        0 => packed(&bytes, draws),
        1 => {
            let level = ruzstd::encoding::CompressionLevel::Fastest;
            damaged(ruzstd::encoding::compress_to_vec(&bytes[..], level), draws)
        }
        _ => bytes,
    }
}

/// What is still a history: lines go, come twice or change places, digits and words become others.
fn rewritten(bytes: &mut Vec<u8>, draws: &mut Draws) {
    let mut lines: Vec<Vec<u8>> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let (one, other) = (draws.below(lines.len()), draws.below(lines.len()));
    match draws.below(6) {
        _ if lines.is_empty() => {}
        0 => drop(lines.remove(one)),
        1 => lines.insert(other, lines[one].clone()),
        2 => lines.swap(one, other),
        3 => {
            let words: [(&[u8], &[u8]); 4] =
                [(b"ok", b"info"), (b"ok", b"fail"), (b"read", b"write"), (b"nil", b"3")];
            let (from, to) = words[draws.below(words.len())];
            if let Some(at) = lines[one].windows(from.len()).position(|window| window == from) {
                lines[one].splice(at..at + from.len(), to.iter().copied());
            }
        }
        _ => {
            let digits: Vec<usize> =
                (0..lines[one].len()).filter(|at| lines[one][*at].is_ascii_digit()).collect();
            if !digits.is_empty() {
                lines[one][digits[draws.below(digits.len())]] = b'0' + draws.below(6) as u8;
            }
        }
    }
    *bytes = lines.concat();
}

/// What is seldom one: bytes go, change or come from elsewhere.
fn torn(bytes: &mut Vec<u8>, draws: &mut Draws) {
    let (at, other) = (draws.below(bytes.len() + 1), draws.below(bytes.len() + 1));
    let (from, to) = (at.min(other), at.max(other));
    match draws.below(8) {
        0 => drop(bytes.drain(from..to.min(from + 8))),
        1 => drop(bytes.drain(from..to)),
        2 => bytes.truncate(at),
        3 if at < bytes.len() => bytes[at] ^= 1 << draws.below(8),
        4 => {
            let stretch = bytes[from..to.min(from + 200)].to_vec();
            bytes.splice(other..other, stretch);
        }
        5 => {
            let seed = SEEDS[draws.below(SEEDS.len())];
            let cut = draws.below(seed.len());
            bytes.splice(at..at, seed[cut..(cut + 100).min(seed.len())].iter().copied());
        }
        _ => drop(bytes.splice(at..at, PIECES[draws.below(PIECES.len())].iter().copied())),
    }
}

fn packed(bytes: &[u8], draws: &mut Draws) -> Vec<u8> {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).expect("into memory");
    damaged(packed.finish().expect("into memory"), draws)
}

fn damaged(mut bytes: Vec<u8>, draws: &mut Draws) -> Vec<u8> {
    for _ in 0..draws.below(4) {
        let at = draws.below(bytes.len());
        bytes[at] ^= 1 << draws.below(8);
    }
    bytes
}

/// What came of it: 0 refused, 1 holds, 2 violated, 3 undecided.
fn judged(bytes: &[u8], model: usize) -> Result<usize, Refused> {
    let Ok(bytes) = unpacked(Cursor::new(bytes), BYTES_MAX) else { return Ok(0) };
    let mut attempts = Attempts::new(Events::new(bytes, None)?);
    let kind = match ALL.get(model) {
        Some(kind) => kind,
        None => match guess(&mut attempts)? {
            Ok(kind) => kind,
            Err(_) => return Ok(0),
        },
    };
    let judged = kind.judge(&mut attempts, &Asked { budget: BUDGET, ..Asked::usual() })?;
    Ok(match judged.verdict {
        Verdict::Holds => 1,
        Verdict::Violated(_) => 2,
        Verdict::Unknown(_) => 3,
    })
}

fn main() {
    let case = |draws: &mut Draws| (mutated(draws), draws.below(2 * ALL.len()));
    let (count, [refused, holds, violated, undecided], slowest) = campaign(
        TIME_MAX,
        case,
        |(bytes, model)| judged(bytes, *model).unwrap_or(0),
        |(bytes, _)| eprintln!("{:?}", String::from_utf8_lossy(bytes)),
    );
    println!(
        "{count} histories: {refused} refused, {holds} hold, {violated} violated, {undecided} undecided; the slowest took {slowest:?}"
    );
}
