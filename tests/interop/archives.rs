//! Archives against other people's programs, both ways: Info-ZIP, Python, Java, 7-Zip, bsdtar.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peers::{assert_same_contents, contents, find, java, program, run};
use claimwire::codec::{Limits, compress, decompress};
use tempfile::TempDir;

/// A folder of documents as claims have them: text and scans, short ones and ones too long to be buffered.
struct Folder {
    around: TempDir,
}

impl Folder {
    fn new() -> Self {
        let folder = Self { around: tempfile::tempdir().unwrap() };
        let bill = b"4711;windscreen;412.50;EUR\n";
        let mut scan = 1_u64;
        let mut noise = std::iter::repeat_with(|| {
            scan = scan.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (scan >> 56) as u8
        });
        folder.write("claim.json", b"{}");
        folder.write("documents/1/bill.csv", &bill.repeat(3_000));
        folder.write("documents/1/all bills.csv", &bill.repeat(200_000));
        folder.write("documents/2/scan.jpg", &noise.by_ref().take(300_000).collect::<Vec<_>>());
        folder.write("documents/2/video.mp4", &noise.by_ref().take(5_000_000).collect::<Vec<_>>());
        folder.write("documents/3/empty.txt", b"");
        folder.write("documents/3/Gutachten Müller – 写真.txt", b"The windscreen is cracked.");
        folder
    }

    fn write(&self, name: &str, content: &[u8]) {
        let path = self.source().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn source(&self) -> PathBuf {
        self.around.path().join("source")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.around.path().join(name)
    }

    /// Packs the folder as we do.
    fn pack(&self) -> PathBuf {
        let archive = self.path("ours.zip");
        compress(&self.source(), fs::File::create(&archive).unwrap(), &()).unwrap();
        archive
    }

    /// Takes an archive that another program made of the folder.
    #[track_caller]
    fn assert_taken(&self, archive: &str) {
        let target = self.path(&format!("{archive}.unpacked"));
        decompress(fs::File::open(self.path(archive)).unwrap(), &target, &Limits::default(), &()).unwrap();
        self.assert_same(&target);
    }

    #[track_caller]
    fn assert_same(&self, target: &Path) {
        assert_same_contents(&contents(&self.source()), &contents(target));
    }
}

/// A command that reads and writes names as UTF-8.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("LC_ALL", "C.UTF-8");
    command
}

#[test]
fn info_zip_unpacks_and_tests_ours() {
    let Some(unzip) = find(&["unzip"], "-v") else { return };
    let folder = Folder::new();
    let archive = folder.pack();
    let report = run(command(unzip).arg("-t").arg(&archive), b"");
    assert!(String::from_utf8_lossy(&report).contains("No errors detected"));
    run(command(unzip).arg("-q").arg(&archive).arg("-d").arg(folder.path("out")), b"");
    folder.assert_same(&folder.path("out"));
}

#[test]
fn we_unpack_what_info_zip_packs() {
    let Some(zip) = find(&["zip"], "-v") else { return };
    let folder = Folder::new();
    run(command(zip).current_dir(folder.source()).args(["-q", "-r", "../theirs.zip", "."]), b"");
    folder.assert_taken("theirs.zip");
    // Onto a pipe, with descriptors and without directories.
    let piped = run(command(zip).current_dir(folder.source()).args(["-q", "-r", "-D", "-", "."]), b"");
    fs::write(folder.path("piped.zip"), piped).unwrap();
    folder.assert_taken("piped.zip");
}

#[test]
fn python_unpacks_ours_and_we_unpack_what_it_packs() {
    let Some(python) = find(&["python3"], "--version") else { return };
    let folder = Folder::new();
    let archive = folder.pack();
    let run_script = |script: &str, arguments: &[&Path]| {
        run(command(python).args(["-X", "utf8", "-c", script]).args(arguments), b"");
    };
    let unpack = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; z.extractall(sys.argv[2])";
    run_script(unpack, &[&archive, &folder.path("out")]);
    folder.assert_same(&folder.path("out"));
    let pack = "
import os, sys, zipfile
class Pipe:
    def __init__(self, file): self.file = file
    def write(self, data): return self.file.write(data)
    def flush(self): self.file.flush()
for method, name in ((0, 'stored'), (8, 'deflated'), (8, 'piped')):
    with open(f'{sys.argv[2]}/{name}.zip', 'wb') as file:
        with zipfile.ZipFile(Pipe(file) if name == 'piped' else file, 'w', method) as z:
            for directory, _, names in os.walk(sys.argv[1]):
                for n in names:
                    path = os.path.join(directory, n)
                    z.write(path, os.path.relpath(path, sys.argv[1]))
";
    run_script(pack, &[&folder.source(), folder.around.path()]);
    for archive in ["stored.zip", "deflated.zip", "piped.zip"] {
        folder.assert_taken(archive);
    }
}

#[test]
fn java_reads_ours_with_random_access_and_as_a_stream_and_we_read_its() {
    let Some(_) = find(&["java"], "-version") else { return };
    let folder = Folder::new();
    let archive = folder.pack();
    let run_peer = |verb: &str, archive: &Path, directory: &Path| {
        let mut peer = java();
        peer.env("LC_ALL", "C.UTF-8");
        run(
            peer.arg("-Dsun.jnu.encoding=UTF-8")
                .arg(program("ZipPeer.java"))
                .arg(verb)
                .arg(archive)
                .arg(directory),
            b"",
        );
    };
    for verb in ["file", "stream"] {
        run_peer(verb, &archive, &folder.path(verb));
        folder.assert_same(&folder.path(verb));
    }
    run_peer("write", &folder.path("theirs.zip"), &folder.source());
    folder.assert_taken("theirs.zip");
}

#[test]
fn seven_zip_unpacks_ours_and_we_unpack_what_it_packs() {
    let Some(seven_zip) = find(&["7z", "7zz", "7za"], "i") else { return };
    let folder = Folder::new();
    let archive = folder.pack();
    let report = run(command(seven_zip).arg("t").arg(&archive), b"");
    assert!(!String::from_utf8_lossy(&report).to_lowercase().contains("warning"));
    let mut target = std::ffi::OsString::from("-o");
    target.push(folder.path("out"));
    run(command(seven_zip).args(["x", "-y"]).arg(target).arg(&archive), b"");
    folder.assert_same(&folder.path("out"));
    run(command(seven_zip).current_dir(folder.source()).args(["a", "-tzip", "../theirs.zip", "."]), b"");
    folder.assert_taken("theirs.zip");
}

#[test]
fn bsdtar_unpacks_ours_from_a_file_and_a_pipe_and_we_unpack_what_it_packs() {
    let Some(bsdtar) = find(&["bsdtar"], "--version") else { return };
    let folder = Folder::new();
    let archive = folder.pack();
    for (target, source, input) in
        [("file", archive.to_str().unwrap(), Vec::new()), ("pipe", "-", fs::read(&archive).unwrap())]
    {
        fs::create_dir(folder.path(target)).unwrap();
        run(command(bsdtar).args(["-x", "-f", source, "-C"]).arg(folder.path(target)), &input);
        folder.assert_same(&folder.path(target));
    }
    // Into a file: onto a pipe it pads with zeros to whole tape blocks, which no archive is.
    let mut pack = command(bsdtar);
    pack.current_dir(folder.source()).args([
        "-c",
        "--format",
        "zip",
        "-f",
        "../theirs.zip",
        "claim.json",
        "documents",
    ]);
    run(&mut pack, b"");
    folder.assert_taken("theirs.zip");
}
