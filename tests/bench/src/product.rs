//! The product as a server of the run: hub and store as they are, with rooms that were founded before.

use tokio::net::TcpListener;

use crate::cli::Product;
use crate::database::Database;
use crate::fault::Outcome;
use crate::founding::HUB_KEYS;
use crate::papers::{FOLLOWER, HUB, Papers};
use crate::part;
use crate::provider::Provider;

/// Serves until nobody wants it.
pub(crate) async fn run(product: &Product) -> Outcome<()> {
    let directory = &product.part.directory;
    let papers = Papers::at(&product.part.papers);
    // A hub whose key is not the one that a room's members know franks nothing there: nobody could check it.
    let provider = if product.part.unfranked {
        Provider::generate(HUB)?
    } else {
        Provider::load(&directory.join(HUB_KEYS))?
    };
    let database = Database::open(directory, product.part.postgres.as_deref()).await?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let port = listener.local_addr()?.port();
    let peers = papers.peer(FOLLOWER, product.deliver_to)?;
    let mut serving = provider.serve(listener, database.store(), papers.certificate(HUB)?, peers)?;
    if product.deliver_to.is_some() {
        serving.deliver();
    }
    part::ready(port);
    part::no_longer_wanted().await;
    serving.stop().await?;
    database.close().await;
    Ok(())
}
