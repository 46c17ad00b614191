//! Bodies from a peer: nothing panics, and what is read is written back byte for byte.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mimi_wire::{
    CreateRoomRequest, FanoutMessage, KeyMaterialRequest, KeyMaterialResponse, SubmitMessageRequest,
    SubmitMessageResponse, UpdateRequest, UpdateRoomResponse,
};

/// Reads bytes as each of these bodies.
macro_rules! check {
    ($bytes:expr, $($body:ty),+ $(,)?) => {$(
        if let Ok(body) = <$body>::decode($bytes) {
            assert_eq!(body.encode(), $bytes);
        }
    )+};
}

fuzz_target!(|bytes: &[u8]| {
    check!(bytes, KeyMaterialRequest, KeyMaterialResponse, UpdateRequest, UpdateRoomResponse);
    check!(bytes, SubmitMessageRequest, SubmitMessageResponse, CreateRoomRequest);
    if let Ok(messages) = FanoutMessage::decode_all(bytes) {
        assert_eq!(messages.iter().flat_map(FanoutMessage::encode).collect::<Vec<u8>>(), bytes);
    }
});
