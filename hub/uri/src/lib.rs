//! Canonical `mimi:` identifiers.
//!
//! The drafts use `mimi://<provider>/<class>/<path>` for users (`/u/`), clients (`/d/`), rooms (`/r/`) and MLS
//! groups (`/g/`), but define no comparison rules. Here an identifier exists in exactly one form, its canonical
//! form, and two identifiers are equal exactly when their bytes are. Anything else is rejected, never normalised:
//! normalising is how two parties come to mean different things by one string (security row G4).
//!
//! The canonical form: lower-case scheme; an A-label host without port, user information or trailing dot; no query,
//! no fragment; no empty and no dot segment; percent-encoding in upper-case and only where a character is not
//! allowed bare; at most [`limits::URI_LENGTH_MAX`] bytes.

mod domain;
mod escape;
pub mod limits;
mod uri;

pub use domain::{Domain, InvalidDomain};
pub use uri::{ClientUri, GroupUri, InvalidUri, RoomUri, UserUri};
