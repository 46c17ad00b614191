//! What others may ask of the component and of puppets: what they can do, what they are called, whether they are there.

use mimi_adapter::{Addresses, NativeUserId};
use xmpp_parsers::disco::{DiscoInfoResult, DiscoItemsResult, Identity};
use xmpp_parsers::iq::{Iq, IqHeader, IqPayload};
use xmpp_parsers::jid::Jid;
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ns;
use xmpp_parsers::stanza_error::{DefinedCondition, ErrorType};
use xmpp_parsers::vcard::VCard;

use crate::link::Link;
use crate::stanza::no;

/// What clients can know before they speak to a puppet.
const FEATURES: [&str; 8] = [
    ns::DISCO_INFO,
    ns::DISCO_ITEMS,
    ns::PING,
    ns::VCARD,
    ns::NICK,
    ns::RECEIPTS,
    ns::DISPLAYED_MARKERS,
    ns::SID,
];

/// Who is asked.
enum Asked {
    /// The component itself, or its own user.
    Gateway,
    /// A puppet, called like this.
    Puppet(String),
}

/// Answers a request.
pub(crate) fn answer(link: &Link, request: Iq) -> Iq {
    let (header, payload) = request.split();
    let back = IqHeader { from: header.to.clone(), to: header.from, id: header.id };
    let asked = header.to.as_ref().and_then(|to| asked(link, to));
    let answer = match (asked, payload) {
        (Some(asked), IqPayload::Get(question)) => get(&asked, &question),
        (_, IqPayload::Get(_) | IqPayload::Set(_) | IqPayload::Result(_) | IqPayload::Error(_)) => None,
    };
    let nobody = || no(ErrorType::Cancel, DefinedCondition::ServiceUnavailable, "nothing here does this");
    back.assemble(answer.unwrap_or_else(|| IqPayload::Error(nobody())))
}

fn asked(link: &Link, to: &Jid) -> Option<Asked> {
    let bare = to.to_bare();
    if bare == *link.names.component() || bare == link.names.service() {
        return Some(Asked::Gateway);
    }
    let user = link.names.behind_puppet(&NativeUserId::from(bare.as_str()))?;
    Some(Asked::Puppet(link.called.name(&user)))
}

fn get(asked: &Asked, question: &Element) -> Option<IqPayload> {
    let has_node = question.attr("node").is_some();
    let answer: Option<Element> = if question.is("query", ns::DISCO_INFO) && !has_node {
        Some(info(asked).into())
    } else if question.is("query", ns::DISCO_ITEMS) && !has_node {
        Some(DiscoItemsResult { node: None, items: vec![], rsm: None }.into())
    } else if question.is("ping", ns::PING) {
        None
    } else if question.is("vCard", ns::VCARD) {
        Some(card(asked).into())
    } else {
        return Option::None;
    };
    Some(IqPayload::Result(answer))
}

fn info(asked: &Asked) -> DiscoInfoResult {
    let identity = match asked {
        Asked::Gateway => Identity::new("gateway", "mimi", "en", "Drawbridge"),
        Asked::Puppet(name) => Identity::new("account", "registered", "en", name),
    };
    DiscoInfoResult {
        node: None,
        identities: vec![identity],
        features: FEATURES.iter().map(ToString::to_string).collect(),
        extensions: vec![],
    }
}

/// A card with a name (XEP-0054): what most clients show for whom they do not know otherwise.
fn card(asked: &Asked) -> VCard {
    let name = match asked {
        Asked::Gateway => "Drawbridge",
        Asked::Puppet(name) => name,
    };
    let field = |kind: &str| Element::builder(kind, ns::VCARD).append(name.to_owned()).build();
    VCard { photo: None, payloads: vec![field("FN"), field("NICKNAME")] }
}
