//! A hub's group at rest.

use openmls::group::{GroupId, PublicGroup};
use openmls_traits::OpenMlsProvider as _;

use super::group::HubGroup;
use super::pending::PendingProposal;
use crate::fault::MlsFault;
use crate::message::MlsMessage;
use crate::provider::Provider;
use crate::tls::{Reading, put_vector, vector, whole};

/// The first byte: the layout of what follows. Raised also when openmls changes what it stores.
const VERSION: u8 = 2;

const STORED: MlsFault = MlsFault::Stored("hub group");

impl HubGroup {
    /// The group as bytes, versioned; nothing in it is secret.
    pub fn persist(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        put_vector(&mut out, self.group.group_id().as_slice());
        put_vector(&mut out, &self.group_info);
        let pending = self.pending.iter().flat_map(|pending| {
            [&pending.accepted_ms.to_be_bytes()[..], &vector(pending.message.as_bytes())].concat()
        });
        put_vector(&mut out, &pending.collect::<Vec<u8>>());
        for (key, value) in self.provider.entries() {
            put_vector(&mut out, &key);
            put_vector(&mut out, &value);
        }
        out
    }

    /// The group that [`persist`](Self::persist) wrote.
    pub fn load(bytes: &[u8]) -> Result<Self, MlsFault> {
        let stored = whole(bytes, read).ok_or(STORED)?;
        let provider = Provider::restore(stored.entries);
        let group = PublicGroup::load(provider.storage(), &GroupId::from_slice(stored.group_id))
            .map_err(|_| STORED)?
            .ok_or(STORED)?;
        let pending = stored.pending.into_iter().map(|(accepted_ms, message)| {
            let message = MlsMessage::decode(message).map_err(|_| STORED)?;
            PendingProposal::read(&message, accepted_ms).ok_or(STORED)
        });
        let pending = pending.collect::<Result<_, _>>()?;
        Ok(Self { provider, group, group_info: stored.group_info.to_vec(), pending })
    }
}

struct Stored<'a> {
    group_id: &'a [u8],
    group_info: &'a [u8],
    pending: Vec<(u64, &'a [u8])>,
    entries: Vec<(Vec<u8>, Vec<u8>)>,
}

fn read<'a>(reading: &mut Reading<'a>) -> Option<Stored<'a>> {
    (reading.byte()? == VERSION).then_some(())?;
    let group_id = reading.vector()?;
    let group_info = reading.vector()?;
    let pending = reading.list(|pending| Some((pending.number64()?, pending.vector()?)))?;
    let entries = std::mem::replace(reading, Reading(&[]));
    let entries = entries.items(|entry| Some((entry.vector()?.to_vec(), entry.vector()?.to_vec())))?;
    Some(Stored { group_id, group_info, pending, entries })
}
