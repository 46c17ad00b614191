//! The XML stream to the server (XEP-0114): connect, prove ourselves, read and write stanzas.
//!
//! The component of `tokio-xmpp` ends with the first stanza that does not read, and with the first minute of silence; so
//! its XML stream is used directly, where both can be told apart from an end.

use std::borrow::Cow;
use std::io;

use futures_util::{SinkExt, StreamExt};
use tokio::io::BufStream;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_xmpp::Stanza;
use tokio_xmpp::xmlstream::{
    FallibleStreamElement, RawStanzaHeader, ReadError, StreamElementError, StreamHeader, Timeouts,
    XmppStream, XmppStreamElement, initiate_stream,
};
use xmpp_parsers::component::Handshake;
use xmpp_parsers::ns;

use crate::limits::{CONNECT_TIME_MAX, SILENCE_ANSWER_TIME_MAX, SILENCE_MAX};
use crate::{XmppConfig, stanza};

/// A connection over which the server knows us.
pub(crate) struct ComponentStream(XmppStream<BufStream<TcpStream>>);

/// What the server sent.
pub(crate) enum Received {
    Stanza(Box<Stanza>),
    /// A stanza that makes no sense, with what is known of it.
    Unreadable(RawStanzaHeader, String),
    /// Nothing, for so long that the server should be asked whether it is there.
    Silence,
    /// The end of the connection.
    End(String),
}

impl ComponentStream {
    /// Connects and proves that we are the component.
    pub(crate) async fn connect(config: &XmppConfig) -> Result<Self, String> {
        let connected = timeout(CONNECT_TIME_MAX, Self::try_connect(config)).await;
        connected.unwrap_or_else(|_| Err(format!("{} does not answer", config.server)))
    }

    async fn try_connect(config: &XmppConfig) -> Result<Self, String> {
        let broken = |error: io::Error| format!("{}: {error}", config.server);
        let socket = TcpStream::connect(config.server).await.map_err(broken)?;
        socket.set_nodelay(true).map_err(broken)?;
        let header =
            StreamHeader { to: Some(Cow::Borrowed(config.component.as_str())), from: None, id: None };
        let timeouts = Timeouts { read_timeout: SILENCE_MAX, response_timeout: SILENCE_ANSWER_TIME_MAX };
        let opened = initiate_stream(BufStream::new(socket), ns::COMPONENT_ACCEPT, header, timeouts);
        let mut opened = opened.await.map_err(broken)?;
        let id = opened.take_header().id.ok_or("the server gives its stream no id")?;
        let mut stream = Self(opened.skip_features());
        let handshake = Handshake::from_stream_id_and_password(id.into_owned(), &config.secret);
        stream.0.send(&XmppStreamElement::ComponentHandshake(handshake)).await.map_err(broken)?;
        match stream.0.next().await {
            Some(Ok(FallibleStreamElement::Ok(XmppStreamElement::ComponentHandshake(_)))) => Ok(stream),
            Some(Ok(FallibleStreamElement::Ok(XmppStreamElement::StreamError(error)))) => {
                Err(format!("the server does not take us for {}: {error}", config.component))
            }
            Some(Ok(_)) => Err("the server answers the handshake with something else".to_owned()),
            Some(Err(error)) => Err(error.to_string()),
            None => Err(format!("the server does not take us for {}", config.component)),
        }
    }

    /// The next thing that the server sends; may be dropped and asked again.
    pub(crate) async fn receive(&mut self) -> Received {
        loop {
            return match self.0.next().await {
                Some(Ok(FallibleStreamElement::Ok(element))) => match element {
                    XmppStreamElement::Stanza(stanza) => Received::Stanza(Box::new(stanza)),
                    XmppStreamElement::StreamError(error) => Received::End(error.to_string()),
                    XmppStreamElement::Sasl(_)
                    | XmppStreamElement::Starttls(_)
                    | XmppStreamElement::ComponentHandshake(_)
                    | XmppStreamElement::SM(_) => continue,
                },
                Some(Ok(FallibleStreamElement::Err(StreamElementError::InvalidStanza {
                    header,
                    error,
                    ..
                }))) => Received::Unreadable(header, error.to_string()),
                Some(
                    Ok(FallibleStreamElement::Err(StreamElementError::InvalidNonza { .. }))
                    | Err(ReadError::ParseError(_)),
                ) => continue,
                Some(Err(ReadError::SoftTimeout)) => Received::Silence,
                Some(Err(error @ (ReadError::HardError(_) | ReadError::StreamFooterReceived))) => {
                    Received::End(error.to_string())
                }
                None => Received::End("the server closed the connection".to_owned()),
            };
        }
    }

    /// Writes a stanza, and with it everything written before.
    pub(crate) async fn send(&mut self, stanza: Stanza) -> io::Result<()> {
        self.0.send(&XmppStreamElement::Stanza(stanza::writable(stanza))).await
    }

    /// Says farewell.
    pub(crate) async fn close(mut self) {
        // A connection that breaks is closed, too.
        self.0.shutdown().await.ok();
    }
}
