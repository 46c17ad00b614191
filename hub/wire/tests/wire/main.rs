//! What every struct of the protocol promises: one value has one encoding, and nothing else is taken for it.

#![expect(clippy::unwrap_used, reason = "a sample that does not parse is a bug of the test")]

mod any;
mod codes;
mod context;
mod franking;
mod mls;
mod round_trip;
