//! The requests of a run, sealed beforehand: each a room and a body, in one file that is read at once.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use bytes::{Buf, Bytes};

use crate::fault::Outcome;

/// A request to `submitMessage`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// The path that it is posted to.
    pub(crate) path: String,
    /// The encoded request.
    pub(crate) body: Bytes,
}

/// Writes requests, one after the other.
pub(crate) struct Messages(BufWriter<File>);

impl Messages {
    /// Starts a file.
    pub(crate) fn create(file: &Path) -> Outcome<Self> {
        Ok(Self(BufWriter::new(File::create(file)?)))
    }

    /// Adds a request.
    pub(crate) fn push(&mut self, path: &str, body: &[u8]) -> Outcome<()> {
        for part in [path.as_bytes(), body] {
            self.0.write_all(&u32::try_from(part.len())?.to_be_bytes())?;
            self.0.write_all(part)?;
        }
        Ok(())
    }

    /// Ends the file.
    pub(crate) fn finish(mut self) -> Outcome<()> {
        Ok(self.0.flush()?)
    }
}

/// Reads all requests of a file.
pub(crate) fn read(file: &Path) -> Outcome<Vec<Message>> {
    let mut rest = Bytes::from(fs::read(file)?);
    let mut messages = Vec::new();
    while rest.has_remaining() {
        let path = String::from_utf8(part(&mut rest)?.to_vec())?;
        messages.push(Message { path, body: part(&mut rest)? });
    }
    Ok(messages)
}

fn part(rest: &mut Bytes) -> Outcome<Bytes> {
    let length = rest.try_get_u32()? as usize;
    if length > rest.len() {
        return Err("the file of messages ends early".into());
    }
    Ok(rest.split_to(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_in_order() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut messages = Messages::create(file.path()).unwrap();
        messages.push("/a", b"one").unwrap();
        messages.push("/b", b"").unwrap();
        messages.finish().unwrap();

        let read = read(file.path()).unwrap();

        let message = |path: &str, body: &'static [u8]| Message { path: path.to_owned(), body: body.into() };
        assert_eq!(read, [message("/a", b"one"), message("/b", b"")]);
    }

    #[test]
    fn a_file_that_ends_early_is_not_read_as_a_shorter_one() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), [0, 0, 0, 9, b'/']).unwrap();

        assert!(read(file.path()).is_err());
    }
}
