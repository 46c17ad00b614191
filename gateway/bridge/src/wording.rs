//! What the bridge itself says to people.

use mimi_uri::UserUri;

/// How somebody elsewhere is shown: what he calls himself, and always where he is; a name alone proves nothing.
pub(crate) fn name(user: &UserUri, display_name: Option<&str>) -> String {
    let own = display_name.map_or_else(|| user.segments().last().unwrap_or_default(), plain);
    format!("{own} ({})", user.domain())
}

/// Told to somebody who writes into a chat whose other side is gone or never came.
pub(crate) fn nobody_here(peer: &UserUri) -> String {
    format!("Not delivered: {} is not in this chat. Invite them again to start a new one.", name(peer, None))
}

/// Told to somebody who would need a consent that cannot be asked for yet.
pub(crate) fn consent_needed(peer: &UserUri) -> String {
    format!("Not started: the rules here require a consent before {} can be reached.", name(peer, None))
}

/// Told to somebody whose chat the other provider does not accept.
pub(crate) fn refused(peer: &UserUri, why: &str) -> String {
    format!("{} cannot be reached: {why}.", name(peer, None))
}

/// Told to somebody whose message reached the other provider, and not its reader.
pub(crate) const NOT_TAKEN_THERE: &str = "the chat network on the other side refused it";

/// Told to somebody whose message the room's hub does not take from him.
pub(crate) const NOT_TAKEN_FROM_YOU: &str = "the room does not accept messages from you";

/// Told to somebody whose message the hub refused for good.
pub(crate) fn not_accepted(why: &str) -> String {
    format!("Not delivered: {why}.")
}

/// Told once to a chat in which something cannot be read any more.
pub(crate) const MISSED: &str = "Messages from the other side are missing here: the room's encryption had to be restored. Ask for them again.";

/// Told to a conversation whose room none of its people is in any more.
pub(crate) fn group_ended() -> String {
    "This conversation is not connected any more. Invite somebody again to connect it anew.".to_owned()
}

/// Told to a conversation that could not get a room.
pub(crate) fn not_opened(why: &str) -> String {
    format!("Not connected: {why}.")
}

/// Told to a conversation that changed in a way that its room does not allow.
pub(crate) fn change_refused(whom: &str, why: &str) -> String {
    format!("Not done elsewhere, for {whom}: {why}.")
}

/// Told to a conversation in which the network did not let us do what was done elsewhere.
pub(crate) fn not_done_here(what: &str) -> String {
    format!("Done elsewhere, and not here: the gateway may not do this in this conversation ({what}).")
}

/// A text cut at a character, to at most so many bytes.
pub(crate) fn shortened(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

/// A name without what could disturb the text around it: line breaks, control and direction characters.
fn plain(name: &str) -> String {
    let disturbing = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    name.chars().filter(|c| !disturbing(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_always_says_where_its_owner_is() {
        let alice = UserUri::parse("mimi://a.example/u/alice").unwrap();

        assert_eq!(name(&alice, None), "alice (a.example)");
        assert_eq!(name(&alice, Some("Alice\n\u{202e}W")), "AliceW (a.example)");
    }

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(shortened("aä", 2), "a");
        assert_eq!(shortened("aä", 3), "aä");
    }
}
