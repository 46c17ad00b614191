"""One XMPP user at a keyboard: slixmpp, driven by one JSON object a line, as `person.py` is for Matrix.

A message is said once its receipt is there (XEP-0184); until then it is sent again under the same id, as a careful client
does whose network loses things. What comes in under an id that was heard from the same person before is told as
`repeated`, not as a message. A server that is away is waited for: the person logs in again and again.

A person stays in the rooms that he came into: when he is back, he enters them again and reads in their archive what was
said meanwhile (XEP-0313); what is said while he reads waits, so that he hears all of it once and in the room's order.
"""

import asyncio
import json
import logging
import sys
import uuid

import slixmpp
from slixmpp.exceptions import IqError

PASSWORD = "correct horse battery staple"
PAUSE_S = 0.2
RECEIPT_WAIT_S = 5.0
ANSWER_WAIT_S = 60
ARCHIVE_PAGE = 50
# What a server or gateway says that is not there at the moment, or not yet.
PASSING = {"remote-server-timeout", "remote-server-not-found", "service-unavailable", "recipient-unavailable"}


class Refused(Exception):
    """Somebody answered, and the answer was no."""


def tell(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Room:
    """A room that a person is in."""

    def __init__(self, address, nick):
        self.address, self.nick = address, nick
        self.heard, self.last_heard = set(), None
        # What was said while the archive is read, or nothing while it is not.
        self.waiting = None


class Person(slixmpp.ClientXMPP):
    def __init__(self, jid, address):
        super().__init__(f"{jid}/end-to-end", PASSWORD)
        self.address = address
        self.enable_plaintext, self.enable_starttls, self.enable_direct_tls = True, False, False
        self.plugin["feature_mechanisms"].unencrypted_plain = True
        self.plugin["feature_mechanisms"].unencrypted_scram = True
        for plugin in ("0030", "0045", "0054", "0077", "0172", "0184", "0198", "0203", "0249", "0313", "0333", "0359"):
            self.register_plugin(f"xep_{plugin}")
        self.plugin["xep_0077"].force_registration = True
        self.auto_authorize, self.auto_subscribe = None, False
        self.accepts = True
        self.is_here = asyncio.Event()
        self.is_registered = False
        self.receipts = {}
        self.heard_ids = set()
        self.rooms = {}
        self.reflections = {}
        for event, hear in {
            "register": self.register_account,
            "session_start": self.start,
            "session_resumed": lambda _: self.is_here.set(),
            "disconnected": self.come_back,
            "message": self.hear_message,
            "groupchat_message": self.hear_from_room,
            "message_error": self.hear_error,
            "receipt_received": self.hear_receipt,
            "marker_displayed": self.hear_displayed,
            "presence": self.hear_presence,
            "groupchat_presence": self.hear_room_presence,
            "groupchat_invite": self.hear_invitation,
            "groupchat_subject": self.hear_subject,
        }.items():
            self.add_event_handler(event, hear)

    async def register_account(self, _):
        if self.is_registered:
            return
        request = self.Iq()
        request["type"] = "set"
        request["register"]["username"] = self.boundjid.user
        request["register"]["password"] = PASSWORD
        try:
            await request.send()
        except IqError as error:
            if error.condition != "conflict":
                raise
        self.is_registered = True
        self.plugin["xep_0077"].force_registration = False

    async def start(self, _):
        await self.get_roster()
        self.send_presence()
        for room in list(self.rooms.values()):
            await self.enter(room)
        self.is_here.set()

    async def come_back(self, _):
        self.is_here.clear()
        await asyncio.sleep(PAUSE_S)
        self.connect(*self.address)

    # -- what the test may wish for -------------------------------------------------------------------------------

    async def do_register(self):
        self.connect(*self.address)
        await asyncio.wait_for(self.is_here.wait(), ANSWER_WAIT_S)
        return {"user": self.boundjid.bare}

    async def do_accept_requests(self, yes):
        self.accepts = yes

    async def do_presence(self, to, kind):
        await self.is_here.wait()
        self.send_presence(pto=to, ptype=kind, pnick="Al" if kind == "subscribe" else None)

    async def do_say(self, to, text, kind="chat", message_id=None):
        id = message_id or uuid.uuid4().hex
        while True:
            await self.is_here.wait()
            receipt = self.receipts[id] = asyncio.get_running_loop().create_future()
            self.write(to, text, kind, id)
            try:
                refusal = await asyncio.wait_for(receipt, RECEIPT_WAIT_S)
            except asyncio.TimeoutError:
                continue
            if refusal is None:
                return {"id": id}
            if refusal["condition"] not in PASSING:
                raise Refused(f"{refusal['condition']}: {refusal['text']}")
            await asyncio.sleep(PAUSE_S)

    async def do_send_once(self, to, text, kind="chat", message_id=None):
        id = message_id or uuid.uuid4().hex
        await self.is_here.wait()
        self.write(to, text, kind, id)
        return {"id": id}

    async def do_send_raw(self, xml):
        await self.is_here.wait()
        self.send_raw(xml)

    async def do_displayed(self, to, message_id):
        await self.is_here.wait()
        self.plugin["xep_0333"].send_marker(mto=to, id=message_id, marker="displayed", mtype="chat")

    async def do_open_room(self, room, nick, settings):
        await self.do_join_room(room, nick)
        form = await self.plugin["xep_0045"].get_room_config(room)
        form["type"] = "submit"
        for name, value in settings.items():
            form.get_fields()[name]["value"] = value
        await self.plugin["xep_0045"].set_room_config(room, form)

    async def do_join_room(self, room, nick):
        await self.is_here.wait()
        await self.enter(self.rooms.setdefault(room, Room(room, nick)))

    async def do_leave_room(self, room):
        await self.is_here.wait()
        self.plugin["xep_0045"].leave_muc(room, self.rooms.pop(room).nick)

    async def do_say_in_room(self, room, text):
        """Says it until the room has said it back: while this person was away it is in the archive that it did."""
        id = uuid.uuid4().hex
        reflected = self.reflections[id] = asyncio.get_running_loop().create_future()
        while not reflected.done():
            await self.is_here.wait()
            if not reflected.done():
                self.write(room, text, "groupchat", id)
                await asyncio.wait([reflected], timeout=RECEIPT_WAIT_S)
        del self.reflections[id]
        return {"id": id}

    async def do_invite(self, room, user):
        self.plugin["xep_0045"].invite(room, user)

    async def do_invite_directly(self, room, user):
        self.plugin["xep_0249"].send_invitation(user, room)

    async def do_set_subject(self, room, subject):
        self.plugin["xep_0045"].set_subject(room, subject)

    async def do_affiliate(self, room, user, affiliation):
        await self.plugin["xep_0045"].set_affiliation(room, affiliation, jid=user, timeout=ANSWER_WAIT_S)

    async def do_name_of(self, user):
        card = await self.plugin["xep_0054"].get_vcard(user, timeout=ANSWER_WAIT_S)
        return {"name": card["vcard_temp"]["FN"]}

    async def do_features(self, user):
        info = await self.plugin["xep_0030"].get_info(user, timeout=ANSWER_WAIT_S)
        return {"features": sorted(info["disco_info"]["features"])}

    def write(self, to, text, kind, id):
        message = self.make_message(mto=to, mbody=text, mtype=kind)
        message["id"] = id
        message["origin_id"]["id"] = id
        if kind == "chat":
            message["request_receipt"] = True
        message.send()

    async def enter(self, room):
        """Comes into a room, and hears what was said there since it was last heard."""
        room.waiting = []
        await self.plugin["xep_0045"].join_muc_wait(room.address, room.nick, maxstanzas=0, timeout=ANSWER_WAIT_S)
        if room.last_heard is not None:
            # Where a client asks for nothing else it may be told ten at a time: a page a way there and back.
            asked = {"after": room.last_heard, "max": ARCHIVE_PAGE}
            async for archived in self.plugin["xep_0313"].iterate(room.address, rsm=asked):
                forwarded = archived["mam_result"]["forwarded"]["stanza"]
                self.take_from_room(room, forwarded, archived["mam_result"]["id"])
        waiting, room.waiting = room.waiting, None
        for message in waiting:
            self.take_from_room(room, message, message["stanza_id"]["id"])

    # -- what the person hears ------------------------------------------------------------------------------------

    def hear_from_room(self, message):
        room = self.rooms.get(message["from"].bare)
        if room is None:
            self.hear_message(message)
        elif room.waiting is not None:
            room.waiting.append(message)
        else:
            self.take_from_room(room, message, message["stanza_id"]["id"])

    def take_from_room(self, room, message, archive_id):
        if archive_id and archive_id in room.heard:
            return
        if archive_id:
            room.heard.add(archive_id)
            room.last_heard = archive_id
        said = self.reflections.get(message["origin_id"]["id"] or message["id"])
        if said is not None and not said.done() and message["from"].resource == room.nick:
            said.set_result(None)
        self.hear_message(message)

    def hear_message(self, message):
        reason = message.xml.find("{*}x/{*}decline/{*}reason")
        if reason is not None:
            tell({"event": "declined", "room": message["from"].bare, "reason": reason.text})
        if message["type"] == "error" or not message["body"]:
            return
        room = message["from"].bare
        id = message["origin_id"]["id"] or message["id"]
        told = {
            "from": room,
            "nick": message["from"].resource,
            "id": id,
            "body": message["body"],
            "kind": message["type"],
        }
        speaker = message["from"].full if message["type"] == "groupchat" else room
        if (speaker, id) in self.heard_ids:
            tell({"event": "repeated", **told})
            return
        self.heard_ids.add((speaker, id))
        tell({"event": "message", **told})

    def hear_error(self, message):
        refusal = {"condition": message["error"]["condition"], "text": message["error"]["text"]}
        waiting = self.receipts.pop(message["id"], None)
        if waiting is not None and not waiting.done():
            waiting.set_result(refusal)
            return
        tell({"event": "error", "from": message["from"].bare, "id": message["id"], **refusal})

    def hear_receipt(self, message):
        waiting = self.receipts.pop(message["receipt"], None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
        tell({"event": "receipt", "from": message["from"].bare, "id": message["receipt"]})

    def hear_displayed(self, message):
        tell({"event": "displayed", "from": message["from"].bare, "id": message["displayed"]["id"]})

    async def hear_invitation(self, message):
        room = message["from"].bare
        tell({"event": "invited", "room": room})
        if self.accepts:
            await self.do_join_room(room, self.boundjid.user)

    def hear_subject(self, message):
        tell({"event": "subject", "room": message["from"].bare, "subject": message["subject"] or ""})

    def hear_room_presence(self, presence):
        room, sender = self.rooms.get(presence["from"].bare), presence["from"]
        if room is not None and sender.resource == room.nick and presence["type"] != "unavailable":
            tell({"event": "affiliated", "room": room.address, "affiliation": presence["muc"]["affiliation"]})

    def hear_presence(self, presence):
        kind, sender = presence["type"], presence["from"]
        if sender.bare == self.boundjid.bare:
            return
        nick = presence["nick"]["nick"] if presence["nick"] else None
        told = {"event": "presence", "from": sender.bare, "nick": nick or sender.resource, "kind": kind}
        tell(told)
        if kind == "subscribe" and self.accepts:
            self.send_presence(pto=sender.bare, ptype="subscribed")


async def answer(person, wish):
    number = wish.pop("id")
    try:
        outcome = await getattr(person, "do_" + wish.pop("do"))(**wish)
        tell({"answer": number, "ok": outcome or {}})
    except Exception as error:  # whatever went wrong is the test's to judge
        tell({"answer": number, "error": f"{type(error).__name__}: {error}"})


async def main(jid, port):
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    person = Person(jid, ("127.0.0.1", int(port)))
    wishes = asyncio.StreamReader(limit=16 * 1024 * 1024)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(wishes), sys.stdin)
    # One wish after the other: the order in which a person speaks is the order in which he is heard.
    while line := await wishes.readline():
        await answer(person, json.loads(line))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
