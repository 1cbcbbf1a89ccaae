//! From function strings to distributions: `lognormal(p50=4ms, p99=40ms)`. (Owner: the program work.)
