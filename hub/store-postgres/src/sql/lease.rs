use mimi_store::{Holder, Lease, LeaseKey, LeaseRow};
use sqlx::postgres::PgListener;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, PgPool, PgTransaction};

/// Where processes hear that something was given up.
const GIVEN_UP: &str = "lease_given_up";

/// The lock that each writing transaction shares, as in the function `work_as`.
const WORK: i64 = 7020;

/// Grants what is free and takes back what is given up; tells all that is held then, by key.
///
/// Processes that ask at once do so one after the other; whoever only looks need not wait.
pub(crate) async fn apply(connection: &mut PgConnection, lease: &Lease) -> sqlx::Result<Vec<LeaseRow>> {
    let mut transaction = connection.begin().await?;
    sqlx::query("LOCK TABLE lease IN SHARE ROW EXCLUSIVE MODE").execute(&mut *transaction).await?;
    release(&mut transaction, lease).await?;
    grant(&mut transaction, lease).await?;
    let rows = list(&mut transaction).await?;
    if !lease.given_up.is_empty() {
        sqlx::query("SELECT pg_notify($1, '')").bind(GIVEN_UP).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(rows)
}

/// Begins a transaction that fails unless this process holds something still.
pub(crate) async fn begin<'c>(
    connection: &'c mut PgConnection,
    holder: &str,
) -> sqlx::Result<PgTransaction<'c>> {
    let holder = holder.replace('\'', "''");
    connection.begin_with(AssertSqlSafe(format!("BEGIN; SELECT work_as('{holder}')"))).await
}

/// Waits until all that was begun before is stored or undone.
pub(crate) async fn outlast_others(connection: &mut PgConnection) -> sqlx::Result<()> {
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(WORK).execute(&mut *transaction).await?;
    transaction.commit().await
}

/// Begins to hear what is given up.
pub(crate) async fn listen(pool: &PgPool) -> sqlx::Result<PgListener> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(GIVEN_UP).await?;
    Ok(listener)
}

async fn release(connection: &mut PgConnection, lease: &Lease) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM lease WHERE until <= clock_timestamp() OR (holder = $1 AND key = ANY ($2))")
        .bind(&lease.holder.name)
        .bind(keys(&lease.given_up))
        .execute(connection)
        .await?;
    Ok(())
}

async fn grant(connection: &mut PgConnection, lease: &Lease) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO lease (key, holder, place, until) \
         SELECT key, $2, $3, clock_timestamp() + make_interval(secs => $4) FROM unnest($1::text[]) AS t (key) \
         ON CONFLICT (key) DO UPDATE SET place = excluded.place, until = excluded.until \
         WHERE lease.holder = excluded.holder",
    )
    .bind(keys(&lease.wanted))
    .bind(&lease.holder.name)
    .bind(&lease.holder.place)
    .bind(lease.lasts.as_secs_f64())
    .execute(connection)
    .await?;
    Ok(())
}

async fn list(connection: &mut PgConnection) -> sqlx::Result<Vec<LeaseRow>> {
    let rows: Vec<(String, String, String)> =
        sqlx::query_as("SELECT key, holder, place FROM lease WHERE until > clock_timestamp() ORDER BY key")
            .fetch_all(connection)
            .await?;
    let lease = |(key, name, place)| LeaseRow { key: LeaseKey(key), holder: Holder { name, place } };
    Ok(rows.into_iter().map(lease).collect())
}

fn keys(keys: &[LeaseKey]) -> Vec<&str> {
    keys.iter().map(|key| key.0.as_str()).collect()
}
