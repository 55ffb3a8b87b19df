"""Every name a sampler goes by leads to ours, to the nearest of ours, or to a word that it is not known."""

from __future__ import annotations

import pytest

from imagegen_desktop.domain.families import DIFFUSION_SAMPLERS
from imagegen_desktop.imaging.findings import Findings, FoundSettings
from imagegen_desktop.imaging.foreign.samplers import NEAR, SAME, put_sampler


@pytest.mark.parametrize(
    ("name", "schedule", "ours"),
    [
        ("DPM++ 2M", "Karras", "DPM++ 2M Karras"), ("DPM++ 2M Karras", "", "DPM++ 2M Karras"), ("Euler a", "",
            "Euler a"),
        ("DPM++ 2M SDE", "Karras", "DPM++ 2M SDE Karras"), ("DPM++ SDE Karras", None, "DPM++ SDE Karras"),
        ("Euler", "Normal", "Euler"), ("euler a", "Automatic", "Euler a"), ("LMS Karras", "", "LMS Karras"),
        ("DPM2 a", "", "DPM2 a"), ("PLMS", "", "PNDM"), ("UniPC", "", "UniPC"), ("DDIM", "", "DDIM"),
        ("dpmpp_2m", "karras", "DPM++ 2M Karras"), ("euler_ancestral", "normal", "Euler a"), ("uni_pc", "simple",
            "UniPC"),
        ("dpmpp_2m_sde_gpu", "karras", "DPM++ 2M SDE Karras"), ("dpm_2_ancestral", "normal", "DPM2 a"),
        ("dpmpp_2m_k", "", "DPM++ 2M Karras"), ("euler_k", "", "Euler Karras"), ("euler_a", "", "Euler a"),
        ("kdpm_2", "", "DPM2"), ("lms_k", "", "LMS Karras"), ("k_lms", "", "LMS"), ("dpmpp_2s", "", "DPM++ 2S"),
        ("k_euler_ancestral", "native", "Euler a"), ("k_dpmpp_2m", "karras", "DPM++ 2M Karras"), ("k_dpm_2", "",
            "DPM2"),
        ("dpmpp_2m_sde_gpu karras", "", "DPM++ 2M SDE Karras"), ("heun", "", "Heun"), ("lcm", "", "LCM"),
    ],
)  # fmt: skip
def test_the_same_sampler_under_another_name(name: str, schedule: str | None, ours: str) -> None:
    found = _found(name, schedule)
    assert found.request["sampler"] == ours
    assert found.approximated == ()
    assert "sampler" in found.mapped


@pytest.mark.parametrize(
    ("name", "schedule", "ours", "said"),
    [
        ("Euler a", "Karras", "Euler a", "Euler a, Karras"), ("DPM++ 3M SDE", "Karras", "DPM++ 2M SDE Karras",
            "DPM++ 3M SDE, Karras"),
        ("DPM++ 2S a", "", "DPM++ 2S", "DPM++ 2S a"), ("DPM++ 2M SDE Exponential", "", "DPM++ 2M SDE",
            "DPM++ 2M SDE Exponential"),
        ("dpmpp_2m", "sgm_uniform", "DPM++ 2M", "dpmpp_2m, sgm_uniform"), ("heun_k", "", "Heun", "heun_k"),
        ("DPM++ 2M", "Automatic", "DPM++ 2M Karras", "DPM++ 2M, Automatic"),
    ],
)  # fmt: skip
def test_the_nearest_sampler_is_said_to_be_near(name: str, schedule: str, ours: str, said: str) -> None:
    found = _found(name, schedule)
    assert found.approximated == ({"field": "sampler", "from": said, "to": ours},)
    assert found.request["sampler"] == ours
    assert "sampler" not in found.mapped


def test_an_unknown_sampler_is_ignored_with_a_word() -> None:
    found = _found("Restart", "")
    assert (found.ignored, "sampler" in found.request) == (("Sampler: Restart",), False)
    for nothing in (None, "", "  ", 7, ["Euler"]):
        findings = Findings("x")
        put_sampler(findings, nothing)
        assert not findings


def test_the_tables_name_only_samplers_of_ours() -> None:
    assert {*SAME.values(), *NEAR.values()} <= set(DIFFUSION_SAMPLERS)
    assert not SAME.keys() & NEAR.keys()


def _found(name: object, schedule: object) -> FoundSettings:
    findings = Findings("x")
    findings.put("seed", 1)
    put_sampler(findings, name, schedule)
    return findings.result()
