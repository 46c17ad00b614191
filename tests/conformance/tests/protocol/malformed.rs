//! G5, and the one rule of decoding: a body is exactly one encoding of its struct, or it is refused.
//!
//! A valid body, taken from a real exchange, is cut at every byte and gets a byte too many at every place. It is always
//! 400, and never stored.

use bytes::Bytes;
use conformance::{Call, Peer, World};
use futures_util::stream::{self, StreamExt};
use mimi_wire::Body;

/// Requests under way at once, on the one connection.
const AT_ONCE: usize = 64;

/// Reads bytes as the endpoint's body and writes them anew; nothing, if they are no such body.
pub(crate) type Reread = fn(&[u8]) -> Option<Vec<u8>>;

/// [`Reread`] for a body that is one struct.
pub(crate) fn reread<B: Body>(bytes: &[u8]) -> Option<Vec<u8>> {
    B::decode(bytes).ok().map(|body| body.encode())
}

/// Has every spoilt form of a valid request refused, and nothing of it stored.
pub(crate) async fn every_spoilt_form_is_refused(
    world: &World,
    peer: &Peer,
    valid: &Call,
    body: &[u8],
    reread: Reread,
) {
    world.a.ledger.settled().await;
    let before = world.a.ledger.entries();

    let answers = stream::iter(spoilt_forms(body, reread)).map(|(what, spoilt)| async move {
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

/// What is spoilt, and how.
///
/// Some forms are not spoilt: behind an event a batch may end; and where a random byte before a vector happens to be the
/// vector's length and one more, a byte too many makes another body, as well-formed as the first. Those are few.
fn spoilt_forms(body: &[u8], reread: Reread) -> Vec<(String, Vec<u8>)> {
    assert_eq!(reread(body).as_deref(), Some(body));
    let cut = (0..body.len()).map(|at| (format!("cut at {at}"), body[..at].to_vec()));
    let padded = (0..=body.len())
        .flat_map(|at| [0, 1, 0xff].map(|byte| (format!("{byte:#04x} at {at}"), padded(body, at, byte))));
    let all: Vec<_> = cut.chain(padded).collect();
    let count = all.len();
    let spoilt: Vec<_> = all.into_iter().filter(|(_, bytes)| reread(bytes).as_ref() != Some(bytes)).collect();
    assert!(spoilt.len() * 2 > count, "only {} of {count} forms are spoilt", spoilt.len());
    spoilt
}

fn padded(body: &[u8], at: usize, byte: u8) -> Vec<u8> {
    [&body[..at], &[byte], &body[at..]].concat()
}
