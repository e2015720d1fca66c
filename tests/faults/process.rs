//! The process of a site as the test holds it: started, told what to do, killed by a failpoint, started again.

use super::keys::{self, Name};
use super::proxy::Proxy;
use super::webhook_host::Host;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

/// A failpoint killed it.
const SIGABRT: i32 = 6;
/// The test did.
const SIGKILL: i32 = 9;
/// The system did, over a file that was to grow past its limit.
const SIGXFSZ: i32 = 25;

/// The command that plays a site: this program with these arguments.
pub(crate) fn this_program() -> [OsString; 5] {
    let program = std::env::current_exe().unwrap().into_os_string();
    let [test, all, shown, exact] =
        ["a_site_that_others_start", "--include-ignored", "--nocapture", "--exact"].map(OsString::from);
    [program, test, all, shown, exact]
}

/// How the sites reach each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Way {
    Https,
    /// A folder for each direction, in that of the run.
    DropFolder,
}

/// What came of an order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Done(String),
    Failed(String),
    /// The process was killed on the way.
    Died,
}

pub(crate) struct Site {
    pub(crate) name: Name,
    pub(crate) folder: PathBuf,
    /// In front of this site.
    pub(crate) proxy: Arc<Proxy>,
    partner_url: String,
    robot: bool,
    way: Way,
    /// Whom this site tells of its events.
    pub(crate) host: Host,
    running: Option<Running>,
    pub(crate) deaths: usize,
}

struct Running {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Two sites, each behind its proxy, in one folder that goes with them.
pub(crate) struct Pair {
    pub(crate) sites: [Site; 2],
    pub(crate) folder: TempDir,
}

impl Pair {
    /// The sites, not yet started; `robot` lets the examiner unpack by itself.
    pub(crate) fn new(robot: bool, way: Way) -> Self {
        let memory = Path::new("/dev/shm");
        let folder =
            if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
        keys::prepare(folder.path());
        let proxies = Name::BOTH.map(|_| Arc::new(Proxy::start()));
        let sites = Name::BOTH.map(|name| {
            let home = folder.path().join(name.word());
            fs::create_dir(&home).unwrap();
            Site {
                name,
                folder: home,
                proxy: proxies[name as usize].clone(),
                partner_url: proxies[name.other() as usize].url.clone(),
                robot: robot && name == Name::Examiner,
                way,
                host: Host::answering(&[]),
                running: None,
                deaths: 0,
            }
        });
        Self { sites, folder }
    }

    pub(crate) fn site(&mut self, name: Name) -> &mut Site {
        &mut self.sites[name as usize]
    }

    /// From now on the sites reach each other in this way.
    pub(crate) fn go_over_to(&mut self, way: Way) {
        for site in &mut self.sites {
            site.quit();
            site.way = way;
        }
    }

    /// Ends both sites in peace. They are opened once more before, which does what a fault that passed left undone, and
    /// their hosts are told of that.
    pub(crate) fn end(&mut self) {
        for site in &mut self.sites {
            site.quit();
            site.revive();
            assert_eq!(site.must("hooks"), "0", "so many still wait");
            site.quit();
        }
    }
}

impl Site {
    /// Gives an order and waits for what comes of it. A process that is gone is started anew, unhurt.
    pub(crate) fn order(&mut self, order: &str) -> Outcome {
        self.begin(order);
        self.finish()
    }

    /// Gives an order that must come to its end. A process may still be dying of what came before.
    #[track_caller]
    pub(crate) fn must(&mut self, order: &str) -> String {
        loop {
            match self.order(order) {
                Outcome::Done(said) => return said,
                Outcome::Died => {}
                Outcome::Failed(why) => panic!("{} cannot {order}: {why}\n{}", self.name.word(), self.said()),
            }
        }
    }

    pub(crate) fn begin(&mut self, order: &str) {
        self.revive();
        let running = self.running.as_mut().unwrap();
        // Where it died just now, the answer tells.
        let _ = writeln!(running.orders, "{order}");
    }

    pub(crate) fn finish(&mut self) -> Outcome {
        match self.answer() {
            None => {
                self.bury();
                Outcome::Died
            }
            Some(said) => match said.split_once(' ').unwrap_or((&said, "")) {
                ("ok", done) => Outcome::Done(done.to_owned()),
                (_, failed) => Outcome::Failed(failed.to_owned()),
            },
        }
    }

    /// Kills the process as it stands, without a word.
    pub(crate) fn kill(&mut self) {
        self.running.as_mut().unwrap().child.kill().unwrap();
        self.bury();
    }

    /// Starts the process where it is not there or is dead.
    pub(crate) fn revive(&mut self) {
        if let Some(running) = &mut self.running
            && running.child.try_wait().unwrap().is_some()
        {
            self.bury();
        }
        if self.running.is_none() {
            assert!(self.start(&[]), "{} does not start\n{}", self.name.word(), self.said());
        }
    }

    /// Starts the process with these variables in its environment; tells whether it lived to say where it listens.
    pub(crate) fn start(&mut self, environment: &[(&str, &str)]) -> bool {
        let [program, arguments @ ..] = this_program();
        let mut command = Command::new(program);
        command.args(arguments);
        self.start_as(command, environment)
    }

    /// The same with a command that leads to this program.
    pub(crate) fn start_as(&mut self, mut command: Command, environment: &[(&str, &str)]) -> bool {
        let log = File::options().append(true).create(true).open(self.log()).unwrap();
        command
            .env("CLAIMWIRE_TEST_FOLDER", &self.folder)
            .env("CLAIMWIRE_TEST_SITE", self.name.word())
            .env("CLAIMWIRE_TEST_PARTNER", &self.partner_url)
            .env("CLAIMWIRE_TEST_HOST", &self.host.url)
            .env("CLAIMWIRE_SYNC_EVERY", "20000")
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log);
        if self.way == Way::DropFolder {
            command.env("CLAIMWIRE_TEST_DROP", "1");
        }
        if self.robot {
            command.env("CLAIMWIRE_TEST_ROBOT", "1");
        }
        let mut child = command.spawn().unwrap();
        let (orders, answers) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        self.running = Some(Running { child, orders, answers });
        let Some(port) = self.answer() else {
            self.bury();
            return false;
        };
        self.proxy.leads_to(port.strip_prefix("port ").unwrap().parse().unwrap());
        true
    }

    /// Ends the process in peace.
    pub(crate) fn quit(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        drop(running.orders);
        let ended = running.child.wait().unwrap();
        assert!(
            ended.success() || matches!(ended.signal(), Some(SIGABRT | SIGKILL | SIGXFSZ)),
            "{ended}\n{}",
            self.said()
        );
    }

    /// The next answer; none when the process is gone.
    fn answer(&mut self) -> Option<String> {
        let answers = &mut self.running.as_mut().unwrap().answers;
        let mut line = String::new();
        while answers.read_line(&mut line).unwrap() > 0 {
            // The test harness of the process writes lines of its own, the first without an end.
            if let Some((_, answer)) = line.split_once('@') {
                return Some(answer.trim_end().to_owned());
            }
            line.clear();
        }
        None
    }

    /// Makes sure that it was killed, and did not fall.
    fn bury(&mut self) {
        let mut running = self.running.take().unwrap();
        let ended = running.child.wait().unwrap();
        let killed = matches!(ended.signal(), Some(SIGABRT | SIGKILL | SIGXFSZ));
        assert!(killed, "{} {ended}\n{}", self.name.word(), self.said());
        self.deaths += 1;
    }

    fn log(&self) -> PathBuf {
        self.folder.join("stderr")
    }

    /// The points that struck so far.
    pub(crate) fn struck(&self) -> Vec<String> {
        let said = self.said();
        let struck = said.lines().filter_map(|line| line.strip_prefix("failpoint ")?.split_once(':'));
        struck.map(|(point, _)| point.to_owned()).collect()
    }

    /// What the process said before it died.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }
}
