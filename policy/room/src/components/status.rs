use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

use crate::codec::{always_consistent, doors};

/// Whether something may, must or must not be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
#[repr(u8)]
pub enum Optionality {
    /// As each client likes.
    Optional = 0,
    /// Everybody does (the draft also writes `mandatory`).
    Required = 1,
    /// Nobody does.
    Forbidden = 2,
}

/// Delivery notifications and read receipts (`status_notification_policy`).
#[derive(Debug, Clone, PartialEq, Eq, TlsSize, TlsSerialize, TlsDeserializeBytes)]
pub struct StatusNotificationPolicy {
    /// Telling that a message arrived.
    pub delivery_notifications: Optionality,
    /// Telling that a message was read.
    pub read_receipts: Optionality,
}

always_consistent!(StatusNotificationPolicy);
doors!(StatusNotificationPolicy);
