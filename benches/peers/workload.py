"""The corpus, the keys, and the commands of each row: ours and the peers'."""

import subprocess
from dataclasses import replace
from pathlib import Path

import tools
from measure import Job, remove, run, same_tree

PASSWORD = "legacy-Secret1"


class Workload:
    def __init__(self, directory: Path, programs: dict[str, str], megabytes: int | None):
        self.directory = directory
        self.programs = programs
        self.megabytes = megabytes
        self.claim = directory / "claim"
        self.password = directory / "password"
        self.identity = directory / "identity"
        self.archive = directory / "7z.sealed.zip"
        self.password.write_text(PASSWORD + "\n")
        subprocess.run(["age-keygen", "-o", str(self.identity)], check=True, capture_output=True)
        self.recipient = tools.said_by("age-keygen", "-y", str(self.identity)).strip()
        size = [] if megabytes is None else [str(megabytes)]
        subprocess.run([programs["corpus"], str(self.claim), *size], check=True)
        files = [file.stat().st_size for file in self.claim.iterdir()]
        self.documents, self.bytes = len(files), sum(files)

    def openssl(self, *direction: str) -> list[str]:
        legacy = ["-des-cbc", "-md", "md5", "-provider", "legacy", "-provider", "default"]
        return ["openssl", "enc", *direction, *legacy, "-pass", f"file:{self.password}"]

    def ours(self, verb: str, suite: str, source: Path, product: Path, compression: str = "deflate") -> Job:
        key = ["--key-file", str(self.password if suite == "des-md5" else self.identity)]
        if suite == "age" and verb == "pack":
            key = ["--recipient", self.recipient]
        command = [self.programs["codec"], verb, str(source), str(product), "--suite", suite, *key]
        if verb == "pack":
            command += ["--compression", compression]
        with_zstd = " zstd" if compression == "zstd" else ""
        return Job(f"{verb} claimwire {suite}{with_zstd}", [command], product)

    def peer(self, verb: str, name: str, program: list[str]) -> Job:
        sealed, opened = self.file(name), self.tree(name)
        paths = [self.claim, sealed] if verb == "pack" else [sealed, opened]
        command = [*program, verb, *map(str, paths), str(self.password)]
        return Job(f"{verb} {name}", [command], paths[1])

    def file(self, name: str) -> Path:
        return self.directory / f"{name}.sealed"

    def tree(self, name: str) -> Path:
        return self.directory / f"{name}.opened"

    def jobs(self, row: str) -> list[Job]:
        """What is measured for a row, ours first."""
        rust, java = [self.programs["rust"]], ["java", "-cp", self.programs["java"], "JavaPeer"]
        seven = tools.seven_zip() or "7z"
        zipped, aged = self.tree("openssl"), self.tree("zstd+age")
        match row:
            case "des-pack":
                zip_openssl = [["zip", "-6", "-q", "-r", "-", "."], self.openssl()]
                return [
                    self.ours("pack", "des-md5", self.claim, self.file("des-md5")),
                    Job("pack openssl", zip_openssl, self.file("openssl"), self.claim),
                    self.peer("pack", "rust", rust),
                    self.peer("pack", "java", java),
                ]
            case "des-unpack":
                openssl = [*self.openssl("-d"), "-in", str(self.file("openssl"))]
                extract = [seven, "x", "-y", "-bso0", f"-p{PASSWORD}", f"-o{self.tree('7z')}", str(self.archive)]
                return [
                    self.ours("unpack", "des-md5", self.file("des-md5"), self.tree("des-md5")),
                    Job("unpack openssl", [openssl, ["bsdtar", "-x", "-f", "-", "-C", str(zipped)]], zipped, fills=True),
                    self.peer("unpack", "rust", rust),
                    self.peer("unpack", "java", java),
                    Job("unpack 7z", [extract], self.tree("7z"), fills=True),
                ]
            case "age-pack":
                tar = ["tar", "-c", "-C", str(self.claim), "."]
                pipeline = [tar, ["zstd", "-q", "-3", "-T2", "-c"], ["age", "-r", self.recipient]]
                return [
                    self.ours("pack", "age", self.claim, self.file("age")),
                    self.ours("pack", "age", self.claim, self.file("age-zstd"), "zstd"),
                    Job("pack zstd+age", pipeline, self.file("zstd+age")),
                ]
            case "age-unpack":
                age = ["age", "-d", "-i", str(self.identity), str(self.file("zstd+age"))]
                pipeline = [age, ["zstd", "-q", "-d", "-c"], ["tar", "-x", "-C", str(aged)]]
                return [
                    self.ours("unpack", "age", self.file("age"), self.tree("age")),
                    self.ours("unpack", "age", self.file("age-zstd"), self.tree("age-zstd"), "zstd"),
                    Job("unpack zstd+age", pipeline, aged, fills=True),
                ]
        return []

    def floor(self) -> Job:
        copy = self.tree("cp")
        return Job("cp -r", [["cp", "-r", f"{self.claim}/.", str(copy)]], copy, fills=True)

    def prepare(self, jobs: list[Job]) -> None:
        """Makes what is unpacked and is not the product of a measured pack."""
        measured = {job.name for job in jobs}
        if "unpack 7z" in measured:
            options = ["-tzip", "-mem=AES256", "-mx5", "-bso0", f"-p{PASSWORD}"]
            pack = [tools.seven_zip() or "7z", "a", *options, str(self.archive), "."]
            run(Job("pack 7z", [pack], self.archive, self.claim))
        for row in ("des", "age"):
            if any(job.name in measured for job in self.jobs(f"{row}-unpack")):
                for job in self.jobs(f"{row}-pack"):
                    if job.name not in measured:
                        run(job)

    def one_document(self) -> list[Job]:
        """Pack and unpack of a claim that is one compressible document as large as the corpus."""
        source = self.directory / "one"
        subprocess.run([self.programs["corpus"], str(source), str(self.bytes // 1_000_000), "one"], check=True)
        jobs = []
        for suite, compression in (("des-md5", "deflate"), ("age", "deflate"), ("age", "zstd")):
            name = f"one-{suite}-{compression}"
            sealed, opened = self.file(name), self.tree(name)
            for verb, paths in (("pack", (source, sealed)), ("unpack", (sealed, opened))):
                job = self.ours(verb, suite, *paths, compression)
                jobs.append(replace(job, name=f"{job.name}, one document"))
        return jobs

    def check(self, job: Job) -> None:
        """Compares the tree that `job` made with its source; a sealed file is opened first, by the same program."""
        opening = job
        if job.name.startswith("pack"):
            every = [*self.jobs("des-unpack"), *self.jobs("age-unpack")]
            opening = next(each for each in every if each.name == job.name.replace("pack", "unpack", 1))
            run(opening)
        is_one = opening.product.name.startswith("one-")
        same_tree(self.directory / "one" if is_one else self.claim, opening.product)
        remove(opening.product)
