//! The ports between server and gateway: each side implements what the other needs and knows nothing more of it.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use mimi_mls::KeyPackageRef;
use mimi_uri::{ClientUri, Domain, RoomUri, UserUri};

use crate::franking::FrankingTag;
use crate::group_info::{GroupInfoRequest, GroupInfoResponse};
use crate::key_material::{KeyMaterialRequest, KeyMaterialResponse};
use crate::submit_message::{SubmitMessageRequest, SubmitMessageResponse};
use crate::timestamp::Timestamp;
use crate::update::{UpdateRequest, UpdateRoomResponse};

/// The way to the hub of any room: ours in this process, or a peer's over the network.
///
/// Every method may be repeated with the identical request: an accepted one is answered again, not done again.
#[async_trait]
pub trait Hub: Send + Sync {
    /// Founds a room on our own hub; provider-local, for the draft leaves room creation to the provider.
    async fn create_room(&self, request: CreateRoomRequest) -> Result<CreateRoomResponse, HubFault>;

    /// Sends a proposal or a commit to the room's hub (A4).
    async fn update(&self, room: &RoomUri, request: &UpdateRequest) -> Result<UpdateRoomResponse, HubFault>;

    /// Sends an application message to the room's hub (A5).
    async fn submit_message(
        &self,
        room: &RoomUri,
        request: &SubmitMessageRequest,
    ) -> Result<SubmitMessageResponse, HubFault>;

    /// Claims KeyPackages of a user, through the hub of the room that they are for (A3, PM5).
    async fn key_material(&self, request: &KeyMaterialRequest) -> Result<KeyMaterialResponse, HubFault>;

    /// Asks the room's hub for what an external joiner needs (A8).
    async fn group_info(
        &self,
        room: &RoomUri,
        request: &GroupInfoRequest,
    ) -> Result<GroupInfoResponse, HubFault>;

    /// The identity roots that a provider publishes, from that provider itself, as DER.
    async fn identity_roots(&self, domain: &Domain) -> Result<Vec<Vec<u8>>, HubFault>;
}

/// A room to be founded on our own hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateRoomRequest {
    /// The room's name, in our domain.
    pub room: RoomUri,
    /// The user who founds it; the group's only member is his.
    pub creator: UserUri,
    /// The GroupInfo of the group's first epoch.
    pub group_info: Vec<u8>,
    /// The ratchet tree of that epoch.
    pub ratchet_tree: Vec<u8>,
}

/// What became of a room to be founded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreateRoomResponse {
    /// The room exists, by this request or by an identical one before.
    Created {
        /// When it was founded.
        accepted: Timestamp,
    },
    /// The hub refuses to host it, and says why.
    Refused(String),
}

/// Why there is no answer from a hub.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HubFault {
    /// The hub did not answer, or answered that it cannot now; the identical request may be repeated.
    #[error("the hub is unreachable: {why}")]
    Unreachable {
        /// What happened, for the log.
        why: String,
        /// How long the hub asks to wait.
        retry_after: Option<Duration>,
    },
    /// The hub rejected the request as such; repeating it changes nothing.
    #[error("the hub rejected the request with status {status}: {detail}")]
    Rejected {
        /// The HTTP status, or what it would have been.
        status: u16,
        /// What the hub said.
        detail: String,
    },
}

/// Makes KeyPackages for hosted users at the moment they are claimed.
///
/// Pure: it draws keys and signs, and stores nothing. The server stores what it returns together with the answer, so that
/// no KeyPackage leaves whose keys a crash could lose (PM8).
pub trait Mint: Send + Sync {
    /// Whether the user is hosted here.
    fn hosts(&self, user: &UserUri) -> bool;

    /// Makes a KeyPackage of the target user for this request.
    fn mint(&self, request: &KeyMaterialRequest, now: Timestamp) -> Result<Minted, MintRefusal>;
}

/// A KeyPackage, and what its owner needs to use it.
#[derive(Clone, PartialEq, Eq)]
pub struct Minted {
    /// The client it is of.
    pub client: ClientUri,
    /// The `KeyPackage` struct.
    pub key_package: Vec<u8>,
    /// Its reference, by which the Welcome will name it.
    pub reference: KeyPackageRef,
    /// Its private keys, sealed for rest.
    pub secret: Vec<u8>,
}

impl std::fmt::Debug for Minted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Minted")
            .field("client", &self.client)
            .field("reference", &self.reference)
            .finish_non_exhaustive()
    }
}

/// Why no KeyPackage was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MintRefusal {
    /// The target user is not hosted here.
    #[error("the user is not hosted here")]
    NotHosted,
    /// No client of the user has a suite that the requester accepts, or what he requires.
    #[error("no client of the user is compatible with the request")]
    NothingCompatible,
    /// We failed.
    #[error("no KeyPackage could be made: {0}")]
    Fault(String),
}

/// Reads what a reported message claims of itself.
///
/// The hub cannot read content, so the gateway reads it for the report endpoint, and the hub compares the claims with its
/// frank (A11).
pub trait ReportVerifier: Send + Sync {
    /// What the content claims; none if it is no content.
    fn claims(&self, message_content: &[u8]) -> Option<FrankedClaims>;
}

/// What a franked message claims of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrankedClaims {
    /// The user who says he sent it.
    pub sender: UserUri,
    /// The room he says he sent it to.
    pub room: RoomUri,
    /// The tags that its salt gives, one for each framing that the draft leaves open.
    pub franking_tags: Vec<FrankingTag>,
}

/// The clocks of this process, brought by whoever may read them.
pub trait Clock: Send + Sync {
    /// The time of day.
    fn now(&self) -> Timestamp;

    /// A clock that nobody sets.
    fn monotonic(&self) -> Instant;
}
