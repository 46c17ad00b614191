//! Every struct, code and URI of the MIMI protocol draft, and the ports between server and gateway.
//!
//! Bytes become a type once, at the door: `decode` takes a whole body and refuses whatever is not exactly one encoding of
//! the struct: bytes missing or left over, lengths that are not minimal, codes that do not exist, identifiers that are not
//! canonical, lists longer than their limit. So a value has one encoding, `decode(encode(x)) == x` and
//! `encode(decode(b)) == b`; what a signature covers can be encoded again.
//!
//! One module per endpoint, named as the draft names it. Where a variant of a struct depends on something outside it (the
//! kind of an `MLSMessage`, a status code), it is an enum here and cannot disagree.
//!
//! Pure: no I/O, no clock, no randomness. Time is a [`Timestamp`] that the caller brings.

mod codec;
pub mod consent;
mod decode_error;
mod directory;
mod endpoint;
pub mod franking;
pub mod group_info;
mod identifier;
pub mod identifier_query;
mod identity_roots;
pub mod key_material;
pub mod limits;
mod mls_parts;
pub mod notify;
pub mod ports;
mod problem;
pub mod report_abuse;
mod request_hash;
pub mod submit_message;
mod text;
mod timestamp;
pub mod tree_option;
pub mod update;

pub use codec::Body;
pub use consent::{ConsentEntry, ConsentOperation, ConsentScope, ConsentStep};
pub use decode_error::DecodeError;
pub use directory::{Authority, Directory, DirectoryError, Link, LinkError, Template};
pub use endpoint::{DIRECTORY_PATH, Endpoint, Method, PathError, Route, decode_path_value};
pub use franking::{
    Frank, FrankingAgentData, FrankingIntegrityTbs, FrankingTag, HubKey, ServerFrank, ServerFrankingContext,
};
pub use group_info::{
    GroupInfoCode, GroupInfoGrant, GroupInfoRatchetTree, GroupInfoRequest, GroupInfoResponse,
    GroupInfoSuccess, JoiningCode, PendingProposal,
};
pub use identifier_query::{
    FieldSource, IdentifierQueryCode, IdentifierRequest, IdentifierResponse, ProfileField, QueryElement,
    SearchField, SearchIdentifierType, UserProfile,
};
pub use identity_roots::IdentityRootsDocument;
pub use key_material::{
    ClientKeyMaterial, ClientMaterial, KeyMaterialClientCode, KeyMaterialRequest, KeyMaterialResponse,
    KeyMaterialUserCode,
};
pub use mls_parts::{
    AppDataDictionary, Capabilities, CipherSuite, ComponentData, Credential, Extension, ExternalSender,
    HpkeCiphertext, Protocol, RequiredCapabilities,
};
pub use notify::{FanoutEvent, FanoutMessage};
pub use ports::{
    Clock, CreateRoomRequest, CreateRoomResponse, FrankedClaims, Hub, HubFault, Mint, MintRefusal, Minted,
    ReportVerifier,
};
pub use problem::{PROBLEM_MEDIA_TYPE, Problem};
pub use report_abuse::{AbuseReport, AbuseType, AbusiveMessage};
pub use request_hash::RequestHash;
pub use submit_message::{SubmitMessageRequest, SubmitMessageResponse, SubmitResponseCode};
pub use text::ErrorDescription;
pub use timestamp::Timestamp;
pub use tree_option::{
    GroupInfoOption, GroupInfoRepresentation, PartialGroupInfo, RatchetTreeOption, RatchetTreePresence,
    RatchetTreeRepresentation,
};
pub use update::{HandshakeBundle, UpdateRequest, UpdateResponseCode, UpdateRoomResponse, UpdateVerdict};
