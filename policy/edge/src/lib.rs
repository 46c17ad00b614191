//! Who may reach whom.
//!
//! Nobody crosses the bridge without consent. A peer's request is judged by two things: what its target has said
//! ([`ConsentRecord`], the drafts' consent operations and the user's own blocks), and, where the target has said
//! nothing, what the operator has set ([`Rules`]: allow, ask or deny, by peer, function and user).
//!
//! * [`ConsentRecord`] is what is remembered of one scope; [`ConsentRecord::apply`] is its state machine.
//! * [`Rules`] are the operator's; [`warnings()`] says what is careless about them.
//! * [`evaluate()`] decides, and says [`Why`].
//! * [`heard()`] is what the peer hears of it. A user who does not exist, who blocked the peer before any contact, who
//!   has not decided and who said no all sound the same (G9).
//!
//! Among several statements the most specific no wins over the most specific yes; time is an argument, an expired yes is
//! no yes, and the order of records never matters.

mod consent;
mod evaluate;
pub mod limits;
mod peer;
mod record;
mod rules;

pub use consent::{ConsentError, ConsentEvent, ConsentRecord, ConsentState, Scope, Seconds, apply_to_all};
pub use evaluate::{Outcome, Request, Verdict, Why, admit, evaluate};
pub use peer::{Heard, heard};
pub use record::RecordError;
pub use rules::{DefaultRule, PeerFunction, Rule, Rules, Warning, warnings};
