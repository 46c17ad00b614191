//! Proof, at every start of the program, that openmls still stores groups the way the overlay relies on.

use mimi_uri::{ClientUri, Domain, UserUri};

use super::commit::CommitPlan;
use super::faults::HostedFault;
use super::found::NewRoom;
use super::plain::PlainMember;
use super::room::HostedRoom;
use super::summary::Processed;
use crate::components::{ComponentLogic, ComponentOperation, ComponentRefused, SAFE_AAD};
use crate::identity::IdentityAuthority;
use crate::key_package::{HostedClient, MintedKeyPackage, mint_key_package};

/// Hosted rooms cannot work with this build, and at which step that showed.
#[derive(Debug, thiserror::Error)]
#[error("the self-test of hosted rooms failed at \"{step}\": {why}")]
pub struct SelfTestFault {
    step: &'static str,
    why: String,
}

/// Lets hosted leaves speak and commit before a plain member, in a room of its own; takes a few milliseconds.
///
/// `now_s` is the time in seconds since 1970, for the throw-away certificates.
pub fn self_test(now_s: u64) -> Result<(), SelfTestFault> {
    let clients = Clients::mint(now_s).map_err(at("minting"))?;
    let mut plain = clients.found().map_err(at("founding a room"))?;
    let mut room = clients.join(&mut plain).map_err(at("capturing the secrets of an epoch"))?;
    let [reader, other] = [0, 1].map(|place| room.hosted_leaves().get(place).map(|(leaf, _)| *leaf));
    let (Some(reader), Some(other)) = (reader, other) else {
        return Err(SelfTestFault { step: "hosting two leaves", why: format!("{room:?}") });
    };

    for leaf in [reader, other] {
        let sealed = room.seal(leaf, &[], b"self-test").map_err(at("sealing as a hosted leaf"))?;
        let (sender, data) = plain.read(&sealed.message).map_err(at("opening what a hosted leaf sealed"))?;
        expect("the right sender and content", sender == leaf && data == b"self-test")?;
        let echo = room.process(&sealed.message, &Keep).map_err(at("opening an echo"))?;
        expect(
            "an echo of a hosted leaf",
            matches!(echo, Processed::Application(echo) if echo.leaf == leaf),
        )?;
    }

    let wish = CommitPlan {
        adds: vec![clients.added.key_package.clone()],
        with_path: true,
        ..CommitPlan::default()
    };
    let own = room.commit(other, &wish, &Keep).map_err(at("committing as a hosted leaf"))?;
    plain.follow(&own.commit, &Keep).map_err(at("following a hosted leaf's commit"))?;
    room.confirm_commit().map_err(at("entering the epoch of a hosted leaf's commit"))?;
    expect("agreement on the epoch", room.epoch_authenticator() == plain.authenticator())?;

    let said = plain.say(b"self-test").map_err(at("sealing as a plain member"))?;
    room.process(&said, &Keep).map_err(at("opening what a plain member sealed"))?;
    let sealed = room.seal(reader, &[], b"after").map_err(at("sealing in the next epoch"))?;
    plain.read(&sealed.message).map_err(at("opening in the next epoch")).map(drop)
}

/// The throw-away members.
struct Clients {
    founder: HostedClient,
    hosted: [MintedKeyPackage; 2],
    added: MintedKeyPackage,
}

impl Clients {
    fn mint(now_s: u64) -> Result<Self, String> {
        let domain = Domain::parse("self-test.invalid").map_err(|why| why.to_string())?;
        let authority = IdentityAuthority::generate(&domain).map_err(|why| why.to_string())?;
        let mint = |name: &str| {
            let (user, client) = names(&domain, name)?;
            mint_key_package(&authority, &user, &client, LIFETIME_S, now_s).map_err(|why| why.to_string())
        };
        let (user, client) = names(&domain, "founder")?;
        Ok(Self {
            founder: HostedClient::generate(&authority, &user, &client, LIFETIME_S, now_s)
                .map_err(|why| why.to_string())?,
            hosted: [mint("reader")?, mint("other")?],
            added: mint("added")?,
        })
    }

    fn found(&self) -> Result<PlainMember, HostedFault> {
        PlainMember::found(&NewRoom {
            group_id: b"self-test".to_vec(),
            components: vec![(SAFE_AAD, vec![0])],
            external_senders: Vec::new(),
            creator: &self.founder,
        })
    }

    fn join(&self, plain: &mut PlainMember) -> Result<HostedRoom, HostedFault> {
        let added = plain.add(&self.hosted.each_ref().map(|minted| minted.key_package.clone()))?;
        let secrets = self.hosted.each_ref().map(|minted| minted.secret.clone());
        HostedRoom::join(&added.welcome, &added.ratchet_tree, &secrets)
    }
}

/// An hour: longer than any clock is wrong between two lines of this file.
const LIFETIME_S: u64 = 3_600;

fn names(domain: &Domain, name: &str) -> Result<(UserUri, ClientUri), String> {
    let user = UserUri::new(domain, &["u", name]).map_err(|why| why.to_string())?;
    let client = ClientUri::new(domain, &["d", name]).map_err(|why| why.to_string())?;
    Ok((user, client))
}

/// Components are not the matter of this test; updates replace.
struct Keep;

impl ComponentLogic for Keep {
    fn apply(
        &self,
        _component: u16,
        current: Option<&[u8]>,
        updates: &[ComponentOperation<'_>],
    ) -> Result<Option<Vec<u8>>, ComponentRefused> {
        Ok(updates.iter().fold(current.map(<[u8]>::to_vec), |_, update| match update {
            ComponentOperation::Update(bytes) => Some(bytes.to_vec()),
            ComponentOperation::Remove => None,
        }))
    }
}

fn at<E: std::fmt::Display>(step: &'static str) -> impl FnOnce(E) -> SelfTestFault {
    move |why| SelfTestFault { step, why: why.to_string() }
}

fn expect(step: &'static str, holds: bool) -> Result<(), SelfTestFault> {
    if holds { Ok(()) } else { Err(SelfTestFault { step, why: "it was otherwise".to_owned() }) }
}
