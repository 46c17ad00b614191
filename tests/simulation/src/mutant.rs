/// A part of the world that does wrong on purpose, so that it is seen whether the checks would find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// A store acknowledges a native event and forgets it.
    ForgetsARow,
    /// A follower's store has two events of a batch the wrong way round.
    SwapsTheLog,
    /// A native network shows one post twice.
    ShowsTwice,
    /// A native network shows one post under another name.
    ShowsTheWrongSpeaker,
    /// A native network shows two posts in the wrong order.
    ShowsOutOfOrder,
}
