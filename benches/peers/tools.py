"""What the peers are and how they come: packages of the system, two programs compiled here, and their versions."""

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILT = ROOT / "target" / "peers"

# The program, and the Debian package that has it.
PACKAGES = {
    "zip": "zip",
    "openssl": "openssl",
    "bsdtar": "libarchive-tools",
    "7z": "7zip",
    "zstd": "zstd",
    "age": "age",
    "javac": "openjdk-17-jdk-headless",
    "time": "time",
    "lscpu": "util-linux",
}


def seven_zip() -> str | None:
    return next((name for name in ("7zz", "7z", "7za") if shutil.which(name)), None)


def install() -> None:
    """Installs the peers that are missing, as `.ci/run` does."""
    missing = [
        package
        for program, package in PACKAGES.items()
        if not (seven_zip() if program == "7z" else shutil.which(program))
    ]
    if missing:
        print(f"installing {' '.join(missing)}", file=sys.stderr)
        quiet = {"stdout": subprocess.DEVNULL, "check": True}
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
        subprocess.run(command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, **quiet)


def build() -> dict[str, str]:
    """Compiles our examples and the peers' programs; their paths by name."""
    cargo = ["cargo", "build", "--release", "--quiet"]
    subprocess.run([*cargo, "--example", "codec", "--example", "corpus"], cwd=ROOT, check=True)
    peer = ["--manifest-path", str(HERE / "rust" / "Cargo.toml"), "--target-dir", str(BUILT)]
    subprocess.run([*cargo, "--locked", *peer], check=True)
    subprocess.run(["javac", "-d", str(BUILT / "java"), str(HERE / "JavaPeer.java")], check=True)
    bench = ["cargo", "bench", "--no-run", "--bench", "codec", "--message-format", "json"]
    said = subprocess.run(bench, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    examples = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "examples"
    return {
        "codec": str(examples / "codec"),
        "corpus": str(examples / "corpus"),
        "rust": str(BUILT / "release" / "claimwire-peer"),
        "java": str(BUILT / "java"),
        "bench": re.findall(r'"executable":"([^"]*codec-[^"]*)"', said)[-1],
    }


def said_by(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout + done.stderr


def versions() -> list[str]:
    """Every program that is measured, with its version."""

    def first(pattern: str, *command: str) -> str:
        found = re.search(pattern, said_by(*command))
        return found.group(1) if found else "unknown"

    lock = (HERE / "rust" / "Cargo.lock").read_text()
    crates = ", ".join(
        f"{name} {version}"
        for name, version in re.findall(r'name = "(.+)"\nversion = "(.+)"', lock)
        if name in ("zip", "flate2", "des", "cbc")
    )
    return [
        f"Info-ZIP zip {first(r'This is Zip ([0-9.]+)', 'zip', '-v')}",
        first(r"(OpenSSL [0-9.]+\w*)", "openssl", "version"),
        first(r"(bsdtar [0-9.]+ - libarchive [0-9.]+)", "bsdtar", "--version"),
        f"Java {first(r'version .([0-9.]+)', 'java', '-version')}",
        f"7-Zip {first(r'7-Zip [^0-9]*([0-9.]+)', seven_zip() or '7z')}",
        f"GNU tar {first(r'([0-9.]+)', 'tar', '--version')}",
        f"zstd {first(r'v([0-9.]+)', 'zstd', '--version')}",
        f"age {first(r'v?([0-9][0-9.]*)', 'age', '--version')}",
        f"crates {crates}",
        first(r"(rustc [0-9.]+)", "rustc", "--version"),
    ]


def machine() -> list[str]:
    """The processor, what of it matters here, the system, and how busy it was."""
    fields = dict(re.findall(r"^([^:\n]+):\s+(.*)$", said_by("env", "LC_ALL=C", "lscpu"), re.MULTILINE))
    flags = set(fields.get("Flags", fields.get("Features", "")).split())
    known = ["sse2", "bmi2", "avx2", "avx512f", "avx512bw", "gfni", "sha_ni", "aes", "asimd"]
    busy = ", ".join(f"{load:.2f}" for load in os.getloadavg())
    speed = next((fields[name] for name in ("CPU max MHz", "CPU MHz") if name in fields), None)
    return [
        f"{fields.get('Model name', platform.processor())}, family {fields.get('CPU family', '?')} model {fields.get('Model', '?')}",
        f"{os.cpu_count()} cores" + (f" at {speed} MHz" if speed else ""),
        " ".join(flag for flag in known if flag in flags),
        f"{platform.system()} {platform.release()}",
        f"load before the run {busy}",
    ]
