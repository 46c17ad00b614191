//! Names from a stranger: nothing panics, and a name that is read has no other spelling (G4).
#![no_main]

use libfuzzer_sys::fuzz_target;
use mimi_uri::{ClientUri, GroupUri, RoomUri, UserUri};

/// Reads bytes as one kind of name, and builds it anew from its parts.
macro_rules! check {
    ($kind:ty, $bytes:expr) => {
        if let Ok(name) = <$kind>::parse_bytes($bytes) {
            let segments: Vec<String> = name.segments().collect();
            let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
            assert_eq!(name.as_str().as_bytes(), $bytes);
            assert_eq!(<$kind>::new(name.domain(), &segments).as_ref(), Ok(&name));
        }
    };
}

fuzz_target!(|bytes: &[u8]| {
    check!(UserUri, bytes);
    check!(ClientUri, bytes);
    check!(RoomUri, bytes);
    check!(GroupUri, bytes);
});
