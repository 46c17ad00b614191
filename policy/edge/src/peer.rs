use crate::{Outcome, PeerFunction};

/// What a peer hears of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Heard {
    /// The answer to what it asked for.
    Answer,
    /// That it was received, whatever becomes of it.
    Received,
    /// `noConsent`, in the same bytes and after the same work whatever the cause.
    NoConsent,
    /// An answer without a result: nobody found.
    Nothing,
    /// Refused, as anything is that a room does not allow.
    NotAllowed,
}

/// What a peer hears. It depends on the outcome only where the outcome is *allow* or a peer must be told no; *ask* and
/// *deny* are one sound, so that nobody can tell an undecided user from one who blocked him, or from one who does not
/// exist: for a user who does not exist, call this with [`Outcome::Deny`].
pub fn heard(function: PeerFunction, outcome: Outcome) -> Heard {
    match (function, outcome) {
        // Deliveries and consent operations are received in any case; that is also all the drafts let them say. And held
        // or not, a message sounds accepted: the sender sees normal success.
        (
            PeerFunction::Notify
            | PeerFunction::Consent
            | PeerFunction::ReportAbuse
            | PeerFunction::DirectText
            | PeerFunction::GroupText,
            Outcome::Allow | Outcome::Ask | Outcome::Quarantine | Outcome::Deny,
        ) => Heard::Received,
        (
            PeerFunction::KeyMaterial
            | PeerFunction::IdentifierQuery
            | PeerFunction::Update
            | PeerFunction::SubmitMessage
            | PeerFunction::GroupInfo
            | PeerFunction::ProxyDownload,
            Outcome::Allow | Outcome::Quarantine,
        ) => Heard::Answer,
        (PeerFunction::KeyMaterial, Outcome::Ask | Outcome::Deny) => Heard::NoConsent,
        (PeerFunction::IdentifierQuery, Outcome::Ask | Outcome::Deny) => Heard::Nothing,
        (
            PeerFunction::Update
            | PeerFunction::SubmitMessage
            | PeerFunction::GroupInfo
            | PeerFunction::ProxyDownload,
            Outcome::Ask | Outcome::Deny,
        ) => Heard::NotAllowed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g9_undecided_and_denied_sound_the_same_in_every_function() {
        for function in PeerFunction::ALL {
            assert_eq!(heard(function, Outcome::Ask), heard(function, Outcome::Deny), "{function}");
        }
    }

    #[test]
    fn what_is_held_sounds_like_what_goes_through() {
        for function in PeerFunction::ALL {
            assert_eq!(heard(function, Outcome::Quarantine), heard(function, Outcome::Allow), "{function}");
        }
    }

    #[test]
    fn consent_and_delivery_always_sound_received() {
        let outcomes = [Outcome::Allow, Outcome::Ask, Outcome::Quarantine, Outcome::Deny];

        for outcome in outcomes {
            assert_eq!(heard(PeerFunction::Consent, outcome), Heard::Received);
            assert_eq!(heard(PeerFunction::Notify, outcome), Heard::Received);
        }
    }

    #[test]
    fn keys_are_given_or_there_is_no_consent() {
        assert_eq!(heard(PeerFunction::KeyMaterial, Outcome::Allow), Heard::Answer);
        assert_eq!(heard(PeerFunction::KeyMaterial, Outcome::Deny), Heard::NoConsent);
    }
}
