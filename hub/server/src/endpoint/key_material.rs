//! `/keyMaterial`: as the hub of a room we pass it on, as the target's provider we answer it (A3).

use std::sync::Arc;

use bytes::Bytes;
use mimi_edge_policy::{Outcome, PeerFunction, Request, Seconds, evaluate};
use mimi_mls::read_key_package;
use mimi_store::{Claim, Claimed, NewKeyPackage, fail_point};
use mimi_uri::{Domain, RoomUri, UserUri};
use mimi_wire::key_material::KEY_MATERIAL_REQUEST_LABEL;
use mimi_wire::{
    ClientKeyMaterial, ClientMaterial, Endpoint, KeyMaterialRequest, KeyMaterialResponse,
    KeyMaterialUserCode, MintRefusal, RequestHash, Timestamp,
};

use crate::failure::{Failure, Fault, Rejection};
use crate::limits::KEY_MATERIAL_ANSWER_KEPT;
use crate::owner::Ask;
use crate::server::Inner;
use crate::signed::Signed;

pub(crate) async fn key_material(
    inner: &Arc<Inner>,
    provider: Domain,
    target: &UserUri,
    body: &[u8],
) -> Result<KeyMaterialResponse, Failure> {
    let request = KeyMaterialRequest::decode(body).map_err(Rejection::from)?;
    if request.target_user != *target {
        return Err(Rejection::NotThatProvider("the path names another user than the body").into());
    }
    ask(inner, provider, request).await
}

/// Answers a request for key material, whoever brings it: for a room of ours as its hub, else for a user of ours.
pub(crate) async fn ask(
    inner: &Arc<Inner>,
    provider: Domain,
    request: KeyMaterialRequest,
) -> Result<KeyMaterialResponse, Failure> {
    if let Some(room) = request.room.clone()
        && room.domain() == &inner.domain
        && request.requesting_user.domain() == &provider
    {
        return as_hub(inner, provider, &room, request).await;
    }
    as_target(inner, &provider, &request).await
}

/// PM5: material is asked for through the hub of the room, which remembers who issued it.
async fn as_hub(
    inner: &Arc<Inner>,
    provider: Domain,
    room: &RoomUri,
    request: KeyMaterialRequest,
) -> Result<KeyMaterialResponse, Failure> {
    let copy = Box::new(request.clone());
    inner.ask(room, |reply| Ask::AuthorizeKeyMaterial(provider, copy, reply)).await?;
    let target = request.target_user.domain();
    let response = if *target == inner.domain {
        as_target(inner, &inner.domain, &request).await?
    } else {
        forward(inner, target, &request).await?
    };
    let exchange = Box::new((request, response.clone()));
    inner.ask(room, |reply| Ask::RecordKeyMaterial(exchange, reply)).await?;
    Ok(response)
}

async fn forward(
    inner: &Inner,
    target: &Domain,
    request: &KeyMaterialRequest,
) -> Result<KeyMaterialResponse, Failure> {
    let body = Bytes::from(request.encode());
    let answer = inner
        .call(target, Endpoint::KeyMaterial, request.target_user.as_str(), body)
        .await
        .map_err(|fault| Failure::Fault(Fault::new(fault)))?;
    if !answer.status.is_success() {
        return Err(Failure::Fault(Fault::new(format!("{target} answered {}", answer.status))));
    }
    let response =
        KeyMaterialResponse::decode(&answer.body).map_err(|fault| Failure::Fault(Fault::new(fault)))?;
    if response.user != request.target_user {
        return Err(Failure::Fault(Fault::new(format!("{target} answered for another user"))));
    }
    Ok(response)
}

/// A3, the target's checks in their order.
async fn as_target(
    inner: &Inner,
    provider: &Domain,
    request: &KeyMaterialRequest,
) -> Result<KeyMaterialResponse, Failure> {
    if request.target_user.domain() != &inner.domain {
        return Err(Rejection::NotThatProvider("the target is of another provider").into());
    }
    // PM6: material is given for a room.
    let Some(room) = &request.room else {
        return Err(Rejection::NotThatProvider("no room is named").into());
    };
    // G2: the requester's provider speaks, or the hub of the room on its behalf.
    if request.requesting_user.domain() != provider && room.domain() != provider {
        return Err(Rejection::NotThatProvider("neither the requester's provider nor the room's hub").into());
    }
    let now = inner.now()?;
    verify(inner, request, now).await?;
    if let Some(code) = refusal(inner, provider, request, now) {
        return Ok(refused(&request.target_user, code));
    }
    let minted = match inner.mint.mint(request, now) {
        Ok(minted) => minted,
        Err(refusal) => return Ok(refused(&request.target_user, told(&refusal)?)),
    };
    let material = ClientMaterial::Success { key_package: minted.key_package.clone() };
    let response = KeyMaterialResponse {
        user_status: KeyMaterialUserCode::Success,
        user: request.target_user.clone(),
        clients: vec![ClientKeyMaterial { client: minted.client.clone(), material }],
    };
    let not_after =
        read_key_package(&minted.key_package).map_err(|fault| Failure::Fault(Fault::new(fault)))?.not_after_s;
    let claim = Claim {
        peer: provider.clone(),
        request_hash: RequestHash::of(&request.encode()),
        answer: response.encode(),
        expires: now.plus(KEY_MATERIAL_ANSWER_KEPT),
        now,
        minted: vec![NewKeyPackage {
            reference: minted.reference,
            user: request.target_user.clone(),
            client: minted.client,
            requester: request.requesting_user.clone(),
            room: room.clone(),
            secret: minted.secret,
            not_after: Timestamp(not_after * 1000),
        }],
    };
    // PM8: a package leaves in one answer only; the same request gets the same answer.
    fail_point("key_package.minted");
    let claimed = inner.store.claim(claim).await?;
    fail_point("key_package.stored");
    match claimed {
        Claimed::Fresh => Ok(response),
        Claimed::Replayed(answer) => {
            KeyMaterialResponse::decode(&answer).map_err(|fault| Failure::Fault(Fault::new(fault)))
        }
    }
}

/// A hub asks on behalf of others, and must not make them up (A12).
async fn verify(inner: &Inner, request: &KeyMaterialRequest, now: Timestamp) -> Result<(), Failure> {
    let signed = Signed {
        key: &request.requester_signature_key,
        credential: &request.requester_credential,
        label: KEY_MATERIAL_REQUEST_LABEL,
        content: &request.to_be_signed(),
        signature: &request.signature,
    };
    signed.prove(inner, now, |said| said == &request.requesting_user).await.map(drop)
}

/// Consent; whoever is unknown, blocked or undecided looks the same to the one who asks (DESIGN §6).
fn refusal(
    inner: &Inner,
    provider: &Domain,
    request: &KeyMaterialRequest,
    now: Timestamp,
) -> Option<KeyMaterialUserCode> {
    let contact = Request {
        peer: provider,
        function: PeerFunction::KeyMaterial,
        requester: &request.requesting_user,
        target: &request.target_user,
        room: request.room.as_ref(),
    };
    let verdict = evaluate(&contact, &inner.rules, &[], Seconds(now.seconds()));
    if verdict.outcome != Outcome::Allow {
        tracing::info!(peer = %provider, why = ?verdict.why, "key material was refused");
    }
    let allowed = verdict.outcome == Outcome::Allow && inner.mint.hosts(&request.target_user);
    (!allowed).then_some(KeyMaterialUserCode::NoConsent)
}

fn refused(user: &UserUri, user_status: KeyMaterialUserCode) -> KeyMaterialResponse {
    KeyMaterialResponse { user_status, user: user.clone(), clients: vec![] }
}

fn told(refusal: &MintRefusal) -> Result<KeyMaterialUserCode, Failure> {
    match refusal {
        MintRefusal::NotHosted => Ok(KeyMaterialUserCode::NoConsent),
        MintRefusal::NothingCompatible => Ok(KeyMaterialUserCode::NoCompatibleMaterial),
        MintRefusal::Fault(why) => Err(Failure::Fault(Fault::new(why))),
    }
}
