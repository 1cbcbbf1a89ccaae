//! What the machine has: asked before a run starts, never by anything below the command line. It decides whether runs start and how many
//! are under way at once, and nothing that stands in results.
//!
//! Seen on Linux; macOS and Windows are unverified.

use sysinfo::{MemoryRefreshKind, RefreshKind, System};

/// Bytes of memory that are free for new work: what the machine has, the container's share of it, and what this process may take. None
/// where the system does not say.
pub fn free_memory() -> Option<f64> {
    let memory = RefreshKind::nothing().with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(memory).ok()?;
    let machine = Some(system.available_memory()).filter(|free| *free > 0);
    let container = system.cgroup_limits().map(|limits| limits.free_memory);
    let all = [machine, container, address_space()];
    all.into_iter().flatten().min().map(|free| free as f64)
}

/// How many more bytes of addresses this process may ask for, where they are limited (`ulimit -v`).
#[cfg(target_os = "linux")]
fn address_space() -> Option<u64> {
    let most = rustix::process::getrlimit(rustix::process::Resource::As).current?;
    let pages: u64 = std::fs::read_to_string("/proc/self/statm").ok()?.split(' ').next()?.parse().ok()?;
    Some(most.saturating_sub(pages.saturating_mul(rustix::param::page_size() as u64)))
}

#[cfg(not(target_os = "linux"))]
fn address_space() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_says_what_is_free() {
        let free = free_memory().expect("the systems that tests run on say so");
        assert!(free > 1e6 && free < 1e15, "{free}");
    }
}
