use mimi_mls::{HubGroup, MlsFault};

/// The MLS group: bytes until it is needed, and kept from then on.
pub(crate) enum Group {
    Stored(Vec<u8>),
    Open(Box<HubGroup>),
}

impl Group {
    pub(crate) fn open(&mut self) -> Result<&mut HubGroup, MlsFault> {
        if let Self::Stored(bytes) = self {
            *self = Self::Open(Box::new(HubGroup::load(bytes)?));
        }
        match self {
            Self::Open(group) => Ok(group),
            Self::Stored(_) => Err(MlsFault::Stored("hub group")),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Stored(bytes) => bytes.clone(),
            Self::Open(group) => group.persist(),
        }
    }
}
