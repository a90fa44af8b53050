"""The image and the Kubernetes manifest: what must hold of them before anybody builds or applies them."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from dockerfile_parse import DockerfileParser
from prometheus_client import generate_latest

from serving.metrics import Metrics
from serving.run import DRAIN_SECONDS

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "serving" / "kubernetes.yaml"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
STATE = "/var/lib/canhgiac"

STEPS: list[dict[str, Any]] = DockerfileParser(str(ROOT / "Dockerfile")).structure
OBJECTS: dict[str, Any] = {
    entry["kind"]: entry for entry in yaml.safe_load_all(MANIFEST.read_text("utf-8"))
}
POD: dict[str, Any] = OBJECTS["Deployment"]["spec"]["template"]["spec"]
[CONTAINER] = POD["containers"]


def values(instruction: str) -> list[str]:
    """What stands behind each use of an instruction, in order."""
    return [step["value"] for step in STEPS if step["instruction"] == instruction]


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path out of the build; its last rule that fits counts."""
    out = False
    for rule in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        pattern = rule.removeprefix("!").removeprefix("**/")
        if rule and not rule.startswith("#") and (fnmatch(path, pattern) or path.startswith(f"{pattern}/")):
            out = not rule.startswith("!")
    return out


def test_images_are_named_by_a_tag_that_is_not_latest() -> None:
    named = [value.split()[0] for value in values("FROM")] + [CONTAINER["image"]]
    for image in named:
        assert re.fullmatch(r"[a-z./-]+:\d[\w.-]+", image), image
    assert CONTAINER["image"] == f"canhgiac:{VERSION}"
    assert len(set(named)) == 2  # build and run on the same Python


def test_everything_that_is_copied_is_there_and_not_ignored() -> None:
    copied = [
        source.rstrip("/")
        for value in values("COPY")
        if not value.startswith("--from")
        for source in value.split()[:-1]
    ]
    assert {"canhgiac.py", "data", "model", "serving"} <= set(copied)
    for source in copied:
        assert (ROOT / source).exists(), source
        assert not ignored(source), source


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        "var/api-key",
        ".venv/bin/python",
        "training/train.py",
        "data/corpus/train.jsonl",
        ".env",
    ],
)
def test_secrets_and_what_serving_does_not_need_stay_out(path: str) -> None:
    assert ignored(path)


def test_the_model_that_ships_is_in_the_image_whole() -> None:
    files = json.loads((ROOT / "model" / "compact" / "manifest.json").read_text("utf-8"))["files"]
    assert not [name for name in files if ignored(f"model/compact/{name}")]


def test_the_image_installs_serving_without_torch() -> None:
    [install] = [value for value in values("RUN") if "pip install" in value]
    assert "'.[serve,postgres,otel]'" in install
    assert "compileall" in install


def test_the_process_is_nobody_special_and_gets_its_signals() -> None:
    assert values("USER") == ["10001:10001"]
    assert json.loads(values("ENTRYPOINT")[0]) == ["canhgiac", "serve", "--host", "0.0.0.0"]  # noqa: S104
    assert values("STOPSIGNAL") == ["SIGTERM"]


def test_only_the_state_folder_need_be_writable() -> None:
    environment = dict(part.split("=", 1) for value in values("ENV") for part in shlex.split(value))
    assert environment["CANHGIAC_STATE_DIR"] == STATE
    assert environment["PYTHONDONTWRITEBYTECODE"] == "1"
    assert environment["ORT_DISABLE_TELEMETRY"] == "1"
    assert values("VOLUME") == [STATE]
    assert [mount["mountPath"] for mount in CONTAINER["volumeMounts"]] == [STATE]
    assert not [name for name in environment if re.search("KEY|SECRET|PASSWORD|DATABASE", name)]


def test_the_health_check_is_python_that_compiles_and_asks_healthz() -> None:
    command = json.loads(values("HEALTHCHECK")[0].partition("CMD ")[2])
    assert command[:2] == ["python", "-c"]
    compile(command[2], "healthcheck", "exec")
    assert ":8000/healthz" in command[2]


def test_kubernetes_own_schemas_accept_the_manifest() -> None:
    command = [sys.executable, "-m", "kubernetes_validate", "--strict", str(MANIFEST)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_pod_may_do_nothing_but_serve() -> None:
    pod, container = POD["securityContext"], CONTAINER["securityContext"]
    assert (pod["runAsNonRoot"], pod["runAsUser"]) == (True, 10001)
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["readOnlyRootFilesystem"] is True
    assert container["allowPrivilegeEscalation"] is False
    assert container["capabilities"] == {"drop": ["ALL"]}
    assert POD["automountServiceAccountToken"] is False
    assert POD["enableServiceLinks"] is False


def test_probes_ask_what_they_are_for() -> None:
    asked = {
        name: CONTAINER[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")
    }
    assert asked == {"startup": "/readyz", "readiness": "/readyz", "liveness": "/healthz"}


def test_a_pod_has_time_to_finish_what_is_in_flight() -> None:
    asleep = int(CONTAINER["lifecycle"]["preStop"]["exec"]["command"][1])
    assert POD["terminationGracePeriodSeconds"] > asleep + DRAIN_SECONDS


def test_the_database_is_a_secret_without_a_default() -> None:
    [database] = [entry for entry in CONTAINER["env"] if entry["name"] == "CANHGIAC_DATABASE_URL"]
    assert "value" not in database
    assert not database["valueFrom"]["secretKeyRef"].get("optional")
    assert "Secret" not in OBJECTS


def test_everything_points_at_the_same_pods() -> None:
    labels = OBJECTS["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert OBJECTS["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert OBJECTS["Service"]["spec"]["selector"] == labels
    assert OBJECTS["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert OBJECTS["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    assert OBJECTS["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == "canhgiac"


def test_it_scales_on_a_number_that_the_service_tells() -> None:
    [metric] = OBJECTS["HorizontalPodAutoscaler"]["spec"]["metrics"]
    assert f"\n{metric['pods']['metric']['name']} " in generate_latest(Metrics().registry).decode()
