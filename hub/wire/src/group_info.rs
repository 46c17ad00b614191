//! `groupInfo`: what an external joiner needs (A8).

use mimi_mls::MlsMessage;
use mimi_uri::RoomUri;

use crate::codec::{Reader, Wire, body, codes, put_list, put_opaque, put_optional};
use crate::decode_error::DecodeError;
use crate::identifier::put_uri;
use crate::limits::{JOINING_CODE_LENGTH_MAX, PROPOSALS_MAX};
use crate::mls_parts::{CipherSuite, Credential, ExternalSender, HpkeCiphertext, Protocol};
use crate::timestamp::Timestamp;
use crate::tree_option::RatchetTreeOption;

/// The label that [`GroupInfoRequest::to_be_signed`] is signed with.
pub const GROUP_INFO_REQUEST_LABEL: &str = "GroupInfoRequestTBS";
/// The label that [`GroupInfoSuccess::to_be_signed`] is signed with.
pub const GROUP_INFO_RESPONSE_LABEL: &str = "GroupInfoResponseTBS";
/// The label that [`GroupInfoRatchetTree`] is sealed with; the context is the room's URI.
pub const GROUP_INFO_ENCRYPTION_LABEL: &str = "GroupInfo and ratchet_tree encryption";

/// A client asks for what it needs to join by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupInfoRequest {
    /// The suite of this request's signature, and of the answer's.
    pub cipher_suite: CipherSuite,
    /// The client's public signature key.
    pub requesting_signature_key: Vec<u8>,
    /// The client's credential.
    pub requesting_credential: Credential,
    /// The HPKE key that the answer is sealed for.
    pub group_info_public_key: Vec<u8>,
    /// What lets a stranger in.
    pub joining_code: Option<JoiningCode>,
    /// The client's signature over everything before it.
    pub signature: Vec<u8>,
}

/// A code that was given to a stranger out of band. A secret: it does not show itself in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct JoiningCode(pub Vec<u8>);

impl std::fmt::Debug for JoiningCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JoiningCode(..)")
    }
}

impl GroupInfoRequest {
    /// `GroupInfoRequestTBS`: everything before the signature.
    pub fn to_be_signed(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_signed(&mut out);
        out
    }

    fn write_signed(&self, out: &mut Vec<u8>) {
        Protocol::Mls10.write(out);
        self.cipher_suite.write(out);
        put_opaque(out, &self.requesting_signature_key);
        self.requesting_credential.write(out);
        put_opaque(out, &self.group_info_public_key);
        put_optional(out, self.joining_code.as_ref(), |code, out| put_opaque(out, &code.0));
    }
}

impl Wire for GroupInfoRequest {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Protocol::read(reader)?;
        Ok(Self {
            cipher_suite: CipherSuite::read(reader)?,
            requesting_signature_key: reader.key("requestingSignatureKey")?,
            requesting_credential: Credential::read(reader)?,
            group_info_public_key: reader.key("groupInfoPublicKey")?,
            joining_code: reader.optional(|reader| {
                let code = reader.opaque_max("joiningCode", JOINING_CODE_LENGTH_MAX)?;
                Ok(JoiningCode(code.to_vec()))
            })?,
            signature: reader.key("signature")?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.write_signed(out);
        put_opaque(out, &self.signature);
    }
}

/// `GroupInfoRatchetTreeTBE`: what is sealed for the joiner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupInfoRatchetTree {
    /// The `GroupInfo` struct, without its ratchet tree.
    pub group_info: Vec<u8>,
    /// The ratchet tree.
    pub ratchet_tree: RatchetTreeOption,
    /// Proposals that wait for a commit; an external commit must cover every `SelfRemove` among them (EM8).
    pub pending_proposals: Vec<PendingProposal>,
}

/// A proposal that waits for a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingProposal {
    /// The proposal.
    pub proposal: MlsMessage,
    /// When the hub accepted it.
    pub hub_accepted_time: Timestamp,
}

impl Wire for PendingProposal {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            proposal: reader.proposal("pending_proposals")?,
            hub_accepted_time: Timestamp::read(reader)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.proposal.write(out);
        self.hub_accepted_time.write(out);
    }
}

impl Wire for GroupInfoRatchetTree {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            group_info: reader.group_info()?,
            ratchet_tree: RatchetTreeOption::read(reader)?,
            pending_proposals: reader.list("pending_proposals", PROPOSALS_MAX)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.group_info);
        self.ratchet_tree.write(out);
        put_list(out, &self.pending_proposals);
    }
}

codes! {
    /// What a hub says to a joiner.
    GroupInfoCode("GroupInfoCode") {
        /// Here it is.
        Success = 1 "success",
        /// The joiner may not have it; also said in place of what is nobody's business.
        NotAuthorized = 2 "notAuthorized",
        /// There is no such room.
        NoSuchRoom = 3 "noSuchRoom",
    }
}

/// The answer to a [`GroupInfoRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupInfoResponse {
    /// The room that was asked for.
    pub room: RoomUri,
    /// What the hub gives.
    pub grant: GroupInfoGrant,
}

/// What a hub gives to a joiner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupInfoGrant {
    /// Everything.
    Success(GroupInfoSuccess),
    /// Nothing: the joiner may not have it.
    NotAuthorized,
    /// Nothing: there is no such room.
    NoSuchRoom,
}

/// What a joiner needs, sealed for him and signed by the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupInfoSuccess {
    /// The suite that it is sealed and signed with.
    pub cipher_suite: CipherSuite,
    /// The hub as the group's external sender; the GroupInfo inside must name the same.
    pub hub_sender: ExternalSender,
    /// The sealed [`GroupInfoRatchetTree`].
    pub encrypted_groupinfo_and_tree: HpkeCiphertext,
    /// The hub's signature over everything before it.
    pub signature: Vec<u8>,
}

impl GroupInfoSuccess {
    /// `GroupInfoResponseTBS` of an answer about this room: everything before the signature.
    pub fn to_be_signed(&self, room: &RoomUri) -> Vec<u8> {
        let mut out = Vec::new();
        write_head(&mut out, room, GroupInfoCode::Success);
        self.write_signed(&mut out);
        out
    }

    fn write_signed(&self, out: &mut Vec<u8>) {
        self.cipher_suite.write(out);
        self.hub_sender.write(out);
        self.encrypted_groupinfo_and_tree.write(out);
    }
}

fn write_head(out: &mut Vec<u8>, room: &RoomUri, code: GroupInfoCode) {
    Protocol::Mls10.write(out);
    put_uri(out, room);
    code.write(out);
}

impl GroupInfoGrant {
    /// The code that says so.
    pub const fn code(&self) -> GroupInfoCode {
        match self {
            Self::Success(_) => GroupInfoCode::Success,
            Self::NotAuthorized => GroupInfoCode::NotAuthorized,
            Self::NoSuchRoom => GroupInfoCode::NoSuchRoom,
        }
    }
}

impl Wire for GroupInfoResponse {
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Protocol::read(reader)?;
        let room = reader.uri("room_id")?;
        let grant = match GroupInfoCode::read(reader)? {
            GroupInfoCode::Success => GroupInfoGrant::Success(GroupInfoSuccess {
                cipher_suite: CipherSuite::read(reader)?,
                hub_sender: ExternalSender::read(reader)?,
                encrypted_groupinfo_and_tree: HpkeCiphertext::read(reader)?,
                signature: reader.key("signature")?,
            }),
            GroupInfoCode::NotAuthorized => GroupInfoGrant::NotAuthorized,
            GroupInfoCode::NoSuchRoom => GroupInfoGrant::NoSuchRoom,
        };
        Ok(Self { room, grant })
    }

    fn write(&self, out: &mut Vec<u8>) {
        write_head(out, &self.room, self.grant.code());
        match &self.grant {
            GroupInfoGrant::Success(success) => {
                success.write_signed(out);
                put_opaque(out, &success.signature);
            }
            GroupInfoGrant::NotAuthorized | GroupInfoGrant::NoSuchRoom => {}
        }
    }
}

body!(GroupInfoRequest, GroupInfoRatchetTree, GroupInfoResponse, PendingProposal);
