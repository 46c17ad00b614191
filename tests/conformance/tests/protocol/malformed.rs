//! G5, and the one rule of decoding: a body is exactly one encoding of its struct, or it is refused.
//!
//! A valid body, taken from a real exchange, is cut at every byte and gets a byte too many at every place. It is always
//! 400, and never stored.

use bytes::Bytes;
use conformance::{Call, Peer, World};
use futures_util::stream::{self, StreamExt};

/// Requests under way at once, on the one connection.
const AT_ONCE: usize = 64;

/// Has every spoilt form of a valid request refused, and nothing of it stored.
pub(crate) async fn every_spoilt_form_is_refused(world: &World, peer: &Peer, valid: &Call, body: &[u8]) {
    let spoilt = spoilt_forms(body, &[]);
    all_are_refused(world, peer, valid, spoilt).await;
}

/// The same for a body of several parts, which may well end behind one of them.
pub(crate) async fn every_spoilt_form_is_refused_unless_cut_at(
    ends: &[usize],
    world: &World,
    valid: &Call,
    body: &[u8],
) {
    all_are_refused(world, &world.b, valid, spoilt_forms(body, ends)).await;
}

/// What is spoilt, and how.
type Spoilt = (String, Vec<u8>);

async fn all_are_refused(world: &World, peer: &Peer, valid: &Call, spoilt: Vec<Spoilt>) {
    world.a.ledger.settled().await;
    let before = world.a.ledger.entries();

    let answers = stream::iter(spoilt).map(|(what, spoilt)| async move {
        let reply = peer.say(&valid.clone().saying(Bytes::from(spoilt))).await;
        (what, reply.status)
    });
    let taken: Vec<_> = answers
        .buffer_unordered(AT_ONCE)
        .filter(|(_, status)| std::future::ready(*status != 400))
        .collect()
        .await;

    assert_eq!(taken, Vec::<(String, u16)>::new());
    assert_eq!(world.a.ledger.entries(), before);
}

fn spoilt_forms(body: &[u8], ends: &[usize]) -> Vec<Spoilt> {
    let cut = (0..body.len()).filter(|at| !ends.contains(at));
    let cut = cut.map(|at| (format!("cut at {at}"), body[..at].to_vec()));
    let padded = (0..=body.len())
        .flat_map(|at| [0, 1, 0xff].map(|byte| (format!("{byte:#04x} at {at}"), padded(body, at, byte))));
    cut.chain(padded).collect()
}

fn padded(body: &[u8], at: usize, byte: u8) -> Vec<u8> {
    [&body[..at], &[byte], &body[at..]].concat()
}
