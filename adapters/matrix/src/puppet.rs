use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use mimi_adapter::{NativeUserId, Outcome, RefusedCode};
use ruma::api::client::account::register;
use ruma::api::client::device::update_device;
use ruma::api::client::profile::set_profile_field;
use ruma::api::error::ErrorKind;
use ruma::profile::ProfileFieldValue;
use ruma::{OwnedUserId, UserId};

use crate::homeserver::{Acting, CallFault, DEVICE, Homeserver};
use crate::limits::{DISPLAY_NAME_CHARS_MAX, PUPPETS_KNOWN_MAX};

/// Our users at the homeserver: makes them when they are first needed.
#[derive(Debug, Default)]
pub(crate) struct Puppets {
    known: Mutex<HashSet<OwnedUserId>>,
}

impl Puppets {
    /// Makes the user and its device unless they are there.
    pub(crate) async fn ensure(&self, homeserver: &Homeserver, user: &UserId) -> Result<(), CallFault> {
        if self.with_known(|known| known.contains(user)) {
            return Ok(());
        }
        let mut account = register::v3::Request::new();
        account.username = Some(user.localpart().to_owned());
        account.login_type = Some(register::LoginType::ApplicationService);
        account.inhibit_login = true;
        match homeserver.call(account, Acting::Service).await {
            Ok(_) => {}
            Err(fault) if fault.is(&ErrorKind::UserInUse) => {}
            Err(fault) => return Err(fault),
        }
        let mut device = update_device::v3::Request::new(DEVICE.into());
        device.display_name = Some("Drawbridge".to_owned());
        homeserver.call(device, Acting::User(user)).await?;
        self.with_known(|known| {
            if known.len() >= PUPPETS_KNOWN_MAX {
                known.clear();
            }
            known.insert(user.to_owned());
        });
        Ok(())
    }

    /// Forgets that the user is there: the homeserver behaves as if it were not.
    pub(crate) fn forget(&self, user: &UserId) {
        self.with_known(|known| known.remove(user));
    }

    fn with_known<T>(&self, act: impl FnOnce(&mut HashSet<OwnedUserId>) -> T) -> T {
        act(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Gives the user a display name.
pub(crate) async fn name(homeserver: &Homeserver, user: &UserId, name: &str) -> Result<(), CallFault> {
    let name = name.chars().take(DISPLAY_NAME_CHARS_MAX).collect();
    let request = set_profile_field::v3::Request::new(user.to_owned(), ProfileFieldValue::DisplayName(name));
    homeserver.call(request, Acting::OnDevice(user)).await.map(drop)
}

/// A native id as Matrix's own type.
pub(crate) fn user_id(id: &NativeUserId) -> Result<OwnedUserId, Outcome> {
    UserId::parse(id.as_str())
        .map_err(|why| Outcome::refused(RefusedCode::UnknownUser, format!("{id}: {why}")))
}
