//! Names that read back: how native ids become localparts of hosted users, and MIMI names become native ones.
//!
//! Every mapping here is bijective and canonical: each text has one escaped form, and only that form is read. Whatever
//! else looks like one is nobody's name, so two spellings never mean one person (security row G4).

mod escape;
mod namespace;

pub use escape::{Bare, escape, unescape};
pub use namespace::{InvalidNetwork, Namespace, Network};
