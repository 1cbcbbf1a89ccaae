//! The one integration binary: whole files in, whole results out.

mod designs;
