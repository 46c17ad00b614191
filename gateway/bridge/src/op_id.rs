//! Names of operations: the same operation has the same name after a crash, and no two share one.

use aws_lc_rs::digest::{SHA256, digest};
use mimi_adapter::OpId;
use mimi_uri::RoomUri;

use crate::rows::LinkId;

/// The operation that an event of a room's log leads to on a link.
pub(crate) fn for_event(link: &LinkId, room: &RoomUri, seq: u64, kind: &str) -> OpId {
    named(&[b"event", link.0.as_bytes(), room.as_str().as_bytes(), &seq.to_be_bytes(), kind.as_bytes()])
}

/// The operation that a native event leads to on its own link.
pub(crate) fn for_native(link: &LinkId, event: &str, kind: &str) -> OpId {
    named(&[b"native", link.0.as_bytes(), event.as_bytes(), kind.as_bytes()])
}

fn named(parts: &[&[u8]]) -> OpId {
    let framed: Vec<u8> = parts
        .iter()
        .flat_map(|part| (part.len() as u64).to_be_bytes().into_iter().chain(part.iter().copied()))
        .collect();
    let hash = digest(&SHA256, &framed);
    OpId::new(format!("db{}", hex::encode(&hash.as_ref()[..16])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_keeps_its_name_and_shares_it_with_none() {
        let (link, room) = (LinkId("l".to_owned()), RoomUri::parse("mimi://a.example/r/x").unwrap());

        let name = for_event(&link, &room, 7, "post");

        assert_eq!(name, for_event(&link, &room, 7, "post"));
        assert_ne!(name, for_event(&link, &room, 8, "post"));
        assert_ne!(name, for_event(&link, &room, 7, "leave"));
        assert_ne!(name, for_event(&LinkId("m".to_owned()), &room, 7, "post"));
        assert_ne!(for_native(&link, "ab", "c"), for_native(&link, "a", "bc"));
    }
}
