//! The ground on which real servers and real people meet.
//!
//! A test in this package starts programs as an operator would, on free loopback ports, each in a directory of its
//! own, and speaks to them only from outside: [`Synapse`] is a private Matrix homeserver, a [`Person`] is one of its
//! users at a client library of another project, [`XmppServer`] and [`XmppPerson`] are the same for XMPP, [`Postgres`]
//! a private database server, [`drawbridge`] names our own binary, and a [`Process`] is whatever
//! was started, to be stopped, killed and started again.
//!
//! ```no_run
//! use end_to_end::{Person, Synapse, SynapsePlan};
//!
//! let synapse = Synapse::start(SynapsePlan::named("a.example"));
//! let alice = Person::register(&synapse, "alice");
//! let bob = Person::register(&synapse, "bob");
//!
//! let room = alice.create_direct(bob.user());
//! bob.wait_for_member(&room, bob.user(), "join");
//! alice.send(&room, "hi");
//!
//! assert_eq!(bob.wait_for_messages(&room, 1)[0].body, "hi");
//! ```
//!
//! Nothing here returns an error: where the ground gives way the test cannot go on, so it panics at the line of the
//! test that asked, and says what the programs logged. Only processes started here are ever stopped, by their own
//! id, at the latest when their owner is dropped. Waiting has one bound, [`limits::PATIENCE`], and ends with the event
//! waited for, never with a guess of how long it takes. What the servers are made of is installed by
//! `cargo xtask servers`.

#![expect(clippy::missing_panics_doc, reason = "all of it panics where the test cannot go on, as said above")]

mod balancer;
mod binary;
mod event;
pub mod limits;
pub mod network;
mod person;
mod port;
mod postgres;
mod process;
mod provider;
mod scratch;
mod script;
mod servers;
mod site;
mod synapse;
mod xmpp_person;
mod xmpp_server;

pub use balancer::Balancer;
pub use binary::drawbridge;
pub use event::{Event, Message};
pub use person::Person;
pub use port::Port;
pub use postgres::Postgres;
pub use process::{Launch, Process};
pub use provider::Provider;
pub use scratch::Scratch;
pub use servers::test_python;
pub use site::{Site, SitePlan};
pub use synapse::{Synapse, SynapsePlan};
pub use xmpp_person::{XmppEvent, XmppMessage, XmppPerson};
pub use xmpp_server::{XmppServer, XmppSoftware};
