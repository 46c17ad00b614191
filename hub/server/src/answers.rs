//! The answer to a repeated request, made again from the event that the first one became.

use mimi_store::EventRow;
use mimi_wire::{
    ErrorDescription, FanoutEvent, FanoutMessage, SubmitMessageResponse, UpdateRoomResponse, UpdateVerdict,
};

use crate::failure::{Failure, Fault};

/// What the submission that became this event was answered.
pub(crate) fn submitted(event: &EventRow) -> Result<SubmitMessageResponse, Failure> {
    let message = FanoutMessage::decode(&event.bytes).map_err(|fault| Failure::Fault(Fault::new(fault)))?;
    let FanoutEvent::Application { frank, .. } = message.event else {
        return Err(Failure::Fault(Fault::new("a submission became something else than a message")));
    };
    Ok(SubmitMessageResponse::Accepted { accepted: event.timestamp, frank })
}

/// What the update that became this event was answered.
#[expect(clippy::unnecessary_wraps, reason = "one of the two ways to make an answer from an event")]
pub(crate) fn updated(event: &EventRow) -> Result<UpdateRoomResponse, Failure> {
    let verdict = UpdateVerdict::Success { accepted: event.timestamp };
    Ok(UpdateRoomResponse { error_description: ErrorDescription::default(), verdict })
}
