"""Workers of Ray give what this process gives, byte for byte, on a cluster and where one of them is killed."""

import os
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psutil
import pytest

from exlm_chem.data import data_path
from tests.cli.runner import EXLM_CHEM, environment, run

pytest.importorskip("ray", reason="Ray is not installed")
pytestmark = pytest.mark.slow

CLUSTER = """
import ray, sys
ray.init("local", num_cpus=2, object_store_memory=10**8, include_dashboard=False, log_to_driver=False)
print("address", ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""
TABLE = "id,smiles\n1,CCO\n2,C1CC\n3,\n4,OCC,lost\n5,c1ccccc1 benzene\n6,CCN\n"
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": uuid.uuid4().hex}  # of our own cluster


def said(told):
    """What the command said, line by line, without what Ray says by itself at a moment of its own."""
    return [line for line in told.splitlines() if not line.startswith("[")]


@pytest.fixture(scope="module")
def cluster():
    """A cluster of Ray on this machine: its process, and its address."""
    started = {"env": environment(TOKEN), "stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", CLUSTER], **started) as process:
        address = next(line.split()[1] for line in process.stdout if line.startswith("address"))
        yield process, address
        process.stdin.close()


@pytest.fixture
def many(tmp_path):
    """A table of 600 molecules, and a row that is none."""
    import gzip

    with gzip.open(data_path("zinc_20k.smi.gz"), "rt") as lines:
        rows = [f"{line.split()[0]},{number}" for number, line in zip(range(600), lines, strict=False)]
    file = tmp_path / "many.csv"
    file.write_text("\n".join(["smiles,number", *rows[:300], "C1CC,bad", *rows[300:]]) + "\n")
    return file


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_vectors_are_those_of_this_process(tiny_model, tmp_path, cluster, suffix):
    (tmp_path / "in.csv").write_text(TABLE)
    command = ["embed", "in.csv", "-m", os.path.relpath(tiny_model, tmp_path), "--chunk-size", 2]
    here = run(*command, "-o", f"here{suffix}", env=ONE_THREAD, cwd=tmp_path)
    ray = ["--engine", "ray", "--ray-address", cluster[1]]
    there = run(*command, "-o", f"there{suffix}", *ray, env=TOKEN, cwd=tmp_path)
    assert (there.status, said(there.err)[-1]) == (0, here.err.splitlines()[-1])
    assert "6 rows, 3 with a vector, 3 without (" in there.err
    assert (tmp_path / f"there{suffix}").read_bytes() == (tmp_path / f"here{suffix}").read_bytes()


def test_predictions_of_parquet_by_a_cluster_of_their_own(tiny_predictors, tmp_path):
    (tmp_path / "in.csv").write_text(TABLE)
    assert run("embed", "in.csv", "-m", tiny_predictors / "salt", "-o", "in.parquet", cwd=tmp_path).status == 0
    command = ["predict", "in.parquet", "-m", tiny_predictors / "sol", "-m", tiny_predictors / "salt"]
    here = run(*command, "-o", "here.parquet", "--chunk-size", 4, env=ONE_THREAD, cwd=tmp_path)
    ray = ["--engine", "ray", "--ray-workers", 1]
    there = run(
        *command, "-o", "there.parquet", "--chunk-size", 4, *ray, cwd=tmp_path, env={**TOKEN, "RAY_ADDRESS": None}
    )
    assert (there.status, said(there.err)[-1]) == (0, here.err.splitlines()[-1])
    assert (tmp_path / "there.parquet").read_bytes() == (tmp_path / "here.parquet").read_bytes()
    assert (tmp_path / "there.parquet.columns.json").read_bytes() == (
        tmp_path / "here.parquet.columns.json"
    ).read_bytes()


def test_a_worker_that_is_killed_loses_nothing(many, tmp_path, cluster):
    command = [EXLM_CHEM, "embed", many, "--chunk-size", "50"]
    subprocess.run([*command, "-o", tmp_path / "here.npz"], env=environment(ONE_THREAD), check=True)
    ray = ["--engine", "ray", "-o", tmp_path / "there.npz"]
    process = subprocess.Popen(
        [*command, *ray], env=environment({**TOKEN, "RAY_ADDRESS": cluster[1]}), stderr=subprocess.PIPE
    )
    worker = busy_worker(psutil.Process(cluster[0].pid))
    worker.kill()
    told = process.communicate(timeout=280)[1].decode()
    assert process.returncode == 0, told
    assert said(told)[-1] == "601 rows, 600 with a vector, 1 without (1 not SMILES)"
    assert (tmp_path / "there.npz").read_bytes() == (tmp_path / "here.npz").read_bytes()


def busy_worker(root):
    """Wait for a worker that answers a chunk, and give its process; Ray names processes after what they do."""
    for _ in range(3000):
        for process in root.children(recursive=True):
            try:
                if process.name().startswith("ray::MapW") and process.cmdline()[0].endswith(".submit"):
                    return process
            except (psutil.Error, IndexError):
                continue
        time.sleep(0.05)
    raise AssertionError("no worker is busy")


def test_wrong_rows_end_the_run_where_asked(tiny_model, many, tmp_path, cluster):
    ray = ["--engine", "ray", "--ray-address", cluster[1], "--on-invalid", "raise"]
    done = run("embed", many, "-m", tiny_model, "-o", tmp_path / "out.npy", "--chunk-size", 100, *ray, env=TOKEN)
    assert done.status == 1
    assert said(done.err)[-1].startswith(f"exlm-chem: {many}, line 302: not SMILES at position 1")
    assert not (tmp_path / "out.npy").exists()


def test_no_cluster_there(tiny_model, tmp_path):
    ray = ["-o", tmp_path / "out.npy", "--engine", "ray", "--ray-address"]
    done = run("embed", "C", "-m", tiny_model, *ray, "ray://127.0.0.1:1")
    assert (done.status, done.err.count("is for Ray's client")) == (1, 1)
    done = run("embed", "C", "-m", tiny_model, *ray, "127.0.0.1:1")
    assert done.status == 1
    assert "no cluster of Ray answers at '127.0.0.1:1'" in said(done.err)[-1]


def test_example(tiny_model, tmp_path, cluster):
    example = Path(__file__).parents[2] / "examples" / "ray_library.py"
    command = [
        sys.executable,
        example,
        "-o",
        tmp_path / "out.parquet",
        "--encoder",
        tiny_model,
        "--address",
        cluster[1],
    ]
    done = subprocess.run(command, env=environment(TOKEN), capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[0].startswith("29 rows, 24 with a vector, 5 without (3 not SMILES, ")
    assert done.stdout.splitlines()[1] == "vectors are those of ExLM.embed: True"
