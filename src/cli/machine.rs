//! What the machine has: asked before a run starts, never by anything below the command line.

/// Bytes of memory that are free for new work; none where the system does not say.
pub fn free_memory() -> Option<f64> {
    let said = std::fs::read_to_string("/proc/meminfo").ok()?;
    available(&said)
}

/// From Linux's table: the kernel's own estimate.
fn available(said: &str) -> Option<f64> {
    let line = said.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_estimate_is_read() {
        let said = "MemTotal:       24689764 kB\nMemFree:  1 kB\nMemAvailable:   18874368 kB\n";
        assert_eq!(available(said), Some(18_874_368.0 * 1024.0));
        assert_eq!(available("MemTotal: 1 kB\n"), None);
        assert_eq!(available("MemAvailable: much\n"), None);
    }
}
