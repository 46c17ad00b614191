//! The directory (A2), and the identity roots that it points to.

use conformance::{Call, World, domain};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, FROM};
use mimi_wire::{DIRECTORY_PATH, Directory, Endpoint, IdentityRootsDocument, LinkError};

#[tokio::test]
async fn the_directory_is_json_of_what_is_served_and_nothing_else() {
    let world = World::new().await;

    let reply = world.b.say(&Call::get("b.example", DIRECTORY_PATH)).await;

    assert_eq!(reply.status, 200);
    assert_eq!(reply.headers[CONTENT_TYPE], "application/json");
    assert_eq!(reply.headers[CACHE_CONTROL], "max-age=3600");
    insta::assert_snapshot!(std::str::from_utf8(&reply.body).unwrap(), @r#"
    {
      "groupInfo": "https://a.example/v1/groupInfo/{roomId}",
      "keyMaterial": "https://a.example/v1/keyMaterial/{targetUser}",
      "notify": "https://a.example/v1/notify/{roomId}",
      "submitMessage": "https://a.example/v1/submitMessage/{roomId}",
      "update": "https://a.example/v1/update/{roomId}",
      "x-identityRoots": "https://a.example/v1/identityRoots"
    }
    "#);
}

#[tokio::test]
async fn every_endpoint_of_the_directory_is_there() {
    let world = World::new().await;
    let reply = world.b.say(&Call::get("b.example", DIRECTORY_PATH)).await;
    let directory = Directory::parse(&reply.body, &domain("a.example"), &[]).unwrap();

    for endpoint in Endpoint::ALL {
        let value = endpoint.variable().map_or("", |_| "mimi%");
        let Ok(link) = directory.link(endpoint, value) else { continue };
        let call = match endpoint {
            Endpoint::IdentityRoots => Call::get("b.example", &link.path),
            _ => world.b.call(endpoint, "", "x").at(&link.path),
        };
        let status = world.b.say(&call).await.status;
        assert!(![404, 405].contains(&status), "{endpoint:?}: {status}");
    }
    assert_eq!(directory.link(Endpoint::ProxyDownload, "x"), Err(LinkError::NotOffered));
}

#[tokio::test]
async fn the_identity_roots_are_those_of_the_provider_and_for_peers_only() {
    let world = World::new().await;
    let call = Call::get("b.example", "/v1/identityRoots");

    let roots: IdentityRootsDocument = world.b.say(&call).await.decode();
    let as_another = world.b.say(&call.clone().with(FROM, "mimi@c.example")).await;
    let for_another = world.b.say(&call.for_host("b.example")).await;

    assert_eq!(roots.roots, [world.a.authority.root_der().to_vec()]);
    assert_eq!([as_another.status, for_another.status], [403, 403]);
}

#[tokio::test]
async fn a12_the_roots_of_a_peer_are_fetched_of_the_peer_itself_and_once() {
    let world = World::new().await;

    let fetched = world.a.hub().identity_roots(&world.b.domain).await.unwrap();
    let again = world.a.hub().identity_roots(&world.b.domain).await.unwrap();

    assert_eq!(fetched, [world.b.authority.root_der().to_vec()]);
    assert_eq!(again, fetched);
    assert_eq!((world.b.sink.roots_asked(), world.c.sink.roots_asked()), (1, 0));
}
