//! Seeds that every run of the tests tries.

use super::*;

fn options(seed: u64) -> Options {
    Options { seed, homes: 20, hours: 24, faults: true }
}

#[test]
fn a_seed_keeps_every_promise() {
    for seed in 0..2 {
        let report = run(&options(seed));
        assert!(report.broken.is_none(), "seed {seed}: {}", report.broken.unwrap_or_default());
    }
}
