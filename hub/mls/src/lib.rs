//! The one crate that names openmls: public groups, hosted groups, identities.
//!
//! A MIMI room is an MLS group (RFC 9420) with a hub that watches it and members that live in it. This crate has both
//! sides, behind types that show nothing of openmls, so that no other crate recompiles it:
//!
//! - [`hub`]: a room's group as its hub sees it. Public state only; checks every handshake, and what comes with it.
//! - [`hosted`]: a room's group as a gateway lives in it: one state for any number of hosted members.
//!
//! And what both stand on:
//!
//! - [`MlsMessage`]: one message, taken apart as far as its envelope goes.
//! - [`verify_credential`] and [`IdentityAuthority`]: who a member is. openmls does not ask; we must.
//! - [`mint_key_package`] and [`read_key_package`]: the offers to be added.
//! - [`ComponentLogic`]: the door for the rules of rooms, which are not MLS's business.
//! - [`SafeAad`], [`sign_with_label`], [`seal_with_label`]: small forms that the drafts build on.
//!
//! Three kinds of no: [`MlsRefusal`] and its like say what a peer did wrong, [`MlsFault`] that we failed. Nothing here
//! does I/O or reads a clock, except that openmls looks at the system's for the lifetimes of leaves. One ciphersuite:
//! `MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519`.

mod bridged;
mod components;
mod fault;
mod group_info;
pub mod hosted;
pub mod hub;
mod identity;
mod ids;
mod key_package;
mod label;
pub mod limits;
mod member;
mod message;
mod provider;
mod safe_aad;
mod structure;
mod tls;

pub use bridged::Bridged;
pub use components::{
    APP_COMPONENTS, BRIDGED, CONTENT_MEDIA_TYPES, ComponentLogic, ComponentOperation, ComponentOperations,
    ComponentRefused, Dictionary, FRANK_AAD, LAST_RESORT_KEY_PACKAGE, MIMI_COMPONENTS, SAFE_AAD,
    decode_component_list, encode_component_list,
};
pub use fault::MlsFault;
pub use group_info::{GroupInfoOption, PartialGroupInfo, group_info_length};
pub use hub::{HubGroup, MlsRefusal};
pub use identity::{
    ClientIdentity, IdentityAuthority, IdentityError, IdentityRoots, encode_credential, read_identity,
    verify_credential,
};
pub use ids::{Epoch, GroupId, KeyPackageRef, LeafIndex, ProposalRef};
pub use key_package::{
    HostedClient, InvalidKeyPackage, InvalidSigningKey, KeyPackageView, LeafView, MintedKeyPackage,
    SigningKey, mint_key_package, read_key_package,
};
pub use label::{
    CannotOpen, HpkeCiphertext, HpkeKeyPair, open_with_label, seal_with_label, sign_with_label,
    verify_with_label,
};
pub use member::Member;
pub use message::{ContentType, MessageKind, MlsDecodeError, MlsMessage};
pub use safe_aad::{InvalidSafeAad, SafeAad, SafeAadItem};
