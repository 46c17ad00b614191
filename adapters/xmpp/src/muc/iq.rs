//! The questions and orders that a room takes.

use xmpp_parsers::data_forms::{DataForm, DataFormType, Field, FieldType};
use xmpp_parsers::iq::Iq;
use xmpp_parsers::jid::{BareJid, Jid};
use xmpp_parsers::minidom::Element;
use xmpp_parsers::minidom::rxml::NcName;
use xmpp_parsers::ns;

use super::room::Affiliation;
use crate::names::on_device;
use crate::stanza::fresh_id;

/// An element with attributes.
pub(crate) fn element(name: &str, namespace: &str, attributes: &[(&str, &str)]) -> Element {
    let builder = Element::builder(name, namespace);
    let with = |builder: xmpp_parsers::minidom::ElementBuilder, (name, value): &(&str, &str)| {
        // Every name given here is one.
        match NcName::try_from(*name) {
            Ok(name) => builder.attr(name, *value),
            Err(_) => builder,
        }
    };
    attributes.iter().fold(builder, with).build()
}

/// The user in an address, with or without a device.
pub(crate) fn bare(text: &str) -> Option<BareJid> {
    Jid::new(text).ok().map(|jid| jid.to_bare())
}

/// The namespaces below the room protocol's own.
pub(crate) fn namespace(part: &str) -> String {
    format!("{}#{part}", ns::MUC)
}

pub(crate) fn get(from: &BareJid, room: &BareJid, payload: Element) -> Iq {
    Iq::Get { from: Some(on_device(from)), to: Some(room.clone().into()), id: fresh_id(), payload }
}

pub(crate) fn set(from: &BareJid, room: &BareJid, payload: Element) -> Iq {
    Iq::Set { from: Some(on_device(from)), to: Some(room.clone().into()), id: fresh_id(), payload }
}

/// Gives somebody an affiliation.
pub(crate) fn affiliate(user: &BareJid, affiliation: Affiliation) -> Element {
    let admin = namespace("admin");
    let item = element("item", &admin, &[("jid", user.as_str()), ("affiliation", affiliation.text())]);
    Element::builder("query", admin).append(item).build()
}

/// Shows somebody the door.
pub(crate) fn kick(nick: &str) -> Element {
    let admin = namespace("admin");
    let item = element("item", &admin, &[("nick", nick), ("role", "none")]);
    Element::builder("query", admin).append(item).build()
}

/// Asks who has this affiliation.
pub(crate) fn affiliated(affiliation: Affiliation) -> Element {
    let admin = namespace("admin");
    let item = element("item", &admin, &[("affiliation", affiliation.text())]);
    Element::builder("query", admin).append(item).build()
}

/// Asks for the settings.
pub(crate) fn settings() -> Element {
    element("query", &namespace("owner"), &[])
}

/// Answers the form of the settings with those of these values that it knows.
pub(crate) fn settings_of(form: &Element, wanted: &[(&str, &str)]) -> Option<Element> {
    let form = DataForm::try_from(form.get_child("x", ns::DATA_FORMS)?.clone()).ok()?;
    let known = |name: &str| form.fields.iter().any(|field| field.var.as_deref() == Some(name));
    let fields = wanted.iter().filter(|(name, _)| known(name));
    let fields = fields.map(|(name, value)| Field::text_single(name, value)).collect();
    let submitted = DataForm {
        type_: DataFormType::Submit,
        title: None,
        instructions: None,
        fields: with_type(fields, &namespace("roomconfig")),
    };
    Some(Element::builder("query", namespace("owner")).append(Element::from(submitted)).build())
}

fn with_type(mut fields: Vec<Field>, kind: &str) -> Vec<Field> {
    fields.insert(0, Field::new("FORM_TYPE", FieldType::Hidden).with_value(kind));
    fields
}

/// Asks for a page of the archive: what is behind a message, or else the beginning of it.
pub(crate) fn archive(query: &str, after: &str, count: usize) -> Element {
    page(query, count, Some(after).filter(|after| !after.is_empty()).map(|after| ("after", after)))
}

/// Asks for a page of the archive: what is before a message, or else the end of it.
pub(crate) fn archive_before(query: &str, before: Option<&str>, count: usize) -> Element {
    page(query, count, Some(("before", before.unwrap_or_default())))
}

fn page(query: &str, count: usize, place: Option<(&str, &str)>) -> Element {
    let text = |name: &str, text: &str| {
        let element = Element::builder(name, ns::RSM);
        if text.is_empty() { element.build() } else { element.append(text.to_owned()).build() }
    };
    let mut set = Element::builder("set", ns::RSM).append(text("max", &count.to_string())).build();
    if let Some((name, id)) = place {
        set.append_child(text(name, id));
    }
    let mut asked = element("query", ns::MAM, &[("queryid", query)]);
    asked.append_child(set);
    asked
}

/// Asks somebody into a room.
pub(crate) fn invitation(user: &BareJid) -> Element {
    let invite = element("invite", ns::MUC_USER, &[("to", user.as_str())]);
    Element::builder("x", ns::MUC_USER).append(invite).build()
}

/// Comes into a room, without being told again what was said.
pub(crate) fn coming() -> Element {
    let history = element("history", ns::MUC, &[("maxstanzas", "0")]);
    Element::builder("x", ns::MUC).append(history).build()
}
