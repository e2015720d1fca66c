//! The codec for shells and for peers: as a filter from standard input to standard output, and whole packages from a
//! directory to a file and back.
//!
//! `cargo run --release --example codec -- --help` says how.

#[allow(
    dead_code,
    clippy::print_stderr,
    reason = "for a person to see; all that is shown here has a known length"
)]
mod progress_bar;

use std::error::Error;
use std::fs;
use std::io::{self, BufReader, Write};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;
use std::process::ExitCode;

use claimwire::codec::{
    self, AgeIdentity, AgeRecipient, AgeRecipients, Compression, DesMd5Key, Framing, Limits, OpeningKey,
    PackOptions, SealingKey, Suite, UnpackOptions,
};
use progress_bar::ProgressBar;

const USAGE: &str = "\
Packs directories into sealed files and back; encrypts, decrypts, compresses and decompresses as a filter.

    codec encrypt --suite des-md5 --key-file FILE [--framing F] [--iterations N] [--salt HEX]
    codec decrypt --suite des-md5 --key-file FILE [--framing F] [--iterations N] [--salt HEX]
    codec encrypt --suite age --recipient AGE1... [--recipient AGE1...]
    codec decrypt --suite age --key-file FILE
    codec compress DIR > ARCHIVE.zip
    codec decompress DIR < ARCHIVE.zip
    codec pack DIR FILE (as encrypt) [--threads N] [--level N] [--compression C]
    codec unpack FILE DIR (as decrypt) [--threads N]

    --key-file FILE    des-md5: the password, the bytes of the file without one newline at its end;
                       age: an identity as age-keygen writes it
    --framing F        salt-prefix (default), openssl, or bare, which needs --salt
    --iterations N     how often the password is hashed; 1000, or 1 with the framing openssl
    --salt HEX         8 bytes; for `encrypt` with the other framings only to repeat a test vector
    --recipient AGE1   who shall be able to decrypt
    --threads N        at most so many at work; as many as there are cores. The bytes stay the same
    --level N          of compression, 0 (store) to 9 (most work); 3
    --compression C    deflate (default), or zstd (with the feature zstd) for recipients that read it

`decrypt` writes nothing before all of its input was decrypted and, with age, verified. `decompress` and `unpack`
make DIR only when the whole archive was found good, and `pack` makes FILE only when all was packed. They show on a
terminal how far they are. Errors go to standard error, with exit code 1.

The suite des-md5 protects nothing from a determined reader: use it only where a partner can do no better.
";

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to be done when standard error is closed too.
            let _ = writeln!(io::stderr(), "codec: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Outcome<()> {
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        return Ok(io::stdout().write_all(USAGE.as_bytes())?);
    }
    let (verb, rest) = arguments.split_first().ok_or("no verb is given; see --help")?;
    let (input, output) = (io::stdin().lock(), io::stdout().lock());
    match verb.as_str() {
        "encrypt" => codec::encrypt(&Options::of_filter(rest)?.sealing_key()?, input, output).map(drop)?,
        "decrypt" => codec::decrypt(&Options::of_filter(rest)?.opening_key()?, input, output).map(drop)?,
        "compress" => codec::compress(directory(rest)?, output, &()).map(drop)?,
        "decompress" => {
            codec::decompress(BufReader::new(input), directory(rest)?, &Limits::default(), &()).map(drop)?;
        }
        "pack" => pack(rest)?,
        "unpack" => unpack(rest)?,
        other => return Err(format!("there is no verb `{other}`; see --help").into()),
    }
    Ok(())
}

fn pack(arguments: &[String]) -> Outcome<()> {
    let [directory, file, options @ ..] = arguments else {
        return Err("`pack` needs a directory and a file; see --help".into());
    };
    let options = Options::parse(options)?;
    let (directory, file) = (Path::new(directory), Path::new(file));
    let mut settings = PackOptions::default();
    if let Some(threads) = options.threads {
        settings = settings.with_threads(threads);
    }
    if let Some(level) = options.level {
        settings = settings.with_level(level);
    }
    if let Some(compression) = options.compression {
        settings = settings.with_compression(compression);
    }
    let progress = ProgressBar::of("packing", size(directory)?);
    codec::pack_file(directory, &options.sealing_key()?, file, &settings, &progress)?;
    progress.finish();
    Ok(())
}

fn unpack(arguments: &[String]) -> Outcome<()> {
    let [file, directory, options @ ..] = arguments else {
        return Err("`unpack` needs a file and a directory; see --help".into());
    };
    let options = Options::parse(options)?;
    if options.level.is_some() || options.compression.is_some() {
        return Err("--level and --compression belong to `pack`".into());
    }
    let mut settings = UnpackOptions::default();
    if let Some(threads) = options.threads {
        settings = settings.with_threads(threads);
    }
    let (file, directory) = (Path::new(file), Path::new(directory));
    let length = fs::metadata(file).map_err(|error| format!("`{}`: {error}", file.display()))?.len();
    let progress = ProgressBar::of("unpacking", length);
    codec::unpack_file(file, &options.opening_key()?, directory, &settings, &progress)?;
    progress.finish();
    Ok(())
}

/// The bytes of all files below `directory`.
fn size(directory: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    let entries = fs::read_dir(directory).map_err(|error| format!("`{}`: {error}", directory.display()))?;
    for entry in entries {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() { size(&entry.path())? } else { about.len() };
    }
    Ok(bytes)
}

fn directory(arguments: &[String]) -> Outcome<&Path> {
    match arguments {
        [directory] => Ok(Path::new(directory)),
        _ => Err("exactly one directory is needed; see --help".into()),
    }
}

/// The options of the verbs that need a key, as they were given.
#[derive(Default)]
struct Options {
    suite: Option<Suite>,
    framing: Option<String>,
    iterations: Option<NonZeroU32>,
    salt: Option<[u8; 8]>,
    key_file: Option<String>,
    recipients: Vec<AgeRecipient>,
    threads: Option<NonZeroUsize>,
    level: Option<u8>,
    compression: Option<Compression>,
}

impl Options {
    fn parse(arguments: &[String]) -> Outcome<Self> {
        let mut options = Self::default();
        for pair in arguments.chunks(2) {
            let [name, value] = pair else {
                return Err(format!("`{}` needs a value; see --help", pair.concat()).into());
            };
            match name.as_str() {
                "--suite" => options.suite = Some(value.parse()?),
                "--framing" => options.framing = Some(value.clone()),
                "--iterations" => {
                    options.iterations =
                        Some(value.parse().map_err(|_| "--iterations takes a number above 0")?);
                }
                "--salt" => {
                    options.salt = Some(parse_salt(value).ok_or("--salt takes 16 hexadecimal digits")?)
                }
                "--key-file" => options.key_file = Some(value.clone()),
                "--recipient" => options.recipients.push(value.parse()?),
                "--threads" => {
                    options.threads = Some(value.parse().map_err(|_| "--threads takes a number above 0")?);
                }
                "--level" => {
                    let level = value.parse().ok().filter(|level| *level <= 9);
                    options.level = Some(level.ok_or("--level takes a number from 0 to 9")?);
                }
                "--compression" => options.compression = Some(value.parse()?),
                other => return Err(format!("there is no option `{other}`; see --help").into()),
            }
        }
        Ok(options)
    }

    /// The options of `encrypt` and `decrypt`, which work on one thread and compress nothing.
    fn of_filter(arguments: &[String]) -> Outcome<Self> {
        let options = Self::parse(arguments)?;
        if options.threads.is_some() || options.level.is_some() || options.compression.is_some() {
            return Err("--threads, --level and --compression belong to `pack` and `unpack`".into());
        }
        Ok(options)
    }

    fn sealing_key(self) -> Outcome<SealingKey> {
        match self.suite {
            Some(Suite::DesMd5) => Ok(self.des_md5_key()?.into()),
            Some(Suite::Age) => {
                self.refuse_des_md5_options()?;
                if self.key_file.is_some() {
                    return Err("sealing with the suite age takes --recipient, not --key-file".into());
                }
                Ok(AgeRecipients::new(self.recipients)?.into())
            }
            _ => Err("--suite is missing: des-md5 or age".into()),
        }
    }

    fn opening_key(self) -> Outcome<OpeningKey> {
        match self.suite {
            Some(Suite::DesMd5) => Ok(self.des_md5_key()?.into()),
            Some(Suite::Age) => {
                self.refuse_des_md5_options()?;
                if !self.recipients.is_empty() {
                    return Err("opening with the suite age takes --key-file, not --recipient".into());
                }
                let text =
                    String::from_utf8(self.read_key_file()?).map_err(|_| "the key file is not text")?;
                Ok(AgeIdentity::from_key_file(&text)?.into())
            }
            _ => Err("--suite is missing: des-md5 or age".into()),
        }
    }

    fn des_md5_key(&self) -> Outcome<DesMd5Key> {
        if !self.recipients.is_empty() {
            return Err("--recipient belongs to the suite age".into());
        }
        let framing = match (self.framing.as_deref(), self.salt) {
            (None | Some("salt-prefix"), _) => Framing::SaltPrefix,
            (Some("openssl"), _) => Framing::OpenSsl,
            (Some("bare"), Some(salt)) => Framing::Bare { salt },
            (Some("bare"), None) => return Err("--framing bare needs --salt".into()),
            (Some(other), _) => return Err(format!("there is no framing `{other}`; see --help").into()),
        };
        let mut key = DesMd5Key::new(self.read_key_file()?, framing)?;
        if let Some(iterations) = self.iterations {
            key = key.with_iterations(iterations)?;
        }
        if let Some(salt) = self.salt {
            key = key.with_fixed_salt(salt);
        }
        Ok(key)
    }

    fn refuse_des_md5_options(&self) -> Outcome<()> {
        if self.framing.is_some() || self.iterations.is_some() || self.salt.is_some() {
            return Err("--framing, --iterations and --salt belong to the suite des-md5".into());
        }
        Ok(())
    }

    /// The bytes of the key file without one newline at its end.
    fn read_key_file(&self) -> Outcome<Vec<u8>> {
        let path = self.key_file.as_deref().ok_or("--key-file is missing")?;
        let mut bytes =
            fs::read(path).map_err(|error| format!("the key file `{path}` cannot be read: {error}"))?;
        if bytes.pop_if(|last| *last == b'\n').is_some() {
            bytes.pop_if(|last| *last == b'\r');
        }
        Ok(bytes)
    }
}

/// 16 hexadecimal digits as the 8 bytes they mean.
fn parse_salt(text: &str) -> Option<[u8; 8]> {
    let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u64::from_str_radix(text, 16).ok()).flatten().map(u64::to_be_bytes)
}
