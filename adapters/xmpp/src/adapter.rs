use std::sync::Arc;

use async_trait::async_trait;
use mimi_adapter::{
    Adapter, Addresses, Capabilities, Feature, Guarantee, Guarantees, Host, Manifest, OpenFault, Session,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::intake::take_in;
use crate::keeper::keep;
use crate::limits::{HEARD_MAX, TEXT_BYTES_MAX};
use crate::line::Line;
use crate::link::{Called, Link, OpenChats};
use crate::muc::{Questions, Rooms};
use crate::session::XmppSession;
use crate::{InvalidConfig, XmppConfig, XmppNames};

/// XMPP, through one server.
#[derive(Debug)]
pub struct XmppAdapter {
    config: XmppConfig,
    names: XmppNames,
}

impl XmppAdapter {
    /// The adapter of a server; nothing is reached yet.
    pub fn new(config: XmppConfig) -> Result<Self, InvalidConfig> {
        Ok(Self { names: XmppNames::new(&config)?, config })
    }

    pub(crate) fn link(&self, host: Arc<dyn Host>) -> Arc<Link> {
        Arc::new(Link {
            config: self.config.clone(),
            names: self.names.clone(),
            line: Line::default(),
            host,
            open: OpenChats::default(),
            called: Called::default(),
            rooms: Rooms::default(),
            questions: Questions::default(),
        })
    }
}

#[async_trait]
impl Adapter for XmppAdapter {
    fn manifest(&self) -> Manifest {
        Manifest {
            kind: "xmpp",
            title: "XMPP",
            guarantee: Guarantees { inbound: Guarantee::OnceById, outbound: Guarantee::OnceById },
            capabilities: Capabilities {
                media_types: vec!["text/plain"],
                text_bytes_max: TEXT_BYTES_MAX,
                features: vec![
                    Feature::DisplayNames,
                    Feature::OpensDirect,
                    Feature::Groups,
                    Feature::Progress,
                ],
            },
        }
    }

    fn addresses(&self) -> Arc<dyn Addresses> {
        Arc::new(self.names.clone())
    }

    async fn open(&self, host: Arc<dyn Host>) -> Result<Box<dyn Session>, OpenFault> {
        let link = self.link(host);
        let kept = link.host.kept().await;
        for (room, note) in kept.map_err(|fault| OpenFault::Unavailable(fault.to_string()))? {
            link.rooms.take_up(&room, &note);
        }
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let (heard, to_store) = mpsc::channel(HEARD_MAX);
        tasks.spawn(keep(Arc::clone(&link), heard, stop.clone()));
        tasks.spawn(take_in(Arc::clone(&link), to_store, stop.clone()));
        let guard = stop.clone().drop_guard();
        Ok(Box::new(XmppSession { link, tasks, stop, _stop_when_dropped: guard }))
    }
}
