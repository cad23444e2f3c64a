"""The shell scripts' own functions, and what scripts/deps, run and test say when asked."""

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def bash(text, **environment):
    sources = "set -euo pipefail; cd " + str(ROOT) + "; source scripts/lib.sh; " \
        "source scripts/lib_packages.sh; source scripts/lib_engine.sh; "
    return subprocess.run(["bash", "-c", sources + text], env={**os.environ, **environment},
                          capture_output=True, text=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("flags, level", [
    ("fpu sse4_2 avx avx2 fma f16c bmi2", "avx2"),
    ("fpu sse4_2 avx avx2 fma f16c", "avx"),
    ("fpu sse4_2", "sse42"),
    ("fpu sse2", "x86-64"),
])
def test_level_of_the_processor(tmp_path, flags, level):
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags\t\t: {flags}\nvmx flags : avx2\n" * 2)
    assert bash(f"cpuinfo={tmp_path}/cpuinfo; cpu_level").stdout.strip() == level


def test_a_processor_without_avx2_gets_a_build_of_its_own():
    flags = bash("engine_flags cpu avx").stdout.split()
    assert "-DGGML_AVX2=OFF" in flags and "-DGGML_FMA=OFF" in flags and "-DGGML_AVX=OFF" not in flags
    assert "-DGGML_NATIVE=OFF" in flags
    keys = bash("engine_key cpu avx; engine_key cpu avx2; engine_key vulkan avx2").stdout.split()
    assert len(set(keys)) == 3 and keys[0].startswith("cpu-avx-") and keys[2].startswith("vulkan-avx2-")


def test_build_progress_is_said_in_plain_lines():
    lines = "\\n".join(["[1/4] Building a", "b.cpp:1: error: no", "[4/4] Linking c"])
    done = bash(f"printf '{lines}\\n' | show_build_progress engine")
    assert done.stderr.splitlines() == ["engine [1/4]", "b.cpp:1: error: no", "engine [4/4]"]


def test_no_time_is_told_before_it_can_be_known():
    """A build that has done nothing yet is not "about 0 s" from its end."""
    assert bash("printf '[0/2] Re-checking\n' | show_build_progress run").stderr == ""
    assert bash("time_left 0 200 30; time_left 3 200 2; time_left 200 200 60").stdout == ""
    assert bash("time_left 50 200 60").stdout == ", about 3 min 00 s left"


def test_a_lock_is_held_and_waited_for(tmp_path):
    done = bash("with_lock a bash -c 'sleep 0.5; echo first' & sleep 0.2; with_lock a echo second; wait",
                CAUSEWAY_CACHE=str(tmp_path))
    assert done.stdout.split() == ["first", "second"]
    assert "waiting for another run" in done.stderr


def test_a_failure_under_a_lock_is_a_failure(tmp_path):
    assert bash("with_lock a false; echo survived", CAUSEWAY_CACHE=str(tmp_path)).stdout == ""


def test_values_of_the_manifest():
    done = bash("manifest_value llama.cpp package; manifest_value llama.cpp nothing; model_to_set_up")
    assert done.stdout.split() == ["llama-cpp-python", "smollm2-135m-instruct"]


def test_missing_packages_are_found():
    done = bash("packages_fetch=(coreutils no-such-package-at-all); missing_packages fetch")
    assert done.stdout.split() == ["no-such-package-at-all"]


def test_no_install_prints_the_line_and_leaves_with_3(tmp_path):
    """With a dpkg that knows no package."""
    fake = tmp_path / "bin"
    fake.mkdir()
    (fake / "dpkg-query").write_text("#!/bin/sh\nexit 1\n")
    (fake / "dpkg-query").chmod(0o755)
    done = subprocess.run([ROOT / "scripts/deps", "--no-install"], capture_output=True, text=True,
                          timeout=60, check=False, stdin=subprocess.DEVNULL,
                          env={**os.environ, "PATH": f"{fake}:{os.environ['PATH']}",
                               "CAUSEWAY_CACHE": str(tmp_path / "cache")})
    assert done.returncode == 3
    assert done.stdout.startswith("apt-get update && apt-get install ") and "cmake" in done.stdout
    assert "To install: " in done.stderr and "To fetch: the model smollm2-135m-instruct, 93 MB" in done.stderr
    assert not (tmp_path / "cache" / "files").exists()


def plan_of(script, tmp_path, *options, packages=True):
    """With an empty cache, and a dpkg that knows no package or one that has them all."""
    fake = tmp_path / "bin"
    fake.mkdir(exist_ok=True)
    (fake / "dpkg-query").write_text(
        "#!/bin/sh\n" + ('for name; do echo "installed $name"; done\n' if packages else "exit 1\n"))
    (fake / "dpkg-query").chmod(0o755)
    return subprocess.run([ROOT / script, "--plan", *options], capture_output=True, text=True, timeout=60,
                          check=True, stdin=subprocess.DEVNULL,
                          env={**os.environ, "PATH": f"{fake}:{os.environ['PATH']}",
                               "CAUSEWAY_CACHE": str(tmp_path / "cache")}).stderr.splitlines()


def test_the_plan_is_in_the_order_of_what_happens(tmp_path):
    plan = plan_of("scripts/deps", tmp_path, "--program", packages=False)
    if (ROOT / "build/release/causeway").exists():
        plan.insert(1, "To build: Causeway")
    for line, begin in zip(plan, ["To install: ", "To build: Causeway", "To fetch: the model ",
                                  "To build: the engine"], strict=True):
        assert line.startswith(begin), plan
    assert " to " in plan[3].split(",")[-1]  # a span of minutes: nobody knows how busy the machine is


def test_what_is_fetched_already_is_not_0_mb(tmp_path):
    value = bash("echo $(manifest_value smollm2-135m-instruct sha256)/$(manifest_value smollm2-135m-instruct file)")
    archive = tmp_path / "cache" / "archives" / value.stdout.strip()
    archive.parent.mkdir(parents=True)
    archive.touch()
    plan = plan_of("scripts/deps", tmp_path)
    assert "To unpack: the model smollm2-135m-instruct" in plan
    assert not [line for line in plan if " 0 MB" in line]


def test_a_plan_of_nothing_says_so(tmp_path):
    assert plan_of("scripts/deps", tmp_path, "--only", "packages") == [
        "Everything is there: nothing to install, build or fetch."]


def test_test_libraries_are_not_needed_to_run():
    sets = "${packages_fetch[*]} ${packages_build[*]} ${packages_use[*]}"
    assert not {"libgtest-dev", "libbenchmark-dev"} & set(bash(f'echo "{sets}"').stdout.split())
    assert "libgtest-dev" in bash('echo "${packages_test[*]}"').stdout.split()


def test_who_works_on_the_engine_holds_a_lock(tmp_path):
    """By which the gateway knows that it is being built: see engine/places.cpp."""
    text = (ROOT / "scripts/run").read_text() + (ROOT / "scripts/lib_engine.sh").read_text()
    assert "with_lock embedded prepare_embedded_model" in text and "with_lock engine compile_engine" in text
    assert "engine_log=$cache/log/engine.log" in text


@pytest.mark.parametrize("command", [
    ["scripts/deps", "--engine", "abacus"], ["scripts/deps", "--wrong"], ["scripts/test", "nothing"]])
def test_wrong_usage(command):
    done = subprocess.run([ROOT / command[0], *command[1:]], capture_output=True, text=True, timeout=60,
                          check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 2 and "usage: " in done.stderr


def test_counting_results(tmp_path):
    (tmp_path / "a.xml").write_text(
        '<testsuites><testsuite><testcase name="a" status="run"/><testcase name="b"><failure/></testcase>'
        '<testcase name="c"><skipped/></testcase><testcase name="d" status="notrun"/></testsuite></testsuites>')
    (tmp_path / "cut.xml").write_text("<testsuites><testsuite>")
    (tmp_path / "list").write_text("pass one\npass two\nfail three\n")
    done = subprocess.run(["python3", ROOT / "scripts/tools/count_tests.py", tmp_path],
                          capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "3", "2"]
