//! The keys of a provider: how they are made, written and read.
//!
//! | file | what it is | secret |
//! |---|---|---|
//! | `provider-root.pem` | the root that other providers pin | |
//! | `provider.pem`, `provider.key` | proves to other providers who we are | the key |
//! | `identity.pem`, `identity.key` | issues the certificates of our users' MLS clients | the key |
//! | `hub.pem`, `hub.key` | what our hub signs with in the rooms that it hosts | the key |
//! | `instance.key` | seals the database; salts and hub stamps are derived from it | yes |
//! | `matrix.toml` | the two tokens shared with a homeserver | yes |
//! | `xmpp.secret` | by which an XMPP server knows its component | yes |

mod file;
mod hub;

use std::path::Path;

use mimi_client::vault::KEY_LENGTH;
use mimi_mls::IdentityAuthority;
use mimi_transport::PeeringAuthority;
use mimi_uri::Domain;
use pem::Pem;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::config::{Mistake, ProviderConfig};

pub(crate) use file::{Access, is_private, read_text, write_new};
pub(crate) use hub::HubIdentity;

/// The tokens shared with a Matrix homeserver.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MatrixTokens {
    /// By which the homeserver knows us.
    pub(crate) as_token: String,
    /// By which we know the homeserver.
    pub(crate) hs_token: String,
}

/// Makes all keys of a new provider in a folder; nothing that is there is touched.
pub(crate) fn generate(folder: &Path, domain: &Domain) -> Result<(), String> {
    let peering = PeeringAuthority::generate(domain).map_err(|fault| fault.to_string())?;
    write_new(&folder.join("provider-root.pem"), peering.root.as_bytes(), Access::Public)?;
    write_new(&folder.join("provider.pem"), peering.chain.as_bytes(), Access::Public)?;
    write_new(&folder.join("provider.key"), peering.key.as_bytes(), Access::Private)?;

    let identity = IdentityAuthority::generate(domain).map_err(|fault| fault.to_string())?;
    let root = pem::encode(&Pem::new("CERTIFICATE", identity.root_der()));
    write_new(&folder.join("identity.pem"), root.as_bytes(), Access::Public)?;
    let key = Zeroizing::new(pem::encode(&Pem::new("PRIVATE KEY", identity.key_der().as_slice())));
    write_new(&folder.join("identity.key"), key.as_bytes(), Access::Private)?;

    let hub = HubIdentity::generate(domain, identity.root_der(), &identity.key_der())?;
    write_new(&folder.join("hub.pem"), hub.certificate_pem().as_bytes(), Access::Public)?;
    write_new(&folder.join("hub.key"), hub.key_text().as_bytes(), Access::Private)?;

    write_new(&folder.join("instance.key"), random_text()?.as_bytes(), Access::Private)?;
    let tokens = MatrixTokens { as_token: random_word()?.to_string(), hs_token: random_word()?.to_string() };
    let tokens = Zeroizing::new(toml::to_string(&tokens).map_err(|fault| fault.to_string())?);
    write_new(&folder.join("matrix.toml"), tokens.as_bytes(), Access::Private)?;
    write_new(&folder.join("xmpp.secret"), random_text()?.as_bytes(), Access::Private)
}

/// The authority that issues the certificates of hosted clients.
pub(crate) fn identity_authority(provider: &ProviderConfig) -> Result<IdentityAuthority, Mistake> {
    let root = read_text(&provider.identity_authority, "provider.identity_authority")?;
    let key = read_text(&provider.identity_key, "provider.identity_key")?;
    let wrong = |why: &str| Mistake {
        key: "provider.identity_key".to_owned(),
        text: format!("{why}; it and provider.identity_authority must be the files that init made"),
    };
    let der =
        |text: &str| pem::parse(text).map(pem::Pem::into_contents).map_err(|fault| wrong(&fault.to_string()));
    let (root, key) = (der(&root)?, Zeroizing::new(der(&key)?));
    let authority = IdentityAuthority::from_der(&provider.domain, &root, &key)
        .map_err(|fault| wrong(&fault.to_string()))?;
    if is_of(&root, &key) { Ok(authority) } else { Err(wrong("it is not the key of its certificate")) }
}

/// Whether a private key (PKCS #8) is the one of a certificate.
fn is_of(certificate: &[u8], key: &[u8]) -> bool {
    let (Ok(key), Ok((_, certificate))) =
        (rcgen::KeyPair::try_from(key), x509_parser::parse_x509_certificate(certificate))
    else {
        return false;
    };
    certificate.public_key().subject_public_key.data.as_ref() == key.public_key_raw()
}

/// The instance key.
pub(crate) fn instance_key(provider: &ProviderConfig) -> Result<Zeroizing<[u8; KEY_LENGTH]>, Mistake> {
    let text = read_text(&provider.instance_key, "provider.instance_key")?;
    key_from(&text, "provider.instance_key")
}

/// The tokens shared with a homeserver, from the file that `network.<name>.tokens` names.
pub(crate) fn matrix_tokens(path: &Path, key: &str) -> Result<MatrixTokens, Mistake> {
    let text = read_text(path, key)?;
    toml::from_str(&text).map_err(|_| Mistake {
        key: key.to_owned(),
        text: format!(
            "{} has not exactly the two lines as_token = \"…\" and hs_token = \"…\"",
            path.display()
        ),
    })
}

/// The secret shared with an XMPP server: the one line of the file that `network.<name>.secret` names.
pub(crate) fn xmpp_secret(path: &Path, key: &str) -> Result<Zeroizing<String>, Mistake> {
    let text = read_text(path, key)?;
    let secret = text.trim();
    if secret.is_empty() || secret.contains('\n') {
        let text = format!("{} has not exactly one line, the secret", path.display());
        return Err(Mistake { key: key.to_owned(), text });
    }
    Ok(Zeroizing::new(secret.to_owned()))
}

/// Reads a key of 32 bytes, as 64 hexadecimal digits.
fn key_from(text: &str, key: &str) -> Result<Zeroizing<[u8; KEY_LENGTH]>, Mistake> {
    let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
    hex::decode_to_slice(text.trim(), bytes.as_mut_slice()).map_err(|_| Mistake {
        key: key.to_owned(),
        text: "the file is not 64 hexadecimal digits, as init writes it".to_owned(),
    })?;
    Ok(bytes)
}

/// A secret word of 256 bits.
pub(crate) fn random_word() -> Result<Zeroizing<String>, String> {
    let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
    aws_lc_rs::rand::fill(bytes.as_mut_slice()).map_err(|_| "the system gives no randomness".to_owned())?;
    Ok(Zeroizing::new(hex::encode(bytes.as_slice())))
}

/// The same as the content of a file.
fn random_text() -> Result<Zeroizing<String>, String> {
    Ok(Zeroizing::new(format!("{}\n", random_word()?.as_str())))
}
