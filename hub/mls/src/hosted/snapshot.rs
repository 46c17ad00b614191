//! The snapshot: everything of a hosted room in one versioned value.
//!
//! Taken between any two calls, it is consistent in itself. What it cannot know is which generations were used after it
//! was taken: see [`HostedRoom::advance_generation`].

use std::collections::BTreeMap;

use openmls_rust_crypto::RustCrypto;
use serde::{Deserialize, Serialize};

use super::commit::{NextReader, OwnPending};
use super::difference::Difference;
use super::epoch::EpochSecrets;
use super::faults::HostedFault;
use super::keys::{KeyPair, KeyPool};
use super::logic::ComponentChanges;
use super::opener::{Opener, OpeningRatchetSnapshot};
use super::reader::Reader;
use super::room::{CurrentEpoch, HostedLeaf, HostedRoom, PastEpoch, Standing};
use super::roster::{FormerMembers, MemberSnapshot, Roster};
use super::second::{Missed, SecondReader};
use super::secret::{Bytes, Secret};
use super::sender::LeafSender;
use super::summary::HandshakeSender;
use crate::identity::read_identity;
use crate::ids::LeafIndex;
use crate::key_package::SigningKey;
use crate::message::MlsMessage;
use crate::provider::Provider;

/// The first byte of a snapshot: the layout of what follows. Raised also when openmls changes what it stores.
const VERSION: u8 = 1;

impl HostedRoom {
    /// Everything, as bytes; secret through and through.
    pub fn snapshot(&self) -> Result<Vec<u8>, HostedFault> {
        let mut out = vec![VERSION];
        rmp_serde::encode::write(&mut out, &self.to_snapshot()).map_err(HostedFault::internal)?;
        Ok(out)
    }

    /// The room as it was when the snapshot was taken.
    ///
    /// Before anybody speaks, tell it with [`advance_generation`](Self::advance_generation) what was sent since.
    pub fn load(bytes: &[u8]) -> Result<Self, HostedFault> {
        let (&VERSION, body) = bytes.split_first().ok_or(HostedFault::Malformed("the snapshot"))? else {
            return Err(HostedFault::Malformed("the snapshot's version"));
        };
        let snapshot: Snapshot =
            rmp_serde::from_slice(body).map_err(|_| HostedFault::Malformed("the snapshot"))?;
        Self::of_snapshot(snapshot)
    }

    fn to_snapshot(&self) -> Snapshot {
        Snapshot {
            standing: self.standing,
            reader: stored(&self.reader.provider),
            current: self.current.secrets.clone(),
            opener: self.current.opener.snapshot(),
            generations: self
                .current
                .senders
                .iter()
                .map(|(leaf, sender)| (leaf.0, sender.generation()))
                .collect(),
            past: self.past.first().map(PastSnapshot::of),
            hosted: self
                .hosted
                .iter()
                .filter_map(|(leaf, hosted)| Some((leaf.0, Secret::from_slice(&hosted.key.to_bytes())?)))
                .collect(),
            pool: self.pool.pairs().collect(),
            second: self.second.as_ref().map(|second| SecondSnapshot {
                leaf: second.leaf.0,
                stored: Difference::between(&self.reader.provider, &second.provider),
                missed: second.missed.clone(),
            }),
            pending: self.pending.as_ref().map(|pending| self.pending_snapshot(pending)),
            older: self.past.iter().skip(1).map(PastSnapshot::of).collect(),
        }
    }

    fn pending_snapshot(&self, pending: &OwnPending) -> PendingSnapshot {
        let next = match &pending.next {
            NextReader::Committer(view) => {
                NextSnapshot::Committer(Difference::between(&self.reader.provider, &view.provider))
            }
            NextReader::Joiner(reader) => {
                NextSnapshot::Joiner(Difference::between(&self.reader.provider, &reader.provider))
            }
            NextReader::Present => NextSnapshot::Present,
        };
        PendingSnapshot {
            commit: Bytes(pending.commit.as_bytes().to_vec()),
            leaf: pending.sender.leaf().map_or(u32::MAX, |leaf| leaf.0),
            changes: pending.changes.clone(),
            next,
        }
    }

    fn of_snapshot(snapshot: Snapshot) -> Result<Self, HostedFault> {
        let malformed = || HostedFault::Malformed("the snapshot");
        let crypto = RustCrypto::default();
        let group_id = snapshot.current.group_id.0.clone();
        let reader = Reader::load(Provider::restore(entries(snapshot.reader)), &group_id)?;
        let roster = Roster::of(&reader.group)?;
        let mut pool = KeyPool::default();
        pool.extend(snapshot.pool);
        let mut room = Self {
            standing: snapshot.standing,
            current: CurrentEpoch {
                opener: Opener::load(snapshot.opener).ok_or_else(malformed)?,
                secrets: snapshot.current,
                senders: BTreeMap::new(),
            },
            past: (snapshot.past.into_iter().chain(snapshot.older))
                .map(|past| past.load().ok_or_else(malformed))
                .collect::<Result<_, _>>()?,
            hosted: hosted_leaves(snapshot.hosted, &roster)?,
            roster,
            pool,
            second: snapshot.second.map(|second| second.load(&reader.provider)).transpose()?,
            pending: snapshot.pending.map(|pending| pending.load(&reader.provider, &group_id)).transpose()?,
            reader,
            crypto,
        };
        for (leaf, generation) in snapshot.generations {
            let mut sender = LeafSender::derive(&room.crypto, &room.current.secrets, LeafIndex(leaf))?;
            sender.advance_to(&room.crypto, generation)?;
            room.current.senders.insert(LeafIndex(leaf), sender);
        }
        Ok(room)
    }
}

#[derive(Serialize, Deserialize)]
struct Snapshot {
    standing: Standing,
    reader: Vec<(Bytes, Bytes)>,
    current: EpochSecrets,
    opener: Vec<OpeningRatchetSnapshot>,
    generations: Vec<(u32, u32)>,
    past: Option<PastSnapshot>,
    hosted: Vec<(u32, Secret)>,
    pool: Vec<KeyPair>,
    second: Option<SecondSnapshot>,
    pending: Option<PendingSnapshot>,
    /// The epochs before `past`, the newest first; snapshots of before they were kept have none.
    #[serde(default)]
    older: Vec<PastSnapshot>,
}

#[derive(Serialize, Deserialize)]
struct PastSnapshot {
    secrets: EpochSecrets,
    opener: Vec<OpeningRatchetSnapshot>,
    former: Vec<(u32, Option<MemberSnapshot>)>,
}

impl PastSnapshot {
    fn of(past: &PastEpoch) -> Self {
        let PastEpoch { secrets, opener, former } = past;
        Self { secrets: secrets.clone(), opener: opener.snapshot(), former: former.snapshot() }
    }

    fn load(self) -> Option<PastEpoch> {
        Some(PastEpoch {
            secrets: self.secrets,
            opener: Opener::load(self.opener)?,
            former: FormerMembers::load(self.former),
        })
    }
}

#[derive(Serialize, Deserialize)]
struct SecondSnapshot {
    leaf: u32,
    stored: Difference,
    missed: Vec<Missed>,
}

impl SecondSnapshot {
    fn load(self, reader: &Provider) -> Result<SecondReader, HostedFault> {
        Ok(SecondReader {
            leaf: LeafIndex(self.leaf),
            provider: self.stored.applied_to(reader).ok_or(HostedFault::Malformed("the second reader"))?,
            missed: self.missed,
        })
    }
}

#[derive(Serialize, Deserialize)]
struct PendingSnapshot {
    commit: Bytes,
    leaf: u32,
    changes: ComponentChanges,
    next: NextSnapshot,
}

#[derive(Serialize, Deserialize)]
enum NextSnapshot {
    Committer(Difference),
    Present,
    Joiner(Difference),
}

impl PendingSnapshot {
    fn load(self, reader: &Provider, group_id: &[u8]) -> Result<OwnPending, HostedFault> {
        let view = |difference: Difference| {
            let stored = difference.applied_to(reader).ok_or(HostedFault::Malformed("the pending commit"))?;
            Reader::load(stored, group_id)
        };
        let leaf = LeafIndex(self.leaf);
        let sender = match &self.next {
            NextSnapshot::Joiner(_) => HandshakeSender::Joiner(leaf),
            NextSnapshot::Committer(_) | NextSnapshot::Present => HandshakeSender::Member(leaf),
        };
        Ok(OwnPending {
            commit: MlsMessage::decode(&self.commit.0)
                .map_err(|_| HostedFault::Malformed("the pending commit"))?,
            sender,
            changes: self.changes,
            next: match self.next {
                NextSnapshot::Committer(difference) => NextReader::Committer(view(difference)?),
                NextSnapshot::Joiner(difference) => NextReader::Joiner(view(difference)?),
                NextSnapshot::Present => NextReader::Present,
            },
        })
    }
}

fn stored(provider: &Provider) -> Vec<(Bytes, Bytes)> {
    provider.entries().into_iter().map(|(key, value)| (Bytes(key), Bytes(value))).collect()
}

fn entries(stored: Vec<(Bytes, Bytes)>) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
    stored.into_iter().map(|(key, value)| (key.0, value.0))
}

fn hosted_leaves(
    stored: Vec<(u32, Secret)>,
    roster: &Roster,
) -> Result<BTreeMap<LeafIndex, HostedLeaf>, HostedFault> {
    let mut hosted = BTreeMap::new();
    for (leaf, key) in stored {
        let leaf = LeafIndex(leaf);
        let key = SigningKey::from_bytes(key.as_slice()).map_err(HostedFault::internal)?;
        let member = roster.member(leaf).ok_or(HostedFault::NotHosted(leaf))?;
        let identity = read_identity(&member.credential).map_err(HostedFault::refused)?;
        hosted.insert(leaf, HostedLeaf { key, signature_key: member.signature_key.clone(), identity });
    }
    Ok(hosted)
}
