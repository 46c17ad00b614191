//! A room at its hub, in front of real members: every check of A4 and A5, by requirement id.

#![expect(clippy::unwrap_used, reason = "a world that cannot be built is a failed test")]

mod commits;
mod external_commits;
mod founding;
mod groups;
mod key_material;
mod lanes;
mod messages;
mod proposals;
mod random;
mod world;
