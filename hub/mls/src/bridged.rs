//! The mark of a member behind whom there is another network: encryption between people ends at his gateway.

use crate::limits::BRIDGED_NAME_LENGTH_MAX;
use crate::tls::{Reading, put_vector, whole};

/// The value of component *bridged* in a hosted user's leaf, private to Drawbridge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridged {
    /// The other network, in words for people: "Matrix".
    pub network: String,
    /// Who runs the gateway, in words for people.
    pub operator: String,
}

impl Bridged {
    /// The component's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_vector(&mut out, self.network.as_bytes());
        put_vector(&mut out, self.operator.as_bytes());
        out
    }

    /// Reads the component's bytes; names that are too long to be shown are none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        whole(bytes, |reading| Some(Self { network: read_name(reading)?, operator: read_name(reading)? }))
    }
}

fn read_name(reading: &mut Reading<'_>) -> Option<String> {
    let name = reading.vector().filter(|name| name.len() <= BRIDGED_NAME_LENGTH_MAX)?;
    String::from_utf8(name.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::Bridged;
    use crate::limits::BRIDGED_NAME_LENGTH_MAX;

    #[test]
    fn the_mark_comes_back_as_it_was_written() {
        let bridged = Bridged { network: "Matrix".to_owned(), operator: "a.example".to_owned() };

        assert_eq!(bridged.encode(), b"\x06Matrix\x09a.example");
        assert_eq!(Bridged::decode(&bridged.encode()), Some(bridged));
    }

    #[test]
    fn names_that_cannot_be_shown_are_none() {
        let long = Bridged { network: "x".repeat(BRIDGED_NAME_LENGTH_MAX + 1), operator: String::new() };

        assert_eq!(Bridged::decode(&long.encode()), None);
        assert_eq!(Bridged::decode(b"\x01\xff\x00"), None);
        assert_eq!(Bridged::decode(b"\x01x\x00rest"), None);
    }
}
