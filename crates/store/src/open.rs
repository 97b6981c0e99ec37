//! Opening the store: folder, lock, key, database, migrations, realm; and the ways into it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{EngineNumber, TenantId};
use tokio::sync::watch;

use crate::db::{Connection, Db, Failed, Sql, connect_postgres, connect_sqlite};
use crate::hooks::{self, Hooks};
use crate::lock::FolderLock;
use crate::secrets::{SecretKey, random_name};
use crate::settings::Settings;
use crate::writer::{self, Writer};
use crate::{Audit, AuditNote, Author, Claims, Feed, StoreError, TenantStore, audit, claims};

const KEY_CHECK: &str = "tongdai";

/// What the store is opened with.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Where database and key live; made if it is missing.
    pub data_dir: PathBuf,
    /// None or `sqlite`: a file in the data folder; `sqlite:PATH`: that file; `postgres://…`: a database of a server.
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
    /// A power cut: every commit reaches the disk, on PostgreSQL whatever the server's own setting says.
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
    #[error(
        "`{url}` is no database this program can use: leave --database out, or give sqlite:PATH or \
         postgres://USER:PASSWORD@HOST/NAME"
    )]
    Url {
        /// What was given, without its password.
        url: String,
    },
    /// The file cannot be opened or brought up to date.
    #[error("the database `{}` cannot be opened ({source}): repair it, put a backup in its place, or give another --data-dir", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What the database says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server's database cannot be opened or brought up to date.
    #[error(
        "the database `{url}` cannot be opened ({source}): see that PostgreSQL runs there and lets this user in, or change --database"
    )]
    Server {
        /// Its address, without its password.
        url: String,
        /// What the server says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another server uses the database.
    #[error("another server uses the database `{url}`: stop it or give another --database")]
    DatabaseInUse {
        /// Its address, without its password.
        url: String,
    },
    /// The database does not keep every letter.
    #[error("the database `{url}` keeps text as {encoding}: make one with ENCODING 'UTF8' and give it as --database")]
    Encoding {
        /// Its address, without its password.
        url: String,
        /// What it has.
        encoding: String,
    },
}

/// What survives a restart. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    db: Db,
    writer: Writer,
    feed: Feed,
    /// Changes when a claim is no longer pending.
    claims: watch::Sender<()>,
    hooks: Hooks,
    key: SecretKey,
    realm: String,
    _lock: Arc<FolderLock>,
}

impl Store {
    /// Opens the store and brings its tables up to date. Must be called within a tokio runtime, which runs the writer.
    ///
    /// Waits up to three seconds for a predecessor on the same folder or database to go.
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

        let place = Place::parse(folder, options.database.as_deref())?;
        let db = place.connect(options.durability).await?;
        let failed = |error: sqlx::Error| place.failed(error.into());
        let mut turn = db.pen().take().await.map_err(failed)?;
        let connection = turn.connection();
        if !check_key(connection, &key).await.map_err(failed)? {
            return Err(OpenError::WrongKey { path: key_file });
        }
        let stored = read_meta(connection, "realm").await.map_err(failed)?;
        if let Some(stored) = stored
            && stored != options.realm
        {
            return Err(OpenError::Realm { stored, asked: options.realm });
        }
        drop_expired(connection).await.map_err(failed)?;
        crate::records::fill_in(connection).await.map_err(failed)?;
        let heads = read_heads(connection).await.map_err(failed)?;
        drop(turn);

        let feed = Feed::new(db.clone(), heads);
        let claims = watch::Sender::new(());
        let writer = writer::start(writer::Place {
            pen: db.pen(),
            feed: feed.clone(),
            claims: claims.clone(),
            remedy: place.remedy(),
            _lock: lock.clone(),
        });
        let hooks = Hooks {
            db: db.clone(),
            key: key.clone(),
            worker: hooks::Worker::start(db.clone()),
            changes: watch::Sender::new(()),
        };
        let realm = options.realm;
        Ok(Self { inner: Arc::new(Inner { db, writer, feed, claims, hooks, key, realm, _lock: lock }) })
    }

    /// A number for an engine that starts now, never given before.
    pub async fn start_engine(&self) -> Result<EngineNumber, StoreError> {
        let doing = || StoreError::while_doing("taking an engine number");
        let sql = Sql::new(
            "INSERT INTO meta (name, value) VALUES ('engine', '1')
             ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT)
             RETURNING CAST(value AS BIGINT)",
        );
        let mut turn = self.inner.db.pen().take().await.map_err(doing())?;
        let number = turn.connection().fetch_scalar::<i64>(sql).await.map_err(doing())?.unwrap_or_default();
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
        TenantStore { id, db: self.inner.db.clone() }
    }

    /// The hooks of all tenants, for who reads the story for them and sends; people look through a tenant.
    pub fn hooks(&self) -> Hooks {
        self.inner.hooks.clone()
    }

    /// The keys that one tenant's clients gave their orders.
    pub fn claims(&self, tenant: TenantId) -> Claims {
        Claims { tenant, db: self.inner.db.clone(), changes: self.inner.claims.clone() }
    }

    /// Tenants and what belongs to them.
    pub fn settings(&self) -> Settings {
        Settings { db: self.inner.db.clone(), key: self.inner.key.clone(), realm: self.inner.realm.clone() }
    }

    /// Who changed what in one tenant; None: in the whole server.
    pub fn audit(&self, tenant: Option<TenantId>) -> Audit {
        Audit { db: self.inner.db.clone(), tenant }
    }

    /// Writes an order into the audit log that is no change of a setting.
    pub async fn note(&self, author: &Author, note: &AuditNote) -> Result<(), StoreError> {
        audit::write_note(&self.inner.db, author, note).await
    }

    /// The digest realm that passwords are stored for.
    pub fn realm(&self) -> &str {
        &self.inner.realm
    }

    /// Seals text that nobody is to read in the database, so that it opens only in the same `place`.
    pub fn seal(&self, place: &str, text: &str) -> io::Result<String> {
        self.inner.key.seal(place, text)
    }

    /// Opens what [`Self::seal`] made; None when it was sealed for another place, with another key, or is damaged.
    pub fn unseal(&self, place: &str, sealed: &str) -> Option<String> {
        self.inner.key.open(place, sealed).map(|secret| secret.reveal().to_owned())
    }

    /// A key of the data folder for one purpose (`recording-links`), the same after every start.
    pub fn derived_key(&self, purpose: &str) -> [u8; 32] {
        self.inner.key.derive(purpose)
    }

    /// Waits until everything told is stored, then lets go of the folder. What is told afterwards is lost.
    pub async fn close(self) {
        self.inner.writer.close().await;
        self.inner.db.close().await;
    }

    pub(crate) fn db(&self) -> &Db {
        &self.inner.db
    }
}

/// Where the database is.
enum Place {
    File(PathBuf),
    Server { url: String },
}

impl Place {
    fn parse(folder: &Path, url: Option<&str>) -> Result<Self, OpenError> {
        let Some(url) = url.filter(|url| !["", "sqlite"].contains(url)) else {
            return Ok(Self::File(folder.join("tongdai.db")));
        };
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Server { url: url.to_owned() });
        }
        match url.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path)) {
            Some(path) if !path.is_empty() && path != ":memory:" => Ok(Self::File(path.into())),
            _ => Err(OpenError::Url { url: masked(url) }),
        }
    }

    async fn connect(&self, durability: Durability) -> Result<Db, OpenError> {
        match self {
            Self::File(path) => connect_sqlite(path, durability).await.map_err(|source| self.failed(source)),
            Self::Server { url } => {
                let name = random_name("tongdai").map_err(|source| self.failed(source.into()))?;
                let masked = masked(url);
                connect_postgres(url, &name, durability).await.map_err(|failed| match failed {
                    Failed::Url => OpenError::Url { url: masked },
                    Failed::InUse => OpenError::DatabaseInUse { url: masked },
                    Failed::Encoding(encoding) => OpenError::Encoding { url: masked, encoding },
                    Failed::Database(source) => OpenError::Server { url: masked, source },
                })
            }
        }
    }

    fn failed(&self, source: Box<dyn std::error::Error + Send + Sync>) -> OpenError {
        match self {
            Self::File(path) => OpenError::Database { path: path.clone(), source },
            Self::Server { url } => OpenError::Server { url: masked(url), source },
        }
    }

    fn remedy(&self) -> writer::Remedy {
        match self {
            Self::File(path) => writer::Remedy {
                place: path.display().to_string(),
                advice: "free space on its disk, or end whatever locks it",
            },
            Self::Server { url } => {
                writer::Remedy { place: masked(url), advice: "look at PostgreSQL, its disk and the way to it" }
            }
        }
    }
}

// `postgres://user:password@host/db` must not show its password in a log, nor what stands behind a question mark.
fn masked(url: &str) -> String {
    let url = url.split_once('?').map_or(url, |(url, _)| url);
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://***@{host}"),
        _ => url.to_owned(),
    }
}

// A few bytes sealed at the first start tell at every later one whether the key file still belongs to the database.
async fn check_key(connection: &mut Connection, key: &SecretKey) -> Result<bool, sqlx::Error> {
    if let Some(sealed) = read_meta(connection, "key_check").await? {
        return Ok(key.open("meta/key_check", &sealed).is_some_and(|text| text.reveal() == KEY_CHECK));
    }
    let sealed = key.seal("meta/key_check", KEY_CHECK).map_err(sqlx::Error::Io)?;
    let sql = Sql::new("INSERT INTO meta (name, value) VALUES ('key_check', $1)").with(sealed);
    connection.execute(sql).await?;
    Ok(true)
}

async fn read_meta(connection: &mut Connection, name: &str) -> Result<Option<String>, sqlx::Error> {
    connection.fetch_scalar(Sql::new("SELECT value FROM meta WHERE name = $1").with(name)).await
}

async fn drop_expired(connection: &mut Connection) -> Result<(), sqlx::Error> {
    let now = model::Timestamp::now();
    let sql = Sql::new("DELETE FROM kept WHERE expires_ms IS NOT NULL AND expires_ms <= $1").with(now.as_millisecond());
    connection.execute(sql).await?;
    claims::drop_expired(connection, now).await
}

async fn read_heads(connection: &mut Connection) -> Result<Vec<(TenantId, i64)>, sqlx::Error> {
    let rows: Vec<(i64, i64)> = connection.fetch_all(Sql::new("SELECT tenant, position FROM heads")).await?;
    Ok(rows.into_iter().map(|(tenant, position)| (TenantId(tenant), position)).collect())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use model::{Batch, Event, ExtensionEvent, Subject, Text, Timestamp, Told, What};

    use super::*;

    fn refused(tenant: TenantId, seq: u32) -> Told {
        let what = What::Extension(ExtensionEvent::Refused { why: Text::from("a reason ".repeat(50)), reason: None });
        let at = Timestamp::from_second(1_767_225_600).unwrap();
        let event = Event { subject: Subject::Extension("101".into()), seq, at, callid: None, what };
        Told::Batch(Batch { tenant, events: vec![event], record: None, claim: None, awaited: None })
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
        store.db().pen().take().await.unwrap().execute(Sql::new("PRAGMA max_page_count = 1")).await.unwrap();

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
