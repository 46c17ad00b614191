//! What a hosted room costs: `cargo run --release -p mimi-mls --example hosted_scale [hosted leaves]`.
//!
//! One gateway founds a room and adds the hosted users of another, 999 unless told otherwise; all have X.509
//! credentials. CPU time is that of all threads of this process, from `/proc/self/task/*/schedstat`, so that a busy
//! machine does not distort it; repeated steps give the median.

#![expect(clippy::print_stdout, reason = "a measuring program prints")]

use std::error::Error;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use mimi_mls::hosted::{CommitPlan, HostedRoom, NewRoom, self_test};
use mimi_mls::{
    ComponentLogic, ComponentOperation, ComponentRefused, FRANK_AAD, HostedClient, IdentityAuthority,
    LeafIndex, SAFE_AAD, encode_component_list, mint_key_package,
};
use mimi_uri::{ClientUri, Domain, UserUri};

type Outcome<T> = Result<T, Box<dyn Error>>;

const LIFETIME_S: u64 = 86_400;
const ROUNDS: u32 = 9;

fn main() -> Outcome<()> {
    let hosted: u32 = std::env::args().nth(1).map_or(Ok(999), |count| count.parse())?;
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let ((), ms) = timed(|| self_test(now_s))?;
    report("self-test", ms, "ms");

    let (mut other, mut room) = populate(hosted, now_s)?;
    follow_commits(&mut other, &mut room)?;
    commit_as_leaves(&mut other, &mut room, hosted)?;
    speak(&mut other, &mut room, hosted)?;
    survive(&mut room)?;
    lose_the_reader(&mut other, &mut room)
}

/// A room of the other gateway's founder and all of ours.
fn populate(hosted: u32, now_s: u64) -> Outcome<(HostedRoom, HostedRoom)> {
    let domain = Domain::parse("a.example")?;
    let authority = IdentityAuthority::generate(&domain)?;
    let names = |name: &str| -> Outcome<(UserUri, ClientUri)> {
        Ok((UserUri::new(&domain, &["u", name])?, ClientUri::new(&domain, &["d", name, "1"])?))
    };
    let (user, client) = names("founder")?;
    let creator = HostedClient::generate(&authority, &user, &client, LIFETIME_S, now_s)?;
    let new_room = NewRoom {
        group_id: b"mimi://a.example/g/scale".to_vec(),
        components: vec![(SAFE_AAD, encode_component_list(&[FRANK_AAD]))],
        external_senders: Vec::new(),
        creator: &creator,
    };
    let (mut other, _) = HostedRoom::create(&new_room)?;

    let (minted, ms) = timed(|| -> Outcome<Vec<_>> {
        let mint = |place: u32| {
            let (user, client) = names(&format!("user{place}"))?;
            Ok(mint_key_package(&authority, &user, &client, LIFETIME_S, now_s)?)
        };
        (0..hosted).map(mint).collect()
    })?;
    report("mint a KeyPackage", ms / f64::from(hosted), "ms");
    let adds = minted.iter().map(|minted| minted.key_package.clone()).collect();
    let plan = CommitPlan { adds, ..CommitPlan::default() };
    let (own, ms) = timed(|| other.commit(LeafIndex(0), &plan, &Keep))?;
    report("add all in one commit", ms, "ms");
    other.confirm_commit()?;

    let welcome = own.welcome.ok_or("no Welcome")?;
    let secrets: Vec<_> = minted.iter().map(|minted| minted.secret.clone()).collect();
    let tree = other.ratchet_tree()?;
    let (room, ms) = timed(|| HostedRoom::join(&welcome, &tree, &secrets))?;
    report("join with all hosted leaves", ms, "ms");
    Ok((other, room))
}

/// Commits of others, as most are.
fn follow_commits(other: &mut HostedRoom, room: &mut HostedRoom) -> Outcome<()> {
    let mut spent = Vec::new();
    for _ in 0..ROUNDS {
        let plan = CommitPlan { with_path: true, ..CommitPlan::default() };
        let own = other.commit(LeafIndex(0), &plan, &Keep)?;
        other.confirm_commit()?;
        let (_, ms) = timed(|| room.process(&own.commit, &Keep))?;
        spent.push(ms);
    }
    report("follow another's commit", median(spent), "ms");
    Ok(())
}

/// Commits of ours, each as another leaf, spread over the tree so that it warms.
fn commit_as_leaves(other: &mut HostedRoom, room: &mut HostedRoom, hosted: u32) -> Outcome<()> {
    let (mut made, mut confirmed, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..2 * ROUNDS {
        let leaf = LeafIndex(1 + round * 389 % hosted);
        let plan = CommitPlan { with_path: true, ..CommitPlan::default() };
        let (own, ms) = timed(|| room.commit(leaf, &plan, &Keep))?;
        made.push(ms);
        bytes.push(f64::from(u32::try_from(own.commit.as_bytes().len())?));
        let (_, ms) = timed(|| room.confirm_commit())?;
        confirmed.push(ms);
        other.process(&own.commit, &Keep)?;
    }
    report("commit with path as a hosted leaf, first (cold tree)", made[0], "ms");
    report("commit with path as a hosted leaf, last (warm tree)", made[made.len() - 1], "ms");
    report("confirm it", median(confirmed), "ms");
    report("its size, first", bytes[0], "B");
    report("its size, last", bytes[bytes.len() - 1], "B");
    Ok(())
}

fn speak(other: &mut HostedRoom, room: &mut HostedRoom, hosted: u32) -> Outcome<()> {
    let text = [b'x'; 200];
    let (sealed, ms) = timed(|| {
        (1..=hosted).map(|leaf| room.seal(LeafIndex(leaf), &[(FRANK_AAD, vec![7; 32])], &text)).collect()
    })?;
    report("first message of a hosted leaf in an epoch: seal", ms / f64::from(hosted) * 1_000.0, "us");
    let sealed: Vec<_> = sealed;
    let (_, ms) = timed(|| {
        (1..=hosted).map(|leaf| room.seal(LeafIndex(leaf), &[], &text)).collect::<Result<Vec<_>, _>>()
    })?;
    report("later message: seal", ms / f64::from(hosted) * 1_000.0, "us");
    let ((), ms) =
        timed(|| sealed.iter().try_for_each(|sealed| other.process(&sealed.message, &Keep).map(drop)))?;
    report("open", ms / f64::from(hosted) * 1_000.0, "us");
    Ok(())
}

fn survive(room: &mut HostedRoom) -> Outcome<()> {
    let (snapshot, ms) = timed(|| room.snapshot())?;
    report("take a snapshot (all leaves have spoken, a second reader is kept)", ms, "ms");
    report("its size", f64::from(u32::try_from(snapshot.len())?), "B");
    let (restored, ms) = timed(|| HostedRoom::load(&snapshot))?;
    report("load it", ms, "ms");
    *room = restored;
    Ok(())
}

fn lose_the_reader(other: &mut HostedRoom, room: &mut HostedRoom) -> Outcome<()> {
    let plan = CommitPlan { removes: vec![room.reader_leaf()], ..CommitPlan::default() };
    let own = other.commit(LeafIndex(0), &plan, &Keep)?;
    other.confirm_commit()?;
    let (_, ms) = timed(|| room.process(&own.commit, &Keep))?;
    report("follow the commit that removes the reader", ms, "ms");
    let agreed = room.epoch_authenticator() == other.epoch_authenticator();
    println!("both agree on the epoch: {agreed}");
    Ok(())
}

struct Keep;

impl ComponentLogic for Keep {
    fn apply(
        &self,
        component: u16,
        _current: Option<&[u8]>,
        _updates: &[ComponentOperation<'_>],
    ) -> Result<Option<Vec<u8>>, ComponentRefused> {
        Err(ComponentRefused::new(component, "nothing is updated here"))
    }
}

/// Runs `work` and says how many milliseconds of CPU it took.
fn timed<T, E>(work: impl FnOnce() -> Result<T, E>) -> Outcome<(T, f64)>
where
    Box<dyn Error>: From<E>,
{
    let before = cpu_ms()?;
    let value = work()?;
    Ok((value, cpu_ms()? - before))
}

fn cpu_ms() -> Outcome<f64> {
    let mut total_ns = 0_u64;
    for task in fs::read_dir("/proc/self/task")? {
        let stat = fs::read_to_string(task?.path().join("schedstat"))?;
        let on_cpu = stat.split_whitespace().next().ok_or("an empty schedstat")?;
        total_ns += on_cpu.parse::<u64>()?;
    }
    Ok(std::time::Duration::from_nanos(total_ns).as_secs_f64() * 1_000.0)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn report(what: &str, value: f64, unit: &str) {
    println!("{what:<66} {value:>12.3} {unit}");
}
