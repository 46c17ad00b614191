//! MIMI content from a stranger: nothing panics, and what is read is written back byte for byte (CM3).
#![no_main]

use libfuzzer_sys::fuzz_target;
use mimi_content::{ApplicationFraming, MessageStatusReport};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(received) = mimi_content::decode(bytes) {
        assert_eq!(received.content().encode().as_deref(), Ok(bytes));
    }
    if let Ok(report) = MessageStatusReport::decode(bytes) {
        assert_eq!(report.encode().as_deref(), Ok(bytes));
    }
    if let Ok(framing) = ApplicationFraming::decode(bytes) {
        // The case of a media type means nothing, so its letters may change; what is read may not.
        let written = framing.encode();
        assert_eq!(written.as_deref().map(ApplicationFraming::decode), Ok(Ok(framing)));
    }
});
