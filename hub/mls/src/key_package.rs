//! KeyPackages: minting ours, reading others', and what a hosted user's client is made of.

mod hosted_client;
mod leaf;
mod mint;
mod signing_key;
mod view;

pub use hosted_client::HostedClient;
pub(crate) use leaf::{leaf_capabilities, leaf_extensions};
pub(crate) use mint::{HostedSecret, key_package_reference};
pub use mint::{MintedKeyPackage, mint_key_package};
pub use signing_key::{InvalidSigningKey, SigningKey};
pub use view::{InvalidKeyPackage, KeyPackageView, LeafView, read_key_package};
