//! The drafts, section by section, against a running server
