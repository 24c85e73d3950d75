import os
import subprocess
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_wheel_in_an_empty_folder_runs_the_demo(tmp_path: Path) -> None:
    environ = {
        name: value
        for name, value in os.environ.items()
        if name not in ("VIRTUAL_ENV", "DAGSTER_HOME", "PYTHONPATH")
    }

    def run(*command: str) -> str:
        done = subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("uv", "build", "--wheel", "--out-dir", str(tmp_path / "dist"), str(ROOT))
    [wheel] = (tmp_path / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.startswith("resonare_pipeline/_bundled/prompts/") for name in names)
    page = "resonare_pipeline/datasets/report"
    assert {f"{page}/report.html.j2", f"{page}/report.css"} <= set(names)
    run("uv", "venv", str(tmp_path / "venv"))
    python = str(tmp_path / "venv" / "bin" / "python")
    run("uv", "pip", "install", "--python", python, str(wheel))
    shown = run(str(tmp_path / "venv" / "bin" / "resonare"), "demo")
    assert "Example 1" in shown
    laid = list((tmp_path / "data" / "demo" / "output" / "chats").glob("*/train.jsonl"))
    assert laid
    assert all(path.stat().st_size for path in laid)
    filled = tmp_path / "data" / "demo" / "output" / "records" / "plant-questions"
    assert b"Mock answer" in (filled / "filled.jsonl").read_bytes()
