//! What a hub says of a message that it accepted must hold, or the message is not shown (A6).

use mimi_mls::verify_with_label;
use mimi_uri::{RoomUri, UserUri};
use mimi_wire::franking::FRANKING_INTEGRITY_LABEL;
use mimi_wire::{
    CipherSuite, Frank, FrankingAgentData, FrankingIntegrityTbs, ServerFrankingContext, Timestamp,
};

/// Why a frank does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FrankFault {
    /// The room names no agent that could have signed it.
    #[error("the room has nobody who signs franks")]
    NoAgent,
    /// It is of another ciphersuite than the group.
    #[error("the frank is of another ciphersuite")]
    CipherSuite,
    /// The signature is not the agent's, or is about another sender, room or time.
    #[error("the hub's frank is not about this message")]
    Signature,
}

/// Checks a frank against the room's `franking_agent` component: that the hub accepted a message of this sender, in
/// this room, at this time.
pub(crate) fn check(
    frank: &Frank,
    agent: Option<&[u8]>,
    (sender, room, accepted): (&UserUri, &RoomUri, Timestamp),
) -> Result<(), FrankFault> {
    let agent = agent.and_then(|bytes| FrankingAgentData::decode(bytes).ok()).ok_or(FrankFault::NoAgent)?;
    let suite = frank.franking_signature_ciphersuite;
    if suite != CipherSuite::X25519_AES128GCM_SHA256_ED25519 {
        return Err(FrankFault::CipherSuite);
    }
    let context =
        ServerFrankingContext { sender: sender.clone(), room: room.clone(), accepted_timestamp: accepted };
    let server_frank = frank.server_frank;
    let signed = FrankingIntegrityTbs { server_frank, franking_signature_ciphersuite: suite, context };
    let (key, signature) = (&agent.franking_signature_key, &frank.franking_integrity_signature);
    let holds = verify_with_label(key, FRANKING_INTEGRITY_LABEL, &signed.encode(), signature);
    if holds { Ok(()) } else { Err(FrankFault::Signature) }
}

#[cfg(test)]
mod tests {
    use mimi_mls::{HostedClient, IdentityAuthority, sign_with_label};
    use mimi_uri::{ClientUri, Domain};
    use mimi_wire::{Credential, FrankingTag, HubKey};

    use super::*;

    struct Franked {
        frank: Frank,
        agent: Vec<u8>,
        sender: UserUri,
        room: RoomUri,
    }

    const ACCEPTED: Timestamp = Timestamp(1_700_000_000_000);

    fn franked() -> Franked {
        let domain = Domain::parse("a.example").unwrap();
        let (sender, room) =
            (UserUri::new(&domain, &["alice"]).unwrap(), RoomUri::new(&domain, &["x"]).unwrap());
        let authority = IdentityAuthority::generate(&domain).unwrap();
        let client = ClientUri::new(&domain, &["hub", "1"]).unwrap();
        let hub = HostedClient::generate(&authority, &sender, &client, 1000, 1_700_000_000).unwrap();
        let agent = FrankingAgentData {
            franking_signature_key: hub.signing_key().public(),
            credential: Credential::decode(hub.credential()).unwrap(),
        };
        let suite = CipherSuite::X25519_AES128GCM_SHA256_ED25519;
        let context = ServerFrankingContext {
            sender: sender.clone(),
            room: room.clone(),
            accepted_timestamp: ACCEPTED,
        };
        let server_frank = HubKey::new(&[1; 32]).frank(FrankingTag([2; 32]), &context);
        let signed = FrankingIntegrityTbs { server_frank, franking_signature_ciphersuite: suite, context };
        let signature = sign_with_label(hub.signing_key(), FRANKING_INTEGRITY_LABEL, &signed.encode());
        let frank = Frank {
            server_frank,
            franking_signature_ciphersuite: suite,
            franking_integrity_signature: signature,
        };
        Franked { frank, agent: agent.encode(), sender, room }
    }

    #[test]
    fn a_frank_holds_for_its_sender_room_and_time_only() {
        let Franked { frank, agent, sender, room } = franked();
        let (mallory, elsewhere) = (
            UserUri::parse("mimi://b.example/u/mallory").unwrap(),
            RoomUri::parse("mimi://a.example/r/y").unwrap(),
        );
        let checked = |context: (&UserUri, &RoomUri, Timestamp)| check(&frank, Some(&agent), context);

        assert_eq!(checked((&sender, &room, ACCEPTED)), Ok(()));
        assert_eq!(checked((&mallory, &room, ACCEPTED)), Err(FrankFault::Signature));
        assert_eq!(checked((&sender, &elsewhere, ACCEPTED)), Err(FrankFault::Signature));
        assert_eq!(checked((&sender, &room, Timestamp(ACCEPTED.0 + 1))), Err(FrankFault::Signature));
    }

    #[test]
    fn a_frank_needs_an_agent_of_the_room_and_the_suite_of_the_group() {
        let Franked { mut frank, agent, sender, room } = franked();
        let context = (&sender, &room, ACCEPTED);

        assert_eq!(check(&frank, None, context), Err(FrankFault::NoAgent));
        frank.franking_signature_ciphersuite = CipherSuite(2);
        assert_eq!(check(&frank, Some(&agent), context), Err(FrankFault::CipherSuite));
    }
}
