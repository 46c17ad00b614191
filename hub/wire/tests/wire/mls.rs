//! MLS messages, written down by hand as RFC 9420 lays them out. Well-formed, not valid: no struct here checks more.

use mimi_mls::MlsMessage;

pub(crate) fn vector(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    assert!(length < 0x4000);
    let head =
        if length < 0x40 { vec![length.to_be_bytes()[1]] } else { (0x4000 | length).to_be_bytes().to_vec() };
    [head.as_slice(), bytes].concat()
}

fn framed(wire_format: u8, body: &[u8]) -> Vec<u8> {
    [&[0, 1, 0, wire_format], body].concat()
}

fn message(bytes: &[u8]) -> MlsMessage {
    MlsMessage::decode(bytes).unwrap()
}

/// A `PrivateMessage`; content type 1 is application, 2 proposal, 3 commit.
pub(crate) fn private(content_type: u8, ciphertext: &[u8]) -> MlsMessage {
    let epoch = 7_u64.to_be_bytes();
    let body = [
        vector(b"mimi://a.example/g/group"),
        epoch.to_vec(),
        vec![content_type],
        vector(b"aad"),
        vector(b"sender data"),
        vector(ciphertext),
    ];
    message(&framed(2, &body.concat()))
}

/// A `PublicMessage` of the member at leaf 1.
fn public(content_type: u8, content: &[u8], auth: &[u8]) -> MlsMessage {
    let epoch = 7_u64.to_be_bytes();
    let body = [
        vector(b"mimi://a.example/g/group"),
        epoch.to_vec(),
        vec![1, 0, 0, 0, 1],
        vector(b"aad"),
        vec![content_type],
        content.to_vec(),
        vector(&[0x51; 64]),
        auth.to_vec(),
        vector(&[0x7a; 32]),
    ];
    message(&framed(1, &body.concat()))
}

/// A proposal to remove a leaf.
pub(crate) fn proposal(removed: u8) -> MlsMessage {
    public(2, &[0, 3, 0, 0, 0, removed], &[])
}

/// A commit of one referenced proposal, without a path.
pub(crate) fn commit() -> MlsMessage {
    let reference = [vec![2], vector(&[0xee; 32])].concat();
    public(3, &[vector(&reference), vec![0]].concat(), &vector(&[0xcc; 32]))
}

/// A Welcome for one KeyPackage.
pub(crate) fn welcome() -> MlsMessage {
    let secret = [vector(&[0xaa; 32]), vector(&[0xbb; 32]), vector(&[0xcc; 48])].concat();
    let body = [vec![0, 1], vector(&secret), vector(b"encrypted group info")];
    message(&framed(3, &body.concat()))
}

/// A bare `GroupInfo`.
pub(crate) fn group_info() -> Vec<u8> {
    let context = [
        vec![0, 1, 0, 1],
        vector(b"mimi://a.example/g/group"),
        7_u64.to_be_bytes().to_vec(),
        vector(&[0x11; 32]),
        vector(&[0x22; 32]),
        vector(&[]),
    ];
    let external_pub = [vec![0, 4], vector(&vector(&[0x33; 32]))].concat();
    [context.concat(), vector(&external_pub), vector(&[0x44; 32]), vec![0, 0, 0, 1], vector(&[0x55; 64])]
        .concat()
}

/// A bare `KeyPackage`.
pub(crate) fn key_package() -> Vec<u8> {
    let types = |types: &[u8]| vector(types);
    let capabilities =
        [types(&[0, 1]), types(&[0, 1]), types(&[0, 6]), types(&[0, 8]), types(&[0, 1, 0, 2])].concat();
    let leaf_node = [
        vector(&[0x66; 32]),
        vector(&[0x77; 32]),
        vec![0, 1],
        vector(b"mimi://b.example/d/bob/1"),
        capabilities,
        vec![1],
        0_u64.to_be_bytes().to_vec(),
        u64::MAX.to_be_bytes().to_vec(),
        vector(&[]),
        vector(&[0x88; 64]),
    ];
    [vec![0, 1, 0, 1], vector(&[0x99; 32]), leaf_node.concat(), vector(&[]), vector(&[0x12; 64])].concat()
}
