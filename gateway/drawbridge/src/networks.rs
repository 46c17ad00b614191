//! The native networks as configuration names them: their adapters, and how they name people.

use std::sync::Arc;

use mimi_adapter::naming::{Namespace, Network};
use mimi_adapter::{Adapter, Addresses};
use mimi_adapter_loopback::{LoopbackAdapter, LoopbackNames};
use mimi_adapter_matrix::{MatrixAdapter, MatrixConfig, MatrixNames};
use mimi_adapter_xmpp::{XmppAdapter, XmppConfig, XmppNames};
use mimi_bridge::Networks;

use crate::config::{Config, MatrixNetwork, Mistake, NetworkConfig, NetworkKind, XmppNetwork};
use crate::keys;

/// An adapter instance, by the name of its network.
pub(crate) type NamedAdapter = (String, Arc<dyn Adapter>);

/// Who is called what on which network; needs no network to be up.
pub(crate) fn names(config: &Config) -> Result<Networks, Mistake> {
    let named = config.networks.iter().map(|network| Ok((network.name.clone(), addresses(network)?)));
    Ok(Networks::new(config.provider.domain.clone(), named.collect::<Result<_, Mistake>>()?))
}

/// The adapters by name; nothing is connected yet.
pub(crate) fn adapters(config: &Config) -> Result<Vec<NamedAdapter>, Mistake> {
    config.networks.iter().map(|network| Ok((network.name.clone(), adapter(network)?))).collect()
}

/// What the Matrix adapter needs to know of a network.
pub(crate) fn matrix_config(
    network: &NetworkConfig,
    matrix: &MatrixNetwork,
) -> Result<MatrixConfig, Mistake> {
    let tokens = keys::matrix_tokens(&matrix.tokens, &format!("network.{}.tokens", network.name))?;
    let mut config = MatrixConfig::new(&matrix.homeserver, &matrix.server_name, matrix.listen)
        .with_tokens(&tokens.as_token, &tokens.hs_token);
    config.listen_url.clone_from(&matrix.url);
    config.namespace = namespace(network)?;
    Ok(config)
}

/// What the XMPP adapter needs to know of a network.
fn xmpp_config(network: &NetworkConfig, xmpp: &XmppNetwork) -> Result<XmppConfig, Mistake> {
    let secret = keys::xmpp_secret(&xmpp.secret, &format!("network.{}.secret", network.name))?;
    let mut config = XmppConfig::new(xmpp.server, &xmpp.server_name, &xmpp.component, &secret);
    if let Some(conference) = &xmpp.conference {
        config.conference.clone_from(conference);
    }
    config.namespace = namespace(network)?;
    Ok(config)
}

fn adapter(network: &NetworkConfig) -> Result<Arc<dyn Adapter>, Mistake> {
    match &network.kind {
        NetworkKind::Loopback { listen, groups } => {
            let adapter = LoopbackAdapter::new(*listen, namespace(network)?);
            let adapter = adapter.map_err(|why| mistake(network, &why))?;
            Ok(Arc::new(match groups {
                Some(file) => adapter.keeping_groups(file.clone()),
                None => adapter,
            }))
        }
        NetworkKind::Matrix(matrix) => {
            let adapter = MatrixAdapter::new(matrix_config(network, matrix)?);
            Ok(Arc::new(adapter.map_err(|why| mistake(network, &why))?))
        }
        NetworkKind::Xmpp(xmpp) => {
            let adapter = XmppAdapter::new(xmpp_config(network, xmpp)?);
            Ok(Arc::new(adapter.map_err(|why| mistake(network, &why))?))
        }
    }
}

fn addresses(network: &NetworkConfig) -> Result<Arc<dyn Addresses>, Mistake> {
    match &network.kind {
        NetworkKind::Loopback { .. } => Ok(Arc::new(LoopbackNames::new(namespace(network)?))),
        NetworkKind::Matrix(matrix) => {
            let names = MatrixNames::new(&matrix_config(network, matrix)?);
            Ok(Arc::new(names.map_err(|why| mistake(network, &why))?))
        }
        NetworkKind::Xmpp(xmpp) => {
            let names = XmppNames::new(&xmpp_config(network, xmpp)?);
            Ok(Arc::new(names.map_err(|why| mistake(network, &why))?))
        }
    }
}

fn namespace(network: &NetworkConfig) -> Result<Namespace, Mistake> {
    if network.primary {
        return Ok(Namespace::Primary);
    }
    Network::parse(&network.name).map(Namespace::Network).map_err(|why| mistake(network, &why))
}

fn mistake(network: &NetworkConfig, why: &dyn std::fmt::Display) -> Mistake {
    Mistake { key: format!("network.{}", network.name), text: why.to_string() }
}
