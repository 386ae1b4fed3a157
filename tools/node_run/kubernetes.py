"""Kubernetes for the nodes, built from the source package of Debian that carries the whole tree.

Debian has binaries of kubectl only, but bookworm's *source* package ``kubernetes`` is all of upstream with its
``vendor`` folder. It is built with the release's own Go, without any download of modules. Two things are not as
Debian's build expects them: one vendored library crashes with this Go and is replaced by Debian's newer version of
it, and one generated file is missing and is generated.

The result lies in ``<cache>/kubernetes/<version>/bin`` and is linked statically, so it runs anywhere.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tools.node_run import debian
from tools.node_run.places import READY, cache
from tools.openstack.console import Progress, Trouble
from tools.openstack.processes import child_environment

VERSION = "1.20.2"
PROGRAMS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kubelet",
    "kubeadm",
    "kubectl",
)
_GO = ("golang-1.19-go", "golang-1.19-src", "golang-github-modern-go-reflect2-dev")
_RECIPE = "1"  # to be raised when what follows builds something else
_NICE = ("nice", "-n", "5")
_K8S = "k8s.io/kubernetes"
_OPENAPI = f"{_K8S}/vendor/k8s.io/kube-openapi/cmd/openapi-gen"
_VERSIONED = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
_BUILT = "2021-01-13T00:00:00Z"  # when this version was published; a fixed date makes builds alike
#: Ends well, and takes its children's ends: the first process of a pod.
_PAUSE = """\
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	told := make(chan os.Signal, 8)
	signal.Notify(told, syscall.SIGINT, syscall.SIGTERM, syscall.SIGCHLD)
	for number := range told {
		if number != syscall.SIGCHLD {
			return
		}
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
	}
}
"""


def folder() -> Path:
    """Where the binaries lie, whether they exist or not."""
    return cache() / "kubernetes" / VERSION


def built() -> bool:
    """Whether they are there, and are what would be built now."""
    marker = folder() / READY
    return marker.exists() and marker.read_text() == _made_of()


def build(say: Progress) -> Path:
    """The folder with ``bin/kubelet`` and the others, built when it is not there: 6 to 15 minutes of two cores.

    A build that was stopped goes on where it was.

    :raises Trouble: with the end of the build's log when it fails.
    """
    target = folder()
    if built():
        return target
    with debian.alone(
        target.with_name(f"{VERSION}.lock"),
        lambda: say("another process builds Kubernetes; waiting"),
    ):
        if not built():
            _build(target, say)
            (target / READY).write_text(_made_of())
    return target


def _made_of() -> str:
    return debian.fingerprint(_RECIPE, *_GO, *PROGRAMS)


def _build(target: Path, say: Progress) -> None:
    shutil.rmtree(target, ignore_errors=True)
    work = target.with_name(f"{VERSION}.work")
    work.mkdir(parents=True, exist_ok=True)
    say("fetching Kubernetes' source package and Go")
    go = work / "go"
    if not (go / READY).exists():
        debian.unpack(_GO, go)
        (go / READY).touch()
    tree = debian.source(f"kubernetes/{debian.RELEASE}", work / "source")
    builder = _Builder(work, tree, target, say)
    builder.prepare()
    builder.generate()
    builder.compile()
    builder.pause()
    shutil.rmtree(work)
    say(f"Kubernetes {VERSION} is in {target}")


class _Builder:
    """One build: where it works, and how it calls Go."""

    def __init__(self, work: Path, tree: Path, target: Path, say: Progress) -> None:
        self._work, self._tree, self._target, self._say = work, tree, target, say
        self._goroot = work / "go/usr/lib/go-1.19"
        self._log = target.with_name(f"{VERSION}.log")
        self._gopath = work / "path"
        self._here = self._gopath / "src" / _K8S

    def prepare(self) -> None:
        """Put the tree where Go looks for it, with a library that this Go can run."""
        self._here.parent.mkdir(parents=True, exist_ok=True)
        if not self._here.is_symlink():
            self._here.symlink_to(self._tree)
        newer = self._work / "go/usr/share/gocode/src/github.com/modern-go/reflect2"
        vendored = self._tree / "vendor/github.com/modern-go/reflect2"
        shutil.rmtree(vendored)
        shutil.copytree(newer, vendored, ignore=shutil.ignore_patterns("*_test.go"))

    def generate(self) -> None:
        """Make ``pkg/generated/openapi``, the one generated file that the package lacks."""
        made = self._tree / "pkg/generated/openapi/zz_generated.openapi.go"
        if made.exists():
            return
        self._say("generating Kubernetes' OpenAPI")
        generator = self._work / "openapi-gen"
        self._go("build", "-o", str(generator), _OPENAPI)
        folders = ",".join(f"{_K8S}/{name}" for name in self._described())
        header = "vendor/k8s.io/code-generator/hack/boilerplate.go.txt"
        output = ["-O", "zz_generated.openapi", "-o", str(self._gopath / "src")]
        notes = ["-h", header, "-r", str(self._work / "violations.txt")]
        package = f"{_K8S}/pkg/generated/openapi"
        self._run([*_NICE, str(generator), "-i", folders, "-p", package, *output, *notes])

    def compile(self) -> None:
        """Build the programs into ``bin``, which appears when all are there."""
        draft = self._work / "bin"
        draft.mkdir(exist_ok=True)
        facts = {
            "gitVersion": f"v{VERSION}",
            "gitMajor": "1",
            "gitMinor": VERSION.split(".")[1],
            "gitTreeState": "clean",
            "gitCommit": "debian",
            "buildDate": _BUILT,
        }
        places = [*_VERSIONED, *(f"{_K8S}/vendor/{package}" for package in _VERSIONED)]
        told = " ".join(
            f"-X {place}.{key}={value}" for place in places for key, value in facts.items()
        )
        for number, name in enumerate(PROGRAMS, start=1):
            self._say(f"building {name} ({number} of {len(PROGRAMS)}); the log is {self._log}")
            flags = ["-trimpath", "-ldflags", f"-s -w {told}", "-o", str(draft / name)]
            self._go("build", *flags, f"{_K8S}/cmd/{name}")
        self._target.mkdir(parents=True)
        draft.rename(self._target / "bin")

    def pause(self) -> None:
        """Build the program of pause containers."""
        code = self._work / "pause.go"
        code.write_text(_PAUSE)
        self._go(
            "build", "-trimpath", "-ldflags=-s -w", "-o", str(self._target / "bin/pause"), str(code)
        )

    def _described(self) -> Iterable[str]:
        """Folders with types that belong into the OpenAPI description."""
        grep = [
            "grep",
            "-rlE",
            "--include=*.go",
            r"\+k8s:openapi-gen=",
            "vendor/k8s.io",
            "pkg",
            "cmd",
            "plugin",
        ]
        found = subprocess.run(
            grep, cwd=self._tree, capture_output=True, text=True, check=False
        ).stdout.split()
        # vendor/k8s.io links to staging, which grep -r does not follow.
        staging = self._tree / "staging/src/k8s.io"
        if staging.exists():
            more = subprocess.run(
                [*grep[:4], "."], cwd=staging, capture_output=True, text=True, check=False
            )
            found += [f"vendor/k8s.io/{name.removeprefix('./')}" for name in more.stdout.split()]
        machinery = ("code-generator", "sample-apiserver", "kube-openapi", "gengo")
        tools = tuple(f"vendor/k8s.io/{name}/" for name in machinery)
        files = (
            name for name in found if not name.endswith("_test.go") and not name.startswith(tools)
        )
        return sorted({os.path.dirname(name) for name in files})

    def _go(self, *arguments: str) -> None:
        self._run([*_NICE, str(self._goroot / "bin/go"), *arguments])

    def _run(self, command: list[str]) -> None:
        temporary = self._work / "tmp"
        temporary.mkdir(exist_ok=True)
        settings = {
            "GOROOT": str(self._goroot),
            "GOPATH": str(self._gopath),
            "GOCACHE": str(self._work / "cache"),
            "GOTMPDIR": str(temporary),
            "GO111MODULE": "off",
            "CGO_ENABLED": "0",
            "GOFLAGS": "",
            "PWD": str(self._here),  # else Go resolves the link, and is outside of its path
            "PATH": f"{self._goroot}/bin:{os.environ.get('PATH', os.defpath)}",
        }
        with self._log.open("ab") as log:
            done = subprocess.run(
                command,
                cwd=self._here,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=child_environment(settings),
                check=False,
            )
        if done.returncode != 0:
            end = "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])
            raise Trouble(f"building Kubernetes failed; the end of {self._log}:\n{end}")
