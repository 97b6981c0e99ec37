//! Bans as they are kept and read.

mod common;

use common::*;
use jiff::SignedDuration;
use model::{Ban, Kept, KeptKind, Source, TenantId, Timestamp, Told};
use store::Store;

for_both! {
    bans_are_read_in_pages_until_they_end_or_are_lifted,
    bans_outlive_a_restart,
}

fn ban(source: &str, minutes: i64) -> Ban {
    // Whole seconds, as they come back.
    let since = Timestamp::from_second(Timestamp::now().as_second()).expect("a moment");
    let source: Source = source.parse().expect("a source");
    Ban { source, since, until: since + SignedDuration::from_mins(minutes), times: 1 }
}

fn kept(ban: &Ban) -> Told {
    let value = serde_json::to_string(ban).expect("a ban prints");
    let key = ban.source.to_string();
    let expires = Some(ban.until);
    Told::Keep(Kept { tenant: TenantId::SERVER, kind: KeptKind::Ban, key, value: Some(value), expires })
}

async fn bans_are_read_in_pages_until_they_end_or_are_lifted(database: Database) {
    let store = two_tenants(&database).await;
    let [first, second, third] = [ban("192.0.2.1", 5), ban("192.0.2.2", 5), ban("2001:db8::/64", 5)];
    let over = ban("192.0.2.0", -1);
    tell(&store, [&first, &second, &third, &over].map(kept)).await;

    assert_eq!(store.bans(None, 2).await.expect("bans"), [first.clone(), second.clone()]);
    assert_eq!(store.bans(Some(second.source), 2).await.expect("bans"), std::slice::from_ref(&third));

    let Told::Keep(lifted) = kept(&first) else { unreachable!("a ban is kept") };
    tell(&store, [Told::Keep(Kept { value: None, expires: None, ..lifted })]).await;
    assert_eq!(store.bans(None, 10).await.expect("bans"), [second, third]);
}

async fn bans_outlive_a_restart(database: Database) {
    let store = two_tenants(&database).await;
    let ban = ban("192.0.2.1", 5);
    tell(&store, [kept(&ban)]).await;
    store.close().await;

    let store = open(&database).await;

    assert_eq!(store.bans(None, 10).await.expect("bans"), std::slice::from_ref(&ban));
    let back = store.kept().await.expect("facts");
    assert!(back.iter().any(|kept| kept.kind == KeptKind::Ban && kept.key == ban.source.to_string()), "{back:?}");
}

async fn tell(store: &Store, told: impl IntoIterator<Item = Told>) {
    for told in told {
        store.writer().push(told);
    }
    store.writer().flush().await;
}
