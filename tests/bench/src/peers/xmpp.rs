//! Prosody and ejabberd, by a conference with an archive.
//!
//! A message counts as accepted when it comes back to its sender, as the conference sends it to all.

use std::sync::Arc;

use end_to_end::{XmppServer, XmppSoftware};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{OCCUPANTS, SENDERS, Tally, Turn, WINDOW, counted, text};
use crate::fault::Outcome;

const DOMAIN: &str = "xmpp.example";

/// A server of its own, one conference, and senders.
pub(super) async fn turn(software: XmppSoftware) -> Outcome<Turn> {
    let server = tokio::task::spawn_blocking(move || XmppServer::start(software, DOMAIN)).await?;
    let tally = Arc::new(Tally::default());
    let mut occupants = JoinSet::new();
    for number in 0..OCCUPANTS {
        let mut occupant = Occupant::enter(&server.clients().address().to_string(), number).await?;
        let tally = Arc::clone(&tally);
        occupants.spawn(async move { occupant.live(number < SENDERS, &tally).await });
    }
    let turn = counted(&tally).await?;
    occupants.abort_all();
    while let Some(occupant) = occupants.join_next().await {
        if let Ok(lived) = occupant {
            lived?;
        }
    }
    tokio::task::spawn_blocking(move || drop(server)).await?;
    Ok(turn)
}

/// Somebody in the conference.
struct Occupant {
    socket: TcpStream,
    /// What the ids of its messages begin with, and nothing else does.
    mark: String,
    heard: Vec<u8>,
}

impl Occupant {
    /// Registers, logs in and enters the conference; the first one makes it.
    async fn enter(address: &str, number: usize) -> Outcome<Self> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        let mut occupant = Self { socket, mark: format!("id-of-{number}-"), heard: Vec::new() };
        let user = format!("u{number}");
        occupant.open().await?;
        let register = format!(
            "<iq type='set' id='reg'><query xmlns='jabber:iq:register'><username>{user}</username>\
             <password>pw</password></query></iq>"
        );
        occupant.ask(&register, b"reg", b"result").await?;
        let plain = base64(format!("\0{user}\0pw").as_bytes());
        let login =
            format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>");
        occupant.ask(&login, b"<success", b"").await?;
        occupant.open().await?;
        let bind = "<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
        occupant.ask(bind, b"<jid>", b"").await?;
        let session = "<iq type='set' id='sess'><session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></iq>";
        occupant.ask(session, b"sess", b"").await?;
        let enter = format!(
            "<presence/><presence to='room@conference.{DOMAIN}/{user}'><x xmlns='http://jabber.org/protocol/muc'>\
             <history maxstanzas='0'/></x></presence>"
        );
        occupant.ask(&enter, b"110", b"").await?;
        if number == 0 {
            let settle = format!(
                "<iq type='set' id='make' to='room@conference.{DOMAIN}'>\
                 <query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>"
            );
            occupant.ask(&settle, b"make", b"result").await?;
        }
        Ok(occupant)
    }

    async fn open(&mut self) -> Outcome<()> {
        let open = format!(
            "<?xml version='1.0'?><stream:stream to='{DOMAIN}' version='1.0' xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams'>"
        );
        self.ask(&open, b"</stream:features>", b"").await
    }

    /// Says something and waits until both pieces came in answer.
    async fn ask(&mut self, said: &str, one: &[u8], other: &[u8]) -> Outcome<()> {
        self.heard.clear();
        self.socket.write_all(said.as_bytes()).await?;
        while !(contains(&self.heard, one) && contains(&self.heard, other)) {
            if contains(&self.heard, b"type='error'") || contains(&self.heard, b"type=\"error\"") {
                return Err(format!("{said}: {}", String::from_utf8_lossy(&self.heard)).into());
            }
            if self.socket.read_buf(&mut self.heard).await? == 0 {
                return Err("an XMPP server hung up".into());
            }
        }
        Ok(())
    }

    /// Hears what is said, and speaks if it is one of those who do, until it is over.
    async fn live(&mut self, speaks: bool, tally: &Tally) -> Outcome<()> {
        let (mut said, mut on_their_way) = (0_usize, 0_usize);
        let text = text();
        self.heard.clear();
        while !tally.is_over() {
            while speaks && on_their_way < WINDOW {
                let stanza = format!(
                    "<message type='groupchat' id='{}{said}' to='room@conference.{DOMAIN}'><body>{text}</body></message>",
                    self.mark
                );
                self.socket.write_all(stanza.as_bytes()).await?;
                said += 1;
                on_their_way += 1;
            }
            if self.socket.read_buf(&mut self.heard).await? == 0 {
                return Err("an XMPP server hung up".into());
            }
            if !speaks {
                self.heard.clear();
                continue;
            }
            let mark = self.mark.as_bytes();
            let came_back = self.heard.windows(mark.len()).filter(|window| *window == mark).count();
            // A mark that is cut in two is counted with its other half.
            let kept = self.heard.len().min(mark.len() - 1);
            self.heard.drain(..self.heard.len() - kept);
            tally.accept(came_back);
            on_their_way = on_their_way.saturating_sub(came_back);
        }
        Ok(())
    }
}

fn contains(all: &[u8], piece: &[u8]) -> bool {
    piece.is_empty() || all.windows(piece.len()).any(|window| window == piece)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut three = [0; 3];
        three[..chunk.len()].copy_from_slice(chunk);
        let number = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for digit in 0..4 {
            if digit > chunk.len() {
                text.push('=');
            } else {
                text.push(char::from(DIGITS[(number >> (18 - 6 * digit) & 63) as usize]));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_padded_to_fours() {
        assert_eq!(
            ["", "f", "fo", "foo", "foob"].map(|text| base64(text.as_bytes())),
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]
        );
    }
}
