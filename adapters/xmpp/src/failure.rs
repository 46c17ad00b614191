//! What the gateway does about a no.

use mimi_adapter::{Outcome, RefusedCode};
use xmpp_parsers::stanza_error::{DefinedCondition, ErrorType, StanzaError};

use crate::limits::RATE_LIMIT_WAIT;

/// What an error means that came back for something said in a direct chat, or asked.
pub(crate) fn outcome_of(error: &StanzaError) -> Outcome {
    let text = words(error);
    if is_out_of_reach(error) {
        return Outcome::Broken { why: text };
    }
    if error.type_ == ErrorType::Wait {
        return Outcome::RetryAfter { wait: RATE_LIMIT_WAIT };
    }
    let code = match &error.defined_condition {
        DefinedCondition::ItemNotFound
        | DefinedCondition::Gone { .. }
        | DefinedCondition::JidMalformed
        | DefinedCondition::RecipientUnavailable
        | DefinedCondition::Redirect { .. }
        | DefinedCondition::ServiceUnavailable => RefusedCode::UnknownUser,
        DefinedCondition::Forbidden
        | DefinedCondition::NotAllowed
        | DefinedCondition::NotAcceptable
        | DefinedCondition::NotAuthorized
        | DefinedCondition::RegistrationRequired
        | DefinedCondition::SubscriptionRequired
        | DefinedCondition::Conflict => RefusedCode::NotAllowed,
        DefinedCondition::PolicyViolation if error.type_ == ErrorType::Modify => RefusedCode::TooLarge,
        DefinedCondition::PolicyViolation => RefusedCode::NotAllowed,
        DefinedCondition::ResourceConstraint => return Outcome::RetryAfter { wait: RATE_LIMIT_WAIT },
        DefinedCondition::InternalServerError
        | DefinedCondition::RemoteServerNotFound
        | DefinedCondition::RemoteServerTimeout => return Outcome::Broken { why: text },
        DefinedCondition::BadRequest
        | DefinedCondition::FeatureNotImplemented
        | DefinedCondition::UndefinedCondition
        | DefinedCondition::UnexpectedRequest => RefusedCode::Malformed,
    };
    Outcome::refused(code, text)
}

/// What an error means that a room answers with.
pub(crate) fn of_room(error: &StanzaError) -> Outcome {
    let code = match &error.defined_condition {
        DefinedCondition::ItemNotFound | DefinedCondition::Gone { .. } => RefusedCode::UnknownRoom,
        // So says a room to those who are not there.
        DefinedCondition::NotAcceptable => RefusedCode::NotMember,
        _ => return outcome_of(error),
    };
    Outcome::refused(code, words(error))
}

/// Whether the error comes from in between: who was meant has not been reached, and may be later.
pub(crate) fn is_out_of_reach(error: &StanzaError) -> bool {
    matches!(
        error.defined_condition,
        DefinedCondition::RemoteServerNotFound
            | DefinedCondition::RemoteServerTimeout
            | DefinedCondition::InternalServerError
    )
}

/// What an error says, for people to read.
pub(crate) fn words(error: &StanzaError) -> String {
    let condition = format!("{:?}", error.defined_condition);
    match error.texts.values().next() {
        Some(text) if !text.is_empty() => format!("{condition}: {text}"),
        _ => condition,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stanza::no;

    fn outcome(kind: ErrorType, condition: DefinedCondition) -> Outcome {
        outcome_of(&no(kind, condition, "no"))
    }

    fn code(kind: ErrorType, condition: DefinedCondition) -> Option<RefusedCode> {
        match outcome(kind, condition) {
            Outcome::Refused { code, .. } => Some(code),
            _ => None,
        }
    }

    #[test]
    fn what_the_server_will_not_do_is_refused() {
        use DefinedCondition as C;
        let cases = [
            (ErrorType::Cancel, C::ServiceUnavailable, RefusedCode::UnknownUser),
            (ErrorType::Cancel, C::ItemNotFound, RefusedCode::UnknownUser),
            (ErrorType::Auth, C::Forbidden, RefusedCode::NotAllowed),
            (ErrorType::Cancel, C::NotAcceptable, RefusedCode::NotAllowed),
            (ErrorType::Modify, C::PolicyViolation, RefusedCode::TooLarge),
            (ErrorType::Modify, C::BadRequest, RefusedCode::Malformed),
        ];

        for (kind, condition, refused) in cases {
            assert_eq!(code(kind, condition), Some(refused));
        }
    }

    #[test]
    fn what_may_work_later_is_tried_again() {
        use DefinedCondition as C;

        assert!(matches!(outcome(ErrorType::Cancel, C::RemoteServerNotFound), Outcome::Broken { .. }));
        assert!(matches!(outcome(ErrorType::Wait, C::RemoteServerTimeout), Outcome::Broken { .. }));
        assert!(matches!(outcome(ErrorType::Wait, C::ServiceUnavailable), Outcome::RetryAfter { .. }));
        assert!(matches!(outcome(ErrorType::Cancel, C::ResourceConstraint), Outcome::RetryAfter { .. }));
    }
}
