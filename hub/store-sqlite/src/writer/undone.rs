use sqlx::error::{DatabaseError, ErrorKind};

/// Why a verb was not stored.
#[derive(Debug)]
pub(crate) enum Undone {
    /// It does not fit what is stored: the fault of this verb alone.
    Conflict,
    /// The database failed: nothing of the group can be stored.
    Broken(sqlx::Error),
}

/// The constraints that a verb can run into, as `SQLite` names them: a CHECK by its name, uniqueness by its columns.
///
/// Any other is a bug of ours, and a fault.
const CONFLICTS: [&str; 7] = [
    "room.uri",
    "event.room, event.seq",
    "event.room, event.request_hash",
    "lane_position_within_interval",
    "lane_batch_ahead_within_interval",
    "key_package.reference",
    "row.kind, row.key",
];

impl Undone {
    /// A statement that had to touch one row and did not, met something else than it was made for.
    pub(crate) fn unless_one(rows: u64) -> Result<(), Self> {
        if rows == 1 { Ok(()) } else { Err(Self::Conflict) }
    }
}

impl From<sqlx::Error> for Undone {
    fn from(error: sqlx::Error) -> Self {
        let conflict = error.as_database_error().is_some_and(is_conflict);
        if conflict { Self::Conflict } else { Self::Broken(error) }
    }
}

fn is_conflict(error: &dyn DatabaseError) -> bool {
    let constraint = error.message().split_once(" constraint failed: ").map(|(_, constraint)| constraint);
    matches!(error.kind(), ErrorKind::UniqueViolation | ErrorKind::CheckViolation)
        && constraint.is_some_and(|constraint| CONFLICTS.contains(&constraint))
}
