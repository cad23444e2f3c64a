"""The .deb in a fresh system, from its installation to its end, in the order in which these tests stand.
The system is booted: systemd itself starts the unit, with every one of its fences."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess

import pytest
from root import Machine, cache, run

pytestmark = pytest.mark.timeout(900)  # the first run makes the fresh system, and perhaps the engine

QUESTION = json.dumps({"model": "local/default", "messages": [
    {"role": "user", "content": "What is the capital of France?"}]})
API = "http://127.0.0.1:8080"
COMPILERS = ("cc", "gcc", "g++", "c++", "clang", "ld", "as", "cmake", "make", "ninja")


def ask(machine, key, *more):
    return machine.curl(f"{API}/v1/chat/completions", "-H", f"Authorization: Bearer {key}",
                        "-H", "Content-Type: application/json", "-d", QUESTION, *more)


def content(reply):
    return json.loads(reply)["choices"][0]["message"]["content"]


def install(root, deb, *more):
    root.run("apt-get", "update", "-qq")
    root.run("apt-get", "install", "-y", "-q", "--no-install-recommends", root.put(deb, f"/srv/{deb.name}"),
             *more)


@pytest.fixture(scope="module")
def before(root):
    """Every file of the fresh system, with what a machine needs to boot."""
    root.run("apt-get", "update", "-qq")
    root.run("apt-get", "install", "-y", "-q", "--no-install-recommends", "systemd", "systemd-sysv",
             "dbus", "adduser")
    return root.files()


@pytest.fixture(scope="module")
def installed(root, before, deb):
    install(root, deb)
    return root


@pytest.fixture(scope="module")
def machine(installed):
    booted = Machine(installed)
    yield booted
    booted.stop()


@pytest.fixture(scope="module")
def key(machine):
    return made_key(machine, "first")


def made_key(machine, name, *more):
    reply = machine.run("causeway", "keys", "create", "--name", name, "--json", *more)
    return json.loads(reply)["key"]


@pytest.fixture(scope="module")
def model(machine):
    """The chat model, as somebody without internet puts it there."""
    manifest = machine.root.read("/usr/share/causeway/third_party/manifest")
    section = manifest.split("[smollm2-135m-instruct]")[1].split("\n[")[0]
    values = dict(re.findall(r"^(\S+) = (.*)$", section, re.MULTILINE))
    name = f"files/{values['result.sha256']}/{values['result']}"
    machine.root.put(cache() / name, f"/var/cache/causeway/{name}")
    machine.run("chown", "-R", "causeway:", "/var/cache/causeway")
    return name


def programs(machine):
    """What runs there, by file."""
    return machine.try_run("sh", "-c", "readlink /proc/[0-9]*/exe").stdout.split()


def fingerprint(machine):
    return machine.run("sh", "-c", "cd /var/lib/causeway && sha256sum key-pepper master.key")


def newer(deb, work, version):
    """The same package under a higher version."""
    folder = work / "newer"
    run("dpkg-deb", "-R", str(deb), str(folder))
    control = folder / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {version}", control.read_text()))
    file = work / f"causeway_{version}.deb"
    run("dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "-b", str(folder), str(file))
    return file


def real_name(root, name):
    """The package itself of a name that it only provides (libspdlog1.10-fmt9)."""
    listing = root.run("dpkg-query", "-W", "-f", "${Package} ${Provides}\n")
    providers = [line.split()[0] for line in listing.splitlines()
                 if re.search(rf"(?<=[ ,]){re.escape(name)}(?=[ ,]|$)", line)]
    return providers[0] if providers else name


def test_lintian_has_nothing_to_say(deb):
    said = run("lintian", "--allow-root", "--fail-on", "none", "--suppress-tags",
               "initial-upload-closes-no-bugs", str(deb))
    assert not [line for line in said.splitlines() if line[:2] in ("E:", "W:")], said


def test_there_is_no_compiler(installed):
    for name in COMPILERS:
        assert not installed.path(f"/usr/bin/{name}").exists(), name


def test_depends_on_the_libraries_that_it_loads_and_no_others(installed, deb):
    depends = run("dpkg-deb", "--field", str(deb), "Depends")
    named = {real_name(installed, re.match(r"\S+", word.strip())[0]) for word in depends.split(",")}
    loaded = set()
    for program in ("/usr/bin/causeway", "/usr/lib/causeway/llama-server"):
        for library in re.findall(r"=> (\S+)", installed.run("ldd", program)):
            real = installed.run("readlink", "-f", library).strip()
            found = installed.run("sh", "-c", f"dpkg -S {library} {real} /usr{library} 2>/dev/null || true")
            loaded |= {line.split(":")[0] for line in found.splitlines()}
    of_other_libraries = {"zlib1g", "libabsl20220623", "libprotobuf32"}
    assert loaded - named <= of_other_libraries, "loaded and not named"
    assert named - loaded <= {"adduser", "libcld2-0", "libcurl4"}, "named and not loaded"  # both by name, when needed


def test_the_engine_for_every_processor_uses_no_avx(build):
    if run("uname", "-m").strip() != "x86_64":
        pytest.skip("there is one engine on this architecture")
    for level, wanted in (("", False), ("avx2/", True)):
        program = build / f"package/engine/{level}llama-server"
        code = subprocess.Popen(["objdump", "-d", "--no-show-raw-insn", str(program)],
                                stdout=subprocess.PIPE)
        found = subprocess.run(["grep", "-c", "-m1", "%ymm"], stdin=code.stdout, capture_output=True,
                               text=True, check=False).stdout.strip()
        code.stdout.close()
        code.wait()
        assert (found == "1") == wanted, program


def test_the_service_runs_as_its_own_user(machine):
    assert machine.unit("ActiveState") == "active"
    assert machine.unit("StatusText") == "applications: 127.0.0.1:8080"  # told through NOTIFY_SOCKET
    status = machine.run("cat", f"/proc/{machine.unit('MainPID')}/status")
    assert re.search(r"NoNewPrivs:\s1", status) and re.search(r"Seccomp:\s2", status)
    assert re.search(r"CapEff:\s0+$", status, re.MULTILINE) and "Name:\tcauseway" in status
    uid = machine.run("id", "-u", "causeway").strip()
    assert uid != "0" and re.search(rf"Uid:\s{uid}\s", status)
    assert machine.run("stat", "-c", "%U %a", "/var/lib/causeway").strip() == "causeway 700"


def test_the_journal_has_no_key(machine):
    said = machine.run("journalctl", "-u", "causeway", "--no-pager")
    assert "causeway is ready" in said
    assert "key  " not in said and "Bearer" not in said


def test_root_makes_the_first_key_and_the_model_answers(machine, key, model):
    assert machine.curl("-o", "/dev/null", "-w", "%{http_code}", f"{API}/v1/models") == "401"
    assert "Paris" in content(ask(machine, key))
    engines = [program for program in programs(machine) if "llama-server" in program]
    assert engines and engines[0].startswith("/usr/lib/causeway/")
    verdict = machine.run("causeway", "chat", "What is the capital of France?")
    assert "Paris" in verdict
    assert "ready" in machine.run("causeway", "engine", "list")


def test_another_user_is_told_that_it_is_not_theirs(machine):
    refused = machine.try_run("setpriv", "--reuid", "65534", "--clear-groups", "causeway", "status")
    assert refused.returncode == 1
    assert "/var/lib/causeway" in refused.stderr and "ermission denied" in refused.stderr


def test_reload_is_told_to_systemd(machine):
    machine.run("systemctl", "reload", "causeway")
    assert machine.unit("ActiveState") == "active"
    machine.run("sh", "-c", "echo 'nonsense: 1' >>/etc/causeway/causeway.yaml")
    machine.try_run("systemctl", "reload", "causeway")
    for _ in range(50):
        if "problems" in (status := machine.unit("StatusText")):
            break
    assert "problems" in status
    machine.run("sed", "-i", "/nonsense/d", "/etc/causeway/causeway.yaml")
    assert machine.run("causeway", "check", "/etc/causeway/causeway.yaml").strip().endswith("is right.")


def test_upgrade_keeps_data_keys_and_settings(machine, key, deb, work):
    prints = fingerprint(machine)
    machine.run("sed", "-i", "s/# log:/log: { level: warn }  # log:/", "/etc/causeway/causeway.yaml")
    pid = machine.unit("MainPID")
    machine.root.put(newer(deb, work, "99.0"), "/srv/newer.deb")
    machine.run("dpkg", "-i", "/srv/newer.deb")
    assert machine.run("dpkg-query", "-W", "-f", "${Version}", "causeway") == "99.0"
    assert machine.unit("ActiveState") == "active" and machine.unit("MainPID") != pid
    assert fingerprint(machine) == prints
    assert "level: warn" in machine.root.read("/etc/causeway/causeway.yaml")
    assert "Paris" in content(ask(machine, key))


def test_keys_are_made_while_the_service_stands_still(machine):
    machine.run("systemctl", "stop", "causeway")
    late = made_key(machine, "late")
    owners = machine.run("find", "/var/lib/causeway", "!", "-user", "causeway")
    assert not owners, "a file became root's"
    machine.run("systemctl", "start", "causeway")
    assert "Paris" in content(ask(machine, late))


def test_removal_leaves_the_data_and_what_people_wrote(machine, before):
    data = {path for path in machine.root.files() if path.startswith("/var/lib/causeway")}
    owner = machine.run("id", "-u", "causeway")
    assert [program for program in programs(machine) if "causeway" in program]
    machine.run("dpkg", "--remove", "causeway")
    assert not [program for program in programs(machine) if "causeway" in program]
    left = {path for path in machine.root.files() - before if "causeway" in path}
    kept = {path for path in left if path.startswith("/var/lib/causeway")}
    settings = {path for path in left if path.startswith("/etc/causeway")}
    assert {"/var/lib/causeway/causeway.db", "/var/lib/causeway/key-pepper"} <= kept <= data
    assert settings == {"/etc/causeway", "/etc/causeway/causeway.yaml", "/etc/causeway/environment"}
    # Debian's own notes on units: masked while it is away, and enabled when it comes back.
    notes = {path for path in left - kept - settings
             if path.startswith(("/etc/systemd/system", "/var/lib/systemd"))}
    assert left == kept | settings | notes
    assert machine.run("id", "-u", "causeway") == owner


def test_coming_back_finds_the_keys(machine, key, model):
    machine.run("dpkg", "-i", "/srv/newer.deb")
    assert machine.unit("ActiveState") == "active"
    assert machine.curl("-o", "/dev/null", "-w", "%{http_code}", f"{API}/v1/models", "-H",
                        f"Authorization: Bearer {key}") == "200"


def test_purge_leaves_nothing_but_the_data(machine, before):
    machine.run("dpkg", "--purge", "causeway")
    left = {path for path in machine.root.files() - before if "causeway" in path}
    assert left and all(path.startswith("/var/lib/causeway") for path in left), left


def test_systemd_thinks_well_of_the_unit(source):
    unit = pathlib.Path("deploy/deb/causeway.service")
    said = run("systemd-analyze", "security", "--offline=true", str(source / unit))
    score = re.search(r"exposure level for causeway.service: ([\d.]+)", said)[1]
    assert float(score) <= 1.5
    assert f"gives it {score}" in (source / "docs/install.md").read_text().replace("\n", " ")
