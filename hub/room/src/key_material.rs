//! `keyMaterial`, as far as it is the hub's (A3): may this be asked for, and who has answered.

use mimi_mls::read_key_package;
use mimi_room_policy::may_claim_key_material;
use mimi_uri::Domain;
use mimi_wire::{ClientMaterial, KeyMaterialRequest, KeyMaterialResponse};

use crate::effects::Effects;
use crate::refusal::{Reason, Refusal};
use crate::room::Room;

impl Room {
    /// Whether key material may be asked for: by whoever could add the clients that it is for.
    pub fn authorize_key_material(
        &self,
        provider: &Domain,
        request: &KeyMaterialRequest,
    ) -> Result<(), Refusal> {
        // G2: a provider speaks for its own users.
        if request.requesting_user.domain() != provider {
            return Err(Reason::NotThatProvider.into());
        }
        // PM6: the request names the room that the material is for.
        if request.room.as_ref() != Some(&self.header.uri) {
            return Err(Reason::OtherRoom.into());
        }
        let (policy, roster) = (&self.header.policy, &self.header.roster);
        may_claim_key_material(policy, roster, &request.requesting_user, &request.target_user)?;
        Ok(())
    }

    /// Remembers which provider has issued what, for the record: a Welcome is sent to the provider that the proved
    /// credential of the added client names, so that it also finds the way where a consent brought the `KeyPackage`.
    ///
    /// What is no `KeyPackage` is left to those who would use it: they refuse it.
    pub fn record_key_material(
        &self,
        request: &KeyMaterialRequest,
        response: &KeyMaterialResponse,
    ) -> Effects {
        let issuer = request.target_user.domain();
        let packages = response.clients.iter().filter_map(|client| match &client.material {
            ClientMaterial::Success { key_package } => read_key_package(key_package).ok(),
            ClientMaterial::KeyMaterialExhausted | ClientMaterial::NothingCompatible { .. } => None,
        });
        Effects {
            routes: packages.map(|package| (package.reference, issuer.clone())).collect(),
            ..Effects::default()
        }
    }
}
