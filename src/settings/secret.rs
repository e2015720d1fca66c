//! Where secrets are, and how they are fetched: settings name the place, never the secret.

use super::table::Table;
use crate::protocol::{SecretText, without_line_end};
use crate::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// The longest secret that is read, in bytes: more than any key or password has.
const LONGEST: u64 = 64 << 10;

/// Where a secret is: `{ file = "/path" }`, `{ env = "NAME" }` or `{ host = "name" }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum SecretPlace {
    /// A file that only this user may read, by its absolute path; see [`LocalSecrets`] for what is checked.
    File(PathBuf),
    /// A variable of the environment. Its value stays in the process's environment, which cannot be wiped.
    Env(String),
    /// A name that the host's own secret store knows.
    Host(String),
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Env(name) => write!(f, "environment variable {name}"),
            Self::Host(name) => write!(f, "the host's secret {name}"),
        }
    }
}

/// What fetches secrets.
pub trait SecretSource {
    /// The secret at this place.
    ///
    /// # Errors
    /// Any kind; the text says what to do and never holds the secret.
    fn secret(&self, place: &SecretPlace) -> Result<SecretText>;
}

type HostStore = Arc<dyn Fn(&str) -> Result<SecretText> + Send + Sync>;

/// Files, the environment and, where one is given, the host's own store.
///
/// On Unix a file is refused when others than its owner may read or write it (any of the mode bits 077), and when its
/// owner is neither the user that this process runs as nor root: such an owner could read and change it. A symbolic link
/// is followed, since stores of secrets mount theirs behind links; the file at its end is the one that is checked, and
/// after it was opened, so that it is the one that is read. Access lists beyond the mode are not looked at. On other
/// systems, Windows among them, nothing is checked: put the file where this account alone may read, or give secrets by
/// [`with_host`](Self::with_host).
///
/// One line end after the secret is taken off.
#[derive(Clone, Default)]
pub struct LocalSecrets {
    host: Option<HostStore>,
}

impl LocalSecrets {
    /// Files and the environment.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks `store` for secrets of the form `{ host = "name" }`.
    #[must_use]
    pub fn with_host(mut self, store: impl Fn(&str) -> Result<SecretText> + Send + Sync + 'static) -> Self {
        self.host = Some(Arc::new(store));
        self
    }
}

impl fmt::Debug for LocalSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSecrets").field("host", &self.host.is_some()).finish()
    }
}

impl SecretSource for LocalSecrets {
    fn secret(&self, place: &SecretPlace) -> Result<SecretText> {
        let text = match place {
            SecretPlace::File(path) => read_file(path).map_err(|error| error.within(place))?,
            SecretPlace::Env(name) => match std::env::var_os(name).map(std::ffi::OsString::into_string) {
                Some(Ok(value)) => Zeroizing::new(value),
                Some(Err(value)) => {
                    drop(Zeroizing::new(value.into_encoded_bytes()));
                    return Err(invalid(format!("{place}: it is not UTF-8")));
                }
                None => return Err(invalid(format!("{place}: it is not set"))),
            },
            SecretPlace::Host(name) => {
                let store = self.host.as_ref().ok_or_else(|| {
                    invalid(format!("{place}: no store of the host's is given; see LocalSecrets::with_host"))
                })?;
                return store(name);
            }
        };
        let secret = without_line_end(&text);
        if secret.is_empty() {
            return Err(invalid(format!("{place}: it is empty")));
        }
        Ok(SecretText::new(secret.to_owned()))
    }
}

/// Reads a small private file, all room taken first so that no copy is left behind by a growing buffer.
fn read_file(path: &Path) -> Result<Zeroizing<String>> {
    // Asked before it is opened too: to open a pipe would wait for its writer.
    if !std::fs::metadata(path)?.is_file() {
        return Err(invalid("it is no file"));
    }
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() > LONGEST {
        return Err(invalid(format!("it is no file of at most {LONGEST} bytes")));
    }
    check_private(&metadata)?;
    let room = usize::try_from(metadata.len()).map_err(|_| invalid("it is too large"))?;
    let mut bytes = Zeroizing::new(vec![0; room]);
    // Not `read_to_end`, which looks with a buffer on the stack whether there is more.
    file.read_exact(&mut bytes)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| invalid("it is not UTF-8"))?;
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(unix)]
fn check_private(metadata: &std::fs::Metadata) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(invalid(format!(
            "its mode {mode:03o} lets others than its owner at the secret; run chmod 600 on it"
        )));
    }
    check_owner(metadata.uid(), rustix::process::geteuid().as_raw())
}

#[cfg(unix)]
fn check_owner(owner: u32, user: u32) -> Result<()> {
    const ROOT: u32 = 0;
    if owner == user || owner == ROOT {
        return Ok(());
    }
    Err(invalid(format!(
        "it belongs to user {owner}, who can read and change it, and this process runs as user {user}; run chown {user} on it"
    )))
}

#[cfg(not(unix))]
fn check_private(_: &std::fs::Metadata) -> Result<()> {
    Ok(())
}

/// Reads where a secret is.
pub(super) fn read_place(table: &mut Table<'_>, name: &'static str) -> Option<SecretPlace> {
    const EXPECTED: &str =
        "say where the secret is, { file = … }, { env = … } or { host = … }; it never stands in the settings";
    let mut places = table.table(name, EXPECTED)?;
    let file = places.take::<PathBuf>("file").map(SecretPlace::File);
    let env = places.take::<String>("env").map(SecretPlace::Env);
    let host = places.take::<String>("host").map(SecretPlace::Host);
    let relative = matches!(&file, Some(SecretPlace::File(path)) if !path.is_absolute());
    if relative {
        places.mistake("file", "give the absolute path");
    }
    let unnamed = |name: &str| name.is_empty() || name.contains(['=', '\0']);
    if matches!(&env, Some(SecretPlace::Env(name)) if unnamed(name)) {
        places.mistake("env", "give the name of an environment variable");
    }
    if matches!(&host, Some(SecretPlace::Host(name)) if name.is_empty()) {
        places.mistake("host", "give the name the host knows the secret by");
    }
    places.finish();
    let mut given = [file, env, host].into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(place), None) => Some(place),
        _ => {
            table.mistake(name, EXPECTED);
            None
        }
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidSettings, message)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_another_user_is_refused_unless_it_is_roots() {
        for (owner, user, refused) in
            [(1000, 1000, false), (0, 1000, false), (0, 0, false), (1001, 1000, true), (1000, 0, true)]
        {
            let checked = check_owner(owner, user);
            assert_eq!(checked.is_err(), refused, "{owner} {user}");
            if let Err(error) = checked {
                assert_eq!(error.kind(), ErrorKind::InvalidSettings);
                assert!(error.to_string().contains(&format!("chown {user}")), "{error}");
            }
        }
    }
}
