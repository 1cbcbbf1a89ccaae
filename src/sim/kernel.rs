//! (owner: the kernel work)
