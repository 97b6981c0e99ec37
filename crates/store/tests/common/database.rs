//! A database for one test, of either kind.
//!
//! PostgreSQL is Debian's, started by whichever test needs it first: on a free port, with its data in a temporary folder,
//! without a care for power cuts. Each test has a database of its own there. Every process that uses the server holds a
//! lock for as long as it lives, however it dies; a small watcher stops the server and removes its data a few seconds
//! after nobody holds it any more, and the server ends with its watcher.

#![allow(dead_code, reason = "whoever tests takes a part of it")]

use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Makes two tests of each `async fn name(database: Database)`: `name::on_sqlite` and `name::on_postgres`.
#[allow(unused_macros, reason = "whoever tests takes a part of it")]
macro_rules! for_both {
    ($($name:ident),+ $(,)?) => {
        $(mod $name {
            #[tokio::test]
            async fn on_sqlite() {
                super::$name(super::Database::sqlite()).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                super::$name(super::Database::postgres()).await;
            }
        })+
    };
}
#[allow(unused_imports, reason = "whoever tests takes a part of it")]
pub(crate) use for_both;

/// How long a server may take to start on a machine that is busy with other tests.
const STARTING: Duration = Duration::from_secs(60);

/// A place for one store: a data folder, and the database that belongs to it.
#[derive(Debug)]
pub struct Database {
    folder: TempDir,
    /// None: a file in the folder.
    server: Option<(&'static Server, String)>,
}

impl Database {
    /// SQLite, in the folder.
    pub fn sqlite() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), server: None }
    }

    /// PostgreSQL: an empty database that is dropped with this.
    pub fn postgres() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = Server::running();
        let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        server.psql("postgres", &format!("CREATE DATABASE {name}"));
        Self { folder: tempfile::tempdir().expect("a folder"), server: Some((server, name)) }
    }

    /// Another one of the same kind.
    pub fn another(&self) -> Self {
        if self.is_postgres() { Self::postgres() } else { Self::sqlite() }
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The database's file; for SQLite.
    pub fn file(&self) -> PathBuf {
        self.folder().join("tongdai.db")
    }

    /// What `--database` is: None for the file in the folder.
    pub fn url(&self) -> Option<String> {
        let (server, name) = self.server.as_ref()?;
        Some(format!("postgres://postgres@127.0.0.1:{}/{name}", server.port))
    }

    /// Whether it is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.server.is_some()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.server {
            server.psql("postgres", &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

#[derive(Debug)]
struct Server {
    port: u16,
    programs: PathBuf,
    /// Locked, shared with all who use the server.
    _in_use: File,
}

impl Server {
    /// The server that all tests of this build use; it runs now.
    fn running() -> &'static Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    fn start() -> Self {
        let programs = programs();
        let place = place();
        let in_use = lock_file(&place.join("in-use"));
        in_use.lock_shared().expect("a lock that is shared");
        let starting = lock_file(&place.join("starting"));
        starting.lock().expect("a lock");
        let port_file = place.join("port");
        let running = fs::read_to_string(&port_file)
            .ok()
            .and_then(|port| port.trim().parse().ok())
            .filter(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok());
        let port = running.unwrap_or_else(|| {
            let port = start_server(&place, &programs);
            fs::write(&port_file, port.to_string()).expect("the folder can be written");
            port
        });
        Self { port, programs, _in_use: in_use }
    }

    fn psql(&self, database: &str, sql: &str) {
        let output = Command::new(self.programs.join("psql"))
            .args(["-X", "-q", "-h", "127.0.0.1", "-U", "postgres", "-d", database, "-p"])
            .arg(self.port.to_string())
            .args(["-c", sql])
            .output()
            .expect("psql runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() || std::thread::panicking(), "{sql}: {said}");
    }
}

/// Where Debian's package puts the programs of its newest version.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.max_by_key(|version| version.file_name().to_string_lossy().parse::<u32>().unwrap_or(0));
    let newest = newest.expect("PostgreSQL is missing: `make tools-test` installs it");
    newest.path().join("bin")
}

/// A folder of this build and this user, that a server's user can reach too.
fn place() -> PathBuf {
    let program = std::env::current_exe().expect("a test knows its file");
    let mut hasher = DefaultHasher::new();
    program.parent().hash(&mut hasher);
    let user = fs::metadata("/proc/self").expect("/proc is there").uid();
    let place = std::env::temp_dir().join(format!("tongdai-postgres-{user}-{:x}", hasher.finish()));
    fs::create_dir_all(&place).expect("the temporary folder can be written");
    fs::set_permissions(&place, fs::Permissions::from_mode(0o711)).expect("the folder is ours");
    place
}

fn lock_file(path: &Path) -> File {
    OpenOptions::new().create(true).truncate(false).write(true).open(path).expect("the folder can be written")
}

fn start_server(place: &Path, programs: &Path) -> u16 {
    // A watcher that was killed leaves its data behind; the server went with it.
    for left in fs::read_dir(place).into_iter().flatten().flatten() {
        if left.file_name().to_string_lossy().starts_with("data-") {
            let _ = fs::remove_dir_all(left.path()).or_else(|_| fs::remove_file(left.path()));
        }
    }
    let data = tempfile::Builder::new().prefix("data-").tempdir_in(place).expect("a folder").keep();
    let user = server_user();
    if let Some(user) = user {
        run(Command::new("chown").arg(user).arg(&data));
    }
    run(as_user(user, &programs.join("initdb"))
        .arg("-D")
        .arg(&data)
        .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])
        .current_dir("/"));
    // Somebody else may take the port between the look and the start.
    for _ in 0..5 {
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr()).expect("a port").port();
        let mut watcher = watch(place, &data, programs, user, port);
        let give_up_at = Instant::now() + STARTING;
        while watcher.try_wait().expect("a child can be asked").is_none() {
            if is_ready(programs, port) {
                return port;
            }
            assert!(Instant::now() < give_up_at, "PostgreSQL does not start: {}", log_of(&data));
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    panic!("PostgreSQL does not start: {}", log_of(&data));
}

// PostgreSQL refuses to run as root.
fn server_user() -> Option<&'static str> {
    let is_root = fs::metadata("/proc/self").expect("/proc is there").uid() == 0;
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = |name: &str| users.lines().any(|line| line.split(':').next() == Some(name));
    is_root.then(|| if named("postgres") { "postgres" } else { "nobody" })
}

fn as_user(user: Option<&str>, program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    if let Some(user) = user {
        command.arg(format!("--reuid={user}")).args(["--regid=65534", "--clear-groups"]);
    }
    command.arg("--").arg(program);
    command
}

fn run(command: &mut Command) {
    let output = command.output().expect("a program of the system runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn is_ready(programs: &Path, port: u16) -> bool {
    let mut ask = Command::new(programs.join("pg_isready"));
    ask.args(["-q", "-h", "127.0.0.1", "-p"]).arg(port.to_string());
    ask.status().is_ok_and(|status| status.success())
}

fn log_of(data: &Path) -> String {
    fs::read_to_string(data.with_extension("log")).unwrap_or_default()
}

/// Starts the server with whoever ends it. Not a part of the test's own group of processes: it outlives the test.
fn watch(place: &Path, data: &Path, programs: &Path, user: Option<&str>, port: u16) -> Child {
    let log = File::create(data.with_extension("log")).expect("the folder can be written");
    Command::new("sh")
        .args(["-c", WATCHER, "watcher"])
        .arg(place.join("in-use"))
        .arg(data)
        .arg(programs.join("postgres"))
        .arg(port.to_string())
        .args(user.map(|user| format!("--reuid={user}")))
        .args(user.map(|_| "--regid=65534"))
        .args(user.map(|_| "--clear-groups"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .current_dir("/")
        .process_group(0)
        .spawn()
        .expect("a shell runs")
}

/// With the file of the lock, the data folder, the server's program, its port, and what makes it another user's.
const WATCHER: &str = r#"
in_use=$1 data=$2 server=$3 port=$4
shift 4
setpriv --pdeathsig QUIT "$@" -- "$server" -D "$data" -p "$port" -h 127.0.0.1 -c unix_socket_directories= \
    -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c wal_level=minimal -c max_wal_senders=0 \
    -c shared_buffers=32MB -c max_connections=200 -c autovacuum=off -c max_wal_size=2GB -c logging_collector=off &
server=$!
exec 9<>"$in_use"
quiet=0
while kill -0 $server 2> /dev/null && [ $quiet -lt 8 ]; do
    sleep 0.5
    quiet=$((quiet + 1))
    flock -n -x 9 || quiet=0
    [ $quiet -eq 8 ] || flock -u 9
done
kill -QUIT $server 2> /dev/null
wait $server
status=$?
[ $quiet -eq 8 ] && rm -rf "$data" "$data.log"
exit $status
"#;
