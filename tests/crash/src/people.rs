use tokio::sync::watch;

use crate::Broke;
use crate::book::Book;
use crate::chat::{Chat, Person};
use crate::provider::Provider;

/// Two people at each provider, in four chats, of which each side has opened two.
#[derive(Debug)]
pub struct People {
    talking: watch::Sender<bool>,
}

/// Who opens the chat of which two: the opener's side, his number, the other's.
const CHATS: [(usize, usize, usize); 4] = [(0, 0, 0), (1, 1, 1), (0, 0, 1), (1, 0, 1)];

impl People {
    /// Everybody comes online, and all chats are opened.
    pub async fn arrive(providers: &[Provider; 2], book: &Book) -> Result<Self, Broke> {
        let talking = watch::Sender::new(false);
        let mut sides = Vec::new();
        for (provider, names) in providers.iter().zip([["alice", "anna"], ["bob", "ben"]]) {
            let mut people = Vec::new();
            for name in names {
                let user = format!("{name}@{}", provider.domain());
                people.push(Person::arrive(&user, provider.chat(), book).await?);
            }
            sides.push(people);
        }
        for (side, opener, other) in CHATS {
            let (opener, other) = (sides[side][opener].clone(), sides[1 - side][other].clone());
            Chat::open(opener, other, 0, book).await?.talk(book, &talking.subscribe());
        }
        Ok(Self { talking })
    }

    /// From now on everybody says something whenever he can.
    pub fn talk(&self) {
        self.talking.send_replace(true);
    }

    /// Nobody says anything new.
    pub fn pause(&self) {
        self.talking.send_replace(false);
    }
}
