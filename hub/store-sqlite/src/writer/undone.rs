use rusqlite::Error;
use rusqlite::ffi::ErrorCode;

/// Why a verb was not stored.
#[derive(Debug)]
pub(crate) enum Undone {
    /// It does not fit what is stored: the fault of this verb alone.
    Conflict,
    /// The database failed: nothing of the group can be stored.
    Broken(Error),
}

/// The constraints that a verb can run into, as `SQLite` names them: a CHECK by its name, uniqueness by its columns.
///
/// Any other is a bug of ours, and a fault.
const CONFLICTS: [&str; 6] = [
    "UNIQUE constraint failed: room.uri",
    "UNIQUE constraint failed: event.room, event.seq",
    "CHECK constraint failed: lane_position_within_interval",
    "CHECK constraint failed: lane_batch_ahead_within_interval",
    "UNIQUE constraint failed: key_package.reference",
    "UNIQUE constraint failed: row.kind, row.key",
];

impl Undone {
    /// A statement that had to touch one row and did not, met something else than it was made for.
    pub(crate) fn unless_one(rows: usize) -> Result<(), Self> {
        if rows == 1 { Ok(()) } else { Err(Self::Conflict) }
    }
}

impl From<Error> for Undone {
    fn from(error: Error) -> Self {
        match &error {
            Error::SqliteFailure(failure, Some(why))
                if failure.code == ErrorCode::ConstraintViolation && CONFLICTS.contains(&why.as_str()) =>
            {
                Self::Conflict
            }
            _ => Self::Broken(error),
        }
    }
}
