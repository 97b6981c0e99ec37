//! Opening the store: folder, lock, key, database, migrations, realm; and the ways into it.

use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::{EngineNumber, TenantId};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};
use tokio::sync::{Mutex, watch};

use crate::lock::FolderLock;
use crate::secrets::SecretKey;
use crate::settings::Settings;
use crate::writer::{self, Writer};
use crate::{Claims, Feed, StoreError, TenantStore, claims};

const READERS: u32 = 4;
/// How long the writer waits for somebody else's lock on the database (a backup) before it says that it is stalled.
const WRITER_PATIENCE: Duration = Duration::from_millis(250);
const READER_PATIENCE: Duration = Duration::from_secs(5);
/// The log is copied into the database at about this size; larger means fewer copies of pages written again and again.
/// Prepared statements that a connection keeps: each holds some tens of kilobytes.
const STATEMENTS: usize = 64;
const CHECKPOINT_PAGES: &str = "4000";
const KEY_CHECK: &str = "tongdai";

/// What the store is opened with.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Where database and key live; made if it is missing.
    pub data_dir: PathBuf,
    /// None or `sqlite`: a file in the data folder; `sqlite:PATH`: that file.
    pub database: Option<String>,
    /// The digest realm; fixed once a password is stored.
    pub realm: String,
    /// What a commit outlives.
    pub durability: Durability,
}

/// What a commit outlives.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Durability {
    /// A killed process.
    #[default]
    Process,
    /// A power cut: every commit reaches the disk.
    Power,
}

/// Why the store does not open, in one sentence that says what to change.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made or written.
    #[error("the data folder `{}` cannot be used ({source}): make it writable or give another --data-dir", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another server runs on the folder.
    #[error("another server runs on the data folder `{}`: stop it or give another --data-dir", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The key file cannot be read.
    #[error("the key file `{}` cannot be used ({source}): put it back from a backup", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The key is not the one the database's secrets are sealed with.
    #[error("`{}` is not the key of this database: put the one that belongs to it back from a backup", path.display())]
    WrongKey {
        /// The file.
        path: PathBuf,
    },
    /// The realm differs from the one that passwords are stored with.
    #[error("passwords are stored for the realm `{stored}`, not `{asked}`: start with --realm {stored}")]
    Realm {
        /// What is stored.
        stored: String,
        /// What was asked for.
        asked: String,
    },
    /// A database this program cannot use.
    #[error("`{url}` is no database this program can use: leave --database out or give sqlite:PATH")]
    Url {
        /// What was given.
        url: String,
    },
    /// The database cannot be opened or brought up to date.
    #[error("the database `{}` cannot be opened ({source}): repair it, put a backup in its place, or give another --data-dir", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What the database says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What survives a restart. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    readers: SqlitePool,
    /// The one connection that writes; the writer's task and settings take turns.
    connection: Arc<Mutex<SqliteConnection>>,
    writer: Writer,
    feed: Feed,
    /// Changes when a claim is no longer pending.
    claims: watch::Sender<()>,
    key: SecretKey,
    realm: String,
    _lock: Arc<FolderLock>,
}

impl Store {
    /// Opens the store and brings its tables up to date. Must be called within a tokio runtime, which runs the writer.
    ///
    /// Waits up to three seconds for a predecessor on the same folder to go.
    pub async fn open(options: StoreOptions) -> Result<Self, OpenError> {
        let folder = &options.data_dir;
        let folder_error = |source| OpenError::Folder { path: folder.clone(), source };
        std::fs::create_dir_all(folder).map_err(folder_error)?;
        let lock = match FolderLock::take(folder).await {
            Ok(lock) => Arc::new(lock),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(OpenError::InUse { path: folder.clone() });
            }
            Err(source) => return Err(folder_error(source)),
        };
        let key_file = folder.join("secret.key");
        let key =
            SecretKey::load_or_make(&key_file).map_err(|source| OpenError::Key { path: key_file.clone(), source })?;

        let file = database_file(folder, options.database.as_deref())?;
        only_ours(&file).map_err(|source| OpenError::Database { path: file.clone(), source: source.into() })?;
        let database_error =
            |source: Box<dyn std::error::Error + Send + Sync>| OpenError::Database { path: file.clone(), source };
        let writing = connect_options(&file, options.durability);
        let mut connection = SqliteConnection::connect_with(&writing).await.map_err(|e| database_error(e.into()))?;
        migrations().run(&mut connection).await.map_err(|e| database_error(e.into()))?;
        match check_key(&mut connection, &key).await {
            Ok(true) => {}
            Ok(false) => return Err(OpenError::WrongKey { path: key_file }),
            Err(error) => return Err(database_error(error.into())),
        }
        let stored = read_meta(&mut connection, "realm").await.map_err(|e| database_error(e.into()))?;
        if let Some(stored) = stored
            && stored != options.realm
        {
            return Err(OpenError::Realm { stored, asked: options.realm });
        }
        drop_expired(&mut connection).await.map_err(|e| database_error(e.into()))?;
        let heads = read_heads(&mut connection).await.map_err(|e| database_error(e.into()))?;

        let reading = writing.clone().create_if_missing(false).pragma("query_only", "ON").busy_timeout(READER_PATIENCE);
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(reading)
            .await
            .map_err(|e| database_error(e.into()))?;

        let connection = Arc::new(Mutex::new(connection));
        let feed = Feed::new(readers.clone(), heads);
        let claims = watch::Sender::new(());
        let writer = writer::start(writer::Place {
            connection: connection.clone(),
            options: writing,
            feed: feed.clone(),
            claims: claims.clone(),
            file,
            _lock: lock.clone(),
        });
        let realm = options.realm;
        Ok(Self { inner: Arc::new(Inner { readers, connection, writer, feed, claims, key, realm, _lock: lock }) })
    }

    /// A number for an engine that starts now, never given before.
    pub async fn start_engine(&self) -> Result<EngineNumber, StoreError> {
        let number: i64 = sqlx::query_scalar(
            "INSERT INTO meta (name, value) VALUES ('engine', '1')
             ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT)
             RETURNING CAST(value AS BIGINT)",
        )
        .fetch_one(&mut *self.inner.connection.lock().await)
        .await
        .map_err(StoreError::while_doing("taking an engine number"))?;
        u32::try_from(number).map(EngineNumber).map_err(StoreError::unreadable("the engine number"))
    }

    /// The one way to write what an engine tells.
    pub fn writer(&self) -> Writer {
        self.inner.writer.clone()
    }

    /// What all readers of the story read.
    pub fn feed(&self) -> Feed {
        self.inner.feed.clone()
    }

    /// What one tenant may see.
    pub fn tenant(&self, id: TenantId) -> TenantStore {
        TenantStore { id, readers: self.inner.readers.clone() }
    }

    /// The keys that one tenant's clients gave their orders.
    pub fn claims(&self, tenant: TenantId) -> Claims {
        Claims {
            tenant,
            readers: self.inner.readers.clone(),
            connection: self.inner.connection.clone(),
            changes: self.inner.claims.clone(),
        }
    }

    /// Tenants and what belongs to them.
    pub fn settings(&self) -> Settings {
        Settings {
            readers: self.inner.readers.clone(),
            connection: self.inner.connection.clone(),
            key: self.inner.key.clone(),
            realm: self.inner.realm.clone(),
        }
    }

    /// The digest realm that passwords are stored for.
    pub fn realm(&self) -> &str {
        &self.inner.realm
    }

    /// A key of the data folder for one purpose (`recording-links`), the same after every start.
    pub fn derived_key(&self, purpose: &str) -> [u8; 32] {
        self.inner.key.derive(purpose)
    }

    /// Waits until everything told is stored, then lets go of the folder. What is told afterwards is lost.
    pub async fn close(self) {
        self.inner.writer.close().await;
        self.inner.readers.close().await;
    }

    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.inner.readers
    }
}

fn database_file(folder: &Path, url: Option<&str>) -> Result<PathBuf, OpenError> {
    match url {
        None | Some("" | "sqlite") => Ok(folder.join("tongdai.db")),
        Some(url) => match url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path)) {
            Some(path) if !path.is_empty() && path != ":memory:" => Ok(PathBuf::from(path)),
            _ => Err(OpenError::Url { url: masked(url) }),
        },
    }
}

// `postgres://user:password@host/db` must not show its password in a log.
fn masked(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://***@{host}"),
        _ => url.to_owned(),
    }
}

/// Makes the database's file before SQLite does, so that nobody but us can read what proves passwords. What SQLite
/// writes beside it has the same rights.
fn only_ours(file: &Path) -> io::Result<()> {
    std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(file).map(drop)
}

fn connect_options(file: &Path, durability: Durability) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(match durability {
            Durability::Process => SqliteSynchronous::Normal,
            Durability::Power => SqliteSynchronous::Full,
        })
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("journal_size_limit", "67108864")
        .foreign_keys(false)
        .busy_timeout(WRITER_PATIENCE)
        .statement_cache_capacity(STATEMENTS)
        .disable_statement_logging()
}

fn migrations() -> Migrator {
    let all = [
        (1, "first", include_str!("../migrations/sqlite/0001_first.sql")),
        (2, "claims", include_str!("../migrations/sqlite/0002_claims.sql")),
    ];
    Migrator::with_migrations(
        all.into_iter()
            .map(|(version, name, sql)| {
                let sql = sqlx::SqlSafeStr::into_sql_str(sql);
                Migration::new(version, name.into(), MigrationType::Simple, sql, false)
            })
            .collect(),
    )
}

// A few bytes sealed at the first start tell at every later one whether the key file still belongs to the database.
async fn check_key(connection: &mut SqliteConnection, key: &SecretKey) -> Result<bool, sqlx::Error> {
    if let Some(sealed) = read_meta(connection, "key_check").await? {
        return Ok(key.open("meta/key_check", &sealed).is_some_and(|text| text.reveal() == KEY_CHECK));
    }
    let sealed = key.seal("meta/key_check", KEY_CHECK).map_err(sqlx::Error::Io)?;
    sqlx::query("INSERT INTO meta (name, value) VALUES ('key_check', $1)").bind(sealed).execute(connection).await?;
    Ok(true)
}

async fn read_meta(connection: &mut SqliteConnection, name: &str) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar("SELECT value FROM meta WHERE name = $1").bind(name).fetch_optional(connection).await
}

async fn drop_expired(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let now = model::Timestamp::now();
    sqlx::query("DELETE FROM kept WHERE expires_ms IS NOT NULL AND expires_ms <= $1")
        .bind(now.as_millisecond())
        .execute(&mut *connection)
        .await?;
    claims::drop_expired(connection, now).await
}

async fn read_heads(connection: &mut SqliteConnection) -> Result<Vec<(TenantId, i64)>, sqlx::Error> {
    let rows: Vec<(i64, i64)> = sqlx::query_as("SELECT tenant, position FROM heads").fetch_all(connection).await?;
    Ok(rows.into_iter().map(|(tenant, position)| (TenantId(tenant), position)).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use model::{Batch, Event, ExtensionEvent, Subject, Text, Timestamp, Told, What};

    use super::*;

    fn refused(tenant: TenantId, seq: u32) -> Told {
        let what = What::Extension(ExtensionEvent::Refused { why: Text::from("a reason ".repeat(50)) });
        let at = Timestamp::from_second(1_767_225_600).unwrap();
        let event = Event { subject: Subject::Extension("101".into()), seq, at, callid: None, what };
        Told::Batch(Batch { tenant, events: vec![event], record: None, claim: None })
    }

    #[tokio::test]
    async fn once_a_full_disk_has_room_again_everything_is_stored() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(StoreOptions {
            data_dir: folder.path().into(),
            database: None,
            realm: "tongdai".into(),
            durability: Durability::Process,
        })
        .await
        .unwrap();
        let file = crate::provision::parse("tenants:\n  - name: VPBX_DEMO\n").unwrap();
        store.settings().apply(file, false).await.unwrap();
        let tenant = store.settings().load().await.unwrap().tenants[0].id;
        // No page more than there are: the same error as from a full disk. It holds for this connection only.
        let mut connection = store.inner.connection.lock().await;
        sqlx::query("PRAGMA max_page_count = 1").execute(&mut *connection).await.unwrap();
        drop(connection);

        for seq in 1..=500 {
            store.writer().push(refused(tenant, seq));
        }
        let stored = tokio::time::timeout(Duration::from_secs(20), store.writer().flush()).await;

        let mode = std::fs::metadata(folder.path().join("tongdai.db")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "others can read what proves passwords");
        assert!(stored.is_ok(), "the writer goes on failing");
        assert!(store.writer().figures().failures >= 1);
        assert_eq!(store.feed().head(tenant), 500);
    }
}
