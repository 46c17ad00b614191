"""One Matrix user at a keyboard: matrix-nio, driven by one JSON object a line.

Standard input carries wishes, `{"id": 7, "do": "send", "room": "!r:hs", "text": "hi"}`; standard output carries
answers, `{"answer": 7, "ok": ...}` or `{"answer": 7, "error": "..."}`, and events as they happen,
`{"event": "message", ...}`. The end of standard input ends the person.

A homeserver that is away is waited for, not given up on: every request is repeated under the same transaction id until
it is answered, and `/sync` goes on from the last token. So nothing is sent twice and nothing is heard twice.
"""

import asyncio
import json
import logging
import sys
import uuid

from aiohttp import ClientError
from nio import AsyncClient, AsyncClientConfig, ReceiptEvent, RoomPreset
from nio.responses import ErrorResponse, RegisterErrorResponse

PAUSE_S_MIN = 0.05
PAUSE_S_MAX = 1.0
SYNC_WAIT_MS = 20_000
# Wide enough that no test reaches it; a timeline that was cut is reported as a gap all the same.
SYNC_FILTER = {"room": {"timeline": {"limit": 1000}}, "presence": {"not_types": ["*"]}}


class Refused(Exception):
    """The homeserver answered, and its answer was no."""


def tell(line):
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def persist(ask):
    """Asks until the homeserver answers, then returns the answer or raises its refusal."""
    pause = PAUSE_S_MIN
    while True:
        try:
            response = await ask()
        except (ClientError, OSError, asyncio.TimeoutError):
            response = None
        if response is not None and not isinstance(response, ErrorResponse):
            return response
        if response is not None and getattr(response, "status_code", None) and not is_passing(response):
            raise Refused(f"{response.status_code} {response.message}")
        await asyncio.sleep(pause)
        pause = min(pause * 2, PAUSE_S_MAX)


def is_passing(response):
    """Whether the error belongs to a homeserver that is starting or stopping, not to the request."""
    transport = getattr(response, "transport_response", None)
    return transport is not None and transport.status >= 500


class Person:
    def __init__(self, homeserver):
        # No patience inside the library: it would wait without end on a refused connection.
        self.client = AsyncClient(homeserver, config=AsyncClientConfig(max_timeouts=0, max_limit_exceeded=0))
        self.joins_when_invited = True
        self.listening = None

    # -- what the test may wish for -------------------------------------------------------------------------------

    async def do_register(self, name, password):
        registered = await self.client.register(name, password, device_name="end-to-end")
        if isinstance(registered, RegisterErrorResponse):
            raise Refused(f"{registered.status_code} {registered.message}")
        return await self.start_listening()

    async def do_login(self, name, password):
        self.client.user = name
        await persist(lambda: self.client.login(password, device_name="end-to-end"))
        return await self.start_listening()

    async def do_create_direct(self, invite, name=None):
        room = await persist(
            lambda: self.client.room_create(
                name=name, is_direct=True, invite=[invite], preset=RoomPreset.trusted_private_chat
            )
        )
        return {"room": room.room_id}

    async def do_create_group(self, invite, name=None):
        room = await persist(
            lambda: self.client.room_create(name=name, invite=invite, preset=RoomPreset.private_chat)
        )
        return {"room": room.room_id}

    async def do_send_event(self, room, kind, content):
        transaction = uuid.uuid4().hex
        sent = await persist(lambda: self.client.room_send(room, kind, content, tx_id=transaction))
        return {"event_id": sent.event_id}

    async def do_redact(self, room, event_id, reason=None):
        transaction = uuid.uuid4().hex
        redacted = await persist(lambda: self.client.room_redact(room, event_id, reason, tx_id=transaction))
        return {"event_id": redacted.event_id}

    async def do_invite(self, room, user):
        await persist(lambda: self.client.room_invite(room, user))

    async def do_kick(self, room, user, reason=None):
        await persist(lambda: self.client.room_kick(room, user, reason))

    async def do_ban(self, room, user):
        await persist(lambda: self.client.room_ban(room, user))

    async def do_put_state(self, room, kind, content):
        await persist(lambda: self.client.room_put_state(room, kind, content))

    async def do_join(self, room):
        await persist(lambda: self.client.join(room))

    async def do_leave(self, room):
        await persist(lambda: self.client.room_leave(room))

    async def do_read(self, room, event_id):
        await persist(lambda: self.client.update_receipt_marker(room, event_id))

    async def do_displayname(self, user):
        profile = await persist(lambda: self.client.get_displayname(user))
        return {"displayname": profile.displayname}

    async def do_members(self, room):
        joined = await persist(lambda: self.client.joined_members(room))
        return {"members": sorted(member.user_id for member in joined.members)}

    async def do_join_when_invited(self, yes):
        self.joins_when_invited = yes

    # -- what the person hears ------------------------------------------------------------------------------------

    async def start_listening(self):
        self.listening = asyncio.create_task(self.listen())
        self.listening.add_done_callback(stop_if_it_failed)
        return {"user": self.client.user_id}

    async def listen(self):
        while True:
            heard = await persist(lambda: self.client.sync(timeout=SYNC_WAIT_MS, sync_filter=SYNC_FILTER))
            for room, invitation in heard.rooms.invite.items():
                await self.hear_invitation(room, invitation)
            for room, joined in heard.rooms.join.items():
                hear_timeline(room, joined.timeline, self.client.user_id)
                hear_receipts(room, joined.ephemeral)
            for room, left in heard.rooms.leave.items():
                hear_timeline(room, left.timeline, self.client.user_id)

    async def hear_invitation(self, room, invitation):
        mine = [e for e in invitation.invite_state if getattr(e, "state_key", None) == self.client.user_id]
        by = mine[0].sender if mine else ""
        direct = bool(mine and mine[0].content.get("is_direct"))
        tell({"event": "invited", "room": room, "by": by, "direct": direct})
        if self.joins_when_invited:
            try:
                await self.do_join(room)
            except Refused:
                pass  # the invitation was withdrawn meanwhile: the test hears that as a membership


def hear_timeline(room, timeline, me):
    if timeline.limited and not any(is_a_beginning(event.source, me) for event in timeline.events):
        tell({"event": "gap", "room": room})
    for event in timeline.events:
        tell(in_our_words(room, event.source))


def is_a_beginning(source, me):
    """Whether nothing before it is owed: the room did not exist, or this person was not in it."""
    came = source.get("state_key") == me and source["content"].get("membership") == "join"
    return source["type"] == "m.room.create" or (source["type"] == "m.room.member" and came)


def hear_receipts(room, ephemeral):
    for event in ephemeral:
        for receipt in event.receipts if isinstance(event, ReceiptEvent) else []:
            if receipt.receipt_type == "m.read":
                tell({"event": "read", "room": room, "user": receipt.user_id, "event_id": receipt.event_id})


def in_our_words(room, source):
    content = source.get("content", {})
    told = {"room": room, "sender": source["sender"], "event_id": source["event_id"]}
    if source["type"] == "m.room.member":
        return told | {"event": "membership", "user": source["state_key"], "membership": content.get("membership", "")}
    if source["type"] == "m.room.message":
        return told | {
            "event": "message",
            "msgtype": content.get("msgtype"),
            "body": content.get("body"),
            "format": content.get("format"),
            "formatted_body": content.get("formatted_body"),
            "content": content,
        }
    return told | {"event": "other", "kind": source["type"], "content": content, "redacts": source.get("redacts")}


def stop_if_it_failed(task):
    if not task.cancelled() and task.exception() is not None:
        tell({"event": "deaf", "reason": repr(task.exception())})


async def answer(person, wish):
    number = wish.pop("id")
    try:
        outcome = await getattr(person, "do_" + wish.pop("do"))(**wish)
        tell({"answer": number, "ok": outcome or {}})
    except Exception as error:  # whatever went wrong is the test's to judge
        tell({"answer": number, "error": f"{type(error).__name__}: {error}"})


async def main(homeserver):
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    person = Person(homeserver)
    wishes = asyncio.StreamReader(limit=16 * 1024 * 1024)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(wishes), sys.stdin)
    # One wish after the other: the order in which a person speaks is the order in which he is heard.
    while line := await wishes.readline():
        await answer(person, json.loads(line))
    if person.listening is not None:
        person.listening.cancel()
    await person.client.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
